package paper

import (
	"strings"
	"testing"

	"mcp-trade/decimal"
	"mcp-trade/report"
)

// The methods name what the runs and the report noted, say what was not, and end with the command.
func TestMethods(t *testing.T) {
	file := report.File{Name: "merged.jsonl", SHA256: "9c18"}
	run := func(decider, model, version string, prices ...report.File) *report.RunSettings {
		return &report.RunSettings{
			Version: version, Cash: decimal.NewFromInt(10000), Settings: map[string]string{"decider": decider, "model": model, "max_steps": "0", "sampling": `{"seed":1}`}, Prices: prices,
		}
	}
	a, b, c, d := accountOf(t, "a", "0.1", "", 1, 2), accountOf(t, "b", "0.1", "", 1, 2), accountOf(t, "c", "0.1", ""), accountOf(t, "d", "0.1", "", 1)
	a.Run, b.Run, c.Run = run("momentum:5", "", "v1", file), run("momentum:5", "", "v1", file), run("llm", "gpt-5", "v2", report.File{Name: "other"})
	for _, x := range []*report.Account{&a, &b, &c, &d} {
		x.Fills = "open"
	}
	c.Costs, c.Knowledge, d.Ledger.Verdict = "real", &report.Knowledge{Cutoff: "2024-09-30", Masked: true}, "not verified"
	r := report.Report{Accounts: []report.Account{a, b, c, d}, RiskFree: 0.02, Benchmark: &report.Series{Name: "QQQ"},
		Made: &report.Provenance{Version: "v3", Command: "mcp-trade report --benchmark QQQ", Prices: []report.File{file}}}
	text := Methods(r)
	for _, want := range []string{
		"4 accounts traded on paper with mcp-trade (version v1, v2; report by version v3).",
		`a, b: the strategy momentum:5 with 10,000.00 at the start (sampling {"seed":1}).`,
		`c: the language model gpt-5 with 10,000.00 at the start (sampling {"seed":1}).`, "d: who traded was not noted.",
		"a, b traded US shares from 2025-10-01 to 2025-10-02 (2 trading days); orders filled at: open; costs: none.", "c traded US shares; orders filled at: open; costs: real.",
		"The prices are merged.jsonl (SHA-256 9c18); the runs of c had other files.", "The benchmark is QQQ.", "by 252 periods and take a risk-free rate of 2.00 % a year.",
		"by Holm's method among 4 accounts.", "Of 4 ledgers, recomputed row by row, 3 are verified in full.",
		"c: the model's knowledge cutoff is 2024-09-30, and it saw neither true symbols nor true dates.", "\n\n    mcp-trade report --benchmark QQQ\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the methods lack %q:\n%s", want, text)
		}
	}
	if alone := Methods(report.Report{Accounts: []report.Account{d}}); !strings.Contains(alone, "1 account traded on paper with mcp-trade.") || !strings.Contains(alone, "in files whose hashes were not taken.") {
		t.Error(alone)
	}
	if Methods(report.Report{}) != "" {
		t.Error("no accounts have methods")
	}
}
