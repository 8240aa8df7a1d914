// The form of a record in a file or a stream: one JSON object per line, as AI-Trader writes and reads it.
//
//	{"date": "2025-10-01", "id": 0, "positions": {"CASH": 10000}, "rules": {"market": "us", ...}}
//	{"date": "2025-10-02", "id": 1, "this_action": {"action": "buy", "symbol": "NVDA", "amount": 10, "price": 189.6},
//	 "positions": {"CASH": 8104, "NVDA": 10}, "order_id": "o-1", "prev": "6d1f..."}
//
// The keys price, those of orders that wait, bought_today, filled_today, orders, rules, limits, order_id, fees, fee_items, fee_in_kind, unverified_import, prev and note are ours; readers that do not know them pass over them.

package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"mcp-trade/decimal"
	"mcp-trade/internal/strict"
	"mcp-trade/market"
	"mcp-trade/store"
)

// Line returns the record as one line, without line feed. Numbers are written with every digit.
func (r Record) Line() []byte {
	b := bytes.NewBuffer(make([]byte, 0, 256+16*len(r.Positions)))
	fmt.Fprintf(b, `{"date": "%s", "id": %d`, r.Date, r.ID)
	if r.Action != Register {
		b.WriteString(`, "this_action": `)
		r.writeAction(b)
	}
	b.WriteString(`, "positions": `)
	r.Positions.write(b)
	if len(r.Bought) > 0 {
		b.WriteString(`, "bought_today": `)
		r.Bought.write(b)
	}
	if len(r.Filled) > 0 {
		b.WriteString(`, "filled_today": `)
		r.Filled.write(b)
	}
	if len(r.Orders) > 0 {
		b.WriteString(`, "orders": `)
		r.Orders.write(b)
	}
	if r.Rules != "" {
		b.WriteString(`, "rules": ` + r.Rules)
	}
	if r.Limits != nil {
		b.WriteString(`, "limits": `)
		r.Limits.write(b)
	}
	if r.OrderID != "" {
		b.WriteString(`, "order_id": `)
		writeText(b, r.OrderID)
	}
	if !r.Fees.IsZero() {
		b.WriteString(`, "fees": ` + r.Fees.String())
	}
	if len(r.FeeItems) > 0 {
		b.WriteString(`, "fee_items": ` + r.FeeItems.String())
	}
	if !r.InKind.IsZero() {
		b.WriteString(`, "fee_in_kind": ` + r.InKind.String())
	}
	if r.Unverified != 0 {
		fmt.Fprintf(b, `, "unverified_import": %d`, r.Unverified)
	}
	if r.Prev != "" {
		b.WriteString(`, "prev": `)
		writeText(b, r.Prev)
	}
	if r.Note != "" {
		b.WriteString(`, "note": `)
		writeText(b, r.Note)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// writeAction writes what was done.
func (r Record) writeAction(b *bytes.Buffer) {
	b.WriteString(`{"action": `)
	writeText(b, string(r.Action))
	b.WriteString(`, "symbol": `)
	writeText(b, r.Symbol)
	b.WriteString(`, "amount": ` + r.Amount.String())
	if r.Price.Valid {
		b.WriteString(`, "price": ` + r.Price.Decimal.String())
	}
	writeMember(b, "side", string(r.Side))
	r.Terms.write(b)
	if r.Of != 0 {
		fmt.Fprintf(b, `, "order": %d`, r.Of)
	}
	writeMember(b, "at", string(r.At))
	writeMember(b, "why", r.Why)
	if r.Ratio.Is != 0 {
		writeMember(b, "ratio", r.Ratio.String())
	}
	writeMember(b, "to", r.To)
	writeNumber(b, "cash", r.Income)
	b.WriteByte('}')
}

// entry is what a store reads in the line of the record.
func (r Record) entry() store.Entry {
	return store.Entry{ID: r.ID, OrderID: r.OrderID, Date: string(r.Date), Traded: r.Traded()}
}

// writeText writes a string as JSON. A book names a hundred symbols, nearly all of them plain letters.
func writeText(b *bytes.Buffer, s string) {
	if unescaped(s) {
		b.WriteByte('"')
		b.WriteString(s)
		b.WriteByte('"')
		return
	}
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)         // a string always encodes
	b.Truncate(b.Len() - 1) // the encoder ends it with a line feed
}

// unescaped tells whether JSON writes a string as it is.
func unescaped(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			return false
		}
	}
	return true
}

