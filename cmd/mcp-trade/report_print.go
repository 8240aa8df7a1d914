// A report on the terminal.

package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/jedib0t/go-pretty/v6/table"

	"mcp-trade/decimal"
	"mcp-trade/internal/format"
	"mcp-trade/internal/safetext"
	"mcp-trade/report"
)

// printLeaderboard prints a line for each account, and below what there is to know of them.
func printLeaderboard(w io.Writer, r report.Report) {
	header := []string{">#", "account", ">days", ">trades", ">value at close", ">return", ">annualized", ">volatility", ">Sharpe", ">max drawdown", ">win rate (days)", ">win rate (trades)"}
	costs := slices.ContainsFunc(r.Accounts, func(a report.Account) bool { return a.Metrics.Fees.Float() != 0 })
	if costs {
		header = append(header, ">fees")
	}
	if r.Benchmark != nil {
		header = append(header, ">excess over "+r.Benchmark.Name, ">alpha", ">beta")
	}
	header = append(header, "ledger")
	old := slices.ContainsFunc(r.Accounts, func(a report.Account) bool { return a.Metrics.EndStale != nil })
	if old {
		header = append(header, "oldest close")
	}
	t := newTable(w, header...)
	for i, a := range r.Accounts {
		m := a.Metrics
		rank := strconv.Itoa(i + 1)
		if !a.Ranked() {
			rank = "-"
		}
		row := table.Row{
			rank, a.Signature, len(a.Periods), m.Trades, lastValue(a), percent(m.TotalReturn), percent(m.AnnualReturn), percent(m.Volatility),
			dashed(m.Sharpe, 2), percent(m.MaxDrawdown), percent(m.WinningDays), percent(m.WinningTrades),
		}
		if costs {
			row = append(row, cash(m.Fees))
		}
		if r.Benchmark != nil {
			row = append(row, percent(m.ExcessReturn), percent(m.Alpha), dashed(m.Beta, 2))
		}
		row = append(row, a.Ledger.Verdict)
		if old {
			row = append(row, oldestClose(m.EndStale))
		}
		t.AppendRow(row)
	}
	t.Render()
	if r.Method == report.AITrader {
		printUpstream(w, r)
	}
	fmt.Fprintln(w)
	for _, a := range r.Accounts {
		fmt.Fprintf(w, "%s: %s\n", a.Signature, a.Verdict)
		if len(a.Ledger.Reasons) > 0 {
			fmt.Fprintf(w, "  %s\n", safetext.Spelled(a.Ledger.String()))
		}
		for _, warning := range a.Warnings {
			fmt.Fprintf(w, "  %s\n", warning)
		}
		fmt.Fprintf(w, "  head %s\n", a.Ledger.Head)
	}
	for _, warning := range r.Warnings {
		fmt.Fprintln(w, warning)
	}
}

// lastValue is the last known value of an account, with its date where the value of the last day is not known.
func lastValue(a report.Account) string {
	m := a.Metrics
	if n := len(a.Periods); n > 0 && m.End.Known() && !a.Periods[n-1].Value.Known() {
		return fmt.Sprintf("%s (%s)", cash(m.End), m.EndDate)
	}
	return cash(m.End)
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
