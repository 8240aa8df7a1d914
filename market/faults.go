package market

// This file finds what would be wrong in a run with price files, and where: what Open and Usable tell, and what only one who checks
// files before a run wants to know.

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxBarsToCheck bounds the bars in memory of a check, which looks at each series more than once.
const maxBarsToCheck = 2 * maxBars

// Checked is what a set of price files holds, and what would be wrong in a run with it.
type Checked struct {
	Info   Info      // of what can be read
	Bars   int       // of all symbols
	Faults []Warning // by file, in the order given, and line
}

// Check looks at every line and bar of price files. Unlike Open it goes on after a file that cannot be read and after a symbol that
// is there twice; they are faults like the others. In a file that is one object of many lines, the line of a fault is that of the bar.
// Damaged lines and figures are listed up to the number that Warnings lists.
func Check(paths ...string) (Checked, error) {
	var c Checked
	read, block := newContent(maxBarsToCheck), make([]byte, blockSize)
	for _, path := range paths {
		c.Faults = append(c.Faults, read.addWhatCanBeRead(path, block)...)
	}
	read.symbols = slices.Sorted(maps.Keys(read.series))
	p := pricesOf(read)
	defer p.Close()
	usable, err := p.Usable()
	if err != nil {
		return Checked{}, err
	}
	c.Faults = append(c.Faults, p.Warnings()...)
	for _, u := range usable {
		c.Faults = append(c.Faults, u.All()...)
	}
	if c.Info, err = p.Info(); err != nil {
		return Checked{}, err
	}
	for _, s := range c.Info.Series {
		c.Bars += s.Bars
	}
	if err := c.checkSeries(p); err != nil {
		return Checked{}, err
	}
	c.Faults = append(c.Faults, read.lookAlikes()...)
	read.findLines(c.Faults)
	order := func(w Warning) int {
		if i := slices.Index(paths, w.File); i >= 0 {
			return i
		}
		return len(paths)
	}
	slices.SortStableFunc(c.Faults, func(a, b Warning) int { return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a.Line, b.Line)) })
	return c, nil
}

// addWhatCanBeRead adds the series of a file whose symbol is not there yet.
func (c *content) addWhatCanBeRead(path string, block []byte) (faults []Warning) {
	source, err := openPriceFile(path)
	if err != nil {
		return []Warning{{File: path, Problem: err.Error()}}
	}
	c.sources = append(c.sources, source)
	if err := source.index(block); err != nil {
		return []Warning{{File: path, Line: source.lineOfError(err), Problem: err.Error()}}
	}
	c.warnings.addAll(source.damaged)
	for _, at := range source.series {
		if first, ok := c.series[at.symbol]; ok {
			faults = append(faults, Warning{File: path, Line: at.line, Symbol: at.symbol,
				Problem: fmt.Sprintf("%s is there twice: first at %s:%d; the files cannot be opened", at.symbol, first.source.path, first.line)})
			continue
		}
		c.series[at.symbol] = &series{seriesRef: at}
	}
	return faults
}

// checkSeries looks at each series with the eyes of one who is about to trade it.
func (c *Checked) checkSeries(p *Prices) error {
	read := p.content()
	splits, err := p.AsOf(c.Info.Last.AddDays(1)).AllLikelySplits("")
	if err != nil {
		return err
	}
	for _, s := range splits {
		at := read.series[s.Symbol]
		c.Faults = append(c.Faults, Warning{at.source.path, at.line, s.Symbol, string(s.Date), s.String() + "; the prices tell of none"})
	}
	adjusted, err := p.Adjusted()
	if err != nil {
		return err
	}
	for _, a := range adjusted {
		c.Faults = append(c.Faults, Warning{File: a.File, Problem: a.String()})
	}
	last := map[ID]Stamp{}
	for _, about := range c.Info.Series {
		id := Of(about.Symbol).ID
		last[id] = max(last[id], about.Last.Day())
	}
	for _, about := range c.Info.Series {
		s := read.series[about.Symbol]
		bars, err := read.load(s)
		if err != nil {
			return err
		}
		c.Faults = append(c.Faults, s.strict(bars)...)
		tell := func(at Stamp, format string, args ...any) {
			c.Faults = append(c.Faults, Warning{s.source.path, s.line, s.symbol, string(at), s.symbol + ": " + fmt.Sprintf(format, args...)})
		}
		if end := last[Of(s.symbol).ID]; about.Last != "" && about.Last.Day() < end {
			tell(about.Last, "%s: the bars end; those of other symbols of the market go on to %s", about.Last.Day(), end)
		}
		if about.Interval != "daily" && s.metadata.Load().period == 0 {
			tell("", "the interval %.40q is not known, so it is not known when a bar is over: use Daily, or minutes such as 60min", about.Interval)
		}
	}
	return nil
}

