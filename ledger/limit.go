// The limits that an operator can set: a table with a row for each. Nothing is sold short, so each sale reduces what an account risks:
// a limit judges purchases, and lets sales pass. But for times in which nothing is traded, which end by themselves.

package ledger

import (
	"fmt"
	"slices"
	"strings"

	"mcp-trade/decimal"
	"mcp-trade/market"
)

// limitRow is a row of the table.
type limitRow struct {
	key   string
	unit  limitUnit
	says  string // what it asks
	sales bool   // it judges them too

	would func(trial) decimal.NullDecimal          // what the trade makes, which the bound is for; null where it is not known
	of    func(trial) decimal.NullDecimal          // what a part is a part of; nil: nothing
	least bool                                     // the bound is the least that is allowed, else the most
	small bool                                     // what is too little breaks it, so that more may fit
	once  bool                                     // it judges an order when it is given, and no fill of one that waited
	stops bool                                     // what reaches the most is too much
	names func(l Limits, key string, t trial) bool // of a limit without a number: whether the trade breaks it
}

// limitUnit is what the value of a limit is.
type limitUnit string

const (
	inMoney  limitUnit = "money or a part of equity"
	inPart   limitUnit = "a part of equity"
	ofDay    limitUnit = "money or a part of equity before the day"
	ofPeak   limitUnit = "a part of the highest equity"
	inShares limitUnit = "shares"
	counted  limitUnit = "a number"
	symbols  limitUnit = "symbols"
	windows  limitUnit = "times"
)

// limitTable is the table, in the order in which the limits are asked. No function that stands in it may read it, or Go could not build it.
var limitTable = [...]limitRow{
	{key: "no_trade", unit: windows, sales: true, names: inWindow, says: "Nothing is bought or sold from a day or moment to another, or between two hours of each day."},
	{key: "allowed_symbols", unit: symbols, names: notAllowed, says: "Only these symbols are bought."},
	{key: "barred_symbols", unit: symbols, names: barred, says: "These symbols are not bought."},
	{key: "max_loss_a_day", unit: ofDay, stops: true, would: trial.loss, of: trial.dayStart, says: "Once the equity is so far below that of the day before, nothing is bought on the day."},
	{key: "max_drawdown", unit: ofPeak, stops: true, would: trial.drawdown, of: trial.peak, says: "While the equity is so far below its highest, nothing is bought."},
	{key: "max_orders_a_day", unit: counted, once: true, would: trial.orders, says: "After so many orders on a day, sales among them, nothing is bought on it."},
	{key: "max_positions", unit: counted, would: trial.positions, says: "After a purchase so many symbols are held at most."},
	{key: "min_order_value", unit: inMoney, least: true, small: true, once: true, would: trial.value, of: trial.equity, says: "A purchase is worth at least so much."},
	{key: "max_order_value", unit: inMoney, would: trial.value, of: trial.equity, says: "A purchase is worth at most so much."},
	{key: "max_order_quantity", unit: inShares, would: trial.amount, says: "A purchase is of at most so many shares."},
	{key: "max_symbol_share", unit: inPart, would: trial.ofSymbol, of: trial.equity, says: "After a purchase its symbol is at most so much of the equity."},
	{key: "max_holdings_share", unit: inPart, would: trial.holdings, of: trial.equity, says: "After a purchase all holdings are at most so much of the equity."},
	{key: "min_cash", unit: inMoney, least: true, would: trial.cash, of: trial.equity, says: "After a purchase so much cash is left at least."},
	{key: "max_turnover_a_day", unit: ofDay, would: trial.turnover, of: trial.dayStart, says: "Purchases and sales of a day come to so much money; what would go beyond is not bought."},
}

// trial is a trade that is held against limits: the record that it would make, and what is known of the account then.
type trial struct {
	rec   Record // with the state of the limits after it
	at    market.Stamp
	of    *market.Market
	worth Valuation // after it
}

func (t trial) equity() decimal.NullDecimal   { return t.worth.Total }
func (t trial) dayStart() decimal.NullDecimal { return t.rec.Limits.DayStart }
func (t trial) peak() decimal.NullDecimal     { return t.rec.Limits.Peak }
func (t trial) amount() decimal.NullDecimal   { return decimal.NewNullDecimal(t.rec.Amount) }
func (t trial) cash() decimal.NullDecimal     { return decimal.NewNullDecimal(t.rec.Cash()) }
func (t trial) turnover() decimal.NullDecimal { return decimal.NewNullDecimal(t.rec.Limits.Turnover) }
func (t trial) loss() decimal.NullDecimal     { return below(t.equity(), t.dayStart()) }
func (t trial) drawdown() decimal.NullDecimal { return below(t.equity(), t.peak()) }

func (t trial) value() decimal.NullDecimal {
	return decimal.NewNullDecimal(t.rec.Price.Decimal.Mul(t.rec.Amount))
}

