// Package paper writes a report for people who cite it: the leaderboard as a table in LaTeX, Markdown and CSV, and a paragraph on how the
// figures came about. The terminal shows the same leaderboard.
package paper

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mcp-trade/decimal"
	"mcp-trade/internal/format"
	"mcp-trade/ledger"
	"mcp-trade/report"
)

// Board is a leaderboard.
type Board struct {
	Columns []Column
	Rows    []Row
}

// Column is a column of a leaderboard.
type Column struct {
	Name string // by which it is asked for: the key of a metric, or one of Others
	Head string // for readers
	Text bool   // it holds no numbers, and is aligned to the left

	title string                             // in full, of a figure
	write func(report.Account) string        // for readers
	exact func(report.Account) string        // for programs; "" is not known
	order func(report.Account) report.Number // what --sort goes by; nil: by the text
	gain  bool                               // above 0 is good, below 0 bad
}

// Row is an account of a leaderboard.
type Row struct {
	Account report.Account
	Cells   []string // for readers, one for each column
	Exact   []string // the same for programs
}

// Signs tell of each cell whether it holds a gain (1) or a loss (-1).
func (b Board) Signs(row int) []int {
	signs := make([]int, len(b.Columns))
	for i, c := range b.Columns {
		if c.gain {
			signs[i] = cmp.Compare(c.order(b.Rows[row].Account).Float(), 0)
		}
	}
	return signs
}

// Others are the columns that are no metrics, by their names.
const Others = "rank, account, days, trades, ledger, oldest_close, curve"

// Options say what a leaderboard shows.
type Options struct {
	Columns []string // by their names or heads; none are those that the report has something to tell in
	Sort    string   // the name of a column, the highest first; with ":asc" the lowest; "" is the order of the report
	Top     int      // rows; 0 are all
	Told    bool     // leave out columns in which no account has a value, unless Columns names them
	Curve   bool     // draw the values of each account in a column, unless Columns says otherwise
}

// Of makes the leaderboard of a report. Its errors name a column that there is none of.
func Of(r report.Report, o Options) (Board, error) {
	places := map[string]string{}
	for i, a := range r.Accounts {
		places[a.Signature] = "-"
		if a.Ranked() {
			places[a.Signature] = strconv.Itoa(i + 1)
		}
	}
	columns, usual := columnsOf(r, places, o.Curve)
	find := func(name string) (Column, error) {
		for _, c := range columns {
			title := strings.ReplaceAll(name, "_", " ")
			if c.Name == name || strings.EqualFold(c.Head, title) || strings.EqualFold(c.title, title) {
				return c, nil
			}
		}
		return Column{}, fmt.Errorf("there is no column %q: use %s, or a figure by its key or title, such as sharpe", name, Others)
	}
	b := Board{Columns: usual}
	if len(o.Columns) > 0 {
		b.Columns = nil
	}
	for _, name := range o.Columns {
		c, err := find(name)
		if err != nil {
			return Board{}, err
		}
		b.Columns = append(b.Columns, c)
	}
	accounts := slices.Clone(r.Accounts)
	if o.Sort != "" {
		name, way, _ := strings.Cut(o.Sort, ":")
		c, err := find(name)
		if err == nil && way != "" && way != "asc" && way != "desc" {
			err = fmt.Errorf("%q: write %s:asc or %s:desc", o.Sort, name, name)
		}
		if err != nil {
			return Board{}, err
		}
		c.sort(accounts, way == "asc")
	}
	if o.Top > 0 {
		accounts = accounts[:min(o.Top, len(accounts))]
	}
	for _, a := range accounts {
		row := Row{Account: a}
		for _, c := range b.Columns {
			row.Cells, row.Exact = append(row.Cells, c.write(a)), append(row.Exact, c.exact(a))
		}
		b.Rows = append(b.Rows, row)
	}
	for i := len(b.Columns) - 1; o.Told && len(o.Columns) == 0 && i >= 0; i-- {
		if !slices.ContainsFunc(b.Rows, func(row Row) bool { return row.Cells[i] != "-" }) {
			b = b.without(i)
		}
	}
	return b, nil
}

