package market

// This file has costs: what an account pays for its trades, as its ledger and a costs file state it.
//
//	"none"
//	"real"
//	{"real": ["stamp duty", "transfer fee"], "fees": [{"name": "commission", "rate": 0.0003, "minimum": 5}]}
//
// The object takes the fees that it names from the table of real fees, by their dates, and has others of its own.

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"mcp-trade/decimal"
	"mcp-trade/internal/strict"
)

// Costs are those of an account. The zero value is none.
type Costs struct {
	text string // as a ledger states it; "" is none
	fees Fees
}

// The costs that have a name.
const (
	NoCosts   = "none"
	RealCosts = "real"
)

// maxFees bounds the fees of a file: they stand in the first line of each ledger.
const maxFees = 32

// ParseCosts reads the costs of accounts in a market, in JSON. The error is a sentence with what to do.
func ParseCosts(text []byte, of ID) (Costs, error) {
	if name, ok := strict.Text(text); ok {
		return namedCosts(name, of)
	}
	var own Fees
	var real []string
	err := strict.Object(text, func(key, value []byte) (err error) {
		switch string(key) {
		case "real":
			err = json.Unmarshal(value, &real)
		case "fees":
			own, err = parseFees(value)
		default:
			return unknownKey(key, "costs have", []string{"fees", "real"})
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", key, err)
		}
		return err
	})
	if err != nil {
		return Costs{}, err
	}
	c := Costs{costsText(real, own), own}
	known := of.KnownFees()
	for _, name := range real {
		taken := slices.Collect(known.named(name))
		switch {
		case len(taken) == 0:
			return Costs{}, fmt.Errorf("real: the market %q has no fee %q; it has %s", of, name, strings.Join(known.Names(), ", "))
		case slices.Contains(c.fees.Names(), name):
			return Costs{}, fmt.Errorf("real: %q is there twice; take one of them out", name)
		}
		c.fees = append(c.fees, taken...)
	}
	return c, countedTwice(real)
}

// namedCosts are none or real.
func namedCosts(name string, of ID) (Costs, error) {
	switch name {
	case NoCosts:
		return Costs{}, nil
	case RealCosts:
		return Costs{`"real"`, of.RealFees()}, nil
	}
	return Costs{}, fmt.Errorf("%.40q names no costs; use none, real or the path of a file", name)
}

// countedTwice refuses fees of the table of which one is in another, or in its place.
func countedTwice(real []string) error {
	for _, pair := range [][2]string{{Commission, HandlingFee}, {Commission, RegulatoryFee}} {
		if slices.Contains(real, pair[0]) && slices.Contains(real, pair[1]) {
			return fmt.Errorf("real: the %s includes the %s; take the %s out, or state a commission of your own under fees", pair[0], pair[1], pair[1])
		}
	}
	if slices.Contains(real, MakerFee) && slices.Contains(real, TakerFee) {
		return errors.New("real: a trade pays the maker fee or the taker fee; take one of them out")
	}
	return nil
}

// String is how a ledger states the costs, in JSON.
func (c Costs) String() string { return cmp.Or(c.text, `"none"`) }

// Fees are the fees of a trade, nil if there are none.
func (c Costs) Fees() Fees { return c.fees }

func (f Fees) named(name string) func(func(Fee) bool) {
	return func(yield func(Fee) bool) {
		for _, row := range f {
			if row.Name == name && !yield(row) {
				return
			}
		}
	}
}

// Names are those of its fees, each once.
func (f Fees) Names() (names []string) {
	for _, row := range f {
		if !slices.Contains(names, row.Name) {
			names = append(names, row.Name)
		}
	}
	return names
}

func parseFees(text []byte) (fees Fees, err error) {
	var rows []json.RawMessage
	if err := json.Unmarshal(text, &rows); err != nil {
		return nil, errors.New("is not a list of fees")
	}
	if len(rows) > maxFees {
		return nil, fmt.Errorf("%d fees are too many; use at most %d", len(rows), maxFees)
	}
	for i, row := range rows {
		fee, err := parseFee(row)
		if err != nil {
			return nil, fmt.Errorf("fee %d: %w", i+1, err)
		}
		fees = append(fees, fee)
	}
	return fees, nil
}

// feeKeys are the keys of a fee in a file, in the order in which a ledger has them.
var feeKeys = []string{"name", "side", "from", "to", "symbols", "rate", "per_share", "per_order", "round", "places", "minimum", "maximum", "in_kind"}

func parseFee(text []byte) (Fee, error) {
	f := Fee{Places: 2, Rounding: RoundHalfUp}
	fields := []any{&f.Name, &f.Side, &f.From, &f.To, &f.Symbols, &f.Rate, &f.PerShare, &f.PerOrder, &f.Rounding, &f.Places, &f.Minimum, &f.Maximum, &f.InKind}
	if err := strict.Object(text, func(key, value []byte) error {
		i := slices.Index(feeKeys, string(key))
		if i < 0 {
			return unknownKey(key, "a fee has", feeKeys)
		}
		if err := json.Unmarshal(value, fields[i]); err != nil {
			return fmt.Errorf("%s: %.60s is no value of it", key, value)
		}
		return nil
	}); err != nil {
		return Fee{}, err
	}
	return f, f.valid()
}

