// What a strategy could not do, for those who read its results.

package decide

import (
	"fmt"
	"slices"
	"strings"

	"mcp-trade/decimal"
	"mcp-trade/internal/clip"
	"mcp-trade/internal/format"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// unbought says which of the symbols wanted an account worth so much neither holds nor has ordered after rebalancing; "" if it has all. In
// whole lots a small account is another portfolio than its decider's name says.
func unbought(r ledger.Rules, wanted []market.Quote, worth decimal.Decimal, has ledger.Book) string {
	var missing []string
	parts, dearest, least := decimal.NewFromInt(int64(len(wanted))), decimal.Zero, "a share"
	for _, q := range wanted {
		ordered := slices.ContainsFunc(has.Orders, func(o ledger.OpenOrder) bool { return o.Action == ledger.Buy && o.Symbol == q.Symbol })
		if !ordered && !has.Positions.Amount(q.Symbol).IsPositive() {
			missing = append(missing, q.Symbol)
		}
		amount := r.Least(q)
		if price := q.Price.Mul(amount); price.GreaterThan(dearest) {
			dearest = price
		}
		if !amount.Equal(decimal.NewFromInt(1)) {
			least = "the least order"
		}
	}
	if len(missing) == 0 {
		return ""
	}
	cash := has.Cash()
	for _, o := range has.Orders {
		cash = cash.Sub(o.Reserved)
	}
	text := fmt.Sprintf("%d of %d symbols were not bought on %s, in equal parts of %s: %s; %s of %s stayed in cash", len(missing), len(wanted), wanted[0].At,
		format.Money(worth.DivRound(parts, 2)), clip.List(missing, named, ", "), format.Money(cash), format.Money(worth))
	if enough := dearest.Mul(parts); enough.GreaterThan(worth) {
		text += fmt.Sprintf("; %s of each takes an account of %s", least, format.Money(enough))
	}
	return text
}

// named is how many symbols and orders a caveat names.
const named = 3

// untraded says which orders were not sent, and why; "" if there is none.
func (s *sizer) untraded() string {
	if len(s.refused) == 0 {
		return ""
	}
	what := "orders were not sent on %s, since they would be refused: %s"
	if len(s.refused) == 1 {
		what = "order was not sent on %s, since it would be refused: %s"
	}
	return fmt.Sprintf("%d "+what, len(s.refused), s.d.Date, clip.List(s.refused, named, "; "))
}

// join makes one text of those that say something.
func join(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(text string) bool { return text == "" }), ". ")
}
