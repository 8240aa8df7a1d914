package main

// Tests of access tokens of an authorization server, by requests to the whole transport. The server is a stand-in on this machine.

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/rs/zerolog"

	"mcp-trade/internal/oauth"
	"mcp-trade/token"
	"mcp-trade/tools"
)

const ourAddress = "https://trade.example.com/mcp"

// issuer is a stand-in of an authorization server.
type issuer struct {
	*httptest.Server
	mu      sync.Mutex
	keys    []jose.JSONWebKey // that it publishes
	down    bool
	fetches atomic.Int32
}

func newIssuer(t *testing.T, keys ...jose.JSONWebKey) *issuer {
	i := &issuer{keys: keys}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		switch {
		case i.down:
			http.Error(w, "it is down", http.StatusBadGateway)
		case r.URL.Path == "/.well-known/openid-configuration":
			_ = json.NewEncoder(w).Encode(map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys", "id_token_signing_alg_values_supported": []string{"HS256", "none"}})
		case r.URL.Path == "/keys":
			i.fetches.Add(1)
			_ = json.NewEncoder(w).Encode(map[string]any{"keys": append([]any{map[string]string{"kty": "odd"}}, asAny(i.keys)...)})
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(i.Close)
	return i
}

func asAny(keys []jose.JSONWebKey) (all []any) {
	for _, k := range keys {
		all = append(all, k.Public())
	}
	return all
}

func (i *issuer) publish(down bool, keys ...jose.JSONWebKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.down, i.keys = down, keys
}

func newKey(t *testing.T, id string) jose.JSONWebKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: id, Algorithm: "ES256", Use: "sig"}
}

