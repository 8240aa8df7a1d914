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
	if err := a.CloseDay(t.Context(), "a", "2025-10-03"); err != nil {
		t.Fatal(err)
	}
	mustSubmit(t, a, p, "2025-10-06", order("sell 12 NVDA")) // CASH 344
	mustSubmit(t, a, p, "2025-10-06", order("buy 2 NVDA"))   // CASH 320
	return lines(t, s)
}

func TestALedgerThatFollowsHasNoFindings(t *testing.T) {
	p := testPrices(t)
	rows := written(t, p)
	for name, prices := range map[string]*market.Prices{"with prices": p, "at the prices in the rows": nil, "with prices of other symbols": opens(t, "X 2025-10-02 1")} {
		r, err := Verify(linesIn(rows), prices)
		if err != nil || len(r.Findings) > 0 || r.Rows != 6 || r.Trades != 4 || r.Chained != 5 || r.Unpriced != 0 ||
			r.First.ID != 0 || spell(r.First.Positions) != "CASH 1000" || r.Book.ID != 5 || spell(r.Book.Positions) != "CASH 320, NVDA 20, MSFT 1" {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	if r, err := Verify(linesIn(nil), p); err != nil || r.Rows != 0 || r.Findings == nil {
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

func TestWhatDoesNotFollowIsNamed(t *testing.T) {
	for _, c := range []struct {
		name     string
		row      int
		old, new string
		want     []string
	}{
		{"nothing is changed", 0, "1000", "1000", nil},
		{"a float is off by less than a millionth", 4, "448", "448.0000009", nil},
		{"a float is off by more", 4, "448", "448.000002",
			[]string{"row 4 (id 4, 2025-10-06): price differs: expected 12, found 12.0000005"}},
		{"a position is listed elsewhere", 4, `"CASH": 448, "NVDA": 6`, `"NVDA": 6, "CASH": 448`, nil},
		{"a position of nothing is left out or added", 4, `"MSFT": 1`, `"MSFT": 1, "AMD": 0`, nil},
		{"a row is torn", 3, `"positions"`, "\x00", []string{
			`row 3 (id -1, ): unreadable: expected a record, found not a ledger line: byte 98: '\x00' is not a key: ` +
				`"{\"date\": \"2025-10-03\", \"id\": 3, \"this_action\": {\"action\": \"n"`,
			"row 4 (id 4, 2025-10-06): id: expected 3, found 4"}},
		{"the first id is not 0", 0, `"id": 0`, `"id": 1`, []string{
			"row 0 (id 1, 2025-10-01): id: expected 0, found 1", "row 1 (id 1, 2025-10-02): id: expected 2, found 1"}},
		{"an id is there twice", 2, `"id": 2`, `"id": 1`, []string{
			"row 2 (id 1, 2025-10-02): id: expected 2, found 1", "row 3 (id 3, 2025-10-03): id: expected 2, found 3"}},
		{"a date goes back", 3, "2025-10-03", "2025-10-01", []string{"row 3 (id 3, 2025-10-01): date: expected 2025-10-02 or later, found 2025-10-01"}},
		{"a trade of nothing", 1, `"amount": 10}, "positions": {"CASH": 900, "NVDA": 10}`, `"amount": 0}, "positions": {"CASH": 1000, "NVDA": 0}`, []string{
			"row 1 (id 1, 2025-10-02): zero amount: expected an amount above 0, found buy 0 NVDA",
			"row 2 (id 2, 2025-10-02): does not follow: expected CASH 500, found CASH 400"}},
		{"a purchase of less than nothing", 1, `"amount": 10}, "positions": {"CASH": 900, "NVDA": 10}`, `"amount": -10}, "positions": {"CASH": 1100, "NVDA": -10}`, []string{
			"row 1 (id 1, 2025-10-02): negative: expected NVDA 0 or more, found -10",
			"row 1 (id 1, 2025-10-02): zero amount: expected an amount above 0, found buy -10 NVDA",
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
		{"fees that were not paid", 4, `"MSFT": 1}`, `"MSFT": 1}, "fees": 2`, []string{"row 4 (id 4, 2025-10-06): price differs: expected 12, found 12.5"}},
		{"fees that were paid", 4, `"CASH": 448, "NVDA": 6, "MSFT": 1}`, `"CASH": 446, "NVDA": 6, "MSFT": 1}, "fees": 2`, nil},
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

// Without any price the cash cannot be recomputed, but everything else can.
func TestATradeWithoutAPriceIsCountedAndItsSharesAreVerified(t *testing.T) {
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

func TestALedgerThatCannotBeReadIsAnErrorOfVerifying(t *testing.T) {
	gone := errors.New("gone")
	r, err := Verify(func(yield func([]byte, error) bool) { _ = yield([]byte(plain[0]), nil) && yield(nil, gone) }, nil)
	if !errors.Is(err, gone) || r.Rows != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// In a ledger of this program no digit can be changed unseen: each row proves the one before it, and the last one is
// recomputed. Digits that are no numbers, such as those of an order id in the last row, are what nothing proves.
func TestNoDigitCanBeChangedUnseen(t *testing.T) {
	p := testPrices(t)
	rows := written(t, p)
	rapid.Check(t, func(t *rapid.T) {
		upTo := rapid.IntRange(2, len(rows)).Draw(t, "rows")
		changed := slices.Clone(rows[:upTo])
		row := rapid.IntRange(0, upTo-1).Draw(t, "row")
		last := row == upTo-1
		var digits []int
		for i, b := range []byte(changed[row]) {
			if b >= '0' && b <= '9' && !(last && within(changed[row], i, `"order_id": "`, `"date": "`)) {
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

// within tells whether the byte at i is in a string that begins after one of the marks.
func within(line string, i int, marks ...string) bool {
	return slices.ContainsFunc(marks, func(mark string) bool {
		from := strings.Index(line, mark)
		if from < 0 || i < from+len(mark) {
			return false
		}
		return !bytes.ContainsRune([]byte(line[from+len(mark):i]), '"')
	})
}

func TestAStaleBaseIsLookedForABoundedWayBack(t *testing.T) {
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
