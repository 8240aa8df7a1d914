// The sources of prices on the web: a row for each.

package main

import (
	"net/http"
	"time"

	"mcp-trade/feed"
	"mcp-trade/feed/alpaca"
	"mcp-trade/feed/alphavantage"
	"mcp-trade/feed/binance"
	"mcp-trade/feed/binance/archive"
	"mcp-trade/feed/tencent"
	"mcp-trade/feed/yahoo"
	"mcp-trade/market"
)

// sourceRow is a source of prices. What --source can name, help and settings follow from it.
type sourceRow struct {
	name     string // as the source itself says it
	markets  []market.ID
	variable string        // of its address
	key      keyUse        // the zero value if it takes none
	pace     time.Duration // between requests
	open     func(address string) feed.Source
	sign     signer // nil without a key
}

// priceSources are in the order in which one is chosen for a market if none is named. Those without a key come first.
var priceSources = []sourceRow{
	{name: yahoo.Name, markets: []market.ID{market.US, market.CN}, variable: "YAHOO_URL", pace: yahoo.Pace,
		open: func(address string) feed.Source { return yahoo.Yahoo{URL: address} }},
	{name: binance.Name, markets: []market.ID{market.Crypto}, variable: "BINANCE_URL", pace: binance.Pace,
		open: func(address string) feed.Source { return binance.Binance{URL: address} }},
	{name: tencent.Name, markets: []market.ID{market.CN}, variable: "TENCENT_URL", pace: tencent.Pace,
		open: func(address string) feed.Source { return tencent.Tencent{URL: address} }},
	{name: archive.Name, markets: []market.ID{market.Crypto}, variable: "BINANCE_ARCHIVE_URL", pace: archive.Pace,
		open: func(address string) feed.Source { return archive.Archive{URL: address} }},
	{name: alpaca.Name, markets: []market.ID{market.US}, variable: "ALPACA_DATA_URL", key: alpacaKey, pace: alpaca.Pace,
		open: func(address string) feed.Source { return alpaca.Alpaca{URL: address} }, sign: signAlpaca},
	{name: alphavantage.Name, markets: []market.ID{market.US}, variable: "ALPHAVANTAGE_URL", key: keyOfProvider(alphavantage.Name), pace: alphavantage.Pace,
		open: func(address string) feed.Source { return &alphavantage.AlphaVantage{URL: address} }, sign: signAlphaVantage},
}

// sourceNames are what --source can name.
func sourceNames() (names []string) {
	for _, row := range priceSources {
		names = append(names, row.name)
	}
	return names
}

// signer makes of a key what puts it into a request.
type signer func(key []string) func(*http.Request)

func signAlpaca(key []string) func(*http.Request) { return alpaca.Sign(key[0], key[1]) }

func signAlphaVantage(key []string) func(*http.Request) { return alphavantage.Sign(key[0]) }

// webClient asks a source of prices or news.
func (s *settings) webClient(source string, pace time.Duration, sign signer, key []string) *feed.Client {
	const each = 30 * time.Second
	c := &feed.Client{Source: source, Pace: pace, Each: each, Now: time.Now, Waiting: func(pause time.Duration) {
		s.log.Warn().Msgf("%s asks to wait %v", source, pause)
	}}
	if sign != nil {
		c.Sign = sign(key)
	}
	return c
}
