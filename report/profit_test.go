package report

// Tests of what each symbol added to an account's value, and of what trades cost: by hand, and that they add up.

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/market"
)

// addsUp checks that the gains of an account's symbols are what its value gained, to the eighth decimal.
func addsUp(t testing.TB, a Account) {
	t.Helper()
	sum := decimal.NewFromFloat(a.Unexplained.value)
	for _, p := range a.Symbols {
		sum = sum.Add(decimal.NewFromFloat(p.Gain.value))
	}
	gain := decimal.NewFromFloat(a.Metrics.Value(End).value).Sub(decimal.NewFromFloat(a.Metrics.Value(Start).value))
	if !a.Unexplained.known || sum.Sub(gain).Abs().GreaterThan(decimal.New(int64(len(a.Symbols)+2), -moneyDecimals)) {
		t.Errorf("the symbols gained %v (%v unexplained), the account %v", sum, a.Unexplained, gain)
	}
}

func profitText(p SymbolProfit) string {
	return fmt.Sprintf("%s: %d trades, bought %v, sold %v, fees %v, slipped %s, realized %s, unrealized %s, gain %s, weight %.4f",
		p.Symbol, p.Trades, p.Bought, p.Sold, p.Fees, p.Slippage.Text(2), p.Realized.Text(2), p.Unrealized.Text(2), p.Gain.Text(2), p.Weight)
}

// A: 10 bought at 100 with a fee of 1, 4 sold at 125 with a fee of 2 where the bar opened at 120; the other 6 end at 140. B: 5 bought at 20,
// which end at 18. In a range that begins after the purchases A gains from its close of 110 on.
func TestProfits(t *testing.T) {
	p := marketOf(t, week, map[string]string{"A": "100/110 110/120 120/130 130/140", "B": "20/20 20/21 21/19 19/18"})
	l := opened("2025-10-01", 10000).trade(week[0], "A", 10, 100, 1).trade(week[0], "B", 5, 20, 0).trade(week[2], "A", -4, 125, 2).idle(week[3]).ledger("a")
	for _, c := range []struct {
		from market.Stamp
		want []string
		paid string
	}{
		{"", []string{
			"A: 2 trades, bought 1000, sold 500, fees 3, slipped -20.00, realized 97.60, unrealized 239.40, gain 337.00, weight 0.0959",
			"B: 1 trades, bought 100, sold 0, fees 0, slipped 0.00, realized 0.00, unrealized -10.00, gain -10.00, weight 0.0095",
		}, "fees without a name 3.00 0.0019, slippage against the open -20.00 -0.0125, "},
		{week[1], []string{
			"A: 1 trades, bought 0, sold 500, fees 2, slipped -20.00, realized 97.60, unrealized 140.40, gain 238.00, weight 0.0916",
			"B: 0 trades, bought 0, sold 0, fees 0, slipped 0.00, realized 0.00, unrealized -10.00, gain -10.00, weight 0.0094",
		}, "fees without a name 2.00 0.0040, slippage against the open -20.00 -0.0400, "},
	} {
		a := one(t, Options{View: p.AsOf(always), From: c.from}, l)
		addsUp(t, a)
		for i, got := range a.Symbols {
			if text := profitText(got); i >= len(c.want) || text != c.want[i] {
				t.Errorf("from %q: %s", c.from, text)
			}
		}
		paid := ""
		for _, item := range a.Paid {
			paid += fmt.Sprint(item.Name, " ", item.Paid.Text(2), " ", item.OfTraded.Text(4), ", ")
		}
		if paid != c.paid {
			t.Errorf("from %q: paid %s", c.from, paid)
		}
	}
}

// What no row explains is told apart, and what is not known makes only what rests on it unknown.
func TestProfits_Odd(t *testing.T) {
	p := marketOf(t, week, map[string]string{"A": "100/110 110/120", "B": "10/? 10/11", "C": "5/? 5/?"})
	given := opened("2025-10-01", 1000).trade(week[0], "A", 1, 100, 0)
	given.rec.Positions = append(given.rec.Positions[:1:1], given.rec.Positions[1])
	given.rec.Positions[1].Amount = decimal.NewFromFloat(907.5) // 7.50 from nowhere
	a := one(t, Options{View: p.AsOf(always)}, given.idle(week[1]).ledger("a"))
	addsUp(t, a)
	if a.Unexplained != Known(7.5) || a.Symbols[0].Gain != Known(20) {
		t.Errorf("%+v, %v unexplained", a.Symbols, a.Unexplained)
	}
	b := one(t, Options{View: p.AsOf(always)}, opened("2025-10-01", 1000).trade(week[0], "C", 1, 5, 0).trade(week[0], "A", 1, 100, 0).idle(week[1]).ledger("b"))
	if b.Unexplained.known || b.Symbols[0].Gain != Known(20) || b.Symbols[1].Gain.known || b.Symbols[1].Symbol != "C" {
		t.Errorf("%+v, %v unexplained", b.Symbols, b.Unexplained)
	}
	held := one(t, Options{View: p.AsOf(always)}, Ledger{Signature: "h", Lines: linesOf(
		`{"date": "2025-10-02", "id": 0, "positions": {"A": 5, "CASH": 0}}`,
		`{"date": "2025-10-03", "id": 1, "this_action": {"action": "sell", "symbol": "A", "amount": 5, "price": 115}, "positions": {"CASH": 575}}`)})
	addsUp(t, held)
	if x := held.Symbols[0]; x.Gain != Known(25) || x.Realized.known || x.Unrealized.known {
		t.Errorf("of shares of unknown cost %+v", x)
	}
}

