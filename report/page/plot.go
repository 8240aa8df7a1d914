// Plots as data: what the script draws them from.

package page

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"mcp-trade/market"
	"mcp-trade/report"
	"mcp-trade/report/chart"
)

// plot is a chart.
type plot struct {
	ID     string  `json:"id"`
	Title  string  `json:"title"`
	Text   string  `json:"text"` // what it shows, in a sentence or two
	Table  string  `json:"table"`
	Kind   string  `json:"kind"`             // return, underwater, stack or ratio
	Small  bool    `json:"small,omitempty"`  // one of several beside each other
	Legend bool    `json:"legend,omitempty"` // with a legend of its own
	Lines  []curve `json:"lines"`
}

// look is how a line is drawn: the class of its colour, and its dashes.
type look struct {
	Class  string `json:"class"`
	Dashes string `json:"dashes,omitempty"`
}

// curve is a line. Its values are whole numbers of 1/Scale, the first that of the day at From.
type curve struct {
	Key  string `json:"key"`
	Name string `json:"name"`
	look
	Scale  float64     `json:"scale"`
	From   int         `json:"from,omitempty"`
	Values differences `json:"v"`
}

func newLook(l chart.Look) look { return look{l.Class(), dashText(l.Dashes())} }

// dashText writes the lengths of dashes as SVG has them.
func dashText(lengths []float64) string {
	var texts []string
	for _, n := range lengths {
		texts = append(texts, strconv.FormatFloat(n, 'f', -1, 64))
	}
	return strings.Join(texts, " ")
}

// kinds are the names of the kinds, by which the script knows them.
var kinds = map[chart.Kind]string{chart.Return: "return", chart.Underwater: "underwater", chart.Stacked: "stack"}

// calendar gives the days of several plots their places.
type calendar struct {
	Days []market.Stamp
	at   map[market.Stamp]int
}

func newCalendar(plots ...chart.Plot) calendar {
	var c calendar
	for _, p := range plots {
		c.Days = append(c.Days, p.Days()...)
	}
	slices.Sort(c.Days)
	c.Days = slices.Compact(c.Days)
	c.at = make(map[market.Stamp]int, len(c.Days))
	for i, d := range c.Days {
		c.at[d] = i
	}
	return c
}

// fill makes the lines of a plot, with values rounded to 1/scale, or coarser if they are too large for that.
func (p *plot) fill(from chart.Plot, days calendar, scale float64) {
	if p.Kind == "" {
		p.Kind = kinds[from.Kind]
	}
	p.Lines = []curve{}
	for _, l := range from.Lines {
		p.Lines = append(p.Lines, newCurve(l, days, scale))
	}
}

func newCurve(l chart.Line, days calendar, scale float64) curve {
	const exact = 1 << 52 // whole numbers up to here are exact, and so are their differences
	for _, x := range l.Points {
		for scale > 1e-300 && math.Abs(x.Value.Float())*scale > exact {
			scale /= 10
		}
	}
	c := curve{Key: l.Key, Name: inert(l.Name), look: newLook(l.Look), Scale: scale, Values: differences{}}
	for i, x := range l.Points {
		at := days.at[x.Date]
		if i == 0 {
			c.From = at
		}
		for len(c.Values) < at-c.From {
			c.Values = append(c.Values, absent)
		}
		value := math.Inf(1)
		if x.Value.Known() {
			value = math.Round(x.Value.Float() * scale)
		}
		c.Values = append(c.Values, value)
	}
	return c
}

// prices are the closes of all symbols whose trades are drawn, by symbol, each once for all accounts.
type prices struct {
	Days  []market.Stamp `json:"days"`
	Lines []curve        `json:"lines"`
}

func pricesOf(s Data) prices {
	all := prices{Days: []market.Stamp{}, Lines: []curve{}}
	if s.Prices == nil {
		return all
	}
	symbols := map[string]bool{}
	from, to := chart.Extent(s.Report)
	for _, a := range s.Report.Accounts {
		drawn, _ := drawnSymbols(a)
		for _, symbol := range drawn {
			symbols[symbol] = true
		}
	}
	var p chart.Plot
	for _, symbol := range slices.Sorted(maps.Keys(symbols)) {
		p.Lines = append(p.Lines, chart.Line{Key: inert(symbol), Name: "close", Points: s.Prices(symbol, from, to).Points})
	}
	days := newCalendar(p)
	all.Days = append(all.Days, days.Days...)
	for _, l := range p.Lines {
		scale := 1e2 // as prices are written, see price
		if slices.ContainsFunc(l.Points, func(x report.Point) bool { return math.Abs(x.Value.Float()) < 1 }) {
			scale = 1e6
		}
		all.Lines = append(all.Lines, newCurve(l, days, scale))
	}
	return all
}

// differences are whole numbers that are written as the difference to the one before, which takes fewer digits. What is infinite is
// unknown, and written null.
type differences []float64

// absent is written false: the line does not have the day.
var absent = math.Inf(-1)

func (d differences) MarshalJSON() ([]byte, error) {
	out, last := []byte{'['}, 0.0
	for i, value := range d {
		if i > 0 {
			out = append(out, ',')
		}
		switch {
		case value == absent:
			out = append(out, "false"...)
		case math.IsInf(value, 1):
			out = append(out, "null"...)
		default:
			out = strconv.AppendFloat(out, value-last, 'f', -1, 64)
			last = value
		}
	}
	return append(out, ']'), nil
}

// forest is a forest plot.
type forest struct {
	ID   string      `json:"id"`
	Name string      `json:"name"`
	Rows []forestRow `json:"rows"`
}

// forestRow is a figure with its 95 % interval. Told says that it is told from 0 among all of them.
type forestRow struct {
	Key  string `json:"key"`
	Name string `json:"name"`
	look
	Ahead    report.Number   `json:"v"`
	Interval report.Interval `json:"interval"`
	Adjusted report.Number   `json:"p"`
	Returns  int             `json:"returns"`
	Told     bool            `json:"told,omitempty"`
}

func forestsOf(r report.Report, looks chart.Looks) (all []forest) {
	for _, from := range chart.Forests(r, looks) {
		f := forest{ID: from.Key, Name: inert(from.Title)}
		for _, x := range from.Rows {
			f.Rows = append(f.Rows, forestRow{inert(x.Name), inert(x.Name), newLook(x.Look), x.Ahead, x.AheadInterval, x.Adjusted, x.Returns, x.Told()})
		}
		all = append(all, f)
	}
	return all
}
