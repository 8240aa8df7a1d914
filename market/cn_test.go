package market

// Tests of the rules of A-shares, on the first and the last day of each, and of bars that are stamped at their end.

import (
	"fmt"
	"testing"
	"time"

	"mcp-trade/decimal"
)

func TestCNUnit(t *testing.T) {
	for symbol, want := range map[string]string{
		"600519.SH": "from 100 by 100 up to 1000000", "000001.SZ": "from 100 by 100 up to 1000000", "300750.sz": "from 100 by 100 up to 0",
		"688981.SH": "from 200 by 1 up to 50000", "689009.SH": "from 200 by 1 up to 50000", "920002.BJ": "from 100 by 1 up to 0",
	} {
		if Of(symbol).ID != CN {
			t.Errorf("%s is of %s", symbol, Of(symbol).ID)
		}
		u := cnUnit(symbol, "2025-10-09")
		if got := fmt.Sprintf("from %s by %s up to %s", u.Least, u.Step, u.Largest); got != want {
			t.Errorf("%s: %s, want %s", symbol, got, want)
		}
	}
	if a, b := cnTick("510300.SH", "", decimal.Zero), cnTick("600519.SH", "", decimal.Zero); a.String() != "0.001" || b.String() != "0.01" {
		t.Error(a, b)
	}
}

func TestCNLimits(t *testing.T) {
	st := ShareStatus{ST: true}
	for _, c := range []struct {
		symbol           string
		on               Stamp
		before, down, up string // "" where there are none
		status           ShareStatus
	}{
		{"600519.SH", "2025-10-09", "10.05", "9.05", "11.06", ShareStatus{}},
		{"600519.SH", "2025-10-09 10:30:00", "1.15", "1.04", "1.27", ShareStatus{}},
		{"600001.SH", "2026-07-03", "4.45", "4.23", "4.67", st},
		{"600001.SH", "2026-07-05", "4.45", "4.23", "4.67", st},
		{"600001.SH", "2026-07-06", "4.45", "4.01", "4.90", st},
		{"300750.SZ", "2020-08-21", "12.35", "11.12", "13.59", ShareStatus{}},
		{"300750.SZ", "2020-08-23", "12.35", "11.73", "12.97", st},
		{"300750.SZ", "2020-08-24", "12.35", "9.88", "14.82", ShareStatus{}},
		{"300750.SZ", "2020-08-24", "12.35", "9.88", "14.82", st},
		{"688981.SH", "2025-10-13", "33.33", "26.66", "40.00", ShareStatus{}},
		{"920002.BJ", "2025-10-14", "7.77", "5.44", "10.10", ShareStatus{}},
		{"000001.SZ", "2025-10-09", "0.04", "0.03", "0.05", ShareStatus{}},
		{"000001.SZ", "2011-02-25", "0.04", "0.04", "0.04", ShareStatus{}},
		{"600519.SH", "2023-04-07", "0.04", "0.04", "0.04", ShareStatus{}},
		{"600519.SH", "2023-04-10", "0.04", "0.03", "0.05", ShareStatus{}},
		{"600519.SH", "1996-12-13", "10.05", "", "", ShareStatus{}},
		{"600519.SH", "1996-12-16", "10.05", "9.05", "11.06", ShareStatus{}},
		{"600519.SH", "2025-10-09", "10.05", "", "", ShareStatus{Day: 5}},
		{"600519.SH", "2025-10-09", "10.05", "9.05", "11.06", ShareStatus{Day: 6}},
		{"600519.SH", "2023-04-07", "10.05", "9.05", "11.06", ShareStatus{Day: 2}},
		{"920002.BJ", "2025-10-14", "7.77", "", "", ShareStatus{Day: 1}},
		{"920002.BJ", "2025-10-14", "7.77", "5.44", "10.10", ShareStatus{Day: 2}},
	} {
		down, up, known := cnLimits(c.symbol, c.on, decimal.RequireFromString(c.before), c.status)
		if known != (c.up != "") || known && (down.StringFixed(2) != c.down || up.StringFixed(2) != c.up) {
			t.Errorf("%s on %s after %s, %+v: %s to %s, %v; want %s to %s", c.symbol, c.on, c.before, c.status, down, up, known, c.down, c.up)
		}
	}
}

func TestMarket_Hours(t *testing.T) {
	for _, c := range []struct {
		of       ID
		at       Stamp
		extended bool
		open     bool
	}{
		{CN, "2025-10-09", false, true}, {CN, "2025-10-09 09:29:59", false, false}, {CN, "2025-10-09 09:30:00", false, true},
		{CN, "2025-10-09 11:29:59", false, true}, {CN, "2025-10-09 11:30:00", false, false}, {CN, "2025-10-09 12:59:59", false, false},
		{CN, "2025-10-09 13:00:00", false, true}, {CN, "2025-10-09 14:59:59", false, true}, {CN, "2025-10-09 15:00:00", false, false},
		{US, "2026-11-27 13:05:00", false, false}, {US, "2026-11-27 12:59:00", false, true}, {US, "2026-11-27 13:05:00", true, true}, {US, "2026-11-27 17:00:00", true, false},
		{US, "2025-10-27 09:00:00", false, false}, {US, "2025-10-27 09:30:00", false, true}, {US, "2025-10-27 15:59:00", false, true}, {US, "2025-10-27 16:00:00", false, false},
		{US, "2025-10-27 04:00:00", true, true}, {US, "2025-10-27 03:59:00", true, false}, {US, "2025-10-27 19:00:00", true, true}, {US, "2025-10-27 20:00:00", true, false},
		{US, "2012-07-03 13:00:00", false, false}, {US, "2013-07-05 13:00:00", false, true}, {US, "2026-07-02 13:00:00", false, true},
		{US, "2025-12-26", false, true},
	} {
		if why := c.of.Get().Hours(c.at, c.extended); (why == "") != c.open {
			t.Errorf("%s at %s, extended %v: %q", c.of, c.at, c.extended, why)
		}
	}
}

