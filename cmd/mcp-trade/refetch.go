// Price files that go on: what their sources have had since is fetched into them.

package main

import (
	"context"
	"maps"
	"slices"
	"time"

	"mcp-trade/feed"
	"mcp-trade/market"
)

// refetched is what became of a price file.
type refetched struct {
	Added   int             // bars and actions that are new, and bars of which more is known
	Revised []feed.Revision // that nobody was told before; the file keeps what it was
	Failed  []feed.Fetched  // symbols that got nothing, and why
}

// refetch asks the source that each series of a price file says that it is from, where it can know more at a moment than the file: from the
// last bars on, which are completed and corrected late, up to that moment. Of a bar under way the open is taken alone. Series of no source
// are left as they are. Bars of stamps that were traded without them, by symbol, stay unknown. The file is replaced in one step, and only if
// something was added.
func (s *settings) refetch(ctx context.Context, path string, now time.Time, without map[string][]market.Stamp) (r refetched, err error) {
	held, err := priceFileBefore(path)
	if err != nil {
		return r, err
	}
	routes, noRoute := map[string]*feed.Route{}, map[string]error{}
	var got []*feed.Series
	for _, symbol := range slices.Sorted(maps.Keys(held)) {
		series := held[symbol]
		from, due := series.Due(now)
		if len(series.Sources) == 0 || !due {
			continue
		}
		name := series.Sources[len(series.Sources)-1].Source
		if _, known := routes[name]; !known {
			routes[name], noRoute[name] = s.route(name, "")
		}
		zone := market.Of(symbol).Zone()
		job := feed.Job{Symbol: symbol, Interval: series.Interval, From: from, To: feed.Moment(now.In(zone)).Day(), Now: now}
		job.Today = max(job.To, feed.Moment(time.Now().In(zone)).Day())
		var fetched feed.Fetched
		if err := noRoute[name]; err != nil {
			fetched = feed.Fetched{Symbol: symbol, Outcome: feed.Refused, Told: []string{err.Error()}}
		} else if fetched, err = feed.Fetch(ctx, []*feed.Route{routes[name]}, job); err != nil {
			return r, err
		}
		if fetched.Outcome != feed.Done {
			r.Failed = append(r.Failed, fetched)
			continue
		}
		got = append(got, fetched.Series)
	}
	if len(got) == 0 {
		return r, nil
	}
	joined, err := s.joinPrices(ctx, path, got, without)
	r.Added, r.Revised = joined.added, joined.untold
	return r, err
}
