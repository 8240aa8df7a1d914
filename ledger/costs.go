// What a fill costs: the slippage of its price, and the fees. They are terms of the rules.
//
//	"costs": "none"              no fees
//	"costs": "real"              those of the market on the day
//	"costs": {"fees": [...]}     those of a file, see package market
//	"slippage": "5bps"           no key where there is none

package ledger

import (
	"fmt"
	"strings"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/internal/strict"
	"mcp-trade/market"
)

var costsTerm = term{
	key: "costs", always: true, preset: always(`"none"`),
	knows: func(m *market.Market, value string) bool {
		c, err := market.ParseCosts([]byte(value), m.ID)
		return err == nil && c.String() == value
	},
	set: func(r *Rules, value string) { r.costs, _ = market.ParseCosts([]byte(value), r.Market.ID) }, // it is known
}

var slippageTerm = term{
	key: "slippage", preset: always(`"none"`),
	knows: func(_ *market.Market, value string) bool {
		text, ok := strict.Text([]byte(value))
		s, err := market.ParseSlippage(text)
		return ok && err == nil && s.String() == text
	},
	set: func(r *Rules, value string) {
		text, _ := strict.Text([]byte(value))
		r.slippage, _ = market.ParseSlippage(text) // it is known
	},
}

// CostsText says in a phrase what the account pays, "" for nothing: "fees: real; slippage: 5bps".
func (r Rules) CostsText() string {
	var parts []string
	switch text := r.costs.String(); {
	case text == `"`+market.RealCosts+`"`:
		parts = append(parts, "fees: real")
	case text != `"`+market.NoCosts+`"`:
		parts = append(parts, "fees of a file: "+strings.Join(r.costs.Fees().Names(), ", "))
	}
	if s := r.slippage.String(); s != market.NoSlippage {
		parts = append(parts, "slippage: "+s)
	}
	return strings.Join(parts, "; ")
}

// FillsOpen is what [Rules.FillsText] says of most accounts.
const FillsOpen = "open"

// FillsText says in a phrase when orders fill, and how much of a bar: "open", "next open; at most 10% of a bar's volume".
func (r Rules) FillsText() string {
	text := FillsOpen
	switch {
	case r.NextOpen():
		text = "next open"
	case r.fillsAsStamped():
		text = "open of the bar that has the stamp, though it may end then"
	}
	if most := strings.Trim(r.other["volume_cap"], `"`); most != "" {
		text += "; at most " + most + " of a bar's volume"
	}
	return text
}

// side is the side of an order's trade.
func (a Action) side() market.Side {
	if a == Buy {
		return market.BuySide
	}
	return market.SellSide
}

// fillsAt is the price at which an order fills where the market has one: with its slippage, but no worse than its limit price.
func (r Rules) fillsAt(o Order, price decimal.Decimal) decimal.Decimal {
	price = r.slippage.Fill(o.Action.side(), price)
	if o.Type == LimitOrder && !o.reached(o.Action, price) {
		return o.Limit
	}
	return price
}

// price is the price at which an order fills.
func (r Rules) price(o Order, q market.Quote) (decimal.Decimal, error) {
	price := r.fillsAt(o, q.Price)
	if o.Action == Sell && q.Price.IsPositive() && !price.IsPositive() {
		return price, &Refusal{
			code.InvalidArgument,
			fmt.Sprintf("%s cannot be sold: the account's slippage of %s takes all of its price of %s.", o.Symbol, r.slippage, q.Price),
			map[string]any{"symbol": o.Symbol, "price": q.Price},
		}
	}
	return price, nil
}

// charge is what an order pays that fills at a price. The error is a *[market.FeeUnknownError].
func (r Rules) charge(o Order, at market.Stamp, price decimal.Decimal) (market.Charge, error) {
	fees := r.costs.Fees()
	if fees == nil {
		return market.Charge{}, nil
	}
	return fees.Charge(market.Deal{Symbol: o.Symbol, Side: o.Action.side(), Date: at, Price: price, Amount: o.Amount})
}

