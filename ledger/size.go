// Orders without an amount: for a sum of money, or of all that can be sold.

package ledger

import (
	"fmt"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/market"
)

// amountFor is how much an order for a sum of money trades at a price.
func (r Rules) amountFor(o Order, q market.Quote, price decimal.Decimal) (decimal.Decimal, error) {
	unit, worth := r.unit(q.Symbol, q.At), o.Value.Decimal
	amount, bounded := decimal.Zero, price.IsPositive()
	switch {
	case !bounded:
	case o.Action == Buy:
		amount, bounded = r.affordableAt(worth, q, price)
	default:
		whole, _ := worth.QuoRem(price.Mul(unit.Step), 0)
		amount = unit.Floor(whole.Mul(unit.Step))
	}
	details := map[string]any{"symbol": q.Symbol, "date": q.At, "value": worth, "price": price, "minimum": unit.Least}
	if !bounded {
		if _, err := r.charge(Order{Action: o.Action, Symbol: q.Symbol, Amount: unit.Least}, q.At, price); err != nil {
			return amount, err
		}
		return amount, &Refusal{code.InvalidArgument, fmt.Sprintf("The price of %s is %s, which makes no amount of money. Give the amount.", q.Symbol, price), details}
	}
	if amount.IsZero() {
		return amount, &Refusal{
			code.LotSize, fmt.Sprintf("A value of %s is less than the least order of %s: %s at %s, and the costs. Give a larger value.", worth, q.Symbol, leastOrder(unit), price), details,
		}
	}
	return amount, nil
}

// leastOrder says what can be bought at least.
func leastOrder(u market.Unit) string {
	if u.LeastValue.IsPositive() {
		return fmt.Sprintf("a worth of %s", u.LeastValue)
	}
	return u.Least.String()
}

// ofAll returns a sale of all with its amount: what can be sold of the holding today, without a rest that the market does not trade.
func (a Attempt) ofAll() (Order, error) {
	o, held, unit := a.Order, a.Book.Positions.Amount(a.Order.Symbol), a.Rules.unit(a.Quote.Symbol, a.Quote.At)
	if o.Action != Sell {
		return o, &Refusal{code.InvalidArgument, "Only a sale can be of all. Give a purchase an amount or a value.", map[string]any{"symbol": o.Symbol}}
	}
	if !held.IsPositive() {
		a.Order.Amount = unit.Least
		return o, a.insufficientShares(held)
	}
	switch o.Amount = a.sellable(); {
	case !o.Amount.IsPositive():
		o.Amount = held // the rule that keeps all of it says why
	case a.Rules.Market.ID != market.CN: // which trades every rest
		o.Amount = o.Amount.Sub(o.Amount.Mod(unit.Step))
	case a.Rules.other[lotsKey] == strict100:
		o.Amount = o.Amount.Sub(o.Amount.Mod(hundred))
	}
	if o.Amount.IsZero() {
		return o, &Refusal{
			code.LotSize, fmt.Sprintf("The account has %s of %s, less than is traded at all. It cannot be sold.", held, o.Symbol),
			map[string]any{"symbol": o.Symbol, "have": held, "minimum": unit.Least},
		}
	}
	return o, nil
}
