// Package yahoo is a source of US shares and A-shares without a key: Yahoo's chart. Its prices are adjusted for every split until today;
// what it gives here is undone to the prices that were paid, with the splits and dividends beside them.
package yahoo

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"mcp-trade/feed"
	"mcp-trade/market"
)

// Name is the source's name.
const Name = "yahoo"

// URL is the service's address unless another is given.
const URL = "https://query1.finance.yahoo.com"

// Pace is how far apart requests begin. The service states no limit, and refuses those who ask too often.
const Pace = 500 * time.Millisecond

// Yahoo is the source.
type Yahoo struct{ URL string } // "": the usual one

// Name implements [feed.Source].
func (Yahoo) Name() string { return Name }

// chart is a reply.
type chart struct {
	Chart struct {
		Result []result
		Error  *struct{ Code, Description string }
	}
}

type result struct {
	Meta      struct{ Symbol, DataGranularity string }
	Timestamp []int64
	Events    struct {
		Dividends map[string]struct {
			Amount float64
			Date   int64
		}
		Splits map[string]struct {
			Date                   int64
			Numerator, Denominator float64
		}
	}
	Indicators struct {
		Quote []struct{ Open, High, Low, Close, Volume []*float64 }
	}
}

// Fetch implements [feed.Source]. It asks until today, whatever the job's last day is: without the later splits the prices could not be
// undone.
func (y Yahoo) Fetch(ctx context.Context, get feed.Getter, job feed.Job) (*feed.Series, []string, error) {
	zone := market.Of(job.Symbol).Zone()
	interval := map[string]string{"Daily": "1d", "60min": "1h"}[job.Interval]
	query := url.Values{
		"interval": {interval}, "events": {"div,splits"},
		"period1": {strconv.FormatInt(job.From.In(zone).Unix(), 10)}, "period2": {strconv.FormatInt(job.Today.AddDays(1).In(zone).Unix(), 10)},
	}
	address := cmp.Or(y.URL, URL) + "/v8/finance/chart/" + url.PathEscape(ticker(job.Symbol)) + "?" + query.Encode()
	reply, err := get.Get(ctx, address, nil, http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity)
	if err != nil {
		return nil, nil, err
	}
	s, told, err := Parse(reply.Body, job)
	if err != nil {
		return nil, nil, err
	}
	s.Sources = []feed.Provenance{reply.Provenance}
	return s, told, nil
}

// Parse reads a reply as [feed.Source] has it. Symbol and interval are those that the reply names where the job names none. Prices are undone
// by the splits that the reply tells of: those of later splits stay divided by them.
func Parse(reply []byte, job feed.Job) (s *feed.Series, told []string, err error) {
	r, err := parse(reply)
	if err != nil {
		return nil, nil, err
	}
	if job.Symbol == "" {
		job.Symbol = symbol(r.Meta.Symbol)
	}
	if job.Interval == "" {
		job.Interval = map[string]string{"1d": "Daily", "1h": "60min", "60m": "60min"}[r.Meta.DataGranularity]
	}
	if job.Interval == "" || market.CheckSymbol(job.Symbol) != nil {
		return nil, nil, &feed.Outcome{Kind: feed.Broken, Says: "its answer does not say of which symbol, or of which interval, it is"}
	}
	m := market.Of(job.Symbol)
	s = &feed.Series{Symbol: job.Symbol, Interval: job.Interval}
	if job.Interval != "Daily" && m.EndStamped {
		s.Stamps = "start"
	}
	told, err = r.series(s, job, m.Zone())
	return s, told, err
}

// ticker is the symbol as Yahoo writes it: BRK-B, 600519.SS.
func ticker(symbol string) string {
	if market.Of(symbol).ID == market.CN {
		return strings.Replace(symbol, ".SH", ".SS", 1)
	}
	return strings.ReplaceAll(symbol, ".", "-")
}

// symbol is what Yahoo writes as a ticker: BRK.B, 600519.SH.
func symbol(ticker string) string {
	if number, ok := strings.CutSuffix(ticker, ".SS"); ok {
		return number + ".SH"
	}
	return strings.ReplaceAll(ticker, "-", ".")
}

