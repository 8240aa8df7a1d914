// What forgeries are held against that verify did not find: whether they are the same account, and whether they follow. Nothing
// here uses the program: rows are read as plain JSON, prices from their file, sums are those of Python's floats, or exact.

package integration_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// sameAccount tells whether two ledgers have the same rows: each with the same keys and values, however they are written, and as
// much of every symbol. What is not listed is not held.
func sameAccount(rows, others []string) bool {
	return slices.EqualFunc(rows, others, func(row, other string) bool {
		if row == other {
			return true
		}
		a, err := readRow(row)
		b, err2 := readRow(other)
		if err != nil || err2 != nil {
			return false
		}
		held, ok := a["positions"].(map[string]any)
		holds, ok2 := b["positions"].(map[string]any)
		delete(a, "positions")
		delete(b, "positions")
		return ok && ok2 && unlike(held, holds) == "" && sameValue(a, b)
	})
}

func sameValue(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, sameValue)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, sameValue)
	case json.Number:
		b, ok := b.(json.Number)
		return ok && exact(a).Cmp(exact(b)) == 0
	}
	return a == b
}

func exact(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		panic("a JSON number that is none: " + n)
	}
	return r
}

// readRow reads an object of which no two keys are the same but for case.
func readRow(row string) (map[string]any, error) {
	d := json.NewDecoder(strings.NewReader(row))
	d.UseNumber()
	value, err := readValue(d)
	if err != nil {
		return nil, err
	}
	object, ok := value.(map[string]any)
	if !ok || len(bytes.TrimSpace([]byte(row[d.InputOffset():]))) > 0 {
		return nil, errors.New("it is not one object")
	}
	return object, nil
}

func readValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		object, folded := map[string]any{}, map[string]bool{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			if fold := strings.ToLower(key.(string)); folded[fold] {
				return nil, fmt.Errorf("the key %q is there twice", key)
			} else {
				folded[fold] = true
			}
			if object[key.(string)], err = readValue(d); err != nil {
				return nil, err
			}
		}
		_, err := d.Token()
		return object, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			value, err := readValue(d)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := d.Token()
		return list, err
	}
	return token, nil
}

// opens are the prices at which trades are filled, by symbol and date.
type opens map[string]map[string]json.Number

func readOpens(t *testing.T, path string) opens {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := opens{}
	for line := range bytes.Lines(text) {
		var series map[string]json.RawMessage
		var meta map[string]string
		if err := errors.Join(json.Unmarshal(line, &series), json.Unmarshal(series["Meta Data"], &meta)); err != nil {
			t.Fatal(err)
		}
		symbol := meta["2. Symbol"]
		all[symbol] = map[string]json.Number{}
		for name, text := range series {
			if !strings.HasPrefix(name, "Time Series") {
				continue
			}
			var bars map[string]map[string]string
			if err := json.Unmarshal(text, &bars); err != nil {
				t.Fatal(err)
			}
			for date, bar := range bars {
				if open := bar["1. buy price"]; open != "" {
					all[symbol][date] = json.Number(open)
				}
			}
		}
	}
	return all
}

// unlawful says what is wrong with a ledger by AI-Trader's rules: "" if each row follows from the one before it.
func (v victim) unlawful(rows []string) string {
	orders, chained := map[string]bool{}, false
	var before map[string]any // the row before, if it was read
	for i, text := range rows {
		if i > 0 && i < len(v.rows) && slices.Equal(rows[i-1:i+1], v.rows[i-1:i+1]) && !chained {
			before = nil
			continue // as in the truth, which was judged before
		}
		row, err := readRow(text)
		if err != nil {
			return fmt.Sprintf("row %d: %v", i, err)
		}
		if i > 0 && before == nil {
			before, _ = readRow(rows[i-1])
		}
		wrong := misplaced(row, before, i)
		prev, _ := row["prev"].(string)
		if chained = chained || prev != ""; chained && (i == 0 || prev != sha256Of(rows[i-1])) {
			wrong = "does not carry the hash of the row before it"
		}
		if id, _ := row["order_id"].(string); wrong == "" && id != "" {
			if orders[id] {
				wrong = "has an order id that was used"
			}
			orders[id] = true
		}
		if wrong == "" {
			wrong = v.unfollowing(row, before, chained)
		}
		if wrong != "" {
			return fmt.Sprintf("row %d %s", i, wrong)
		}
		before = row
	}
	if len(rows) == 0 {
		return "there is no row"
	}
	return ""
}

// keysOfUpstream are all keys that a row of a ledger without hashes may have, if they mean anything.
var keysOfUpstream = []string{"date", "id", "this_action", "positions", "order_id", "note", "prev"}

