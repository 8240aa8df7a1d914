package ledger

// Tests of the cap of a bar's volume: it holds for all fills of a symbol in a bar together, whoever orders them and in how many orders.

import (
	"slices"
	"strings"
	"testing"

	"mcp-trade/decimal"
	"mcp-trade/market"
)

func TestVolumeCap(t *testing.T) {
	const quiet = "NVDA, 2025-10-01 100 101 99 100 1000, 2025-10-02 100 102 94 96 500, "
	through := func(most, filled, order string) string {
		if filled != "" {
			filled = " It has filled " + filled + " in this bar."
		}
		return "refused: The account may trade 1% of a bar's volume, which lets " + most + " of NVDA through now." + filled + " You tried to " + order +
			". Trade less, or place a limit order, which may be filled in parts."
	}
	for _, c := range []scene{
		{name: "an order that is split", bars: quiet, orders: []string{"2025-10-02: buy 6 NVDA", "2025-10-02: buy 5 NVDA", "2025-10-02: buy 4 NVDA", "2025-10-02: buy 1 NVDA"},
			want: []string{"buy 6 NVDA at 100 on 2025-10-02", "buy 4 NVDA at 100 on 2025-10-02", through("4", "6", "buy 5 NVDA"), through("0", "10", "buy 1 NVDA")}},
		{name: "bought and sold", bars: quiet, orders: []string{"2025-10-02: buy 6 NVDA", "2025-10-02: sell 4 NVDA", "2025-10-02: sell 1 NVDA"},
			want: []string{"buy 6 NVDA at 100 on 2025-10-02", "sell 4 NVDA at 100 on 2025-10-02", through("0", "10", "sell 1 NVDA")}},
		{name: "the bars of two days", bars: quiet + "2025-10-03 100 102 94 96 500, ", orders: []string{"2025-10-02: buy 10 NVDA", "2025-10-03: buy 6 NVDA", "2025-10-03: buy 5 NVDA"},
			want: []string{"buy 10 NVDA at 100 on 2025-10-02", "buy 5 NVDA at 100 on 2025-10-03", through("5", "", "buy 6 NVDA")}},
		{name: "two symbols", bars: quiet + "|AMD, 2025-10-01 100 101 99 100 300, 2025-10-02 100 102 94 96 500", orders: []string{"2025-10-02: buy 10 NVDA", "2025-10-02: buy 3 AMD"},
			want: []string{"buy 10 NVDA at 100 on 2025-10-02", "buy 3 AMD at 100 on 2025-10-02"}},
		{name: "after a fill at the open, the rest of the bar's own volume", bars: quiet + "2025-10-03 100 102 94 96 800, ",
			orders: []string{"2025-10-02: buy 3 NVDA limit 100 gtc", "2025-10-03: buy 5 NVDA", "2025-10-03: buy 9 NVDA limit 95"},
			want:   []string{"buy 3 NVDA at 100 on 2025-10-02", "buy 5 NVDA at 100 on 2025-10-03", "order buy 9 NVDA on 2025-10-03", "buy 3 NVDA at 95 of 3 in 2025-10-03 on 2025-10-04", "expire buy 6 NVDA of 3 on 2025-10-04: The day is over."}},
		{name: "two orders that wait share a bar", bars: quiet, orders: []string{"2025-10-02: buy 4 NVDA limit 95 gtc", "2025-10-02: buy 4 NVDA limit 96 gtc"},
			want: []string{
				"order buy 4 NVDA on 2025-10-02", "order buy 4 NVDA on 2025-10-02", "buy 4 NVDA at 95 of 1 in 2025-10-02 on 2025-10-03", "buy 1 NVDA at 96 of 2 in 2025-10-02 on 2025-10-03",
			}},
		{name: "the next open", rules: `fill "next-open"`, bars: quiet, orders: []string{"2025-10-01: buy 6 NVDA", "2025-10-01: buy 6 NVDA"},
			want: []string{
				"order buy 6 NVDA on 2025-10-01", "order buy 6 NVDA on 2025-10-01", "buy 6 NVDA at 100 of 1 on 2025-10-02", "buy 4 NVDA at 100 of 2 on 2025-10-02", "expire buy 2 NVDA of 2 on 2025-10-03: The day is over.",
			}},
		{name: "hours", bars: "NVDA 60min, 2025-10-02 10:00:00 100 101 99 100 500, 2025-10-02 11:00:00 100 101 90 100 1000, 2025-10-02 12:00:00 100 101 99 100 500",
			orders: []string{"2025-10-02 11:00:00: buy 5 NVDA", "2025-10-02 11:00:00: buy 9 NVDA limit 95", "2025-10-02 12:00:00: buy 10 NVDA", "2025-10-02 12:00:00: buy 1 NVDA"},
			want: []string{
				"buy 5 NVDA at 100 on 2025-10-02 11:00:00", "order buy 9 NVDA on 2025-10-02 11:00:00", "buy 5 NVDA at 95 of 2 in 2025-10-02 11:00:00 on 2025-10-02 12:00:00",
				"buy 10 NVDA at 100 on 2025-10-02 12:00:00", "expire buy 4 NVDA of 2 on 2025-10-03: The day is over.", through("0", "10", "buy 1 NVDA"),
			}},
		{name: "hours, and bars of a day", bars: quiet + "|AMD 60min, 2025-10-02 10:00:00 100 101 99 100 500, 2025-10-02 11:00:00 100 101 99 100 1000, 2025-10-02 12:00:00 100 101 99 100 500",
			orders: []string{"2025-10-02 10:00:00: buy 6 NVDA", "2025-10-02 11:00:00: buy 5 AMD", "2025-10-02 12:00:00: buy 5 NVDA", "2025-10-02 12:00:00: buy 4 NVDA"},
			want: []string{
				"buy 6 NVDA at 100 on 2025-10-02 10:00:00", "buy 5 AMD at 100 on 2025-10-02 11:00:00", "buy 4 NVDA at 100 on 2025-10-02 12:00:00", through("4", "6", "buy 5 NVDA"),
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.cash, c.rules = "100000", strings.TrimPrefix(c.rules+`; volume_cap "1%"`, "; ")
			p := candles(t, strings.Split(strings.ReplaceAll(strings.TrimSuffix(c.bars, ", "), ", |", "|"), "|")...)
			rows, refused := c.play(t, p, true)
			if again, _ := c.play(t, p, false); !slices.Equal(again, rows) {
				t.Errorf("settled at the end alone\n%s\nand each day\n%s", strings.Join(again, "\n"), strings.Join(rows, "\n"))
			}
			var got []string
			for _, row := range rows[1:] {
				r, err := ParseLine([]byte(row))
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, deed(r))
			}
			if got = append(got, refused...); !slices.Equal(got, c.want) {
				t.Errorf("\ngot  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
			}
			for _, prices := range []*market.Prices{p, nil} {
				if report, err := Verify(linesIn(rows), prices); err != nil || len(report.Findings) > 0 {
					t.Errorf("with prices: %v: %v, %v\n%s", prices != nil, report.Findings, err, strings.Join(rows, "\n"))
				}
			}
		})
	}
}

