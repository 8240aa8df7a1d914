// What an account was worth at the end of each trading day.

package report

import (
	"fmt"
	"slices"
	"strings"

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

// maxNames bounds the names of an allocation, cash and the rest not counted.
const maxNames = 8

// allocation puts what was held in relation to the whole.
func (v *valuer) allocation() Allocation {
	weights := map[string]float64{}
	for symbol, values := range v.held {
		for i := range v.periods {
			weights[symbol] += v.part(values, i).value
		}
	}
	delete(weights, ledger.Cash)
	names := make([]string, 0, len(weights))
	for symbol := range weights {
		names = append(names, symbol)
	}
	slices.SortFunc(names, func(a, b string) int {
		if weights[a] != weights[b] {
			if weights[a] > weights[b] {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	a := Allocation{Names: []string{ledger.Cash}, Parts: [][]Number{v.parts(ledger.Cash)}}
	for _, name := range names[:min(len(names), maxNames)] {
		a.Names, a.Parts = append(a.Names, name), append(a.Parts, v.parts(name))
	}
	if rest := names[min(len(names), maxNames):]; len(rest) > 0 {
		a.Names, a.Parts = append(a.Names, "other"), append(a.Parts, v.parts(rest...))
	}
	return a
}

// parts are what part of the value some positions were together, by period.
func (v *valuer) parts(symbols ...string) []Number {
	parts := make([]Number, len(v.periods))
	for i := range parts {
		sum := Known(0)
		for _, symbol := range symbols {
			part := v.part(v.held[symbol], i)
			sum.value += part.value
			sum.known = sum.known && part.known
		}
		parts[i] = sum
	}
	return parts
}

// part is what part of a period's value one position was.
func (v *valuer) part(values []Number, period int) Number {
	value := v.periods[period].Value
	switch {
	case period >= len(values) && value.known:
		return Known(0)
	case period >= len(values):
		return Number{}
	}
	return values[period].Over(value)
}

// falls fills in the returns of the periods, and how far each is below the highest value so far.
func falls(a *Account) {
	last, high := a.Opening.Value, a.Opening.Value
	for i := range a.Periods {
		p := &a.Periods[i]
		if !p.Value.known {
			continue
		}
		if last.known && last.value > 0 {
			p.Return = Known(p.Value.value/last.value - 1)
		}
		last = p.Value
		if !high.known || p.Value.value > high.value {
			high = p.Value
		}
		if high.value > 0 {
			p.Drawdown = Known(1 - p.Value.value/high.value)
		}
	}
	a.Drawdown = deepest(a.points())
}

// points are the known values of an account, with that of the opening.
func (a Account) points() []Point {
	var points []Point
	if a.Opening.Value.known {
		points = append(points, a.Opening)
	}
	for _, p := range a.Periods {
		if p.Value.known {
			points = append(points, Point{p.Date, p.Value})
		}
	}
	return points
}

// deepest finds the deepest drawdown, nil if the value never fell. Of two as deep it is the first.
func deepest(points []Point) *Drawdown {
	var d Drawdown
	peak, at, lowest := 0, 0, 0
	for i, p := range points {
		if p.Value.value >= points[peak].Value.value {
			peak = i
		}
		if high := points[peak].Value.value; high > 0 && 1-p.Value.value/high > d.Depth {
			d.Depth, at, lowest = 1-p.Value.value/high, peak, i
		}
	}
	if d.Depth == 0 {
		return nil
	}
	end := len(points) - 1
	for i := lowest; i < len(points); i++ {
		if points[i].Value.value >= points[at].Value.value {
			d.Recovered, end = points[i].Date, i
			break
		}
	}
	d.Peak, d.Trough = points[at].Date, points[lowest].Date
	d.TradingDays, d.CalendarDays = end-at, points[end].Date.DaysSince(d.Peak)
	return &d
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

// unknowns names the days of which something is not known.
func (v *valuer) unknowns(days []market.Stamp) []string {
	var list []string
	say := func(dates []market.Stamp, one, many string) {
		switch {
		case len(dates) == 1:
			list = append(list, fmt.Sprintf(one, dates[0]))
		case len(dates) > 1:
			list = append(list, fmt.Sprintf(many, len(dates), spans(dates, days)))
		}
	}
	var unpriced, carried, elsewhere []market.Stamp
	missing := map[string]bool{}
	for _, p := range v.periods {
		if len(p.Unpriced) > 0 {
			unpriced = append(unpriced, p.Date)
			for _, symbol := range p.Unpriced {
				missing[symbol] = true
			}
		}
		if p.Carried {
			carried = append(carried, p.Date)
		}
	}
	for _, d := range v.h.days {
		if _, open := slices.BinarySearch(days, d.date); !open && d.date != v.h.first.Day() && !v.before(d.date) {
			elsewhere = append(elsewhere, d.date)
		}
	}
	symbols := names(missing)
	say(unpriced, "The value on %s is unknown: there is no close of "+symbols, "The value on %d days is unknown (%s): there is no close of "+symbols)
	say(carried, "There is no record on %s, a trading day; the book before it is carried on", "There is no record on %d trading days (%s); the book before them is carried on")
	say(elsewhere, "There are records on %s, a day without prices; they count on the next day with prices, if there is one",
		"There are records on %d days without prices (%s); they count on the next day with prices, if there is one")
	for i := range list {
		list[i] += "."
	}
	return list
}

// names lists a few names.
func names(set map[string]bool) string {
	list := make([]string, 0, len(set))
	for name := range set {
		list = append(list, name)
	}
	slices.Sort(list)
	const told = 3
	if len(list) > told {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:told], ", "), len(list)-told)
	}
	return strings.Join(list, ", ")
}

// spans writes dates as ranges of days that follow each other, the first five of them.
func spans(dates, days []market.Stamp) string {
	var ranges []string
	for i := 0; i < len(dates); {
		first := i
		at, _ := slices.BinarySearch(days, dates[i])
		for i++; i < len(dates) && at+i-first < len(days) && days[at+i-first] == dates[i]; i++ {
		}
		if last := i - 1; last > first {
			ranges = append(ranges, fmt.Sprintf("%s to %s", dates[first], dates[last]))
		} else {
			ranges = append(ranges, string(dates[first]))
		}
	}
	if len(ranges) > 5 {
		ranges = append(ranges[:5], fmt.Sprintf("and %d more times", len(ranges)-5))
	}
	return strings.Join(ranges, ", ")
}
