// The public keys of an issuer: fetched when a token names one that is unknown, at most once in a pause, and anew after a while, since
// a key may have been withdrawn. While the issuer cannot be asked, the keys that are known go on being used.

package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"
)

const (
	keysLife   = 10 * time.Minute // after which they are fetched anew
	fetchPause = 5 * time.Second  // at least, between two times that the issuer is asked
)

// errNoKey says that none of the issuer's keys signed a token.
var errNoKey = errors.New("no key signed it")

// keys are those of an issuer.
type keys struct {
	issuer   string
	now      func() time.Time
	client   *http.Client
	fetching singleflight.Group

	mu      sync.Mutex
	known   []jose.JSONWebKey
	edition int       // how often they were fetched
	fetched time.Time // when they were
	tried   time.Time // when that was tried last
	failed  error     // of that try
}

func newKeys(issuer string, now func() time.Time) *keys {
	return &keys{issuer: issuer, now: now, client: client()}
}

// verify returns the payload of a token that one of the keys signed, or [errNoKey].
func (k *keys) verify(ctx context.Context, jws *jose.JSONWebSignature) ([]byte, error) {
	if payload, ok := k.verifyByKnown(jws); ok {
		return payload, nil
	}
	err := k.refresh(ctx)
	if payload, ok := k.verifyByKnown(jws); ok {
		return payload, nil
	}
	if err != nil {
		return nil, err
	}
	return nil, errNoKey
}

// current returns the keys that are known, and their edition. Those that are known for long are fetched anew, for later callers.
func (k *keys) current() (known []jose.JSONWebKey, edition int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.edition > 0 && k.now().Sub(k.fetched) >= keysLife {
		k.fetching.DoChan("", k.fetchAgain)
	}
	return k.known, k.edition
}

func (k *keys) verifyByKnown(jws *jose.JSONWebSignature) (payload []byte, ok bool) {
	known, _ := k.current()
	header := jws.Signatures[0].Header
	for _, key := range known {
		if header.KeyID != "" && header.KeyID != key.KeyID || key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		if payload, err := jws.Verify(key); err == nil {
			return payload, true
		}
	}
	return nil, false
}

// refresh fetches the keys, unless that was just tried. Those who need it at the same time wait for one fetch; once an issuer has
// failed nobody waits for it, since it may let everybody hang.
func (k *keys) refresh(ctx context.Context) error {
	fetched := k.fetching.DoChan("", k.fetchAgain)
	k.mu.Lock()
	failed := k.failed
	k.mu.Unlock()
	if failed != nil {
		return failed
	}
	select {
	case r := <-fetched:
		return r.Err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (k *keys) fetchAgain() (any, error) {
	k.mu.Lock()
	tried, failed := k.tried, k.failed
	k.mu.Unlock()
	if !tried.IsZero() && k.now().Sub(tried) < fetchPause {
		return nil, failed
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*answerTime)
	defer cancel()
	fetched, err := k.fetch(ctx)
	if err != nil {
		err = fmt.Errorf("the keys of the issuer %s cannot be had, so tokens by unknown keys are neither taken nor refused until it answers: %.500w", k.issuer, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tried, k.failed = k.now(), err
	if err == nil {
		k.known, k.fetched = fetched, k.tried
		k.edition++
	}
	return nil, err
}

// fetch asks the issuer where its keys are, and for them.
func (k *keys) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, k.client), k.issuer)
	if err != nil {
		return nil, err
	}
	var said struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&said); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, said.Keys, nil)
	if err != nil {
		return nil, err
	}
	answer, err := k.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", said.Keys, answer.Status)
	}
	if err != nil {
		return nil, err
	}
	return readKeys(text)
}

// readKeys reads a set of keys. Those that it cannot use are none: of another kind, secret, or for encryption.
func readKeys(text []byte) (usable []jose.JSONWebKey, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("the keys cannot be read: %w", err)
	}
	for _, text := range set.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(text, &key) == nil && key.Valid() && key.IsPublic() && key.Use != "enc" {
			usable = append(usable, key)
		}
	}
	if len(usable) == 0 {
		return nil, errors.New("there is no public key for signatures among its keys")
	}
	return usable, nil
}
