package market

// This file hands out series as a file has them, for those who make price files of price files.

import (
	"maps"
	"slices"
)

// FileSeries is a series as a file has it: its stamps are those of the file.
type FileSeries struct {
	Symbol, Name  string
	Interval      string // "daily", "60min"
	Stamps        string // of bars within a day: "start" or "end"; "" for what is usual in the market
	Line          int    // from 1
	Bars          []Bar
	Actions       []Action // that the rows state
	StatesActions bool     // the rows have places for them
	About         []byte   // the "Meta Data", JSON
}

// ReadSeries calls yield with each series of a price file, by symbol. What cannot be read is a fault. An error says that yield was
// called with nothing.
func ReadSeries(path string, yield func(FileSeries)) (faults []Warning) {
	c := newContent(maxBars)
	defer c.close()
	faults = c.addWhatCanBeRead(path, make([]byte, blockSize))
	for _, symbol := range slices.Sorted(maps.Keys(c.series)) {
		s := c.series[symbol]
		read, err := s.read(true)
		if err != nil {
			s.damage = &DamagedError{symbol, path, s.line, err}
			c.warn(s, warningList{kept: []Warning{{Symbol: symbol, Problem: s.damage.Error()}}})
			continue
		}
		c.warn(s, read.warnings)
		f := FileSeries{symbol, read.name, read.interval, read.about.Stamps, s.line, make([]Bar, len(read.bars)), read.actions, read.statesActions, read.aboutText}
		for i, b := range read.bars {
			f.Bars[i] = b.bar()
		}
		yield(f)
	}
	faults = append(faults, c.warnings.list()...)
	c.findLines(faults)
	return faults
}
