// A chart with its legend, and with its values as a table for readers who do not see the chart. The script finds a line, its entry in
// the legend and its column by the key of the line.

package page

import (
	"fmt"

	g "maragu.dev/gomponents"

	"mcp-trade/market"
	"mcp-trade/report"
	"mcp-trade/report/chart"
)

// figure is a drawing with its table.
type figure struct {
	ID, Title string
	Kind      string // its class
	Text      string // what it shows, in a sentence or two
	Legend    bool
	Lines     []chart.Line
	Drawings  []drawing
	Dates     int    // how many the drawing spans
	Table     string // what the table is called
	Columns   []column
	Rows      []row
}

// column is a column of the table. Key is that of the line whose values it has, "" if it has none.
type column struct{ Key, Name string }

// drawing is the chart for one width of the screen: "wide", "narrow", or "" for both.
type drawing struct {
	Class string
	SVG   g.Node
}

// row is a date with its values.
type row struct {
	At    int // index among the chart's dates
	Date  market.Stamp
	Cells []string
}

// The sizes of a drawing: for wide screens, for phones, and for both.
var (
	wide   = chart.Size{Width: 1160, Height: 400}
	narrow = chart.Size{Width: 440, Height: 330}
	small  = chart.Size{Width: 480, Height: 200}
)

// draw draws a plot once for each class, unless there is nothing to draw.
func (f *figure) draw(p chart.Plot, forms map[string]chart.Size) {
	f.Lines, f.Dates = p.Lines, len(p.Days())
	if p.Empty() {
		return
	}
	for _, class := range []string{"", "wide", "narrow"} {
		if size, ok := forms[class]; ok {
			f.Drawings = append(f.Drawings, drawing{class, p.Inline(size)})
		}
	}
}

// tabulate fills the table with a column for each line of a plot and a row for each day.
func (f *figure) tabulate(p chart.Plot, form func(report.Number) string) {
	f.Legend = true
	f.Columns = []column{{Name: "Date"}}
	at := map[market.Stamp]int{}
	for i, d := range p.Days() {
		at[d] = i
		f.Rows = append(f.Rows, row{At: i, Date: d, Cells: make([]string, len(p.Lines))})
	}
	for i, l := range p.Lines {
		f.Columns = append(f.Columns, column{l.Key, l.Name})
		for _, x := range l.Points {
			f.Rows[at[x.Date]].Cells[i] = form(x.Value)
		}
	}
}

// newCurves draws the total returns and the drawdowns of all accounts.
func newCurves(r report.Report) []figure {
	equity := figure{ID: "equity", Title: "Total return", Table: "Total return by day", Text: "Since the opening of each account."}
	drawdown := figure{ID: "drawdown", Title: "Drawdown", Table: "Drawdown by day", Text: "How far each account was below its peak so far."}
	if r.Benchmark != nil {
		equity.Text = fmt.Sprintf("Since the opening of each account, with %s since the first of them.", r.Benchmark.Name)
	}
	returns, falls := chart.Equity(r), chart.Drawdown(r)
	equity.tabulate(returns, signedPercent)
	drawdown.tabulate(falls, percent)
	equity.draw(returns, map[string]chart.Size{"wide": wide, "narrow": narrow})
	low := func(s chart.Size) chart.Size { s.Height = s.Height * 2 / 3; return s }
	drawdown.draw(falls, map[string]chart.Size{"wide": low(wide), "narrow": low(narrow)})
	return []figure{equity, drawdown}
}
