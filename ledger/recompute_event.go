// Recomputing a row that nobody asked for, and finding one that is missing.

package ledger

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mcp-trade/decimal"
	"mcp-trade/market"
)

// event holds a row against the event that was due when it was written, and reports whether the row is an event.
func (v *Verifier) event(r *Record) bool {
	is := r.moment().phase != asked
	switch {
	case !is && quiet(v.base.Orders, v.rules):
		return false
	case !v.judged:
		return is // the rules are unknown to this version
	case r.IsAction() && !v.rules.Actions():
		v.addFinding(r, NotDue, "no event", r.actionText())
		return true
	case v.prices == nil:
		if is {
			v.report.Unpriced++
			v.unpriced(r)
		}
		return is
	}
	rules, known := v.limitedRules(r)
	want, due, err := nextEvent(v.book(r), v.prices.AsOf(r.Date), rules)
	want.Prev, want.Rules, want.Limits = r.Prev, r.Rules, r.Limits // which are held against others
	switch {
	case errors.As(err, new(*market.DamagedError)):
		v.report.Unpriced++
	case err != nil:
		v.addFinding(r, Unexplained, "an account whose events can be told", err)
	case due && !known && r.endedByLimit(want): // whether they did cannot be told
		if v.limits == nil { // else it is counted anyway
			v.report.Unlimited++
		}
		v.checkFilled(r, v.filled(r))
		v.checkOrders(r, v.base.Orders.without(v.base.Orders.index(r.Of)))
		v.compare(r, func(base Positions) Positions { return base }, decimal.NullDecimal{})
	case is && !due:
		v.addFinding(r, NotDue, "no event", r.actionText())
	case is && string(want.Line()) != string(r.Line()):
		v.differs(r, want)
	case due && !is:
		v.addFinding(r, SkippedEvent, "before it "+want.actionText(), r.actionText())
	}
	return is
}

// unpriced holds an event against the book before it where no prices are given: which event was due, and at which price, cannot be told.
func (v *Verifier) unpriced(r *Record) {
	book := v.book(r)
	if r.IsAction() {
		v.restated(r, book)
		return
	}
	n := book.Orders.index(r.Of)
	if n < 0 {
		v.addFinding(r, NotDue, fmt.Sprintf("an order that waits; those are %s", book.Orders), r.actionText())
		return
	}
	o := book.Orders[n]
	side := r.Side
	if r.Traded() {
		side = r.Action
	}
	if side != o.Action || r.Symbol != o.Symbol || r.Amount.GreaterThan(o.Amount) || !r.Traded() && !r.Amount.Equal(o.Amount) {
		v.addFinding(r, NotDue, fmt.Sprintf("an event of the order %s", OpenOrders{o}), r.actionText())
		return
	}
	fills := v.filled(r)
	if !r.Traded() {
		v.checkFilled(r, fills)
		v.checkOrders(r, book.Orders.without(n))
		v.compare(r, func(base Positions) Positions { return base }, decimal.NullDecimal{})
		return
	}
	v.checkFilled(r, v.rules.filledIn(r.On(), Record{Symbol: r.Symbol, Amount: r.Amount, Filled: fills}).Filled)
	v.checkOrders(r, book.Orders.filled(n, r.Amount, book.Cash().Sub(r.Cash()), cmp.Or(r.At, r.Date)))
	v.compare(r, func(base Positions) Positions {
		traded := applyTrade(base, r, r.Price.Decimal)
		return traded.with(v.rules.rounded(Position{r.Symbol, traded.Amount(r.Symbol)}), v.rules.rounded(Position{Cash, traded.Amount(Cash)}))
	}, r.Price)
}

// restated holds a corporate action against what it states itself.
func (v *Verifier) restated(r *Record, book Book) {
	want, _ := v.rules.applied(book, r.stated(), func() decimal.NullDecimal { return r.Price })
	want.Prev, want.Rules = r.Prev, r.Rules
	if string(want.Line()) != string(r.Line()) {
		v.differs(r, want)
	}
}

