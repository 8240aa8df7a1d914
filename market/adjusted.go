package market

// This file recognises adjusted prices: those that were lowered before a split or a dividend when it came, so that they know of it
// beforehand.

import (
	"math"
	"slices"
)

// adjustment is what the bars of a series tell of whether they were adjusted.
type adjustment struct {
	closes    Stamp   // before an action, a close that is the adjusted close; "" if there is none
	splits    []Stamp // of a split, the price made no jump
	dividends int     // whose ex day can be looked at
	odds      float64 // the logarithm of how much likelier their nights are under adjusted prices than under raw ones
	prices    int     // opens and closes
	offTick   int     // of them, how many lie between the ticks of the market
}

// adjustmentOf looks at a series. adjusted are the adjusted closes that it has beside its own.
func adjustmentOf(bars []packedBar, actions []Action, adjusted map[Stamp]packedDecimal) (a adjustment) {
	a.countTicks(bars)
	if len(actions) == 0 {
		return a
	}
	var nights []float64 // the moves of the price over a night, without their signs
	type exDay struct {
		move, expected float64
		split          bool
	}
	var days []exDay
	for i := 1; i < len(bars); i++ {
		before, at := &bars[i-1], &bars[i]
		if before.stamp.Day() == at.stamp.Day() || !before.close.known || !at.open.known {
			continue
		}
		was, is := before.close.quickFloat(), at.open.quickFloat()
		expected, split := was, false
		for _, action := range actions {
			if before.stamp.Day() < action.Date && action.Date <= at.stamp.Day() {
				expected, split = action.after(expected), split || action.Kind == Split
			}
		}
		move, ex := math.Log(is/was), math.Log(expected/was)
		if ex == 0 || math.IsNaN(ex) || math.IsInf(ex, 0) {
			nights = append(nights, math.Abs(move))
			continue
		}
		if n, ok := adjusted[before.stamp]; ok && a.closes == "" && n.decimal().Decimal.Equal(before.close.decimal().Decimal) {
			a.closes = before.stamp
		}
		if split && !isNight(math.Exp(ex)) && math.Abs(move) < math.Abs(move-ex) {
			a.splits = append(a.splits, at.stamp.Day())
		}
		days = append(days, exDay{move, ex, split})
	}
	spread := spreadOf(nights)
	for _, d := range days {
		if d.split {
			continue
		}
		const most = 5 // that one night may count: it may be news
		raw, free := d.move-d.expected, d.move
		a.dividends++
		a.odds += max(-most, min(most, (raw*raw-free*free)/(2*spread*spread)))
	}
	return a
}

// spreadOf is the usual size of a night's move: the median, as a standard deviation. It is at least half a percent, so that the few
// nights of a short series do not count as certain.
func spreadOf(nights []float64) float64 {
	const least, medianOfNormal = 0.005, 0.6745
	if len(nights) == 0 {
		return 2 * least
	}
	slices.Sort(nights)
	return max(least, nights[len(nights)/2]/medianOfNormal)
}

// countTicks counts the prices that the exchange cannot quote. Some opens and closes lie between ticks, where a trade was inside the
// spread; after adjusting nearly all do.
func (a *adjustment) countTicks(bars []packedBar) {
	for i := range bars {
		for _, n := range [...]packedDecimal{bars[i].open, bars[i].close} {
			if !n.known {
				continue
			}
			cents := n.quickFloat() * 100
			if a.prices++; cents >= 100 && math.Abs(cents-math.Round(cents)) > 1e-4*cents/100+1e-6 {
				a.offTick++
			}
		}
	}
}
