// The file of limits:
//
//	{"all": {"max_positions": 10, "max_symbol_share": "25%"}, "accounts": {"gpt-5": {"max_positions": 5}}}
//
// What an account's own limits say comes before what those of all say under the same key.

package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mcp-trade/internal/strict"
	"mcp-trade/market"
	"mcp-trade/store"
)

// AccountLimits are the limits of accounts. The zero value has none.
type AccountLimits struct {
	all Limits
	own map[string]Limits // by account; with those of all
}

// Of returns the limits of an account.
func (a AccountLimits) Of(account string) Limits {
	if own, ok := a.own[account]; ok {
		return own
	}
	return a.all
}

// Names lists the accounts that have limits of their own.
func (a AccountLimits) Names() []string { return slices.Sorted(maps.Keys(a.own)) }

// Only are the limits without what is of other accounts alone.
func (a AccountLimits) Only(account string) AccountLimits {
	if own, ok := a.own[account]; ok {
		return AccountLimits{a.all, map[string]Limits{account: own}}
	}
	return AccountLimits{all: a.all}
}

// With returns the limits with those of an account in place of what it had.
func (a AccountLimits) With(account string, l Limits) AccountLimits {
	own := map[string]Limits{account: l}
	for name, l := range a.own {
		if name != account {
			own[name] = l
		}
	}
	return AccountLimits{a.all, own}
}

// String is the JSON of a file that says the same, "" without limits.
func (a AccountLimits) String() string {
	if a.all.None() && len(a.own) == 0 {
		return ""
	}
	var parts []string
	for _, name := range a.Names() {
		parts = append(parts, fmt.Sprintf("%q: %s", name, a.own[name]))
	}
	return fmt.Sprintf(`{"all": %s, "accounts": {%s}}`, a.all, strings.Join(parts, ", "))
}

// ParseAccountLimits reads a file of limits. The error is a sentence that begins with the key.
func ParseAccountLimits(text []byte) (a AccountLimits, err error) {
	single := map[string][]byte{}
	err = strict.Object(text, func(key, value []byte) error {
		switch string(key) {
		case "all":
			a.all, err = ParseLimits("all", value)
			return err
		case "accounts":
			err := strict.Object(value, func(name, value []byte) error {
				single[string(name)] = slices.Clone(value)
				return store.CheckName("account", string(name))
			})
			return wrongAt("accounts", err)
		}
		return wrongLimit{fmt.Sprintf("%.40s: there is no such key; limits are under all and accounts", key)}
	})
	for _, name := range slices.Sorted(maps.Keys(single)) {
		var l Limits
		if err == nil {
			l, err = a.all.with("accounts."+name, single[name])
		}
		a = a.With(name, l)
	}
	if err != nil {
		return AccountLimits{}, err
	}
	return a, nil
}

// ParseLimits reads limits that stand under a key. The error is a sentence that begins with it.
func ParseLimits(at string, text []byte) (Limits, error) { return Limits{}.with(at, text) }

// with returns the limits with those of a text over them.
func (l Limits) with(at string, text []byte) (Limits, error) {
	l = l.clone()
	if err := l.parse(at, text); err != nil || l.None() {
		return Limits{}, err
	}
	sum := sha256.Sum256([]byte(l.String()))
	l.hash = hex.EncodeToString(sum[:])[:limitHash]
	return l, nil
}

func (l Limits) clone() Limits {
	c := Limits{bounds: map[string]Bound{}, symbols: map[string][]string{}, windows: map[string][]Window{}}
	maps.Copy(c.bounds, l.bounds)
	maps.Copy(c.symbols, l.symbols)
	maps.Copy(c.windows, l.windows)
	return c
}

// wrongLimit says what is wrong, and under which key.
type wrongLimit struct{ text string }

func (e wrongLimit) Error() string { return e.text }

