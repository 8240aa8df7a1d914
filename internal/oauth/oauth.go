// Package oauth tells what an access token says that an authorization server of OAuth 2.1 issued for this server: a JWT, signed by
// a key that the issuer publishes.
package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"mcp-trade/internal/lru"
)

// Issuer is an authorization server whose tokens are taken. It is safe for concurrent use.
type Issuer struct {
	url, audience string
	now           func() time.Time
	keys          *keys
	good          *lru.Cache[good] // by the hash of a token
}

// good is a token that was verified. It saves a client's next call the signature, which takes longer than the call.
type good struct {
	claims  Claims
	expires time.Time
	edition int // of the keys
}

// keptTokens bounds how many are kept.
const keptTokens = 4096

// New returns the issuer of an address, whose tokens are for an audience: the address of this server. It asks nobody yet.
func New(issuer, audience string, now func() time.Time) (*Issuer, error) {
	if err := CheckAddress(issuer); err != nil {
		return nil, fmt.Errorf("the issuer %w", err)
	}
	if err := CheckAddress(audience); err != nil {
		return nil, fmt.Errorf("the audience %w", err)
	}
	return &Issuer{issuer, audience, now, newKeys(issuer, now), lru.New[good](keptTokens, nil)}, nil
}

// URL is the address of the issuer, as its tokens name it.
func (i *Issuer) URL() string { return i.url }

// Audience is the address of this server, as tokens for it name it.
func (i *Issuer) Audience() string { return i.audience }

// Reach fetches the keys of the issuer, and returns why they cannot be had.
func (i *Issuer) Reach(ctx context.Context) error { return i.keys.refresh(ctx) }

// Claims are what a token says of its bearer.
type Claims struct {
	Subject string
	Scopes  []string
}

// InvalidError says why a text is no token for this server.
type InvalidError struct{ Reason string } // a sentence

func (e *InvalidError) Error() string { return e.Reason }

func invalid(format string, args ...any) error { return &InvalidError{fmt.Sprintf(format, args...)} }

// algorithms are those that need no secret to verify.
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
	}
}

// Verify returns what a token says, if the issuer signed it for this server and it lives. Text that is none is an *[InvalidError].
// Any other error is why that cannot be told now.
func (i *Issuer) Verify(ctx context.Context, text string) (Claims, error) {
	sum := sha256.Sum256([]byte(text))
	hash := string(sum[:])
	_, edition := i.keys.current()
	if g, ok := i.good.Get(hash); ok && g.edition == edition && !g.expires.Before(i.now()) {
		return g.claims, nil
	}
	token, err := i.verify(ctx, text)
	if err != nil {
		return Claims{}, err
	}
	claims, err := claimsOf(token)
	if err == nil {
		i.good.Put(hash, good{claims, token.Expiry, edition})
	}
	return claims, err
}

// verify returns the token of a text, whose signature, issuer, audience and times are good.
func (i *Issuer) verify(ctx context.Context, text string) (*oidc.IDToken, error) {
	jws, err := jose.ParseSignedCompact(text, algorithms())
	if err != nil {
		return nil, invalid("The token is no JWT with a signature that needs no shared secret, such as RS256 or ES256.")
	}
	header := jws.Signatures[0].Header
	// The type of other JWTs of an issuer, such as that of a logout. Providers that name no type, or just a JWT, are many.
	kind, _ := header.ExtraHeaders[jose.HeaderType].(string)
	if _, named := header.ExtraHeaders[jose.HeaderType]; named && !slices.Contains([]string{"at+jwt", "application/at+jwt", "jwt"}, strings.ToLower(kind)) {
		return nil, invalid("The token has the type %.40q, and is no access token (at+jwt).", kind)
	}
	payload, err := i.keys.verify(ctx, jws)
	if errors.Is(err, errNoKey) {
		return nil, invalid("No key of %s signed the token.", i.url)
	}
	if err != nil {
		return nil, err
	}
	config := &oidc.Config{ClientID: i.audience, Now: i.now}
	for _, a := range algorithms() {
		config.SupportedSigningAlgs = append(config.SupportedSigningAlgs, string(a))
	}
	token, err := oidc.NewVerifier(i.url, verified(payload), config).Verify(ctx, text)
	var expired *oidc.TokenExpiredError
	switch {
	case errors.As(err, &expired):
		return nil, invalid("The token is expired. Get a new one from %s.", i.url)
	case err != nil:
		return nil, invalid("The token is not for this server: %.300s.", strings.TrimPrefix(err.Error(), "oidc: "))
	}
	return token, nil
}

// verified is the payload of a token whose signature is good.
type verified []byte

// VerifySignature implements [oidc.KeySet].
func (v verified) VerifySignature(context.Context, string) ([]byte, error) { return v, nil }

func claimsOf(token *oidc.IDToken) (Claims, error) {
	var c struct {
		Scope scopes          `json:"scope"`
		Scp   scopes          `json:"scp"` // what some providers call it
		Bound json.RawMessage `json:"cnf"`
	}
	switch err := token.Claims(&c); {
	case err != nil:
		return Claims{}, invalid("The claims of the token cannot be read: its scope must be a text.")
	case token.Subject == "":
		return Claims{}, invalid("The token names no subject.")
	case c.Bound != nil:
		return Claims{}, invalid("The token is bound to a key of its client (cnf), and cannot be used as a bearer's.")
	}
	return Claims{token.Subject, append(c.Scope, c.Scp...)}, nil
}

// scopes are a text with spaces between them, or a list.
type scopes []string

// UnmarshalJSON implements [json.Unmarshaler].
func (s *scopes) UnmarshalJSON(text []byte) error {
	var list []string
	if err := json.Unmarshal(text, &list); err == nil {
		*s = list
		return nil
	}
	var words string
	err := json.Unmarshal(text, &words)
	*s = strings.Fields(words)
	return err
}

// Metadata is what the server publishes of itself (RFC 9728), at [MetadataPath] and the same with the path of the resource.
type Metadata struct {
	Resource string   `json:"resource"`
	Issuers  []string `json:"authorization_servers"`
	Scopes   []string `json:"scopes_supported"`
	Methods  []string `json:"bearer_methods_supported"`
	Name     string   `json:"resource_name"`
}

// MetadataPath is where the metadata of a protected resource is.
const MetadataPath = "/.well-known/oauth-protected-resource"

// Metadata is that of the server for which the tokens are.
func (i *Issuer) Metadata(scopes []string) Metadata {
	return Metadata{i.audience, []string{i.url}, scopes, []string{"header"}, "mcp-trade"}
}

// MetadataURL is where clients find it.
func (i *Issuer) MetadataURL() string {
	u, _ := url.Parse(i.audience) // it was good
	return u.Scheme + "://" + u.Host + MetadataPath + strings.TrimSuffix(u.EscapedPath(), "/")
}
