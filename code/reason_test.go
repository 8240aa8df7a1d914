package code_test

import (
	"testing"

	"mcp-trade/code"
)

func TestReasons(t *testing.T) {
	none := code.Reasons(nil)
	if sum := none.Plus(nil); sum != nil || sum.String() != "" {
		t.Errorf("none and none are %v", sum)
	}
	sum := code.Of(code.InsufficientCash.For(""), code.LimitExceeded.For("max_positions")).Plus(code.Of(code.LimitExceeded.For("max_positions"), code.LotSize.For("")))
	if got, want := sum.String(), "2 limit_exceeded max_positions, 1 insufficient_cash, 1 lot_size"; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}