func (t trial) orders() decimal.NullDecimal {
	return decimal.NewNullDecimal(decimal.NewFromInt(t.rec.Limits.Orders))
}

func (t trial) positions() decimal.NullDecimal {
	return decimal.NewNullDecimal(decimal.NewFromInt(int64(len(t.worth.Holdings))))
}

func (t trial) holdings() decimal.NullDecimal {
	if !t.worth.Total.Valid {
		return decimal.NullDecimal{}
	}
	return decimal.NewNullDecimal(t.worth.Total.Decimal.Sub(t.worth.Cash))
}

func (t trial) ofSymbol() decimal.NullDecimal {
	for _, h := range t.worth.Holdings {
		if h.Symbol == t.rec.Symbol {
			return h.Value
		}
	}
	return decimal.NewNullDecimal(decimal.Zero)
}

// below is how far one value is below another, 0 if it is above.
func below(now, then decimal.NullDecimal) decimal.NullDecimal {
	if !now.Valid || !then.Valid {
		return decimal.NullDecimal{}
	}
	if now.Decimal.GreaterThan(then.Decimal) {
		return decimal.NewNullDecimal(decimal.Zero)
	}
	return decimal.NewNullDecimal(then.Decimal.Sub(now.Decimal))
}

func inWindow(l Limits, key string, t trial) bool {
	return slices.ContainsFunc(l.windows[key], func(w Window) bool { return w.covers(t.at, t.of) })
}

func notAllowed(l Limits, key string, t trial) bool { return !barred(l, key, t) }

func barred(l Limits, key string, t trial) bool {
	return slices.ContainsFunc(l.symbols[key], func(symbol string) bool { return strings.EqualFold(symbol, t.rec.Symbol) })
}

// excess is a limit that a trade breaks.
type excess struct {
	*limitRow
	value   string // of the limit, as JSON
	would   string // what the trade would make of it, in the same unit, as JSON; null: not known, or no number
	unknown bool   // it cannot be judged
}

// excess returns the first limit that the trade breaks, nil if it breaks none. Of one that is too little it tells only if it is asked for.
func (l Limits) excess(t trial, small bool) *excess {
	for i := range limitTable {
		row := &limitTable[i]
		value := l.value(row.key)
		if value == "" || t.rec.sells() && !row.sales || row.small && !small || row.once && t.rec.Of != 0 {
			continue
		}
		if row.names != nil {
			if row.names(l, row.key, t) {
				return &excess{row, value, "null", false}
			}
			continue
		}
		if e := row.exceeded(l.bounds[row.key], t); e != nil {
			return e
		}
	}
	return nil
}

// exceeded holds a trade against a bound.
func (row *limitRow) exceeded(b Bound, t trial) *excess {
	would, whole := row.would(t), decimal.NewNullDecimal(decimal.Zero)
	if b.Part {
		whole = row.of(t)
	}
	if !would.Valid || !whole.Valid {
		return &excess{row, b.JSON(), "null", true}
	}
	most := b.of(whole.Decimal)
	over := would.Decimal.Cmp(most)
	if over == 0 && !row.stops || row.least && over > 0 || !row.least && over < 0 {
		return nil
	}
	text := would.Decimal.String()
	if b.Part {
		text = row.part(would.Decimal, whole.Decimal)
	}
	return &excess{row, b.JSON(), text, false}
}

// part writes what a trade makes as a part of a whole, rounded away from the bound, so that it is seen to break it.
func (row *limitRow) part(n, whole decimal.Decimal) string {
	if !whole.IsPositive() {
		return "null"
	}
	const places = 6
	part := n.DivRound(whole, places)
	if short := part.Mul(whole).Cmp(n); row.least && short > 0 {
		part = part.Sub(decimal.New(1, -places))
	} else if !row.least && short < 0 {
		part = part.Add(decimal.New(1, -places))
	}
	return `"` + percent(part) + `"`
}

// limitStands begins the sentences of limits.
const limitStands = "The operator's limit "

// sentence says which limit stands in the way.
func (e *excess) sentence(t trial) string {
	value, would := strings.Trim(e.value, `"`), strings.Trim(e.would, `"`)
	head := fmt.Sprintf("%s%s %s does not allow it: ", limitStands, e.key, value)
	says := strings.ToLower(e.says[:1]) + strings.TrimSuffix(e.says[1:], ".")
	switch {
	case e.unknown && len(t.worth.Unpriced) > 0:
		return fmt.Sprintf("%s%s, and without a price of %s the equity is not known.", head, says, strings.Join(t.worth.Unpriced, ", "))
	case e.unknown:
		return fmt.Sprintf("%s%s, and the equity before is not known.", head, says)
	case would == "null":
		return head + says + "."
	}
	return fmt.Sprintf("%s%s; the order would make it %s.", head, says, would)
}
