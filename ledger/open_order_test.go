package ledger

// Tests of orders that wait: what becomes of them in bars, whenever somebody looks, and that verify agrees.

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mcp-trade/decimal"
	"mcp-trade/market"
	"mcp-trade/store/filestore"
)

// candles returns prices with whole bars: "NVDA 60min, 2025-10-02 10:00:00 open high low close volume, ..."; - is an unknown number.
func candles(t testing.TB, series ...string) *market.Prices {
	t.Helper()
	var text []byte
	for _, s := range series {
		rows := strings.Split(s, ", ")
		symbol, interval, _ := strings.Cut(rows[0], " ")
		if interval == "" {
			interval = "Daily"
		}
		bars := map[string]map[string]string{}
		for _, row := range rows[1:] {
			word := strings.Fields(row)
			n := len(word) - 5
			bar := map[string]string{}
			for i, key := range []string{"1. open", "2. high", "3. low", "4. close", "5. volume"} {
				if word[n+i] != "-" {
					bar[key] = word[n+i]
				}
			}
			bars[strings.Join(word[:n], " ")] = bar
		}
		line, err := json.Marshal(map[string]any{"Meta Data": map[string]string{"2. Symbol": symbol}, "Time Series (" + interval + ")": bars})
		if err != nil {
			t.Fatal(err)
		}
		text = append(append(text, line...), '\n')
	}
	return pricesOf(t, string(text))
}

// termsOrder reads "buy 10 NVDA limit 95 gtc".
func termsOrder(text string) Order {
	word := strings.Fields(text)
	o := order(strings.Join(word[:3], " "))
	for i := 3; i < len(word); i++ {
		switch word[i] {
		case "limit":
			i++
			o.Type, o.Limit = LimitOrder, dec(word[i])
		case "stop":
			i++
			o.Type, o.Stop = StopOrder, dec(word[i])
		default:
			o.Until = Until(word[i])
		}
	}
	return o
}

// scene is an account's orders on prices, and what they come to.
type scene struct {
	name   string
	in     market.ID // "": US
	rules  string    // "fill \"next-open\"; costs ..."
	cash   string
	bars   string   // separated by |
	orders []string // "2025-10-02: buy 10 NVDA limit 95 gtc"
	want   []string // what the records do, after the opening and without trades at once
}

