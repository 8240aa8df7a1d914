// A layout as PNG.

package chart

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"slices"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// png draws the same as file, as PNG.
func (d layout) png() ([]byte, error) {
	letters, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("chart: %w", err)
	}
	c := canvas{RGBA: image.NewRGBA(image.Rect(0, 0, d.Width, d.Height)), letters: letters}
	draw.Draw(c.RGBA, c.Bounds(), image.White, image.Point{}, draw.Src)
	c.text(label{point{16, 12 + d.text}, d.title, "start"}, 1.2*d.text)
	for _, s := range d.legend {
		run := []point{{s.at.x, s.at.y - d.text/3}, {s.at.x + s.mark, s.at.y - d.text/3}}
		if s.area {
			c.fill(s.look.Color(), strokes(run, 11))
		} else {
			c.fill(s.look.Color(), dashed(run, s.dashes))
		}
		c.text(label{point{s.at.x + s.mark + 8, s.at.y}, s.name, "start"}, d.text)
	}
	for _, y := range d.grid {
		c.fill(gridColor, strokes([]point{{d.left, y}, {d.right, y}}, 1))
	}
	for _, l := range d.labels {
		c.text(l, d.text)
	}
	for _, s := range d.shapes {
		areas := slices.Clip(s.areas)
		for _, run := range s.lines {
			areas = append(areas, dashed(run, s.dashes)...)
		}
		for _, at := range s.dots {
			areas = append(areas, disc(at, 2.5))
		}
		c.fill(s.look.Color(), areas)
	}
	c.fill(axisColor, strokes([]point{{d.left, d.axis}, {d.right, d.axis}}, 1))
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, c.RGBA)
	return out.Bytes(), err
}

// canvas is an image to draw on.
type canvas struct {
	*image.RGBA
	letters *opentype.Font
	brush   vector.Rasterizer
}

// fill fills areas in a color such as #1f6afe. All go clockwise, so that where two of them overlap both are filled.
func (c *canvas) fill(name string, areas [][]point) {
	box := image.Rectangle{}
	for _, area := range areas {
		for _, at := range area {
			box = box.Union(image.Rect(int(at.x), int(at.y), int(at.x)+2, int(at.y)+2))
		}
	}
	if box = box.Intersect(c.Bounds()); box.Empty() {
		return
	}
	c.brush.Reset(box.Dx(), box.Dy())
	for _, area := range areas {
		for i, at := range area {
			x, y := float32(at.x-float64(box.Min.X)), float32(at.y-float64(box.Min.Y))
			if i == 0 {
				c.brush.MoveTo(x, y)
			} else {
				c.brush.LineTo(x, y)
			}
		}
		c.brush.ClosePath()
	}
	c.brush.Draw(c.RGBA, box, image.NewUniform(colorOf(name)), image.Point{})
}

func (c *canvas) text(l label, height float64) {
	face, err := opentype.NewFace(c.letters, &opentype.FaceOptions{Size: height, DPI: 72}) // a point is a pixel
	if err != nil {
		panic(err) // no face of a font that was parsed is refused
	}
	pen := font.Drawer{Dst: c.RGBA, Src: image.NewUniform(colorOf(ink)), Face: face, Dot: fixed.P(int(l.at.x), int(l.at.y))}
	switch wide := pen.MeasureString(l.text); l.anchor {
	case "end":
		pen.Dot.X -= wide
	case "middle":
		pen.Dot.X -= wide / 2
	}
	pen.DrawString(l.text)
}

func colorOf(name string) color.RGBA {
	c := color.RGBA{A: 255}
	if _, err := fmt.Sscanf(name, "#%02x%02x%02x", &c.R, &c.G, &c.B); err != nil {
		panic(err) // all names are of this package
	}
	return c
}

// strokes are the areas of a line of some thickness, with round corners.
func strokes(run []point, thick float64) (areas [][]point) {
	for i, to := range run[1:] {
		from := run[i]
		length := math.Hypot(to.x-from.x, to.y-from.y)
		if length == 0 {
			continue
		}
		x, y := (to.y-from.y)/length*thick/2, (from.x-to.x)/length*thick/2 // at a right angle, to the left
		areas = append(areas, []point{{from.x + x, from.y + y}, {to.x + x, to.y + y}, {to.x - x, to.y - y}, {from.x - x, from.y - y}})
		if i > 0 {
			areas = append(areas, disc(from, thick/2))
		}
	}
	return areas
}

// disc is a disc as an area of eight corners.
func disc(at point, radius float64) []point {
	long, short := radius*0.923880, radius*0.382683 // the cosine and the sine of an eighth of half a turn
	return []point{
		{at.x + long, at.y + short}, {at.x + short, at.y + long}, {at.x - short, at.y + long}, {at.x - long, at.y + short},
		{at.x - long, at.y - short}, {at.x - short, at.y - long}, {at.x + short, at.y - long}, {at.x + long, at.y - short},
	}
}

// dashed are the areas of a line two pixels thick, broken into strokes and gaps of the lengths of dashes; without any it is solid.
func dashed(run []point, dashes []float64) (areas [][]point) {
	const thick = 2
	if len(dashes) == 0 {
		return strokes(run, thick)
	}
	stroke, n, left := []point{run[0]}, 0, dashes[0]
	end := func() {
		if n%2 == 0 {
			areas = append(areas, strokes(stroke, thick)...)
		}
	}
	for next := 1; next < len(run); {
		from, to := stroke[len(stroke)-1], run[next]
		length := math.Hypot(to.x-from.x, to.y-from.y)
		if length <= left {
			stroke, left, next = append(stroke, to), left-length, next+1
			continue
		}
		cut := point{from.x + (to.x-from.x)*left/length, from.y + (to.y-from.y)*left/length}
		stroke = append(stroke, cut)
		end()
		n++
		stroke, left = []point{cut}, dashes[n%len(dashes)]
	}
	end()
	return areas
}
