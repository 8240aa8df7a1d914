package market

// This file holds the prices as others use them: they ask what the files hold now.

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Prices is the content of a set of price files. It is safe for concurrent use.
//
// A series is read on the first request and kept in memory until newer ones
// displace it. What a file has become since it was opened is seen by [Prices.Refresh].
type Prices struct {
	*fileSet
	asStamped bool // bars begin at their stamps, also those that end there
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
// special treatment, count for price limits. "Synthetic", with any text, says that the
// prices are made up.
//
// A damaged line is a warning. It is an error if there is no path, if a path is
// not a readable regular file, if a file has no series at all, and if a symbol
// is there twice.
//
// Beside a large file it keeps the index in FILE.index, where it can: made once, it spares the next one the reading of the file.
func Open(paths ...string) (*Prices, error) { return open(indexFrom, paths...) }

// open is Open with how large a file is that gets an index file.
func open(indexFrom int64, paths ...string) (*Prices, error) {
	if len(paths) == 0 {
		return nil, errors.New("no price file was given")
	}
	c := newContent(maxBars)
	block := make([]byte, blockSize)
	for _, path := range paths {
		source, err := openPriceFile(path)
		if err == nil {
			c.sources = append(c.sources, source)
			err = source.find(block, indexFrom)
		}
		if err == nil {
			err = c.add(source)
		}
		if err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	c.symbols = slices.Sorted(maps.Keys(c.series))
	p := pricesOf(c)
	p.indexFrom = indexFrom
	return p, nil
}

// pricesOf returns the prices of files that hold a content.
func pricesOf(c *content) *Prices {
	c.files = &fileSet{}
	c.files.now.Store(c)
	return &Prices{fileSet: c.files}
}

// content is what the files hold now.
func (p *Prices) content() *content { return p.now.Load().stamped(p.asStamped) }

// Close closes the files. Series that are not in memory cannot be read after it.
func (p *Prices) Close() error { return p.now.Load().close() }

// Warnings returns the faults found so far: damaged lines since Open, and faults
// within a series once it has been read. It lists the first 100 and counts the
// others.
func (p *Prices) Warnings() []Warning {
	c := p.content()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.warnings.list()
}

// Unkept says why large files have no index file, though the next one who opens them would be spared their reading.
func (p *Prices) Unkept() (why []error) {
	for _, s := range p.now.Load().sources {
		if s.unkept != nil {
			why = append(why, fmt.Errorf("the index of %s is not kept: %w", s.path, s.unkept))
		}
	}
	return why
}

// AsOf returns the market as seen at the stamp, which must come from ParseStamp.
func (p *Prices) AsOf(s Stamp) View {
	if p.latest() < s {
		// The view is of a content that is held to the stamp when another one is put in force.
		p.showing.RLock()
		defer p.showing.RUnlock()
		p.advance(s)
	}
	return View{prices: p.content(), asOf: s}
}

// AsStamped returns the same files as if all bars began at their stamps, also those that end there: AI-Trader takes them so.
func (p *Prices) AsStamped() *Prices { return &Prices{p.fileSet, true} }

// Stamps returns every stamp at which any symbol has a bar, ascending, from
// `from` to `to`, both included ("" is no bound, a day as the end includes all
// its moments). It is the calendar of the runner and shows the future; traders
// get only a View.
//
// It reads every series of which an index file does not tell. Damaged ones are left out and appear in Warnings.
func (p *Prices) Stamps(from, to Stamp) ([]Stamp, error) {
	stamps := map[Stamp]struct{}{}
	err := p.content().eachStamp(func(_ ID, stamp Stamp) {
		if from <= stamp && stamp.until(to) {
			stamps[stamp] = struct{}{}
		}
	})
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(stamps)), nil
}

// IsUnknown tells that an error is of a symbol that does not exist, or cannot be read.
func IsUnknown(err error) bool {
	_, unknown := errors.AsType[*UnknownSymbolError](err)
	return unknown || isDamage(err)
}
