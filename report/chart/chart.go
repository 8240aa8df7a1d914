// Package chart draws what a report holds, as SVG for pages and papers and as PNG. The same report gives the same bytes.
//
// Colours can be told apart by people who see colours differently, on light ground and on dark. No text but names, symbols
// and dates goes into a drawing.
package chart

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/go-analyze/charts"

	"mcp-trade/market"
	"mcp-trade/report"
)

// Format is the form of a drawing.
type Format string

// The formats.
const (
	SVG Format = charts.ChartOutputSVG
	PNG Format = charts.ChartOutputPNG
)

// Style says how to draw.
type Style struct {
	Format        Format  // "" is SVG
	Width, Height int     // in pixels; 0 is 960 and 400
	Dark          bool    // for a dark ground
	Title         string  // "" is none
	FontSize      float64 // of labels, in points; 0 is 12
	Bare          bool    // without a legend, for a page that has one of its own
}

// ErrEmpty says that there is nothing to draw.
var ErrEmpty = errors.New("there is nothing to draw")

// line is a series over the dates of a drawing.
type line struct {
	name   string
	values map[market.Stamp]report.Number
	symbol charts.Symbol // drawn at each value; none for a line alone
	color  charts.Color
}

// Equity draws the total return of each account since its opening, in percent, and that of the benchmark since the earliest
// of those.
func Equity(r report.Report, s Style) ([]byte, error) {
	var lines []line
	for i, a := range r.Accounts {
		l := newLine(a.Signature, palette[i%len(palette)])
		start := report.Number{}
		for _, p := range append([]report.Point{a.Opening}, values(a)...) {
			if !start.Known() {
				start = p.Value
			}
			l.values[p.Date] = percent(p.Value.Over(start), -1)
		}
		lines = append(lines, l)
	}
	return draw(append(lines, benchmark(r)...), s, percents)
}

// Drawdown draws how far each account is below its highest value so far, in percent.
func Drawdown(r report.Report, s Style) ([]byte, error) {
	var lines []line
	for i, a := range r.Accounts {
		l := newLine(a.Signature, palette[i%len(palette)])
		for _, p := range a.Periods {
			l.values[p.Date] = percent(report.Known(-p.Drawdown.Float()), 0)
			if !p.Drawdown.Known() {
				l.values[p.Date] = report.Number{}
			}
		}
		lines = append(lines, l)
	}
	return draw(lines, s, falls)
}

// Allocation draws what parts of an account's value were in what, in percent, one upon the other.
func Allocation(a report.Account, s Style) ([]byte, error) {
	var lines []line
	for i, name := range a.Allocation.Names {
		l := newLine(name, palette[i%len(palette)])
		for j, part := range a.Allocation.Parts[i] {
			if part.Known() {
				l.values[a.Periods[j].Date] = percent(part, 0)
			}
		}
		lines = append(lines, l)
	}
	return draw(lines, s, parts)
}

// PriceWithTrades draws the closes of a symbol, and marks where an account bought and sold it at the prices that it got.
// Trades on dates without a close are left out.
func PriceWithTrades(prices report.Series, trades []report.Trade, s Style) ([]byte, error) {
	price := newLine(prices.Name, palette[0])
	for _, p := range prices.Points {
		price.values[p.Date] = p.Value
	}
	// A series joins the values of days that follow each other, so every other day is of another series.
	marks := [4]line{newLine("bought", bought), newLine("sold", sold), newLine("", bought), newLine("", sold)}
	for i := range marks {
		marks[i].symbol = charts.Symbol{Shape: []charts.SymbolShape{charts.SymbolDiamond, charts.SymbolSquare}[i%2], Size: 5 - float64(i%2)}
	}
	for _, t := range trades {
		day := t.Date.Day()
		i, ok := slices.BinarySearchFunc(prices.Points, day, func(p report.Point, d market.Stamp) int { return compare(p.Date, d) })
		if !ok || t.Symbol != prices.Name {
			continue
		}
		kind := 0
		if t.Action == "sell" {
			kind = 1
		}
		marks[kind+2*(i%2)].values[day] = t.Price
	}
	return draw(append([]line{price}, marks[:]...), s, money)
}

func newLine(name string, color charts.Color) line {
	return line{name, map[market.Stamp]report.Number{}, charts.Symbol{}, color}
}

func compare(a, b market.Stamp) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func values(a report.Account) []report.Point {
	points := make([]report.Point, len(a.Periods))
	for i, p := range a.Periods {
		points[i] = report.Point{Date: p.Date, Value: p.Value}
	}
	return points
}

// percent writes a part as percent, after adding to it.
func percent(part report.Number, plus float64) report.Number {
	if !part.Known() {
		return part
	}
	return report.Known(100 * (part.Float() + plus))
}

