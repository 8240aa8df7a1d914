// Package serve is how MCP calls arrive: it reads requests from a client, gives them to a handler, and writes the answers. Orders of
// one account keep the order in which they came. What a request means is the handler's.
package serve

import (
	"context"

	"github.com/rs/zerolog"

	"mcp-trade/internal/jsonrpc"
)

// Handler answers requests. It is safe for concurrent use.
type Handler interface {
	// Handle returns the answer to a request, nil if there is none. The context says on whose behalf the request is made.
	Handle(ctx context.Context, r *jsonrpc.Request) any
	// Lane names the lane on which an order waits for those before it, such as that of its account. Other requests wait for none.
	Lane(ctx context.Context, m *jsonrpc.Message) (name string, isOrder bool)
}

// Server serves a handler to any number of clients at the same time.
type Server struct {
	handler Handler
	lanes   lanes
	log     zerolog.Logger
}

// New returns a server of a handler.
func New(h Handler, log zerolog.Logger) *Server {
	return &Server{handler: h, lanes: lanes{room: maxOrders, open: map[string]*lane{}}, log: log}
}
