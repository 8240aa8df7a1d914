// The order in which events come.

package ledger

import (
	"cmp"

	"mcp-trade/market"
)

// phase is which records come first of those that are known from the same stamp on.
type phase int

const (
	inBar  phase = iota // in a bar that is over
	dayEnd              // when its day is over
	action              // a corporate action, before its day is traded
	atOpen              // at an open
	asked               // what the account does
)

// moment is the place of a record in the order of events.
type moment struct {
	date   market.Stamp // of the record
	phase  phase
	at     market.Stamp // the bar in which it happened
	sells  bool         // a purchase comes first: it cannot count on the proceeds of a sale in the same bar
	symbol string
	order  int64
}

// compare orders moments.
func (m moment) compare(o moment) int {
	sides := func(m moment) int {
		if m.sells {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(m.date, o.date), cmp.Compare(m.phase, o.phase), cmp.Compare(m.at, o.at), cmp.Compare(sides(m), sides(o)),
		cmp.Compare(m.symbol, o.symbol), cmp.Compare(m.order, o.order))
}

// actionOrder is the place of a corporate action among those of its symbol and day; -1 for another record.
func actionOrder(a Action) int64 {
	for i, kind := range [...]Action{Dividend, Split, Rename, Delist} {
		if a == kind {
			return int64(i)
		}
	}
	return -1
}

// moment is the place of the record in the order of events.
func (r Record) moment() moment {
	if n := actionOrder(r.Action); n >= 0 {
		return moment{date: r.Date, phase: action, symbol: r.Symbol, order: n}
	}
	if r.Of == 0 || r.Action == Cancel {
		return moment{date: r.Date, phase: asked, at: r.Date}
	}
	m := moment{r.Date, atOpen, cmp.Or(r.At, r.Date), r.sells() || r.Side == Sell, r.Symbol, r.Of}
	switch {
	case m.at < m.date:
		m.phase = inBar
	case r.Action == Expire && r.At == "":
		m.phase = dayEnd
	}
	return m
}
