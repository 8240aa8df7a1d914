package page

// The drawings, read back from the page: each line is the series of the account whose key it has, and nobody else's.

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"mcp-trade/market"
	"mcp-trade/report"
	"mcp-trade/report/chart"
	"mcp-trade/report/page/pagetest"
)

// element is an element of a page's drawing or legend.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []element  `xml:",any"`
}

func (e element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// all lists the elements of a name below this one.
func (e element) all(name string) []element {
	var list []element
	for _, child := range e.Children {
		if child.XMLName.Local == name {
			list = append(list, child)
		}
		list = append(list, child.all(name)...)
	}
	return list
}

// parts reads the parts of a page that a pattern finds.
func parts(t *testing.T, page, pattern string) []element {
	t.Helper()
	var list []element
	for _, text := range regexp.MustCompile(pattern).FindAllString(page, -1) {
		var e element
		if err := xml.Unmarshal([]byte(text), &e); err != nil {
			t.Fatalf("%v in %.300s", err, text)
		}
		list = append(list, e)
	}
	return list
}

// drawnLines reads the lines of a drawing: by key, what each is worth by the place of its day, as the labels of the axis tell. Places are
// drawn to a tenth of a pixel, and so exactly values are known.
func drawnLines(t *testing.T, svg element, days int) (lines map[string]map[int]float64, exact float64) {
	t.Helper()
	const rounded = 0.15 // pixels, for a place and those of the labels that it is read by
	number := func(text string) float64 {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	var heights, figures []float64
	for _, label := range svg.all("text") {
		if figure, ok := strings.CutSuffix(label.Text, " %"); ok {
			heights = append(heights, number(label.attr("y")))
			figures = append(figures, number(strings.Replace(figure, "−", "-", 1))/100)
		}
	}
	n := len(heights) - 1
	if n < 1 {
		t.Fatal("the axis has no two labels")
	}
	scale := (figures[n] - figures[0]) / (heights[n] - heights[0])
	shift := 13.0 / 3 // a label stands that much below its rule
	first, last := number(svg.attr("data-first")), number(svg.attr("data-last"))
	lines = map[string]map[int]float64{}
	for _, group := range svg.all("g") {
		key := group.attr("data-key")
		if key == "" {
			continue
		}
		if lines[key] != nil {
			t.Errorf("two lines have the key %q", key)
		}
		lines[key] = map[int]float64{}
		add := func(x, y float64) {
			at := (x - first) / (last - first) * float64(days-1)
			if math.Abs(at-math.Round(at)) > rounded/(last-first)*float64(days-1) {
				t.Errorf("%s has a point between two days, at %v", key, at)
			}
			lines[key][int(math.Round(at))] = figures[0] + (y+shift-heights[0])*scale
		}
		for _, path := range group.all("path") {
			for _, at := range regexp.MustCompile(`[ML](-?[0-9.]+) (-?[0-9.]+)`).FindAllStringSubmatch(path.attr("d"), -1) {
				add(number(at[1]), number(at[2]))
			}
		}
		for _, dot := range group.all("circle") {
			add(number(dot.attr("cx")), number(dot.attr("cy")))
		}
	}
	return lines, rounded * math.Abs(scale)
}

// returns are an account's total returns by day, and its falls, computed from what the report holds.
func returns(a report.Account) (returns, falls map[market.Stamp]float64) {
	returns, falls = map[market.Stamp]float64{}, map[market.Stamp]float64{}
	start, high := a.Opening.Value.Float(), a.Opening.Value.Float()
	returns[a.Opening.Date] = 0
	for _, p := range a.Periods {
		if p.Value.Known() {
			high = max(high, p.Value.Float())
			returns[p.Date], falls[p.Date] = (p.Value.Float()-start)/start, (p.Value.Float()-high)/high
		}
	}
	return returns, falls
}

// manyNames are names of accounts, first those that are called like benchmarks, or differ in nothing but case.
func manyNames(n int) []string {
	names := []string{"equal-weight", "AAPL", "aapl", "QQQ", "benchmark", "account", "a.b_c-1"}
	for len(names) < n {
		names = append(names, fmt.Sprint("model-", len(names)))
	}
	return names[:n]
}

// drawnSeries opens pages of accounts that are called like benchmarks, or differ in nothing but case, and holds each drawing against the
// report.
func drawnSeries(t *testing.T, browser pagetest.Browser) {
	for _, c := range []struct {
		accounts  int
		benchmark string
	}{{1, "equal-weight"}, {6, "AAPL"}, {20, "QQQ"}, {20, ""}} {
		t.Run(fmt.Sprint(c.accounts, " accounts beside ", c.benchmark), func(t *testing.T) {
			s := newBourse(t, manyNames(c.accounts)...).season(t).subject(t)
			if s.Report.Benchmark.Name = c.benchmark; c.benchmark == "" {
				s.Report.Benchmark = nil
			}
			gap := &s.Report.Accounts[0].Periods[9]
			gap.Value, gap.Drawdown = report.Number{}, report.Number{}
			tab := opened(t, browser, pagetest.Desktop, file(t, s))
			tab.Do(chromedp.Evaluate[chromedp.Void](`change({keys: topKeys(Infinity)})`))
			tab.Picture(fmt.Sprint("many-", c.accounts))
			readBack(t, s.Report, tab)
			tells(t, s.Report, tab)
			// So are the trades that a link names: of one account, whatever others are called.
			tab.Do(chromedp.Evaluate[chromedp.Void](`location.hash = "#t-AAPL-1"`))
			tab.Wait(`filter.text === "t-AAPL-1" || !overview.rows.some(row => row.name === "AAPL")`)
			if names := columnOf(tab, "Account"); c.accounts > 1 && !slices.Equal(names, []string{"AAPL"}) {
				t.Errorf("a link to a trade of AAPL shows those of %q", names)
			}
		})
	}
}

// oddAccounts draws accounts of which little is known beside one that has all.
func oddAccounts(t *testing.T, browser pagetest.Browser) {
	s := newBourse(t, "steady", "empty", "once", "unknown").season(t).subject(t)
	for i := range s.Report.Accounts {
		a := &s.Report.Accounts[i]
		days := map[string]int{"steady": len(a.Periods), "once": 1, "unknown": 1}[a.Signature]
		a.Periods = a.Periods[:days]
		for j, part := range a.Allocation.Parts {
			a.Allocation.Parts[j] = part[:days]
		}
		switch a.Signature {
		case "empty":
			*a = report.Account{Signature: a.Signature, Market: a.Market, Opening: a.Opening}
		case "unknown":
			a.Periods[0].Value, a.Periods[0].Drawdown = report.Number{}, report.Number{}
		}
	}
	tab := opened(t, browser, pagetest.Desktop, file(t, s))
	openAll(tab)
	tab.Picture("odd")
	readBack(t, s.Report, tab)
	for _, finding := range tab.Axe() {
		t.Error(finding)
	}
}

// tells holds what the tip tells of a day against the report.
func tells(t *testing.T, r report.Report, tab *pagetest.Tab) {
	t.Helper()
	const day = 30
	tab.Do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`(p => { p.focus(); for (const key of ["Home", ...Array(%d).fill("ArrowRight")]) p.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true})) })
		(document.querySelector("#equity .plot"))`, day)))
	tips := pagetest.Eval[[]string](tab, `[...document.querySelectorAll("#equity .tip > *")].map(e => (e.dataset.key || "") + "|" + [...e.querySelectorAll("span")].map(x => x.textContent).join("|"))`)
	for _, a := range r.Accounts {
		p := a.Periods[day-1]
		want := chart.AccountKey(a.Signature) + "|" + a.Signature + "|" + signedPercent(report.Known(p.Value.Float()/a.Opening.Value.Float()-1))
		if !slices.Contains(tips, want) {
			t.Errorf("on %s the tip does not tell %q:\n%q", p.Date, want, tips)
		}
	}
}

