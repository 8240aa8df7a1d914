// How money and holdings are rounded.

package ledger

import (
	"mcp-trade/decimal"
	"mcp-trade/market"
)

// The ways to round. Exact keeps every digit.
const (
	exact    = `"exact"`
	strictly = `"strict"`   // against the account, to the 8 decimals of a balance on Binance: what is paid up, what is received down
	upstream = `"upstream"` // as AI-Trader does: cash and holding to the nearest 4 decimals
)

const (
	coinDecimals     = 8
	upstreamDecimals = 4
)

// rounded rounds what a fill leaves. What is below 0, and will be refused, is told exactly.
func (r Rules) rounded(left decimal.Decimal) decimal.Decimal {
	switch rounding := r.rounding(); {
	case rounding == exact || left.IsNegative():
		return left
	case rounding == upstream:
		return left.Round(upstreamDecimals)
	}
	return left.RoundDown(coinDecimals)
}

// rounding returns how the account rounds.
func (r Rules) rounding() string {
	if other, ok := r.other["rounding"]; ok {
		return other
	}
	return defaultRounding(r.Market)
}

// defaultRounding is how accounts of a market round.
func defaultRounding(m *market.Market) string {
	if m.ID == market.Crypto {
		return strictly
	}
	return exact
}
