// The table of metrics: what each is called, means and takes, and how it is computed. The terminal, the page, report.json and the
// formulas in the documentation are made from its rows or compared with them, so a new metric is a row.

package report

import (
	"math"
	"strings"

	"gonum.org/v1/gonum/stat"

	"mcp-trade/report/interval"
)

// Metric is a row of the table: what one figure of [Metrics] is called, what it means and how it is written.
type Metric struct {
	Key     Key
	Name    string // its name for readers, as it is written within a sentence
	Unit    Unit
	Group   Group
	Meaning string // for readers, in a phrase
	Formula string // in the notation of the package documentation; a line feed where a line of the documentation ends

	// Least is how many returns the figure takes, or pairs of returns in the group Relative; from fewer it tells next to nothing.
	// Annual tells that it takes a year, since what a shorter time earned must not be annualized (GIPS 2010, 5.A.4). A figure
	// that has less is withheld.
	Least  int
	Annual bool

	DateKey string // the name in JSON of the day that the figure is of; "" if it is of the whole range

	compute  func(c *computation) (value float64, undefined string) // undefined says why it has no value, "" if it has
	interval func(c *computation) (interval.Estimate, error)        // its 95 % interval; nil if it has none
	date     func(c *computation) string                            // the day under DateKey

	// Column is the head of its column in a leaderboard, "" if it has none; {benchmark} stands for the benchmark's name.
	// Shown tells whether the leaderboard of a report has the column; nil: always.
	Column string
	Shown  func(r Report) bool
}

// IntervalKey is the name of its interval in JSON.
func (x Metric) IntervalKey() string { return string(x.Key) + "_interval" }

// HasInterval tells whether it has one.
func (x Metric) HasInterval() bool { return x.interval != nil }

// ColumnFor is its column in the leaderboard of a report, "" if that has none.
func (x Metric) ColumnFor(r Report) string {
	if x.Shown != nil && !x.Shown(r) {
		return ""
	}
	if r.Benchmark == nil {
		return x.Column
	}
	return strings.ReplaceAll(x.Column, "{benchmark}", r.Benchmark.Name)
}

// Unit says what a figure counts, by which it is written.
type Unit int

// The units.
const (
	Money  Unit = iota // in the currency of the account
	Change             // a fraction of a value, above 0 for a gain: 0.01 is 1 %
	Part               // a fraction of a whole: 0.01 is 1 %
	Points             // one fraction less another: 0.01 is one percentage point (pp)
	Ratio              // a number without a unit
	Count              // a whole number, or the mean of some
)

// Signed tells whether a figure above 0 is a gain, and one below 0 a loss.
func (u Unit) Signed() bool { return u == Change || u == Points }

// Group is a part of the table, and the heading in the documentation under which its formulas stand.
type Group string

// The groups.
const (
	Returns  Group = "Returns"
	Trading  Group = "Trades"
	Usage    Group = "Model"
	Relative Group = "Benchmark"
)

// MetricTable returns the rows, in the order in which readers see them. Callers must not change them.
func MetricTable() []Metric { return metricTable[:] }

// MetricOf returns the row of a metric, which must have one.
func MetricOf(metric Key) Metric {
	for _, x := range metricTable {
		if x.Key == metric {
			return x
		}
	}
	panic("report: the table of metrics has no row of " + string(metric))
}

func benchmarked(r Report) bool { return r.Benchmark != nil }

// feesPaid tells whether an account paid fees: most markets of this program have none.
func feesPaid(r Report) bool {
	for _, a := range r.Accounts {
		if a.Metrics.Value(Fees).value != 0 {
			return true
		}
	}
	return false
}

