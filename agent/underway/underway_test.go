package underway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/manifest"
	"mcp-trade/decimal"
	"mcp-trade/market"
	"mcp-trade/market/markettest"
	"mcp-trade/session"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
)

// now is the Saturday after the days of the prices, which begin on Wednesday, 2025-01-01.
var now = time.Date(2025, 1, 11, 12, 0, 0, 0, time.UTC)

// desk is a store whose runs are watched.
type desk struct {
	*testing.T
	*filestore.Store
	*Watch
}

func newDesk(t *testing.T) *desk {
	dir := t.TempDir()
	path := filepath.Join(dir, "prices.jsonl")
	f, err := os.Create(path)
	if err == nil {
		err = markettest.Write(f, 1, 2, 7, "2025-01-02")
	}
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	prices, err := market.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	s := filestore.New(dir, filepath.Join(dir, "log"))
	t.Cleanup(func() { prices.Close(); s.Close() })
	return &desk{t, s, &Watch{Runs: s, Store: "file", Sessions: []store.Sessions{s}, Prices: prices, Now: func() time.Time { return now }}}
}

// ran notes a run of an account, and where it is.
func (d *desk) ran(name, checkpoint string, run manifest.Run) {
	d.Helper()
	if run.Store == "" {
		run.Store = "file"
	}
	text, err := json.Marshal([]manifest.Run{run})
	if err == nil {
		err = d.UpdateManifest(d.Context(), name, 0, func([]byte) ([]byte, error) { return text, nil })
	}
	if err == nil && checkpoint != "" {
		err = d.SaveCheckpoint(d.Context(), name, 0, []byte(checkpoint))
	}
	if err != nil {
		d.Fatal(err)
	}
}

// stands looks as often as it takes to see everything, and returns how the only account stands, the zero one if none is under way.
func (d *desk) stands(names ...string) (row Account) {
	d.Helper()
	for range seldom {
		runs, err := d.Look(d.Context(), names)
		if err != nil {
			d.Fatal(err)
		}
		if row = (Account{}); len(runs.Accounts) > 0 {
			row = runs.Accounts[0]
		}
	}
	return row
}

// Look is that of the watch.
func (d *desk) Look(ctx context.Context, names []string) (Runs, error) {
	return d.Watch.Look(ctx, names)
}

