package ledger

// Tests of the rule by which a book is valued.

import (
	"fmt"
	"strings"
	"testing"

	"mcp-trade/decimal"
	"mcp-trade/market"
)

// The market: A trades on each of five days, DEAD ends after two of them, H pauses on the fourth, NEW has an open on the
// fifth and never closed, X trades hourly and its last hour has no close. The fifth day has only opens.
const valueMarket = `{"Meta Data": {"2. Symbol": "A"}, "Time Series (Daily)": {"2025-10-01": {"1. open": "10", "4. close": "11"},
	"2025-10-02": {"1. open": "12", "4. close": "13"}, "2025-10-03": {"1. open": "14", "4. close": "15"},
	"2025-10-06": {"1. open": "16", "4. close": "17"}, "2025-10-07": {"1. open": "18"}}}
{"Meta Data": {"2. Symbol": "DEAD"}, "Time Series (Daily)": {"2025-10-01": {"1. open": "50", "4. close": "51"}, "2025-10-02": {"1. open": "52", "4. close": "53"}}}
{"Meta Data": {"2. Symbol": "H"}, "Time Series (Daily)": {"2025-10-03": {"1. open": "1", "4. close": "2"}, "2025-10-07": {"1. open": "3"}}}
{"Meta Data": {"2. Symbol": "NEW"}, "Time Series (Daily)": {"2025-10-07": {"1. open": "7"}}}
{"Meta Data": {"2. Symbol": "X"}, "Time Series (60min)": {"2025-10-02 14:00:00": {"1. open": "30", "4. close": "31"}, "2025-10-02 15:00:00": {"1. open": "32", "4. close": "33"},
	"2025-10-03 14:00:00": {"1. open": "34", "4. close": "35"}, "2025-10-03 15:00:00": {"1. open": "36"}}}
{"Meta Data": {"2. Symbol": "C-USDT"}, "Time Series (Daily)": {"2025-10-01": {"1. open": "5", "4. close": "6"}, "2025-10-04": {"1. open": "7"}}}
`