// under returns the rules of a scene.
func (c scene) under(t testing.TB) Rules {
	t.Helper()
	r := DefaultRules()
	if c.in != "" {
		r = RulesOf(c.in.Get())
	}
	for term := range strings.SplitSeq(c.rules, "; ") {
		key, value, given := strings.Cut(term, " ")
		if !given {
			continue
		}
		var err error
		if r, err = r.With(key, value); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// play gives the orders at their stamps, with a settling at each of the stamps or none but at the end, and returns the ledger.
func (c scene) play(t testing.TB, p *market.Prices, daily bool) (ledger []string, refused []string) {
	t.Helper()
	s := scenes(t)
	a := NewAccounts(s)
	stamps, err := p.Stamps("", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.RegisterUnder(t.Context(), "a", dec(c.cash), stamps[0].AddDays(-1), c.under(t)); err != nil {
		t.Fatal(err)
	}
	for _, at := range append(stamps, stamps[len(stamps)-1].AddDays(1)) {
		if daily {
			if _, err := a.Settle(t.Context(), "a", p.AsOf(at)); err != nil {
				t.Fatal(err)
			}
		}
		for _, text := range c.orders {
			on, o, _ := strings.Cut(text, ": ")
			if on != string(at) {
				continue
			}
			var err error
			if id, cancels := strings.CutPrefix(o, "cancel "); cancels {
				n, _ := strconv.ParseInt(id, 10, 64)
				_, err = a.Cancel(t.Context(), "a", n, "", p.AsOf(at))
			} else {
				_, err = a.Submit(t.Context(), "a", termsOrder(o), p.AsOf(at))
			}
			if err != nil {
				refused = append(refused, "refused: "+err.Error())
			}
		}
	}
	if _, err := a.Settle(t.Context(), "a", p.AsOf(stamps[len(stamps)-1].AddDays(1))); err != nil {
		t.Fatal(err)
	}
	for line, err := range s.Lines(t.Context(), "a") {
		if err != nil {
			t.Fatal(err)
		}
		ledger = append(ledger, string(line))
	}
	return ledger, refused
}

// deed is what a record did, in short.
func deed(r Record) string {
	text := string(r.Action)
	if r.Action == Place || r.Action == Expire {
		text += " " + string(r.Side)
	}
	text += fmt.Sprintf(" %s %s", r.Amount, r.Symbol)
	if r.Price.Valid {
		text += " at " + r.Price.Decimal.String()
	}
	if r.Of != 0 {
		text += fmt.Sprintf(" of %d", r.Of)
	}
	if r.At != "" {
		text += " in " + string(r.At)
	}
	text += " on " + string(r.Date)
	if r.Why != "" {
		text += ": " + r.Why
	}
	return text
}

func TestOpenOrders(t *testing.T) {
	const quiet = "NVDA, 2025-10-01 100 101 99 100 1000, "
	for _, c := range []scene{
		{name: "a limit is gone through", bars: quiet + "2025-10-02 100 102 94 96 1000", orders: []string{"2025-10-01: buy 2 NVDA limit 95 gtc"},
			want: []string{"order buy 2 NVDA on 2025-10-01", "buy 2 NVDA at 95 of 1 in 2025-10-02 on 2025-10-03"}},
		{name: "a limit is touched", bars: quiet + "2025-10-02 100 102 95 96 1000", orders: []string{"2025-10-01: buy 2 NVDA limit 95 gtc"},
			want: []string{"order buy 2 NVDA on 2025-10-01"}},
		{name: "a limit is touched by the open", bars: quiet + "2025-10-02 95 102 95 96 1000", orders: []string{"2025-10-01: buy 2 NVDA limit 95 gtc"},
			want: []string{"order buy 2 NVDA on 2025-10-01", "buy 2 NVDA at 95 of 1 on 2025-10-02"}},
		{name: "the open gaps over a limit", bars: quiet + "2025-10-02 90 92 89 91 1000", orders: []string{"2025-10-01: buy 2 NVDA limit 95 gtc"},
			want: []string{"order buy 2 NVDA on 2025-10-01", "buy 2 NVDA at 90 of 1 on 2025-10-02"}},
		{name: "the bar of the placing goes through", bars: quiet, orders: []string{"2025-10-01: buy 2 NVDA limit 99.5"},
			want: []string{"order buy 2 NVDA on 2025-10-01", "buy 2 NVDA at 99.5 of 1 in 2025-10-01 on 2025-10-02"}},
		{name: "the open of the placing is good enough", bars: quiet, orders: []string{"2025-10-01: buy 2 NVDA limit 103"}, want: []string{"buy 2 NVDA at 100 on 2025-10-01"}},
		{name: "a stop is touched", bars: quiet + "2025-10-02 100 105 99 101 1000", orders: []string{"2025-10-01: buy 2 NVDA stop 105 gtc"},
			want: []string{"order buy 2 NVDA on 2025-10-01", "buy 2 NVDA at 105 of 1 in 2025-10-02 on 2025-10-03"}},
		{name: "the open gaps over a stop", bars: quiet + "2025-10-02 110 111 109 110 1000", orders: []string{"2025-10-01: buy 2 NVDA stop 105 gtc"},
			want: []string{"order buy 2 NVDA on 2025-10-01", "buy 2 NVDA at 110 of 1 on 2025-10-02"}},
		{name: "a stop for the loss and a limit for the gain, both in one bar", bars: quiet + "2025-10-02 100 112 88 100 1000",
			orders: []string{"2025-10-01: buy 4 NVDA", "2025-10-01: sell 2 NVDA limit 110 gtc", "2025-10-01: sell 2 NVDA stop 90 gtc"},
			want: []string{
				"buy 4 NVDA at 100 on 2025-10-01", "order sell 2 NVDA on 2025-10-01", "order sell 2 NVDA on 2025-10-01",
				"sell 2 NVDA at 110 of 2 in 2025-10-02 on 2025-10-03", "sell 2 NVDA at 90 of 3 in 2025-10-02 on 2025-10-03",
			}},
		{name: "a purchase cannot count on a sale in its bar", cash: "400", rules: "costs {\"fees\": [{\"name\": \"f\", \"per_order\": 1}]}; slippage \"half-spread:1\"",
			bars:   quiet + "2025-10-02 100 111 88 100 1000",
			orders: []string{"2025-10-01: buy 2 NVDA", "2025-10-01: sell 2 NVDA limit 110 gtc", "2025-10-01: buy 1 NVDA stop 105 gtc"},
			want: []string{
				"buy 2 NVDA at 101 on 2025-10-01", "order sell 2 NVDA on 2025-10-01", "order buy 1 NVDA on 2025-10-01",
				"buy 1 NVDA at 106 of 3 in 2025-10-02 on 2025-10-03", "sell 2 NVDA at 110 of 2 in 2025-10-02 on 2025-10-03",
			}},
		{name: "a day without a fill ends the order", bars: quiet + "2025-10-02 100 102 90 96 1000", orders: []string{"2025-10-01: buy 2 NVDA limit 95"},
			want: []string{"order buy 2 NVDA on 2025-10-01", "expire buy 2 NVDA of 1 on 2025-10-02: The day is over."}},
		{name: "no volume, then no open", bars: quiet + "2025-10-02 100 102 90 96 0, 2025-10-03 - 102 90 96 1000, 2025-10-06 99 102 90 96 1000",
			orders: []string{"2025-10-01: buy 2 NVDA limit 95 gtc"},
			want:   []string{"order buy 2 NVDA on 2025-10-01", "buy 2 NVDA at 95 of 1 in 2025-10-06 on 2025-10-07"}},
		{name: "the next open", rules: `fill "next-open"`, bars: quiet + "2025-10-02 104 105 103 104 1000", orders: []string{"2025-10-01: buy 2 NVDA"},
			want: []string{"order buy 2 NVDA on 2025-10-01", "buy 2 NVDA at 104 of 1 on 2025-10-02"}},
		{name: "the next open is missing", rules: `fill "next-open"`, bars: quiet + "2025-10-02 - 105 103 104 1000, 2025-10-03 104 105 103 104 1000", orders: []string{"2025-10-01: buy 2 NVDA"},
			want: []string{"order buy 2 NVDA on 2025-10-01", "expire buy 2 NVDA of 1 on 2025-10-03: The day is over."}},
		{name: "the next open is too dear", rules: `fill "next-open"`, cash: "1000", bars: quiet + "2025-10-02 104 105 103 104 1000", orders: []string{"2025-10-01: buy 10 NVDA"},
			want: []string{
				"order buy 10 NVDA on 2025-10-01",
				"expire buy 10 NVDA of 1 in 2025-10-02 on 2025-10-02: Insufficient cash! This action will not be allowed. It takes 1040, and 1000 is free.",
			}},
		{name: "the next open, and a limit of the day", rules: `fill "next-open"`, bars: quiet + "2025-10-02 104 105 103 104 1000, 2025-10-03 90 91 89 90 1000",
			orders: []string{"2025-10-01: buy 2 NVDA limit 103.5", "2025-10-01: buy 1 NVDA limit 95"},
			want: []string{
				"order buy 2 NVDA on 2025-10-01", "order buy 1 NVDA on 2025-10-01", "buy 2 NVDA at 103.5 of 1 in 2025-10-02 on 2025-10-03",
				"expire buy 1 NVDA of 2 on 2025-10-03: The day is over.",
			}},
		{name: "slippage is no part of a limit", rules: `slippage "half-spread:1"`, bars: quiet + "2025-10-02 100 106 94 96 1000, 2025-10-03 90 91 89 90 1000",
			orders: []string{
				"2025-10-01: buy 1 NVDA limit 100.5", "2025-10-01: buy 1 NVDA limit 95 gtc", "2025-10-01: buy 1 NVDA stop 105 gtc", "2025-10-01: buy 1 NVDA limit 92 gtc",
			},
			want: []string{
				"buy 1 NVDA at 100.5 on 2025-10-01", "order buy 1 NVDA on 2025-10-01", "order buy 1 NVDA on 2025-10-01", "order buy 1 NVDA on 2025-10-01",
				"buy 1 NVDA at 95 of 2 in 2025-10-02 on 2025-10-03", "buy 1 NVDA at 106 of 3 in 2025-10-02 on 2025-10-03", "buy 1 NVDA at 90 of 4 on 2025-10-03",
			}},
		{name: "a part of the volume", rules: `volume_cap "1%"`, bars: quiet + "2025-10-02 94 102 93 96 500, 2025-10-03 94 96 93 94 -, 2025-10-06 100 100 94 95 100, 2025-10-07 90 90 90 90 1",
			orders: []string{"2025-10-01: buy 25 NVDA limit 95 gtc"},
			want: []string{
				"order buy 25 NVDA on 2025-10-01", "buy 10 NVDA at 94 of 1 on 2025-10-02", "buy 5 NVDA at 94 of 1 on 2025-10-03",
				"buy 1 NVDA at 95 of 1 in 2025-10-06 on 2025-10-07", "buy 1 NVDA at 90 of 1 on 2025-10-07",
			}},
		{name: "hours", rules: `hours "regular"`, bars: "NVDA 60min, 2025-10-01 10:00:00 100 101 99 100 1000, 2025-10-01 11:00:00 100 101 96 100 1000, 2025-10-01 17:00:00 90 91 80 90 10, 2025-10-02 09:30:00 97 98 90 97 10",
			orders: []string{"2025-10-01 10:00:00: buy 1 NVDA limit 97 gtc", "2025-10-01 10:00:00: buy 1 NVDA limit 95", "2025-10-01 10:00:00: buy 1 NVDA limit 94 gtc"},
			want: []string{
				"order buy 1 NVDA on 2025-10-01 10:00:00", "order buy 1 NVDA on 2025-10-01 10:00:00", "order buy 1 NVDA on 2025-10-01 10:00:00",
				"buy 1 NVDA at 97 of 1 in 2025-10-01 11:00:00 on 2025-10-01 12:00:00", "expire buy 1 NVDA of 2 on 2025-10-02: The day is over.",
				"buy 1 NVDA at 94 of 3 in 2025-10-02 09:30:00 on 2025-10-02 10:30:00",
			}},
		{name: "one is cancelled, and another was filled before it could be", bars: quiet + "2025-10-02 100 102 94 96 1000, 2025-10-03 94 95 90 94 1000",
			orders: []string{"2025-10-01: buy 2 NVDA limit 95 gtc", "2025-10-01: buy 2 NVDA limit 91 gtc", "2025-10-03: cancel 2"},
			want: []string{
				"order buy 2 NVDA on 2025-10-01", "order buy 2 NVDA on 2025-10-01", "buy 2 NVDA at 95 of 1 in 2025-10-02 on 2025-10-03", "cancel 2 NVDA of 2 on 2025-10-03",
			}},
		{name: "T+1", in: market.CN, bars: "600000.SH, 2025-10-09 10 10.5 9.5 10 100000, 2025-10-10 10 10.9 9.9 10 100000",
			orders: []string{"2025-10-09: buy 100 600000.SH", "2025-10-09: sell 100 600000.SH limit 10.2 gtc"},
			want: []string{
				"buy 100 600000.SH at 10 on 2025-10-09", "order sell 100 600000.SH on 2025-10-09", "sell 100 600000.SH at 10.2 of 2 in 2025-10-10 on 2025-10-11",
			}},
		{name: "a share at its limit of the day", in: market.CN, bars: "600000.SH, 2025-10-09 10 10 9.9 10 100000, 2025-10-10 9 9 9 9 100000, 2025-10-13 9.2 9.3 9.1 9.2 100000",
			orders: []string{"2025-10-09: buy 100 600000.SH", "2025-10-09: sell 100 600000.SH stop 9.5 gtc"},
			want: []string{
				"buy 100 600000.SH at 10 on 2025-10-09", "order sell 100 600000.SH on 2025-10-09", "sell 100 600000.SH at 9.2 of 2 on 2025-10-13",
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.cash == "" {
				c.cash = "100000"
			}
			p := candles(t, strings.Split(strings.TrimSuffix(c.bars, ", "), "|")...)
			rows, refused := c.play(t, p, true)
			if len(refused) > 0 {
				t.Error(refused)
			}
			if again, _ := c.play(t, p, false); !slices.Equal(again, rows) {
				t.Errorf("settled at the end alone\n%s\nand each day\n%s", strings.Join(again, "\n"), strings.Join(rows, "\n"))
			}
			var got []string
			for _, row := range rows[1:] {
				r, err := ParseLine([]byte(row))
				if err != nil {
					t.Fatal(err)
				}
				if left := r.Cash().Sub(r.Orders.kept(Cash)); left.IsNegative() {
					t.Errorf("%s of cash are not reserved: %s", left, row)
				}
				got = append(got, deed(r))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("\ngot  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
			}
			for _, prices := range []*market.Prices{p, nil} {
				if report, err := Verify(linesIn(rows), prices); err != nil || len(report.Findings) > 0 {
					t.Errorf("with prices: %v: %v, %v", prices != nil, report.Findings, err)
				}
			}
		})
	}
}

// Rows that were written otherwise than it happened are found.
func TestVerify_ForgedOpenOrders(t *testing.T) {
	c := scene{
		cash: "10000", bars: "NVDA, 2025-10-01 100 101 99 100 1000, 2025-10-02 100 102 94 96 1000, 2025-10-03 96 97 95 96 1000",
		orders: []string{"2025-10-01: buy 2 NVDA limit 95 gtc", "2025-10-01: buy 1 NVDA limit 90", "2025-10-03: buy 1 NVDA", "2025-10-03: cancel 9", "2025-10-03: sell 1 NVDA limit 99 gtc", "2025-10-03: cancel 6"},
	}
	p := candles(t, c.bars)
	honest, _ := c.play(t, p, true)
	// 0 opening, 1 order, 2 order, 3 expire of 2, 4 fill of 1, 5 buy, 6 order, 7 cancel
	if len(honest) != 8 {
		t.Fatal(strings.Join(honest, "\n"))
	}
	drop := func(row int) func([]string) []string {
		return func(rows []string) []string {
			rows = slices.Delete(slices.Clone(rows), row, row+1)
			return chained(t, rows, func(i int, r *Record) { r.ID = int64(i) })
		}
	}
	change := func(row int, what func(r *Record)) func([]string) []string {
		return func(rows []string) []string {
			return chained(t, rows, func(i int, r *Record) {
				if i == row {
					what(r)
				}
			})
		}
	}
	twice := func(rows []string) []string {
		again := slices.Insert(slices.Clone(rows[:5]), 5, rows[4])
		return chained(t, again, func(i int, r *Record) {
			r.ID = int64(i)
			if i == 5 {
				r.Positions = positions("CASH 9620, NVDA 4")
			}
		})
	}
	for _, f := range []struct {
		name  string
		forge func([]string) []string
		row   int
		class Class
	}{
		{"a fill at a better price", change(4, func(r *Record) { r.Price.Decimal, r.Positions = dec("94"), positions("CASH 9812, NVDA 2") }), 4, PriceDiffers},
		{"a fill of more than was ordered", change(4, func(r *Record) { r.Amount, r.Positions = dec("3"), positions("CASH 9715, NVDA 3") }), 4, NotDue},
		{"a fill in another bar", change(4, func(r *Record) { r.At = "2025-10-01" }), 4, NotDue},
		{"a fill on the day before it is known", change(4, func(r *Record) { r.Date = "2025-10-02" }), 4, NotDue},
		{"a fill whose money stayed", change(4, func(r *Record) { r.Positions = positions("CASH 10000, NVDA 2") }), 4, Unexplained},
		{"a fill of an order that was not open", change(4, func(r *Record) { r.Of = 7 }), 4, NotDue},
		{"an order filled twice", twice, 5, NotDue},
		{"a fill that was left out", drop(4), 4, SkippedEvent},
		{"an end that was left out", drop(3), 3, NotDue},
		{"an end too early", change(3, func(r *Record) { r.Date = "2025-10-01" }), 3, NotDue},
		{"an end for another reason", change(3, func(r *Record) { r.Why = "It was too dear." }), 3, NotDue},
		{"an order that ends and stays", change(3, func(r *Record) {
			r.Orders = append(r.Orders, OpenOrder{ID: 2, Action: Buy, Symbol: "NVDA", Amount: dec("1"), Placed: "2025-10-01"})
		}), 3, Unexplained},
		{"less reserved", change(1, func(r *Record) { r.Orders[0].Reserved = dec("1") }), 1, Unexplained},
		{"less reserved, later", change(5, func(r *Record) {
			r.Orders = OpenOrders{{ID: 1, Action: Buy, Symbol: "NVDA", Amount: dec("1"), Placed: "2025-10-01"}}
		}), 5, Unexplained},
		{"a limit that was changed", change(2, func(r *Record) { r.Orders[0].Limit = dec("99") }), 2, Unexplained},
		{"an order that nobody could place", change(1, func(r *Record) {
			r.Amount, r.Orders[0].Amount, r.Orders[0].Reserved = dec("200"), dec("200"), dec("19000")
		}), 1, Refused},
		{"a cancelled order that stays", change(7, func(r *Record) {
			r.Orders = OpenOrders{{ID: 6, Action: Sell, Symbol: "NVDA", Amount: dec("1"), Terms: Terms{Type: LimitOrder, Limit: dec("99"), Until: GTC}, Placed: "2025-10-03"}}
		}), 7, Unexplained},
		{"a cancelled order that was none", change(7, func(r *Record) { r.Of = 3 }), 7, Refused},
		{"a purchase under a limit that its price is beyond", change(5, func(r *Record) { r.Terms = Terms{Type: LimitOrder, Limit: dec("90"), Until: Day} }), 5, Refused},
	} {
		rows := f.forge(honest)
		report, err := Verify(linesIn(rows), p)
		if err != nil || len(report.Findings) == 0 || report.Findings[0].Row != f.row || report.Findings[0].Class != f.class {
			t.Errorf("%s: %v, %v\n%s", f.name, report.Findings, err, rows[f.row])
		}
	}
	c.rules, c.orders = `volume_cap "1%"`, []string{"2025-10-02: buy 10 NVDA"}
	capped, _ := c.play(t, p, true)
	rows := change(1, func(r *Record) {
		r.Amount, r.Positions, r.Filled = dec("11"), positions("CASH 8900, NVDA 11"), DayFills(nil).with("2025-10-02", "NVDA", dec("11"))
	})(capped)
	if report, err := Verify(linesIn(rows), p); err != nil || len(report.Findings) != 1 || report.Findings[0].Class != Refused {
		t.Errorf("more than the cap of the volume: %v, %v", report.Findings, err)
	}
	rows = change(0, func(r *Record) { r.Rules = scene{rules: `volume_cap "1%"; fill "next-open"`}.under(t).text() })(capped)
	if report, err := Verify(linesIn(rows), p); err != nil || len(report.Findings) != 1 || report.Findings[0].Class != Refused {
		t.Errorf("a fill at once where orders wait: %v, %v", report.Findings, err)
	}
	rows = change(1, func(r *Record) { r.At = "2025-10-01" })(capped)
	if report, err := Verify(linesIn(rows), p); err != nil || len(report.Findings) != 1 || report.Findings[0].Class != Unexplained {
		t.Errorf("a trade that states another bar: %v, %v", report.Findings, err)
	}
	for _, f := range []struct {
		name  string
		forge func([]string) []string
	}{
		{"a fill of an order that was not open", change(4, func(r *Record) { r.Of = 7 })},
		{"a fill of more than was ordered", change(4, func(r *Record) { r.Amount, r.Positions = dec("3"), positions("CASH 9715, NVDA 3") })},
		{"an order filled twice", twice},
		{"a fill whose money stayed", change(4, func(r *Record) { r.Positions = positions("CASH 10000, NVDA 2") })},
		{"a limit that was changed", change(2, func(r *Record) { r.Orders[0].Limit = dec("99") })},
	} {
		if report, err := Verify(linesIn(f.forge(honest)), nil); err != nil || !report.Failed() {
			t.Errorf("%s, without prices: %v, %v", f.name, report.Findings, err)
		}
	}
}

// Orders that cannot be placed, and those that cannot be paid beside others.
func TestOpenOrders_Refused(t *testing.T) {
	const fees = `{"fees": [{"name": "commission", "per_order": 1}]}`
	for _, c := range []struct {
		rules, order, want string
	}{
		{"", "buy 1 NVDA limit 0", "invalid_argument: A limit price must be positive. You gave 0. map[symbol:NVDA type:limit]"},
		{"", "buy 1 NVDA limit -5", "invalid_argument: A limit price must be positive. You gave -5. map[symbol:NVDA type:limit]"},
		{"", "buy 1 NVDA stop 0", "invalid_argument: A stop price must be positive. You gave 0. map[symbol:NVDA type:stop]"},
		{"", "buy 1 NVDA limit 1000", "invalid_argument: The limit price 1000 is ten times or a tenth of what NVDA last traded at, 100, or further from it. Use a price between the two. map[last_price:100 price:1000 symbol:NVDA]"},
		{"", "sell 1 NVDA stop 10", "invalid_argument: The stop price 10 is ten times or a tenth of what NVDA last traded at, 100, or further from it. Use a price between the two. map[last_price:100 price:10 symbol:NVDA]"},
		{"", "buy 1 NVDA tomorrow", `invalid_argument: An order cannot wait until "tomorrow". Use day or gtc. map[symbol:NVDA type:]`},
		{"", "buy 0 NVDA limit 90", "invalid_argument: Amount must be positive. You tried to buy 0 shares. map[amount:0 minimum:1 symbol:NVDA]"},
		{"", "buy 1.5 NVDA limit 90", "invalid_argument: Invalid amount format. Amount must be an integer for stock trading. You provided: 1.5 map[amount:1.5 minimum:1 symbol:NVDA]"},
		{"", "buy 1 NVDIA limit 90", "Symbol NVDIA not found! This action will not be allowed."},
		{"", "sell 1 NVDA limit 110", "insufficient_position: No position for NVDA! This action will not be allowed. map[date:2025-10-01 have:0 max_amount:0 symbol:NVDA want_to_sell:1]"},
		{"", "buy 6 NVDA limit 90", "insufficient_cash: Insufficient cash! This action will not be allowed. Orders that wait keep 500 of the cash. " +
			"map[cash_available:500 date:2025-10-01 max_amount:5 price:90 required_cash:540 reserved:500 symbol:NVDA]"},
		{"", "buy 5 NVDA", "2025-10-01 1 buy 5 NVDA at 100"},
		{"", "buy 6 NVDA", "insufficient_cash: Insufficient cash! This action will not be allowed. Orders that wait keep 500 of the cash. " +
			"map[cash_available:500 date:2025-10-01 max_amount:5 price:100 required_cash:600 reserved:500 symbol:NVDA]"},
		{"costs " + fees, "buy 5 NVDA limit 99.8", "order buy 5 NVDA on 2025-10-01, reserved 500"},
		{"costs " + fees, "buy 5 NVDA limit 99.9", "insufficient_cash: Insufficient cash! This action will not be allowed. Orders that wait keep 500 of the cash. " +
			"map[cash_available:500 date:2025-10-01 fees:1 max_amount:4 price:99.9 required_cash:500.5 reserved:500 symbol:NVDA]"},
		{"costs " + fees + `; slippage "half-spread:2"`, "buy 4 NVDA stop 103", "order buy 4 NVDA on 2025-10-01, reserved 421"},
		{`volume_cap "0.3%"`, "buy 4 NVDA", "lot_size: The account may trade 0.3% of a bar's volume, which lets 3 of NVDA through now. You tried to buy 4 NVDA. Trade less, or place a limit order, which may be filled in parts. " +
			"map[amount:4 date:2025-10-01 last_volume:{1000 true} max_amount:3 symbol:NVDA]"},
	} {
		p := candles(t, "NVDA, 2025-09-30 100 101 99 100 1000, 2025-10-01 100 101 99 100 1000")
		r := scene{rules: c.rules}.under(t)
		book := Book{Date: "2025-10-01", Positions: positions("CASH 1000"), Orders: OpenOrders{
			{ID: 1, Action: Buy, Symbol: "AMD", Amount: dec("5"), Terms: Terms{Type: LimitOrder, Limit: dec("100"), Until: GTC}, Placed: "2025-09-30", Reserved: dec("500")},
		}}
		rec, err := evaluate(book, termsOrder(c.order), p.AsOf("2025-10-01"), r)
		got := ""
		switch {
		case err != nil:
			got = outcome(rec, err)
		case rec.Action == Place:
			got = fmt.Sprintf("%s, reserved %s", deed(rec), rec.Orders[1].Reserved)
		default:
			got = fmt.Sprintf("%s %d %s %s %s at %s", rec.Date, rec.ID, rec.Action, rec.Amount, rec.Symbol, rec.Price.Decimal)
		}
		if got != c.want {
			t.Errorf("%s under %q\ngot  %s\nwant %s", c.order, c.rules, got, c.want)
		}
	}
}

// What is to be sold by one order is not sold by another.
func TestOpenOrders_SharesKept(t *testing.T) {
	book := Book{Date: "2025-10-01", Positions: positions("CASH 0, NVDA 5"), Orders: OpenOrders{
		{ID: 1, Action: Sell, Symbol: "NVDA", Amount: dec("3"), Terms: Terms{Type: LimitOrder, Limit: dec("110"), Until: GTC}, Placed: "2025-09-30"},
	}}
	v := testPrices(t).AsOf("2025-10-02")
	for text, want := range map[string]string{
		"sell 2 NVDA":          "CASH 20, NVDA 3",
		"sell 3 NVDA":          "insufficient_position: Insufficient shares! This action will not be allowed. Orders that wait keep 3 of them. map[date:2025-10-02 have:5 max_amount:2 reserved:3 symbol:NVDA want_to_sell:3]",
		"sell 3 NVDA limit 12": "insufficient_position: Insufficient shares! This action will not be allowed. Orders that wait keep 3 of them. map[date:2025-10-02 have:5 max_amount:2 reserved:3 symbol:NVDA want_to_sell:3]",
	} {
		rec, err := evaluate(book, termsOrder(text), v, DefaultRules())
		got := spell(rec.Positions)
		if err != nil {
			got = outcome(rec, err)
		}
		if got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
	all := Order{Action: Sell, Symbol: "NVDA", All: true}
	if rec, err := evaluate(book, all, v, DefaultRules()); err != nil || !rec.Amount.Equal(decimal.NewFromInt(2)) {
		t.Errorf("all: %+v, %v", rec, err)
	}
}

// scenes is the store of a scene.
func scenes(t testing.TB) *filestore.Store {
	t.Helper()
	s := filestore.New(t.TempDir(), t.TempDir())
	t.Cleanup(func() { _ = s.Close() })
	return s
}
