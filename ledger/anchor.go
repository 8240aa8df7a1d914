// Anchors: hashes of rows that were noted outside the ledger. A chain of hashes alone shows neither that its end was cut
// off nor that all of it was written anew; a hash that is kept elsewhere does.

package ledger

import (
	"fmt"

	"mcp-trade/market"
)

// Anchor is the hash of a row as it was noted outside the ledger: in a manifest, in a transcript, on paper.
type Anchor struct {
	Hash   string       // of the row's line, as [Hash] makes it, or the head that the ledger had with that row as its newest
	Source string       // where it was noted, for people
	Until  market.Stamp // the row is dated then or earlier; "" if nothing is known
	Before market.Stamp // the row is dated earlier than this; "" if nothing is known
	Since  Since        // what may lie between the row of the anchor before it in the list and this one's
	Trades int          // with [AtMost], how many trades

	// Ends tells that a recorded run ended with the row. What comes after it, up to the row of the next anchor in the list
	// if that knows of this one, else up to the end of the ledger, was written outside of the recorded runs.
	Ends bool
}

// Since is what an anchor says of the rows since the one of the anchor before it.
type Since int

// What may lie in between.
const (
	Unknown Since = iota // nothing is said, not even which row comes first
	Rows                 // this row is that one, or a later one
	AtMost               // as Rows, and at most so many trades in between, this row's included; those outside of the recorded runs do not count
	Nothing              // this row is that one
)

// The classes of what anchors speak against.
const (
	Missing  Class = "missing row"  // a row that was noted elsewhere is not in the ledger: its history was cut or written anew
	Misdated Class = "misdated row" // a row that was noted elsewhere has another date, or another place, than it had
	Foreign  Class = "foreign rows" // rows were added by somebody else between two that belong together
)

// AnchoredRow is the row that an anchor is about.
type AnchoredRow struct {
	Row  int // -1: the ledger has none
	From int // the first row that the hash stands for: those before it can be changed without changing the hash

	id     int64
	date   market.Stamp
	trades int // up to the row, it included
}

// Span is a part of a ledger: its first row and its last.
type Span struct {
	From int `json:"from"`
	To   int `json:"to"`

	trades int
}

// anchored holds the rows of a ledger, as they come, against anchors.
type anchored struct {
	anchors []Anchor
	waiting map[string][]int // the anchors whose rows did not come yet, by hash
	rows    []AnchoredRow    // of each anchor
}

func newAnchored(anchors []Anchor) *anchored {
	a := &anchored{anchors, map[string][]int{}, make([]AnchoredRow, len(anchors))}
	for i, n := range anchors {
		a.rows[i] = AnchoredRow{Row: -1, id: -1}
		a.waiting[n.Hash] = append(a.waiting[n.Hash], i)
	}
	return a
}

// row takes the next row, for which a hash stands.
func (a *anchored) row(hash string, row AnchoredRow) {
	for _, i := range a.waiting[hash] {
		a.rows[i] = row
	}
	delete(a.waiting, hash)
}

// findings are what the anchors speak against, once all rows have come, and where rows were written outside of the recorded
// runs. newest is the last row.
func (a *anchored) findings(newest AnchoredRow) (all []Finding, outside []Span) {
	outside = a.outside(newest)
	for i, n := range a.anchors {
		at := a.rows[i]
		find := func(class Class, expected, found string) {
			all = append(all, Finding{Row: at.Row, ID: at.id, Date: at.date, Class: class, Expected: expected, Found: found})
		}
		dated := n.dated(at.date)
		switch {
		case at.Row < 0:
			find(Missing, fmt.Sprintf("the row with the hash %s, which stands in %s", n.Hash, n.Source), "no such row: the ledger was cut off before it, or written anew")
		case dated != "":
			find(Misdated, fmt.Sprintf("a date %s, since %s has its hash %s", dated, n.Source, n.Hash), string(at.date))
		case i > 0 && n.Since != Unknown && a.rows[i-1].Row >= 0:
			a.since(a.anchors[i-1], a.rows[i-1], n, at, outside, find)
		}
	}
	return all, outside
}

// outside are the rows that were written outside of the recorded runs.
func (a *anchored) outside(newest AnchoredRow) []Span {
	var spans []Span
	for i, n := range a.anchors {
		from, to := a.rows[i], newest
		if i+1 < len(a.anchors) && a.anchors[i+1].Since != Unknown {
			to = a.rows[i+1]
		}
		if n.Ends && from.Row >= 0 && to.Row > from.Row {
			spans = append(spans, Span{from.Row + 1, to.Row, to.trades - from.trades})
		}
	}
	return spans
}

// since holds what an anchor says of the rows since the one before it against the rows.
func (a *anchored) since(before Anchor, from AnchoredRow, n Anchor, to AnchoredRow, outside []Span, find func(Class, string, string)) {
	rows, trades := to.Row-from.Row, to.trades-from.trades
	for _, s := range outside {
		if s.From > from.Row && s.To <= to.Row {
			trades -= s.trades
		}
	}
	between := fmt.Sprintf("between %s (hash %s) and %s (hash %s)", before.Source, before.Hash, n.Source, n.Hash)
	switch {
	case rows < 0:
		find(Misdated, fmt.Sprintf("a row after row %d, as the order of %s (hash %s) and %s (hash %s) has it", from.Row, before.Source, before.Hash, n.Source, n.Hash), "it comes before that")
	case n.Since == Nothing && rows > 0:
		find(Foreign, "no row "+between, fmt.Sprintf("%d: rows %d to %d", rows, from.Row+1, to.Row))
	case n.Since == AtMost && trades > n.Trades:
		find(Foreign, fmt.Sprintf("%d trades at most %s", n.Trades, between), fmt.Sprintf("%d, in rows %d to %d", trades, from.Row+1, to.Row))
	}
}

// dated says which date the row of an anchor should have, if it cannot have the one it has.
func (n Anchor) dated(date market.Stamp) string {
	switch {
	case n.Until != "" && date > n.Until:
		return "of " + string(n.Until) + " or earlier"
	case n.Before != "" && date >= n.Before:
		return "before " + string(n.Before)
	}
	return ""
}
