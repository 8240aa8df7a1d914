package main

import (
	"strings"
	"testing"

	"mcp-trade/agent"
	"mcp-trade/agent/runner"
	"mcp-trade/decimal"
)

// Progress off a terminal is plain lines.
func TestProgressView_OffATerminal(t *testing.T) {
	var out strings.Builder
	v := newProgressView(&out, []runner.Account{{Name: "model"}, {Name: "steady"}})
	value := decimal.NewNullDecimal(decimal.RequireFromString("100234.5"))
	v.step(agent.Step{Account: "model", Date: "2025-01-02", Step: 1, Action: "buy", Tokens: 12345})
	for day := 1; day <= 20; day++ {
		v.day(runner.Progress{Account: "steady", Done: day, Of: 20, Date: "2025-01-02"})
	}
	v.day(runner.Progress{Account: "model", Done: 1, Of: 20, Date: "2025-01-02", Trades: 2, Value: value})
	v.day(runner.Progress{Account: "model", Done: 2, Of: 20, Date: "2025-01-03"}) // a day of which no step was heard
	if _, err := v.Write([]byte("a warning\n")); err != nil {
		t.Error(err)
	}
	v.end()
	lines := strings.Split(out.String(), "\n")
	if got := strings.Join(lines[9:], "\n"); len(lines) != 14 || got != "steady: day 20 of 20, 2025-01-02\n"+
		"model: day 1 of 20, 2025-01-02, 1 steps, 12,345 tokens, 2 trades, value 100,234.50\nmodel: day 2 of 20, 2025-01-03, 0 trades\na warning\n" {
		t.Errorf("%d lines, the last:\n%s", len(lines), got)
	}
}

// Progress on a terminal says what a model did.
func TestProgressView_OnATerminal(t *testing.T) {
	v := &progressView{longest: 6}
	cent := decimal.RequireFromString("0.01")
	a := &accountView{
		step: agent.Step{Date: "2025-01-03", Step: 3, Action: "buy\x1b[2J", Tokens: 12345, Cost: &cent},
		day:  runner.Progress{Date: "2025-01-02", Value: decimal.NewNullDecimal(decimal.RequireFromString("100234.56"))},
	}
	if got, want := v.message("gpt", a), `gpt    2025-01-03 step 3 buy\x1b[2J, 12,345 tokens, value 100,235, cost 0.0100`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := v.message("gpt", &accountView{day: runner.Progress{Date: "2025-01-02"}}); got != "gpt    2025-01-02" {
		t.Errorf("of no model: %s", got)
	}
}
