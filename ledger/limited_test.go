package ledger

// Tests of limits at the commit: what each refuses, what would fit, and what stands in the records.

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/market"
	"mcp-trade/store"
)

// limitedBy returns the accounts of a store under limits of all of them.
func limitedBy(t *testing.T, s store.Ledgers, text string) *Accounts {
	t.Helper()
	l, err := ParseAccountLimits([]byte(`{"all": ` + text + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return NewAccounts(s).Limited(l)
}

// refusedBy says which limit refuses an order, what it would make of it and what fits: "max_positions 2, at most 0".
func refusedBy(err error) string {
	refusal, ok := errors.AsType[*Refusal](err)
	if !ok || refusal.Code() != code.LimitExceeded {
		return fmt.Sprint(err)
	}
	d := refusal.Details()
	text := fmt.Sprintf("%s %s", d["limit"], d["would_be"])
	if d["max_amount"] != nil {
		text += fmt.Sprintf(", at most %s", d["max_amount"])
	}
	return text
}

// Each account begins with 1000 on 2025-10-01; A opens at 10, 12, 14, 16, 18 and closes at 11, 13, 15, 17. See valueMarket.
func TestAccounts_Submit_Limits(t *testing.T) {
	p := valuePrices(t)
	for _, c := range []struct {
		name, limits string
		orders       string // date and order each; those before the last one are filled
		want         string // what becomes of the last one
	}{
		{"a day in which nothing is traded", `{"no_trade": [{"from": "2025-10-02", "to": "2025-10-03"}]}`, "2025-10-02 buy 1 A", "no_trade null, at most 0"},
		{"nor sold", `{"no_trade": [{"from": "2025-10-02", "to": "2025-10-03"}]}`, "2025-10-01 buy 1 A; 2025-10-02 sell 1 A", "no_trade null"},
		{"the day after it", `{"no_trade": [{"from": "2025-10-02", "to": "2025-10-03"}]}`, "2025-10-06 buy 1 A", "filled"},
		{"a symbol that is not allowed", `{"allowed_symbols": ["DEAD"]}`, "2025-10-01 buy 1 A", "allowed_symbols null, at most 0"},
		{"one that is", `{"allowed_symbols": ["a"]}`, "2025-10-01 buy 1 A", "filled"},
		{"a barred symbol", `{"barred_symbols": ["a"]}`, "2025-10-01 buy 1 A", "barred_symbols null, at most 0"},
		{"a purchase of too little", `{"min_order_value": 50}`, "2025-10-01 buy 4 A", "min_order_value 40, at most 100"},
		{"of enough", `{"min_order_value": 50}`, "2025-10-01 buy 5 A", "filled"},
		{"a sale of little", `{"min_order_value": 50}`, "2025-10-01 buy 5 A; 2025-10-01 sell 1 A", "filled"},
		{"a purchase of too much", `{"max_order_value": 55}`, "2025-10-01 buy 6 A", "max_order_value 60, at most 5"},
		{"as a part of equity", `{"max_order_value": "5%"}`, "2025-10-01 buy 6 A", `max_order_value "6%", at most 5`},
		{"to the cent", `{"max_order_value": 50}`, "2025-10-01 buy 5 A", "filled"},
		{"too many shares", `{"max_order_quantity": 3.5}`, "2025-10-01 buy 4 A", "max_order_quantity 4, at most 3"},
		{"too much of a symbol", `{"max_symbol_share": "25%"}`, "2025-10-01 buy 20 A; 2025-10-01 buy 6 A", `max_symbol_share "26%", at most 5`},
		{"as it is worth today", `{"max_symbol_share": "25%"}`, "2025-10-01 buy 25 A; 2025-10-02 buy 1 A", `max_symbol_share "29.7143%", at most 0`},
		{"too much in all", `{"max_holdings_share": "60%"}`, "2025-10-01 buy 30 A; 2025-10-01 buy 7 DEAD", `max_holdings_share "65%", at most 6`},
		{"too many symbols", `{"max_positions": 1}`, "2025-10-01 buy 1 A; 2025-10-01 buy 1 DEAD", "max_positions 2, at most 0"},
		{"more of one that is held", `{"max_positions": 1}`, "2025-10-01 buy 1 A; 2025-10-01 buy 1 A", "filled"},
		{"too many orders", `{"max_orders_a_day": 2}`, "2025-10-01 buy 1 A; 2025-10-01 sell 1 A; 2025-10-01 buy 1 A", "max_orders_a_day 3, at most 0"},
		{"a sale is not trapped by them", `{"max_orders_a_day": 1}`, "2025-10-01 buy 1 A; 2025-10-01 sell 1 A", "filled"},
		{"another day has its own", `{"max_orders_a_day": 1}`, "2025-10-01 buy 1 A; 2025-10-02 buy 1 A", "filled"},
		{"too much turnover", `{"max_turnover_a_day": 150}`, "2025-10-01 buy 10 A; 2025-10-01 sell 4 A; 2025-10-01 buy 2 A", "max_turnover_a_day 160, at most 1"},
		{"as a part of the equity before", `{"max_turnover_a_day": "15%"}`, "2025-10-01 buy 14 A; 2025-10-01 buy 2 A", `max_turnover_a_day "16%", at most 1`},
		{"too little cash", `{"min_cash": 900}`, "2025-10-01 buy 11 A", "min_cash 890, at most 10"},
		{"as a part", `{"min_cash": "90%"}`, "2025-10-01 buy 11 A", `min_cash "89%", at most 10`},
	} {
		a := limitedBy(t, opened(t, "1000"), c.limits)
		orders := strings.Split(c.orders, "; ")
		for i, text := range orders {
			at, o := market.Stamp(text[:10]), text[11:]
			_, err := submit(t, a, p, at, order(o))
			_, previewed := a.Preview(t.Context(), "a", order(o), p.AsOf(at))
			got := "filled"
			if err != nil {
				got = refusedBy(err)
				if refusedBy(previewed) != got {
					t.Errorf("%s: a trial run says %s, the order %s", c.name, refusedBy(previewed), got)
				}
			}
			want := "filled"
			if i == len(orders)-1 {
				want = c.want
			}
			if got != want {
				t.Errorf("%s: %s: %s, not %s", c.name, text, got, want)
			}
		}
	}
}

// fallMarket falls over night: F closes at 100, opens at 80, 85 and 96.
const fallMarket = `{"Meta Data": {"2. Symbol": "F"}, "Time Series (Daily)": {"2025-10-01": {"1. open": "100", "4. close": "100"},
	"2025-10-02": {"1. open": "80", "4. close": "90"}, "2025-10-03": {"1. open": "85", "4. close": "95"}, "2025-10-06": {"1. open": "96", "4. close": "96"}}}
{"Meta Data": {"2. Symbol": "GONE"}, "Time Series (Daily)": {"2025-10-01": {"1. open": "1"}}}
`

// After a loss and below the peak nothing is bought, and all can be sold.
func TestAccounts_Submit_Stops(t *testing.T) {
	p := pricesOf(t, fallMarket)
	for _, c := range []struct {
		limits string
		want   []string // of a purchase on each of four days, after 5 F were bought on the first of them
	}{
		{`{"max_loss_a_day": 100}`, []string{"filled", "max_loss_a_day 100, at most 0", "filled", "filled"}},
		{`{"max_loss_a_day": "10%"}`, []string{"filled", `max_loss_a_day "10%", at most 0`, "filled", "filled"}},
		{`{"max_loss_a_day": 101}`, []string{"filled", "filled", "filled", "filled"}},
		{`{"max_drawdown": "5%"}`, []string{"filled", `max_drawdown "10%", at most 0`, `max_drawdown "7.5%", at most 0`, "filled"}},
	} {
		s := opened(t, "1000")
		a := limitedBy(t, s, c.limits)
		mustSubmit(t, a, p, "2025-10-01", order("buy 4 F"))
		for i, day := range []market.Stamp{"2025-10-01", "2025-10-02", "2025-10-03", "2025-10-06"} {
			got := "filled"
			if _, err := submit(t, a, p, day, order("buy 1 F")); err != nil {
				got = refusedBy(err)
			}
			if got != c.want[i] {
				t.Errorf("%s on %s: %s, not %s", c.limits, day, got, c.want[i])
			}
			mustSubmit(t, a, p, day, order("sell 1 F"))
			mustSubmit(t, NewAccounts(s), p, day, order("buy 1 F")) // of nobody's limits: the counts go on
		}
	}
}

func TestAccounts_Submit_UnknownEquity(t *testing.T) {
	p := pricesOf(t, strings.ReplaceAll(fallMarket, `"GONE"}, "Time Series (Daily)": {"2025-10-01": {"1. open": "1"}}`, `"GONE"}, "Time Series (Daily)": {"2025-10-02": {"1. open": "1"}}`))
	s := fileStore(t)
	first := Record{Date: "2025-10-01", Positions: positions("CASH 1000, LOST 5"), Rules: DefaultRules().text()}
	if err := NewAccounts(s).Open(t.Context(), "a", first); err != nil {
		t.Fatal(err)
	}
	for _, limits := range []string{`{"max_symbol_share": "50%"}`, `{"max_loss_a_day": 10}`, `{"max_drawdown": "10%"}`, `{"min_cash": "10%"}`, `{"max_turnover_a_day": "10%"}`} {
		_, err := submit(t, limitedBy(t, s, limits), p, "2025-10-02", order("buy 1 F"))
		if refusal, ok := errors.AsType[*Refusal](err); !ok || !strings.Contains(refusedBy(err), " null, at most 0") || fmt.Sprint(refusal.Details()["unpriced"]) != "[LOST]" || !strings.Contains(err.Error(), "without a price of LOST") {
			t.Errorf("%s: %v", limits, err)
		}
	}
	mustSubmit(t, limitedBy(t, s, `{"max_order_value": 100, "max_positions": 3, "min_cash": 10}`), p, "2025-10-02", order("buy 1 F"))
}

func TestAccounts_Submit_LimitState(t *testing.T) {
	p, s := pricesOf(t, fallMarket), opened(t, "1000")
	mustSubmit(t, NewAccounts(s), p, "2025-10-01", order("buy 1 F"))
	a := limitedBy(t, s, `{"max_orders_a_day": 5}`)
	hash := a.Limits("a").Hash()
	mustSubmit(t, a, p, "2025-10-01", order("buy 4 F")) // where it begins
	mustSubmit(t, a, p, "2025-10-01", order("sell 1 F"))
	mustSubmit(t, a, p, "2025-10-03", order("buy 1 F"))
	mustSubmit(t, NewAccounts(s), p, "2025-10-06", order("sell 5 F"))
	if err := a.CloseDay(t.Context(), "a", p.AsOf("2025-10-07")); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range lines(t, s) {
		r, err := ParseLine([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.ReplaceAll(r.Limits.String(), hash, "HASH"))
	}
	want := []string{
		"none", "none",
		`{"hash": "HASH", "orders": 1, "turnover": 400, "day_start": 1000, "peak": 1000}`,
		`{"hash": "HASH", "orders": 2, "turnover": 500, "day_start": 1000, "peak": 1000}`,
		`{"hash": "HASH", "orders": 1, "turnover": 85, "day_start": 960, "peak": 1000}`,
		`{"orders": 1, "turnover": 480, "day_start": 990, "peak": 1000}`,
		`{"hash": "HASH", "orders": 0, "turnover": 0, "day_start": 995, "peak": 1000}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	verifyLimits(t, p, s, a)
}

// verifyLimits wants a ledger to be verified, and every change of what its limits count to be found.
func verifyLimits(t *testing.T, p *market.Prices, s store.Ledgers, a *Accounts) {
	t.Helper()
	rows := lines(t, s)
	verify := func(rows []string, l *Limits) Report {
		v := NewVerifier(p)
		v.Under(l)
		report, err := v.Verify(linesOf(strings.Join(rows, "\n") + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	of := a.Limits("a")
	if r := verify(rows, nil); r.Failed() || r.Unlimited != 0 {
		t.Errorf("%v", r.Findings)
	}
	if r := verify(rows, &of); r.Failed() || r.Unlimited != 1 {
		t.Errorf("%d rows of other limits, %v", r.Unlimited, r.Findings)
	}
	tight, err := ParseLimits("all", []byte(`{"max_order_quantity": 3}`))
	if err != nil {
		t.Fatal(err)
	}
	if r := verify(rows, &tight); r.Counts[OverLimit] != 1 || r.Unlimited != 5 {
		t.Errorf("under tighter limits: %d rows, %v", r.Unlimited, r.Findings)
	}
	for old, forged := range map[string]string{
		`"orders": 2`: `"orders": 1`, `"turnover": 500`: `"turnover": 400`, `"day_start": 960`: `"day_start": 900`, `"peak": 1000}`: `"peak": 999}`, `, "peak": 1000`: ``,
		`, "limits": {"orders": 1, "turnover": 480, "day_start": 990, "peak": 1000}`: ``,
	} {
		changed := slices.Clone(rows)
		i := slices.IndexFunc(changed, func(row string) bool { return strings.Contains(row, old) })
		changed[i] = strings.Replace(changed[i], old, forged, 1)
		if r := verify(rechained(t, changed), nil); r.Counts[LimitsDiffer] == 0 {
			t.Errorf("%s forged as %q is not found: %v", old, forged, r.Findings)
		}
	}
}

// A market of three symbols in each of three markets over some days, whose prices the test knows.
type limitMarket struct {
	opens, closes map[string]map[market.Stamp]decimal.Decimal
	days          []market.Stamp
	prices        *market.Prices
}

func newLimitMarket(t *testing.T) limitMarket {
	m := limitMarket{opens: map[string]map[market.Stamp]decimal.Decimal{}, closes: map[string]map[market.Stamp]decimal.Decimal{}}
	for n := range 12 {
		if day := market.Stamp("2025-09-01").AddDays(n); n%7 < 5 {
			m.days = append(m.days, day)
		}
	}
	var text strings.Builder
	for i, symbol := range []string{"A", "B", "C", "600000.SH", "688001.SH", "300001.SZ", "BTC-USDT", "SOL-USDT", "XRP-USDT"} {
		m.opens[symbol], m.closes[symbol] = map[market.Stamp]decimal.Decimal{}, map[market.Stamp]decimal.Decimal{}
		bars := map[market.Stamp]map[string]string{}
		for j, day := range m.days {
			open := decimal.NewFromInt(int64(20 + 13*i + (j*j*7+i*5)%11)).Shift(-1)
			m.opens[symbol][day], m.closes[symbol][day] = open, open.Mul(decimal.New(int64(95+(3*i+5*j)%10), -2))
			bars[day] = map[string]string{"1. open": open.String(), "4. close": m.closes[symbol][day].String()}
		}
		line, err := json.Marshal(map[string]any{"Meta Data": map[string]string{"2. Symbol": symbol}, "Time Series (Daily)": bars})
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(line, '\n'))
	}
	m.prices = pricesOf(t, text.String())
	return m
}

// closeBefore is the last close of a symbol before a day.
func (m limitMarket) closeBefore(symbol string, day market.Stamp) decimal.Decimal {
	i, _ := slices.BinarySearch(m.days, day)
	return m.closes[symbol][m.days[i-1]]
}

// equity is what a book is worth at the opens of a day, and on a weekend at the closes before it.
func (m limitMarket) equity(p Positions, day market.Stamp) decimal.Decimal {
	total := p.Amount(Cash)
	for _, h := range p.Holdings() {
		price, opens := m.opens[h.Symbol][day]
		if !opens {
			price = m.closeBefore(h.Symbol, day)
		}
		total = total.Add(h.Amount.Mul(price))
	}
	return total
}

// drawLimits draws limits of one to four keys.
func drawLimits(t *rapid.T) Limits {
	money := func(name string) string { return fmt.Sprint(rapid.Int64Range(1, 12_000).Draw(t, name)) }
	part := func(name string) string { return fmt.Sprintf(`"%d%%"`, rapid.Int64Range(1, 99).Draw(t, name)) }
	values := map[string]func() string{
		"min_order_value":    func() string { return fmt.Sprint(rapid.Int64Range(1, 400).Draw(t, "least")) },
		"max_order_value":    func() string { return rapid.SampledFrom([]func(string) string{money, part}).Draw(t, "kind")("most") },
		"max_order_quantity": func() string { return money("quantity") }, "max_symbol_share": func() string { return part("symbol") },
		"max_holdings_share": func() string { return part("holdings") }, "max_positions": func() string { return fmt.Sprint(rapid.IntRange(1, 3).Draw(t, "positions")) },
		"max_orders_a_day": func() string { return fmt.Sprint(rapid.IntRange(1, 4).Draw(t, "orders")) },
		"max_turnover_a_day": func() string {
			return rapid.SampledFrom([]func(string) string{money, part}).Draw(t, "kind")("turnover")
		},
		"min_cash":       func() string { return rapid.SampledFrom([]func(string) string{money, part}).Draw(t, "kind")("cash") },
		"max_loss_a_day": func() string { return part("loss") }, "max_drawdown": func() string { return part("drawdown") },
	}
	keys := slices.Sorted(func(yield func(string) bool) {
		for key := range values {
			if !yield(key) {
				return
			}
		}
	})
	var parts []string
	for _, key := range rapid.SliceOfNDistinct(rapid.SampledFrom(keys), 1, 4, rapid.ID[string]).Draw(t, "keys") {
		parts = append(parts, fmt.Sprintf(`"%s": %s`, key, values[key]()))
	}
	l, err := ParseLimits("all", []byte("{"+strings.Join(parts, ", ")+"}"))
	if err != nil {
		return drawLimits(t) // they contradict each other
	}
	return l
}

// Random orders under random limits: no limit is exceeded, by a computation of the test's own, and max_amount is the most that fits.
func TestLimits_NeverExceeded(t *testing.T) {
	m := newLimitMarket(t)
	bySymbol := map[market.ID][]string{market.US: {"A", "B", "C"}, market.CN: {"600000.SH", "688001.SH", "300001.SZ"}, market.Crypto: {"BTC-USDT", "SOL-USDT", "XRP-USDT"}}
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.SampledFrom([]market.ID{market.US, market.CN, market.Crypto}).Draw(t, "market")
		r := costing(t, id, rapid.SampledFrom([]string{`"none"`, `"real"`, `{"fees": [{"name": "x", "rate": 0.0031, "per_order": 0.3, "minimum": 2, "round": "up"}]}`}).Draw(t, "costs"),
			rapid.SampledFrom([]string{"none", "7bps"}).Draw(t, "slippage"))
		l := drawLimits(t)
		r.limits = l
		book := Book{Date: m.days[0], Positions: Positions{{Cash, decimal.NewFromInt(10_000)}}}
		w := limitWitness{m: m, l: l}
		for range rapid.IntRange(1, 25).Draw(t, "orders") {
			day := book.Date
			if i := slices.Index(m.days, day); i+1 < len(m.days) && rapid.IntRange(0, 3).Draw(t, "next") == 0 {
				day = m.days[i+1]
			}
			o := Order{Action: rapid.SampledFrom([]Action{Buy, Buy, Sell}).Draw(t, "action"), Symbol: rapid.SampledFrom(bySymbol[id]).Draw(t, "symbol")}
			unit := r.unit(o.Symbol, day)
			o.Amount = unit.Least.Add(unit.Step.Mul(decimal.NewFromInt(rapid.Int64Range(0, 60).Draw(t, "steps"))))
			if id == market.Crypto {
				o.Amount = o.Amount.Mul(decimal.NewFromInt(rapid.Int64Range(1, 20_000).Draw(t, "coins")))
			}
			v := m.prices.AsOf(day)
			try := func(amount decimal.Decimal) (Record, error) {
				o := o
				o.Amount = amount
				return evaluate(book, o, v, r)
			}
			rec, err := try(o.Amount)
			if refusal, ok := errors.AsType[*Refusal](err); ok && refusal.code == code.LimitExceeded {
				if o.Action == Sell {
					t.Fatalf("a sale is refused: %v", err)
				}
				most := refusal.details["max_amount"].(decimal.Decimal)
				more := most.Add(unit.Step)
				if most.IsZero() {
					more = unit.Least
				}
				if _, err := try(most); most.IsPositive() && err != nil {
					t.Fatalf("%s under %s: max_amount %s does not fit: %v", o.Symbol, l, most, err)
				}
				if _, err := try(more); err == nil {
					t.Fatalf("%s under %s: max_amount is %s, and %s fits", o.Symbol, l, most, more)
				}
			}
			if err != nil {
				continue
			}
			w.wants(t, book, rec)
			book = rec.book(rec.Line())
			book.Rules = r.text()
		}
	})
}

// Orders of every kind that wait keep the limits when they are filled, at an open, and end only where their fill would break the one that is named.
func TestLimits_NeverExceeded_Waiting(t *testing.T) {
	m := newLimitMarket(t)
	saw := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		r := costing(t, market.US, `"none"`, "none")
		if rapid.Bool().Draw(t, "next open") {
			var err error
			if r, err = r.With(fillKey, fillNextOpen); err != nil {
				t.Fatal(err)
			}
		}
		r.limits = drawLimits(t)
		book := Book{Date: m.days[0], Positions: Positions{{Cash, decimal.NewFromInt(10_000)}}, Rules: r.text()}
		w := limitWitness{m: m, l: r.limits}
		take := func(rec Record) {
			if name, is := strings.CutPrefix(rec.Why, "The operator's limit "); rec.Action == Expire && is {
				key, _, _ := strings.Cut(name, " ")
				w.ends(t, book, rec, key)
				saw["ended"]++
			} else {
				w.wants(t, book, rec)
			}
			if rec.Traded() && rec.Of != 0 {
				saw["filled"]++
			}
			book = rec.book(rec.Line())
			book.Rules = r.text()
		}
		for n, day := range m.days {
			v := m.prices.AsOf(day)
			_, events, err := r.Due(book, v)
			if err != nil {
				t.Fatal(err)
			}
			for _, event := range events {
				take(event)
			}
			if n == len(m.days)-1 {
				return
			}
			for range rapid.IntRange(0, 4).Draw(t, "orders") {
				o := Order{Action: rapid.SampledFrom([]Action{Buy, Buy, Sell}).Draw(t, "action"), Symbol: rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "symbol")}
				o.Amount = decimal.NewFromInt(rapid.Int64Range(1, 700).Draw(t, "amount"))
				price := m.opens[o.Symbol][day].Mul(decimal.New(rapid.Int64Range(80, 120).Draw(t, "price"), -2)).Round(2)
				switch o.Type = rapid.SampledFrom([]OrderType{MarketOrder, LimitOrder, StopOrder}).Draw(t, "type"); o.Type {
				case LimitOrder:
					o.Limit = price
				case StopOrder:
					o.Stop = price
				}
				o.Until = rapid.SampledFrom([]Until{Day, GTC}).Draw(t, "until")
				rec, err := evaluate(book, o, v, r)
				if _, refused := errors.AsType[*Refusal](err); refused {
					continue
				}
				if err == nil {
					rec, err = r.counted(book, rec, v)
				}
				if err != nil {
					t.Fatal(err)
				}
				take(rec)
			}
		}
	})
	if saw["filled"] == 0 || saw["ended"] == 0 {
		t.Errorf("what was seen: %v", saw)
	}
}

// ends checks that the fill of an order that a limit ended would have broken it.
func (w *limitWitness) ends(t *rapid.T, before Book, rec Record, key string) {
	o := before.Orders[slices.IndexFunc(before.Orders, func(o OpenOrder) bool { return o.ID == rec.Of })]
	w.wants(t, before, rec)
	fill, would := rec, *w
	price := w.m.opens[o.Symbol][rec.Date]
	fill.Action, fill.Amount, fill.Price, fill.Positions = Buy, o.Amount, decimal.NewNullDecimal(price), Positions{}
	would.turnover = w.turnover.Add(price.Mul(o.Amount))
	for _, h := range before.Positions.Holdings() {
		if h.Symbol != o.Symbol {
			fill.Positions = append(fill.Positions, h)
		}
	}
	fill.Positions = append(fill.Positions, Position{o.Symbol, before.Positions.Amount(o.Symbol).Add(o.Amount)}, Position{Cash, before.Cash().Sub(price.Mul(o.Amount))})
	if is, broken := would.breaks(key, w.l.bounds[key], fill); o.Action != Buy || !broken {
		t.Fatalf("%s ended %s %s %s, which makes it %v", key, o.Action, o.Amount, o.Symbol, is)
	}
}

// limitWitness computes on its own what limits count.
type limitWitness struct {
	m                     limitMarket
	l                     Limits
	day                   market.Stamp
	orders                int64
	turnover, start, peak decimal.Decimal
}

func (w *limitWitness) wants(t *rapid.T, before Book, rec Record) {
	day := rec.Date
	if w.day != day {
		w.orders, w.turnover = 0, decimal.Zero
		w.start = w.m.equity(before.Positions, day)
		if before.Date != day {
			w.start = before.Cash()
			for _, h := range before.Positions.Holdings() {
				w.start = w.start.Add(h.Amount.Mul(w.m.closeBefore(h.Symbol, day)))
			}
		}
	}
	equity, value := w.m.equity(rec.Positions, day), rec.Price.Decimal.Mul(rec.Amount)
	w.day = day
	if rec.Asked() {
		w.orders++
	}
	if rec.Traded() {
		w.turnover = w.turnover.Add(value)
	}
	for _, x := range []decimal.Decimal{w.start, equity} {
		if x.GreaterThan(w.peak) {
			w.peak = x
		}
	}
	want := LimitState{w.l.Hash(), w.orders, w.turnover, decimal.NewNullDecimal(w.start), decimal.NewNullDecimal(w.peak)}
	if !rec.Limits.equal(&want) {
		t.Fatalf("the record counts %s, the test %s", rec.Limits, &want)
	}
	if rec.Action == Sell || !rec.Traded() {
		return
	}
	for key, b := range w.l.bounds {
		if rec.Of != 0 && (key == "min_order_value" || key == "max_orders_a_day") {
			continue // a fill is no further order, and need not be of a least value
		}
		if is, broken := w.breaks(key, b, rec); broken {
			t.Fatalf("%s %s is broken by %v: %s", key, b.JSON(), is, rec.Line())
		}
	}
}

// breaks tells whether a purchase breaks a limit, once it is counted, and what it makes of it.
func (w *limitWitness) breaks(key string, b Bound, rec Record) (is float64, broken bool) {
	equity, value := w.m.equity(rec.Positions, rec.Date), rec.Price.Decimal.Mul(rec.Amount)
	symbol := rec.Positions.Amount(rec.Symbol).Mul(w.m.opens[rec.Symbol][rec.Date])
	money, of, most := map[string]decimal.Decimal{
		"min_order_value": value, "max_order_value": value, "max_order_quantity": rec.Amount, "max_symbol_share": symbol, "max_holdings_share": equity.Sub(rec.Cash()),
		"max_positions": decimal.NewFromInt(int64(len(rec.Positions.Holdings()))), "max_orders_a_day": decimal.NewFromInt(w.orders), "max_turnover_a_day": w.turnover,
		"min_cash": rec.Cash(), "max_loss_a_day": w.start.Sub(equity), "max_drawdown": w.peak.Sub(equity),
	}[key], equity, b.N.InexactFloat64()
	switch key {
	case "max_turnover_a_day", "max_loss_a_day":
		of = w.start
	case "max_drawdown":
		of = w.peak
	}
	if is = money.InexactFloat64(); b.Part {
		is /= of.InexactFloat64()
	}
	const nearly = 1e-9
	least := strings.HasPrefix(key, "min")
	return is, least && is < most-nearly || !least && is > most+nearly
}

// An order that waits is held against the limits when it is placed and when it is filled; whoever verifies without the limits says so.
func TestLimits_OpenOrders(t *testing.T) {
	p := candles(t, "NVDA, 2025-10-01 100 101 99 100 1000, 2025-10-02 100 101 99 100 1000, 2025-10-03 96 97 90 94 1000", "AMD, 2025-10-01 50 51 49 50 1000, 2025-10-02 50 51 49 50 1000, 2025-10-03 50 51 49 50 1000")
	s := opened(t, "10000")
	a := limitedBy(t, s, `{"max_positions": 1, "max_order_value": 950, "max_orders_a_day": 3, "min_order_value": 40}`)
	if _, err := submit(t, a, p, "2025-10-01", termsOrder("buy 10 NVDA limit 95.5 gtc")); refusedBy(err) != "max_order_value 955, at most 9" {
		t.Error(err)
	}
	mustSubmit(t, a, p, "2025-10-01", termsOrder("buy 9 NVDA limit 95 gtc"))
	mustSubmit(t, a, p, "2025-10-01", termsOrder("buy 1 NVDA limit 98 gtc"))
	mustSubmit(t, a, p, "2025-10-01", order("buy 1 AMD")) // the last order of its day, and the one position
	if _, err := submit(t, a, p, "2025-10-01", termsOrder("buy 1 AMD limit 45 gtc")); refusedBy(err) != "max_orders_a_day 4, at most 0" {
		t.Error(err)
	}
	mustSubmit(t, a, p, "2025-10-03", order("sell 1 AMD"))
	if _, err := a.Settle(t.Context(), "a", p.AsOf("2025-10-04")); err != nil {
		t.Fatal(err)
	}
	const why = "The operator's limit max_positions 1 does not allow it: after a purchase so many symbols are held at most; the order would make it 2."
	want := []string{
		"order buy 9 NVDA on 2025-10-01", "order buy 1 NVDA on 2025-10-01", "buy 1 AMD at 50 on 2025-10-01",
		"expire buy 1 NVDA of 2 in 2025-10-03 on 2025-10-03: " + why, "sell 1 AMD at 50 on 2025-10-03", "buy 9 NVDA at 95 of 1 in 2025-10-03 on 2025-10-04",
	}
	var got []string
	for _, line := range lines(t, s)[1:] {
		r, err := ParseLine([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, deed(r))
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	of, other := a.Limits("a"), limitedBy(t, s, `{"max_positions": 2}`).Limits("a")
	for name, c := range map[string]struct {
		given     *Limits
		unlimited int
	}{"under its limits": {&of, 0}, "without limits": {nil, 1}, "under others": {&other, 6}} {
		v := NewVerifier(p)
		v.Under(c.given)
		if r, err := v.Verify(s.Lines(t.Context(), "a")); err != nil || r.Failed() || r.Unlimited != c.unlimited {
			t.Errorf("%s: %v, %d rows of other limits, %v", name, r.Findings, r.Unlimited, err)
		}
	}
	forged := lines(t, s)
	forged[4] = strings.Replace(forged[4], "The operator's limit", "Nobody's limit", 1)
	if r, _ := Verify(linesOf(strings.Join(rechained(t, forged), "\n")+"\n"), p); !r.Failed() {
		t.Error("an order that ended for no reason is not found")
	}
}
