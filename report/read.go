// Reading a ledger once, row by row. Most of a row is the book after it, which matters at the end of a day only: of the other
// rows, the few fields that say what was done are picked out.

package report

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"mcp-trade/ledger"
	"mcp-trade/market"
)

// row is what is picked out of a line.
type row struct {
	date           market.Stamp
	id             int64
	action, symbol string
	amount, fees   float64
	price          Number
	orderID, note  string
}

// day is what is kept of a day with records.
type day struct {
	date     market.Stamp     // of the day
	book     ledger.Positions // what is held after its last row, in the row's order
	trades   int
	traded   float64
	fees     float64
	slippage Number
}

// history is what is kept of a ledger.
type history struct {
	market      market.ID // of the first symbol traded or held; "" if there is none
	first, last market.Stamp
	rows        int
	opened      ledger.Positions // held after the first row
	outlives    bool             // there are rows after the range
	tradedFirst bool             // there are more trades on the first day than the first row
	days        []day            // ascending
	trades      newest[Trade]
	closed      newest[RoundTrip]
	wins        wins
	lots        lots
	warnings    warnings
}

// reader reads one ledger.
type reader struct {
	builder
	signature string
	h         history
	days      map[market.Stamp]*day
	now       *day              // the day being read
	line      []byte            // its newest line
	opens     map[string]Number // of the date being read
	symbols   map[string]string
	dateText  string
	date      market.Stamp // that the text stands for
}

// read reads a ledger.
func (b builder) read(l Ledger) (history, error) {
	r := reader{builder: b, signature: l.Signature, days: map[market.Stamp]*day{}, opens: map[string]Number{}, symbols: map[string]string{}}
	r.h.trades.max, r.h.closed.max, r.h.lots = b.Trades, b.Trades, lots{}
	for line, err := range l.Lines {
		if err != nil {
			return history{}, fmt.Errorf("%s: %w", l.Signature, err)
		}
		w, ok := r.pick(withoutBook(line))
		if ok && w.date > b.View.AsOf() {
			break // neither this row nor what follows it exists yet
		}
		r.h.rows++
		if !ok {
			r.h.warnings.add("unreadable", "Row %d cannot be read", r.h.rows-1)
			continue
		}
		if err := r.row(w, line); err != nil {
			return history{}, err
		}
	}
	if r.h.first == "" {
		return history{}, &NoLedgerError{l.Signature}
	}
	r.endDay()
	for _, date := range slices.Sorted(maps.Keys(r.days)) {
		r.h.days = append(r.h.days, *r.days[date])
	}
	return r.h, nil
}

// row takes in a row, and the line that it is.
func (r *reader) row(w row, line []byte) error {
	opening := r.h.first == ""
	if !opening && !r.covers(w.date) {
		r.h.outlives = true
		return nil
	}
	if r.now == nil || r.now.date != w.date.Day() {
		r.endDay()
		if w.date.Day() < r.h.last.Day() {
			r.h.warnings.add("backwards", "Row %d is dated %s, after one of %s", r.h.rows-1, w.date, r.h.last)
		}
		r.beginDay(w.date.Day())
	}
	r.line = append(r.line[:0], line...) // a line need not last longer than its turn
	r.h.last = max(r.h.last, w.date)
	if opening {
		r.h.first = w.date
		r.h.opened = r.book(line)
		r.h.lots.open(r.h.opened, w.date)
		return nil // whatever it did, it is what the account began with
	}
	return r.trade(w)
}

// withoutBook returns a line with an empty book, if it can be told with certainty where the book ends: that is where the
// first brace closes, if no other one opens and no text is open. Else it returns the line as it is.
func withoutBook(line []byte) string {
	const key = `"positions": {`
	start := bytes.Index(line, []byte(key))
	if start < 0 {
		return string(line)
	}
	start += len(key)
	n := bytes.IndexByte(line[start:], '}')
	if n < 0 {
		return string(line)
	}
	book := line[start : start+n]
	if bytes.IndexByte(book, '{') >= 0 || bytes.IndexByte(book, '\\') >= 0 || bytes.Count(book, []byte(`"`))%2 != 0 {
		return string(line)
	}
	return string(line[:start]) + string(line[start+n:])
}

// pick reads the fields of a line that matter.
func (r *reader) pick(line string) (row, bool) {
	var w row
	object := gjson.Parse(line)
	hasID, finite := false, true
	number := func(v gjson.Result) float64 {
		f := v.Float()
		finite = finite && !math.IsNaN(f) && !math.IsInf(f, 0)
		return f
	}
	object.ForEach(func(key, value gjson.Result) bool {
		switch key.Str {
		case "date":
			w.date = r.stamp(value.Str)
		case "id":
			w.id, hasID = value.Int(), value.Type == gjson.Number
		case "order_id":
			w.orderID = value.Str
		case "note":
			w.note = value.Str
		case "fees":
			w.fees = number(value)
		case "this_action":
			value.ForEach(func(key, value gjson.Result) bool {
				switch key.Str {
				case "action":
					w.action = value.Str
				case "symbol":
					w.symbol = value.Str
				case "amount":
					w.amount = number(value)
				case "price":
					w.price = Known(number(value))
				}
				return true
			})
		}
		return true
	})
	return w, object.IsObject() && w.date != "" && hasID && finite && strings.HasSuffix(line, "}")
}

