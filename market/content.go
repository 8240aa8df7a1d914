package market

// This file holds the content of price files: the index over all of them, and the series that have been read so far.

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
)

// maxBars bounds the bars kept in memory, at some 110 bytes each.
const maxBars = 250_000

// fileSet is price files, and what they hold.
type fileSet struct {
	now  atomic.Pointer[content] // in force, with bars that begin when they do
	mark atomic.Pointer[Stamp]   // the latest stamp of which a view was made

	// showing is held for reading by who shows a series for the first time, and for writing by who puts another content in force.
	showing sync.RWMutex

	indexFrom int64 // how large a file is that gets an index file, in bytes

	refreshing sync.Mutex   // guards what is below
	actions    *actionsFile // nil if there is none
	rawOnly    bool         // adjusted prices are not taken
	refused    refusal
}

// refusal is why files in some states are not taken.
type refusal struct {
	states []os.FileInfo
	err    error
}

// latest is the latest stamp of which a view was made.
func (f *fileSet) latest() Stamp {
	if s := f.mark.Load(); s != nil {
		return *s
	}
	return ""
}

func (f *fileSet) advance(to Stamp) {
	for s := f.mark.Load(); s == nil || *s < to; s = f.mark.Load() {
		if f.mark.CompareAndSwap(s, &to) {
			return
		}
	}
}

// content is what price files held when they were indexed. A view keeps the content that it was made of.
type content struct {
	files   *fileSet
	sources []*priceFile
	series  map[string]*series
	symbols []string            // ascending
	told    map[string][]Action // of an actions file, by symbol; nil without one

	mu       sync.Mutex // guards what is below
	warnings warningList
	kept     []*series // those with bars in memory, the first read first
	bars     int       // in memory
	maxBars  int

	asStamped bool     // bars begin at their stamps, also those that end there
	twin      *content // the same files with the other asStamped; nil until it is asked for
	twinning  sync.Mutex

	dating sync.Mutex     // guards what is below
	days   map[ID][]Stamp // as calendar returns them; nil before the first call
}

func newContent(maxBars int) *content {
	return &content{series: map[string]*series{}, maxBars: maxBars}
}

// series is the bars of a symbol, in memory or not.
type series struct {
	seriesRef
	bars     atomic.Pointer[[]packedBar] // ascending; nil while not in memory
	metadata atomic.Pointer[metadata]    // nil until first read, then for good

	shown atomic.Bool // somebody has seen bars of it, of this content or of an earlier one

	reading sync.Mutex // guards damage
	damage  error

	digest digest // of what was shown when the bars left the memory; guarded by the content's mu
}

// metadata is what is kept of a series whose bars are not in memory.
type metadata struct {
	name, interval string
	period         time.Duration // of a bar, 0 if the interval does not say
	bars           int
	first, last    Stamp
	doubled        []Stamp  // stamps at which the file has more bars than one, once for each that is left out
	jumps          []jump   // that look like splits, the future included
	actions        []Action // in their order, the future included
	adjustment     adjustment
	listed         Stamp // "" if the file does not say
	st             []dateSpan
	synthetic      bool
}

// add adds the series of a file.
func (c *content) add(source *priceFile) error {
	c.warnings.addAll(source.damaged)
	for _, at := range source.series {
		if first, ok := c.series[at.symbol]; ok {
			return fmt.Errorf("symbol %s is there twice: %s:%d and %s:%d", at.symbol, first.source.path, first.line, source.path, at.line)
		}
		c.series[at.symbol] = &series{seriesRef: at}
	}
	return nil
}

func (c *content) close() error {
	var errs []error
	for _, s := range c.sources {
		errs = append(errs, s.file.Close())
	}
	return errors.Join(errs...)
}