// readBack holds the curves of a page against a report.
func readBack(t *testing.T, r report.Report, tab *pagetest.Tab) {
	t.Helper()
	equity, drawdown := map[string]map[market.Stamp]float64{}, map[string]map[market.Stamp]float64{}
	names := map[string]string{}
	for _, a := range r.Accounts {
		key := chart.AccountKey(a.Signature)
		names[key] = a.Signature
		equity[key], drawdown[key] = returns(a)
	}
	if b := r.Benchmark; b != nil {
		names[chart.BenchmarkKey] = b.Name + " (benchmark)"
		equity[chart.BenchmarkKey] = map[market.Stamp]float64{}
		_, last := chart.Extent(r)
		for _, p := range b.Points {
			if p.Date <= last {
				equity[chart.BenchmarkKey][p.Date] = p.Value.Float()/b.Points[0].Value.Float() - 1
			}
		}
	}
	looks := looksOfFile(t, r)
	for id, want := range map[string]map[string]map[market.Stamp]float64{"equity": equity, "drawdown": drawdown} {
		var days []market.Stamp
		for _, series := range want {
			days = slices.AppendSeq(days, maps.Keys(series))
		}
		for _, a := range r.Accounts {
			for _, p := range a.Periods { // some of which are gaps
				days = append(days, p.Date)
			}
		}
		slices.Sort(days)
		days = slices.Compact(days)
		svg := parts(t, pagetest.Eval[string](tab, fmt.Sprintf(`document.querySelector("#%s .drawing svg").outerHTML`, id)), `(?s)<svg.*</svg>`)[0]
		lines, exact := drawnLines(t, svg, len(days))
		if len(lines) != len(want) {
			t.Errorf("%s has %d lines, want %d", id, len(lines), len(want))
		}
		for key, series := range want {
			if len(lines[key]) != len(series) {
				t.Errorf("%s of %s has %d points, want %d", id, key, len(lines[key]), len(series))
			}
			for i, day := range days {
				value, ok := series[day]
				if drawn, there := lines[key][i]; there != ok || math.Abs(drawn-value) > exact {
					t.Errorf("%s of %s on %s is drawn at %v (%v), want %v (%v)", id, key, day, drawn, there, value, ok)
					break
				}
			}
		}
		// The line, its swatches in legend and leaderboard, and the chart of the file have one look.
		type shown struct{ Key, Name, Line, Legend, Board string }
		for _, x := range pagetest.Eval[[]shown](tab, fmt.Sprintf(`(() => {
			const look = (e) => e ? getComputedStyle(e).color + " " + (e.querySelector("[stroke-dasharray]") || e).getAttribute("stroke-dasharray") : "";
			const line = (g) => getComputedStyle(g.querySelector("path.line, .fill"))[g.querySelector("path.line") ? "stroke" : "fill"] + " " + g.getAttribute("stroke-dasharray");
			return [...document.querySelectorAll("#%s .drawing [data-key]")].filter(g => g.firstChild).map(g => {
				const li = [...document.querySelectorAll("#controls .legend li")].find(li => li.dataset.key === g.dataset.key);
				const row = overview.rows.find(row => keyOf(row) === g.dataset.key);
				return {Key: g.dataset.key, Name: li.querySelector("button").textContent, Line: line(g), Legend: look(li.querySelector(".swatch")),
					Board: look(row ? document.getElementById("rank-" + row.id).querySelector(".swatch") : document.querySelector("#board .bench .swatch"))};
			})})()`, id)) {
			if x.Name != names[x.Key] || x.Line != x.Legend || x.Line != x.Board || x.Line != looks[x.Key] {
				t.Errorf("%s of %s: %+v, in the file %s", id, x.Key, x, looks[x.Key])
			}
		}
	}
}

