// Reports from outside: how fast over long ledgers, and the same from both stores.

package integration_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
	"mcp-trade/market"
	"mcp-trade/market/markettest"
	"mcp-trade/store/filestore"
)

// BenchmarkReport measures a report on ten accounts of 100,000 rows each, with books of a hundred symbols: 1.2 kB a row.
func BenchmarkReport(b *testing.B) {
	const accounts, rows = 10, 100_000
	p, s := onFiles(b), samples{}
	days := wideMarket(b, p)
	log := filepath.Join(p.dir, "agent_data")
	ledgers := filestore.New(p.dir, log)
	defer ledgers.Close()
	first := ledgers.LedgerFile("account-0")
	writeWide(b, first, rows, days)
	for i := range accounts {
		if path := ledgers.LedgerFile(fmt.Sprint("account-", i)); path != first {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				b.Fatal(err)
			}
			if err := os.Link(first, path); err != nil {
				b.Fatal(err)
			}
		}
	}
	peak := int64(0)
	run := func(name string, args ...string) {
		cmd := p.command(append([]string{"report", "--json"}, args...)...)
		s.take(name, func() {
			if out := runToEnd(b, cmd); out.code != 0 {
				b.Fatal(out.stderr)
			}
		})
		peak = max(peak, peakMemory(b, cmd))
	}
	for b.Loop() {
		run("report")
		run("with-files", "--out", filepath.Join(p.dir, "out"), "--benchmark", "equal-weight")
	}
	s.report(b)
	b.ReportMetric(float64(peak)/1024, "peak-MB")
}

// peakMemory is the most that a process held, in kB.
func peakMemory(b *testing.B, cmd *exec.Cmd) int64 {
	b.Helper()
	peak, ok := testenv.PeakMemory(cmd.ProcessState)
	if !ok {
		b.Skip("the system does not tell how much memory a process held")
	}
	return peak
}

const wideSymbols = 100

// wideMarket gives a place a year of prices of a hundred symbols.
func wideMarket(b *testing.B, p *place) []market.Stamp {
	b.Helper()
	p.prices = filepath.Join(p.dir, "wide.jsonl")
	f, err := os.Create(p.prices)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := markettest.Write(f, 1, wideSymbols, 250, "2025-01-01"); err != nil {
		b.Fatal(err)
	}
	prices, err := market.Open(p.prices)
	if err != nil {
		b.Fatal(err)
	}
	defer prices.Close()
	days, err := prices.Stamps("", "")
	if err != nil {
		b.Fatal(err)
	}
	return days
}

// writeWide writes a ledger that buys a hundred symbols in turn, then sells them in turn, and so on.
func writeWide(b *testing.B, path string, rows int, days []market.Stamp) {
	b.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	held, cash := [wideSymbols]int{}, 1_000_000
	for id := range rows {
		day := days[id*(len(days)-1)/rows]
		fmt.Fprintf(w, `{"date": "%s", "id": %d, `, day, id)
		if id > 0 {
			n := (id - 1) % wideSymbols
			action, change := "buy", 3
			if (id-1)/wideSymbols%2 == 1 {
				action, change = "sell", -3
			}
			held[n], cash = held[n]+change, cash-100*change
			fmt.Fprintf(w, `"this_action": {"action": "%s", "symbol": "SYN%02d", "amount": 3, "price": 100}, `, action, n+1)
		}
		w.WriteString(`"positions": {`)
		for i, n := range held {
			fmt.Fprintf(w, `"SYN%02d": %d, `, i+1, n)
		}
		fmt.Fprintf(w, `"CASH": %d}, "order_id": "order-%d", "note": "because"}`+"\n", cash, id)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
}

// A ledger is reported on in the same way wherever it is kept.
func TestAReportIsTheSameFromBothStores(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	reports := map[string]string{}
	onBothStores(t, func(t *testing.T, p *place) {
		p.prices = synthetic
		p.do(t, "run", "--from", "2025-01-01", "--to", "2025-06-30", "--account", "steady=equal-weight", "--account", "dice=random:7")
		text := p.do(t, "report", "--json", "--benchmark", "SYN01", "--out", filepath.Join(p.dir, "out"))
		var r struct {
			Accounts []struct {
				Periods []struct{ Value *float64 }
				Metrics struct{ Sharpe, Beta, Refused *float64 }
			}
		}
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		if len(r.Accounts) != 2 || len(r.Accounts[0].Periods) < 100 || r.Accounts[0].Metrics.Sharpe == nil || r.Accounts[1].Metrics.Beta == nil || r.Accounts[1].Metrics.Refused == nil {
			t.Errorf("%.3000s", text)
		}
		reports[t.Name()] = text
	})
	var first string
	for name, text := range reports {
		if first == "" {
			first = text
		}
		if text != first {
			t.Errorf("%s tells\n%.2000s\nthe other\n%.2000s", name, text, first)
		}
	}
}

func TestAReportTellsWhatAModelSaidAndCost(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		if r.Turn == 0 {
			return modeltest.Reply{Text: "I think of " + r.Date + ".", Calls: []modeltest.Call{
				modeltest.Order("buy", "SYN01", 1), modeltest.Order("buy", "SYN01", 1_000_000),
			}}
		}
		return modeltest.Say("Done. %s", llm.StopSignal)
	})
	p.do(t, "run", p.config(t, model, "2025-01-03", object{"price_per_million": object{"input": 1, "output": 2}}, "alice"))
	var r struct {
		Accounts []struct {
			Metrics struct{ Refused, Tokens, Cost float64 }
			Notes   []struct {
				Date, Text            string
				Tokens, Cost, Refused float64
			}
		}
	}
	if err := json.Unmarshal([]byte(p.do(t, "report", "--json")), &r); err != nil || len(r.Accounts) != 1 {
		t.Fatalf("%v: %+v", err, r)
	}
	a := r.Accounts[0]
	tokens, cost := 0.0, 0.0
	for i, date := range []string{"2025-01-02", "2025-01-03"} {
		n := a.Notes[i]
		if n.Date != date || n.Text != "I think of "+date+".\n\nDone." || n.Refused != 1 || n.Tokens <= 0 || n.Cost <= 0 {
			t.Errorf("%s: %+v", date, n)
		}
		tokens, cost = tokens+n.Tokens, cost+n.Cost
	}
	if m := a.Metrics; len(a.Notes) != 2 || m.Refused != 2 || m.Tokens != tokens || math.Abs(m.Cost-cost) > 1e-12 {
		t.Errorf("%+v, of days %+v", m, a.Notes)
	}
}
