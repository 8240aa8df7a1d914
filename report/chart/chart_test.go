package chart

// Tests of drawings as files: well formed, inert, the same twice. How they look is for eyes.

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"slices"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
	"mcp-trade/market"
	"mcp-trade/report"
)

const hostile = `<script>alert(1)</script>"&'`

// sample is a report of two accounts, each with an unknown day.
func sample() report.Report {
	day := func(i int) market.Stamp { return market.Stamp(fmt.Sprintf("2025-10-%02d", i+1)) }
	r := report.Report{Benchmark: &report.Series{Name: hostile}}
	for _, name := range []string{"steady", hostile} {
		a := report.Account{Signature: name, Opening: report.Point{Date: day(0), Value: report.Known(100)}}
		a.Allocation = report.Allocation{Names: []string{"CASH", name}, Parts: [][]report.Number{nil, nil}}
		for i := 1; i < 12; i++ {
			p := report.Period{Date: day(i), Value: report.Known(100 + float64(i%5)), Drawdown: report.Known(float64(i%3) / 10)}
			if i == 6 {
				p.Value, p.Drawdown = report.Number{}, report.Number{}
			}
			a.Periods = append(a.Periods, p)
			a.Allocation.Parts[0] = append(a.Allocation.Parts[0], report.Known(0.25))
			a.Allocation.Parts[1] = append(a.Allocation.Parts[1], report.Known(0.75))
		}
		r.Accounts = append(r.Accounts, a)
	}
	for i := range 12 {
		r.Benchmark.Points = append(r.Benchmark.Points, report.Point{Date: day(i), Value: report.Known(50 + float64(i))})
	}
	return r
}

// plots are all kinds of them.
func plots(r report.Report) map[string]Plot {
	looks := LooksOf(r.Accounts, nil)
	all := map[string]Plot{"equity": Equity(r, looks), "drawdown": Drawdown(r, looks), "allocation": Allocation(report.Account{})}
	if len(r.Accounts) > 0 {
		all["allocation"] = Allocation(r.Accounts[1])
	}
	return all
}

// An SVG is well-formed and inert.
func TestPlot_File_SVG(t *testing.T) {
	size := Size{960, 400}
	for name, p := range plots(sample()) {
		svg, err := p.File(SVG, size, hostile)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var words strings.Builder
		for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
			token, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v in\n%s", name, err, svg)
			}
			switch x := token.(type) {
			case xml.StartElement:
				if x.Name.Local == "script" || x.Name.Local == "image" {
					t.Errorf("%s holds an element %s", name, x.Name.Local)
				}
			case xml.CharData:
				words.Write(x)
			}
		}
		if n := strings.Count(words.String(), hostile); n < 2 {
			t.Errorf("%s names %s %d times, want it in title and legend:\n%s", name, hostile, n, svg)
		}
		if text := strings.ReplaceAll(string(svg), "http://www.w3.org/", ""); strings.Contains(text, "http") {
			t.Errorf("%s refers to an address:\n%s", name, svg)
		}
		if again, err := p.File(SVG, size, hostile); err != nil || !bytes.Equal(svg, again) {
			t.Errorf("%s is another drawing the second time, %v", name, err)
		}
	}
}

// A PNG has the size asked for.
func TestPlot_File_PNG(t *testing.T) {
	testenv.Slow(t)
	for name, p := range plots(sample()) {
		image, err := p.File(PNG, Size{500, 300}, hostile)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := png.Decode(bytes.NewReader(image))
		if err != nil || got.Bounds().Dx() != 500 || got.Bounds().Dy() != 300 {
			t.Fatalf("%s: %v", name, err)
		}
		// Every line has pixels of its colour.
		seen := map[string]bool{}
		for x := range 500 {
			for y := range 300 {
				r, g, b, _ := got.At(x, y).RGBA()
				seen[fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)] = true
			}
		}
		for _, l := range p.Lines {
			if !seen[l.Look.Color()] {
				t.Errorf("%s has no pixel of %s, the colour of %s", name, l.Look.Color(), l.Key)
			}
		}
	}
}

