// Benchmarks, and what an account is against one.

package report

import (
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat"

	"mcp-trade/market"
	"mcp-trade/report/interval"
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

// at returns the value of the newest point at or before a date.
func (s *Series) at(date market.Stamp) Number {
	i := sort.Search(len(s.Points), func(i int) bool { return s.Points[i].Date > date })
	if i == 0 {
		return Number{}
	}
	return s.Points[i-1].Value
}

// on returns the value of the point on a date.
func (s *Series) on(date market.Stamp) Number {
	i := sort.Search(len(s.Points), func(i int) bool { return s.Points[i].Date >= date })
	if i == len(s.Points) || s.Points[i].Date != date {
		return Number{}
	}
	return s.Points[i].Value
}

// alignedReturns are returns of an account and of a benchmark between the same dates.
type alignedReturns struct {
	account, benchmark           []float64
	from, to                     market.Stamp // what they cover; "" if there are none
	accountTotal, benchmarkTotal Number
}

// align returns the returns of an account and of the benchmark between the same dates. Where the benchmark has no value, the next
// return spans the gap.
func (s *Series) align(points []Point) alignedReturns {
	var p alignedReturns
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
			p.account = append(p.account, point.Value.value/value.value-1)
			p.benchmark = append(p.benchmark, now.value/level.value-1)
			p.to, p.accountTotal, p.benchmarkTotal = point.Date, Known(point.Value.value/firstValue.value-1), Known(now.value/firstLevel.value-1)
		} else if !value.known {
			p.from, firstValue, firstLevel = point.Date, point.Value, now
		}
		value, level = point.Value, now
	}
	return p
}

// against takes what follows from a benchmark; nil for none.
func (c *computation) against(benchmark *Series) {
	c.noBenchmark = reasonIf(benchmark == nil, "no benchmark was given")
	if benchmark != nil {
		c.pairs = benchmark.align(c.points)
	}
	account, other, n := c.pairs.account, c.pairs.benchmark, len(c.pairs.benchmark)
	c.noPairs = firstReason(c.noBenchmark, reasonIf(!c.pairs.benchmarkTotal.known, "the benchmark has no values on these dates"))
	c.tooFewPairs = firstReason(c.noBenchmark, reasonIf(n < 2, "it takes two returns of both, not %d", n))
	variance := 0.0
	if c.tooFewPairs == "" {
		variance = stat.Variance(other, nil)
		c.beta = stat.Covariance(account, other, nil) / variance
		c.alpha = c.periodsPerYear * (stat.Mean(account, nil) - c.riskFree - c.beta*(stat.Mean(other, nil)-c.riskFree))
		excess := make([]float64, n)
		for i := range excess {
			excess[i] = account[i] - other[i]
		}
		c.active, c.activeSD = stat.MeanStdDev(excess, nil)
	}
	c.steadyBenchmark = reasonIf(variance < epsilon*epsilon, "all returns of the benchmark are the same")
	c.up, c.down = captureRatios(account, other)
	c.regressionErr = errNoBenchmark
	if account != nil {
		c.alphaEstimate, c.betaEstimate, c.regressionErr = interval.Regression(interval.One(c.excess(account)), c.excess(other))
	}
}

// captureRatios are the sums of the account's returns on the days when the benchmark rose, and when it fell, each divided by the sum
// of the benchmark's. A ratio is NaN if there is no such day.
func captureRatios(account, benchmark []float64) (up, down float64) {
	var accountUp, benchmarkUp, accountDown, benchmarkDown float64
	for i, r := range benchmark {
		if r > 0 {
			accountUp, benchmarkUp = accountUp+account[i], benchmarkUp+r
		} else if r < 0 {
			accountDown, benchmarkDown = accountDown+account[i], benchmarkDown+r
		}
	}
	return accountUp / benchmarkUp, accountDown / benchmarkDown
}
