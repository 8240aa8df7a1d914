// What a run needs that follows the market: a last day that is not over, days that are passed over, and how far an account is.

package runner

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/semaphore"

	"mcp-trade/agent"
	"mcp-trade/agent/llm"
	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
	"mcp-trade/store"
)

// The bar of the last day would fill the order inside it, or end it: nothing of that is known while the day is under way.
func TestAccountRun_SettleEnd_Underway(t *testing.T) {
	r := settlingRoom(t, t.TempDir())
	r.limit(t, 2, "99.5", ledger.Day)
	if err := r.session.Set(t.Context(), map[string]any{session.Signature: "alice", session.TodayDate: string(r.days[2])}); err != nil {
		t.Fatal(err)
	}
	before := r.ledger(t)
	r.Underway = r.days[2]
	if err := r.settleEnd(t.Context()); err != nil || r.ledger(t) != before {
		t.Errorf("%v; the ledger is\n%s", err, r.ledger(t))
	}
	r.Underway = ""
	if err := r.settleEnd(t.Context()); err != nil || r.ledger(t) == before {
		t.Errorf("the day is over, and nothing is settled: %v", err)
	}
}

// The market opens at 100 each day; the last one closes at 150, which is not known while it is under way.
func TestAccountRun_Worth_Underway(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "merged.jsonl"), `{"Meta Data": {"2. Symbol": "SYN01"}, "Time Series (Daily)": {`+
		`"2025-01-01": {"1. open": "100", "4. close": "100"}, "2025-01-02": {"1. open": "100", "4. close": "100"}, "2025-01-03": {"1. open": "120", "4. close": "150"}}}`+"\n")
	r := newRoom(t, dir)
	var values []string
	r.Progress = func(p Progress) { values = append(values, p.Value.Decimal.String()) }
	r.account.Decider = agent.DeciderFunc(func(ctx context.Context, d *agent.Day) error {
		_, err := d.Order(ctx, ledger.Buy, "SYN01", decimal.NewFromInt(1))
		return err
	})
	r.Underway = r.days[1]
	var noted []string
	r.Recorder = noting{r.Recorder, &noted}
	for day := range 2 {
		if err := r.tradeDay(t.Context(), day); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(values) != "[100000 100020]" {
		t.Errorf("the values are %v", values)
	}
	if fmt.Sprint(noted) != "[2025-01-02 after record 1 2025-01-03 after record 2]" {
		t.Errorf("noted: %s", noted)
	}
	if got := r.result(t.Context(), nil); got.Value.Valid || got.Return.Valid || got.Days != 2 {
		t.Errorf("a value that nobody can know: %+v", got)
	}
	r.Underway = ""
	if got := r.result(t.Context(), nil); got.Value.Decimal.String() != "100080" {
		t.Errorf("%+v", got)
	}
}

// noting hears of the days that are over.
type noting struct {
	Recorder
	noted *[]string
}

func (n noting) DayOver(_ context.Context, _ store.Fence, _ string, date market.Stamp, head ledger.Book) error {
	*n.noted = append(*n.noted, fmt.Sprintf("%s after record %d", date, head.ID))
	return nil
}

// An order waits for the open of the second day, at which trading is halted: a strategy that decided then would not have what it bought.
func TestAccountRun_TradeDay_HaltStops(t *testing.T) {
	r := newRoom(t, t.TempDir())
	asked := 0
	r.account.Decider = agent.DeciderFunc(func(context.Context, *agent.Day) error { asked++; return nil })
	halt := func(on bool) {
		t.Helper()
		if err := r.session.Set(t.Context(), map[string]any{session.Signature: "alice", session.Halt: on}); err != nil {
			t.Fatal(err)
		}
	}
	r.Follows = true
	halt(true)
	var stop *agent.HaltedError
	if err := r.tradeDay(t.Context(), 0); !errors.As(err, &stop) || stop.Account != "alice" || asked != 0 || r.checkpoint.Complete {
		t.Errorf("%v; asked %d times", err, asked)
	}
	halt(false)
	if err := r.tradeDay(t.Context(), 0); err != nil || asked != 1 {
		t.Errorf("%v; asked %d times", err, asked)
	}
	halt(true)
	r.Follows = false
	if err := r.tradeDay(t.Context(), 1); err != nil || asked != 2 {
		t.Errorf("a run over the past: %v; asked %d times", err, asked)
	}
}

