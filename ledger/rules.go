// The rules that a ledger is kept under. They stand in its first record, and in each record that changes them:
//
//	"rules": {"market": "us", "lot": 1, "costs": "none", "fill": "open", "rounding": "exact"}
//
// which is: symbols of that market are traded, in multiples of the lot, without costs, at the open of the bar in which the
// order is given, and money is kept with every digit. A ledger without them was opened by AI-Trader, or by an earlier version
// of this program, which knew no other rules.

package ledger

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"mcp-trade/code"
	"mcp-trade/internal/strict"
	"mcp-trade/market"
)

// Rules are what decides whether an order can be filled.
type Rules struct {
	Market market.ID       // whose symbols are traded
	Lot    decimal.Decimal // an amount is a positive multiple of it; 0 stands for any amount
}

// one is a lot that takes no time to make.
var one = decimal.NewFromInt(1)

// USRules are the rules that accounts are opened under.
func USRules() Rules { return Rules{market.US, one} }

// upstreamRules are those that AI-Trader trades a symbol under: whole shares in the US. What it allows elsewhere is not
// judged here.
func upstreamRules(symbol string) Rules {
	if m := market.Of(symbol); m != market.US {
		return Rules{Market: m}
	}
	return USRules()
}

// Admit refuses a symbol of another market: its prices are in another currency and its lots are others.
func (r Rules) Admit(symbol string) error {
	if m := market.Of(symbol); m != r.Market {
		return &Refusal{
			code.InvalidArgument, fmt.Sprintf("%s belongs to the market %q, which cannot be traded here. Trade US shares.", symbol, m),
			map[string]any{"symbol": symbol, "market": m},
		}
	}
	return nil
}

// knownRules are the rules and their values as they stand in a record, in their order. No others are known yet.
var knownRules = []struct{ rule, value string }{
	{"market", `"us"`}, {"lot", "1"}, {"costs", `"none"`}, {"fill", `"open"`}, {"rounding", `"exact"`},
}

// text is how rules stand in a record.
func (r Rules) text() string {
	var parts []string
	for _, w := range knownRules {
		parts = append(parts, fmt.Sprintf(`"%s": %s`, w.rule, w.value))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// ParseRules reads the rules of a record; "" stands for those of a ledger that has none. Rules that this version does not know
// are an *[UnknownRulesError], since a trade that passes over one breaks it.
func ParseRules(text string) (Rules, error) {
	if text == "" {
		return USRules(), nil
	}
	given := map[string]string{}
	if err := strict.Object([]byte(text), func(key, value []byte) error {
		given[string(key)] = string(value)
		return nil
	}); err != nil {
		return Rules{}, &UnknownRulesError{fmt.Sprintf("%.80s, which are no rules", text)}
	}
	for _, w := range knownRules {
		value, ok := given[w.rule]
		if !ok {
			return Rules{}, &UnknownRulesError{fmt.Sprintf("no %q", w.rule)}
		}
		if value != w.value {
			return Rules{}, &UnknownRulesError{fmt.Sprintf("%q: %.80s", w.rule, value)}
		}
		delete(given, w.rule)
	}
	for rule, value := range given {
		return Rules{}, &UnknownRulesError{fmt.Sprintf("%.80q: %.80s", rule, value)}
	}
	return USRules(), nil
}

// UnknownRulesError says that a ledger is kept under rules that this version does not know.
type UnknownRulesError struct {
	What string // the rule, with its value
}

func (e *UnknownRulesError) Error() string {
	return fmt.Sprintf("The account is kept under rules that this version does not know: its ledger has %s. Trade it with the version that opened it, or a newer one.", e.What)
}

func (e *UnknownRulesError) Code() code.Code { return code.RulesUnknown }

func (e *UnknownRulesError) Details() map[string]any { return map[string]any{"rules": e.What} }
