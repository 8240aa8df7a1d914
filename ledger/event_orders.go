// The events of orders that wait: a fill, a fill in part, the end of an order.
//
// An order is filled only where a bar proves it. At an open, the open itself is the proof, and nothing else of that bar is known. Of a
// bar that is over, a limit order needs a price beyond its limit, since others may have come before it at the limit itself; a stop
// order needs its price to be touched. A bar without an open, or one that is over and had no volume, proves nothing.

package ledger

import (
	"errors"
	"fmt"
	"slices"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/market"
)

// chance is when an open order may be filled, or ends.
type chance struct {
	moment
	n     int             // the order's place among the open ones
	bar   market.TimedBar // in which it may be filled
	price decimal.Decimal // before slippage
}

// orderEvents finds the earliest event of the open orders of a book.
func orderEvents(book Book, v market.View, r Rules) (rec Record, due bool, err error) {
	if len(book.Orders) == 0 {
		return Record{}, false, nil
	}
	v = r.view(v)
	var all []chance
	for n := range book.Orders {
		found, err := book.chances(n, v, r)
		if err != nil {
			return Record{}, false, err
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b chance) int { return a.compare(b.moment) })
	for _, c := range all {
		if rec, due, err := book.take(c, v, r); due || err != nil {
			return rec, due, err
		}
	}
	return Record{}, false, nil
}

// chances are those of an open order after the newest record, as far as the view knows them.
func (b Book) chances(n int, v market.View, r Rules) (all []chance, err error) {
	o := b.Orders[n]
	add := func(date market.Stamp, p phase, bar market.TimedBar, price decimal.Decimal) {
		m := moment{date, p, bar.Stamp, o.Action == Sell, o.Symbol, o.ID}
		if date <= v.AsOf() && m.compare(b.newest) > 0 {
			all = append(all, chance{m, n, bar, price})
		}
	}
	from := o.Placed.Day()
	if o.Until == GTC { // what came before the newest record has been
		from = max(from, b.Date.AddDays(-1))
	}
	bars, err := v.BarsFrom(o.Symbol, from)
	if err != nil {
		return nil, err
	}
	last := market.Stamp("") // the day on which the order ends
	if !r.NextOpen() {
		last = o.Placed.Day()
	}
	for _, bar := range bars {
		day, quote := bar.Stamp.Day(), market.Quote{Symbol: o.Symbol, At: bar.Stamp}
		if !o.alive(bar.Stamp, r) || session(Attempt{Quote: quote, Rules: r}) != nil {
			continue
		}
		if last == "" {
			last = day
		}
		if o.Until == Day && day > last {
			break
		}
		if bar.Stamp <= o.Last || !bar.Open.Valid {
			continue
		}
		if open := bar.Open.Decimal; bar.Stamp > o.Placed && o.reached(o.Action, open) {
			add(bar.Stamp, atOpen, bar, open)
		}
		if price, proved := o.provedIn(bar); proved {
			add(bar.End, inBar, bar, price)
		}
	}
	if o.Until == Day && last != "" {
		add(last.AddDays(1), dayEnd, market.TimedBar{Bar: market.Bar{Stamp: last.AddDays(1)}}, decimal.Zero)
	}
	return all, nil
}

// alive tells whether a bar comes after the placing of the order. One that opened when it was placed has the rest of it left, unless
// the account's orders fill at the next open.
func (o OpenOrder) alive(bar market.Stamp, r Rules) bool {
	if r.NextOpen() {
		return bar > o.Placed
	}
	return bar >= o.Placed || bar == o.Placed.Day()
}

// provedIn is the price at which the order was filled inside of a bar that is over, if the bar proves it: the worse one, where two are
// possible.
func (o OpenOrder) provedIn(bar market.TimedBar) (price decimal.Decimal, proved bool) {
	reach := bar.High // how far the price went to the order's side
	if (o.Action == Buy) == (o.Type == LimitOrder) {
		reach = bar.Low
	}
	switch {
	case !bar.Whole || !reach.Valid || bar.Volume.Valid && bar.Volume.Decimal.IsZero():
		return price, false
	case o.Type == LimitOrder:
		return o.Limit, o.reached(o.Action, reach.Decimal) && !reach.Decimal.Equal(o.Limit)
	case o.Type != StopOrder:
		return price, false // a market order fills at an open
	}
	if price = o.Stop; o.reached(o.Action, bar.Open.Decimal) { // the price had passed it before the bar
		price = bar.Open.Decimal
	}
	return price, o.reached(o.Action, reach.Decimal)
}

// take returns the record of a chance: a fill, or the end of the order. It is not due where the market lets the order wait on.
func (b Book) take(c chance, v market.View, r Rules) (rec Record, due bool, err error) {
	if c.phase == dayEnd {
		rec := b.ending(c.n, Expire, c.date)
		rec.Why = "The day is over."
		return rec, true, nil
	}
	o, others := b.Orders[c.n], b
	others.Orders = b.Orders.without(c.n)
	quote, err := v.At(c.bar.Stamp).Quote(o.Symbol)
	if err != nil {
		return Record{}, false, err
	}
	quote.Price = c.price
	order := Order{Action: o.Action, Symbol: quote.Symbol, Amount: r.capped(b, quote, o.Amount, c.bar, c.phase == inBar), Terms: o.Terms}
	a := Attempt{order, others, quote, r}
	if !order.Amount.IsPositive() || a.refusedBy(false) != nil {
		return Record{}, false, nil
	}
	price := c.price
	if o.Type != LimitOrder {
		price, err = r.price(order, quote)
	}
	if err == nil {
		rec, err = applyAt(a, price)
	}
	if err == nil {
		rec = r.filledIn(c.bar.Stamp, rec)
		rec.Date, rec.Of = c.date, o.ID
		if c.phase == inBar {
			rec.At = c.bar.Stamp
		}
		rec.Orders = b.Orders.filled(c.n, order.Amount, b.Cash().Sub(rec.Cash()), c.bar.Stamp)
		rec, err = r.limited(others, rec, v.At(c.date))
	}
	if err != nil {
		rec = b.ending(c.n, Expire, c.bar.Stamp)
		rec.Date, rec.At, rec.Why = c.date, c.bar.Stamp, reason(err)
	}
	return rec, true, nil
}

// reason is why an order ended, with its figures.
func reason(err error) string {
	text := err.Error()
	refusal, ok := errors.AsType[*Refusal](err)
	if ok && refusal.code == code.InsufficientCash {
		text = fmt.Sprintf("%s It takes %v, and %v is free.", text, refusal.details["required_cash"], refusal.details["cash_available"])
	}
	return text
}
