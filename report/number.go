// A figure that may be unknown.

package report

import (
	"encoding/json"
	"math"

	"mcp-trade/decimal"
)

// Number is a figure that may be unknown, as the zero Number is. It is never NaN and never infinite, in memory or in JSON:
// what is unknown is null there.
type Number struct {
	value float64
	known bool
}

// Known returns a number that is known, unless it is NaN or infinite.
func Known(value float64) Number {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return Number{}
	}
	return Number{value + 0, true} // + 0 for no -0
}

// Known tells whether the number is known.
func (n Number) Known() bool { return n.known }

// Float returns the number, and 0 if it is unknown.
func (n Number) Float() float64 { return n.value }

// Over divides two numbers. The quotient is unknown if one of them is, or if the divisor is 0.
func (n Number) Over(by Number) Number {
	if !n.known || !by.known {
		return Number{}
	}
	return Known(n.value / by.value)
}

// moneyDecimals are those to which money is told: the finest that an account of any market has. Programs that compute in binary floats
// leave digits beyond them.
const moneyDecimals = 8

// money is an amount of money as a float, whose shortest text is the exact amount.
func money(d decimal.Decimal) float64 {
	if d.Exponent() < -moneyDecimals {
		d = d.Round(moneyDecimals)
	}
	return d.InexactFloat64()
}

// moneyOf is money that may be unknown.
func moneyOf(d decimal.NullDecimal) Number {
	if !d.Valid {
		return Number{}
	}
	return Known(money(d.Decimal))
}

// roundMoney rounds money that was computed in floats.
func roundMoney(value float64) float64 {
	const unit = 1e8
	return math.Round(value*unit) / unit
}

// Text returns the number with so many decimals, and "" if it is unknown. It is rounded as the decimal number that it stands
// for: half a cent goes up, whatever binary floats make of it.
func (n Number) Text(decimals int) string {
	if !n.known {
		return ""
	}
	return decimal.NewFromFloat(n.value).StringFixed(int32(decimals))
}

// MarshalJSON writes the number, or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.known {
		return []byte("null"), nil
	}
	return json.Marshal(n.value)
}

// UnmarshalJSON reads a number, or null.
func (n *Number) UnmarshalJSON(text []byte) error {
	var value *float64
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	*n = Number{}
	if value != nil {
		*n = Known(*value)
	}
	return nil
}
