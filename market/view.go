package market

// This file is the one door to a price: the market as of a stamp.

import (
	"slices"
	"sort"
	"strings"

	"github.com/shopspring/decimal"
)

// View is the market as seen at a stamp. It is a value; Prices.AsOf makes it.
//
// A bar is whole when its period is over: a timed bar before the stamp, a daily
// bar before the day of the stamp. Of the bar at the stamp (with a moment as
// the stamp: also the daily bar of that day) only the open is known. Nothing
// else exists: no later bar, and no symbol that has only later bars.
//
// Symbols are found as written, without the space around them, or else in
// capitals. Every method that takes one returns an *UnknownSymbolError if it
// does not exist, and a *DamagedError if its series cannot be read.
type View struct {
	prices *Prices
	asOf   Stamp
}

// AsOf returns the stamp of the view.
func (v View) AsOf() Stamp { return v.asOf }

// Symbols returns the symbols that have a visible bar, ascending. Damaged
// series are left out.
func (v View) Symbols() ([]string, error) {
	symbols := []string{}
	for _, symbol := range v.prices.symbols {
		seen, err := v.sees(v.prices.series[symbol])
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
	s, bars, err := v.bars(symbol)
	if err != nil {
		return Bar{}, err
	}
	bar, ok := v.barAt(bars, at)
	if !ok {
		return Bar{}, v.noPrice(s, bars, at)
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
	_, all, err := v.bars(symbol)
	if err != nil {
		return nil, "", err
	}
	all = all[:sort.Search(len(all), func(i int) bool { return !all[i].Stamp.until(to) })]
	if from == "" {
		return v.newest(all, limit), "", nil
	}
	bars = []Bar{}
	for _, bar := range all[indexFrom(all, from):] {
		bar, ok := v.show(bar)
		if ok && limit > 0 && len(bars) == limit {
			return bars, bar.Stamp, nil
		}
		if ok {
			bars = append(bars, bar)
		}
	}
	return bars, "", nil
}

// newest returns the newest bars that are visible, in ascending order.
func (v View) newest(all []Bar, limit int) []Bar {
	bars := []Bar{}
	for _, bar := range slices.Backward(all) {
		if limit > 0 && len(bars) == limit {
			break
		}
		if bar, ok := v.show(bar); ok {
			bars = append(bars, bar)
		}
	}
	slices.Reverse(bars)
	return bars
}

// OpenPrice returns the open of the bar at the stamp of the view: the price at
// which an order fills. It returns a *NoPriceError if that is not known.
func (v View) OpenPrice(symbol string) (decimal.Decimal, error) {
	s, bars, err := v.bars(symbol)
	if err != nil {
		return decimal.Decimal{}, err
	}
	for _, at := range []Stamp{v.asOf, v.asOf.Day()} {
		if bar, ok := v.barAt(bars, at); ok {
			return bar.Open.Decimal, nil
		}
	}
	return decimal.Decimal{}, v.noPrice(s, bars, v.asOf)
}

// LastClose returns the newest close that is known as of the view, that of a
// whole bar, and the stamp of that bar. It returns a *NoPriceError if there is
// none.
func (v View) LastClose(symbol string) (decimal.Decimal, Stamp, error) {
	s, bars, err := v.bars(symbol)
	if err != nil {
		return decimal.Decimal{}, "", err
	}
	for _, bar := range slices.Backward(bars) {
		if bar, ok := v.show(bar); ok && bar.Close.Valid {
			return bar.Close.Decimal, bar.Stamp, nil
		}
	}
	return decimal.Decimal{}, "", v.noPrice(s, bars, v.asOf)
}

// show returns the bar as the view sees it, if it sees it. This is the rule
// that all else rests on. An open that is not known shows nothing: whether a
// bar will be there at all is itself news.
func (v View) show(b Bar) (Bar, bool) {
	switch {
	case b.Stamp == v.asOf, b.Stamp == v.asOf.Day():
		return Bar{Stamp: b.Stamp, Open: b.Open}, b.Open.Valid
	case b.Stamp < v.asOf:
		return b, true
	}
	return Bar{}, false
}

// sees tells whether any bar of the series is visible. The first bar mostly
// decides, so a series once read need not be in memory.
func (v View) sees(s *series) (bool, error) {
	if about := s.about.Load(); about != nil {
		if about.bars == 0 || about.first > v.asOf {
			return false, nil
		}
		if about.first < v.asOf.Day() {
			return true, nil
		}
	}
	bars, err := v.prices.load(s)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(v.past(bars), func(b Bar) bool {
		_, ok := v.show(b)
		return ok
	}), nil
}

// find returns the series of a symbol that exists as of the view.
func (v View) find(symbol string) (*series, error) {
	symbol = strings.TrimSpace(symbol)
	for _, spelling := range []string{symbol, strings.ToUpper(symbol)} {
		s, ok := v.prices.series[spelling]
		if !ok {
			continue
		}
		if seen, err := v.sees(s); err != nil || seen {
			return s, err
		}
	}
	similar, err := v.similar(symbol)
	if err != nil {
		return nil, err
	}
	return nil, &UnknownSymbolError{symbol, similar}
}

// bars returns the series of a symbol and its bars up to the stamp of the view,
// still to be passed through show.
func (v View) bars(symbol string) (*series, []Bar, error) {
	s, err := v.find(symbol)
	if err != nil {
		return nil, nil, err
	}
	bars, err := v.prices.load(s)
	return s, v.past(bars), err
}

// past cuts off the bars after the stamp of the view.
func (v View) past(bars []Bar) []Bar {
	return bars[:sort.Search(len(bars), func(i int) bool { return bars[i].Stamp > v.asOf })]
}

func (v View) barAt(bars []Bar, at Stamp) (Bar, bool) {
	i := indexFrom(bars, at)
	if i == len(bars) || bars[i].Stamp != at {
		return Bar{}, false
	}
	return v.show(bars[i])
}

func (v View) noPrice(s *series, bars []Bar, at Stamp) error {
	missing := &NoPriceError{Symbol: s.symbol, At: at}
	if before := v.newest(bars[:indexFrom(bars, at)], 1); len(before) == 1 {
		missing.Nearest = before[0].Stamp
	}
	return missing
}

// indexFrom returns the index of the first bar that is not before the stamp.
func indexFrom(bars []Bar, from Stamp) int {
	return sort.Search(len(bars), func(i int) bool { return bars[i].Stamp >= from })
}
