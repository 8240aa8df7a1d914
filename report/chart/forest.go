// Forest plots: how far accounts or variants are ahead, each with its 95 % interval, all on one axis.

package chart

import (
	"bytes"
	"math"
	"slices"
	"strconv"

	g "maragu.dev/gomponents"

	"mcp-trade/report"
)

// Forest is a forest plot. Its axis is of growth as a logarithm: ahead by half and behind by a third are as far from 0.
type Forest struct {
	Key   string // "ahead", "variants-ahead" or "variants-compared"
	Title string
	Rows  []ForestRow
}

// ForestRow is a comparison that has an interval.
type ForestRow struct {
	Name string
	Look Look
	report.Comparison
}

// Told tells whether the figure is told from 0 when all of its kind are looked at, by Holm's p-value below 0.05.
func (r ForestRow) Told() bool { return r.Adjusted.Known() && r.Adjusted.Float() < 0.05 }

// Forests are the plots of a report that have rows: its accounts, or in their place the variants of its experiment and their differences.
// A comparison of so few returns that it has no interval is left out.
func Forests(r report.Report, looks Looks) []Forest {
	against := "cash, which earns nothing"
	if r.Benchmark != nil {
		against = r.Benchmark.Name
	}
	accounts, variants := Forest{Key: "ahead", Title: "Ahead of " + against}, Forest{Key: "variants-ahead", Title: "Variants ahead of " + against}
	pairs := Forest{Key: "variants-compared", Title: "Differences between variants"}
	if r.Variants != nil {
		for _, v := range r.Variants.Each {
			variants.add(v.Name, Benchmark, v.Certainty.Comparison)
		}
		for _, c := range r.Variants.Pairs {
			pairs.add(c.Account+" against "+c.Against, Benchmark, c.Comparison)
		}
	} else {
		for _, a := range r.Accounts {
			accounts.add(a.Signature, looks[a.Signature], a.Certainty)
		}
	}
	return slices.DeleteFunc([]Forest{accounts, variants, pairs}, func(f Forest) bool { return len(f.Rows) == 0 })
}

func (f *Forest) add(name string, l Look, c report.Comparison) {
	if c.AheadInterval.Low.Known() {
		f.Rows = append(f.Rows, ForestRow{name, l, c})
	}
}

// SVG draws the plot as a file of the given width, in pixels, on a light background.
func (f Forest) SVG(width int) ([]byte, error) {
	const row, letters, edge = 28.0, 15.0, 16.0
	bend := func(n report.Number) float64 { return math.Log1p(max(n.Float(), -0.999)) }
	low, high, names := 0.0, 0.0, 0.0
	for _, r := range f.Rows {
		low, high, names = min(low, bend(r.AheadInterval.Low)), max(high, bend(r.AheadInterval.High)), max(names, textWidth(r.Name, letters))
	}
	left, right := names+2*edge, float64(width)-2*edge
	x := func(n report.Number) float64 { return left + (bend(n)-low)/(high-low)*(right-left) }
	top := 3 * letters
	axis := top + row*float64(len(f.Rows))
	height := strconv.Itoa(int(axis + 2.5*letters))
	nodes := g.Group{text(label{point{edge, 12 + letters}, f.Title, "start"}, 1.2*letters)}
	rule := func(color string, at float64) g.Node {
		return g.El("g", g.Attr("stroke", color), path("rule", []point{{at, top}, {at, axis}}, false))
	}
	ticks, last := Plot{}.ticks(math.Expm1(low), math.Expm1(high), 8), 0.0
	for _, tick := range ticks {
		at := x(report.Known(tick))
		if at >= left && at <= right+1 && at-last >= 4*letters {
			last = at
			nodes = append(nodes, rule(gridColor, at), text(label{point{at, axis + 1.4*letters}, Plot{}.tickLabel(tick, ticks[1]-ticks[0]), "middle"}, letters))
		}
	}
	nodes = append(nodes, rule(axisColor, x(report.Known(0))))
	for i, r := range f.Rows {
		nodes = append(nodes, r.svg(point{edge, top + row*(float64(i)+0.5)}, letters, x))
	}
	var out bytes.Buffer
	err := g.El("svg", g.Attr("xmlns", "http://www.w3.org/2000/svg"), g.Attr("viewBox", "0 0 "+strconv.Itoa(width)+" "+height), g.Attr("width", strconv.Itoa(width)),
		g.Attr("height", height), g.Attr("font-family", "sans-serif"), g.El("rect", g.Attr("width", "100%"), g.Attr("height", "100%"), g.Attr("fill", ground)), nodes).Render(&out)
	return out.Bytes(), err
}

// svg draws the row: its name, its interval, and a dot, which is full if the figure is told from 0.
func (r ForestRow) svg(at point, letters float64, x func(report.Number) float64) g.Node {
	fill := ground
	if r.Told() {
		fill = r.Look.Color()
	}
	return g.El("g", g.Attr("data-key", r.Name), g.Attr("stroke", r.Look.Color()), g.Attr("stroke-width", "2"),
		path("range", []point{{x(r.AheadInterval.Low), at.y}, {x(r.AheadInterval.High), at.y}}, false),
		g.El("circle", g.Attr("cx", coordinate(x(r.Ahead))), g.Attr("cy", coordinate(at.y)), g.Attr("r", "5"), g.Attr("fill", fill)),
		g.El("g", g.Attr("stroke", "none"), text(label{point{at.x, at.y + letters/3}, r.Name, "start"}, letters)))
}
