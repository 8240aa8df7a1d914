// Who may ask what, over a network.

package serve

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"mcp-trade/internal/jsonrpc"
)

// Gate decides who may ask what.
type Gate interface {
	// Admit says on whose behalf a request is made, by its head alone: the handler finds that in ctx. done is called when the request
	// is answered. The error is a *[Denial], or why that cannot be told now.
	Admit(r *http.Request) (ctx context.Context, done func(), err error)
	// Allow returns a *[Denial] if the caller of ctx may not ask for m.
	Allow(ctx context.Context, m *jsonrpc.Message) error
}

// Denial is a request that is refused before the handler sees it.
type Denial struct {
	Status     int
	Challenge  string         // the header WWW-Authenticate, "" without one
	Reason     string         // a sentence
	RetryAfter time.Duration  // with the status 429 or 503, 0: a second
	Data       map[string]any // what programs may read of it, nil: nothing
	code       int            // of JSON-RPC, 0: [mcp.INVALID_REQUEST]
}

// retryAfter is the header Retry-After: whole seconds, after which the request would be taken.
func (d *Denial) retryAfter() string {
	return strconv.FormatInt(max(1, int64((d.RetryAfter+time.Second-1)/time.Second)), 10)
}

func (d *Denial) Error() string { return d.Reason }

func deny(status int, format string, args ...any) *Denial {
	return &Denial{Status: status, Reason: fmt.Sprintf(format, args...)}
}
