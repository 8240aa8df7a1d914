package market

// This file has fees: what a broker, an exchange or a state takes for a trade. A
// schedule is data; Charge applies it. fees_real.go has the schedules of real markets.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"mcp-trade/code"
	"mcp-trade/decimal"
)

// Side is a side of a trade.
type Side string

// The sides.
const (
	BuySide  Side = "buy"
	SellSide Side = "sell"
)

// Rounding is how a fee is rounded.
type Rounding string

// The roundings.
const (
	RoundHalfUp Rounding = "half_up"
	RoundUp     Rounding = "up"
)

// Fee is a row of a schedule: one fee as it is over a time. A fee whose rate has
// changed has several rows of one name, of which the first that covers a trade's
// symbol and date counts.
type Fee struct {
	Name     string
	Side     Side     // the only side that pays it; "" is both
	From, To Stamp    // the first and the last day; "" is no bound
	Symbols  []string // that it is for, or their endings from a point or a dash on; nil is all

	Rate     decimal.Decimal     // of the traded value: 0.001 is 0.1 %
	PerShare decimal.Decimal     // of each share, in the market's currency
	PerOrder decimal.Decimal     // of each order, in the market's currency
	Rounding Rounding            // of their sum
	Places   int32               // decimals that are kept
	Minimum  decimal.Decimal     // after rounding
	Maximum  decimal.NullDecimal // after rounding

	// InKind tells that a purchase pays in what it buys, as crypto exchanges have it. The fee is then rounded in that.
	InKind bool
}

// Fees is a schedule.
type Fees []Fee

// Deal is what fees are taken of: an order that was filled whole.
type Deal struct {
	Symbol string
	Side   Side
	Date   Stamp
	Price  decimal.Decimal // of one share
	Amount decimal.Decimal // in shares
}

// FeeItem is one fee of a deal, above 0.
type FeeItem struct {
	Name string
	Paid decimal.Decimal // in the market's currency
}

// Equal tells whether both have the name and the amount.
func (f FeeItem) Equal(o FeeItem) bool { return f.Name == o.Name && f.Paid.Equal(o.Paid) }

// FeeItems are what an order paid, in the order of the schedule. In JSON they are an object of numbers by name.
type FeeItems []FeeItem

// Charge is what a deal costs.
type Charge struct {
	Items  FeeItems
	Total  decimal.Decimal // of the items
	InKind decimal.Decimal // how much of what was bought was taken; the items have its value at the price
}

// Charge returns what a deal costs. A fee that has rows for the deal's symbol and side, but none of its date, is unknown and
// not 0: the error is a *[FeeUnknownError].
func (f Fees) Charge(d Deal) (Charge, error) {
	var c Charge
	var seen []string // names of fees
	for i, row := range f {
		if !row.isFor(d) || slices.Contains(seen, row.Name) {
			continue
		}
		seen = append(seen, row.Name)
		at := slices.IndexFunc(f[i:], func(r Fee) bool { return r.Name == row.Name && r.isFor(d) && r.covers(d.Date) })
		if at < 0 {
			return Charge{}, &FeeUnknownError{row.Name, d.Symbol, d.Date.Day()}
		}
		c.add(f[i+at], d)
	}
	return c, nil
}

// isFor tells whether a deal pays the fee on the dates of the row.
func (r Fee) isFor(d Deal) bool {
	if r.Side != "" && r.Side != d.Side {
		return false
	}
	return r.Symbols == nil || slices.ContainsFunc(r.Symbols, func(of string) bool {
		return d.Symbol == of || strings.HasSuffix(d.Symbol, of) && strings.IndexAny(of, ".-") == 0
	})
}

func (r Fee) covers(date Stamp) bool {
	return r.From <= date.Day() && date.until(r.To)
}

// add adds a fee of a deal.
func (c *Charge) add(r Fee, d Deal) {
	inKind := r.InKind && d.Side == BuySide
	value := d.Price.Mul(d.Amount)
	if inKind {
		value = d.Amount
	}
	paid := r.rounded(value.Mul(r.Rate).Add(d.Amount.Mul(r.PerShare)).Add(r.PerOrder))
	if paid.LessThan(r.Minimum) {
		paid = r.Minimum
	}
	if r.Maximum.Valid && paid.GreaterThan(r.Maximum.Decimal) {
		paid = r.Maximum.Decimal
	}
	if paid.IsZero() {
		return
	}
	if inKind {
		c.InKind = c.InKind.Add(paid)
		paid = paid.Mul(d.Price)
	}
	c.Items = append(c.Items, FeeItem{r.Name, paid})
	c.Total = c.Total.Add(paid)
}

// Add returns the items with those of another order, by name.
func (f FeeItems) Add(more FeeItems) FeeItems {
	for _, item := range more {
		if i := slices.IndexFunc(f, func(x FeeItem) bool { return x.Name == item.Name }); i >= 0 {
			f[i].Paid = f[i].Paid.Add(item.Paid)
		} else {
			f = append(f, item)
		}
	}
	return f
}

// MarshalJSON writes an object of numbers in order.
func (f FeeItems) MarshalJSON() ([]byte, error) { return []byte(f.text(":", ",")), nil }

// UnmarshalJSON reads what MarshalJSON writes, in its order.
func (f *FeeItems) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return fmt.Errorf("fees are an object of numbers by name, not %.40s", text)
	}
	*f = nil
	for d.More() {
		var item FeeItem
		name, err := d.Token()
		if err == nil {
			item.Name = name.(string) // as every name in an object is
			err = d.Decode(&item.Paid)
		}
		if err != nil {
			return err
		}
		*f = append(*f, item)
	}
	return nil
}

// String is the object as a ledger has it.
func (f FeeItems) String() string { return f.text(": ", ", ") }

func (f FeeItems) text(colon, comma string) string {
	parts := make([]string, len(f))
	for i, item := range f {
		name, _ := jsontext.AppendQuote(nil, item.Name) // what is not UTF-8 is replaced
		parts[i] = string(name) + colon + item.Paid.String()
	}
	return "{" + strings.Join(parts, comma) + "}"
}

func (r Fee) rounded(d decimal.Decimal) decimal.Decimal {
	if r.Rounding == RoundUp {
		return d.RoundUp(r.Places)
	}
	return d.Round(r.Places)
}

// FeeUnknownError says that a schedule does not tell a fee on a date.
type FeeUnknownError struct {
	Fee    string
	Symbol string
	Date   Stamp
}

func (e *FeeUnknownError) Error() string {
	return fmt.Sprintf("The %s of %s on %s is not known to the costs that this account is kept under, so the trade cannot be charged for. "+
		"Trade on a date that they cover, or open an account whose costs have the fee.", e.Fee, e.Symbol, e.Date)
}

func (e *FeeUnknownError) Code() code.Code { return code.RulesUnknown }

func (e *FeeUnknownError) Details() map[string]any {
	return map[string]any{"fee": e.Fee, "symbol": e.Symbol, "date": e.Date}
}