func TestPlot_Empty(t *testing.T) {
	for name, p := range plots(report.Report{}) {
		if _, err := p.File(SVG, Size{500, 300}, ""); !errors.Is(err, ErrEmpty) {
			t.Errorf("%s of an empty report: %v", name, err)
		}
	}
}

func TestLook(t *testing.T) {
	seen := map[string]Look{}
	for l := Cash; l < 60; l++ {
		look := fmt.Sprint(l.Color(), l.Dashes())
		if other, ok := seen[look]; ok {
			t.Errorf("%d and %d look the same", l, other)
		}
		seen[look] = l
	}
}

func TestPlot_ticks(t *testing.T) {
	for _, c := range []struct {
		kind      Kind
		low, high float64
		want      string
	}{
		{Return, -0.012, 0.034, "−2 % −1 % 0 % 1 % 2 % 3 % 4 %"},
		{Return, 0, 0.0004, "0.00 % 0.01 % 0.02 % 0.03 % 0.04 %"},
		{Underwater, -0.37, 0, "−40 % −30 % −20 % −10 % 0 %"},
		{Stacked, 0, 1, "0 % 20 % 40 % 60 % 80 % 100 %"},
	} {
		p := Plot{Kind: c.kind}
		ticks := p.ticks(c.low, c.high, 5)
		var texts []string
		for _, tick := range ticks {
			texts = append(texts, p.tickLabel(tick, ticks[1]-ticks[0]))
		}
		if got := strings.Join(texts, " "); got != c.want {
			t.Errorf("%v to %v: %s, want %s", c.low, c.high, got, c.want)
		}
	}
}

// Whatever the values are, the axis ends and its ticks go up.
func TestPlot_valueRange(t *testing.T) {
	for _, values := range [][]float64{{}, {0}, {5}, {1e17, 1e17 + 16}, {-1e300, 1e300}, {1e-300}, {1, 1 + 1e-15}, {-3, -3}} {
		for kind := Return; kind <= Stacked; kind++ {
			l := Line{}
			for i, v := range values {
				l.Points = append(l.Points, report.Point{Date: market.Stamp("2025-10-01").AddDays(i), Value: report.Known(v)})
			}
			p := Plot{Kind: kind, Lines: []Line{l}}
			low, high := p.valueRange()
			ticks := p.ticks(low, high, 6)
			for i := range ticks {
				if len(ticks) > 20 || i > 0 && !(ticks[i] > ticks[i-1]) {
					t.Errorf("%v: ticks %v", values, ticks)
					break
				}
			}
		}
	}
}

// A dashed line is broken by length, across its corners.
func TestDashed(t *testing.T) {
	reach := func(areas [][]point) (spans []string) {
		for _, a := range areas {
			if len(a) == 4 { // no corner
				spans = append(spans, fmt.Sprintf("%.0f,%.0f-%.0f,%.0f", (a[0].x+a[3].x)/2, (a[0].y+a[3].y)/2, (a[1].x+a[2].x)/2, (a[1].y+a[2].y)/2))
			}
		}
		return spans
	}
	run := []point{{0, 5}, {12, 5}, {12, 25}}
	if got, want := reach(dashed(run, []float64{9, 4})), []string{"0,5-9,5", "12,6-12,15", "12,19-12,25"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got, want := reach(dashed(run, nil)), []string{"0,5-12,5", "12,5-12,25"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// However long the legend is, the lines have room below it.
func TestPlot_layOut_LongLegend(t *testing.T) {
	p := Plot{Kind: Return}
	for i := range 60 {
		p.Lines = append(p.Lines, Line{Key: fmt.Sprint(i), Name: fmt.Sprintf("account-%02d", i), Look: Look(i), Points: []report.Point{{Date: "2025-10-01", Value: report.Known(0)}, {Date: "2025-10-02", Value: report.Known(0.1)}}})
	}
	d := p.layOut(Size{672, 336}, "Total return")
	if d.axis-d.grid[len(d.grid)-1] < 150 || d.grid[len(d.grid)-1] < d.legend[len(d.legend)-1].at.y || d.Height < int(d.axis) {
		t.Errorf("the legend ends at %.0f, the axes go from %.0f to %.0f, of %d", d.legend[len(d.legend)-1].at.y, d.grid[len(d.grid)-1], d.axis, d.Height)
	}
}
