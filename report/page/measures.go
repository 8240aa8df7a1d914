// The figures of an account: the few that one looks at first, and all of them with what they mean.

package page

import (
	"fmt"
	"slices"
	"strings"

	"mcp-trade/report"
)

// measure is a figure, written out.
type measure struct {
	Name, Text, Sign string
	Meaning          string
	Why              string // it is not known
}

// headline are the figures that one looks at first.
func headline(a report.Account) []measure {
	m := a.Metrics
	list := []measure{
		{Name: "Value at close", Text: money(m.End), Meaning: listed("from "+money(m.Start), valueDate(a))},
		{Name: "Total return", Text: signedPercent(m.TotalReturn), Sign: sign(m.TotalReturn), Meaning: interval(m.TotalReturnInterval, signedPercent)},
		{Name: "Sharpe", Text: fixed(m.Sharpe, 2), Meaning: interval(m.SharpeInterval, func(n report.Number) string { return fixed(n, 2) })},
		{Name: "Max drawdown", Text: percent(m.MaxDrawdown), Meaning: drawdownDates(a.Drawdown)},
		{Name: "Win rate (days)", Text: percent(m.WinningDays), Meaning: "of " + plural(m.Returns, "return")},
		{Name: "Win rate (trades)", Text: percent(m.WinningTrades), Meaning: "of " + plural(m.ClosedTrades, "closed trade")},
		{Name: "Trades", Text: count(m.Trades), Meaning: "fees " + money(m.Fees)},
		{Name: "Exposure", Text: percent(m.Exposure), Meaning: "on average"},
	}
	if m.ExcessReturn.Known() {
		list = append(list, measure{Name: "Excess return", Text: signedPercent(m.ExcessReturn), Sign: sign(m.ExcessReturn), Meaning: "over the benchmark, beta " + fixed(m.Beta, 2)})
	}
	if m.Tokens.Known() {
		list = append(list, measure{Name: "Tokens", Text: fixed(m.Tokens, 0), Meaning: "cost " + money(m.Cost)})
	}
	return list
}

// listed joins the texts that are not empty by commas.
func listed(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(text string) bool { return text == "" }), ", ")
}

// interval writes a 95 % interval.
func interval(i report.Interval, form func(report.Number) string) string {
	if !i.Low.Known() || !i.High.Known() {
		return "too few returns for an interval"
	}
	return fmt.Sprintf("95%s%% within %s and %s", space, form(i.Low), form(i.High))
}

// drawdownDates writes the dates of a drawdown.
func drawdownDates(d *report.Drawdown) string {
	switch {
	case d == nil:
		return "the value never fell"
	case d.Recovered == "":
		return noBreak(fmt.Sprintf("%s, not recovered", span(d.Peak, d.Trough)))
	}
	return noBreak(fmt.Sprintf("%s, recovered %s", span(d.Peak, d.Trough), d.Recovered))
}

// measures are all figures.
func measures(m report.Metrics) []measure {
	ratio := func(n report.Number) string { return fixed(n, 3) }
	whole := func(n report.Number) string { return fixed(n, 0) }
	var list []measure
	for _, x := range []struct {
		name, key string
		n         report.Number
		form      func(report.Number) string
		meaning   string
	}{
		{"Start", "start", m.Start, money, "value at the opening"},
		{"End", "end", m.End, money, listed("last known value", m.EndDate)},
		{"Total return", "total_return", m.TotalReturn, signedPercent, "end over start, less 1"},
		{"Annualized return", "annual_return", m.AnnualReturn, signedPercent, "compound, over calendar days"},
		{"Volatility", "volatility", m.Volatility, percent, "standard deviation of daily returns, annualized"},
		{"Sharpe", "sharpe", m.Sharpe, ratio, "mean excess over the risk-free rate / standard deviation of returns, annualized"},
		{"Sortino", "sortino", m.Sortino, ratio, "mean excess over the risk-free rate / downside deviation, annualized"},
		{"Calmar", "calmar", m.Calmar, ratio, "annualized return / max drawdown"},
		{"Max drawdown", "max_drawdown", m.MaxDrawdown, percent, "deepest fall from a peak, as a fraction of the peak"},
		{"Best day", "best_day", m.BestDay, signedPercent, m.BestDate},
		{"Worst day", "worst_day", m.WorstDay, signedPercent, m.WorstDate},
		{"Win rate (days)", "winning_days", m.WinningDays, percent, "fraction of the daily returns above 0"},
		{"Win rate (trades)", "winning_trades", m.WinningTrades, percent, "fraction of the closed trades with a gain"},
		{"Profit factor", "profit_factor", m.ProfitFactor, ratio, "gains / losses of closed trades"},
		{"Turnover", "turnover", m.Turnover, ratio, "times the value is traded, annualized"},
		{"Exposure", "exposure", m.Exposure, percent, "mean fraction of the value that was not cash"},
		{"Fees", "fees", m.Fees, money, "paid for trades"},
		{"Slippage", "slippage", m.Slippage, money, "paid beyond the open"},
		{"Orders refused", "refused", m.Refused, whole, ""},
		{"Tokens", "tokens", m.Tokens, whole, "used by the model"},
		{"Cost", "cost", m.Cost, money, "of the model"},
		{"Tokens per percent", "tokens_per_percent", m.TokensPerPercent, whole, "of total return"},
		{"Cost per percent", "cost_per_percent", m.CostPerPercent, money, "of total return"},
		{"Benchmark return", "benchmark_return", m.BenchmarkReturn, signedPercent, "over the same dates"},
		{"Excess return", "excess_return", m.ExcessReturn, signedPercent, "total return less the benchmark return"},
		{"Alpha", "alpha", m.Alpha, signedPercent, "return that beta does not explain, annualized"},
		{"Beta", "beta", m.Beta, ratio, "move of the account per move of the benchmark"},
		{"Tracking error", "tracking_error", m.TrackingError, percent, "standard deviation of daily excess returns, annualized"},
		{"Information ratio", "information_ratio", m.InformationRatio, ratio, "mean daily excess return / tracking error, annualized"},
		{"Up capture", "up_capture", m.UpCapture, percent, "fraction of the benchmark return kept on days when it rose"},
		{"Down capture", "down_capture", m.DownCapture, percent, "fraction of the benchmark return kept on days when it fell"},
	} {
		y := measure{Name: x.name, Text: x.form(x.n), Meaning: x.meaning}
		if !x.n.Known() {
			y.Why = m.Undefined[x.key]
		}
		list = append(list, y)
	}
	return list
}

// upstream are AI-Trader's figures, as it publishes them.
func upstream(u *report.Upstream) []measure {
	if u == nil {
		return nil
	}
	figure := func(n report.Number) string { return fixed(n, 4) }
	return []measure{
		{Name: "Sharpe ratio", Text: figure(u.Sharpe)},
		{Name: "Max drawdown", Text: figure(u.MaxDrawdown), Meaning: span(u.DrawdownStart, u.DrawdownEnd)},
		{Name: "Cumulative return", Text: figure(u.CumulativeReturn)},
		{Name: "Annualized return", Text: figure(u.AnnualReturn)},
		{Name: "Volatility", Text: figure(u.Volatility)},
		{Name: "Win rate", Text: figure(u.WinRate)},
		{Name: "Profit/loss ratio", Text: figure(u.ProfitLossRatio)},
		{Name: "Final value", Text: money(u.FinalValue), Meaning: "from " + money(u.InitialValue)},
	}
}
