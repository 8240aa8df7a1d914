// Evaluating orders that wait, and their cancelling.

package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/market"
)

// maxOpenOrders bounds the orders that wait: each record has all of them.
const maxOpenOrders = 100

// waits tells whether the order may have to wait: it has a price of its own, or the account's orders fill at the next open.
func (o Order) waits(r Rules) bool {
	return o.Type == LimitOrder || o.Type == StopOrder || r.NextOpen()
}

// waiting evaluates an order that may have to wait: it fills at the open that the view shows if that reaches its price, unless the
// account's orders fill at the next open; else it is placed. unknown is why the quote has no price.
func (a Attempt) waiting(v market.View, unknown error) (Record, error) {
	if _, noPrice := errors.AsType[*market.NoPriceError](unknown); unknown != nil && !noPrice {
		return Record{}, unknown
	}
	if a.Quote.At < a.Book.Date {
		return Record{}, dateBackwards(a.Quote.At, a.Book.Date, "the newest record", "newest_record")
	}
	known, open := a.Quote.Price, unknown == nil
	if !open {
		last, _, err := a.Rules.view(v).LastClose(a.Order.Symbol)
		if err != nil {
			return Record{}, unknown
		}
		known = last
	}
	a.Order.Terms = a.Order.inFull()
	if err := a.plausible(known); err != nil {
		return Record{}, err
	}
	if open && !a.Rules.NextOpen() && session(a) == nil && a.Order.reached(a.Order.Action, known) {
		return a.now(v)
	}
	return a.place(v, known)
}

// plausible refuses a price that is far from the one that is known, and a stop that it has passed: they are slips.
func (a Attempt) plausible(known decimal.Decimal) error {
	own, ten := a.Order.expected(known), decimal.NewFromInt(10)
	if a.Order.Type == StopOrder && a.Order.reached(a.Order.Action, known) {
		side := map[Action]string{Buy: "above", Sell: "below"}[a.Order.Action]
		return &Refusal{
			code.InvalidArgument,
			fmt.Sprintf("A stop to %s at %s is reached already: %s is at %s. Use a stop price %s it, or the type market.", a.Order.Action, own, a.Order.Symbol, known, side),
			map[string]any{"symbol": a.Order.Symbol, "price": own, "last_price": known},
		}
	}
	if own.LessThan(known.Mul(ten)) && own.Mul(ten).GreaterThan(known) {
		return nil
	}
	return &Refusal{
		code.InvalidArgument,
		fmt.Sprintf("The %s price %s is ten times or a tenth of what %s last traded at, %s, or further from it. Use a price between the two.", a.Order.Type, own, a.Order.Symbol, known),
		map[string]any{"symbol": a.Order.Symbol, "price": own, "last_price": known},
	}
}

// now fills the order at the quote.
func (a Attempt) now(v market.View) (Record, error) {
	bar, err := a.fitsVolume(v)
	if err != nil {
		return Record{}, err
	}
	rec, err := Apply(a.Book, a.Order, a.Quote, a.Rules)
	if err != nil {
		return Record{}, err
	}
	rec = a.Rules.filledIn(bar, rec)
	if t := a.Order.Type; t == LimitOrder || t == StopOrder { // under which it is judged
		rec.Terms = a.Order.Terms
	}
	return a.Rules.limited(a.Book, rec, v)
}

// bar is the bar at whose open the quote is.
func (a Attempt) bar(v market.View) (bar market.TimedBar, err error) {
	bars, err := a.Rules.view(v).BarsFrom(a.Order.Symbol, a.Quote.At.Day())
	for _, b := range bars {
		if b.Stamp <= a.Quote.At {
			bar = b
		}
	}
	return bar, err
}

// fitsVolume refuses an order that fills at the quote and is more than the cap lets through, and tells the bar in which it fills.
func (a Attempt) fitsVolume(v market.View) (in market.Stamp, err error) {
	if a.Rules.volumeCap.IsZero() {
		return "", nil
	}
	bar, err := a.bar(v)
	if err != nil {
		return "", err
	}
	through := a.Rules.capped(a.Book, a.Quote, a.Order.Amount, bar, false)
	if !through.LessThan(a.Order.Amount) {
		return bar.Stamp, nil
	}
	details := map[string]any{"symbol": a.Order.Symbol, "date": a.Quote.At, "amount": a.Order.Amount, "max_amount": a.mostOf(through), "last_volume": bar.Prior}
	before := ""
	if filled := a.Book.filledOn(bar.Stamp).in(bar.Stamp, a.Order.Symbol); filled.IsPositive() {
		details["filled_in_bar"], before = filled, fmt.Sprintf(" It has filled %s in this bar.", filled)
	}
	return bar.Stamp, &Refusal{
		code.LotSize,
		fmt.Sprintf("The account may trade %s of a bar's volume, which lets %s of %s through now.%s You tried to %s %s %s. Trade less, or place a limit order, which may be filled in parts.",
			strings.Trim(a.Rules.Value(volumeCapKey), `"`), a.Rules.unit(a.Quote.Symbol, a.Quote.At).Floor(through), a.Order.Symbol, before,
			a.Order.Action, a.Order.Amount, a.Order.Symbol),
		details,
	}
}

