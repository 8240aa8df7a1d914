// Reading a ledger from its first line to its last.

package ledger

import (
	"bytes"
	"fmt"

	"mcp-trade/internal/strict"
	"mcp-trade/market"
)

// reader reads lines that follow each other. Of a book, what is written as in the line before is not read again. The zero
// reader has read none.
type reader struct {
	books    [2]Positions // of the newest line that was read, and of the one before it, by turns
	newest   int          // which of them is the newest
	follower strict.Follower

	dateText []byte
	date     market.Stamp // that the text stands for
}

// read reads the next line. The positions of the record last until the line after the next one is read.
func (r *reader) read(line []byte) (Record, error) {
	rec, book, err := parseLine(line, r.stamp)
	if err == nil {
		rec.Positions, err = r.positions(book)
	}
	if err != nil {
		return Record{}, fmt.Errorf("not a ledger line: %w", err)
	}
	return rec, nil
}

// stamp parses a date; mostly it is that of the line before.
func (r *reader) stamp(value []byte) (market.Stamp, error) {
	if r.date != "" && bytes.Equal(value, r.dateText) {
		return r.date, nil
	}
	date, err := parseDate(value)
	r.date, r.dateText = date, append(r.dateText[:0], value...)
	return date, err
}

func (r *reader) positions(text []byte) (Positions, error) {
	old, read := r.books[r.newest], r.books[1-r.newest][:0]
	var err error
	if text[0] != '{' || !r.follower.Object(text, func(from, to int) {
		read = append(read, old[from:to]...)
	}, func(key, value []byte) bool {
		p := Position{}
		if n := len(read); n < len(old) && string(key) == old[n].Symbol {
			p.Symbol = old[n].Symbol
		} else {
			p.Symbol = string(key)
		}
		p.Amount, _, err = parseNumber(value)
		read = append(read, p)
		return err == nil
	}) {
		if read, err = parsePositions(text); err != nil {
			return nil, err
		}
	}
	r.newest = 1 - r.newest
	r.books[r.newest] = read
	return read, nil
}
