// What a rule of a market sees.

package ledger

import (
	"fmt"

	"mcp-trade/code"
	"mcp-trade/market"
)

// Attempt is an order on its way into a book, as a rule sees it.
type Attempt struct {
	Order Order        // in the spelling of the price files
	Book  Book         // before it
	Quote market.Quote // where it would fill; of a rule that is asked before the price is known, only the symbol, the market and the stamp
	Rules Rules        // those of the account
}

// notReached is the refusal of a limit order to fill at a price beyond its limit.
func (a Attempt) notReached() error {
	return &Refusal{
		code.InvalidArgument, fmt.Sprintf("%s trades at %s, which the limit price %s does not allow.", a.Order.Symbol, a.Quote.Price, a.Order.Limit),
		map[string]any{"symbol": a.Order.Symbol, "price": a.Quote.Price, "limit_price": a.Order.Limit},
	}
}
