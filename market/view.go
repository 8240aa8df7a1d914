package market

// This file has the View, the market as of a stamp. Other packages read prices
// only through it.

import (
	"sort"
	"strings"

	"mcp-trade/decimal"
)

// View is the market as seen at a stamp. It is a value; Prices.AsOf makes it.
//
// A bar is whole if its period is over by the stamp. Of a bar that has begun, at
// the stamp or before it, only the open is known. (The period of a daily bar ends
// with its day, that of a 60min bar after 60 minutes.) Nothing else exists: no
// later bar, and no symbol that has only later bars.
//
// A symbol is looked up as written, without the space around it, and then in
// capitals. Every method that takes a symbol returns an *UnknownSymbolError if the
// symbol does not exist, and a *DamagedError if its series cannot be read.
type View struct {
	prices *content
	asOf   Stamp
	before bool // nothing begins at the stamp yet

	afterSplits bool // see AfterSplits
}

// BeforeOpen is the view at its stamp before any bar begins there: what was over by then is whole, and there is no open yet.
func (v View) BeforeOpen() View {
	v.before = true
	return v
}

// AsOf returns the stamp of the view.
func (v View) AsOf() Stamp { return v.asOf }

// Symbols returns the symbols that have a visible bar, ascending. Damaged
// series are left out.
func (v View) Symbols() ([]string, error) {
	symbols := []string{}
	for _, symbol := range v.prices.symbols {
		seen, err := v.isVisible(v.prices.series[symbol])
		if err != nil && !isDamage(err) {
			return nil, err
		}
		if seen {
			symbols = append(symbols, symbol)
		}
	}
	return symbols, nil
}

// Resolve returns the symbol as the price files write it.
func (v View) Resolve(symbol string) (string, error) {
	s, err := v.find(symbol)
	if err != nil {
		return "", err
	}
	return s.symbol, nil
}

// Bar returns the bar exactly at the stamp. It returns a *NotYetError if that
// is after the stamp of the view, and a *NoPriceError if there is no such bar.
func (v View) Bar(symbol string, at Stamp) (Bar, error) {
	if at > v.asOf {
		return Bar{}, &NotYetError{at, v.asOf}
	}
	w, err := v.window(symbol)
	if err != nil {
		return Bar{}, err
	}
	bar, ok := w.at(at)
	if !ok {
		return Bar{}, w.noPrice(at)
	}
	return bar, nil
}

// Bars returns bars in ascending order, at most limit of them (0 or less: all).
// With a first stamp `from` they are the oldest from there on, and next is the
// stamp at which the following call should begin, "" if there are no more.
// Without it they are the newest, and next is "". The last stamp `to` is
// included; a day takes in all its moments; "", or what is after the stamp of
// the view, means the stamp of the view. A `from` after the stamp of the view
// is a *NotYetError. No bars in the range is no error.
func (v View) Bars(symbol string, from, to Stamp, limit int) (bars []Bar, next Stamp, err error) {
	if from > v.asOf {
		return nil, "", &NotYetError{from, v.asOf}
	}
	w, err := v.window(symbol)
	if err != nil {
		return nil, "", err
	}
	end := sort.Search(len(w.bars), func(i int) bool { return !w.bars[i].stamp.until(to) })
	if from == "" {
		return w.newest(end, limit), "", nil
	}
	bars = []Bar{}
	for i := w.from(from); i < end; i++ {
		bar, ok := w.visible(i)
		if ok && limit > 0 && len(bars) == limit {
			return bars, bar.Stamp, nil
		}
		if ok {
			bars = append(bars, bar)
		}
	}
	return bars, "", nil
}

// Quote is what an order needs of the market: the symbol and its price.
type Quote struct {
	Symbol string // as the price files write it, or as the caller did if it does not exist
	Market *Market
	At     Stamp           // of the view
	Price  decimal.Decimal // of one share, at which an order fills, in the market's currency: the open of the bar at the stamp

	// Of a market with price limits.
	PreviousClose decimal.NullDecimal // of the last day before the stamp that has one
	Status        ShareStatus
}

// Quote finds the symbol of an order and its price. It returns a *NoPriceError if
// the price is not known. With any error it returns the quote without a price.
func (v View) Quote(symbol string) (Quote, error) {
	q := Quote{Symbol: symbol, Market: Of(symbol), At: v.asOf}
	s, err := v.find(symbol)
	if err != nil {
		return q, err
	}
	q.Symbol = s.symbol
	w, err := v.visibleWindow(s)
	if err != nil {
		return q, err
	}
	for _, at := range []Stamp{v.asOf, v.asOf.Day()} {
		if bar, ok := w.at(at); ok {
			q.Price = bar.Open.Decimal
			if q.Market.Limits != nil {
				q.PreviousClose, q.Status = v.previousClose(w), s.metadata.Load().status(w)
			}
			return q, nil
		}
	}
	return q, w.noPrice(v.asOf)
}

