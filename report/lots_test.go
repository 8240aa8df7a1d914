package report

// Tests of closed trades: by hand, and against shares that are counted one by one.

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"mcp-trade/market"
)

// Bought 10 at 100 with a fee of 2 and 10 at 110, sold 15 at 120 with a fee of 3: the first ten and half of the others.
//
//	cost    1002 + 550 = 1552, income 1800 - 3 = 1797, gain 245
//
// Then 5 sold at 90, bought at 110: a loss of 100.
func TestLots_Apply(t *testing.T) {
	p := marketOf(t, week, map[string]string{"A": "100/100 110/110 119/120 90/90"})
	a := opened("2025-10-01", 10000).trade(week[0], "A", 10, 100, 2).trade(week[1], "A", 10, 110, 0)
	a.trade(week[2], "A", -15, 120, 3).trade(week[3], "A", -5, 90, 0)
	got := one(t, Options{View: p.AsOf(always)}, a.ledger("a"))
	want := []RoundTrip{
		{3, week[0], week[2], "A", 15, 1552, 1797, 245, Known(245.0 / 1552), 4},
		{4, week[1], week[3], "A", 5, 550, 450, -100, Known(-100.0 / 550), 4},
	}
	for i, w := range want {
		if got.RoundTrips[i] != w {
			t.Errorf("closed %+v, want %+v", got.RoundTrips[i], w)
		}
		near(t, "gain of the trade", got.Trades[i+2].Gain, w.Gain)
	}
	m := got.Metrics
	near(t, "profit factor", m.Value("profit_factor"), 2.45)
	near(t, "holding time", m.Value("holding_days"), 4)
	near(t, "winning trades", m.Value(WinningTrades), 0.5)
	near(t, "fees", m.Value(Fees), 5)
	near(t, "slippage", m.Value("slippage"), -15) // 15 sold at 1 above the open
	if m.Trades != 4 || m.ClosedTrades != 2 || got.Trades[0].Gain.known {
		t.Errorf("%+v", m)
	}
}

// What the account earned is what its closed trades did and what its holdings have gained.
func TestLots_GainsAddUp(t *testing.T) {
	days := []market.Stamp{}
	for day := market.Stamp("2025-01-01"); len(days) < 20; day = day.AddDays(1) {
		days = append(days, day)
	}
	p := marketOf(t, days, map[string]string{
		"A": "10/11 11/12 12/10 10/9 9/8 8/9 9/10 10/13 13/15 15/14 14/12 12/11 11/13 13/12 12/10 10/9 9/11 11/12 12/14 14/13",
		"B": "50/51 51/49 49/40 40/44 44/48 48/52 52/57 57/56 56/50 50/53 53/51 51/47 47/46 46/49 49/50 50/55 55/60 60/58 58/59 59/61",
	})
	rapid.Check(t, func(t *rapid.T) {
		a := opened(days[0], 1e6)
		shares := map[string][]float64{} // what was paid for each one held
		closed := 0.0
		for _, day := range days[1:] {
			for range rapid.IntRange(0, 4).Draw(t, "trades") {
				symbol := rapid.SampledFrom([]string{"A", "B"}).Draw(t, "symbol")
				price, fees := float64(rapid.IntRange(5, 70).Draw(t, "price")), float64(rapid.IntRange(0, 3).Draw(t, "fees"))
				if held := shares[symbol]; len(held) > 0 && rapid.Bool().Draw(t, "sell") {
					n := rapid.IntRange(1, len(held)).Draw(t, "sold")
					a.trade(day, symbol, -float64(n), price, fees)
					for _, paid := range held[:n] {
						closed += price - paid
					}
					closed -= fees
					shares[symbol] = held[n:]
				} else {
					n := rapid.IntRange(1, 9).Draw(t, "bought")
					a.trade(day, symbol, float64(n), price, fees)
					for range n {
						shares[symbol] = append(shares[symbol], price+fees/float64(n))
					}
				}
			}
			a.idle(day)
		}
		got, err := Build([]Ledger{a.ledger("a")}, Options{View: p.AsOf(always)})
		if err != nil {
			t.Fatal(err)
		}
		sum, all := 0.0, got.Accounts[0]
		for _, c := range all.RoundTrips {
			sum += c.Gain
		}
		if math.Abs(sum-closed) > 1e-6 {
			t.Errorf("closed trades gained %v, share by share %v", sum, closed)
		}
		for _, h := range all.Holdings {
			sum += h.Gain.value
		}
		if earned := all.Metrics.Value(End).value - 1e6; math.Abs(sum-earned) > 1e-6 {
			t.Errorf("trades and holdings gained %v, the account %v", sum, earned)
		}
		realized, unrealized := 0.0, 0.0
		for _, p := range all.Symbols {
			realized, unrealized = realized+p.Realized.value, unrealized+p.Unrealized.value
		}
		if math.Abs(realized-closed) > 1e-6 || math.Abs(realized+unrealized-sum) > 1e-6 || all.Unexplained != Known(0) {
			t.Errorf("the symbols realized %v and %v not, and %v is not explained; all gained %v", realized, unrealized, all.Unexplained, sum)
		}
		if len(all.Warnings) > 0 {
			t.Errorf("warned of %q", all.Warnings)
		}
	})
}

// A row whose book does not follow from its trades counts as it is, and is told of.
func TestLots_Reconcile(t *testing.T) {
	p := marketOf(t, week, map[string]string{"A": "10/10 10/10 10/10"})
	a := opened("2025-10-01", 1000).trade(week[0], "A", 5, 10, 0)
	base := a.rec // the second purchase will be lost
	a.trade(week[1], "A", 7, 10, 0)
	a.rec.Positions = base.Positions
	a.trade(week[2], "A", -5, 12, 0)
	got := one(t, Options{View: p.AsOf(always)}, a.ledger("a"))
	if len(got.Warnings) != 1 || got.Warnings[0] != "After 2025-10-06 the book holds another amount of A than its trades leave, so the ledger has lost trades." {
		t.Errorf("warned of %q", got.Warnings)
	}
	near(t, "end", got.Metrics.Value(End), 1010)
	near(t, "gain", got.Trades[2].Gain, 10)
}
