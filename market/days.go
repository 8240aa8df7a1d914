package market

// This file is the calendar as a view knows it: trading days, and what a day
// closed at.

import (
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/shopspring/decimal"
)

// Days returns the days before that of the view on which any symbol of a market
// has a bar, ascending, from `from` to `to`, both included ("" is no bound). The
// market "" is all of them. The day of the view itself is not over, and so none
// of them.
//
// It reads every series of the market. Damaged ones are left out.
func (v View) Days(id ID, from, to Stamp) ([]Stamp, error) {
	days := map[Stamp]struct{}{}
	for _, symbol := range v.prices.symbols {
		if id != "" && Of(symbol) != id {
			continue
		}
		w, err := v.cut(v.prices.series[symbol])
		if isDamage(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for i := w.from(from.Day()); i < len(w.bars); i++ {
			day := w.bars[i].stamp.Day()
			if day >= v.asOf.Day() || !day.until(to.Day()) {
				break
			}
			days[day] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(days)), nil
}

// Close returns what a symbol closed at on a day: the close of the day's last bar.
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

// AddDays returns the calendar day that is n days after that of the stamp.
func (s Stamp) AddDays(n int) Stamp {
	day, err := time.Parse(dayForm, string(s.Day()))
	if err != nil {
		return s // not a stamp
	}
	return Stamp(day.AddDate(0, 0, n).Format(dayForm))
}

// DaysSince returns how many calendar days lie between an earlier stamp and this one.
func (s Stamp) DaysSince(earlier Stamp) int {
	a, errA := time.Parse(dayForm, string(earlier.Day()))
	b, errB := time.Parse(dayForm, string(s.Day()))
	if errA != nil || errB != nil {
		return 0 // not stamps
	}
	return int(b.Sub(a) / (24 * time.Hour))
}
