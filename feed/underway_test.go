package feed

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"mcp-trade/market"
)

// at is a moment in the zone of a symbol.
func at(t *testing.T, symbol, text string) time.Time {
	t.Helper()
	moment, err := time.ParseInLocation("2006-01-02 15:04:05", text, market.Of(symbol).Zone())
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

func ofBars(symbol, interval, stamps string, at ...market.Stamp) *Series {
	s := &Series{Symbol: symbol, Interval: interval, Stamps: stamps}
	for _, stamp := range at {
		s.Bars = append(s.Bars, Bar{Stamp: stamp, Figures: [figures]string{"10", "12", "9", "11", "5"}})
	}
	return s
}

// known is how much is known of each bar: 1 the open, 5 all, and of a bar that is left out 0.
func known(s *Series, of []market.Stamp) string {
	var text strings.Builder
	for _, stamp := range of {
		n := 0
		for _, b := range s.Bars {
			if b.Stamp == stamp {
				for _, f := range b.Figures {
					n += min(len(f), 1)
				}
			}
		}
		fmt.Fprint(&text, n)
	}
	return text.String()
}

// A bar is taken whole when its figures are final, with its open alone while it is under way, and not at all before.
func TestSeries_upTo(t *testing.T) {
	days := []market.Stamp{"2025-11-26", "2025-11-28", "2025-12-01"}
	usHours := []market.Stamp{"2025-10-03 14:30:00", "2025-10-03 15:30:00", "2025-10-06 09:30:00"}
	coin := []market.Stamp{"2025-10-03", "2025-10-04", "2025-10-05"}
	for _, c := range []struct {
		symbol, interval, stamps string
		bars                     []market.Stamp
		now, want                string
	}{
		{"AAPL", "Daily", "", days, "2025-11-28 09:29:59", "500"},
		{"AAPL", "Daily", "", days, "2025-11-28 09:30:00", "510"},
		{"AAPL", "Daily", "", days, "2025-11-28 13:14:59", "510"}, // a half day, and sources that are late
		{"AAPL", "Daily", "", days, "2025-11-28 13:15:00", "550"},
		{"AAPL", "Daily", "", days, "2025-12-01 16:14:59", "551"},
		{"AAPL", "Daily", "", days, "2025-12-01 16:15:00", "555"},
		{"AAPL", "60min", "", usHours, "2025-10-03 14:29:59", "000"},
		{"AAPL", "60min", "", usHours, "2025-10-03 15:30:00", "110"},
		{"AAPL", "60min", "", usHours, "2025-10-03 15:30:10", "510"},
		{"AAPL", "60min", "", usHours, "2025-10-03 16:14:00", "510"},
		{"AAPL", "60min", "", usHours, "2025-10-03 16:15:00", "550"},
		{"600519.SH", "Daily", "", []market.Stamp{"2025-10-09"}, "2025-10-09 15:14:00", "1"},
		{"600519.SH", "Daily", "", []market.Stamp{"2025-10-09"}, "2025-10-09 15:15:00", "5"},
		{"600519.SH", "60min", "", []market.Stamp{"2025-10-09 10:30:00", "2025-10-09 11:30:00"}, "2025-10-09 10:31:00", "51"},
		{"600519.SH", "60min", "start", []market.Stamp{"2025-10-09 10:30:00", "2025-10-09 13:00:00"}, "2025-10-09 11:29:00", "10"},
		{"BTC-USDT", "Daily", "", coin, "2025-10-04 00:00:09", "110"},
		{"BTC-USDT", "Daily", "", coin, "2025-10-04 00:00:10", "510"},
		{"BTC-USDT", "60min", "", []market.Stamp{"2025-10-04 22:00:00", "2025-10-04 23:00:00"}, "2025-10-04 23:59:59", "51"},
		{"BTC-USDT", "60min", "", []market.Stamp{"2025-10-04 22:00:00", "2025-10-04 23:00:00"}, "2025-10-05 00:00:10", "55"},
	} {
		s := ofBars(c.symbol, c.interval, c.stamps, c.bars...)
		s.upTo(at(t, c.symbol, c.now))
		if got := known(s, c.bars); got != c.want {
			t.Errorf("%s, %s, at %s: %s is known of %v, want %s", c.symbol, c.interval, c.now, got, c.bars, c.want)
		}
	}
	s := ofBars("AAPL", "Daily", "", "2025-12-01")
	s.Bars[0].Figures[Open] = ""
	s.Actions = map[market.Stamp]Action{"2025-12-01": {Split: "2"}, "2025-12-02": {Split: "3"}}
	if s.upTo(at(t, "AAPL", "2025-12-01 12:00:00")); len(s.Bars) != 0 || len(s.Actions) != 1 {
		t.Errorf("a bar under way without an open is there, or an action of tomorrow: %+v", s)
	}
}

// A source is asked again once it can know more, and for the last few days: they are corrected late.
func TestSeries_Due(t *testing.T) {
	week := []market.Stamp{"2025-11-19", "2025-11-20", "2025-11-21", "2025-11-24", "2025-11-25", "2025-11-26"}
	open := func(s *Series, i int) *Series {
		s.Bars[i].Figures = [figures]string{"10"}
		return s
	}
	for _, c := range []struct {
		name string
		s    *Series
		now  string
		from market.Stamp
		due  bool
	}{
		{"all is there", ofBars("AAPL", "Daily", "", week...), "2025-11-28 09:29:59", "2025-11-20", false},
		{"the next day has begun, after a holiday", ofBars("AAPL", "Daily", "", week...), "2025-11-28 09:30:00", "2025-11-20", true},
		{"the day is under way", open(ofBars("AAPL", "Daily", "", week...), 5), "2025-11-26 16:14:59", "2025-11-20", false},
		{"the day is over", open(ofBars("AAPL", "Daily", "", week...), 5), "2025-11-26 16:15:00", "2025-11-20", true},
		{"a day before is not whole", open(ofBars("AAPL", "Daily", "", week...), 4), "2025-11-26 23:00:00", "2025-11-20", true},
		{"a day of long ago is not whole", open(ofBars("AAPL", "Daily", "", week...), 0), "2025-11-26 23:00:00", "2025-11-20", false},
		{"the hour is under way", open(ofBars("BTC-USDT", "60min", "", "2025-11-25 22:00:00", "2025-11-25 23:00:00"), 1), "2025-11-25 23:59:00", "2025-11-25", false},
		{"the next hour has begun", ofBars("BTC-USDT", "60min", "", "2025-11-25 21:00:00", "2025-11-25 22:00:00"), "2025-11-25 23:00:00", "2025-11-25", true},
		{"the last hour of the day", ofBars("AAPL", "60min", "", "2025-11-26 15:30:00"), "2025-11-28 09:29:00", "2025-11-26", false},
		{"the first of the next", ofBars("AAPL", "60min", "", "2025-11-26 15:30:00"), "2025-11-28 09:30:00", "2025-11-26", true},
		{"a day that no calendar knows", ofBars("AAPL", "Daily", "", "2031-01-06"), "2031-01-07 09:30:00", "2031-01-06", true},
		{"nothing", ofBars("AAPL", "Daily", ""), "2025-11-28 09:30:00", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if from, due := c.s.Due(at(t, c.s.Symbol, c.now)); from != c.from || due != c.due {
				t.Errorf("from %s, %v, want %s, %v", from, due, c.from, c.due)
			}
		})
	}
}
