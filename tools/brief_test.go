package tools

// Tests of what is said to a model that trades another market than US shares.

import (
	"encoding/json"
	"strings"
	"testing"

	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
)

func TestBrief(t *testing.T) {
	f := newFixture(t, map[string]bars{
		"600519.SH": {"2025-10-02": {"1455", "1460", "1450", "1455", "100"}, "2025-10-09": {"1455", "1460", "1450", "1455", "100"}},
		"BTC-USDT":  {"2025-10-02": {"104000", "105000", "103000", "104500", "100"}, "2025-10-09": {"104000", "105000", "103000", "104500", "100"}},
	})
	f.set(t, session.TodayDate, "2025-10-09")
	for _, c := range []struct {
		of    market.ID
		order string
		want  string // of the briefing, up to the quotes
		can   string // of the holding, "" where it is not told
	}{
		{market.CN, `{"symbol":"600519.SH","amount":100}`, `Today is 2025-10-09, in a simulation on historical prices. You trade the account cn.
Cash: 854500.00
Total value, at today's opens, else at last closes: 1000000.00
Rules: You trade Chinese A-shares, in CNY. Amounts are multiples of 100 shares; on STAR (688 and 689) 200 or more and in Beijing (.BJ) 100 or more, both one by one. A rest of less than a lot is sold whole. What is bought today can be sold from the next trading day on. Nothing can be bought at the upper price limit of the day, nor sold at the lower one.
Profit since the open of 2025-10-02: +0.00

Holdings (symbol, shares, last close, price now, value now):
600519.SH 100 1455 1455 145500 (0 can be sold today)
`, `"sellable":0`},
		{market.Crypto, `{"symbol":"BTC-USDT","amount":1}`, `Today is 2025-10-09, in a simulation on historical prices. You trade the account crypto.
Cash: 896000.00
Total value, at today's opens, else at last closes: 1000000.00
Rules: You trade crypto, in USDT. Amounts are multiples of the step of a pair, 0.00001 of BTC-USDT. An order is worth at least 5 USDT.
Profit since the open of 2025-10-02: +0.00

Holdings (symbol, coins, last close, price now, value now):
BTC-USDT 1 104500 104000 104000
`, ""},
	} {
		f.registerUnder(t, string(c.of), "1000000", c.of, `"none"`, "none")
		f.call(t, "buy", c.order)
		if got, _, _ := strings.Cut(f.prompt(t), "\nMarket"); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.of, got, c.want)
		}
		if got, _ := f.call(t, "get_portfolio", "{}"); strings.Contains(got, "sellable") != (c.can != "") || !strings.Contains(got, c.can) {
			t.Errorf("%s: %s", c.of, got)
		}
		rules, _, _ := strings.Cut(strings.SplitAfter(c.want, "Rules: ")[1], "\n")
		if got, _ := f.call(t, "get_session", "{}"); !strings.Contains(got, rules) {
			t.Errorf("%s: %s, want the rules %s", c.of, got, rules)
		}
	}
}

// What a server says of its tools is in the words of its market.
func TestInWordsOf(t *testing.T) {
	for id, c := range map[market.ID]struct{ has, lacks []string }{
		market.US:     {[]string{"Buy shares with cash,", "AAPL,MSFT", "whole number such as 10"}, []string{"CNY", "USDT"}},
		market.CN:     {[]string{"Buy shares with cash, in CNY,", "600519.SH,601318.SH", "in lots, such as 100 or 200", "What was bought today can be sold from the next trading day on."}, []string{"AAPL", "MSFT", "coin"}},
		market.Crypto: {[]string{"Buy coins with cash, in USDT,", "BTC-USDT,ETH-USDT", "Number of coins, such as 0.5"}, []string{"AAPL", "MSFT", "shares", "next trading day"}},
	} {
		d := &Deps{Rules: ledger.RulesOf(id.Get())}
		offered, err := offer(d, Options{Toolsets: append(DefaultToolsets, OrdersSet)})
		if err != nil {
			t.Fatal(err)
		}
		said := inWordsOf(d.rules())(instructions(offered, accountResources()))
		for _, tool := range offered {
			text, err := json.Marshal(tool.declaration(d, form{refusalsAreResults: true}))
			if err != nil {
				t.Fatal(err)
			}
			said += string(text)
		}
		for _, text := range c.has {
			if !strings.Contains(said, text) {
				t.Errorf("%s: %q is not said", id, text)
			}
		}
		for _, text := range c.lacks {
			if strings.Contains(said, text) {
				t.Errorf("%s: %q is said", id, text)
			}
		}
	}
}

// Of an account whose orders fill at the next open no tool says that they fill at once.
func TestInWordsOf_NextOpen(t *testing.T) {
	for _, id := range []market.ID{market.US, market.CN} {
		r, err := ledger.RulesOf(id.Get()).With("fill", `"next-open"`)
		if err != nil {
			t.Fatal(err)
		}
		d := &Deps{Rules: r}
		offered, err := offer(d, Options{Toolsets: DefaultToolsets})
		if err != nil {
			t.Fatal(err)
		}
		said := inWordsOf(r)(instructions(offered, accountResources()) + offered[0].description)
		if strings.Contains(said, "at once") || strings.Contains(said, "fill at today's open") || strings.Count(said, "next open") < 3 {
			t.Errorf("%s: %s", id, said)
		}
	}
}

func TestRules_Brief(t *testing.T) {
	for _, c := range []struct {
		of         market.ID
		key, value string
		at         market.Stamp
		want       string
	}{
		{market.US, "hours", `"all"`, "2025-10-09", ""},
		{market.US, "hours", `"regular"`, "2025-10-09 10:00:00", "Orders are taken while the exchanges trade, and not before or after."},
		{market.CN, "lots", `"strict100"`, "2025-10-09", "You trade Chinese A-shares, in CNY. Amounts are multiples of 100 shares. What is bought"},
		{market.Crypto, "rounding", `"upstream"`, "2025-10-09", "You trade crypto, in USDT. Amounts are multiples of 0.0001."},
		{market.Crypto, "rounding", `"strict"`, "2020-10-09", "You trade crypto, in USDT. Amounts are multiples of the step of a pair, 0.00000001 of BTC-USDT."},
	} {
		r, err := ledger.RulesOf(c.of.Get()).With(c.key, c.value)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Brief(c.at); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s with %s %s: %q, want %q", c.of, c.key, c.value, got, c.want)
		}
	}
}
