package report_test

import (
	"fmt"
	"os"
	"path/filepath"

	"mcp-trade/market"
	"mcp-trade/report"
)

// A report is built from the lines of ledgers and the market that they are valued in.
func ExampleBuild() {
	dir, err := os.MkdirTemp("", "prices")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "prices.jsonl")
	series := `{"Meta Data": {"2. Symbol": "ACME"}, "Time Series (Daily)": {
		"2025-10-02": {"1. open": "100", "4. close": "103"}, "2025-10-03": {"1. open": "105", "4. close": "108"}}}`
	if err := os.WriteFile(file, []byte(series), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	prices, err := market.Open(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer prices.Close()
	lines := func(yield func([]byte, error) bool) {
		for _, line := range []string{
			`{"date": "2025-10-02", "id": 0, "positions": {"CASH": 1000}}`,
			`{"date": "2025-10-02", "id": 1, "this_action": {"action": "buy", "symbol": "ACME", "amount": 5}, "positions": {"ACME": 5, "CASH": 500}}`,
			`{"date": "2025-10-03", "id": 2, "this_action": {"action": "no_trade", "symbol": "", "amount": 0}, "positions": {"ACME": 5, "CASH": 500}}`,
		} {
			if !yield([]byte(line), nil) {
				return
			}
		}
	}
	r, err := report.Build([]report.Ledger{{Signature: "alice", Lines: lines}}, report.Options{View: prices.AsOf("2025-10-04")})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range r.Accounts {
		for _, day := range a.Periods {
			fmt.Println(a.Signature, day.Date, day.Value.Text(2))
		}
	}
	// Output:
	// alice 2025-10-02 1015.00
	// alice 2025-10-03 1040.00
}