func TestWatch_Look_States(t *testing.T) {
	since := now.Add(-time.Hour)
	backtest := manifest.Run{Decider: "equal-weight", From: "2025-01-01", To: "2025-01-08"}
	follows := func(turn manifest.Turn, forward ...manifest.ForwardDay) manifest.Run {
		run := backtest
		run.Follows, run.Turn, run.To, run.Forward = &since, &turn, turn.Day, forward
		return run
	}
	for _, c := range []struct {
		name, checkpoint string
		run              manifest.Run
		want             Account // but for its name
	}{
		{"at its end", `{"date":"2025-01-08","complete":true}`, backtest, Account{}},
		{"killed within a day", `{"date":"2025-01-03","complete":false,"refused_before":2,"refused":{"2025-01-03#1":"no_price"}}`, backtest,
			Account{State: Stopped, Why: "nobody trades it: its process was killed, or waits for its turn", Day: 2, Days: 5, Date: "2025-01-03", Refused: 3, RefusedToday: 1}},
		{"killed before its first day", "", backtest, Account{State: Stopped, Why: "nobody trades it: its process was killed, or waits for its turn", Days: 5}},
		{"stopped by an error", `{"date":"2025-01-03","complete":false,"stopped":"the disk is \u001b full"}`, backtest,
			Account{State: Stopped, Why: "the disk is \ufffd full", Day: 2, Days: 5, Date: "2025-01-03"}},
		{"waits for Monday", `{"date":"2025-01-10","complete":true}`, follows(manifest.Turn{Day: "2025-01-10"}),
			Account{State: Waiting, Why: "it waits for 2025-01-13, which opens at 2025-01-13 09:30 America/New_York", Day: 7, Date: "2025-01-10", Next: "2025-01-13", Opens: time.Date(2025, 1, 13, 14, 30, 0, 0, time.UTC)}},
		{"nobody traded Friday", `{"date":"2025-01-08","complete":true}`, follows(manifest.Turn{Day: "2025-01-08"}),
			Account{State: Stopped, Why: "nobody traded 2025-01-10, which opened at 2025-01-10 09:30 America/New_York and is over", Day: 5, Date: "2025-01-08", Next: "2025-01-10", Opens: time.Date(2025, 1, 10, 14, 30, 0, 0, time.UTC)}},
		{"by a clock that is not the real one", `{"date":"2025-01-08","complete":true}`, follows(manifest.Turn{Day: "2025-01-08", Clock: "2025-01-01T00:00:00Z@60"}),
			Account{State: Waiting, Why: "it waits for 2025-01-10, which opens at 2025-01-10 09:30 America/New_York, by the clock 2025-01-01T00:00:00Z@60", Day: 5, Date: "2025-01-08", Next: "2025-01-10", Opens: time.Date(2025, 1, 10, 14, 30, 0, 0, time.UTC)}},
		{"followed to its end", `{"date":"2025-01-08","complete":true}`, follows(manifest.Turn{Day: "2025-01-08", Until: "2025-01-08"}), Account{}},
		{"late data, after a day that was missed", `{"date":"2025-01-10","complete":false,"stopped":"trading is halted"}`,
			follows(manifest.Turn{Day: "2025-01-10", Missing: []string{"SYN02"}}, manifest.ForwardDay{Date: "2025-01-08", Skipped: "nobody traded it"}),
			Account{State: Stopped, Why: "trading is halted", Day: 6, Date: "2025-01-10", Without: []string{"SYN02"}, Notes: []string{"2025-01-08 was missed: nobody traded it."}}},
		{"a run in another store", `{"date":"2025-01-03"}`, manifest.Run{From: "2025-01-01", To: "2025-01-08", Store: "redis"}, Account{}},
		{"a checkpoint that cannot be read", `{"date":7}`, backtest,
			Account{State: Stopped, Why: "the checkpoint of a cannot be read: json: cannot unmarshal number into Go struct field checkpoint.date of type market.Stamp", Days: 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			d.ran("a", c.checkpoint, c.run)
			if c.want.State != "" {
				c.want.Account = "a"
			}
			got, want := text(t, d.stands("a")), text(t, c.want)
			if got != want {
				t.Errorf("it stands so:\n%s, want\n%s", got, want)
			}
		})
	}
}

