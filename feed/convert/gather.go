package convert

// This file gathers the bars that are read into series, and the faults of files.

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"slices"

	"mcp-trade/feed"
	"mcp-trade/market"
)

// maxFaults is how many faults of a file are kept; the others are counted.
const maxFaults = 1000

// File is what became of a file.
type File struct {
	File    string           `json:"file"`
	Form    string           `json:"form"`    // "" if it has none that is known
	Symbols int              `json:"symbols"` // that it has bars of
	Bars    int              `json:"bars"`    // that were taken from it
	Faults  int              `json:"faults"`  // rows that were not taken, or not wholly
	Notes   []string         `json:"notes"`   // how it was read where there was a choice
	Listed  []market.Warning `json:"-"`       // the first faults
}

// Converted is what a number of files hold together.
type Converted struct {
	Files   []File
	symbols map[string]*gathered
}

// gathered is the series of a symbol, and which bar of it came first from where.
type gathered struct {
	feed.Series
	at map[market.Stamp]int // index of the bar
	of []int32              // the file of each bar
}

// form is a kind of file.
type form struct {
	name string
	is   func(head []byte) bool
	read func(*reader) error // of the rows that cannot be read it tells; an error is one of the whole file
}

// reader reads a file into what was gathered.
type reader struct {
	c     *Converted
	index int32 // of the file
	file  *File
	in    *bufio.Reader
	seen  map[string]bool // symbols of the file
}

// fault takes note of something wrong on a line of the file; 0 is the whole file, and its problem names it.
func (f *File) fault(line int, at, problem string, args ...any) {
	if f.Faults++; len(f.Listed) < maxFaults {
		f.Listed = append(f.Listed, market.Warning{File: f.File, Line: line, At: at, Problem: fmt.Sprintf(problem, args...)})
	}
}

func (f *File) note(text string, args ...any) { f.Notes = append(f.Notes, fmt.Sprintf(text, args...)) }

// series returns the series of a symbol.
func (r *reader) series(symbol string) *gathered {
	g, ok := r.c.symbols[symbol]
	if !ok {
		g = &gathered{Series: feed.Series{Symbol: symbol}, at: map[market.Stamp]int{}}
		r.c.symbols[symbol] = g
	}
	r.seen[symbol] = true
	return g
}

// sameInterval gives a series an interval that a line states, unless it has bars of another one, or of an unknown one: then it tells so.
func (r *reader) sameInterval(g *gathered, interval string, line int) bool {
	if g.Interval != "" && g.Interval != interval || g.Interval == "" && len(g.Bars) > 0 {
		r.file.fault(line, "", "%s: the bars are %s, and others of the symbol are not; convert them apart", g.Symbol, interval)
		return false
	}
	g.Interval = interval
	return true
}

// add adds a bar to a series, or what it knows to the bar that is there already.
func (r *reader) add(g *gathered, b feed.Bar) {
	if why := b.Impossible(); why != "" {
		r.file.fault(b.Line, string(b.Stamp), "%s: %s: the bar is impossible: %s", g.Symbol, b.Stamp, why)
		return
	}
	i, there := g.at[b.Stamp]
	if !there {
		g.at[b.Stamp] = len(g.Bars)
		g.Bars, g.of = append(g.Bars, b), append(g.of, r.index)
		r.file.Bars++
		return
	}
	both := g.Bars[i]
	for f, text := range b.Figures {
		if text != "" && both.Figures[f] != "" && both.Figures[f] != text {
			r.file.fault(b.Line, string(b.Stamp), "%s: %s: the %s is %s here and %s at %s:%d, which counts", g.Symbol, b.Stamp, feed.FigureNames[f], text,
				both.Figures[f], r.c.Files[g.of[i]].File, both.Line)
			return
		}
		if both.Figures[f] == "" {
			both.Figures[f] = text
		}
	}
	if why := both.Impossible(); why != "" {
		r.file.fault(b.Line, string(b.Stamp), "%s: %s: together with %s:%d the bar is impossible: %s", g.Symbol, b.Stamp, r.c.Files[g.of[i]].File, both.Line, why)
		return
	}
	g.Bars[i] = both
}

// act takes note of what happened on a day.
func (g *gathered) act(day market.Stamp, a feed.Action) {
	if g.Actions == nil {
		g.Actions = map[market.Stamp]feed.Action{}
	}
	if a != (feed.Action{}) {
		g.Actions[day.Day()] = a
	}
}

// Faults returns what could not be read, by file and line. It lists the first of each file.
func (c *Converted) Faults() (all []market.Warning) {
	for _, f := range c.Files {
		all = append(all, f.Listed...)
		if more := f.Faults - len(f.Listed); more > 0 {
			all = append(all, market.Warning{File: f.File, Problem: fmt.Sprintf("%s: %d faults more are not listed", f.File, more)})
		}
	}
	return all
}

// Finish sorts what was read. A series whose interval cannot be told is a fault of the first file that it is from, and left out.
// It is an error if nothing is left.
func (c *Converted) Finish() (all []*feed.Series, err error) {
	for _, symbol := range slices.Sorted(maps.Keys(c.symbols)) {
		g := c.symbols[symbol]
		if len(g.Bars) == 0 {
			continue
		}
		first, line := &c.Files[g.of[0]], g.Bars[0].Line
		g.at, g.of = nil, nil
		g.Sort()
		if g.Interval == "" {
			if err := g.SetInterval(); err != nil {
				first.fault(line, "", "%v", err)
				continue
			}
		}
		all = append(all, &g.Series)
	}
	if len(all) == 0 {
		return nil, errors.New("no bar could be read, and nothing is written")
	}
	return all, nil
}

// headSize is how much of the beginning of a file tells what it is, in bytes.
const headSize = 64 << 10
