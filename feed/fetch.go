package feed

// This file fetches the series of a list of symbols from a chain of sources, and joins them to those of a price file.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"mcp-trade/market"
)

// Route is a source with the way to it.
type Route struct {
	Source
	Getter
	closed *Outcome
}

// Fetched is what came of a symbol.
type Fetched struct {
	Symbol  string   `json:"symbol"`
	Source  string   `json:"source"` // that gave the bars, "" if none did
	Outcome Kind     `json:"outcome"`
	Bars    int      `json:"bars"`
	Told    []string `json:"told"` // why sources gave none, bars that are missing or cannot be

	Series *Series `json:"-"`
}

// Fetch asks the routes for one symbol, one after the other until one has it: no other source is ever asked. A source that has closed is
// not asked again. The error is that of the context, or one of this machine.
func Fetch(ctx context.Context, routes []*Route, job Job) (Fetched, error) {
	f := Fetched{Symbol: job.Symbol, Told: []string{}}
	for _, r := range routes {
		var why *Outcome
		if why = r.closed; why == nil {
			s, told, err := r.Fetch(ctx, r.Getter, job)
			if err == nil && len(s.Bars) == 0 {
				err = &Outcome{Kind: NoData, Says: fmt.Sprintf("it has no bar from %s to %s", job.From, job.To)}
			}
			if err == nil {
				s.Sort()
				f.Series, f.Source, f.Outcome, f.Bars = s, r.Name(), Done, len(s.Bars)
				f.Told = slices.Concat(f.Told, told, missing(s, job))
				return f, nil
			}
			if !errors.As(err, &why) {
				return f, err
			}
			if why.Closed {
				r.closed = why
			}
		}
		f.Outcome = why.Kind
		f.Told = append(f.Told, fmt.Sprintf("%s: %v", r.Name(), why))
	}
	return f, nil
}

// missing counts the bars against the calendar of the market: the trading days from the first bar to the end of the job.
func missing(s *Series, job Job) []string {
	calendar := market.Of(s.Symbol).Calendar
	has := map[market.Stamp]bool{}
	for _, b := range s.Bars {
		has[b.Stamp.Day()] = true
	}
	days, lacks, first, last := 0, 0, market.Stamp(""), market.Stamp("")
	for day := s.Bars[0].Stamp.Day(); day <= job.To; day = day.AddDays(1) {
		if why, _ := calendar.Closed(day); why != "" {
			continue
		}
		if days++; !has[day] {
			lacks, first, last = lacks+1, cmp.Or(first, day), day
		}
	}
	if lacks == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d of %d trading days have no bar, from %s to %s", lacks, days, first, last)}
}

// Revision is a bar that a source has changed since it was written to a price file. The file keeps what it was.
type Revision struct {
	Symbol string            `json:"symbol"`
	Stamp  market.Stamp      `json:"stamp"`
	Was    map[string]string `json:"was"`
	Is     map[string]string `json:"is"`
	By     []Provenance      `json:"by"` // where the change is from
}

// Join adds the bars of a newer series of the symbol that an older one does not have, and figures of bars that were not known. Bars that
// differ stay as they were, and are returned.
func (s *Series) Join(newer *Series) ([]Revision, error) {
	if s.Interval != newer.Interval {
		return nil, fmt.Errorf("%s: the price file has bars of %s, and bars of %s were fetched; write them to another file", s.Symbol, s.Interval, newer.Interval)
	}
	at := map[market.Stamp]int{}
	for i, b := range s.Bars {
		at[b.Stamp] = i
	}
	var revised []Revision
	for _, b := range newer.Bars {
		i, there := at[b.Stamp]
		if !there {
			s.Bars = append(s.Bars, b)
			continue
		}
		was, is := map[string]string{}, map[string]string{}
		for f, text := range b.Figures {
			switch had := &s.Bars[i].Figures[f]; {
			case text == *had || text == "":
			case *had == "":
				*had = text
			default:
				was[FigureNames[f]], is[FigureNames[f]] = *had, text
			}
		}
		if len(is) > 0 {
			revised = append(revised, Revision{s.Symbol, b.Stamp, was, is, newer.Sources})
		}
	}
	revised = append(revised, s.joinActions(newer)...)
	s.Name, s.Stamps = cmp.Or(s.Name, newer.Name), cmp.Or(s.Stamps, newer.Stamps)
	s.Sources = append(s.Sources, newer.Sources...)
	s.Sort()
	return revised, nil
}

// joinActions adds the actions of days that had none.
func (s *Series) joinActions(newer *Series) (revised []Revision) {
	for day, a := range newer.Actions {
		switch had, there := s.Actions[day]; {
		case !there:
			if s.Actions == nil {
				s.Actions = map[market.Stamp]Action{}
			}
			s.Actions[day] = a
		case had != a:
			revised = append(revised, Revision{s.Symbol, day, map[string]string{"dividend": had.Dividend, "split": had.Split},
				map[string]string{"dividend": a.Dividend, "split": a.Split}, newer.Sources})
		}
	}
	slices.SortFunc(revised, func(a, b Revision) int { return cmp.Compare(a.Stamp, b.Stamp) })
	return revised
}
