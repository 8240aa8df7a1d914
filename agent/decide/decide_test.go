// Tests of how accounts and deciders are spelled, and of the orders that deciders send. What becomes of the orders is tested
// from outside, in integration_test.

package decide

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcp-trade/agent"
	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/market/markettest"
)

const recording = `{"date": "2025-10-01", "id": 0, "positions": {"CASH": 100}}
{"date": "2025-10-02", "id": 1, "this_action": {"action": "buy", "symbol": "A", "amount": 2}, "positions": {"CASH": 80, "A": 2}}

{"date": "2025-10-02", "id": 2, "this_action": {"action": "sell", "symbol": "A", "amount": 0}, "positions": {"CASH": 80, "A": 2}}
{"date": "2025-10-03", "id": 3, "this_action": {"action": "no_trade", "symbol": "", "amount": 0}, "positions": {"CASH": 80, "A": 2}}
`

// record writes a ledger.
func record(t *testing.T, text string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "position.jsonl")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestParseAccount(t *testing.T) {
	whole, damaged := record(t, recording), record(t, recording+`{"date": "2025-`)
	for _, c := range []struct{ text, problem string }{
		{"a=equal-weight", ""},
		{"a=momentum", ""},
		{"a=momentum:3", ""},
		{"a=random", ""},
		{"a=random:7", ""},
		{"a=recorded:" + whole, ""},
		{"a=", `no decider ""; use equal-weight, momentum[:N], random[:SEED] or recorded:FILE`},
		{"a", `"a" is not NAME=DECIDER[:ARG]`},
		{"a=momentun", `no decider "momentun"`},
		{"a=momentum:0", "how many symbols to hold, 1 to 1000"},
		{"a=momentum:x", "how many symbols to hold, 1 to 1000"},
		{"a=random:-1", "a seed, a whole number"},
		{"a=equal-weight:2", "takes no argument"},
		{"a=recorded:" + whole + ".gone", "no such file"},
		{"a=recorded:" + damaged, "row 5: not a ledger line"},
	} {
		name, spec, d, err := ParseAccount(c.text)
		if c.problem == "" && (err != nil || d == nil || name+"="+spec != c.text) || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
			t.Errorf("%s: %s, %s, %v; want %s", c.text, name, spec, err, c.problem)
		}
	}
}

// Each decider of the table can be opened, and is told of in the documentation, in the same order.
func TestTable(t *testing.T) {
	page, err := os.ReadFile("../../docs/running-agents.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| decider | what it does |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var documented, want []string
	for line := range strings.Lines(table) {
		documented = append(documented, strings.Split(line, "`")[1])
	}
	for _, row := range Table() {
		want = append(want, row.Name+row.Argument)
		if !strings.HasPrefix(row.Example, row.Name) || row.Does == "" {
			t.Errorf("the row of %s: example %q, does %q", row.Name, row.Example, row.Does)
		}
		if _, err := New(row.Example); err != nil && !strings.HasSuffix(row.Example, ":") {
			t.Errorf("the example %s: %v", row.Example, err)
		}
	}
	if fmt.Sprint(documented) != fmt.Sprint(want) {
		t.Errorf("docs/running-agents.md has the deciders %q, and the table %q", documented, want)
	}
}

// orders is a broker that notes orders, and fills none.
type orders struct {
	agent.Broker
	sent []string
}

func (o *orders) Order(_ context.Context, action ledger.Action, symbol string, amount decimal.Decimal) (filled bool, err error) {
	o.sent = append(o.sent, fmt.Sprint(action, " ", amount, " ", symbol))
	return false, nil
}

func (o *orders) Caveat(string) {}
func (o *orders) Skip()         {}

func (o *orders) Trades(context.Context, int) ([]ledger.Record, error) { return nil, nil }

// opened is a decider at work for an account.
func opened(t *testing.T, spec string) agent.Trader {
	t.Helper()
	decider, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	trader, err := decider.Open(t.Context(), "a", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = trader.Close() })
	return trader
}

// sent are the orders of a decider on a day of an account that holds cash.
func sent(t *testing.T, spec string, prices *market.Prices, date market.Stamp, number int) []string {
	t.Helper()
	trader := opened(t, spec)
	book := ledger.Book{Date: "2025-01-01", Positions: ledger.Positions{{Symbol: ledger.Cash, Amount: decimal.NewFromInt(100000)}}}
	var o orders
	if err := trader.Decide(t.Context(), &agent.Day{Account: "a", Date: date, Number: number, Book: book, Rules: ledger.DefaultRules(), Market: prices.AsOf(date), Broker: &o}); err != nil {
		t.Fatal(err)
	}
	return o.sent
}

