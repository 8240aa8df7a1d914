// Verifying a ledger: each row recomputed from the one before it and from the prices, by the rules that it was kept under.

package ledger

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"slices"

	"mcp-trade/market"
)

// Verify recomputes a ledger. Each trade is evaluated and applied as when it was ordered: at the open in a view as of its
// date, by the rules that the ledger states. Without prices a trade is applied at the price that its row states, and
// counted as unpriced.
//
// A row that carries the hash of the row before it was written by this program and must agree exactly. Other rows are those
// of AI-Trader and are judged by its rules. It computes in binary floats, and rounds to 4 decimals in buy_crypto and sell_crypto:
// what is neither exact nor what that makes of it is a [Rounding] up to 0.000001, or 0.0001 where it rounds, and wrong beyond.
//
// Without anchors Verify does not detect that the end of a ledger was cut off, or that all of it was rewritten by the rules and at
// the right prices.
//
// Anchors are hashes of the ledger that were recorded elsewhere, in the order of recording. The error is that of reading lines.
func Verify(lines iter.Seq2[[]byte, error], prices *market.Prices, anchors ...Anchor) (Report, error) {
	return NewVerifier(prices, anchors...).Verify(lines)
}

// Verify verifies the rows of a ledger. The error is that of reading lines.
func (v *Verifier) Verify(lines iter.Seq2[[]byte, error]) (Report, error) {
	for line, err := range lines {
		if err != nil {
			return v.Report(), err
		}
		_, _ = v.Row(line) // a row that cannot be read is a finding
	}
	return v.Report(), nil
}

// Verifier verifies a ledger row by row, see [Verify].
type Verifier struct {
	prices  *market.Prices
	limits  *Limits // nil: none are given
	report  Report
	anchors *anchored
	reader  Reader

	rows   lastLines      // the newest rows as they are written
	hash   string         // of the newest line; "" until lineHash computes it
	head   string         // hash over all rows, see [Report]
	from   int            // the first row that the hash of the newest stands for
	at     AnchoredRow    // the newest that could be read
	asked  int            // rows that did what the account was told to
	found  int            // findings so far
	base   Record         // the newest row that could be read, with the positions of the reader
	based  bool           // there is one
	unread int            // rows after it that could not be read
	rules  Rules          // that apply to the next row
	kept   string         // those rules as they stand in the ledger, "" if none do
	judged bool           // the rules are known to this version
	ours   bool           // a row so far was written by this program
	orders map[string]int // the row of each order id

	two   [2]Positions         // the two that a trade changes, before and after
	opens map[string]openPrice // on a date
	today market.Stamp         // that date

	asStamped bool // those opens are of bars that are stamped so, see [market.Prices.AsStamped]
}

// NewVerifier returns a verifier of a ledger. prices may be nil.
func NewVerifier(prices *market.Prices, anchors ...Anchor) *Verifier {
	return &Verifier{
		prices: prices, report: Report{Findings: []Finding{}, Counts: map[Class]int{}}, anchors: newAnchored(anchors),
		rules: DefaultRules(), judged: true, orders: map[string]int{}, opens: map[string]openPrice{},
	}
}

// Under has rows held against limits too, if they are not nil, from the first row on that was made under some.
func (v *Verifier) Under(l *Limits) { v.limits = l }

// Report is what was found in the rows that were given, and what the anchors say if those were all.
func (v *Verifier) Report() Report {
	r := v.report
	r.Findings, r.Counts = slices.Clone(r.Findings), maps.Clone(r.Counts)
	if v.based {
		r.Book, _ = ParseBook(v.baseLine()) // it was read before
	}
	if r.Rows > 0 {
		r.Head = v.head
	}
	newest := v.at
	newest.Row = r.Rows - 1
	findings, outside := v.anchors.findings(newest)
	for _, f := range findings {
		r.Add(f)
	}
	r.Outside, r.Anchored = outside, slices.Clone(v.anchors.rows)
	return r
}

// baseLine is the line of the newest row that could be read.
func (v *Verifier) baseLine() []byte { return v.rows.back(v.unread) }

// bases yields the records before that row, the newest first.
func (v *Verifier) bases() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for i := v.unread + 1; i < len(v.rows.lines); i++ {
			if r, err := ParseLine(v.rows.back(i)); err == nil && !yield(r) {
				return
			}
		}
	}
}

func (v *Verifier) lineHash() string {
	if v.hash == "" {
		v.hash = Hash(v.rows.back(0))
	}
	return v.hash
}

// Row verifies the next row. It returns the record, whose positions last until the next row. A row that is no record is a
// finding, and an error.
func (v *Verifier) Row(line []byte) (Record, error) {
	row := v.report.Rows
	v.report.Rows++
	r, err := v.reader.Read(line)
	if err != nil {
		v.report.Add(Finding{Row: row, ID: -1, Class: Unreadable, Expected: "a record", Found: fmt.Sprintf("%v: %.60q", err, line)})
		v.extendHash(line, "")
		v.unread++
		return r, err
	}
	if r.Traded() {
		v.report.Trades++
	}
	if r.Asked() {
		v.asked++
	}
	if r.Unverified != 0 {
		v.markImported(&r)
	}
	v.checkLinks(&r)
	v.readRules(&r)
	if !r.Traded() {
		v.free(&r)
	}
	v.checkNegative(&r)
	if v.based {
		v.follows(&r)
		v.limited(&r)
	} else {
		v.checkOpening(&r)
		v.report.First = r.book(bytes.Clone(line))
		v.report.First.Positions = slices.Clone(r.Positions)
	}
	v.extendHash(line, r.Prev)
	v.base, v.based, v.unread = r, true, 0
	v.ours = v.ours || r.Prev != "" || r.Rules != ""
	v.at = AnchoredRow{row, v.from, r.ID, r.Date, v.asked}
	if len(v.anchors.waiting) > 0 {
		v.anchors.row(v.lineHash(), v.at)
		v.anchors.row(v.head, AnchoredRow{row, 0, r.ID, r.Date, v.asked})
	}
	return r, nil
}