func text(t *testing.T, a Account) string {
	t.Helper()
	out, err := json.MarshalIndent(a, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestWatch_Look_Money(t *testing.T) {
	d := newDesk(t)
	of := func(total string) *decimal.Decimal { x := decimal.RequireFromString(total); return &x }
	run := manifest.Run{Decider: manifest.LLMDecider, From: "2025-01-01", To: "2025-01-08", Budget: of("10"), Config: &manifest.FileHash{SHA256: "c"},
		Model: llm.Options{RunBudget: of("3"), DayBudget: of("1")}}
	d.ran("a", `{"date":"2025-01-03","complete":false,"spent":{"calls":1,"cost":"0.5"}}`, run)
	d.ran("b", `{"date":"2025-01-08","complete":true,"spent":{"calls":1,"cost":"2"}}`, run) // at its end, and counts
	l, err := d.Lease(t.Context(), "a", store.Owner{Name: "process 1", Nonce: "n", Since: now})
	if err != nil {
		t.Fatal(err)
	}
	j, err := d.OpenJournal(t.Context(), "a", "2025-01-03", l.Fence())
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if row := d.stands("a", "b"); row.State != Trading || row.Turn != 0 || row.Trader != "process 1" || !row.Since.Equal(now) {
		t.Errorf("before anything is said: %s", text(t, row))
	}
	for i, line := range []string{`{"begin":{}}`, `{"ask":{"step":1,"worst":"0.2"}}`, `{"reply":{"step":1,"message":{"calls":[{"tool":"buy"}]},"cost":"0.125"}}`} {
		if err := j.Append(t.Context(), []byte(line)); err != nil {
			t.Fatal(err)
		}
		row, today := d.stands("a", "b"), []string{"0", "0.2", "0.125"}[i]
		spent := decimal.RequireFromString(today)
		switch {
		case !row.Cost.Equal(spent.Add(*of("0.5"))), row.TotalCost == nil || !row.TotalCost.Equal(spent.Add(*of("2.5"))), i > 0 && !row.CostToday.Equal(spent),
			row.Budget.String() != "3", row.DayBudget.String() != "1", row.TotalBudget.String() != "10", row.Turn != min(i, 1):
			t.Errorf("after line %d: %s", i, text(t, row))
		}
	}
}

func TestWatch_Look_Halts(t *testing.T) {
	d := newDesk(t)
	d.ran("a", `{"date":"2025-01-03"}`, manifest.Run{From: "2025-01-01", To: "2025-01-08"})
	for _, c := range []struct {
		model    string
		own, all bool
	}{{"a", true, false}, {store.AllModels, false, true}} {
		key := store.Key{Model: c.model, Name: session.Halt}
		if err := d.SetValues(t.Context(), map[store.Key]string{key: "true"}, 0); err != nil {
			t.Fatal(err)
		}
		row := d.stands("a")
		runs, err := d.Look(t.Context(), nil)
		if err != nil || row.Halted != c.own || runs.Halted != c.all {
			t.Errorf("HALT of %s: %v, %v, %v", c.model, row.Halted, runs.Halted, err)
		}
		if err := d.ClearValues(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
}

// line is a queue of one run.
type line struct {
	store.Queue
	run     store.QueuedRun
	of      map[string]store.Standing
	workers []string
	asked   int // for standings
	refused error
}

func (q *line) Runs(context.Context) ([]store.QueuedRun, error) {
	return []store.QueuedRun{q.run}, q.refused
}

// Who may not read the queue is told so, and how the other runs stand.
func TestWatch_Look_Refused(t *testing.T) {
	d := newDesk(t)
	d.Queue = &line{refused: errors.New("you may not")}
	d.ran("a", `{"date":"2025-01-03"}`, manifest.Run{From: "2025-01-01", To: "2025-01-08"})
	row := d.stands("a")
	runs, err := d.Look(t.Context(), []string{"a"})
	if err != nil || row.State != Stopped || runs.Unread != "you may not" {
		t.Errorf("%+v, %v", runs, err)
	}
}

func (q *line) Workers(context.Context) ([]string, error) { return q.workers, nil }
func (q *line) Standings(context.Context, string) (map[string]store.Standing, error) {
	q.asked++
	return q.of, nil
}

func TestWatch_Look_Queue(t *testing.T) {
	for _, c := range []struct {
		run     store.RunState
		account string
		workers []string
		named   bool
		state   State
		why     string
	}{
		{store.RunRunning, "waiting", nil, false, Waiting, "none is there"},
		{store.RunRunning, "waiting", []string{"w"}, false, Waiting, "it waits for a worker"},
		{store.RunRunning, "waiting", nil, true, "", ""},
		{store.RunRunning, "trading", []string{"w"}, false, Waiting, "worker w has taken it"},
		{store.RunRunning, "ended", nil, false, "", ""},
		{store.RunRunning, "stopped", nil, false, Stopped, "other prices"},
		{store.RunPaused, "waiting", nil, false, Paused, "was paused"},
		{store.RunStopped, "waiting", nil, false, Stopped, "was stopped"},
		{store.RunEnded, "stopped", nil, false, Stopped, "other prices"},
		{store.RunEnded, "ended", nil, false, "", ""},
	} {
		t.Run(fmt.Sprintf("%s %s %d", c.run, c.account, len(c.workers)), func(t *testing.T) {
			d, result := newDesk(t), []byte(`{"error":"other prices"}`)
			if c.account != "stopped" {
				result = nil
			}
			q := &line{run: store.QueuedRun{ID: "r1", State: c.run}, of: map[string]store.Standing{"a": {State: c.account, Worker: "w", Days: 5, Result: result}}, workers: c.workers}
			d.Queue, d.Named = q, c.named
			d.stands()
			row := d.stands() // the second look
			if row.State != c.state || !strings.Contains(row.Why, c.why) || c.state != "" && c.run != store.RunEnded && (row.Days != 5 || row.Run != "r1") {
				t.Errorf("it stands so: %s", text(t, row))
			}
			if want := map[bool]int{true: 1, false: 2}[c.run == store.RunEnded]; q.asked != want {
				t.Errorf("the standings were read %d times, want %d", q.asked, want)
			}
		})
	}
}