func TestNew(t *testing.T) {
	file := filepath.Join(t.TempDir(), "merged.jsonl")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := markettest.Write(f, 1, 8, 30, "2025-01-01"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	prices, err := market.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer prices.Close()
	days, err := prices.Stamps("", "")
	if err != nil {
		t.Fatal(err)
	}
	late := days[25] // when momentum knows what gained in 20 bars
	for _, c := range []struct {
		spec   string
		date   market.Stamp
		number int
		want   int
	}{
		{"equal-weight", days[0], 0, 8},
		{"equal-weight", days[1], 1, 0}, // of the month of its newest record
		{"equal-weight", late, 25, 8},   // of another
		{"momentum", days[0], 0, 0},     // too early to tell
		{"momentum", late, 25, 5},
		{"momentum:3", late, 25, 3},
		{"momentum:3", late, 24, 0},
		{"recorded:" + record(t, recording), "2025-10-02", 0, 2}, // a trade of nothing is repeated too, for the server to refuse
		{"recorded:" + record(t, recording), "2025-10-03", 1, 0},
	} {
		if got := sent(t, c.spec, prices, c.date, c.number); len(got) != c.want {
			t.Errorf("%s on %s: %q, want %d orders", c.spec, c.date, got, c.want)
		}
	}
	all := func(spec string) (list []string) {
		for i, day := range days {
			list = append(list, sent(t, spec, prices, day, i)...)
		}
		return list
	}
	same, again, other := fmt.Sprint(all("random")), fmt.Sprint(all("random:1")), fmt.Sprint(all("random:7"))
	if same != again || same == other || len(same) < 100 {
		t.Errorf("random: %s\nwith the seed 1: %s\nwith the seed 7: %s", same, again, other)
	}
}

func TestUnbought(t *testing.T) {
	holding := func(cash int64, symbols ...string) (b ledger.Book) {
		b.Positions = ledger.Positions{{Symbol: ledger.Cash, Amount: decimal.NewFromInt(cash)}}
		for _, s := range symbols {
			b.Positions = append(b.Positions, ledger.Position{Symbol: s, Amount: decimal.NewFromInt(1)})
		}
		return b
	}
	var quotes []market.Quote
	for symbol, price := range map[string]int64{"A": 30, "B": 400, "C": 300, "D": 500, "E": 600} {
		quotes = append(quotes, market.Quote{Symbol: symbol, At: "2025-10-01", Price: decimal.NewFromInt(price)})
	}
	slices.SortFunc(quotes, func(a, b market.Quote) int { return strings.Compare(a.Symbol, b.Symbol) })
	waiting := holding(1500, "A")
	waiting.Orders = ledger.OpenOrders{{Action: ledger.Buy, Symbol: "C", Reserved: decimal.NewFromInt(300)}}
	for _, c := range []struct {
		worth int64
		has   ledger.Book
		want  string
	}{
		{1500, waiting, "3 of 5 symbols were not bought on 2025-10-01, in equal parts of 300.00: B, D, E; 1,200.00 of 1,500.00 stayed in cash; a share of each takes an account of 3,000.00"},
		{5000, holding(100, "A", "B", "C", "D", "E"), ""},
		{1500, holding(600, "A", "C"), "3 of 5 symbols were not bought on 2025-10-01, in equal parts of 300.00: B, D, E; 600.00 of 1,500.00 stayed in cash; a share of each takes an account of 3,000.00"},
		{1000, holding(800, "A"), "4 of 5 symbols were not bought on 2025-10-01, in equal parts of 200.00: B, C, D and 1 more; 800.00 of 1,000.00 stayed in cash; a share of each takes an account of 3,000.00"},
		{5000, holding(4970, "A", "B", "C", "D"), "1 of 5 symbols were not bought on 2025-10-01, in equal parts of 1,000.00: E; 4,970.00 of 5,000.00 stayed in cash"}, // refused
	} {
		if got := unbought(ledger.DefaultRules(), quotes, decimal.NewFromInt(c.worth), c.has); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