// unknownKey refuses a key, and names those that there are.
func unknownKey(key []byte, what string, known []string) error {
	return fmt.Errorf("the key %.40q is unknown; %s %s", key, what, strings.Join(known, ", "))
}

// valid refuses a fee that no trade can be charged by.
func (r Fee) valid() error {
	most := decimal.NewFromInt(1_000_000_000)
	within := func(d, most decimal.Decimal) bool {
		return d.Exponent() >= -12 && d.Exponent() <= 9 && !d.IsNegative() && !d.GreaterThan(most)
	}
	for _, day := range []Stamp{r.From, r.To} {
		if at, err := ParseStamp(string(day)); day != "" && (err != nil || at != day || !at.IsDay()) {
			return fmt.Errorf("%.40q is no day; write it as 2025-10-02", day)
		}
	}
	switch {
	case !plainName(r.Name):
		return fmt.Errorf("name: %.40q; a name has 1 to 40 plain characters", r.Name)
	case slices.ContainsFunc(r.Symbols, func(s string) bool { return !plainName(s) }):
		return fmt.Errorf("symbols: %.40q; a symbol has 1 to 40 plain characters", r.Symbols)
	case r.Side != "" && r.Side != BuySide && r.Side != SellSide:
		return fmt.Errorf("side: %.40q; use buy or sell, or leave it out for both", r.Side)
	case r.To != "" && r.To < r.From:
		return fmt.Errorf("to: %s is before %s", r.To, r.From)
	case r.Rounding != RoundHalfUp && r.Rounding != RoundUp:
		return fmt.Errorf("round: %.40q; use %s or %s", r.Rounding, RoundHalfUp, RoundUp)
	case r.Places < 0 || r.Places > 8:
		return fmt.Errorf("places: %d; use 0 to 8 decimals", r.Places)
	case !within(r.Rate, decimal.New(5, -1)):
		return fmt.Errorf("rate: %s; a rate is a fraction of the traded value from 0 to 0.5: 0.001 is 0.1 %%", r.Rate)
	case !within(r.PerShare, most), !within(r.PerOrder, most), !within(r.Minimum, most), !within(r.Maximum.Decimal, most):
		return errors.New("per_share, per_order, minimum and maximum are amounts of money from 0 to 1000000000")
	case r.Maximum.Valid && r.Maximum.Decimal.LessThan(r.Minimum):
		return fmt.Errorf("maximum: %s is below the minimum %s", r.Maximum.Decimal, r.Minimum)
	case r.InKind && (!r.PerShare.IsZero() || !r.PerOrder.IsZero() || !r.Minimum.IsZero() || r.Maximum.Valid):
		return errors.New("in_kind: a fee in kind has a rate alone")
	}
	return nil
}

// plainName tells whether JSON writes a name as it is.
func plainName(s string) bool {
	return s != "" && len(s) <= 40 && !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' || strings.ContainsRune(`"\<>&`, c) })
}

// costsText is how a ledger states them, as it writes JSON.
func costsText(real []string, own Fees) string {
	var parts []string
	if real != nil {
		parts = append(parts, `"real": `+listText(real))
	}
	if own != nil {
		rows := make([]string, len(own))
		for i, f := range own {
			rows[i] = f.text()
		}
		parts = append(parts, `"fees": [`+strings.Join(rows, ", ")+"]")
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func listText(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func quote(s string) string { return `"` + s + `"` } // names are plain

// text leaves out what a fee has without being told.
func (r Fee) text() string {
	parts := []string{`"name": ` + quote(r.Name)}
	add := func(key string, stated bool, value string) {
		if stated {
			parts = append(parts, fmt.Sprintf("%q: %s", key, value))
		}
	}
	add("side", r.Side != "", quote(string(r.Side)))
	add("from", r.From != "", quote(string(r.From)))
	add("to", r.To != "", quote(string(r.To)))
	add("symbols", r.Symbols != nil, listText(r.Symbols))
	add("rate", !r.Rate.IsZero(), r.Rate.String())
	add("per_share", !r.PerShare.IsZero(), r.PerShare.String())
	add("per_order", !r.PerOrder.IsZero(), r.PerOrder.String())
	add("round", r.Rounding == RoundUp, quote(string(r.Rounding)))
	add("places", r.Places != 2, fmt.Sprint(r.Places))
	add("minimum", !r.Minimum.IsZero(), r.Minimum.String())
	add("maximum", r.Maximum.Valid, r.Maximum.Decimal.String())
	add("in_kind", r.InKind, "true")
	return "{" + strings.Join(parts, ", ") + "}"
}
