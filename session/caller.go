// On whose behalf a call is made.

package session

import (
	"context"
	"errors"
	"fmt"

	"mcp-trade/code"
)

// Caller is on whose behalf a call is made: whose session it is, and which account it may use. The transport puts it into the
// context of the call. Nothing in a message does.
type Caller struct {
	Session *Resolver
	Account string // the only one that the session may name; "" for any
}

type callerKey struct{}

// WithCaller returns a context of calls that are made on behalf of c.
func WithCaller(ctx context.Context, c *Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns the caller of a context. Without one it is an error: nobody's session and account can be told.
func CallerOf(ctx context.Context) (*Caller, error) {
	if c, ok := ctx.Value(callerKey{}).(*Caller); ok {
		return c, nil
	}
	return nil, errors.New("the call has no caller")
}

// Lane names the lane on which the caller's orders keep the order in which they came.
func (c *Caller) Lane() string {
	if c.Account != "" {
		return "account " + c.Account
	}
	return "session " + c.Session.Model
}

// Read is that of the caller's [Resolver]. A session that names another account than the caller's is an *[AccountError].
func (c *Caller) Read(ctx context.Context) (Session, error) {
	s, err := c.Session.Read(ctx)
	return s, c.check(s, err)
}

// Cached is that of the caller's [Resolver], and checks the account as Read does.
func (c *Caller) Cached(ctx context.Context) (s Session, fresh bool, err error) {
	s, fresh, err = c.Session.Cached(ctx)
	return s, fresh, c.check(s, err)
}

func (c *Caller) check(s Session, err error) error {
	if err == nil && c.Account != "" && s.Signature != c.Account {
		return &AccountError{Account: c.Account, Model: s.Model}
	}
	return err
}

// AccountError says that a session names another account than the one that its caller may use.
type AccountError struct {
	Account string // the caller's
	Model   string // whose session it is
}

func (e *AccountError) Error() string {
	return fmt.Sprintf("The session %q names another account than %s, the only one that this caller may use. Nothing was done.", e.Model, e.Account)
}

func (e *AccountError) Code() code.Code { return code.SessionUnreachable }

func (e *AccountError) Details() map[string]any { return map[string]any{"signature": e.Account} }
