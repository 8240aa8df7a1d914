// The layout of a drawing: the position of each element, in pixels from the upper left corner, the same for SVG and PNG.

package chart

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"mcp-trade/market"
)

// Size is that of a drawing, in pixels.
type Size struct{ Width, Height int }

type point struct{ x, y float64 }

// layout is a drawing.
type layout struct {
	Size
	text        float64 // height of letters
	title       string
	grid        []float64 // the y of each horizontal rule
	axis        float64   // the y of the lowest rule
	left, right float64   // the x where rules begin and end
	first, last float64   // the x of the first and of the last day
	labels      []label
	shapes      []shape
	legend      []legendEntry
	print       bool
}

type label struct {
	at     point
	text   string
	anchor string // start, middle or end
}

// shape is a line of a plot as it is drawn: runs of joined points, and filled areas.
type shape struct {
	key    string
	look   Look
	dashes []float64
	lines  [][]point
	areas  [][]point
	dots   []point // single values between gaps
}

// legendEntry is a line's entry in the legend.
type legendEntry struct {
	at     point
	look   Look
	dashes []float64
	mark   float64 // length of the sample before the name
	name   string
	area   bool
}

// layOut lays a plot out, with a legend and, unless it is empty, a title. It is higher than asked for if the legend is long.
func (p Plot) layOut(size Size, title string) layout {
	d := layout{Size: size, text: 15, title: title, print: p.Print}
	top := 12.0
	if title != "" {
		top += 2 * d.text
	}
	top = d.placeLegend(p, top)
	d.Height = max(d.Height, int(top+2*d.text)+size.Height/2) // below a long legend, half of what was asked for is left to the lines
	days := p.Days()
	low, high := p.valueRange()
	ticks := p.ticks(low, high, max(2, size.Height/65))
	low, high = ticks[0], ticks[len(ticks)-1]
	d.axis = float64(d.Height) - 2*d.text
	y := func(value float64) float64 { return d.axis - (value-low)/(high-low)*(d.axis-top) }
	widest := 0.0
	for _, tick := range ticks {
		text := p.tickLabel(tick, ticks[1]-ticks[0])
		widest = max(widest, textWidth(text, d.text))
		d.grid = append(d.grid, y(tick))
		d.labels = append(d.labels, label{point{0, y(tick) + d.text/3}, text, "end"})
	}
	d.left, d.right = widest+16, float64(size.Width)-16
	for i := range d.labels {
		d.labels[i].at.x = d.left - 8
	}
	d.first, d.last = d.left, d.right
	if len(days) == 1 {
		d.first, d.last = (d.left+d.right)/2, (d.left+d.right)/2
	}
	places := map[market.Stamp]float64{}
	for i, day := range days {
		places[day] = d.first + (d.last-d.first)*float64(i)/float64(max(1, len(days)-1))
	}
	x := func(day market.Stamp) float64 { return places[day] }
	d.labelDays(days, x)
	place := func(day market.Stamp, value float64) point { return point{x(day), y(value)} }
	if p.Kind == Stacked {
		d.stack(p, place)
		return d
	}
	for _, l := range p.Lines {
		s := l.shape(place)
		s.dashes = p.dashes(l.Look)
		d.shapes = append(d.shapes, s)
	}
	return d
}

func (p Plot) dashes(l Look) []float64 {
	if p.Print {
		return l.Printed()
	}
	return l.Dashes()
}

// valueRange returns the lowest and the highest value that the axis must include.
func (p Plot) valueRange() (low, high float64) {
	switch p.Kind {
	case Stacked:
		return 0, 1
	case Underwater:
		low = -0.01
	}
	for _, l := range p.Lines {
		for _, x := range l.Points {
			if x.Value.Known() {
				low, high = min(low, x.Value.Float()), max(high, x.Value.Float())
			}
		}
	}
	if size := max(math.Abs(low), math.Abs(high)); high-low <= size/1e9 { // all values are the same on an axis
		room := max(0.01, size/100)
		return low - room, high + room
	}
	return low, high
}

// ticks returns round values that include the lowest and the highest value, in about the given number of steps.
func (p Plot) ticks(low, high float64, steps int) []float64 {
	rough := high/float64(steps) - low/float64(steps)
	unit := math.Pow(10, math.Floor(math.Log10(rough)))
	step := 10 * unit
	for _, n := range []float64{1, 2, 5} {
		if n*unit >= rough {
			step = n * unit
			break
		}
	}
	var ticks []float64
	for i := math.Floor(low/step + 1e-9); ; i++ {
		ticks = append(ticks, i*step)
		if i*step >= high-step*1e-9 && len(ticks) > 1 {
			return ticks
		}
	}
}

