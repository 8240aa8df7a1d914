package export

import (
	"bytes"
	"errors"
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

// A report that is written account by account is what the encoder makes of it, whatever stands in its texts.
func TestWriteJSON(t *testing.T) {
	hostile := report.Account{Signature: "a", Warnings: []string{"\n  \"accounts\": [], <b>\u2028"}}
	for _, accounts := range [][]report.Account{{}, {hostile}, {hostile, {Signature: "b"}}} {
		r := report.Report{Accounts: accounts, Warnings: []string{"\n  \"accounts\": ["}}
		want, err := indented("", r)
		var got bytes.Buffer
		if err := errors.Join(err, writeJSON(&got, r)); err != nil || got.String() != string(want)+"\n" {
			t.Errorf("%v: %s, want %s", err, got.String(), want)
		}
	}
	full := errors.New("the disk is full")
	if err := writeJSON(failing{full}, report.Report{}); !errors.Is(err, full) {
		t.Errorf("err = %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
