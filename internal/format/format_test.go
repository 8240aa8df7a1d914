package format

import (
	"testing"

	"mcp-trade/decimal"
)

func TestMoney(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0.00", "0.004": "0.00", "0.005": "0.01", "-0.004": "0.00", "-0.006": "-0.01", "7": "7.00", "999.999": "1,000.00",
		"1234.5": "1,234.50", "-1234567.891": "-1,234,567.89", "100000": "100,000.00",
	} {
		if got := Money(decimal.RequireFromString(in)); got != want {
			t.Errorf("%s is printed as %s, want %s", in, got, want)
		}
	}
}
