// Golden ledgers: the trades of real agents, replayed through the binary, must give the books that those agents had.

package integration_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/report"
)

var goldenAgents = []string{"gpt-5", "gemini-2.5-flash", "qwen3-max"}

// golden is the ledger of a real agent, and per row in which way it follows from the row before.
type golden struct {
	agent   string
	file    string
	prices  string
	records []ledger.Record
	classes []string
}

func goldenLedgers(t *testing.T) []golden {
	t.Helper()
	return goldenLedgersOf(t, "us_daily", goldenAgents...)
}

func goldenLedgersOf(t *testing.T, market string, agents ...string) []golden {
	t.Helper()
	dir := filepath.Join(testenv.TestData(t), market)
	var all []golden
	for _, agent := range agents {
		g := golden{agent: agent, file: filepath.Join(dir, agent, "position.jsonl"), prices: filepath.Join(dir, "merged.jsonl")}
		text, err := os.ReadFile(g.file)
		if err != nil {
			t.Fatal(err)
		}
		g.records = parseLedger(t, string(text))
		rows, err := os.ReadFile(filepath.Join(dir, agent, "rows.tsv"))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(rows)), "\n")[1:]
		if len(lines) != len(g.records) {
			t.Fatalf("%s: %d rows are classified, %d there", agent, len(lines), len(g.records))
		}
		for _, line := range lines {
			g.classes = append(g.classes, strings.Split(line, "\t")[8])
		}
		all = append(all, g)
	}
	return all
}

// sameBook compares holdings exactly, and cash to what the binary floats of the originals are good for.
func sameBook(t *testing.T, row int, want, got ledger.Positions) {
	t.Helper()
	w, g := want.Holdings(), got.Holdings()
	same := len(w) == len(g)
	for i := 0; same && i < len(w); i++ {
		same = w[i].Symbol == g[i].Symbol && w[i].Amount.Equal(g[i].Amount)
	}
	if !same {
		t.Fatalf("row %d: holdings are %v, want %v", row, g, w)
	}
	if off := want.Amount(ledger.Cash).Sub(got.Amount(ledger.Cash)).Abs(); off.GreaterThan(decimal.New(1, -6)) {
		t.Fatalf("row %d: cash is %s, want %s", row, got.Amount(ledger.Cash), want.Amount(ledger.Cash))
	}
}

func TestGoldenLedgersReplayedCallByCall(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	for _, g := range goldenLedgers(t) {
		t.Run(g.agent, func(t *testing.T) {
			onBothStores(t, func(t *testing.T, p *place) {
				p.prices = g.prices
				replayGolden(t, p, g)
			})
		})
	}
}

// open opens the prices of the ledger.
func (g golden) open(t *testing.T) *market.Prices {
	t.Helper()
	prices, err := market.Open(g.prices)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { prices.Close() })
	return prices
}

// replayGolden makes the trades of a ledger again through a client.
func replayGolden(t *testing.T, p *place, g golden) {
	first := g.records[0]
	p.open(t, g.agent, first.Cash().String(), string(first.Date))
	tr, accounts, prices, today := p.trade(t, g.agent), p.accounts(t), g.open(t), first.Date
	counts := map[string]int{}
	for row, want := range g.records[1:] {
		row++
		if want.Date != today {
			today = want.Date
			p.setDate(t, g.agent, string(today))
		}
		order := args{"symbol": want.Symbol, "amount": json.Number(want.Amount.String())}
		switch class := g.classes[row]; class {
		case "exact":
			fill := tr.call(t, string(want.Action), order)
			if fill.failed || fill.str("date") != string(want.Date) {
				t.Fatalf("row %d: %s", row, fill.text)
			}
			var answer struct{ Positions ledger.Positions }
			if err := json.Unmarshal([]byte(fill.text), &answer); err != nil {
				t.Fatal(err)
			}
			sameBook(t, row, want.Positions, answer.Positions)
		case "exact_zero_amount":
			tr.refused(t, "invalid_argument", string(want.Action), order)
		case "no_trade":
			if err := accounts.CloseDay(t.Context(), g.agent, prices.AsOf(want.Date)); err != nil {
				t.Fatal(err)
			}
			newest := p.records(t, g.agent)
			got := newest[len(newest)-1]
			if got.Action != ledger.NoTrade || got.Date != want.Date || got.Symbol != "" || !got.Amount.IsZero() {
				t.Fatalf("row %d: no_trade became %+v", row, got)
			}
			sameBook(t, row, want.Positions, got.Positions)
		default:
			t.Fatalf("row %d is of the class %s", row, class)
		}
		counts[g.classes[row]]++
	}
	if n := len(p.records(t, g.agent)); n != 1+counts["exact"]+counts["no_trade"] {
		t.Fatalf("%d records after %v", n, counts)
	}
	p.verified(t, g.agent)
	t.Logf("%s: %v", g.agent, counts)
}

const octoberDays = 21 // trading days of October 2025 after the 1st, up to the 30th