// paid is what the fees of a record took of the cash. What they took in kind is part of them at the price.
func (r Record) paid() decimal.Decimal {
	if r.InKind.IsZero() {
		return r.Fees
	}
	return r.Fees.Sub(r.InKind.Mul(r.Price.Decimal))
}

// fill completes a record of an order that fills at a price: its fees, and the positions after it.
func (rec *Record) fill(book Book, price decimal.Decimal, c market.Charge, r Rules) {
	rec.Price = decimal.NewNullDecimal(price)
	rec.Fees, rec.FeeItems, rec.InKind = c.Total, c.Items, c.InKind
	held, cash, value := book.Positions.Amount(rec.Symbol), book.Cash().Sub(rec.paid()), price.Mul(rec.Amount)
	if rec.Action == Buy {
		held, cash = held.Add(rec.Amount).Sub(c.InKind), cash.Sub(value)
	} else {
		held, cash = held.Sub(rec.Amount), cash.Add(value)
	}
	rec.Positions = book.Positions.with(r.rounded(Position{rec.Symbol, held}), r.rounded(Position{Cash, cash}))
}

// Affordable is the largest amount that cash buys at a quote, with what it costs. It is not bounded where the price or the
// lot is 0, nor where a fee is unknown.
func (r Rules) Affordable(cash decimal.Decimal, q market.Quote) (most decimal.Decimal, bounded bool) {
	return r.affordableAt(cash, q, r.slippage.Fill(market.BuySide, q.Price))
}

// affordableAt is Affordable at a price that has its slippage.
func (r Rules) affordableAt(cash decimal.Decimal, q market.Quote, price decimal.Decimal) (most decimal.Decimal, bounded bool) {
	unit := r.unit(q.Symbol, q.At)
	if !price.Mul(unit.Step).IsPositive() {
		return decimal.Zero, false
	}
	steps, _ := cash.QuoRem(price.Mul(unit.Step), 0)
	most = unit.Floor(steps.Mul(unit.Step))
	if r.costs.Fees() != nil && most.IsPositive() {
		if most, bounded = r.payable(cash, q.Symbol, q.At, price, unit, most); !bounded {
			return decimal.Zero, false
		}
	}
	if q.Price.Mul(most).LessThan(unit.LeastValue) {
		most = decimal.Zero
	}
	return most, true
}

// payable is the largest amount up to another that cash pays with its fees. It reports false where a fee is unknown.
func (r Rules) payable(cash decimal.Decimal, symbol string, at market.Stamp, price decimal.Decimal, unit market.Unit, most decimal.Decimal) (amount decimal.Decimal, known bool) {
	known = true
	amount = largest(unit, most, func(amount decimal.Decimal) bool {
		c, err := r.charge(Order{Action: Buy, Symbol: symbol, Amount: amount}, at, price)
		rec := Record{Price: decimal.NewNullDecimal(price), Fees: c.Total, InKind: c.InKind}
		known = known && err == nil
		return known && !price.Mul(amount).Add(rec.paid()).GreaterThan(cash)
	})
	return amount, known
}

// largest is the largest amount up to another that fits, 0 if none does. What is more than an amount that does not fit must not fit.
func largest(unit market.Unit, most decimal.Decimal, fits func(decimal.Decimal) bool) decimal.Decimal {
	amount := func(steps decimal.Decimal) decimal.Decimal { // of so many steps above the least, less one
		if !steps.IsPositive() {
			return decimal.Zero
		}
		return unit.Least.Add(steps.Sub(one).Mul(unit.Step))
	}
	above, _ := most.Sub(unit.Least).QuoRem(unit.Step, 0)
	low, high := decimal.Zero, above.Add(one) // low fits
	for low.LessThan(high) {
		middle, _ := low.Add(high).Add(one).QuoRem(decimal.NewFromInt(2), 0)
		if fits(amount(middle)) {
			low = middle
		} else {
			high = middle.Sub(one)
		}
	}
	return amount(low)
}
