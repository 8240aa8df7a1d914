// Lots: which shares a sale sells, and their cost.

package report

import (
	"math"

	"mcp-trade/ledger"
	"mcp-trade/market"
)

// lot is the rest of a purchase that is still held.
type lot struct {
	date   market.Stamp
	amount float64
	cost   Number // of one share, with fees; null if it is not known
}

// lots are the shares held, by symbol, the first bought first.
type lots map[string][]lot

// tolerance is by how much amounts may differ: programs that compute in binary floats round to 4 decimals.
const tolerance = 1e-4

// seed adds the holdings that an account begins with. Their cost is unknown.
func (l lots) seed(book ledger.Positions, date market.Stamp) {
	for _, held := range book.Holdings() {
		l[held.Symbol] = []lot{{date, held.Amount.InexactFloat64(), Number{}}}
	}
}

// apply adds a trade. A sale of shares whose cost is known makes a round trip, and has a gain.
func (l lots) apply(t *Trade) (trip RoundTrip, closed bool) {
	if t.Action == "buy" {
		cost := Number{}
		if t.Value.known {
			cost = Known((t.Value.value + t.Fees - t.InKind*t.Price.value) / (t.Amount - t.InKind))
		}
		l[t.Symbol] = append(l[t.Symbol], lot{t.Date, t.Amount - t.InKind, cost})
		return RoundTrip{}, false
	}
	opened, cost := l.popFIFO(t.Symbol, t.Amount)
	if !cost.known || !t.Value.known {
		return RoundTrip{}, false
	}
	trip = RoundTrip{
		ID: t.ID, Opened: opened, Closed: t.Date, Symbol: t.Symbol, Amount: t.Amount,
		Cost: roundMoney(cost.value), Income: roundMoney(t.Value.value - t.Fees), Days: t.Date.DaysSince(opened),
	}
	trip.Gain = roundMoney(trip.Income - trip.Cost)
	trip.Return = Known(trip.Gain).Over(cost)
	t.Gain = Known(trip.Gain)
	return trip, true
}

// popFIFO removes shares, the first bought first. It returns the date of the oldest and the cost of all. The cost is unknown if that
// of any lot is, or if fewer shares are held.
func (l lots) popFIFO(symbol string, amount float64) (opened market.Stamp, cost Number) {
	held := l[symbol]
	cost = Known(0)
	if len(held) > 0 {
		opened = held[0].date
	}
	for amount > 0 && len(held) > 0 {
		part := min(amount, held[0].amount)
		cost = addCost(cost, held[0].cost, part)
		amount -= part
		if held[0].amount -= part; held[0].amount > 0 {
			break
		}
		held = held[1:]
	}
	if l[symbol] = held; len(held) == 0 {
		delete(l, symbol)
	}
	if amount > tolerance {
		return opened, Number{}
	}
	return opened, cost
}

// addCost adds the cost of an amount to a sum; it is unknown if either is.
func addCost(sum, cost Number, amount float64) Number {
	if !sum.known || !cost.known {
		return Number{}
	}
	return Known(sum.value + cost.value*amount)
}

// reconcile makes the lots match a book, and returns a symbol of which the book holds another amount, "" if all agree. They differ
// where a ledger has lost trades. Surplus shares leave the newest lots; missing shares become a lot of unknown cost.
func (l lots) reconcile(book ledger.Positions, date market.Stamp) (differs string) {
	holdings := book.Holdings()
	for _, held := range holdings {
		amount := held.Amount.InexactFloat64()
		over := l.amount(held.Symbol) - amount
		if math.Abs(over) > tolerance {
			differs = held.Symbol
		}
		switch {
		case over > 0:
			l.popLIFO(held.Symbol, over)
		case over < -tolerance:
			l[held.Symbol] = append(l[held.Symbol], lot{date, -over, Number{}})
		}
	}
	for symbol := range l {
		if book.Amount(symbol).IsZero() {
			if l.amount(symbol) > tolerance {
				differs = max(differs, symbol) // of several, the choice does not depend on map order
			}
			delete(l, symbol)
		}
	}
	return differs
}

// amount returns how much is held of a symbol.
func (l lots) amount(symbol string) float64 {
	total := 0.0
	for _, lot := range l[symbol] {
		total += lot.amount
	}
	return total
}

// popLIFO removes shares, the last bought first.
func (l lots) popLIFO(symbol string, amount float64) {
	held := l[symbol]
	for amount > 0 && len(held) > 0 {
		last := &held[len(held)-1]
		part := min(amount, last.amount)
		amount -= part
		if last.amount -= part; last.amount > 0 {
			break
		}
		held = held[:len(held)-1]
	}
	l[symbol] = held
}

// cost returns the cost of all shares held of a symbol.
func (l lots) cost(symbol string) Number {
	cost := Known(0)
	for _, lot := range l[symbol] {
		cost = addCost(cost, lot.cost, lot.amount)
	}
	cost.value = roundMoney(cost.value)
	return cost
}