// write writes an object of numbers into a line.
func (p Positions) write(b *bytes.Buffer) {
	b.WriteByte('{')
	for i, held := range p {
		if i > 0 {
			b.WriteString(", ")
		}
		writePosition(b, held, ": ")
	}
	b.WriteByte('}')
}

// writePosition writes one position. Most of a book is zeros.
func writePosition(b *bytes.Buffer, p Position, colon string) {
	writeText(b, p.Symbol)
	b.WriteString(colon)
	if p.Amount.IsZero() {
		b.WriteByte('0')
	} else {
		b.WriteString(p.Amount.String())
	}
}

// ParseLine reads a line of a ledger. Keys that it does not know are passed over. A line that another reader could take
// for another record is refused: see [strict].
func ParseLine(line []byte) (Record, error) { return new(Reader).Read(line) }

// keys are those of a line that mean something here.
var keys = []string{"date", "id", "this_action", "positions", "order_id", "fees", "fee_items", "fee_in_kind", "prev", "note", "rules", "unverified_import", "bought_today", "filled_today", "orders", "limits"}

// member reads a member of a line.
func (l *reading) member(s *strict.Reader, key []byte) (err error) {
	switch string(key) {
	case "this_action":
		return l.action(s)
	case "positions":
		if l.hasBook { // twice, which is found when the line ends
			return nil
		}
		l.hasBook = true
		return l.book(s)
	case "orders":
		l.Orders, err = parseOpenOrders(s)
		return keyed(key, err)
	}
	value, err := s.Value()
	if err != nil {
		return err
	}
	switch string(key) {
	case "date":
		l.Date, err = l.from.stamp(value)
	case "id":
		if l.ID, l.hasID = strict.Int(value); !l.hasID {
			err = fmt.Errorf("%.40s is not a whole number", value)
		}
	case "order_id":
		l.OrderID, err = parseText(value)
	case "fees":
		l.Fees, _, err = parseNumber(value)
	case "fee_items":
		l.FeeItems, err = parseFeeItems(value)
	case "fee_in_kind":
		l.InKind, _, err = parseNumber(value)
	case "bought_today":
		err = l.Bought.UnmarshalJSON(value)
	case "filled_today":
		l.Filled, err = parseDayFills(value)
	case "limits":
		l.Limits, err = parseLimitState(value)
	case "prev":
		l.Prev, err = parseText(value)
	case "note":
		l.Note, err = parseText(value)
	case "unverified_import":
		var whole bool
		if l.Unverified, whole = strict.Int(value); !whole || l.Unverified < 1 {
			err = fmt.Errorf("%.40s is not a number of rows", value)
		}
	case "rules":
		rules := jsontext.Value(bytes.Clone(value))
		err = rules.Compact(jsontext.SpaceAfterColon(true), jsontext.SpaceAfterComma(true))
		l.Rules = string(rules)
	default:
		return strict.Unlike(key, keys...)
	}
	return keyed(key, err)
}

// action reads what was done.
func (l *reading) action(s *strict.Reader) error {
	if s.Null() {
		return nil
	}
	var a Record
	err := s.Object(func(s *strict.Reader, key []byte) error {
		value, err := s.Value()
		if err != nil {
			return err
		}
		switch string(key) {
		case "action":
			a.Action, err = parseKind(value)
		case "symbol":
			a.Symbol, err = l.from.symbol(value)
		case "amount":
			a.Amount, _, err = parseNumber(value)
		case "price":
			a.Price.Decimal, a.Price.Valid, err = parseNumber(value)
		default:
			err = a.orderMember(key, value)
		}
		return keyed(key, err)
	})
	if a.Action != Register {
		l.Action, l.Symbol, l.Amount, l.Price = a.Action, a.Symbol, a.Amount, a.Price
		l.Side, l.Terms, l.Of, l.At, l.Why = a.Side, a.Terms, a.Of, a.At, a.Why
		l.Ratio, l.To, l.Income = a.Ratio, a.To, a.Income
	}
	return err
}

