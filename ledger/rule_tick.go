// Prices of orders in the ticks of the exchange.

package ledger

import (
	"fmt"
	"strings"

	"mcp-trade/code"
	"mcp-trade/decimal"
)

// onTick refuses a limit or a stop price that is no multiple of the symbol's tick. See market/us.go, market/cn.go and market/crypto.go for
// the ticks, their dates and sources. A fill may be off it: opens are as the price files have them, and slippage moves them.
func onTick(a Attempt) error {
	own := a.Order.expected(decimal.Zero)
	if !own.IsPositive() {
		return nil // a market order
	}
	nearest := a.Rules.Market.OffTick(a.Quote.Symbol, a.Quote.At, own)
	if nearest == nil {
		return nil
	}
	var texts []string
	for _, price := range nearest {
		texts = append(texts, price.String())
	}
	tick := a.Rules.Market.Tick(a.Quote.Symbol, a.Quote.At, own)
	return &Refusal{
		code.InvalidArgument,
		fmt.Sprintf("The %s price %s is no multiple of %s, the tick of %s. Use %s.", a.Order.Type, own, tick, a.Order.Symbol, strings.Join(texts, " or ")),
		map[string]any{"symbol": a.Order.Symbol, "price": own, "tick": tick, "nearest_prices": nearest},
	}
}
