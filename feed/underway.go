package feed

// This file tells which bars of a series are over. Of a bar under way only the open is taken: the source's other figures of it still change.

import (
	"strconv"
	"strings"
	"time"

	"mcp-trade/market"
)

const (
	closing = 15 * time.Minute // by which sources are late with the close of an exchange
	passing = 10 * time.Second // likewise with bars where and while trading goes on
	recent  = 5                // days, that are asked for again
)

// period returns when a bar begins, and when its figures are final.
func (s *Series) period(at market.Stamp) (begins, final time.Time) {
	m := market.Of(s.Symbol)
	opens, closes := m.Session(at.Day())
	late := func(end time.Time) time.Time {
		if m.Calendar != nil && !end.Before(closes) {
			return end.Add(closing)
		}
		return end.Add(passing)
	}
	if at.IsDay() {
		return opens, late(closes)
	}
	minutes, _ := strconv.Atoi(strings.TrimSuffix(s.Interval, "min"))
	begins, length := at.In(m.Zone()), time.Duration(minutes)*time.Minute
	if s.endStamped() {
		begins = begins.Add(-length)
	}
	end := begins.Add(length)
	if begins.Before(closes) && end.After(closes) {
		end = closes // the last half hour of a day
	}
	return begins, late(end)
}

// endStamped tells whether bars within a day are stamped at their end.
func (s *Series) endStamped() bool {
	return s.Interval != "Daily" && (s.Stamps == "end" || s.Stamps == "" && market.Of(s.Symbol).EndStamped)
}

// upTo leaves out what nobody could know at a moment: bars that had not begun, and of those under way everything but the open.
func (s *Series) upTo(now time.Time) {
	bars := s.Bars[:0]
	for _, b := range s.Bars {
		begins, final := s.period(b.Stamp)
		switch {
		case !final.After(now):
			bars = append(bars, b)
		case !begins.After(now) && b.Figures[Open] != "":
			bars = append(bars, Bar{Stamp: b.Stamp, Figures: [figures]string{Open: b.Figures[Open]}})
		}
	}
	s.Bars = bars
	today := Moment(now.In(market.Of(s.Symbol).Zone())).Day()
	for day := range s.Actions {
		if day > today {
			delete(s.Actions, day)
		}
	}
}

// Due tells whether a source can know more at a moment than the series holds, and from which day on it is to be asked: the last few days
// are asked for again, since bars are completed and corrected late.
func (s *Series) Due(now time.Time) (from market.Stamp, due bool) {
	if len(s.Bars) == 0 {
		return "", false
	}
	last := s.Bars[len(s.Bars)-1].Stamp
	days := 0
	for i := len(s.Bars) - 1; i >= 0; i-- {
		b := &s.Bars[i]
		if b.Stamp.Day() != from {
			if days++; days > recent {
				break
			}
			from = b.Stamp.Day()
		}
		begins, final := s.period(b.Stamp)
		due = due || !final.After(now) && !b.isWhole() || b.Figures[Open] == "" && !begins.After(now)
	}
	return from, due || !s.next(last).After(now)
}

// next returns when the bar after one begins.
func (s *Series) next(last market.Stamp) time.Time {
	m := market.Of(s.Symbol)
	_, closes := m.Session(last.Day())
	if _, final := s.period(last); !last.IsDay() && final.Before(closes) {
		return final.Add(-passing)
	}
	day, known := m.Calendar.Next(last)
	if !known {
		day = last.AddDays(1)
	}
	opens, _ := m.Session(day)
	return opens
}

// isWhole tells whether all prices of a bar are known. Not every source has volumes.
func (b *Bar) isWhole() bool {
	for _, f := range []int{Open, High, Low, Close} {
		if b.Figures[f] == "" {
			return false
		}
	}
	return true
}
