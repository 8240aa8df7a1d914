package market

// This file has slippage: how much worse than the open an order fills.

import (
	"fmt"
	"strings"

	"mcp-trade/decimal"
)

// Slippage is by how much a purchase is dearer, and a sale cheaper, than the open. The zero value is none.
type Slippage struct {
	points decimal.Decimal // in basis points of the open
	half   decimal.Decimal // of a spread, for one share
}

// NoSlippage is how none is written.
const NoSlippage = "none"

// halfSpread begins the text of a slippage that is half of a spread.
const halfSpread = "half-spread:"

// ParseSlippage reads "5bps", which are basis points of the open (5bps is 0.05 %), "half-spread:0.02", which is money for one
// share, or "none". The error is a sentence with what to do.
func ParseSlippage(text string) (Slippage, error) {
	if text == NoSlippage {
		return Slippage{}, nil
	}
	number, inPoints := strings.CutSuffix(text, "bps")
	number, inMoney := strings.CutPrefix(number, halfSpread)
	d, err := decimal.NewFromString(number)
	switch {
	case inPoints == inMoney || err != nil || len(number) > 20 || d.IsNegative() || d.Exponent() < -8 || d.Exponent() > 3:
	case inMoney:
		return Slippage{half: d}, nil
	case !d.GreaterThan(decimal.NewFromInt(1000)):
		return Slippage{points: d}, nil
	}
	return Slippage{}, fmt.Errorf("%.40q is no slippage; use basis points up to 1000bps such as 5bps, half of the spread of a share such as half-spread:0.02, or none", text)
}

// String is how the slippage is written.
func (s Slippage) String() string {
	switch {
	case !s.points.IsZero():
		return s.points.String() + "bps"
	case !s.half.IsZero():
		return halfSpread + s.half.String()
	}
	return NoSlippage
}

// Fill is the price at which an order fills in a bar that opens at a price. It is exact.
func (s Slippage) Fill(side Side, open decimal.Decimal) decimal.Decimal {
	worse := s.half
	if !s.points.IsZero() {
		worse = open.Mul(s.points).Shift(-4)
	}
	switch {
	case worse.IsZero():
		return open
	case side == SellSide:
		return open.Sub(worse)
	}
	return open.Add(worse)
}