// looksOfFile are the colours and dashes of lines in the chart that is written to a file, as a browser tells them.
func looksOfFile(t *testing.T, r report.Report) map[string]string {
	t.Helper()
	file, err := chart.Equity(r, chart.LooksOf(r.Accounts, nil)).File(chart.SVG, chart.Size{Width: 1200, Height: 600}, "")
	if err != nil {
		t.Fatal(err)
	}
	var svg element
	if err := xml.Unmarshal(file, &svg); err != nil {
		t.Fatal(err)
	}
	looks, seen := map[string]string{}, map[string]string{}
	for _, group := range svg.all("g") {
		key := group.attr("data-key")
		if key == "" {
			continue
		}
		var red, green, blue int
		if _, err := fmt.Sscanf(group.attr("stroke"), "#%02x%02x%02x", &red, &green, &blue); err != nil {
			t.Fatal(err)
		}
		looks[key] = fmt.Sprintf("rgb(%d, %d, %d) ", red, green, blue) + cmp.Or(group.attr("stroke-dasharray"), "null")
		if other := seen[looks[key]]; other != "" {
			t.Errorf("%s and %s both look %s", key, other, looks[key])
		}
		seen[looks[key]] = key
	}
	return looks
}

// A symbol can be called like what an allocation calls its other parts: lines have keys of their own.
func TestWrite_AllocationKeys(t *testing.T) {
	a := report.Account{Signature: "odd", Market: market.US, Periods: []report.Period{{Date: "2025-10-02", Value: report.Known(1)}, {Date: "2025-10-03", Value: report.Known(1)}}}
	a.Allocation.Names = []string{"CASH", "other", "CASH", "other"}
	for range a.Allocation.Names {
		a.Allocation.Parts = append(a.Allocation.Parts, []report.Number{report.Known(0.25), report.Known(0.2)})
	}
	var data detailsData
	if err := json.Unmarshal(pagetest.Parts(t, written(t, Data{Report: report.Report{Accounts: []report.Account{a}}}))["account-odd"], &struct{ Days *[]market.Stamp }{&data.Days}); err != nil {
		t.Fatal(err)
	}
	d, err := newDetails(a, Data{})
	if err != nil || len(data.Days) != 2 {
		t.Fatal(err, data.Days)
	}
	p := newAllocation(d.account, "account-odd")
	p.fill(p.from, newCalendar(p.from), p.scale)
	keys := map[string]bool{}
	for _, l := range p.Lines {
		keys[l.Key] = true
		if text, _ := l.Values.MarshalJSON(); string(text) != "[250,-50]" {
			t.Errorf("%s is written %s", l.Key, text)
		}
	}
	if len(keys) != 4 {
		t.Errorf("the parts have the keys %v", keys)
	}
}

