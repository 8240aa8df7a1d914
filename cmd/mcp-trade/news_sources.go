// The sources of news on the web that news fetch asks: a row for each.

package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"mcp-trade/feed"
	"mcp-trade/feed/alpaca"
	"mcp-trade/feed/alphavantage"
	"mcp-trade/feed/articles"
	"mcp-trade/market"
)

// newsSourceRow is a source of news. What --source can name follows from it.
type newsSourceRow struct {
	name    string // as the source itself says it
	key     keyUse // whose only address is that of the source
	markets []market.ID
	pace    time.Duration // between requests
	open    func(address string) articles.Source
	sign    signer
}

// newsSources are in the order in which one is chosen if none is named.
func newsSources() []newsSourceRow {
	return []newsSourceRow{
		{alpaca.Name, alpacaKey, []market.ID{market.US, market.Crypto}, alpaca.Pace,
			func(address string) articles.Source { return articles.Alpaca{URL: address} }, signAlpaca},
		{alphavantage.Name, keyOfProvider(alphavantage.Name), []market.ID{market.US, market.Crypto}, alphavantage.Pace,
			func(address string) articles.Source { return articles.AlphaVantage{URL: address} }, signAlphaVantage},
	}
}

// newsRoutes are the ways to the sources that are named, else to the first whose key is set.
func (s *settings) newsRoutes(named []string, kept string) (routes []*articles.Route, err error) {
	var names, needs []string
	for _, row := range newsSources() {
		names, needs = append(names, row.name), append(needs, row.key.needs()+" for "+row.name)
	}
	if len(named) == 0 {
		for _, row := range newsSources() {
			if len(named) == 0 && s.keyOf(row.key) != nil {
				named = []string{row.name}
			}
		}
		if len(named) == 0 {
			return nil, fmt.Errorf("no source of news has its key: set %s", strings.Join(needs, ", or "))
		}
	}
	for _, name := range named {
		i := slices.Index(names, name)
		if i < 0 {
			return nil, fmt.Errorf("--source %q: use %s", name, strings.Join(names, ", "))
		}
		row := newsSources()[i]
		keys, err := s.usable(name, row.key)
		if err != nil {
			return nil, err
		}
		routes = append(routes, s.newsRoute(row, keys, kept))
	}
	return routes, nil
}

// newsRoute is the way to a source.
func (s *settings) newsRoute(row newsSourceRow, keys []string, kept string) *articles.Route {
	source := row.open(s.first(row.key.addresses[0].variable))
	return &articles.Route{Source: source, Getter: feed.Kept{Getter: s.webClient(row.name, row.pace, row.sign, keys), Dir: kept, Access: s.access(), Now: time.Now, Keep: source.Keep}}
}
