package alphavantage

// This file reads the articles of a reply, whether it came just now or is a file.

import (
	"encoding/json"
	"errors"
	"slices"
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

// KeyName is the environment variable of the key.
const KeyName = "ALPHAVANTAGE_API_KEY"

// Why a reply holds no articles.
const (
	NotNews  = iota // it is not one of NEWS_SENTIMENT
	Limit           // the limit of the key is reached, or its plan has no such thing
	BadKey          // the key is refused
	Unknown         // the tickers or topics are not known
	NoReason        // none that is known
)

// Refusal is a reply without articles. Says does not repeat its words: they may hold the key.
type Refusal struct {
	Why  int
	Says string
}

// Read reads a reply: its articles, of which there may be none, or why it has none.
func Read(reply []byte) ([]search.RawArticle, *Refusal) {
	notNews := &Refusal{NotNews, "its answer is not one of NEWS_SENTIMENT"}
	items, err := Articles(reply)
	if err == nil {
		return items, nil
	}
	var r struct {
		Note, Information string
		ErrorMessage      string `json:"Error Message"`
	}
	if !errors.Is(err, ErrNoFeed) || json.Unmarshal(reply, &r) != nil {
		return nil, notNews
	}
	says := strings.ToLower(r.Note + r.Information + r.ErrorMessage)
	mentions := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(says, w) })
	}
	switch {
	case mentions("no articles found"):
		return nil, nil
	case mentions("rate limit", "requests per", "call frequency", "premium", "spread"):
		return nil, &Refusal{Limit, "its rate limit is reached"}
	case mentions("apikey", "api key"):
		return nil, &Refusal{BadKey, "it refuses the key: check " + KeyName}
	case mentions("invalid inputs"):
		return nil, &Refusal{Unknown, "it does not know these tickers or topics"}
	}
	return nil, &Refusal{NoReason, "it refuses the request"}
}

// symbol is what Alpha Vantage calls a ticker, as this program writes it.
func symbol(ticker string) string {
	if coin, ok := strings.CutPrefix(ticker, "CRYPTO:"); ok {
		return coin + "-USDT"
	}
	return ticker
}

// Ticker is what Alpha Vantage calls a symbol.
func Ticker(symbol string) string {
	symbol = strings.ToUpper(symbol)
	if coin, ok := strings.CutSuffix(symbol, "-USDT"); ok {
		return "CRYPTO:" + coin
	}
	return symbol
}