// strict lists what is odd about bars for a run.
func (s *series) strict(bars []packedBar) []Warning {
	return s.told(bars, []oddity{
		{"the bar has no open, so no order fills at it", func(i int) bool { return !bars[i].open.known }},
		{"a high, low, close or volume is not known, and the bar is not the newest", func(i int) bool {
			b := bars[i]
			return i < len(bars)-1 && !(b.high.known && b.low.known && b.close.known && b.volume.known)
		}},
		{"the volume is 0, but the price moved", func(i int) bool {
			b := bars[i]
			return b.volume.known && b.volume.coefficient == 0 && b.high.known && b.low.known && b.high != b.low
		}},
	})
}

// lookAlikes tells of symbols that differ only in marks, in capitals, or in letters and digits that look like each other.
func (c *content) lookAlikes() (faults []Warning) {
	alike := strings.NewReplacer("0", "O", "o", "O", "1", "I", "l", "I", "i", "I")
	first := map[string]*series{}
	for _, symbol := range c.symbols {
		s, looks := c.series[symbol], formOf(alike.Replace(symbol)).all
		if other, ok := first[looks]; ok {
			faults = append(faults, Warning{File: s.source.path, Line: s.line, Symbol: symbol,
				Problem: fmt.Sprintf("%s looks like %s at %s:%d", symbol, other.symbol, other.source.path, other.line)})
			continue
		}
		first[looks] = s
	}
	return faults
}

// findLines finds the lines of faults in files that are one object of many lines.
func (c *content) findLines(faults []Warning) {
	for _, source := range c.sources {
		var text []byte
		for i := range faults {
			w := &faults[i]
			s := c.series[w.Symbol]
			if w.File != source.path || s == nil || s.source != source || s.length != source.size {
				continue
			}
			if text == nil {
				text = source.whole()
			}
			if damage, ok := errors.AsType[*DamagedError](s.damage); ok {
				w.Line = source.lineOfError(damage)
			} else if at := bytes.Index(text, []byte(`"`+w.At)); at >= 0 && w.At != "" {
				w.Line = 1 + bytes.Count(text[:at], []byte("\n"))
			}
		}
	}
}

// whole is the text of the file, as far as it can be read.
func (s *priceFile) whole() []byte {
	text := make([]byte, min(s.size, maxLine))
	n, _ := s.file.ReadAt(text, 0)
	return text[:n]
}

// lineOfError is the line at which a file that is one object is no JSON, 1 if an error is of another kind.
func (s *priceFile) lineOfError(err error) int {
	text := s.whole()
	broken, ok := errors.AsType[*jsontext.SyntacticError](err)
	if !ok { // the index reads with another library
		r := newObjectReader(text)
		if broken, ok = errors.AsType[*jsontext.SyntacticError](r.SkipValue()); !ok {
			return 1
		}
	}
	at := int64(bytes.IndexByte(text, '{')) + broken.ByteOffset
	return 1 + bytes.Count(text[:min(max(at, 0), int64(len(text)))], []byte("\n"))
}
