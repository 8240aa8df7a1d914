// How a search fails.

package search

import (
	"fmt"
	"strings"

	"mcp-trade/code"
)

// Trouble is a provider's failure. What it says may be read by anybody: no key, no address, no part of an answer.
type Trouble struct {
	Says string
	Err  error // the reason, for the operator's log; nil if there is no more to say
}

func (t *Trouble) Error() string {
	if t.Err == nil {
		return t.Says
	}
	return fmt.Sprintf("%s: %v", t.Says, t.Err)
}

func (t *Trouble) Unwrap() error { return t.Err }

// AbsentError says that a provider is not set up, and how it is.
type AbsentError struct{ Way string }

func (e *AbsentError) Error() string { return "not set up: " + e.Way }

// UnconfiguredError says that no provider is set up.
type UnconfiguredError struct{ Ways []string }

func (e *UnconfiguredError) Error() string {
	if len(e.Ways) == 0 {
		return "Search is off. Start the server with --search auto, or set MCP_TRADE_SEARCH=auto."
	}
	return "No source of news is set up. To have one: " + strings.Join(e.Ways, "; or ") + "."
}

// FailedError says that no provider could serve.
type FailedError struct {
	Causes []string // in the order in which the providers were asked
}

func (e *FailedError) Error() string {
	return "The search failed: " + strings.Join(e.Causes, "; ") + ". Try again later, or go on without it."
}

// QueryError says that a query cannot be asked.
type QueryError struct{ Problem string }

func (e *QueryError) Error() string { return e.Problem }

// NotRecordedError says that a replay has no answer to a query.
type NotRecordedError struct{ Query, Stamp string }

func (e *NotRecordedError) Error() string {
	return fmt.Sprintf("The answer to %.100q as of %s was not recorded, and a replay asks nobody. Record it with --search-cache record.", e.Query, e.Stamp)
}

// The codes.

func (e *QueryError) Code() code.Code        { return code.InvalidArgument }
func (e *UnconfiguredError) Code() code.Code { return code.SearchUnconfigured }
func (e *FailedError) Code() code.Code       { return code.SearchFailed }
func (e *NotRecordedError) Code() code.Code  { return code.SearchFailed }

func (e *QueryError) Details() map[string]any        { return map[string]any{"argument": "query"} }
func (e *UnconfiguredError) Details() map[string]any { return nil }
func (e *FailedError) Details() map[string]any       { return nil }
func (e *NotRecordedError) Details() map[string]any  { return nil }
