// A layout as SVG. Each line is a group with its key in data-key and the class of its look.

package chart

import (
	"strconv"
	"strings"

	g "maragu.dev/gomponents"
)

// The colours of a file.
const (
	ground    = "#ffffff"
	ink       = "#333333"
	axisColor = "#777777"
	gridColor = "#e4e4e4"
)

// file draws the layout as an SVG file.
func (d layout) file() g.Node {
	return d.svg(g.Attr("xmlns", "http://www.w3.org/2000/svg"), g.Attr("width", strconv.Itoa(d.Width)), g.Attr("height", strconv.Itoa(d.Height)),
		g.Attr("font-family", "sans-serif"), g.El("rect", g.Attr("width", "100%"), g.Attr("height", "100%"), g.Attr("fill", ground)),
		g.If(d.title != "", text(label{point{16, 12 + d.text}, d.title, "start"}, 1.2*d.text)),
		g.Map(d.legend, func(s legendEntry) g.Node {
			run := []point{{s.at.x, s.at.y - d.text/3}, {s.at.x + s.mark, s.at.y - d.text/3}}
			thick := g.Attr("stroke-width", "2")
			if s.area {
				thick = g.Attr("stroke-width", "11")
			}
			return g.Group{
				g.El("g", g.Attr("stroke", s.look.Color()), dashAttribute(s.dashes), thick, g.If(d.print, g.Attr("stroke-linecap", "round")), path("line", run, false)),
				text(label{point{s.at.x + s.mark + 8, s.at.y}, s.name, "start"}, d.text),
			}
		}))
}

func (d layout) svg(head ...g.Node) g.Node {
	return g.El("svg", g.Attr("viewBox", "0 0 "+strconv.Itoa(d.Width)+" "+strconv.Itoa(d.Height)), g.Group(head),
		g.Map(d.grid, func(y float64) g.Node { return d.rule("grid", gridColor, y) }),
		g.Map(d.labels, func(l label) g.Node { return text(l, d.text) }),
		g.El("g", g.If(d.print, g.Group{g.Attr("stroke-width", "1.8"), g.Attr("stroke-linecap", "round")}), g.Map(d.shapes, shape.svg)),
		d.rule("axis", axisColor, d.axis))
}

func (d layout) rule(class, color string, y float64) g.Node {
	return g.El("path", g.Attr("class", class), g.Attr("stroke", color), g.Attr("d", "M"+coordinate(d.left)+" "+coordinate(y)+"H"+coordinate(d.right)))
}

func (s shape) svg() g.Node {
	draw := func(class string, closed bool, runs [][]point) g.Node {
		return g.Map(runs, func(run []point) g.Node { return path(class, run, closed) })
	}
	color := s.look.Color()
	return g.El("g", g.Attr("data-key", s.key), g.Attr("class", s.look.Class()), g.Attr("stroke", color), dashAttribute(s.dashes),
		g.If(len(s.areas)+len(s.dots) > 0, g.El("g", g.Attr("fill", color), g.Attr("stroke", "none"),
			draw("fill", true, s.areas),
			g.Map(s.dots, func(at point) g.Node {
				return g.El("circle", g.Attr("class", "fill"), g.Attr("cx", coordinate(at.x)), g.Attr("cy", coordinate(at.y)), g.Attr("r", "2.5"))
			}))),
		draw("line", false, s.lines))
}

func path(class string, run []point, closed bool) g.Node {
	var d strings.Builder
	letter := "M"
	for _, at := range run {
		d.WriteString(letter + coordinate(at.x) + " " + coordinate(at.y))
		letter = "L"
	}
	if closed {
		d.WriteByte('Z')
	}
	return g.El("path", g.Attr("class", class), g.If(!closed, g.Attr("fill", "none")), g.Attr("d", d.String()))
}

func dashAttribute(dashes []float64) g.Node {
	var lengths []string
	for _, n := range dashes {
		lengths = append(lengths, strconv.FormatFloat(n, 'f', -1, 64))
	}
	return g.If(lengths != nil, g.Attr("stroke-dasharray", strings.Join(lengths, " ")))
}

func text(l label, height float64) g.Node {
	return g.El("text", g.Attr("x", coordinate(l.at.x)), g.Attr("y", coordinate(l.at.y)), g.Attr("text-anchor", l.anchor),
		g.Attr("font-size", coordinate(height)), g.Attr("fill", ink), g.Text(l.text))
}

// coordinate writes a coordinate to a tenth of a pixel.
func coordinate(f float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0")
}
