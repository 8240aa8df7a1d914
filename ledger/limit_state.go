// What an account under limits needs to know of its day and of its past. It stands in each record from the first one under limits on, so
// that the newest record is enough to judge the next order:
//
//	"limits": {"hash": "5f1d2c...", "orders": 2, "turnover": 3800, "day_start": 10000, "peak": 10450}

package ledger

import (
	"bytes"
	"fmt"

	"mcp-trade/decimal"
)

// limitHash is how many hexadecimal digits stand for limits.
const limitHash = 12

// LimitState is what the limits count, after a record.
type LimitState struct {
	Hash     string              // of the limits in force, "" for none
	Orders   int64               // of the day
	Turnover decimal.Decimal     // money, of the day's purchases and sales
	DayStart decimal.NullDecimal // equity before the day; unknown where a holding had no price
	Peak     decimal.NullDecimal // the highest equity of a day's start and of a record; unknown where none was known
}

// write writes the state into a line.
func (s *LimitState) write(b *bytes.Buffer) {
	b.WriteString(`{`)
	if s.Hash != "" {
		fmt.Fprintf(b, `"hash": "%s", `, s.Hash)
	}
	fmt.Fprintf(b, `"orders": %d, "turnover": %s`, s.Orders, s.Turnover)
	if s.DayStart.Valid {
		b.WriteString(`, "day_start": ` + s.DayStart.Decimal.String())
	}
	if s.Peak.Valid {
		b.WriteString(`, "peak": ` + s.Peak.Decimal.String())
	}
	b.WriteByte('}')
}

func (s *LimitState) String() string {
	var b bytes.Buffer
	if s == nil {
		return "none"
	}
	s.write(&b)
	return b.String()
}

// equal tells whether two states say the same.
func (s *LimitState) equal(o *LimitState) bool { return s.String() == o.String() }
