package ledger

// Tests of the place at which the operator's limits are asked.

import (
	"errors"
	"testing"

	"mcp-trade/market"
)

func TestRules_Limited(t *testing.T) {
	asked := 0
	r := DefaultRules()
	r.limit = func(book Book, rec Record, v market.View) (Record, error) {
		asked++
		if rec.Amount.GreaterThan(dec("2")) {
			return Record{}, errors.New("too many")
		}
		rec.Note = "within"
		return rec, nil
	}
	book, v := Book{Date: "2025-10-01", Positions: positions("CASH 1000")}, testPrices(t).AsOf("2025-10-02")
	if _, err := evaluate(book, order("buy 3 NVDA"), v, r); err == nil || err.Error() != "too many" {
		t.Error(err)
	}
	if rec, err := evaluate(book, order("buy 2 NVDA"), v, r); err != nil || rec.Note != "within" {
		t.Errorf("%+v, %v", rec, err)
	}
	if _, err := r.limited(book, noTrade(book, "2025-10-02"), v); err != nil || asked != 2 {
		t.Errorf("%v, asked %d times", err, asked)
	}
}
