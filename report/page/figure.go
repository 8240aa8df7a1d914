// A drawing and what stands beside it: a legend, and its figures as a table for whoever reads rather than looks. The script
// reads the same table for what it shows at the pointer.

package page

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"mcp-trade/market"
	"mcp-trade/report"
	"mcp-trade/report/chart"
)

// figure is a drawing with its table.
type figure struct {
	ID, Title string
	Kind      string // its class
	Text      string // what it shows, in a sentence or two
	Legend    []entry
	Drawings  []drawing
	Dates     int    // how many the drawing spans
	Table     string // what the table is called
	Columns   []string
	Rows      []row
}

// entry is a line of the legend.
type entry struct {
	Class, Name string
}

// drawing is one form of the figure: "wide", "narrow", or "" for both.
type drawing struct {
	Class string
	SVG   string
}

// row is a date with its figures.
type row struct {
	At    int // which of the drawing's dates it is
	Date  market.Stamp
	Cells []string
}

// The forms of a large drawing: for screens that are wide, and for phones.
var (
	wide   = chart.Style{Width: 1160, Height: 400, FontSize: 10, Bare: true}
	narrow = chart.Style{Width: 440, Height: 330, FontSize: 10, Bare: true}
	small  = chart.Style{Width: 480, Height: 200, FontSize: 10, Bare: true}
)

// both draws a figure for wide screens and for narrow ones.
func both(draw func(chart.Style) ([]byte, error)) ([]drawing, error) {
	var all []drawing
	for _, form := range []struct {
		class string
		style chart.Style
	}{{"wide", wide}, {"narrow", narrow}} {
		svg, err := inline(draw, form.style)
		if err != nil || svg == "" {
			return nil, err
		}
		all = append(all, drawing{form.class, svg})
	}
	return all, nil
}

// single draws a figure that does for all screens.
func single(draw func(chart.Style) ([]byte, error)) ([]drawing, error) {
	svg, err := inline(draw, small)
	if err != nil || svg == "" {
		return nil, err
	}
	return []drawing{{"", svg}}, nil
}

// inline draws for the page; "" if there is nothing to draw.
func inline(draw func(chart.Style) ([]byte, error), s chart.Style) (string, error) {
	svg, err := draw(s)
	if errors.Is(err, chart.ErrEmpty) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	svg, err = chart.Inline(svg) // which escapes
	return string(svg), err
}

// column is what a line of a drawing is worth on its dates.
type column struct {
	class, name string
	values      map[market.Stamp]report.Number
}

// tabulate fills the table of a figure with columns, over the dates of all.
func (f *figure) tabulate(columns []column, form func(report.Number) string) {
	dates := map[market.Stamp]bool{}
	f.Columns = []string{"Date"}
	for _, c := range columns {
		f.Columns = append(f.Columns, c.name)
		f.Legend = append(f.Legend, entry{c.class, c.name})
		for d := range c.values {
			dates[d] = true
		}
	}
	for i, d := range slices.Sorted(maps.Keys(dates)) {
		r := row{At: i, Date: d}
		for _, c := range columns {
			if n, ok := c.values[d]; ok {
				r.Cells = append(r.Cells, form(n))
			} else {
				r.Cells = append(r.Cells, "")
			}
		}
		f.Rows = append(f.Rows, r)
	}
	f.Dates = len(f.Rows)
}

// newCurves draws what all accounts were worth, and how far they fell.
func newCurves(r report.Report) ([]figure, error) {
	equity := figure{ID: "equity", Title: "Total return", Table: "Total return by day"}
	drawdown := figure{ID: "drawdown", Title: "Drawdown", Table: "Drawdown by day", Text: "How far each account was below its highest value so far."}
	var returns, falls []column
	equity.Text = "Since the opening of each account."
	for i, a := range r.Accounts {
		c := column{class(i), a.Signature, map[market.Stamp]report.Number{}}
		start := a.Opening.Value
		c.values[a.Opening.Date] = less(a.Opening.Value.Over(start), 1)
		d := column{class(i), a.Signature, map[market.Stamp]report.Number{}}
		for _, p := range a.Periods {
			if !start.Known() {
				start = p.Value
			}
			c.values[p.Date] = less(p.Value.Over(start), 1)
			d.values[p.Date] = below(p.Drawdown)
		}
		returns, falls = append(returns, c), append(falls, d)
	}
	if r.Benchmark != nil {
		returns = append(returns, benchmarkColumn(r))
		equity.Text = fmt.Sprintf("Since the opening of each account, beside %s since the first of them.", r.Benchmark.Name)
	}
	equity.tabulate(returns, change)
	drawdown.tabulate(falls, part)
	var err error
	if equity.Drawings, err = both(func(s chart.Style) ([]byte, error) { return chart.Equity(r, s) }); err != nil {
		return nil, err
	}
	drawdown.Drawings, err = both(func(s chart.Style) ([]byte, error) {
		s.Height = s.Height * 2 / 3
		return chart.Drawdown(r, s)
	})
	return []figure{equity, drawdown}, err
}

func below(n report.Number) report.Number {
	if !n.Known() {
		return n
	}
	return report.Known(-n.Float())
}

func benchmarkColumn(r report.Report) column {
	from, to := extent(r)
	c := column{"bench", r.Benchmark.Name, map[market.Stamp]report.Number{}}
	var start report.Number
	for _, p := range r.Benchmark.Points {
		if p.Date < from || p.Date > to {
			continue
		}
		if !start.Known() {
			start = p.Value
		}
		c.values[p.Date] = less(p.Value.Over(start), 1)
	}
	return c
}
