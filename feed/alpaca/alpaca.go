// Package alpaca is a source of US shares with a free pair of keys: Alpaca's bars, raw, of what was traded on the exchange IEX, and its list of
// corporate actions.
package alpaca

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"mcp-trade/feed"
)

// Name is the source's name.
const Name = "alpaca"

// URL is the service's address unless another is given.
const URL = "https://data.alpaca.markets"

// Pace is how far apart requests begin: a free key has 200 requests a minute.
const Pace = 350 * time.Millisecond

const maxPages = 1000 // of one symbol

// Alpaca is the source.
type Alpaca struct{ URL string } // "": the usual one

// Name implements [feed.Source].
func (Alpaca) Name() string { return Name }

// Sign puts a pair of keys into a request.
func Sign(id, secret string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("APCA-API-KEY-ID", id)
		r.Header.Set("APCA-API-SECRET-KEY", secret)
	}
}

// pages gets the pages of a series, and takes note of where they are from.
func (a Alpaca) pages(ctx context.Context, get feed.Getter, path string, query url.Values, s *feed.Series, read func(body []byte) (next string, err error)) error {
	return Pages(ctx, get, cmp.Or(a.URL, URL)+path, query, maxPages, func(reply feed.Reply) (string, error) {
		switch {
		case reply.Status == http.StatusBadRequest:
			return "", &feed.Outcome{Kind: feed.NoSuch, Says: "it does not know the symbol"}
		case reply.Status != http.StatusOK:
			return "", &feed.Outcome{Kind: feed.Broken, Says: fmt.Sprintf("it refuses the request with the status %d", reply.Status)}
		}
		next, err := read(reply.Body)
		if err == nil {
			s.Sources = append(s.Sources, reply.Provenance)
		}
		return next, err
	})
}

// Pages gets one page after the other, up to a number of them, until one names no next. read reads a page, or one of a request that is refused.
func Pages(ctx context.Context, get feed.Getter, address string, query url.Values, most int, read func(feed.Reply) (next string, err error)) error {
	seen := map[string]bool{}
	for {
		reply, err := get.Get(ctx, address+"?"+query.Encode(), nil, http.StatusBadRequest, http.StatusUnprocessableEntity)
		if err != nil {
			return err
		}
		next, err := read(reply)
		if err != nil || next == "" {
			return err
		}
		if seen[next] || len(seen) == most-1 {
			return &feed.Outcome{Kind: feed.Broken, Says: fmt.Sprintf("its pages do not end: %d lead to one that was there, or there are more", len(seen)+1)}
		}
		seen[next] = true
		query.Set("page_token", next)
	}
}
