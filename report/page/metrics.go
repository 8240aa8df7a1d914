// The metrics of an account: the most important ones as tiles, and all with their meanings.

package page

import (
	"fmt"
	"slices"
	"strings"

	"mcp-trade/report"
)

// metricRow is a metric as text.
type metricRow struct {
	Name, Text, Sign string
	Meaning          string
	Why              string // the value is unknown
}

// headline returns the most important metrics.
func headline(a report.Account) []metricRow {
	m := a.Metrics
	// tile writes a metric with its 95 % interval, or with a text if it has none.
	tile := func(figure *report.Number, text string) metricRow {
		x := m.Metric(figure)
		y := metricRow{Name: capital(x.Name), Text: metricText(*figure, x.Unit, 2), Meaning: text}
		if x.Unit == report.Change {
			y.Sign = sign(*figure)
		}
		if x.Interval != nil {
			y.Meaning = interval(*x.Interval(&m), x.Unit)
		}
		return y
	}
	list := []metricRow{
		tile(&m.End, commaJoined("from "+money(m.Start), valueDate(a))),
		tile(&m.TotalReturn, ""),
		tile(&m.Sharpe, ""),
		tile(&m.MaxDrawdown, drawdownDates(a.Drawdown)),
		tile(&m.WinningDays, "of "+plural(m.Returns, "return")),
		tile(&m.WinningTrades, "of "+plural(m.ClosedTrades, "closed trade")),
		{Name: "Trades", Text: count(m.Trades), Meaning: "fees " + money(m.Fees)},
		tile(&m.Exposure, "on average"),
	}
	if m.ExcessReturn.Known() {
		list = append(list, tile(&m.ExcessReturn, "over the benchmark, beta "+fixed(m.Beta, 2)))
	}
	if m.Tokens.Known() {
		list = append(list, tile(&m.Tokens, "cost "+money(m.Cost)))
	}
	return list
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
		n := *x.Of(&m)
		y := metricRow{Name: capital(x.Name), Text: metricText(n, x.Unit, 3), Meaning: x.Meaning}
		if x.Date != nil {
			y.Meaning = commaJoined(x.Meaning, x.Date(&m))
		}
		if !n.Known() {
			y.Why = m.Undefined[x.Key]
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
