// Verifying a ledger: each row recomputed from the one before it and from the prices.

package ledger

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/shopspring/decimal"

	"mcp-trade/market"
)

// Class says in which way a row does not follow.
type Class string

// The classes. A row that is in none of the others but does not follow is Unexplained.
const (
	Unreadable   Class = "unreadable"      // not a record
	BrokenID     Class = "id"              // not the id before it + 1
	BrokenDate   Class = "date"            // earlier than the row before it
	BrokenChain  Class = "chain"           // prev is not the hash of the row before it
	Negative     Class = "negative"        // cash or a holding below zero
	ZeroAmount   Class = "zero amount"     // a trade of nothing, or of less
	PriceDiffers Class = "price differs"   // filled at a price that is not the open of the bar
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
	if f.Row < 0 {
		return fmt.Sprintf("%s: expected %s, found %s", f.Class, f.Expected, f.Found)
	}
	return fmt.Sprintf("row %d (id %d, %s): %s: expected %s, found %s", f.Row, f.ID, f.Date, f.Class, f.Expected, f.Found)
}

// Report is what [Verify] found.
type Report struct {
	Rows     int       `json:"rows"`
	Trades   int       `json:"trades"`
	Chained  int       `json:"chained"`  // rows that carry the hash of the row before
	Unpriced int       `json:"unpriced"` // trades whose price neither the row nor the price files tell; their cash is not verified
	Findings []Finding `json:"findings"`
	Head     string    `json:"head"` // hash of the last row
	Seen     []int     `json:"-"`    // for each witness, the row that has its hash; -1 if there is none
	First    Book      `json:"-"`    // after the first row
	Book     Book      `json:"-"`    // after the last row
}

// maxBases bounds how far back a stale base is looked for, in rows.
const maxBases = 1000

// Verify recomputes a ledger. prices may be nil: then a trade is recomputed at the price that its row states. A row of this
// program, which carries the hash of the row before it, must agree exactly; rows of programs that compute in binary floats
// may differ by 0.000001, and by 0.0001 where those round to 4 decimals (buy_crypto, sell_crypto). Witnesses are what was
// noted of the ledger elsewhere, in the order in which it was. The error is that of reading lines.
func Verify(lines iter.Seq2[[]byte, error], prices *market.Prices, witnesses ...Witness) (Report, error) {
	v := verifier{prices: prices, report: Report{Findings: []Finding{}}, hearing: newHearing(witnesses)}
	for line, err := range lines {
		if err != nil {
			return v.report, err
		}
		v.row(line)
	}
	v.report.Findings = append(v.report.Findings, v.hearing.findings()...)
	for _, s := range v.hearing.seen {
		v.report.Seen = append(v.report.Seen, s.row)
	}
	return v.report, nil
}

type verifier struct {
	prices  *market.Prices
	report  Report
	hearing *hearing
	bases   []Book // the newest rows, oldest first
}

func (v *verifier) row(line []byte) {
	row := v.report.Rows
	v.report.Rows++
	v.report.Head = Hash(line)
	r, err := ParseLine(line)
	if err != nil {
		v.report.Findings = append(v.report.Findings, Finding{Row: row, ID: -1, Class: Unreadable, Expected: "a record", Found: fmt.Sprintf("%v: %.60q", err, line)})
		return
	}
	found := func(class Class, expected, found any) {
		v.report.Findings = append(v.report.Findings, Finding{row, r.ID, r.Date, class, fmt.Sprint(expected), fmt.Sprint(found)})
	}
	if r.Traded() {
		v.report.Trades++
	}
	if r.Prev != "" {
		v.report.Chained++
	}
	for _, p := range r.Positions {
		if p.Amount.IsNegative() {
			found(Negative, p.Symbol+" 0 or more", p.Amount)
		}
	}
	if len(v.bases) == 0 {
		v.report.First = r.book(line)
		if r.ID != 0 {
			found(BrokenID, 0, r.ID)
		}
	} else {
		v.follows(r, found)
	}
	v.report.Book = r.book(line)
	v.hearing.row(row, v.report.Book, v.report.Trades)
	if v.bases = append(v.bases, v.report.Book); len(v.bases) > maxBases {
		v.bases = v.bases[1:]
	}
}

