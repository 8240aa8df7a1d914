// The rules in a few sentences, for those who trade under them.

package ledger

import (
	"fmt"
	"strings"

	"mcp-trade/decimal"
	"mcp-trade/market"
)

// Brief says what a trader must know of the rules at a stamp beside prices, cash and costs; "" of whole US shares at all their bars.
func (r Rules) Brief(at market.Stamp) string {
	said := r.amounts(at)
	if r.KeepsBought() {
		said = append(said, "What is bought today can be sold from the next trading day on.")
	}
	if r.Market.Limits != nil && r.other[limitsKey] != noLimits {
		said = append(said, "Nothing can be bought at the upper price limit of the day, nor sold at the lower one.")
	}
	if hours := r.hours(at); hours != "" {
		said = append(said, hours)
	}
	if r.Market.ID != market.Default {
		said = append([]string{fmt.Sprintf("You trade %s, in %s.", r.Market.Name, r.Market.Currency)}, said...)
	}
	return strings.Join(said, " ")
}

// amounts says which amounts are traded, where they are not whole shares.
func (r Rules) amounts(at market.Stamp) []string {
	unit := r.unit(r.Market.Example, at)
	switch {
	case r.other[lotsKey] == strict100:
		return []string{"Amounts are multiples of 100 shares."}
	case r.Market.ID == market.CN:
		return []string{"Amounts are multiples of 100 shares; on STAR (688 and 689) 200 or more and in Beijing (.BJ) 100 or more, both one by one. A rest of less than a lot is sold whole."}
	case r.rounding() == strictly:
		return []string{"Amounts are multiples of the step of a pair, " + unit.Step.String() + " of " + r.Market.Example + "." + leastWorth(unit)}
	case unit.Step.LessThan(one):
		return []string{"Amounts are multiples of " + unit.Step.String() + "."}
	}
	return nil
}

func leastWorth(u market.Unit) string {
	if !u.LeastValue.IsPositive() {
		return ""
	}
	return " An order is worth at least " + u.LeastValue.String() + " USDT."
}

// hours says when orders come through, to an account that trades at hours.
func (r Rules) hours(at market.Stamp) string {
	switch hours := r.Value(hoursKey); {
	case at.IsDay() || r.Market.Hours == nil || hours == allHours || r.fillsAsStamped():
		return ""
	case hours == extendedHours:
		return "Orders are taken in the extended hours of the exchanges too."
	}
	return "Orders are taken while the exchanges trade, and not before or after."
}

// Sellable is how much of a symbol can be sold at a stamp of what a book holds.
func (r Rules) Sellable(book Book, symbol string, at market.Stamp) decimal.Decimal {
	return Attempt{Order: Order{Symbol: symbol}, Book: book, Quote: market.Quote{At: at}, Rules: r}.sellable()
}
