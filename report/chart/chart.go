// Package chart draws what a report holds: lines over days, as SVG and PNG for files. The page draws the same plots with its own script.
//
// A [Plot] says what is drawn; each of its lines has a key, by which legends, tables and scripts find it. All forms are drawn
// from one layout, so that a line has the same colour and dashes wherever it is. The same report gives the same bytes. No text
// but names, symbols, figures and dates goes into a drawing.
package chart

import (
	"fmt"
	"maps"
	"slices"

	"mcp-trade/market"
	"mcp-trade/report"
)

// Plot is the data of a drawing.
type Plot struct {
	Kind  Kind
	Lines []Line
	Print bool // lines are told apart without colours too
}

// Kind says what the vertical axis measures.
type Kind int

// The kinds. All are of fractions, which the axis shows in percent.
const (
	Return     Kind = iota // change since the opening
	Underwater             // drawdown, as a fraction of 0 or less
	Stacked                // weights, one on top of the other
)

// Line is a series over days.
type Line struct {
	Key    string // tells it from the other lines of the plot; it is for programs
	Name   string // what a legend calls it
	Look   Look
	Points []report.Point // ascending; an unknown value is a gap in the line
}

// BenchmarkKey is the key of a benchmark's line. No account has it.
const BenchmarkKey = "benchmark"

// AccountKey is the key of an account's line.
func AccountKey(signature string) string { return "account " + signature }

// Equity plots the total return of each account since its opening, and that of the benchmark since the earliest opening.
func Equity(r report.Report, looks Looks) Plot {
	p := Plot{Kind: Return}
	for _, a := range r.Accounts {
		values := []report.Point{a.Opening}
		for _, x := range a.Periods {
			values = append(values, report.Point{Date: x.Date, Value: x.Value})
		}
		p.Lines = append(p.Lines, Line{Key: AccountKey(a.Signature), Name: a.Signature, Look: looks[a.Signature], Points: growth(values)})
	}
	if r.Benchmark != nil {
		from, to := Extent(r)
		values := slices.DeleteFunc(slices.Clone(r.Benchmark.Points), func(x report.Point) bool { return x.Date < from || x.Date > to })
		p.Lines = append(p.Lines, Line{Key: BenchmarkKey, Name: r.Benchmark.Name + " (benchmark)", Look: Benchmark, Points: growth(values)})
	}
	return p
}

// growth replaces each value by its return since the first known value.
func growth(values []report.Point) []report.Point {
	var start report.Number
	for i, x := range values {
		if !start.Known() {
			start = x.Value
		}
		values[i].Value = report.Number{}
		if ratio := x.Value.Over(start); ratio.Known() {
			values[i].Value = report.Known(ratio.Float() - 1)
		}
	}
	return values
}

// Extent returns the first and the last date of all accounts, "" if there is none.
func Extent(r report.Report) (from, to market.Stamp) {
	for _, a := range r.Accounts {
		if n := len(a.Periods); n > 0 {
			to = max(to, a.Periods[n-1].Date)
			if from == "" || a.Opening.Date < from {
				from = a.Opening.Date
			}
		}
	}
	return from, to
}

// Drawdown plots how far each account is below its highest value so far, as fractions of 0 or less.
func Drawdown(r report.Report, looks Looks) Plot {
	p := Plot{Kind: Underwater}
	for _, a := range r.Accounts {
		l := Line{Key: AccountKey(a.Signature), Name: a.Signature, Look: looks[a.Signature]}
		for _, x := range a.Periods {
			fall := x.Drawdown
			if fall.Known() {
				fall = report.Known(-fall.Float())
			}
			l.Points = append(l.Points, report.Point{Date: x.Date, Value: fall})
		}
		p.Lines = append(p.Lines, l)
	}
	return p
}

// Allocation plots the weights of cash and of each holding. The key of a line is its index, since a symbol can have any name.
func Allocation(a report.Account) Plot {
	p := Plot{Kind: Stacked}
	for i, name := range a.Allocation.Names {
		l := Line{Key: fmt.Sprint("part ", i), Name: name, Look: Look(i - 1)}
		if i == 0 {
			l.Look = Cash // the first of report.Allocation
		}
		for j, part := range a.Allocation.Parts[i] {
			l.Points = append(l.Points, report.Point{Date: a.Periods[j].Date, Value: part})
		}
		p.Lines = append(p.Lines, l)
	}
	return p
}

// Days returns the days of all lines, ascending. The horizontal axis has these days only.
func (p Plot) Days() []market.Stamp {
	days := map[market.Stamp]bool{}
	for _, l := range p.Lines {
		for _, x := range l.Points {
			days[x.Date] = true
		}
	}
	return slices.Sorted(maps.Keys(days))
}

// Empty tells whether no value is known, so that there is nothing to draw.
func (p Plot) Empty() bool {
	for _, l := range p.Lines {
		if slices.ContainsFunc(l.Points, func(x report.Point) bool { return x.Value.Known() }) {
			return false
		}
	}
	return true
}