// Of very many symbols those that matter least are told together, and all still add up.
func TestProfits_Bounded(t *testing.T) {
	bars := map[string]string{}
	a := opened("2025-10-01", 1e6)
	for i := range maxSymbols + 30 {
		symbol := fmt.Sprintf("S%03d", i)
		bars[symbol] = fmt.Sprintf("100/%d", 100+i-60)
		a.trade(week[0], symbol, 1, 100, 0)
	}
	got := one(t, Options{View: marketOf(t, week, bars).AsOf(always)}, a.ledger("a"))
	addsUp(t, got)
	if n := len(got.Symbols); n != maxSymbols+1 || got.Symbols[0].Symbol != "S129" || got.Symbols[n-1].Symbol != "S000" {
		t.Errorf("%d symbols, from %s to %s", n, got.Symbols[0].Symbol, got.Symbols[n-1].Symbol)
	}
}

// The gains of real accounts are those that the cash of each row and the last closes tell, as an independent program computed them.
func TestProfits_RealLedgers(t *testing.T) {
	data := testenv.TestData(t)
	for name, want := range map[string]string{
		"us_daily/gpt-5":              "AMD 622.6450, NVDA 162.1150, CRWD 82.5950, GOOGL -32.0800, AMZN -38.1850",
		"cn_daily/glm-4.6":            "601318.SH 1800.0000, 688041.SH 1787.0000, 600900.SH 642.0000, 600036.SH -185.0000, 601127.SH -731.0000",
		"cn_hourly/gpt-5-astock-hour": "601225.SH 2246.0000, 601857.SH 1827.0000, 601398.SH 654.0000, 601668.SH -151.0000, 601899.SH -1162.0000",
		"crypto/gpt-5":                "",
	} {
		a := realAccount(t, data, name, Own)
		addsUp(t, a)
		var texts []string
		for i, p := range a.Symbols {
			if n := len(a.Symbols); i < 3 || i >= n-2 {
				texts = append(texts, p.Symbol+" "+p.Gain.Text(4))
			}
		}
		if got := strings.Join(texts, ", "); want != "" && (got != want || math.Abs(a.Unexplained.value) > 0.005) {
			t.Errorf("%s: %s (%v unexplained), want %s", filepath.Base(name), got, a.Unexplained, want)
		}
		if want == "" {
			continue // it has lost trades, whose shares are missing from what is held
		}
		for _, h := range a.Holdings {
			for _, p := range a.Symbols {
				if p.Symbol == h.Symbol && p.Unrealized.known && h.Gain.known {
					near(t, name+", unrealized of "+h.Symbol, Known(p.Unrealized.value+1000), h.Gain.value+1000)
				}
			}
		}
	}
}

// The tables for spreadsheets have the figures of the report.
func TestWriteSymbols_Closed_Months(t *testing.T) {
	p := marketOf(t, week, map[string]string{"A": "100/110 110/120 120/130"})
	l := opened("2025-10-01", 10000).trade(week[0], "A", 10, 100, 1).trade(week[2], "A", -4, 125, 2).ledger("=a")
	r := build(t, Options{View: p.AsOf(always)}, l)
	for want, write := range map[string]func(io.Writer, Report) error{
		"account,symbol,trades,bought,sold,fees,slippage,dividends,realized,unrealized,gain,weight\n'=a,A,2,1000,500,3,-20,0,97.6,179.4,277,": WriteSymbols,
		"account,id,opened,closed,days,symbol,amount,cost,income,gain,return\n'=a,2,2025-10-02,2025-10-06,4,A,4,400.4,498,97.6,":              WriteClosed,
		"account,month,return,benchmark,returns\n'=a,2025-10,0.02":                                                                            WriteMonths,
	} {
		var text strings.Builder
		if err := write(&text, r); err != nil || !strings.HasPrefix(text.String(), want) || strings.Count(text.String(), "\n") != 2 {
			t.Errorf("%v: %s, want %s", err, text.String(), want)
		}
	}
}
