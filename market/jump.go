package market

// This file finds the jumps of a series that look like splits, when it is read.

import "math"

// jump is a likely split as it is kept of a series.
type jump struct {
	stamp       Stamp
	ratio       Ratio
	told        bool // an action explains it
	close, open packedDecimal
	volumes     float64 // of its bar, in those of the bar before; 0 if that is not known
}

// ratios are those of splits. One for two old shares or more is the reverse of them. Below 3:2 a split is no different from
// what news do to a price over a night.
var ratios = [...]Ratio{
	{3, 2}, {2, 1}, {5, 2}, {3, 1}, {4, 1}, {5, 1}, {6, 1}, {7, 1}, {8, 1}, {9, 1}, {10, 1},
	{12, 1}, {15, 1}, {20, 1}, {25, 1}, {30, 1}, {40, 1}, {50, 1}, {100, 1},
}

// closeness is how far an open may be from the exact ratio: what a price moves over most nights.
const closeness = 0.03

// jumpsOf returns the likely splits of a series. A split is between two days, never within one.
func jumpsOf(bars []packedBar, actions []Action) (jumps []jump) {
	for i := 1; i < len(bars); i++ {
		before, at := &bars[i-1], &bars[i]
		if !before.close.known || !at.open.known {
			continue
		}
		fall := before.close.quickFloat() / at.open.quickFloat()
		if isNight(fall) || at.stamp.Day() == before.stamp.Day() {
			continue
		}
		r, ok := ratioOf(fall)
		if !ok {
			continue
		}
		expected := before.close.quickFloat()
		for _, a := range actions {
			if before.stamp.Day() < a.Date && a.Date <= at.stamp.Day() {
				expected = a.after(expected)
			}
		}
		j := jump{stamp: at.stamp, ratio: r, told: isNight(expected / at.open.quickFloat()), close: before.close, open: at.open}
		if before.volume.known && at.volume.known && before.volume.coefficient > 0 {
			j.volumes = at.volume.quickFloat() / before.volume.quickFloat()
		}
		jumps = append(jumps, j)
	}
	return jumps
}

// isNight tells whether a fall of the price, or a rise, is less than that of a split.
func isNight(fall float64) bool { return fall < 1.4 && fall > 1/1.4 }

// ratioOf is the ratio that a fall of the price is close to. A rise is a fall below 1.
func ratioOf(fall float64) (Ratio, bool) {
	for _, r := range ratios {
		exact := r.float()
		switch {
		case math.Abs(fall/exact-1) <= closeness:
			return r, true
		case math.Abs(fall*exact-1) <= closeness:
			return Ratio{r.Was, r.Is}, true
		}
	}
	return Ratio{}, false
}

// quickFloat is the number to a dozen digits.
func (n packedDecimal) quickFloat() float64 {
	return float64(n.coefficient) * math.Pow10(int(n.exponent))
}
