// The terms of an order: at which price it fills, and how long it waits.

package ledger

import (
	"bytes"
	"fmt"

	"mcp-trade/decimal"
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

// inFull returns the terms with what they are where they do not say.
func (t Terms) inFull() Terms {
	if t.Type == "" {
		t.Type = MarketOrder
	}
	if t.Until == "" {
		t.Until = Day
	}
	return t
}

// wrong says what is wrong with the terms, "" for nothing.
func (t Terms) wrong() string {
	full := t.inFull()
	switch {
	case full.Type != MarketOrder && full.Type != LimitOrder && full.Type != StopOrder:
		return fmt.Sprintf("Unknown type %q. Use market, limit or stop.", t.Type)
	case full.Until != Day && full.Until != GTC:
		return fmt.Sprintf("An order cannot wait until %q. Use day or gtc.", t.Until)
	case full.Type == LimitOrder && !t.Limit.IsPositive():
		return fmt.Sprintf("A limit price must be positive. You gave %s.", t.Limit)
	case full.Type == StopOrder && !t.Stop.IsPositive():
		return fmt.Sprintf("A stop price must be positive. You gave %s.", t.Stop)
	case full.Type != LimitOrder && !t.Limit.IsZero():
		return fmt.Sprintf("A %s order has no limit price. Use the type limit.", full.Type)
	case full.Type != StopOrder && !t.Stop.IsZero():
		return fmt.Sprintf("A %s order has no stop price. Use the type stop.", full.Type)
	}
	return ""
}

// reached tells whether an order on a side fills at a price at which the symbol trades.
func (t Terms) reached(side Action, price decimal.Decimal) bool {
	switch t.Type {
	case LimitOrder:
		return side == Buy && !price.GreaterThan(t.Limit) || side == Sell && !price.LessThan(t.Limit)
	case StopOrder:
		return side == Buy && !price.LessThan(t.Stop) || side == Sell && !price.GreaterThan(t.Stop)
	}
	return true
}

// expected is the price at which the order is expected to fill, before slippage: its own, else the one that is known.
func (t Terms) expected(known decimal.Decimal) decimal.Decimal {
	switch t.Type {
	case LimitOrder:
		return t.Limit
	case StopOrder:
		return t.Stop
	}
	return known
}

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
