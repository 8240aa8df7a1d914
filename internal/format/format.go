// Package format prints numbers for people.
package format

import (
	"strings"

	"mcp-trade/decimal"
)

// Money prints an amount to the cent, with the thousands apart.
func Money(d decimal.Decimal) string {
	whole, cents, _ := strings.Cut(d.Abs().StringFixed(2), ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if d.Round(2).IsNegative() {
		whole = "-" + whole
	}
	return whole + "." + cents
}

// Count prints a whole number with the thousands apart.
func Count(n int) string { return strings.TrimSuffix(Money(decimal.NewFromInt(int64(n))), ".00") }

// Cost prints what a model cost, which can be much less than a cent.
func Cost(d *decimal.Decimal) string {
	if d == nil {
		return "unknown"
	}
	return d.StringFixed(4)
}
