package market

// This file describes the price files to operators.

import "fmt"

// Info describes a set of price files, the future included.
type Info struct {
	Files    []FileInfo   `json:"files"`    // in the order given to Open
	Symbols  int          `json:"symbols"`  // readable ones
	First    Stamp        `json:"first"`    // "" if there are no bars
	Last     Stamp        `json:"last"`     // likewise
	Interval string       `json:"interval"` // "daily", "60min" and so on, "mixed" if series differ
	Series   []SeriesInfo `json:"series"`   // by symbol, ascending

	Synthetic int `json:"synthetic,omitempty"` // symbols whose file says that their prices are made up
}

// MadeUp says, in a sentence, which of the prices are synthetic; "" if none are.
func (i Info) MadeUp() string {
	switch {
	case i.Synthetic == 0:
		return ""
	case i.Synthetic < i.Symbols:
		return fmt.Sprintf("The prices of %d of the %d symbols are synthetic: made up, of no real market.", i.Synthetic, i.Symbols)
	}
	return "The prices are synthetic: made up, of no real market."
}

// Survivors says, in a sentence, that every symbol of the files has bars to their end, as in a list that was chosen when the days were
// over; "" if one ends before, or there are fewer than two.
func (i Info) Survivors() string {
	if i.Symbols < 2 {
		return ""
	}
	for _, s := range i.Series {
		if s.Last == "" || s.Last.Day() < i.Last.Day() {
			return ""
		}
	}
	return fmt.Sprintf("None of the %d symbols leaves the prices before their end, %s: if the list was chosen afterwards, as that of an index of today is, "+
		"what failed or fell out meanwhile is missing, and returns on it are too high.", i.Symbols, i.Last.Day())
}

// FileInfo describes a price file.
type FileInfo struct {
	Path    string `json:"path"`
	Bytes   int64  `json:"bytes"`   // when it was opened
	Symbols int    `json:"symbols"` // readable ones
}

// SeriesInfo describes the series of a symbol.
type SeriesInfo struct {
	Symbol   string `json:"symbol"`
	Name     string `json:"name"` // "" if the file has none
	Interval string `json:"interval"`
	Bars     int    `json:"bars"`
	First    Stamp  `json:"first"` // "" if there are no bars
	Last     Stamp  `json:"last"`  // likewise
	File     string `json:"file"`
	Line     int    `json:"line"` // from 1
}

// Info describes the files. It reads every series; damaged ones are left out
// and appear in Warnings.
func (p *Prices) Info() (Info, error) {
	c, info := p.content(), Info{Series: []SeriesInfo{}}
	perFile := map[*priceFile]int{}
	for _, symbol := range c.symbols {
		s := c.series[symbol]
		about, err := c.about(s)
		if isDamage(err) {
			continue
		}
		if err != nil {
			return Info{}, err
		}
		perFile[s.source]++
		info.add(s, about)
	}
	for _, s := range c.sources {
		info.Files = append(info.Files, FileInfo{s.path, s.size, perFile[s]})
	}
	return info, nil
}

func (i *Info) add(s *series, about *metadata) {
	i.Symbols++
	i.Series = append(i.Series, SeriesInfo{s.symbol, about.name, about.interval, about.bars,
		about.first, about.last, s.source.path, s.line})
	if about.synthetic {
		i.Synthetic++
	}
	if i.Symbols == 1 {
		i.Interval = about.interval
	} else if i.Interval != about.interval {
		i.Interval = "mixed"
	}
	if about.bars == 0 {
		return
	}
	if i.First == "" || about.first < i.First {
		i.First = about.first
	}
	i.Last = max(i.Last, about.last)
}