// A process that is started again within a day first runs the days before it. A run over the past that ends before the account is warned of.
func TestAccountRun_Resume_Ahead(t *testing.T) {
	r := newRoom(t, t.TempDir())
	symbols, err := r.Prices.AsOf(r.days[1]).Symbols()
	if err != nil {
		t.Fatal(err)
	}
	r.account.Decider = agent.DeciderFunc(func(ctx context.Context, d *agent.Day) error {
		_, err := d.Order(ctx, ledger.Buy, symbols[0], decimal.NewFromInt(1))
		return err
	})
	for day := range 2 {
		if err := r.tradeDay(t.Context(), day); err != nil {
			t.Fatal(err)
		}
	}
	r.days = r.days[:1]
	for _, c := range []struct {
		follows bool
		warns   int
	}{{true, 0}, {false, 1}} {
		r.log.Reset()
		r.Follows = c.follows
		if first, err := r.resume(t.Context()); err != nil || first != 1 {
			t.Errorf("day %d, %v", first, err)
		}
		if n := strings.Count(r.log.String(), "there is nothing to trade up to"); n != c.warns {
			t.Errorf("follows: %v; %d warnings: %s", c.follows, n, &r.log)
		}
	}
}

// A day that a model began, and that is passed over, has cost what it cost.
func TestAccountRun_Resume_SkippedDay(t *testing.T) {
	dir := t.TempDir()
	r := newRoom(t, dir).with(t, lookingOn, costly, func(o *llm.Options) { o.RunBudget = price("0.1"); o.MaxSteps = 8 })
	var over *llm.BudgetError
	if err := r.tradeDay(t.Context(), 0); !errors.As(err, &over) {
		t.Fatal(err)
	}
	spent := r.today
	if spent.Calls == 0 || r.checkpoint.Spent.Calls != 0 {
		t.Fatalf("%+v, %+v", spent, r.checkpoint)
	}
	skipped := r.days[0]
	r.account.Skip = []market.Stamp{skipped}
	days, err := r.account.Days(r.Prices)
	if err != nil || slices.Contains(days, skipped) || len(days) != len(r.days)-1 {
		t.Fatalf("%v, %v", days, err)
	}
	r.days = days
	for range 2 {
		first, err := r.resume(t.Context())
		if err != nil || first != 0 || r.checkpoint.Spent.Calls != spent.Calls || !r.checkpoint.Spent.Total().Equal(spent.Total()) {
			t.Errorf("day %d, %+v, %v", first, r.checkpoint, err)
		}
	}
}

func TestRunner_Pending(t *testing.T) {
	r := newRoom(t, t.TempDir())
	r.account.Decider = agent.DeciderFunc(func(context.Context, *agent.Day) error { return nil })
	pending := func() string {
		t.Helper()
		days, newest, err := r.Runner.Pending(t.Context(), r.account)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%d after %s", len(days), newest)
	}
	if got := pending(); got != "9 after 2025-01-01" {
		t.Error(got)
	}
	for day := range 2 {
		if err := r.tradeDay(t.Context(), day); err != nil {
			t.Fatal(err)
		}
	}
	if got := pending(); got != "7 after 2025-01-03" {
		t.Error(got)
	}
	r.account.Skip = []market.Stamp{r.days[2], r.days[3]}
	if got := pending(); got != "5 after 2025-01-03" {
		t.Error(got)
	}
	other := r.account
	other.Name = "bob"
	if days, newest, err := r.Runner.Pending(t.Context(), other); err != nil || len(days) != 7 || newest != "" {
		t.Errorf("an account that is new: %v after %q, %v", days, newest, err)
	}
}

// Accounts that pass over other days are in lockstep with those that pass over the same.
func TestRunner_Run_Skip(t *testing.T) {
	r := newRoom(t, t.TempDir())
	var traded []string
	r.account.Decider = agent.DeciderFunc(func(_ context.Context, d *agent.Day) error {
		traded = append(traded, fmt.Sprintf("%s as %d", d.Date, d.Number))
		return nil
	})
	r.account.Skip, r.account.To = []market.Stamp{r.days[1]}, r.days[2]
	var err error
	if r.days, err = r.account.Days(r.Prices); err != nil {
		t.Fatal(err)
	}
	r.seats = semaphore.NewWeighted(1)
	for i := range r.days {
		if err := r.runDay(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	if fmt.Sprint(traded) != "[2025-01-02 as 0 2025-01-06 as 1]" {
		t.Errorf("traded %v", traded)
	}
	a, b := r.account, r.account
	b.Skip = nil
	if periodOf(a) == periodOf(b) {
		t.Error("they are of one period")
	}
	b.Skip = append(slices.Clone(r.days), a.Skip...)
	if _, err := b.Days(r.Prices); err == nil || !strings.Contains(err.Error(), "no trading day") {
		t.Errorf("all are passed over: %v", err)
	}
}