// Trying an order, and fitting one, count what was filled in the bar; what a refusal names is traded.
func TestVolumeCap_Tried(t *testing.T) {
	p := candles(t, "NVDA, 2025-10-01 100 101 99 100 1000, 2025-10-02 100 102 94 96 500")
	s := scenes(t)
	a, r := NewAccounts(s), scene{rules: `volume_cap "1%"`}.under(t)
	if _, err := a.RegisterUnder(t.Context(), "a", dec("850"), "2025-09-30", r); err != nil {
		t.Fatal(err)
	}
	mustSubmit(t, a, p, "2025-10-02", termsOrder("buy 6 NVDA"))
	v := p.AsOf("2025-10-02")
	for amount, want := range map[string]string{"2": "2", "5": "2"} { // 4 are let through, and the cash pays for 2
		book, err := a.Head(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		if rec, err := r.Fit(book, termsOrder("buy "+amount+" NVDA"), v); err != nil || rec.Amount.String() != want || rec.Book().Filled.String() != `{"2025-10-02": {"NVDA": 8}}` {
			t.Errorf("%s: %+v, %v", amount, rec, err)
		}
	}
	for order, most := range map[string]string{"buy 5 NVDA": "2", "sell 5 NVDA": "4"} {
		_, err := a.Preview(t.Context(), "a", termsOrder(order), v)
		refusal, ok := err.(*Refusal)
		if !ok || refusal.Details()["max_amount"].(decimal.Decimal).String() != most || refusal.Details()["filled_in_bar"].(decimal.Decimal).String() != "6" {
			t.Fatalf("%s: %v", order, err)
		}
		if _, err := a.Preview(t.Context(), "a", termsOrder(strings.Replace(order, "5", most, 1)), v); err != nil {
			t.Errorf("the most of %s: %v", order, err)
		}
	}
}

// A ledger that counts less than was filled, or more, is found, with prices and without.
func TestVerify_ForgedFills(t *testing.T) {
	c := scene{cash: "10000", rules: `volume_cap "1%"`, orders: []string{"2025-10-02: buy 6 NVDA", "2025-10-02: buy 4 NVDA", "2025-10-02: buy 2 NVDA limit 95"}}
	p := candles(t, "NVDA, 2025-10-01 100 101 99 100 1000, 2025-10-02 100 102 94 96 1500")
	honest, _ := c.play(t, p, true) // 0 opening, 1 buy, 2 buy, 3 order, 4 fill
	if len(honest) != 5 {
		t.Fatal(strings.Join(honest, "\n"))
	}
	for _, f := range []struct {
		name string
		row  int
		what func(*Record)
	}{
		{"none is counted", 1, func(r *Record) { r.Filled = nil }},
		{"the second fill is not counted", 2, func(r *Record) { r.Filled = DayFills(nil).with("2025-10-02", "NVDA", dec("6")) }},
		{"in another bar", 2, func(r *Record) { r.Filled = DayFills(nil).with("2025-10-02 10:00:00", "NVDA", dec("10")) }},
		{"the fills are forgotten by an order", 3, func(r *Record) { r.Filled = nil }},
		{"the fill of the order that waited is not counted", 4, func(r *Record) { r.Filled = DayFills(nil).with("2025-10-02", "NVDA", dec("10")) }},
	} {
		rows := chained(t, honest, func(i int, r *Record) {
			if i == f.row {
				f.what(r)
			}
		})
		for _, prices := range []*market.Prices{p, nil} {
			report, err := Verify(linesIn(rows), prices)
			if err != nil || len(report.Findings) == 0 || report.Findings[0].Row != f.row || report.Findings[0].Class != Unexplained {
				t.Errorf("%s, with prices: %v: %v, %v", f.name, prices != nil, report.Findings, err)
			}
		}
	}
	over := chained(t, honest[:3], func(i int, r *Record) {
		if i == 2 {
			r.Amount, r.Positions = dec("5"), positions("CASH 8900, NVDA 11")
			r.Filled = DayFills(nil).with("2025-10-02", "NVDA", dec("11"))
		}
	})
	if report, err := Verify(linesIn(over), p); err != nil || len(report.Findings) != 1 || report.Findings[0].Class != Refused {
		t.Errorf("two orders of more than the cap together: %v, %v", report.Findings, err)
	}
	plain := chained(t, honest[:2], func(i int, r *Record) { r.Rules = strings.Replace(r.Rules, `, "volume_cap": "1%"`, "", 1) })
	if report, err := Verify(linesIn(plain), p); err != nil || len(report.Findings) != 1 || report.Findings[0].Class != Unexplained {
		t.Errorf("counted without a cap: %v, %v", report.Findings, err)
	}
}
