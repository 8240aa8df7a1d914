// Deciders in every market: none of their orders is refused for a reason that they could know.

package decide

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/agent"
	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// floor is a broker that fills orders at once, as a server does, and counts what it refuses.
type floor struct {
	agent.Broker
	day     *agent.Day
	book    ledger.Book
	newest  []ledger.Record // of days before, the newest trade
	filled  int
	skipped int
	refused []string
	caveats []string
}

func (f *floor) Order(_ context.Context, action ledger.Action, symbol string, amount decimal.Decimal) (bool, error) {
	rec := ledger.Record{}
	q, err := f.day.Rules.Quote(f.day.Market, symbol)
	if err == nil {
		rec, err = ledger.Apply(f.book, ledger.Order{Action: action, Symbol: symbol, Amount: amount}, q, f.day.Rules)
	}
	var coded interface{ Code() code.Code }
	if errors.As(err, &coded) {
		f.refused = append(f.refused, fmt.Sprintf("%s: %s %s %s on %s: %v", coded.Code(), action, amount, symbol, f.day.Date, err))
		return false, nil
	}
	if err != nil {
		return false, err
	}
	f.book, f.newest = rec.Book(), []ledger.Record{rec}
	f.filled++
	return true, nil
}

func (f *floor) Skip() { f.skipped++ }

func (f *floor) Caveat(text string) {
	if text != "" {
		f.caveats = append(f.caveats, text)
	}
}

func (f *floor) Trades(context.Context, int) ([]ledger.Record, error) { return f.newest, nil }

// tradeAll has a decider trade every stamp of the prices after the first.
func tradeAll(t *testing.T, spec string, prices *market.Prices, r ledger.Rules, cash decimal.Decimal) *floor {
	t.Helper()
	trader := opened(t, spec)
	stamps, err := prices.Stamps("", "")
	if err != nil {
		t.Fatal(err)
	}
	f := &floor{book: r.Opening(cash, stamps[0]).Book()}
	for i, at := range stamps[1:] {
		d := agent.Day{Account: "a", Date: at, Number: i, Book: f.book, Rules: r, Market: prices.AsOf(at), Broker: f}
		f.day = &d
		if err := trader.Decide(t.Context(), &d); err != nil {
			t.Fatal(err)
		}
		if f.book.Date.Day() != at.Day() {
			f.book.Bought = nil
		}
		f.book.Date = at // as the record of a day without a trade has it
	}
	return f
}

