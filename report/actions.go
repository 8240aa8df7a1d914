// Corporate actions of an account: its lots follow them, and what they paid is income.

package report

import (
	"slices"
	"strings"

	"mcp-trade/ledger"
	"mcp-trade/market"
)

// CorporateAction is what a company did to what an account held.
type CorporateAction struct {
	ID     int64         `json:"id"` // of its record
	Date   market.Stamp  `json:"date"`
	Action ledger.Action `json:"action"` // dividend, split, rename or delist
	Symbol string        `json:"symbol"`
	Amount float64       `json:"amount"` // that was held
	Ratio  string        `json:"ratio,omitempty"`
	To     string        `json:"to,omitempty"`
	Price  Number        `json:"price"` // of money for one share: the dividend, or what a share or the rest of one was paid out at
	Cash   float64       `json:"cash"`  // paid
	Text   string        `json:"text"`  // the same in a clause
}

// action adds the corporate action of a row.
func (r *reader) action(rec ledger.Record) {
	symbol := r.symbol(rec.Symbol)
	a := CorporateAction{
		ID: rec.ID, Date: rec.Date, Action: rec.Action, Symbol: symbol, Amount: rec.Amount.InexactFloat64(), To: r.symbol(rec.To),
		Price: fromNullDecimal(rec.Price), Cash: rec.Income.InexactFloat64(), Text: plain(rec.ActionText()),
	}
	var sold float64 // shares that were paid out
	switch rec.Action {
	case ledger.Split:
		a.Ratio = rec.Ratio.String()
		r.h.lots.split(symbol, float64(rec.Ratio.Is)/float64(rec.Ratio.Was))
		sold = max(0, r.h.lots.amount(symbol)-rec.Positions.Amount(rec.Symbol).InexactFloat64())
	case ledger.Rename:
		r.h.lots.rename(symbol, a.To)
	case ledger.Delist:
		sold = a.Amount
	}
	trip, closed := r.h.lots.payOut(a, sold)
	if r.before(rec.Date) {
		return
	}
	if rec.Action == ledger.Rename {
		r.h.rename(symbol, a.To)
	} else {
		r.h.flow(symbol).action(rec, trip, closed || sold <= 0)
	}
	if r.h.actions = append(r.h.actions, a); rec.Action == ledger.Dividend {
		r.h.dividends = roundMoney(r.h.dividends + a.Cash)
	}
	if closed && a.Cash > 0 {
		r.h.roundTrips.add(trip)
		r.h.tradeStats.add(trip)
	}
}

// action adds what a corporate action paid.
func (f *flow) action(rec ledger.Record, trip RoundTrip, known bool) {
	if f.paid = f.paid.Sub(rec.Income); rec.Action == ledger.Dividend {
		f.dividends = f.dividends.Add(rec.Income)
	} else {
		f.sold = f.sold.Add(rec.Income)
	}
	f.close(trip, known)
}

// split multiplies the shares of a symbol. Their cost does not change.
func (l lots) split(symbol string, ratio float64) {
	for i := range l[symbol] {
		lot := &l[symbol][i]
		lot.amount *= ratio
		lot.cost.value /= ratio
	}
}

// rename moves the shares of a symbol to another one.
func (l lots) rename(from, to string) {
	l[to] = append(l[to], l[from]...)
	delete(l, from)
	slices.SortStableFunc(l[to], func(a, b lot) int { return strings.Compare(string(a.date), string(b.date)) })
}

// payOut removes shares that a corporate action paid out. It makes a round trip if their cost is known.
func (l lots) payOut(a CorporateAction, amount float64) (trip RoundTrip, closed bool) {
	if amount <= 0 {
		return RoundTrip{}, false
	}
	opened, cost := l.popFIFO(a.Symbol, amount)
	if !cost.known {
		return RoundTrip{}, false
	}
	trip = RoundTrip{ID: a.ID, Opened: opened, Closed: a.Date, Symbol: a.Symbol, Amount: amount, Cost: roundMoney(cost.value), Income: a.Cash, Gain: roundMoney(a.Cash - cost.value), Days: a.Date.DaysSince(opened)}
	trip.Return = Known(trip.Gain).Over(cost)
	return trip, true
}

// project reads the corporate actions that are due after the last row of a ledger, where it is still traded: the next trade would
// commit them.
func (r *reader) project(last ledger.Book) error {
	if !r.CarryForward || !r.h.rules.Actions() || last.Line == nil {
		return nil
	}
	_, due, err := r.h.rules.Due(last, r.View)
	if err != nil {
		return err
	}
	for _, rec := range due {
		if err := r.row(rec, rec.Line()); err != nil {
			return err
		}
	}
	return nil
}
