// When an exchange trades.

package ledger

import (
	"fmt"
	"strings"

	"mcp-trade/code"
)

// session refuses an order while the exchange is closed. See market/us.go and market/cn.go for hours, days, dates and sources.
func session(a Attempt) error {
	if a.Rules.Market.Session == nil || a.Rules.fillsAsStamped() {
		return nil
	}
	why := a.Rules.Market.Session(a.Quote.At, a.Rules.other[hoursKey] == extendedHours)
	if why == "" {
		return nil
	}
	return &Refusal{
		code.MarketClosed, fmt.Sprintf("Nothing is traded at %s: %s. Trade at the next bar.", a.Quote.At, strings.TrimSuffix(why, ".")),
		map[string]any{"symbol": a.Order.Symbol, "date": a.Quote.At},
	}
}
