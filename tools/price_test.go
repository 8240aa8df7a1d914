package tools

import (
	"strings"
	"testing"

	"mcp-trade/market"
	"mcp-trade/session"
)

// The actions of the days of a history stand beside it, each from its day on.
func TestGetPriceHistory_Actions(t *testing.T) {
	f := newFixture(t, testBars)
	actions, err := market.ParseActions([]byte(`{"date": "2025-10-01", "symbol": "NVDA", "dividend": 0.01}
{"date": "2025-10-02", "symbol": "NVDA", "split": "10:1"}
{"date": "2025-10-03", "symbol": "NVDA", "dividend": 0.02}
{"date": "2025-10-02", "symbol": "AMD", "dividend": 1}
`))
	if err != nil {
		t.Fatal(err)
	}
	f.Prices.Tell(actions)
	for _, c := range []struct {
		today string
		p     historyParams
		want  string
	}{
		{"2025-10-02", historyParams{Symbol: "nvda"}, "NVDA: dividend of 0.01 a share on 2025-10-01, NVDA: split 10:1 on 2025-10-02"},
		{"2025-10-01", historyParams{Symbol: "NVDA"}, "NVDA: dividend of 0.01 a share on 2025-10-01"},
		{"2025-10-03", historyParams{Symbol: "NVDA", Start: "2025-10-02"}, "NVDA: split 10:1 on 2025-10-02, NVDA: dividend of 0.02 a share on 2025-10-03"},
		{"2025-10-03", historyParams{Symbol: "NVDA", Start: "2025-10-01", Limit: 1}, "NVDA: dividend of 0.01 a share on 2025-10-01"},
		{"2025-10-03", historyParams{Symbol: "MSFT"}, ""},
	} {
		f.set(t, session.TodayDate, c.today)
		r, err := getPriceHistory(f.ctx(t), f.Deps, c.p)
		if got := strings.Join(r.Actions, ", "); err != nil || got != c.want {
			t.Errorf("%s %+v: %q, %v, want %q", c.today, c.p, got, err, c.want)
		}
	}
}
