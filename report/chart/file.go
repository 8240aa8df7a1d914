// Drawings in files.

package chart

import (
	"bytes"
	"errors"
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
