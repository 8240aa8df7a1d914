// The leaderboard, at the top of the page.

package page

import (
	"fmt"

	"mcp-trade/ledger"
	"mcp-trade/report"
	"mcp-trade/report/chart"
)

// leaderboard is the section of the leaderboard.
type leaderboard struct {
	Title, Lead string
	Columns     []string // heads of the figures; a ">" heads numbers
	Rows        []leaderboardRow
	Benchmark   *leaderboardRow
	Note        string
	Warnings    []string
	Verified    bool // the ledgers were verified, and a column has the verdicts
}

// leaderboardRow is a row of it.
type leaderboardRow struct {
	Rank                                                                        string // "–" of an account whose ledger is not verified
	Link                                                                        link
	Value, AsOf, Return, Sign, ExcessReturn, Sharpe, MaxDrawdown, WinRate, Days string
	Ledger                                                                      ledger.Verdict
	Trades                                                                      int
	Mark                                                                        string
}

// newLeaderboard lists the accounts of a report in the order of their ranks.
func newLeaderboard(ranked report.Report, looks map[string]chart.Look) leaderboard {
	from, to := chart.Extent(ranked)
	b := leaderboard{Title: titleOf(ranked), Warnings: ranked.Warnings}
	for _, key := range []report.Key{report.TotalReturn, report.ExcessReturn, report.End, report.Sharpe, report.MaxDrawdown, report.WinningDays} {
		if column := report.MetricOf(key).ColumnFor(ranked); column != "" {
			b.Columns = append(b.Columns, ">"+capital(column))
		}
	}
	b.Lead = dateRange(from, to)
	if ranked.Benchmark != nil {
		b.Lead += ", benchmark " + ranked.Benchmark.Name
	}
	b.Lead += "."
	if to == "" {
		b.Lead = "There is nothing to show yet."
	}
	for i, a := range ranked.Accounts {
		m, rank := a.Metrics, count(i+1)
		if !a.Ranked() {
			rank = unknown
		}
		var verdict ledger.Verdict
		if a.Ledger != nil {
			verdict, b.Verified = a.Ledger.Verdict, true
		}
		b.Rows = append(b.Rows, leaderboardRow{
			Rank: rank, Ledger: verdict, Link: newLink(a, looks), Value: money(m.Value(report.End)), AsOf: valueDate(a), Return: signedPercent(m.Value(report.TotalReturn)), Sign: sign(m.Value(report.TotalReturn)),
			ExcessReturn: signedPercent(m.Value(report.ExcessReturn)), Sharpe: fixed(m.Value(report.Sharpe), 2), MaxDrawdown: percent(m.Value(report.MaxDrawdown)),
			WinRate: percent(m.Value(report.WinningDays)), Days: count(len(a.Periods)), Trades: m.Trades, Mark: a.Mark(),
		})
	}
	if ranked.Benchmark != nil {
		r := lastValue(chart.Equity(ranked), chart.BenchmarkKey)
		b.Benchmark = &leaderboardRow{Link: link{Name: ranked.Benchmark.Name, Look: chart.Benchmark}, Return: signedPercent(r), Sign: sign(r)}
	}
	b.Note = "Each account after the close of each trading day, each holding at its last known close."
	if ranked.Universe != "" {
		b.Note += " " + ranked.Universe
	}
	if ranked.RiskFree != 0 {
		b.Note += fmt.Sprintf(" Risk-free rate: %s a year.", percent(report.Known(ranked.RiskFree)))
	}
	return b
}

// valueDate says how old an account's last value or its oldest close is, "" if both are of the last day.
func valueDate(a report.Account) string {
	m := a.Metrics
	switch n := len(a.Periods); {
	case n > 0 && m.Value(report.End).Known() && !a.Periods[n-1].Value.Known():
		return "of " + m.Figure(report.End).Date
	case m.EndStale != nil:
		return "oldest close of " + m.EndStale.Age()
	}
	return ""
}

// titleOf returns the title of the page.
func titleOf(r report.Report) string {
	switch len(r.Accounts) {
	case 0:
		return "What accounts were worth"
	case 1:
		return "What " + r.Accounts[0].Signature + " was worth"
	}
	return fmt.Sprintf("What %d accounts were worth", len(r.Accounts))
}

// lastValue returns the last known value of a line of a plot.
func lastValue(p chart.Plot, key string) report.Number {
	var last report.Number
	for _, l := range p.Lines {
		for _, x := range l.Points {
			if l.Key == key && x.Value.Known() {
				last = x.Value
			}
		}
	}
	return last
}
