package manifest

import (
	"fmt"
	"testing"
	"time"

	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/store/filestore"
)

func TestForward(t *testing.T) {
	day := func(date market.Stamp, skipped string) ForwardDay { return ForwardDay{Date: date, Skipped: skipped} }
	opened, later := []Span{{}}, []Span{{Before: at(3, "x")}}
	for name, c := range map[string]struct {
		runs []Run
		want string
	}{
		"two runs of the account": {
			[]Run{{Store: "file", Ledger: opened, Forward: []ForwardDay{day("2025-01-02", ""), day("2025-01-03", "no data")}},
				{Store: "file", Ledger: later, Forward: []ForwardDay{day("2025-01-06", "")}}}, "2025-01-02 2025-01-03:no data 2025-01-06",
		},
		"opened anew": {
			[]Run{{Store: "file", Ledger: opened, Forward: []ForwardDay{day("2025-01-02", "")}}, {Store: "file", Ledger: opened, Forward: []ForwardDay{day("2025-01-03", "")}}},
			"2025-01-03",
		},
		"in another store":         {[]Run{{Store: "redis", Ledger: opened, Forward: []ForwardDay{day("2025-01-02", "")}}}, ""},
		"skipped, and then traded": {[]Run{{Store: "file", Forward: []ForwardDay{day("2025-01-02", "no data")}}, {Store: "file", Ledger: later, Forward: []ForwardDay{day("2025-01-02", "")}}}, "2025-01-02"},
		"traded, and then skipped": {[]Run{{Store: "file", Forward: []ForwardDay{day("2025-01-02", "")}}, {Store: "file", Ledger: later, Forward: []ForwardDay{day("2025-01-02", "no data")}}}, "2025-01-02"},
	} {
		got := ""
		for _, d := range Forward(c.runs, "file") {
			got += " " + string(d.Date)
			if d.Skipped != "" {
				got += ":" + d.Skipped
			}
		}
		if got != "" {
			got = got[1:]
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestRun_Begin_Follows(t *testing.T) {
	since := func(hour int) *time.Time { at := time.Date(2025, 1, 2, hour, 0, 0, 0, time.UTC); return &at }
	run := func(to market.Stamp, hour int, days ...ForwardDay) Run {
		return Run{Store: "file", To: to, Prices: []FileHash{{SHA256: string(to)}}, Follows: since(hour), Forward: days, Cash: decimal.NewFromInt(1)}
	}
	known := run("2025-01-02", 9).begin(nil, nil)
	known = run("2025-01-03", 10, ForwardDay{Date: "2025-01-02", Skipped: "no data"}).begin(endRun(known, at(2, "x")), at(2, "x"))
	if len(known) != 1 || known[0].To != "2025-01-03" || known[0].Prices[0].SHA256 != "2025-01-03" || len(known[0].Forward) != 1 ||
		!FollowedSince(known, "file").Equal(*since(9)) || !FollowedSince(known, "redis").IsZero() {
		t.Errorf("%+v", known)
	}
	backtest := run("2025-01-06", 11)
	backtest.Follows = nil
	known = backtest.begin(endRun(known, at(3, "y")), at(3, "y"))
	if len(known) != 2 || known[0].To != "2025-01-03" || len(Forward(known, "file")) != 1 {
		t.Errorf("%+v", known)
	}
}

func TestRun_KnownBefore(t *testing.T) {
	whole, late, skipped := ForwardDay{Known: &Known{AsOf: "2025-01-02"}}, ForwardDay{Known: &Known{AsOf: "2025-01-03"}, Missing: []string{"A"}}, ForwardDay{Skipped: "no data"}
	ahead := ForwardDay{Date: "2025-01-06", Known: &Known{AsOf: "2025-01-06"}}
	for name, c := range map[string]struct {
		days []ForwardDay
		want bool
	}{
		"no day": {nil, false}, "all were there": {[]ForwardDay{late, whole}, true}, "one came late": {[]ForwardDay{whole, late}, false},
		"a skipped day since": {[]ForwardDay{whole, skipped}, true}, "likewise, after a late one": {[]ForwardDay{whole, late, skipped}, false},
		"another process is a day ahead": {[]ForwardDay{whole, ahead}, true}, "likewise, on its first day": {[]ForwardDay{ahead}, false},
	} {
		if got := (Run{Forward: c.days}).knownBefore("2025-01-05"); (got != nil) != c.want || got != nil && got.AsOf != "2025-01-02" {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestRecorder_DayOver(t *testing.T) {
	dir := t.TempDir()
	decided := time.Date(2025, 1, 2, 15, 0, 0, 0, time.UTC)
	r := &Recorder{Store: filestore.New(dir, dir), LogPath: dir, Runs: map[string]Run{"alice": {Cash: decimal.NewFromInt(1), Store: "file"}}}
	note := func(date market.Stamp, id int64) {
		t.Helper()
		if err := r.Begin(t.Context(), 0, "alice", nil); err != nil {
			t.Fatal(err)
		}
		if err := r.DayOver(t.Context(), 0, "alice", date, ledger.Book{ID: id, Date: date, Hash: fmt.Sprint("hash", id)}); err != nil {
			t.Fatal(err)
		}
	}
	note("2025-01-02", 1)
	r.Forward = func(account string, date market.Stamp) (*ForwardDay, error) {
		if date == "2025-01-03" {
			return nil, nil // not a forward one
		}
		return &ForwardDay{Date: date, Decided: decided, Missing: []string{"MSFT"}, Clock: "lapse", Known: &Known{AsOf: date, SHA256: "k"}}, nil
	}
	for i, date := range []market.Stamp{"2025-01-02", "2025-01-03", "2025-01-06", "2025-01-06"} {
		note(date, int64(i+2))
	}
	m, err := Read(dir)
	if err != nil || len(m.Accounts["alice"]) != 1 {
		t.Fatal(err, m)
	}
	days := Forward(m.Accounts["alice"], "file")
	if len(days) != 2 || *days[0].Head != (Head{2, "2025-01-02", "hash2"}) || *days[1].Head != (Head{5, "2025-01-06", "hash5"}) ||
		!days[1].Decided.Equal(decided) || days[1].Missing[0] != "MSFT" || days[1].Known.SHA256 != "k" {
		t.Errorf("%+v", days)
	}
}