// misplaced says what is wrong with a row's keys, id and date.
func misplaced(row, before map[string]any, i int) string {
	for _, key := range []string{"rules", "fees", "unverified_import"} {
		if _, there := row[key]; there && !(key == "fees" && fmt.Sprint(row[key]) == "0") {
			return "has " + key
		}
	}
	for key := range row {
		for _, known := range keysOfUpstream {
			if key != known && strings.EqualFold(key, known) {
				return fmt.Sprintf("has the key %q", key)
			}
		}
	}
	if id, ok := row["id"].(json.Number); !ok || string(id) != fmt.Sprint(i) {
		return fmt.Sprintf("has the id %v", row["id"])
	}
	date, _ := row["date"].(string)
	_, day := time.Parse("2006-01-02", date)
	_, moment := time.Parse("2006-01-02 15:04:05", date)
	if day != nil && moment != nil {
		return "has no date"
	}
	if before != nil && date < before["date"].(string) {
		return "is dated back"
	}
	return ""
}

// unfollowing says what is wrong with what a row did.
func (v victim) unfollowing(row, before map[string]any, chained bool) string {
	positions, ok := row["positions"].(map[string]any)
	if !ok {
		return "has no positions"
	}
	for symbol, amount := range positions {
		if n, ok := amount.(json.Number); !ok || n[0] == '-' && exact(n).Sign() < 0 {
			return fmt.Sprintf("holds %v of %s", amount, symbol)
		}
	}
	action, _ := row["this_action"].(map[string]any)
	kind, _ := action["action"].(string)
	if before == nil {
		if kind != "" && kind != "no_trade" {
			return "opens with a trade"
		}
		return ""
	}
	amount, _ := action["amount"].(json.Number)
	if amount == "" {
		amount = "0"
	}
	want := maps.Clone(before["positions"].(map[string]any))
	switch traded := exact(amount).Sign(); {
	case kind == "no_trade" && traded == 0 || (kind == "buy" || kind == "sell") && traded == 0:
		return unlike(positions, want)
	case kind != "buy" && kind != "sell" || traded < 0:
		return fmt.Sprintf("has %s of %s", kind, amount)
	}
	symbol, _ := action["symbol"].(string)
	open, there := v.opens[symbol][row["date"].(string)]
	if price, stated := action["price"].(json.Number); !there || stated && exact(price).Cmp(exact(open)) != 0 {
		return fmt.Sprintf("trades %s, which opens at %q", symbol, open)
	}
	if strings.HasPrefix(v.name, "us_") && !exact(amount).IsInt() {
		return "trades a part of a share"
	}
	held, _ := want[symbol].(json.Number)
	if held == "" {
		held = "0"
	}
	floats, whole := maps.Clone(want), want
	trade(floats, whole, symbol, held, amount, open, kind == "buy")
	if wrong := unlike(positions, floats); wrong != "" || chained {
		return unlike(positions, whole)
	}
	return ""
}

// trade changes positions by a trade, in floats and exactly.
func trade(floats, whole map[string]any, symbol string, held, amount, open json.Number, buys bool) {
	cash, _ := whole["CASH"].(json.Number)
	shares, value := exact(amount), new(big.Rat).Mul(exact(amount), exact(open))
	f := func(n json.Number) float64 { x, _ := exact(n).Float64(); return x }
	product := float64(f(open) * f(amount))
	heldNow, cashNow := f(held)+f(amount), f(cash)-product
	if buys {
		value.Neg(value)
	} else {
		heldNow, cashNow = f(held)-f(amount), f(cash)+product
		shares.Neg(shares)
	}
	number := func(x any) json.Number {
		if r, ok := x.(*big.Rat); ok {
			return json.Number(r.FloatString(40))
		}
		text, _ := json.Marshal(x)
		return json.Number(text)
	}
	floats[symbol], floats["CASH"] = number(heldNow), number(cashNow)
	whole[symbol], whole["CASH"] = number(shares.Add(shares, exact(held))), number(value.Add(value, exact(cash)))
}

// unlike names a position in which two books differ. What is not listed is not held.
func unlike(positions, want map[string]any) string {
	for _, books := range [][2]map[string]any{{positions, want}, {want, positions}} {
		for symbol, a := range books[0] {
			b, ok := books[1][symbol].(json.Number)
			if !ok {
				b = "0"
			}
			if n, ok := a.(json.Number); !ok || n != b && exact(n).Cmp(exact(b)) != 0 {
				return fmt.Sprintf("holds %v of %s, not %v", positions[symbol], symbol, want[symbol])
			}
		}
	}
	return ""
}

// sha256Of is the hash of a row, in hex.
func sha256Of(row string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(row))) }
