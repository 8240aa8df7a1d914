// The sources of prices on the web: a row for each.

package main

import (
	"time"

	"mcp-trade/feed"
	"mcp-trade/feed/binance"
	"mcp-trade/feed/tencent"
	"mcp-trade/feed/yahoo"
	"mcp-trade/market"
)

// sourceRow is a source of prices. What --source can name, help and settings follow from it.
type sourceRow struct {
	name     string // as the source itself says it
	markets  []market.ID
	variable string        // of its address
	pace     time.Duration // between requests
	open     func(address string) feed.Source
}

// priceSources are in the order in which one is chosen for a market if none is named.
var priceSources = []sourceRow{
	{yahoo.Name, []market.ID{market.US, market.CN}, "YAHOO_URL", yahoo.Pace, func(address string) feed.Source { return yahoo.Yahoo{URL: address} }},
	{binance.Name, []market.ID{market.Crypto}, "BINANCE_URL", binance.Pace, func(address string) feed.Source { return binance.Binance{URL: address} }},
	{tencent.Name, []market.ID{market.CN}, "TENCENT_URL", tencent.Pace, func(address string) feed.Source { return tencent.Tencent{URL: address} }},
}

// sourceNames are what --source can name.
func sourceNames() (names []string) {
	for _, row := range priceSources {
		names = append(names, row.name)
	}
	return names
}
