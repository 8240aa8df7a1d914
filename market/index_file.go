package market

// This file keeps the index of a large price file in a file beside it, so that the next one who opens it need not read it.
//
// It is derived, and made again where it does not fit. No price comes from it: a series is read from its line, which must be a whole line
// with the hash that the index tells, and of the symbol. Where it is not, the price file is indexed anew.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"mcp-trade/internal/files"
)

// indexFrom is how large a price file is that gets an index file, in bytes: one that takes a tenth of a second to index.
const indexFrom = 32 << 20

const (
	indexVersion = 1
	maxIndex     = 256 << 20 // of an index file, in bytes
)

// indexPath is where the index of a price file is.
func indexPath(path string) string { return path + ".index" }

// storedIndex is what an index file holds after a line with the hash of it.
type storedIndex struct {
	Version  int            `json:"version"`
	Size     int64          `json:"size"`     // of the price file
	Modified int64          `json:"modified"` // when it was written, in nanoseconds since 1970
	Torn     bool           `json:"torn"`     // the last line is
	Damaged  []Warning      `json:"damaged"`
	More     int            `json:"more_damaged"`
	Series   []storedSeries `json:"series"`
	Stamps   map[ID][]Stamp `json:"stamps"` // by market: at which any series has a bar, ascending
}

// storedSeries is a series of an index file.
type storedSeries struct {
	Symbol string `json:"symbol"`
	Line   int    `json:"line"`
	Offset int64  `json:"offset"`
	Length int64  `json:"length"`
	Sum    uint64 `json:"sum,string"`
	outline
}

// find finds the series in the file: by its index file, or else as index does. It makes the index file of a large one.
func (s *priceFile) find(block []byte, from int64) error {
	if s.size < from {
		return s.index(block)
	}
	if !s.anew && s.readIndex() == nil {
		return nil
	}
	if err := s.index(block); err != nil {
		return err
	}
	s.unkept = s.writeIndex()
	return nil
}

// readIndex takes the series from the index file. An error says why it is of no use.
func (s *priceFile) readIndex() error {
	path := indexPath(s.path)
	text, err := files.Read(path, maxIndex)
	if err != nil {
		return err
	}
	hash, text, _ := bytes.Cut(text, []byte("\n"))
	if sum, err := strconv.ParseUint(string(hash), 16, 64); err != nil || sum != xxhash.Sum64(text) {
		return fmt.Errorf("%s is damaged", path)
	}
	var stored storedIndex
	if err := json.Unmarshal(text, &stored); err != nil {
		return err
	}
	if stored.Version != indexVersion || stored.Size != s.size || stored.Modified != s.state.ModTime().UnixNano() || !stored.isSound() {
		return fmt.Errorf("%s is of another file", path)
	}
	s.series = make([]seriesRef, len(stored.Series))
	for i := range stored.Series {
		at := &stored.Series[i]
		s.series[i] = seriesRef{at.Symbol, s, at.Line, at.Offset, at.Length, at.Sum, &at.outline}
	}
	s.damaged, s.stamps, s.stored = warningList{stored.Damaged, stored.More}, stored.Stamps, true
	if stored.Torn {
		s.torn = errTorn
	}
	return nil
}

// isSound tells whether the places of the series can be those of the file.
func (x *storedIndex) isSound() bool {
	end, symbols := int64(-1), map[string]bool{}
	for _, at := range x.Series {
		if symbols[at.Symbol] {
			return false
		}
		symbols[at.Symbol] = true
		if at.Length < 2 || at.Length > maxLine || at.Offset <= end || at.Offset > math.MaxInt64-at.Length || at.Offset+at.Length > x.Size || CheckSymbol(at.Symbol) != nil {
			return false
		}
		end = at.Offset + at.Length
	}
	return len(x.Series) > 0 && len(x.Damaged) <= maxWarnings && x.More >= 0
}

// writeIndex makes the index file. An error says why there is none; nothing else depends on it. Where the folder can be written is found out
// before the work.
func (s *priceFile) writeIndex() error {
	return files.Umask.ReplaceWith(indexPath(s.path), s.storeIndex)
}

func (s *priceFile) storeIndex(w io.Writer) error {
	stored := storedIndex{
		Version: indexVersion, Size: s.size, Modified: s.state.ModTime().UnixNano(), Torn: s.torn != nil, Damaged: s.damaged.kept, More: s.damaged.more,
	}
	outlines, stamps := s.outlines()
	for i, at := range s.series {
		s.series[i].outline = &outlines[i]
		stored.Series = append(stored.Series, storedSeries{at.symbol, at.line, at.offset, at.length, at.sum, outlines[i]})
	}
	stored.Stamps, s.stamps = stamps, stamps
	text, err := json.Marshal(stored)
	if err != nil {
		return err
	}
	if after, err := s.file.Stat(); err != nil || !sameState(after, s.state) {
		return fmt.Errorf("price file %s is being written", s.path)
	}
	_, err = fmt.Fprintf(w, "%x\n%s", xxhash.Sum64(text), text)
	return err
}

// reindex indexes a file whose index file was wrong, and returns where a series is. The next Refresh takes the rest of it.
func (s *priceFile) reindex(symbol string) (seriesRef, error) {
	if now, err := s.file.Stat(); err != nil || !sameState(now, s.state) {
		return seriesRef{}, errRewritten // the price file is another, and the index was right
	}
	s.again.Do(func() {
		s.wrong.Store(true)
		fresh := &priceFile{path: s.path, file: s.file, size: s.size, state: s.state}
		if fresh.index(make([]byte, blockSize)) != nil {
			return
		}
		if now, err := s.file.Stat(); err == nil && sameState(now, s.state) {
			fresh.unkept = fresh.writeIndex()
			s.fresh = fresh.series
		}
	})
	i := slices.IndexFunc(s.fresh, func(at seriesRef) bool { return at.symbol == symbol })
	if i < 0 {
		return seriesRef{}, errRewritten
	}
	return s.fresh[i], nil
}

// isWholeLine tells whether a series stands between two ends of lines.
func (r seriesRef) isWholeLine() bool {
	var around [1]byte
	for _, at := range []int64{r.offset - 1, r.offset + r.length} {
		if at < 0 || at >= r.source.size {
			continue
		}
		if _, err := r.source.file.ReadAt(around[:], at); err != nil || around[0] != '\n' {
			return false
		}
	}
	return true
}
