// Package market holds what can be traded and at what price. It knows price
// files and nothing else.
//
// Prices is an index over files; View is the market as somebody saw it at a
// stamp, and the only way from outside to a price. What a view does not show
// (bars after its stamp, symbols that have only such bars) does not exist for
// whoever holds the view: not in answers, not in errors, not in suggestions.
package market

import "strings"

// This file tells the markets apart by the form of a symbol.

// ID names a market.
type ID string

// The markets whose symbols can be told apart.
const (
	US     ID = "us"
	CN     ID = "cn"
	Crypto ID = "crypto"
)

// Of returns the market of a symbol by its ending: .SH and .SZ are Chinese
// A-shares, -USDT is crypto, everything else is US. Case does not matter.
func Of(symbol string) ID {
	symbol = strings.ToUpper(strings.TrimSpace(symbol))
	switch {
	case strings.HasSuffix(symbol, ".SH"), strings.HasSuffix(symbol, ".SZ"):
		return CN
	case strings.HasSuffix(symbol, "-USDT"):
		return Crypto
	}
	return US
}
