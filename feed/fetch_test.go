package feed

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"mcp-trade/market"
)

// stock is a source that has some bars, or fails.
type stock struct {
	name  string
	bars  []Bar
	fail  error
	asked *int
}

func (s stock) Name() string { return s.name }

func (s stock) Fetch(_ context.Context, _ Getter, job Job) (*Series, []string, error) {
	*s.asked++
	if s.fail != nil {
		return nil, nil, s.fail
	}
	return &Series{Symbol: job.Symbol, Interval: job.Interval, Bars: s.bars}, nil, nil
}

func dayBar(day market.Stamp, price string) Bar {
	return Bar{Stamp: day, Figures: [figures]string{price, price, price, price, "1"}}
}

// Sources are asked in their order until one has the bars, and those that have closed are not asked again.
func TestFetch(t *testing.T) {
	one, two := 0, 0
	job := Job{Symbol: "AAPL", Interval: "Daily", From: "2025-10-01", To: "2025-10-07", Now: time.Date(2025, 10, 8, 0, 0, 0, 0, time.UTC)}
	bars := []Bar{dayBar("2025-10-01", "1"), dayBar("2025-10-02", "1"), dayBar("2025-10-06", "1")}
	for name, c := range map[string]struct {
		first   stock
		outcome Kind
		source  string
		told    string
		asked   [2]int // of two fetches
	}{
		"the first has it":        {stock{bars: bars}, Done, "one", "2 of 5 trading days have no bar, from 2025-10-03 to 2025-10-07", [2]int{2, 0}},
		"the first does not know": {stock{fail: &Outcome{Kind: NoSuch, Says: "unknown"}}, Done, "two", "one: no such symbol: unknown", [2]int{2, 2}},
		"the first has no bar":    {stock{}, Done, "two", "one: no data in the range", [2]int{2, 2}},
		"the first has closed":    {stock{fail: &Outcome{Kind: Refused, Says: "limit", Closed: true}}, Done, "two", "one: refused: limit", [2]int{1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			one, two = 0, 0
			c.first.name, c.first.asked = "one", &one
			routes := []*Route{{Source: c.first}, {Source: stock{name: "two", bars: bars, asked: &two}}}
			for range 2 {
				f, err := Fetch(t.Context(), routes, job)
				if err != nil || f.Outcome != c.outcome || f.Source != c.source || !strings.Contains(strings.Join(f.Told, "\n"), c.told) {
					t.Errorf("%+v, %v", f, err)
				}
			}
			if one != c.asked[0] || two != c.asked[1] {
				t.Errorf("asked %d and %d times, want %v", one, two, c.asked)
			}
		})
	}
	routes := []*Route{{Source: stock{name: "one", fail: &Outcome{Kind: Broken, Says: "x"}, asked: &one}}}
	if f, err := Fetch(t.Context(), routes, job); err != nil || f.Outcome != Broken || f.Series != nil {
		t.Errorf("%+v, %v", f, err)
	}
	routes[0].Source = stock{fail: context.Canceled, asked: &one}
	if _, err := Fetch(t.Context(), routes, job); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// What a price file has stays; what is new is added, and what was changed is told.
func TestSeries_Join(t *testing.T) {
	old := &Series{Symbol: "A", Interval: "Daily", Bars: []Bar{dayBar("2025-10-01", "1"), {Stamp: "2025-10-02", Figures: [figures]string{"2"}}},
		Actions: map[market.Stamp]Action{"2025-10-01": {Dividend: "0.1"}}}
	newer := &Series{Symbol: "A", Interval: "Daily", Bars: []Bar{dayBar("2025-09-30", "9"), dayBar("2025-10-01", "1.5"), dayBar("2025-10-02", "2"), dayBar("2025-10-03", "3")},
		Actions: map[market.Stamp]Action{"2025-10-01": {Dividend: "0.2"}, "2025-10-03": {Split: "2"}}, Sources: []Provenance{{Source: "x"}}}
	added, revised, err := old.Join(newer)
	if err != nil || added != 4 {
		t.Fatal(added, err)
	}
	want := "[{2025-09-30 [9 9 9 9 1] 0} {2025-10-01 [1 1 1 1 1] 0} {2025-10-02 [2 2 2 2 1] 0} {2025-10-03 [3 3 3 3 1] 0}]"
	if got := fmt.Sprint(old.Bars); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if len(revised) != 2 || fmt.Sprint(revised[0].Was, revised[0].Is) != "map[close:1 high:1 low:1 open:1] map[close:1.5 high:1.5 low:1.5 open:1.5]" || revised[0].Stamp != "2025-10-01" ||
		revised[1].Was["dividend"] != "0.1" || revised[1].Is["dividend"] != "0.2" {
		t.Errorf("%+v", revised)
	}
	if old.Actions["2025-10-01"].Dividend != "0.1" || old.Actions["2025-10-03"].Split != "2" || len(old.Sources) != 1 {
		t.Errorf("%+v", old)
	}
	if added, revised, err := old.Join(&Series{Symbol: "A", Interval: "Daily", Bars: newer.Bars[2:3], Sources: []Provenance{{Source: "x"}}}); added != 0 || revised != nil || err != nil || len(old.Sources) != 1 {
		t.Errorf("%d bars that were there are added, %v, %v; the sources are %v", added, revised, err, old.Sources)
	}
	if _, _, err := old.Join(&Series{Symbol: "A", Interval: "60min"}); err == nil {
		t.Error("hours were added to days")
	}
	hours := &Series{Symbol: "600519.SH", Interval: "60min"}
	if _, _, err := hours.Join(&Series{Symbol: "600519.SH", Interval: "60min", Stamps: "start"}); err == nil {
		t.Error("bars that are stamped at their start were added to others")
	}
}

// A bar of a day that was traded without it stays out; one that was there with its open is completed.
func TestSeries_Join_TradedWithout(t *testing.T) {
	s := &Series{Symbol: "A", Interval: "Daily", Bars: []Bar{{Stamp: "2025-10-01", Figures: [figures]string{"1"}}, {Stamp: "2025-10-02", Figures: [figures]string{"", "", "", "2"}}}}
	newer := &Series{Symbol: "A", Interval: "Daily", Bars: []Bar{dayBar("2025-10-01", "1"), dayBar("2025-10-02", "2"), {Stamp: "2025-10-03", Figures: [figures]string{"3"}}, dayBar("2025-10-04", "4")}}
	added, revised, err := s.Join(newer, "2025-10-01", "2025-10-02", "2025-10-03")
	const want = "[{2025-10-01 [1 1 1 1 1] 0} {2025-10-02 [   2 ] 0} {2025-10-04 [4 4 4 4 1] 0}]"
	if got := fmt.Sprint(s.Bars); added != 2 || err != nil || got != want {
		t.Errorf("%d are added, %v: %s, want %s", added, err, got, want)
	}
	if len(revised) != 2 || revised[0].Stamp != "2025-10-02" || revised[1].Stamp != "2025-10-03" || len(revised[1].Was) != 0 || fmt.Sprint(revised[1].Is) != "map[open:3]" {
		t.Errorf("%+v", revised)
	}
}

// The open that was taken in the morning stays, also if the source corrects it; what cannot be with it stays unknown.
func TestSeries_Join_Correction(t *testing.T) {
	for name, c := range map[string]struct {
		newer [figures]string
		want  [figures]string
		is    string
	}{
		"the same open":              {[figures]string{"10", "12", "9", "11", "5"}, [figures]string{"10", "12", "9", "11", "5"}, ""},
		"another open":               {[figures]string{"10.5", "12", "9", "11", "5"}, [figures]string{"10", "12", "9", "11", "5"}, "map[open:10.5]"},
		"an open beyond the old one": {[figures]string{"8", "9.5", "7", "9", "5"}, [figures]string{"10", "", "", "9", "5"}, "map[open:8]"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Series{Symbol: "A", Interval: "Daily", Bars: []Bar{{Stamp: "2025-10-02", Figures: [figures]string{"10"}}}}
			added, revised, err := s.Join(&Series{Symbol: "A", Interval: "Daily", Bars: []Bar{{Stamp: "2025-10-02", Figures: c.newer}}})
			if added != 1 || err != nil || s.Bars[0].Figures != c.want || (c.is != "") != (len(revised) == 1) || c.is != "" && fmt.Sprint(revised[0].Is) != c.is {
				t.Errorf("%v, %v, %v", s.Bars, revised, err)
			}
		})
	}
}
