// How far an account is, where its checkpoint says so, and where it is missing.

package runner

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/agent"
	"mcp-trade/decimal"
	"mcp-trade/ledger"
)

func (r *room) checkpointFile() string { return filepath.Join(r.logPath, "alice", "run.json") }

// fill buys a share on a day, with an order id.
func (r *room) fill(t *testing.T, day int, id string) {
	t.Helper()
	o := ledger.Order{Action: ledger.Buy, Symbol: "SYN01", Amount: decimal.NewFromInt(1), ID: id}
	if _, err := r.accounts.Submit(t.Context(), "alice", o, r.Prices.AsOf(r.days[day])); err != nil {
		t.Fatal(err)
	}
}

func TestAccountRun_Resume(t *testing.T) {
	for _, c := range []struct {
		name, order string // id of the order of the second day that is the newest record; "" for one without
		checkpoint  string
		first       int  // day to trade
		told        bool // that it is not known whether the second day was over
	}{
		{"no checkpoint, and the order of a run", "2025-01-03#1", "", 1, true},
		{"no checkpoint, and an order by hand", "", "", 2, false},
		{"no checkpoint, and an order by hand with an id", "mine", "", 2, false},
		{"the checkpoint of an earlier day, and the order of a run", "2025-01-03#1", `{"date":"2025-01-02","complete":true,"refused_before":3}`, 1, true},
		{"the checkpoint of the day, under way", "2025-01-03#1", `{"date":"2025-01-03","complete":false,"refused_before":3}`, 1, false},
		{"the checkpoint of the day, complete", "2025-01-03#1", `{"date":"2025-01-03","complete":true,"refused_before":3}`, 2, false},
		{"the checkpoint of the day after", "2025-01-03#1", `{"date":"2025-01-06","complete":false,"refused_before":3}`, 2, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRoom(t, t.TempDir())
			if err := r.accounts.CloseDay(t.Context(), "alice", r.Prices.AsOf(r.days[0])); err != nil {
				t.Fatal(err)
			}
			r.fill(t, 1, c.order)
			if c.checkpoint != "" {
				write(t, r.checkpointFile(), c.checkpoint)
			}
			first, err := r.resume(t.Context())
			if err != nil || first != c.first {
				t.Errorf("it goes on with day %d, %v, want %d", first, err, c.first)
			}
			if told := strings.Contains(r.log.String(), "whether the day was over is not known"); told != c.told {
				t.Errorf("told: %v\n%s", told, r.log.String())
			}
			if want := strings.Count(c.checkpoint, `"refused_before":3`) * 3; r.checkpoint.Before != want {
				t.Errorf("%d orders were refused before, want %d", r.checkpoint.Before, want)
			}
		})
	}
}

// A closed day is over, whatever became of the checkpoint.
func TestAccountRun_Resume_AfterADayWithoutATrade(t *testing.T) {
	r := newRoom(t, t.TempDir())
	if err := r.accounts.CloseDay(t.Context(), "alice", r.Prices.AsOf(r.days[0])); err != nil {
		t.Fatal(err)
	}
	if first, err := r.resume(t.Context()); first != 1 || err != nil {
		t.Errorf("it goes on with day %d, %v", first, err)
	}
}

func TestAccountRun_Resume_ADamagedCheckpoint(t *testing.T) {
	r := newRoom(t, t.TempDir())
	write(t, r.checkpointFile(), `{"date":`)
	if _, err := r.resume(t.Context()); err == nil || !strings.Contains(err.Error(), "the checkpoint of alice (run.json) cannot be read") {
		t.Errorf("answered %v", err)
	}
}

// The checkpoint of a day that was interrupted is gone: the day is traded to its end, and each of its orders once.
func TestAccountRun_TradeDay_WithoutItsCheckpoint(t *testing.T) {
	decider := func(orders int, then error) agent.DeciderFunc {
		return func(ctx context.Context, d *agent.Day) error {
			for n := range orders {
				if _, err := d.Order(ctx, ledger.Buy, "SYN01", decimal.NewFromInt(int64(n+1))); err != nil {
					return err
				}
			}
			return then
		}
	}
	whole := newRoom(t, t.TempDir())
	whole.account.Decider = decider(4, nil)
	for day := range 2 {
		if err := whole.tradeDay(t.Context(), day); err != nil {
			t.Fatal(err)
		}
	}
	dir, stopped := t.TempDir(), errors.New("it was killed")
	r := newRoom(t, dir)
	r.account.Decider = decider(2, stopped)
	if err := r.tradeDay(t.Context(), 0); !errors.Is(err, stopped) {
		t.Fatal(err)
	}
	if err := os.Remove(r.checkpointFile()); err != nil {
		t.Fatal(err)
	}
	r.end(t)
	again := newRoom(t, dir)
	again.account.Decider = decider(4, nil)
	first, err := again.resume(t.Context())
	if err != nil || first != 0 {
		t.Fatalf("it goes on with day %d, %v", first, err)
	}
	for day := range 2 {
		if err := again.tradeDay(t.Context(), day); err != nil {
			t.Fatal(err)
		}
	}
	if again.ledger(t) != whole.ledger(t) {
		t.Errorf("the ledger is\n%s\nwant\n%s", again.ledger(t), whole.ledger(t))
	}
}

// A checkpoint of an account of the same name whose ledger is gone says nothing of the new one, even if its run ends at once.
func TestAccountRun_Open_OldCheckpoint(t *testing.T) {
	r := newRoom(t, t.TempDir())
	if err := os.RemoveAll(filepath.Join(r.logPath, "alice", "position")); err != nil {
		t.Fatal(err)
	}
	write(t, r.checkpointFile(), `{"date":"2025-02-01","complete":true,"refused_before":3}`)
	for _, when := range []string{"opened", "gone on with"} {
		if first, err := r.resume(t.Context()); err != nil || first != 0 {
			t.Errorf("%s, it goes on with day %d, %v", when, first, err)
		}
	}
}
