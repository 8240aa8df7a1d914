// Package ledger keeps the account: orders are judged against a book by pure arithmetic, and what they did is
// committed as one record through a store.
//
//	Order + Book + Quote + Rules  --Apply-->  Record  --Accounts.Submit-->  one line, durable, once
//
// A record holds the whole book after it, so the newest record is the account. Money and amounts are exact decimals.
// Nothing here knows the wall clock: the same orders on the same prices give the same bytes.
package ledger

import (
	"cmp"
	"slices"
	"strings"

	"mcp-trade/decimal"
	"mcp-trade/market"
	"mcp-trade/store"
)

// Cash is the position that holds money.
const Cash = "CASH"

// Action is what a record did.
type Action string

// The actions of this package. A ledger of AI-Trader may hold others that mean the same, see [store.Bought].
const (
	Register Action = ""         // opened the account: the first record
	Buy      Action = "buy"      // money for shares
	Sell     Action = "sell"     // shares for money
	NoTrade  Action = "no_trade" // a trading day without a trade
	Place    Action = "order"    // placed an order that waits
	Cancel   Action = "cancel"   // ended it as asked
	Expire   Action = "expire"   // ended it otherwise, see Why
	Dividend Action = "dividend" // money for each share held
	Split    Action = "split"    // other shares for those held
	Rename   Action = "rename"   // the same shares under another symbol
	Delist   Action = "delist"   // money for all that was held
)

// Status is what became of an order.
type Status string

// The statuses.
const (
	Filled  Status = "filled"  // it is in the ledger
	DryRun  Status = "dry_run" // it would have been filled
	Pending Status = "pending" // it waits

	Cancelled Status = "cancelled" // it waited, and was ended as asked
	Expired   Status = "expired"   // it waited, and was ended otherwise
)

// OrderStatus is what the record made of an order: one that placed it left it pending.
func (r Record) OrderStatus() Status {
	switch {
	case r.Traded():
		return Filled
	case r.Action == Place:
		return Pending
	case r.Action == Cancel:
		return Cancelled
	}
	return Expired
}

// Order asks for a trade: at the open of the current bar, unless its terms or the rules say otherwise.
type Order struct {
	ID     string // chosen by the caller to make repeating the order safe; may be ""
	Action Action // Buy or Sell
	Symbol string
	Amount decimal.Decimal // in shares
	Note   string          // kept with the record; may be ""

	// In place of the amount, see size.go.
	Value decimal.NullDecimal // money
	All   bool                // what can be sold

	Terms

	of int64 // the order that it cancels
}

// Position is how much of one thing an account holds: shares of a symbol, or money under the name [Cash].
type Position struct {
	Symbol string
	Amount decimal.Decimal
}

// Positions are listed in the order in which the account first named them.
type Positions []Position

// Amount returns how much is held of a symbol, zero if it was never named.
func (p Positions) Amount(symbol string) decimal.Decimal {
	for _, held := range p {
		if held.Symbol == symbol {
			return held.Amount
		}
	}
	return decimal.Zero
}

// Holdings returns the positions that hold something and are not cash, by symbol.
func (p Positions) Holdings() Positions {
	var holdings Positions
	for _, held := range p {
		if held.Symbol != Cash && !held.Amount.IsZero() {
			if holdings == nil {
				holdings = make(Positions, 0, len(p))
			}
			holdings = append(holdings, held)
		}
	}
	slices.SortFunc(holdings, func(a, b Position) int { return strings.Compare(a.Symbol, b.Symbol) })
	return holdings
}

// with returns a copy with the given positions in place of those of the same symbols.
func (p Positions) with(changes ...Position) Positions {
	changed := append(make(Positions, 0, len(p)+len(changes)), p...)
	for _, c := range changes {
		if i := slices.IndexFunc(changed, func(held Position) bool { return held.Symbol == c.Symbol }); i >= 0 {
			changed[i] = c
		} else {
			changed = append(changed, c)
		}
	}
	return changed
}

// BarFills are how much was bought and sold of symbols in a bar, by an account under a volume cap: all of it together is bounded.
type BarFills struct {
	Bar     market.Stamp
	Amounts Positions
}

// DayFills are those of the bars of a day, in the order of the first fills.
type DayFills []BarFills

// in is how much was filled of a symbol in a bar.
func (d DayFills) in(bar market.Stamp, symbol string) decimal.Decimal {
	for _, b := range d {
		if b.Bar == bar {
			return b.Amounts.Amount(symbol)
		}
	}
	return decimal.Zero
}

