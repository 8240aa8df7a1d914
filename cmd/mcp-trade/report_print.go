// A report on the terminal.

package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"mcp-trade/decimal"
	"mcp-trade/internal/format"
	"mcp-trade/internal/safetext"
	"mcp-trade/report"
)

// printLeaderboard prints a line for each account, and below what there is to know of them.
func printLeaderboard(w io.Writer, r report.Report) {
	header := []string{">#", "account", ">days", ">trades"}
	for _, x := range report.MetricTable() {
		if column := x.ColumnFor(r); column != "" {
			header = append(header, ">"+column)
		}
	}
	header = append(header, "ledger")
	old := slices.ContainsFunc(r.Accounts, func(a report.Account) bool { return a.Metrics.EndStale != nil })
	if old {
		header = append(header, "oldest close")
	}
	t := newTable(w, header...)
	for i, a := range r.Accounts {
		rank := strconv.Itoa(i + 1)
		if !a.Ranked() {
			rank = "-"
		}
		name := strings.TrimSpace(a.Signature + " " + a.Mark())
		row := table.Row{rank, name, len(a.Periods), a.Metrics.Trades}
		for _, x := range report.MetricTable() {
			if x.ColumnFor(r) != "" {
				row = append(row, metricText(a, x))
			}
		}
		row = append(row, a.Ledger.Verdict)
		if old {
			row = append(row, oldestClose(a.Metrics.EndStale))
		}
		t.AppendRow(row)
	}
	t.Render()
	switch r.Method {
	case report.AITrader:
		printUpstream(w, r)
	case report.AITraderLater:
		printUpstream2(w, r)
	}
	fmt.Fprintln(w)
	for _, a := range r.Accounts {
		fmt.Fprintf(w, "%s: %s\n", a.Signature, safetext.Line(a.Verdict))
		if len(a.Ledger.Reasons) > 0 {
			fmt.Fprintf(w, "  %s\n", safetext.Line(a.Ledger.String()))
		}
		fmt.Fprintf(w, "  fills: %s\n", safetext.Line(a.Fills))
		if a.Orders != nil {
			fmt.Fprintf(w, "  %s\n", safetext.Line(a.Orders.String()))
		}
		if a.Costs != "" {
			fmt.Fprintf(w, "  %s\n", safetext.Line(costsText(a)))
		}
		if len(a.RefusedBy) > 0 {
			fmt.Fprintf(w, "  orders refused: %s\n", safetext.Line(a.RefusedBy.String()))
		}
		if len(a.Actions) > 0 {
			fmt.Fprintf(w, "  corporate actions: %d; dividends %s\n", len(a.Actions), cash(report.Known(a.Dividends)))
		}
		for _, line := range append(a.Knowledge.Lines(), a.Forward.Lines()...) {
			fmt.Fprintf(w, "  %s\n", safetext.Line(line))
		}
		for _, warning := range a.Warnings {
			fmt.Fprintf(w, "  %s\n", safetext.Line(warning))
		}
		fmt.Fprintf(w, "  head %s\n", a.Ledger.Head)
	}
	if r.Universe != "" {
		fmt.Fprintln(w, r.Universe)
	}
	for _, warning := range r.Warnings {
		fmt.Fprintln(w, safetext.Line(warning))
	}
}

// costsText says what an account pays for its trades, and what it paid.
func costsText(a report.Account) string {
	text := a.Costs
	for i, item := range a.FeeItems {
		text += fmt.Sprintf("%s %s %s", map[bool]string{true: "; paid", false: ","}[i == 0], item.Name, format.Money(item.Paid))
	}
	return text
}

// metricText writes a figure of an account. Where the value of the last day is not known, the last value has its date.
func metricText(a report.Account, x report.Metric) string {
	m := a.Metrics
	n := m.Value(x.Key)
	switch x.Unit {
	case report.Money:
		if i := len(a.Periods) - 1; x.Key == report.End && n.Known() && i >= 0 && !a.Periods[i].Value.Known() {
			return fmt.Sprintf("%s (%s)", cash(n), m.Figure(x.Key).Date)
		}
		return cash(n)
	case report.Change, report.Part:
		return percent(n)
	case report.Ratio:
		return dashed(n, 2)
	}
	return dashed(n, 0)
}

// printUpstream prints AI-Trader's figures as it publishes them.
func printUpstream(w io.Writer, r report.Report) {
	fmt.Fprintln(w, "\nBy AI-Trader's definitions")
	t := newTable(w, "account", ">days", ">Sharpe", ">max drawdown", ">cumulative", ">annualized", ">volatility", ">win rate", ">profit/loss", ">final value")
	for _, a := range r.Accounts {
		u := a.Upstream
		t.AppendRow(table.Row{
			a.Signature, u.Days, dashed(u.Sharpe, 4), dashed(u.MaxDrawdown, 4), dashed(u.CumulativeReturn, 4), dashed(u.AnnualReturn, 4),
			dashed(u.Volatility, 4), dashed(u.WinRate, 4), dashed(u.ProfitLossRatio, 4), cash(u.FinalValue),
		})
	}
	t.Render()
}

// printUpstream2 prints the figures of AI-Trader's later program, as it publishes them.
func printUpstream2(w io.Writer, r report.Report) {
	fmt.Fprintln(w, "\nBy AI-Trader's definitions since 2025-11-20: a value for each row")
	t := newTable(w, "account", ">rows", ">CR", ">annualized", ">SR (Sortino)", ">Sharpe", ">Vol", ">MDD", ">Calmar", ">win rate", ">trades", ">final value")
	for _, a := range r.Accounts {
		u := a.Upstream2
		t.AppendRow(table.Row{
			a.Signature, u.Rows, dashed(u.CumulativeReturn, 4), dashed(u.AnnualReturn, 4), dashed(u.Sortino, 3), dashed(u.Sharpe, 3), dashed(u.Volatility, 4),
			dashed(u.MaxDrawdown, 4), dashed(u.Calmar, 3), dashed(u.WinRate, 4), u.Trades, cash(u.FinalValue),
		})
	}
	t.Render()
}

func dashed(n report.Number, decimals int) string {
	if !n.Known() {
		return "-"
	}
	return n.Text(decimals)
}

func percent(n report.Number) string {
	if !n.Known() {
		return "-"
	}
	return report.Known(n.Float()*100).Text(2) + " %"
}

func cash(n report.Number) string {
	if !n.Known() {
		return "-"
	}
	return format.Money(decimal.NewFromFloat(n.Float()))
}
