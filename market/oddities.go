package market

// This file finds what is odd about the days of bars, by the calendars of the exchanges, and about their figures.

import (
	"fmt"
	"slices"
)

// OddityKind is what is odd about a bar, or about a day without one.
type OddityKind string

const (
	Gap     OddityKind = "gap"     // no bar on a day on which the exchanges traded, between the first bar and the last
	Closed  OddityKind = "closed"  // a bar on a day on which they were closed
	Outlier OddityKind = "outlier" // a close less than a tenth, or more than ten times, of those before and after it
	Stale   OddityKind = "stale"   // every figure is that of the bar before, though the price moved within it
	Doubled OddityKind = "doubled" // a second bar at a stamp; the last in the file counts
)

// Oddity is something odd about the series of a symbol.
type Oddity struct {
	Symbol string     `json:"symbol"`
	Kind   OddityKind `json:"kind"`
	Count  int        `json:"count"` // days of a gap, else bars
	First  []Stamp    `json:"first"` // of them, ascending, at most 5
	file   string
	line   int
}

const firstTold = 5

// warning tells of the oddity in a sentence.
func (o Oddity) warning() Warning {
	problem := fmt.Sprintf("%s: %s: %s", o.Symbol, o.First[0], map[OddityKind]string{
		Gap: "no bar, though the exchanges traded on that day", Closed: "the exchanges are closed on that day", Stale: "the bar repeats the one before it in every figure",
		Outlier: "the close is less than a tenth, or more than ten times, of the closes before and after it", Doubled: "a bar at this stamp is there twice",
	}[o.Kind])
	if o.Count > 1 {
		problem += fmt.Sprintf(" (and %d more)", o.Count-1)
	}
	return Warning{File: o.file, Line: o.line, Symbol: o.Symbol, At: string(o.First[0]), Problem: problem}
}

// oddities are those of a series whose market traded on days.
func (s *series) oddities(bars []packedBar, days []Stamp) (found []Oddity) {
	add := func(kind OddityKind, at []Stamp) {
		if len(at) > 0 {
			found = append(found, Oddity{s.symbol, kind, len(at), at[:min(len(at), firstTold)], s.source.path, s.line})
		}
	}
	where := func(is func(i int) bool) (at []Stamp) {
		for i := range bars {
			if is(i) {
				at = append(at, bars[i].stamp)
			}
		}
		return at
	}
	about := Of(s.symbol)
	add(Gap, gaps(bars, days))
	add(Closed, where(func(i int) bool {
		why, _ := about.Calendar.Closed(bars[i].stamp)
		return why != ""
	}))
	add(Outlier, where(func(i int) bool { return isSpike(bars, i) }))
	add(Stale, where(func(i int) bool { return repeats(bars, i) }))
	add(Doubled, s.metadata.Load().doubled)
	return found
}

// gaps are the days between the first bar and the last on which the market traded, and the series has no bar.
func gaps(bars []packedBar, days []Stamp) (missing []Stamp) {
	if len(bars) == 0 {
		return nil
	}
	first, _ := slices.BinarySearch(days, bars[0].stamp.Day())
	i := 0
	for _, day := range days[first:] {
		for i < len(bars) && bars[i].stamp.Day() < day {
			i++
		}
		if i == len(bars) {
			break
		}
		if bars[i].stamp.Day() != day {
			missing = append(missing, day)
		}
	}
	return missing
}

// traded is what is known of the days between the first and the last bar of a market.
type traded struct {
	days    []Stamp // on which the exchanges traded: by their calendar, and where that does not tell, because a symbol has a bar
	unknown []Stamp // weekdays of which neither tells
}

// tradingDays are those of each market that has bars.
func (c *content) tradingDays() (map[ID]traded, error) {
	all, err := c.calendar()
	if err != nil {
		return nil, err
	}
	markets := map[ID]traded{}
	for id, data := range all {
		if id == "" || len(data) == 0 {
			continue
		}
		var t traded
		last := data[len(data)-1]
		for day := data[0]; day <= last; day = day.AddDays(1) {
			why, known := id.Get().Calendar.Closed(day)
			if !known {
				_, known = slices.BinarySearch(data, day)
			}
			switch {
			case !known:
				t.unknown = append(t.unknown, day)
			case why == "":
				t.days = append(t.days, day)
			}
		}
		markets[id] = t
	}
	return markets, nil
}

// UnknownDays are the weekdays without a bar, between the first and the last one of a market, that its calendar does not tell of. They
// may be holidays or gaps.
type UnknownDays struct {
	Market ID      `json:"market"`
	Count  int     `json:"count"`
	First  []Stamp `json:"first"` // of them, ascending, at most 5
	From   Stamp   `json:"calendar_from"`
	To     Stamp   `json:"calendar_to"` // the days that the calendar tells of
}

// UnknownDays are those of each market that has some.
func (p *Prices) UnknownDays() (list []UnknownDays, err error) {
	traded, err := p.content().tradingDays()
	for i := range markets {
		m := &markets[i]
		if days := traded[m.ID].unknown; len(days) > 0 {
			list = append(list, UnknownDays{m.ID, len(days), days[:min(len(days), firstTold)], m.Calendar.From, m.Calendar.To})
		}
	}
	return list, err
}

// repeats tells whether a bar that moved has every figure of the one before it, as where a feed has stood still. One that did
// not move may be of a day like the one before.
func repeats(bars []packedBar, i int) bool {
	if i == 0 || !bars[i].volume.known || !bars[i].open.known || bars[i].open == bars[i].close {
		return false
	}
	a, b := bars[i-1], bars[i]
	a.stamp = b.stamp
	return a == b
}

// isSpike tells whether a close is more than ten times higher or lower than both
// of its neighbours.
func isSpike(bars []packedBar, i int) bool {
	if i == 0 || i == len(bars)-1 {
		return false
	}
	before, at, after := bars[i-1].close, bars[i].close, bars[i+1].close
	if !before.known || !at.known || !after.known {
		return false
	}
	const times = 10
	a, b, c := before.float(), at.float(), after.float()
	return b*times < min(a, c) || b > times*max(a, c)
}

func (n packedDecimal) float() float64 {
	f, _ := n.decimal().Decimal.Float64()
	return f
}
