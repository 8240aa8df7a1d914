// Reading a ledger once, row by row, and verifying it on the way.

package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// day sums up the records of a day.
type day struct {
	date market.Stamp     // of the day
	book ledger.Positions // the positions after its last row, in the row's order
	tally
}

// history sums up a ledger.
type history struct {
	market           market.ID // of the first symbol traded or held, "" if there is none
	first, last      market.Stamp
	rows             int
	openingBook      ledger.Positions // held after the first row
	rowsAfterRange   bool             // there are rows after the range
	tradesOnFirstDay bool             // there are more trades on the first day than the first row
	days             []day            // ascending
	trades           lastN[Trade]
	roundTrips       lastN[RoundTrip]
	tradeStats       tradeStats
	lots             lots
	rules            ledger.Rules // the newest
	costs, fills     string       // of them
	actions          []CorporateAction
	dividends        float64          // that they paid
	flows            map[string]*flow // of the trades and corporate actions in the range, by symbol
	renamed          map[string]string
	orders           Orders          // that waited
	feeItems         market.FeeItems // of the trades in the range
	warnings         warnings
	verified         ledger.Report // zero if ledgers are not verified
	byRow            byRow         // of the method that asks for it
}

// reader reads one ledger.
type reader struct {
	builder
	signature string
	verifier  *ledger.Verifier
	h         history
	days      map[market.Stamp]*day
	now       *day                           // the day being read
	line      []byte                         // its newest row
	books     ledger.Reader                  // of the newest rows of days
	opens     map[string]decimal.NullDecimal // of the date being read
	symbols   map[string]string
	date      market.Stamp
	types     map[int64]ledger.OrderType // of the orders that waited
}

// read reads a ledger.
func (b builder) read(l Ledger) (history, error) {
	v := ledger.NewVerifier(b.Prices, l.Anchors...)
	r := reader{builder: b, verifier: v, signature: l.Signature, days: map[market.Stamp]*day{}, opens: map[string]decimal.NullDecimal{}, symbols: map[string]string{}, types: map[int64]ledger.OrderType{}}
	r.h.fills, r.h.flows, r.h.renamed = ledger.FillsOpen, map[string]*flow{}, map[string]string{}
	r.h.trades.max, r.h.roundTrips.max, r.h.lots = b.Trades, b.Trades, lots{}
	var newest []byte // the newest line
	for line, err := range l.Lines {
		if err != nil {
			return history{}, fmt.Errorf("%s: %w", l.Signature, err)
		}
		rec, err := v.Row(line)
		if err == nil && rec.Date > b.View.AsOf() {
			break // neither this row nor what follows it exists yet
		}
		r.h.rows++
		if err != nil {
			r.h.warnings.add("unreadable", "Row %d cannot be read", r.h.rows-1)
			continue
		}
		if err := r.row(rec, line); err != nil {
			return history{}, err
		}
		if b.Method == AITraderLater && b.covers(rec.Date) && !b.before(rec.Date) {
			r.h.byRow.add(b.View, rec)
		}
		newest = append(newest[:0], line...)
	}
	if r.h.first == "" {
		return history{}, &NoLedgerError{l.Signature}
	}
	last, err := ledger.ParseBook(newest) // it was read before
	if err == nil {
		err = r.project(last)
	}
	if err != nil {
		return history{}, err
	}
	r.endDay()
	for _, date := range slices.Sorted(maps.Keys(r.days)) {
		r.h.days = append(r.h.days, *r.days[date])
	}
	if b.Prices != nil {
		r.h.verified = v.Report()
		for _, f := range l.Findings {
			r.h.verified.Add(f)
		}
	}
	return r.h, nil
}

// row adds a row, given with its line. Only the book after the last row of a day is needed, so endDay parses that line again. A fill
// counts on the day of its bar, which may have been over before it was known.
func (r *reader) row(rec ledger.Record, line []byte) error {
	rec.Date = rec.On()
	opening := r.h.first == ""
	if !opening && r.covers(rec.Date) {
		r.count(rec)
	}
	if rec.Due() && !rec.Traded() && !rec.IsAction() {
		return nil // the end of an order changes no book
	}
	if !opening && !r.covers(rec.Date) {
		r.h.rowsAfterRange = true
		return nil
	}
	if r.now == nil || r.now.date != rec.Date.Day() {
		r.endDay()
		if rec.Date.Day() < r.h.last.Day() {
			r.h.warnings.add("backwards", "Row %d is dated %s, after one of %s", r.h.rows-1, rec.Date, r.h.last)
		}
		r.beginDay(rec.Date.Day())
	}
	if rec.Date != r.date {
		r.date = rec.Date
		clear(r.opens)
	}
	r.line = append(r.line[:0], line...) // a line is valid until the next one
	r.h.last = max(r.h.last, rec.Date)
	if rules, err := ledger.ParseRules(rec.Rules); err == nil && rec.Rules != "" {
		r.h.rules = rules
		r.h.costs, r.h.fills = rules.CostsText(), rules.FillsText()
	}
	if opening {
		r.h.first = rec.Date
		r.h.openingBook = r.shownPositions(rec.Positions)
		r.h.lots.seed(r.h.openingBook, rec.Date)
		return nil // the account begins with the book after its first row
	}
	if rec.IsAction() {
		r.action(rec)
		return nil
	}
	return r.trade(rec)
}

