package export

import (
	"os"
	"path/filepath"
	"testing"

	"mcp-trade/report"
)

// A process may be killed while it reads ledgers. The files that take their trades meanwhile have no names by then.
func TestTrades_NoNames(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "report")
	trades, err := NewTrades(dir, []report.Ledger{{Signature: "a"}, {Signature: "b"}})
	if err != nil {
		t.Fatal(err)
	}
	defer trades.Remove()
	for _, signature := range []string{"b", "a"} {
		if err := trades.Add(signature, report.Trade{Date: "2025-10-02", Symbol: "AAPL"}); err != nil {
			t.Fatal(err)
		}
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 0 {
		t.Errorf("the folder has %v, %v", names, err)
	}
	if err := trades.join(filepath.Join(dir, "trades.csv")); err != nil {
		t.Fatal(err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("the folder has %v, %v", names, err)
	}
}
