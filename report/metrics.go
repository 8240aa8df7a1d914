// The computation of an account's metrics. The formulas are in the table of metrics and in the package documentation.

package report

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"mcp-trade/market"
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
	s := b.sample(a)
	m := &a.Metrics
	m.Undefined = map[string]string{}
	m.performance(s, a.Drawdown)
	m.staleness(a)
	m.trading(a, h, s)
	m.usage(n)
	p := m.benchmarkMetrics(b.Benchmark, s)
	if n := len(s.points); p.to != "" && (p.from != s.points[0].Date || p.to != s.points[n-1].Date) {
		a.Warnings = append(a.Warnings, fmt.Sprintf("The benchmark has values from %s to %s only; the account is held against it between these.", p.from, p.to))
	}
	m.intervals(s, p)
	a.Certainty = b.certain(a, s, p)
	if b.Method == AITrader {
		a.Upstream = b.upstream(a, h)
	}
}

// set sets a figure of m, or records why it is undefined.
func (m *Metrics) set(figure *Number, value float64, why string) {
	if *figure = Known(value); why != "" || !figure.known {
		*figure = Number{}
		m.Undefined[m.Metric(figure).Key] = firstReason(why, "it is too large to tell")
	}
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

// performance fills in the metrics that need only values.
func (m *Metrics) performance(s sample, d *Drawdown) {
	n := len(s.returns)
	m.Returns = n
	noValue := reasonIf(len(s.points) == 0, "no value is known")
	tooFewValues := reasonIf(len(s.points) < 2, "it takes two known values, not %d", len(s.points))
	var start, end, total, annual, days float64
	if noValue == "" {
		start, end = s.points[0].Value.value, s.points[len(s.points)-1].Value.value
		days = float64(s.points[len(s.points)-1].Date.DaysSince(s.points[0].Date))
		total = end/start - 1
		annual = math.Pow(end/start, 365/days) - 1
	}
	noCapital := reasonIf(start <= 0, "the account began with nothing")
	m.set(&m.Start, start, noValue)
	m.set(&m.End, end, noValue)
	m.set(&m.TotalReturn, total, firstReason(tooFewValues, noCapital))
	m.set(&m.AnnualReturn, annual, firstReason(tooFewValues, noCapital))

	mean, sd := math.NaN(), math.NaN()
	if n > 1 {
		mean, sd = stat.MeanStdDev(s.returns, nil)
	}
	tooFewReturns := reasonIf(n < 2, "it takes two returns, not %d", n)
	zeroVariance := reasonIf(sd < epsilon, "all returns are the same")
	m.set(&m.Volatility, sd*math.Sqrt(s.periodsPerYear), tooFewReturns)
	m.set(&m.Sharpe, sharpe(mean, sd, s), firstReason(tooFewReturns, zeroVariance))
	m.set(&m.Sortino, (mean-s.riskFree)/downside(s.returns)*math.Sqrt(s.periodsPerYear), firstReason(tooFewReturns, reasonIf(downside(s.returns) < epsilon, "no return is below 0")))

	depth := 0.0
	if d != nil {
		depth = d.Depth
	}
	m.set(&m.MaxDrawdown, depth, tooFewValues)
	m.set(&m.Calmar, annual/depth, firstReason(tooFewValues, noCapital, reasonIf(depth < epsilon, "the value never fell")))
	m.extremes(s)
}

// staleness fills in the date of the last value and the number of values that count closes of earlier days.
func (m *Metrics) staleness(a *Account) {
	if a.Opening.Value.known {
		m.EndDate = string(a.Opening.Date)
	}
	for _, p := range a.Periods {
		if p.Value.known {
			m.EndDate, m.EndStale = string(p.Date), p.Stale.Oldest()
		}
		if len(p.Stale) > 0 {
			m.StaleDays++
		}
	}
}

// epsilon bounds the standard deviation that binary floats compute of equal returns; below it counts as 0.
const epsilon = 1e-12

func sharpe(mean, sd float64, s sample) float64 {
	return (mean - s.riskFree) / sd * math.Sqrt(s.periodsPerYear)
}

// downside is the downside deviation: the root mean square of the returns below 0, over the number of all returns.
func downside(returns []float64) float64 {
	squares := 0.0
	for _, r := range returns {
		squares += min(r, 0) * min(r, 0)
	}
	return math.Sqrt(squares / float64(len(returns)))
}

// extremes fills in the best day, the worst day and the win rate of days.
func (m *Metrics) extremes(s sample) {
	none := reasonIf(len(s.returns) == 0, "there is no return")
	best, worst, won := math.NaN(), math.NaN(), 0
	if none == "" {
		i, j := floats.MaxIdx(s.returns), floats.MinIdx(s.returns)
		best, worst = s.returns[i], s.returns[j]
		m.BestDate, m.WorstDate = string(s.dates[i]), string(s.dates[j])
	}
	for _, r := range s.returns {
		if r > 0 {
			won++
		}
	}
	m.set(&m.BestDay, best, none)
	m.set(&m.WorstDay, worst, none)
	m.set(&m.WinningDays, float64(won)/float64(len(s.returns)), none)
}

// trading fills in the metrics of trades.
func (m *Metrics) trading(a *Account, h history, s sample) {
	w := h.tradeStats
	m.Trades, m.ClosedTrades = h.trades.all, w.closed
	none := reasonIf(w.closed == 0, "no trade was closed")
	m.set(&m.WinningTrades, float64(w.won)/float64(w.closed), none)
	m.set(&m.ProfitFactor, w.gained/w.lost, firstReason(none, reasonIf(w.lost == 0, "no closed trade lost")))

	traded, fees, slippage := 0.0, 0.0, Known(0)
	for _, d := range h.days {
		traded += d.tradedValue
		fees += d.fees
		slippage.value += d.slippage.value
		slippage.known = slippage.known && d.slippage.known
	}
	m.Fees = Known(fees)
	m.set(&m.Slippage, slippage.value, reasonIf(!slippage.known, "not every trade has a price in the data"))
	var values, exposures []float64
	for _, p := range a.Periods {
		if p.Value.known && p.Value.value > 0 {
			values = append(values, p.Value.value)
			exposures = append(exposures, 1-p.Cash.value/p.Value.value)
		}
	}
	unknown := reasonIf(len(values) == 0, "no day has a known value")
	average := stat.Mean(values, nil)
	m.set(&m.Turnover, traded/2/average*s.periodsPerYear/float64(len(a.Periods)), unknown)
	m.set(&m.Exposure, stat.Mean(exposures, nil), unknown)
}

// usage fills in what the run recorded of its model.
func (m *Metrics) usage(n RunStats) {
	percent := m.TotalReturn.value * 100
	noGain := reasonIf(percent <= 0, "nothing was gained")
	for _, x := range []struct {
		recorded           Number
		figure, perPercent *Number // perPercent is nil of what is not compared with the gain
	}{{n.Refused, &m.Refused, nil}, {n.Tokens, &m.Tokens, &m.TokensPerPercent}, {n.Cost, &m.Cost, &m.CostPerPercent}} {
		unrecorded := reasonIf(!x.recorded.known, "the run does not tell")
		m.set(x.figure, x.recorded.value, unrecorded)
		if x.perPercent != nil {
			m.set(x.perPercent, x.recorded.value/percent, firstReason(unrecorded, noGain))
		}
	}
}
