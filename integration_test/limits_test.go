// Limits from outside: servers that trade on one account at once and are killed, an operator's file, a run and its report.

package integration_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mcp-trade/agent/model/modeltest"
	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/report/page/pagetest"
)

// limitsFile writes a file of limits and names it to the place.
func (p *place) limitsFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(p.dir, "limits.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLimitsHoldForServersThatTradeOnOneAccountAndAreKilled(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	const servers, orders, bought, turnover, cash = 3, 40, 25, 4000, 97500
	rounds := scaled(t, 200, 2)
	onBothStores(t, func(t *testing.T, p *place) {
		file := p.limitsFile(t, fmt.Sprintf(`{"all": {"max_orders_a_day": %d, "max_turnover_a_day": %d, "min_cash": %d}}`, bought, turnover, cash))
		p.env = append(p.env, "MCP_TRADE_LIMITS="+file)
		r, refused := randomly(t), map[string]int{}
		for round := range rounds {
			account := fmt.Sprintf("round-%d", round)
			p.open(t, account, "100000", "2025-10-02")
			var wait sync.WaitGroup
			var mu sync.Mutex
			killed, after := r.IntN(servers), time.Duration(r.IntN(150))*time.Millisecond
			for i := range servers {
				lines := make([]string, orders)
				for n := range lines {
					action, symbol := "buy", []string{"AAPL", "MSFT"}[r.IntN(2)]
					if r.IntN(4) == 0 {
						action = "sell"
					}
					lines[n] = orderLine(n, action, symbol, 1+r.IntN(4), fmt.Sprintf("s%d-%d", i, n))
				}
				wait.Go(func() {
					s := p.pipe(t, account)
					if i == killed {
						time.AfterFunc(after, s.kill)
					}
					_, _ = s.in.WriteString(strings.Join(lines, "")) // it may be gone
					for range lines {
						m, ok := s.next(t)
						if !ok {
							return
						}
						if a := m.reply(t); a.failed {
							mu.Lock()
							refused[a.str("code")+" "+a.str("limit")]++
							mu.Unlock()
						}
					}
				})
			}
			wait.Wait()
			records, spent := p.records(t, account)[1:], decimal.Zero
			for i, rec := range records {
				spent = spent.Add(rec.Price.Decimal.Mul(rec.Amount))
				over := i+1 > bought || spent.GreaterThan(decimal.NewFromInt(turnover)) || rec.Cash().LessThan(decimal.NewFromInt(cash))
				if rec.Action == ledger.Buy && over {
					t.Fatalf("order %d of the day, with a turnover of %s and %s of cash left: %s", i+1, spent, rec.Cash(), rec.Line())
				}
			}
			p.verified(t, account) // under MCP_TRADE_LIMITS
		}
		t.Logf("%d rounds, refused: %v", rounds, refused)
		if refused["limit_exceeded min_cash"]+refused["limit_exceeded max_turnover_a_day"]+refused["limit_exceeded max_orders_a_day"] == 0 {
			t.Error("no limit was reached")
		}
	})
}

