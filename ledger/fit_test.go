package ledger

// Tests of how much of an order fills.

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/market"
)

func TestRules_Fit(t *testing.T) {
	for _, c := range []struct {
		name, before, bought, order, price, costs string
		of                                        market.ID
		want                                      string // the amount that fills, or the code of the refusal
	}{
		{"all of it", "CASH 1000", "", "buy 5 NVDA", "100", "", market.US, "5"},
		{"what the cash buys", "CASH 1000", "", "buy 50 NVDA", "100", "", market.US, "10"},
		{"what the cash buys with its fees", "CASH 1000", "", "buy 50 NVDA", "100", `{"fees": [{"name": "commission", "per_order": 1}]}`, market.US, "9"},
		{"whole shares", "CASH 1000", "", "buy 2.5 NVDA", "100", "", market.US, "2"},
		{"nothing at all", "CASH 99", "", "buy 5 NVDA", "100", "", market.US, "insufficient_cash"},
		{"what is held", "CASH 0, NVDA 3", "", "sell 5 NVDA", "100", "", market.US, "3"},
		{"what is not held", "CASH 0", "", "sell 5 NVDA", "100", "", market.US, "insufficient_position"},
		{"whole lots", "CASH 900000", "", "buy 350 600519.SH", "1460", "", market.CN, "300"},
		{"less than a lot", "CASH 900000", "", "buy 50 600519.SH", "1460", "", market.CN, "lot_size"},
		{"STAR, one by one from 200 on", "CASH 40000", "", "buy 400 688981.SH", "131.07", "", market.CN, "305"},
		{"STAR, less than 200", "CASH 20000", "", "buy 400 688981.SH", "131.07", "", market.CN, "insufficient_cash"},
		{"Beijing", "CASH 900000", "", "buy 101 920002.BJ", "18.88", "", market.CN, "101"},
		{"an odd rest with all", "CASH 0, 600519.SH 237", "", "sell 400 600519.SH", "1460", "", market.CN, "237"},
		{"no part of an odd rest", "CASH 0, 600519.SH 237", "", "sell 50 600519.SH", "1460", "", market.CN, "lot_size"},
		{"what was held before today", "CASH 0, 600519.SH 300", "600519.SH 100", "sell 300 600519.SH", "1460", "", market.CN, "200"},
		{"all of it bought today", "CASH 0, 600519.SH 100", "600519.SH 100", "sell 100 600519.SH", "1460", "", market.CN, "t_plus_1"},
		{"at the upper limit", "CASH 900000", "", "buy 100 600519.SH", "1606", "", market.CN, "price_limit"},
		{"the largest order", "CASH 0, 601398.SH 3000000", "", "sell 3000000 601398.SH", "7.31", "", market.CN, "1000000"},
		{"steps", "CASH 1000", "", "buy 0.0012349 BTC-USDT", "100000", "", market.Crypto, "0.00123"},
		{"less than the least value", "CASH 1000", "", "buy 0.00004 BTC-USDT", "100000", "", market.Crypto, "lot_size"},
		{"without the dust", "CASH 0, BTC-USDT 0.01234567", "", "sell 1 BTC-USDT", "100000", "", market.Crypto, "0.01234"},
	} {
		o := order(c.order)
		book := Book{Date: "2025-10-09 10:30:00", Positions: positions(c.before)}
		if c.bought != "" {
			book.Bought = positions(c.bought)
		}
		q := market.Quote{Symbol: o.Symbol, Market: c.of.Get(), At: "2025-10-09 13:00:00", Price: dec(c.price)}
		if o.Symbol == "600519.SH" {
			q.PreviousClose = decimal.NewNullDecimal(dec("1460"))
		}
		r := RulesOf(c.of.Get())
		if c.costs != "" {
			r = costing(t, c.of, c.costs, "none")
		}
		rec, err := r.fit(book, o, q, func(o Order) (Record, error) { return Apply(book, o, q, r) })
		got := rec.Amount.String()
		if err != nil {
			got = string(err.(*Refusal).Code())
		}
		if got != c.want {
			t.Errorf("%s: %s, %v; want %s", c.name, got, err, c.want)
		}
	}
}

