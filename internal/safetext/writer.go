// Where text meets a terminal.

package safetext

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Writer writes text for people. Whoever the text is from, nothing in it acts on a terminal: control and format characters are
// spelled out, but for line feeds and tabs; carriage returns are left out. What [Writer.Style] made of a text is the exception. It
// may be used at the same time.
type Writer struct {
	to io.Writer

	mu   sync.Mutex
	mark string // what begins a style; "" before the first one
	torn []byte // the beginning of a character whose end is in the next write
	err  error
}

// NewWriter returns a writer to another one.
func NewWriter(to io.Writer) *Writer { return &Writer{to: to} }

// Write writes all of p, or returns the error of the writer behind it.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	whole := p
	if len(w.torn) > 0 {
		whole = append(bytes.Clone(w.torn), p...)
	}
	end := len(whole) - tornAtEnd(whole)
	w.torn = bytes.Clone(whole[end:])
	_, err := w.to.Write(w.harmless(whole[:end]))
	if err != nil {
		if w.err == nil {
			w.err = err
		}
		return 0, err
	}
	return len(p), nil
}

// Err returns the first error of a write, for tables and other printers that drop it.
func (w *Writer) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// Harmless returns a text as Write writes it.
func (w *Writer) Harmless(text string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.harmless([]byte(text)))
}

// Style returns a text that the writer writes in a style: the numbers of the sequence "select graphic rendition" of ECMA-48. A mark that
// nobody can guess stands for the sequence until it is written, so that no text from outside can have a style.
func (w *Writer) Style(text string, style ...int) string {
	if len(style) == 0 {
		return text
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mark == "" {
		w.mark = "\x1b" + rand.Text()
	}
	var numbers []string
	for _, n := range style {
		numbers = append(numbers, strconv.Itoa(n))
	}
	return w.mark + "[" + strings.Join(numbers, ";") + "m" + text + w.mark + "[0m"
}

// harmless spells out what is no visible character, space, line feed or tab, and turns marks into styles.
func (w *Writer) harmless(text []byte) []byte {
	if bytes.IndexFunc(text, acts) < 0 {
		return text
	}
	var b bytes.Buffer
	for len(text) > 0 {
		if w.mark != "" && bytes.HasPrefix(text, []byte(w.mark)) {
			b.WriteByte('\x1b')
			text = text[len(w.mark):]
			continue
		}
		r, size := utf8.DecodeRune(text)
		switch {
		case r == '\r':
		case r == utf8.RuneError && size == 1:
			b.WriteRune(utf8.RuneError)
		case acts(r):
			b.WriteString(spelled(r))
		default:
			b.WriteRune(r)
		}
		text = text[size:]
	}
	return b.Bytes()
}

// acts tells whether a character is none that is only read. U+FFFD counts, which may stand for a byte that is no text.
func acts(r rune) bool {
	return r != '\n' && r != '\t' && (!unicode.IsGraphic(r) || r == utf8.RuneError)
}

func spelled(r rune) string { return strings.Trim(strconv.QuoteRune(r), "'") }

// tornAtEnd is how many bytes at the end of a text are the beginning of a character.
func tornAtEnd(text []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
		if tail := text[len(text)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

// JSON returns a JSON text of the same meaning whose characters are only read, by a terminal too.
func JSON(text []byte) []byte {
	harmful := func(r rune) bool { return r > unicode.MaxASCII && !unicode.IsGraphic(r) || r == '\x7f' }
	if bytes.IndexFunc(text, harmful) < 0 {
		return text
	}
	var b bytes.Buffer
	for _, r := range string(text) {
		switch {
		case !harmful(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.Bytes()
}

// Line makes one line of a text, as it is told beside others: a line feed is spelled out too.
func Line(text string) string { return strings.ReplaceAll(Spelled(text), "\n", `\n`) }
