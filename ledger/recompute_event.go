// Recomputing a row that nobody asked for, and finding one that is missing.

package ledger

import (
	"bytes"
	"errors"
	"fmt"

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
	case v.prices == nil:
		if is {
			v.report.Unpriced++
		}
		return is
	}
	want, due, err := nextEvent(v.book(r), v.prices.AsOf(r.Date), v.rules)
	want.Prev, want.Rules = r.Prev, r.Rules
	switch {
	case errors.As(err, new(*market.DamagedError)):
		v.report.Unpriced++
	case err != nil:
		v.addFinding(r, Unexplained, "an account whose events can be told", err)
	case is && !due:
		v.addFinding(r, NotDue, "no event", r.actionText())
	case is && string(want.Line()) != string(r.Line()):
		v.differs(r, want)
	case due && !is:
		v.addFinding(r, SkippedEvent, "before it "+want.actionText(), r.actionText())
	}
	return is
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
	case want.Orders.String() != r.Orders.String():
		v.checkOrders(r, want.Orders)
	default:
		v.addFinding(r, Unexplained, string(want.Line()), string(r.Line()))
	}
}

// book is the book that a row was made from.
func (v *Verifier) book(r *Record) Book {
	return Book{
		Date: v.base.Date, ID: v.base.ID, Positions: v.before(r), Hash: v.lineHash(), Bought: v.base.Bought, Orders: v.base.Orders, newest: v.base.moment(),
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
