// Recomputing a row from the one before it.

package ledger

import (
	"errors"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"mcp-trade/market"
)

// follows recomputes a row.
func (v *Verifier) follows(r Record) {
	switch {
	case r.Traded():
		v.trade(r)
		return
	case r.Action != NoTrade:
		v.find(r, Unexplained, "an action: buy, sell or no_trade", fmt.Sprintf("%q", r.Action))
	case !r.Amount.IsZero():
		v.find(r, Unexplained, "no amount where nothing was traded", r.Amount)
	}
	if !r.Fees.IsZero() {
		v.find(r, FeesDiffer, 0, r.Fees)
	}
	v.compare(r, func(base Positions) Positions { return base }, decimal.NullDecimal{})
}

// trade recomputes a row that bought or sold.
func (v *Verifier) trade(r Record) {
	if r.Prev == "" && r.Amount.IsZero() && differ(v.base.Positions, r.Positions, tolerance(r)) == "" {
		v.find(r, NoChange, "an amount above 0", fmt.Sprintf("%s %s %s", r.Action, r.Amount, r.Symbol))
		return
	}
	if !v.judged {
		return // by rules that nobody here knows
	}
	o := Order{ID: r.OrderID, Action: Buy, Symbol: r.Symbol, Amount: r.Amount, Note: r.Note}
	if r.sells() {
		o.Action = Sell
	}
	rules := v.rules
	if v.kept == "" && r.Prev == "" {
		rules = upstreamRules(r.Symbol)
	}
	err := rules.Admit(r.Symbol)
	if err == nil {
		err = rules.Check(o)
	}
	if err != nil {
		v.find(r, Refused, "an order that the rules allow", fmt.Sprintf("%s %s %s: %v", r.Action, r.Amount, r.Symbol, err))
	}
	if !r.Fees.IsZero() {
		v.find(r, FeesDiffer, 0, r.Fees)
	}
	price := v.price(r)
	v.compare(r, func(base Positions) Positions {
		if !price.Valid { // of the cash nothing is known
			return after(base, r, decimal.Zero).with(Position{Cash, r.Cash()})
		}
		rec, err := Apply(Book{Date: r.Date, Positions: base}, o, Quote{r.Date, price.Decimal}, rules)
		if err != nil {
			return after(base, r, price.Decimal) // which finds where it leads
		}
		if !r.Fees.IsZero() {
			return rec.Positions.with(Position{Cash, rec.Cash().Sub(r.Fees)})
		}
		return rec.Positions
	}, price)
}

// price is the price that a trade is recomputed at: the one that its row states, else the open. Both must be the same.
func (v *Verifier) price(r Record) decimal.NullDecimal {
	if v.prices == nil {
		v.report.Unpriced++
		return r.Price
	}
	open := v.open(r)
	if open.err != nil {
		v.noBar(r, open.err)
		return r.Price
	}
	if !r.Price.Valid {
		return decimal.NewNullDecimal(open.price)
	}
	if !open.price.Equal(r.Price.Decimal) {
		v.find(r, PriceDiffers, open.price, r.Price.Decimal)
	}
	return r.Price
}

// noBar says why a trade has no price. What cannot be read is unknown, and no finding.
func (v *Verifier) noBar(r Record, err error) {
	var damaged *market.DamagedError
	var unknown *market.UnknownSymbolError
	bar := fmt.Sprintf("a bar of %s on %s", r.Symbol, r.Date)
	switch {
	case errors.As(err, &damaged):
		v.report.Unpriced++
	case errors.As(err, &unknown):
		v.find(r, NoBar, bar, "no such symbol in the price files by then")
	default:
		v.find(r, NoBar, bar, err)
	}
}

// open is the price at which a symbol fills on a date, or why there is none.
type open struct {
	price decimal.Decimal
	err   error
}

// open returns the open of a row's symbol in a view as of its date.
func (v *Verifier) open(r Record) open {
	if r.Date != v.at {
		v.at = r.Date
		clear(v.opens)
	}
	o, known := v.opens[r.Symbol]
	if known {
		return o
	}
	view := v.prices.AsOf(r.Date)
	symbol, err := view.Resolve(r.Symbol)
	switch {
	case err != nil:
		o.err = err
	case symbol != r.Symbol:
		o.err = fmt.Errorf("none of that name: the prices have %s", symbol)
	default:
		o.price, o.err = view.OpenPrice(symbol)
	}
	v.opens[strings.Clone(r.Symbol)] = o
	return o
}

// compare holds the book of a row against what the row should have left of the book before it, and says in which way it
// differs. The price is what the row was recomputed at, if it is a trade and the price is known.
func (v *Verifier) compare(r Record, left func(Positions) Positions, price decimal.NullDecimal) {
	expected := left(v.base.Positions)
	difference := differ(expected, r.Positions, tolerance(r))
	if difference == "" {
		return
	}
	if !v.report.full() {
		for older := range v.older.backward() {
			if differ(left(older.Positions), r.Positions, tolerance(r)) == "" {
				v.find(r, StaleBase, fmt.Sprintf("the book of row %d", v.base.ID), fmt.Sprintf("the book of row %d", older.ID))
				return
			}
		}
	}
	if implied, ok := impliedPrice(v.base.Positions, r); ok && price.Valid {
		v.find(r, PriceDiffers, price.Decimal, implied)
		return
	}
	v.find(r, Unexplained, difference, describe(r, expected))
}

// after returns the positions that a trade leaves of a base, whether or not the base can pay for it.
func after(base Positions, r Record, price decimal.Decimal) Positions {
	change := r.Amount
	if r.sells() {
		change = change.Neg()
	}
	cash := base.Amount(Cash).Sub(price.Mul(change)).Sub(r.Fees)
	return base.with(Position{r.Symbol, base.Amount(r.Symbol).Add(change)}, Position{Cash, cash})
}

// impliedPrice returns the price at which the trade does lead from the base to the record, if only the cash speaks against
// it.
func impliedPrice(base Positions, r Record) (decimal.Decimal, bool) {
	if !r.Traded() || !r.Amount.IsPositive() {
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

// tolerance is how far a row may be off, see [Verify].
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
	if same(expected, found, tolerance) {
		return ""
	}
	amounts := make(map[string]decimal.Decimal, len(expected))
	for _, p := range expected {
		amounts[p.Symbol] = p.Amount
	}
	for _, p := range found {
		if !within(amounts[p.Symbol], p.Amount, tolerance) {
			return p.Symbol + " " + amounts[p.Symbol].String()
		}
		delete(amounts, p.Symbol)
	}
	for _, p := range expected {
		if a, left := amounts[p.Symbol]; left && !within(a, decimal.Zero, tolerance) {
			return p.Symbol + " " + a.String()
		}
	}
	return ""
}

// same tells whether two lists agree and have the same order, which takes less time to find out.
func same(expected, found Positions, tolerance decimal.Decimal) bool {
	if len(expected) != len(found) {
		return false
	}
	for i, p := range expected {
		if p.Symbol != found[i].Symbol || !within(p.Amount, found[i].Amount, tolerance) {
			return false
		}
	}
	return true
}

func within(a, b, tolerance decimal.Decimal) bool {
	return a == b || !a.Sub(b).Abs().GreaterThan(tolerance)
}

// describe names the position that differ named, as the record has it.
func describe(r Record, expected Positions) string {
	symbol, _, _ := strings.Cut(differ(expected, r.Positions, tolerance(r)), " ")
	return symbol + " " + r.Positions.Amount(symbol).String()
}
