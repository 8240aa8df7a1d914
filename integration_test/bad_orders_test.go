// Bad input of each market: it is refused in one sentence, with its code and the way out, and nothing is lost.

package integration_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// badMarket is a market in which alice has bought something before today.
type badMarket struct {
	prices string
	held   string // what she bought, the day before and today
	amount string
}

var badDays = []string{"2025-09-29", "2025-09-30"}

// marketsOfBadInput are the markets by name. 600036.SH opens today at its upper limit, and 601398.SH at its lower one.
func marketsOfBadInput() map[string]badMarket {
	series := func(symbol, yesterday, today string) string {
		return `{"Meta Data": {"2. Symbol": "` + symbol + `"}, "Time Series (Daily)": {` +
			`"2025-09-29": {"1. open": "` + yesterday + `", "4. close": "` + yesterday + `"}, "2025-09-30": {"1. open": "` + today + `"}}}` + "\n"
	}
	return map[string]badMarket{
		"us":     {prices: series("AAPL", "100", "101"), held: "AAPL", amount: "10"},
		"cn":     {prices: series("600519.SH", "1400", "1410") + series("600036.SH", "40", "44") + series("601398.SH", "10", "9"), held: "600519.SH", amount: "100"},
		"crypto": {prices: series("BTC-USDT", "110000", "110500"), held: "BTC-USDT", amount: "0.5"},
	}
}

func TestBadOrdersOfEachMarketAreRefusedWithTheirCodeAndAWayOut(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, market, tool, arguments string
		code, way                     string // what the refusal names
	}{
		{"150 A-shares", "cn", "buy", `{"symbol":"600519.SH","amount":150}`, "lot_size", `"nearest_lots":[100,200]`},
		{"half an A-share", "cn", "buy", `{"symbol":"600519.SH","amount":0.5}`, "invalid_argument", `"minimum":1`},
		{"today's A-shares", "cn", "sell", `{"symbol":"600519.SH","amount":200}`, "t_plus_1", `"max_amount":100`},
		{"more A-shares than are held", "cn", "sell", `{"symbol":"600519.SH","amount":300}`, "insufficient_position", `"max_amount":100`},
		{"a purchase at the upper limit", "cn", "buy", `{"symbol":"600036.SH","amount":100}`, "price_limit", `"upper_limit":44`},
		{"a purchase beyond the cash", "cn", "buy", `{"symbol":"600519.SH","amount":1000000}`, "insufficient_cash", `"max_amount":`},
		{"US shares where A-shares trade", "cn", "buy", `{"symbol":"AAPL","amount":100}`, "invalid_argument", "Trade Chinese A-shares"},
		{"half a satoshi", "crypto", "buy", `{"symbol":"BTC-USDT","amount":0.000000005}`, "lot_size", `"nearest_lots":[0.00001]`},
		{"a satoshi", "crypto", "buy", `{"symbol":"BTC-USDT","amount":0.00001}`, "lot_size", `"minimum_value":5`},
		{"more coins than are held", "crypto", "sell", `{"symbol":"BTC-USDT","amount":5}`, "insufficient_position", `"max_amount":0.999`},
		{"A-shares where crypto trades", "crypto", "buy", `{"symbol":"600519.SH","amount":100}`, "invalid_argument", "Trade crypto"},
		{"crypto where US shares trade", "us", "buy", `{"symbol":"BTC-USDT","amount":1}`, "invalid_argument", "Trade US shares"},
		{"a tenth of a US share", "us", "buy", `{"symbol":"AAPL","amount":0.1}`, "invalid_argument", `"minimum":1`},
		{"nothing of all", "us", "place_order", `{"symbol":"AAPL","side":"buy","all":true}`, "invalid_argument", "an amount or a value"},
		{"less money than a share costs", "us", "place_order", `{"symbol":"AAPL","side":"buy","value":50}`, "lot_size", `"minimum":1`},
		{"less money than a lot costs", "cn", "place_order", `{"symbol":"600519.SH","side":"buy","value":100000}`, "lot_size", `"minimum":100`},
		{"an amount and a value", "crypto", "place_order", `{"symbol":"BTC-USDT","side":"buy","amount":1,"value":100000}`, "invalid_argument", `"valid":["amount"`},
	}
	for name, m := range marketsOfBadInput() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := m.open(t, name)
			s := p.pipe(t, "alice")
			before := p.do(t, "ledger", "export", "alice")
			for i, c := range cases {
				if c.market != name {
					continue
				}
				s.send(t, callLine(2*i, c.tool, c.arguments))
				r := s.answer(t).reply(t)
				if sentence := r.str("error"); !r.failed || r.str("code") != c.code || sentence == "" || strings.ContainsAny(sentence, "\n\r") || !strings.Contains(r.text, c.way) {
					t.Errorf("%s: want a refusal with the code %s and %s, got %s", c.name, c.code, c.way, r.text)
				}
				s.send(t, callLine(2*i+1, "get_portfolio", `{}`))
				if r := s.answer(t).reply(t); r.failed {
					t.Errorf("%s: the call after it: %s", c.name, r.text)
				}
			}
			if code := s.finish(t); code != 0 {
				t.Errorf("exit %d\n%s", code, s.log)
			}
			if after := p.do(t, "ledger", "export", "alice"); after != before {
				t.Errorf("after refusals only the ledger is\n%s\nand was\n%s", after, before)
			}
			p.verified(t, "alice")
		})
	}
}

