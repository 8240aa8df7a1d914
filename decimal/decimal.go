// Package decimal is the amounts of this program: exact decimals, which are numbers in JSON. They are those of
// [github.com/shopspring/decimal], whose JSON would be strings, or what a global says.
package decimal

import (
	"fmt"
	"math/big"

	library "github.com/shopspring/decimal"
)

// Decimal is an exact amount. The zero value is 0.
type Decimal struct{ d library.Decimal }

// Zero is 0.
var Zero = Decimal{}

// New returns value × 10^exp.
func New(value int64, exp int32) Decimal { return Decimal{library.New(value, exp)} }

// NewFromInt returns a whole number.
func NewFromInt(value int64) Decimal { return Decimal{library.NewFromInt(value)} }

// NewFromFloat returns the shortest decimal that is read as the float. It panics on NaN and infinity.
func NewFromFloat(value float64) Decimal { return Decimal{library.NewFromFloat(value)} }

// NewFromString reads "12", "-0.5" or "1e-3".
func NewFromString(text string) (Decimal, error) {
	d, err := library.NewFromString(text)
	return Decimal{d}, err
}

// RequireFromString is NewFromString of a text that is known to be right. It panics on another.
func RequireFromString(text string) Decimal { return Decimal{library.RequireFromString(text)} }

// Min returns the smallest.
func Min(first Decimal, rest ...Decimal) Decimal {
	for _, d := range rest {
		if d.LessThan(first) {
			first = d
		}
	}
	return first
}

// What follows does what the method of the same name does in the library.

func (d Decimal) Add(o Decimal) Decimal                    { return Decimal{d.d.Add(o.d)} }
func (d Decimal) Sub(o Decimal) Decimal                    { return Decimal{d.d.Sub(o.d)} }
func (d Decimal) Mul(o Decimal) Decimal                    { return Decimal{d.d.Mul(o.d)} }
func (d Decimal) Cmp(o Decimal) int                        { return d.d.Cmp(o.d) }
func (d Decimal) Equal(o Decimal) bool                     { return d.d.Equal(o.d) }
func (d Decimal) LessThan(o Decimal) bool                  { return d.d.LessThan(o.d) }
func (d Decimal) GreaterThan(o Decimal) bool               { return d.d.GreaterThan(o.d) }
func (d Decimal) CoefficientInt64() int64                  { return d.d.CoefficientInt64() }
func (d Decimal) Exponent() int32                          { return d.d.Exponent() }
func (d Decimal) IsNegative() bool                         { return d.d.IsNegative() }
func (d Decimal) NumDigits() int                           { return d.d.NumDigits() }
func (d Decimal) Shift(places int32) Decimal               { return Decimal{d.d.Shift(places)} }
func (d Decimal) Abs() Decimal                             { return Decimal{d.d.Abs()} }
func (d Decimal) DivRound(o Decimal, places int32) Decimal { return Decimal{d.d.DivRound(o.d, places)} }
func (d Decimal) Mod(o Decimal) Decimal                    { return Decimal{d.d.Mod(o.d)} }
func (d Decimal) Neg() Decimal                             { return Decimal{d.d.Neg()} }
func (d Decimal) IntPart() int64                           { return d.d.IntPart() }
func (d Decimal) IsInteger() bool                          { return d.d.IsInteger() }
func (d Decimal) Rat() *big.Rat                            { return d.d.Rat() }
func (d Decimal) LessThanOrEqual(o Decimal) bool           { return d.d.LessThanOrEqual(o.d) }
func (d Decimal) Sign() int                                { return d.d.Sign() }
func (d Decimal) IsZero() bool                             { return d.d.IsZero() }
func (d Decimal) IsPositive() bool                         { return d.d.IsPositive() }
func (d Decimal) Round(places int32) Decimal               { return Decimal{d.d.Round(places)} }
func (d Decimal) RoundUp(places int32) Decimal             { return Decimal{d.d.RoundUp(places)} }
func (d Decimal) RoundDown(places int32) Decimal           { return Decimal{d.d.RoundDown(places)} }
func (d Decimal) Float64() (value float64, exact bool)     { return d.d.Float64() }
func (d Decimal) InexactFloat64() float64                  { return d.d.InexactFloat64() }
func (d Decimal) String() string                           { return d.d.String() }
func (d Decimal) StringFixed(places int32) string          { return d.d.StringFixed(places) }
func (d Decimal) Format(f fmt.State, verb rune)            { d.d.Format(f, verb) }

// QuoRem returns the quotient to so many places, and the remainder.
func (d Decimal) QuoRem(o Decimal, places int32) (quotient, remainder Decimal) {
	q, r := d.d.QuoRem(o.d, places)
	return Decimal{q}, Decimal{r}
}

// MarshalJSON writes a number.
func (d Decimal) MarshalJSON() ([]byte, error) { return []byte(d.d.String()), nil }

// UnmarshalJSON reads a number, or a string that holds one; null is 0.
func (d *Decimal) UnmarshalJSON(text []byte) error { return d.d.UnmarshalJSON(text) }

// NullDecimal is an amount that may be unknown, which is null in JSON.
type NullDecimal struct {
	Decimal Decimal
	Valid   bool
}

// NewNullDecimal returns an amount that is known.
func NewNullDecimal(d Decimal) NullDecimal { return NullDecimal{Decimal: d, Valid: true} }

// MarshalJSON writes a number, or null.
func (n NullDecimal) MarshalJSON() ([]byte, error) {
	if !n.Valid {
		return []byte("null"), nil
	}
	return n.Decimal.MarshalJSON()
}

// UnmarshalJSON reads null, or what a [Decimal] is read from.
func (n *NullDecimal) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = NullDecimal{}
		return nil
	}
	err := n.Decimal.UnmarshalJSON(text)
	n.Valid = err == nil
	return err
}