// asks holds a row that places or cancels an order against what the rules make of it.
func (v *Verifier) asks(r *Record) {
	if !v.judged {
		return // the rules are unknown to this version
	}
	book := v.book(r)
	var want Record
	var err error
	switch {
	case r.Action == Cancel:
		want, err = cancel(book, r.Of, r.OrderID, r.Date)
	case v.prices == nil:
		v.report.Unpriced++
		if want = *r; len(r.Orders) > 0 { // what is reserved cannot be told
			last := r.Orders[len(r.Orders)-1]
			placed := OpenOrder{r.ID, r.Side, r.Symbol, r.Amount, r.Terms, r.Date, "", last.Reserved}
			want.Positions, want.Bought, want.Filled, want.Orders = book.Positions, book.boughtOn(r.Date), book.filledOn(r.Date), append(slices.Clone(book.Orders), placed)
		}
	default:
		o := Order{ID: r.OrderID, Action: r.Side, Symbol: r.Symbol, Amount: r.Amount, Note: r.Note, Terms: r.Terms}
		rules, _ := v.limitedRules(r)
		want, err = evaluate(book, o, v.prices.AsOf(r.Date), rules)
	}
	want.Prev, want.Rules, want.Note, want.Limits = r.Prev, r.Rules, r.Note, r.Limits
	switch {
	case errors.As(err, new(*market.DamagedError)):
		v.report.Unpriced++
	case err != nil:
		v.addFinding(r, Refused, "an order that the rules allow", fmt.Sprintf("%s: %v", r.actionText(), err))
	case string(want.Line()) != string(r.Line()):
		v.differs(r, want)
	}
}

// limitedRules are the rules of a row, with the limits that are given if it was made under them.
func (v *Verifier) limitedRules(r *Record) (rules Rules, limited bool) {
	if rules = v.rules; v.limits == nil || r.Limits == nil || v.limits.Hash() != r.Limits.Hash {
		return rules, false
	}
	rules.limits = *v.limits
	return rules, true
}

// endedByLimit tells whether the row says that a limit ended the order that would have been filled.
func (r Record) endedByLimit(fill Record) bool {
	return r.Action == Expire && strings.HasPrefix(r.Why, limitStands) && r.Limits != nil && r.Limits.Hash != "" && fill.Traded() && fill.Of == r.Of && fill.Date == r.Date
}

// differs adds the finding of an event that is not the one that was due.
func (v *Verifier) differs(r *Record, want Record) {
	switch {
	case want.Of == r.Of && want.Action == r.Action && want.Price.Valid && r.Price.Valid && !want.Price.Decimal.Equal(r.Price.Decimal):
		v.addFinding(r, PriceDiffers, want.Price.Decimal, r.Price.Decimal)
	case want.actionText() != r.actionText():
		v.addFinding(r, NotDue, want.actionText(), r.actionText())
	case !same(want.Bought, r.Bought, tolerance(r)):
		v.checkBought(r, want.Bought)
	case want.Filled.String() != r.Filled.String():
		v.checkFilled(r, want.Filled)
	case want.Orders.String() != r.Orders.String():
		v.checkOrders(r, want.Orders)
	default:
		v.addFinding(r, Unexplained, string(want.Line()), string(r.Line()))
	}
}

// book is the book that a row was made from.
func (v *Verifier) book(r *Record) Book {
	return Book{
		Date: v.base.Date, ID: v.base.ID, Positions: v.before(r), Hash: v.lineHash(), Bought: v.base.Bought, Filled: v.base.Filled, Orders: v.base.Orders, Limits: v.base.Limits, newest: v.base.moment(),
	}
}

// checkFilled compares what a row says was filled on its day with what was.
func (v *Verifier) checkFilled(r *Record, want DayFills) {
	if len(want) == 0 && len(r.Filled) == 0 {
		return
	}
	if want, is := want.String(), r.Filled.String(); want != is {
		v.addFinding(r, Unexplained, "filled_today "+want, is)
	}
}

// checkOrders compares the open orders of a row with those that should be open after it.
func (v *Verifier) checkOrders(r *Record, want OpenOrders) {
	if len(want) == 0 && len(r.Orders) == 0 {
		return
	}
	if want, is := want.String(), r.Orders.String(); want != is {
		v.addFinding(r, Unexplained, "orders "+want, is)
	}
}

// actionText says what a row did, as it stands in its line.
func (r Record) actionText() string {
	var b bytes.Buffer
	r.writeAction(&b)
	return fmt.Sprintf("%s on %s", &b, r.Date)
}
