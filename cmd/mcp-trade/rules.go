// The settings of the rules that accounts are opened under: a table with a row for each. An account keeps its own in its ledger.

package main

import (
	"fmt"
	"slices"
	"strings"

	"mcp-trade/ledger"
	"mcp-trade/market"
)

// ruleRow is a setting of a rule. Its values are the flag's, each with what it is in a ledger; the first is the default.
type ruleRow struct {
	flag, variable, help string
	in                   market.ID
	key                  string // of the term, see [ledger.Rules.With]
	values               [][2]string
}

var ruleTable = [...]ruleRow{
	{"us-hours", "MCP_TRADE_US_HOURS", "us: trade in regular hours, also before and after them, or at every bar: regular, extended or all", market.US, "hours",
		[][2]string{{"regular", `"regular"`}, {"extended", `"extended"`}, {"all", `"all"`}}},
	{"us-fractions", "MCP_TRADE_US_FRACTIONS", "us: trade whole shares, or parts of 0.000001 with cash in cents, rounded against the account: off or on", market.US, "lot",
		[][2]string{{"off", "1"}, {"on", "0.000001"}}},
	{"cn-lots", "MCP_TRADE_CN_LOTS", "cn: lots of the share's board, or multiples of 100 as in AI-Trader: exchange or strict100", market.CN, "lots",
		[][2]string{{"exchange", `"exchange"`}, {"strict100", `"strict100"`}}},
	{"cn-t-plus", "MCP_TRADE_CN_T_PLUS", "cn: days after which what was bought can be sold: 1 or 0", market.CN, "t_plus", [][2]string{{"1", "1"}, {"0", "0"}}},
	{"cn-price-limits", "MCP_TRADE_CN_PRICE_LIMITS", "cn: nothing is bought at the upper limit of the day nor sold at the lower one: on or off", market.CN, "price_limits",
		[][2]string{{"on", `"on"`}, {"off", `"off"`}}},
	{"cn-hourly-fill", "MCP_TRADE_CN_HOURLY_FILL", "cn: fill at the bar that begins now, or as AI-Trader does at the open of the one that ends now: honest or upstream", market.CN, "fill",
		[][2]string{{"honest", `"open"`}, {"upstream", `"upstream"`}}},
	{"crypto-rounding", "MCP_TRADE_CRYPTO_ROUNDING", "crypto: round against the account, or as AI-Trader does to 4 decimals, without steps and least values: strict or upstream", market.Crypto, "rounding",
		[][2]string{{"strict", `"strict"`}, {"upstream", `"upstream"`}}},
}

// ruleSettings are their rows of the settings, the market before them.
func ruleSettings() []setting {
	list := []setting{{
		flag: "market", variable: "MCP_TRADE_MARKET", help: "market of the accounts that are opened and served: " + strings.Join(marketNames(), ", "), preset: string(market.Default),
		scope: trading, child: inherited, field: func(s *settings) any { return &s.market },
	}}
	for i, row := range ruleTable {
		list = append(list, setting{
			flag: row.flag, variable: row.variable, help: row.help, preset: row.values[0][0],
			scope: trading, child: inherited, field: func(s *settings) any { return &s.ofRules[i] },
		})
	}
	return list
}

// marketNames are those of the markets that can be traded.
func marketNames() (names []string) {
	for _, m := range market.Tradable() {
		names = append(names, string(m.ID))
	}
	return names
}

// words are the values that the flag takes.
func (row ruleRow) words() (words []string) {
	for _, v := range row.values {
		words = append(words, v[0])
	}
	return words
}

// takenAsStamped tells whether bars are to be shown as if all began at their stamps.
func (s *settings) takenAsStamped() bool {
	r, err := s.rules()
	return err == nil && r.Value("fill") == `"upstream"`
}

// rules are the rules that accounts are opened under, without costs. A setting of another market has no part in them.
func (s *settings) rules() (ledger.Rules, error) {
	if !slices.Contains(marketNames(), s.market) {
		return ledger.Rules{}, usageError{fmt.Errorf("--market %q: use %s", s.market, inWordsOf(marketNames()))}
	}
	r := ledger.RulesOf(market.ID(s.market).Get())
	for i, row := range ruleTable {
		at := slices.Index(row.words(), s.ofRules[i])
		if at < 0 {
			return r, usageError{fmt.Errorf("--%s %q: use %s", row.flag, s.ofRules[i], inWordsOf(row.words()))}
		}
		if row.in != r.Market.ID {
			continue
		}
		var err error
		if r, err = r.With(row.key, row.values[at][1]); err != nil {
			return r, err
		}
	}
	return r, nil
}

// keepTo has the settings say what rules say, for the servers of a replay.
func (s *settings) keepTo(r ledger.Rules) {
	s.market = string(r.Market.ID)
	if r.NextOpen() {
		s.fill = fillNextOpen
	}
	for i, row := range ruleTable {
		for _, v := range row.values {
			if row.in == r.Market.ID && r.Value(row.key) == v[1] {
				s.ofRules[i] = v[0]
			}
		}
	}
}

// inWordsOf writes "a, b or c".
func inWordsOf(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
