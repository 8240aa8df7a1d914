package alpaca

// This file gets the bars of a symbol.

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"mcp-trade/feed"
	"mcp-trade/market"
)

const perPage = 10000

// Fetch implements [feed.Source].
func (a Alpaca) Fetch(ctx context.Context, get feed.Getter, job feed.Job) (*feed.Series, []string, error) {
	zone := market.Of(job.Symbol).Zone()
	s := &feed.Series{Symbol: job.Symbol, Interval: job.Interval}
	var told []string
	query := url.Values{
		"symbols": {job.Symbol}, "timeframe": {map[string]string{"Daily": "1Day", "60min": "1Hour"}[job.Interval]}, "adjustment": {"raw"}, "feed": {"iex"},
		"start": {job.From.In(zone).Format(time.RFC3339)}, "end": {job.To.AddDays(1).In(zone).Add(-time.Second).Format(time.RFC3339)},
		"limit": {strconv.Itoa(perPage)}, "sort": {"asc"},
	}
	err := a.pages(ctx, get, "/v2/stocks/bars", query, s, func(body []byte) (string, error) {
		page, more, next, err := parse(body, job)
		if err != nil {
			return "", err
		}
		told = s.TakeAll(page.Bars, append(told, more...))
		return next, nil
	})
	if err != nil || len(s.Bars) == 0 {
		return s, told, err
	}
	more, err := a.actions(ctx, get, job, s)
	return s, append(told, more...), err
}

// bars is a reply.
type bars struct {
	Bars *map[string][]struct {
		T          time.Time
		O, H, L, C json.Number
		V          json.Number
	}
	Next string `json:"next_page_token"`
}

// Parse reads a reply with bars as [feed.Source] has it. The symbol is the one that the reply has where the job names none, the interval is told
// from the times.
func Parse(reply []byte, job feed.Job) (s *feed.Series, told []string, err error) {
	s, told, _, err = parse(reply, job)
	if err == nil && job.Interval == "" && s.SetInterval() != nil {
		err = &feed.Outcome{Kind: feed.Broken, Says: "of which interval its bars are cannot be told"}
	}
	return s, told, err
}

func parse(reply []byte, job feed.Job) (s *feed.Series, told []string, next string, err error) {
	var r bars
	if err := json.Unmarshal(reply, &r); err != nil || r.Bars == nil {
		return nil, nil, "", &feed.Outcome{Kind: feed.Broken, Says: "its answer has no bars"}
	}
	for symbol := range *r.Bars {
		if job.Symbol == "" && len(*r.Bars) == 1 {
			job.Symbol = symbol
		}
	}
	if market.CheckSymbol(job.Symbol) != nil {
		return nil, nil, "", &feed.Outcome{Kind: feed.Broken, Says: "its answer does not say of which symbol it is"}
	}
	s = &feed.Series{Symbol: job.Symbol, Interval: job.Interval}
	zone := market.Of(job.Symbol).Zone()
	for _, row := range (*r.Bars)[job.Symbol] {
		b := feed.Bar{Stamp: feed.Moment(row.T.In(zone))}
		if !job.Has(b.Stamp) {
			return nil, nil, "", &feed.Outcome{Kind: feed.Broken, Says: fmt.Sprintf("it has a bar of %s, which was not asked for", b.Stamp)}
		}
		if job.Interval == "Daily" {
			b.Stamp = b.Stamp.Day()
		}
		for f, n := range []json.Number{row.O, row.H, row.L, row.C, row.V} {
			if b.Figures[f], err = feed.Number(n.String()); err != nil {
				return nil, nil, "", &feed.Outcome{Kind: feed.Broken, Says: fmt.Sprintf("the %s of %s is no number of a price file", feed.FigureNames[f], b.Stamp)}
			}
		}
		told = s.Take(b, told)
	}
	return s, told, r.Next, nil
}
