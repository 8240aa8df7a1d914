// Findings of a ledger, and the verdict on it.

package ledger

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mcp-trade/market"
)

// Class is the kind of a finding: in which way a row does not follow from the one before it.
type Class string

// The classes. A row that is in none of the others but does not follow is Unexplained.
const (
	Unreadable   Class = "unreadable"      // not a record, or one that two readers could read differently
	BrokenID     Class = "id"              // not the id before it + 1
	BrokenDate   Class = "date"            // earlier than the row before it
	BrokenChain  Class = "chain"           // prev is not the hash of the row before it
	Unchained    Class = "not chained"     // no prev, though this program wrote rows before it: another program wrote this one
	UnknownRules Class = "rules"           // this version does not know the rules that the ledger is kept under from here on
	OrderIDTwice Class = "order id"        // an earlier row has the order id
	NoBar        Class = "no bar"          // the price files have no bar of the symbol on the date
	PriceDiffers Class = "price differs"   // filled at a price that is not the open of the bar
	FeesDiffer   Class = "fees"            // not what the rules ask for
	SkippedEvent Class = "skipped event"   // what was due before the row was not done
	NotDue       Class = "not due"         // an event that was not due
	Refused      Class = "refused"         // an order that the rules refuse
	NoChange     Class = "changes nothing" // a trade of nothing, as AI-Trader lets it pass
	Rounding     Class = "rounding"        // off by less than the tolerance, but not the result of AI-Trader's floats
	Negative     Class = "negative"        // cash or a holding below zero
	StaleBase    Class = "stale base"      // computed from an older row: what came in between is lost
	LimitsDiffer Class = "limits"          // not what the limits count after the row before it
	OverLimit    Class = "over a limit"    // an order that the limits refuse
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
	Imported bool         `json:"unverified_import,omitempty"` // the row was imported unverified
}

func (f Finding) String() string {
	text := fmt.Sprintf("%s: expected %s, found %s", f.Class, f.Expected, f.Found)
	if f.Imported {
		text = "imported unverified: " + text
	}
	switch {
	case f.Row < 0:
		return text
	case f.Date == "": // a row that cannot be read
		return fmt.Sprintf("row %d: %s", f.Row, text)
	}
	return fmt.Sprintf("row %d (id %d, %s): %s", f.Row, f.ID, f.Date, text)
}

// Report is what [Verify] found.
type Report struct {
	Rows     int           `json:"rows"`
	Trades   int           `json:"trades"`
	Chained  int           `json:"chained"`  // rows that carry the hash of the row before
	Unpriced int           `json:"unpriced"` // trades that could not be compared with a price: no file was given, or it cannot be read
	Findings []Finding     `json:"findings"` // the first ones
	Counts   map[Class]int `json:"counts"`   // of all findings
	First    Book          `json:"-"`        // after the first row
	Book     Book          `json:"-"`        // after the last row

	// Head is a hash that stands for every byte of every row, a head of its own after each row: the SHA-256 of the row's line
	// if the row carries the head before it, as those of this program do; else that of the head before it, a line feed and
	// the line. After the first row it is the SHA-256 of the line.
	Head string `json:"head"`

	Anchored  []AnchoredRow `json:"-"`                      // the row of each anchor
	Outside   []Span        `json:"outside,omitempty"`      // rows that were written outside of the recorded runs
	Unlimited int           `json:"other_limits,omitempty"` // rows that were made under other limits than they are held against

	Imported *Imported `json:"unverified_import,omitempty"` // nil: no row was imported unverified
}

// Imported are the first rows of a ledger, which were imported unverified.
type Imported struct {
	Rows   int           `json:"rows"`
	Counts map[Class]int `json:"counts"` // of the findings in them, which are among all findings
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

// Failed tells whether anything was found that a ledger must not have. A trade of nothing changes nothing, and a rounding next
// to nothing.
func (r Report) Failed() bool {
	for class := range r.Counts {
		if class != NoChange && class != Rounding {
			return true
		}
	}
	return false
}

// FailedUnmarked is Failed of all but the rows that were imported unverified.
func (r Report) FailedUnmarked() bool { return Report{Counts: r.unmarked()}.Failed() }

// unmarked counts the findings that are not about rows that were imported unverified.
func (r Report) unmarked() map[Class]int {
	counts := maps.Clone(r.Counts)
	if r.Imported != nil {
		for class, n := range r.Imported.Counts {
			if counts[class] -= n; counts[class] == 0 {
				delete(counts, class)
			}
		}
	}
	return counts
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
	verdict := Partly
	var reasons []string
	if r.Rows == 0 {
		verdict, reasons = NotVerified, append(reasons, "there is no row")
	}
	if wrong := wrong(r.unmarked()); wrong != "" {
		verdict, reasons = NotVerified, append(reasons, "rows do not follow: "+wrong)
	}
	if t := r.Imported; t != nil {
		reason := fmt.Sprintf("%d rows were imported unverified", t.Rows)
		if wrong := wrong(t.Counts); wrong != "" {
			verdict, reason = NotVerified, reason+", of which some do not follow: "+wrong
		}
		reasons = append(reasons, reason)
	}
	if n := r.Counts[Rounding]; n > 0 {
		reasons = append(reasons, fmt.Sprintf("%d rows are rounded in no known way", n))
	}
	if len(r.Outside) > 0 {
		reasons = append(reasons, outside(r.Outside))
	}
	if r.Unlimited > 0 {
		reasons = append(reasons, fmt.Sprintf("%d rows were made under limits that were not given", r.Unlimited))
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

// outside says which rows were written outside of the recorded runs.
func outside(spans []Span) string {
	const most = 3
	var parts []string
	for _, s := range spans[:min(len(spans), most)] {
		parts = append(parts, fmt.Sprintf("%d to %d", s.From, s.To))
	}
	text := strings.Join(parts, ", ")
	if more := len(spans) - most; more > 0 {
		text += fmt.Sprintf(" and %d more times", more)
	}
	return fmt.Sprintf("rows %s were written outside of the recorded runs", text)
}

// wrong names the classes of findings by which rows contradict a ledger, with their counts, the most frequent first; "" if
// there are none.
func wrong(counts map[Class]int) string {
	counts = maps.Clone(counts)
	delete(counts, NoChange)
	delete(counts, Rounding)
	delete(counts, Unchained)
	classes := slices.SortedFunc(maps.Keys(counts), func(a, b Class) int {
		return cmp.Or(counts[b]-counts[a], strings.Compare(string(a), string(b)))
	})
	var parts []string
	for _, c := range classes {
		parts = append(parts, fmt.Sprintf("%d %q", counts[c], c))
	}
	return strings.Join(parts, ", ")
}
