package ledger

// Properties of orders that wait, and of settling from several sides at once.

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/market"
	"mcp-trade/store"
	"mcp-trade/store/redisstore"
)

// anyScene draws bars of two symbols, rules, and orders of every type at any stamp.
func anyScene(t *rapid.T) (c scene, series []string) {
	number := func(from, to int, what string) int { return rapid.IntRange(from, to).Draw(t, what) }
	symbols, rules := []string{"NVDA", "AMD"}, []string{`fill "open"`, `fill "next-open"`}
	others := []string{"", `slippage "5bps"`, `volume_cap "20%"`, `costs {"fees": [{"name": "commission", "rate": 0.001, "minimum": 1}]}`, `costs "real"`}
	if rapid.Bool().Draw(t, "A-shares") {
		c.in, symbols = market.CN, []string{"600000.SH", "300750.SZ"}
	}
	c.rules = rapid.SampledFrom(rules).Draw(t, "fill")
	for _, other := range rapid.SliceOfNDistinct(rapid.SampledFrom(others), 0, 3, func(s string) string { key, _, _ := strings.Cut(s, " "); return key }).Draw(t, "rules") {
		if other != "" {
			c.rules += "; " + other
		}
	}
	var stamps []string
	hourly := rapid.Bool().Draw(t, "hourly")
	for _, day := range []string{"2025-10-13", "2025-10-14", "2025-10-15", "2025-10-16"} {
		if !hourly {
			stamps = append(stamps, day)
			continue
		}
		for _, hour := range []string{"10:00:00", "13:00:00", "14:00:00"} {
			stamps = append(stamps, day+" "+hour)
		}
	}
	for _, symbol := range symbols {
		rows := []string{symbol}
		if hourly {
			rows[0] += " 60min"
		}
		for n, at := range stamps {
			low := number(85, 105, "low")
			high := low + number(0, 10, "range")
			bar := []string{fmt.Sprint(number(low, high, "open")), fmt.Sprint(high), fmt.Sprint(low), fmt.Sprint(number(low, high, "close")), fmt.Sprint(number(0, 30, "volume") * 100)}
			switch hole := number(0, 15, "hole"); {
			case n == 0:
			case hole == 0:
				bar[0] = "-"
			case hole == 1:
				bar[4] = "-"
			case hole == 2:
				continue
			}
			rows = append(rows, at+" "+strings.Join(bar, " "))
		}
		series = append(series, strings.Join(rows, ", "))
	}
	c.cash = fmt.Sprint(number(1, 200, "cash") * 500)
	amounts := []int{1, 3, 10, 40}
	for range number(1, 25, "orders") {
		at := rapid.SampledFrom(stamps).Draw(t, "at")
		if number(0, 7, "cancels") == 0 {
			c.orders = append(c.orders, fmt.Sprintf("%s: cancel %d", at, number(1, 12, "id")))
			continue
		}
		amount := rapid.SampledFrom(amounts).Draw(t, "amount")
		if c.in == market.CN {
			amount *= 100
		}
		text := fmt.Sprintf("%s: %s %d %s", at, rapid.SampledFrom([]string{"buy", "buy", "sell"}).Draw(t, "side"), amount, rapid.SampledFrom(symbols).Draw(t, "symbol"))
		if kind := rapid.SampledFrom([]string{"", "limit", "stop"}).Draw(t, "type"); kind != "" {
			text += fmt.Sprintf(" %s %d", kind, number(84, 116, "price"))
		}
		c.orders = append(c.orders, text+rapid.SampledFrom([]string{"", " gtc"}).Draw(t, "until"))
	}
	slices.SortStableFunc(c.orders, func(a, b string) int { return strings.Compare(a[:10], b[:10]) })
	return c, series
}

