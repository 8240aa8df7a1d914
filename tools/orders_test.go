package tools

// Tests of the toolset orders.

import (
	"strings"
	"testing"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
)

// registerUnder opens an account of a market with costs, and makes it that of the session.
func (f *fixture) registerUnder(t *testing.T, account, cash string, of market.ID, costs, slippage string) {
	t.Helper()
	c, err := market.ParseCosts([]byte(costs), of)
	if err != nil {
		t.Fatal(err)
	}
	s, err := market.ParseSlippage(slippage)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := ledger.RulesOf(of.Get()).WithCosts(c, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Accounts.RegisterUnder(t.Context(), account, decimal.RequireFromString(cash), "2025-10-01", rules); err != nil {
		t.Fatal(err)
	}
	f.set(t, session.Signature, account)
}

// An order has an amount, a sum of money, or all there is. The calls of a case come one after the other.
func TestPlaceOrder_Size(t *testing.T) {
	const bought = `{"status":"filled","replayed":false,"order_id":"v","id":1,"date":"2025-10-02","action":"buy","symbol":"NVDA","amount":9,"price":110.5,"fees":0,` +
		`"cash":9005.5,"position":9,"positions":{"NVDA":9,"CASH":9005.5}}`
	f := newFixture(t, testBars)
	for _, c := range []struct{ arguments, want string }{
		{`{"symbol":"NVDA","side":"buy","value":1000,"dry_run":true}`, strings.NewReplacer("filled", "dry_run", `"order_id":"v",`, "").Replace(bought)},
		{`{"symbol":"nvda","side":"BUY","value":"1000","order_id":"v"}`, bought},
		{`{"symbol":"NVDA","side":"buy","value":1000,"order_id":"v"}`, strings.Replace(bought, `"replayed":false`, `"replayed":true`, 1)},
		{`{"symbol":"NVDA","side":"sell","value":221,"order_id":"s"}`, `{"status":"filled","replayed":false,"order_id":"s","id":2,"date":"2025-10-02","action":"sell","symbol":"NVDA","amount":2,"price":110.5,"fees":0,` +
			`"cash":9226.5,"position":7,"positions":{"NVDA":7,"CASH":9226.5}}`},
		{`{"symbol":"NVDA","side":"buy","amount":1}`, `{"status":"filled","replayed":false,"id":3,"date":"2025-10-02","action":"buy","symbol":"NVDA","amount":1,"price":110.5,"fees":0,` +
			`"cash":9116,"position":8,"positions":{"NVDA":8,"CASH":9116}}`},
		{`{"symbol":"NVDA","side":"sell","all":true,"order_id":"a"}`, `{"status":"filled","replayed":false,"order_id":"a","id":4,"date":"2025-10-02","action":"sell","symbol":"NVDA","amount":8,"price":110.5,"fees":0,` +
			`"cash":10000,"position":0,"positions":{"CASH":10000}}`},
		{`{"symbol":"NVDA","side":"sell","all":true,"order_id":"a"}`, `{"status":"filled","replayed":true,"order_id":"a","id":4,"date":"2025-10-02","action":"sell","symbol":"NVDA","amount":8,"price":110.5,"fees":0,` +
			`"cash":10000,"position":0,"positions":{"CASH":10000}}`},
	} {
		f.want(t, "place_order", c.arguments, c.want)
	}
	for _, c := range []struct {
		arguments string
		code      code.Code
		says      string
	}{
		{`{"symbol":"NVDA","side":"buy","value":1200,"order_id":"v"}`, code.OrderIDReused, `The order id "v" belongs to another order`},
		{`{"symbol":"NVDA","side":"buy"}`, code.InvalidArgument, "one of amount, value and all"},
		{`{"symbol":"NVDA","side":"buy","amount":1,"value":500}`, code.InvalidArgument, "no two of them"},
		{`{"symbol":"NVDA","side":"buy","all":true}`, code.InvalidArgument, "Give a purchase an amount or a value"},
		{`{"symbol":"NVDA","side":"hold","amount":1}`, code.InvalidArgument, `"side" must be buy or sell`},
		{`{"symbol":"NVDA","side":"buy","value":0}`, code.InvalidArgument, `"value" must be a number above 0`},
		{`{"symbol":"NVDA","side":"buy","value":"much"}`, code.InvalidArgument, `"value" must be a number above 0`},
		{`{"symbol":"NVDA","side":"buy","value":110}`, code.LotSize, "A value of 110 is less than the least order of NVDA: 1 at 110.5, and the costs. Give a larger value."},
		{`{"symbol":"NVDA","side":"buy","value":20000}`, code.InsufficientCash, "Insufficient cash"},
		{`{"symbol":"NVDA","side":"sell","all":true}`, code.InsufficientPosition, "No position for NVDA"},
		{`{"symbol":"NVDX","side":"buy","value":500}`, code.UnknownSymbol, "NVDX not found"},
		{`{"symbol":"MSFT","side":"buy","value":900}`, code.NoPrice, "MSFT has no price at 2025-10-02"},
	} {
		if got := f.wantCode(t, "place_order", c.arguments, c.code)["error"].(string); !strings.Contains(got, c.says) {
			t.Errorf("%s: %s, want %q", c.arguments, got, c.says)
		}
	}
	if n := f.rows(t, "gpt-5"); n != 5 {
		t.Errorf("the ledger has %d rows, want 5", n)
	}
}

// What money buys counts the costs and the lots of the market, and all is what can be sold today.
func TestPlaceOrder_SizeOfMarkets(t *testing.T) {
	f := newFixture(t, map[string]bars{
		"600519.SH": {"2025-10-09": {"10", "11", "9", "10.5", "500000"}, "2025-10-10": {"10.5", "11", "10", "10.8", "500000"}},
		"BTC-USDT":  {"2025-10-09": {"50000", "51000", "49000", "50500", "10"}},
	})
	f.registerUnder(t, "cn", "100000", market.CN, `"real"`, "10bps")
	f.set(t, session.TodayDate, "2025-10-09")
	for _, c := range []struct{ account, today, arguments, want string }{
		// 100 at 10.01 are 1001, and the commission is 5 at least: the money of 200 does not reach.
		{"cn", "2025-10-09", `{"symbol":"600519.SH","side":"buy","value":2000}`, `"amount":100,"price":10.01,`},
		{"cn", "2025-10-09", `{"symbol":"600519.SH","side":"sell","all":true}`, `"code":"t_plus_1"`},
		{"cn", "2025-10-09", `{"symbol":"600519.SH","side":"buy","value":1000}`, `"code":"lot_size"`},
		{"cn", "2025-10-10", `{"symbol":"600519.SH","side":"sell","all":true}`, `"amount":100,`},
		{"coin", "2025-10-09", `{"symbol":"BTC-USDT","side":"buy","value":123.45}`, `"amount":0.00246,"price":50000,`},
		{"coin", "2025-10-09", `{"symbol":"BTC-USDT","side":"buy","value":3}`, `"error":"A value of 3 is less than the least order of BTC-USDT: a worth of 5 at 50000, and the costs. Give a larger value."`},
		{"coin", "2025-10-09", `{"symbol":"BTC-USDT","side":"sell","value":60}`, `"amount":0.0012,`},
		{"coin", "2025-10-09", `{"symbol":"BTC-USDT","side":"sell","all":true}`, `"amount":0.00125,`},
		{"coin", "2025-10-09", `{"symbol":"BTC-USDT","side":"sell","all":true}`, `"error":"The account has 0.00000754 of BTC-USDT, less than is traded at all. It cannot be sold."`},
	} {
		if c.account == "coin" {
			if _, err := f.Accounts.Head(t.Context(), "coin"); err != nil {
				f.registerUnder(t, "coin", "10000", market.Crypto, `"real"`, "none")
			}
		}
		f.set(t, session.Signature, c.account, session.TodayDate, c.today)
		if got, _ := f.call(t, "place_order", c.arguments); !strings.Contains(got, c.want) {
			t.Errorf("%s on %s: %s\n%s\nwant %s", c.account, c.today, c.arguments, got, c.want)
		}
	}
}
