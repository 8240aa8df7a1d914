// What an index knows of the lines of a ledger.

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

// summary is what a filter asks of some lines.
type summary struct {
	minID   int64
	minDate string
	trades  int
}

// add takes a line into the summary.
func (s *summary) add(e store.Entry) {
	s.minID, s.minDate = min(s.minID, e.ID), min(s.minDate, e.Date)
	if e.Traded {
		s.trades++
	}
}

// join takes the lines of another summary into this one.
func (s *summary) join(other summary) {
	s.minID, s.minDate, s.trades = min(s.minID, other.minID), min(s.minDate, other.minDate), s.trades+other.trades
}

// empty is the summary of no lines.
var empty = summary{minID: math.MaxInt64, minDate: "\xff"}

// mayPass tells whether a filter may let one of the lines through.
func (s summary) mayPass(f store.Filter) bool {
	return s.minID < f.Before && (f.AsOf == "" || s.minDate <= f.AsOf) && (s.trades > 0 || !f.Trades)
}

// stretch is some lines that follow each other, read together when one of them is asked for.
type stretch struct {
	from, to int64 // in the ledger
	summary
}

// order is where a line with an order id begins, known by a hash of the id.
type order struct {
	print uint64
	at    int64
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

// extend reads the lines up to an offset, in stretches of a size or a little more. full is called when one is full.
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
		if err != nil { // it may be anything: who looks for lines must come to it
			e = store.Entry{ID: math.MinInt64, Traded: true}
		}
		p.add(e, line.offset, line.next)
	}
	return nil
}

// add takes the next line, which begins and ends there, into the newest stretch.
func (p *part) add(e store.Entry, at, to int64) {
	if e.OrderID != "" {
		p.orders = append(p.orders, order{fingerprint(e.OrderID), at})
	}
	newest := &p.stretches[len(p.stretches)-1]
	newest.summary.add(e)
	p.to, newest.to = to, to
}

// split takes the first stretches of a part off it: as many as have so many bytes, if they end before a limit.
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

// summary of all lines of the part.
func (p *part) summary() summary {
	all := empty
	for _, s := range p.stretches {
		all.join(s.summary)
	}
	return all
}
