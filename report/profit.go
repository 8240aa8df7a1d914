// What each symbol added to the value of an account, and what its trades cost. Both are sums of exact decimals.

package report

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"mcp-trade/decimal"
	"mcp-trade/ledger"
)

// SymbolProfit is what a symbol added to the value of an account in the range. The gains of all symbols, and Account.Unexplained, are the
// value at close less that at opening.
type SymbolProfit struct {
	Symbol     string  `json:"symbol"` // the newest name of a share that was renamed; "other" for all beyond the 100 of the largest gains and losses
	Trades     int     `json:"trades"`
	Bought     float64 `json:"bought"` // value of the purchases
	Sold       float64 `json:"sold"`   // of the sales, and what a delisting or a split paid out
	Fees       float64 `json:"fees"`   // part of the gain
	Slippage   Number  `json:"slippage"`
	Dividends  float64 `json:"dividends"`
	Realized   Number  `json:"realized"`   // gains of closed trades, after fees; null if the cost of any is not known
	Unrealized Number  `json:"unrealized"` // the gain less what was realized and the dividends: what holdings gained over their cost in the range
	Gain       Number  `json:"gain"`       // value at close and what it brought, less value at opening and what it took, fees included
	Weight     float64 `json:"weight"`     // mean fraction of the account's value
}

// CostItem is a part of what the trades of an account cost in the range.
type CostItem struct {
	Name     string `json:"name"`      // of a fee, as the ledger says; or one of the constants
	Paid     Number `json:"paid"`      // slippage is below 0 if prices were better than the opens
	OfTraded Number `json:"of_traded"` // as a fraction of the value of all trades
}

// What costs are called that are no fee of the ledger's.
const (
	OtherFees      = "fees without a name"
	SlippageToOpen = "slippage against the open"
)

// maxSymbols bounds the symbols whose gains are told apart.
const maxSymbols = 100

// fill is what a trade comes to in money.
type fill struct {
	buys                   bool
	price, value, slippage decimal.NullDecimal
	fees, cashFees         decimal.Decimal // all, and those that were not taken of what was bought
}

// fill computes what the trade of a row comes to.
func (r *reader) fill(symbol string, rec ledger.Record) fill {
	f := fill{buys: rec.Buys(), price: rec.Price, fees: rec.Fees, cashFees: rec.Fees}
	open := r.openPrice(symbol, rec)
	if !f.price.Valid {
		f.price = open
	}
	if !f.price.Valid {
		return f
	}
	f.value = decimal.NewNullDecimal(f.price.Decimal.Mul(rec.Amount))
	f.cashFees = rec.Fees.Sub(rec.InKind.Mul(f.price.Decimal))
	if open.Valid {
		beyond := f.price.Decimal.Sub(open.Decimal).Mul(rec.Amount)
		if !f.buys {
			beyond = beyond.Neg()
		}
		f.slippage = decimal.NewNullDecimal(beyond)
	}
	return f
}

// tally sums up trades.
type tally struct {
	trades                 int
	traded, fees, slippage decimal.Decimal
	unslipped              bool // the slippage of a trade is not known
}

func (t *tally) add(f fill) {
	t.trades++
	t.traded = t.traded.Add(f.value.Decimal)
	t.fees = t.fees.Add(f.fees)
	t.slippage = t.slippage.Add(f.slippage.Decimal)
	t.unslipped = t.unslipped || !f.slippage.Valid
}

func (t *tally) plus(o tally) {
	t.trades += o.trades
	t.traded, t.fees, t.slippage = t.traded.Add(o.traded), t.fees.Add(o.fees), t.slippage.Add(o.slippage)
	t.unslipped = t.unslipped || o.unslipped
}

// slipped is the slippage.
func (t tally) slipped() Number {
	return moneyOf(decimal.NullDecimal{Decimal: t.slippage, Valid: !t.unslipped})
}

// total sums up all days.
func (h history) total() tally {
	var t tally
	for _, d := range h.days {
		t.plus(d.tally)
	}
	return t
}

// flow sums up the trades and corporate actions of a symbol.
type flow struct {
	tally
	bought, sold, dividends, paid decimal.Decimal // paid is the cash that it took, less what it brought
	realized                      float64
	unpriced, uncosted            bool // a trade has no price; shares of unknown cost were sold
}

func (h *history) flow(symbol string) *flow {
	f := h.flows[symbol]
	if f == nil {
		f = &flow{}
		h.flows[symbol] = f
	}
	return f
}

func (f *flow) trade(x fill) {
	f.add(x)
	f.unpriced = f.unpriced || !x.price.Valid
	if x.buys {
		f.bought, f.paid = f.bought.Add(x.value.Decimal), f.paid.Add(x.value.Decimal).Add(x.cashFees)
	} else {
		f.sold, f.paid = f.sold.Add(x.value.Decimal), f.paid.Sub(x.value.Decimal).Add(x.cashFees)
	}
}

// close adds a trade that was closed, or notes that its gain is not known.
func (f *flow) close(trip RoundTrip, known bool) {
	f.realized += trip.Gain
	f.uncosted = f.uncosted || !known
}