// tickLabel writes a value of the axis, whose labels are a step apart.
func (p Plot) tickLabel(value, step float64) string {
	value, step = 100*value, 100*step
	decimals := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	return strings.Replace(strconv.FormatFloat(math.Round(value/step)*step+0, 'f', decimals, 64), "-", "\u2212", 1) + " %"
}

// labelDays labels the first and the last day, and as many of those between as there is room for.
func (d *layout) labelDays(days []market.Stamp, x func(market.Stamp) float64) {
	last := len(days) - 1
	if last < 0 {
		return
	}
	step := max(1, int(math.Ceil(10*d.text*float64(last)/(d.right-d.left))))
	write := func(i int, anchor string) {
		d.labels = append(d.labels, label{point{x(days[i]), d.axis + 1.4*d.text}, string(days[i]), anchor})
	}
	if last == 0 {
		write(0, "middle")
		return
	}
	write(0, "start")
	for i := step; i+step <= last; i += step {
		write(i, "middle")
	}
	write(last, "end")
}

// shape joins the known values of a line. An unknown value is a gap; a day without a value is passed over.
func (l Line) shape(place func(market.Stamp, float64) point) shape {
	s := shape{key: l.Key, look: l.Look}
	var run []point
	end := func() {
		if len(run) == 1 {
			s.dots = append(s.dots, run[0])
		} else if len(run) > 1 {
			s.lines = append(s.lines, run)
		}
		run = nil
	}
	for _, x := range l.Points {
		switch {
		case !x.Value.Known():
			end()
		default:
			run = append(run, place(x.Date, x.Value.Float()))
		}
	}
	end()
	return s
}

// stack draws the lines as areas, one on top of the other. A day on which one of them is unknown is a gap in all.
func (d *layout) stack(p Plot, place func(market.Stamp, float64) point) {
	if len(p.Lines) == 0 {
		return
	}
	days := p.Lines[0].Points
	floor := make([]float64, len(days))
	known := func(day int) bool {
		return !slices.ContainsFunc(p.Lines, func(l Line) bool { return day >= len(l.Points) || !l.Points[day].Value.Known() })
	}
	for _, l := range p.Lines {
		s := shape{key: l.Key, look: l.Look, dashes: p.dashes(l.Look)}
		var upper, lower []point
		for i, x := range days {
			if known(i) {
				lower = append(lower, place(x.Date, floor[i]))
				floor[i] += l.Points[i].Value.Float()
				upper = append(upper, place(x.Date, floor[i]))
			}
			if len(upper) > 0 && (i == len(days)-1 || !known(i+1)) {
				upper, lower = atLeastTwoPoints(upper), atLeastTwoPoints(lower)
				slices.Reverse(lower)
				s.lines, s.areas = append(s.lines, upper), append(s.areas, slices.Concat(upper, lower))
				upper, lower = nil, nil
			}
		}
		d.shapes = append(d.shapes, s)
	}
}

// atLeastTwoPoints makes a run of a single day wide enough to be seen.
func atLeastTwoPoints(run []point) []point {
	if len(run) > 1 {
		return run
	}
	return []point{{run[0].x - 2, run[0].y}, {run[0].x + 2, run[0].y}}
}

// placeLegend places the entries of the legend in rows, and returns the y where they end.
func (d *layout) placeLegend(p Plot, top float64) float64 {
	const gap = 22.0
	mark := 26.0
	if p.Print {
		mark = 64 // dashes take that much to be told apart
	}
	x, y := 16.0, top+d.text
	for _, l := range p.Lines {
		room := mark + 8 + textWidth(l.Name, d.text) + gap
		if x > 16 && x+room > float64(d.Width) {
			x, y = 16, y+1.5*d.text
		}
		d.legend = append(d.legend, legendEntry{point{x, y}, l.Look, p.dashes(l.Look), mark, l.Name, p.Kind == Stacked})
		x += room
	}
	return y + 1.2*d.text
}

// textWidth estimates the width of a text.
func textWidth(text string, height float64) float64 {
	sum := 0.0
	for _, r := range text {
		if sum += 0.58; r >= 0x2E80 {
			sum += 0.42
		}
	}
	return sum * height
}
