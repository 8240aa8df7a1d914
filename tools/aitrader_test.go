package tools

// Tests of the answers that AI-Trader's agent is used to.

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/decimal"
	"mcp-trade/session"
)

// asked calls a tool and returns the fields of its answer, and whether it is an error.
func (f *fixture) asked(t *testing.T, tool, arguments string) (fields map[string]any, isError bool) {
	t.Helper()
	var req mcp.CallToolRequest
	req.Params.Name, req.Params.Arguments = tool, json.RawMessage(arguments)
	r, err := f.client.CallTool(f.ctx(t), req)
	if err != nil {
		t.Fatalf("%s %s: %v", tool, arguments, err)
	}
	text := r.Content[0].(mcp.TextContent).Text
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatalf("%s %s: %s: %v", tool, arguments, text, err)
	}
	if structured, err := json.Marshal(r.StructuredContent); !r.IsError && (err != nil || !sameJSON(t, structured, []byte(text))) {
		t.Errorf("%s %s: the text is %s\nand the structured content %s", tool, arguments, text, structured)
	}
	return fields, r.IsError
}

// Refusals are results for AI-Trader.
func TestOptions_AITrader_Refusals(t *testing.T) {
	aiTrader := []string{TradeSet, MarketSet, AITraderSet, MathSet}
	for _, c := range []struct {
		name    string
		o       Options
		results bool
	}{
		{"AI-Trader's toolset", Options{Toolsets: aiTrader}, true},
		{"AI-Trader's toolset with errors", Options{Toolsets: aiTrader, Refusals: RefusalsAreErrors}, false},
		{"the default toolsets", Options{Toolsets: DefaultToolsets}, false},
		{"the default toolsets with results", Options{Toolsets: DefaultToolsets, Refusals: RefusalsAreResults}, true},
	} {
		f := newFixture(t, testBars)
		f.serve(t, c.o)
		list, err := f.client.ListTools(f.ctx(t), mcp.ListToolsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		refusals := map[string][2]string{ // by tool: arguments, code
			"buy": {`{"symbol":"NVDA","amount":1000}`, "insufficient_cash"}, "sell": {`{"symbol":"NVDA","amount":1}`, "insufficient_position"},
			"get_price": {`{"symbol":"NOPE"}`, "unknown_symbol"}, "get_price_history": {`{"symbol":"NVDA","start":"2025-10-03"}`, "not_yet"},
			"get_price_local": {`{"symbol":"MSFT","date":"2025-10-02"}`, "no_price"}, "get_information": {`{"query":"chips"}`, "search_unconfigured"},
			"get_market_news": {`{"query":"chips"}`, "search_unconfigured"}, "search": {`{"query":"chips"}`, "search_unconfigured"},
			"list_symbols": {`{"limit":501}`, "invalid_argument"}, "get_trades": {`{"limit":0}`, "invalid_argument"},
			"add": {`{"a":1}`, "invalid_argument"}, "multiply": {`{"a":1}`, "invalid_argument"},
		}
		for _, tool := range list.Tools {
			refusal, own := refusals[tool.Name]
			if !own {
				refusal = [2]string{`{"no_such_argument":1}`, "invalid_argument"} // which every tool refuses
			}
			fields, isError := f.asked(t, tool.Name, refusal[0])
			if isError == c.results || fields["code"] != refusal[1] || fields["error"] == "" {
				t.Errorf("%s: %s %s is answered %v, an error: %v", c.name, tool.Name, refusal[0], fields, isError)
			}
			// A client checks each result against the schema, and a refusal is not of it.
			text, err := json.Marshal(tool)
			if err != nil || strings.Contains(string(text), "outputSchema") == c.results {
				t.Errorf("%s: %s is declared as %s", c.name, tool.Name, text)
			}
		}
		f.clear(t, session.TodayDate)
		if fields, isError := f.asked(t, "buy", buyOne); isError == c.results || fields["code"] != "session_missing" {
			t.Errorf("%s: without a date: %v, an error: %v", c.name, fields, isError)
		}
	}
}

// A trade for AI-Trader tells the positions at the top.
func TestAITraderTrade(t *testing.T) {
	f := newFixture(t, map[string]bars{"NVDA": testBars["NVDA"], "AMD": testBars["AMD"], "fees": testBars["AMD"]})
	f.serve(t, Options{Toolsets: []string{TradeSet, AITraderSet}})
	positions := func(fields map[string]any) (own string) {
		for _, symbol := range []string{"NVDA", "AMD", "CASH"} {
			own += symbol + " " + decimal.NewFromFloat(fields[symbol].(float64)).String() + " "
		}
		return own
	}
	f.asked(t, "buy", `{"symbol":"AMD","amount":2}`)
	f.asked(t, "buy", `{"symbol":"fees","amount":1}`)
	bought, _ := f.asked(t, "buy", `{"symbol":"NVDA","amount":3,"order_id":"o"}`)
	if got := positions(bought); got != "NVDA 3 AMD 2 CASH 9518.5 " || bought["status"] != "filled" || bought["position"] != 3.0 || bought["fees"] != 0.0 {
		t.Errorf("%s, %v", got, bought)
	}
	// What is sold out is still told, as AI-Trader does: its agent may look for it.
	sold, _ := f.asked(t, "sell", `{"symbol":"AMD","amount":2}`)
	if got := positions(sold); got != "NVDA 3 AMD 0 CASH 9618.5 " {
		t.Errorf("%s, %v", got, sold)
	}
	again, _ := f.asked(t, "buy", `{"symbol":"NVDA","amount":3,"order_id":"o"}`)
	if again["replayed"] != true || again["NVDA"] != 3.0 {
		t.Error(again)
	}

	f.serve(t, Options{Toolsets: DefaultToolsets})
	if plain, _ := f.asked(t, "buy", buyOne); plain["NVDA"] != nil || plain["CASH"] != nil {
		t.Error(plain)
	}
}

func TestGetPriceLocal(t *testing.T) {
	f := newFixture(t, testBars)
	f.serve(t, Options{Toolsets: []string{AITraderSet}})
	f.want(t, "get_price_local", `{"symbol":"NVDA","date":"2025-10-02"}`,
		`{"symbol":"NVDA","date":"2025-10-02","ohlcv":{"open":110.5,"high":null,"low":null,"close":null,"volume":null}}`)
}