// orderMember reads a member of an action that is about an order, or a corporate one.
func (r *Record) orderMember(key, value []byte) (err error) {
	if is, err := r.Terms.member(key, value); is {
		return err
	}
	switch string(key) {
	case "side":
		r.Side, err = parseKind(value)
	case "order":
		r.Of, err = parseID(value)
	case "at":
		r.At, err = parseStamp(value)
	case "why":
		r.Why, err = parseText(value)
	case "ratio":
		var text string
		if text, err = parseText(value); err == nil && text != "" {
			r.Ratio, err = market.ParseRatio(text)
		}
	case "to":
		r.To, err = parseText(value)
	case "cash":
		r.Income, _, err = parseNumber(value)
	default:
		err = strict.Unlike(key, actionKeys...)
	}
	return err
}

// actionKeys are the keys of an action.
var actionKeys = append([]string{"action", "symbol", "amount", "price", "side", "order", "at", "why", "ratio", "to", "cash"}, termKeys...)

// parseKind reads what an action does.
func parseKind(value []byte) (Action, error) {
	for _, a := range []Action{Buy, Sell, NoTrade} {
		if len(value) == len(a)+2 && string(value[1:len(value)-1]) == string(a) && value[0] == '"' {
			return a, nil
		}
	}
	text, err := parseText(value)
	return Action(text), err
}

// keyed names the key whose value is wrong.
func keyed(key []byte, err error) error {
	if err != nil {
		err = fmt.Errorf("%s: %w", key, err)
	}
	return err
}

// parseText reads a string. What is null is taken as left out, here as in numbers.
func parseText(value []byte) (string, error) {
	text, ok := strict.Text(value)
	if !ok && string(value) != "null" {
		return "", fmt.Errorf("%.40s is not a string", value)
	}
	return text, nil
}

func parseNumber(value []byte) (d decimal.Decimal, given bool, err error) {
	switch c := value[0]; {
	case string(value) == "null":
		return d, false, nil
	case c != '-' && (c < '0' || c > '9'):
		return d, false, fmt.Errorf("%.40s is not a number", value)
	case string(value) == "0":
		return d, true, nil
	}
	if d, ok := plainDecimal(value); ok {
		return d, true, nil
	}
	d, err = ParseDecimal(string(value))
	return d, true, err
}

// plainDecimal reads a few digits with a point among them or none, as most numbers are written. It takes less time than
// [ParseDecimal], which makes the same of them.
func plainDecimal(value []byte) (decimal.Decimal, bool) {
	n, places := int64(0), int32(0)
	if len(value) > 18 {
		return decimal.Decimal{}, false
	}
	for i, c := range value {
		switch {
		case '0' <= c && c <= '9':
			n = 10*n + int64(c-'0')
		case c == '.' && places == 0 && i < len(value)-1:
			places = int32(len(value) - 1 - i)
		default:
			return decimal.Decimal{}, false
		}
	}
	return decimal.New(n, -places), true
}

// UnmarshalJSON reads an object of numbers and keeps its order.
func (p *Positions) UnmarshalJSON(text []byte) error {
	read := Positions{}
	err := strict.Object(text, func(key, value []byte) error {
		amount, err := parseAmount(value)
		read = append(read, Position{string(key), amount})
		return ofPosition(string(key), err)
	})
	*p = read
	return err
}

// parseFeeItems reads what the fees of a record are.
func parseFeeItems(value []byte) (items market.FeeItems, err error) {
	err = strict.Object(value, func(name, value []byte) error {
		paid, err := parseAmount(value)
		items = append(items, market.FeeItem{Name: string(name), Paid: paid})
		return keyed(name, err)
	})
	return items, err
}

