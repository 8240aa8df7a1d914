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
	"slices"
	"strings"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/internal/strict"
	"mcp-trade/market"
)

// Rules decide whether an order can be filled.
type Rules struct {
	Market *market.Market // whose symbols are traded, in its lots
}

// DefaultRules are the rules that accounts are opened under, and those of a ledger that has none.
func DefaultRules() Rules { return Rules{market.Default.Get()} }

// Admit refuses a symbol of another market: its prices are in another currency and its lots are others.
func (r Rules) Admit(symbol string, of *market.Market) error {
	if of != r.Market {
		return &Refusal{
			code.InvalidArgument, fmt.Sprintf("%s belongs to the market %q, which cannot be traded here. Trade %s.", symbol, of.ID, r.Market.Name),
			map[string]any{"symbol": symbol, "market": of.ID},
		}
	}
	return nil
}

// maxAmount bounds an order, in shares. No company has as many.
var maxAmount = decimal.NewFromInt(1_000_000_000_000_000)

// Check refuses an order whose action or amount no book and no price could satisfy.
func (r Rules) Check(o Order) error {
	invalid := func(format string, args ...any) error {
		return &Refusal{code.InvalidArgument, fmt.Sprintf(format, args...), map[string]any{"symbol": o.Symbol, "amount": o.Amount, "minimum": r.Market.Lot}}
	}
	switch {
	case o.Action != Buy && o.Action != Sell:
		return invalid("Unknown action %q. Use buy or sell.", o.Action)
	case strings.EqualFold(o.Symbol, Cash): // there are shares of that name; a book would take them for money
		return invalid("%s is the name of the account's money and cannot be traded.", o.Symbol)
	case !o.Amount.IsPositive():
		return invalid("Amount must be positive. You tried to %s %s shares.", o.Action, o.Amount)
	case o.Amount.GreaterThan(maxAmount):
		return invalid("Amount must be at most %s. You tried to %s %s shares.", maxAmount, o.Action, o.Amount)
	case !r.whole(o.Amount):
		return invalid("%s%s", r.Amount().Invalid, o.Amount)
	}
	return nil
}

// AmountForm is the form of an amount, for schemas and for refusals.
type AmountForm struct {
	Type        string          // in a JSON schema
	Minimum     decimal.Decimal // one lot
	Description string
	Invalid     string // the beginning of AI-Trader's sentence about something else, which ends with what was given
}

// Amount is the form of the amounts that the rules allow.
func (r Rules) Amount() AmountForm {
	return AmountForm{
		"integer", r.Market.Lot, "Number of shares, a whole number such as 10",
		"Invalid amount format. Amount must be an integer for stock trading. You provided: ",
	}
}

// whole tells whether an amount is a multiple of the lot.
func (r Rules) whole(amount decimal.Decimal) bool {
	lot := r.Market.Lot
	if lot.IsZero() || amount.Exponent() >= 0 && lot.Equal(one) {
		return true
	}
	return amount.Mod(lot).IsZero()
}

// Affordable is the largest amount that cash buys at a price. It is not bounded where the price or the lot is 0.
func (r Rules) Affordable(cash, price decimal.Decimal) (most decimal.Decimal, bounded bool) {
	lot := price.Mul(r.Market.Lot)
	if !lot.IsPositive() {
		return decimal.Zero, false
	}
	lots, _ := cash.QuoRem(lot, 0)
	return lots.Mul(r.Market.Lot), true
}

// one is the usual lot, made once.
var one = decimal.NewFromInt(1)

// ruleNames are the rules as they stand in a record, in their order.
var ruleNames = [...]string{"market", "lot", "costs", "fill", "rounding"}

// values are the JSON of the rules, in that order.
func (r Rules) values() [len(ruleNames)]string {
	return [...]string{`"` + string(r.Market.ID) + `"`, r.Market.Lot.String(), `"none"`, `"open"`, `"exact"`}
}

// text is how rules stand in a record.
func (r Rules) text() string {
	var parts []string
	for i, value := range r.values() {
		parts = append(parts, fmt.Sprintf(`"%s": %s`, ruleNames[i], value))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// ParseRules reads the rules of a record; "" stands for those of a ledger that has none. Rules that this version does not know
// are an *[UnknownRulesError], since a trade that passes over one breaks it.
func ParseRules(text string) (Rules, error) {
	r := DefaultRules()
	if text == "" {
		return r, nil
	}
	var given [len(ruleNames)]string
	more := ""
	if err := strict.Object([]byte(text), func(key, value []byte) error {
		if i := slices.Index(ruleNames[:], string(key)); i >= 0 {
			given[i] = string(value)
		} else {
			more = fmt.Sprintf("%.80q: %.80s", key, value)
		}
		return nil
	}); err != nil {
		return Rules{}, &UnknownRulesError{fmt.Sprintf("%.80s, which are no rules", text)}
	}
	if m := market.ID(strings.Trim(given[0], `"`)).Get(); m != nil && m.Tradable {
		r = Rules{m}
	}
	for i, value := range r.values() {
		switch given[i] {
		case value:
		case "":
			return Rules{}, &UnknownRulesError{fmt.Sprintf("no %q", ruleNames[i])}
		default:
			return Rules{}, &UnknownRulesError{fmt.Sprintf("%q: %.80s", ruleNames[i], given[i])}
		}
	}
	if more != "" {
		return Rules{}, &UnknownRulesError{more}
	}
	return r, nil
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
