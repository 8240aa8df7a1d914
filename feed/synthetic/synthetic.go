// Package synthetic makes up the prices of a market for demonstrations: they move as prices do, and belong to no company or coin.
//
// A common factor moves all symbols, each by its beta, and news move one alone. Volatility clusters and tails are fat, by GARCH(1,1) with
// mixed normal shocks. Shares open with a gap; coins go on where they stopped. Shares pay dividends and are split, with raw prices and the
// actions beside them; A-shares keep within the price limits of their day. One symbol trends, one returns to its level, and one has no bars
// for some days, as in a halt.
//
// Everything is reckoned in integers, and with square roots, which are exact to the last bit on every machine: equal arguments give equal
// bytes. File roster.go has the symbols, walk.go how they move.
package synthetic

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"mcp-trade/feed"
	"mcp-trade/market"
)

// Write writes a made-up market as a price file, with so many days of its calendar from one on. Each line says that it is synthetic.
// It is an error if there is not at least one day, and if the calendar of the market does not tell of all of them.
func Write(w io.Writer, of market.ID, seed uint64, first market.Stamp, days int) error {
	calendar, err := calendarOf(of.Get(), first, days)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	factor := newFactor(seed, of, days)
	for n, member := range roster(of) {
		s := newWalk(seed, n, member, days).series(calendar, factor)
		s.Name = fmt.Sprintf("Made-up %02d", n+1)
		s.About.Synthetic = json.RawMessage(fmt.Sprintf(`"made up from seed %d, of no real market"`, seed))
		if err := s.Write(out); err != nil {
			return err
		}
	}
	return out.Flush()
}

// calendarOf returns the first days of a calendar from one on.
func calendarOf(m *market.Market, first market.Stamp, days int) (calendar []market.Stamp, err error) {
	if days < 1 {
		return nil, fmt.Errorf("a synthetic market needs at least one day, not %d", days)
	}
	if first, err = market.ParseStamp(string(first)); err != nil || !first.IsDay() {
		return nil, fmt.Errorf("the first day of a synthetic market must be a day such as 2025-01-02, not %.40q", string(first))
	}
	for day := first; len(calendar) < days; day = day.AddDays(1) {
		why, known := m.Calendar.Closed(day)
		if !known || day > "9999-12-30" {
			return nil, fmt.Errorf("%d trading days from %s: the calendar of %s does not tell of %s", days, first, m.Name, day)
		}
		if why == "" {
			calendar = append(calendar, day)
		}
	}
	return calendar, nil
}

// series are the bars of a walk over the days.
func (w *walk) series(calendar []market.Stamp, factor []move) feed.Series {
	s := feed.Series{Symbol: w.symbol, Interval: "Daily"}
	if w.kind.actions {
		s.Actions = map[market.Stamp]feed.Action{}
	}
	for i, day := range calendar {
		a, acted := w.act(i)
		bar, traded := w.day(day, i, factor[i])
		if acted {
			s.Actions[day] = a
		}
		if traded {
			bar.Stamp = day
			s.Bars = append(s.Bars, bar)
		}
	}
	return s
}
