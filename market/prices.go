package market

// This file holds the prices: the index over all files, and the series that
// have been read so far.

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// maxBars bounds the bars kept in memory, at some 110 bytes each.
const maxBars = 250_000

// Prices is the content of a set of price files. It is safe for concurrent use.
//
// A series is read on the first request and kept in memory until newer ones
// displace it. So a change of an open file may go unnoticed until the files are
// opened again.
type Prices struct {
	sources []*priceFile
	series  map[string]*series
	symbols []string            // ascending
	told    map[string][]Action // of an actions file, by symbol; nil without one

	mu       sync.Mutex // guards what is below
	warnings warningList
	kept     []*series // those with bars in memory, the first read first
	bars     int       // in memory
	maxBars  int

	asStamped bool    // bars begin at their stamps, also those that end there
	twin      *Prices // the same files with the other asStamped; nil until it is asked for
	twinning  sync.Mutex

	dating sync.Mutex     // guards what is below
	days   map[ID][]Stamp // as calendar returns them; nil before the first call
}

// series is the bars of a symbol, in memory or not.
type series struct {
	seriesRef
	bars     atomic.Pointer[[]packedBar] // ascending; nil while not in memory
	metadata atomic.Pointer[metadata]    // nil until first read, then for good

	reading sync.Mutex
	damage  error
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
}

// Open indexes price files. A file holds one JSON object per line and symbol,
// or is as a whole one such object:
//
//	{"Meta Data": {"2. Symbol": "AAPL", "2.1. Name": "Apple"},
//	 "Time Series (Daily)": {"2025-10-02": {"1. open": "256.5", "2. high": "258.1",
//	  "3. low": "254.1", "4. close": "257.1", "5. volume": "42630239"}}}
//
// "1. buy price" and "4. sell price" are other names of open and close. Values
// are strings or numbers, and any may be absent.
//
// Bars within a day are stamped at their start, those of A-shares at their end;
// "Stamps": "start" or "end" in the meta data says otherwise. They are served as
// stamped at their start. "Listed": "2025-10-09", the first trading day of a share,
// and "ST": [{"from": "2024-05-06", "to": "2025-06-30"}], when it stood under
// special treatment, count for price limits.
//
// A damaged line is a warning. It is an error if there is no path, if a path is
// not a readable regular file, if a file has no series at all, and if a symbol
// is there twice.
func Open(paths ...string) (*Prices, error) {
	if len(paths) == 0 {
		return nil, errors.New("no price file was given")
	}
	p := &Prices{series: map[string]*series{}, maxBars: maxBars}
	block := make([]byte, blockSize)
	for _, path := range paths {
		if err := p.add(path, block); err != nil {
			p.Close() // the error that matters is err
			return nil, err
		}
	}
	p.symbols = slices.Sorted(maps.Keys(p.series))
	return p, nil
}

func (p *Prices) add(path string, block []byte) error {
	source, err := openPriceFile(path)
	if err != nil {
		return err
	}
	p.sources = append(p.sources, source)
	places, damaged, err := source.index(block)
	if err != nil {
		return err
	}
	p.warnings.addAll(damaged)
	for _, at := range places {
		if first, ok := p.series[at.symbol]; ok {
			return fmt.Errorf("symbol %s is there twice: %s:%d and %s:%d",
				at.symbol, first.source.path, first.line, path, at.line)
		}
		p.series[at.symbol] = &series{seriesRef: at}
	}
	return nil
}

// Close closes the files. Series that are not in memory cannot be read after it.
func (p *Prices) Close() error {
	var errs []error
	for _, s := range p.sources {
		errs = append(errs, s.file.Close())
	}
	return errors.Join(errs...)
}

// Warnings returns the faults found so far: damaged lines since Open, and faults
// within a series once it has been read. It lists the first 100 and counts the
// others.
func (p *Prices) Warnings() []Warning {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.warnings.list()
}

// AsOf returns the market as seen at the stamp, which must come from ParseStamp.
func (p *Prices) AsOf(s Stamp) View { return View{prices: p, asOf: s} }

