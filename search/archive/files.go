// Files of articles: values of JSON one after the other, each an article or a reply of Alpha Vantage.

package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"mcp-trade/search"
	"mcp-trade/search/alphavantage"
)

// maxValue is how many bytes one article, or one reply, may have.
const maxValue = 16 << 20

var errTooLong = fmt.Errorf("holds an article of more than %d MiB", maxValue>>20)

// articles reads the articles of a file, those of one value at a time. An error begins with the line it is about.
func articles(f *os.File, progress func(int64)) iter.Seq2[[]search.RawArticle, error] {
	return func(yield func([]search.RawArticle, error) bool) {
		in := &bounded{in: f, left: maxValue, progress: progress}
		d := json.NewDecoder(in)
		for values := 0; ; values++ {
			var value json.RawMessage
			err := d.Decode(&value)
			if errors.Is(err, io.EOF) && values > 0 {
				return
			}
			at := d.InputOffset()
			in.left = maxValue - (in.read - at)
			var items []search.RawArticle
			if err == nil {
				items, err = read(value)
				at -= int64(len(value))
			}
			if err != nil {
				yield(nil, explain(f, at, err))
				return
			}
			if !yield(items, nil) {
				return
			}
		}
	}
}

// bounded lets a reader read only so much until it is given more.
type bounded struct {
	in         io.Reader
	left, read int64
	progress   func(int64)
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.in.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	b.read += int64(n)
	b.progress(b.read)
	return n, err
}

// errNoArticle says that a value is neither of the two.
var errNoArticle = errors.New(`holds what is neither an article (an object with a "title") nor a reply of Alpha Vantage (one with a "feed")`)

// read reads one value.
func read(value []byte) ([]search.RawArticle, error) {
	var a struct {
		Feed      json.RawMessage `json:"feed"`
		Title     string          `json:"title"`
		URL       string          `json:"url"`
		Published json.RawMessage `json:"published_at"`
		Source    string          `json:"source"`
		Summary   string          `json:"summary"`
		Content   string          `json:"content"`
		Symbols   []string        `json:"symbols"`
	}
	if err := json.Unmarshal(value, &a); err != nil {
		return nil, err
	}
	switch {
	case a.Feed != nil:
		return alphavantage.Articles(value)
	case strings.TrimSpace(a.Title) == "":
		return nil, errNoArticle
	}
	item := search.RawArticle{Title: a.Title, URL: a.URL, Source: a.Source, Summary: a.Summary, Content: a.Content, Symbols: a.Symbols}
	if d, claimed := (search.DateParser{}).JSON(a.Published); claimed {
		item.Dates = []search.Date{d}
	}
	return []search.RawArticle{item}, nil
}

// explain says what is wrong with a file, and in which line.
func explain(f *os.File, at int64, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	says := err
	switch {
	case errors.Is(err, io.EOF):
		return errors.New(" is empty")
	case errors.Is(err, errTooLong):
		at = begin(f, at)
	case errors.Is(err, io.ErrUnexpectedEOF):
		at, says = begin(f, at), errors.New("the file is cut off")
	case errors.As(err, &syntax):
		at, says = syntax.Offset-1, errors.New("is not JSON")
		if stat, err := f.Stat(); err == nil && begin(f, at) == stat.Size() {
			says = errors.New("the file is cut off") // in a string, and then a last line feed
		}
	case errors.As(err, &kind) && kind.Field == "":
		says = errNoArticle
	case errors.As(err, &kind):
		says = fmt.Errorf("%q must not be a %s", kind.Field, kind.Value)
	}
	return fmt.Errorf(":%d: %w", lineAt(f, at), says)
}

// begin returns where the next value begins.
func begin(f *os.File, offset int64) int64 {
	part := make([]byte, 64<<10)
	n, _ := f.ReadAt(part, offset)
	return offset + int64(n-len(bytes.TrimLeft(part[:n], " \t\r\n")))
}

// lineAt returns the line that holds the byte at an offset.
func lineAt(f *os.File, offset int64) int {
	line, part := 1, make([]byte, 64<<10)
	for in := io.NewSectionReader(f, 0, offset); ; {
		n, err := in.Read(part)
		line += bytes.Count(part[:n], []byte{'\n'})
		if err != nil {
			return line
		}
	}
}
