// The sources of news: a row for each.

package main

import (
	"time"

	"mcp-trade/search"
	"mcp-trade/search/alphavantage"
	"mcp-trade/search/archive"
	"mcp-trade/search/jina"
)

// providerRow is a source of news. Settings, what doctor says of its key, --search, help and completion follow from it.
type providerRow struct {
	name string // as the provider itself says it
	hint string // what sets it up, such as "set JINA_API_KEY"
	key  keyUse // the zero value if it takes none

	// open makes it, and connects to nothing yet. set looks up the first of some variables that is set.
	open func(set func(variables ...string) string, a *archive.Archive) search.Provider
}

// providers are in the order in which auto asks them.
var providers = []providerRow{
	{name: archive.Name, hint: "import articles with mcp-trade news import FILE...",
		open: func(_ func(...string) string, a *archive.Archive) search.Provider { return a }},
	{name: jina.Name, hint: "set " + jina.KeyName,
		key: keyUse{names: []string{jina.KeyName}, addresses: []address{{"JINA_SEARCH_URL", jina.SearchURL}, {"JINA_READER_URL", jina.ReaderURL}}},
		open: func(set func(...string) string, _ *archive.Archive) search.Provider {
			return jina.New(jina.Config{Key: set(jina.KeyName), SearchURL: set("JINA_SEARCH_URL"), ReaderURL: set("JINA_READER_URL"), Now: time.Now})
		}},
	{name: alphavantage.Name, hint: "set " + alphavantage.KeyName,
		key: keyUse{names: []string{aiTraderKeyName, alphavantage.KeyName}, addresses: []address{{"ALPHAVANTAGE_URL", alphavantage.URL}}},
		open: func(set func(...string) string, _ *archive.Archive) search.Provider {
			return alphavantage.New(alphavantage.Config{Key: set(aiTraderKeyName, alphavantage.KeyName), URL: set("ALPHAVANTAGE_URL")})
		}},
}

// aiTraderKeyName is how AI-Trader spells the key of Alpha Vantage: with one A more.
const aiTraderKeyName = "ALPHAADVANTAGE_API_KEY"

// providerNames are what --search can name.
func providerNames() (names []string) {
	for _, row := range providers {
		names = append(names, row.name)
	}
	return names
}

// setupHints say how to set a provider up, by its name.
func setupHints() map[string]string {
	hints := map[string]string{}
	for _, row := range providers {
		hints[row.name] = row.hint
	}
	return hints
}

// keyOfProvider is the key of a provider of news; the zero value if it takes none.
func keyOfProvider(name string) keyUse {
	for _, row := range providers {
		if row.name == name {
			return row.key
		}
	}
	return keyUse{}
}
