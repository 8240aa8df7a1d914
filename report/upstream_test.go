package report

// Tests of AI-Trader's figures against those that it published.

import (
	"bufio"
	"encoding/json"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"mcp-trade/internal/testenv"
	"mcp-trade/market"
)

// The metrics that AI-Trader published come out to the last digit.
func TestBuild_PublishedUpstreamMetrics(t *testing.T) {
	data := filepath.Join(testenv.TestData(t), "crypto")
	text, err := os.ReadFile(filepath.Join(data, "published_performance_metrics.json"))
	if err != nil {
		t.Fatal(err)
	}
	type figures struct {
		Period struct {
			Start string `json:"start_date"`
			End   string `json:"end_date"`
			Days  int    `json:"total_trading_days"`
		} `json:"analysis_period"`
		Metrics struct {
			Upstream
			Period struct {
				Start market.Stamp `json:"start_date"`
				End   market.Stamp `json:"end_date"`
			} `json:"max_drawdown_period"`
		} `json:"performance_metrics"`
		Values Upstream `json:"portfolio_summary"`
	}
	var published map[string]figures
	if err := json.Unmarshal(text, &published); err != nil {
		t.Fatal(err)
	}
	view := openPrices(t, filepath.Join(data, "merged.jsonl")).AsOf(always)
	for _, account := range []string{"gpt-5", "MiniMax-M2", "claude-3.7-sonnet"} {
		t.Run(account, func(t *testing.T) {
			r := build(t, Options{View: view, Method: AITrader}, Ledger{Signature: account, Lines: fileLines(t, filepath.Join(data, account, "position.jsonl"))})
			p, ok := published[account]
			if !ok {
				t.Fatal("nothing is published of this account")
			}
			want := p.Metrics.Upstream
			want.StartDate, want.EndDate, want.Days = market.Stamp(p.Period.Start), market.Stamp(p.Period.End), p.Period.Days
			want.DrawdownStart, want.DrawdownEnd = p.Metrics.Period.Start, p.Metrics.Period.End
			want.InitialValue, want.FinalValue, want.Change, want.ChangePercent = p.Values.InitialValue, p.Values.FinalValue, p.Values.Change, p.Values.ChangePercent
			if got := *r.Accounts[0].Upstream; got != want {
				t.Errorf("computed\n%+v\npublished\n%+v", got, want)
			}
		})
	}
}

// fileLines yields the lines of a file.
func fileLines(t testing.TB, path string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() && yield(lines.Bytes(), nil) {
		}
	}
}