// What fits, fills; one more of the least unit does not, unless it is more than was asked for.
func TestRules_Fit_Most(t *testing.T) {
	symbols := map[market.ID][]string{market.US: {"NVDA"}, market.CN: {"600519.SH", "688981.SH", "920002.BJ"}, market.Crypto: {"BTC-USDT", "XRP-USDT"}}
	rapid.Check(t, func(rt *rapid.T) {
		id := rapid.SampledFrom([]market.ID{market.US, market.CN, market.Crypto}).Draw(rt, "market")
		symbol := rapid.SampledFrom(symbols[id]).Draw(rt, "symbol")
		r := costing(t, id, rapid.SampledFrom([]string{`"none"`, `"real"`}).Draw(rt, "costs"), rapid.SampledFrom([]string{"none", "30bps"}).Draw(rt, "slippage"))
		held := decimal.New(rapid.Int64Range(0, 100_000).Draw(rt, "held"), 0)
		book := Book{Date: "2025-10-09", Positions: Positions{{Cash, decimal.New(rapid.Int64Range(0, 10_000_000).Draw(rt, "cash"), -1)}, {symbol, held}}}
		q := market.Quote{Symbol: symbol, Market: id.Get(), At: "2025-10-09", Price: decimal.New(rapid.Int64Range(1, 1_000_000).Draw(rt, "price"), -2)}
		o := Order{Action: rapid.SampledFrom([]Action{Buy, Sell}).Draw(rt, "action"), Symbol: symbol, Amount: decimal.New(rapid.Int64Range(1, 200_000).Draw(rt, "amount"), 0)}
		rec, err := r.fit(book, o, q, func(o Order) (Record, error) { return Apply(book, o, q, r) })
		fills := func(amount decimal.Decimal) bool {
			o := o
			o.Amount = amount
			_, err := Apply(book, o, q, r)
			return err == nil
		}
		unit := r.unit(symbol, q.At)
		larger := []decimal.Decimal{rec.Amount.Add(unit.Step), unit.Least, o.Amount}
		if err == nil && (!fills(rec.Amount) || rec.Amount.GreaterThan(o.Amount)) {
			rt.Fatalf("%s %s fits, of %s", o.Action, rec.Amount, o.Amount)
		}
		if slices.ContainsFunc(larger, func(a decimal.Decimal) bool {
			return a.GreaterThan(rec.Amount) && !a.GreaterThan(o.Amount) && fills(a)
		}) {
			rt.Fatalf("%s %s fits of %s (%v), but one of %s fills", o.Action, rec.Amount, o.Amount, err, fmt.Sprint(larger))
		}
		least := r.Least(q)
		if !least.Sub(unit.Least).Mod(unit.Step).IsZero() || q.Price.Mul(least).LessThan(unit.LeastValue) {
			rt.Fatalf("%s is the least amount at %s", least, q.Price)
		}
	})
}

func TestRules_Closed(t *testing.T) {
	for at, closed := range map[market.Stamp]bool{"2025-10-09": false, "2025-10-08": true, "2025-10-09 12:00:00": true, "2025-10-09 13:00:00": false} {
		err := RulesOf(market.CN.Get()).Closed(at)
		if refusal, ok := err.(*Refusal); ok != closed || closed && refusal.Code() != code.MarketClosed {
			t.Errorf("%s: %v", at, err)
		}
	}
}

// The most that a refused sale names can be sold: its fees can be paid, and every other rule lets it through.
func TestRefusal_MostSold(t *testing.T) {
	const minimum = `{"fees": [{"name": "commission", "rate": 0.001, "minimum": 2}]}`
	for _, c := range []struct {
		name, before, bought, order, price, costs string
		of                                        market.ID
		code                                      code.Code
		want                                      string
	}{
		{"the fee is paid from the proceeds", "CASH 0, F 3", "", "sell 5 F", "1", minimum, market.US, code.InsufficientPosition, "3"},
		{"the fee is paid from the cash too", "CASH 1, F 1", "", "sell 5 F", "1", minimum, market.US, code.InsufficientPosition, "1"},
		{"the fee is more than both", "CASH 0.5, F 1", "", "sell 5 F", "1", minimum, market.US, code.InsufficientPosition, "0"},
		{"T+1", "CASH 0, 600519.SH 500", "600519.SH 200", "sell 400 600519.SH", "10", `"none"`, market.CN, code.TPlus1, "300"},
		{"T+1, and the fee is more than both", "CASH 0, 600519.SH 500", "600519.SH 400", "sell 200 600519.SH", "0.01", minimum, market.CN, code.TPlus1, "0"},
	} {
		book := Book{Date: "2025-10-09", Positions: positions(c.before)}
		if c.bought != "" {
			book.Bought = positions(c.bought)
		}
		o := order(c.order)
		_, err := Apply(book, o, market.Quote{Symbol: o.Symbol, Market: c.of.Get(), At: "2025-10-09", Price: dec(c.price)}, costing(t, c.of, c.costs, "none"))
		refusal, ok := err.(*Refusal)
		if !ok || refusal.code != c.code || refusal.details["max_amount"].(decimal.Decimal).String() != c.want {
			t.Errorf("%s: %v, %+v", c.name, err, refusal)
		}
	}
}