// Stamps returns every stamp at which any symbol has a bar, ascending, from
// `from` to `to`, both included ("" is no bound, a day as the end includes all
// its moments). It is the calendar of the runner and shows the future; traders
// get only a View.
//
// It reads every series. Damaged ones are left out and appear in Warnings.
func (p *Prices) Stamps(from, to Stamp) ([]Stamp, error) {
	stamps := map[Stamp]struct{}{}
	for _, symbol := range p.symbols {
		bars, err := p.load(p.series[symbol])
		if isDamage(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, bar := range bars {
			if from <= bar.stamp && bar.stamp.until(to) {
				stamps[bar.stamp] = struct{}{}
			}
		}
	}
	return slices.Sorted(maps.Keys(stamps)), nil
}

// load returns the bars of a series, reading them unless they are in memory.
func (p *Prices) load(s *series) ([]packedBar, error) {
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
	read, err := s.read(p.asStamped)
	if errors.Is(err, os.ErrClosed) {
		return nil, fmt.Errorf("prices of %s: %w", s.symbol, err)
	}
	if err != nil {
		s.damage = &DamagedError{s.symbol, s.source.path, s.line, err}
		p.warn(s, warningList{kept: []Warning{{Symbol: s.symbol, Problem: fmt.Sprintf("prices of %s cannot be read: %v", s.symbol, err)}}})
		return nil, s.damage
	}
	if s.metadata.Load() == nil {
		s.metadata.Store(read.metadata(p.told[s.symbol]))
		p.warn(s, read.warnings)
	}
	s.bars.Store(&read.bars)
	p.keep(s, len(read.bars))
	return read.bars, nil
}

// read reads and parses the series, which must still be where the index says.
func (s *series) read(asStamped bool) (parsed, error) {
	text, err := s.source.read(s.offset, s.length)
	if err != nil {
		return parsed{}, err
	}
	read, err := parse(text)
	if err != nil {
		return parsed{}, err
	}
	if read.symbol != s.symbol {
		return parsed{}, fmt.Errorf("the symbol there is now %.40q; the file was rewritten after it was opened", read.symbol)
	}
	if !asStamped {
		read.stampStarts()
	}
	return read, nil
}

// other returns the same files with the other way to take stamps. It shares the files, and is closed with them.
func (p *Prices) other() *Prices {
	p.twinning.Lock()
	defer p.twinning.Unlock()
	if p.twin == nil {
		p.twin = &Prices{sources: p.sources, series: map[string]*series{}, symbols: p.symbols, told: p.told, maxBars: p.maxBars, asStamped: !p.asStamped, twin: p}
		for symbol, s := range p.series {
			p.twin.series[symbol] = &series{seriesRef: s.seriesRef}
		}
	}
	return p.twin
}

// AsStamped returns the same files as if all bars began at their stamps, also those that end there: AI-Trader takes them so.
func (p *Prices) AsStamped() *Prices {
	if p.asStamped {
		return p
	}
	return p.other()
}

// stampStarts gives bars that are stamped at their end the stamp of their start.
func (p *parsed) stampStarts() {
	period := p.period()
	if period == 0 || p.about.Stamps == "start" || p.about.Stamps == "" && !Of(p.symbol).EndStamped {
		return
	}
	for i := range p.bars {
		if stamp := p.bars[i].stamp; !stamp.IsDay() {
			p.bars[i].stamp = stamp.add(-period)
		}
	}
}

// period is that of a bar, 0 if the interval does not say.
func (p parsed) period() time.Duration {
	if minutes, ok := strings.CutSuffix(p.interval, "min"); ok {
		if n, err := strconv.Atoi(minutes); err == nil && n > 0 {
			return time.Duration(n) * time.Minute
		}
	}
	return 0
}

// metadata is what is kept of the series, with the actions that an actions file tells of it.
func (p parsed) metadata(told []Action) *metadata {
	actions := merged(p.actions, told)
	about := &metadata{
		name: p.name, interval: p.interval, period: p.period(), bars: len(p.bars), doubled: p.doubled, jumps: jumpsOf(p.bars, actions), listed: p.about.Listed, st: p.about.ST,
		actions: actions, adjustment: adjustmentOf(p.bars, actions, p.adjusted),
	}
	if about.bars > 0 {
		about.first, about.last = p.bars[0].stamp, p.bars[about.bars-1].stamp
	}
	return about
}

// warn records the faults of a series.
func (p *Prices) warn(s *series, found warningList) {
	for i := range found.kept {
		found.kept[i].File, found.kept[i].Line = s.source.path, s.line
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.warnings.addAll(found)
}

// keep accounts for a series just read, and drops the series read longest ago
// while there are too many bars. It goes by the order of reading and not of use,
// so that a look-up of a series in memory takes no lock.
func (p *Prices) keep(s *series, bars int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept = append(p.kept, s)
	p.bars += bars
	for p.bars > p.maxBars && len(p.kept) > 1 {
		oldest := p.kept[0]
		p.kept = p.kept[1:]
		p.bars -= oldest.metadata.Load().bars
		oldest.bars.Store(nil)
	}
}

func isDamage(err error) bool {
	_, ok := errors.AsType[*DamagedError](err)
	return ok
}

// IsUnknown tells that an error is of a symbol that does not exist, or cannot be read.
func IsUnknown(err error) bool {
	_, unknown := errors.AsType[*UnknownSymbolError](err)
	return unknown || isDamage(err)
}
