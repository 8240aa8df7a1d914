package report

// Tests of what the value consisted of.

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// An allocation names the largest holdings, and adds up.
func TestValuer_Allocation(t *testing.T) {
	bars := map[string]string{}
	a := opened("2025-10-01", 1000)
	for i := range 11 {
		symbol := fmt.Sprintf("S%02d", i)
		bars[symbol] = "10/10 10/20 10/10"
		a.trade(week[0], symbol, float64(i+1), 10, 0)
	}
	a.trade(week[2], "S10", -11, 10, 0)
	p := marketOf(t, week, bars)
	got := one(t, Options{View: p.AsOf(always)}, a.ledger("a")).Allocation
	want := []string{"CASH", "S09", "S08", "S07", "S10", "S06", "S05", "S04", "S03", "other"}
	if !slices.Equal(got.Names, want) {
		t.Errorf("names %v, want %v", got.Names, want)
	}
	for day, cash := range []float64{0.34, 0.34 / 1.66, 0.45} {
		sum := 0.0
		for _, parts := range got.Parts {
			sum += parts[day].value
		}
		if math.Abs(sum-1) > 1e-12 || math.Abs(got.Parts[0][day].value-cash) > 1e-12 {
			t.Errorf("day %d: %v of cash, %v in all", day, got.Parts[0][day], sum)
		}
	}
	if sold := got.Parts[slices.Index(got.Names, "S10")][2]; sold != Known(0) {
		t.Errorf("what was sold is %v of the value", sold)
	}
	// Where the value is not known, no part of it is.
	p = marketOf(t, week, map[string]string{"A": "10/? 10/10"})
	got = one(t, Options{View: p.AsOf(always)}, opened("2025-10-01", 1000).trade(week[0], "A", 1, 10, 0).idle(week[1]).ledger("a")).Allocation
	if got.Parts[0][0].known || got.Parts[1][0].known || !got.Parts[1][1].known {
		t.Errorf("%+v", got)
	}
}