func TestPositions_AtClose(t *testing.T) {
	p := valuePrices(t)
	for _, c := range []struct {
		name, day, symbol string
		want              string // price, its stamp, days that it is old; "" if it is unknown
	}{
		{"the close of the day", "2025-10-02", "A", "13 2025-10-02 0"},
		{"the last close where the day has only an open", "2025-10-07", "A", "17 2025-10-06 1"},
		{"no trading since then is not old", "2025-10-05", "A", "15 2025-10-03 0"},
		{"a symbol that ended", "2025-10-07", "DEAD", "53 2025-10-02 3"},
		{"likewise between two trading days", "2025-10-05", "DEAD", "53 2025-10-02 1"},
		{"a symbol that pauses", "2025-10-06", "H", "2 2025-10-03 1"},
		{"a symbol that is not there yet", "2025-10-02", "H", ""},
		{"a symbol that never closed", "2025-10-07", "NEW", ""},
		{"a symbol that is nowhere", "2025-10-07", "GONE", ""},
		{"the last hour", "2025-10-02", "X", "33 2025-10-02 15:00:00 0"},
		{"an hour that did not close", "2025-10-03", "X", "35 2025-10-03 14:00:00 0"},
		{"an hour of a day before", "2025-10-06", "X", "35 2025-10-03 14:00:00 1"},
		{"the days of its own market count", "2025-10-07", "C-USDT", "6 2025-10-01 1"},
	} {
		day := market.Stamp(c.day)
		v, err := holding(c.symbol).AtClose(p.AsOf("9999-12-31"), day)
		if got := told(v); err != nil || got != c.want {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
		// What comes later has no part in it.
		v, err = holding(c.symbol).AtClose(p.AsOf(day.AddDays(1)), day)
		if got := told(v); err != nil || got != c.want {
			t.Errorf("%s, as of the next day: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}

func TestPositions_InDay(t *testing.T) {
	p := valuePrices(t)
	for _, c := range []struct{ name, at, symbol, want string }{
		{"the open of the day", "2025-10-02", "A", "open 12 2025-10-02 0"},
		{"the open of a day in an hour of it", "2025-10-02 15:00:00", "A", "open 12 2025-10-02 15:00:00 0"},
		{"a symbol that ended", "2025-10-03", "DEAD", "53 2025-10-02 1"},
		{"longer ago", "2025-10-07", "DEAD", "53 2025-10-02 3"},
		{"a day without trading", "2025-10-05", "A", "15 2025-10-03 0"},
		{"the first day", "2025-10-07", "NEW", "open 7 2025-10-07 0"},
		{"the day before it", "2025-10-06", "NEW", ""},
		{"the open of an hour", "2025-10-02 15:00:00", "X", "open 32 2025-10-02 15:00:00 0"},
		{"between two hours", "2025-10-02 15:30:00", "X", "31 2025-10-02 14:00:00 0"},
		{"an hour without a bar", "2025-10-03 16:00:00", "X", "35 2025-10-03 14:00:00 0"},
		{"before the first hour, others trade", "2025-10-03 09:00:00", "X", "33 2025-10-02 15:00:00 1"},
	} {
		v, err := holding(c.symbol).InDay(p.AsOf(market.Stamp(c.at)))
		if got := told(v); err != nil || got != c.want {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}

func TestValuation_Total(t *testing.T) {
	p := valuePrices(t)
	book := append(Positions{{Cash, decimal.NewFromInt(100)}, {"NEW", decimal.NewFromInt(1)}}, holding("DEAD")...)
	v, err := book.AtClose(p.AsOf("9999-12-31"), "2025-10-07")
	if err != nil || v.Total.Valid || fmt.Sprint(v.Unpriced) != "[NEW]" {
		t.Errorf("with a holding without a price: %v, without a price are %v, %v", v.Total, v.Unpriced, err)
	}
	v, err = append(book[:1:1], book[2:]...).AtClose(p.AsOf("9999-12-31"), "2025-10-07")
	if err != nil || v.Total.Decimal.String() != "206" || len(v.Unpriced) != 0 {
		t.Errorf("without it: %v, %v, %v", v.Total, v.Unpriced, err)
	}
}

func TestStaleCloses(t *testing.T) {
	old := StaleCloses{{"B", "2025-10-06", 1}, {"DEAD", "2025-10-02", 3}, {"A", "2025-10-06", 1}, {"D", "2025-10-06", 1}, {"C", "2025-10-06", 1}}
	for _, c := range []struct {
		s      StaleCloses
		want   string
		oldest string
	}{
		{nil, "", ""},
		{old[:1], "B of 2025-10-06 (1 trading day old)", "B"},
		{old, "DEAD of 2025-10-02 (3 trading days old); A, B, C and 1 more of 2025-10-06 (1 trading day old)", "DEAD"},
		{append(StaleCloses{{"X", "2025-09-01", 9}, {"Y", "2025-09-02", 8}}, old...), "X of 2025-09-01 (9 trading days old); Y of 2025-09-02 (8 trading days old); DEAD of 2025-10-02 (3 trading days old); and 4 more", "X"},
	} {
		oldest := ""
		if o := c.s.Oldest(); o != nil {
			oldest = o.Symbol
		}
		if got := c.s.String(); got != c.want || oldest != c.oldest {
			t.Errorf("%v: %q, the oldest %q; want %q, %q", []StaleClose(c.s), got, oldest, c.want, c.oldest)
		}
	}
}

// holding is two shares of a symbol.
func holding(symbol string) Positions { return Positions{{symbol, decimal.NewFromInt(2)}} }

// told is the price of the only holding, its kind, its stamp and the days that it is old.
func told(v Valuation) string {
	h := v.Holdings[0]
	if !h.Price.Valid {
		return ""
	}
	text := fmt.Sprintf("%s %s %d", h.Price.Decimal, h.At, h.StaleDays)
	if h.Open {
		text = "open " + text
	}
	if !v.Total.Decimal.Equal(h.Price.Decimal.Mul(decimal.NewFromInt(2))) {
		text += " but the total is " + v.Total.Decimal.String()
	}
	return text
}

func valuePrices(t *testing.T) *market.Prices {
	t.Helper()
	return pricesOf(t, strings.ReplaceAll(valueMarket, "\n\t", " "))
}