// sort orders accounts by the column. Those without a value come last either way.
func (c Column) sort(accounts []report.Account, ascending bool) {
	sign := map[bool]int{true: 1, false: -1}[ascending]
	slices.SortStableFunc(accounts, func(a, b report.Account) int {
		if c.order == nil {
			return sign * strings.Compare(c.exact(a), c.exact(b))
		}
		x, y := c.order(a), c.order(b)
		if x.Known() != y.Known() {
			return map[bool]int{true: -1, false: 1}[x.Known()]
		}
		return sign * cmp.Compare(x.Float(), y.Float())
	})
}

// columnsOf are all columns, and the usual ones of a report, in their order.
func columnsOf(r report.Report, places map[string]string, curve bool) (all, usual []Column) {
	text := func(name, head string, of func(report.Account) string) Column {
		return Column{Name: name, Head: head, Text: true, write: of, exact: of}
	}
	count := func(name, head string, of func(report.Account) int) Column {
		number := func(a report.Account) report.Number { return report.Known(float64(of(a))) }
		write := func(a report.Account) string { return strconv.Itoa(of(a)) }
		return Column{Name: name, Head: head, write: write, exact: write, order: number}
	}
	rank := text("rank", "#", func(a report.Account) string { return places[a.Signature] })
	rank.Text = false
	usual = append(usual, rank,
		text("account", "account", func(a report.Account) string { return strings.TrimSpace(a.Signature + " " + a.Mark()) }),
		count("days", "days", func(a report.Account) int { return len(a.Periods) }),
		count("trades", "trades", func(a report.Account) int { return a.Metrics.Trades }))
	all = slices.Clone(usual)
	for _, x := range report.MetricTable() {
		c := metricColumn(x)
		if head := x.ColumnFor(r); head != "" {
			c.Head = head
			usual = append(usual, c)
		}
		all = append(all, c)
	}
	curves := text("curve", "curve", func(a report.Account) string { return Curve(a, curveWidth) })
	verdict := text("ledger", "ledger", func(a report.Account) string { return string(verdictOf(a)) })
	oldest := text("oldest_close", "oldest close", oldestClose)
	if usual = append(usual, verdict); slices.ContainsFunc(r.Accounts, func(a report.Account) bool { return a.Metrics.EndStale != nil }) {
		usual = append(usual, oldest)
	}
	if curve {
		usual = append(usual, curves)
	}
	return append(all, verdict, oldest, curves), usual
}

func metricColumn(x report.Metric) Column {
	value := func(a report.Account) report.Number { return a.Metrics.Value(x.Key) }
	return Column{
		Name: string(x.Key), Head: x.Name, title: x.Name, order: value, gain: x.Unit.Signed(),
		write: func(a report.Account) string { return Figure(a, x) },
		exact: func(a report.Account) string { return exact(value(a)) },
	}
}

func verdictOf(a report.Account) ledger.Verdict {
	if a.Ledger == nil {
		return ""
	}
	return a.Ledger.Verdict
}

// Figure writes a figure of an account. Where the value of the last day is not known, the last value has its date.
func Figure(a report.Account, x report.Metric) string {
	n := a.Metrics.Value(x.Key)
	switch {
	case !n.Known():
		return "-"
	case x.Unit == report.Money:
		text := format.Money(decimal.NewFromFloat(n.Float()))
		if i := len(a.Periods) - 1; x.Key == report.End && i >= 0 && !a.Periods[i].Value.Known() {
			return fmt.Sprintf("%s (%s)", text, a.Metrics.Figure(x.Key).Date)
		}
		return text
	case x.Unit == report.Points:
		return report.Known(n.Float()*100).Text(2) + " pp" + bracketed(a.BenchmarkDays())
	case x.Unit == report.Change || x.Unit == report.Part:
		return report.Known(n.Float()*100).Text(2) + " %"
	case x.Unit == report.Ratio:
		return n.Text(2)
	}
	return n.Text(0)
}

