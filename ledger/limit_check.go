// Limits at the commit: what they count is carried from record to record, and an order that would break one is refused.

package ledger

import (
	"cmp"
	"encoding/json"
	"errors"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/market"
)

// limited returns a record with what the limits count after it, or the refusal of the order that would make it.
func (r Rules) limited(book Book, rec Record, v market.View) (Record, error) {
	t, err := newTrial(r.limits.Hash(), book, rec, v, r)
	if err != nil || t.rec.Limits == nil || !rec.Traded() {
		return t.rec, err
	}
	e := r.limits.excess(t, true)
	if e == nil {
		return t.rec, nil
	}
	details := map[string]any{
		"symbol": rec.Symbol, "date": rec.Date, "limit": e.key, "value": json.RawMessage(e.value), "would_be": json.RawMessage(e.would),
	}
	message := e.sentence(t)
	if len(t.worth.Unpriced) > 0 && e.unknown {
		details["unpriced"] = t.worth.Unpriced
	}
	if rec.Buys() && rec.Of == 0 { // of an order that waits all that is left ends
		most := decimal.Zero
		if !e.unknown {
			most = r.mostWithin(book, rec, v)
		}
		details["max_amount"] = most
		if most.IsPositive() {
			message += " At most " + most.String() + " can be bought now."
		} else {
			message += " No amount of it can be bought now."
		}
	}
	return Record{}, &Refusal{code.LimitExceeded, message, details}
}

// counted returns a record with what the limits count after it, whatever it does.
func (r Rules) counted(book Book, rec Record, v market.View) (Record, error) {
	if rec.Limits != nil || book.Limits == nil && r.limits.None() {
		return rec, nil
	}
	t, err := newTrial(r.limits.Hash(), book, rec, v, r)
	return t.rec, err
}

// newTrial is the trade of a record, with what the limits count after it; that is nil where no limits are and were in force.
func newTrial(hash string, book Book, rec Record, v market.View, r Rules) (trial, error) {
	if book.Limits == nil && hash == "" {
		return trial{rec: rec}, nil
	}
	at := cmp.Or(rec.At, rec.Date)
	v = r.view(v).At(at)
	s, day := LimitState{Hash: hash}, at.Day()
	newest := cmp.Or(book.newest.at, book.Date).Day()
	before := book.Limits
	switch {
	case before != nil && newest >= day:
		s.Orders, s.Turnover, s.DayStart = before.Orders, before.Turnover, before.DayStart
	case newest >= day: // the limits begin in the middle of it
		worth, err := book.Positions.InDay(v)
		if err != nil {
			return trial{}, err
		}
		s.DayStart = worth.Total
	default:
		worth, err := book.Positions.AtClose(v, day.AddDays(-1))
		if err != nil {
			return trial{}, err
		}
		s.DayStart = worth.Total
	}
	if rec.Traded() && rec.Of == 0 || rec.Action == Place {
		s.Orders++
	}
	if rec.Traded() {
		s.Turnover = s.Turnover.Add(rec.Price.Decimal.Mul(rec.Amount))
	}
	worth, err := rec.Positions.InDay(v)
	if err != nil {
		return trial{}, err
	}
	if before != nil {
		s.Peak = before.Peak
	}
	s.Peak = higher(higher(s.Peak, s.DayStart), worth.Total)
	rec.Limits = &s
	return trial{rec, at, r.Market, worth}, nil
}

// higher is the higher of two values, of which one may be unknown.
func higher(a, b decimal.NullDecimal) decimal.NullDecimal {
	if !a.Valid || b.Valid && b.Decimal.GreaterThan(a.Decimal) {
		return b
	}
	return a
}

// mostWithin is the largest amount that the limits let be bought in place of that of a record, at its price; 0 if none.
func (r Rules) mostWithin(book Book, rec Record, v market.View) decimal.Decimal {
	q, err := r.view(v).Quote(rec.Symbol)
	if err != nil {
		return decimal.Zero
	}
	most, bounded := r.affordableAt(book.free(Cash), q, rec.Price.Decimal)
	if !bounded {
		most = rec.Amount
	}
	within := func(amount decimal.Decimal, whole bool) bool {
		o := Order{Action: rec.Action, Symbol: rec.Symbol, Amount: amount}
		attempt, made := Attempt{o, book, q, r}, Record{}
		err := attempt.refusedAt(true)
		if err == nil {
			made, err = applyAt(attempt, rec.Price.Decimal)
		}
		if err != nil {
			refusal, refused := errors.AsType[*Refusal](err)
			return !whole && refused && refusal.code == code.LotSize // it is too little
		}
		t, err := newTrial(r.limits.Hash(), book, made, v, r)
		return err == nil && r.limits.excess(t, whole) == nil
	}
	most = largest(r.unit(rec.Symbol, rec.Date), most, func(amount decimal.Decimal) bool { return within(amount, false) })
	if most.IsPositive() && !within(most, true) {
		return decimal.Zero
	}
	return most
}