// sign makes a token of claims. A type of "" is left out.
func sign(t *testing.T, algorithm jose.SignatureAlgorithm, key any, kind string, claims map[string]any) string {
	t.Helper()
	options := &jose.SignerOptions{}
	if kind != "" {
		options.WithType(jose.ContentType(kind))
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(claims)
	jws, err := signer.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// claims are good ones, with some changed; nil leaves one out.
func (i *issuer) claims(changed map[string]any) map[string]any {
	all := map[string]any{
		"iss": i.URL, "aud": ourAddress, "sub": "runner", "scope": "read trade", "client_id": "runner",
		"iat": gateNoon.Unix(), "exp": gateNoon.Add(time.Hour).Unix(),
	}
	maps.Copy(all, changed)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	return all
}

func (i *issuer) good(t *testing.T, key jose.JSONWebKey, changed map[string]any) string {
	return sign(t, jose.ES256, key, "at+jwt", i.claims(changed))
}

// withIssuer is a server that takes the tokens of an issuer, whose subject "runner" was granted bob's account.
func withIssuer(t *testing.T, i *issuer) (s *served, log *bytes.Buffer) {
	t.Helper()
	s, log = newServed(t), &bytes.Buffer{}
	var err error
	if s.issuer, err = oauth.New(i.URL, ourAddress, func() time.Time { return s.now() }); err != nil {
		t.Fatal(err)
	}
	s.log = zerolog.New(zerolog.SyncWriter(log))
	s.needed.Store(true)
	s.grant(t, i, token.Token{Subject: "runner", Account: "bob", Model: "bob", Scopes: tools.Scopes})
	return s, log
}

func (s *served) grant(t *testing.T, i *issuer, made token.Token) token.Token {
	t.Helper()
	made.Issuer, made.Created = i.URL, gateNoon
	made, err := token.Grant(t.Context(), s.store, made)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestGate_OAuth(t *testing.T) {
	key, other, rotten := newKey(t, "1"), newKey(t, "1"), newKey(t, "2")
	old, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey := jose.JSONWebKey{Key: old, KeyID: "rsa", Use: "sig"}
	i := newIssuer(t, key, rsaKey)
	s, log := withIssuer(t, i)
	for subject, made := range map[string]token.Token{
		"reader":  {Scopes: []string{tools.ReadScope}},
		"expired": {Scopes: tools.Scopes, Expires: gateNoon},
		"revoked": {Scopes: tools.Scopes, Revoked: gateNoon},
		"slow":    {Scopes: tools.Scopes, Rate: perMinute(1)},
	} {
		made.Subject, made.Account, made.Model = subject, "bob", "bob"
		s.grant(t, i, made)
	}
	with := func(name string, value any) string { return i.good(t, key, map[string]any{name: value}) }
	part := func(v any) string { text, _ := json.Marshal(v); return base64.RawURLEncoding.EncodeToString(text) }
	public, err := x509.MarshalPKIXPublicKey(old.Public())
	if err != nil {
		t.Fatal(err)
	}
	good := with("jti", "1")
	head, rest, _ := strings.Cut(good, ".")
	for _, c := range []struct {
		name, tool, token string
		status            int
		challenge, says   string
	}{
		{"a good one", "get_session", good, 200, "", `"signature":"bob"`},
		{"again", "get_session", good, 200, "", `"signature":"bob"`},
		{"of RSA", "get_session", sign(t, jose.RS256, rsaKey, "at+jwt", i.claims(nil)), 200, "", `"signature":"bob"`},
		{"without a type", "get_session", sign(t, jose.ES256, key, "", i.claims(nil)), 200, "", `"signature":"bob"`},
		{"for us and others", "get_session", with("aud", []string{"x", ourAddress}), 200, "", `"signature":"bob"`},
		{"scopes as a list", "get_session", i.good(t, key, map[string]any{"scope": nil, "scp": []string{"read"}}), 200, "", `"signature":"bob"`},
		{"claims of an account", "get_session", i.good(t, key, map[string]any{"account": "alice", "signature": "alice", "model_id": "alice"}), 200, "", `"signature":"bob"`},
		{"alg none", "get_session", part(map[string]string{"alg": "none"}) + "." + part(i.claims(nil)) + ".", 401, "invalid_token", "no JWT with a signature"},
		{"HS256 with the public key", "get_session", sign(t, jose.HS256, public, "at+jwt", i.claims(nil)), 401, "invalid_token", "no JWT with a signature"},
		{"foreign audience", "get_session", with("aud", "https://other.example.com/mcp"), 401, "invalid_token", "expected audience"},
		{"no audience", "get_session", with("aud", nil), 401, "invalid_token", "expected audience"},
		{"foreign issuer", "get_session", with("iss", "https://login.example.com"), 401, "invalid_token", "different provider"},
		{"expired", "get_session", with("exp", gateNoon.Add(-time.Second).Unix()), 401, "invalid_token", "is expired"},
		{"without an end", "get_session", with("exp", nil), 401, "invalid_token", "is expired"},
		{"not yet valid", "get_session", with("nbf", gateNoon.Add(6*time.Minute).Unix()), 401, "invalid_token", "not before"},
		{"another key of the same name", "get_session", i.good(t, other, nil), 401, "invalid_token", "No key of"},
		{"an unknown key", "get_session", i.good(t, rotten, nil), 401, "invalid_token", "No key of"},
		{"a changed payload", "get_session", head + "." + part(i.claims(map[string]any{"sub": "reader"})) + rest[strings.LastIndex(rest, "."):], 401, "invalid_token", "No key of"},
		{"the type of another JWT", "get_session", sign(t, jose.ES256, key, "logout+jwt", i.claims(nil)), 401, "invalid_token", "logout+jwt"},
		{"bound to a key", "get_session", with("cnf", map[string]string{"jkt": "x"}), 401, "invalid_token", "cnf"},
		{"without a subject", "get_session", with("sub", nil), 401, "invalid_token", "no subject"},
		{"scopes that are none", "get_session", with("scope", 7), 401, "invalid_token", "scope must be a text"},
		{"no token", "get_session", "", 401, "resource_metadata=", "needs a token"},
		{"dots", "get_session", "..", 401, "invalid_token", "no JWT"},
		{"an unknown subject", "get_session", with("sub", "stranger"), 403, "", `\"stranger\" has no account here`},
		{"an expired grant", "get_session", with("sub", "expired"), 403, "", "expired"},
		{"a revoked grant", "get_session", with("sub", "revoked"), 403, "", "revoked"},
		{"a scope that the token lacks", "search", good, 403, "insufficient_scope", "scope search"},
		{"no scope at all", "get_session", with("scope", nil), 403, "insufficient_scope", "scope read"},
		{"a scope that the grant lacks", "buy", with("sub", "reader"), 403, "insufficient_scope", "scope trade"},
		{"within its rate", "get_session", with("sub", "slow"), 200, "", "bob"},
		{"beyond it, by another token", "get_session", i.good(t, key, map[string]any{"sub": "slow", "jti": "2"}), 429, "", "rate of requests, 1 per minute"},
	} {
		log.Reset()
		var headers []string
		if c.token != "" {
			headers = []string{"Authorization", "Bearer " + c.token}
		}
		status, challenge, answer := s.call(c.tool, headers...)
		if status != c.status || !strings.Contains(challenge, c.challenge) || (challenge == "") != (c.challenge == "") || !strings.Contains(answer, c.says) {
			t.Errorf("%s: %d %s %.300s, want %d %s %s", c.name, status, challenge, answer, c.status, c.challenge, c.says)
		}
		if challenge != "" && !strings.Contains(challenge, `resource_metadata="https://trade.example.com/.well-known/oauth-protected-resource/mcp"`) {
			t.Errorf("%s: the challenge is %s", c.name, challenge)
		}
		lines, refused := strings.Count(log.String(), "\n"), status == 401 && c.token != "" || status == 403 && c.challenge == ""
		if (lines == 1) != refused || lines > 1 || c.token != "" && strings.Contains(log.String()+challenge, c.token) {
			t.Errorf("%s: %d lines of log: %s", c.name, lines, log)
		}
	}
	if w := s.send(reading, somewhere, "Authorization", "Bearer "+good, "Authorization", "Bearer "+good); w.Code != 400 {
		t.Errorf("two tokens: %d", w.Code)
	}
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/mcp?access_token="+good, strings.NewReader(reading))
	w := httptest.NewRecorder()
	if s.http.ServeHTTP(w, r); w.Code != 400 || strings.Contains(w.Body.String(), good) {
		t.Errorf("a token in the address: %d %s", w.Code, w.Body)
	}
}

// A grant that is gone lets its subject in no longer, from the next call on, whatever life its token has left.
func TestGate_OAuthRevoked(t *testing.T) {
	key := newKey(t, "1")
	i := newIssuer(t, key)
	s, _ := withIssuer(t, i)
	made := s.grant(t, i, token.Token{Subject: "runner", Account: "bob", Model: "bob", Scopes: tools.Scopes})
	bearer := "Bearer " + i.good(t, key, nil)
	call := func() int { return s.send(reading, somewhere, "Authorization", bearer).Code }
	if status := call(); status != 200 {
		t.Fatal(status)
	}
	if _, err := token.Revoke(t.Context(), s.store, made.ID, gateNoon); err != nil {
		t.Fatal(err)
	}
	if status := call(); status != 403 {
		t.Errorf("after it was revoked: %d", status)
	}
	s.grant(t, i, token.Token{Subject: "runner", Account: "alice", Model: "alice", Scopes: tools.Scopes})
	if w := s.send(reading, somewhere, "Authorization", bearer); w.Code != 200 || !strings.Contains(w.Body.String(), "alice") {
		t.Errorf("after another grant: %d %s", w.Code, w.Body)
	}
}

// A token that was good ends with its time.
func TestGate_OAuthExpires(t *testing.T) {
	key := newKey(t, "1")
	i := newIssuer(t, key)
	s, _ := withIssuer(t, i)
	now := gateNoon
	s.now = func() time.Time { return now }
	bearer := "Bearer " + i.good(t, key, map[string]any{"exp": gateNoon.Add(time.Second).Unix()})
	for _, want := range []int{200, 200, 401} {
		if w := s.send(reading, somewhere, "Authorization", bearer); w.Code != want {
			t.Errorf("%v: %d %s", now, w.Code, w.Body)
		}
		now = now.Add(time.Second)
	}
}

// A key that the issuer begins to use is fetched when a token names it; one that it withdrew counts no longer after a while; and however
// many tokens name keys that there are not, the issuer is asked once in a pause.
func TestGate_OAuthKeys(t *testing.T) {
	key, next := newKey(t, "1"), newKey(t, "2")
	i := newIssuer(t, key)
	s, _ := withIssuer(t, i)
	var now atomic.Int64
	s.now = func() time.Time { return gateNoon.Add(time.Duration(now.Load())) }
	call := func(bearer string) int { return s.send(reading, somewhere, "Authorization", "Bearer "+bearer).Code }
	first, second := i.good(t, key, nil), i.good(t, next, nil)
	if status := call(first); status != 200 || i.fetches.Load() != 1 {
		t.Fatal(status, i.fetches.Load())
	}
	i.publish(false, key, next)
	if status := call(second); status != 401 || i.fetches.Load() != 1 {
		t.Errorf("a new key at once after a fetch: %d, %d fetches", status, i.fetches.Load())
	}
	now.Add(int64(6 * time.Second))
	if status := call(second); status != 200 || i.fetches.Load() != 2 {
		t.Errorf("a new key: %d, %d fetches", status, i.fetches.Load())
	}
	now.Add(int64(6 * time.Second))
	var wait sync.WaitGroup
	for n := range 200 {
		unknown := i.good(t, jose.JSONWebKey{Key: key.Key, KeyID: fmt.Sprint("u", n)}, nil)
		wait.Go(func() {
			if w := s.send(reading, fmt.Sprintf("192.0.2.%d:1", n), "Authorization", "Bearer "+unknown); w.Code != 401 {
				t.Errorf("an unknown key: %d %s", w.Code, w.Body)
			}
		})
	}
	wait.Wait()
	if n := i.fetches.Load(); n != 3 {
		t.Errorf("%d fetches for 200 unknown keys", n-2)
	}
	i.publish(false, next)
	now.Add(int64(11 * time.Minute))
	call(second) // it has the keys fetched, and does not wait for them
	status := call(first)
	for n := 0; status != 401 && n < 1000; n++ {
		time.Sleep(time.Millisecond)
		status = call(first)
	}
	if status != 401 || i.fetches.Load() != 4 {
		t.Errorf("a key that was withdrawn: %d, %d fetches", status, i.fetches.Load())
	}
}

// Clients find by the challenge where tokens come from, at each path where they look.
func TestGate_OAuthMetadata(t *testing.T) {
	const ourAddress = "https://example.com/trade/mcp" // behind a proxy
	i := newIssuer(t)
	s, _ := withIssuer(t, i)
	var err error
	if s.issuer, err = oauth.New(i.URL, ourAddress, time.Now); err != nil {
		t.Fatal(err)
	}
	s.publish(s.http)
	for _, path := range []string{"", "/mcp", "/trade/mcp"} {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/.well-known/oauth-protected-resource"+path, nil)
		w := httptest.NewRecorder()
		s.http.ServeHTTP(w, r)
		want := fmt.Sprintf(`{"resource":%q,"authorization_servers":[%q],"scopes_supported":["read","trade","search"],"bearer_methods_supported":["header"],"resource_name":"mcp-trade"}`, ourAddress, i.URL)
		if got := strings.TrimSpace(w.Body.String()); w.Code != 200 || got != want || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", path, w.Code, got)
		}
	}
}

// Without the issuer nothing can be told of a token by an unknown key. Known keys go on being used.
func TestGate_OAuthIssuerIsGone(t *testing.T) {
	key, next := newKey(t, "1"), newKey(t, "2")
	i := newIssuer(t)
	s, log := withIssuer(t, i)
	var now atomic.Int64
	s.now = func() time.Time { return gateNoon.Add(time.Duration(now.Load())) }
	first, second := i.good(t, key, nil), i.good(t, next, nil)
	call := func(bearer string, want int) {
		t.Helper()
		w := s.send(reading, somewhere, "Authorization", "Bearer "+bearer)
		for n := 0; w.Code == 503 && want != 503 && n < 1000; n++ { // nobody waits for an issuer that has failed
			time.Sleep(time.Millisecond)
			now.Add(int64(time.Second))
			w = s.send(reading, somewhere, "Authorization", "Bearer "+bearer)
		}
		if w.Code != want || want == 503 && w.Header().Get("Retry-After") == "" {
			t.Errorf("%d %s, want %d", w.Code, w.Body, want)
		}
	}
	i.publish(true)
	call(first, 503)
	if err := s.issuer.Reach(t.Context()); err == nil || !strings.Contains(err.Error(), "502") || !strings.Contains(err.Error(), i.URL) {
		t.Errorf("it was not reached: %v", err)
	}
	call(first, 503)
	i.publish(false, key)
	now.Add(int64(6 * time.Second))
	call(first, 200)
	i.publish(true)
	now.Add(int64(11 * time.Minute))
	call(first, 200)
	call(second, 503)
	now.Add(int64(time.Minute))
	call(first, 200)
	if strings.Contains(log.String(), "token refused") {
		t.Errorf("a token was refused of which nothing could be told: %s", log)
	}
	i.publish(false, key)
	now.Add(int64(time.Minute))
	call(second, 401)
	mine := "Bearer " + s.token(t, token.Token{Account: "alice", Model: "alice", Scopes: tools.Scopes})
	if i.publish(true); s.send(reading, somewhere, "Authorization", mine).Code != 200 {
		t.Error("a token that was made here needs the issuer")
	}
}