// OpenPrice returns the price of a symbol's [View.Quote].
func (v View) OpenPrice(symbol string) (decimal.Decimal, error) {
	q, err := v.Quote(symbol)
	return q.Price, err
}

// LastClose returns the newest close that is known as of the view, that of a
// whole bar, and the stamp of that bar. It returns a *NoPriceError if there is
// none.
func (v View) LastClose(symbol string) (decimal.Decimal, Stamp, error) {
	return v.LastCloseBy(symbol, v.asOf)
}

// window returns the series of a symbol up to the stamp of the view.
func (v View) window(symbol string) (window, error) {
	s, err := v.find(symbol)
	if err != nil {
		return window{}, err
	}
	return v.visibleWindow(s)
}

func (v View) visibleWindow(s *series) (window, error) {
	bars, err := v.prices.load(s)
	if err != nil {
		return window{}, err
	}
	begun := sort.Search(len(bars), func(i int) bool { return bars[i].stamp > v.asOf || v.before && bars[i].stamp == v.asOf })
	return window{s.symbol, v.asOf, s.metadata.Load().period, bars[:begun]}, nil
}

// isVisible tells whether any bar of the series is visible.
func (v View) isVisible(s *series) (bool, error) {
	_, seen, err := v.firstVisible(s)
	return seen, err
}

// firstVisible returns the stamp of the first visible bar of the series, if there is
// one. The first bar mostly decides, so a series once read need not be in memory.
func (v View) firstVisible(s *series) (first Stamp, seen bool, err error) {
	if bars, from, known := v.prices.extent(s); known {
		if bars == 0 || from > v.asOf {
			return "", false, nil
		}
		if from < v.asOf.Day() {
			return from, true, nil
		}
	}
	w, err := v.visibleWindow(s)
	if err != nil {
		return "", false, err
	}
	first, seen = w.first()
	return first, seen, nil
}

// extent is how many bars a series has, and the stamp of the first, if that is known without reading it.
func (c *content) extent(s *series) (bars int, first Stamp, known bool) {
	if about := s.metadata.Load(); about != nil {
		return about.bars, about.first, true
	}
	if c.outlined(s) {
		return s.outline.Bars, s.outline.First, true
	}
	return 0, "", false
}

// find returns the series of a symbol that exists as of the view.
func (v View) find(symbol string) (*series, error) {
	symbol = strings.TrimSpace(symbol)
	for _, spelling := range []string{symbol, strings.ToUpper(symbol)} {
		s, ok := v.prices.series[spelling]
		if !ok {
			continue
		}
		if seen, err := v.isVisible(s); err != nil || seen {
			return s, err
		}
	}
	similar, err := v.similar(symbol)
	if err != nil {
		return nil, err
	}
	return nil, &UnknownSymbolError{symbol, similar}
}

// Actions returns the corporate actions of a symbol from the day of one stamp up to that of the view, in their order.
func (v View) Actions(symbol string, from Stamp) ([]Action, error) {
	s, err := v.find(symbol)
	if err != nil {
		return nil, err
	}
	about, err := v.prices.about(s)
	if err != nil {
		return nil, err
	}
	var known []Action
	for _, a := range about.actions {
		if from.Day() <= a.Date && (a.Date < v.asOf.Day() || a.Date == v.asOf.Day() && !v.before) {
			known = append(known, a)
		}
	}
	return known, nil
}

// AfterSplits returns the view in which a last close is that of a share as it is later: a split that came in between divides it.
func (v View) AfterSplits() View {
	v.afterSplits = true
	return v
}

// At returns the market as it was seen at an earlier stamp. A later one is that of the view.
func (v View) At(earlier Stamp) View {
	if earlier < v.asOf {
		v.asOf, v.before = earlier, false
	}
	return v
}

// previousClose is the last known close of a day before that of the view, as the price limits of the day rest on it.
func (v View) previousClose(w window) decimal.NullDecimal {
	for i := w.from(w.asOf.Day()) - 1; i >= 0; i-- {
		if bar, ok := w.visible(i); ok && bar.Close.Valid {
			return v.referenceClose(w.symbol, bar)
		}
	}
	return decimal.NullDecimal{}
}

// status says what is known of a share on the day of a view.
func (m *metadata) status(w window) (l ShareStatus) {
	today := w.asOf.Day()
	for _, span := range m.st {
		l.ST = l.ST || span.From <= today && (span.To == "" || today <= span.To)
	}
	if m.listed == "" {
		return l
	}
	last := Stamp("")
	for i := w.from(m.listed); i < len(w.bars); i++ {
		if day := w.bars[i].stamp.Day(); day != last {
			last = day
			if l.Day++; l.Day > 5 { // no market has free days for longer
				l.Day = 0
				return l
			}
		}
	}
	return l
}

// AsStamped returns the view in which bars begin at their stamps in the files, also those that end there; else the view in which they
// begin when they do.
func (v View) AsStamped(asStamped bool) View {
	v.prices = v.prices.stamped(asStamped)
	return v
}
