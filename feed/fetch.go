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
			if err == nil {
				s.upTo(job.Now)
			}
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

// missing counts the bars against the calendar of the market: the trading days from the first bar to the end of the job, as far as they
// have begun.
func missing(s *Series, job Job) []string {
	m := market.Of(s.Symbol)
	has := map[market.Stamp]bool{}
	for _, b := range s.Bars {
		has[b.Stamp.Day()] = true
	}
	days, lacks, first, last := 0, 0, market.Stamp(""), market.Stamp("")
	for day := s.Bars[0].Stamp.Day(); day <= job.To; day = day.AddDays(1) {
		if why, _ := m.Calendar.Closed(day); why != "" {
			continue
		}
		if opens, _ := m.Session(day); opens.After(job.Now) {
			break
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

// Revision is a bar that a source has changed since it was written to a price file, or that it has now and had not when it was needed. The
// file keeps what it was.
type Revision struct {
	Symbol string            `json:"symbol"`
	Stamp  market.Stamp      `json:"stamp"`
	Was    map[string]string `json:"was"` // empty: the bar was not there
	Is     map[string]string `json:"is"`
	By     []Provenance      `json:"by"` // where the change is from
}

// Join adds the bars of a newer series of the symbol that an older one does not have, and figures of bars that were not known. Figures that
// differ stay as they were, and are returned, as are bars of the stamps that were traded without an open of theirs. It returns how many bars
// it added or completed, and actions it added.
func (s *Series) Join(newer *Series, without ...market.Stamp) (added int, revised []Revision, err error) {
	if s.Interval != newer.Interval {
		return 0, nil, fmt.Errorf("%s: the price file has bars of %s, and bars of %s were fetched; write them to another file", s.Symbol, s.Interval, newer.Interval)
	}
	if s.endStamped() != newer.endStamped() {
		return 0, nil, fmt.Errorf("%s: the bars of the price file are stamped at their end and those that were fetched at their start, or the other way round; write them to another file", s.Symbol)
	}
	at, actions := map[market.Stamp]int{}, len(s.Actions)
	for i, b := range s.Bars {
		at[b.Stamp] = i
	}
	for _, b := range newer.Bars {
		i, there := at[b.Stamp]
		if slices.Contains(without, b.Stamp) && (!there || s.Bars[i].Figures[Open] == "") {
			revised = append(revised, Revision{s.Symbol, b.Stamp, map[string]string{}, b.known(), newer.Sources})
			continue
		}
		if !there {
			s.Bars, added = append(s.Bars, b), added+1
			continue
		}
		completed, was, is := s.Bars[i].complete(b)
		if completed {
			added++
		}
		if len(is) > 0 {
			revised = append(revised, Revision{s.Symbol, b.Stamp, was, is, newer.Sources})
		}
	}
	revised = append(revised, s.joinActions(newer)...)
	s.Name, s.Stamps = cmp.Or(s.Name, newer.Name), cmp.Or(s.Stamps, newer.Stamps)
	if added += len(s.Actions) - actions; added > 0 {
		s.Sources = append(s.Sources, newer.Sources...)
	}
	s.Sort()
	return added, revised, nil
}

// complete fills in the figures that were not known, and tells those that differ. High and low of a newer bar stay unknown if they cannot be
// with the open that the bar had.
func (b *Bar) complete(newer Bar) (completed bool, was, is map[string]string) {
	was, is = map[string]string{}, map[string]string{}
	whole := *b
	for f, text := range newer.Figures {
		switch had := &whole.Figures[f]; {
		case text == *had || text == "":
		case *had == "":
			*had = text
		default:
			was[FigureNames[f]], is[FigureNames[f]] = *had, text
		}
	}
	if whole.Impossible() != "" {
		whole.Figures[High], whole.Figures[Low] = b.Figures[High], b.Figures[Low]
	}
	if whole.Figures == b.Figures || whole.Impossible() != "" {
		return false, was, is
	}
	*b = whole
	return true, was, is
}

// known are the figures that are, by their names.
func (b *Bar) known() map[string]string {
	all := map[string]string{}
	for f, text := range b.Figures {
		if text != "" {
			all[FigureNames[f]] = text
		}
	}
	return all
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