// count counts what a row says of orders that wait.
func (r *reader) count(rec ledger.Record) {
	o := &r.h.orders
	if rec.Action == ledger.Place {
		r.types[rec.ID] = cmp.Or(rec.Type, ledger.MarketOrder)
	}
	o.Open = len(rec.Orders)
	if r.before(rec.Date) {
		return
	}
	switch {
	case rec.Action == ledger.Place:
		o.Placed++
	case rec.Action == ledger.Cancel:
		o.Cancelled++
	case rec.Action == ledger.Expire:
		o.Expired++
		if o.Reasons == nil {
			o.Reasons = map[string]int{}
		}
		why := plain(rec.Why)
		if _, known := o.Reasons[why]; !known && len(o.Reasons) >= maxReasons {
			why = "other reasons"
		}
		o.Reasons[why]++
	case rec.Traded() && rec.Of != 0:
		o.Filled++
	}
}

func (r *reader) beginDay(date market.Stamp) {
	if r.now = r.days[date]; r.now == nil {
		r.now = &day{date: date}
		r.days[date] = r.now
	}
}

// endDay keeps the book after the day's last row, and reconciles the lots with it.
func (r *reader) endDay() {
	if r.now == nil || len(r.line) == 0 {
		return
	}
	if last, err := r.books.Read(r.line); err == nil { // no error: the line was read before
		r.now.book = r.shownPositions(last.Positions)
	}
	if symbol := r.h.lots.reconcile(r.now.book, r.now.date); symbol != "" {
		r.h.warnings.add("lost", "After %s the book holds another amount of %s than its trades leave, so the ledger has lost trades", r.now.date, symbol)
	}
	r.line = r.line[:0]
}

// shownPositions returns the cash and the holdings of a book, with symbols that are safe to show.
func (r *reader) shownPositions(positions ledger.Positions) ledger.Positions {
	book := ledger.Positions{}
	for _, p := range positions {
		if p.Symbol == ledger.Cash || !p.Amount.IsZero() {
			p.Symbol = r.symbol(p.Symbol)
			book = append(book, p)
		}
		if p.Symbol != ledger.Cash && r.h.market == "" {
			r.h.market = market.Of(p.Symbol).ID
		}
	}
	return book
}

// trade adds the trade of a row, if it has one.
func (r *reader) trade(rec ledger.Record) error {
	if !rec.Traded() || !rec.Amount.IsPositive() {
		return nil
	}
	symbol := r.symbol(rec.Symbol)
	if r.h.market == "" {
		r.h.market = market.Of(symbol).ID
	}
	f := r.fill(symbol, rec)
	t := Trade{
		ID: rec.ID, Date: rec.Date, Action: "sell", Symbol: symbol, Amount: rec.Amount.InexactFloat64(), Fees: rec.Fees.InexactFloat64(),
		Price: fromNullDecimal(f.price), Value: moneyOf(f.value), Slippage: moneyOf(f.slippage), OrderID: plain(rec.OrderID), Note: prose(rec.Note),
		FeeItems: r.feeItems(rec), InKind: rec.InKind.InexactFloat64(),
		Order: rec.Of, Type: plain(string(r.types[rec.Of])),
	}
	if f.buys {
		t.Action = "buy"
	}
	trip, closed := r.h.lots.apply(&t)
	r.h.tradesOnFirstDay = r.h.tradesOnFirstDay || rec.Date.Day() == r.h.first.Day()
	if r.before(rec.Date) {
		return nil
	}
	r.now.add(f)
	flow := r.h.flow(symbol)
	flow.trade(f)
	r.h.trades.add(t)
	r.h.feeItems = r.h.feeItems.Add(t.FeeItems)
	flow.close(trip, closed || f.buys)
	if closed {
		r.h.roundTrips.add(trip)
		r.h.tradeStats.add(trip)
	}
	if !t.Price.known {
		r.h.warnings.add("unpriced", "The price of trade %d (%s) is neither in its row nor in the prices", rec.ID, symbol)
	}
	if r.OnTrade == nil {
		return nil
	}
	return r.OnTrade(r.signature, t)
}

// maxFeeItems bounds the names of fees, as any ledger may have them.
const maxFeeItems = 64

// feeItems are the fees of a row, with names that are safe to show. More than there can be are one.
func (r *reader) feeItems(rec ledger.Record) market.FeeItems {
	var items market.FeeItems
	for _, item := range rec.FeeItems {
		if item.Name = r.symbol(item.Name); len(r.h.feeItems)+len(items) >= maxFeeItems {
			item.Name = "other fees"
		}
		items = items.Add(market.FeeItems{item})
	}
	return items
}

// symbol returns a symbol that is safe to show. It keeps the results, since there are few symbols.
func (r *reader) symbol(text string) string {
	symbol, ok := r.symbols[text]
	if !ok {
		symbol = plain(text)
		r.symbols[text] = symbol
	}
	return symbol
}

// openPrice returns the open of the bar in which a trade was filled.
func (r *reader) openPrice(symbol string, rec ledger.Record) decimal.NullDecimal {
	if open, ok := r.opens[symbol]; ok {
		return open
	}
	var open decimal.NullDecimal
	for _, stamp := range []market.Stamp{rec.Date, rec.Date.Day()} {
		if bar, err := r.verifier.Filling(rec, r.View).Bar(symbol, stamp); err == nil && bar.Open.Valid {
			open = bar.Open
			break
		}
	}
	r.opens[symbol] = open
	return open
}
