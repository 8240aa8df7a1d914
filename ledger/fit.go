// How much of an order fills: for those who choose amounts. The rules themselves are asked, so that nothing here computes what they say
// once more.

package ledger

import (
	"mcp-trade/decimal"
	"mcp-trade/market"
)

// Quote finds the symbol of an order and its price, as [market.View.Quote] does, where the account's orders fill. A symbol of another
// market is a *[Refusal].
func (r Rules) Quote(v market.View, symbol string) (market.Quote, error) {
	q, err := r.view(v).Quote(symbol)
	if refusal := r.Admit(q.Symbol, q.Market); refusal != nil {
		return q, refusal
	}
	return q, err
}

// Closed is the *[Refusal] of every order at a stamp at which the exchange is closed, nil while it trades.
func (r Rules) Closed(at market.Stamp) error {
	return session(Attempt{Quote: market.Quote{At: at}, Rules: r})
}

// Least is the least amount that can be bought at a quote.
func (r Rules) Least(q market.Quote) decimal.Decimal {
	unit := r.unit(q.Symbol, q.At)
	short, step := unit.LeastValue.Sub(q.Price.Mul(unit.Least)), q.Price.Mul(unit.Step)
	if !short.IsPositive() || !step.IsPositive() {
		return unit.Least
	}
	steps, rest := short.QuoRem(step, 0)
	if rest.IsPositive() {
		steps = steps.Add(one)
	}
	return unit.Least.Add(steps.Mul(unit.Step))
}

// Fit returns what [Apply] makes of an order, or of the largest part of it that fills in a book at a quote. If none does, the error is
// that of the whole order.
func (r Rules) Fit(book Book, o Order, q market.Quote) (Record, error) {
	most := o.Amount
	if o.Action == Sell {
		most = decimal.Min(most, Attempt{o, book, q, r}.sellable())
	} else if can, bounded := r.Affordable(book.Cash(), q); bounded {
		most = decimal.Min(most, can)
	}
	for _, amount := range []decimal.Decimal{most, r.unit(q.Symbol, q.At).Floor(most)} { // an odd rest may be sold whole
		part := o
		part.Amount = amount
		if rec, err := Apply(book, part, q, r); err == nil {
			return rec, nil
		}
	}
	return Apply(book, o, q, r)
}

// Book is the book after the record, as far as orders are judged by it: it has no line.
func (r Record) Book() Book { return r.book(nil) }
