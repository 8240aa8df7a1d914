// The events of corporate actions: what the market does to what an account holds.
//
//	dividend  money for each share held, on the ex day
//	split     amounts times the ratio; what the market does not trade of a share is paid out at the day's open, else at the last close
//	rename    the position moves to the new symbol
//	delist    the position is paid out at the stated price, else at the last close
//
// The cost of what is held does not change. Each comes at the beginning of its day: whoever held it on the evening before gets it.

package ledger

import (
	"fmt"

	"mcp-trade/decimal"
	"mcp-trade/market"
)

// Valuing is the view in which books under the rules are valued.
func (r Rules) Valuing(v market.View) market.View {
	if r.Actions() {
		return v.AfterSplits()
	}
	return v
}

// actionEvents finds the earliest corporate action of what a book holds. A symbol that the prices do not have has none.
func actionEvents(book Book, v market.View, r Rules) (first Record, due bool, err error) {
	if !r.Actions() {
		return Record{}, false, nil
	}
	v = r.view(v).AfterSplits()
	for _, held := range book.Positions {
		if held.Symbol == Cash || !held.Amount.IsPositive() {
			continue
		}
		known, err := v.Actions(held.Symbol, book.Date)
		if err != nil && !market.IsUnknown(err) {
			return Record{}, false, err
		}
		for _, a := range known {
			rec, ok := r.applied(book, a, func() decimal.NullDecimal { return paidAt(a, v.At(a.Date)) })
			m := rec.moment()
			if ok && m.compare(book.newest) > 0 && (!due || m.compare(first.moment()) < 0) {
				first, due = rec, true
			}
		}
	}
	return first, due, nil
}

// paidAt is the price at which an action pays for shares: for the rest of a split the open, and else the last close.
func paidAt(a market.Action, v market.View) decimal.NullDecimal {
	if a.Kind == market.Split {
		if open, err := v.OpenPrice(a.Symbol); err == nil {
			return decimal.NewNullDecimal(open)
		}
	}
	price, _, err := v.LastClose(a.Symbol)
	return decimal.NullDecimal{Decimal: price, Valid: err == nil}
}

// applied is the record of an action of what a book holds. It reports false where the price is not known at which it is paid.
func (r Rules) applied(book Book, a market.Action, price func() decimal.NullDecimal) (Record, bool) {
	held := book.Positions.Amount(a.Symbol)
	rec := Record{
		Date: a.Date, ID: book.ID + 1, Symbol: a.Symbol, Amount: held, Ratio: a.Ratio, To: a.To, Price: a.Amount,
		Prev: book.Hash, Bought: book.boughtOn(a.Date), Filled: book.filledOn(a.Date), Orders: book.Orders, Action: Action(a.Kind),
	}
	left, to := decimal.Zero, Position{}
	switch a.Kind {
	case market.Dividend:
		left, rec.Income = held, a.Amount.Decimal.Mul(held)
	case market.Split:
		left = r.splitInto(&rec, price)
	case market.Rename:
		to = Position{a.To, book.Positions.Amount(a.To).Add(held)}
	case market.Delisting:
		if !rec.Price.Valid {
			rec.Price = price()
		}
		if !rec.Price.Valid {
			return rec, false
		}
		rec.Income = rec.Price.Decimal.Mul(held)
	}
	changes := []Position{{a.Symbol, left}}
	if to.Symbol != "" {
		changes = append(changes, to)
	}
	if !rec.Income.IsZero() {
		changes = append(changes, r.rounded(Position{Cash, book.Cash().Add(rec.Income)}))
	}
	rec.Positions = book.Positions.with(changes...)
	return rec, true
}

// splitInto is what is held after a split. The rest of a share is paid out; without any price it stays.
func (r Rules) splitInto(rec *Record, price func() decimal.NullDecimal) decimal.Decimal {
	is, was := decimal.NewFromInt(rec.Ratio.Is), decimal.NewFromInt(rec.Ratio.Was)
	part := r.lot() // the least that is traded of a share
	cents := int32(2)
	switch {
	case part.IsZero():
		part, cents = decimal.New(1, -coinDecimals), coinDecimals
	case part.GreaterThan(one):
		part = one
	}
	parts, rest := rec.Amount.Mul(is).QuoRem(part.Mul(was), 0)
	if rest.IsZero() {
		return parts.Mul(part)
	}
	if rec.Price = price(); !rec.Price.Valid {
		return rec.Amount.Mul(is).DivRound(was, coinDecimals)
	}
	rec.Income = rec.Price.Decimal.Mul(rest).DivRound(was, cents)
	return parts.Mul(part)
}

// stated is the corporate action that a record states.
func (r Record) stated() market.Action {
	return market.Action{Date: r.Date, Symbol: r.Symbol, Kind: market.ActionKind(r.Action), Ratio: r.Ratio, To: r.To, Amount: r.Price}
}

// endedByActions finds the first open order whose symbol is split, renamed or delisted: its price and amount are of other shares.
func endedByActions(book Book, v market.View, r Rules) (first Record, due bool, err error) {
	if !r.Actions() {
		return Record{}, false, nil
	}
	for n, o := range book.Orders {
		known, err := r.view(v).Actions(o.Symbol, book.Date)
		if err != nil && !market.IsUnknown(err) {
			return Record{}, false, err
		}
		for _, a := range known {
			if a.Kind == market.Dividend || a.Date <= o.Placed.Day() {
				continue
			}
			rec := Record{
				Date: a.Date, ID: book.ID + 1, Action: Expire, Side: o.Action, Symbol: o.Symbol, Amount: o.Amount, Of: o.ID, Why: a.String(),
				Positions: book.Positions, Prev: book.Hash, Bought: book.boughtOn(a.Date), Filled: book.filledOn(a.Date), Orders: book.Orders.without(n),
			}
			m := rec.moment()
			if m.compare(book.newest) > 0 && (!due || m.compare(first.moment()) < 0) {
				first, due = rec, true
			}
		}
	}
	return first, due, nil
}

// ActionText says what a corporate action did to an account: "ORLY: split 15:1 on 2025-06-10: 7 shares became 105".
func (r Record) ActionText() string {
	of := r.stated().String()
	switch r.Action {
	case Split:
		text := fmt.Sprintf("%s: %s became %s", of, r.Amount, r.Positions.Amount(r.Symbol))
		if !r.Income.IsZero() {
			text += fmt.Sprintf(", and %s was paid for the rest", r.Income)
		}
		return text
	case Rename:
		return fmt.Sprintf("%s: %s moved", of, r.Amount)
	}
	return fmt.Sprintf("%s: %s was paid for %s", of, r.Income, r.Amount)
}
