// Reading a ledger from its first line to its last.

package ledger

import (
	"bytes"
	"errors"
	"fmt"

	"mcp-trade/decimal"
	"mcp-trade/internal/strict"
	"mcp-trade/market"
)

// Reader reads the lines of a ledger from the first to the last. Of a book, what is written as in the line before is not read
// again. The zero Reader has read none.
type Reader struct {
	book, former Positions // of the newest line; of one before it that names other symbols
	follower     strict.Follower
	changes      []change

	symbols  map[string]string
	dateText []byte
	date     market.Stamp // that the text stands for
}

// delta is how the book of a line differs from that of the line before. It lasts until the next line is read.
type delta struct {
	known   bool // both name the same symbols in the same order
	changes []change
}

// change is a position whose text differs.
type change struct {
	n             int // its place in the book
	symbol        string
	before, after decimal.Decimal
}

// reading is a line that is being read.
type reading struct {
	Record
	from           *Reader
	hasID, hasBook bool
}

// Read reads the next line. The positions of the record last until the next line is read. What [ParseLine] refuses is an error
// here too.
func (r *Reader) Read(line []byte) (Record, error) {
	l := reading{from: r}
	err := strict.Read(line, l.member)
	switch {
	case err != nil:
	case !l.hasID || !l.hasBook:
		err = errors.New(`"id" or "positions" is missing`)
	case l.Date == "":
		err = errors.New(`"date" is missing`)
	}
	if err != nil {
		r.follower.Forget()
		return Record{}, fmt.Errorf("not a ledger line: %w", err)
	}
	if l.delta.known {
		for _, c := range l.delta.changes {
			r.book[c.n].Amount = c.after
		}
		l.Positions = r.book
	} else {
		r.former, r.book = r.book, l.Positions
	}
	return l.Record, nil
}

// book reads what is held. As long as the symbols are those of the line before, only what changed is read.
func (l *reading) book(s *strict.Reader) (err error) {
	r, changes := l.from, l.from.changes[:0]
	l.delta.known, err = s.Follow(&r.follower, func(n int, value []byte) error {
		after, err := parseAmount(value)
		changes = append(changes, change{n, r.book[n].Symbol, r.book[n].Amount, after})
		return ofPosition(r.book[n].Symbol, err)
	})
	r.changes, l.delta.changes = changes, changes
	if l.delta.known || err != nil {
		return err
	}
	l.Positions = r.former[:0]
	if l.Positions == nil {
		l.Positions = Positions{}
	}
	return s.Learn(&r.follower, func(s *strict.Reader, key []byte) error {
		value, err := s.Value()
		if err != nil {
			return err
		}
		p := Position{}
		if n := len(l.Positions); n < len(r.book) && string(key) == r.book[n].Symbol {
			p.Symbol = r.book[n].Symbol
		} else {
			p.Symbol = string(key)
		}
		p.Amount, err = parseAmount(value)
		l.Positions = append(l.Positions, p)
		return ofPosition(p.Symbol, err)
	})
}

// stamp reads a date; mostly it is that of the line before.
func (r *Reader) stamp(value []byte) (market.Stamp, error) {
	if r.date != "" && bytes.Equal(value, r.dateText) {
		return r.date, nil
	}
	text, err := parseText(value)
	if err != nil {
		return "", err
	}
	date, err := market.ParseStamp(text)
	r.date, r.dateText = date, append(r.dateText[:0], value...)
	return date, err
}

// symbol reads a symbol; there are few of them.
func (r *Reader) symbol(value []byte) (string, error) {
	if text, ok := r.symbols[string(value)]; ok {
		return text, nil
	}
	text, err := parseText(value)
	if err == nil && len(r.book) > 0 && len(r.symbols) < 10_000 {
		if r.symbols == nil {
			r.symbols = map[string]string{}
		}
		r.symbols[string(value)] = text
	}
	return text, err
}
