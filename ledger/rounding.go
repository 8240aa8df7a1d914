// How money and holdings are rounded.

package ledger

import (
	"mcp-trade/decimal"
	"mcp-trade/market"
)

// The ways to round. Exact keeps every digit.
const (
	exact    = `"exact"`
	cents    = `"cents"`    // cash against the account: what is paid up, what is received down. Holdings keep their digits
	strictly = `"strict"`   // against the account, to the 8 decimals of a balance on Binance: what is paid up, what is received down
	upstream = `"upstream"` // as AI-Trader does: cash and holding to the nearest 4 decimals
)

const (
	centDecimals     = 2
	coinDecimals     = 8
	upstreamDecimals = 4
)

// rounded rounds what a fill leaves of cash or of a holding. What is below 0, and will be refused, is told exactly.
func (r Rules) rounded(left Position) Position {
	switch rounding := r.rounding(); {
	case rounding == exact || rounding == cents && left.Symbol != Cash || left.Amount.IsNegative():
	case rounding == cents:
		left.Amount = left.Amount.RoundDown(centDecimals)
	case rounding == upstream:
		left.Amount = left.Amount.Round(upstreamDecimals)
	default:
		left.Amount = left.Amount.RoundDown(coinDecimals)
	}
	return left
}

// roundedUp rounds what is kept for a fill, so that what the fill takes is no more.
func (r Rules) roundedUp(kept decimal.Decimal) decimal.Decimal {
	switch r.rounding() {
	case exact:
		return kept
	case cents:
		return kept.RoundUp(centDecimals)
	case upstream:
		return kept.RoundUp(upstreamDecimals)
	}
	return kept.RoundUp(coinDecimals)
}

// rounding returns how the account rounds.
func (r Rules) rounding() string {
	if other, ok := r.other["rounding"]; ok {
		return other
	}
	return defaultRounding(r.Market)
}

// knownRounding tells whether accounts of a market may round so, beside the default.
func knownRounding(m *market.Market, value string) bool {
	return m.ID == market.Crypto && value == upstream || m.ID == market.US && value == cents
}

// defaultRounding is how accounts of a market round.
func defaultRounding(m *market.Market) string {
	if m.ID == market.Crypto {
		return strictly
	}
	return exact
}
