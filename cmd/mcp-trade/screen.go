// The standard streams as people read them. All that commands print and log goes through a screen, where text from outside, of
// a ledger, a model, a page or Redis, cannot act on the terminal.

package main

import (
	"io"
	"os"

	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"mcp-trade/internal/safetext"
)

// screen is a standard stream.
type screen struct {
	*safetext.Writer
	file *os.File
}

func newScreen(file *os.File) *screen { return &screen{safetext.NewWriter(file), file} }

// exact is the stream for bytes that another program reads: unchanged, unless it is a terminal.
func exact(w io.Writer) io.Writer {
	if s, ok := w.(*screen); ok && !isTerminal(s) {
		return s.file
	}
	return w
}

// paint returns a text in colors, where w is a terminal and nobody asked for none (no-color.org).
func paint(w io.Writer) func(string, text.Colors) string {
	return func(t string, colors text.Colors) string {
		style := make([]int, len(colors))
		for i, c := range colors {
			style[i] = int(c)
		}
		return styled(w, t, style)
	}
}

// tint returns a text in a colour such as #4140f3 likewise, where the terminal tells that it has so many.
func tint(w io.Writer) func(t, color string) string {
	return func(t, color string) string {
		return styled(w, t, tintStyle(color, os.Getenv("COLORTERM"), os.Getenv("TERM")))
	}
}

func styled(w io.Writer, t string, style []int) string {
	s, ok := w.(*screen)
	if !ok || !isTerminal(s) || os.Getenv("NO_COLOR") != "" {
		return t
	}
	return s.Style(t, style...)
}

func isTerminal(w io.Writer) bool {
	f := fileOf(w)
	return f != nil && term.IsTerminal(int(f.Fd()))
}

// widthOf is how many columns a terminal has; 80 where that is not to be known.
func widthOf(w io.Writer) int {
	if f := fileOf(w); f != nil {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// fileOf is the file behind a stream; nil if there is none.
func fileOf(w io.Writer) *os.File {
	switch w := w.(type) {
	case *screen:
		return w.file
	case *os.File:
		return w
	}
	return nil
}
