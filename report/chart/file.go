// Drawings in files.

package chart

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"github.com/go-analyze/charts"
)

// Format is the form of a file.
type Format string

// The formats.
const (
	SVG Format = "svg"
	PNG Format = "png"
)

// ErrEmpty says that there is nothing to draw.
var ErrEmpty = errors.New("there is nothing to draw")

// File draws a plot as a file with a title and a legend, on a light background. If no value is known it returns [ErrEmpty].
func (p Plot) File(format Format, size Size, title string) ([]byte, error) {
	if p.Empty() {
		return nil, ErrEmpty
	}
	d := p.layOut(size, title)
	if format == PNG {
		return d.png()
	}
	var out bytes.Buffer
	err := d.file().Render(&out)
	return out.Bytes(), err
}

// png draws the same as file, as PNG.
func (d layout) png() ([]byte, error) {
	c := canvas{charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputPNG, Width: d.Width, Height: d.Height})}
	white := charts.ParseColor(ground)
	c.FilledRect(0, 0, d.Width, d.Height, white, white, 0)
	c.text(label{point{16, 12 + d.text}, d.title, "start"}, 1.2*d.text)
	for _, s := range d.legend {
		run := []point{{s.at.x, s.at.y - d.text/3}, {s.at.x + 26, s.at.y - d.text/3}}
		if s.area {
			c.stroke(run, s.look.Color(), 11, nil)
		} else {
			c.stroke(run, s.look.Color(), 2, s.look.Dashes())
		}
		c.text(label{point{s.at.x + 34, s.at.y}, s.name, "start"}, d.text)
	}
	for _, y := range d.grid {
		c.stroke([]point{{d.left, y}, {d.right, y}}, gridColor, 1, nil)
	}
	for _, l := range d.labels {
		c.text(l, d.text)
	}
	for _, s := range d.shapes {
		c.draw(s)
	}
	c.stroke([]point{{d.left, d.axis}, {d.right, d.axis}}, axisColor, 1, nil)
	image, err := c.Bytes()
	if err != nil {
		return nil, fmt.Errorf("chart: %w", err)
	}
	return image, nil
}

type canvas struct{ *charts.Painter }

func (c canvas) draw(s shape) {
	color := s.look.Color()
	for _, area := range s.areas {
		c.fill(area, color)
	}
	for _, run := range s.lines {
		c.stroke(run, color, 2, s.look.Dashes())
	}
	for _, at := range s.dots {
		p := pixels([]point{at})[0]
		c.Circle(2.5, p.X, p.Y, charts.ParseColor(color), charts.ParseColor(color), 0)
	}
}

// fill fills an area. The painter needs a closed path, so the first point is also the last.
func (c canvas) fill(area []point, color string) {
	c.FillArea(pixels(append(area[:len(area):len(area)], area[0])), charts.ParseColor(color))
}

func (c canvas) stroke(run []point, color string, thick float64, dashes []float64) {
	if dashes == nil {
		c.LineStroke(pixels(run), charts.ParseColor(color), thick)
	} else {
		c.DashedLineStroke(pixels(run), charts.ParseColor(color), thick, dashes)
	}
}

func (c canvas) text(l label, height float64) {
	style := charts.FontStyle{FontSize: height * 72 / 96, FontColor: charts.ParseColor(ink)} // in points
	at := pixels([]point{l.at})[0]
	switch wide := c.MeasureText(l.text, 0, style).Width(); l.anchor {
	case "end":
		at.X -= wide
	case "middle":
		at.X -= wide / 2
	}
	c.Text(l.text, at.X, at.Y, 0, style)
}

func pixels(run []point) []charts.Point {
	places := make([]charts.Point, len(run))
	for i, at := range run {
		places[i] = charts.Point{X: int(math.Round(at.x)), Y: int(math.Round(at.y))}
	}
	return places
}
