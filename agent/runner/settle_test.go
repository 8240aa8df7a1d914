// What a run settles when its last day is over.

package runner

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/semaphore"

	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
)

// settlingRoom is an account on a market that opens at 100 and goes from 99 to 101 on each day, and opens at 90 on the day after the run.
func settlingRoom(t *testing.T, dir string) *room {
	t.Helper()
	var bars []string
	for _, day := range []string{"2025-01-01", "2025-01-02", "2025-01-03", "2025-01-06"} {
		bars = append(bars, fmt.Sprintf(`%q: {"1. open": "100", "2. high": "101", "3. low": "99", "4. close": "100", "5. volume": "1000"}`, day))
	}
	bars = append(bars, `"2025-01-07": {"1. open": "90", "2. high": "91", "3. low": "89", "4. close": "90", "5. volume": "1000"}`)
	write(t, filepath.Join(dir, "merged.jsonl"), `{"Meta Data": {"2. Symbol": "SYN01"}, "Time Series (Daily)": {`+strings.Join(bars, ", ")+"}}\n")
	r := newRoom(t, dir)
	r.days = r.days[:3]
	return r
}

// limit buys a share on a day, for a limit that waits.
func (r *room) limit(t *testing.T, day int, price string, until ledger.Until) {
	t.Helper()
	o := ledger.Order{Action: ledger.Buy, Symbol: "SYN01", Amount: decimal.NewFromInt(1)}
	o.Type, o.Limit, o.Until = ledger.LimitOrder, decimal.RequireFromString(price), until
	fill, err := r.accounts.Submit(t.Context(), "alice", o, r.Prices.AsOf(r.days[day]))
	if err != nil || fill.Record.Action != ledger.Place {
		t.Fatal(err, fill.Record.Action)
	}
}

func TestAccountRun_SettleEnd(t *testing.T) {
	for _, c := range []struct {
		name   string
		day    int // of the order
		price  string
		until  ledger.Until
		halted bool
		want   ledger.Action // of the newest record
		dated  market.Stamp
	}{
		{"the bar of the last day goes through the limit", 2, "99.5", ledger.Day, false, ledger.Buy, "2025-01-07"},
		{"the last day is over", 2, "95", ledger.Day, false, ledger.Expire, "2025-01-07"},
		{"the open after the last day, which is no part of the run", 2, "95", ledger.GTC, false, ledger.Place, "2025-01-06"},
		{"a halt", 2, "99.5", ledger.Day, true, ledger.Place, "2025-01-06"},
		{"an account that stopped before the last day", 1, "99.5", ledger.Day, false, ledger.Place, "2025-01-03"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := settlingRoom(t, t.TempDir())
			r.limit(t, c.day, c.price, c.until)
			if err := r.session.Set(t.Context(), map[string]any{session.Signature: "alice", session.TodayDate: string(r.days[c.day]), session.Halt: c.halted}); err != nil {
				t.Fatal(err)
			}
			var after []string
			for range 2 { // the second time there is nothing to do
				if err := r.settleEnd(t.Context()); err != nil {
					t.Fatal(err)
				}
				after = append(after, r.ledger(t))
			}
			lines := strings.Split(strings.TrimSpace(after[0]), "\n")
			last, err := ledger.ParseLine([]byte(lines[len(lines)-1]))
			if err != nil || last.Action != c.want || last.Date != c.dated || after[0] != after[1] {
				t.Errorf("%v; the ledger is\n%s", err, after[1])
			}
		})
	}
}

// A run that was killed when its last day was complete, and before what is due was settled, settles it when it is started again. It asks
// for no server.
func TestAccountRun_Run_SettlesWhatAKilledRunLeft(t *testing.T) {
	dir := t.TempDir()
	r := settlingRoom(t, dir)
	r.limit(t, 2, "99.5", ledger.Day)
	if err := r.session.Set(t.Context(), map[string]any{session.Signature: "alice", session.TodayDate: string(r.days[2])}); err != nil {
		t.Fatal(err)
	}
	r.checkpoint = checkpoint{Date: r.days[2], Complete: true}
	if err := r.saveCheckpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.end(t)
	r.Session = func(string) (*session.Resolver, error) { return r.session, nil }
	again := &accountRun{Runner: r.Runner, account: r.account, days: r.days, seats: semaphore.NewWeighted(1)}
	if err := again.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if l := r.ledger(t); strings.Count(l, `"action": "buy", "symbol": "SYN01", "amount": 1, "price": 99.5`) != 1 {
		t.Errorf("the ledger is\n%s", l)
	}
}