// extendHash adds a line to the hash over all rows.
func (v *Verifier) extendHash(line []byte, prev string) {
	row, head := v.report.Rows-1, v.head
	if row > 0 && (prev == "" || prev != v.lineHash()) {
		v.from = row
	}
	v.rows.add(line)
	v.hash = ""
	if row == 0 || prev == head {
		v.head = v.lineHash()
	} else {
		v.head = Hash(append([]byte(head+"\n"), line...))
	}
}

// addFinding adds a finding about the row that is being verified.
func (v *Verifier) addFinding(r *Record, class Class, expected, found any) {
	v.found++
	f := Finding{Row: v.report.Rows - 1, ID: r.ID, Date: r.Date, Class: class}
	if !v.report.full() {
		f.Expected, f.Found = fmt.Sprint(expected), fmt.Sprint(found)
	}
	v.report.Add(f)
}

// checkLinks compares the hash, the id and the date of a row with those of the row before it.
func (v *Verifier) checkLinks(r *Record) {
	first := v.report.Rows == 1
	switch {
	case r.Prev == "" && v.ours:
		v.addFinding(r, Unchained, "the hash of the row before it, as rows of this program have it", "none")
	case r.Prev != "" && first:
		v.addFinding(r, BrokenChain, "no hash, since no row is before it", r.Prev)
	case r.Prev != "" && r.Prev != v.lineHash():
		v.addFinding(r, BrokenChain, v.lineHash(), r.Prev)
	}
	if r.Prev != "" {
		v.report.Chained++
	}
	if id := v.base.ID + 1; v.based && r.ID != id {
		v.addFinding(r, BrokenID, id, r.ID)
	} else if !v.based && r.ID != 0 {
		v.addFinding(r, BrokenID, 0, r.ID)
	}
	if r.Date < v.base.Date {
		v.addFinding(r, BrokenDate, v.base.Date+" or later", r.Date)
	}
}

// readRules reads the rules of a row, and finds an order id that an earlier row has.
func (v *Verifier) readRules(r *Record) {
	if r.Rules != "" {
		rules, err := ParseRules(r.Rules)
		if err != nil {
			v.addFinding(r, UnknownRules, "rules that this version knows", err)
		}
		v.rules, v.kept, v.judged = rules, r.Rules, err == nil
	} else if !v.based {
		v.rules = unstated(r.Positions)
	}
	if r.OrderID == "" {
		return
	}
	if row, twice := v.orders[r.OrderID]; twice {
		v.addFinding(r, OrderIDTwice, "an order id of its own", fmt.Sprintf("%q, as row %d has it", r.OrderID, row))
		return
	}
	v.orders[r.OrderID] = v.report.Rows - 1
}

// markImported marks all findings before a mark as imported unverified. They stay findings.
func (v *Verifier) markImported(r *Record) {
	before := v.report.Rows - 1
	v.report.Imported = &Imported{before, maps.Clone(v.report.Counts)}
	for i := range v.report.Findings {
		v.report.Findings[i].Imported = true
	}
	if r.Unverified != int64(before) || r.Prev == "" {
		v.addFinding(r, Unexplained, fmt.Sprintf("a chained mark of %d rows as imported unverified", before), fmt.Sprintf("one of %d", r.Unverified))
	}
}

// checkOpening verifies the first row.
func (v *Verifier) checkOpening(r *Record) {
	if r.Action != Register && r.Action != NoTrade || !r.Amount.IsZero() {
		v.addFinding(r, Unexplained, "an opening", fmt.Sprintf("%s %s %s", r.Action, r.Amount, r.Symbol))
	}
	for _, held := range r.Positions.Holdings() {
		if v.kept != "" {
			v.addFinding(r, Unexplained, "cash alone", fmt.Sprintf("%s %s", held.Symbol, held.Amount))
		}
	}
}

// checkNegative finds positions below zero in the row that makes them so.
func (v *Verifier) checkNegative(r *Record) {
	if r.delta.known {
		for _, c := range r.delta.changes {
			if c.after.IsNegative() {
				v.addFinding(r, Negative, c.symbol+" 0 or more", c.after)
			}
		}
		return
	}
	for _, p := range r.Positions {
		if p.Amount.IsNegative() {
			v.addFinding(r, Negative, p.Symbol+" 0 or more", p.Amount)
		}
	}
}

// lastLines are the newest lines of a ledger, to find the base of a row that does not follow from the one before it.
type lastLines struct {
	lines [][]byte // a ring
	last  int      // the place of the newest
}

// maxBases bounds how far back a stale base is looked for, in rows.
const maxBases = 1000

func (n *lastLines) add(line []byte) {
	if len(n.lines) < maxBases {
		n.lines = append(n.lines, nil)
		n.last = len(n.lines) - 1
	} else {
		n.last = (n.last + 1) % maxBases
	}
	n.lines[n.last] = append(n.lines[n.last][:0], line...)
}

// back returns the line that is so many before the newest.
func (n *lastLines) back(lines int) []byte {
	return n.lines[(n.last-lines+len(n.lines))%len(n.lines)]
}