var metricTable = [...]Metric{
	{Key: Start, Name: "value at opening", Unit: Money, Group: Returns,
		Meaning: "before the first period", Formula: "V0",
		compute: func(c *computation) (float64, string) { return c.start, c.noValue },
	},
	{Key: End, Name: "value at close", Unit: Money, Group: Returns,
		Column:  "value at close",
		Meaning: "the last known value, each holding at its last known close", Formula: "Vn",
		DateKey: "end_date", date: func(c *computation) string { return c.endDate },
		compute: func(c *computation) (float64, string) { return c.end, c.noValue },
	},
	{Key: TotalReturn, Name: "total return", Unit: Change, Group: Returns,
		Column:  "return",
		Meaning: "value at close over value at opening, less 1", Formula: "Vn/V0 - 1",
		interval: (*computation).growthInterval,
		compute:  func(c *computation) (float64, string) { return c.end/c.start - 1, c.noTotal },
	},
	{Key: "annual_return", Name: "annualized return", Unit: Change, Group: Returns, Annual: true,
		Column:  "annualized",
		Meaning: "compound, over calendar days", Formula: "(Vn/V0)^(365/d) - 1, with d calendar days from V0 to Vn",
		compute: func(c *computation) (float64, string) { return c.annual, c.noTotal },
	},
	{Key: "volatility", Name: "volatility", Unit: Part, Group: Returns, Least: minSpread,
		Column:  "volatility",
		Meaning: "standard deviation of daily returns, annualized", Formula: "sd(r) * sqrt(A)",
		compute: func(c *computation) (float64, string) { return c.sd * c.rootOfYear, c.tooFewReturns },
	},
	{Key: Sharpe, Name: "Sharpe ratio", Unit: Ratio, Group: Returns, Least: minRatio,
		Column:  "Sharpe",
		Meaning: "mean daily excess over the risk-free rate / standard deviation of daily returns, annualized", Formula: "(mean(r) - rf/A) / sd(r) * sqrt(A)",
		interval: (*computation).sharpeInterval,
		compute: func(c *computation) (float64, string) {
			return (c.mean - c.riskFree) / c.sd * c.rootOfYear, firstReason(c.tooFewReturns, c.zeroVariance)
		},
	},
	{Key: "sortino", Name: "Sortino ratio", Unit: Ratio, Group: Returns, Least: minRatio,
		Meaning: "mean daily excess over the risk-free rate / downside deviation, annualized",
		Formula: "(mean(r) - rf/A) / sqrt(sum(min(r,0)^2)/n) * sqrt(A): the downside over all n returns, against 0",
		compute: func(c *computation) (float64, string) {
			return (c.mean - c.riskFree) / c.downside * c.rootOfYear, firstReason(c.tooFewReturns, reasonIf(c.downside < epsilon, "no return is below 0"))
		},
	},
	{Key: "calmar", Name: "Calmar ratio", Unit: Ratio, Group: Returns, Annual: true,
		Meaning: "annualized return / max drawdown", Formula: "annualized return / max drawdown",
		compute: func(c *computation) (float64, string) {
			return c.annual / c.depth, firstReason(c.noTotal, reasonIf(c.depth < epsilon, "the value never fell"))
		},
	},
	{Key: MaxDrawdown, Name: "max drawdown", Unit: Part, Group: Returns,
		Column:  "max drawdown",
		Meaning: "largest decline from a peak, as a fraction of the peak",
		Formula: "the highest of 1 - V/P",
		compute: func(c *computation) (float64, string) { return c.depth, c.tooFewValues },
	},
	{Key: "best_day", Name: "best day", Unit: Change, Group: Returns,
		Meaning: "highest daily return", Formula: "the highest of r",
		DateKey: "best_date", date: func(c *computation) string { return c.best.date },
		compute: func(c *computation) (float64, string) { return c.best.value, c.noReturns },
	},
	{Key: "worst_day", Name: "worst day", Unit: Change, Group: Returns,
		Meaning: "lowest daily return", Formula: "the lowest of r",
		DateKey: "worst_date", date: func(c *computation) string { return c.worst.date },
		compute: func(c *computation) (float64, string) { return c.worst.value, c.noReturns },
	},
	{Key: WinningDays, Name: "win rate (days)", Unit: Part, Group: Returns,
		Column:  "win rate (days)",
		Meaning: "fraction of the daily returns above 0", Formula: "fraction of the returns above 0",
		compute: func(c *computation) (float64, string) { return float64(c.won) / float64(len(c.returns)), c.noReturns },
	},
	{Key: "var_95", Name: "VaR (95 %)", Unit: Change, Group: Returns, Least: minTail,
		Meaning: "daily return that one day in twenty falls short of, as it was; below 0 is a loss",
		Formula: "the 5 % quantile of r, on the line between the returns of rank floor(0.05(n-1)) and the next, from 0",
		compute: func(c *computation) (float64, string) { return c.quantile(tail), c.noReturns },
	},
	{Key: "cvar_95", Name: "CVaR (95 %)", Unit: Change, Group: Returns, Least: minTail,
		Meaning: "mean of the daily returns up to the VaR", Formula: "mean of the floor(0.05(n-1)) + 1 lowest of r",
		compute: func(c *computation) (float64, string) { return stat.Mean(c.worstReturns(), nil), c.noReturns },
	},
	{Key: "tail_ratio", Name: "tail ratio", Unit: Ratio, Group: Returns, Least: minTail,
		Meaning: "what one day in twenty exceeds / what one day in twenty falls short of", Formula: "|95 % quantile of r| / |5 % quantile of r|",
		compute: func(c *computation) (float64, string) {
			low := math.Abs(c.quantile(tail))
			return math.Abs(c.quantile(100-tail)) / low, firstReason(c.noReturns, reasonIf(low < epsilon, "the 5 %% quantile is 0"))
		},
	},
	{Key: "skew", Name: "skew", Unit: Ratio, Group: Returns, Least: minTail,
		Meaning: "of the daily returns; below 0 if the large ones are losses", Formula: "n/((n-1)(n-2)) * sum(((r - mean)/sd)^3)",
		compute: func(c *computation) (float64, string) { return stat.Skew(c.returns, nil), c.shapeless(3) },
	},
	{Key: "excess_kurtosis", Name: "excess kurtosis", Unit: Ratio, Group: Returns, Least: minTail,
		Meaning: "of the daily returns; above 0 if large ones are more frequent than those of a normal distribution",
		Formula: "n(n+1)/((n-1)(n-2)(n-3)) * sum(((r - mean)/sd)^4) - 3(n-1)^2/((n-2)(n-3))",
		compute: func(c *computation) (float64, string) { return stat.ExKurtosis(c.returns, nil), c.shapeless(4) },
	},

	{Key: WinningTrades, Name: "win rate (trades)", Unit: Part, Group: Trading,
		Column:  "win rate (trades)",
		Meaning: "fraction of the closed trades with a gain", Formula: "fraction of the closed trades with a gain above 0",
		compute: func(c *computation) (float64, string) {
			return float64(c.closed.won) / float64(c.closed.closed), c.noneClosed
		},
	},
	{Key: "profit_factor", Name: "profit factor", Unit: Ratio, Group: Trading,
		Meaning: "gains / losses of closed trades", Formula: "sum of the gains / sum of the losses of closed trades",
		compute: func(c *computation) (float64, string) {
			return c.closed.gained / c.closed.lost, firstReason(c.noneClosed, reasonIf(c.closed.lost == 0, "no closed trade lost"))
		},
	},
	{Key: "holding_days", Name: "holding time", Unit: Ratio, Group: Trading,
		Meaning: "calendar days from the first purchase to the sale, in the mean of the closed trades", Formula: "mean of the days of closed trades, from the purchase of the oldest share to the sale",
		compute: func(c *computation) (float64, string) {
			return float64(c.closed.days) / float64(c.closed.closed), c.noneClosed
		},
	},
	{Key: "turnover", Name: "turnover", Unit: Ratio, Group: Trading,
		Meaning: "how many times a year the account's value is traded", Formula: "(bought + sold)/2 / mean(V1 ... Vn) * A / number of periods",
		compute: func(c *computation) (float64, string) {
			return c.traded / 2 / c.meanValue * c.periodsPerYear / float64(c.periods), c.noDay
		},
	},
	{Key: Exposure, Name: "exposure", Unit: Part, Group: Trading,
		Meaning: "mean fraction of the value that was not cash", Formula: "mean over the periods of 1 - cash/V",
		compute: func(c *computation) (float64, string) { return c.exposure, c.noDay },
	},
	{Key: Fees, Name: "fees", Unit: Money, Group: Trading,
		Column: "fees", Shown: feesPaid,
		Meaning: "paid for trades", Formula: "sum of the fees of purchases and sales",
		compute: func(c *computation) (float64, string) { return c.fees, "" },
	},
	{Key: "slippage", Name: "slippage", Unit: Money, Group: Trading,
		Meaning: "paid beyond the opens of the bars",
		Formula: "sum of (price - open) * amount of purchases and (open - price) * amount of sales, with the open of the\nbar that the trade was filled in; below 0 if prices were better than that",
		compute: func(c *computation) (float64, string) {
			return c.slippage.value, reasonIf(!c.slippage.known, "not every trade has a price in the data")
		},
	},

	{Key: "refused", Name: "orders refused", Unit: Count, Group: Usage,
		Meaning: "by the server, during the run", Formula: "count of the orders that the server refused during the run",
		compute: func(c *computation) (float64, string) { return recorded(c.run.Refused) },
	},
	{Key: Tokens, Name: "tokens", Unit: Count, Group: Usage,
		Meaning: "used by the model", Formula: "sum of the tokens that the model read and wrote",
		compute: func(c *computation) (float64, string) { return recorded(c.run.Tokens) },
	},
	{Key: Cost, Name: "cost", Unit: Money, Group: Usage,
		Meaning: "of the model", Formula: "what those tokens cost, where the run knew their prices",
		compute: func(c *computation) (float64, string) { return recorded(c.run.Cost) },
	},
	{Key: "tokens_per_percent", Name: "tokens per percent", Unit: Count, Group: Usage,
		Meaning: "of total return", Formula: "tokens / (100 * total return)",
		compute: func(c *computation) (float64, string) { return c.perPercent(c.run.Tokens) },
	},
	{Key: "cost_per_percent", Name: "cost per percent", Unit: Money, Group: Usage,
		Meaning: "of total return", Formula: "cost / (100 * total return)",
		compute: func(c *computation) (float64, string) { return c.perPercent(c.run.Cost) },
	},
	{Key: "tokens_per_excess", Name: "tokens per percent of excess", Unit: Count, Group: Usage,
		Meaning: "of excess return", Formula: "tokens / (100 * excess return)",
		compute: func(c *computation) (float64, string) { return c.perExcess(c.run.Tokens) },
	},
	{Key: "cost_per_excess", Name: "cost per percent of excess", Unit: Money, Group: Usage,
		Meaning: "of excess return", Formula: "cost / (100 * excess return)",
		compute: func(c *computation) (float64, string) { return c.perExcess(c.run.Cost) },
	},

	{Key: "benchmark_return", Name: "benchmark return", Unit: Change, Group: Relative,
		Meaning: "over the same dates", Formula: "(1+b1)...(1+bm) - 1",
		compute: func(c *computation) (float64, string) { return c.pairs.benchmarkTotal.value, c.noPairs },
	},
	{Key: ExcessReturn, Name: "excess return", Unit: Points, Group: Relative,
		Column: "excess return over {benchmark}", Shown: benchmarked,
		Meaning: "total return less the benchmark return", Formula: "(1+r1)...(1+rm) - (1+b1)...(1+bm)",
		compute: func(c *computation) (float64, string) {
			return c.excessReturn(), c.noPairs
		},
	},
	{Key: Alpha, Name: "alpha", Unit: Change, Group: Relative, Least: minRatio, Annual: true,
		Column: "alpha", Shown: benchmarked,
		Meaning: "return that beta does not explain, annualized", Formula: "A * (mean(r) - rf/A - beta * (mean(b) - rf/A))",
		interval: (*computation).alphaInterval,
		compute:  func(c *computation) (float64, string) { return c.alpha, firstReason(c.tooFewPairs, c.steadyBenchmark) },
	},
	{Key: Beta, Name: "beta", Unit: Ratio, Group: Relative, Least: minRatio,
		Column: "beta", Shown: benchmarked,
		Meaning: "move of the account per move of the benchmark", Formula: "cov(r, b) / var(b)",
		interval: (*computation).betaInterval,
		compute:  func(c *computation) (float64, string) { return c.beta, firstReason(c.tooFewPairs, c.steadyBenchmark) },
	},
	{Key: "tracking_error", Name: "tracking error", Unit: Part, Group: Relative, Least: minSpread,
		Meaning: "standard deviation of daily excess returns, annualized", Formula: "sd(r - b) * sqrt(A)",
		compute: func(c *computation) (float64, string) { return c.activeSD * c.rootOfYear, c.tooFewPairs },
	},
	{Key: "information_ratio", Name: "information ratio", Unit: Ratio, Group: Relative, Least: minRatio,
		Meaning: "mean daily excess return / tracking error, annualized", Formula: "mean(r - b) / sd(r - b) * sqrt(A)",
		compute: func(c *computation) (float64, string) {
			return c.active / c.activeSD * c.rootOfYear, firstReason(c.tooFewPairs, reasonIf(c.activeSD < epsilon, "the account does what the benchmark does"))
		},
	},
	{Key: "up_capture", Name: "up capture", Unit: Part, Group: Relative, Least: minTail,
		Meaning: "fraction of the benchmark return kept on days when it rose", Formula: "sum of r / sum of b, over the pairs with b > 0",
		compute: func(c *computation) (float64, string) {
			return c.up, firstReason(c.noBenchmark, reasonIf(math.IsNaN(c.up), "the benchmark never rose"))
		},
	},
	{Key: "down_capture", Name: "down capture", Unit: Part, Group: Relative, Least: minTail,
		Meaning: "fraction of the benchmark return kept on days when it fell", Formula: "sum of r / sum of b, over the pairs with b < 0",
		compute: func(c *computation) (float64, string) {
			return c.down, firstReason(c.noBenchmark, reasonIf(math.IsNaN(c.down), "the benchmark never fell"))
		},
	},
}
