package alphavantage

// This file reads the articles of a reply, whether it came just now or is a file.

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"mcp-trade/market"
	"mcp-trade/search"
)

// article is one of the feed of a NEWS_SENTIMENT reply.
type article struct {
	Title     string          `json:"title"`
	URL       string          `json:"url"`
	Published json.RawMessage `json:"time_published"`
	Summary   string          `json:"summary"`
	Source    string          `json:"source"`
	Tickers   []struct {
		Ticker string `json:"ticker"`
	} `json:"ticker_sentiment"`
}

// ErrNoFeed says that something is not a NEWS_SENTIMENT reply.
var ErrNoFeed = errors.New("no feed of articles")

// defaultZone is the zone of times that have none: some are UTC, some the American east coast's, which comes later.
func defaultZone() *time.Location { return market.US.Get().Zone() }

// Articles reads the articles of a reply. Where it is not of that form, it returns [ErrNoFeed] or an error of JSON.
func Articles(reply []byte) ([]search.RawArticle, error) {
	var r struct {
		Feed *[]article `json:"feed"`
	}
	if err := json.Unmarshal(reply, &r); err != nil {
		return nil, err
	}
	if r.Feed == nil {
		return nil, ErrNoFeed
	}
	items := []search.RawArticle{}
	for _, a := range *r.Feed {
		item := search.RawArticle{Title: a.Title, URL: a.URL, Source: a.Source, Summary: a.Summary}
		if d, claimed := (search.DateParser{DefaultZone: defaultZone()}).JSON(a.Published); claimed {
			item.Dates = []search.Date{d}
		}
		for _, t := range a.Tickers {
			item.Symbols = append(item.Symbols, symbol(t.Ticker))
		}
		items = append(items, item)
	}
	return items, nil
}

// symbol is what Alpha Vantage calls a ticker, as this program writes it.
func symbol(ticker string) string {
	if coin, ok := strings.CutPrefix(ticker, "CRYPTO:"); ok {
		return coin + "-USDT"
	}
	return ticker
}

// ticker is the reverse of symbol.
func ticker(symbol string) string {
	symbol = strings.ToUpper(symbol)
	if coin, ok := strings.CutSuffix(symbol, "-USDT"); ok {
		return "CRYPTO:" + coin
	}
	return symbol
}
