// Orders that wait: what was asked, and what of it is open after a record.

package ledger

import (
	"bytes"
	"fmt"

	"mcp-trade/decimal"
	"mcp-trade/internal/strict"
	"mcp-trade/market"
)

// OrderType is at which price an order fills.
type OrderType string

// The types of orders.
const (
	MarketOrder OrderType = "market" // at the open; so is an order that states no type
	LimitOrder  OrderType = "limit"  // at its limit price or better
	StopOrder   OrderType = "stop"   // at the market, once its stop price is reached
)

// Until is how long an order waits.
type Until string

// How long an order waits.
const (
	Day Until = "day" // to the end of the day; so does an order that does not say
	GTC Until = "gtc" // until it is filled or cancelled
)

// Terms are when an order fills. The zero value is a market order.
type Terms struct {
	Type  OrderType
	Limit decimal.Decimal // the limit price, of a limit order
	Stop  decimal.Decimal // the stop price, of a stop order
	Until Until
}

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

// write writes the terms as members of an object, each after a comma.
func (t Terms) write(b *bytes.Buffer) {
	writeMember(b, "type", string(t.Type))
	writeNumber(b, "limit_price", t.Limit)
	writeNumber(b, "stop_price", t.Stop)
	writeMember(b, "until", string(t.Until))
}

// termKeys are the keys that write writes.
var termKeys = []string{"type", "limit_price", "stop_price", "until"}

// member reads a member of an object, if it is one of the terms.
func (t *Terms) member(key, value []byte) (is bool, err error) {
	switch string(key) {
	case "type":
		t.Type, err = parseTyped[OrderType](value)
	case "limit_price":
		t.Limit, _, err = parseNumber(value)
	case "stop_price":
		t.Stop, _, err = parseNumber(value)
	case "until":
		t.Until, err = parseTyped[Until](value)
	default:
		return false, nil
	}
	return true, err
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
