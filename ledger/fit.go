// How much of an order fills: for those who choose amounts. The rules themselves are asked, so that nothing here computes what they say
// once more.

package ledger

import (
	"errors"

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

// Fit returns what becomes of an order in a book, or of the largest part of it that fills as of a view, or waits where the account's
// orders wait for the next open. If none does, the error is that of the whole order.
func (r Rules) Fit(book Book, o Order, v market.View) (Record, error) {
	q, err := r.Quote(v, o.Symbol)
	if err != nil {
		return Record{}, err
	}
	return r.fit(book, o, q, func(o Order) (Record, error) { return evaluate(book, o, v, r) })
}

// fit is Fit where an order of an amount is judged so.
func (r Rules) fit(book Book, o Order, q market.Quote, judge func(Order) (Record, error)) (Record, error) {
	most := o.Amount
	if o.Action == Sell {
		most = decimal.Min(most, Attempt{o, book, q, r}.sellable())
	} else if can, bounded := r.Affordable(book.free(Cash), q); bounded {
		most = decimal.Min(most, can)
	}
	amounts := []decimal.Decimal{most, r.unit(q.Symbol, q.At).Floor(most)} // an odd rest may be sold whole
	for i := 0; i < len(amounts); i++ {
		part := o
		part.Amount = amounts[i]
		rec, err := judge(part)
		if err == nil {
			return rec, nil
		}
		if refusal, ok := errors.AsType[*Refusal](err); ok && i == 1 && !r.volumeCap.IsZero() {
			if through, told := refusal.details["max_amount"].(decimal.Decimal); told && through.LessThan(part.Amount) {
				amounts = append(amounts, through)
			}
		}
	}
	return judge(o)
}

// Book is the book after the record, as far as orders are judged by it: it has no line.
func (r Record) Book() Book { return r.book(nil) }
