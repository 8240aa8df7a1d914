package ledger

// Tests of the form of limits: what a file can say, and what is wrong with one that cannot be.

import (
	"os"
	"strings"
	"testing"

	"mcp-trade/market"
)

// everyLimit has each limit once.
const everyLimit = `{"no_trade": [{"from": "2025-12-24", "to": "2025-12-26"}, {"from": "15:30", "to": "16:00"}], "allowed_symbols": ["NVDA", "MSFT"], ` +
	`"barred_symbols": ["DEAD"], "max_loss_a_day": "3%", "max_drawdown": "20%", "max_orders_a_day": 5, "max_positions": 10, "min_order_value": 100, ` +
	`"max_order_value": "12.5%", "max_order_quantity": 1000, "max_symbol_share": "25%", "max_holdings_share": "90%", "min_cash": 500, "max_turnover_a_day": "150%"}`

func TestParseLimits(t *testing.T) {
	l, err := ParseLimits("all", []byte(everyLimit))
	if err != nil {
		t.Fatal(err)
	}
	if l.String() != everyLimit {
		t.Errorf("read %s\nwritten %s", everyLimit, l)
	}
	if lines := l.Lines(); len(lines) != len(limitTable) {
		t.Errorf("%d lines say %d limits: %q", len(lines), len(limitTable), lines)
	}
	again, err := ParseLimits("all", []byte(l.String()))
	if err != nil || again.Hash() != l.Hash() || len(l.Hash()) != limitHash {
		t.Errorf("hash %q, then %q, %v", l.Hash(), again.Hash(), err)
	}
}

