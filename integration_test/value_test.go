// One value: run, report, page, get_portfolio and the briefing tell the same number of the same account and moment.

package integration_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/report/page/pagetest"
)

// moving is a price series that goes up a little with each stamp. Of the last stamps only the open is there.
func moving(symbol, interval string, base int, stamps []string, unclosed int) string {
	var bars []string
	for i, stamp := range stamps {
		bar := fmt.Sprintf(`"1. open": "%d.25"`, base+i)
		if i < len(stamps)-unclosed {
			bar += fmt.Sprintf(`, "4. close": "%d.75"`, base+2*i)
		}
		bars = append(bars, fmt.Sprintf("%q: {%s}", stamp, bar))
	}
	return fmt.Sprintf(`{"Meta Data": {"2. Symbol": %q}, "Time Series (%s)": {%s}}`+"\n", symbol, interval, strings.Join(bars, ", "))
}

var (
	tenDays = []string{"2025-10-01", "2025-10-02", "2025-10-03", "2025-10-06", "2025-10-07", "2025-10-08", "2025-10-09", "2025-10-10", "2025-10-13", "2025-10-14"}
	hours   = []string{"2025-10-01 14:00:00", "2025-10-01 15:00:00", "2025-10-02 14:00:00", "2025-10-02 15:00:00", "2025-10-03 14:00:00", "2025-10-03 15:00:00"}
)

// worth is what a program tells of an account.
type worth struct {
	Value, Return decimal.NullDecimal
	Stale         []staleClose
	Unpriced      []string
}

type staleClose struct {
	Symbol, Date string
	Days         int
}

func TestRunAndReportTellOneValue(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	wide, err := os.ReadFile(synthetic)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, prices, from, to, after string
		accounts                      []string
		stale                         []staleClose
	}{
		{"the demo's accounts", string(wide), "2025-01-01", "2025-06-30", "2025-12-31", runAccounts, nil},
		{
			"a symbol that ends", moving("AAPL", "Daily", 100, tenDays, 0) + moving("DEAD", "Daily", 50, tenDays[:3], 0),
			"2025-10-01", "2025-10-14", "2025-10-18", []string{"e=equal-weight"}, []staleClose{{"DEAD", "2025-10-03", 7}},
		},
		{
			"a last day that has only opens", moving("AAPL", "Daily", 100, tenDays, 1) + moving("MSFT", "Daily", 50, tenDays, 1),
			"2025-10-01", "2025-10-14", "2025-10-18", []string{"e=equal-weight", "m=momentum:1", "r=random:3"},
			[]staleClose{{"AAPL", "2025-10-13", 1}, {"MSFT", "2025-10-13", 1}},
		},
		{
			"hours", moving("AAPL", "60min", 100, hours, 1) + moving("DEAD", "60min", 50, hours[:4], 0),
			"2025-09-30", "2025-10-03", "2025-10-04", []string{"e=equal-weight"}, []staleClose{{"DEAD", "2025-10-02", 1}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := onFiles(t)
			p.prices = filepath.Join(p.dir, "merged.jsonl")
			if err := os.WriteFile(p.prices, []byte(c.prices), 0o644); err != nil {
				t.Fatal(err)
			}
			args := []string{"--from", c.from, "--to", c.to, "--cash", "10000"}
			for _, a := range c.accounts {
				args = append(args, "--account", a)
			}
			ran := p.ran(t, args...)
			reported, table := p.reported(t)
			page := pagetest.Text(t, readText(t, filepath.Join(p.dir, "out", "report.html")))
			for _, a := range c.accounts {
				name := signature(a)
				run, rep := ran[name], reported[name]
				if !run.Value.Valid || !run.Value.Decimal.Round(6).Equal(rep.Value.Decimal.Round(6)) || !run.Return.Decimal.Round(6).Equal(rep.Return.Decimal.Round(6)) {
					t.Errorf("%s: the run tells %v and %v, the report %v and %v", name, run.Value, run.Return, rep.Value, rep.Return)
				}
				if fmt.Sprint(run.Stale) != fmt.Sprint(rep.Stale) {
					t.Errorf("%s: the run counts %v, the report %v", name, run.Stale, rep.Stale)
				}
				if name == "e" && fmt.Sprint(run.Stale) != fmt.Sprint(c.stale) {
					t.Errorf("%s: the run counts the old closes %v, want %v", name, run.Stale, c.stale)
				}
				shown := shownMoney(run.Value.Decimal)
				if !strings.Contains(table, shown) || !strings.Contains(page, ">"+shown+"<") {
					t.Errorf("%s: %s is not in the table or not on the page:\n%s", name, shown, table)
				}
				p.setDate(t, name, c.after) // nothing trades on it, so the last closes are all there is
				p.tellsInside(t, name, run)
			}
			for _, s := range c.stale {
				if text := fmt.Sprintf(" of %s (%d trading day", s.Date, s.Days); !strings.Contains(table, text) || !strings.Contains(page, text) {
					t.Errorf("%q is not in the table or not on the page:\n%s", text, table)
				}
			}
		})
	}
}

// ran runs accounts, and returns what the run says they are worth.
func (p *place) ran(t *testing.T, args ...string) map[string]worth {
	t.Helper()
	var results []struct {
		Account string
		worth
	}
	if err := json.Unmarshal([]byte(p.do(t, append([]string{"run", "--json"}, args...)...)), &results); err != nil {
		t.Fatal(err)
	}
	all := map[string]worth{}
	for _, r := range results {
		all[r.Account] = r.worth
	}
	return all
}

