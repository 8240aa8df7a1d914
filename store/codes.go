// The codes of a store's errors.

package store

import "mcp-trade/code"

// Code says that a ledger is meant: whoever reads a session says so of it.
func (e *UnreachableError) Code() code.Code { return code.LedgerUnreachable }

// Details tell whether an order that was sent may have been executed: "no" or "unknown".
func (e *UnreachableError) Details() map[string]any {
	executed := "no"
	if e.Unknown {
		executed = "unknown"
	}
	return map[string]any{"engine": e.Engine, "executed": executed}
}

func (e *NameError) Code() code.Code         { return code.InvalidArgument }
func (e *NameError) Details() map[string]any { return nil }

func (e *UnprovedError) Code() code.Code         { return code.SessionUnreachable }
func (e *UnprovedError) Details() map[string]any { return nil }

// sessionChanged is [ErrSessionChanged].
type sessionChanged struct{}

func (sessionChanged) Error() string           { return "the session changed before the commit" }
func (sessionChanged) Code() code.Code         { return code.SessionUnreachable }
func (sessionChanged) Details() map[string]any { return nil }
