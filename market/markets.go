// Package market holds what can be traded and at what price. It knows price
// files and nothing else.
//
// Prices is an index over files. View is the market as seen at a stamp, and the
// only way from other packages to a price. A view hides bars after its stamp, and
// symbols that have only such bars, from answers, errors and suggestions alike.
package market

import (
	"strings"

	"mcp-trade/decimal"
)

// This file is the table of markets. All that differs between markets stands in
// its rows. Package ledger has the rules that read them.

// ID names a market, in ledgers and in reports.
type ID string

const (
	US     ID = "us"
	CN     ID = "cn"
	Crypto ID = "crypto"
)

// Default is the market of an account, a news search or a report that names no
// market.
const Default = US

// Market is a row of the table.
type Market struct {
	ID             ID
	Name           string          // of what is traded there
	Suffixes       []string        // of its symbols; the first row has no suffix, and gets all symbols that match no other row
	ZoneName       string          // of the time zone of its stamps
	PeriodsPerYear float64         // trading days
	Tradable       bool            // by accounts of this program; ledgers of other markets are only read and reported on
	Lot            decimal.Decimal // amounts must be multiples of it; 0 allows any amount
}

// markets is a value rather than the result of a function, since Of runs for each symbol of a list.
var markets = [...]Market{
	{ID: US, Name: "US shares", ZoneName: "America/New_York", PeriodsPerYear: 252, Tradable: true, Lot: decimal.NewFromInt(1)},
	{ID: CN, Name: "Chinese A-shares", Suffixes: []string{".SH", ".SZ"}, ZoneName: "Asia/Shanghai", PeriodsPerYear: 242},
	{ID: Crypto, Name: "crypto", Suffixes: []string{"-USDT"}, ZoneName: "UTC", PeriodsPerYear: 365},
}

// Of returns the market of a symbol by its ending. Case does not matter.
func Of(symbol string) *Market {
	symbol = strings.ToUpper(strings.TrimSpace(symbol))
	for i := range markets {
		for _, suffix := range markets[i].Suffixes {
			if strings.HasSuffix(symbol, suffix) {
				return &markets[i]
			}
		}
	}
	return &markets[0]
}

// Get returns the row of a market, nil if the table has no such market.
func (id ID) Get() *Market {
	for i := range markets {
		if markets[i].ID == id {
			return &markets[i]
		}
	}
	return nil
}

// Tradable returns the markets that accounts can trade, in the order of the table.
func Tradable() []*Market {
	var tradable []*Market
	for i := range markets {
		if markets[i].Tradable {
			tradable = append(tradable, &markets[i])
		}
	}
	return tradable
}
