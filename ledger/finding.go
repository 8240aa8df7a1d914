// What is found in a ledger, and what that makes of it.

package ledger

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mcp-trade/market"
)

// Class says in which way a row does not follow.
type Class string

// The classes. A row that is in none of the others but does not follow is Unexplained.
const (
	Unreadable   Class = "unreadable"      // not a record, or one that two readers would take for two
	BrokenID     Class = "id"              // not the id before it + 1
	BrokenDate   Class = "date"            // earlier than the row before it
	BrokenChain  Class = "chain"           // prev is not the hash of the row before it
	Unchained    Class = "not chained"     // no prev, though this program wrote rows before it: another program wrote this one
	UnknownRules Class = "rules"           // this version does not know the rules that the ledger is kept under from here on
	OrderIDTwice Class = "order id"        // an earlier row has the order id
	NoBar        Class = "no bar"          // the price files have no bar of the symbol on the date
	PriceDiffers Class = "price differs"   // filled at a price that is not the open of the bar
	FeesDiffer   Class = "fees"            // not what the rules ask for
	Refused      Class = "refused"         // an order that the rules refuse
	NoChange     Class = "changes nothing" // a trade of nothing, as AI-Trader lets it pass
	Negative     Class = "negative"        // cash or a holding below zero
	StaleBase    Class = "stale base"      // computed from an older row: what came in between is lost
	Unexplained  Class = "does not follow" // the book is not the one before it plus the trade
)

// Finding is a row that does not follow.
type Finding struct {
	Row      int          `json:"row"` // from 0, as ids should be; -1 if it is about no row that is there
	ID       int64        `json:"id"`
	Date     market.Stamp `json:"date"`
	Class    Class        `json:"class"`
	Expected string       `json:"expected"`
	Found    string       `json:"found"`
}

func (f Finding) String() string {
	switch {
	case f.Row < 0:
		return fmt.Sprintf("%s: expected %s, found %s", f.Class, f.Expected, f.Found)
	case f.Date == "": // a row that cannot be read
		return fmt.Sprintf("row %d: %s: expected %s, found %s", f.Row, f.Class, f.Expected, f.Found)
	}
	return fmt.Sprintf("row %d (id %d, %s): %s: expected %s, found %s", f.Row, f.ID, f.Date, f.Class, f.Expected, f.Found)
}

// Report is what [Verify] found.
type Report struct {
	Rows       int           `json:"rows"`
	Trades     int           `json:"trades"`
	Chained    int           `json:"chained"`  // rows that carry the hash of the row before
	Unpriced   int           `json:"unpriced"` // trades that could not be held against a price: no file was given, or it cannot be read
	Findings   []Finding     `json:"findings"` // the first ones
	Counts     map[Class]int `json:"counts"`   // of all findings
	Head       string        `json:"head"`     // hash of the last row
	AnchorRows []int         `json:"-"`        // for each anchor, the row that has its hash; -1 if there is none
	First      Book          `json:"-"`        // after the first row
	Book       Book          `json:"-"`        // after the last row
}

// maxFindings bounds how many findings are kept, and how many rows are looked into for what became of them.
const maxFindings = 200

// Add adds a finding.
func (r *Report) Add(f Finding) {
	if r.Counts == nil {
		r.Counts = map[Class]int{}
	}
	r.Counts[f.Class]++
	if !r.full() {
		r.Findings = append(r.Findings, f)
	}
}

// full tells whether no more findings are kept.
func (r *Report) full() bool { return len(r.Findings) >= maxFindings }

// Failed tells whether anything was found that a ledger must not have. A trade of nothing changes nothing.
func (r Report) Failed() bool {
	for class := range r.Counts {
		if class != NoChange {
			return true
		}
	}
	return false
}

// Verdict says in a few words what a report makes of a ledger.
type Verdict string

// The verdicts.
const (
	Verified    Verdict = "verified"        // every row follows from the one before it and from the prices
	Partly      Verdict = "partly verified" // no row contradicts that, but some could not be held against everything
	NotVerified Verdict = "not verified"    // rows do not follow
)

// Verdict returns the verdict, with its reasons unless it is [Verified].
func (r Report) Verdict() (Verdict, []string) {
	wrong := maps.Clone(r.Counts)
	delete(wrong, NoChange)
	delete(wrong, Unchained)
	var reasons []string
	if r.Rows == 0 {
		reasons = append(reasons, "there is no row")
	}
	if len(wrong) > 0 {
		reasons = append(reasons, "rows do not follow: "+listed(wrong))
	}
	verdict := Partly
	if len(reasons) > 0 {
		verdict = NotVerified
	}
	if n := r.Counts[Unchained]; n > 0 {
		reasons = append(reasons, fmt.Sprintf("another program wrote %d rows after those of this one", n))
	}
	if r.Unpriced > 0 {
		reasons = append(reasons, fmt.Sprintf("%d trades could not be held against prices", r.Unpriced))
	}
	if len(reasons) == 0 {
		return Verified, nil
	}
	return verdict, reasons
}

// listed names classes with their counts, the most frequent first.
func listed(counts map[Class]int) string {
	classes := slices.SortedFunc(maps.Keys(counts), func(a, b Class) int {
		return cmp.Or(counts[b]-counts[a], strings.Compare(string(a), string(b)))
	})
	var parts []string
	for _, c := range classes {
		parts = append(parts, fmt.Sprintf("%d %q", counts[c], c))
	}
	return strings.Join(parts, ", ")
}
