package tools

// Tests of the toolset orders.

import (
	"strings"
	"testing"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
	"mcp-trade/store"
	"mcp-trade/store/redisstore"
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

// The life of orders that wait: placed, cancelled, filled where a bar proves it, expired. The calls come one after the other.
func TestOrders_Life(t *testing.T) {
	f := newFixture(t, testBars)
	const limit = `{"symbol":"NVDA","side":"buy","type":"limit","limit_price":109,"amount":10,"until":"gtc","order_id":"l"`
	const placed = `"order_id":"l","id":1,"date":"2025-10-02","action":"buy","symbol":"NVDA","amount":10,"fees":0,"cash":10000,"position":0,"positions":{"CASH":10000},` +
		`"order":{"id":1,"side":"buy","symbol":"NVDA","amount":10,"type":"limit","limit_price":109,"until":"gtc","placed":"2025-10-02","reserved":1090}}`
	for _, c := range []struct{ today, tool, arguments, want string }{
		{"", "get_orders", `{}`, `{"date":"2025-10-02","open":[],"ended":[]}`},
		{"", "place_order", limit + `,"dry_run":true}`, `{"status":"dry_run","replayed":false,` + placed},
		{"", "place_order", limit + `}`, `{"status":"pending","replayed":false,` + placed},
		{"", "place_order", limit + `}`, `{"status":"pending","replayed":true,` + placed},
		{"", "place_order", `{"symbol":"AMD","side":"buy","type":"stop","stop_price":60,"value":700}`, `"order":{"id":2,"side":"buy","symbol":"AMD","amount":11,"type":"stop","stop_price":60,"until":"day","placed":"2025-10-02","reserved":660}`},
		{"", "place_order", `{"symbol":"AMD","side":"buy","type":"limit","limit_price":40,"amount":1}`, `"status":"pending"`},
		{"", "get_portfolio", `{}`, `"unpriced":[],"reserved":{"CASH":1790},"open_orders":[{"id":1,"side":"buy","symbol":"NVDA","amount":10,"type":"limit","limit_price":109,"until":"gtc",`},
		{"", "get_session", `{}`, `"if_trade":false`}, // an order that waits is no trade
		{"", "get_trades", `{}`, `{"trades":[]}`},
		{"", "cancel_order", `{"id":3,"order_id":"c"}`, `{"status":"cancelled","replayed":false,"order_id":"c","id":4,"date":"2025-10-02","action":"buy","symbol":"AMD","amount":1,`},
		{"", "cancel_order", `{"id":3,"order_id":"c"}`, `{"status":"cancelled","replayed":true,"order_id":"c","id":4,`},
		{"", "cancel_order", `{"id":3}`, `"error":"The order 3 does not wait: it was filled, cancelled or ended, or never placed. Orders that wait: [1 2]."`},
		// The bar of 2025-10-02 went to 108 and to 55: known on the day after, and before anybody has settled it.
		{"2025-10-03", "get_orders", `{}`, `{"date":"2025-10-03","open":[],"ended":[{"id":2,"status":"expired","date":"2025-10-03","side":"buy","symbol":"AMD","amount":11,"why":"The day is over."},` +
			`{"id":1,"status":"filled","date":"2025-10-03","at":"2025-10-02","side":"buy","symbol":"NVDA","amount":10,"price":109},{"id":3,"status":"cancelled","date":"2025-10-02","side":"buy","symbol":"AMD","amount":1}]}`},
		{"", "get_portfolio", `{}`, `{"signature":"gpt-5","date":"2025-10-03","cash":8910,"holdings":[{"symbol":"NVDA","amount":10,"price":130,"price_type":"open","price_date":"2025-10-03","value":1300}],"total_value":10210,"unpriced":[]}`},
		{"", "place_order", `{"symbol":"NVDA","side":"sell","all":true,"type":"limit","limit_price":135}`, `"status":"pending","replayed":false,"id":7,`},
		{"", "get_trades", `{}`, `{"trades":[{"id":5,"date":"2025-10-03","action":"buy","symbol":"NVDA","amount":10,"price":109,"fees":0,"cash":8910,"order":1,"at":"2025-10-02"}]}`},
		{"", "sell", `{"symbol":"NVDA","amount":1}`, `"reserved":10`}, // nothing is sold twice
	} {
		if c.today != "" {
			f.set(t, session.TodayDate, c.today)
		}
		if got, _ := f.call(t, c.tool, c.arguments); !strings.Contains(got, c.want) {
			t.Errorf("%s %s\ngot  %s\nwant %s", c.tool, c.arguments, got, c.want)
		}
	}
	const told = "Your orders since the day before:\norder 1 filled: buy 10 NVDA at 109 (bar of 2025-10-02)\norder 2 to buy 11 AMD ended: The day is over.\n\n" +
		"Open orders (number, side, amount, symbol, type and price, until, placed):\n7 sell 10 NVDA limit 135 day 2025-10-03\nThey reserve: NVDA 10\n"
	if got := f.prompt(t); !strings.Contains(got, told) {
		t.Errorf("the briefing is\n%s", got)
	}
	// A halt fills nothing and places nothing; what waits can be cancelled.
	f.set(t, session.Halt, "true")
	f.wantCode(t, "place_order", limit+`}`, code.Halted)
	if got, failed := f.call(t, "cancel_order", `{"id":7}`); failed {
		t.Error(got)
	}
}

// While HALT is set a cancelling fills nothing: it is refused where orders are due to fill before it, and done where none is.
func TestOrders_CancelHalted(t *testing.T) {
	options, err := redisstore.Options("redis://" + testenv.StartRedis(t))
	if err != nil {
		t.Fatal(err)
	}
	inRedis := redisstore.New(redisstore.Config{Options: options, Warn: func(w string) { t.Log(w) }, NewToken: func() string { return "token" }})
	t.Cleanup(func() { inRedis.Close() })
	for name, ledgers := range map[string]store.Ledgers{"files": nil, "Redis": inRedis} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, testBars)
			if ledgers != nil {
				f.Accounts = ledger.NewAccounts(ledgers)
				f.registerUnder(t, "gpt-5", "10000", market.US, `"none"`, "none")
			}
			head := func() ledger.Book {
				book, err := f.Accounts.Head(t.Context(), "gpt-5")
				if err != nil {
					t.Fatal(err)
				}
				return book
			}
			for _, order := range []string{ // of which the first fills in the bar of 2025-10-02, and the second ends with the day
				`{"symbol":"NVDA","side":"buy","type":"limit","limit_price":109,"amount":10,"until":"gtc"}`,
				`{"symbol":"AMD","side":"buy","type":"limit","limit_price":40,"amount":1}`,
				`{"symbol":"AMD","side":"buy","type":"limit","limit_price":30,"amount":1,"until":"gtc"}`,
			} {
				if got, failed := f.call(t, "place_order", order); failed {
					t.Fatal(got)
				}
			}
			f.set(t, session.Halt, "true", session.TodayDate, "2025-10-03")
			for _, id := range []string{"1", "2", "3"} {
				got := f.wantCode(t, "cancel_order", `{"id":`+id+`}`, code.Halted)
				if text, _ := got["error"].(string); !strings.Contains(text, "The orders [1] are due to fill, which comes before an order is cancelled.") {
					t.Error(text)
				}
			}
			if book := head(); book.ID != 3 || book.Positions.Amount("NVDA").IsPositive() {
				t.Fatalf("a halted account did something: %s", book.Line)
			}
			f.set(t, session.Halt, "false")
			if got, failed := f.call(t, "cancel_order", `{"id":1}`); !failed || head().Positions.Amount("NVDA").String() != "10" { // it is filled now
				t.Fatal(got)
			}
			f.set(t, session.Halt, "true")
			if got, failed := f.call(t, "cancel_order", `{"id":3}`); failed || len(head().Orders) > 0 {
				t.Error(got)
			}
		})
	}
}

