// Package alphavantage is a source of US shares with a key: Alpha Vantage's daily prices, raw, with dividends and splits where the plan has them,
// and those of hours.
package alphavantage

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"mcp-trade/feed"
	"mcp-trade/market"
)

// Name is the source's name.
const Name = "alphavantage"

// URL is the service's address unless another is given.
const URL = "https://www.alphavantage.co/query"

// Pace is how far apart requests begin: a free key has one a second, and 25 a day.
const Pace = 1200 * time.Millisecond

// compactDays are days that the 100 newest bars reach back for certain.
const compactDays = 130

// AlphaVantage is the source.
type AlphaVantage struct {
	URL string // "": the usual one

	plain bool // the plan has no adjusted prices
}

// Name implements [feed.Source].
func (*AlphaVantage) Name() string { return Name }

// Sign puts a key into a request.
func Sign(key string) func(*http.Request) {
	return func(r *http.Request) {
		query := r.URL.Query()
		query.Set("apikey", key)
		r.URL.RawQuery = query.Encode()
	}
}

// Keep tells whether a reply can be kept: one with a notice may repeat the key, and is no answer later.
func (*AlphaVantage) Keep(r feed.Reply) bool {
	_, notice, err := parse(r.Body)
	return err == nil && notice == nil
}

// Fetch implements [feed.Source].
func (a *AlphaVantage) Fetch(ctx context.Context, get feed.Getter, job feed.Job) (*feed.Series, []string, error) {
	if job.Interval != "Daily" {
		return a.hours(ctx, get, job)
	}
	size := "full"
	if job.From >= job.Today.AddDays(-compactDays) {
		size = "compact"
	}
	s := &feed.Series{Symbol: job.Symbol, Interval: job.Interval}
	if !a.plain {
		told, err := a.ask(ctx, get, job, s, url.Values{"function": {"TIME_SERIES_DAILY_ADJUSTED"}, "outputsize": {size}})
		if o, ok := errors.AsType[*feed.Outcome](err); !ok || !o.Plan {
			return s, told, err
		}
		a.plain = true
	}
	told, err := a.ask(ctx, get, job, s, url.Values{"function": {"TIME_SERIES_DAILY"}, "outputsize": {size}})
	return s, append(told, "its dividends and splits are not known: the plan of the key has no adjusted prices"), err
}

