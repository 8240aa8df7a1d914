// The metrics of an account: the most important ones as tiles, and all with their meanings.

package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"mcp-trade/report"
)

// metricRow is a metric as text.
type metricRow struct {
	Name, Text, Sign string
	Meaning, Formula string
	Why              string // the value is unknown
}

// headline returns the most important metrics.
func headline(a report.Account) []metricRow {
	m := a.Metrics
	// tile writes a metric with its 95 % interval, or with a text if it has none.
	tile := func(metric report.Key, text string) metricRow {
		x, f := report.MetricOf(metric), m.Figure(metric)
		y := metricRow{Name: capital(x.Name), Text: metricText(f.Value, x.Unit, 2), Meaning: text}
		if x.Unit.Signed() {
			y.Sign = sign(f.Value)
		}
		if x.HasInterval() {
			y.Meaning = interval(f.Interval, x.Unit)
		}
		return y
	}
	list := []metricRow{
		tile(report.End, commaJoined("from "+money(m.Value(report.Start)), valueDate(a))),
		tile(report.TotalReturn, ""),
		tile(report.Sharpe, ""),
		tile(report.MaxDrawdown, drawdownDates(a.Drawdown)),
		tile(report.WinningDays, "of "+plural(m.Returns, "return")),
		tile(report.WinningTrades, "of "+plural(m.ClosedTrades, "closed trade")),
		{Name: "Trades", Text: count(m.Trades), Meaning: feesText(a)},
		tile(report.Exposure, "on average"),
	}
	if m.Value(report.ExcessReturn).Known() {
		list = append(list, tile(report.ExcessReturn, "percentage points over the benchmark on "+cmp.Or(a.BenchmarkDays(), "all days")+"; beta "+fixed(m.Value(report.Beta), 2)))
	}
	if m.Value(report.Tokens).Known() {
		list = append(list, tile(report.Tokens, "cost "+money(m.Value(report.Cost))))
	}
	return list
}

// feesText says what was paid for trades, and what it was.
func feesText(a report.Account) string {
	text := "fees " + money(a.Metrics.Value(report.Fees))
	var items []string
	for _, item := range a.FeeItems {
		items = append(items, fmt.Sprintf("%s %s", item.Name, money(report.Known(item.Paid.InexactFloat64()))))
	}
	if len(items) > 0 {
		text += ": " + strings.Join(items, ", ")
	}
	if a.Costs != "" {
		text += " (" + a.Costs + ")"
	}
	if a.Dividends != 0 {
		text += "; dividends " + money(report.Known(a.Dividends))
	}
	return text
}

// commaJoined joins the texts that are not empty.
func commaJoined(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(text string) bool { return text == "" }), ", ")
}

// interval writes the 95 % interval of a figure.
func interval(i report.Interval, unit report.Unit) string {
	if !i.Low.Known() || !i.High.Known() {
		return "too few returns for an interval"
	}
	return fmt.Sprintf("95%s%% within %s and %s", space, metricText(i.Low, unit, 2), metricText(i.High, unit, 2))
}

// drawdownDates writes the dates of a drawdown.
func drawdownDates(d *report.Drawdown) string {
	switch {
	case d == nil:
		return "the value never fell"
	case d.Recovered == "":
		return noBreak(fmt.Sprintf("%s, not recovered", dateRange(d.Peak, d.Trough)))
	}
	return noBreak(fmt.Sprintf("%s, recovered %s", dateRange(d.Peak, d.Trough), d.Recovered))
}

// allMetrics returns a row for each metric of the table.
func allMetrics(m report.Metrics) []metricRow {
	var list []metricRow
	for _, x := range report.MetricTable() {
		f := m.Figure(x.Key)
		y := metricRow{Name: capital(x.Name), Text: metricText(f.Value, x.Unit, 3), Meaning: commaJoined(x.Meaning, f.Date), Formula: x.Formula}
		if !f.Value.Known() {
			y.Why = m.Undefined[string(x.Key)]
		}
		list = append(list, y)
	}
	return list
}

// upstreamMetrics returns AI-Trader's metrics, as it publishes them.
func upstreamMetrics(u *report.Upstream) []metricRow {
	if u == nil {
		return nil
	}
	figure := func(n report.Number) string { return fixed(n, 4) }
	return []metricRow{
		{Name: "Sharpe ratio", Text: figure(u.Sharpe)},
		{Name: "Max drawdown", Text: figure(u.MaxDrawdown), Meaning: dateRange(u.DrawdownStart, u.DrawdownEnd)},
		{Name: "Cumulative return", Text: figure(u.CumulativeReturn)},
		{Name: "Annualized return", Text: figure(u.AnnualReturn)},
		{Name: "Volatility", Text: figure(u.Volatility)},
		{Name: "Win rate", Text: figure(u.WinRate)},
		{Name: "Profit/loss ratio", Text: figure(u.ProfitLossRatio)},
		{Name: "Final value", Text: money(u.FinalValue), Meaning: "from " + money(u.InitialValue)},
	}
}

// laterMetrics returns those that AI-Trader changed to, as it publishes them.
func laterMetrics(u *report.Upstream2) []metricRow {
	if u == nil {
		return nil
	}
	figure := func(n report.Number) string { return fixed(n, 4) }
	return []metricRow{
		{Name: "Cumulative return", Text: figure(u.CumulativeReturn), Meaning: fmt.Sprintf("of %s, %s", plural(u.Rows, "row"), dateRange(u.From, u.To))},
		{Name: "Annualized return", Text: figure(u.AnnualReturn), Meaning: fmt.Sprintf("with %g periods a year", u.Year)},
		{Name: "Sortino ratio", Text: figure(u.Sortino)},
		{Name: "Sharpe ratio", Text: figure(u.Sharpe)},
		{Name: "Volatility", Text: figure(u.Volatility)},
		{Name: "Max drawdown", Text: figure(u.MaxDrawdown), Meaning: "at most 0"},
		{Name: "Calmar ratio", Text: figure(u.Calmar)},
		{Name: "Win rate", Text: figure(u.WinRate), Meaning: "of all rows after the first"},
		{Name: "Average win", Text: figure(u.AverageWin)},
		{Name: "Average loss", Text: figure(u.AverageLoss)},
		{Name: "Final value", Text: money(u.FinalValue), Meaning: "from " + money(u.InitialValue)},
		{Name: "Trades", Text: count(u.Trades), Meaning: "changes of the value from row to row"},
	}
}