func TestGoldenLedgersReplayedByRun(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	all := goldenLedgers(t)
	onBothStores(t, func(t *testing.T, p *place) {
		p.prices = all[0].prices
		run := []string{"run", "--from", "2025-10-01", "--to", "2025-10-30", "--cash", "10000"}
		for _, g := range all {
			run = append(run, "--account", g.agent+"=recorded:"+g.file)
		}
		p.do(t, run...)
		for _, g := range all {
			sameRun(t, g, p.records(t, g.agent), octoberDays)
			p.verified(t, g.agent)
		}
	})
}

// sameRun holds a run against the ledger that it repeated: the trades one by one, and a no_trade record on each trading
// day without one.
func sameRun(t *testing.T, g golden, got []ledger.Record, tradingDays int) {
	t.Helper()
	traded := map[market.Stamp]bool{}
	var want []ledger.Record
	for row, r := range g.records[1:] {
		if g.classes[row+1] == "exact" {
			traded[r.Date] = true
			want = append(want, r)
		}
	}
	days := map[market.Stamp]bool{}
	for _, r := range got[1:] {
		days[r.Date] = true
		if r.Action == ledger.NoTrade {
			if traded[r.Date] {
				t.Fatalf("%s: %s has trades and a no_trade record", g.agent, r.Date)
			}
			continue
		}
		if len(want) == 0 || r.Buys() != want[0].Buys() || r.Symbol != want[0].Symbol || !r.Amount.Equal(want[0].Amount) || r.Date != want[0].Date {
			t.Fatalf("%s: the record %d is %s %s %s on %s, which is not the next one of the original", g.agent, r.ID, r.Action, r.Amount, r.Symbol, r.Date)
		}
		sameBook(t, int(want[0].ID), want[0].Positions, r.Positions)
		want = want[1:]
	}
	if len(want) > 0 {
		t.Fatalf("%s: %d trades of the original are missing, the first %+v", g.agent, len(want), want[0])
	}
	if len(days) != tradingDays {
		t.Fatalf("%s: %d days have records", g.agent, len(days))
	}
}

func TestVerifyOnRealLedgersNamesTheRowsThatTradeNothing(t *testing.T) {
	t.Parallel()
	for _, g := range goldenLedgers(t) {
		t.Run(g.agent, func(t *testing.T) {
			p := onFiles(t)
			p.prices = g.prices
			out := p.try(t, "ledger", "verify", g.file, "--json")
			var reports []struct {
				Rows, Trades, Unpriced int
				Findings               []ledger.Finding
				Verdict                ledger.Verdict
			}
			if err := json.Unmarshal([]byte(out.stdout), &reports); err != nil || len(reports) != 1 {
				t.Fatalf("%v: %s%s", err, out.stdout, out.stderr)
			}
			var want []int
			for row, class := range g.classes {
				if class == "exact_zero_amount" {
					want = append(want, row)
				}
			}
			r := reports[0]
			if r.Rows != len(g.records) || r.Unpriced != 0 || len(r.Findings) != len(want) {
				t.Fatalf("the report is %+v, want findings in the rows %v of %d", r, want, len(g.records))
			}
			for i, f := range r.Findings {
				if f.Row != want[i] || f.Class != ledger.NoChange {
					t.Errorf("finding %s, want a trade of nothing in row %d", f, want[i])
				}
			}
			if out.code != 0 || r.Verdict != ledger.Verified { // a trade of nothing is no failure
				t.Errorf("exit %d, %s", out.code, r.Verdict)
			}
		})
	}
}

// The comparison of three models' accounts with QQQ and with each other, against figures that another program computed.
func TestReport_Certainty(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	args := []string{"report", "--json", "--benchmark", filepath.Join(testenv.TestData(t), "us_daily", "QQQ.json")}
	for _, g := range goldenLedgers(t) {
		p.prices = g.prices
		args = append(args, g.file)
	}
	var r report.Report
	if err := json.Unmarshal([]byte(p.do(t, args...)), &r); err != nil {
		t.Fatal(err)
	}
	want := map[string][5]string{ // percent ahead, its interval, p, and p adjusted for three accounts
		"gpt-5":            {"3.3", "-7.3", "15.2", "0.50", "1.00"},
		"qwen3-max":        {"1.2", "-12.0", "16.4", "0.85", "1.00"},
		"gemini-2.5-flash": {"-5.4", "-12.2", "2.0", "0.13", "0.38"},
	}
	for _, a := range r.Accounts {
		c := a.Certainty
		percent := func(n report.Number) string { return fmt.Sprintf("%.1f", 100*n.Float()) }
		got := [5]string{percent(c.Ahead), percent(c.AheadInterval.Low), percent(c.AheadInterval.High), c.P.Text(2), c.Adjusted.Text(2)}
		if got != want[a.Signature] || c.Against != "QQQ" || c.Returns != 19 {
			t.Errorf("%s: %v against %s over %d returns, want %v against QQQ over 19", a.Signature, got, c.Against, c.Returns, want[a.Signature])
		}
	}
	if len(r.Accounts) != 3 || len(r.Pairs) != 3 {
		t.Errorf("%d accounts, %d pairs", len(r.Accounts), len(r.Pairs))
	}
}
