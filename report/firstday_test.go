package report

import (
	"errors"
	"iter"
	"testing"

	"mcp-trade/market"
)

func TestFirstDay(t *testing.T) {
	of := func(lines ...string) Ledger {
		return Ledger{Lines: func(yield func([]byte, error) bool) {
			for _, line := range lines {
				if !yield([]byte(line), nil) {
					return
				}
			}
		}}
	}
	begins := func(date string) string { return `{"date": "` + date + `", "id": 0, "positions": {"CASH": 1}}` }
	early, late := of(begins("2025-10-01 10:00:00"), begins("2025-09-01")), of(begins("2025-10-07"))
	for _, c := range []struct {
		from    market.Stamp
		ledgers []Ledger
		want    market.Stamp
	}{
		{"", []Ledger{late, early}, "2025-10-01"},
		{"2025-10-03", []Ledger{late, early}, "2025-10-03"},
		{"2025-09-01", []Ledger{late}, "2025-10-07"},
		{"2025-09-01", []Ledger{of(), of("{")}, "2025-09-01"},
		{"", nil, ""},
	} {
		if got, err := FirstDay(c.from, c.ledgers); err != nil || got != c.want {
			t.Errorf("from %q: %q, %v, want %q", c.from, got, err, c.want)
		}
	}
	gone := errors.New("gone")
	broken := Ledger{Lines: iter.Seq2[[]byte, error](func(yield func([]byte, error) bool) { yield(nil, gone) })}
	if _, err := FirstDay("", []Ledger{broken}); !errors.Is(err, gone) {
		t.Errorf("of a ledger that cannot be read: %v", err)
	}
}
