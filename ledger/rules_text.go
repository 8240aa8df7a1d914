// The rules that a ledger is kept under. They stand in its first record, and in each record that changes them:
//
//	"rules": {"market": "us", "lot": 1, "costs": "none", "fill": "open", "rounding": "exact"}
//
// which is: symbols of that market are traded, in multiples of the lot, without costs, at the open of the bar in which the
// order is given, and money is kept with every digit. Corporate actions are applied where "actions" is "on". A ledger without them was opened by AI-Trader, or by an earlier version
// of this program, which knew no other rules.
//
// Another rule adds its key only where it is not the default of the market, see the terms of a [rule].

package ledger

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mcp-trade/code"
	"mcp-trade/internal/strict"
	"mcp-trade/market"
)

// ruleTerms are the keys of every record; what a rule of the list adds follows them.
var ruleTerms = [...]term{
	{key: "market", always: true, preset: func(m *market.Market) string { return `"` + string(m.ID) + `"` }},
	lotTerm,
	costsTerm,
	{key: fillKey, always: true, preset: always(`"open"`), knows: func(m *market.Market, value string) bool {
		return value == fillNextOpen || m.ID == market.CN && value == fillAsStamped
	}},
	{key: "rounding", always: true, preset: defaultRounding, knows: knownRounding},
	slippageTerm,
	volumeCapTerm,
	only(actionsKey, `"off"`, actionsOn),
}

// lotTerm is what amounts are multiples of. With fractions of shares it says how cash is rounded, too, since an amount of 6 decimals at a
// price of 4 is money that nobody has; a record may state otherwise.
var lotTerm = term{
	key: "lot", always: true, preset: func(m *market.Market) string { return m.Lot.String() },
	knows: func(m *market.Market, value string) bool { return m.ID == market.US && value == fractionOfShare },
	set: func(r *Rules, value string) {
		if value == fractionOfShare {
			r.other["rounding"] = cents
		} else if r.other["rounding"] == cents {
			delete(r.other, "rounding")
		}
	},
}

// terms lists the keys that can stand in the rules of a market.
func terms(m *market.Market) []term {
	list := slices.Clone(ruleTerms[:])
	for i := range rules {
		if r := &rules[i]; r.in == "" || r.in == m.ID {
			list = append(list, r.terms...)
		}
	}
	return list
}

// text is how rules stand in a record.
func (r Rules) text() string {
	var parts []string
	for _, t := range terms(r.Market) {
		value, other := r.other[t.key]
		if t.always || other {
			parts = append(parts, fmt.Sprintf(`"%s": %s`, t.key, cmp.Or(value, t.preset(r.Market))))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// Value is the JSON of a term, "" of one that the market does not have.
func (r Rules) Value(key string) string {
	for _, t := range terms(r.Market) {
		if t.key == key {
			return cmp.Or(r.other[key], t.preset(r.Market))
		}
	}
	return ""
}

// With returns the rules with another value of a term, as JSON. A value that this version does not know is an
// *[UnknownRulesError].
func (r Rules) With(key, value string) (Rules, error) {
	for _, t := range terms(r.Market) {
		if t.key != key {
			continue
		}
		isPreset := value == t.preset(r.Market)
		if !isPreset && (t.knows == nil || !t.knows(r.Market, value)) {
			break
		}
		other := maps.Clone(r.other)
		delete(other, key)
		if !isPreset && other == nil {
			other = map[string]string{}
		}
		if !isPreset {
			other[key] = value
		}
		if r.other = other; t.set != nil {
			t.set(&r, value)
		}
		return r, nil
	}
	return Rules{}, &UnknownRulesError{fmt.Sprintf("%.80q: %.80s", key, value)}
}

// WithoutHours returns the rules without hours of their own.
func (r Rules) WithoutHours() (Rules, error) { return r.With(hoursKey, presetHours(r.Market)) }

// WithCosts returns the rules with other costs.
func (r Rules) WithCosts(c market.Costs, s market.Slippage) (Rules, error) {
	r, err := r.With(costsTerm.key, c.String())
	if err != nil {
		return Rules{}, err
	}
	return r.With(slippageTerm.key, `"`+s.String()+`"`)
}

// WithActions returns the rules under which corporate actions are applied.
func (r Rules) WithActions() (Rules, error) { return r.With(actionsKey, actionsOn) }

// OtherThanDefault is how the rules stand in a record, "" for the [DefaultRules].
func (r Rules) OtherThanDefault() string {
	if text := r.text(); text != defaultText {
		return text
	}
	return ""
}

// Differs lists the terms in which an account's rules are others than those that are asked for, a clause each.
func (r Rules) Differs(asked Rules) []string {
	var list []string
	for _, t := range terms(r.Market) {
		const longest = 60
		was, is := cmp.Or(r.other[t.key], t.preset(r.Market)), cmp.Or(asked.other[t.key], t.preset(asked.Market))
		switch {
		case was == is:
		case len(was) > longest || len(is) > longest:
			list = append(list, fmt.Sprintf("it was opened with other %s", t.key))
		default:
			list = append(list, fmt.Sprintf("it was opened with %s %s, and not %s", t.key, strings.Trim(was, `"`), strings.Trim(is, `"`)))
		}
	}
	return list
}

// defaultText is the text of the default rules, which nearly every account has: it need not be read.
const defaultText = `{"market": "us", "lot": 1, "costs": "none", "fill": "open", "rounding": "exact"}`

// ParseRules reads the rules of a record; "" stands for those of a ledger that has none. Rules that this version does not know
// are an *[UnknownRulesError], since a trade that passes over one breaks it.
func ParseRules(text string) (Rules, error) {
	if text == "" || text == defaultText {
		return DefaultRules(), nil
	}
	given, keys := map[string]string{}, []string{}
	if err := strict.Object([]byte(text), func(key, value []byte) error {
		given[string(key)], keys = string(value), append(keys, string(key))
		return nil
	}); err != nil {
		return Rules{}, &UnknownRulesError{fmt.Sprintf("%.80s, which are no rules", text)}
	}
	r := DefaultRules()
	if m := market.ID(strings.Trim(given["market"], `"`)).Get(); m != nil && m.Tradable {
		r = RulesOf(m)
	}
	for _, t := range terms(r.Market) {
		value, stands := given[t.key]
		var err error
		switch {
		case stands:
			if r, err = r.With(t.key, value); err != nil {
				return Rules{}, err
			}
		case t.always:
			return Rules{}, &UnknownRulesError{fmt.Sprintf("no %q", t.key)}
		}
		keys = slices.DeleteFunc(keys, func(key string) bool { return key == t.key })
	}
	if len(keys) > 0 {
		return Rules{}, &UnknownRulesError{fmt.Sprintf("%.80q: %.80s", keys[0], given[keys[0]])}
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