// with returns the fills and one more.
func (d DayFills) with(bar market.Stamp, symbol string, amount decimal.Decimal) DayFills {
	all := Position{symbol, d.in(bar, symbol).Add(amount)}
	d = slices.Clone(d)
	for i := range d {
		if d[i].Bar == bar {
			d[i].Amounts = d[i].Amounts.with(all)
			return d
		}
	}
	return append(d, BarFills{bar, Positions{all}})
}

// Book is an account after one of its records.
type Book struct {
	Date      market.Stamp // of the record
	ID        int64        // of the record
	Positions Positions
	Line      []byte // the record's line
	Hash      string // of the record's line; the next record carries it
	Rules     string // of the record

	Bought Positions   // what was bought on the day of the record, in a market in which it cannot be sold on that day
	Filled DayFills    // in the bars of that day, in an account under a volume cap
	Orders OpenOrders  // that wait
	Limits *LimitState // nil: no record so far was made under limits

	newest moment // of the record
}

// boughtOn is what was bought on the day of a stamp.
func (b Book) boughtOn(at market.Stamp) Positions {
	if cmp.Or(b.newest.at, b.Date).Day() != at.Day() {
		return nil
	}
	return b.Bought
}

// filledOn are the fills of the day of a stamp.
func (b Book) filledOn(at market.Stamp) DayFills {
	if cmp.Or(b.newest.at, b.Date).Day() != at.Day() {
		return nil
	}
	return b.Filled
}

// free is how much of a symbol, or of [Cash], no open order keeps from others.
func (b Book) free(symbol string) decimal.Decimal {
	held := b.Positions.Amount(symbol)
	if len(b.Orders) == 0 {
		return held
	}
	return held.Sub(b.Orders.kept(symbol))
}

// Cash returns the money in the book.
func (b Book) Cash() decimal.Decimal { return b.Positions.Amount(Cash) }

// Record is one line of a ledger: what was done, and the whole book after it.
type Record struct {
	Date      market.Stamp
	ID        int64 // 0 for the first record, then consecutive
	Action    Action
	Symbol    string              // "" unless traded
	Amount    decimal.Decimal     // in shares, 0 unless traded
	Price     decimal.NullDecimal // of one share; ledgers of other programs may not state it
	Positions Positions
	Bought    Positions // on the day of the record, where it cannot be sold on that day; so the newest record is the whole account
	Filled    DayFills  // in the bars of the day of the record, in an account under a volume cap
	Orders    OpenOrders
	OrderID   string
	Fees      decimal.Decimal // in all, in money
	FeeItems  market.FeeItems // what they are
	InKind    decimal.Decimal // how much of what was bought they took; Fees has its value at the price
	Prev      string          // SHA-256, in hex, of the line before; "" in the first record and in records of other programs
	Note      string
	Rules     string // the JSON of the rules from this record on, see [ParseRules]; "" where they do not change

	Limits *LimitState // what they count; nil: no record so far was made under limits

	Of    int64        // the record that placed the order which this one fills, cancels or ends; 0: none
	At    market.Stamp // the bar in which that happened, where the date of the record is not that of an open
	Why   string       // the order ended
	Side  Action       // of an order that is placed, cancelled or ended
	Terms              // of an order that is placed

	Ratio  market.Ratio    // of a split
	To     string          // the new symbol of a rename
	Income decimal.Decimal // money that a corporate action paid; Amount is what was held, Price the money for one share

	Unverified int64 // how many records before this one were imported unverified; 0 in all records but the mark of an import

	delta delta // from the record before, where a [Reader] read both
}

// Traded tells whether the record bought or sold something.
func (r Record) Traded() bool { return r.Buys() || r.sells() }

// Asked tells whether the record did what the account was told to: traded, placed an order or cancelled one. What was due did the rest.
func (r Record) Asked() bool {
	return r.Traded() && r.Of == 0 || r.Action == Place || r.Action == Cancel
}

// IsAction tells whether the record is a corporate action.
func (r Record) IsAction() bool { return actionOrder(r.Action) >= 0 }

// Due tells whether the record is an event, see event.go.
func (r Record) Due() bool { return r.Of != 0 && r.Action != Cancel || r.IsAction() }

// On is when it happened: in the bar of an earlier stamp where it is known only from the date on.
func (r Record) On() market.Stamp { return cmp.Or(r.At, r.Date) }

// Buys tells whether the record bought something.
func (r Record) Buys() bool  { return store.Bought(string(r.Action)) }
func (r Record) sells() bool { return store.Sold(string(r.Action)) }

// Cash returns the money left after the record.
func (r Record) Cash() decimal.Decimal { return r.Positions.Amount(Cash) }
