// Who calls over HTTP: the token of a request says whose account and session it is about, and what it may do.

package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"mcp-trade/audit"
	"mcp-trade/internal/jsonrpc"
	"mcp-trade/internal/lru"
	"mcp-trade/serve"
	"mcp-trade/session"
	"mcp-trade/store"
	"mcp-trade/token"
	"mcp-trade/tools"
)

// Headers by which a request asks for less than its token grants.
const (
	toolsetsHeader = "X-MCP-Toolsets"
	readOnlyHeader = "X-MCP-Readonly"
)

// keptCallers bounds how many sessions are kept of those that nobody uses at the moment.
const keptCallers = 4096

// gate implements [serve.Gate] with the tokens of a store.
type gate struct {
	identities
	servers *tools.Servers
	own     *session.Caller // of requests without a token
	needed  atomic.Bool     // each request needs a token; it never turns false again
	callers *lru.Cache[opened]
	open    func(model string) (*session.Resolver, error)
	rates   *rates
}

// opened is the session of a model, or why there is none.
type opened struct {
	session *session.Resolver
	err     error
}

func newGate(t store.Tokens, s *tools.Servers, own *session.Resolver, open func(model string) (*session.Resolver, error), log zerolog.Logger) *gate {
	g := &gate{identities: identities{tokens: t, now: time.Now, log: log}, servers: s, own: &session.Caller{Session: own}, callers: lru.New[opened](keptCallers, nil), open: open}
	g.rates = newRates(func() time.Time { return g.now() })
	return g
}

// Admit implements [serve.Gate].
func (g *gate) Admit(r *http.Request) (ctx context.Context, done func(), err error) {
	narrowed, err := narrowedBy(r.Header)
	if err != nil {
		return nil, nil, err
	}
	authorization := r.Header.Get("Authorization")
	if authorization == "" {
		if err := g.openToAll(r.Context()); err != nil {
			return nil, nil, err
		}
		ctx := tools.WithGrant(session.WithCaller(r.Context(), g.own), tools.Everything().Narrowed(narrowed))
		ctx = audit.WithCaller(ctx, audit.Caller{Remote: r.RemoteAddr})
		return ctx, func() {}, nil
	}
	scheme, secret, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return nil, nil, g.challenge(http.StatusUnauthorized, "", "", "The header Authorization must be: Bearer TOKEN.")
	}
	t, err := g.rates.lookUp(r.RemoteAddr, secret, func() (token.Token, error) { return g.identify(r, secret) })
	if err != nil {
		return nil, nil, err
	}
	ctx, err = (&metered{rates: g.rates, allowed: g.rates.of(t), token: t}).admit(r.Context())
	if err != nil {
		return nil, nil, err
	}
	model := g.callers.Use(t.Model, func() opened {
		s, err := g.open(t.Model)
		return opened{s, err}
	})
	if err := model.Value.err; err != nil {
		model.Done()
		return nil, nil, err
	}
	grant := tools.Grant{Scopes: t.Scopes, Toolsets: t.Toolsets}.Narrowed(narrowed)
	ctx = session.WithCaller(ctx, &session.Caller{Session: model.Value.session, Account: t.Account})
	ctx = audit.WithCaller(ctx, audit.Caller{Token: t.ID, Account: t.Account, Model: t.Model, Remote: r.RemoteAddr})
	return tools.WithGrant(ctx, grant), model.Done, nil
}

// openToAll is nil as long as no token was made.
func (g *gate) openToAll(ctx context.Context) error {
	if !g.needed.Load() {
		any, err := g.tokens.AnyToken(ctx)
		if err != nil {
			return err
		}
		if !any {
			return nil
		}
		g.needed.Store(true)
	}
	return g.challenge(http.StatusUnauthorized, "", "", "The call needs a token, in the header Authorization: Bearer TOKEN. Ask whoever runs this server for one.")
}

// narrowedBy is what the headers of a request leave of a grant.
func narrowedBy(head http.Header) (tools.Grant, error) {
	g := tools.Everything()
	switch text := head.Get(readOnlyHeader); strings.ToLower(text) {
	case "", "false":
	case "true":
		g.Scopes = []string{tools.ReadScope, tools.SearchScope}
	default:
		return g, &serve.Denial{Status: http.StatusBadRequest, Reason: "The header " + readOnlyHeader + " must be true or false."}
	}
	if _, said := head[http.CanonicalHeaderKey(toolsetsHeader)]; said {
		g.Toolsets = []string{}
		for name := range strings.SplitSeq(strings.Join(head.Values(toolsetsHeader), ","), ",") {
			if name = strings.TrimSpace(name); name != "" {
				g.Toolsets = append(g.Toolsets, name)
			}
		}
		if err := tools.CheckToolsets(g.Toolsets); err != nil {
			return g, &serve.Denial{Status: http.StatusBadRequest, Reason: fmt.Sprintf("The header %s: %s.", toolsetsHeader, jsonrpc.Cut(err.Error()))}
		}
	}
	return g, nil
}

// Allow implements [serve.Gate].
func (g *gate) Allow(ctx context.Context, m *jsonrpc.Message) error {
	_, isOrder := g.servers.Lane(ctx, m)
	if err := allowMessage(ctx, isOrder); err != nil {
		return err
	}
	scope := g.servers.Lacks(ctx, m)
	if scope == "" {
		return nil
	}
	return g.challenge(http.StatusForbidden, "insufficient_scope", scope, fmt.Sprintf("This needs the scope %s, which the token does not grant, or the request gave up.", scope))
}
