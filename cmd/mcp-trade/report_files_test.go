package main

import (
	"os"
	"path/filepath"
	"testing"

	"mcp-trade/report"
)

// A process may be killed while it reads ledgers. The files that take their trades meanwhile have no names by then.
func TestTradeFilesHaveNoNamesOfTheirOwn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "report")
	trades, err := newTradeFiles(dir, []report.Ledger{{Signature: "a"}, {Signature: "b"}})
	if err != nil {
		t.Fatal(err)
	}
	defer trades.remove()
	for _, signature := range []string{"b", "a"} {
		if err := trades.add(signature, report.Trade{Date: "2025-10-02", Symbol: "AAPL"}); err != nil {
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