// stamp parses a date; mostly it is that of the row before.
func (r *reader) stamp(text string) market.Stamp {
	if text != r.dateText {
		r.date, _ = market.ParseStamp(text)
		r.dateText = strings.Clone(text) // without the line that it is part of
		clear(r.opens)
	}
	return r.date
}

func (r *reader) beginDay(date market.Stamp) {
	if r.now = r.days[date]; r.now == nil {
		r.now = &day{date: date, slippage: Known(0)}
		r.days[date] = r.now
	}
}

// endDay reads the book after the day's last row, and holds the lots against it.
func (r *reader) endDay() {
	if r.now == nil || len(r.line) == 0 {
		return
	}
	if book := r.book(r.line); book != nil {
		r.now.book = book
		if symbol := r.h.lots.settle(book, r.now.date); symbol != "" {
			r.h.warnings.add("lost", "After %s the book holds another amount of %s than its trades leave, so the ledger has lost trades", r.now.date, symbol)
		}
	}
	r.line = r.line[:0]
}

// book reads what is held after a line, nil if it cannot be read.
func (r *reader) book(line []byte) ledger.Positions {
	rec, err := ledger.ParseLine(line)
	if err != nil {
		r.h.warnings.add("unreadable", "Row %d cannot be read: %v", r.h.rows-1, err)
		return nil
	}
	book := ledger.Positions{}
	for _, p := range rec.Positions {
		if p.Symbol == ledger.Cash || !p.Amount.IsZero() {
			p.Symbol = r.symbol(p.Symbol)
			book = append(book, p)
		}
		if p.Symbol != ledger.Cash && r.h.market == "" {
			r.h.market = market.Of(p.Symbol)
		}
	}
	return book
}

// trade takes in what a row did.
func (r *reader) trade(w row) error {
	buys := w.action == "buy" || w.action == "buy_crypto"
	if !buys && w.action != "sell" && w.action != "sell_crypto" || w.amount <= 0 {
		return nil
	}
	symbol := r.symbol(w.symbol)
	if r.h.market == "" {
		r.h.market = market.Of(symbol)
	}
	open := r.open(symbol, w.date)
	t := Trade{
		ID: w.id, Date: w.date, Action: "sell", Symbol: symbol, Amount: w.amount, Fees: w.fees,
		Price: cmp.Or(w.price, open), OrderID: plain(w.orderID), Note: prose(w.note),
	}
	sign := -1.0
	if buys {
		t.Action, sign = "buy", 1
	}
	if t.Price.known {
		t.Value = Known(t.Price.value * t.Amount)
	}
	if t.Price.known && open.known {
		t.Slippage = Known((t.Price.value - open.value) * t.Amount * sign)
	}
	trip, closed := r.h.lots.trade(&t)
	r.h.tradedFirst = r.h.tradedFirst || w.date.Day() == r.h.first.Day()
	if r.before(w.date) {
		return nil
	}
	r.now.take(t)
	r.h.trades.add(t)
	if closed {
		r.h.closed.add(trip)
		r.h.wins.add(trip)
	}
	if !t.Price.known {
		r.h.warnings.add("unpriced", "The price of trade %d (%s) is neither in its row nor in the prices", w.id, symbol)
	}
	if r.OnTrade == nil {
		return nil
	}
	return r.OnTrade(r.signature, t)
}

// symbol is a symbol as it is shown; there are few of them.
func (r *reader) symbol(text string) string {
	symbol, ok := r.symbols[text]
	if !ok {
		symbol = plain(text)
		r.symbols[strings.Clone(text)] = symbol
	}
	return symbol
}

func (d *day) take(t Trade) {
	d.trades++
	d.traded += t.Value.value
	d.fees += t.Fees
	if !t.Slippage.known {
		d.slippage = Number{}
	}
	if d.slippage.known {
		d.slippage.value += t.Slippage.value
	}
}

// open is the open of the bar that a trade was filled in.
func (r *reader) open(symbol string, at market.Stamp) Number {
	if open, ok := r.opens[symbol]; ok {
		return open
	}
	var open Number
	for _, stamp := range []market.Stamp{at, at.Day()} {
		if bar, err := r.View.Bar(symbol, stamp); err == nil && bar.Open.Valid {
			open = Known(bar.Open.Decimal.InexactFloat64())
			break
		}
	}
	r.opens[symbol] = open
	return open
}
