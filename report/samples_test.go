package report

// What tests report on: markets and ledgers written in few words.

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// always is a stamp after every bar.
const always = market.Stamp("9999-12-31")

// week is five trading days, with a weekend in between.
var week = []market.Stamp{"2025-10-02", "2025-10-03", "2025-10-06", "2025-10-07", "2025-10-08"}

// marketOf makes prices: for each symbol the bars of the days, each as open/close. "?" is a figure that is not known, "-" no
// bar.
func marketOf(t testing.TB, days []market.Stamp, bars map[string]string) *market.Prices {
	t.Helper()
	var text strings.Builder
	for _, symbol := range slices.Sorted(maps.Keys(bars)) {
		var series []string
		for i, bar := range strings.Fields(bars[symbol]) {
			open, close, ok := strings.Cut(bar, "/")
			if !ok {
				continue
			}
			figures := map[string]string{"1. open": open, "4. close": close}
			maps.DeleteFunc(figures, func(_, figure string) bool { return figure == "?" })
			written, err := json.Marshal(figures)
			if err != nil {
				t.Fatal(err)
			}
			series = append(series, fmt.Sprintf("%q: %s", days[i], written))
		}
		fmt.Fprintf(&text, `{"Meta Data": {"2. Symbol": %q}, "Time Series (Daily)": {%s}}`+"\n", symbol, strings.Join(series, ", "))
	}
	path := filepath.Join(t.TempDir(), "merged.jsonl")
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return openPrices(t, path)
}

// account writes a ledger.
type account struct {
	lines []string
	rec   ledger.Record
}

func opened(date market.Stamp, cash float64) *account {
	a := &account{rec: ledger.Record{Date: date, Positions: ledger.Positions{{Symbol: ledger.Cash, Amount: decimal.NewFromFloat(cash)}}}}
	return a.write()
}

func (a *account) write() *account {
	a.lines = append(a.lines, string(a.rec.Line()))
	return a
}

// trade adds a row. The amount is below 0 for a sale.
func (a *account) trade(date market.Stamp, symbol string, amount, price, fees float64) *account {
	action, n := ledger.Buy, decimal.NewFromFloat(amount)
	if n.IsNegative() {
		action = ledger.Sell
	}
	p := ledger.Positions{}
	for _, held := range a.rec.Positions {
		if held.Symbol != symbol && held.Symbol != ledger.Cash {
			p = append(p, held)
		}
	}
	cash := a.rec.Cash().Sub(n.Mul(decimal.NewFromFloat(price))).Sub(decimal.NewFromFloat(fees))
	p = append(p, ledger.Position{Symbol: symbol, Amount: a.rec.Positions.Amount(symbol).Add(n)}, ledger.Position{Symbol: ledger.Cash, Amount: cash})
	a.rec = ledger.Record{
		Date: date, ID: a.rec.ID + 1, Action: action, Symbol: symbol, Amount: n.Abs(),
		Price: decimal.NewNullDecimal(decimal.NewFromFloat(price)), Fees: decimal.NewFromFloat(fees), Positions: p,
	}
	return a.write()
}

// idle adds the row of a day without a trade.
func (a *account) idle(dates ...market.Stamp) *account {
	for _, date := range dates {
		a.rec = ledger.Record{Date: date, ID: a.rec.ID + 1, Action: ledger.NoTrade, Positions: a.rec.Positions}
		a.write()
	}
	return a
}

func (a *account) ledger(name string) Ledger {
	return Ledger{Signature: name, Lines: linesOf(a.lines...)}
}

// linesOf yields lines from one buffer, which is overwritten as a reader of files may do.
func linesOf(lines ...string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var buffer []byte
		for _, line := range lines {
			buffer = append(buffer[:0], line...)
			if !yield(buffer, nil) {
				return
			}
			for i := range buffer {
				buffer[i] = 'x'
			}
		}
	}
}

func openPrices(t testing.TB, path string) *market.Prices {
	t.Helper()
	p, err := market.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func build(t testing.TB, o Options, ledgers ...Ledger) Report {
	t.Helper()
	r, err := Build(ledgers, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// one reports on one account, and checks that the report can be written as JSON.
func one(t testing.TB, o Options, l Ledger) Account {
	t.Helper()
	r := build(t, o, l)
	if _, err := json.Marshal(r); err != nil {
		t.Fatalf("the report cannot be written: %v", err)
	}
	return r.Accounts[0]
}
