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
	// tile is a metric as its row of the table has it, with an interval if it has one and else with a text.
	tile := func(figure *report.Number, text string) measure {
		x := m.Metric(figure)
		y := measure{Name: capital(x.Name), Text: metricText(*figure, x.Unit, 2), Meaning: text}
		if x.Unit == report.Change {
			y.Sign = sign(*figure)
		}
		if x.Interval != nil {
			y.Meaning = interval(*x.Interval(&m), x.Unit)
		}
		return y
	}
	list := []measure{
		tile(&m.End, listed("from "+money(m.Start), valueDate(a))),
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

// listed joins the texts that are not empty by commas.
func listed(texts ...string) string {
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
		return noBreak(fmt.Sprintf("%s, not recovered", span(d.Peak, d.Trough)))
	}
	return noBreak(fmt.Sprintf("%s, recovered %s", span(d.Peak, d.Trough), d.Recovered))
}

// measures are all figures: a row for each metric.
func measures(m report.Metrics) []measure {
	var list []measure
	for _, x := range report.MetricTable() {
		n := *x.Of(&m)
		y := measure{Name: capital(x.Name), Text: metricText(n, x.Unit, 3), Meaning: x.Meaning}
		if x.Date != nil {
			y.Meaning = listed(x.Meaning, x.Date(&m))
		}
		if !n.Known() {
			y.Why = m.Undefined[x.Key]
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