// A market order of an account whose orders fill at the next open waits for it, also one of the tool buy.
func TestOrders_NextOpen(t *testing.T) {
	f := newFixture(t, testBars)
	rules, err := ledger.DefaultRules().With("fill", `"next-open"`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Accounts.RegisterUnder(t.Context(), "next", decimal.RequireFromString("10000"), "2025-10-01", rules); err != nil {
		t.Fatal(err)
	}
	f.set(t, session.Signature, "next")
	for _, c := range []struct{ today, tool, arguments, want string }{
		{"", "get_session", `{}`, `"fills":"next open"`},
		{"", "buy", `{"symbol":"NVDA","amount":2,"order_id":"b"}`, `{"status":"pending","replayed":false,"order_id":"b","id":1,`},
		{"", "buy", `{"symbol":"NVDA","amount":2,"order_id":"b"}`, `{"status":"pending","replayed":true,"order_id":"b","id":1,`},
		{"2025-10-03", "get_portfolio", `{}`, `"cash":9740,"holdings":[{"symbol":"NVDA","amount":2,"price":130,`},
		{"", "get_orders", `{}`, `{"date":"2025-10-03","open":[],"ended":[{"id":1,"status":"filled","date":"2025-10-03","side":"buy","symbol":"NVDA","amount":2,"price":130}]}`},
	} {
		if c.today != "" {
			f.set(t, session.TodayDate, c.today)
		}
		if got, _ := f.call(t, c.tool, c.arguments); !strings.Contains(got, c.want) {
			t.Errorf("%s %s\ngot  %s\nwant %s", c.tool, c.arguments, got, c.want)
		}
	}
	if got := f.prompt(t); !strings.Contains(got, "Market orders fill by the account's rule: next open.") || !strings.Contains(got, "order 1 filled: buy 2 NVDA at 130") {
		t.Errorf("the briefing is\n%s", got)
	}
}

// Bad input is one sentence with a code and the way out, and leaves the ledger as it was.
func TestOrders_BadInput(t *testing.T) {
	f := newFixture(t, testBars)
	for arguments, says := range map[string]string{
		`"type":"limit"`:                    "A limit order needs the argument limit_price.",
		`"type":"stop","limit_price":100`:   "The argument limit_price is of orders with the type limit alone.",
		`"limit_price":100`:                 "The argument limit_price is of orders with the type limit alone.",
		`"type":"limit","limit_price":0`:    `The argument "limit_price" must be a number above 0.`,
		`"type":"limit","limit_price":-5`:   `The argument "limit_price" must be a number above 0.`,
		`"type":"limit","limit_price":1105`: "The limit price 1105 is ten times or a tenth of what NVDA last traded at, 110.5, or further from it.",
		`"type":"limit","limit_price":11`:   "The limit price 11 is ten times or a tenth",
		`"type":"stop","stop_price":100`:    "A stop to buy at 100 is reached already: NVDA is at 110.5. Use a stop price above it, or the type market.",
		`"type":"stop","stop_price":"low"`:  `The argument "stop_price" must be a number above 0.`,
		`"type":"bracket"`:                  `The argument "type" must be market or limit or stop.`,
		`"until":"friday"`:                  `The argument "until" must be day or gtc.`,
	} {
		got := f.wantCode(t, "place_order", `{"symbol":"NVDA","side":"buy","amount":1,`+arguments+`}`, code.InvalidArgument)
		if text, _ := got["error"].(string); !strings.Contains(text, says) {
			t.Errorf("%s: %s, want %s", arguments, text, says)
		}
	}
	f.wantCode(t, "place_order", `{"symbol":"NVDA","side":"buy","type":"limit","limit_price":100,"value":50}`, code.LotSize)
	f.wantCode(t, "place_order", `{"symbol":"NVDA","side":"buy","type":"limit","limit_price":100,"amount":101}`, code.InsufficientCash)
	f.wantCode(t, "cancel_order", `{"id":0}`, code.InvalidArgument)
	f.wantCode(t, "cancel_order", `{"id":7}`, code.InvalidArgument)
	if n := f.rows(t, "gpt-5"); n != 1 {
		t.Errorf("the ledger has %d rows", n)
	}
}
