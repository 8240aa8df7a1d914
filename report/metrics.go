// What the metrics of an account are computed from: its values and returns, its trades, what its run recorded, and the benchmark.

package report

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"mcp-trade/market"
	"mcp-trade/report/interval"
)

// sample holds the values and returns from which an account's statistics are computed.
type sample struct {
	returns        []float64      // one for each period whose value, and one before it, is known
	dates          []market.Stamp // of those periods
	points         []Point        // known values, the opening's included
	periodsPerYear float64        // of the account's market
	riskFree       float64        // risk-free rate of a period
}

func (b builder) sample(a *Account) sample {
	s := sample{points: a.points(), periodsPerYear: a.Market.Get().PeriodsPerYear}
	s.riskFree = b.RiskFree / s.periodsPerYear
	for _, p := range a.Periods {
		if p.Return.known {
			s.returns, s.dates = append(s.returns, p.Return.value), append(s.dates, p.Date)
		}
	}
	return s
}

// measure fills in the metrics of an account whose periods are known.
func (b builder) measure(a *Account, h history, n RunStats) {
	c := &computation{sample: b.sample(a), run: n, closed: h.tradeStats, periods: len(a.Periods)}
	c.rootOfYear = math.Sqrt(c.periodsPerYear)
	c.values(a)
	c.returnsOfDays()
	c.trading(a, h)
	c.against(b.Benchmark)
	if n, p := len(c.points), c.pairs; p.to != "" && (p.from != c.points[0].Date || p.to != c.points[n-1].Date) {
		a.Warnings = append(a.Warnings, fmt.Sprintf("The benchmark has values from %s to %s only; the account is held against it between these.", p.from, p.to))
	}
	a.Metrics = c.metrics()
	a.Metrics.Trades = h.trades.all
	a.Metrics.staleness(a)
	a.Certainty = b.certain(a, c.sample, c.pairs)
	b.knowledge(a, n.Training)
	b.forward(a, n.Forward)
	switch b.Method {
	case AITrader:
		a.Upstream = b.upstream(a, h)
	case AITraderLater:
		a.Upstream2 = upstream2(h.byRow.points, a.Market)
	}
}

// computation is what the rows of the table compute figures from. A text says why figures that rest on the values beneath it are not
// defined, and is "" if they are. A value that is not defined is 0 or NaN.
type computation struct {
	sample
	rootOfYear float64 // square root of the periods in a year

	noValue, tooFewValues string
	start, end            float64
	endDate               string
	depth                 float64 // of the max drawdown
	noTotal               string
	annual                float64 // compound
	gain                  Number  // total return

	tooFewReturns, zeroVariance string
	mean, sd, downside          float64
	noReturns                   string
	best, worst                 extreme
	won                         int // days with a gain
	sorted                      []float64

	closed       tradeStats
	noneClosed   string
	traded, fees float64
	slippage     Number
	periods      int
	noDay        string
	meanValue    float64
	exposure     float64

	run RunStats

	noBenchmark, noPairs         string
	pairs                        alignedReturns
	tooFewPairs, steadyBenchmark string
	alpha, beta                  float64
	active, activeSD             float64 // mean and standard deviation of the excess returns
	up, down                     float64 // captures
	alphaEstimate, betaEstimate  interval.Repeated
	regressionErr                error
}

// extreme is a return and its day.
type extreme struct {
	value float64
	date  string
}

// metrics computes each row of the table.
func (c *computation) metrics() Metrics {
	m := Metrics{Returns: len(c.returns), ClosedTrades: c.closed.closed, Undefined: map[string]string{}, figures: map[Key]Figure{}}
	for _, x := range metricTable {
		var f Figure
		value, why := x.compute(c)
		if f.Value = Known(value); why != "" || !f.Value.known {
			f.Value, m.Undefined[string(x.Key)] = Number{}, firstReason(why, "it is too large to tell")
		}
		if x.interval != nil {
			if e, err := x.interval(c); err != nil {
				m.Undefined[x.IntervalKey()] = err.Error()
			} else {
				f.Interval = intervalOf(e)
			}
		}
		if x.date != nil {
			f.Date = x.date(c)
		}
		m.figures[x.Key] = f
	}
	return m
}

// firstReason returns the first reason that is not empty.
func firstReason(reasons ...string) string {
	for _, r := range reasons {
		if r != "" {
			return r
		}
	}
	return ""
}

func reasonIf(condition bool, format string, args ...any) string {
	if condition {
		return fmt.Sprintf(format, args...)
	}
	return ""
}

