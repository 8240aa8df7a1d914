// The form of a record in a file or a stream: one JSON object per line, as AI-Trader writes and reads it.
//
//	{"date": "2025-10-01", "id": 0, "positions": {"CASH": 10000}}
//	{"date": "2025-10-02", "id": 1, "this_action": {"action": "buy", "symbol": "NVDA", "amount": 10, "price": 189.6},
//	 "positions": {"CASH": 8104, "NVDA": 10}, "order_id": "o-1", "prev": "6d1f..."}
//
// The keys price, order_id, fees, prev and note are ours; readers that do not know them pass over them.

package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/shopspring/decimal"

	"mcp-trade/market"
)

// Line returns the record as one line, without line feed. Numbers are written with every digit.
func (r Record) Line() []byte {
	b := bytes.NewBuffer(make([]byte, 0, 256+16*len(r.Positions)))
	fmt.Fprintf(b, `{"date": "%s", "id": %d`, r.Date, r.ID)
	if r.Action != Register {
		b.WriteString(`, "this_action": {"action": `)
		writeText(b, string(r.Action))
		b.WriteString(`, "symbol": `)
		writeText(b, r.Symbol)
		b.WriteString(`, "amount": ` + r.Amount.String())
		if r.Price.Valid {
			b.WriteString(`, "price": ` + r.Price.Decimal.String())
		}
		b.WriteByte('}')
	}
	b.WriteString(`, "positions": {`)
	for i, held := range r.Positions {
		if i > 0 {
			b.WriteString(", ")
		}
		writePosition(b, held, ": ")
	}
	b.WriteByte('}')
	if r.OrderID != "" {
		b.WriteString(`, "order_id": `)
		writeText(b, r.OrderID)
	}
	if !r.Fees.IsZero() {
		b.WriteString(`, "fees": ` + r.Fees.String())
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

// ParseLine reads a line of a ledger. Keys that it does not know are passed over.
func ParseLine(line []byte) (Record, error) {
	var l struct {
		Date   string `json:"date"`
		ID     *int64 `json:"id"`
		Action *struct {
			Action Action      `json:"action"`
			Symbol string      `json:"symbol"`
			Amount json.Number `json:"amount"`
			Price  json.Number `json:"price"`
		} `json:"this_action"`
		Positions Positions   `json:"positions"`
		OrderID   string      `json:"order_id"`
		Fees      json.Number `json:"fees"`
		Prev      string      `json:"prev"`
		Note      string      `json:"note"`
	}
	if err := json.Unmarshal(line, &l); err != nil {
		return Record{}, fmt.Errorf("not a ledger line: %w", err)
	}
	if l.ID == nil || l.Positions == nil {
		return Record{}, errors.New(`not a ledger line: "id" or "positions" is missing`)
	}
	date, err := market.ParseStamp(l.Date)
	if err != nil {
		return Record{}, fmt.Errorf("not a ledger line: date: %w", err)
	}
	r := Record{Date: date, ID: *l.ID, Positions: l.Positions, OrderID: l.OrderID, Prev: l.Prev, Note: l.Note}
	numbers := []struct {
		name string
		text json.Number
		to   *decimal.Decimal
	}{{"fees", l.Fees, &r.Fees}}
	if a := l.Action; a != nil && a.Action != Register {
		r.Action, r.Symbol, r.Price.Valid = a.Action, a.Symbol, a.Price != ""
		numbers = append(numbers, numbers[0], numbers[0])
		numbers[1].name, numbers[1].text, numbers[1].to = "amount", a.Amount, &r.Amount
		numbers[2].name, numbers[2].text, numbers[2].to = "price", a.Price, &r.Price.Decimal
	}
	for _, n := range numbers {
		if n.text == "" {
			continue
		}
		if *n.to, err = ParseDecimal(n.text.String()); err != nil {
			return Record{}, fmt.Errorf("not a ledger line: %s: %w", n.name, err)
		}
	}
	return r, nil
}

// UnmarshalJSON reads an object of numbers and keeps its order.
func (p *Positions) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return errors.New("positions is not an object")
	}
	read := Positions{}
	for d.More() {
		symbol, err := d.Token()
		if err != nil {
			return err
		}
		value, err := d.Token()
		if err != nil {
			return err
		}
		number, ok := value.(json.Number)
		if !ok {
			return fmt.Errorf("positions: %v is not a number", value)
		}
		amount, err := ParseDecimal(number.String())
		if err != nil {
			return fmt.Errorf("positions: %v: %w", symbol, err)
		}
		read = append(read, Position{symbol.(string), amount})
	}
	*p = read
	return nil
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
	return r.book(line), nil
}

func (r Record) book(line []byte) Book {
	return Book{Date: r.Date, ID: r.ID, Positions: r.Positions, Line: bytes.Clone(line), Hash: Hash(line)}
}
