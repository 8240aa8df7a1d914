// The table of metrics: all that is said of a figure but its value. The terminal, the page, the keys of Metrics.Undefined and the
// formulas in the documentation are made from its rows or compared with them, so a new metric is a field of Metrics, its
// computation and a row.

package report

import "strings"

// Metric is a row of the table: what one figure of [Metrics] is called, what it means and how it is written.
type Metric struct {
	Key     string // its name in JSON
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

	Of       func(m *Metrics) *Number   // the figure
	Interval func(m *Metrics) *Interval // its 95 % interval, whose name in JSON is [Metric.IntervalKey]; nil if it has none
	Date     func(m *Metrics) string    // the day that the figure is of; nil if it is of the whole range

	// Column is the head of its column in a leaderboard, "" if it has none; {benchmark} stands for the benchmark's name.
	// Shown tells whether the leaderboard of a report has the column; nil: always.
	Column string
	Shown  func(r Report) bool
}

// IntervalKey is the name of its interval in JSON.
func (x Metric) IntervalKey() string { return x.Key + "_interval" }

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
	Ratio              // a number without a unit
	Count              // a whole number, or the mean of some
)

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

// Metric returns the row of a figure, which must be one of m: it is found by its address.
func (m *Metrics) Metric(figure *Number) Metric {
	for _, x := range metricTable {
		if x.Of(m) == figure {
			return x
		}
	}
	panic("report: a figure of Metrics has no row in the table of metrics")
}

func benchmarked(r Report) bool { return r.Benchmark != nil }

// feesPaid tells whether an account paid fees: most markets of this program have none.
func feesPaid(r Report) bool {
	for _, a := range r.Accounts {
		if a.Metrics.Fees.value != 0 {
			return true
		}
	}
	return false
}

