// Valuing a book: one rule for every caller.
//
// After a day, a holding counts at its last known close up to that day: so do run, report, page and the end of a model's day.
// Inside a day it counts at the open of the bar that has begun, and without such a bar at its last known close: so do
// get_portfolio and the briefing. A close is stale by the trading days of the market that came after it and brought the symbol
// none; a symbol that ended keeps its last close. A holding that never had a price is unknown, and with it the total.

package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"mcp-trade/decimal"
	"mcp-trade/internal/clip"
	"mcp-trade/market"
)

// Valuation is a book at the prices of one moment.
type Valuation struct {
	Cash     decimal.Decimal
	Holdings []ValuedPosition    // by symbol
	Total    decimal.NullDecimal // cash and holdings; unknown if a holding has no price, since unknown is not zero
	Unpriced []string            // those holdings
}

// ValuedPosition is a holding and what it is worth.
type ValuedPosition struct {
	Position
	Price     decimal.NullDecimal // of one share
	At        market.Stamp        // of the bar that the price is of
	Open      bool                // the price is the open of that bar, else its close
	StaleDays int                 // trading days of the market since the price
	Value     decimal.NullDecimal
}

// StaleClose is a holding that counts at a close of an earlier trading day.
type StaleClose struct {
	Symbol string       `json:"symbol"`
	Date   market.Stamp `json:"date"` // of the close
	Days   int          `json:"days"` // trading days of the market since then
}

// Age is the date of the close and how old it is: "2025-10-06 (7 trading days old)".
func (s StaleClose) Age() string {
	if s.Days == 1 {
		return fmt.Sprintf("%s (1 trading day old)", s.Date)
	}
	return fmt.Sprintf("%s (%d trading days old)", s.Date, s.Days)
}

// StaleCloses are those of a book.
type StaleCloses []StaleClose

// Oldest returns the one with the earliest date, nil if there is none.
func (s StaleCloses) Oldest() *StaleClose {
	if len(s) == 0 {
		return nil
	}
	oldest := slices.MinFunc(s, byAge)
	return &oldest
}

func byAge(a, b StaleClose) int {
	return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(b.Days, a.Days), cmp.Compare(a.Symbol, b.Symbol))
}

// String names the oldest of them: "DEAD of 2025-10-06 (7 trading days old); AMD, CRWD, MRVL and 2 more of 2025-10-14 (1
// trading day old)".
func (s StaleCloses) String() string {
	const told = 3 // ages, and symbols of each
	sorted := slices.SortedFunc(slices.Values(s), byAge)
	var groups []string
	for i := 0; i < len(sorted); {
		first := i
		var symbols []string
		for ; i < len(sorted) && sorted[i].Age() == sorted[first].Age(); i++ {
			symbols = append(symbols, sorted[i].Symbol)
		}
		if len(groups) == told {
			return fmt.Sprintf("%s; and %d more", strings.Join(groups, "; "), len(sorted)-first)
		}
		groups = append(groups, clip.List(symbols, told, ", ")+" of "+sorted[first].Age())
	}
	return strings.Join(groups, "; ")
}

// Stale lists the holdings that count at a close of an earlier trading day, by symbol.
func (v Valuation) Stale() StaleCloses {
	stale := StaleCloses{}
	for _, h := range v.Holdings {
		if h.StaleDays > 0 {
			stale = append(stale, StaleClose{h.Symbol, h.At.Day(), h.StaleDays})
		}
	}
	return stale
}

// AtClose values a book after a day that is over as of the view. Its errors are those of reading prices.
func (p Positions) AtClose(v market.View, day market.Stamp) (Valuation, error) {
	return p.value(v, day, func(symbol string) (ValuedPosition, error) {
		price, at, err := v.LastCloseBy(symbol, day)
		return ValuedPosition{Price: decimal.NewNullDecimal(price), At: at}, err
	})
}

// InDay values a book inside the day of the view. Its errors are those of reading prices.
func (p Positions) InDay(v market.View) (Valuation, error) {
	return p.value(v, v.AsOf(), func(symbol string) (ValuedPosition, error) {
		if price, err := v.OpenPrice(symbol); err == nil {
			return ValuedPosition{Price: decimal.NewNullDecimal(price), At: v.AsOf(), Open: true}, nil
		}
		price, at, err := v.LastClose(symbol)
		return ValuedPosition{Price: decimal.NewNullDecimal(price), At: at}, err
	})
}

// value values a book. priceOf returns the price of a symbol, or an error if none is known.
func (p Positions) value(v market.View, day market.Stamp, priceOf func(symbol string) (ValuedPosition, error)) (Valuation, error) {
	worth := Valuation{Cash: p.Amount(Cash), Unpriced: []string{}}
	total := worth.Cash
	holdings := p.Holdings()
	worth.Holdings = slices.Grow(worth.Holdings, len(holdings))
	for _, held := range holdings {
		h, err := priceOf(held.Symbol)
		if err != nil {
			worth.Holdings = append(worth.Holdings, ValuedPosition{Position: held})
			worth.Unpriced = append(worth.Unpriced, held.Symbol)
			continue
		}
		if h.StaleDays, err = v.DaysAfter(market.Of(held.Symbol).ID, h.At, day); err != nil {
			return Valuation{}, err
		}
		h.Position, h.Value = held, decimal.NewNullDecimal(h.Price.Decimal.Mul(held.Amount))
		total = total.Add(h.Value.Decimal)
		worth.Holdings = append(worth.Holdings, h)
	}
	if len(worth.Unpriced) == 0 {
		worth.Total = decimal.NewNullDecimal(total)
	}
	return worth, nil
}
