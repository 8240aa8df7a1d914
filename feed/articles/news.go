// Package articles is how news comes in: articles about symbols from sources on the web. A package of its own, since it knows prices' way to the
// web and the articles of a search, which know nothing of each other.
package articles

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mcp-trade/feed"
	"mcp-trade/search"
)

// Job is what is asked of a source.
type Job struct {
	Symbol string

	// Published at or after From, and before Before.
	From, Before time.Time
}

// Page is the articles of one reply.
type Page struct {
	feed.Provenance
	Articles []search.RawArticle
}

// Source is a source of news. Each is a file and a row in a table.
type Source interface {
	Name() string

	// Articles passes the pages of a job to take, the oldest articles first. It returns a *feed.Outcome, or the error of the context or of
	// take.
	Articles(ctx context.Context, get feed.Getter, job Job, take func(Page) error) error

	// Keep tells whether a reply has articles, or says for certain that there are none.
	Keep(reply feed.Reply) bool
}

// Route is a source with the way to it. The getter must keep replies: they are read twice.
type Route struct {
	Source
	feed.Getter
	closed *feed.Outcome
}

// Fetched is what came of a symbol.
type Fetched struct {
	Symbol   string    `json:"symbol"`
	Source   string    `json:"source"` // that gave the articles, "" if none did
	Outcome  feed.Kind `json:"outcome"`
	Articles int       `json:"articles"`
	Told     []string  `json:"told"` // why sources gave none

	Job   Job    `json:"-"`
	route *Route // nil without a source
}

// Fetch asks the routes about one symbol, one after the other until one has articles: no other source is ever asked. A source that has
// closed is not asked again. The error is that of the context, or one of this machine.
func Fetch(ctx context.Context, routes []*Route, job Job) (Fetched, error) {
	f := Fetched{Symbol: job.Symbol, Job: job, Told: []string{}}
	for _, r := range routes {
		why := r.closed
		if why == nil {
			f.Articles = 0
			err := r.Articles(ctx, r.Getter, job, func(p Page) error { f.Articles += len(p.Articles); return nil })
			if err == nil && f.Articles == 0 {
				err = &feed.Outcome{Kind: feed.NoData, Says: "it has no article from then"}
			}
			if err == nil {
				f.Source, f.Outcome, f.route = r.Name(), feed.Done, r
				return f, nil
			}
			if !errors.As(err, &why) {
				return f, err
			}
			if why.Closed {
				r.closed = why
			}
		}
		f.Articles, f.Outcome = 0, why.Kind
		f.Told = append(f.Told, fmt.Sprintf("%s: %v", r.Name(), why))
	}
	return f, nil
}

// Pages passes what was fetched to take, page by page, from the replies that were kept; nothing without a source.
func (f Fetched) Pages(ctx context.Context, take func(Page) error) error {
	if f.route == nil {
		return nil
	}
	return f.route.Articles(ctx, f.route.Getter, f.Job, take)
}
