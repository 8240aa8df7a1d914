package articles

// This file is Alpaca's news: articles about shares and coins, since 2015, with the times at which they were published and changed.

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mcp-trade/feed"
	"mcp-trade/feed/alpaca"
	"mcp-trade/market"
	"mcp-trade/search"
)

const (
	alpacaPage     = 50    // articles of a reply at most
	alpacaMaxPages = 20000 // of one symbol
)

// Alpaca is the source.
type Alpaca struct{ URL string } // "": the usual one

// Name implements [Source].
func (Alpaca) Name() string { return alpaca.Name }

// alpacaReply is a reply. Of the times the later one is when the text that is shown was written: an article that was changed may know
// of what came after it was published.
type alpacaReply struct {
	News *[]struct {
		Headline, Summary, Content, URL, Source string
		CreatedAt                               string `json:"created_at"`
		UpdatedAt                               string `json:"updated_at"`
		Symbols                                 []string
	}
	Next string `json:"next_page_token"`
}

// Articles implements [Source].
func (a Alpaca) Articles(ctx context.Context, get feed.Getter, job Job, take func(Page) error) error {
	query := url.Values{
		"symbols": {alpacaSymbol(job.Symbol)}, "start": {job.From.UTC().Format(time.RFC3339)}, "end": {job.Before.Add(-time.Second).UTC().Format(time.RFC3339)},
		"sort": {"asc"}, "limit": {strconv.Itoa(alpacaPage)}, "include_content": {"true"},
	}
	return alpaca.Pages(ctx, get, cmp.Or(a.URL, alpaca.URL)+"/v1beta1/news", query, alpacaMaxPages, func(reply feed.Reply) (string, error) {
		page, next, err := a.read(reply)
		if err == nil {
			err = take(page)
		}
		return next, err
	})
}

// Keep implements [Source].
func (a Alpaca) Keep(reply feed.Reply) bool {
	_, _, err := a.read(reply)
	return err == nil
}

// read reads a reply.
func (Alpaca) read(reply feed.Reply) (Page, string, error) {
	if reply.Status != http.StatusOK {
		return Page{}, "", &feed.Outcome{Kind: feed.NoSuch, Says: fmt.Sprintf("it refuses the symbol with the status %d", reply.Status)}
	}
	var r alpacaReply
	if err := json.Unmarshal(reply.Body, &r); err != nil || r.News == nil {
		return Page{}, "", &feed.Outcome{Kind: feed.Broken, Says: "its answer is none of news"}
	}
	page := Page{Provenance: reply.Provenance}
	for _, n := range *r.News {
		item := search.RawArticle{Title: n.Headline, URL: n.URL, Source: n.Source, Summary: n.Summary, Content: n.Content}
		item.Dates = []search.Date{later(n.CreatedAt, n.UpdatedAt)}
		for _, s := range n.Symbols {
			item.Symbols = append(item.Symbols, symbolOfAlpaca(s))
		}
		page.Articles = append(page.Articles, item)
	}
	return page, r.Next, nil
}

// later is the later one of two times; one that is not known if either cannot be read.
func later(published, changed string) search.Date {
	a, b := search.DateParser{}.Read(published), search.DateParser{}.Read(cmp.Or(changed, published))
	if b.Latest.IsZero() || a.Latest.IsZero() {
		return search.Date{}
	}
	if b.Latest.After(a.Latest) {
		return b
	}
	return a
}

// alpacaSymbol is what Alpaca's news call a symbol: BTCUSD.
func alpacaSymbol(symbol string) string {
	if market.Of(symbol).ID == market.Crypto {
		return strings.Replace(symbol, "-USDT", "USD", 1)
	}
	return symbol
}

// symbolOfAlpaca is the reverse of alpacaSymbol. No share ends so: tickers of that form have five letters at most.
func symbolOfAlpaca(symbol string) string {
	if coin, ok := strings.CutSuffix(symbol, "USD"); ok && len(symbol) > len("TUUSD") {
		return coin + "-USDT"
	}
	return symbol
}
