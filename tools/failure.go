// Failures: every error that a caller can correct, as a sentence, a code and what to do next.

package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"mcp-trade/code"
	"mcp-trade/internal/safetext"
	"mcp-trade/market"
	"mcp-trade/store"
)

// failure is the answer of a call that failed: the sentence, the code with its class, and details beside them.
type failure struct {
	code     code.Code
	sentence string
	details  map[string]any
}

func (f *failure) Error() string { return f.sentence }

// String is the sentence on one line: it may name what stands in a ledger.
func (f *failure) String() string { return safetext.Line(f.sentence) }

func (f *failure) Code() code.Code { return f.code }

func (f *failure) Details() map[string]any { return f.details }

// MarshalJSON writes the details beside the sentence and the code.
func (f *failure) MarshalJSON() ([]byte, error) {
	object := map[string]any{}
	maps.Copy(object, f.details)
	object["error"], object["code"], object["class"] = f.String(), f.code, f.code.Class()
	return json.Marshal(object)
}

// wrong is a call whose arguments are wrong.
func wrong(sentence string, details map[string]any) *failure {
	return &failure{code.InvalidArgument, sentence, details}
}

// failureOf turns an error into the answer of a call, that of an order or of a reading. It reports false for an error that no
// caller can mend.
func failureOf(err error, ofOrder bool) (*failure, bool) {
	var coded code.Error
	var damaged *market.DamagedError
	var changed *market.RefreshError
	var unreachable *store.UnreachableError
	switch {
	case errors.As(err, &damaged):
		// Which file is damaged, and how, is for the operator: the log tells.
		sentence := fmt.Sprintf("The prices of %s cannot be read. Trade another symbol; the operator finds the reason in the server's log.", damaged.Symbol)
		return &failure{damaged.Code(), sentence, damaged.Details()}, true
	case errors.As(err, &changed):
		// Which figure is another may be told to the operator alone: its day may be one that the caller does not know yet.
		return &failure{changed.Code(), pricesChanged, nil}, true
	case errors.As(err, &coded):
		f := &failure{coded.Code(), err.Error() + Advice(err), coded.Details()}
		switch {
		case f.code != code.LedgerUnreachable || !errors.As(err, &unreachable):
		case ofOrder:
			f.sentence += ". " + wayOut(unreachable)
		default:
			f.sentence += ". Try again; if it stays so, the operator has to mend it."
			f.details = map[string]any{"engine": unreachable.Engine}
		}
		if isOver(err) && !ofOrder {
			f.sentence = tookTooLong
		}
		return f, true
	case isOver(err) && ofOrder:
		return &failure{code.LedgerUnreachable, "It took too long. " + unknownWayOut, map[string]any{"executed": "unknown"}}, true
	case isOver(err):
		return &failure{code.LedgerUnreachable, tookTooLong, nil}, true
	}
	return nil, false
}

const pricesChanged = "The price files were changed, and cannot be used as they are. This call executed nothing. Try again; if it stays so, the operator finds the reason in the server's log."

const tookTooLong = "It took too long, or the server ends. Try again."

// isOver reports whether an error is that of a call whose time ran out or that was cancelled.
func isOver(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

const unknownWayOut = "It is unknown whether the order was executed: look at get_trades, or repeat it with the same order_id if it had one."

// wayOut says whether the order may have been executed, and what to do next.
func wayOut(e *store.UnreachableError) string {
	if e.Unknown {
		return unknownWayOut
	}
	return "The order was not executed; try again."
}
