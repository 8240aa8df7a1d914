// Chinese A-shares: lots, T+1 and price limits. The numbers, their dates and sources are in market/cn.go.

package ledger

import (
	"fmt"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/market"
)

// cnLots refuses an amount that the share's board does not trade. A rest that is less than the least purchase is sold whole, alone or
// with whole lots.
func cnLots(a Attempt) error {
	amount, unit := a.Order.Amount, a.Rules.unit(a.Quote.Symbol, a.Quote.At)
	if a.Rules.other[lotsKey] == strict100 {
		if amount.Mod(hundred).IsZero() {
			return nil
		}
		return a.wrongLots("Chinese A-shares must be traded in multiples of 100 shares (1 lot = 100 shares).", a.roundLots(hundred, hundred))
	}
	if largest := a.largest(unit); largest.IsPositive() && amount.GreaterThan(largest) {
		return a.wrongLots(fmt.Sprintf("An order of %s has at most %s shares.", a.Order.Symbol, largest), []decimal.Decimal{largest})
	}
	inLots := !amount.LessThan(unit.Least) && amount.Sub(unit.Least).Mod(unit.Step).IsZero()
	if a.Order.Action == Sell {
		can := a.sellable()
		rest := can.Mod(unit.Step)
		if unit.Step.Equal(one) { // one by one from the least on, and less only as all there is
			inLots = inLots || amount.Equal(can)
		} else {
			inLots = inLots || rest.IsPositive() && amount.Mod(unit.Step).Equal(rest)
		}
		inLots = inLots || amount.GreaterThan(a.Book.free(a.Order.Symbol)) // which is told as such
	}
	switch {
	case inLots:
		return nil
	case unit.Step.Equal(one):
		return a.wrongLots(fmt.Sprintf("%s is traded from %s shares on, one by one; fewer are only sold as all that is held.", a.Order.Symbol, unit.Least), []decimal.Decimal{unit.Least})
	}
	return a.wrongLots("Chinese A-shares must be traded in multiples of 100 shares (1 lot = 100 shares).", a.roundLots(unit.Step, unit.Least))
}

// largest is the most that an order of its type may have; 0: any.
func (a Attempt) largest(unit market.Unit) decimal.Decimal {
	if a.Order.Type == LimitOrder && unit.AtLimit.IsPositive() {
		return unit.AtLimit
	}
	return unit.Largest
}

// wrongLots is the refusal of an amount, with those that come near.
func (a Attempt) wrongLots(rule string, nearest []decimal.Decimal) error {
	return &Refusal{
		code.LotSize, fmt.Sprintf("%s You tried to %s %s shares.", rule, a.Order.Action, a.Order.Amount),
		map[string]any{"symbol": a.Order.Symbol, "amount": a.Order.Amount, "minimum": a.Rules.unit(a.Quote.Symbol, a.Quote.At).Least, "nearest_lots": nearest},
	}
}

// roundLots are the multiples of a lot below and above the amount; and of a sale, all that can be sold.
func (a Attempt) roundLots(lot, least decimal.Decimal) []decimal.Decimal {
	below := a.Order.Amount.Sub(a.Order.Amount.Mod(lot))
	var nearest []decimal.Decimal
	if !below.LessThan(least) {
		nearest = append(nearest, below)
	}
	return append(nearest, below.Add(lot))
}

// boughtToday is how much of the order's symbol was bought on the day of the order, by the exchange's day.
func (a Attempt) boughtToday() decimal.Decimal {
	return a.Book.boughtOn(a.Quote.At).Amount(a.Order.Symbol)
}

// sellable is how much of the order's symbol can be sold today.
func (a Attempt) sellable() decimal.Decimal {
	held := a.Book.Positions.Amount(a.Order.Symbol)
	if a.Rules.KeepsBought() {
		held = held.Sub(a.boughtToday())
	}
	return decimal.Min(held, a.Book.free(a.Order.Symbol))
}

// sellableAtOnce is how much of it one order can sell, whatever its lots.
func (a Attempt) sellableAtOnce() decimal.Decimal {
	if largest := a.largest(a.Rules.unit(a.Quote.Symbol, a.Quote.At)); largest.IsPositive() {
		return decimal.Min(a.sellable(), largest)
	}
	return a.sellable()
}

// cnTPlus refuses to sell on a day what was bought on it (SZSE since 1995-01-01, rule 3.1.4). The proceeds of a sale buy at once. How much
// can be sold is for all rules to say: [Apply] adds it.
func cnTPlus(a Attempt) error {
	can, held := a.sellable(), a.Book.Positions.Amount(a.Order.Symbol)
	if a.Order.Action != Sell || !a.Order.Amount.GreaterThan(can) || a.Order.Amount.GreaterThan(a.Book.free(a.Order.Symbol)) {
		return nil
	}
	return &Refusal{
		code.TPlus1,
		fmt.Sprintf("T+1 restriction violated! You bought %s shares of %s today and cannot sell them until tomorrow.", a.boughtToday(), a.Order.Symbol),
		map[string]any{
			"symbol": a.Order.Symbol, "date": a.Quote.At, "have": held, "want_to_sell": a.Order.Amount, "sellable_today": can,
		},
	}
}

// cnPriceLimits refuses to buy a share that opens at its upper limit, and to sell one that opens at its lower one: there is nobody on the
// other side. A share without a previous close has no limit that could be told.
func cnPriceLimits(a Attempt) error {
	if a.Rules.other[limitsKey] == noLimits || !a.Quote.PreviousClose.Valid || a.Rules.Market.Limits == nil {
		return nil
	}
	down, up, known := a.Rules.Market.Limits(a.Quote.Symbol, a.Quote.At, a.Quote.PreviousClose.Decimal, a.Quote.Status)
	refuse := func(which, nobody string, limit decimal.Decimal) error {
		return &Refusal{
			code.PriceLimit,
			fmt.Sprintf("%s is at its %s limit of the day, %s, where nobody %s. Try again at a later bar.", a.Order.Symbol, which, limit, nobody),
			map[string]any{
				"symbol": a.Order.Symbol, "date": a.Quote.At, "price": a.Quote.Price, "lower_limit": down, "upper_limit": up, "previous_close": a.Quote.PreviousClose.Decimal,
			},
		}
	}
	switch {
	case !known:
		return nil
	case a.Order.Action == Buy && !a.Quote.Price.LessThan(up):
		return refuse("upper", "sells", up)
	case a.Order.Action == Sell && !a.Quote.Price.GreaterThan(down):
		return refuse("lower", "buys", down)
	}
	return nil
}
