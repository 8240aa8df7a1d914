// The sources of prices on the web: a row for each.

package main

import (
	"slices"
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

// route is the way to a source; nil if there is none of the name. What it answers is kept in a folder, unless that is "".
func (s *settings) route(name, kept string) *feed.Route {
	at := slices.IndexFunc(priceSources, func(row sourceRow) bool { return row.name == name })
	if at < 0 {
		return nil
	}
	const each = 30 * time.Second
	row := priceSources[at]
	r := &feed.Route{Source: row.open(s.first(row.variable)), Getter: &feed.Client{Source: name, Pace: row.pace, Each: each, Now: time.Now, Waiting: func(pause time.Duration) {
		s.log.Warn().Msgf("%s asks to wait %v", name, pause)
	}}}
	if kept != "" {
		r.Getter = feed.Kept{Getter: r.Getter, Dir: kept, Access: s.access(), Now: time.Now}
	}
	return r
}
