// Anchors: hashes of rows that were noted outside the ledger. A chain of hashes alone shows neither that its end was cut
// off nor that all of it was written anew; a hash that is kept elsewhere does.

package ledger

import (
	"fmt"

	"mcp-trade/market"
)

// Anchor is the hash of a row as it was noted outside the ledger: in a manifest, in a transcript, on paper.
type Anchor struct {
	Hash   string       // of the row's line, as [Hash] makes it
	Source string       // where it was noted, for people
	Until  market.Stamp // the row is dated then or earlier; "" if nothing is known
	Before market.Stamp // the row is dated earlier than this; "" if nothing is known
	Since  Since        // what may lie between the row of the anchor before it in the list and this one's
	Trades int          // with [AtMost], how many trades
}

// Since is what an anchor says of the rows since the one of the anchor before it.
type Since int

// What may lie in between.
const (
	Unknown Since = iota // nothing is said, not even which row comes first
	Rows                 // this row is that one, or a later one
	AtMost               // as Rows, and at most so many trades in between, this row's included
	Nothing              // this row is that one
)

// The classes of what anchors speak against.
const (
	Missing  Class = "missing row"  // a row that was noted elsewhere is not in the ledger: its history was cut or written anew
	Misdated Class = "misdated row" // a row that was noted elsewhere has another date, or another place, than it had
	Foreign  Class = "foreign rows" // rows were added by somebody else between two that belong together
)

// anchored holds the rows of a ledger, as they come, against anchors.
type anchored struct {
	anchors []Anchor
	waiting map[string][]int // the anchors whose rows did not come yet, by hash
	rows    []anchorRow      // of each anchor
}

// anchorRow is the row of an anchor.
type anchorRow struct {
	row    int // -1: there is none
	id     int64
	date   market.Stamp
	trades int // up to the row, it included
}

func newAnchored(anchors []Anchor) *anchored {
	a := &anchored{anchors, map[string][]int{}, make([]anchorRow, len(anchors))}
	for i, w := range anchors {
		a.rows[i] = anchorRow{row: -1, id: -1}
		a.waiting[w.Hash] = append(a.waiting[w.Hash], i)
	}
	return a
}

// row takes the next row; trades is how many there were up to it.
func (a *anchored) row(row int, book Book, trades int) {
	for _, i := range a.waiting[book.Hash] {
		a.rows[i] = anchorRow{row, book.ID, book.Date, trades}
	}
	delete(a.waiting, book.Hash)
}

// findings are what the anchors speak against, once all rows have come.
func (a *anchored) findings() []Finding {
	var all []Finding
	for i, w := range a.anchors {
		at := a.rows[i]
		find := func(class Class, expected, found string) {
			all = append(all, Finding{Row: at.row, ID: at.id, Date: at.date, Class: class, Expected: expected, Found: found})
		}
		dated := w.dated(at.date)
		switch {
		case at.row < 0:
			find(Missing, fmt.Sprintf("the row with the hash %s, which stands in %s", w.Hash, w.Source), "no such row: the ledger was cut off before it, or written anew")
		case dated != "":
			find(Misdated, fmt.Sprintf("a date %s, since %s has its hash %s", dated, w.Source, w.Hash), string(at.date))
		case i > 0 && w.Since != Unknown && a.rows[i-1].row >= 0:
			a.since(a.anchors[i-1], a.rows[i-1], w, at, find)
		}
	}
	return all
}

// since holds what an anchor says of the rows since the one before it against the rows.
func (a *anchored) since(before Anchor, from anchorRow, w Anchor, to anchorRow, find func(Class, string, string)) {
	rows, trades := to.row-from.row, to.trades-from.trades
	between := fmt.Sprintf("between %s (hash %s) and %s (hash %s)", before.Source, before.Hash, w.Source, w.Hash)
	switch {
	case rows < 0:
		find(Misdated, fmt.Sprintf("a row after row %d, as the order of %s (hash %s) and %s (hash %s) has it", from.row, before.Source, before.Hash, w.Source, w.Hash), "it comes before that")
	case w.Since == Nothing && rows > 0:
		find(Foreign, "no row "+between, fmt.Sprintf("%d: rows %d to %d", rows, from.row+1, to.row))
	case w.Since == AtMost && trades > w.Trades:
		find(Foreign, fmt.Sprintf("%d trades at most %s", w.Trades, between), fmt.Sprintf("%d, in rows %d to %d", trades, from.row+1, to.row))
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
