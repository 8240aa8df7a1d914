// Package jina is a provider of news from the web: Jina's search finds pages, its reader reads them.
package jina

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"mcp-trade/search"
	"mcp-trade/search/internal/fetch"
)

// Name is the provider's name.
const Name = "jina"

// The environment variable of the key, and the services' addresses unless others are given.
const (
	KeyName   = "JINA_API_KEY"
	SearchURL = "https://s.jina.ai"
	ReaderURL = "https://r.jina.ai"
)

const (
	maxBytes    = 4 << 20 // of an answer
	maxPages    = 20      // of a search
	pagesAtOnce = 8
	each        = 10 * time.Second // for one request
)

// Config says how to reach the services.
type Config struct {
	Key                  string // "": the provider is not set up
	SearchURL, ReaderURL string // "": the usual one
	Now                  func() time.Time
	Each                 time.Duration // for one request; 0: 10 s
}

// Jina is the provider.
type Jina struct {
	c      Config
	client *fetch.Client
}

// New returns the provider.
func New(c Config) *Jina {
	c.SearchURL, c.ReaderURL, c.Each = cmp.Or(c.SearchURL, SearchURL), cmp.Or(c.ReaderURL, ReaderURL), cmp.Or(c.Each, each)
	return &Jina{c, fetch.New(KeyName, c.Each, maxBytes)}
}

// Name implements [search.Provider].
func (j *Jina) Name() string { return Name }

// page is what both services say of one.
type page struct {
	Title         string          `json:"title"`
	URL           string          `json:"url"`
	Description   string          `json:"description"`
	Content       string          `json:"content"`
	Date          json.RawMessage `json:"date"`
	PublishedTime json.RawMessage `json:"publishedTime"`
}

// Search implements [search.Provider]. It reads the page of every result that the list does not date at or after the
// stamp, whether or not other pages can be read. A result whose page cannot be read is left out, since its date cannot be
// checked; if no other result is left, the search has failed.
func (j *Jina) Search(ctx context.Context, q search.Query) ([]search.RawArticle, error) {
	if j.c.Key == "" {
		return nil, &search.NotConfiguredError{Provider: Name, Lacks: "key"}
	}
	list, err := j.list(ctx, query(q), min(2*q.Limit, maxPages))
	if err != nil {
		return nil, err
	}
	fetched := search.DateParser{Fetched: j.c.Now(), Zone: q.Cutoff.Zone()}
	var wanted []page
	for _, p := range list[:min(len(list), maxPages)] {
		if dates := p.dates(fetched); len(dates) == 0 || allowsAll(q.Cutoff, dates) {
			wanted = append(wanted, p)
		}
	}
	return j.read(ctx, q.Cutoff, fetched, wanted)
}

// query is the text of a query and the symbols it is about.
func query(q search.Query) string { return strings.Join(append([]string{q.Text}, q.Symbols...), " ") }

func allowsAll(cutoff search.Cutoff, dates []search.Date) bool {
	_, ok := cutoff.LatestAllowed(dates...)
	return ok
}

// list asks for the list of results.
func (j *Jina) list(ctx context.Context, text string, n int) ([]page, error) {
	body, err := j.get(ctx, fmt.Sprintf("%s/?q=%s&n=%d", strings.TrimRight(j.c.SearchURL, "/"), url.QueryEscape(text), n), "X-Respond-With", "no-content")
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data *[]page `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Data == nil {
		return nil, &search.ProviderError{UserMessage: "its answer is not a list of results"}
	}
	return *answer.Data, nil
}

// read reads pages, some at a time, and keeps their order.
func (j *Jina) read(ctx context.Context, cutoff search.Cutoff, fetched search.DateParser, pages []page) ([]search.RawArticle, error) {
	items, errs := make([]search.RawArticle, len(pages)), make([]error, len(pages))
	var readers errgroup.Group
	readers.SetLimit(pagesAtOnce)
	for i, p := range pages {
		readers.Go(func() error {
			items[i], errs[i] = j.item(ctx, fetched, p)
			return nil // one that cannot be read does not end the others
		})
	}
	_ = readers.Wait()
	var read []search.RawArticle
	var failed error
	passed := false
	for i := range pages {
		switch {
		case errs[i] == nil:
			read = append(read, items[i])
			passed = passed || allowsAll(cutoff, items[i].Dates)
		case failed == nil:
			failed = errs[i]
		}
	}
	if failed != nil && !passed {
		return nil, failed
	}
	return read, nil
}

// item reads the page of a result.
func (j *Jina) item(ctx context.Context, fetched search.DateParser, result page) (search.RawArticle, error) {
	address, err := url.Parse(result.URL)
	if err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Host == "" || address.User != nil {
		return search.RawArticle{}, nil // nothing that could be read, and without a date nothing that passes
	}
	address.Fragment = ""
	body, err := j.get(ctx, strings.TrimRight(j.c.ReaderURL, "/")+"/"+address.String(), "X-Timeout", fmt.Sprint(max(1, int(j.c.Each.Seconds())-1)))
	if err != nil {
		return search.RawArticle{}, err
	}
	var answer struct {
		Data *page `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Data == nil {
		return search.RawArticle{}, &search.ProviderError{UserMessage: "its reader's answer is not a page"}
	}
	p := answer.Data
	return search.RawArticle{
		Title: first(p.Title, result.Title), URL: result.URL, Source: address.Host, Summary: first(p.Description, result.Description), Content: p.Content,
		Dates: append(result.dates(fetched), p.dates(fetched)...),
	}, nil
}

// dates are the dates that are claimed for a page.
func (p page) dates(fetched search.DateParser) []search.Date {
	var dates []search.Date
	for _, raw := range []json.RawMessage{p.Date, p.PublishedTime} {
		if d, claimed := fetched.JSON(raw); claimed {
			dates = append(dates, d)
		}
	}
	return dates
}

func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

func (j *Jina) get(ctx context.Context, address, name, value string) ([]byte, error) {
	header := http.Header{}
	header.Set("Authorization", "Bearer "+j.c.Key)
	header.Set("Accept", "application/json")
	header.Set(name, value)
	return j.client.Get(ctx, address, header)
}

// Check implements [search.Provider].
func (j *Jina) Check(ctx context.Context) (string, error) {
	if j.c.Key == "" {
		return "", &search.NotConfiguredError{Provider: Name, Lacks: "key"}
	}
	list, err := j.list(ctx, "stock market", 1)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("answers, with %d results", len(list)), nil
}
