package ledger

// Tests of the prices of orders, and of how much an order with a price may have.

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"mcp-trade/code"
	"mcp-trade/market"
)

func TestEvaluate_Tick(t *testing.T) {
	prices := candles(t,
		"NVDA, 2025-10-01 100 101 99 100 1000, 2025-10-02 100 101 99 100 1000", "PENNY, 2025-10-01 0.9 0.9 0.9 0.9 1000, 2025-10-02 0.9 0.9 0.9 0.9 1000",
		"688981.SH, 2025-10-09 130 131 129 130 1000, 2025-10-10 130 131 129 130 1000", "510300.SH, 2025-10-09 4 4 4 4 1000, 2025-10-10 4 4 4 4 1000",
		"XRP-USDT, 2025-10-01 2.4 2.5 2.3 2.4 1000, 2025-10-02 2.4 2.5 2.3 2.4 1000", "DOGE-USDT, 2025-10-01 2.4 2.5 2.3 2.4 1000, 2025-10-02 2.4 2.5 2.3 2.4 1000",
		"LINK-USDT, 2026-08-20 15 15 15 15 1000, 2026-08-21 15 15 15 15 1000")
	for _, c := range []struct {
		order string
		at    market.Stamp
		why   string // "" for none
	}{
		{"buy 1 NVDA limit 95.01", "2025-10-02", ""},
		{"buy 1 NVDA limit 95.005", "2025-10-02", "The limit price 95.005 is no multiple of 0.01, the tick of NVDA. Use 95 or 95.01."},
		{"buy 1 NVDA limit 104.999", "2025-10-02", "The limit price 104.999 is no multiple of 0.01, the tick of NVDA. Use 104.99 or 105."}, // it would fill at once
		{"sell 1 NVDA stop 95.005", "2025-10-02", "The stop price 95.005 is no multiple of 0.01, the tick of NVDA. Use 95 or 95.01."},
		{"buy 1 PENNY limit 0.8501", "2025-10-02", ""},
		{"buy 1 PENNY limit 0.85005", "2025-10-02", "The limit price 0.85005 is no multiple of 0.0001, the tick of PENNY. Use 0.85 or 0.8501."},
		{"buy 1 PENNY limit 1.0001", "2025-10-02", "The limit price 1.0001 is no multiple of 0.01, the tick of PENNY. Use 1 or 1.01."},
		{"buy 200 688981.SH limit 120.005", "2025-10-10", "The limit price 120.005 is no multiple of 0.01, the tick of 688981.SH. Use 120 or 120.01."},
		{"buy 100 510300.SH limit 3.905", "2025-10-10", ""},
		{"buy 10 XRP-USDT limit 2.30005", "2025-10-02", "The limit price 2.30005 is no multiple of 0.0001, the tick of XRP-USDT. Use 2.3 or 2.3001."},
		{"buy 10 DOGE-USDT limit 2.300000001", "2025-10-02", ""},
		{"buy 10 LINK-USDT limit 14.905", "2026-08-20", "The limit price 14.905 is no multiple of 0.01, the tick of LINK-USDT. Use 14.9 or 14.91."},
		{"buy 10 LINK-USDT limit 14.905", "2026-08-21", ""},
		{"buy 50001 688981.SH limit 120", "2025-10-10", ""}, // 50,000 are the most of an order without a limit
		{"buy 100000 688981.SH limit 120", "2025-10-10", ""},
		{"buy 100001 688981.SH limit 120", "2025-10-10", "An order of 688981.SH has at most 100000 shares. You tried to buy 100001 shares."},
		{"buy 50001 688981.SH stop 135", "2025-10-10", "An order of 688981.SH has at most 50000 shares. You tried to buy 50001 shares."},
	} {
		o := termsOrder(c.order)
		book := Book{Date: "2025-10-01", Positions: positions("CASH 900000000, NVDA 10")}
		_, err := evaluate(book, o, prices.AsOf(c.at), RulesOf(market.Of(o.Symbol)))
		refusal, ok := errors.AsType[*Refusal](err)
		if got := ""; ok {
			got = refusal.Error()
			if got != c.why || strings.Contains(c.why, "tick") && (refusal.code != code.InvalidArgument || refusal.details["nearest_prices"] == nil) {
				t.Errorf("%s on %s: %s, %v; want %q", c.order, c.at, got, refusal.details, c.why)
			}
		} else if err != nil || c.why != "" {
			t.Errorf("%s on %s: %v, want %q", c.order, c.at, err, c.why)
		}
	}
}

// A row that placed an order off the tick is found.
func TestVerify_Tick(t *testing.T) {
	prices := candles(t, "NVDA, 2025-10-01 100 101 99 100 1000, 2025-10-02 100 101 99 100 1000")
	first := Record{Date: "2025-10-01", Positions: positions("CASH 1000"), Rules: DefaultRules().text()}
	placed, err := evaluate(first.book(first.Line()), termsOrder("buy 1 NVDA limit 95.01"), prices.AsOf("2025-10-02"), DefaultRules())
	if err != nil {
		t.Fatal(err)
	}
	off := bytes.ReplaceAll(placed.Line(), []byte("95.01"), []byte("95.005"))
	for _, c := range []struct {
		row  []byte
		want []Class
	}{{placed.Line(), nil}, {off, []Class{Refused}}} {
		report, err := Verify(linesIn([]string{string(first.Line()), string(c.row)}), prices)
		var got []Class
		for _, f := range report.Findings {
			got = append(got, f.Class)
		}
		if err != nil || len(got) != len(c.want) || len(got) > 0 && got[0] != c.want[0] {
			t.Errorf("%s: %v, %v", c.row, report.Findings, err)
		}
	}
}
