package market_test

import (
	"fmt"
	"os"
	"path/filepath"

	"mcp-trade/market"
)

// A view shows the market as of a moment: of a trading day under way the open alone, and nothing of the days after it.
func ExampleView() {
	dir, err := os.MkdirTemp("", "prices")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "prices.jsonl")
	series := `{"Meta Data": {"2. Symbol": "ACME"}, "Time Series (Daily)": {
		"2025-10-02": {"1. open": "100", "2. high": "104", "3. low": "99", "4. close": "103", "5. volume": "1000"},
		"2025-10-03": {"1. open": "105", "2. high": "109", "3. low": "104", "4. close": "108", "5. volume": "1000"}}}`
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
	for _, day := range []market.Stamp{"2025-10-02", "2025-10-03"} {
		view := prices.AsOf(day)
		quote, err := view.Quote("ACME")
		if err != nil {
			fmt.Println(err)
		}
		fmt.Println("on", day, "an order fills at", quote.Price)
		if value, of, err := view.LastClose("ACME"); err != nil {
			fmt.Println(err)
		} else {
			fmt.Println("the last close is", value, "of", of)
		}
	}
	// Output:
	// on 2025-10-02 an order fills at 100
	// ACME has no price at 2025-10-02, and none before it
	// on 2025-10-03 an order fills at 105
	// the last close is 103 of 2025-10-02
}
