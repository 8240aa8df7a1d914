package articles

// This file is Alpha Vantage's NEWS_SENTIMENT, asked for all of a time. What a reply holds is read in search/alphavantage.

import (
	"cmp"
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"mcp-trade/feed"
	"mcp-trade/search"
	"mcp-trade/search/alphavantage"
)

const (
	vantagePage = 1000 // articles of a reply at most

	// vantagePart: a number of articles that this divides looks like a limit, which may be below the one that was asked for.
	vantagePart = 50

	vantageTime = "20060102T1504"
)

// AlphaVantage is the source.
type AlphaVantage struct{ URL string } // "": the usual one

// Name implements [Source].
func (AlphaVantage) Name() string { return alphavantage.Name }

// Articles implements [Source]. There are no pages: after a reply that looks full it goes on from the newest article of it.
func (a AlphaVantage) Articles(ctx context.Context, get feed.Getter, job Job, take func(Page) error) error {
	address, from := cmp.Or(a.URL, alphavantage.URL), job.From.UTC().Format(vantageTime)
	for {
		query := url.Values{
			"function": {"NEWS_SENTIMENT"}, "tickers": {alphavantage.Ticker(job.Symbol)}, "sort": {"EARLIEST"}, "limit": {strconv.Itoa(vantagePage)},
			"time_from": {from}, "time_to": {job.Before.Add(-time.Minute).UTC().Format(vantageTime)},
		}
		reply, err := get.Get(ctx, alphavantage.Address(address, query), nil)
		if err != nil {
			return err
		}
		articles, refused := alphavantage.Read(reply.Body)
		if refused != nil {
			return vantageOutcome(refused)
		}
		if err := take(Page{reply.Provenance, articles}); err != nil || len(articles) == 0 || len(articles)%vantagePart != 0 {
			return err
		}
		newest := newestMinute(articles)
		if newest <= from {
			return &feed.Outcome{Kind: feed.Broken, Says: "it has more articles of one minute than a reply holds, and does not tell the others"}
		}
		from = newest
	}
}

// newestMinute is the minute of the newest article as the source writes it, so that it is the same in a request, in whichever zone.
func newestMinute(articles []search.RawArticle) (newest string) {
	for _, x := range articles {
		for _, d := range x.Dates {
			if text := strings.NewReplacer("-", "", ":", "").Replace(d.Text); len(text) > len(vantageTime) {
				newest = max(newest, text[:len(vantageTime)])
			}
		}
	}
	return newest
}

// Keep implements [Source].
func (AlphaVantage) Keep(reply feed.Reply) bool {
	_, refused := alphavantage.Read(reply.Body)
	return refused == nil
}

func vantageOutcome(r *alphavantage.Refusal) error {
	switch r.Why {
	case alphavantage.Limit, alphavantage.BadKey:
		return &feed.Outcome{Kind: feed.Refused, Says: r.Says, Closed: true}
	case alphavantage.Unknown:
		return &feed.Outcome{Kind: feed.NoSuch, Says: "it does not know the symbol"}
	}
	return &feed.Outcome{Kind: feed.Broken, Says: r.Says}
}
