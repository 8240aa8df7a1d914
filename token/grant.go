// What is granted to a subject of an authorization server, whose tokens are made and end there. It is kept beside the tokens that are
// made here, and listed and revoked as they are.

package token

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"mcp-trade/store"
)

// hashOfSubject is the name under which a grant is kept. No token that is made here has it.
func hashOfSubject(issuer, subject string) string {
	sum := sha256.Sum256([]byte("grant\x00" + issuer + "\x00" + subject))
	return hex.EncodeToString(sum[:])
}

// Grant keeps what the subject of an issuer may do, in place of what was granted before.
func Grant(ctx context.Context, s store.Tokens, t Token) (Token, error) {
	if err := errors.Join(store.CheckName("account", t.Account), store.CheckName("model id", t.Model)); err != nil {
		return t, err
	}
	if t.Issuer == "" || t.Subject == "" {
		return t, errors.New("a grant names an issuer and a subject of it")
	}
	hash := hashOfSubject(t.Issuer, t.Subject)
	t.ID = hash[:idChars]
	return t, save(ctx, s, hash, t)
}

// NoGrantError says that a subject may do nothing here.
type NoGrantError struct {
	Subject string
	State   string // of its grant, "" if there never was one
}

func (e *NoGrantError) Error() string {
	if e.State == "" {
		return fmt.Sprintf("The token is good, and its subject %.100q has no account here. Ask whoever runs this server for a grant (mcp-trade token grant).", e.Subject)
	}
	return fmt.Sprintf("The token is good, and the grant of its subject %.100q is %s. Ask whoever runs this server for another one.", e.Subject, e.State)
}

// FindGrant returns what is granted to a subject of an issuer. Without an active grant it is a *[NoGrantError].
func FindGrant(ctx context.Context, s store.Tokens, issuer, subject string, now time.Time) (Token, error) {
	t, state, err := kept(ctx, s, hashOfSubject(issuer, subject), now)
	switch {
	case err != nil:
		return Token{}, err
	case state != "" && (t.Issuer != issuer || t.Subject != subject):
		return Token{}, fmt.Errorf("what is kept of the grant %s is of another subject", t.ID)
	case state != Active:
		return Token{}, &NoGrantError{subject, state}
	}
	return t, nil
}