// follows holds a record against the row before it.
func (v *verifier) follows(r Record, found func(Class, any, any)) {
	base := v.bases[len(v.bases)-1]
	if r.ID != base.ID+1 {
		found(BrokenID, base.ID+1, r.ID)
	}
	if r.Date < base.Date {
		found(BrokenDate, base.Date+" or later", r.Date)
	}
	if r.Prev != "" && r.Prev != base.Hash {
		found(BrokenChain, base.Hash, r.Prev)
	}
	if r.Traded() && !r.Amount.IsPositive() {
		found(ZeroAmount, "an amount above 0", fmt.Sprintf("%s %s %s", r.Action, r.Amount, r.Symbol))
	}
	if r.Action == NoTrade && !r.Amount.IsZero() {
		found(Unexplained, "no amount where nothing was traded", r.Amount)
	}
	price, priced := v.price(r, found)
	left := func(base Book) Positions {
		if !priced {
			return after(base.Positions, r, decimal.Zero).with(Position{Cash, r.Cash()})
		}
		return after(base.Positions, r, price)
	}
	if !priced {
		v.report.Unpriced++
	}
	expected := left(base)
	difference := differ(expected, r.Positions, tolerance(r))
	if difference == "" {
		return
	}
	for i := len(v.bases) - 2; i >= 0; i-- {
		if differ(left(v.bases[i]), r.Positions, tolerance(r)) == "" {
			found(StaleBase, fmt.Sprintf("the book of row %d", base.ID), fmt.Sprintf("the book of row %d", v.bases[i].ID))
			return
		}
	}
	if implied, ok := impliedPrice(base.Positions, r); ok && priced {
		found(PriceDiffers, price, implied)
		return
	}
	found(Unexplained, difference, describe(r, expected))
}

// price is the price that a trade is recomputed at: the one its row states, else that of the price files.
func (v *verifier) price(r Record, found func(Class, any, any)) (price decimal.Decimal, known bool) {
	if !r.Traded() {
		return decimal.Zero, true
	}
	quote, err := decimal.Zero, errors.New("no prices")
	if v.prices != nil {
		quote, err = v.prices.AsOf(r.Date).OpenPrice(r.Symbol)
	}
	switch {
	case !r.Price.Valid:
		return quote, err == nil
	case err == nil && !quote.Equal(r.Price.Decimal):
		found(PriceDiffers, quote, r.Price.Decimal)
	}
	return r.Price.Decimal, true
}

// after returns the positions that a record should leave of a base.
func after(base Positions, r Record, price decimal.Decimal) Positions {
	change := r.Amount
	if !r.Traded() {
		return base
	}
	if r.sells() {
		change = change.Neg()
	}
	cash := base.Amount(Cash).Sub(price.Mul(change)).Sub(r.Fees)
	return base.with(Position{r.Symbol, base.Amount(r.Symbol).Add(change)}, Position{Cash, cash})
}

// impliedPrice returns the price at which the trade does lead from the base to the record, if only the cash speaks against
// it.
func impliedPrice(base Positions, r Record) (decimal.Decimal, bool) {
	if !r.Amount.IsPositive() {
		return decimal.Zero, false
	}
	spent := base.Amount(Cash).Sub(r.Fees).Sub(r.Cash())
	if r.sells() {
		spent = spent.Neg()
	}
	implied := spent.DivRound(r.Amount, 10)
	if !implied.IsPositive() || differ(after(base, r, implied), r.Positions, decimal.New(1, -4)) != "" {
		return decimal.Zero, false
	}
	return implied, true
}

func tolerance(r Record) decimal.Decimal {
	switch {
	case r.Prev != "":
		return decimal.Zero
	case strings.HasSuffix(string(r.Action), "_crypto"):
		return decimal.New(1, -4)
	}
	return decimal.New(1, -6)
}

// differ names the first position in which two lists differ by more than the tolerance, as the first list has it; "" if
// they agree. A position that is not listed holds nothing.
func differ(expected, found Positions, tolerance decimal.Decimal) string {
	amounts := make(map[string]decimal.Decimal, len(expected))
	for _, p := range expected {
		amounts[p.Symbol] = p.Amount
	}
	for _, p := range found {
		if amounts[p.Symbol].Sub(p.Amount).Abs().GreaterThan(tolerance) {
			return p.Symbol + " " + amounts[p.Symbol].String()
		}
		delete(amounts, p.Symbol)
	}
	for _, p := range expected {
		if a, left := amounts[p.Symbol]; left && a.Abs().GreaterThan(tolerance) {
			return p.Symbol + " " + a.String()
		}
	}
	return ""
}

// describe names the position that differ named, as the record has it.
func describe(r Record, expected Positions) string {
	symbol, _, _ := strings.Cut(differ(expected, r.Positions, tolerance(r)), " ")
	return symbol + " " + r.Positions.Amount(symbol).String()
}
