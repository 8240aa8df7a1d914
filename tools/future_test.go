package tools

// The property that makes the simulation honest: nobody can tell two futures apart.

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"pgregory.net/rapid"

	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
	"mcp-trade/store/filestore"
)

var days = []string{"2025-10-01", "2025-10-02", "2025-10-03", "2025-10-06", "2025-10-07", "2025-10-08"}

// history is the ledger that both futures begin with.
var history = []string{
	`{"date": "2025-10-01", "id": 0, "positions": {"CASH": 5000}}`,
	`{"date": "2025-10-01", "id": 1, "this_action": {"action": "buy", "symbol": "AAA", "amount": 3}, "positions": {"CASH": 4000, "AAA": 3}, "order_id": "old"}`,
}

// The future influences no answer.
func TestServer_ReplacedFuture(t *testing.T) {
	testenv.Slow(t)
	folder := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		today := rapid.SampledFrom(days).Draw(t, "today")
		one, two := twoFutures(t, today)
		requests := drawRequests(t)
		a, b := answers(t, folder, one, today, requests), answers(t, folder, two, today, requests)
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("%s\nis answered\n%s\nor\n%s", requests[i], a[i], b[i])
			}
		}
	})
}

// twoFutures draws two markets that agree before today and on the opens of today, and on nothing else.
func twoFutures(t *rapid.T, today string) (one, two map[string]bars) {
	figure := rapid.SampledFrom([]string{"90", "100.5", "110", "250.25"})
	bar := rapid.Custom(func(t *rapid.T) [5]string {
		return [5]string{figure.Draw(t, "open"), figure.Draw(t, "high"), figure.Draw(t, "low"), figure.Draw(t, "close"), "1000"}
	})
	one, two = map[string]bars{"ZZZ": {days[0]: {"1", "1", "1", "1", "1"}}}, map[string]bars{"ZZZ": {days[0]: {"1", "1", "1", "1", "1"}}}
	if today == days[0] {
		two["ZZZ"][today] = [5]string{"1", "2", "3", "4", "5"}
	}
	for _, symbol := range []string{"AAA", "AAB", "AAC", "BBB"} {
		mine, theirs := bars{}, bars{}
		for _, day := range days {
			switch {
			case day > today:
				if rapid.Bool().Draw(t, "mine") {
					mine[day] = bar.Draw(t, "mine")
				}
				if rapid.Bool().Draw(t, "theirs") {
					theirs[day] = bar.Draw(t, "theirs")
				}
			case rapid.IntRange(0, 3).Draw(t, "traded") > 0:
				mine[day] = bar.Draw(t, "shared")
				theirs[day] = mine[day]
				if day == today {
					rest := bar.Draw(t, "rest of today")
					rest[0] = mine[day][0]
					theirs[day] = rest
				}
			}
		}
		if len(mine) > 0 {
			one[symbol] = mine
		}
		if len(theirs) > 0 {
			two[symbol] = theirs
		}
	}
	return one, two
}

// drawArgument draws a value of an argument by its name. A tool that takes an argument of another name needs a line here.
func drawArgument(t *rapid.T, name string) any {
	values := map[string][]any{
		"symbol": {"AAA", "aab", "AAC", "BBB", "AAD", "ZZZ", "X:AAA", "AAB.US", "AAA,BBB,AAD", "Company"},
		"amount": {1, 2, 3, 7, 15, 40, "all"}, "dry_run": {false, true}, "order_id": {"old", "new"}, "note": {"why"},
		"date": dates, "start": dates, "end": dates, "limit": {1, 2, 3, 5},
		"query": {"", "a", "AAB"}, "cursor": {"", "AAA", "AAC", "1"},
		"symbols": {[]string{"AAA"}}, "tickers": {"AAA,AAB"}, "topics": {"earnings"},
		"side": {"buy", "sell"}, "value": {1, 250, 900, 4000}, "all": {true, false},
		"a": {1, 2.5}, "b": {3, -4},
	}[name]
	if values == nil {
		t.Fatalf("the argument %q has no values: add some, of which one future shows another answer than the other if the tool looks ahead", name)
	}
	return rapid.SampledFrom(values).Draw(t, name)
}

var dates = []any{"2025-10-01", "2025-10-02", "2025-10-03", "2025-10-04", "2025-10-06", "2025-10-07", "2025-10-08", "2025-12-01"}

// drawCall draws a call of a tool, with any of the arguments that it can do without.
func drawCall(t *rapid.T, tool tool) string {
	var schema struct {
		Properties map[string]any
		Required   []string
	}
	if err := json.Unmarshal(tool.params((&Deps{}).rules().Amount()), &schema); err != nil {
		t.Fatal(err)
	}
	arguments := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		if slices.Contains(schema.Required, name) || rapid.Bool().Draw(t, name+" is given") {
			arguments[name] = drawArgument(t, name)
		}
	}
	text, err := json.Marshal(arguments)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool.name, text)
}

func drawRequests(t *rapid.T) []string {
	tool := rapid.Custom(func(t *rapid.T) string { return drawCall(t, rapid.SampledFrom(table()).Draw(t, "tool")) })
	requests := rapid.SliceOfN(tool, 5, 20).Draw(t, "calls")
	return append(requests,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_portfolio"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_symbols"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"trading-day"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"ledger://a/latest"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"report://a"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`,
	)
}

// answers returns what a server says in one of the futures.
func answers(t *rapid.T, folder string, symbols map[string]bars, today string, requests []string) []string {
	dir, err := os.MkdirTemp(folder, "")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "merged.jsonl")
	if err := writePrices(path, symbols); err != nil {
		t.Fatal(err)
	}
	prices, err := market.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer prices.Close()
	s := filestore.New(dir, dir)
	defer s.Close()
	if err := os.MkdirAll(filepath.Dir(s.LedgerFile("a")), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.LedgerFile("a"), []byte(strings.Join(history, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.SessionFile("m"), fmt.Appendf(nil, `{"SIGNATURE": "a", "TODAY_DATE": %q}`, today), 0o644); err != nil {
		t.Fatal(err)
	}
	layers, err := session.New(session.Config{Model: "m", Local: s, Env: func(string) (string, bool) { return "", false }, Warn: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	server, err := NewServer(&Deps{Accounts: ledger.NewAccounts(s), Prices: prices, Ledger: "file", Log: zerolog.Nop()},
		Options{Toolsets: []string{TradeSet, MarketSet, SearchSet, OrdersSet, AITraderSet, MathSet}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := session.WithCaller(t.Context(), &session.Caller{Session: layers})
	all := make([]string, len(requests))
	for i, r := range requests {
		text, err := json.Marshal(server.MCP().HandleMessage(ctx, json.RawMessage(r)))
		if err != nil {
			t.Fatal(err)
		}
		all[i] = string(text)
	}
	return all
}