// Values are differences to the one before; what is unknown is null, a day that a line does not have is false, and what is too large is rounded.
func TestPlot_Fill(t *testing.T) {
	known := report.Known
	short := chart.Line{Key: "short", Points: []report.Point{{Date: "2025-10-02", Value: known(0.5)}, {Date: "2025-10-04"}, {Date: "2025-10-05", Value: known(-0.25)}}}
	long := chart.Line{Key: "long", Points: []report.Point{{Date: "2025-10-01", Value: known(1)}, {Date: "2025-10-03", Value: known(1)}}}
	from := chart.Plot{Lines: []chart.Line{short, long}}
	var p plot
	p.fill(from, newCalendar(from), 1000)
	for i, want := range []string{"[500,false,null,-750]", "[1000,false,0]"} {
		if text, _ := p.Lines[i].Values.MarshalJSON(); string(text) != want || p.Lines[i].From != 1-i {
			t.Errorf("%s is written %s from %d, want %s", p.Lines[i].Key, text, p.Lines[i].From, want)
		}
	}
	from.Lines[0].Points[0].Value = known(1e300)
	if p.fill(from, newCalendar(from), 1e6); p.Lines[0].Scale > 1e-280 || p.Lines[0].Values[0] > 1<<52 {
		t.Errorf("1e300 is written %v of 1/%v", p.Lines[0].Values[0], p.Lines[0].Scale)
	}
}
