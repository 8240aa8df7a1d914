package tools

// Tests of price files that change under a server.

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/code"
	"mcp-trade/market"
	"mcp-trade/session"
)

// onFile has a server trade on a price file, and returns what puts another content there.
func (f *fixture) onFile(t *testing.T) (put func(map[string]bars)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "merged.jsonl")
	put = func(symbols map[string]bars) {
		t.Helper()
		err := writePrices(path+".new", symbols)
		if err == nil {
			err = os.Rename(path+".new", path)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put(testBars)
	prices, err := market.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = prices.Close() })
	f.Prices = prices
	return put
}

// with is the test's bars with others of a symbol.
func with(symbol, date string, figures [5]string) map[string]bars {
	all := maps.Clone(testBars)
	all[symbol] = maps.Clone(all[symbol])
	all[symbol][date] = figures
	return all
}

func TestServer_PricesChange(t *testing.T) {
	f := newFixture(t, nil)
	put := f.onFile(t)
	f.call(t, "buy", `{"symbol":"NVDA","amount":1}`)

	t.Run("a day that is new is served", func(t *testing.T) {
		put(with("NVDA", "2025-10-06", [5]string{"150", "151", "149", "150.5", "1"}))
		f.set(t, session.TodayDate, "2025-10-06")
		if got, _ := f.call(t, "get_price", `{"symbol":"NVDA"}`); !strings.Contains(got, `"open":150`) {
			t.Error(got)
		}
		f.set(t, session.TodayDate, "2025-10-02")
	})
	t.Run("another price of a bar that was shown is a fault, and no order is made", func(t *testing.T) {
		put(with("NVDA", "2025-10-02", [5]string{"110.75", "120", "108", "119", "6000"}))
		for _, call := range []struct{ tool, arguments string }{{"buy", `{"symbol":"NVDA","amount":1}`}, {"get_portfolio", `{}`}, {"list_symbols", `{}`}} {
			failed := f.wantCode(t, call.tool, call.arguments, code.PricesChanged)
			if said := fmt.Sprint(failed); strings.Contains(said, "110.") || strings.Contains(said, "merged") {
				t.Errorf("the caller is told %s", said)
			}
		}
		if log := f.log.String(); !strings.Contains(log, "NVDA 2025-10-02: the open was 110.5 and is 110.75 now, in ") {
			t.Errorf("the log has no word of it:\n%s", log)
		}
		if n := f.rows(t, "gpt-5"); n != 2 {
			t.Errorf("%d rows are in the ledger, want 2", n)
		}
	})
	t.Run("the file is right again", func(t *testing.T) {
		put(with("NVDA", "2025-10-06", [5]string{"150", "151", "149", "150.6", "1"})) // of that day the open alone was shown
		if got, failed := f.call(t, "buy", `{"symbol":"NVDA","amount":1}`); failed {
			t.Error(got)
		}
	})
}

// While calls come in parallel, files come that are right and files that are not: no call has a wrong price.
func TestServer_PricesChangeUnderParallelCalls(t *testing.T) {
	f := newFixture(t, nil)
	put := f.onFile(t)
	f.call(t, "get_price", `{"symbol":"NVDA"}`)
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for range 30 {
				var req mcp.CallToolRequest
				req.Params.Name, req.Params.Arguments = "get_price", json.RawMessage(`{"symbol":"NVDA"}`)
				r, err := f.client.CallTool(f.ctx(t), req)
				if err != nil {
					t.Error(err)
					return
				}
				if text := r.Content[0].(mcp.TextContent).Text; !strings.Contains(text, `"open":110.5,`) && !strings.Contains(text, string(code.PricesChanged)) {
					t.Error(text)
				}
			}
		})
	}
	for i := range 20 {
		put(with("NVDA", []string{"2025-10-02", "2025-10-06"}[i%2], [5]string{"1", "1", "1", "1", "1"}))
	}
	callers.Wait()
}

// The briefing quotes so many symbols, and reads no others.
func TestTradingDayPrompt_ManySymbols(t *testing.T) {
	many := map[string]bars{}
	for n := range maxQuotes + 5 {
		many[fmt.Sprintf("S%03d", n)] = bars{"2025-10-02": {"10", "11", "9", "10", "100"}}
	}
	text := newFixture(t, many).prompt(t)
	if !strings.Contains(text, "S149 - 10\nand more symbols; ask get_price for them\n") || strings.Contains(text, "S150") {
		t.Error(text)
	}
}