// Whatever is ordered: money and holdings are exact, nothing is kept for two orders or spent twice, what was filled could be bought in its
// bar, each order ends once, the ledger is the same whenever it is settled, and it verifies.
func TestOpenOrders_Any(t *testing.T) {
	did := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		c, series := anyScene(rt)
		p := candles(t, series...)
		rows, _ := c.play(t, p, true)
		if again, _ := c.play(t, p, false); !slices.Equal(rows, again) {
			rt.Fatalf("settled at the end alone\n%s\nand each day\n%s", strings.Join(again, "\n"), strings.Join(rows, "\n"))
		}
		left := map[int64]decimal.Decimal{} // of the orders that wait
		filled := barVolumes{}
		var before Record
		for i, row := range rows {
			r, err := ParseLine([]byte(row))
			if err != nil {
				rt.Fatal(err)
			}
			if i > 0 {
				soundRow(rt, p, c.under(t), before, r, left)
				filled.row(rt, p, c.under(t), r)
			}
			did[strings.TrimSuffix(fmt.Sprint(r.Action, " ", r.At != "", " ", r.Of != 0), " ")]++
			before = r
		}
		for _, prices := range []*market.Prices{p, nil} {
			if report, err := Verify(linesIn(rows), prices); err != nil || len(report.Findings) > 0 {
				rt.Fatalf("%v, %v\n%s", report.Findings, err, strings.Join(rows, "\n"))
			}
		}
	})
	t.Logf("%v", did)
}

// soundRow holds a row against the one before it, computed by itself.
func soundRow(t *rapid.T, p *market.Prices, rules Rules, before, r Record, left map[int64]decimal.Decimal) {
	fail := func(format string, args ...any) {
		t.Helper()
		t.Fatalf("%s\n%s\n%s", fmt.Sprintf(format, args...), before.Line(), r.Line())
	}
	cash, held := before.Cash(), before.Positions.Amount(r.Symbol)
	if r.Traded() {
		value := r.Price.Decimal.Mul(r.Amount)
		if r.sells() {
			cash, held = cash.Add(value), held.Sub(r.Amount)
		} else {
			cash, held = cash.Sub(value), held.Add(r.Amount)
		}
		cash = cash.Sub(r.Fees)
	}
	if !cash.Equal(r.Cash()) || !held.Equal(r.Positions.Amount(r.Symbol)) {
		fail("%s of cash and %s of the symbol are left", cash, held)
	}
	kept := map[string]decimal.Decimal{}
	for _, o := range r.Orders {
		if o.Action == Buy {
			kept[Cash] = kept[Cash].Add(o.Reserved)
		} else {
			kept[o.Symbol] = kept[o.Symbol].Add(o.Amount)
		}
	}
	for symbol, n := range kept {
		if n.IsNegative() || n.GreaterThan(r.Positions.Amount(symbol)) {
			fail("%s of %s is kept", n, symbol)
		}
	}
	if r.Cash().IsNegative() || r.Date < before.Date {
		fail("cash or date")
	}
	if rules.KeepsBought() && r.sells() && before.Bought != nil && cmpDay(before) == cmpDay(r) &&
		r.Positions.Amount(r.Symbol).LessThan(before.Bought.Amount(r.Symbol)) {
		fail("sold what was bought on the day")
	}
	switch {
	case r.Action == Place:
		left[r.ID] = r.Amount
	case r.Of != 0:
		open, is := left[r.Of]
		if !is || r.Amount.GreaterThan(open) || !r.Traded() && !r.Amount.Equal(open) {
			fail("%s of the order is open", open)
		}
		if left[r.Of] = open.Sub(r.Amount); left[r.Of].IsZero() {
			delete(left, r.Of)
		}
	}
	if len(left) != len(r.Orders) {
		fail("%d orders are open", len(left))
	}
	if r.Traded() && r.Of != 0 {
		n := before.Orders.index(r.Of)
		inItsBar(fail, p, rules, before.Orders[n], r)
	}
}

// barVolumes are what was filled of a symbol in a bar.
type barVolumes map[string]decimal.Decimal

