package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/market"
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

// A report that is written account by account has what the encoder makes of it, whatever stands in its texts, and nothing that acts on
// a terminal.
func TestWriteJSON(t *testing.T) {
	hostile := report.Account{Signature: "a", Warnings: []string{"\n  \"accounts\": [], <b>\u2028\u202e\u009b"}}
	for _, accounts := range [][]report.Account{{}, {hostile}, {hostile, {Signature: "b"}}} {
		r := report.Report{Accounts: accounts, Warnings: []string{"\n  \"accounts\": ["}}
		whole, err := json.Marshal(r)
		var got bytes.Buffer
		if err := errors.Join(err, writeJSON(&got, r)); err != nil || strings.ContainsAny(got.String(), "\u202e\u009b") {
			t.Fatalf("%q, %v", got.String(), err)
		}
		if n := strings.Count(got.String(), "\n{"); n != len(accounts) {
			t.Errorf("%d lines of %d accounts: %s", n, len(accounts), got.String())
		}
		var is, want any
		if err := errors.Join(json.Unmarshal(got.Bytes(), &is), json.Unmarshal(whole, &want)); err != nil || !reflect.DeepEqual(is, want) {
			t.Errorf("%v: %s, want %s", err, got.String(), whole)
		}
	}
	full := errors.New("the disk is full")
	if err := writeJSON(failing{full}, report.Report{}); !errors.Is(err, full) {
		t.Errorf("err = %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// A report of real accounts is read back as it was written.
func TestWriteJSON_ReadBack(t *testing.T) {
	data := filepath.Join(testenv.TestData(t), "us_daily")
	prices, err := market.Open(filepath.Join(data, "merged.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer prices.Close()
	view := prices.AsOf("9999-12-31")
	benchmark, err := report.SymbolSeries(view, "AAPL")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(data, "gpt-5", "position.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := func(yield func([]byte, error) bool) {
		for line := range bytes.Lines(text) {
			if !yield(bytes.TrimSuffix(line, []byte("\n")), nil) {
				return
			}
		}
	}
	for _, method := range []report.Method{report.AITrader, report.AITraderLater} {
		r, err := report.Build([]report.Ledger{{Signature: "a", Lines: lines}}, report.Options{View: view, Prices: prices, Benchmark: &benchmark, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		r.Accounts[0].FeeItems = market.FeeItems{{Name: "stamp duty", Paid: decimal.New(95, -2)}, {Name: "a", Paid: decimal.New(5, 0)}}
		r.Accounts[0].Run = &report.RunSettings{Cash: decimal.New(10000, 0), Settings: map[string]string{"decider": "llm"}, Prices: []report.File{}}
		var written, again bytes.Buffer
		var read report.Report
		err = errors.Join(writeJSON(&written, r), json.Unmarshal(written.Bytes(), &read), writeJSON(&again, read))
		if err != nil || written.String() != again.String() {
			t.Errorf("%s, %v: %d bytes are read back as %d", method, err, written.Len(), again.Len())
		}
		money := regexp.MustCompile(`"(?:value|cash|traded|fees|bought|sold|gain|cost|income|paid|realized|unrealized|start|end)": -?[0-9]+\.[0-9]{9}`)
		if noise := money.FindString(written.String()); noise != "" {
			t.Errorf("money has the digits of a binary float: %s", noise)
		}
	}
}
