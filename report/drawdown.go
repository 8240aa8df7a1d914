// Drawdowns: how far an account fell below its peak.

package report

import (
	"cmp"
	"slices"
)

// drawdowns fills in the return of each period, its drawdown, and the max drawdown of the account.
func drawdowns(a *Account) {
	last, high := a.Opening.Value, a.Opening.Value
	for i := range a.Periods {
		p := &a.Periods[i]
		if !p.Value.known {
			continue
		}
		if last.known && last.value > 0 {
			p.Return = Known(p.Value.value/last.value - 1)
		}
		last = p.Value
		if !high.known || p.Value.value > high.value {
			high = p.Value
		}
		if high.value > 0 {
			p.Drawdown = Known(1 - p.Value.value/high.value)
		}
	}
	a.Drawdowns = worstDrawdowns(a.points())
	a.Drawdown = deepest(a.Drawdowns)
}

// points returns the known values of an account, the opening's included.
func (a Account) points() []Point {
	var points []Point
	if a.Opening.Value.known {
		points = append(points, a.Opening)
	}
	for _, p := range a.Periods {
		if p.Value.known {
			points = append(points, Point{p.Date, p.Value})
		}
	}
	return points
}

// maxDrawdowns bounds the drawdowns that are listed of an account.
const maxDrawdowns = 10

// worstDrawdowns returns the deepest drawdowns, the deepest first, and of two of equal depth the earlier one first. Each lasts from a peak
// to the first day at or above it again, so no two share a day but that.
func worstDrawdowns(points []Point) []Drawdown {
	all := []Drawdown{}
	peak, lowest := 0, 0
	for i, p := range points {
		switch {
		case p.Value.value >= points[peak].Value.value:
			all = append(all, fall(points, peak, lowest, i)...)
			peak, lowest = i, i
		case p.Value.value < points[lowest].Value.value:
			lowest = i
		}
	}
	if last := len(points) - 1; last > peak {
		all = append(all, fall(points, peak, lowest, last)...)
	}
	slices.SortStableFunc(all, func(a, b Drawdown) int { return cmp.Compare(b.Depth, a.Depth) })
	return all[:min(len(all), maxDrawdowns)]
}

// fall is the drawdown from a peak to its end, none if the value did not fall in between.
func fall(points []Point, peak, lowest, end int) []Drawdown {
	high, low := points[peak], points[lowest]
	if high.Value.value <= 0 || low.Value.value >= high.Value.value {
		return nil
	}
	d := Drawdown{
		Depth: 1 - low.Value.value/high.Value.value, Peak: high.Date, Trough: low.Date,
		TradingDays: end - peak, CalendarDays: points[end].Date.DaysSince(high.Date),
	}
	if points[end].Value.value >= high.Value.value {
		d.Recovered = points[end].Date
	}
	return []Drawdown{d}
}

// deepest is the max drawdown, nil if the value never fell.
func deepest(worst []Drawdown) *Drawdown {
	if len(worst) == 0 {
		return nil
	}
	return &worst[0]
}
