package market

// This file has the bars of a series up to a stamp, and what is known of them.

import (
	"slices"
	"sort"
	"time"
)

// window is a series up to the stamp of a view.
type window struct {
	symbol string
	asOf   Stamp
	period time.Duration // of a bar, 0 if it is not known
	bars   []packedBar   // none begins after the stamp
}

// visible returns the bar at an index as of the view, and whether it is visible.
// All else rests on this rule: a bar whose period is over is whole, and of a bar
// that has begun the open is known. A begun bar without an open stays hidden: even
// its existence would reveal the future.
func (w window) visible(i int) (Bar, bool) {
	b := w.bars[i]
	if w.hasEnded(b.stamp) {
		return b.bar(), true
	}
	return Bar{Stamp: b.stamp, Open: b.open.decimal()}, b.open.known
}

// hasEnded tells whether the period of a bar has ended by the stamp of the view. If
// the length of the period is unknown, a bar that began before the stamp has
// ended.
func (w window) hasEnded(stamp Stamp) bool {
	if stamp.IsDay() || stamp.Day() != w.asOf.Day() {
		return stamp.Day() < w.asOf.Day()
	}
	return stamp < w.asOf && stamp.add(w.period) <= w.asOf
}

// at returns the bar that begins at a stamp.
func (w window) at(at Stamp) (Bar, bool) {
	i := w.from(at)
	if i == len(w.bars) || w.bars[i].stamp != at {
		return Bar{}, false
	}
	return w.visible(i)
}

// newest returns the newest visible bars before an index, in ascending order.
func (w window) newest(end, limit int) []Bar {
	bars := []Bar{}
	for i := end - 1; i >= 0 && (limit <= 0 || len(bars) < limit); i-- {
		if bar, ok := w.visible(i); ok {
			bars = append(bars, bar)
		}
	}
	slices.Reverse(bars)
	return bars
}

// from returns the index of the first bar that does not begin before a stamp.
func (w window) from(from Stamp) int {
	return sort.Search(len(w.bars), func(i int) bool { return w.bars[i].stamp >= from })
}

// first returns the stamp of the first visible bar, if there is one.
func (w window) first() (Stamp, bool) {
	for i := range w.bars {
		if bar, ok := w.visible(i); ok {
			return bar.Stamp, true
		}
	}
	return "", false
}

func (w window) noPrice(at Stamp) error {
	missing := &NoPriceError{Symbol: w.symbol, At: at}
	if before := w.newest(w.from(at), 1); len(before) == 1 {
		missing.Nearest = before[0].Stamp
	} else if first, ok := w.first(); ok && first > at {
		missing.First = first
	}
	return missing
}

// shown returns the figures that a bar shows as of the stamp of a window.
func (w window) shown(b *packedBar) []packedDecimal {
	figures := []packedDecimal{b.open, b.high, b.low, b.close, b.volume}
	switch {
	case b.stamp > w.asOf:
		return nil
	case !w.hasEnded(b.stamp):
		return figures[:1]
	}
	return figures
}
