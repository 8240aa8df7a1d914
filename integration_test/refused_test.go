// Runs of strategies in every market: the server refuses none of their orders.

package integration_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"mcp-trade/internal/testenv"
)

func TestStrategiesOfEveryMarketAreRefusedNothing(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	for folder, flags := range map[string][]string{
		"us_daily":       {"--from", "2025-08-01", "--to", "2025-10-03", "--fill", "next-open"},
		"us_hourly_test": {"--from", "2025-10-20", "--to", "2025-10-24", "--costs", "real"},
		"cn_daily":       {"--from", "2025-10-08", "--to", "2025-11-07", "--market", "cn", "--costs", "real", "--cash", "1000000"},
		"cn_hourly":      {"--from", "2025-10-08 15:00:00", "--to", "2025-10-17", "--market", "cn", "--slippage", "5bps", "--cash", "1000000"},
		"crypto":         {"--from", "2025-10-20", "--to", "2025-11-15", "--market", "crypto", "--costs", "real"},
	} {
		t.Run(folder, func(t *testing.T) {
			p := onFiles(t)
			p.prices = filepath.Join(testenv.TestData(t), folder, "merged.jsonl")
			out := p.do(t, append([]string{"run", "--json", "--account", "steady=equal-weight", "--account", "chaser=momentum:3", "--account", "dice=random:7"}, flags...)...)
			var results []struct {
				Account         string
				Trades, Refused int
			}
			if err := json.Unmarshal([]byte(out), &results); err != nil || len(results) != 3 {
				t.Fatal(err, out)
			}
			for _, r := range results {
				if r.Trades == 0 && r.Account != "chaser" || r.Refused > 0 {
					t.Errorf("%s: %d trades, and %d orders refused", r.Account, r.Trades, r.Refused)
				}
			}
		})
	}
}
