package convert

// This file reads price files, and replies of Alpha Vantage, which have the same form.

import (
	"cmp"
	"encoding/json"
	"fmt"

	"mcp-trade/decimal"
	"mcp-trade/feed"
	"mcp-trade/market"
)

func readObjects(r *reader) error {
	faults := market.ReadSeries(r.file.File, func(s market.FileSeries) {
		g := r.series(s.Symbol)
		g.Name = cmp.Or(g.Name, s.Name)
		interval := "Daily"
		if s.Interval != "daily" {
			interval = s.Interval
		}
		if !r.sameInterval(g, interval, s.Line) {
			return
		}
		g.Stamps = cmp.Or(g.Stamps, s.Stamps)
		r.about(g, s)
		if len(g.Bars) == 0 {
			g.Bars = make([]feed.Bar, 0, len(s.Bars))
		}
		for _, b := range s.Bars {
			bar := feed.Bar{Stamp: b.Stamp, Line: s.Line}
			for i, n := range []decimal.NullDecimal{b.Open, b.High, b.Low, b.Close, b.Volume} {
				if n.Valid {
					bar.Figures[i] = n.Decimal.String()
				}
			}
			r.add(g, bar)
		}
		if s.StatesActions {
			g.act("", feed.Action{})
		}
		for _, a := range s.Actions {
			had := g.Actions[a.Date.Day()]
			switch a.Kind {
			case market.Dividend:
				had.Dividend = a.Amount.Decimal.String()
			case market.Split:
				had.Split = fraction(a.Ratio)
			}
			g.act(a.Date, had)
		}
	})
	for _, w := range faults {
		r.file.fault(w.Line, w.At, "%s", w.Problem)
	}
	return nil
}

// about takes over what a price file says of a share, and where its bars are from.
func (r *reader) about(g *gathered, s market.FileSeries) {
	var about struct {
		feed.About
		Sources []feed.Provenance `json:"Sources"`
	}
	if s.About == nil {
		return
	}
	if err := json.Unmarshal(s.About, &about); err != nil {
		r.file.fault(s.Line, "", "%s: where the bars are from cannot be read, and is left out: %v", s.Symbol, err)
		return
	}
	if g.About.Listed == nil {
		g.About.Listed = about.Listed
	}
	if g.About.ST == nil {
		g.About.ST = about.ST
	}
	if g.About.Synthetic == nil {
		g.About.Synthetic = about.Synthetic
	}
	g.Sources = append(g.Sources, about.Sources...)
}

// fraction is a ratio as Alpha Vantage has it, a decimal.
func fraction(r market.Ratio) string {
	text, err := feed.Number(fmt.Sprintf("%.10f", float64(r.Is)/float64(r.Was)))
	if err != nil {
		return "" // both sides are bounded
	}
	return text
}
