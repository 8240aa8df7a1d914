package page

// The drawings, read back from the page: each line is the series of the account whose key it has, and nobody else's.

import (
	"encoding/xml"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
	"mcp-trade/market"
	"mcp-trade/report"
	"mcp-trade/report/chart"
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

func (e element) words() string {
	text := e.Text
	for _, child := range e.Children {
		text += child.words()
	}
	return text
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

// figureOf cuts a figure out of a page.
func figureOf(t *testing.T, page, id string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `<figure id="`+id+`"`)
	figure, _, closed := strings.Cut(rest, "</figure>")
	if !ok || !closed {
		t.Fatalf("the page has no figure %s", id)
	}
	return figure
}

// drawnLines reads the lines of a drawing: by key, what each is worth by the place of its day, as the labels of the axis tell.
func drawnLines(t *testing.T, svg element, days int) map[string]map[int]float64 {
	t.Helper()
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
	lines := map[string]map[int]float64{}
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
			if math.Abs(at-math.Round(at)) > 0.05 {
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
	return lines
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

// names are as many accounts as there are, those that are called like benchmarks first.
func manyNames(n int) []string {
	names := []string{"equal-weight", "AAPL", "QQQ", "benchmark", "account", "a.b_c-1"}
	for len(names) < n {
		names = append(names, fmt.Sprint("model-", len(names)))
	}
	return names[:n]
}

// A drawn line is the series of its key.
func TestWrite_DrawnLines(t *testing.T) {
	testenv.Slow(t)
	for _, n := range []int{1, 3, 6, 20} {
		for _, benchmark := range []string{"equal-weight", "AAPL", "QQQ", ""} {
			t.Run(fmt.Sprint(n, " accounts beside ", benchmark), func(t *testing.T) {
				s := newBourse(t, manyNames(n)...).season(t).subject(t)
				if s.Report.Benchmark.Name = benchmark; benchmark == "" {
					s.Report.Benchmark = nil
				}
				gap := &s.Report.Accounts[0].Periods[9]
				gap.Value, gap.Drawdown = report.Number{}, report.Number{}
				readBack(t, s.Report, written(t, s))
			})
		}
	}
}

// readBack holds the curves of a page against a report.
func readBack(t *testing.T, r report.Report, page string) {
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
		last := r.Accounts[0].Periods[len(r.Accounts[0].Periods)-1].Date
		for _, a := range r.Accounts {
			last = max(last, a.Periods[len(a.Periods)-1].Date)
		}
		for _, p := range b.Points {
			if p.Date <= last {
				equity[chart.BenchmarkKey][p.Date] = p.Value.Float()/b.Points[0].Value.Float() - 1
			}
		}
	}
	looks := map[string]string{} // by key
	for id, want := range map[string]map[string]map[market.Stamp]float64{"equity": equity, "drawdown": drawdown} {
		figure := figureOf(t, page, id)
		var days []market.Stamp
		for _, series := range want {
			days = slices.AppendSeq(days, maps.Keys(series))
		}
		for _, p := range r.Accounts[0].Periods { // one of which is a gap
			days = append(days, p.Date)
		}
		slices.Sort(days)
		days = slices.Compact(days)
		svgs := parts(t, figure, `(?s)<div class="drawing [a-z]*"><svg.*?</svg></div>`)
		if len(svgs) != 2 {
			t.Fatalf("%s is drawn %d times", id, len(svgs))
		}
		for _, svg := range svgs {
			svg = svg.Children[0]
			lines := drawnLines(t, svg, len(days))
			if len(lines) != len(want) {
				t.Errorf("%s has %d lines, want %d", id, len(lines), len(want))
			}
			for key, series := range want {
				if len(lines[key]) != len(series) {
					t.Errorf("%s of %s has %d points, want %d", id, key, len(lines[key]), len(series))
				}
				for i, day := range days {
					value, ok := series[day]
					if drawn, there := lines[key][i]; there != ok || math.Abs(drawn-value) > 0.001 {
						t.Errorf("%s of %s on %s is drawn at %v (%v), want %v (%v)", id, key, day, drawn, there, value, ok)
						break
					}
				}
			}
			for _, group := range svg.all("g") {
				if key := group.attr("data-key"); key != "" {
					look := group.attr("class") + " " + group.attr("stroke") + " " + group.attr("stroke-dasharray")
					if looks[key] != "" && looks[key] != look {
						t.Errorf("%s of %s looks %q, elsewhere %q", id, key, look, looks[key])
					}
					looks[key] = look
				}
			}
		}
		checkLegend(t, id, figure, names, want, looks)
	}
	seen := map[string]string{}
	for key, look := range looks {
		if other := seen[look]; other != "" {
			t.Errorf("%s and %s both look %q", key, other, look)
		}
		seen[look] = key
	}
}

// checkLegend holds legend and table of a figure against the names of its lines.
func checkLegend[T any](t *testing.T, id, figure string, names map[string]string, lines map[string]T, looks map[string]string) {
	t.Helper()
	entries := parts(t, figure, `(?s)<li data-key=.*?</li>`)
	heads := parts(t, figure, `<th [^>]*data-key=[^>]*>[^<]*</th>`)
	if len(entries) != len(lines) || len(heads) != len(lines) {
		t.Errorf("%s has %d entries in its legend and %d columns, want %d", id, len(entries), len(heads), len(lines))
	}
	for _, e := range slices.Concat(entries, heads) {
		if key := e.attr("data-key"); e.words() != names[key] {
			t.Errorf("%s calls %s %q, want %q", id, key, e.words(), names[key])
		}
	}
	for _, e := range entries {
		key := e.attr("data-key")
		swatch := slices.Concat(e.all("i"), e.all("svg"))[0]
		class, dashes := strings.Fields(swatch.attr("class")), ""
		for _, group := range swatch.all("g") {
			dashes = group.attr("stroke-dasharray")
		}
		look := strings.Split(looks[key], " ")
		if class[len(class)-1] != look[0] || dashes != strings.Join(look[2:], " ") {
			t.Errorf("the swatch of %s in %s is %v with the dashes %q, the line is %q", key, id, class, dashes, looks[key])
		}
	}
}

// The page and the files give an account the same colour and dashes, however accounts rank.
func TestWrite_LooksOfAnAccount(t *testing.T) {
	s := newBourse(t, manyNames(20)...).season(t).subject(t)
	s.Report.Benchmark.Name = "AAPL"
	page := written(t, s)
	light := map[string]string{} // the page's colours
	for _, m := range regexp.MustCompile(`--(s\d|bench|cash): (#[0-9a-f]{6});`).FindAllStringSubmatch(content("page.css"), -1) {
		if light[m[1]] == "" {
			light[m[1]] = m[2]
		}
	}
	file, err := chart.Equity(s.Report).File(chart.SVG, chart.Size{Width: 1200, Height: 600}, "")
	if err != nil {
		t.Fatal(err)
	}
	var svg element
	if err := xml.Unmarshal(file, &svg); err != nil {
		t.Fatal(err)
	}
	inFile := map[string][2]string{}
	for _, group := range svg.all("g") {
		if key := group.attr("data-key"); key != "" {
			inFile[key] = [2]string{group.attr("stroke"), group.attr("stroke-dasharray")}
		}
	}
	onPage := 0
	for _, drawing := range parts(t, figureOf(t, page, "equity"), `(?s)<svg viewBox="0 0 1160.*?</svg>`) {
		for _, group := range drawing.all("g") {
			if key := group.attr("data-key"); key != "" {
				onPage++
				if want := [2]string{light[group.attr("class")], group.attr("stroke-dasharray")}; inFile[key] != want {
					t.Errorf("%s is %v in the file, %v on the page", key, inFile[key], want)
				}
			}
		}
	}
	if onPage != 21 || len(inFile) != 21 {
		t.Errorf("%d lines are on the page, %d in the file", onPage, len(inFile))
	}
	// The leaderboard and the heads of sections show the same swatch.
	for _, a := range s.Report.Accounts {
		look := chart.Looks(s.Report.Accounts)[a.Signature]
		want := markup(swatch(look))
		for _, place := range []string{`<tr id="rank-account-` + elementID(a.Signature) + `"`, `<h2 id="account-` + elementID(a.Signature) + `-name">`} {
			_, rest, _ := strings.Cut(page, place)
			row, _, _ := strings.Cut(rest, "\n")
			if i := strings.Index(row, "swatch"); i < 0 || !strings.Contains(row[:min(len(row), 700)], want) {
				t.Errorf("%s does not show %s: %.300s", place, want, row)
			}
		}
	}
}

// A symbol can be called like what an allocation calls its other parts.
func TestWrite_ElementIDs(t *testing.T) {
	a := report.Account{Signature: "odd", Market: market.US, Periods: []report.Period{{Date: "2025-10-02", Value: report.Known(1)}, {Date: "2025-10-03", Value: report.Known(1)}}}
	a.Allocation.Names = []string{"CASH", "other", "CASH", "other"}
	for range a.Allocation.Names {
		a.Allocation.Parts = append(a.Allocation.Parts, []report.Number{report.Known(0.25), report.Known(0.25)})
	}
	page := written(t, Data{Report: report.Report{Accounts: []report.Account{a}}})
	figure := figureOf(t, page, "account-odd-allocation")
	drawing := parts(t, figure, `(?s)<div class="drawing "><svg.*?</svg></div>`)[0].Children[0]
	keys := map[string]bool{}
	for i, group := range slices.DeleteFunc(drawing.all("g"), func(g element) bool { return g.attr("data-key") == "" }) {
		keys[group.attr("data-key")] = true
		edge := group.all("path")
		line := edge[len(edge)-1].attr("d")
		y := regexp.MustCompile(`M[0-9.]+ ([0-9.]+)L[0-9.]+ ([0-9.]+)`).FindStringSubmatch(line)
		height := map[string]float64{}
		for _, label := range drawing.all("text") {
			height[label.Text], _ = strconv.ParseFloat(label.attr("y"), 64)
		}
		low, high := height["0 %"], height["100 %"]
		drawn, _ := strconv.ParseFloat(y[1], 64)
		if want := low + (high-low)*float64(i+1)/4 - 13.0/3; math.Abs(drawn-want) > 0.2 || y[1] != y[2] {
			t.Errorf("part %d is drawn up to %v, want %v", i, y[1:], want)
		}
	}
	if len(keys) != 4 {
		t.Errorf("the parts have the keys %v", keys)
	}
}
