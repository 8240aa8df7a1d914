package compare

import (
	"encoding/json"
	"testing"

	"mcp-trade/decimal"
	"mcp-trade/market"
	"mcp-trade/report"
)

func account(t *testing.T, name, figures string, values ...float64) report.Account {
	t.Helper()
	a := report.Account{Signature: name, Fills: "open", Ledger: &report.Proof{Verdict: "verified", Head: "h"}}
	if err := json.Unmarshal([]byte(figures), &a.Metrics); err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		a.Periods = append(a.Periods, report.Period{Date: market.Stamp("2025-10-01").AddDays(i), Value: report.Known(v)})
	}
	return a
}

func text(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Each kind of difference is told, and nothing else.
func TestOf(t *testing.T) {
	run := func(model string) *report.RunSettings {
		return &report.RunSettings{Cash: decimal.NewFromInt(1000), Settings: map[string]string{"model": model}, Prices: []report.File{{Name: "p", SHA256: "1"}}}
	}
	bought := report.Trade{Date: "2025-10-01", Action: "buy", Amount: 3, Symbol: "A", Price: report.Known(10.5), Fees: 1}
	sold := report.Trade{Date: "2025-10-02", Action: "sell", Amount: 3, Symbol: "A"}
	same := account(t, "same", `{"sharpe": 1}`, 100, 110)
	x, y := account(t, "x", `{"total_return": 0.25, "sharpe": 1.5}`, 100, 110, 120), account(t, "x", `{"total_return": 0.5}`, 100, 115)
	x.Run, y.Run, x.Trades, y.Trades = run("gpt-5"), run("gpt-6"), []report.Trade{bought, sold}, []report.Trade{bought}
	a := report.Report{From: "2025-10-01", Accounts: []report.Account{same, x, account(t, "old", `{}`)}, Benchmark: &report.Series{Name: "QQQ"}}
	b := report.Report{From: "2025-10-01", Accounts: []report.Account{account(t, "new", `{}`), y, same}, RiskFree: 0.02}
	want := `{"settings":[{"name":"benchmark","a":"QQQ","b":""},{"name":"risk-free rate","a":"0","b":"0.02"}],"only_a":["old"],"only_b":["new"],"same":["same"],` +
		`"accounts":[{"signature":"x","settings":[{"name":"model","a":"gpt-5","b":"gpt-6"}],` +
		`"figures":[{"key":"total_return","a":0.25,"b":0.5,"difference":0.25},{"key":"sharpe","a":1.5,"b":null,"difference":null}],` +
		`"trade":{"a":"2025-10-02: sell 3 A","b":""},"value":{"date":"2025-10-02","a":110,"b":115}}]}`
	if got := text(t, Of(a, b)); got != want {
		t.Errorf("%s, want\n%s", got, want)
	}
	if r := Of(a, a); !r.Equal() || len(r.Same) != 3 {
		t.Errorf("a report differs from itself: %+v", r)
	}
	if Of(a, b).Equal() {
		t.Error("nothing differs")
	}
	x.Trades[0].Fees = 2
	if got := Of(report.Report{Accounts: []report.Account{x}}, report.Report{Accounts: []report.Account{y}}).Accounts[0].Trade; got != nil && got.A != "2025-10-01: buy 3 A at 10.5, fees 2" {
		t.Errorf("%+v", got)
	}
}