// row counts a row, and holds what was filled in its bar against the cap: of the last bar's volume at an open, of its own once it is over.
func (b barVolumes) row(t *rapid.T, p *market.Prices, rules Rules, r Record) {
	bar := r.On()
	if r.Traded() {
		b[r.Symbol+string(bar)] = b[r.Symbol+string(bar)].Add(r.Amount)
	}
	for _, in := range r.Filled {
		for _, f := range in.Amounts {
			if !b[f.Symbol+string(in.Bar)].Equal(f.Amount) || in.Bar.Day() != bar.Day() {
				t.Fatalf("%s of %s were filled in %s\n%s", b[f.Symbol+string(in.Bar)], f.Symbol, in.Bar, r.Line())
			}
		}
	}
	if rules.volumeCap.IsZero() != (len(r.Filled) == 0) && r.Traded() {
		t.Fatalf("fills of a bar are counted under a cap alone\n%s", r.Line())
	}
	if rules.volumeCap.IsZero() || !r.Traded() {
		return
	}
	bars, _, err := p.AsOf("2026-01-01").Bars(r.Symbol, "", bar, 1000)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(bars, func(a, b market.Bar) int { return strings.Compare(string(a.Stamp), string(b.Stamp)) })
	of := bars[len(bars)-1]
	if r.At == "" {
		of = bars[len(bars)-2]
	}
	if most := of.Volume.Decimal.Mul(rules.volumeCap); !of.Volume.Valid || b[r.Symbol+string(bar)].GreaterThan(most) {
		t.Fatalf("%s of %s are filled in %s, and the cap is %s\n%s", b[r.Symbol+string(bar)], r.Symbol, bar, most, r.Line())
	}
}

// cmpDay is the day of a record for T+1.
func cmpDay(r Record) market.Stamp {
	if r.At != "" {
		return r.At.Day()
	}
	return r.Date.Day()
}

// inItsBar checks that a fill was possible in its bar.
func inItsBar(fail func(string, ...any), p *market.Prices, rules Rules, o OpenOrder, r Record) {
	at := r.At
	if at == "" {
		at = r.Date
	}
	bar, err := p.AsOf("2026-01-01").Bar(r.Symbol, at)
	price := r.Price.Decimal
	if err != nil || !bar.Open.Valid || at < o.Placed || rules.NextOpen() && at == o.Placed {
		fail("bar %+v, %v", bar, err)
		return
	}
	if o.Type != LimitOrder { // without what the slippage took
		worst := rules.slippage.Fill(r.Action.side(), bar.High.Decimal)
		if r.sells() {
			worst = rules.slippage.Fill(r.Action.side(), bar.Low.Decimal)
		}
		if r.Buys() && price.GreaterThan(worst) || r.sells() && price.LessThan(worst) {
			fail("no such price in %+v", bar)
		}
	} else if r.Buys() && price.GreaterThan(o.Limit) || r.sells() && price.LessThan(o.Limit) || price.GreaterThan(bar.High.Decimal) && r.At != "" && r.sells() ||
		price.LessThan(bar.Low.Decimal) && r.At != "" && r.Buys() {
		fail("beyond the limit in %+v", bar)
	}
	if r.At == "" && !price.Equal(rules.fillsAt(Order{Action: r.Action}, bar.Open.Decimal)) && o.Type != LimitOrder || r.At == "" && o.Type == LimitOrder && !price.Equal(bar.Open.Decimal) {
		fail("not the open of %+v", bar)
	}
	if r.At != "" && bar.Volume.Valid && bar.Volume.Decimal.IsZero() {
		fail("no volume in %+v", bar)
	}
}