// metricTable is a value and not the result of a function, since each figure of each account looks up its row.
var metricTable = [...]Metric{
	{Key: "start", Name: "value at opening", Unit: Money, Group: Returns, Of: func(m *Metrics) *Number { return &m.Start },
		Meaning: "before the first period", Formula: "V0"},
	{Key: "end", Name: "value at close", Unit: Money, Group: Returns, Of: func(m *Metrics) *Number { return &m.End },
		Date: func(m *Metrics) string { return m.EndDate }, Column: "value at close",
		Meaning: "the last known value, each holding at its last known close", Formula: "Vn"},
	{Key: "total_return", Name: "total return", Unit: Change, Group: Returns, Of: func(m *Metrics) *Number { return &m.TotalReturn },
		Interval: func(m *Metrics) *Interval { return &m.TotalReturnInterval }, Column: "return",
		Meaning: "value at close over value at opening, less 1", Formula: "Vn/V0 - 1"},
	{Key: "annual_return", Name: "annualized return", Unit: Change, Group: Returns, Annual: true, Of: func(m *Metrics) *Number { return &m.AnnualReturn },
		Column:  "annualized",
		Meaning: "compound, over calendar days", Formula: "(Vn/V0)^(365/d) - 1, with d calendar days from V0 to Vn"},
	{Key: "volatility", Name: "volatility", Unit: Part, Group: Returns, Least: minSpread, Of: func(m *Metrics) *Number { return &m.Volatility },
		Column:  "volatility",
		Meaning: "standard deviation of daily returns, annualized", Formula: "sd(r) * sqrt(A)"},
	{Key: "sharpe", Name: "Sharpe ratio", Unit: Ratio, Group: Returns, Least: minRatio, Of: func(m *Metrics) *Number { return &m.Sharpe },
		Interval: func(m *Metrics) *Interval { return &m.SharpeInterval }, Column: "Sharpe",
		Meaning: "mean daily excess over the risk-free rate / standard deviation of daily returns, annualized", Formula: "(mean(r) - rf/A) / sd(r) * sqrt(A)"},
	{Key: "sortino", Name: "Sortino ratio", Unit: Ratio, Group: Returns, Least: minRatio, Of: func(m *Metrics) *Number { return &m.Sortino },
		Meaning: "mean daily excess over the risk-free rate / downside deviation, annualized",
		Formula: "(mean(r) - rf/A) / sqrt(sum(min(r,0)^2)/n) * sqrt(A): the downside over all n returns, against 0"},
	{Key: "calmar", Name: "Calmar ratio", Unit: Ratio, Group: Returns, Annual: true, Of: func(m *Metrics) *Number { return &m.Calmar },
		Meaning: "annualized return / max drawdown", Formula: "annualized return / max drawdown"},
	{Key: "max_drawdown", Name: "max drawdown", Unit: Part, Group: Returns, Of: func(m *Metrics) *Number { return &m.MaxDrawdown },
		Column:  "max drawdown",
		Meaning: "largest decline from a peak, as a fraction of the peak",
		Formula: "the highest of 1 - V/P"},
	{Key: "best_day", Name: "best day", Unit: Change, Group: Returns, Of: func(m *Metrics) *Number { return &m.BestDay },
		Date:    func(m *Metrics) string { return m.BestDate },
		Meaning: "highest daily return", Formula: "the highest of r"},
	{Key: "worst_day", Name: "worst day", Unit: Change, Group: Returns, Of: func(m *Metrics) *Number { return &m.WorstDay },
		Date:    func(m *Metrics) string { return m.WorstDate },
		Meaning: "lowest daily return", Formula: "the lowest of r"},
	{Key: "winning_days", Name: "win rate (days)", Unit: Part, Group: Returns, Of: func(m *Metrics) *Number { return &m.WinningDays },
		Column:  "win rate (days)",
		Meaning: "fraction of the daily returns above 0", Formula: "fraction of the returns above 0"},

	{Key: "winning_trades", Name: "win rate (trades)", Unit: Part, Group: Trading, Of: func(m *Metrics) *Number { return &m.WinningTrades },
		Column:  "win rate (trades)",
		Meaning: "fraction of the closed trades with a gain", Formula: "fraction of the closed trades with a gain above 0"},
	{Key: "profit_factor", Name: "profit factor", Unit: Ratio, Group: Trading, Of: func(m *Metrics) *Number { return &m.ProfitFactor },
		Meaning: "gains / losses of closed trades", Formula: "sum of the gains / sum of the losses of closed trades"},
	{Key: "turnover", Name: "turnover", Unit: Ratio, Group: Trading, Of: func(m *Metrics) *Number { return &m.Turnover },
		Meaning: "how many times a year the account's value is traded", Formula: "(bought + sold)/2 / mean(V1 ... Vn) * A / number of periods"},
	{Key: "exposure", Name: "exposure", Unit: Part, Group: Trading, Of: func(m *Metrics) *Number { return &m.Exposure },
		Meaning: "mean fraction of the value that was not cash", Formula: "mean over the periods of 1 - cash/V"},
	{Key: "fees", Name: "fees", Unit: Money, Group: Trading, Of: func(m *Metrics) *Number { return &m.Fees },
		Column: "fees", Shown: feesPaid,
		Meaning: "paid for trades", Formula: "sum of the fees of purchases and sales"},
	{Key: "slippage", Name: "slippage", Unit: Money, Group: Trading, Of: func(m *Metrics) *Number { return &m.Slippage },
		Meaning: "paid beyond the opens of the bars",
		Formula: "sum of (price - open) * amount of purchases and (open - price) * amount of sales, with the open of the\nbar that the trade was filled in; below 0 if prices were better than that"},

	{Key: "refused", Name: "orders refused", Unit: Count, Group: Usage, Of: func(m *Metrics) *Number { return &m.Refused },
		Meaning: "by the server, during the run", Formula: "count of the orders that the server refused during the run"},
	{Key: "tokens", Name: "tokens", Unit: Count, Group: Usage, Of: func(m *Metrics) *Number { return &m.Tokens },
		Meaning: "used by the model", Formula: "sum of the tokens that the model read and wrote"},
	{Key: "cost", Name: "cost", Unit: Money, Group: Usage, Of: func(m *Metrics) *Number { return &m.Cost },
		Meaning: "of the model", Formula: "what those tokens cost, where the run knew their prices"},
	{Key: "tokens_per_percent", Name: "tokens per percent", Unit: Count, Group: Usage, Of: func(m *Metrics) *Number { return &m.TokensPerPercent },
		Meaning: "of total return", Formula: "tokens / (100 * total return)"},
	{Key: "cost_per_percent", Name: "cost per percent", Unit: Money, Group: Usage, Of: func(m *Metrics) *Number { return &m.CostPerPercent },
		Meaning: "of total return", Formula: "cost / (100 * total return)"},

	{Key: "benchmark_return", Name: "benchmark return", Unit: Change, Group: Relative, Of: func(m *Metrics) *Number { return &m.BenchmarkReturn },
		Meaning: "over the same dates", Formula: "(1+b1)...(1+bm) - 1"},
	{Key: "excess_return", Name: "excess return", Unit: Change, Group: Relative, Of: func(m *Metrics) *Number { return &m.ExcessReturn },
		Column: "excess return over {benchmark}", Shown: benchmarked,
		Meaning: "total return less the benchmark return", Formula: "(1+r1)...(1+rm) - (1+b1)...(1+bm)"},
	{Key: "alpha", Name: "alpha", Unit: Change, Group: Relative, Least: minRatio, Annual: true, Of: func(m *Metrics) *Number { return &m.Alpha },
		Interval: func(m *Metrics) *Interval { return &m.AlphaInterval }, Column: "alpha", Shown: benchmarked,
		Meaning: "return that beta does not explain, annualized", Formula: "A * (mean(r) - rf/A - beta * (mean(b) - rf/A))"},
	{Key: "beta", Name: "beta", Unit: Ratio, Group: Relative, Least: minRatio, Of: func(m *Metrics) *Number { return &m.Beta },
		Interval: func(m *Metrics) *Interval { return &m.BetaInterval }, Column: "beta", Shown: benchmarked,
		Meaning: "move of the account per move of the benchmark", Formula: "cov(r, b) / var(b)"},
	{Key: "tracking_error", Name: "tracking error", Unit: Part, Group: Relative, Least: minSpread, Of: func(m *Metrics) *Number { return &m.TrackingError },
		Meaning: "standard deviation of daily excess returns, annualized", Formula: "sd(r - b) * sqrt(A)"},
	{Key: "information_ratio", Name: "information ratio", Unit: Ratio, Group: Relative, Least: minRatio, Of: func(m *Metrics) *Number { return &m.InformationRatio },
		Meaning: "mean daily excess return / tracking error, annualized", Formula: "mean(r - b) / sd(r - b) * sqrt(A)"},
	{Key: "up_capture", Name: "up capture", Unit: Part, Group: Relative, Least: minTail, Of: func(m *Metrics) *Number { return &m.UpCapture },
		Meaning: "fraction of the benchmark return kept on days when it rose", Formula: "sum of r / sum of b, over the pairs with b > 0"},
	{Key: "down_capture", Name: "down capture", Unit: Part, Group: Relative, Least: minTail, Of: func(m *Metrics) *Number { return &m.DownCapture },
		Meaning: "fraction of the benchmark return kept on days when it fell", Formula: "sum of r / sum of b, over the pairs with b < 0"},
}
