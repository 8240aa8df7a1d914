// Failures: every error that a caller can mend, as a sentence, a code and the way out.

package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/search"
	"mcp-trade/session"
	"mcp-trade/store"
)

// The codes of failures beside those of [ledger.Refusal].
const (
	sessionMissing     ledger.Code = "session_missing"
	sessionUnreachable ledger.Code = "session_unreachable"
	ledgerUnreachable  ledger.Code = "ledger_unreachable"
	unknownSymbol      ledger.Code = "unknown_symbol"
	noPrice            ledger.Code = "no_price"
	notYet             ledger.Code = "not_yet"
	halted             ledger.Code = "halted"
	searchUnconfigured ledger.Code = "search_unconfigured"
	searchFailed       ledger.Code = "search_failed"
)

// failure is the answer of a call that failed: the error, the code, and details beside them.
type failure struct {
	Error   string
	Code    ledger.Code
	Details map[string]any
}

// MarshalJSON writes the details beside the error and the code.
func (f failure) MarshalJSON() ([]byte, error) {
	object := map[string]any{}
	maps.Copy(object, f.Details)
	object["error"], object["code"] = f.Error, f.Code
	return json.Marshal(object)
}

// sessionError marks an error as one of reading the session.
type sessionError struct{ error }

func (e sessionError) Unwrap() error { return e.error }

// haltedError says that trading is halted.
type haltedError struct{ model string }

func (e haltedError) Error() string {
	return fmt.Sprintf("Trading is halted: HALT is set for the session %q or for all. No order is executed until it is cleared with: mcp-trade session clear HALT", e.model)
}

// noPricesError says that the server was given no price files.
type noPricesError struct{}

func (noPricesError) Error() string {
	return "The server has no prices. Start it with --prices FILE, or set MCP_TRADE_PRICES, or put a *merged*.jsonl into its data dir."
}

// failureOf turns an error into the answer of a call. It reports false for an error that no caller can mend.
func failureOf(err error) (failure, bool) {
	var (
		argument    *argumentError
		refusal     *ledger.Refusal
		unknown     *market.UnknownSymbolError
		missingBar  *market.NoPriceError
		future      *market.NotYetError
		damaged     *market.DamagedError
		missing     *session.MissingError
		invalid     *session.InvalidError
		other       *session.OtherError
		name        *store.NameError
		unreachable *store.UnreachableError
		ofSession   sessionError
		stop        haltedError
		empty       noPricesError
		query       *search.QueryError
		noProvider  *search.UnconfiguredError
		failed      *search.FailedError
		notRecorded *search.NotRecordedError
	)
	says := func(code ledger.Code, details map[string]any) (failure, bool) {
		return failure{err.Error(), code, details}, true
	}
	switch {
	case errors.As(err, &argument):
		return says(ledger.InvalidArgument, argument.details)
	case errors.As(err, &refusal):
		return says(refusal.Code, refusal.Details)
	case errors.As(err, &unknown):
		return says(unknownSymbol, map[string]any{"symbol": unknown.Symbol, "did_you_mean": unknown.DidYouMean})
	case errors.As(err, &missingBar):
		return says(noPrice, map[string]any{"symbol": missingBar.Symbol, "date": missingBar.At, "nearest_date": missingBar.Nearest})
	case errors.As(err, &future):
		return says(notYet, map[string]any{"date": future.At, "today_date": future.AsOf})
	case errors.As(err, &damaged):
		// Which file is damaged, and how, is for the operator: the log tells.
		return failure{fmt.Sprintf("The prices of %s cannot be read. Trade another symbol; the operator finds the reason in the server's log.", damaged.Symbol), noPrice, map[string]any{"symbol": damaged.Symbol}}, true
	case errors.As(err, &missing):
		return says(sessionMissing, map[string]any{"missing": missing.Name, "model_id": missing.Model})
	case errors.As(err, &invalid):
		return says(ledger.InvalidArgument, map[string]any{"value": invalid.Name, "source": invalid.Source})
	case errors.As(err, &other):
		return says(sessionUnreachable, map[string]any{"signature": other.Found.Signature, "today_date": other.Found.Today})
	case errors.As(err, &name):
		return says(ledger.InvalidArgument, nil)
	case errors.As(err, &query):
		return says(ledger.InvalidArgument, map[string]any{"argument": "query"})
	case errors.As(err, &noProvider):
		return says(searchUnconfigured, nil)
	case errors.As(err, &failed), errors.As(err, &notRecorded):
		return says(searchFailed, nil)
	case errors.As(err, &empty):
		return says(noPrice, nil)
	case errors.As(err, &stop):
		return says(halted, map[string]any{"model_id": stop.model})
	case errors.As(err, &unreachable) && errors.As(err, &ofSession):
		return says(sessionUnreachable, map[string]any{"engine": unreachable.Engine})
	case errors.As(err, &unreachable):
		return ledgerFailure(unreachable), true
	case errors.Is(err, store.ErrSessionChanged):
		return says(sessionUnreachable, nil)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return says(ledgerUnreachable, nil)
	}
	return failure{}, false
}

// ledgerFailure tells whether the order may have been executed all the same.
func ledgerFailure(e *store.UnreachableError) failure {
	f := failure{e.Error() + ". The order was not executed; try again.", ledgerUnreachable, map[string]any{"engine": e.Engine, "executed": "no"}}
	if e.Unknown {
		f.Error = e.Error() + ". It is unknown whether the order was executed: look at get_trades, or repeat it with the same order_id if it had one."
		f.Details["executed"] = "unknown"
	}
	return f
}
