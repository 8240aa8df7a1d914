// Crypto in the steps of an exchange.

package ledger

import (
	"fmt"

	"mcp-trade/code"
	"mcp-trade/decimal"
)

// steps refuses an amount that is no multiple of the step in which parts are traded. See market/crypto.go for those of pairs, their dates
// and the source.
func steps(a Attempt) error {
	if a.Rules.rounding() == upstream || a.Rules.lot().Equal(one) && a.Rules.whole(a.Order.Amount) { // whole shares, as nearly always
		return nil
	}
	unit := a.Rules.unit(a.Quote.Symbol, a.Quote.At)
	rest := a.Order.Amount.Mod(unit.Step)
	if rest.IsZero() {
		return nil
	}
	below := a.Order.Amount.Sub(rest)
	nearest := []decimal.Decimal{below.Add(unit.Step)}
	if below.IsPositive() {
		nearest = []decimal.Decimal{below, below.Add(unit.Step)}
	}
	return &Refusal{
		code.LotSize,
		fmt.Sprintf("%s is traded in multiples of %s. You tried to %s %s.", a.Order.Symbol, unit.Step, a.Order.Action, a.Order.Amount),
		map[string]any{"symbol": a.Order.Symbol, "amount": a.Order.Amount, "minimum": unit.Least, "nearest_lots": nearest},
	}
}

// cryptoLeastValue refuses an order that is worth less than the exchange takes. Dates and source likewise.
func cryptoLeastValue(a Attempt) error {
	least := a.Rules.unit(a.Quote.Symbol, a.Quote.At).LeastValue
	value := a.Quote.Price.Mul(a.Order.Amount)
	if !value.LessThan(least) {
		return nil
	}
	return &Refusal{
		code.LotSize,
		fmt.Sprintf("An order of %s must be worth at least %s USDT. You tried to %s %s, which is worth %s.", a.Order.Symbol, least, a.Order.Action, a.Order.Amount, value),
		map[string]any{"symbol": a.Order.Symbol, "amount": a.Order.Amount, "price": a.Quote.Price, "value": value, "minimum_value": least},
	}
}