// values takes what follows from the values alone.
func (c *computation) values(a *Account) {
	n := len(c.points)
	c.noValue = reasonIf(n == 0, "no value is known")
	c.tooFewValues = reasonIf(n < 2, "it takes two known values, not %d", n)
	if n > 0 {
		first, last := c.points[0], c.points[n-1]
		c.start, c.end, c.endDate = first.Value.value, last.Value.value, string(last.Date)
		c.annual = math.Pow(c.end/c.start, 365/float64(last.Date.DaysSince(first.Date))) - 1
	}
	if a.Drawdown != nil {
		c.depth = a.Drawdown.Depth
	}
	if c.noTotal = firstReason(c.tooFewValues, reasonIf(c.start <= 0, "the account began with nothing")); c.noTotal == "" {
		c.gain = Known(c.end/c.start - 1)
	}
}

// staleness counts the values that count closes of earlier days, and tells of the last one.
func (m *Metrics) staleness(a *Account) {
	for _, p := range a.Periods {
		if p.Value.known {
			m.EndStale = p.Stale.Oldest()
		}
		if len(p.Stale) > 0 {
			m.StaleDays++
		}
	}
}

// epsilon bounds the standard deviation that binary floats compute of equal returns; below it counts as 0.
const epsilon = 1e-12

// returnsOfDays takes what follows from the returns.
func (c *computation) returnsOfDays() {
	n := len(c.returns)
	c.mean, c.sd, c.downside = math.NaN(), math.NaN(), downside(c.returns)
	if n > 1 {
		c.mean, c.sd = stat.MeanStdDev(c.returns, nil)
	}
	c.tooFewReturns = reasonIf(n < 2, "it takes two returns, not %d", n)
	c.zeroVariance = reasonIf(c.sd < epsilon, "all returns are the same")
	c.noReturns = reasonIf(n == 0, "there is no return")
	if n > 0 {
		i, j := floats.MaxIdx(c.returns), floats.MinIdx(c.returns)
		c.best, c.worst = extreme{c.returns[i], string(c.dates[i])}, extreme{c.returns[j], string(c.dates[j])}
	}
	c.sorted = slices.Sorted(slices.Values(c.returns))
	for _, r := range c.returns {
		if r > 0 {
			c.won++
		}
	}
}

// shapeless is why the returns have no such moment.
func (c *computation) shapeless(moment int) string {
	return firstReason(reasonIf(len(c.returns) < moment, "it takes %d returns, not %d", moment, len(c.returns)), c.zeroVariance)
}

// tail is how many in a hundred returns the figures of the tail tell of.
const tail = 5

// quantile is the return that so many in a hundred fall short of, on the line between the two returns on both sides of it.
func (c *computation) quantile(percent int) float64 {
	if len(c.sorted) == 0 {
		return math.NaN()
	}
	at, part := percent*(len(c.sorted)-1)/100, float64(percent*(len(c.sorted)-1)%100)/100
	return c.sorted[at] + part*(c.sorted[min(at+1, len(c.sorted)-1)]-c.sorted[at])
}

// worstReturns are the returns up to that quantile.
func (c *computation) worstReturns() []float64 {
	return c.sorted[:min(len(c.sorted), tail*(len(c.sorted)-1)/100+1)]
}

// downside is the downside deviation: the root mean square of the returns below 0, over the number of all returns.
func downside(returns []float64) float64 {
	squares := 0.0
	for _, r := range returns {
		squares += min(r, 0) * min(r, 0)
	}
	return math.Sqrt(squares / float64(len(returns)))
}

// trading takes what follows from the trades.
func (c *computation) trading(a *Account, h history) {
	c.noneClosed = reasonIf(c.closed.closed == 0, "no trade was closed")
	all := h.total()
	c.traded, c.fees, c.slippage = money(all.traded), money(all.fees), all.slipped()
	var values, exposures []float64
	for _, p := range a.Periods {
		if p.Value.known && p.Value.value > 0 {
			values = append(values, p.Value.value)
			exposures = append(exposures, 1-p.Cash.value/p.Value.value)
		}
	}
	c.noDay = reasonIf(len(values) == 0, "no day has a known value")
	c.meanValue, c.exposure = stat.Mean(values, nil), stat.Mean(exposures, nil)
}

// recorded is what the run recorded.
func recorded(n Number) (float64, string) {
	return n.value, reasonIf(!n.known, "the run does not tell")
}

// perPercent is what the run recorded, for each percent of total return.
func (c *computation) perPercent(n Number) (float64, string) {
	value, unrecorded := recorded(n)
	percent := c.gain.value * 100
	return value / percent, firstReason(unrecorded, reasonIf(percent <= 0, "nothing was gained"))
}

// excessReturn is the total return over that of the benchmark.
func (c *computation) excessReturn() float64 {
	return c.pairs.accountTotal.value - c.pairs.benchmarkTotal.value
}

// perExcess is what the run recorded, for each percent of excess return.
func (c *computation) perExcess(n Number) (float64, string) {
	value, unrecorded := recorded(n)
	percent := c.excessReturn() * 100
	return value / percent, firstReason(unrecorded, c.noPairs, reasonIf(percent <= 0, "nothing was gained over the benchmark"))
}
