// Package token says who may call over the network: a token stands for an account, the session of a model, and what its bearer
// may do. The token itself is shown once, when it is made; a store keeps it as its hash.
package token

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"mcp-trade/internal/rate"
	"mcp-trade/store"
)

// Token is what is known of a token.
type Token struct {
	ID       string    `json:"id"` // the beginning of the hash
	Account  string    `json:"account"`
	Model    string    `json:"model_id"`         // whose session it is
	Issuer   string    `json:"issuer,omitzero"`  // of the tokens, if they are not made here
	Subject  string    `json:"subject,omitzero"` // of those
	Scopes   []string  `json:"scopes"`
	Toolsets []string  `json:"toolsets,omitzero"` // nil: those of the server
	Rate     rate.Rate `json:"rate,omitzero"`     // of requests; of a batch each message counts
	Orders   rate.Rate `json:"orders,omitzero"`   // of orders and their cancellations among them
	Created  time.Time `json:"created"`
	Expires  time.Time `json:"expires,omitzero"` // the zero time: never
	Revoked  time.Time `json:"revoked,omitzero"` // the zero time: it is not
}

// States of a token.
const (
	Active  = "active"
	Expired = "expired"
	Revoked = "revoked"
)

// State is what a token is worth at a time.
func (t Token) State(now time.Time) string {
	switch {
	case !t.Revoked.IsZero():
		return Revoked
	case !t.Expires.IsZero() && !now.Before(t.Expires):
		return Expired
	}
	return Active
}

const (
	prefix  = "mcptrade_" // by which people and scanners of secrets know it
	size    = 32          // random bytes
	idChars = 12          // of the hash
)

var encoding = base64.RawURLEncoding.Strict()

// hashOf is the name under which a token is kept. A token is random, so it needs no slow hash. ok is false for what is none.
func hashOf(secret string) (hash string, ok bool) {
	text, ok := strings.CutPrefix(secret, prefix)
	if !ok || len(text) != encoding.EncodedLen(size) {
		return "", false
	}
	if _, err := encoding.DecodeString(text); err != nil {
		return "", false
	}
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:]), true
}

// New makes a token for an account, a model, scopes and so on. It returns the token, to be shown once, and what is kept of it.
func New(ctx context.Context, s store.Tokens, t Token) (secret string, made Token, err error) {
	if err := errors.Join(store.CheckName("account", t.Account), store.CheckName("model id", t.Model)); err != nil {
		return "", t, err
	}
	random := make([]byte, size)
	_, _ = rand.Read(random) // it never fails
	secret = prefix + encoding.EncodeToString(random)
	hash, _ := hashOf(secret)
	t.ID = hash[:idChars]
	return secret, t, save(ctx, s, hash, t)
}

func save(ctx context.Context, s store.Tokens, hash string, t Token) error {
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return s.SaveToken(ctx, hash, append(text, '\n'))
}

// read reads what is kept of a token. A key that this version does not know may narrow what the bearer may do, so it is an error.
func read(hash string, text []byte) (t Token, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err = d.Decode(&t); err == nil && t.ID != hash[:min(idChars, len(hash))] {
		err = fmt.Errorf("it has the id %.20q", t.ID)
	}
	if err == nil {
		err = errors.Join(store.CheckName("account", t.Account), store.CheckName("model id", t.Model))
	}
	if err != nil {
		return t, fmt.Errorf("what is kept of the token %.*s cannot be read: %w", idChars, hash, err)
	}
	return t, nil
}

// InvalidError says that a text is no token that can be used. Nobody is told more than that.
type InvalidError struct{ State string } // "" for one that was never made

func (e *InvalidError) Error() string {
	if e.State == "" {
		return "The token is none that was made here. Ask whoever runs this server for one."
	}
	return fmt.Sprintf("The token is %s. Ask whoever runs this server for another one.", e.State)
}

// Find returns what is known of a token. Text that is none, or one that is expired or revoked, is an *[InvalidError].
func Find(ctx context.Context, s store.Tokens, secret string, now time.Time) (Token, error) {
	hash, ok := hashOf(secret)
	if !ok {
		return Token{}, &InvalidError{}
	}
	t, state, err := kept(ctx, s, hash, now)
	switch {
	case err != nil:
		return Token{}, err
	case state != Active:
		return Token{}, &InvalidError{State: state}
	}
	return t, nil
}

// kept returns what is kept under a hash, and its state: "" if there is nothing.
func kept(ctx context.Context, s store.Tokens, hash string, now time.Time) (t Token, state string, err error) {
	text, err := s.Token(ctx, hash)
	if err != nil || text == nil {
		return t, "", err
	}
	t, err = read(hash, text)
	return t, t.State(now), err
}

// List returns what is known of all tokens, the oldest first, and with them the errors of those that cannot be read.
func List(ctx context.Context, s store.Tokens) ([]Token, error) {
	texts, err := s.ListTokens(ctx)
	if err != nil {
		return nil, err
	}
	all, errs := []Token{}, []error{}
	for hash, text := range texts {
		t, err := read(hash, text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b Token) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	return all, errors.Join(errs...)
}

// Revoke ends the token of an id. One that was revoked before keeps its time.
func Revoke(ctx context.Context, s store.Tokens, id string, now time.Time) (Token, error) {
	texts, err := s.ListTokens(ctx)
	if err != nil {
		return Token{}, err
	}
	for hash, text := range texts {
		if len(id) != idChars || !strings.HasPrefix(hash, id) {
			continue
		}
		t, err := read(hash, text)
		if err != nil || !t.Revoked.IsZero() {
			return t, err
		}
		t.Revoked = now
		return t, save(ctx, s, hash, t)
	}
	return Token{}, fmt.Errorf("there is no token with the id %.40q: mcp-trade token list names those that there are", id)
}