// load returns the bars of a series, reading them unless they are in memory.
func (c *content) load(s *series) ([]packedBar, error) {
	if bars := s.bars.Load(); bars != nil {
		return *bars, nil
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	if bars := s.bars.Load(); bars != nil {
		return *bars, nil
	}
	if s.damage != nil {
		return nil, s.damage
	}
	read, err := s.read(c.asStamped)
	if errors.Is(err, os.ErrClosed) {
		return nil, fmt.Errorf("prices of %s: %w", s.symbol, err)
	}
	if err != nil {
		s.damage = &DamagedError{s.symbol, s.source.path, s.line, err}
		c.warn(s, warningList{kept: []Warning{{Symbol: s.symbol, Problem: fmt.Sprintf("prices of %s cannot be read: %v", s.symbol, err)}}})
		return nil, s.damage
	}
	if err := c.show(s, &read); err != nil {
		return nil, err
	}
	s.bars.Store(&read.bars)
	c.keep(s, len(read.bars))
	return read.bars, nil
}

// read reads and parses the series, which must still be what it was when the file was indexed.
func (s *series) read(asStamped bool) (parsed, error) {
	read, err := s.seriesRef.read(s.symbol)
	if errors.Is(err, errRewritten) && s.source.stored { // by an index file that may be wrong
		at, failed := s.source.reindex(s.symbol)
		if failed != nil {
			return parsed{}, failed
		}
		read, err = at.read(s.symbol)
	}
	if err != nil {
		return parsed{}, err
	}
	if !asStamped {
		read.stampStarts()
	}
	return read, nil
}

// show notes that a series is shown from now on. In a content that is no longer in force it must be there as it is in the one that is.
func (c *content) show(s *series, read *parsed) error {
	c.files.showing.RLock()
	defer c.files.showing.RUnlock()
	if s.shown.Load() {
		return nil
	}
	about := read.metadata(c.told[s.symbol])
	if now := c.files.now.Load().stamped(c.asStamped); now != c {
		if err := now.agree(c, s, about, read.bars); err != nil {
			return &RefreshError{err}
		}
	}
	if s.metadata.Swap(about) == nil {
		c.warn(s, read.warnings)
	}
	s.bars.Store(&read.bars)
	s.shown.Store(true)
	return nil
}

// agree notes that a series was shown of an earlier content, which must have it as this one has.
func (c *content) agree(old *content, s *series, about *metadata, bars []packedBar) error {
	t := c.series[s.symbol]
	asOf := c.files.latest()
	if !c.sameText(old, s) {
		var err error
		if about, bars, err = c.compare(s, about, bars, asOf); err != nil {
			return err
		}
	}
	if t == nil {
		return nil // and nothing of it was shown
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t.metadata.Store(about)
	t.digest = digestOf(bars, about.period, asOf)
	t.shown.Store(true)
	return nil
}

// sameText tells whether a series of an old content is here with the same text, and with the same actions of an actions file.
func (c *content) sameText(old *content, s *series) bool {
	t := c.series[s.symbol]
	return t != nil && t.sum == s.sum && t.length == s.length && slices.EqualFunc(c.told[s.symbol], old.told[s.symbol], Action.Equal)
}

// compare reads a series and holds it against what was shown of it as of a stamp.
func (c *content) compare(s *series, was *metadata, bars []packedBar, asOf Stamp) (*metadata, []packedBar, error) {
	is, about, err := c.reread(s)
	if err != nil {
		return nil, nil, err
	}
	change := changedBar(window{s.symbol, asOf, was.period, bars}, is.bars)
	if change == nil {
		change = changedAction(was.actions, about.actions, asOf)
	}
	if change != nil {
		return nil, nil, c.changed(s, change)
	}
	return about, is.bars, nil
}

// reread reads a series that was shown of an earlier content. One that is not here has nothing.
func (c *content) reread(s *series) (parsed, *metadata, error) {
	t := c.series[s.symbol]
	if t == nil {
		return parsed{}, parsed{}.metadata(nil), nil
	}
	read, err := t.read(c.asStamped)
	if err != nil {
		return parsed{}, nil, fmt.Errorf("the prices of %s, which were shown, cannot be read (%s:%d): %w", s.symbol, t.source.path, t.line, err)
	}
	return read, read.metadata(c.told[s.symbol]), nil
}

// changed completes a change with the place where the series is, or was.
func (c *content) changed(s *series, change *ChangedError) error {
	change.Symbol, change.File = s.symbol, s.source.path
	if t := c.series[s.symbol]; t != nil {
		change.File, change.Line = t.source.path, t.line
	}
	return change
}

// about returns what is kept of a series. It reads it unless it was read before.
func (c *content) about(s *series) (*metadata, error) {
	if s.metadata.Load() == nil {
		if _, err := c.load(s); err != nil {
			return nil, err
		}
	}
	return s.metadata.Load(), nil
}

// read reads and parses the series of a symbol.
func (r seriesRef) read(symbol string) (parsed, error) {
	text, err := r.source.text(r.offset, r.length)
	if err != nil {
		return parsed{}, err
	}
	if xxhash.Sum64(text) != r.sum || r.source.stored && !r.isWholeLine() {
		return parsed{}, errRewritten
	}
	read, err := parse(trim(text))
	if err == nil && read.symbol != symbol {
		err = fmt.Errorf("its symbol is %.40q as one reads all of the line", read.symbol)
		if r.source.stored {
			err = errRewritten
		}
	}
	return read, err
}

// outlined tells whether the index knows when the series has bars.
func (c *content) outlined(s *series) bool {
	return !c.asStamped && s.outline != nil && s.outline.Bars > 0 && !s.source.wrong.Load()
}

// eachStamp calls yield with the market and the stamp of each bar, some of them more than once. It reads the series of which the index does
// not tell; damaged ones are left out.
func (c *content) eachStamp(yield func(ID, Stamp)) error {
	for _, symbol := range c.symbols {
		s, id := c.series[symbol], Of(symbol).ID
		if c.outlined(s) {
			continue
		}
		bars, err := c.load(s)
		if isDamage(err) {
			continue
		}
		if err != nil {
			return err
		}
		for _, bar := range bars {
			yield(id, bar.stamp)
		}
	}
	for _, source := range c.sources {
		if c.asStamped || source.wrong.Load() {
			continue
		}
		for id, stamps := range source.stamps {
			for _, stamp := range stamps {
				yield(id, stamp)
			}
		}
	}
	return nil
}

// stamped returns the content of the same files with a way to take stamps. It shares the files.
func (c *content) stamped(asStamped bool) *content {
	if c.asStamped == asStamped {
		return c
	}
	c.twinning.Lock()
	defer c.twinning.Unlock()
	if c.twin == nil {
		c.twin = &content{files: c.files, sources: c.sources, series: map[string]*series{}, symbols: c.symbols, told: c.told, maxBars: c.maxBars, asStamped: !c.asStamped, twin: c}
		for symbol, s := range c.series {
			c.twin.series[symbol] = &series{seriesRef: s.seriesRef}
		}
	}
	return c.twin
}

// metadata is what is kept of the series, with the actions that an actions file tells of it.
func (p parsed) metadata(told []Action) *metadata {
	actions := merged(p.actions, told)
	about := &metadata{
		name: p.name, interval: p.interval, period: p.period(), bars: len(p.bars), doubled: p.doubled, jumps: jumpsOf(p.bars, actions), listed: p.about.Listed, st: p.about.ST,
		actions: actions, adjustment: adjustmentOf(p.bars, actions, p.adjusted), synthetic: p.about.Synthetic != nil,
	}
	if about.bars > 0 {
		about.first, about.last = p.bars[0].stamp, p.bars[about.bars-1].stamp
	}
	return about
}

// warn records the faults of a series.
func (c *content) warn(s *series, found warningList) {
	for i := range found.kept {
		found.kept[i].File, found.kept[i].Line = s.source.path, s.line
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.warnings.addAll(found)
}

// keep accounts for a series just read, and drops the series read longest ago
// while there are too many bars. It goes by the order of reading and not of use,
// so that a look-up of a series in memory takes no lock.
func (c *content) keep(s *series, bars int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = append(c.kept, s)
	c.bars += bars
	for c.bars > c.maxBars && len(c.kept) > 1 {
		oldest := c.kept[0]
		c.kept = c.kept[1:]
		c.bars -= oldest.metadata.Load().bars
		bars := *oldest.bars.Swap(nil) // who has got them before has advanced the latest stamp before
		oldest.digest = digestOf(bars, oldest.metadata.Load().period, c.files.latest())
	}
}

func isDamage(err error) bool {
	_, ok := errors.AsType[*DamagedError](err)
	return ok
}