// parse reads a reply.
func parse(body []byte) (result, error) {
	var c chart
	if err := json.Unmarshal(body, &c); err != nil {
		return result{}, &feed.Outcome{Kind: feed.Broken, Says: "its answer is no chart"}
	}
	if e := c.Chart.Error; e != nil {
		switch says := strings.ToLower(e.Code + " " + e.Description); {
		case strings.Contains(says, "too many requests"):
			return result{}, &feed.Outcome{Kind: feed.Refused, Says: "its rate limit is reached", Closed: true}
		case strings.Contains(says, "data doesn't exist"), strings.Contains(says, "must be within"):
			return result{}, &feed.Outcome{Kind: feed.NoData, Says: "it has none of these days at this interval"}
		case strings.Contains(says, "not found"), strings.Contains(says, "delisted"):
			return result{}, &feed.Outcome{Kind: feed.NoSuch, Says: "it does not know the symbol"}
		}
		return result{}, &feed.Outcome{Kind: feed.Broken, Says: "it refuses the request"}
	}
	if len(c.Chart.Result) != 1 || len(c.Chart.Result[0].Timestamp) > 0 && len(c.Chart.Result[0].Indicators.Quote) != 1 {
		return result{}, &feed.Outcome{Kind: feed.Broken, Says: "its answer is no chart"}
	}
	return c.Chart.Result[0], nil
}

// splitOn is a split and its ex day.
type splitOn struct {
	day    market.Stamp
	factor float64
}

// series fills in the bars and actions of a job.
func (r *result) series(s *feed.Series, job feed.Job, zone *time.Location) (told []string, err error) {
	at := func(unix int64) market.Stamp { return feed.Moment(time.Unix(unix, 0).In(zone)) }
	var splits []splitOn
	s.Actions = map[market.Stamp]feed.Action{}
	for _, key := range slices.Sorted(maps.Keys(r.Events.Splits)) {
		x := r.Events.Splits[key]
		if x.Numerator <= 0 || x.Denominator <= 0 {
			return nil, &feed.Outcome{Kind: feed.Broken, Says: "it tells of a split without a ratio"}
		}
		split := splitOn{at(x.Date).Day(), x.Numerator / x.Denominator}
		splits = append(splits, split)
		if job.Has(split.day) {
			a := s.Actions[split.day]
			a.Split = rounded(split.factor, 10)
			s.Actions[split.day] = a
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.Events.Dividends)) {
		x := r.Events.Dividends[key]
		if day := at(x.Date).Day(); job.Has(day) && x.Amount > 0 {
			a := s.Actions[day]
			a.Dividend = rounded(x.Amount*later(splits, day), 6)
			s.Actions[day] = a
		}
	}
	if len(r.Timestamp) == 0 {
		return nil, nil
	}
	q := r.Indicators.Quote[0]
	for i, unix := range r.Timestamp {
		b := feed.Bar{Stamp: at(unix)}
		day := b.Stamp.Day()
		if !job.Has(day) {
			continue
		}
		if job.Interval == "Daily" {
			b.Stamp = day
		}
		// The last trade stands in a row of its own, behind that of the day or hour under way.
		last := i > 0 && i == len(r.Timestamp)-1
		if last && job.Interval != "Daily" && unix-r.Timestamp[i-1] < 3600 {
			continue
		}
		factor, known := later(splits, day), false
		for f, list := range [][]*float64{q.Open, q.High, q.Low, q.Close, q.Volume} {
			if len(list) != len(r.Timestamp) {
				return nil, &feed.Outcome{Kind: feed.Broken, Says: "it has more times than figures"}
			}
			switch x := list[i]; {
			case x == nil:
			case *x < 0:
				return nil, &feed.Outcome{Kind: feed.Broken, Says: fmt.Sprintf("the %s of %s is negative", feed.FigureNames[f], b.Stamp)}
			case f == feed.Volume:
				b.Figures[f] = rounded(*x/factor, 0)
			default:
				b.Figures[f], known = rounded(*x*factor, 4), true
			}
		}
		if n := len(s.Bars) - 1; last && n >= 0 && s.Bars[n].Stamp == b.Stamp && b.Figures[feed.Open] != "" {
			s.Bars = s.Bars[:n] // that of the day has the newest volume
		}
		if known {
			told = s.Take(b, told)
		}
	}
	return told, nil
}

// later is by how much all splits after a day multiplied a share.
func later(splits []splitOn, day market.Stamp) float64 {
	factor := 1.0
	for _, s := range splits {
		if s.day > day {
			factor *= s.factor
		}
	}
	return factor
}

// rounded is a number without the noise of binary fractions.
func rounded(x float64, places int) string {
	text, err := feed.Number(strconv.FormatFloat(x, 'f', places, 64))
	if err != nil {
		return "" // not known: it is too large for a price file
	}
	return text
}
