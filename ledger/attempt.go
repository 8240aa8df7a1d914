// What a rule of a market sees.

package ledger

import "mcp-trade/market"

// Attempt is an order on its way into a book, as a rule sees it.
type Attempt struct {
	Order Order        // in the spelling of the price files
	Book  Book         // before it
	Quote market.Quote // where it would fill; of a rule that is asked before the price is known, only the symbol, the market and the stamp
	Rules Rules        // those of the account
}
