// The head of the page: who did how well.

package page

import (
	"fmt"

	"mcp-trade/market"
	"mcp-trade/report"
)

// board is the leaderboard.
type board struct {
	Title, Lead string
	Rows        []standing
	Benchmark   *standing
	Note        string
	Warnings    []string
}

// standing is a row of it.
type standing struct {
	Rank                                                         int
	Link                                                         link
	Value, Of, Return, Sign, Year, Over, Sharpe, Fall, Win, Days string
	Trades                                                       int
}

// newBoard makes the leaderboard of a report, whose accounts are also in the order that gives them their colours.
func newBoard(ranked, ordered report.Report) board {
	from, to := extent(ranked)
	b := board{Title: titleOf(ranked), Warnings: ranked.Warnings}
	b.Lead = span(from, to)
	if ranked.Benchmark != nil {
		b.Lead += ", beside " + ranked.Benchmark.Name
	}
	b.Lead += "."
	if to == "" {
		b.Lead = "There is nothing to show yet."
	}
	links := map[string]link{}
	for i, a := range ordered.Accounts {
		links[a.Signature] = newLink(i, a)
	}
	for i, a := range ranked.Accounts {
		m := a.Metrics
		b.Rows = append(b.Rows, standing{
			Rank: i + 1, Link: links[a.Signature], Value: money(m.End), Of: valueDate(a), Return: change(m.TotalReturn), Sign: sign(m.TotalReturn),
			Year: change(m.AnnualReturn), Over: change(m.ExcessReturn), Sharpe: fixed(m.Sharpe, 2), Fall: part(m.MaxDrawdown),
			Win: part(m.WinningDays), Days: count(len(a.Periods)), Trades: m.Trades,
		})
	}
	if ranked.Benchmark != nil {
		r := totals(ranked.Benchmark, from, to)
		b.Benchmark = &standing{Link: link{Name: ranked.Benchmark.Name, Class: "bench"}, Return: change(r), Sign: sign(r)}
	}
	b.Note = "Each account after the close of each trading day, each holding at its last known close."
	if ranked.RiskFree != 0 {
		b.Note += fmt.Sprintf(" Return without risk: %s a year.", part(report.Known(ranked.RiskFree)))
	}
	return b
}

// valueDate says of when an account's last value is, "" if it is all of the last day.
func valueDate(a report.Account) string {
	m := a.Metrics
	switch n := len(a.Periods); {
	case n > 0 && m.End.Known() && !a.Periods[n-1].Value.Known():
		return "of " + m.EndDate
	case m.EndStale != nil:
		return "oldest close of " + m.EndStale.Age()
	}
	return ""
}

// titleOf names a page.
func titleOf(r report.Report) string {
	switch len(r.Accounts) {
	case 0:
		return "What accounts were worth"
	case 1:
		return "What " + r.Accounts[0].Signature + " was worth"
	}
	return fmt.Sprintf("What %d accounts were worth", len(r.Accounts))
}

// extent is the first and the last date of all accounts.
func extent(r report.Report) (from, to market.Stamp) {
	for _, a := range r.Accounts {
		if n := len(a.Periods); n > 0 {
			to = max(to, a.Periods[n-1].Date)
			if from == "" || a.Opening.Date < from {
				from = a.Opening.Date
			}
		}
	}
	return from, to
}

// totals is the return of a benchmark over a range.
func totals(s *report.Series, from, to market.Stamp) report.Number {
	var first, last report.Number
	for _, p := range s.Points {
		if p.Date < from || p.Date > to || !p.Value.Known() {
			continue
		}
		if !first.Known() {
			first = p.Value
		}
		last = p.Value
	}
	return less(last.Over(first), 1)
}

func less(n report.Number, by float64) report.Number {
	if !n.Known() {
		return n
	}
	return report.Known(n.Float() - by)
}
