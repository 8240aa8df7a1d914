package ledger

// Tests of verifying: what follows passes, and what does not is named.

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mcp-trade/decimal"
	"mcp-trade/market"
)

// linesIn yields lines that are already apart.
func linesIn(rows []string) func(func([]byte, error) bool) {
	return linesOf(strings.Join(rows, "\n"))
}

// written is the ledger that the accounts of this package keep for a few days of trading, ids 0 to 5.
func written(t *testing.T, p *market.Prices) []string {
	t.Helper()
	s := opened(t, "1000")
	a := NewAccounts(s)
	mustSubmit(t, a, p, "2025-10-02", with("o-17", order("buy 30 NVDA"))) // CASH 700
	mustSubmit(t, a, p, "2025-10-02", order("buy 1 MSFT"))                // CASH 200
	if err := a.CloseDay(t.Context(), "a", testPrices(t).AsOf("2025-10-03")); err != nil {
		t.Fatal(err)
	}
	mustSubmit(t, a, p, "2025-10-06", order("sell 12 NVDA")) // CASH 344
	mustSubmit(t, a, p, "2025-10-06", order("buy 2 NVDA"))   // CASH 320
	return lines(t, s)
}

// A ledger that follows has no findings.
func TestVerify(t *testing.T) {
	p := testPrices(t)
	rows := written(t, p)
	for name, prices := range map[string]*market.Prices{"with prices": p, "at the prices in the rows": nil} {
		unpriced, verdict := 0, Verified
		if prices == nil {
			unpriced, verdict = 4, Partly
		}
		r, err := Verify(linesIn(rows), prices)
		if err != nil || len(r.Findings) > 0 || r.Rows != 6 || r.Trades != 4 || r.Chained != 5 || r.Unpriced != unpriced ||
			r.First.ID != 0 || spell(r.First.Positions) != "CASH 1000" || r.Book.ID != 5 || spell(r.Book.Positions) != "CASH 320, NVDA 20, MSFT 1" ||
			string(r.Book.Line) != rows[5] || r.Head != Hash([]byte(rows[5])) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		if got, reasons := r.Verdict(); got != verdict {
			t.Errorf("%s: %s, %v", name, got, reasons)
		}
	}
	r, err := Verify(linesIn(nil), p)
	if verdict, _ := r.Verdict(); err != nil || r.Rows != 0 || r.Findings == nil || verdict != NotVerified {
		t.Errorf("nothing: %+v, %v", r, err)
	}
}

// plain is a ledger of another program: no hashes, no prices in the rows.
var plain = []string{
	`{"date": "2025-10-01", "id": 0, "positions": {"CASH": 1000}}`,
	`{"date": "2025-10-02", "id": 1, "this_action": {"action": "buy", "symbol": "NVDA", "amount": 10}, "positions": {"CASH": 900, "NVDA": 10}}`,
	`{"date": "2025-10-02", "id": 2, "this_action": {"action": "buy", "symbol": "MSFT", "amount": 1}, "positions": {"CASH": 400, "NVDA": 10, "MSFT": 1}}`,
	`{"date": "2025-10-03", "id": 3, "this_action": {"action": "no_trade", "symbol": "", "amount": 0}, "positions": {"CASH": 400, "NVDA": 10, "MSFT": 1}}`,
	`{"date": "2025-10-06", "id": 4, "this_action": {"action": "sell", "symbol": "NVDA", "amount": 4}, "positions": {"CASH": 448, "NVDA": 6, "MSFT": 1}}`,
}

