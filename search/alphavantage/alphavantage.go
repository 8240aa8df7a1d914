// Package alphavantage is a provider of market news: Alpha Vantage's NEWS_SENTIMENT, and files of its replies.
package alphavantage

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"mcp-trade/search"
	"mcp-trade/search/internal/fetch"
)

// Name is the provider's name.
const Name = "alphavantage"

// URL is the service's address unless another is given.
const URL = "https://www.alphavantage.co/query"

const (
	maxBytes = 8 << 20 // of an answer
	asked    = "50"    // articles
	reach    = 30      // days before the stamp
	each     = 10 * time.Second
	timeForm = "20060102T1504"
)

// Config says how to reach the service.
type Config struct {
	Key  string        // "": the provider is not set up
	URL  string        // "": the usual one
	Each time.Duration // for one request; 0: 10 s
}

// AlphaVantage is the provider.
type AlphaVantage struct {
	c      Config
	client *fetch.Client
}

// New returns the provider.
func New(c Config) *AlphaVantage {
	c.URL, c.Each = cmp.Or(c.URL, URL), cmp.Or(c.Each, each)
	return &AlphaVantage{c, fetch.New(KeyName, c.Each, maxBytes)}
}

// Name implements [search.Provider].
func (a *AlphaVantage) Name() string { return Name }

// Search implements [search.Provider]. The service knows symbols and topics but no words: what it returns is put in the
// order of how many words of the query an article holds, and must hold one where nothing else was asked for.
func (a *AlphaVantage) Search(ctx context.Context, q search.Query) ([]search.RawArticle, error) {
	bound, _ := q.Cutoff.Limits()
	bound = bound.In(defaultZone())
	values := url.Values{
		"time_from": {bound.AddDate(0, 0, -reach).Format(timeForm)}, "time_to": {bound.Add(-time.Minute).Format(timeForm)},
		"sort": {"LATEST"}, "limit": {asked},
	}
	if len(q.Symbols) > 0 {
		tickers := make([]string, len(q.Symbols))
		for i, s := range q.Symbols {
			tickers[i] = Ticker(s)
		}
		values.Set("tickers", strings.Join(tickers, ","))
	}
	if len(q.Topics) > 0 {
		values.Set("topics", strings.Join(q.Topics, ","))
	}
	items, err := a.news(ctx, values)
	if err != nil {
		return nil, err
	}
	words := q.Words()
	if len(q.Symbols)+len(q.Topics) == 0 { // then it is the news about everything
		items = slices.DeleteFunc(items, func(x search.RawArticle) bool { return held(x, words) == 0 })
	}
	slices.SortStableFunc(items, func(x, y search.RawArticle) int { return held(y, words) - held(x, words) })
	return items, nil
}

// held counts the words that an article holds.
func held(item search.RawArticle, words []string) int {
	has := search.Query{Text: item.Title + " " + item.Summary}.Words()
	n := 0
	for _, w := range words {
		if slices.Contains(has, w) {
			n++
		}
	}
	return n
}

// Address is that of a request, at a service whose own address may have a query.
func Address(service string, query url.Values) string {
	if strings.Contains(service, "?") {
		return service + "&" + query.Encode()
	}
	return service + "?" + query.Encode()
}

// news asks for articles.
func (a *AlphaVantage) news(ctx context.Context, values url.Values) ([]search.RawArticle, error) {
	if a.c.Key == "" {
		return nil, &search.NotConfiguredError{Provider: Name, Lacks: "key"}
	}
	values.Set("function", "NEWS_SENTIMENT")
	values.Set("apikey", a.c.Key)
	body, err := a.client.Get(ctx, Address(a.c.URL, values), nil)
	if err != nil {
		return nil, err
	}
	items, refused := Read(body)
	if refused != nil {
		return nil, &search.ProviderError{UserMessage: refused.Says}
	}
	return items, nil
}

// Check implements [search.Provider].
func (a *AlphaVantage) Check(ctx context.Context) (string, error) {
	if _, err := a.news(ctx, url.Values{"limit": {"1"}}); err != nil {
		return "", err
	}
	return "answers", nil
}
