// When an exchange trades.

package ledger

import (
	"cmp"
	"fmt"

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

// session refuses an order while the exchanges are closed. See market/us.go and market/cn.go for hours, days, dates and sources. Of a day
// that their calendar does not tell of, the price files decide: without a bar there is no price.
func session(a Attempt) error {
	m, at := a.Rules.Market, a.Quote.At
	hours := cmp.Or(a.Rules.other[hoursKey], presetHours(m))
	if m.Hours == nil || hours == allHours || a.Rules.fillsAsStamped() {
		return nil
	}
	details := map[string]any{"symbol": a.Order.Symbol, "date": at}
	refuse := func(why, next string) error {
		return &Refusal{code.MarketClosed, fmt.Sprintf("Nothing is traded at %s: %s. %s", at, why, next), details}
	}
	if why, _ := m.Calendar.Closed(at); why != "" {
		day, known := m.Calendar.Next(at)
		if !known {
			return refuse(why, fmt.Sprintf("The next trading day is not known: the calendar has %s to %s, and later days may not be published yet.", m.Calendar.From, m.Calendar.To))
		}
		details["next_trading_day"] = day
		return refuse(why, fmt.Sprintf("The next trading day is %s.", day))
	}
	if why := m.Hours(at, hours == extendedHours); why != "" {
		return refuse(why, "Trade at the next bar.")
	}
	return nil
}