// What does not follow is named.
func TestVerify_Findings(t *testing.T) {
	for _, c := range []struct {
		name     string
		row      int
		old, new string
		want     []string
	}{
		{"nothing is changed", 0, "1000", "1000", nil},
		{"a float is off by less than a millionth", 4, "448", "448.0000009",
			[]string{"row 4 (id 4, 2025-10-06): rounding: expected CASH 448, found CASH 448.0000009"}},
		{"a float is off by more", 4, "448", "448.000002",
			[]string{"row 4 (id 4, 2025-10-06): price differs: expected 12, found 12.0000005"}},
		{"a position is listed elsewhere", 4, `"CASH": 448, "NVDA": 6`, `"NVDA": 6, "CASH": 448`, nil},
		{"a position of nothing is left out or added", 4, `"MSFT": 1`, `"MSFT": 1, "AMD": 0`, nil},
		{"a row is torn", 3, `"positions"`, "\x00", []string{
			`row 3: unreadable: expected a record, found not a ledger line: byte 98: '\x00' is not a key: ` +
				`"{\"date\": \"2025-10-03\", \"id\": 3, \"this_action\": {\"action\": \"n"`,
			"row 4 (id 4, 2025-10-06): id: expected 3, found 4"}},
		{"the first id is not 0", 0, `"id": 0`, `"id": 1`, []string{
			"row 0 (id 1, 2025-10-01): id: expected 0, found 1", "row 1 (id 1, 2025-10-02): id: expected 2, found 1"}},
		{"an id is there twice", 2, `"id": 2`, `"id": 1`, []string{
			"row 2 (id 1, 2025-10-02): id: expected 2, found 1", "row 3 (id 3, 2025-10-03): id: expected 2, found 3"}},
		{"a date goes back", 3, "2025-10-03", "2025-10-01", []string{"row 3 (id 3, 2025-10-01): date: expected 2025-10-02 or later, found 2025-10-01"}},
		{"a trade of nothing", 1, `"amount": 10}, "positions": {"CASH": 900, "NVDA": 10}`, `"amount": 0}, "positions": {"CASH": 1000, "NVDA": 0}`, []string{
			"row 1 (id 1, 2025-10-02): changes nothing: expected an amount above 0, found buy 0 NVDA",
			"row 2 (id 2, 2025-10-02): does not follow: expected CASH 500, found CASH 400"}},
		{"a purchase of less than nothing", 1, `"amount": 10}, "positions": {"CASH": 900, "NVDA": 10}`, `"amount": -10}, "positions": {"CASH": 1100, "NVDA": -10}`, []string{
			"row 1 (id 1, 2025-10-02): negative: expected NVDA 0 or more, found -10",
			"row 1 (id 1, 2025-10-02): refused: expected an order that the rules allow, found buy -10 NVDA: Amount must be positive. You tried to buy -10 shares.",
			"row 2 (id 2, 2025-10-02): does not follow: expected CASH 600, found CASH 400"}},
		{"more is spent than there is", 1, `"amount": 10}, "positions": {"CASH": 900, "NVDA": 10}`, `"amount": 101}, "positions": {"CASH": -10, "NVDA": 101}`, []string{
			"row 1 (id 1, 2025-10-02): negative: expected CASH 0 or more, found -10",
			"row 2 (id 2, 2025-10-02): does not follow: expected CASH -510, found CASH 400"}},
		{"a price of one's own", 4, "448", "480", []string{"row 4 (id 4, 2025-10-06): price differs: expected 12, found 20"}},
		{"a price of one's own, stated and kept", 4, `"amount": 4}, "positions": {"CASH": 448`, `"amount": 4, "price": 20}, "positions": {"CASH": 480`,
			[]string{"row 4 (id 4, 2025-10-06): price differs: expected 12, found 20"}},
		{"a price of one's own, stated and not kept", 4, `"amount": 4}`, `"amount": 4, "price": 20}`, []string{
			"row 4 (id 4, 2025-10-06): price differs: expected 12, found 20", "row 4 (id 4, 2025-10-06): price differs: expected 20, found 12"}},
		{"what came in between is lost", 4, `"CASH": 448, "NVDA": 6, "MSFT": 1`, `"CASH": 948, "NVDA": 6`,
			[]string{"row 4 (id 4, 2025-10-06): stale base: expected the book of row 3, found the book of row 1"}},
		{"a day without a trade forgets one", 3, `"CASH": 400, "NVDA": 10, "MSFT": 1`, `"CASH": 900, "NVDA": 10`, []string{
			"row 3 (id 3, 2025-10-03): stale base: expected the book of row 2, found the book of row 1",
			"row 4 (id 4, 2025-10-06): stale base: expected the book of row 3, found the book of row 2"}},
		{"a day without a trade has an amount", 3, `"amount": 0`, `"amount": 5`,
			[]string{"row 3 (id 3, 2025-10-03): does not follow: expected no amount where nothing was traded, found 5"}},
		{"cash from nowhere", 3, `"CASH": 400`, `"CASH": 401`, []string{
			"row 3 (id 3, 2025-10-03): does not follow: expected CASH 400, found CASH 401",
			"row 4 (id 4, 2025-10-06): stale base: expected the book of row 3, found the book of row 2"}},
		{"shares from nowhere", 4, `"MSFT": 1`, `"MSFT": 1, "AMD": 3`, []string{"row 4 (id 4, 2025-10-06): does not follow: expected AMD 0, found AMD 3"}},
		{"the account is gone", 3, `"CASH": 400, "NVDA": 10, "MSFT": 1`, ``, []string{
			"row 3 (id 3, 2025-10-03): does not follow: expected CASH 400, found CASH 0",
			"row 4 (id 4, 2025-10-06): stale base: expected the book of row 3, found the book of row 2"}},
		{"a hash of another row", 4, `"MSFT": 1}`, `"MSFT": 1}, "prev": "ff"`,
			[]string{"row 4 (id 4, 2025-10-06): chain: expected " + Hash([]byte(plain[3])) + ", found ff"}},
		{"fees of an opening", 0, `1000}`, `1000}, "fees": 5`, []string{"row 0 (id 0, 2025-10-01): fees: expected 0, found 5"}},
		{"fees of a day without a trade", 3, `"MSFT": 1}`, `"MSFT": 1}, "fees": 5`, []string{"row 3 (id 3, 2025-10-03): fees: expected 0, found 5"}},
		{"fees of a trade of nothing", 3, `"no_trade", "symbol": "", "amount": 0}, "positions": {"CASH": 400, "NVDA": 10, "MSFT": 1}`,
			`"buy", "symbol": "NVDA", "amount": 0}, "positions": {"CASH": 400, "NVDA": 10, "MSFT": 1}, "fees": 5`, []string{
				"row 3 (id 3, 2025-10-03): fees: expected 0, found 5",
				"row 3 (id 3, 2025-10-03): changes nothing: expected an amount above 0, found buy 0 NVDA"}},
		{"an opening with an action", 0, `"positions"`, `"this_action": {"action": "dividend", "symbol": "NVDA", "amount": 0}, "positions"`,
			[]string{"row 0 (id 0, 2025-10-01): does not follow: expected an opening, found dividend 0 NVDA"}},
		{"fees that were not paid", 4, `"MSFT": 1}`, `"MSFT": 1}, "fees": 2`, []string{"row 4 (id 4, 2025-10-06): fees: expected 0, found 2",
			"row 4 (id 4, 2025-10-06): price differs: expected 12, found 12.5"}},
		{"fees that no rule asks for", 4, `"CASH": 448, "NVDA": 6, "MSFT": 1}`, `"CASH": 446, "NVDA": 6, "MSFT": 1}, "fees": 2`,
			[]string{"row 4 (id 4, 2025-10-06): fees: expected 0, found 2"}},
		{"fees of a day without a trade", 3, `"MSFT": 1}`, `"MSFT": 1}, "fees": 2`, []string{"row 3 (id 3, 2025-10-03): fees: expected 0, found 2"}},
		{"an action that nobody knows", 3, "no_trade", "gift", []string{`row 3 (id 3, 2025-10-03): does not follow: expected an action: buy, sell, order, cancel, expire or no_trade, found "gift"`}},
		{"a corporate action that the rules do not know", 3, "no_trade", "dividend", []string{`row 3 (id 3, 2025-10-03): not due: expected no event, found {"action": "dividend", "symbol": "", "amount": 0} on 2025-10-03`}},
		{"no action", 3, `"this_action"`, `"that_action"`, []string{`row 3 (id 3, 2025-10-03): does not follow: expected an action: buy, sell, order, cancel, expire or no_trade, found ""`}},
		{"a first row that trades", 0, `"positions"`, `"this_action": {"action": "buy", "symbol": "NVDA", "amount": 1}, "positions"`,
			[]string{"row 0 (id 0, 2025-10-01): does not follow: expected an opening, found buy 1 NVDA"}},
		{"the key of the book twice", 4, `"positions"`, `"positions": {"CASH": 448}, "positions"`, []string{
			`row 4: unreadable: expected a record, found not a ledger line: byte 175: the key "positions" stands twice in an object: ` +
				`"{\"date\": \"2025-10-06\", \"id\": 4, \"this_action\": {\"action\": \"s"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows := slices.Clone(plain)
			rows[c.row] = strings.Replace(rows[c.row], c.old, c.new, 1)
			if c.old != c.new && rows[c.row] == plain[c.row] {
				t.Fatal("the case changes nothing")
			}
			r, err := Verify(linesIn(rows), testPrices(t))
			if err != nil || r.Rows != 5 {
				t.Fatalf("%+v, %v", r, err)
			}
			var got []string
			for _, f := range r.Findings {
				got = append(got, f.String())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("\ngot  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
			}
		})
	}
}

// chained returns rows as this program would have written them: changed, and each with the hash of the row before it.
func chained(t *testing.T, rows []string, change func(row int, r *Record)) []string {
	t.Helper()
	var out []string
	for i, row := range rows {
		r, err := ParseLine([]byte(row))
		if err != nil {
			t.Fatal(err)
		}
		if change(i, &r); i > 0 {
			r.Prev = Hash([]byte(out[i-1]))
		}
		out = append(out, string(r.Line()))
	}
	return out
}

// A ledger whose hashes are right proves nothing of what stands in it: whoever forges it can make them.
func TestVerify_InventedRows(t *testing.T) {
	p := testPrices(t)
	honest := written(t, p)
	trade := func(action Action, symbol string, amount, price, cash string, held ...Position) func(*Record) {
		return func(r *Record) {
			r.Action, r.Symbol, r.Amount, r.Price = action, symbol, dec(amount), decimal.NewNullDecimal(dec(price))
			r.Positions = r.Positions.with(append(held, Position{Cash, dec(cash)})...)
		}
	}
	for _, c := range []struct {
		name string
		row  int // of the honest ledger, that are kept up to it
		edit func(*Record)
		want []string
	}{
		{"nothing", 1, func(*Record) {}, nil},
		{"a symbol that no file has", 1, trade(Buy, "ZZZ", "700", "1", "300", Position{"ZZZ", dec("700")}, Position{"NVDA", dec("0")}), []string{
			"row 1 (id 1, 2025-10-02): no bar: expected a bar of ZZZ on 2025-10-02, found no such symbol in the price files by then"}},
		{"a symbol in another case", 1, trade(Buy, "nvda", "30", "10", "700", Position{"nvda", dec("30")}, Position{"NVDA", dec("0")}), []string{
			"row 1: unreadable"}},
		{"a symbol that the files write in capitals", 1, func(r *Record) {
			r.Symbol, r.Positions = "nvda", positions("CASH 700, nvda 30")
		}, []string{"row 1 (id 1, 2025-10-02): no bar: expected a bar of nvda on 2025-10-02, found none of that name: the prices have NVDA"}},
		{"a Saturday", 1, func(r *Record) { r.Date = "2025-10-04" }, []string{
			"row 1 (id 1, 2025-10-04): no bar: expected a bar of NVDA on 2025-10-04, found NVDA has no price at 2025-10-04; its newest bar before that is 2025-10-03"}},
		{"a price of one's own", 1, trade(Buy, "NVDA", "30", "1", "970"), []string{"row 1 (id 1, 2025-10-02): price differs: expected 10, found 1"}},
		{"fees that give money", 1, func(r *Record) { r.Fees = dec("-5000"); trade(Buy, "NVDA", "30", "10", "5700")(r) }, []string{
			"row 1 (id 1, 2025-10-02): fees: expected 0, found -5000"}},
		{"fees that take money", 1, func(r *Record) { r.Fees = dec("100"); trade(Buy, "NVDA", "30", "10", "600")(r) }, []string{
			"row 1 (id 1, 2025-10-02): fees: expected 0, found 100"}},
		{"half a share", 1, trade(Buy, "NVDA", "0.5", "10", "995", Position{"NVDA", dec("0.5")}), []string{
			"row 1 (id 1, 2025-10-02): refused: expected an order that the rules allow, found buy 0.5 NVDA: Invalid amount format. Amount must be an integer for stock trading. You provided: 0.5"}},
		{"more shares than there are", 1, trade(Sell, "NVDA", "1000000000000001", "10", "10000000000001010", Position{"NVDA", dec("0")}), []string{
			"row 1 (id 1, 2025-10-02): refused: expected an order that the rules allow, found sell 1000000000000001 NVDA: Amount must be at most 1000000000000000. You tried to sell 1000000000000001 shares.",
			"row 1 (id 1, 2025-10-02): does not follow: expected NVDA -1000000000000001, found NVDA 0"}},
		{"nothing bought", 1, trade(Buy, "NVDA", "0", "10", "1000", Position{"NVDA", dec("0")}), []string{
			"row 1 (id 1, 2025-10-02): refused: expected an order that the rules allow, found buy 0 NVDA: Amount must be positive. You tried to buy 0 shares."}},
		{"another market", 1, trade(Buy, "600519.SH", "1", "10", "990", Position{"600519.SH", dec("1")}, Position{"NVDA", dec("0")}), []string{
			`row 1 (id 1, 2025-10-02): refused: expected an order that the rules allow, found buy 1 600519.SH: 600519.SH belongs to the market "cn", which cannot be traded here. Trade US shares.`,
			"row 1 (id 1, 2025-10-02): no bar: expected a bar of 600519.SH on 2025-10-02, found no such symbol in the price files by then"}},
		{"more money than there is", 1, trade(Buy, "NVDA", "101", "10", "-10", Position{"NVDA", dec("101")}), []string{
			"row 1 (id 1, 2025-10-02): negative: expected CASH 0 or more, found -10"}},
		{"an order id twice", 2, func(r *Record) { r.OrderID = "o-17" }, []string{
			`row 2 (id 2, 2025-10-02): order id: expected an order id of its own, found "o-17", as row 1 has it`}},
		{"a date that goes back", 3, func(r *Record) { r.Date = "2025-10-01" }, []string{
			"row 3 (id 3, 2025-10-01): date: expected 2025-10-02 or later, found 2025-10-01"}},
		{"shares from the beginning", 0, func(r *Record) { r.Positions = append(r.Positions, Position{"NVDA", dec("5")}) }, []string{
			"row 0 (id 0, 2025-10-01): does not follow: expected cash alone, found NVDA 5"}},
		{"unknown rules", 0, func(r *Record) { r.Rules = strings.Replace(r.Rules, "none", "bonus", 1) }, []string{
			`row 0 (id 0, 2025-10-01): rules: expected rules that this version knows, found The account is kept under rules that this version does not know: ` +
				`its ledger has "costs": "bonus". Trade it with the version that opened it, or a newer one.`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows := chained(t, honest[:c.row+1], func(i int, r *Record) {
				if i == c.row {
					c.edit(r)
				}
			})
			r, err := Verify(linesIn(rows), p)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, f := range r.Findings {
				if got = append(got, f.String()); i < len(c.want) && strings.HasPrefix(got[i], c.want[i]) && f.Class == Unreadable {
					got[i] = c.want[i]
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("\ngot  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
			}
			if verdict, reasons := r.Verdict(); (verdict == Verified) != (c.want == nil) || (verdict == NotVerified) != (c.want != nil) {
				t.Errorf("%s, %v", verdict, reasons)
			}
		})
	}
}

// Rows that another program wrote among ours carry no hash. They may follow, but nothing tells who wrote them.
func TestVerify_RowsOfOtherPrograms(t *testing.T) {
	p := testPrices(t)
	honest := written(t, p)
	bare := func(rows []string, from int) []string {
		rows = slices.Clone(rows)
		for i := from; i < len(rows); i++ {
			r, err := ParseLine([]byte(rows[i]))
			if err != nil {
				t.Fatal(err)
			}
			r.Prev = ""
			rows[i] = string(r.Line())
		}
		return rows
	}
	earlier := chained(t, honest, func(i int, r *Record) { r.Rules = "" }) // as an earlier version wrote it
	for _, c := range []struct {
		name    string
		rows    []string
		foreign int
	}{
		{"ours", honest, 0},
		{"the hash of the last row is gone", bare(honest, 5), 1},
		{"those of the last two are gone", bare(honest, 4), 2},
		{"all hashes are gone", bare(honest, 1), 5},
		{"all hashes of an earlier version are gone", bare(earlier, 1), 0}, // it is AI-Trader's then, and follows
		{"those of an earlier version from row 3 on are gone", bare(earlier, 3), 3},
		{"another program's rows first", append(slices.Clone(plain[:2]), chainedAfter(t, plain[1],
			`{"date": "2025-10-02", "id": 2, "this_action": {"action": "buy", "symbol": "NVDA", "amount": 1, "price": 10}, "positions": {"CASH": 890, "NVDA": 11}}`)), 0},
	} {
		r, err := Verify(linesIn(c.rows), p)
		verdict, reasons := r.Verdict()
		if err != nil || r.Counts[Unchained] != c.foreign || len(r.Findings) != c.foreign || r.Failed() != (c.foreign > 0) || (verdict == Partly) != (c.foreign > 0) || verdict == NotVerified {
			t.Errorf("%s: %v, %s, %v, %v", c.name, r.Findings, verdict, reasons, err)
		}
	}
}

// chainedAfter returns a row with the hash of the row before it.
func chainedAfter(t *testing.T, before, row string) string {
	t.Helper()
	r, err := ParseLine([]byte(row))
	if err != nil {
		t.Fatal(err)
	}
	r.Prev = Hash([]byte(before))
	return string(r.Line())
}

// A trade of nothing, which AI-Trader lets pass, is told and is no failure, unless something changed with it.
func TestVerify_TradeOfNothing(t *testing.T) {
	rows := append(slices.Clone(plain), `{"date": "2025-10-06", "id": 5, "this_action": {"action": "sell", "symbol": "NVDA", "amount": 0}, "positions": {"CASH": 448, "NVDA": 6, "MSFT": 1}}`)
	r, err := Verify(linesIn(rows), testPrices(t))
	if verdict, _ := r.Verdict(); err != nil || r.Counts[NoChange] != 1 || len(r.Findings) != 1 || r.Failed() || verdict != Verified {
		t.Errorf("%+v, %v", r, err)
	}
	rows[5] = strings.Replace(rows[5], "448", "449", 1)
	r, err = Verify(linesIn(rows), testPrices(t))
	if verdict, _ := r.Verdict(); err != nil || r.Counts[NoChange] != 0 || !r.Failed() || verdict != NotVerified {
		t.Errorf("%+v, %v", r, err)
	}
}

// However much is wrong, what is kept of it has a bound.
func TestReport_Add_Bounded(t *testing.T) {
	rows := []string{`{"date": "2025-10-01", "id": 0, "positions": {"CASH": 1}}`}
	for id := 1; id <= 3*maxFindings; id++ {
		rows = append(rows, fmt.Sprintf(`{"date": "2025-10-02", "id": %d, "this_action": {"action": "buy", "symbol": "NVDA", "amount": 1}, "positions": {"CASH": %d}}`, id, id*id))
	}
	r, err := Verify(linesIn(rows), testPrices(t))
	verdict, reasons := r.Verdict()
	if err != nil || len(r.Findings) != maxFindings || r.Counts[Unexplained]+r.Counts[StaleBase] < 3*maxFindings-3 || verdict != NotVerified || len(fmt.Sprint(reasons)) > 300 {
		t.Errorf("%d findings, %v, %s, %v, %v", len(r.Findings), r.Counts, verdict, reasons, err)
	}
}

// What a verifier reads of a row in short is what is read of it at length.
func TestVerifier_Row(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r Reader
		var before Positions
		amounts := rapid.SampledFrom([]string{"0", "1", "12", "0.5", "-3", "1e3"})
		for range rapid.IntRange(1, 12).Draw(t, "rows") {
			var book []string
			for _, symbol := range []string{"CASH", "A", "BB", "é", `\u0043`, "D"}[:rapid.IntRange(0, 6).Draw(t, "symbols")] {
				if rapid.IntRange(0, 9).Draw(t, "left out") > 0 {
					book = append(book, fmt.Sprintf("%q: %s", symbol, amounts.Draw(t, "amount")))
				}
			}
			line := fmt.Sprintf(`{"date": "2025-10-0%d", "id": 7, "positions": {%s}}`, rapid.IntRange(0, 3).Draw(t, "day"),
				strings.ReplaceAll(strings.Join(book, rapid.SampledFrom([]string{", ", ",", " ,  "}).Draw(t, "comma")), `\\`, `\`))
			want, wantErr := ParseLine([]byte(line))
			got, err := r.Read([]byte(line))
			if spell(got.Positions) != spell(want.Positions) || got.Date != want.Date || fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Fatalf("%s\nis read as %v, %v\nand at length as %v, %v", line, got, err, want, wantErr)
			}
			if err != nil {
				continue
			}
			if !got.delta.known {
				before = want.Positions
				continue
			}
			for _, c := range got.delta.changes {
				if !before.Amount(c.symbol).Equal(c.before) {
					t.Fatalf("%s\nis read as a change of %s from %s, and before it was %s", line, c.symbol, c.before, before.Amount(c.symbol))
				}
				before = before.with(Position{c.symbol, c.after})
			}
			if spell(before) != spell(want.Positions) {
				t.Fatalf("%s\nis read as the changes %v, which lead to %v", line, got.delta.changes, before)
			}
		}
	})
}

// Without any price the cash cannot be recomputed, but everything else can.
func TestVerify_TradeWithoutAPrice(t *testing.T) {
	r, err := Verify(linesIn(plain), nil)
	if err != nil || r.Unpriced != 3 || len(r.Findings) > 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	rows := slices.Clone(plain)
	rows[4] = strings.Replace(rows[4], `"NVDA": 6`, `"NVDA": 7`, 1)
	r, err = Verify(linesIn(rows), nil)
	if err != nil || len(r.Findings) != 1 || r.Findings[0].String() != "row 4 (id 4, 2025-10-06): does not follow: expected NVDA 6, found NVDA 7" {
		t.Errorf("%+v, %v", r, err)
	}
}

// A ledger that cannot be read is an error of verifying.
func TestVerify_Unreadable(t *testing.T) {
	gone := errors.New("gone")
	r, err := Verify(func(yield func([]byte, error) bool) { _ = yield([]byte(plain[0]), nil) && yield(nil, gone) }, nil)
	if !errors.Is(err, gone) || r.Rows != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// In a ledger of this program no digit can be changed unseen: each row proves the one before it, and the last one is
// recomputed. Digits that are no numbers, such as those of an order id in the last row, are what nothing proves.
func TestVerify_NoDigitChangedUnseen(t *testing.T) {
	p := testPrices(t)
	rows := written(t, p)
	rapid.Check(t, func(t *rapid.T) {
		upTo := rapid.IntRange(2, len(rows)).Draw(t, "rows")
		changed := slices.Clone(rows[:upTo])
		row := rapid.IntRange(0, upTo-1).Draw(t, "row")
		last := row == upTo-1
		var digits []int
		for i, b := range []byte(changed[row]) {
			if b >= '0' && b <= '9' && !(last && inText(changed[row], i, `"order_id": "`, `"date": "`)) {
				digits = append(digits, i)
			}
		}
		at := rapid.SampledFrom(digits).Draw(t, "at")
		text := []byte(changed[row])
		for text[at] == changed[row][at] {
			text[at] = byte('0' + rapid.IntRange(0, 9).Draw(t, "digit"))
		}
		changed[row] = string(text)
		for _, prices := range []*market.Prices{p, nil} {
			if r, err := Verify(linesIn(changed), prices); err != nil || len(r.Findings) == 0 {
				t.Fatalf("row %d of %d\nwas %s\nis  %s\nand nothing was found (%v)", row, upTo, rows[row], text, err)
			}
		}
	})
}

// inText tells whether the byte at i is in a string that begins after one of the marks.
func inText(line string, i int, marks ...string) bool {
	return slices.ContainsFunc(marks, func(mark string) bool {
		from := strings.Index(line, mark)
		if from < 0 || i < from+len(mark) {
			return false
		}
		return !bytes.ContainsRune([]byte(line[from+len(mark):i]), '"')
	})
}

// A stale base is looked for a bounded way back.
func TestVerify_StaleBase(t *testing.T) {
	for _, c := range []struct {
		days int
		want Class
	}{{maxBases - 1, StaleBase}, {maxBases, Unexplained}} {
		rows := []string{`{"date": "2025-10-01", "id": 0, "positions": {"CASH": 1000}}`}
		for id := 1; id <= c.days; id++ {
			rows = append(rows, fmt.Sprintf(`{"date": "2025-10-02", "id": %d, "this_action": {"action": "no_trade", "symbol": "", "amount": 0}, "positions": {"CASH": 7}}`, id))
		}
		rows = append(rows, fmt.Sprintf(`{"date": "2025-10-02", "id": %d, "this_action": {"action": "no_trade", "symbol": "", "amount": 0}, "positions": {"CASH": 1000}}`, c.days+1))
		r, err := Verify(linesIn(rows), nil)
		if err != nil || len(r.Findings) != 2 || r.Findings[1].Class != c.want {
			t.Errorf("after %d days: %+v, %v; want %s", c.days, r.Findings, err, c.want)
		}
	}
}

// A row that adds up is found where the account could not have done it: with money or shares that orders that wait keep, or for a fee in
// kind above what was bought.
func TestVerify_Unfit(t *testing.T) {
	p := candles(t, "NVDA, 2025-10-01 100 101 99 100 1000", "BTC-USDT, 2025-10-01 100000 101000 99000 100000 1000")
	for _, c := range []struct {
		name   string
		scene  scene
		row    int
		change func(*Record)
	}{
		{"reserved money is spent", scene{cash: "1000", orders: []string{"2025-10-01: buy 6 NVDA limit 90 gtc", "2025-10-01: buy 4 NVDA"}}, 2, func(r *Record) {
			r.Amount, r.Positions = dec("5"), positions("CASH 500, NVDA 5")
		}},
		{"reserved shares are sold", scene{cash: "1000", orders: []string{"2025-10-01: buy 6 NVDA", "2025-10-01: sell 4 NVDA limit 110 gtc", "2025-10-01: sell 2 NVDA"}}, 3, func(r *Record) {
			r.Amount, r.Positions = dec("3"), positions("CASH 700, NVDA 3")
		}},
		{"a fee in kind above the amount", scene{in: market.Crypto, cash: "1000", rules: `costs "real"; rounding "upstream"`, orders: []string{"2025-10-01: buy 0.001 BTC-USDT", "2025-10-01: buy 0.001 BTC-USDT"}}, 2, func(r *Record) {
			r.Amount, r.InKind, r.Fees, r.Positions = dec("0.000000003"), dec("0.00000001"), dec("0.001"), positions("CASH 899.9997, BTC-USDT 0.001")
			r.FeeItems[0].Paid = dec("0.001")
		}},
	} {
		rows, refused := c.scene.play(t, p, true)
		if report, err := Verify(linesIn(rows), p); err != nil || len(report.Findings) > 0 || len(refused) > 0 {
			t.Fatalf("%s: %v, %v, %v", c.name, report.Findings, err, refused)
		}
		rows = chained(t, rows[:c.row+1], func(i int, r *Record) {
			if i == c.row {
				c.change(r)
			}
		})
		for _, prices := range []*market.Prices{p, nil} {
			if report, err := Verify(linesIn(rows), prices); err != nil || len(report.Findings) != 1 || report.Findings[0].Class != Refused || report.Findings[0].Row != c.row {
				t.Errorf("%s, with prices: %v: %v, %v\n%s", c.name, prices != nil, report.Findings, err, strings.Join(rows, "\n"))
			}
		}
	}
}