// mostOf is the largest amount of the order's symbol that can be traded now of what the cap lets through.
func (a Attempt) mostOf(through decimal.Decimal) decimal.Decimal {
	unit := a.Rules.unit(a.Quote.Symbol, a.Quote.At)
	most := unit.Floor(through)
	if a.Order.Action == Sell {
		most = decimal.Min(most, a.mostSold())
	} else if can, bounded := a.Rules.Affordable(a.Book.free(Cash), a.Quote); bounded {
		most = decimal.Min(most, can)
	}
	if a.Order.Amount = most; a.refusedAt(true) != nil {
		return decimal.Zero
	}
	return most
}

// place returns the record that places the order. It must be possible to pay for it at the price that is expected: that much is
// reserved.
func (a Attempt) place(v market.View, known decimal.Decimal) (Record, error) {
	o, book := a.Order, a.Book
	a.Quote.Price = o.expected(known)
	if err := a.refusedBy(true); err != nil {
		return Record{}, err
	}
	if len(book.Orders) >= maxOpenOrders {
		return Record{}, &Refusal{
			code.InvalidArgument, fmt.Sprintf("The account has %d orders that wait, the most that it can have. Cancel one of them.", len(book.Orders)),
			map[string]any{"open_orders": len(book.Orders)},
		}
	}
	price, err := a.Rules.price(o, a.Quote)
	if err != nil {
		return Record{}, err
	}
	filled, err := applyAt(a, price)
	if err == nil { // the limits are asked now, as if it were filled, and again when it is
		_, err = a.Rules.limited(book, filled, v)
	}
	if err != nil {
		return Record{}, err
	}
	open := OpenOrder{ID: book.ID + 1, Action: o.Action, Symbol: o.Symbol, Amount: o.Amount, Terms: o.Terms, Placed: a.Quote.At}
	if o.Action == Buy {
		open.Reserved = a.Rules.roundedUp(price.Mul(o.Amount).Add(filled.paid()))
	}
	for _, n := range []decimal.Decimal{open.Reserved, o.Limit, o.Stop} {
		if _, err := ParseDecimal(n.String()); err != nil {
			return Record{}, &Refusal{code.InvalidArgument, fmt.Sprintf("The order cannot be kept in the ledger: %v.", err), map[string]any{"symbol": o.Symbol}}
		}
	}
	return Record{
		Date: a.Quote.At, ID: open.ID, Action: Place, Symbol: o.Symbol, Amount: o.Amount, Side: o.Action, Terms: o.Terms, OrderID: o.ID, Note: o.Note, Prev: book.Hash,
		Positions: book.Positions, Bought: book.boughtOn(a.Quote.At), Filled: book.filledOn(a.Quote.At),
		Orders: append(slices.Clone(book.Orders), open),
	}, nil
}

// cancel returns the record that ends an order as asked.
func cancel(book Book, id int64, orderID string, at market.Stamp) (Record, error) {
	if at < book.Date {
		return Record{}, dateBackwards(at, book.Date, "the newest record", "newest_record")
	}
	n := book.Orders.index(id)
	if n < 0 {
		open := []int64{}
		for _, o := range book.Orders {
			open = append(open, o.ID)
		}
		return Record{}, &Refusal{
			code.InvalidArgument, fmt.Sprintf("The order %d does not wait: it was filled, cancelled or ended, or never placed. Orders that wait: %v.", id, open),
			map[string]any{"id": id, "open_orders": open},
		}
	}
	rec := book.ending(n, Cancel, at)
	rec.OrderID = orderID
	return rec, nil
}

// ending returns a record that ends an open order.
func (b Book) ending(n int, as Action, at market.Stamp) Record {
	o := b.Orders[n]
	return Record{
		Date: at, ID: b.ID + 1, Action: as, Symbol: o.Symbol, Amount: o.Amount, Side: o.Action, Of: o.ID, Prev: b.Hash,
		Positions: b.Positions, Bought: b.boughtOn(at), Filled: b.filledOn(at), Orders: b.Orders.without(n),
	}
}
