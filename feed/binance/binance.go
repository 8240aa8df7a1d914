// Package binance is a source of crypto pairs against USDT without a key: Binance's klines.
package binance

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
)

// Name is the source's name.
const Name = "binance"

// URL is the service's address for market data unless another is given.
const URL = "https://data-api.binance.vision"

// Pace is how far apart requests begin: a request weighs 2 of the 6000 that an address has a minute.
const Pace = 100 * time.Millisecond

// perPage is how many bars one reply holds at most.
const perPage = 1000

// Binance is the source.
type Binance struct{ URL string } // "": the usual one

// Name implements [feed.Source].
func (Binance) Name() string { return Name }

// Fetch implements [feed.Source].
func (b Binance) Fetch(ctx context.Context, get feed.Getter, job feed.Job) (*feed.Series, []string, error) {
	s := &feed.Series{Symbol: job.Symbol, Interval: job.Interval}
	interval := map[string]string{"Daily": "1d", "60min": "1h"}[job.Interval]
	from, end := job.From.In(time.UTC), job.To.AddDays(1).In(time.UTC)
	var told []string
	for from.Before(end) {
		query := url.Values{
			"symbol": {strings.ReplaceAll(job.Symbol, "-", "")}, "interval": {interval}, "limit": {strconv.Itoa(perPage)},
			"startTime": {strconv.FormatInt(from.UnixMilli(), 10)}, "endTime": {strconv.FormatInt(end.UnixMilli()-1, 10)},
		}
		reply, err := get.Get(ctx, cmp.Or(b.URL, URL)+"/api/v3/klines?"+query.Encode(), nil, http.StatusBadRequest)
		if err != nil {
			return nil, nil, err
		}
		page, more, err := Parse(reply.Body, job)
		if err != nil {
			return nil, nil, err
		}
		s.Sources = append(s.Sources, reply.Provenance)
		told = s.TakeAll(page.Bars, append(told, more...))
		if len(page.Bars) == 0 {
			break
		}
		last := page.Bars[len(page.Bars)-1].Stamp.In(time.UTC).Add(time.Millisecond)
		if len(page.Bars)+len(more) < perPage || !last.After(from) {
			break
		}
		from = last
	}
	return s, told, nil
}

// Parse reads a reply as [feed.Source] has it.
func Parse(reply []byte, job feed.Job) (s *feed.Series, told []string, err error) {
	var refusal struct{ Code int }
	const invalidSymbol = -1121
	if json.Unmarshal(reply, &refusal) == nil {
		if refusal.Code == invalidSymbol {
			return nil, nil, &feed.Outcome{Kind: feed.NoSuch, Says: "it does not know the pair"}
		}
		return nil, nil, &feed.Outcome{Kind: feed.Broken, Says: fmt.Sprintf("it refuses the request with the code %d", refusal.Code)}
	}
	var rows [][]json.RawMessage
	if err := json.Unmarshal(reply, &rows); err != nil || len(rows) > perPage {
		return nil, nil, &feed.Outcome{Kind: feed.Broken, Says: "its answer is no list of klines"}
	}
	s = &feed.Series{Symbol: job.Symbol, Interval: job.Interval}
	for _, row := range rows {
		var texts []string
		for i, text := range row {
			var unquoted string
			if i > 0 && json.Unmarshal(text, &unquoted) == nil {
				texts = append(texts, unquoted)
			} else {
				texts = append(texts, string(text))
			}
		}
		bar, err := Bar(texts, job.Interval)
		if err != nil {
			return nil, nil, err
		}
		if !job.Has(bar.Stamp) {
			return nil, nil, &feed.Outcome{Kind: feed.Broken, Says: fmt.Sprintf("it has a bar of %s, which was not asked for", bar.Stamp)}
		}
		told = s.Take(bar, told)
	}
	return s, told, nil
}

// Bar reads a kline: the time of the open, open, high, low, close, volume, and more. The time is in thousandths of a second; in files of days from
// 2025 on it is in millionths.
func Bar(kline []string, interval string) (b feed.Bar, err error) {
	const fromMillionths = 1e14 // in thousandths that would be the year 5138
	broken := &feed.Outcome{Kind: feed.Broken, Says: "a row of its answer is no kline"}
	if len(kline) < 6 {
		return b, broken
	}
	opened, err := strconv.ParseInt(kline[0], 10, 64)
	if err != nil || opened < 0 {
		return b, broken
	}
	at := time.UnixMilli(opened)
	if opened >= fromMillionths {
		at = time.UnixMicro(opened)
	}
	if b.Stamp = feed.Moment(at.UTC()); at.UTC().Year() > 9999 {
		return b, broken
	}
	if interval == "Daily" {
		b.Stamp = b.Stamp.Day()
	}
	for f := range b.Figures {
		if b.Figures[f], err = feed.Number(kline[f+1]); err != nil {
			return b, &feed.Outcome{Kind: feed.Broken, Says: fmt.Sprintf("the %s of %s is no number of a price file", feed.FigureNames[f], b.Stamp)}
		}
	}
	return b, nil
}
