package ledger

// Tests of the rules that stand in a ledger: those that are not known are not traded under.

import (
	"cmp"
	"errors"
	"strings"
	"testing"

	"mcp-trade/code"
	"mcp-trade/market"
	"mcp-trade/store"
)

const usRules = `"rules": {"market": "us", "lot": 1, "costs": "none", "fill": "open", "rounding": "exact"}`

func TestParseRules(t *testing.T) {
	us := strings.TrimPrefix(usRules, `"rules": `)
	for _, c := range []struct{ name, text, unknown string }{
		{"those of today", us, ""},
		{"in another order", `{"rounding":"exact","fill":"open","costs":"none","lot":1,"market":"us"}`, ""},
		{"none, as in earlier ledgers", "", ""},
		{"another market", strings.Replace(us, `"us"`, `"nyse"`, 1), `"market": "nyse"`},
		{"a term of another market", strings.Replace(us, `}`, `, "t_plus": 0}`, 1), `"t_plus": 0`},
		{"another lot", strings.Replace(us, `1`, `100`, 1), `"lot": 100`},
		{"a lot in words", strings.Replace(us, `1`, `"1"`, 1), `"lot": "1"`},
		{"costs", strings.Replace(us, `"none"`, `{"fixed": 1}`, 1), `"costs": {"fixed": 1}`},
		{"another fill", strings.Replace(us, `"open"`, `"close"`, 1), `"fill": "close"`},
		{"another rounding", strings.Replace(us, `"exact"`, `"cent"`, 1), `"rounding": "cent"`},
		{"one more", strings.Replace(us, `}`, `, "limits": 5}`, 1), `"limits": 5`},
		{"one less", strings.Replace(us, `, "rounding": "exact"`, ``, 1), `no "rounding"`},
		{"null", "null", "null, which are no rules"},
		{"a word", `"us"`, `"us", which are no rules`},
	} {
		r, err := ParseRules(c.text)
		var unknown *UnknownRulesError
		switch {
		case c.unknown == "":
			if err != nil || !r.Market.Lot.Equal(dec("1")) || r.Market.ID != "us" {
				t.Errorf("%s: %+v, %v", c.name, r, err)
			}
		case !errors.As(err, &unknown) || unknown.What != c.unknown || unknown.Code() != code.RulesUnknown || unknown.Code().Class() != code.Fault:
			t.Errorf("%s: %v, want %s", c.name, err, c.unknown)
		}
	}
}

// Under unknown rules nothing is traded.
func TestUnknownRulesError(t *testing.T) {
	const first, day = `{"date": "2025-10-01", "id": 0, "positions": {"CASH": 1000}`,
		`{"date": "2025-10-01", "id": 1, "this_action": {"action": "no_trade", "symbol": "", "amount": 0}, "positions": {"CASH": 1000}`
	cents := strings.Replace(usRules, "exact", "cent", 1)
	for _, c := range []struct {
		name  string
		lines []string
		known bool
	}{
		{"none", []string{first + "}"}, true},
		{"known ones", []string{first + ", " + usRules + "}"}, true},
		{"unknown ones from the first record on", []string{first + ", " + cents + "}", day + "}"}, false},
		{"unknown ones since the newest record", []string{first + ", " + usRules + "}", day + ", " + cents + "}"}, false},
		{"known ones since the newest record", []string{first + ", " + cents + "}", day + ", " + usRules + "}"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, p := fileStore(t), testPrices(t)
			var head []byte
			for _, line := range c.lines {
				c, err := store.CommitOf("a", head, []byte(line))
				if err = cmp.Or(err, s.Append(t.Context(), c)); err != nil {
					t.Fatal(err)
				}
				head = []byte(line)
			}
			a := NewAccounts(s)
			_, preview := a.Preview(t.Context(), "a", order("buy 1 NVDA"), p.AsOf("2025-10-02"))
			_, first := submit(t, a, p, "2025-10-02", order("buy 1 NVDA"))
			_, second := submit(t, a, p, "2025-10-02", order("buy 1 NVDA"))
			closing := a.CloseDay(t.Context(), "a", testPrices(t).AsOf("2025-10-03"))
			for _, err := range []error{preview, first, second, closing} {
				var unknown *UnknownRulesError
				if c.known && err != nil || !c.known && (!errors.As(err, &unknown) || unknown.What != `"rounding": "cent"`) {
					t.Errorf("%v", err)
				}
			}
			if n := len(lines(t, s)); (n > len(c.lines)) != c.known {
				t.Errorf("the ledger has %d lines", n)
			}
		})
	}
}

func TestRules_Affordable(t *testing.T) {
	for _, c := range []struct {
		cash, price, want string // "" where nothing is bounded
	}{
		{"100", "12.34", "8"}, {"100", "10", "10"}, {"9", "10", "0"}, {"100", "0", ""},
	} {
		most, bounded := DefaultRules().Affordable(dec(c.cash), market.Quote{Symbol: "NVDA", At: "2025-10-02", Price: dec(c.price)})
		if bounded != (c.want != "") || bounded && most.String() != c.want {
			t.Errorf("%s at %s: %s, %v", c.cash, c.price, most, bounded)
		}
	}
}