// write writes the fills as an object.
func (d DayFills) write(b *bytes.Buffer) {
	b.WriteByte('{')
	for i, bar := range d {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(b, `"%s": `, bar.Bar)
		bar.Amounts.write(b)
	}
	b.WriteByte('}')
}

// String is how a record states the fills.
func (d DayFills) String() string {
	var b bytes.Buffer
	d.write(&b)
	return b.String()
}

// parseDayFills reads the fills of a record.
func parseDayFills(value []byte) (fills DayFills, err error) {
	err = strict.Object(value, func(key, value []byte) error {
		bar, err := market.ParseStamp(string(key))
		if err != nil {
			return err
		}
		b := BarFills{Bar: bar}
		err = b.Amounts.UnmarshalJSON(value)
		fills = append(fills, b)
		return keyed(key, err)
	})
	return fills, err
}

// parseLimitState reads the state in a line.
func parseLimitState(value []byte) (*LimitState, error) {
	var s LimitState
	seen := map[string]bool{}
	err := strict.Object(value, func(key, value []byte) (err error) {
		seen[string(key)] = true
		switch string(key) {
		case "hash":
			if s.Hash, err = parseText(value); err == nil && len(s.Hash) != limitHash {
				err = fmt.Errorf("%.40s is no hash of limits", value)
			}
		case "orders":
			var whole bool
			if s.Orders, whole = strict.Int(value); !whole || s.Orders < 0 {
				err = fmt.Errorf("%.40s is not a number of orders", value)
			}
		case "turnover":
			s.Turnover, err = parseAmount(value)
		case "day_start":
			s.DayStart.Decimal, s.DayStart.Valid, err = parseNumber(value)
		case "peak":
			s.Peak.Decimal, s.Peak.Valid, err = parseNumber(value)
		default:
			return strict.Unlike(key, "hash", "orders", "turnover", "day_start", "peak")
		}
		return keyed(key, err)
	})
	if err == nil && !(seen["orders"] && seen["turnover"]) {
		err = fmt.Errorf("%.80s lacks orders or turnover", value)
	}
	return &s, err
}

// parseAmount reads how much of something is held.
func parseAmount(value []byte) (decimal.Decimal, error) {
	amount, given, err := parseNumber(value)
	if err == nil && !given {
		err = errors.New("null is not a number")
	}
	return amount, err
}

// ofPosition names the position whose amount is wrong.
func ofPosition(symbol string, err error) error {
	if err != nil {
		err = fmt.Errorf("positions: %s: %w", symbol, err)
	}
	return err
}

// MarshalJSON writes an object of numbers in order.
func (p Positions) MarshalJSON() ([]byte, error) {
	b := bytes.NewBufferString("{")
	for i, held := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		writePosition(b, held, ":")
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// ParseDecimal reads a finite number. Its size is bounded, so that no text, such as 1e999999, can stand for a number that
// would fill the memory.
func ParseDecimal(text string) (decimal.Decimal, error) {
	const maxText, maxExponent = 64, 30
	if len(text) > maxText {
		return decimal.Zero, fmt.Errorf("a number of %d characters is too long", len(text))
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		return decimal.Zero, fmt.Errorf("%q is not a number", text)
	}
	// Written out, the number must be as short as one that is read.
	if e := int(d.Exponent()); e > maxExponent || e < -maxExponent || e > 0 && d.NumDigits()+e >= maxText {
		return decimal.Zero, fmt.Errorf("%s is too large or too fine a number", text)
	}
	return d, nil
}

// Hash returns what the record after line carries as Prev: SHA-256 of the line without line feed, in hex.
func Hash(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

// ParseBook reads the book that a line holds.
func ParseBook(line []byte) (Book, error) {
	r, err := ParseLine(line)
	if err != nil {
		return Book{}, err
	}
	return r.book(bytes.Clone(line)), nil
}

// book is the book after the record, whose line it keeps.
func (r Record) book(line []byte) Book {
	return Book{Date: r.Date, ID: r.ID, Positions: r.Positions, Line: line, Hash: Hash(line), Rules: r.Rules, Bought: r.Bought, Filled: r.Filled, Orders: r.Orders, Limits: r.Limits, newest: r.moment()}
}