func TestMarket_Session(t *testing.T) {
	for _, c := range []struct {
		of        ID
		day       Stamp
		open, end string // UTC
	}{
		{US, "2025-10-27", "2025-10-27T13:30:00Z", "2025-10-27T20:00:00Z"}, {US, "2025-12-01", "2025-12-01T14:30:00Z", "2025-12-01T21:00:00Z"},
		{US, "2025-11-28 10:30:00", "2025-11-28T14:30:00Z", "2025-11-28T18:00:00Z"}, // a half day
		{CN, "2025-10-09", "2025-10-09T01:30:00Z", "2025-10-09T07:00:00Z"}, {Crypto, "2025-10-09", "2025-10-09T00:00:00Z", "2025-10-10T00:00:00Z"},
	} {
		open, end := c.of.Get().Session(c.day)
		if got := open.UTC().Format(time.RFC3339) + " to " + end.UTC().Format(time.RFC3339); got != c.open+" to "+c.end {
			t.Errorf("%s on %s: %s, want %s to %s", c.of, c.day, got, c.open, c.end)
		}
	}
}

// Bars of A-shares within a day end at their stamps: the one of 10:30 opens at 09:30, and is whole at 10:30.
func TestView_EndStamped(t *testing.T) {
	bar := func(n int) string {
		return fmt.Sprintf(`{"1. buy price": "%d.1", "2. high": "%d.4", "3. low": "%d.0", "4. sell price": "%d.3", "5. volume": "%d"}`, n, n, n, n, n)
	}
	series := func(symbol, more string) string {
		return fmt.Sprintf(`{"Meta Data": {"2. Symbol": "%s"%s}, "Time Series (60min)": {"2025-10-09 10:30:00": %s, "2025-10-09 11:30:00": %s, "2025-10-09 14:00:00": %s, "2025-10-09 15:00:00": %s, "2025-10-10 10:30:00": %s}}`,
			symbol, more, bar(1), bar(2), bar(3), bar(4), bar(5))
	}
	p := openText(t, series("600028.SH", "")+"\n"+series("600029.SH", `, "Stamps": "start"`)+"\n"+series("AAPL", "")+"\n"+series("MSFT", `, "Stamps": "end"`)+"\n")
	for _, c := range []struct {
		symbol    string
		asStamped bool
		at        Stamp
		open      string // "" without a price
		close     string // the last known
	}{
		{"600028.SH", false, "2025-10-09 09:30:00", "1.1", ""},
		{"600028.SH", false, "2025-10-09 10:30:00", "2.1", "1.3"},
		{"600028.SH", false, "2025-10-09 11:30:00", "", "2.3"},
		{"600028.SH", false, "2025-10-09 13:00:00", "3.1", "2.3"},
		{"600028.SH", false, "2025-10-09 14:00:00", "4.1", "3.3"},
		{"600028.SH", false, "2025-10-09 15:00:00", "", "4.3"},
		{"600028.SH", true, "2025-10-09 10:30:00", "1.1", ""},
		{"600028.SH", true, "2025-10-09 11:30:00", "2.1", "1.3"},
		{"600029.SH", false, "2025-10-09 10:30:00", "1.1", ""},
		{"AAPL", false, "2025-10-09 10:30:00", "1.1", ""},
		{"MSFT", false, "2025-10-09 10:30:00", "2.1", "1.3"},
	} {
		v := p.AsOf(c.at).AsStamped(c.asStamped)
		got, shown := "", ""
		if price, err := v.OpenPrice(c.symbol); err == nil {
			got = price.String()
		}
		if price, _, err := v.LastClose(c.symbol); err == nil {
			shown = price.String()
		}
		if got != c.open || shown != c.close {
			t.Errorf("%s at %s, as stamped %v: open %q, last close %q; want %q, %q", c.symbol, c.at, c.asStamped, got, shown, c.open, c.close)
		}
	}
	stamps, err := p.Stamps("2025-10-09", "2025-10-09")
	if err != nil || stamps[0] != "2025-10-09 09:30:00" {
		t.Errorf("%v, %v", stamps, err)
	}
	if _, err := p.AsStamped().Stamps("", ""); err != nil || *p.AsStamped().AsStamped() != *p.AsStamped() {
		t.Error(err)
	}
}

// What a file says of a share counts for its limits, and the close before is one of an earlier day.
func TestView_QuoteOfAShare(t *testing.T) {
	p := openText(t, `{"Meta Data": {"2. Symbol": "600001.SH", "Listed": "2025-10-09", "ST": [{"from": "2025-10-10", "to": "2025-10-13"}]}, "Time Series (Daily)": {
		"2025-10-09": {"1. open": "5", "4. close": "6"}, "2025-10-10": {"1. open": "7", "4. close": "8"}, "2025-10-13": {"1. open": "9"}, "2025-10-14": {"1. open": "9"}}}`)
	for at, want := range map[Stamp]string{
		"2025-10-09": "after <nil>, {ST:false Day:1}", "2025-10-10": "after 6, {ST:true Day:2}", "2025-10-13": "after 8, {ST:true Day:3}", "2025-10-14": "after 8, {ST:false Day:4}",
	} {
		q, err := p.AsOf(at).Quote("600001.SH")
		before := any(nil)
		if q.PreviousClose.Valid {
			before = q.PreviousClose.Decimal
		}
		if got := fmt.Sprintf("after %v, %+v", before, q.Status); got != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", at, got, err, want)
		}
	}
}
