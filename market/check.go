package market

// This file checks whether price files can be traded: a well-formed series may
// still have no usable bar.

import (
	"fmt"
	"slices"
)

// Usable says how much of the series of one symbol can be traded.
type Usable struct {
	Symbol   string
	File     string
	Opens    int       // bars with a known open: the stamps at which an order can fill
	Problems []Warning // what is wrong with the form of bars: the first of each kind, with how many there are
	Oddities []Oddity  // what is odd about well-formed bars
}

// All are the problems and the oddities, but for bars that are there twice: reading warns of them.
func (u Usable) All() []Warning {
	all := slices.Clone(u.Problems)
	for _, o := range u.Oddities {
		if o.Kind != Doubled {
			all = append(all, o.warning())
		}
	}
	return all
}

// Usable looks at every bar of every series that can be read, by symbol,
// ascending. Damaged series are in Warnings. It reads the future, too, so it is
// for operators only.
func (p *Prices) Usable() ([]Usable, error) {
	all := []Usable{}
	c := p.content()
	traded, err := c.tradingDays()
	if err != nil {
		return nil, err
	}
	for _, symbol := range c.symbols {
		s := c.series[symbol]
		bars, err := c.load(s)
		if isDamage(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, s.usable(bars, traded[Of(symbol).ID].days))
	}
	return all, nil
}

// usable looks at the bars of a series whose market traded on days.
func (s *series) usable(bars []packedBar, days []Stamp) Usable {
	u := Usable{Symbol: s.symbol, File: s.source.path}
	for _, b := range bars {
		if b.open.known {
			u.Opens++
		}
	}
	u.Problems = s.told(bars, []oddity{
		{"no figure of the bar is known; their names may be others than this program reads (1. open or 1. buy price, 2. high, 3. low, 4. close or 4. sell price)",
			func(i int) bool {
				b := bars[i]
				return !b.open.known && !b.high.known && !b.low.known && !b.close.known
			}},
		{"a daily bar is stamped with a time of day, so no order on that day finds it; write the day alone",
			func(i int) bool { return s.metadata.Load().interval == "daily" && !bars[i].stamp.IsDay() }},
		{"the bar is impossible: its high is below its low, or its open or close lies outside of the two", func(i int) bool { return bars[i].impossible() }},
	})
	u.Oddities = s.oddities(bars, days)
	return u
}

// oddity is something odd that a bar may have.
type oddity struct {
	problem string
	is      func(i int) bool // the bar at an index has it
}

// told tells of each kind of oddity at which bar it is first, and at how many others.
func (s *series) told(bars []packedBar, kinds []oddity) (told []Warning) {
	for _, k := range kinds {
		first, count := Stamp(""), 0
		for i := range bars {
			if k.is(i) {
				if count++; count == 1 {
					first = bars[i].stamp
				}
			}
		}
		if count == 0 {
			continue
		}
		problem := fmt.Sprintf("%s: %s: %s", s.symbol, first, k.problem)
		if count > 1 {
			problem += fmt.Sprintf(" (and %d bars more)", count-1)
		}
		told = append(told, Warning{File: s.source.path, Line: s.line, Symbol: s.symbol, At: string(first), Problem: problem})
	}
	return told
}

// impossible tells whether the prices of a bar contradict each other.
func (b packedBar) impossible() bool {
	over := func(a, b packedDecimal) bool {
		return a.known && b.known && a.decimal().Decimal.GreaterThan(b.decimal().Decimal)
	}
	return over(b.low, b.high) || over(b.open, b.high) || over(b.close, b.high) || over(b.low, b.open) || over(b.low, b.close)
}

// Tradable tells whether an order of an account in a market can fill in the series.
func (u Usable) Tradable(in ID) bool { return u.Opens > 0 && Of(u.Symbol).ID == in }