func TestAModelIsToldOfItsLimitsAndOfWhatFits(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	file := p.limitsFile(t, `{"all": {"max_order_value": 500}, "accounts": {"alice": {"max_order_value": 300}}}`)
	p.env = append(p.env, "MCP_TRADE_LIMITS="+file)
	p.open(t, "alice", "10000", "2025-10-02")
	tr := p.trade(t, "alice")
	if text := tr.call(t, "get_session", args{}).text; !strings.Contains(text, `"limits":["max_order_value 300: A purchase is worth at most so much."]`) {
		t.Errorf("get_session: %s", text)
	}
	for _, dry := range []bool{true, false} {
		r := tr.call(t, "buy", args{"symbol": "AAPL", "amount": 3, "dry_run": dry})
		if !r.failed || r.str("code") != "limit_exceeded" || r.str("limit") != "max_order_value" || r.fields["would_be"] != json.Number("301.5") || r.fields["max_amount"] != json.Number("2") {
			t.Errorf("dry run %v: %s", dry, r.text)
		}
	}
	if r := tr.call(t, "buy", args{"symbol": "AAPL", "amount": 2}); r.failed {
		t.Error(r.text)
	}
	text := p.do(t, "ledger", "export", "alice")
	if !strings.Contains(text, `"orders": 1, "turnover": 201, "day_start": 10000, "peak": 10000}`) {
		t.Errorf("the ledger: %s", text)
	}
	p.verified(t, "alice")
	if err := os.WriteFile(file, []byte(`{"all": {"max_order_value": 200}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := p.try(t, "ledger", "verify", "alice"); out.code != 1 || !strings.Contains(out.stdout, "over a limit") || !strings.Contains(out.stdout, "1 rows were made under limits that were not given") {
		t.Errorf("exit %d: %s", out.code, out.stdout)
	}
	for text, want := range map[string]string{`{"all": {"max_positions": 0}}`: "limits.json: all.max_positions: 0 is not a whole number from 1 on", `{`: "limits.json: "} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out := p.try(t, "stdio"); out.code != 2 || !strings.Contains(out.stderr, want) || strings.Count(out.stderr, "\n") > 2 {
			t.Errorf("exit %d: %s", out.code, out.stderr)
		}
	}
}

func TestARunTellsWhyOrdersWereRefused(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.prices = synthetic
	dates := []string{"run", "--from", "2025-01-01", "--to", "2025-01-10", "--account"}
	p.do(t, append(dates, "free=equal-weight")...) // a strategy orders nothing that the limits do not allow, but for one that repeats others' orders
	even := "even=recorded:" + filepath.Join(p.dir, "agent_data", "free", "position", "position.jsonl")
	file := p.limitsFile(t, `{"all": {"max_positions": 3}, "accounts": {"nobody": {}}}`)
	run := append(slices.Clone(dates), even, "--limits", file)
	out := p.try(t, append(run, "--json")...)
	var results []struct {
		Refused   int
		RefusedBy map[string]int `json:"refused_by"`
		Verdict   string
	}
	if err := json.Unmarshal([]byte(out.stdout), &results); err != nil || len(results) != 1 || out.code != 0 {
		t.Fatalf("exit %d: %v\n%s%s", out.code, err, out.stdout, out.stderr)
	}
	if r := results[0]; r.Refused == 0 || r.RefusedBy["limit_exceeded max_positions"] != r.Refused || r.Verdict != "verified" {
		t.Errorf("%+v", r)
	}
	for _, want := range []string{"refused: ", " limit_exceeded max_positions", "the limits name nobody, which is no account of this run"} {
		if !strings.Contains(out.stderr, want) {
			t.Errorf("the run does not say %q:\n%s", want, out.stderr)
		}
	}
	again := p.try(t, run...)
	reason := fmt.Sprintf("%d limit_exceeded max_positions", results[0].Refused)
	if !strings.Contains(again.stdout, "Refused orders of even: "+reason) {
		t.Errorf("the table of the run:\n%s", again.stdout)
	}
	dir := filepath.Join(p.dir, "report")
	printed := p.do(t, "report", "even", "--out", dir)
	for name, want := range map[string]string{"report.html": "Orders refused: " + reason, "report.json": `"limit_exceeded max_positions":`} {
		text := readText(t, filepath.Join(dir, name))
		if name == "report.html" {
			text = pagetest.Text(t, text)
		}
		if !strings.Contains(text, want) {
			t.Errorf("%s does not say %q", name, want)
		}
	}
	if !strings.Contains(printed, "orders refused: "+reason) {
		t.Errorf("the report does not say %q:\n%s", reason, printed)
	}
	if other := p.try(t, append(slices.Clone(dates), even)...); other.code == 0 || !strings.Contains(other.stderr, "limits was") {
		t.Errorf("without the limits: exit %d\n%s", other.code, other.stderr)
	}
}

func TestARunUnderLimitsIsReplayedToTheSameBytes(t *testing.T) {
	t.Parallel()
	accounts := []string{"alice", "bob"}
	p := onFiles(t)
	p.prices = synthetic
	p.env = append(p.env, "MCP_TRADE_LIMITS="+p.limitsFile(t, `{"all": {"max_orders_a_day": 50}, "accounts": {"bob": {"max_order_value": 150, "max_drawdown": "40%"}}}`))
	model := modeltest.Start(t, busyDays)
	p.do(t, p.llm(t, llmRun{url: model.URL, from: "2025-01-01", to: "2025-01-10", cash: "100000", accounts: accounts})...)
	out := filepath.Join(t.TempDir(), "again")
	elsewhere := onFiles(t)
	elsewhere.prices = synthetic
	elsewhere.do(t, "run", "--replay", filepath.Join(p.dir, "agent_data"), "--log-path", out)
	for _, account := range accounts {
		again, err := os.ReadFile(filepath.Join(out, account, "position", "position.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		if want := p.do(t, "ledger", "export", account); string(again) != want || !strings.Contains(want, `"limits": {"hash": "`) {
			t.Errorf("%s differs:\n%s\nwant\n%s", account, again, want)
		}
	}
}
