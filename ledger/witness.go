// Witnesses: hashes of rows that were noted outside the ledger. A chain of hashes alone shows neither that its end was cut
// off nor that all of it was written anew; a hash that is kept elsewhere does.

package ledger

import (
	"fmt"

	"mcp-trade/market"
)

// Witness is the hash of a row as it was noted outside the ledger: in a manifest, in a transcript, on paper.
type Witness struct {
	Hash   string       // of the row's line, as [Hash] makes it
	Source string       // where it was noted, for people
	Until  market.Stamp // the row is dated then or earlier; "" if nothing is known
	Before market.Stamp // the row is dated earlier than this; "" if nothing is known
	Since  Since        // what may lie between the row of the witness before it in the list and this one's
	Trades int          // with [AtMost], how many trades
}

// Since is what a witness says of the rows since the one of the witness before it.
type Since int

// What may lie in between.
const (
	Unknown Since = iota // nothing is said, not even which row comes first
	Rows                 // this row is that one, or a later one
	AtMost               // as Rows, and at most so many trades in between, this row's included
	Nothing              // this row is that one
)

// The classes of what witnesses speak against.
const (
	Missing  Class = "missing row"  // a row that was noted elsewhere is not in the ledger: its history was cut or written anew
	Misdated Class = "misdated row" // a row that was noted elsewhere has another date, or another place, than it had
	Foreign  Class = "foreign rows" // rows were added by somebody else between two that belong together
)

// hearing holds the rows of a ledger, as they come, against witnesses.
type hearing struct {
	witnesses []Witness
	waiting   map[string][]int // the witnesses whose rows did not come yet, by hash
	seen      []sighting       // of each witness
}

// sighting is the row of a witness.
type sighting struct {
	row    int // -1: there is none
	id     int64
	date   market.Stamp
	trades int // up to the row, it included
}

func newHearing(witnesses []Witness) *hearing {
	h := &hearing{witnesses, map[string][]int{}, make([]sighting, len(witnesses))}
	for i, w := range witnesses {
		h.seen[i] = sighting{row: -1, id: -1}
		h.waiting[w.Hash] = append(h.waiting[w.Hash], i)
	}
	return h
}

// row takes the next row; trades is how many there were up to it.
func (h *hearing) row(row int, book Book, trades int) {
	for _, i := range h.waiting[book.Hash] {
		h.seen[i] = sighting{row, book.ID, book.Date, trades}
	}
	delete(h.waiting, book.Hash)
}

// findings are what the witnesses speak against, once all rows have come.
func (h *hearing) findings() []Finding {
	var all []Finding
	for i, w := range h.witnesses {
		at := h.seen[i]
		find := func(class Class, expected, found string) {
			all = append(all, Finding{at.row, at.id, at.date, class, expected, found})
		}
		dated := w.dated(at.date)
		switch {
		case at.row < 0:
			find(Missing, fmt.Sprintf("the row with the hash %s, which stands in %s", w.Hash, w.Source), "no such row: the ledger was cut off before it, or written anew")
		case dated != "":
			find(Misdated, fmt.Sprintf("a date %s, since %s has its hash %s", dated, w.Source, w.Hash), string(at.date))
		case i > 0 && w.Since != Unknown && h.seen[i-1].row >= 0:
			h.since(h.witnesses[i-1], h.seen[i-1], w, at, find)
		}
	}
	return all
}

// since holds what a witness says of the rows since the one before it against the rows.
func (h *hearing) since(before Witness, from sighting, w Witness, to sighting, find func(Class, string, string)) {
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

// dated says which date the row of a witness should have, if it cannot have the one it has.
func (w Witness) dated(date market.Stamp) string {
	switch {
	case w.Until != "" && date > w.Until:
		return "of " + string(w.Until) + " or earlier"
	case w.Before != "" && date >= w.Before:
		return "before " + string(w.Before)
	}
	return ""
}