func TestParseAccountLimits(t *testing.T) {
	a, err := ParseAccountLimits([]byte(`{"all": {"max_positions": 10, "min_cash": 100}, "accounts": {"gpt-5": {"max_positions": 5}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for account, want := range map[string]string{"gpt-5": `{"max_positions": 5, "min_cash": 100}`, "other": `{"max_positions": 10, "min_cash": 100}`} {
		if got := a.Of(account).String(); got != want {
			t.Errorf("%s: %s, not %s", account, got, want)
		}
	}
	again, err := ParseAccountLimits([]byte(a.String()))
	if err != nil || again.String() != a.String() || again.Of("gpt-5").Hash() != a.Of("gpt-5").Hash() {
		t.Errorf("%s becomes %s, %v", a, again, err)
	}
	if text := (AccountLimits{}).String(); text != "" {
		t.Errorf("no limits are %q", text)
	}
}

func TestParseAccountLimits_Wrong(t *testing.T) {
	for text, want := range map[string]string{
		`{"al": {}}`:                                                                              "al: there is no such key; limits are under all and accounts",
		`{"all": {"max_position": 3}}`:                                                            "all.max_position: there is no such limit; use no_trade, allowed_symbols",
		`{"all": {"max_positions": 0}}`:                                                           "all.max_positions: 0 is not a whole number from 1 on",
		`{"all": {"max_positions": 2.5}}`:                                                         "all.max_positions: 2.5 is not a whole number from 1 on",
		`{"all": {"max_positions": "3"}}`:                                                         `all.max_positions: "3" is a text; write a number without quotation marks`,
		`{"all": {"max_positions": null}}`:                                                        "all.max_positions: null is not a whole number from 1 on",
		`{"all": {"max_positions": "10%"}}`:                                                       `all.max_positions: "10%" is a part; use a number, such as 10`,
		`{"all": {"max_symbol_share": 0.25}}`:                                                     `all.max_symbol_share: 0.25 is not a part of equity; write it as "25%"`,
		`{"all": {"max_symbol_share": "0%"}}`:                                                     `all.max_symbol_share: "0%" is not a number above 0`,
		`{"all": {"max_symbol_share": "101%"}}`:                                                   `all.max_symbol_share: "101%" is more than all`,
		`{"all": {"min_cash": -5}}`:                                                               "all.min_cash: -5 is not a number above 0",
		`{"all": {"min_cash": "100%"}}`:                                                           "all.min_cash: of 100% nothing is left to trade with",
		`{"all": {"min_order_value": 1e999999}}`:                                                  "all.min_order_value: 1e999999 is not a number above 0",
		`{"all": {"allowed_symbols": []}}`:                                                        "all.allowed_symbols: [] is no list of symbols",
		`{"all": {"allowed_symbols": ["A", "a"]}}`:                                                "all.allowed_symbols: a is there twice",
		`{"all": {"no_trade": [{"from": "2025-12-24"}]}}`:                                         `all.no_trade: time 1: from "2025-12-24" to ""`,
		`{"all": {"no_trade": [{"from": "15:30", "to": "15:30"}]}}`:                               "all.no_trade: time 1: from 15:30 to 15:30 is no time",
		`{"all": {"no_trade": [{"from": "24:30", "to": "15:30"}]}}`:                               `all.no_trade: time 1: from "24:30" to "15:30"`,
		`{"all": {"no_trade": [{"from": "2025-12-24", "to": "2025-12-23"}]}}`:                     "all.no_trade: time 1: to: 2025-12-23 is not after 2025-12-24",
		`{"all": {"no_trade": [{"from": "2025-12-24", "until": "2025-12-25"}]}}`:                  "all.no_trade: time 1: until: a time has from and to",
		`{"all": {"min_order_value": 10, "max_order_value": 9}}`:                                  "all.min_order_value: 10 is above max_order_value, 9",
		`{"all": {"max_symbol_share": "50%", "max_holdings_share": "40%"}}`:                       `all.max_symbol_share: "50%" is above max_holdings_share, "40%"`,
		`{"all": {"barred_symbols": ["nvda"]}, "accounts": {"a": {"allowed_symbols": ["NVDA"]}}}`: "accounts.a.barred_symbols: nvda is among allowed_symbols too",
		`{"all": {"max_positions": 1}, "all": {}}`:                                                `byte 40: the key "all" stands twice`,
		`{"accounts": {"../x": {}}}`:                                                              "accounts: ",
		`{"accounts": {"a": 3}}`:                                                                  "accounts.a: ",
		`[]`:                                                                                      "",
	} {
		a, err := ParseAccountLimits([]byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") || a.String() != "" {
			t.Errorf("%s: %v, not %s", text, err, want)
		}
	}
}

func TestWindow_covers(t *testing.T) {
	for _, c := range []struct {
		from, to, at string
		of           string
		want         bool
	}{
		{"2025-12-24", "2025-12-26", "2025-12-24", "us", true},
		{"2025-12-24", "2025-12-26", "2025-12-26 15:00:00", "us", true},
		{"2025-12-24", "2025-12-26", "2025-12-27", "us", false},
		{"2025-12-24", "2025-12-26", "2025-12-23 15:00:00", "us", false},
		{"2025-12-24 10:00:00", "2025-12-24 12:00:00", "2025-12-24", "us", false}, // which stands for 09:30
		{"2025-12-24 09:00:00", "2025-12-24 12:00:00", "2025-12-24", "us", true},
		{"2025-12-24 09:00:00", "2025-12-24 12:00:00", "2025-12-24 12:00:00", "us", false},
		{"2025-12-24 09:00:00", "2025-12-24", "2025-12-24 23:00:00", "crypto", true},
		{"09:00", "10:00", "2025-10-02", "us", true},
		{"09:00", "10:00", "2025-10-02", "crypto", false},
		{"22:00", "06:00", "2025-10-02", "crypto", true},
		{"22:00", "06:00", "2025-10-02 23:00:00", "crypto", true},
		{"22:00", "06:00", "2025-10-02 06:00:00", "crypto", false},
		{"15:30", "16:00", "2025-10-02 15:59:59", "us", true},
		{"15:30", "16:00", "2025-10-02 16:00:00", "us", false},
	} {
		w, err := parseWindow(c.from, c.to)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.covers(market.Stamp(c.at), market.ID(c.of).Get()); got != c.want {
			t.Errorf("%s to %s at %s in %s: %v", c.from, c.to, c.at, c.of, got)
		}
	}
}

func TestLimits_Docs(t *testing.T) {
	text, err := os.ReadFile("../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	if table := limitsInDocs(); !strings.Contains(string(text), table) {
		t.Errorf("docs/limits.md has another table than the code:\n%s", table)
	}
}

// limitsInDocs is the table of the limits as the docs have it.
func limitsInDocs() string {
	var b strings.Builder
	b.WriteString("| limit | value | what it asks |\n|---|---|---|\n")
	for i := range limitTable {
		row := &limitTable[i]
		b.WriteString("| `" + row.key + "` | " + string(row.unit) + " | " + row.says + " |\n")
	}
	return b.String()
}
