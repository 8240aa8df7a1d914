package page

// What the tests show: accounts on a made-up market.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mcp-trade/market"
	"mcp-trade/market/markettest"
	"mcp-trade/report"
)

// hostile is what a ledger or a model may hold: markup, quotes, a terminal escape, an override of the writing direction.
const hostile = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>\"'`{{.}}</style>\x1b[31mred\x1b]0;title\a\u202egnp"

// bourse is a market with accounts that grow.
type bourse struct {
	view  market.View
	days  []market.Stamp
	books []*book
}

// book is the ledger of an account, line by line.
type book struct {
	name   string
	lines  []string
	cash   float64
	held   map[string]float64
	notes  []report.DayStats
	traded int
}

func newBourse(t testing.TB, accounts ...string) *bourse {
	t.Helper()
	path := filepath.Join(t.TempDir(), "merged.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := markettest.Write(f, 3, 8, 60, "2025-01-01"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	prices, err := market.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { prices.Close() })
	b := &bourse{view: prices.AsOf("9999-12-31")}
	if b.days, err = b.view.Days("", "", ""); err != nil {
		t.Fatal(err)
	}
	for _, name := range accounts {
		k := &book{name: name, cash: 100000, held: map[string]float64{}}
		k.write(b.days[0], nil, "")
		b.books = append(b.books, k)
	}
	return b
}

// trade buys, or sells if the amount is below 0, at the open.
func (b *bourse) trade(t testing.TB, account int, day int, symbol string, amount float64, note string) {
	t.Helper()
	bar, err := b.view.Bar(symbol, b.days[day])
	if err != nil {
		t.Fatal(err)
	}
	price := bar.Open.Decimal.InexactFloat64()
	k := b.books[account]
	k.cash -= price * amount
	k.held[symbol] += amount
	action := map[string]any{"action": "buy", "symbol": symbol, "amount": amount, "price": price}
	if amount < 0 {
		action["action"], action["amount"] = "sell", -amount
	}
	k.write(b.days[day], action, note)
	k.traded++
}

func (k *book) write(day market.Stamp, action map[string]any, note string) {
	positions := map[string]float64{"CASH": k.cash}
	for symbol, amount := range k.held {
		positions[symbol] = amount
	}
	line := map[string]any{"date": day, "id": len(k.lines), "positions": positions}
	if action != nil {
		line["this_action"] = action
	}
	if note != "" {
		line["note"] = note
	}
	text, _ := json.Marshal(line) // plain values always marshal
	k.lines = append(k.lines, string(text))
}

// season trades every account through the days, each in its own way.
func (b *bourse) season(t testing.TB) *bourse {
	for i, k := range b.books {
		for day := 1; day < len(b.days)-2; day++ {
			symbol := fmt.Sprintf("SYN%02d", 1+(day*(i+1))%5)
			if held := k.held[symbol]; held > 20 && day%3 == 0 {
				b.trade(t, i, day, symbol, -held, "take the gain")
			} else if day%(i+2) == 0 {
				b.trade(t, i, day, symbol, float64(10+day%7*5), "")
			}
			if day%5 == 0 {
				k.notes = append(k.notes, report.DayStats{
					Date: b.days[day], Tokens: report.Known(float64(1000 + day)),
					Text: fmt.Sprintf("The momentum of %s holds, so I add a little and keep the rest in cash.\n\nRisk stays where it was.", symbol),
				})
			}
		}
	}
	return b
}

func (b *bourse) subject(t testing.TB) Data {
	t.Helper()
	var ledgers []report.Ledger
	for _, k := range b.books {
		ledgers = append(ledgers, report.Ledger{Signature: k.name, Lines: linesOf(k.lines), RunStats: report.RunStats{Days: k.notes}})
	}
	benchmark, err := report.EqualWeight(b.view, b.days[0], "")
	if err != nil {
		t.Fatal(err)
	}
	r, err := report.Build(ledgers, report.Options{View: b.view, Benchmark: &benchmark})
	if err != nil {
		t.Fatal(err)
	}
	return Data{Report: r, Prices: b.closes, TradesNote: "All of them are in trades.csv.", JSON: func(w io.Writer) error { return json.NewEncoder(w).Encode(r) }}
}

func linesOf(lines []string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, l := range lines {
			if !yield([]byte(l), nil) {
				return
			}
		}
	}
}

func (b *bourse) closes(symbol string, from, to market.Stamp) report.Series {
	s := report.Series{Name: symbol}
	for _, d := range b.days {
		if price, err := b.view.Close(symbol, d); err == nil && d >= from && d <= to {
			s.Points = append(s.Points, report.Point{Date: d, Value: report.Known(price.InexactFloat64())})
		}
	}
	return s
}

// written is the page of a subject.
func written(t testing.TB, s Data) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, s); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// file writes the page to a file and returns its address.
func file(t testing.TB, s Data) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(path, []byte(written(t, s)), 0o644); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

// poison puts hostile text wherever text from outside goes.
func poison(s Data) Data {
	for i := range s.Report.Accounts {
		a := &s.Report.Accounts[i]
		a.Warnings = append(slices.Clone(a.Warnings), "there is no close of "+hostile)
		a.Trades = slices.Clone(a.Trades)
		a.Trades[len(a.Trades)-1].Note = hostile
		a.Trades[len(a.Trades)-1].Symbol = hostile
		a.Allocation.Names = slices.Clone(a.Allocation.Names)
		a.Allocation.Names[1] = hostile
		a.Holdings = append(slices.Clone(a.Holdings), report.Holding{Symbol: hostile})
		a.DayStats = append(slices.Clone(a.DayStats), report.DayStats{Date: a.Trades[len(a.Trades)-1].Date.Day(), Text: hostile})
	}
	s.Report.Benchmark = &report.Series{Name: hostile, Points: s.Report.Benchmark.Points}
	return s
}
