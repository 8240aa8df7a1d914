// Servers of the same tools for callers who may use some of them.

package tools

import (
	"context"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/internal/jsonrpc"
	"mcp-trade/internal/lru"
)

// Grant is what a caller may do. The zero value grants nothing.
type Grant struct {
	Scopes   []string
	Toolsets []string // nil: those of the server
	Tools    []string // nil: all of the toolsets
}

// Everything grants what the server offers.
func Everything() Grant { return Grant{Scopes: Scopes} }

// Narrowed is a grant without what is not in another one.
func (g Grant) Narrowed(by Grant) Grant {
	both := func(a, b []string) []string {
		return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return !slices.Contains(b, s) })
	}
	either := func(a, b []string) []string {
		switch {
		case a == nil:
			return b
		case b == nil:
			return a
		}
		return both(a, b)
	}
	return Grant{Scopes: both(g.Scopes, by.Scopes), Toolsets: either(g.Toolsets, by.Toolsets), Tools: either(g.Tools, by.Tools)}
}

// Only returns a context whose grant has none but some tools.
func Only(ctx context.Context, names []string) context.Context {
	return WithGrant(ctx, grantOf(ctx).Narrowed(Grant{Scopes: Scopes, Tools: names}))
}

type grantKey struct{}

// WithGrant returns a context of calls by a caller who may do what is granted.
func WithGrant(ctx context.Context, g Grant) context.Context {
	return context.WithValue(ctx, grantKey{}, g)
}

// grantOf is the grant of a context: without one, nothing.
func grantOf(ctx context.Context) Grant {
	g, _ := ctx.Value(grantKey{}).(Grant)
	return g
}

// Servers answers each caller as a server of the tools that its grant has.
type Servers struct {
	deps  *Deps
	all   Options
	whole *Server
	needs map[string]string   // the scope of each tool
	made  *lru.Cache[*Server] // by grant
}

// keptServers bounds how many servers are kept: callers choose among the subsets of their toolsets.
const keptServers = 64

// NewServers returns servers that offer at most what the options say. It fails as [NewServer] does.
func NewServers(d *Deps, o Options) (*Servers, error) {
	whole, err := NewServer(d, o)
	if err != nil {
		return nil, err
	}
	s := &Servers{deps: d, all: o, whole: whole, needs: map[string]string{}, made: lru.New[*Server](keptServers, nil)}
	offered, err := offer(d, o)
	for _, t := range offered {
		s.needs[t.name] = t.scope()
	}
	return s, err
}

// of is the server of a caller.
func (s *Servers) of(ctx context.Context) *Server {
	g := Grant{Scopes: Scopes, Toolsets: s.all.Toolsets}.Narrowed(grantOf(ctx))
	if len(g.Scopes) == len(Scopes) && len(g.Toolsets) == len(s.all.Toolsets) && g.Tools == nil {
		return s.whole
	}
	key := strings.Join(g.Scopes, ",") + ";" + strings.Join(g.Toolsets, ",") + ";" + strings.Join(g.Tools, ",")
	if made, ok := s.made.Get(key); ok {
		return made
	}
	o := s.all
	o.Scopes, o.Toolsets, o.Tools = g.Scopes, g.Toolsets, g.Tools
	made, err := NewServer(s.deps, o)
	if err != nil {
		panic(err) // the options are a part of some that were good
	}
	s.made.Put(key, made)
	return made
}

// Handle answers a request as [Server.Handle] does. The context must hold the [Grant] of the caller too.
func (s *Servers) Handle(ctx context.Context, r *jsonrpc.Request) any {
	return s.of(ctx).Handle(ctx, r)
}

// Lane is that of [Server.Lane].
func (s *Servers) Lane(ctx context.Context, m *jsonrpc.Message) (name string, isOrder bool) {
	return s.of(ctx).Lane(ctx, m)
}

// Lacks returns the scope that a request needs and its caller was not granted, "" if there is none.
func (s *Servers) Lacks(ctx context.Context, m *jsonrpc.Message) string {
	need := ""
	switch mcp.MCPMethod(m.Method) {
	case mcp.MethodToolsCall:
		need = s.needs[m.Name]
	case mcp.MethodResourcesRead, mcp.MethodPromptsGet, mcp.MethodCompletionComplete:
		need = ReadScope
	}
	if need == "" || slices.Contains(grantOf(ctx).Scopes, need) {
		return ""
	}
	return need
}