// Events are committed once and in order, whoever settles: each store has the ledger of one settler after four did at once.
func TestAccounts_SettleTogether(t *testing.T) {
	c := scene{cash: "100000", bars: "NVDA, 2025-10-01 100 101 99 100 1000, 2025-10-02 100 102 94 96 1000, 2025-10-03 96 97 90 91 1000"}
	for n := range 12 {
		c.orders = append(c.orders, fmt.Sprintf("2025-10-01: buy 1 NVDA limit %d gtc", 90+n))
	}
	c.orders = append(c.orders, "2025-10-01: buy 1 NVDA limit 80", "2025-10-01: buy 1 NVDA stop 102 gtc")
	p := candles(t, c.bars)
	want, refused := c.play(t, p, false)
	if len(refused) > 0 || len(want) < 25 {
		t.Fatal(refused, len(want))
	}
	o, err := redisstore.Options("redis://" + testenv.StartRedis(t))
	if err != nil {
		t.Fatal(err)
	}
	var tokens atomic.Int64
	r := redisstore.New(redisstore.Config{Options: o, Warn: func(w string) { t.Log(w) }, NewToken: func() string { return fmt.Sprint("token-", tokens.Add(1)) }})
	t.Cleanup(func() { _ = r.Close() })
	for name, s := range map[string]store.Ledgers{"files": scenes(t), "Redis": r} {
		a := NewAccounts(s)
		if _, err := a.RegisterUnder(t.Context(), "a", dec(c.cash), "2025-09-30", c.under(t)); err != nil {
			t.Fatal(err)
		}
		for _, text := range c.orders {
			on, o, _ := strings.Cut(text, ": ")
			if _, err := a.Submit(t.Context(), "a", termsOrder(o), p.AsOf(market.Stamp(on))); err != nil {
				t.Fatal(err)
			}
		}
		var settlers sync.WaitGroup
		settled := make([]int, 4)
		for n := range settled {
			settlers.Go(func() {
				records, err := NewAccounts(s).Settle(t.Context(), "a", p.AsOf("2025-10-04"))
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
				settled[n] = len(records)
			})
		}
		settlers.Wait()
		if got := lines(t, s); !slices.Equal(got, want) {
			t.Errorf("%s: settled together\n%s\nalone\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if all := settled[0] + settled[1] + settled[2] + settled[3]; all != len(want)-1-len(c.orders) {
			t.Errorf("%s: %v events were told of, in a ledger of %d rows", name, settled, len(want))
		}
	}
}

// An order that waits is placed once, under its id, and an order that cannot be the first is refused.
func TestAccounts_PlacingAgain(t *testing.T) {
	s, p := opened(t, "1000"), candles(t, "NVDA, 2025-10-01 100 101 99 100 1000, 2025-10-02 100 102 94 96 1000")
	a := NewAccounts(s)
	o := with("o-1", termsOrder("buy 2 NVDA limit 95 gtc"))
	first := mustSubmit(t, a, p, "2025-10-01", o)
	if again := mustSubmit(t, NewAccounts(s), p, "2025-10-01", o); first.Action != Place || first.Replayed || !again.Replayed || string(again.Line()) != string(first.Line()) {
		t.Errorf("%+v, then %+v", first, again)
	}
	for _, other := range []string{"buy 2 NVDA", "buy 2 NVDA limit 94 gtc", "buy 2 NVDA limit 95", "sell 2 NVDA limit 95 gtc", "buy 2 NVDA stop 95 gtc"} {
		if fill, err := submit(t, a, p, "2025-10-01", with("o-1", termsOrder(other))); err == nil || !strings.HasPrefix(outcome(fill.Record, err), "order_id_reused") {
			t.Errorf("%s: %+v, %v", other, fill, err)
		}
	}
	if rec, err := a.Preview(t.Context(), "a", termsOrder("buy 1 NVDA"), p.AsOf("2025-10-03")); err == nil || len(lines(t, s)) != 2 {
		t.Errorf("%+v, %v", rec, err)
	}
	for try, replayed := range []bool{false, true} {
		fill, err := a.Cancel(t.Context(), "a", 1, "c-1", p.AsOf("2025-10-01"))
		if err != nil || fill.Action != Cancel || fill.Replayed != replayed || len(fill.Orders) > 0 || len(lines(t, s)) != 3 {
			t.Errorf("try %d: %+v, %v", try, fill, err)
		}
	}
	if fill, err := a.Cancel(t.Context(), "a", 1, "c-2", p.AsOf("2025-10-01")); err == nil || !strings.HasPrefix(outcome(fill.Record, err), "invalid_argument: The order 1 does not wait") {
		t.Errorf("%+v, %v", fill, err)
	}
}
