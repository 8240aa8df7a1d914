// The session that a caller means.

package session

import (
	"context"
	"fmt"

	"mcp-trade/code"
	"mcp-trade/market"
)

// MetaKey is the key in the _meta of an MCP call under which a client says which session the call is meant for, as the JSON
// of a [Meant]. In any other session the call is refused.
const MetaKey = "mcp-trade/session"

// Meant is the session that a caller means.
type Meant struct {
	Signature string       `json:"signature"`
	Today     market.Stamp `json:"today_date"`
}

// OtherError says that the session is not the one that the caller means.
type OtherError struct {
	Meant Meant
	Found Session
}

func (e *OtherError) Error() string {
	return fmt.Sprintf("The session is %s on %s (SIGNATURE from: %s, TODAY_DATE from: %s), and the call is meant for %.64s on %.64s. Nothing was done.",
		e.Found.Signature, e.Found.Today, e.Found.Sources[Signature], e.Found.Sources[TodayDate], e.Meant.Signature, e.Meant.Today)
}

func (e *OtherError) Code() code.Code { return code.SessionUnreachable }

func (e *OtherError) Details() map[string]any {
	return map[string]any{"signature": e.Found.Signature, "today_date": e.Found.Today}
}

type meantKey struct{}

// WithMeant makes every reading of a session under the context fail with an *[OtherError], except that of the session m.
func WithMeant(ctx context.Context, m Meant) context.Context {
	return context.WithValue(ctx, meantKey{}, m)
}

// checkMeant compares a session with the one that the caller means, if the caller names one.
func checkMeant(ctx context.Context, s Session) error {
	if m, ok := ctx.Value(meantKey{}).(Meant); ok && (m.Signature != s.Signature || m.Today != s.Today) {
		return &OtherError{m, s}
	}
	return nil
}
