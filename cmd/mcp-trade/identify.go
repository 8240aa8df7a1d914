// Whose a token is: one that was made here, or one of an issuer whose subject was granted something here.

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"mcp-trade/internal/oauth"
	"mcp-trade/serve"
	"mcp-trade/store"
	"mcp-trade/token"
	"mcp-trade/tools"
)

// identities are the tokens that were made here, and those of an issuer.
type identities struct {
	tokens store.Tokens
	issuer *oauth.Issuer // whose tokens are taken too, nil: of none
	now    func() time.Time
	log    zerolog.Logger
}

// challenge is what a client is told that lacks a token, or has one that does not do.
func (g *identities) challenge(status int, problem, scope, reason string) *serve.Denial {
	header := `Bearer realm="mcp-trade"`
	if g.issuer != nil {
		header += fmt.Sprintf(`, resource_metadata=%q`, g.issuer.MetadataURL())
	}
	if problem != "" {
		header += fmt.Sprintf(`, error=%q, error_description="%s"`, problem, described(reason))
	}
	if scope != "" {
		header += fmt.Sprintf(`, scope=%q`, scope)
	}
	return &serve.Denial{Status: status, Challenge: header, Reason: reason}
}

// described is a reason as the header may have it: without the quotes and signs that end a text there.
func described(reason string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '\''
		}
		return r
	}, reason)
}

// identify returns what is known of the token of a request. A token that is refused is a line in the log.
func (g *identities) identify(r *http.Request, secret string) (t token.Token, err error) {
	if g.issuer != nil && strings.Contains(secret, ".") { // one that was made here has no dot
		t, err = g.granted(r.Context(), secret)
	} else {
		t, err = token.Find(r.Context(), g.tokens, secret, g.now())
		var invalid *token.InvalidError
		if errors.As(err, &invalid) {
			err = g.challenge(http.StatusUnauthorized, "invalid_token", "", err.Error())
		}
	}
	var d *serve.Denial
	if errors.As(err, &d) {
		g.log.Warn().Str("address", r.RemoteAddr).Int("status", d.Status).Str("reason", d.Reason).Msg("token refused")
	}
	return t, err
}

// granted returns what is granted to the subject of a token of the issuer, as far as the token has the scopes for it.
func (g *identities) granted(ctx context.Context, secret string) (token.Token, error) {
	claims, err := g.issuer.Verify(ctx, secret)
	var invalid *oauth.InvalidError
	if errors.As(err, &invalid) {
		return token.Token{}, g.challenge(http.StatusUnauthorized, "invalid_token", "", err.Error())
	}
	if err != nil {
		return token.Token{}, err
	}
	t, err := token.FindGrant(ctx, g.tokens, g.issuer.URL(), claims.Subject, g.now())
	var none *token.NoGrantError
	if errors.As(err, &none) {
		return t, &serve.Denial{Status: http.StatusForbidden, Reason: err.Error()}
	}
	t.Scopes = slices.DeleteFunc(t.Scopes, func(scope string) bool { return !slices.Contains(claims.Scopes, scope) })
	return t, err
}

// publish has clients find where the tokens of the issuer come from.
func (g *identities) publish(h *serve.HTTP) {
	if g.issuer == nil {
		return
	}
	named, _ := url.Parse(g.issuer.MetadataURL()) // a proxy may have another path than ours
	for _, path := range []string{oauth.MetadataPath, oauth.MetadataPath + serve.MCPPath, named.Path} {
		h.Publish(path, g.issuer.Metadata(tools.Scopes))
	}
}
