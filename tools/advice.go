// Advice: what to do about an error, in the words of the command line, which the rooms below do not know.

package tools

import (
	"errors"
	"fmt"

	"mcp-trade/code"
	"mcp-trade/ledger"
	"mcp-trade/search"
	"mcp-trade/session"
	"mcp-trade/store"
)

// Advice returns what an operator can do about an error, to stand behind its sentence; "" if there is nothing to say.
func Advice(err error) string {
	var missing *session.MissingError
	var undecided *session.UndecidedError
	var required *session.RequiredError
	var refusal *ledger.Refusal
	var noNews *search.NoProviderError
	var notRecorded *search.NotRecordedError
	var damaged *store.DamagedError
	switch {
	case errors.As(err, &missing):
		return fmt.Sprintf(" Set it with: mcp-trade session set %s=VALUE --model-id %s", missing.Name, missing.Model)
	case errors.As(err, &undecided):
		return ". Set it again with: mcp-trade session set SIGNATURE=... TODAY_DATE=... --model-id " + undecided.Model
	case errors.As(err, &required):
		return " (--on-redis-loss refuse)"
	case errors.As(err, &refusal) && refusal.Code() == code.NotRegistered:
		return fmt.Sprintf(" Open it with: mcp-trade ledger register %s --cash 10000 --date YYYY-MM-DD", refusal.Details()["signature"])
	case errors.As(err, &noNews) && len(noNews.Hints) == 0:
		return " Start the server with --search auto, or set MCP_TRADE_SEARCH=auto."
	case errors.As(err, &notRecorded):
		return " Record it with --search-cache record."
	case errors.As(err, &damaged) && damaged.Repairable && damaged.Account == "":
		return "; 'mcp-trade ledger repair' shows it and mends it"
	case errors.As(err, &damaged) && damaged.Repairable:
		return fmt.Sprintf("; 'mcp-trade ledger repair %s --write' lets the account go on after the newest line there is", damaged.Account)
	case errors.As(err, &damaged):
		return fmt.Sprintf("; 'mcp-trade ledger verify %s' tells more", damaged.Account)
	}
	return ""
}
