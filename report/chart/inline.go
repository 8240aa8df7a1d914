// A drawing as part of a page: the page's style gives the colours, so that one drawing does on light ground and on dark.

package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// Inline turns an SVG of this package that was drawn for light ground into one to stand in a page. Its elements have classes
// in place of styles, which a page may forbid:
//
//	s0, s1, ...   of the account or the part with that number; of a price s0, of what was bought s2, of what was sold s4
//	bench         of the benchmark
//	line, fill    how such a thing is drawn; a mark is both
//	axis, grid    the frame
//
// The ground is left out. The attributes data-first and data-last are where the first and the last date of the drawing stand,
// along its width.
func Inline(svg []byte) ([]byte, error) {
	var in inliner
	if err := in.read(svg); err != nil {
		return nil, fmt.Errorf("not a drawing of this package: %w", err)
	}
	return in.write(), nil
}

// shape is an element of a drawing.
type shape struct {
	name  string
	attrs map[string]string
	text  string
}

type inliner struct {
	viewBox     string
	shapes      []shape
	first, last string
}

var corner = regexp.MustCompile(`[ML] (-?[0-9.]+) (-?[0-9.]+)`)

func (in *inliner) read(svg []byte) error {
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		switch x := token.(type) {
		case xml.StartElement:
			s := shape{name: x.Name.Local, attrs: map[string]string{}}
			for _, a := range x.Attr {
				s.attrs[a.Name.Local] = a.Value
			}
			in.add(s)
		case xml.CharData:
			if n := len(in.shapes); n > 0 {
				in.shapes[n-1].text += string(x)
			}
		}
	}
}

func (in *inliner) add(s shape) {
	if s.name == "svg" {
		in.viewBox = s.attrs["viewBox"]
		return
	}
	// Where the axis begins and ends are the first and the last date.
	if c := corner.FindAllStringSubmatch(s.attrs["d"], -1); classOf(s.attrs["style"]) == "axis" && len(c) == 2 && c[0][2] == c[1][2] {
		in.first, in.last = c[0][1], c[1][1]
	}
	in.shapes = append(in.shapes, s)
}

func (in *inliner) write() []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg viewBox="%s" data-first="%s" data-last="%s" aria-hidden="true" focusable="false">`,
		escaped(in.viewBox), escaped(in.first), escaped(in.last))
	for _, s := range in.shapes {
		class := classOf(s.attrs["style"])
		switch {
		case class == "":
		case s.name == "path":
			fmt.Fprintf(&out, `<path class="%s" d="%s"/>`, class, escaped(compact(s.attrs["d"])))
		case s.name == "circle":
			fmt.Fprintf(&out, `<circle class="%s" cx="%s" cy="%s" r="%s"/>`, class, escaped(s.attrs["cx"]), escaped(s.attrs["cy"]), escaped(s.attrs["r"]))
		case s.name == "text":
			fmt.Fprintf(&out, `<text x="%s" y="%s">%s</text>`, escaped(s.attrs["x"]), escaped(s.attrs["y"]), escaped(s.text))
		}
	}
	out.WriteString("</svg>")
	return out.Bytes()
}

// compact writes a path in fewer letters.
func compact(d string) string {
	return strings.NewReplacer("M ", "M", "\nL ", "L", "\nZ", "Z", "\n", "").Replace(d)
}

func escaped(text string) string {
	var out bytes.Buffer
	_ = xml.EscapeText(&out, []byte(text)) // a buffer takes all
	return out.String()
}

var color = regexp.MustCompile(`rgba?\((\d+),(\d+),(\d+)`)

// classOf is the class of a style, "" for what is not shown.
func classOf(style string) string {
	rgbs := color.FindStringSubmatch(style)
	if rgbs == nil {
		return "" // the ground
	}
	kind := "fill"
	if strings.Contains(style, "fill:none") {
		kind = "line"
	}
	name := rgbs[1] + "," + rgbs[2] + "," + rgbs[3]
	for i, c := range palette {
		if name == triple(c.R, c.G, c.B) {
			return "s" + strconv.Itoa(i) + " " + kind
		}
	}
	switch name {
	case triple(gray.R, gray.G, gray.B):
		return "bench " + kind
	case triple(ruleColor.R, ruleColor.G, ruleColor.B):
		return "grid"
	case triple(axisColor.R, axisColor.G, axisColor.B):
		return "axis"
	}
	return "text"
}

func triple(r, g, b uint8) string { return fmt.Sprintf("%d,%d,%d", r, g, b) }