// rename moves what a symbol did to its new name.
func (h *history) rename(from, to string) {
	old, now := h.flow(from), h.flow(to)
	now.plus(old.tally)
	now.bought, now.sold, now.dividends, now.paid = now.bought.Add(old.bought), now.sold.Add(old.sold), now.dividends.Add(old.dividends), now.paid.Add(old.paid)
	now.realized += old.realized
	now.unpriced, now.uncosted = now.unpriced || old.unpriced, now.uncosted || old.uncosted
	delete(h.flows, from)
	for first, last := range h.renamed {
		if last == from {
			h.renamed[first] = to
		}
	}
	h.renamed[from] = to
}

// profits fills in what each symbol added between the opening and the last period.
func (v *valuer) profits(a *Account, opening ledger.Valuation) {
	a.Symbols = []SymbolProfit{}
	if len(v.periods) == 0 {
		return
	}
	before, after := map[string]decimal.NullDecimal{}, map[string]decimal.NullDecimal{}
	for _, held := range opening.Holdings {
		symbol := cmp.Or(v.h.renamed[held.Symbol], held.Symbol)
		v.h.flow(symbol)
		before[symbol] = held.Value
	}
	for _, held := range v.last.Holdings {
		v.h.flow(held.Symbol)
		after[held.Symbol] = held.Value
	}
	left := decimal.NullDecimal{Decimal: v.last.Total.Decimal.Sub(opening.Total.Decimal), Valid: v.last.Total.Valid && opening.Total.Valid}
	weights := v.weightSums()
	for symbol, f := range v.h.flows {
		was, held := before[symbol]
		is, holds := after[symbol]
		gain := decimal.NullDecimal{
			Decimal: is.Decimal.Sub(was.Decimal).Sub(f.paid), Valid: (was.Valid || !held) && (is.Valid || !holds) && !f.unpriced,
		}
		left.Decimal, left.Valid = left.Decimal.Sub(gain.Decimal), left.Valid && gain.Valid
		a.Symbols = append(a.Symbols, f.profit(symbol, gain, weights[symbol]/float64(len(v.periods))))
	}
	a.Unexplained = moneyOf(left)
	a.boundSymbols()
}

// profit is what is told of a flow.
func (f *flow) profit(symbol string, gain decimal.NullDecimal, weight float64) SymbolProfit {
	p := SymbolProfit{
		Symbol: symbol, Trades: f.trades, Bought: money(f.bought), Sold: money(f.sold), Fees: money(f.fees), Slippage: f.slipped(),
		Dividends: money(f.dividends), Gain: moneyOf(gain), Weight: weight,
	}
	if !f.uncosted && !f.unpriced {
		p.Realized = Known(roundMoney(f.realized))
	}
	if p.Realized.known && p.Gain.known {
		p.Unrealized = Known(roundMoney(p.Gain.value - p.Realized.value - p.Dividends))
	}
	return p
}

// boundSymbols orders the symbols, the highest gain first and those without a known one last, and puts together the ones that matter least.
func (a *Account) boundSymbols() {
	by := func(key func(SymbolProfit) float64) func(x, y SymbolProfit) int {
		return func(x, y SymbolProfit) int {
			return cmp.Or(cmp.Compare(key(y), key(x)), strings.Compare(x.Symbol, y.Symbol))
		}
	}
	slices.SortFunc(a.Symbols, by(func(p SymbolProfit) float64 { return math.Abs(p.Gain.value) }))
	if len(a.Symbols) > maxSymbols {
		other := SymbolProfit{Symbol: "other", Slippage: Known(0), Realized: Known(0), Unrealized: Known(0), Gain: Known(0)}
		for _, p := range a.Symbols[maxSymbols:] {
			other.add(p)
		}
		a.Symbols = append(a.Symbols[:maxSymbols], other)
	}
	slices.SortStableFunc(a.Symbols, by(func(p SymbolProfit) float64 {
		if !p.Gain.known {
			return math.Inf(-1)
		}
		return p.Gain.value
	}))
}

func (p *SymbolProfit) add(o SymbolProfit) {
	sum := func(a, b Number) Number {
		if !a.known || !b.known {
			return Number{}
		}
		return Known(roundMoney(a.value + b.value))
	}
	p.Trades += o.Trades
	p.Bought, p.Sold, p.Fees = roundMoney(p.Bought+o.Bought), roundMoney(p.Sold+o.Sold), roundMoney(p.Fees+o.Fees)
	p.Dividends, p.Weight = roundMoney(p.Dividends+o.Dividends), p.Weight+o.Weight
	p.Slippage, p.Realized, p.Unrealized, p.Gain = sum(p.Slippage, o.Slippage), sum(p.Realized, o.Realized), sum(p.Unrealized, o.Unrealized), sum(p.Gain, o.Gain)
}

// costItems lists what the trades cost.
func (h history) costItems() []CostItem {
	all, items := h.total(), []CostItem{}
	add := func(name string, paid Number) {
		items = append(items, CostItem{name, paid, paid.Over(Known(money(all.traded)))})
	}
	rest := all.fees
	for _, item := range h.feeItems {
		add(item.Name, Known(money(item.Paid)))
		rest = rest.Sub(item.Paid)
	}
	if !rest.IsZero() {
		add(OtherFees, Known(money(rest)))
	}
	if all.trades > 0 {
		add(SlippageToOpen, all.slipped())
	}
	return items
}
