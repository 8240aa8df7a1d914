package market

// This file is the calendar as of a view: trading days, and the closes of days.

import (
	"maps"
	"slices"
	"sort"

	"mcp-trade/decimal"
)

// Days returns the trading days of a market before the day of the view,
// ascending, from `from` to `to`, both included ("" is no bound). On a trading day
// any symbol of the market has a bar. The market "" stands for all markets. The
// day of the view is left out, since it is not over.
//
// The first call reads every series of which an index file does not tell. Damaged ones are left out.
func (v View) Days(id ID, from, to Stamp) ([]Stamp, error) {
	all, err := v.prices.calendar()
	if err != nil {
		return nil, err
	}
	days := all[id]
	first, _ := slices.BinarySearch(days, from.Day())
	end, _ := slices.BinarySearch(days, v.asOf.Day())
	if to != "" {
		end = min(end, sort.Search(len(days), func(i int) bool { return days[i] > to.Day() }))
	}
	return slices.Clone(days[first:max(first, end)]), nil
}

// DaysAfter counts the trading days of a market after the day of a stamp, up to
// and including another day. The day of the view counts once a bar of the market
// is visible on it.
func (v View) DaysAfter(id ID, after, to Stamp) (int, error) {
	if after.Day() >= to.Day() {
		return 0, nil // nearly always; no series need be read
	}
	days, err := v.Days(id, after.AddDays(1), to)
	if err != nil || to.Day() < v.asOf.Day() {
		return len(days), err
	}
	today, err := v.trades(id)
	if today {
		return len(days) + 1, err
	}
	return len(days), err
}

// trades tells whether the day of the view has a visible bar in a market.
func (v View) trades(id ID) (bool, error) {
	all, err := v.prices.calendar()
	if err != nil {
		return false, err
	}
	if _, ever := slices.BinarySearch(all[id], v.asOf.Day()); !ever {
		return false, nil
	}
	for _, symbol := range v.prices.symbols {
		if Of(symbol).ID != id {
			continue
		}
		w, err := v.visibleWindow(v.prices.series[symbol])
		if err != nil && !isDamage(err) {
			return false, err
		}
		if newest := w.newest(len(w.bars), 1); err == nil && len(newest) == 1 && newest[0].Stamp.Day() == v.asOf.Day() {
			return true, nil
		}
	}
	return false, nil
}

// calendar returns the trading days of each market, the future included. Under
// the market "" are the days of all markets.
func (c *content) calendar() (map[ID][]Stamp, error) {
	c.dating.Lock()
	defer c.dating.Unlock()
	if c.days != nil {
		return c.days, nil
	}
	days := map[ID]map[Stamp]struct{}{"": {}}
	err := c.eachStamp(func(id ID, stamp Stamp) {
		if days[id] == nil {
			days[id] = map[Stamp]struct{}{}
		}
		days[""][stamp.Day()], days[id][stamp.Day()] = struct{}{}, struct{}{}
	})
	if err != nil {
		return nil, err
	}
	c.days = map[ID][]Stamp{}
	for id, set := range days {
		c.days[id] = slices.Sorted(maps.Keys(set))
	}
	return c.days, nil
}

// LastCloseBy returns the newest close of a symbol on a day or before it that is
// known as of the view, and the stamp of its bar. It returns a *NoPriceError if
// there is none.
func (v View) LastCloseBy(symbol string, day Stamp) (decimal.Decimal, Stamp, error) {
	w, err := v.window(symbol)
	if err != nil {
		return decimal.Decimal{}, "", err
	}
	end := sort.Search(len(w.bars), func(i int) bool { return !w.bars[i].stamp.until(day.Day()) })
	for i := end - 1; i >= 0; i-- {
		if bar := w.bars[i]; bar.close.known && w.hasEnded(bar.stamp) {
			price, err := v.laterShare(w.symbol, bar.close.decimal().Decimal, bar.stamp, day)
			return price, bar.stamp, err
		}
	}
	return decimal.Decimal{}, "", w.noPrice(v.asOf)
}

// laterShare is what a close comes to by the splits after its bar, up to a day.
func (v View) laterShare(symbol string, price decimal.Decimal, of, day Stamp) (decimal.Decimal, error) {
	if !v.afterSplits {
		return price, nil
	}
	actions, err := v.At(day.Day()).Actions(symbol, of)
	for _, a := range actions {
		if a.Kind == Split && a.Date > of.Day() {
			price = price.Mul(decimal.NewFromInt(a.Ratio.Was)).DivRound(decimal.NewFromInt(a.Ratio.Is), shareDecimals)
		}
	}
	return price, err
}

// shareDecimals is how finely a price is known that a split divided.
const shareDecimals = 8

// referenceClose is the close that the price limits of a day rest on: less the dividends, and divided by the splits, that came after it,
// to the nearest cent.
func (v View) referenceClose(symbol string, before Bar) decimal.NullDecimal {
	actions, err := v.Actions(symbol, before.Stamp)
	price := before.Close.Decimal
	for _, a := range actions {
		switch {
		case a.Date <= before.Stamp.Day():
			continue
		case a.Kind == Dividend:
			price = price.Sub(a.Amount.Decimal).Round(2)
		case a.Kind == Split:
			price = price.Mul(decimal.NewFromInt(a.Ratio.Was)).DivRound(decimal.NewFromInt(a.Ratio.Is), 2)
		}
	}
	return decimal.NullDecimal{Decimal: price, Valid: err == nil && price.IsPositive()}
}

// Close returns the close of a symbol on a day: that of the day's last bar.
// It returns a *NoPriceError if there is no bar on the day, if its last bar has no
// close, and if the day is not over as of the view.
func (v View) Close(symbol string, day Stamp) (decimal.Decimal, error) {
	w, err := v.window(symbol)
	if err != nil {
		return decimal.Decimal{}, err
	}
	day = day.Day()
	end := sort.Search(len(w.bars), func(i int) bool { return !w.bars[i].stamp.until(day) })
	if day >= v.asOf.Day() || end == 0 || w.bars[end-1].stamp.Day() != day || !w.bars[end-1].close.known {
		return decimal.Decimal{}, w.noPrice(day)
	}
	return w.bars[end-1].close.decimal().Decimal, nil
}
