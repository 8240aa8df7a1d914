// Benchmarks, and what an account is against one.

package report

import (
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat"

	"mcp-trade/market"
	"mcp-trade/report/interval"
)

// SymbolSeries is the benchmark of holding one symbol: its closes from a day on, as far as the view shows them. Where corporate actions
// are known it is what became of one share: splits are followed, dividends buy more at the close of their ex day, and the name says so.
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
	h := holdShare(v, symbol)
	for _, d := range days {
		if value, traded := h.close(d); traded {
			s.Points = append(s.Points, Point{d, Known(value)})
		}
	}
	if h.paid {
		s.Name += withDividends
	}
	return s, h.err
}

// withDividends is in the name of a benchmark that got some: it is a total return.
const withDividends = " with dividends"

// EqualWeight is the benchmark of putting the same money into every symbol that has a close on the first day, and holding it.
// The first day is the last trading day before from, or else the first one there is. On a day without a close a symbol counts
// with its last one. Corporate actions count as in [SymbolSeries].
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
	values, held, paid := make([]float64, len(days)), 0, false
	for _, symbol := range symbols {
		h := holdShare(v, symbol)
		base, traded := h.close(days[0])
		if !traded {
			continue
		}
		held++
		growth := 1.0
		for i, d := range days {
			if value, traded := h.close(d); traded {
				growth = value / base
			}
			values[i] += growth
		}
		if paid = paid || h.paid; h.err != nil {
			return s, h.err
		}
	}
	for i, d := range days {
		if held > 0 {
			s.Points = append(s.Points, Point{d, Known(values[i] / float64(held))})
		}
	}
	if paid {
		s.Name += withDividends
	}
	return s, nil
}

// share is what became of one share that is held from its first close on.
type share struct {
	view    market.View
	symbol  string // that it has now
	from    market.Stamp
	actions []market.Action // that are still to come
	held    float64
	due     float64 // dividends that buy more at the next close
	cash    float64 // of a delisting
	paid    bool    // a dividend
	err     error
}

func holdShare(v market.View, symbol string) *share { return &share{view: v, symbol: symbol, held: 1} }

// close is the value after a day, which must come after that of the call before; traded is false on a day without a close.
func (h *share) close(day market.Stamp) (value float64, traded bool) {
	if h.from != "" {
		for len(h.actions) > 0 && h.actions[0].Date <= day && h.held > 0 {
			h.apply(h.actions[0])
		}
	}
	if h.held == 0 {
		return h.cash, true
	}
	price, err := h.view.Close(h.symbol, day)
	if err != nil {
		return 0, false
	}
	p := price.InexactFloat64()
	if h.held, h.due = h.held+h.due/p, 0; h.from == "" {
		h.from = day
		h.follow(day.AddDays(1))
	}
	return h.held * p, true
}

// follow reads the actions of the symbol from a day on.
func (h *share) follow(from market.Stamp) {
	actions, err := h.view.Actions(h.symbol, from)
	if err != nil && !market.IsUnknown(err) {
		h.err = err
	}
	h.actions = actions
}

func (h *share) apply(a market.Action) {
	h.actions = h.actions[1:]
	switch a.Kind {
	case market.Dividend:
		h.due, h.paid = h.due+h.held*a.Amount.Decimal.InexactFloat64(), true
	case market.Split:
		h.held *= float64(a.Ratio.Is) / float64(a.Ratio.Was)
	case market.Rename:
		h.symbol = a.To
		h.follow(a.Date)
	case market.Delisting:
		price := a.Amount.Decimal.InexactFloat64()
		if !a.Amount.Valid {
			last, _, err := h.view.At(a.Date).AfterSplits().LastClose(h.symbol)
			if err != nil {
				return
			}
			price = last.InexactFloat64()
		}
		h.cash, h.held = h.held*price+h.due, 0
	}
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
	dates                        []market.Stamp // on which they end
	from, to                     market.Stamp   // what they cover; "" if there are none
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
			p.dates = append(p.dates, point.Date)
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
