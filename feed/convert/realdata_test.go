package convert

import (
	"path/filepath"
	"testing"

	"mcp-trade/internal/testenv"
	"mcp-trade/market"
)

// A price file that is converted shows what it showed.
func TestRead_RealFiles(t *testing.T) {
	for _, name := range []string{"us_daily", "us_hourly_test", "cn_daily", "cn_hourly", "crypto", "us_split"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(testenv.TestData(t), name, "merged.jsonl")
			before, err := market.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer before.Close()
			after, c := converted(t, []string{path})
			if len(c.Faults()) > 0 || shown(t, after) != shown(t, before) {
				t.Errorf("other figures, or faults: %v", c.Faults())
			}
		})
	}
}