// wrongAt names the key of a mistake that names none.
func wrongAt(at string, err error) error {
	if _, named := errors.AsType[wrongLimit](err); named || err == nil {
		return err
	}
	return wrongLimit{at + ": " + err.Error()}
}

// parse reads limits over those that there are.
func (l Limits) parse(at string, text []byte) error {
	err := strict.Object(text, func(key, value []byte) error {
		i := slices.IndexFunc(limitTable[:], func(row limitRow) bool { return row.key == string(key) })
		if i < 0 {
			var known []string
			for i := range limitTable {
				known = append(known, limitTable[i].key)
			}
			return wrongLimit{fmt.Sprintf("%s.%.40s: there is no such limit; use %s", at, key, strings.Join(known, ", "))}
		}
		return wrongAt(at+"."+string(key), l.set(&limitTable[i], value))
	})
	if err == nil {
		err = l.contradiction(at)
	}
	return wrongAt(at, err)
}

// maxListed bounds the symbols and the times of a limit.
const maxListed = 2000

// set sets a limit.
func (l Limits) set(row *limitRow, value []byte) (err error) {
	switch row.unit {
	case symbols:
		l.symbols[row.key], err = parseSymbols(value)
	case windows:
		l.windows[row.key], err = parseWindows(value)
	default:
		l.bounds[row.key], err = row.parseBound(value)
	}
	return err
}

// contradiction finds limits that cannot hold together.
func (l Limits) contradiction(at string) error {
	wrong := func(format string, args ...any) error { return wrongLimit{at + "." + fmt.Sprintf(format, args...)} }
	least, most := l.bounds["min_order_value"], l.bounds["max_order_value"]
	if least.Part == most.Part && most.N.IsPositive() && most.N.LessThan(least.N) {
		return wrong("min_order_value: %s is above max_order_value, %s", least.JSON(), most.JSON())
	}
	for _, symbol := range l.symbols["barred_symbols"] {
		if slices.ContainsFunc(l.symbols["allowed_symbols"], func(s string) bool { return strings.EqualFold(s, symbol) }) {
			return wrong("barred_symbols: %s is among allowed_symbols too", symbol)
		}
	}
	cash, held := l.bounds["min_cash"], l.bounds["max_holdings_share"]
	if symbol := l.bounds["max_symbol_share"]; held.N.IsPositive() && symbol.N.GreaterThan(held.N) {
		return wrong("max_symbol_share: %s is above max_holdings_share, %s", symbol.JSON(), held.JSON())
	}
	if cash.Part && cash.N.Equal(one) {
		return wrong("min_cash: of 100%% nothing is left to trade with")
	}
	return nil
}

// parseBound reads a number, or a part such as "25%".
func (row *limitRow) parseBound(value []byte) (Bound, error) {
	text, isText := strict.Text(value)
	number, isPart := strings.CutSuffix(text, "%")
	if !isText {
		number = string(value)
	}
	n, err := ParseDecimal(strings.TrimSpace(number))
	switch canBePart := row.of != nil; {
	case isPart && !canBePart:
		return Bound{}, fmt.Errorf("%.40s is a part; use %s, such as 10", value, row.unit)
	case row.unit == inPart || row.unit == ofPeak:
		if !isPart {
			return Bound{}, fmt.Errorf(`%.40s is not %s; write it as "25%%"`, value, row.unit)
		}
	case isText && !isPart:
		return Bound{}, fmt.Errorf("%.40s is a text; write a number without quotation marks", value)
	}
	whole := row.unit == counted
	switch {
	case err != nil || !n.IsPositive() || n.Exponent() < -8 || n.GreaterThan(maxAmount) || whole && !n.IsInteger():
		form := "a number above 0, with at most 8 decimals"
		if whole {
			form = "a whole number from 1 on"
		}
		return Bound{}, fmt.Errorf("%.40s is not %s", value, form)
	case isPart && row.unit != ofDay && n.GreaterThan(hundred):
		return Bound{}, fmt.Errorf("%.40s is more than all; use at most 100%%", value)
	case isPart:
		return Bound{n.Shift(-2), true}, nil
	}
	return Bound{N: n}, nil
}

