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

// pages gets one page after the other, and takes note of where they are from.
func (a Alpaca) pages(ctx context.Context, get feed.Getter, path string, query url.Values, s *feed.Series, read func(body []byte) (next string, err error)) error {
	seen := map[string]bool{"": true}
	for range maxPages {
		reply, err := get.Get(ctx, cmp.Or(a.URL, URL)+path+"?"+query.Encode(), nil, http.StatusBadRequest, http.StatusUnprocessableEntity)
		switch {
		case err != nil:
			return err
		case reply.Status == http.StatusBadRequest:
			return &feed.Outcome{Kind: feed.NoSuch, Says: "it does not know the symbol"}
		case reply.Status != http.StatusOK:
			return &feed.Outcome{Kind: feed.Broken, Says: fmt.Sprintf("it refuses the request with the status %d", reply.Status)}
		}
		next, err := read(reply.Body)
		if err != nil {
			return err
		}
		s.Sources = append(s.Sources, reply.Provenance)
		if next == "" {
			return nil
		}
		if seen[next] {
			break
		}
		seen[next] = true
		query.Set("page_token", next)
	}
	return &feed.Outcome{Kind: feed.Broken, Says: "its pages do not end"}
}