// open has alice buy on both days under real costs.
func (m badMarket) open(t *testing.T, name string) *place {
	p := onFiles(t)
	p.prices = filepath.Join(p.dir, "prices.jsonl")
	if err := os.WriteFile(p.prices, []byte(m.prices), 0o600); err != nil {
		t.Fatal(err)
	}
	p.env = []string{"MCP_TRADE_MARKET=" + name, "MCP_TRADE_COSTS=real", "MCP_TRADE_TOOLSETS=trade,orders"}
	p.open(t, "alice", "1000000", badDays[0])
	tr := p.trade(t, "alice")
	for _, day := range badDays {
		p.setDate(t, "alice", day)
		tr.filled(t, "buy", m.held, m.amount)
	}
	return p
}

// A file that is wrong is named, with what is wrong in it, before anything is opened.
func TestBadFilesOfCostsAndActionsAreNamedAndNothingIsOpened(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, setting, text string
		command             []string
		says                []string
	}{
		{"an unknown key of costs", "MCP_TRADE_COSTS", `{"fees": [], "tax": 1}`, []string{"ledger", "register", "bob", "--date", "2025-09-29"}, []string{`"tax" is unknown`, "fees, real"}},
		{"an unknown key of a fee", "MCP_TRADE_COSTS", `{"fees": [{"name": "x", "rat": 0.001}]}`, []string{"ledger", "register", "bob", "--date", "2025-09-29"}, []string{`"rat" is unknown`, "rate"}},
		{"a split of 0", "MCP_TRADE_ACTIONS", `{"date": "2025-09-30", "symbol": "AAPL", "split": "0:1"}`, []string{"stdio", "--model-id", "alice"}, []string{":1:", "split"}},
		{"a split of 0 as a number", "MCP_TRADE_ACTIONS", "\n" + `{"date": "2025-09-30", "symbol": "AAPL", "split": 0}`, []string{"stdio", "--model-id", "alice"}, []string{":2:", "split"}},
		{"an unknown key of an action", "MCP_TRADE_ACTIONS", `{"date": "2025-09-30", "symbol": "AAPL", "merger": "X"}`, []string{"stdio", "--model-id", "alice"}, []string{`"merger" is unknown`, "rename"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := marketsOfBadInput()["us"].open(t, "us")
			before := p.do(t, "ledger", "export", "alice")
			bad := filepath.Join(p.dir, "bad.json")
			if err := os.WriteFile(bad, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			good := p.env
			p.env = append(good[:len(good):len(good)], c.setting+"="+bad)
			out := p.try(t, c.command...)
			if said, _, _ := strings.Cut(out.stderr, "See 'mcp-trade "); out.code != 2 || out.stdout != "" || strings.Count(said, "\n") != 1 {
				t.Errorf("exit %d\n%s%s", out.code, out.stdout, out.stderr)
			}
			for _, words := range append(c.says, "bad.json") {
				if !strings.Contains(out.stderr, words) {
					t.Errorf("%q is not in %s", words, out.stderr)
				}
			}
			p.env = good
			if after := p.do(t, "ledger", "export", "alice"); after != before {
				t.Errorf("the ledger is\n%s\nand was\n%s", after, before)
			}
			if out := p.try(t, "ledger", "show", "bob"); out.code == 0 {
				t.Errorf("bob has an account:\n%s", out.stdout)
			}
		})
	}
}
