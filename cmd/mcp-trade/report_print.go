// A report on the terminal.

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"mcp-trade/decimal"
	"mcp-trade/internal/format"
	"mcp-trade/internal/safetext"
	"mcp-trade/report"
	"mcp-trade/report/chart"
	"mcp-trade/report/paper"
)

// printReport prints a line for each account, and below what there is to know of them.
func printReport(w io.Writer, r report.Report, b paper.Board, asked bool) {
	printBoard(w, b, asked, chart.LooksOf(r.Accounts, nil))
	switch r.Method {
	case report.AITrader:
		printUpstream(w, r)
	case report.AITraderLater:
		printUpstream2(w, r)
	}
	fmt.Fprintln(w)
	for _, row := range b.Rows {
		a := row.Account
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

// printBoard prints a leaderboard. On a terminal it is as wide as the window, gains and losses have colors, and accounts and their curves those of
// their looks; unless the columns were asked
// for, those that matter least are left out where they do not fit.
func printBoard(w io.Writer, b paper.Board, asked bool, looks chart.Looks) {
	const gap = 2
	var left []string
	if isTerminal(w) && !asked {
		b, left = b.Fit(widthOf(w), gap, text.StringWidth)
	}
	painted, tinted, colors := paint(w), tint(w), map[int]text.Colors{1: {text.FgGreen}, -1: {text.FgRed}}
	line := func(cells []string, signs []int, look chart.Look) {
		for i, cell := range cells {
			cell = safetext.Line(cell)
			pad := strings.Repeat(" ", max(0, b.WidthOf(i, text.StringWidth)-text.StringWidth(cell)))
			switch name := b.Columns[i].Name; {
			case signs == nil:
			case name == "account" || name == "curve":
				cell = tinted(cell, look.Color())
			default:
				cell = painted(cell, colors[signs[i]])
			}
			if b.Columns[i].Text {
				cell += pad
			} else {
				cell = pad + cell
			}
			fmt.Fprint(w, cell, map[bool]string{true: "\n", false: strings.Repeat(" ", gap)}[i == len(cells)-1])
		}
	}
	var heads []string
	for _, c := range b.Columns {
		heads = append(heads, c.Head)
	}
	line(heads, nil, chart.Benchmark)
	fmt.Fprintln(w, strings.Repeat("─", b.Width(gap, text.StringWidth)))
	for i, row := range b.Rows {
		line(row.Cells, b.Signs(i), looks[row.Account.Signature])
	}
	if len(left) > 0 {
		fmt.Fprintf(w, "Left out, as the window is %d characters wide: %s. --columns shows any of them.\n", widthOf(w), strings.Join(left, ", "))
	}
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
