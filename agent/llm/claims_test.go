package llm

import (
	"strings"
	"testing"

	"mcp-trade/decimal"
	"mcp-trade/ledger"
)

func TestDiscrepancies(t *testing.T) {
	book := ledger.Book{Positions: ledger.Positions{
		{Symbol: ledger.Cash, Amount: decimal.RequireFromString("8104.37")}, {Symbol: "AAPL", Amount: decimal.NewFromInt(10)},
	}}
	for _, c := range []struct{ text, want string }{
		{"Cash: $8,104.37", ""},
		{"Remaining cash is 8104", ""}, // rounded
		{"**Cash:** $8,104.4", ""},
		{"cash balance: $9,000.00", "it states 9000 of cash, the ledger has 8104.37"},
		{"Cash = 8110", "it states 8110 of cash, the ledger has 8104.37"},
		{"We started with cash: $10,000.00 and now have cash: $8,104.37", ""}, // the last word counts
		{"I spent $1,895.63 of my cash on AAPL", ""},
		{"Keep at least $500 in cash", ""},
		{"- AAPL: 10 shares", ""},
		{"AAPL: 12 shares\n* MSFT: 3 shares", "it states 12 shares of AAPL, the ledger has 10; it states 3 shares of MSFT, the ledger has 0"},
		{"- **AAPL**: 11 shares at 189.60", "it states 11 shares of AAPL, the ledger has 10"},
		{"I bought 5 shares of AAPL and would like AAPL to reach 20 shares", ""},
		{"", ""},
	} {
		if got := strings.Join(discrepancies(c.text, book), "; "); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}