// hours gets the hours of a job month by month.
func (a *AlphaVantage) hours(ctx context.Context, get feed.Getter, job feed.Job) (*feed.Series, []string, error) {
	s := &feed.Series{Symbol: job.Symbol, Interval: job.Interval}
	var told []string
	for month := job.From[:7]; month <= job.To[:7]; month = (month + "-28").AddDays(4)[:7] {
		more, err := a.ask(ctx, get, job, s, url.Values{"function": {"TIME_SERIES_INTRADAY"}, "interval": {"60min"}, "month": {string(month)},
			"outputsize": {"full"}, "adjusted": {"false"}, "extended_hours": {"false"}})
		if o, ok := errors.AsType[*feed.Outcome](err); ok && o.Kind == feed.NoData {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		told = append(told, more...)
	}
	return s, told, nil
}

// ask asks for bars, and adds those of a job to a series.
func (a *AlphaVantage) ask(ctx context.Context, get feed.Getter, job feed.Job, s *feed.Series, query url.Values) (told []string, err error) {
	query.Set("symbol", strings.ReplaceAll(job.Symbol, ".", "-"))
	address, join := cmp.Or(a.URL, URL), "?"
	if strings.Contains(address, "?") {
		join = "&"
	}
	reply, err := get.Get(ctx, address+join+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	page, told, err := Parse(reply.Body, job)
	if err != nil {
		return nil, err
	}
	s.Actions, s.Sources = page.Actions, append(s.Sources, reply.Provenance)
	return s.TakeAll(page.Bars, told), nil
}

// row is a bar of a reply by the names of its figures.
type row map[string]string

// parse reads a reply. A notice beside bars is returned with them; without them it is the error.
func parse(reply []byte) (rows map[string]row, notice, err error) {
	var members map[string]json.RawMessage
	if json.Unmarshal(reply, &members) != nil {
		return nil, nil, &feed.Outcome{Kind: feed.Broken, Says: "its answer is no JSON"}
	}
	says := ""
	for _, name := range []string{"Note", "Information", "Error Message"} {
		var text string
		_ = json.Unmarshal(members[name], &text) // what is no text says nothing
		says += strings.ToLower(text)
	}
	if says != "" {
		notice = refusal(says)
	}
	for name, series := range members {
		if !strings.HasPrefix(name, "Time Series (") {
			continue
		}
		if json.Unmarshal(series, &rows) != nil {
			return nil, notice, &feed.Outcome{Kind: feed.Broken, Says: "its answer has no bars"}
		}
		return rows, notice, nil
	}
	switch {
	case notice != nil:
		return nil, notice, notice
	case len(members) == 0:
		return nil, nil, &feed.Outcome{Kind: feed.NoData, Says: "its answer is empty"}
	}
	return nil, nil, &feed.Outcome{Kind: feed.Broken, Says: "its answer has no bars"}
}

// refusal reads a notice. Its words are not repeated: they may hold the key.
func refusal(says string) error {
	mentions := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(says, w) })
	}
	switch {
	case mentions("rate limit", "requests per", "call frequency", "spreading"):
		return &feed.Outcome{Kind: feed.Refused, Says: "its rate limit is reached", Closed: true}
	case mentions("premium"):
		return &feed.Outcome{Kind: feed.Refused, Says: "it wants another plan for this", Plan: true, Closed: true}
	case mentions("apikey", "api key"):
		return &feed.Outcome{Kind: feed.Refused, Says: "it refuses the key", Closed: true}
	case mentions("invalid api call"):
		return &feed.Outcome{Kind: feed.NoSuch, Says: "it does not know the symbol"}
	}
	return &feed.Outcome{Kind: feed.Broken, Says: "it refuses the request"}
}

// Parse reads a reply as [feed.Source] has it. Days of its own that are not of the job are left out.
func Parse(reply []byte, job feed.Job) (s *feed.Series, told []string, err error) {
	rows, notice, err := parse(reply)
	if err != nil {
		return nil, nil, err
	}
	if notice != nil {
		told = append(told, "beside its prices it says that it refuses more")
	}
	s = &feed.Series{Symbol: job.Symbol, Interval: job.Interval}
	for _, at := range slices.Sorted(maps.Keys(rows)) {
		b := feed.Bar{}
		if b.Stamp, err = market.ParseStamp(at); err != nil {
			return nil, nil, &feed.Outcome{Kind: feed.Broken, Says: fmt.Sprintf("it has a bar of %.20q, which is no time", at)}
		}
		if !job.Has(b.Stamp) {
			continue
		}
		r := rows[at]
		volume, adjusted := r["6. volume"]
		if !adjusted {
			volume = r["5. volume"]
		}
		for f, text := range []string{r["1. open"], r["2. high"], r["3. low"], r["4. close"], volume} {
			if b.Figures[f], err = feed.Number(text); err != nil {
				return nil, nil, &feed.Outcome{Kind: feed.Broken, Says: fmt.Sprintf("the %s of %s is no number of a price file", feed.FigureNames[f], b.Stamp)}
			}
		}
		if adjusted {
			if err := act(s, b.Stamp, r); err != nil {
				return nil, nil, err
			}
		}
		told = s.Take(b, told)
	}
	return s, told, nil
}

// act takes over the dividend and the split of a day.
func act(s *feed.Series, day market.Stamp, r row) error {
	dividend, errD := feed.Number(r["7. dividend amount"])
	split, errS := feed.Number(r["8. split coefficient"])
	if errD != nil || errS != nil || split == "0" {
		return &feed.Outcome{Kind: feed.Broken, Says: fmt.Sprintf("the dividend or the split of %s cannot be read", day)}
	}
	if s.Actions == nil {
		s.Actions = map[market.Stamp]feed.Action{}
	}
	if dividend == "0" {
		dividend = ""
	}
	if split == "1" {
		split = ""
	}
	if a := (feed.Action{Dividend: dividend, Split: split}); a != (feed.Action{}) {
		s.Actions[day] = a
	}
	return nil
}
