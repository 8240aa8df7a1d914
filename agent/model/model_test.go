package model

import (
	"testing"

	"mcp-trade/decimal"
)

func TestPrices(t *testing.T) {
	price := func(text string) *decimal.Decimal { d := decimal.RequireFromString(text); return &d }
	plain, cached := Prices{In: *price("10"), Out: *price("100")}, Prices{In: *price("10"), Out: *price("100"), Cached: price("1"), Written: price("12.5")}
	used := Usage{In: 1_000_000, Cached: 600_000, Written: 300_000, Out: 10_000}
	for _, c := range []struct {
		name string
		got  decimal.Decimal
		want string
	}{
		{"one price for all", plain.Cost(used), "11"},
		{"a price for each part", cached.Cost(used), "6.35"}, // 100,000 at 10, 600,000 at 1, 300,000 at 12.5, and what was written
		{"at worst", plain.Worst(1_000_000, 10_000), "11"},
		{"at worst all of it goes into the cache", cached.Worst(1_000_000, 10_000), "13.5"},
		{"nothing", plain.Cost(Usage{}), "0"},
	} {
		if c.got.String() != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}

func TestStopOf(t *testing.T) {
	for word, want := range map[string]Stop{
		"stop": Done, "tool_calls": Done, "STOP": Done, "end_turn": Done, "": Done, "length": Length, "MAX_TOKENS": Length, "model_length": Length,
		"content_filter": Filtered, "sensitive": Filtered, "SAFETY": Filtered, "refusal": Refused, "error": Failed, "network_error": Failed,
		"insufficient_system_resource": Failed, "MALFORMED_FUNCTION_CALL": Failed,
	} {
		if got := StopOf(word); got != want {
			t.Errorf("%s is %v, want %v", word, got, want)
		}
	}
}
