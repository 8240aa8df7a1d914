package market

// Tests of the calendar that a view knows.

import (
	"slices"
	"testing"
)

func TestAddDays(t *testing.T) {
	for in, want := range map[Stamp]Stamp{
		"2025-10-02": "2025-10-03", "2025-10-02 15:00:00": "2025-10-03", "2025-12-31": "2026-01-01", "2024-02-28": "2024-02-29", "x": "x",
	} {
		if got := in.AddDays(1); got != want {
			t.Errorf("the day after %s is %s, want %s", in, got, want)
		}
	}
}

// The days of a view are over.
func TestView_Days(t *testing.T) {
	p := openText(t, seriesLine("A", "2025-10-01", "2025-10-03")+"\n"+seriesLine("B.SH", "2025-10-02 10:30:00", "2025-10-02 15:00:00"))
	for _, c := range []struct {
		asOf     Stamp
		market   ID
		from, to Stamp
		want     []Stamp
	}{
		{"2025-10-09", "", "", "", []Stamp{"2025-10-01", "2025-10-02", "2025-10-03"}},
		{"2025-10-09", US, "", "", []Stamp{"2025-10-01", "2025-10-03"}},
		{"2025-10-09", CN, "", "", []Stamp{"2025-10-02"}},
		{"2025-10-09", "", "2025-10-02 09:00:00", "2025-10-02 09:00:00", []Stamp{"2025-10-02"}},
		{"2025-10-03", "", "", "", []Stamp{"2025-10-01", "2025-10-02"}},
		{"2025-10-02 15:00:00", "", "", "", []Stamp{"2025-10-01"}},
		{"2025-10-01", "", "", "", nil},
	} {
		got, err := p.AsOf(c.asOf).Days(c.market, c.from, c.to)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("as of %s, market %q, %s to %s: %v, %v, want %v", c.asOf, c.market, c.from, c.to, got, err, c.want)
		}
	}
}

func TestView_DaysAfter(t *testing.T) {
	p := openText(t, seriesLine("A", "2025-10-01", "2025-10-03", "2025-10-06")+"\n"+seriesLine("H", "2025-10-02 10:30:00", "2025-10-02 15:00:00")+
		"\n"+seriesLine("B.SH", "2025-10-04"))
	for _, c := range []struct {
		asOf, after, to Stamp
		want            int
	}{
		{"2025-10-09", "2025-10-01", "2025-10-01", 0},
		{"2025-10-09", "2025-10-01", "2025-10-02", 1},
		{"2025-10-09", "2025-10-01", "2025-10-06", 3},
		{"2025-10-09", "2025-10-03", "2025-10-05", 0}, // the other market's day is none of this one
		{"2025-10-09", "2025-10-02 15:00:00", "2025-10-06", 2},
		{"2025-10-09", "2025-10-06", "2025-10-09", 0},
		{"2025-10-03", "2025-10-01", "2025-10-03", 2},                   // today has begun
		{"2025-10-04", "2025-10-01", "2025-10-04", 2},                   // today nothing trades
		{"2025-10-02 09:00:00", "2025-10-01", "2025-10-02 09:00:00", 0}, // today has not begun
		{"2025-10-02 10:30:00", "2025-10-01", "2025-10-02 10:30:00", 1},
		{"2025-10-02 10:30:00", "2025-10-02", "2025-10-02 10:30:00", 0},
		{"2025-10-03", "2025-10-01", "2025-10-06", 2}, // what is later does not exist
	} {
		got, err := p.AsOf(c.asOf).DaysAfter(US, c.after, c.to)
		if err != nil || got != c.want {
			t.Errorf("as of %s, after %s up to %s: %d, %v, want %d", c.asOf, c.after, c.to, got, err, c.want)
		}
	}
}

// A day closes with its last bar.
func TestView_Close(t *testing.T) {
	const series = `{"Meta Data": {"2. Symbol": "A"}, "Time Series (60min)": {
		"2025-10-01 10:30:00": {"1. open": "1", "4. close": "2"}, "2025-10-01 15:00:00": {"1. open": "3", "4. close": "4"},
		"2025-10-02 10:30:00": {"1. open": "5", "4. close": "6"}, "2025-10-02 15:00:00": {"1. open": "7"}}}`
	p := openText(t, series)
	for _, c := range []struct {
		asOf, day Stamp
		want      string // "" is none
	}{
		{"2025-10-03", "2025-10-01", "4"},
		{"2025-10-03", "2025-10-01 10:30:00", "4"},
		{"2025-10-03", "2025-10-02", ""}, // its last bar is not whole
		{"2025-10-03", "2025-10-03", ""},
		{"2025-10-01 23:00:00", "2025-10-01", ""}, // not over
		{"2025-10-02", "2025-10-01", "4"},
	} {
		got := ""
		if price, err := p.AsOf(c.asOf).Close("A", c.day); err == nil {
			got = price.String()
		}
		if got != c.want {
			t.Errorf("the close of %s as of %s is %q, want %q", c.day, c.asOf, got, c.want)
		}
	}
	if _, err := p.AsOf("2025-10-03").Close("B", "2025-10-01"); err == nil {
		t.Error("a symbol that does not exist has a close")
	}
}
