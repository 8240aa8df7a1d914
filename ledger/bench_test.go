package ledger

// What an order costs before the store sees it: the rules of its account are read, its price is found, and it is judged.

import (
	"fmt"
	"testing"

	"mcp-trade/market"
)

func BenchmarkJudge(b *testing.B) {
	var series []string
	for i := range 500 {
		series = append(series, fmt.Sprintf("S%03d 2025-10-01 9 2025-10-02 10 2025-10-03 11 2025-10-06 12", i))
	}
	v := opens(b, series...).AsOf("2025-10-03")
	book := Book{Date: market.Stamp("2025-10-01"), Positions: positions("CASH 1000000, S001 5"), Rules: DefaultRules().text()}
	o := order("buy 3 s400")
	b.ReportAllocs()
	for b.Loop() {
		rules, err := ParseRules(book.Rules)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := evaluate(book, o, v, rules); err != nil {
			b.Fatal(err)
		}
	}
}
