// What an account was worth at the end of each trading day.

package report

import (
	"github.com/shopspring/decimal"

	"mcp-trade/ledger"
	"mcp-trade/market"
)

// value fills in the periods of an account and what depends on them.
func (b builder) value(a *Account, h history) error {
	end := h.last
	if h.outlives || b.Carry {
		end = b.To
	}
	days, err := b.View.Days(a.Market, h.first, end)
	if err != nil {
		return err
	}
	a.Opening = b.opening(h, days)
	v := valuer{builder: b, h: h, held: map[string][]Number{}}
	for _, d := range days {
		if !b.before(d) && d > a.Opening.Date {
			v.period(d)
		} else {
			v.skip(d)
		}
	}
	a.Periods = v.periods
	if a.Periods == nil {
		a.Periods = []Period{}
	}
	a.Allocation = v.allocation()
	falls(a)
	b.final(a, h)
	a.Warnings = append(a.Warnings, v.unknowns(days)...)
	return nil
}

// opening is what an account begins the range with. Within the account's life that is the last value known before the range.
// Else it is what the account was opened with, on the evening before its first day if it traded on that day already.
func (b builder) opening(h history, days []market.Stamp) Point {
	for i := len(days) - 1; i >= 0 && b.From != ""; i-- {
		if !b.before(days[i]) {
			continue
		}
		if value := b.close(h.book(days[i]), days[i]).Total; value.Valid {
			return Point{days[i], known(value)}
		}
	}
	opening := Point{Date: h.first.Day()}
	if value := b.close(h.opened, opening.Date).Total; value.Valid && (!h.tradedFirst || len(h.opened.Holdings()) == 0) {
		opening.Value = known(value)
	}
	if h.tradedFirst {
		opening.Date = opening.Date.AddDays(-1)
	}
	return opening
}

// book is what was held at the end of a day: after the newest row of that day or of one before.
func (h history) book(date market.Stamp) ledger.Positions {
	book := h.opened
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

// close values a book at the closes of a day.
func (b builder) close(book ledger.Positions, date market.Stamp) ledger.Valuation {
	return book.Value(func(symbol string) (decimal.Decimal, market.Stamp, error) {
		price, err := b.View.Close(symbol, date)
		return price, date, err
	})
}

func known(d decimal.NullDecimal) Number {
	if !d.Valid {
		return Number{}
	}
	return Known(d.Decimal.InexactFloat64())
}

// valuer goes through the trading days and values the book of each.
type valuer struct {
	builder
	h       history
	next    int // the first of h.days that is not behind
	book    ledger.Positions
	periods []Period
	held    map[string][]Number // what each symbol was worth, by period
}

// skip passes over a trading day that earns nothing in the range.
func (v *valuer) skip(date market.Stamp) { v.advance(&Period{Date: date}) }

// period adds a trading day.
func (v *valuer) period(date market.Stamp) {
	p := Period{Date: date}
	p.Carried = !v.advance(&p)
	worth := v.close(v.book, date)
	p.Cash = Known(worth.Cash.InexactFloat64())
	p.Value, p.Unpriced = known(worth.Total), worth.Unpriced
	v.hold(ledger.Cash, p.Cash)
	for _, h := range worth.Holdings {
		v.hold(h.Symbol, known(h.Value))
	}
	v.periods = append(v.periods, p)
}

// advance takes in the rows up to a day, and reports whether there were any.
func (v *valuer) advance(p *Period) (any bool) {
	if v.book == nil {
		v.book = v.h.opened
	}
	for ; v.next < len(v.h.days) && v.h.days[v.next].date <= p.Date; v.next++ {
		d := v.h.days[v.next]
		if d.book != nil {
			v.book = d.book
		}
		p.Trades += d.trades
		p.Traded += d.traded
		p.Fees += d.fees
		any = true
	}
	return any
}

// hold notes what a position is worth in the period under way.
func (v *valuer) hold(symbol string, value Number) {
	values := v.held[symbol]
	for len(values) < len(v.periods) {
		values = append(values, Known(0))
	}
	v.held[symbol] = append(values, value)
}

// final fills in what is held at the end.
func (b builder) final(a *Account, h history) {
	end := h.last.Day()
	if n := len(a.Periods); n > 0 {
		end = max(end, a.Periods[n-1].Date)
	}
	book := h.book(end)
	a.Cash, a.Holdings = Known(book.Amount(ledger.Cash).InexactFloat64()), []Holding{}
	for _, held := range book.Holdings() {
		x := Holding{Symbol: held.Symbol, Amount: held.Amount.InexactFloat64(), Cost: h.lots.cost(held.Symbol)}
		x.Price, x.Priced = b.lastClose(held.Symbol, end)
		if x.Price.known {
			x.Value = Known(x.Price.value * x.Amount)
		}
		if x.Value.known && x.Cost.known {
			x.Gain = Known(x.Value.value - x.Cost.value)
		}
		a.Holdings = append(a.Holdings, x)
	}
}

// lastClose is the newest close up to a day.
func (b builder) lastClose(symbol string, day market.Stamp) (Number, market.Stamp) {
	const back = 10 // bars without a close are at the end of the data
	bars, _, err := b.View.Bars(symbol, "", day, back)
	for i := len(bars) - 1; i >= 0 && err == nil; i-- {
		if bars[i].Close.Valid {
			return Known(bars[i].Close.Decimal.InexactFloat64()), bars[i].Stamp
		}
	}
	return Number{}, ""
}