// reported returns what the report says, and its table. The folder out has the page.
func (p *place) reported(t *testing.T) (all map[string]worth, table string) {
	t.Helper()
	var r struct {
		Accounts []struct {
			Signature string
			Periods   []struct {
				Value    decimal.NullDecimal
				Stale    []staleClose
				Unpriced []string
			}
			Metrics struct {
				End         decimal.NullDecimal
				TotalReturn decimal.NullDecimal `json:"total_return"`
			}
		}
	}
	if err := json.Unmarshal([]byte(p.do(t, "report", "--json")), &r); err != nil {
		t.Fatal(err)
	}
	all = map[string]worth{}
	for _, a := range r.Accounts {
		last := a.Periods[len(a.Periods)-1]
		if !last.Value.Decimal.Equal(a.Metrics.End.Decimal) {
			t.Errorf("%s: the last day is worth %v, the end %v", a.Signature, last.Value, a.Metrics.End)
		}
		all[a.Signature] = worth{a.Metrics.End, a.Metrics.TotalReturn, last.Stale, last.Unpriced}
	}
	return all, p.do(t, "report", "--out", filepath.Join(p.dir, "out"))
}

// tellsInside checks what get_portfolio and the briefing tell the model of an account.
func (p *place) tellsInside(t *testing.T, account string, want worth) {
	t.Helper()
	tr := p.trade(t, account)
	r := tr.call(t, "get_portfolio", nil)
	if total := r.number(t, "total_value"); !total.Equal(want.Value.Decimal) {
		t.Errorf("%s: get_portfolio tells %s, the run %s", account, total, want.Value.Decimal)
	}
	var stale []staleClose
	for _, h := range r.fields["holdings"].([]any) {
		h := h.(map[string]any)
		if days := h["stale_days"]; days != nil {
			n, _ := days.(json.Number).Int64()
			stale = append(stale, staleClose{h["symbol"].(string), h["price_date"].(string)[:10], int(n)})
		}
	}
	if fmt.Sprint(stale) != fmt.Sprint(want.Stale) {
		t.Errorf("%s: get_portfolio counts the old closes %v, the run %v", account, stale, want.Stale)
	}
	var req mcp.GetPromptRequest
	req.Params.Name = "trading-day"
	prompt, err := tr.GetPrompt(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	text := prompt.Messages[0].Content.(mcp.TextContent).Text
	if total := fmt.Sprintf(": %s\n", want.Value.Decimal.StringFixed(2)); !strings.Contains(text, "Total value, at today's opens, else at last closes"+total) {
		t.Errorf("%s: the briefing does not tell %s:\n%s", account, total, text)
	}
	for _, s := range want.Stale {
		if !strings.Contains(text, fmt.Sprintf("(close of %s", s.Date)) {
			t.Errorf("%s: the briefing does not tell of %v:\n%s", account, s, text)
		}
	}
}

// shownMoney is an amount as tables have it.
func shownMoney(d decimal.Decimal) string {
	whole, cents, _ := strings.Cut(d.StringFixed(2), ".")
	if n := len(whole); n > 3 {
		whole = whole[:n-3] + "," + whole[n-3:]
	}
	return whole + "." + cents
}

// A report verifies ledgers as the command for it does, also against what their runs noted.
func TestReportAndVerifyTellOneVerdict(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		p.prices = synthetic
		p.do(t, runArgs(fiveDays, runAccounts...)...)
		p.verdicts(t, map[string]string{"steady": "verified", "chaser": "verified", "dice": "verified"})
	})
	t.Run("a ledger whose tail was cut", func(t *testing.T) {
		p := onFiles(t)
		p.prices = synthetic
		p.do(t, runArgs(fiveDays, runAccounts...)...)
		text, err := os.ReadFile(p.ledgerFile("dice"))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(string(text), "\n")
		if err := os.WriteFile(p.ledgerFile("dice"), []byte(strings.Join(lines[:len(lines)-2], "")), 0o600); err != nil {
			t.Fatal(err)
		}
		p.verdicts(t, map[string]string{"steady": "verified", "chaser": "verified", "dice": "not verified"})
	})
}

// verdicts checks what a report and ledger verify say of accounts, and that those without a rank come last.
func (p *place) verdicts(t *testing.T, want map[string]string) {
	t.Helper()
	type verdict struct {
		Ledger, Verdict, Head string
		Reasons               []string
	}
	var verified []verdict
	if err := json.Unmarshal([]byte(p.try(t, "ledger", "verify", "--json").stdout), &verified); err != nil {
		t.Fatal(err)
	}
	var r struct {
		Accounts []struct {
			Signature string
			Ledger    verdict
		}
	}
	if err := json.Unmarshal([]byte(p.do(t, "report", "--json")), &r); err != nil {
		t.Fatal(err)
	}
	if len(verified) != len(want) || len(r.Accounts) != len(want) {
		t.Fatalf("%d ledgers are verified, %d reported", len(verified), len(r.Accounts))
	}
	ranked := true
	for _, a := range r.Accounts {
		for _, v := range verified {
			if v.Ledger == a.Signature && (v.Verdict != a.Ledger.Verdict || v.Head != a.Ledger.Head || fmt.Sprint(v.Reasons) != fmt.Sprint(a.Ledger.Reasons)) {
				t.Errorf("%s: verify tells %+v, the report %+v", a.Signature, v, a.Ledger)
			}
		}
		if a.Ledger.Verdict != want[a.Signature] || len(a.Ledger.Head) != 64 {
			t.Errorf("%s is %+v, want it %s", a.Signature, a.Ledger, want[a.Signature])
		}
		if ranked = ranked && a.Ledger.Verdict != "not verified"; !ranked && a.Ledger.Verdict != "not verified" {
			t.Errorf("%s comes after one that has no rank", a.Signature)
		}
	}
}
