// How a search fails.

package search

import (
	"fmt"
	"strings"

	"mcp-trade/code"
)

// ProviderError is a failure of a provider. UserMessage is for everybody: it holds no key, no address and no part of an answer.
type ProviderError struct {
	UserMessage string
	Err         error // the reason, for the operator's log; nil if there is no more to say
}

func (t *ProviderError) Error() string {
	if t.Err == nil {
		return t.UserMessage
	}
	return fmt.Sprintf("%s: %v", t.UserMessage, t.Err)
}

func (t *ProviderError) Unwrap() error { return t.Err }

// NotConfiguredError says that a provider is not set up, and what it lacks.
type NotConfiguredError struct{ Provider, Lacks string }

func (e *NotConfiguredError) Error() string { return "not set up: it has no " + e.Lacks }

// NoProviderError says that no provider is set up. Hints say how to set one up; without any, search is off.
type NoProviderError struct{ Hints []string }

func (e *NoProviderError) Error() string {
	if len(e.Hints) == 0 {
		return "Search is off."
	}
	return "No source of news is set up. To have one: " + strings.Join(e.Hints, "; or ") + "."
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
	return fmt.Sprintf("The answer to %.100q as of %s was not recorded, and a replay asks nobody.", e.Query, e.Stamp)
}

// The codes.

func (e *QueryError) Code() code.Code       { return code.InvalidArgument }
func (e *NoProviderError) Code() code.Code  { return code.SearchUnconfigured }
func (e *FailedError) Code() code.Code      { return code.SearchFailed }
func (e *NotRecordedError) Code() code.Code { return code.SearchFailed }

func (e *QueryError) Details() map[string]any       { return map[string]any{"argument": "query"} }
func (e *NoProviderError) Details() map[string]any  { return nil }
func (e *FailedError) Details() map[string]any      { return nil }
func (e *NotRecordedError) Details() map[string]any { return nil }
