// What a book is worth.

package ledger

import (
	"github.com/shopspring/decimal"

	"mcp-trade/market"
)

// Valuation is a book at the prices of one moment.
type Valuation struct {
	Cash     decimal.Decimal
	Holdings []Valued            // by symbol
	Total    decimal.NullDecimal // cash and holdings; unknown if a holding has no price, since unknown is not zero
	Unpriced []string            // those holdings
}

// Valued is a holding and what it is worth.
type Valued struct {
	Position
	Price decimal.NullDecimal // of one share
	At    market.Stamp        // of the price
	Value decimal.NullDecimal
}

// Mark tells the price at which a holding is valued, and its stamp. An error is a price that is not known.
type Mark func(symbol string) (decimal.Decimal, market.Stamp, error)

// Value values the positions of a book.
func (p Positions) Value(mark Mark) Valuation {
	v := Valuation{Cash: p.Amount(Cash), Unpriced: []string{}}
	total := v.Cash
	for _, held := range p.Holdings() {
		h := Valued{Position: held}
		if price, at, err := mark(held.Symbol); err == nil {
			h.Price, h.At = decimal.NewNullDecimal(price), at
			h.Value = decimal.NewNullDecimal(price.Mul(held.Amount))
			total = total.Add(h.Value.Decimal)
		} else {
			v.Unpriced = append(v.Unpriced, held.Symbol)
		}
		v.Holdings = append(v.Holdings, h)
	}
	if len(v.Unpriced) == 0 {
		v.Total = decimal.NewNullDecimal(total)
	}
	return v
}
