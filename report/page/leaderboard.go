// The leaderboard, at the top of the page.

package page

import (
	"fmt"
	"slices"
	"strings"

	"mcp-trade/market"
	"mcp-trade/report"
	"mcp-trade/report/chart"
)

// overview is what the page shows before an account is opened: the leaderboard and the curves.
type overview struct {
	Title      string         `json:"title"`
	Lead       string         `json:"lead"`
	Note       string         `json:"note"`
	Warnings   []string       `json:"warnings,omitempty"`
	Columns    []string       `json:"columns"` // heads of the cells
	Verified   bool           `json:"verified,omitempty"`
	Rows       []boardRow     `json:"rows"` // in the order of their ranks
	Benchmark  *boardRow      `json:"benchmark,omitempty"`
	Days       []market.Stamp `json:"days"`
	Charts     []plot         `json:"charts"`
	Forests    []forest       `json:"forests,omitempty"`
	Matrix     bool           `json:"matrix,omitempty"` // accounts have correlations
	Trades     int            `json:"trades"`           // of all accounts
	TradesNote string         `json:"tradesNote"`
	Prices     string         `json:"prices"` // version of the prices
}

// boardRow is a row of the leaderboard.
type boardRow struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	look
	Version string       `json:"version"` // of the account's details
	From    market.Stamp `json:"from"`    // its opening
	To      market.Stamp `json:"to"`      // its last day
	Rank    string       `json:"rank"`    // "–" of an account whose ledger is not verified
	Mark    string       `json:"mark,omitempty"`
	Ledger  string       `json:"ledger,omitempty"`
	Cells   []cell       `json:"cells"`
}

// cell is a figure as text, with what it is sorted by.
type cell struct {
	Text  string        `json:"text"`
	Value report.Number `json:"v"`
	Class string        `json:"class,omitempty"`
	Small string        `json:"small,omitempty"` // a line below it
}

// boardKeys are the figures of the leaderboard, as far as a report has them.
var boardKeys = [...]report.Key{report.TotalReturn, report.ExcessReturn, report.End, report.Sharpe, report.MaxDrawdown, report.WinningDays}

// newOverview lists the accounts of a report in the order of their ranks, and draws their curves.
func newOverview(s Data, accounts map[string]details, looks chart.Looks) overview {
	r := s.Report
	from, to := chart.Extent(r)
	b := overview{Title: inert(titleOf(r)), Columns: []string{}, Rows: []boardRow{}, TradesNote: s.TradesNote}
	for _, text := range r.Warnings {
		b.Warnings = append(b.Warnings, inert(text))
	}
	for _, key := range boardKeys {
		if column := report.MetricOf(key).ColumnFor(r); column != "" {
			b.Columns = append(b.Columns, inert(capital(column)))
		}
	}
	b.Columns = append(b.Columns, "Days", "Trades")
	b.Lead = dateRange(from, to)
	if r.Benchmark != nil {
		b.Lead += ", benchmark " + inert(r.Benchmark.Name)
	}
	b.Lead += "."
	if to == "" {
		b.Lead = "There is nothing to show yet."
	}
	for i, a := range r.Accounts {
		row := newBoardRow(a, r, i+1)
		if n := len(a.Periods); n > 0 {
			row.From, row.To = a.Opening.Date, a.Periods[n-1].Date
		}
		row.look, row.Version = newLook(looks[a.Signature]), accounts[a.Signature].version
		b.Verified = b.Verified || a.Ledger != nil
		b.Trades += a.TradeCount
		b.Rows = append(b.Rows, row)
	}
	b.Note = "Each account after the close of each trading day, each holding at its last known close."
	if r.Universe != "" {
		b.Note += " " + inert(r.Universe)
	}
	if r.RiskFree != 0 {
		b.Note += fmt.Sprintf(" Risk-free rate: %s a year.", percent(report.Known(r.RiskFree)))
	}
	b.draw(r, looks)
	b.Forests = forestsOf(r, looks)
	b.Matrix = slices.ContainsFunc(r.Pairs, func(c report.Comparison) bool { return c.Correlation.Known() })
	return b
}

func newBoardRow(a report.Account, r report.Report, rank int) boardRow {
	m := a.Metrics
	row := boardRow{ID: accountID(a), Name: inert(a.Signature), Rank: count(rank), Mark: a.Mark()}
	if !a.Ranked() {
		row.Rank = unknown
	}
	if a.Ledger != nil {
		row.Ledger = string(a.Ledger.Verdict)
	}
	for _, key := range boardKeys {
		x := report.MetricOf(key)
		if x.ColumnFor(r) == "" {
			continue
		}
		c := cell{Text: metricText(m.Value(key), x.Unit, 2), Value: m.Value(key)}
		switch key {
		case report.TotalReturn:
			c.Class = strings.TrimSpace("main " + sign(c.Value))
		case report.End:
			c.Small = valueDate(a)
		case report.ExcessReturn:
			c.Small = a.BenchmarkDays()
		}
		row.Cells = append(row.Cells, c)
	}
	whole := func(n int) cell { return cell{Text: count(n), Value: report.Known(float64(n))} }
	row.Cells = append(row.Cells, whole(len(a.Periods)), whole(m.Trades))
	return row
}

// draw adds the total returns and the drawdowns of all accounts, and the row of the benchmark.
func (b *overview) draw(r report.Report, looks chart.Looks) {
	equity := plot{ID: "equity", Title: "Total return", Table: "Total return by day", Text: "Since the opening of each account."}
	drawdown := plot{ID: "drawdown", Title: "Drawdown", Table: "Drawdown by day", Text: "How far each account was below its peak so far."}
	returns, falls := chart.Equity(r, looks), chart.Drawdown(r, looks)
	if r.Benchmark != nil {
		equity.Text = fmt.Sprintf("Since the opening of each account, with %s since the first of them.", inert(r.Benchmark.Name))
		last := lastValue(returns, chart.BenchmarkKey)
		b.Benchmark = &boardRow{Name: inert(r.Benchmark.Name), look: newLook(chart.Benchmark), Cells: make([]cell, len(b.Columns))}
		b.Benchmark.Cells[0] = cell{Text: signedPercent(last), Value: last, Class: strings.TrimSpace("main " + sign(last))}
	}
	days := newCalendar(returns, falls)
	b.Days, b.Charts = days.Days, []plot{}
	if b.Days == nil {
		b.Days = []market.Stamp{}
	}
	for _, p := range []struct {
		plot
		from chart.Plot
	}{{equity, returns}, {drawdown, falls}} {
		if !p.from.Empty() {
			p.fill(p.from, days, 1e6)
			slices.SortFunc(p.Lines, func(a, b curve) int { return strings.Compare(a.Key, b.Key) }) // as trades, not by rank
			b.Charts = append(b.Charts, p.plot)
		}
	}
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

// pairsOf are the comparisons of accounts with each other.
func pairsOf(r report.Report) []report.Comparison {
	all := []report.Comparison{}
	for _, c := range r.Pairs {
		c.Account, c.Against, c.Undefined = inert(c.Account), inert(c.Against), inert(c.Undefined)
		all = append(all, c)
	}
	return all
}
