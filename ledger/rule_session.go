// When an exchange trades.

package ledger

import (
	"cmp"
	"fmt"
	"strings"

	"mcp-trade/code"
	"mcp-trade/market"
)

// presetHours are those of a ledger that states none. One of US shares was opened on a day, or before this program knew hours.
func presetHours(m *market.Market) string {
	if m.ID == market.US {
		return allHours
	}
	return regularHours
}

// session refuses an order while the exchange is closed. See market/us.go and market/cn.go for hours, days, dates and sources.
func session(a Attempt) error {
	hours := cmp.Or(a.Rules.other[hoursKey], presetHours(a.Rules.Market))
	if a.Rules.Market.Session == nil || hours == allHours || a.Rules.fillsAsStamped() {
		return nil
	}
	why := a.Rules.Market.Session(a.Quote.At, hours == extendedHours)
	if why == "" {
		return nil
	}
	return &Refusal{
		code.MarketClosed, fmt.Sprintf("Nothing is traded at %s: %s. Trade at the next bar.", a.Quote.At, strings.TrimSuffix(why, ".")),
		map[string]any{"symbol": a.Order.Symbol, "date": a.Quote.At},
	}
}