func parseSymbols(value []byte) ([]string, error) {
	var list []string
	if err := json.Unmarshal(value, &list); err != nil || len(list) == 0 || len(list) > maxListed {
		return nil, fmt.Errorf(`%.40s is no list of symbols, such as ["AAPL", "NVDA"], of 1 to %d`, value, maxListed)
	}
	seen := map[string]bool{}
	for _, symbol := range list {
		if key := strings.ToUpper(symbol); symbol == "" || len(symbol) > 40 || strings.ContainsFunc(symbol, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' }) {
			return nil, fmt.Errorf("%.60q is no symbol", symbol)
		} else if seen[key] {
			return nil, fmt.Errorf("%s is there twice", symbol)
		} else {
			seen[key] = true
		}
	}
	return list, nil
}

func parseWindows(value []byte) ([]Window, error) {
	var rows []json.RawMessage
	if err := json.Unmarshal(value, &rows); err != nil || len(rows) == 0 || len(rows) > maxListed {
		return nil, fmt.Errorf(`%.40s is no list of times, such as [{"from": "2025-12-24", "to": "2025-12-26"}, {"from": "15:30", "to": "16:00"}]`, value)
	}
	var list []Window
	for i, row := range rows {
		w := map[string]string{}
		err := strict.Object(row, func(key, value []byte) error {
			text, ok := strict.Text(value)
			if k := string(key); !ok || k != "from" && k != "to" {
				return fmt.Errorf("%.40s: a time has from and to, which are texts", key)
			}
			w[string(key)] = text
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("time %d: %w", i+1, err)
		}
		window, err := parseWindow(w["from"], w["to"])
		if err != nil {
			return nil, fmt.Errorf("time %d: %w", i+1, err)
		}
		list = append(list, window)
	}
	return list, nil
}

// parseWindow reads two hours, or two days or moments.
func parseWindow(from, to string) (Window, error) {
	isHour := func(text string) bool {
		return len(text) == len(hourForm) && text[2] == ':' && text >= "00:00" && text < "24:00" && text[3] < '6' && strings.Trim(text[:2]+text[3:], "0123456789") == ""
	}
	if isHour(from) && isHour(to) {
		if from == to {
			return Window{}, fmt.Errorf("from %s to %s is no time", from, to)
		}
		return Window{market.Stamp(from), market.Stamp(to)}, nil
	}
	f, errFrom := market.ReadStamp(from)
	t, errTo := market.ReadStamp(to)
	if errFrom != nil || errTo != nil {
		return Window{}, fmt.Errorf("from %.40q to %.40q: use two days or moments, such as 2025-12-24, or two hours, such as 15:30", from, to)
	}
	if w := (Window{f, t}); t < f && !(t.IsDay() && f.Day() == t) || f == t && !f.IsDay() {
		return Window{}, fmt.Errorf("to: %s is not after %s", w.To, w.From)
	}
	return Window{f, t}, nil
}

// String is the JSON of the limits, in the order of the table.
func (l Limits) String() string {
	var parts []string
	for i := range limitTable {
		if value := l.value(limitTable[i].key); value != "" {
			parts = append(parts, fmt.Sprintf("%q: %s", limitTable[i].key, value))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// Text is the same, "" without limits.
func (l Limits) Text() string {
	if l.None() {
		return ""
	}
	return l.String()
}

// Hash stands for the limits in a record, "" for none.
func (l Limits) Hash() string { return l.hash }

// Lines say each limit in a line: "max_positions 10: After a purchase so many symbols are held at most."
func (l Limits) Lines() (lines []string) {
	for i := range limitTable {
		if value := l.value(limitTable[i].key); value != "" {
			lines = append(lines, fmt.Sprintf("%s %s: %s", limitTable[i].key, strings.Trim(value, `"`), limitTable[i].says))
		}
	}
	return lines
}