// rulesWith are the rules of a market with other terms, `lots="strict100" t_plus=0`.
func rulesWith(t *testing.T, of market.ID, terms string) ledger.Rules {
	t.Helper()
	r := ledger.RulesOf(of.Get())
	for _, term := range strings.Fields(terms) {
		key, value, _ := strings.Cut(term, "=")
		var err error
		if r, err = r.With(key, value); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// madeUp writes prices that jump and stand still, of symbols that come, go and have gaps. It returns the file.
func madeUp(t *testing.T, seed uint64, hours []string, symbols ...string) string {
	t.Helper()
	dice := rand.New(rand.NewPCG(seed, 1))
	var text strings.Builder
	for _, symbol := range symbols {
		price, bars := int64(50+dice.IntN(20_000)), []string{}
		from, to := dice.IntN(20), 70-dice.IntN(20)
		for day := from; day < to; day++ {
			for _, hour := range hours {
				open := price
				if jump := dice.IntN(10); jump < 3 { // to a limit of the day, beyond it, or near
					open = max(1, price+price*int64(dice.IntN(41)-20)/100)
				}
				price = max(1, open+open*int64(dice.IntN(11)-5)/100)
				if dice.IntN(12) == 0 {
					continue
				}
				stamp := market.Stamp("2025-06-02").AddDays(day)
				bars = append(bars, fmt.Sprintf(`"%s%s": {"1. buy price": "%d.%02d", "2. high": "%d", "3. low": "0.01", "4. sell price": "%d.%02d", "5. volume": "1000"}`,
					stamp, hour, open/100, open%100, 1+max(open, price)/100, price/100, price%100))
			}
		}
		series := "Time Series (Daily)"
		if hours[0] != "" {
			series = "Time Series (60min)"
		}
		fmt.Fprintf(&text, `{"Meta Data": {"2. Symbol": "%s"}, "%s": {%s}}`+"\n", symbol, series, strings.Join(bars, ", "))
	}
	file := filepath.Join(t.TempDir(), "merged.jsonl")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestTable_NothingRefused(t *testing.T) {
	const upstream = `lots="strict100" t_plus=0 price_limits="off"`
	aShares := []string{"600519.SH", "601398.SH", "000001.SZ", "300750.SZ", "688981.SH", "688001.SH", "920002.BJ", "510300.SH"}
	coins := []string{"BTC-USDT", "ETH-USDT", "ADA-USDT", "XRP-USDT", "NEW-USDT"}
	daily, hourlyCN := []string{""}, []string{" 10:30:00", " 11:30:00", " 14:00:00", " 15:00:00"}
	hourly := []string{" 08:00:00", " 09:00:00", " 10:00:00", " 15:00:00", " 17:00:00"}
	us, usHours := []string{"", `costs="real" slippage="5bps"`, `lot=0.000001 costs="real"`}, []string{`hours="regular" costs="real"`, `hours="extended"`, ""}
	cn := []string{"", `costs="real" slippage="5bps"`, upstream, upstream + ` fill="upstream"`}
	crypto := []string{"", `costs="real" slippage="5bps"`, `rounding="upstream"`}
	for _, c := range []struct {
		name    string // of real prices, their folder
		of      market.ID
		terms   []string
		hours   []string // of made-up prices
		symbols []string
	}{
		{"us_daily", market.US, us, nil, nil},
		{"us_hourly_test", market.US, usHours, nil, nil},
		{"us_split", market.US, us, nil, nil},
		{"cn_daily", market.CN, cn, nil, nil},
		{"cn_hourly", market.CN, cn, nil, nil},
		{"crypto", market.Crypto, crypto, nil, nil},
		{"made-up us", market.US, us, daily, []string{"A", "B", "C", "D", "BTC-USDT", "600519.SH"}},
		{"made-up us, hourly", market.US, usHours, hourly, []string{"A", "B", "C", "D"}},
		{"made-up cn", market.CN, cn, daily, append(aShares, "AAPL")},
		{"made-up cn, hourly", market.CN, cn, hourlyCN, aShares},
		{"made-up crypto", market.Crypto, crypto, daily, coins},
		{"made-up crypto, hourly", market.Crypto, crypto, hourly, coins},
	} {
		t.Run(c.name, func(t *testing.T) {
			var file string
			if c.hours == nil {
				file = filepath.Join(testenv.TestData(t), c.name, "merged.jsonl")
			} else {
				file = madeUp(t, uint64(len(c.name)), c.hours, c.symbols...)
			}
			p, err := market.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			for _, terms := range c.terms {
				nothingRefused(t, p, rulesWith(t, c.of, terms), terms)
			}
		})
	}
}

// nothingRefused has every strategy trade with little money and much.
func nothingRefused(t *testing.T, p *market.Prices, r ledger.Rules, terms string) {
	filled, skipped := map[string]int{}, map[string]int{}
	for _, spec := range []string{"equal-weight", "momentum:3", "random:7"} {
		for _, cash := range []int64{500, 1_000_000} {
			f := tradeAll(t, spec, p, r, decimal.NewFromInt(cash))
			for _, why := range f.refused[:min(3, len(f.refused))] {
				t.Errorf("%s with %d under %q: %d refused, such as %s", spec, cash, terms, len(f.refused), why)
			}
			if f.book.Cash().IsNegative() {
				t.Errorf("%s with %d under %q: cash of %s", spec, cash, terms, f.book.Cash())
			}
			filled[spec] += f.filled
			skipped[spec] += f.skipped
		}
		if filled[spec] == 0 {
			t.Errorf("%s under %q: no order was filled", spec, terms)
		}
	}
	t.Logf("%q: filled %v, skipped %v", terms, filled, skipped)
}
