// The value of an account at the end of each trading day.

package report

import (
	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// value fills in the periods of an account and what depends on them.
func (b builder) value(a *Account, h history) error {
	end := h.last
	if h.rowsAfterRange || b.CarryForward {
		end = b.To
	}
	days, err := b.View.Days(a.Market, h.first, end)
	if err != nil {
		return err
	}
	var opening ledger.Valuation
	if a.Opening, opening, err = b.opening(h, days); err != nil {
		return err
	}
	v := valuer{builder: b, h: h, values: map[string][]Number{}}
	for _, d := range days {
		if b.before(d) || d <= a.Opening.Date {
			v.skip(d)
		} else if err := v.period(d); err != nil {
			return err
		}
	}
	a.Periods = v.periods
	if a.Periods == nil {
		a.Periods = []Period{}
	}
	a.Allocation = v.allocation()
	v.profits(a, opening)
	drawdowns(a)
	if err := b.final(a, h); err != nil {
		return err
	}
	a.Warnings = append(a.Warnings, v.gapWarnings(days)...)
	return nil
}

// opening returns the value with which an account begins the range: the last value known before the range, if the account is that
// old. Otherwise it is the value of the first row, dated on the day before if the account traded on its first day already.
func (b builder) opening(h history, days []market.Stamp) (Point, ledger.Valuation, error) {
	for i := len(days) - 1; i >= 0 && b.From != ""; i-- {
		if !b.before(days[i]) {
			continue
		}
		worth, err := h.book(days[i]).AtClose(b.View, days[i])
		if err != nil || worth.Total.Valid {
			return Point{days[i], moneyOf(worth.Total)}, worth, err
		}
	}
	date := h.first.Day()
	if h.tradesOnFirstDay {
		date = date.AddDays(-1)
	}
	worth, err := h.openingBook.AtClose(b.View, date)
	return Point{date, moneyOf(worth.Total)}, worth, err
}

// book returns the positions at the end of a day: after the newest row of that day or of an earlier one.
func (h history) book(date market.Stamp) ledger.Positions {
	book := h.openingBook
	for _, d := range h.days {
		if d.date > date {
			break
		}
		if d.book != nil {
			book = d.book
		}
	}
	return book
}

func fromNullDecimal(d decimal.NullDecimal) Number {
	if !d.Valid {
		return Number{}
	}
	return Known(d.Decimal.InexactFloat64())
}

// valuer values the book of each trading day.
type valuer struct {
	builder
	h       history
	next    int // the index of the first of h.days that is still to come
	book    ledger.Positions
	periods []Period
	values  map[string][]Number // the value of each position, by period
	last    ledger.Valuation    // of the newest period
}

// skip passes a trading day that is not in the range; its rows still change the book.
func (v *valuer) skip(date market.Stamp) { v.advance(&Period{Date: date}) }

// period adds a trading day.
func (v *valuer) period(date market.Stamp) error {
	p := Period{Date: date}
	p.Carried = !v.advance(&p)
	worth, err := v.book.AtClose(v.View, date)
	if err != nil {
		return err
	}
	v.last, p.Cash = worth, Known(money(worth.Cash))
	p.Value, p.Unpriced, p.Stale = moneyOf(worth.Total), worth.Unpriced, worth.Stale()
	v.recordValue(ledger.Cash, p.Cash)
	for _, h := range worth.Holdings {
		v.recordValue(h.Symbol, fromNullDecimal(h.Value))
	}
	v.periods = append(v.periods, p)
	return nil
}

// advance applies the rows up to a day, and reports whether there were any.
func (v *valuer) advance(p *Period) (any bool) {
	if v.book == nil {
		v.book = v.h.openingBook
	}
	var t tally
	for ; v.next < len(v.h.days) && v.h.days[v.next].date <= p.Date; v.next++ {
		d := v.h.days[v.next]
		if d.book != nil {
			v.book = d.book
		}
		t.plus(d.tally)
		any = true
	}
	p.Trades, p.TradedValue, p.Fees = t.trades, money(t.traded), money(t.fees)
	return any
}

// recordValue records the value of a position in the current period.
func (v *valuer) recordValue(symbol string, value Number) {
	values := v.values[symbol]
	for len(values) < len(v.periods) {
		values = append(values, Known(0))
	}
	v.values[symbol] = append(values, value)
}

// final fills in the cash and the holdings at the end.
func (b builder) final(a *Account, h history) error {
	end := h.last.Day()
	if n := len(a.Periods); n > 0 {
		end = max(end, a.Periods[n-1].Date)
	}
	worth, err := h.book(end).AtClose(b.View, end)
	if err != nil {
		return err
	}
	a.Cash, a.Holdings = Known(money(worth.Cash)), []Holding{}
	for _, held := range worth.Holdings {
		x := Holding{
			Symbol: held.Symbol, Amount: held.Amount.InexactFloat64(), Price: fromNullDecimal(held.Price), Priced: held.At,
			StaleDays: held.StaleDays, Value: moneyOf(held.Value), Cost: h.lots.cost(held.Symbol),
		}
		if x.Value.known && x.Cost.known {
			x.Gain = Known(roundMoney(x.Value.value - x.Cost.value))
		}
		a.Holdings = append(a.Holdings, x)
	}
	return nil
}
