package ledger_test

import (
	"errors"
	"fmt"

	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// An order is evaluated against the newest book at one price, without any store. It fills as a whole or is refused.
func ExampleApply() {
	book := ledger.Book{ID: 4, Date: "2025-10-02", Positions: ledger.Positions{{Symbol: ledger.Cash, Amount: decimal.NewFromInt(1000)}}}
	quote := market.Quote{Symbol: "ACME", Market: market.Of("ACME"), At: "2025-10-03", Price: decimal.NewFromInt(105)}
	for _, shares := range []int64{9, 10} {
		order := ledger.Order{Action: ledger.Buy, Symbol: "ACME", Amount: decimal.NewFromInt(shares)}
		record, err := ledger.Apply(book, order, quote, ledger.DefaultRules())
		var refusal *ledger.Refusal
		if errors.As(err, &refusal) {
			fmt.Println(refusal.Code(), "at most", refusal.Details()["max_amount"])
			continue
		}
		fmt.Println("row", record.ID, "of", record.Date, record.Positions)
	}
	// Output:
	// row 5 of 2025-10-03 [{CASH 55} {ACME 9}]
	// insufficient_cash at most 9
}
