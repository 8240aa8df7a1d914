package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mcp-trade/feed"
	"mcp-trade/market"
)

// coins plays Binance: of each day until its clock there is a bar, that of the clock's own day as it is so far.
type coins struct {
	*httptest.Server
	clock  time.Time
	asked  int
	raised int64 // what is added to the prices of days that are over
	down   atomic.Bool
}

func newCoins(t *testing.T) *coins {
	c := &coins{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.asked++; c.down.Load() {
			w.WriteHeader(http.StatusUnavailableForLegalReasons)
			return
		}
		from, _ := strconv.ParseInt(r.URL.Query().Get("startTime"), 10, 64)
		to, _ := strconv.ParseInt(r.URL.Query().Get("endTime"), 10, 64)
		var rows []string
		for at := from; at <= min(to, c.clock.UnixMilli()); at += 86400000 {
			price, close := 100+at/86400000%10, int64(3)
			if at+86400000 > c.clock.UnixMilli() {
				close = 2 // so far
			} else {
				price += c.raised
			}
			rows = append(rows, fmt.Sprintf(`[%d,"%d","%d","%d","%d","7",0]`, at, price, price+9, price-9, price+close))
		}
		fmt.Fprint(w, "["+strings.Join(rows, ",")+"]")
	}))
	t.Cleanup(c.Close)
	t.Setenv("BINANCE_URL", c.URL)
	return c
}

// writeSeries writes a price file.
func writeSeries(t *testing.T, path string, all ...*feed.Series) {
	t.Helper()
	var text bytes.Buffer
	w := bufio.NewWriter(&text)
	for _, s := range all {
		if err := s.Write(w); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func barOf(day market.Stamp, figures ...string) feed.Bar {
	b := feed.Bar{Stamp: day}
	copy(b.Figures[:], figures)
	return b
}

// The days of a file go on: each first with its open alone, whole once it is over, and no figure changes afterwards.
func TestSettings_refetch(t *testing.T) {
	c, path := newCoins(t), filepath.Join(t.TempDir(), "merged.jsonl")
	s := newSettings()
	from := []feed.Provenance{{Source: "binance", Request: "x", At: time.Date(2025, 10, 2, 1, 0, 0, 0, time.UTC), SHA256: "00"}}
	writeSeries(t, path,
		&feed.Series{Symbol: "BTC-USDT", Interval: "Daily", Bars: []feed.Bar{barOf("2025-10-01", "102", "111", "93", "105", "7")}, Sources: from},
		&feed.Series{Symbol: "ETH-USDT", Interval: "Daily", Bars: []feed.Bar{barOf("2025-10-01", "1", "1", "1", "1", "1")}},
		&feed.Series{Symbol: "SOL-USDT", Interval: "Daily", Bars: []feed.Bar{barOf("2025-10-01", "1", "1", "1", "1", "1")}, Sources: []feed.Provenance{{Source: "gone"}}})
	bars := func(symbol string) string {
		all, err := priceFileBefore(path)
		if err != nil {
			t.Fatal(err)
		}
		var text []string
		for _, b := range all[symbol].Bars {
			text = append(text, string(b.Stamp[5:])+" "+strings.TrimRight(strings.Join(b.Figures[:], ","), ","))
		}
		return strings.Join(text, "; ")
	}
	const first, second, third = "10-01 102,111,93,105,7; ", "10-02 103,112,94,106,7; ", "10-03 104,114,96,108,7; 10-04 106,115,97,109,7; "
	for i, step := range []struct {
		now            string
		raised         int64
		added, revised int
		asked          int // requests
		bars           string
	}{
		{"2025-10-01T23:59:59Z", 0, 0, 0, 0, first[:len(first)-2]},
		{"2025-10-02T00:00:00Z", 0, 1, 0, 1, first + "10-02 103"},
		{"2025-10-02T15:00:00Z", 0, 0, 0, 0, first + "10-02 103"}, // nothing new can be there
		{"2025-10-03T00:00:00Z", 0, 1, 0, 1, first + "10-02 103; 10-03 104"},
		{"2025-10-03T00:00:10Z", 0, 1, 0, 1, first + second + "10-03 104"},
		{"2025-10-05T12:00:00Z", 1, 3, 3, 1, first + second + third + "10-05 106"},                         // the opens of three days are raised
		{"2025-10-06T12:00:00Z", 1, 2, 1, 1, first + second + third + "10-05 106,116,98,110,7; 10-06 107"}, // and of one more; the others were told
	} {
		now, err := time.Parse(time.RFC3339, step.now)
		if err != nil {
			t.Fatal(err)
		}
		c.clock, c.raised, c.asked = now, step.raised, 0
		r, err := s.refetch(t.Context(), path, now, nil)
		if got := bars("BTC-USDT"); err != nil || r.Added != step.added || len(r.Revised) != step.revised || c.asked != step.asked || got != step.bars {
			t.Errorf("%s: %+v, %v, %d requests, %s, want %s", step.now, r, err, c.asked, got, step.bars)
		}
		if due := i > 0; due != (len(r.Failed) == 1) || due && (r.Failed[0].Symbol != "SOL-USDT" || !strings.Contains(r.Failed[0].Told[0], `no source "gone"`)) {
			t.Errorf("%s: %+v", step.now, r.Failed)
		}
	}
	if bars("ETH-USDT") != "10-01 1,1,1,1,1" {
		t.Error("a series of no source was changed")
	}
	was, _ := os.ReadFile(path)
	c.down.Store(true)
	if r, err := s.refetch(t.Context(), path, c.clock.AddDate(0, 0, 1), nil); err != nil || len(r.Failed) != 2 || r.Failed[0].Outcome != feed.Refused {
		t.Errorf("%+v, %v", r, err)
	}
	if is, _ := os.ReadFile(path); !bytes.Equal(is, was) {
		t.Error("the file was changed without a bar")
	}
}

// Two processes that go on with a file at the same time both keep what they got.
func TestSettings_joinPrices_Together(t *testing.T) {
	path, s := filepath.Join(t.TempDir(), "merged.jsonl"), newSettings()
	failed := make(chan error)
	const writers = 8
	for i := range writers {
		go func() {
			_, err := s.joinPrices(t.Context(), path, []*feed.Series{{Symbol: "BTC-USDT", Interval: "Daily", Bars: []feed.Bar{barOf(market.Stamp("2025-10-01").AddDays(i), "1")}}}, nil)
			failed <- err
		}()
	}
	for range writers {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	if all, err := priceFileBefore(path); err != nil || len(all["BTC-USDT"].Bars) != writers {
		t.Errorf("%v, %v", all, err)
	}
}

// Today can be asked for; what was answered about it is not kept for later.
func TestSettings_planFetch_Today(t *testing.T) {
	s := newSettings()
	s.dataDir = t.TempDir()
	for _, c := range []struct {
		to     string
		before int // days before today
		kept   bool
	}{{"today", 0, false}, {"2999-01-01", 0, false}, {"", 1, true}} {
		plan, err := s.planFetch(&fetching{market: "crypto", symbols: []string{"BTC-USDT"}, from: "2025-10-01", to: c.to, interval: "1d"})
		if err != nil {
			t.Fatal(err)
		}
		job := plan.jobs[0]
		if _, kept := plan.routes[0].Getter.(feed.Kept); kept != c.kept || job.To != job.Today.AddDays(-c.before) || job.Today != feed.Moment(job.Now.UTC()).Day() {
			t.Errorf("%q: kept %v, %+v", c.to, kept, job)
		}
	}
}
