// What the tools work with.

package tools

import (
	"cmp"

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
	Market   market.ID        // of the accounts that are served; "": [market.Default]
	Log      zerolog.Logger
}

// rules are the default rules of the market that is served. An account has its own, in its ledger.
func (d *Deps) rules() ledger.Rules {
	return ledger.RulesOf(cmp.Or(d.Market, market.Default).Get())
}