func bracketed(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

// exact writes a number with all its digits, "" if it is not known.
func exact(n report.Number) string {
	if !n.Known() {
		return ""
	}
	return strconv.FormatFloat(n.Float(), 'f', -1, 64)
}

// oldestClose is the oldest close that the last value of an account counts, if it is of an earlier day.
func oldestClose(a report.Account) string {
	if a.Metrics.EndStale == nil {
		return "-"
	}
	return a.Metrics.EndStale.Age()
}

// optional are the columns that are left out where there is too little room for them, the most important one first. The others stay.
var optional = []string{
	"end", "sharpe", "max_drawdown", "excess_return", "ledger", "fees", "days", "curve", "volatility", "annual_return", "beta", "alpha", "trades",
	"winning_days", "winning_trades", "oldest_close",
}

// Fit leaves out columns until the rest is no wider than so many characters, by a function that measures texts. A column that is left out
// makes room for less important ones that are narrower. It returns the heads of those that are left out.
func (b Board) Fit(width, gap int, measure func(string) int) (fitting Board, left []string) {
	room := width - b.Width(gap, measure)
	for i, c := range b.Columns {
		if slices.Contains(optional, c.Name) {
			room += gap + b.WidthOf(i, measure)
		}
	}
	for _, name := range optional {
		i := slices.IndexFunc(b.Columns, func(c Column) bool { return c.Name == name })
		if i < 0 {
			continue
		}
		if wide := gap + b.WidthOf(i, measure); wide <= room {
			room -= wide
			continue
		}
		left = append(left, b.Columns[i].Head)
		b = b.without(i)
	}
	return b, left
}

// Width is how wide the columns are, with a gap after each but the last.
func (b Board) Width(gap int, measure func(string) int) int {
	total := -gap
	for i := range b.Columns {
		total += gap + b.WidthOf(i, measure)
	}
	return total
}

// WidthOf is how wide a column is.
func (b Board) WidthOf(column int, measure func(string) int) int {
	wide := measure(b.Columns[column].Head)
	for _, row := range b.Rows {
		wide = max(wide, measure(row.Cells[column]))
	}
	return wide
}

func (b Board) without(column int) Board {
	rest := Board{Columns: slices.Delete(slices.Clone(b.Columns), column, column+1)}
	for _, row := range b.Rows {
		row.Cells = slices.Delete(slices.Clone(row.Cells), column, column+1)
		row.Exact = slices.Delete(slices.Clone(row.Exact), column, column+1)
		rest.Rows = append(rest.Rows, row)
	}
	return rest
}

// curveWidth is how many characters a curve has.
const curveWidth = 16

// Curve draws the values of an account in so many characters, from the lowest to the highest. A day without a value is a blank.
func Curve(a report.Account, width int) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	n := len(a.Periods)
	if n == 0 {
		return ""
	}
	low, high, any := 0.0, 0.0, false
	for _, p := range a.Periods {
		if v := p.Value; v.Known() && (!any || v.Float() < low) {
			low = v.Float()
		}
		if v := p.Value; v.Known() && (!any || v.Float() > high) {
			high = v.Float()
		}
		any = any || p.Value.Known()
	}
	width = min(width, n)
	curve := make([]rune, width)
	for i := range curve {
		curve[i] = ' '
		last := (i+1)*n/width - 1 // the last day of those that the character stands for
		if v := a.Periods[last].Value; v.Known() {
			level := 0
			if high > low {
				level = int((v.Float() - low) / (high - low) * float64(len(bars)-1))
			}
			curve[i] = bars[level]
		}
	}
	return string(curve)
}
