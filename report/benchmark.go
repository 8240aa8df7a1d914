// The account against something that one could have bought instead.

package report

import (
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat"

	"mcp-trade/market"
)

// SymbolSeries is the benchmark of holding one symbol: its closes from a day on, as far as the view shows them.
func SymbolSeries(v market.View, symbol string) (Series, error) {
	symbol, err := v.Resolve(symbol)
	if err != nil {
		return Series{}, err
	}
	s := Series{Name: symbol, Points: []Point{}}
	days, err := v.Days(market.Of(symbol).ID, "", "")
	if err != nil {
		return Series{}, err
	}
	for _, d := range days {
		if price, err := v.Close(symbol, d); err == nil {
			s.Points = append(s.Points, Point{d, Known(price.InexactFloat64())})
		}
	}
	return s, nil
}

// EqualWeight is the benchmark of putting the same money into every symbol that has a close on the first day, and holding it.
// The first day is the last trading day before from, or else the first one there is. On a day without a close a symbol counts
// with its last one.
func EqualWeight(v market.View, from, to market.Stamp) (Series, error) {
	s := Series{Name: "equal-weight", Points: []Point{}}
	days, err := v.Days("", "", to)
	if err != nil || len(days) == 0 {
		return s, err
	}
	i, _ := slices.BinarySearch(days, from.Day())
	days = days[max(i-1, 0):]
	symbols, err := v.Symbols()
	if err != nil {
		return s, err
	}
	values, held := make([]float64, len(days)), 0
	for _, symbol := range symbols {
		base, err := v.Close(symbol, days[0])
		if err != nil {
			continue
		}
		held++
		growth := 1.0
		for i, d := range days {
			if price, err := v.Close(symbol, d); err == nil {
				growth = price.InexactFloat64() / base.InexactFloat64()
			}
			values[i] += growth
		}
	}
	for i, d := range days {
		if held > 0 {
			s.Points = append(s.Points, Point{d, Known(values[i] / float64(held))})
		}
	}
	return s, nil
}

// at is the value on a date: that of the newest point up to then.
func (s *Series) at(date market.Stamp) Number {
	i := sort.Search(len(s.Points), func(i int) bool { return s.Points[i].Date > date })
	if i == 0 {
		return Number{}
	}
	return s.Points[i-1].Value
}

// on is the value on exactly a date.
func (s *Series) on(date market.Stamp) Number {
	i := sort.Search(len(s.Points), func(i int) bool { return s.Points[i].Date >= date })
	if i == len(s.Points) || s.Points[i].Date != date {
		return Number{}
	}
	return s.Points[i].Value
}

// pairs are returns of an account and of a benchmark between the same dates.
type pairs struct {
	mine, its           []float64
	from, to            market.Stamp // what they cover; "" if there are none
	mineTotal, itsTotal Number
}

// beside pairs the known values of an account with those of the benchmark. Where the benchmark has none, the next pair
// reaches over the gap.
func (s *Series) beside(points []Point) pairs {
	var p pairs
	var value, level, firstValue, firstLevel Number
	for i, point := range points {
		now := s.on(point.Date)
		if i == 0 {
			now = s.at(point.Date) // an account may be opened on a day without trading
		}
		if !now.known || now.value <= 0 || point.Value.value <= 0 && !value.known {
			continue
		}
		if value.known && value.value > 0 {
			p.mine = append(p.mine, point.Value.value/value.value-1)
			p.its = append(p.its, now.value/level.value-1)
			p.to, p.mineTotal, p.itsTotal = point.Date, Known(point.Value.value/firstValue.value-1), Known(now.value/firstLevel.value-1)
		} else if !value.known {
			p.from, firstValue, firstLevel = point.Date, point.Value, now
		}
		value, level = point.Value, now
	}
	return p
}

// against fills in the figures that take a benchmark.
func (m *Metrics) against(benchmark *Series, s sample) pairs {
	absent := when(benchmark == nil, "no benchmark was given")
	var p pairs
	if benchmark != nil {
		p = benchmark.beside(s.points)
	}
	mine, its, n := p.mine, p.its, len(p.its)
	none := first(absent, when(!p.itsTotal.known, "the benchmark has no values on these dates"))
	few := first(absent, when(n < 2, "it takes two returns of both, not %d", n))
	m.set(&m.BenchmarkReturn, "benchmark_return", p.itsTotal.value, none)
	m.set(&m.ExcessReturn, "excess_return", p.mineTotal.value-p.itsTotal.value, none)

	var beta, alpha, active, spread, variance float64
	if few == "" {
		variance = stat.Variance(its, nil)
		beta = stat.Covariance(mine, its, nil) / variance
		alpha = s.year * (stat.Mean(mine, nil) - s.free - beta*(stat.Mean(its, nil)-s.free))
		apart := make([]float64, n)
		for i := range apart {
			apart[i] = mine[i] - its[i]
		}
		active, spread = stat.MeanStdDev(apart, nil)
	}
	flat := when(variance < tiny*tiny, "all returns of the benchmark are the same")
	m.set(&m.Beta, "beta", beta, first(few, flat))
	m.set(&m.Alpha, "alpha", alpha, first(few, flat))
	m.set(&m.TrackingError, "tracking_error", spread*math.Sqrt(s.year), few)
	m.set(&m.InformationRatio, "information_ratio", active/spread*math.Sqrt(s.year), first(few, when(spread < tiny, "the account does what the benchmark does")))
	up, down := captures(mine, its)
	m.set(&m.UpCapture, "up_capture", up, first(absent, when(math.IsNaN(up), "the benchmark never rose")))
	m.set(&m.DownCapture, "down_capture", down, first(absent, when(math.IsNaN(down), "the benchmark never fell")))
	return p
}

// captures are the returns on the days when the benchmark rose, and when it fell, as parts of its own. NaN: there is no such
// day.
func captures(mine, its []float64) (up, down float64) {
	var mineUp, itsUp, mineDown, itsDown float64
	for i, r := range its {
		if r > 0 {
			mineUp, itsUp = mineUp+mine[i], itsUp+r
		} else if r < 0 {
			mineDown, itsDown = mineDown+mine[i], itsDown+r
		}
	}
	return mineUp / itsUp, mineDown / itsDown
}
