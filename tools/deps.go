// What the tools work with.

package tools

import (
	"github.com/rs/zerolog"

	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/search"
)

// Deps is what the tools work with. Whose session and account they serve is said by the context of each call: see
// [session.Caller].
type Deps struct {
	Accounts *ledger.Accounts
	Prices   *market.Prices   // nil: the server was given none
	Search   *search.Searcher // nil: search is off
	Ledger   string           // the engine that keeps the ledgers: "file" or "redis"
	Rules    ledger.Rules     // for which the tools are described; the zero value: [ledger.DefaultRules]
	Log      zerolog.Logger
}

// rules are those that are served. An account has its own, in its ledger.
func (d *Deps) rules() ledger.Rules {
	if d.Rules.Market == nil {
		return ledger.DefaultRules()
	}
	return d.Rules
}
