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
