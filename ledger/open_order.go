// Orders that wait: what was asked, and what of it is open after a record.

package ledger

import (
	"bytes"
	"fmt"
	"slices"

	"mcp-trade/decimal"
	"mcp-trade/internal/strict"
	"mcp-trade/market"
)

// OpenOrder is an order that waits.
type OpenOrder struct {
	ID       int64 // of the record that placed it
	Action   Action
	Symbol   string
	Amount   decimal.Decimal // that is not filled yet
	Terms                    // in full: with their type, and until when
	Placed   market.Stamp
	Last     market.Stamp    // the bar in which it was last filled in part, "" if it was not
	Reserved decimal.Decimal // the cash that a purchase keeps from other orders; a sale keeps its amount
}

// OpenOrders are listed in the order of their placing.
type OpenOrders []OpenOrder

// kept is how much of a symbol, or of [Cash], the orders keep from others.
func (o OpenOrders) kept(symbol string) (kept decimal.Decimal) {
	for _, open := range o {
		switch {
		case open.Action == Buy && symbol == Cash:
			kept = kept.Add(open.Reserved)
		case open.Action == Sell && symbol == open.Symbol:
			kept = kept.Add(open.Amount)
		}
	}
	return kept
}

// index is the place of an order, -1 if it is not open.
func (o OpenOrders) index(id int64) int {
	return slices.IndexFunc(o, func(open OpenOrder) bool { return open.ID == id })
}

// without returns the orders without one.
func (o OpenOrders) without(n int) OpenOrders { return slices.Delete(slices.Clone(o), n, n+1) }

// filled returns the orders after one was filled in a bar, or a part of it, for which so much was paid.
func (o OpenOrders) filled(n int, amount, paid decimal.Decimal, bar market.Stamp) OpenOrders {
	left := o[n].Amount.Sub(amount)
	if !left.IsPositive() {
		return o.without(n)
	}
	o = slices.Clone(o)
	o[n].Amount, o[n].Last = left, bar
	if o[n].Action == Buy {
		o[n].Reserved = o[n].Reserved.Sub(paid)
		if o[n].Reserved.IsNegative() {
			o[n].Reserved = decimal.Zero
		}
	}
	return o
}

// write writes the orders as a list.
func (o OpenOrders) write(b *bytes.Buffer) {
	b.WriteByte('[')
	for i, open := range o {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(b, `{"id": %d`, open.ID)
		writeMember(b, "action", string(open.Action))
		writeMember(b, "symbol", open.Symbol)
		b.WriteString(`, "amount": ` + open.Amount.String())
		open.Terms.write(b)
		writeMember(b, "placed", string(open.Placed))
		writeMember(b, "last", string(open.Last))
		writeNumber(b, "reserved", open.Reserved)
		b.WriteByte('}')
	}
	b.WriteByte(']')
}

// String is how a record states the orders.
func (o OpenOrders) String() string {
	var b bytes.Buffer
	o.write(&b)
	return b.String()
}

// openOrderKeys are the keys of an open order.
var openOrderKeys = append([]string{"id", "action", "symbol", "amount", "placed", "last", "reserved"}, termKeys...)

// parseOpenOrders reads the open orders of a record.
func parseOpenOrders(s *strict.Reader) (open OpenOrders, err error) {
	err = s.List(func(s *strict.Reader) error {
		var o OpenOrder
		err := s.Object(func(s *strict.Reader, key []byte) error {
			value, err := s.Value()
			if err != nil {
				return err
			}
			return keyed(key, o.member(key, value))
		})
		if err == nil && (o.ID < 1 || o.Action != Buy && o.Action != Sell || o.Placed == "") {
			err = fmt.Errorf(`"id", "action" or "placed" is missing`)
		}
		open = append(open, o)
		return err
	})
	return open, err
}

// member reads a member of an open order.
func (o *OpenOrder) member(key, value []byte) (err error) {
	if is, err := o.Terms.member(key, value); is {
		return err
	}
	switch string(key) {
	case "id":
		o.ID, err = parseID(value)
	case "action":
		o.Action, err = parseKind(value)
	case "symbol":
		o.Symbol, err = parseText(value)
	case "amount":
		o.Amount, err = parseAmount(value)
	case "placed":
		o.Placed, err = parseStamp(value)
	case "last":
		o.Last, err = parseStamp(value)
	case "reserved":
		o.Reserved, _, err = parseNumber(value)
	default:
		err = strict.Unlike(key, openOrderKeys...)
	}
	return err
}

// parseID reads the id of a record that placed an order. The first record opens the account.
func parseID(value []byte) (int64, error) {
	id, ok := strict.Int(value)
	if !ok || id < 1 {
		return 0, fmt.Errorf("%.40s is not the id of a record", value)
	}
	return id, nil
}

// parseStamp reads a stamp; null is taken as left out.
func parseStamp(value []byte) (market.Stamp, error) {
	text, err := parseText(value)
	if err != nil || text == "" {
		return "", err
	}
	return market.ParseStamp(text)
}

// parseTyped reads a string.
func parseTyped[T ~string](value []byte) (T, error) {
	text, err := parseText(value)
	return T(text), err
}

// writeMember writes a member of an object after a comma, unless its value is "".
func writeMember(b *bytes.Buffer, key, value string) {
	if value != "" {
		b.WriteString(`, "` + key + `": `)
		writeText(b, value)
	}
}

// writeNumber writes a member of an object after a comma, unless its value is 0.
func writeNumber(b *bytes.Buffer, key string, value decimal.Decimal) {
	if !value.IsZero() {
		b.WriteString(`, "` + key + `": ` + value.String())
	}
}