// benchmark is the line of a report's benchmark over the dates of its accounts.
func benchmark(r report.Report) []line {
	if r.Benchmark == nil {
		return nil
	}
	var from, to market.Stamp
	for _, a := range r.Accounts {
		if n := len(a.Periods); n > 0 {
			to = max(to, a.Periods[n-1].Date)
			if from == "" || a.Opening.Date < from {
				from = a.Opening.Date
			}
		}
	}
	l := newLine(r.Benchmark.Name, gray)
	start := report.Number{}
	for _, p := range r.Benchmark.Points {
		if p.Date < from || p.Date > to {
			continue
		}
		if !start.Known() {
			start = p.Value
		}
		l.values[p.Date] = percent(p.Value.Over(start), -1)
	}
	return []line{l}
}

// dates are the dates of all lines, ascending.
func dates(lines []line) []market.Stamp {
	all := map[market.Stamp]struct{}{}
	for _, l := range lines {
		for date := range l.values {
			all[date] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// kind says what a vertical axis counts.
type kind int

const (
	money    kind = iota
	percents      // of change
	falls         // percents, 0 and below
	parts         // percents of a whole, one upon the other
)

// axis is the vertical axis.
func axis(k kind, lines []line) charts.YAxisOption {
	floor := -1.0 // of drawdowns: a multiple of 5 that makes round labels
	for _, l := range lines {
		for _, n := range l.values {
			floor = min(floor, n.Float())
		}
	}
	floor = 5 * math.Floor(floor/5)
	figure := func(f float64) string { return strconv.FormatFloat(math.Round(f*1e4)/1e4+0, 'f', -1, 64) }
	y := charts.YAxisOption{ValueFormatter: func(f float64) string { return figure(f) + " %" }}
	switch k {
	case money:
		y.ValueFormatter = figure
	case falls:
		y.Min, y.Max, y.LabelCount = charts.Ptr(floor), charts.Ptr(0.0), 6
	case parts:
		y.Min, y.Max, y.LabelCount, y.RangeValuePaddingScale = charts.Ptr(0.0), charts.Ptr(100.0), 6, charts.Ptr(0.0)
	}
	return y
}

// draw draws lines over the days on which any has a value: days without one take no room.
func draw(lines []line, s Style, k kind) ([]byte, error) {
	days := dates(lines)
	if len(days) == 0 {
		return nil, ErrEmpty
	}
	opt := charts.LineChartOption{
		Theme: theme(lines, s.Dark), LineStrokeWidth: 1.6, StackSeries: charts.Ptr(k == parts), FillOpacity: 210,
		Padding: charts.NewBox(16, 12, 20, 8),
		Symbol:  charts.Symbol{Shape: charts.SymbolNone}, Legend: charts.LegendOption{Symbol: charts.SymbolDot, Show: charts.Ptr(!s.Bare)},
		Title: charts.TitleOption{Text: s.Title},
		XAxis: charts.XAxisOption{LabelFontStyle: charts.FontStyle{FontSize: s.FontSize}, BoundaryGap: charts.Ptr(false), LabelCount: max(2, min(len(days), width(s)/130))},
		YAxis: []charts.YAxisOption{axis(k, lines)},
	}
	opt.YAxis[0].LabelFontStyle = opt.XAxis.LabelFontStyle
	if opt.YAxis[0].LabelCount == 0 && height(s) < 300 {
		opt.YAxis[0].LabelCountAdjustment = -5 // more would crowd
	}
	if k == parts {
		opt.Legend.Symbol = charts.SymbolSquare
	}
	if s.Title != "" {
		opt.Legend.Offset = charts.OffsetStr{Top: "28"}
	}
	for _, day := range days {
		opt.XAxis.Labels = append(opt.XAxis.Labels, string(day))
	}
	if len(days) > opt.XAxis.LabelCount {
		opt.XAxis.Labels[len(days)-1] = "" // it would be written over the one before
	}
	for _, l := range lines {
		series := charts.LineSeries{Name: l.name, Symbol: l.symbol}
		for _, day := range days {
			value := charts.GetNullValue()
			if n := l.values[day]; n.Known() {
				value = n.Float()
			}
			series.Values = append(series.Values, value)
		}
		opt.SeriesList = append(opt.SeriesList, series)
		if l.name != "" {
			opt.Legend.SeriesNames = append(opt.Legend.SeriesNames, l.name)
		}
	}
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: format(s), Width: width(s), Height: height(s)})
	if err := p.LineChart(opt); err != nil {
		return nil, fmt.Errorf("chart: %w", err)
	}
	return p.Bytes()
}

func format(s Style) string {
	if s.Format == "" {
		return string(SVG)
	}
	return string(s.Format)
}

func width(s Style) int {
	if s.Width == 0 {
		return 960
	}
	return s.Width
}

func height(s Style) int {
	if s.Height == 0 {
		return 400
	}
	return s.Height
}
