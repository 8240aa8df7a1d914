// Parts: what an index knows of some lines of a ledger.

package filestore

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math"
	"slices"

	"mcp-trade/store"
)

// summary is what a filter must know of some lines.
type summary struct {
	minID   int64
	minDate string
	trades  int
}

// add adds a line to the summary.
func (s *summary) add(e store.Entry) {
	s.minID, s.minDate = min(s.minID, e.ID), min(s.minDate, e.Date)
	if e.Traded {
		s.trades++
	}
}

// join adds the lines of another summary.
func (s *summary) join(other summary) {
	s.minID, s.minDate, s.trades = min(s.minID, other.minID), min(s.minDate, other.minDate), s.trades+other.trades
}

// empty is the summary of no lines.
var empty = summary{minID: math.MaxInt64, minDate: "\xff"}

// mayPass tells whether a filter may let one of the lines through.
func (s summary) mayPass(f store.Filter) bool {
	return s.minID < f.Before && (f.AsOf == "" || s.minDate <= f.AsOf) && (s.trades > 0 || !f.Trades)
}

// stretch is a run of lines that are read together.
type stretch struct {
	from, to int64 // in the ledger
	summary
}

// order is where a line with an order id begins, known by a hash of the id.
type order struct {
	fingerprint uint64
	at          int64
}

func fingerprint(orderID string) uint64 {
	sum := sha256.Sum256([]byte(orderID))
	return binary.BigEndian.Uint64(sum[:])
}

// part is what is known of the lines between two offsets.
type part struct {
	from, to  int64
	stretches []stretch
	orders    []order // in the order of the lines
}

// extend adds the lines up to an offset, in stretches of a size or a little more. It calls full whenever a stretch is full.
func (p *part) extend(ctx context.Context, ledger io.ReaderAt, to, size int64, full func() error) error {
	for line, err := range forward(ctx, ledger, p.to, to) {
		if err != nil {
			return err
		}
		if n := len(p.stretches); n == 0 || p.to-p.stretches[n-1].from >= size {
			if err := full(); err != nil {
				return err
			}
			p.stretches = append(p.stretches, stretch{from: p.to, summary: empty})
		}
		e, err := store.ReadEntry(line.text)
		if err != nil { // no filter may skip it, so that a reader gets the error
			e = store.Entry{ID: math.MinInt64, Traded: true}
		}
		p.add(e, line.offset, line.next)
	}
	return nil
}

// add adds the next line, which stands between the offsets at and to, to the newest stretch.
func (p *part) add(e store.Entry, at, to int64) {
	if e.OrderID != "" {
		p.orders = append(p.orders, order{fingerprint(e.OrderID), at})
	}
	newest := &p.stretches[len(p.stretches)-1]
	newest.summary.add(e)
	p.to, newest.to = to, to
}

// split takes the first stretches of a part off it, of size bytes or a little more, if they end before a limit.
func (p *part) split(size, limit int64) (first part, ok bool) {
	for i, s := range p.stretches {
		if s.to > limit {
			break
		}
		if s.to-p.from < size {
			continue
		}
		n, _ := slices.BinarySearchFunc(p.orders, s.to, func(o order, at int64) int { return cmp.Compare(o.at, at) })
		first = part{p.from, s.to, p.stretches[:i+1], p.orders[:n]}
		p.from, p.stretches, p.orders = s.to, slices.Clone(p.stretches[i+1:]), slices.Clone(p.orders[n:])
		return first, true
	}
	return part{}, false
}

// summary returns the summary of all lines of the part.
func (p *part) summary() summary {
	all := empty
	for _, s := range p.stretches {
		all.join(s.summary)
	}
	return all
}
