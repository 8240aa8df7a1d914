package ledger

// Tests of the form of a record: written as other programs expect it, read as they write it.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/market"
)

// The bytes are a contract with other programs and with the chain of hashes: no change of these lines is small.
func TestRecord_Line(t *testing.T) {
	for _, c := range []struct {
		name string
		rec  Record
		want string
	}{
		{"the registration", Opening(dec("10000.00"), "2025-10-01"),
			`{"date": "2025-10-01", "id": 0, "positions": {"CASH": 10000}, "rules": {"market": "us", "lot": 1, "costs": "none", "fill": "open", "rounding": "exact"}}`},
		{"a registration without rules", Record{Date: "2025-10-01", Positions: positions("CASH 10000.00")},
			`{"date": "2025-10-01", "id": 0, "positions": {"CASH": 10000}}`},
		{"a purchase with every key", Record{
			Date: "2025-10-02 10:30:00", ID: 12, Action: Buy, Symbol: "NVDA", Amount: dec("10"), Price: decimal.NewNullDecimal(dec("189.60")),
			Positions: positions("AAPL 0, CASH 8104.0001, NVDA 10"), OrderID: `o-"1"`, Fees: dec("0.5"), Prev: "6d1f", Note: "<up> & über\n",
		}, `{"date": "2025-10-02 10:30:00", "id": 12, "this_action": {"action": "buy", "symbol": "NVDA", "amount": 10, "price": 189.6}, ` +
			`"positions": {"AAPL": 0, "CASH": 8104.0001, "NVDA": 10}, "order_id": "o-\"1\"", "fees": 0.5, "prev": "6d1f", "note": "<up> & über\n"}`},
		{"a sale without a price, as another program has it", Record{
			Date: "2025-10-02", ID: 1, Action: "sell_crypto", Symbol: "BTC-USDT", Amount: dec("0.00006"), Positions: positions("CASH 1e3"),
		}, `{"date": "2025-10-02", "id": 1, "this_action": {"action": "sell_crypto", "symbol": "BTC-USDT", "amount": 0.00006}, "positions": {"CASH": 1000}}`},
		{"a day without a trade", noTrade(Book{Date: "2025-10-02", ID: 3, Positions: positions("CASH 1, NVDA 2"), Hash: "ff"}, "2025-10-03"),
			`{"date": "2025-10-03", "id": 4, "this_action": {"action": "no_trade", "symbol": "", "amount": 0}, "positions": {"CASH": 1, "NVDA": 2}, "prev": "ff"}`},
		{"an order that waits", Record{
			Date: "2025-10-02", ID: 4, Action: Place, Symbol: "NVDA", Amount: dec("10"), Side: Buy, Terms: Terms{Type: LimitOrder, Limit: dec("180"), Until: Day},
			Positions: positions("CASH 2000"), OrderID: "o-2", Prev: "ff",
			Orders: OpenOrders{{ID: 4, Action: Buy, Symbol: "NVDA", Amount: dec("10"), Terms: Terms{Type: LimitOrder, Limit: dec("180"), Until: Day}, Placed: "2025-10-02", Reserved: dec("1800")}},
		}, `{"date": "2025-10-02", "id": 4, "this_action": {"action": "order", "symbol": "NVDA", "amount": 10, "side": "buy", "type": "limit", "limit_price": 180, "until": "day"}, ` +
			`"positions": {"CASH": 2000}, "orders": [{"id": 4, "action": "buy", "symbol": "NVDA", "amount": 10, "type": "limit", "limit_price": 180, "until": "day", "placed": "2025-10-02", "reserved": 1800}], ` +
			`"order_id": "o-2", "prev": "ff"}`},
		{"a fill of it, in part", Record{
			Date: "2025-10-03", ID: 5, Action: Buy, Symbol: "NVDA", Amount: dec("4"), Price: decimal.NewNullDecimal(dec("180")), Of: 4, At: "2025-10-02",
			Positions: positions("CASH 1280, NVDA 4"), Prev: "ff", Orders: OpenOrders{
				{ID: 4, Action: Buy, Symbol: "NVDA", Amount: dec("6"), Terms: Terms{Type: LimitOrder, Limit: dec("180"), Until: GTC}, Placed: "2025-10-02", Last: "2025-10-02", Reserved: dec("1080")},
				{ID: 3, Action: Sell, Symbol: "AMD", Amount: dec("1"), Terms: Terms{Type: StopOrder, Stop: dec("90"), Until: GTC}, Placed: "2025-10-01"},
			},
		}, `{"date": "2025-10-03", "id": 5, "this_action": {"action": "buy", "symbol": "NVDA", "amount": 4, "price": 180, "order": 4, "at": "2025-10-02"}, "positions": {"CASH": 1280, "NVDA": 4}, ` +
			`"orders": [{"id": 4, "action": "buy", "symbol": "NVDA", "amount": 6, "type": "limit", "limit_price": 180, "until": "gtc", "placed": "2025-10-02", "last": "2025-10-02", "reserved": 1080}, ` +
			`{"id": 3, "action": "sell", "symbol": "AMD", "amount": 1, "type": "stop", "stop_price": 90, "until": "gtc", "placed": "2025-10-01"}], "prev": "ff"}`},
		{"what was filled in the bars of a day", Record{
			Date: "2025-10-02 11:00:00", ID: 5, Action: NoTrade, Positions: positions("CASH 1"), Prev: "ff", Bought: positions("NVDA 5"),
			Filled: DayFills{{"2025-10-02 10:00:00", positions("NVDA 5, AMD 1.5")}, {"2025-10-02 11:00:00", positions("NVDA 2")}},
		}, `{"date": "2025-10-02 11:00:00", "id": 5, "this_action": {"action": "no_trade", "symbol": "", "amount": 0}, "positions": {"CASH": 1}, "bought_today": {"NVDA": 5}, ` +
			`"filled_today": {"2025-10-02 10:00:00": {"NVDA": 5, "AMD": 1.5}, "2025-10-02 11:00:00": {"NVDA": 2}}, "prev": "ff"}`},
		{"the end of an order", Record{
			Date: "2025-10-03", ID: 5, Action: Expire, Symbol: "NVDA", Amount: dec("6"), Side: Buy, Of: 4, Why: "The day is over.", Positions: positions("CASH 1280"), Prev: "ff",
		}, `{"date": "2025-10-03", "id": 5, "this_action": {"action": "expire", "symbol": "NVDA", "amount": 6, "side": "buy", "order": 4, "why": "The day is over."}, "positions": {"CASH": 1280}, "prev": "ff"}`},
		{"a mark of an import", Record{Date: "2025-10-03", ID: 4, Action: NoTrade, Positions: positions("CASH 1"), OrderID: "unverified-import-1", Unverified: 4, Prev: "ff"},
			`{"date": "2025-10-03", "id": 4, "this_action": {"action": "no_trade", "symbol": "", "amount": 0}, "positions": {"CASH": 1}, ` +
				`"order_id": "unverified-import-1", "unverified_import": 4, "prev": "ff"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := string(c.rec.Line()); got != c.want {
				t.Errorf("\ngot  %s\nwant %s", got, c.want)
			}
			wantSame(t, c.rec)
		})
	}
}

// wantSame checks that a record is the same after it was written and read.
func wantSame(t interface {
	Helper()
	Fatalf(string, ...any)
}, rec Record) {
	t.Helper()
	line := rec.Line()
	again, err := ParseLine(line)
	if err != nil || bytes.IndexByte(line, '\n') >= 0 || !bytes.Equal(again.Line(), line) {
		t.Fatalf("%s\nwas read as\n%s, %v", line, again.Line(), err)
	}
	// Decimals that are equal may be made of different parts, so the numbers are compared by value.
	if again.Date != rec.Date || again.ID != rec.ID || again.Action != rec.Action || again.Symbol != rec.Symbol || !again.Amount.Equal(rec.Amount) ||
		again.Price.Valid != rec.Price.Valid || !again.Price.Decimal.Equal(rec.Price.Decimal) || again.OrderID != rec.OrderID ||
		!again.Fees.Equal(rec.Fees) || !again.InKind.Equal(rec.InKind) || again.FeeItems.String() != rec.FeeItems.String() || again.Prev != rec.Prev || again.Note != rec.Note || again.Rules != rec.Rules || again.Unverified != rec.Unverified || string(actionOf(again)) != string(actionOf(rec)) || again.Orders.String() != rec.Orders.String() || again.Filled.String() != rec.Filled.String() || len(again.Positions) != len(rec.Positions) {
		t.Fatalf("%+v\nbecame\n%+v", rec, again)
	}
	for i, p := range rec.Positions {
		if again.Positions[i].Symbol != p.Symbol || !again.Positions[i].Amount.Equal(p.Amount) {
			t.Fatalf("position %d: %v became %v", i, p, again.Positions[i])
		}
	}
}

// actionOf is what is written of an order in a record, without the numbers that every action has.
func actionOf(r Record) []byte {
	r.Amount, r.Price = decimal.Zero, decimal.NullDecimal{}
	return r.Line()[:bytes.Index(r.Line(), []byte(`, "positions": `))]
}

// objectKeys are the keys of an object of a line: no two of them differ only in case.
func objectKeys(least, most int) *rapid.Generator[[]string] {
	return rapid.SliceOfNDistinct(rapid.String(), least, most, func(s string) string { return strings.ToUpper(strings.ToLower(s)) })
}

// Any record is read as it was written.
func TestParseLine_AnyRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Custom(func(t *rapid.T) decimal.Decimal {
			return decimal.New(rapid.Int64().Draw(t, "digits"), rapid.Int32Range(-30, 30).Draw(t, "exponent"))
		})
		rec := Record{
			Date:    rapid.SampledFrom([]market.Stamp{"2025-10-02", "0001-01-01", "9999-12-31 23:59:59"}).Draw(t, "date"),
			ID:      rapid.Int64().Draw(t, "id"),
			OrderID: rapid.String().Draw(t, "order id"), Fees: number.Draw(t, "fees"),
			Prev: rapid.StringMatching("[0-9a-f]{0,64}").Draw(t, "prev"), Note: rapid.String().Draw(t, "note"),
			Unverified: rapid.Int64Min(0).Draw(t, "unverified"), Positions: Positions{},
		}
		if rec.Action = rapid.SampledFrom([]Action{Register, Buy, Sell, NoTrade, "buy_crypto", `"`}).Draw(t, "action"); rec.Action != Register {
			rec.Symbol, rec.Amount = rapid.String().Draw(t, "symbol"), number.Draw(t, "amount")
			if rec.Price.Valid = rapid.Bool().Draw(t, "priced"); rec.Price.Valid {
				rec.Price.Decimal = number.Draw(t, "price")
			}
		}
		terms := rapid.Custom(func(t *rapid.T) Terms {
			return Terms{
				rapid.SampledFrom([]OrderType{"", MarketOrder, LimitOrder, StopOrder, `"`}).Draw(t, "type"), number.Draw(t, "limit"), number.Draw(t, "stop"),
				rapid.SampledFrom([]Until{"", Day, GTC}).Draw(t, "until"),
			}
		})
		if rec.Action != Register {
			rec.Side, rec.Terms, rec.Why = rapid.SampledFrom([]Action{"", Buy, Sell}).Draw(t, "side"), terms.Draw(t, "terms"), rapid.String().Draw(t, "why")
			rec.Of, rec.At = rapid.Int64Min(0).Draw(t, "order"), rapid.SampledFrom([]market.Stamp{"", "2025-10-01", "2025-10-01 10:00:00"}).Draw(t, "at")
		}
		for _, bar := range rapid.SliceOfNDistinct(rapid.SampledFrom([]market.Stamp{"2025-10-01", "2025-10-01 10:00:00", "9999-12-31"}), 0, 3, rapid.ID).Draw(t, "bars") {
			for _, symbol := range objectKeys(1, 3).Draw(t, "fills") {
				rec.Filled = rec.Filled.with(bar, symbol, decimal.New(rapid.Int64Min(0).Draw(t, "filled"), 0))
			}
		}
		rec.Orders = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) OpenOrder {
			return OpenOrder{
				rapid.Int64Min(1).Draw(t, "id"), rapid.SampledFrom([]Action{Buy, Sell}).Draw(t, "action"), rapid.String().Draw(t, "symbol"), number.Draw(t, "amount"), terms.Draw(t, "terms"),
				"2025-10-01", rapid.SampledFrom([]market.Stamp{"", "2025-10-02"}).Draw(t, "last"), number.Draw(t, "reserved"),
			}
		}), 0, 3).Draw(t, "orders")
		if rapid.Bool().Draw(t, "itemised") {
			rec.FeeItems, rec.InKind = market.FeeItems{{Name: "SEC fee", Paid: number.Draw(t, "SEC fee")}, {Name: "FINRA TAF", Paid: number.Draw(t, "TAF")}}, number.Draw(t, "in kind")
		}
		for _, symbol := range objectKeys(0, 20).Draw(t, "held") {
			rec.Positions = append(rec.Positions, Position{symbol, number.Draw(t, "of it")})
		}
		wantSame(t, rec)
	})
}

// A line of another program is read.
func TestParseLine_OtherPrograms(t *testing.T) {
	const text = `{"positions":{"NVDA":17,"B":0.00006,"CASH":6783.770000000001},"id":2,"date":"2025-10-03","metadata":{"price":189.19},
		"this_action":{"amount":17,"symbol":"NVDA","action":"buy","price":null,"extra":[1]}}`
	r, err := ParseLine([]byte(text))
	if err != nil || r.ID != 2 || r.Date != "2025-10-03" || !r.Traded() || r.Symbol != "NVDA" || r.Price.Valid || !r.Amount.Equal(dec("17")) {
		t.Fatalf("%+v, %v", r, err)
	}
	if got := spell(r.Positions); got != "NVDA 17, B 0.00006, CASH 6783.770000000001" {
		t.Error(got)
	}
}

// What is no record is refused.
func TestParseLine_Errors(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                         "",
		"a torn line":                     `{"date": "2025-10-01", "id": 0, "posi`,
		"two records":                     `{"date": "2025-10-01", "id": 0, "positions": {}}{"date": "2025-10-01", "id": 0, "positions": {}}`,
		"a list":                          `[]`,
		"null":                            `null`,
		"no id":                           `{"date": "2025-10-01", "positions": {}}`,
		"an id that is no int":            `{"date": "2025-10-01", "id": 1.5, "positions": {}}`,
		"an id that is too big":           `{"date": "2025-10-01", "id": 9223372036854775808, "positions": {}}`,
		"no positions":                    `{"date": "2025-10-01", "id": 0}`,
		"positions are null":              `{"date": "2025-10-01", "id": 0, "positions": null}`,
		"positions are a list":            `{"date": "2025-10-01", "id": 0, "positions": []}`,
		"a nested position":               `{"date": "2025-10-01", "id": 0, "positions": {"A": {"B": 1}}}`,
		"a position in text":              `{"date": "2025-10-01", "id": 0, "positions": {"A": "1"}}`,
		"a position of null":              `{"date": "2025-10-01", "id": 0, "positions": {"A": null}}`,
		"NaN":                             `{"date": "2025-10-01", "id": 0, "positions": {"CASH": NaN}}`,
		"an endless position":             `{"date": "2025-10-01", "id": 0, "positions": {"CASH": 1e999999999}}`,
		"an endless amount":               `{"date": "2025-10-01", "id": 1, "this_action": {"action": "buy", "symbol": "A", "amount": 1e999}, "positions": {}}`,
		"an endless price":                `{"date": "2025-10-01", "id": 1, "this_action": {"action": "buy", "amount": 1, "price": 1e-999}, "positions": {}}`,
		"endless fees":                    `{"date": "2025-10-01", "id": 1, "fees": 1e999, "positions": {}}`,
		"no date":                         `{"id": 0, "positions": {}}`,
		"a date of no calendar":           `{"date": "2025-02-30", "id": 0, "positions": {}}`,
		"a date that is null":             `{"date": null, "id": 0, "positions": {}}`,
		"an id in text":                   `{"date": "2025-10-01", "id": "0", "positions": {}}`,
		"an amount in text":               `{"date": "2025-10-01", "id": 1, "this_action": {"action": "buy", "symbol": "A", "amount": "1"}, "positions": {}}`,
		"another book":                    `{"date": "2025-10-01", "id": 0, "positions": {"CASH": 777777, "AAPL": 1000}, "Positions": {"CASH": 9743.425, "AAPL": 1}}`,
		"another action":                  `{"date": "2025-10-01", "id": 1, "this_action": {"action": "buy", "symbol": "AAPL", "amount": 500, "price": 0.01}, "THIS_ACTION": {"action": "buy", "symbol": "AAPL", "amount": 1, "price": 256.575}, "positions": {}}`,
		"words between":                   `{"date": "2025-10-01", "id": 1, GARBAGE "this_action": {"action": "buy", "symbol": "AAPL", "amount": 7, "price": 1}, "positions": {}}`,
		"a book twice":                    `{"date": "2025-10-01", "id": 0, "positions": {"CASH": 1}, "positions": {"CASH": 2}}`,
		"a symbol twice":                  `{"date": "2025-10-01", "id": 0, "positions": {"CASH": 1, "A": 1, "CASH": 2}}`,
		"a symbol escaped":                `{"date": "2025-10-01", "id": 0, "positions": {"CASH": 1, "C\u0041SH": 2}}`,
		"a symbol in two cases":           `{"date": "2025-10-01", "id": 0, "positions": {"CASH": 1, "Cash": 2}}`,
		"a long s":                        `{"date": "2025-10-01", "id": 0, "positions": {"CASH": 1, "CA\u017fH": 2}}`,
		"an amount twice":                 `{"date": "2025-10-01", "id": 1, "this_action": {"action": "buy", "symbol": "A", "amount": 1, "amount": 2}, "positions": {}}`,
		"only another case":               `{"date": "2025-10-01", "id": 1, "positions": {}, "Prev": "ff"}`,
		"an action's key in another case": `{"date": "2025-10-01", "id": 1, "this_action": {"action": "buy", "symbol": "A", "Amount": 1}, "positions": {}}`,
		"a key twice in what is unknown":  `{"date": "2025-10-01", "id": 1, "positions": {}, "x": [{"a": 1, "A": 1}]}`,
		"a byte that is no text":          "{\"date\": \"2025-10-01\", \"id\": 0, \"positions\": {}, \"note\": \"\xff\"}",
		"half a character":                `{"date": "2025-10-01", "id": 0, "positions": {}, "note": "\ud83d"}`,
		"an order of no record":           `{"date": "2025-10-01", "id": 1, "this_action": {"action": "buy", "symbol": "A", "amount": 1, "order": 0}, "positions": {}}`,
		"a bar of no calendar":            `{"date": "2025-10-01", "id": 1, "this_action": {"action": "buy", "symbol": "A", "amount": 1, "at": "2025-02-30"}, "positions": {}}`,
		"orders in an object":             `{"date": "2025-10-01", "id": 1, "positions": {}, "orders": {"id": 1}}`,
		"an order that is a number":       `{"date": "2025-10-01", "id": 1, "positions": {}, "orders": [1]}`,
		"an order without its id":         `{"date": "2025-10-01", "id": 1, "positions": {}, "orders": [{"action": "buy", "symbol": "A", "amount": 1, "placed": "2025-10-01"}]}`,
		"an endless order":                `{"date": "2025-10-01", "id": 1, "positions": {}, "orders": [{"id": 1, "action": "buy", "symbol": "A", "amount": 1e999, "placed": "2025-10-01"}]}`,
		"an order's id twice":             `{"date": "2025-10-01", "id": 1, "positions": {}, "orders": [{"id": 1, "id": 2, "action": "buy", "symbol": "A", "amount": 1, "placed": "2025-10-01"}]}`,
		"an order's key in another case":  `{"date": "2025-10-01", "id": 1, "positions": {}, "orders": [{"id": 1, "action": "buy", "symbol": "A", "amount": 1, "Placed": "2025-10-01"}]}`,
		"a limit in another case":         `{"date": "2025-10-01", "id": 1, "this_action": {"action": "order", "symbol": "A", "amount": 1, "Limit_price": 5}, "positions": {}}`,
		"a byte order mark":               "\ufeff" + `{"date": "2025-10-01", "id": 0, "positions": {}}`,
	} {
		if r, err := ParseLine([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), "not a ledger line: ") {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestParseDecimal(t *testing.T) {
	const refused = ""
	for in, want := range map[string]string{
		"0":                                   "0",
		"10.50":                               "10.5",
		"-3":                                  "-3",
		"+3":                                  "3",
		"1e3":                                 "1000",
		"1e30":                                "1" + strings.Repeat("0", 30),
		"1e-30":                               "0." + strings.Repeat("0", 29) + "1",
		"6783.770000000001":                   "6783.770000000001",
		strings.Repeat("9", 64):               strings.Repeat("9", 64),
		strings.Repeat("9", 65):               refused,
		strings.Repeat("9", 60) + "e30":       refused, // as short, but not once it is written out
		"-" + strings.Repeat("9", 33) + "e30": "-" + strings.Repeat("9", 33) + strings.Repeat("0", 30),
		"1e31":                                refused,
		"1e-31":                               refused,
		"1e999":                               refused,
		"1e999999999999":                      refused,
		"-1e-999":                             refused,
		"NaN":                                 refused,
		"nan":                                 refused,
		"Infinity":                            refused,
		"inf":                                 refused,
		"-Inf":                                refused,
		"":                                    refused,
		" 1":                                  refused,
		"1 ":                                  refused,
		"0x10":                                refused,
		"1_000":                               refused,
		"1,5":                                 refused,
		"1.2.3":                               refused,
		"--1":                                 refused,
		"e5":                                  refused,
		"ten":                                 refused,
		"１":                                   refused,
	} {
		d, err := ParseDecimal(in)
		got := d.String()
		if err != nil {
			got = refused
		}
		if got != want {
			t.Errorf("ParseDecimal(%q) = %s, %v; want %q", in, d, err, want)
		}
	}
}

// A number is read as ParseDecimal reads it.
func TestParseNumber(t *testing.T) {
	for _, text := range []string{"0", "7", "10.50", "0.0", "00", "007", "1.", ".5", "1.2.3", "189.6", "999999999999999999", "9999999999999999999", "0.00000000000000001", "1e3", "-3"} {
		want, wantErr := ParseDecimal(text)
		got, ok := plainDecimal([]byte(text))
		if ok && (wantErr != nil || got.String() != want.String() || got.Exponent() != want.Exponent()) {
			t.Errorf("%s is read as %v, and as %v, %v", text, got, want, wantErr)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	for _, text := range []string{
		`{"date": "2025-10-01", "id": 0, "positions": {"CASH": 10000}}`,
		`{"date": "2025-10-02 10:30:00", "id": 1, "this_action": {"action": "buy", "symbol": "NVDA", "amount": 10, "price": 189.6},` +
			` "positions": {"CASH": 8104, "NVDA": 10}, "order_id": "o", "fees": 1e-3, "prev": "\"", "note": "<"}`,
		`{"date": "2025-10-01", "id": 3, "this_action": {"action": "expire", "symbol": "A", "amount": 1, "side": "buy", "order": 2, "at": "2025-10-01", "why": "<"}, "positions": {}}`,
		`{"date": "2025-10-01", "id": 2, "this_action": {"action": "order", "symbol": "A", "amount": 1, "side": "sell", "type": "stop", "stop_price": 9, "until": "gtc"}, "positions": {},` +
			` "orders": [{"id": 2, "action": "sell", "symbol": "A", "amount": 1, "type": "stop", "stop_price": 9, "until": "gtc", "placed": "2025-10-01", "last": null, "reserved": 0}, {}]}`,
		`{"date": "2025-10-01", "id": -1, "this_action": {"action": "\"", "amount": 7, "price": null}, "positions": {"A": 1e30, "B": -0.0}}`,
		`{"date": "2025-10-01", "id": 0, "positions": {"A": 1, "a": 2}, "Positions": {}, "id": 1}`,
		`{"date": "2025-10-01", "id": 1, GARBAGE "this_action": {"action": "buy"}, "positions": {}}`,
		`{"date": "2025-10-01", "id": 0, "this_action": {"symbol": "A", "amount": 1}, "positions": {}}`,
		`{"date": "2025-10-01", "id": 0, "positions": {}, "rules":{"market" : "us",
"lot":1}}`,
		`{"date": "2025-10-01", "id": 0, "positions": {"A": 11111111111111111111111111111111111111111111e30}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		rec, err := ParseLine(text)
		if err == nil {
			wantSame(t, rec)
			wantAsPython(t, text, rec)
		}
		// A reader that has read another row, or the same one, reads this one no differently.
		for _, before := range []string{`{"date": "2025-10-01", "id": 0, "positions": {"CASH": 10000, "A": 1, "B": 0}}`, string(text)} {
			var r Reader
			_, _ = r.Read([]byte(before))
			got, gotErr := r.Read(text)
			if fmt.Sprint(gotErr) != fmt.Sprint(err) || err == nil && string(got.Line()) != string(rec.Line()) {
				t.Fatalf("%s\nis read after %s as %+v, %v\nand alone as %+v, %v", text, before, got, gotErr, rec, err)
			}
		}
	})
}

// wantAsPython reads a line as Python does, which knows a key only as it is written and takes the last of two, and holds the
// record against it.
func wantAsPython(t *testing.T, text []byte, rec Record) {
	t.Helper()
	object := func(text json.RawMessage) map[string]json.RawMessage {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return members
	}
	number := func(text json.RawMessage) decimal.Decimal {
		if text == nil || string(text) == "null" {
			return decimal.Zero
		}
		return dec(string(text))
	}
	words := func(text json.RawMessage) (s string) {
		if text != nil && json.Unmarshal(text, &s) != nil {
			t.Fatalf("%s is no string", text)
		}
		return s
	}
	line := object(text)
	book := object(line["positions"])
	date, err := market.ParseStamp(words(line["date"]))
	if err != nil || string(line["id"]) != strconv.FormatInt(rec.ID, 10) && string(line["id"]) != "-0" || date != rec.Date || len(book) != len(rec.Positions) ||
		words(line["order_id"]) != rec.OrderID || words(line["prev"]) != rec.Prev || words(line["note"]) != rec.Note || !number(line["fees"]).Equal(rec.Fees) {
		t.Fatalf("%s\nwas read as %+v", text, rec)
	}
	for _, p := range rec.Positions {
		if !number(book[p.Symbol]).Equal(p.Amount) {
			t.Fatalf("%s\nholds %s of %s, not %s", text, book[p.Symbol], p.Symbol, p.Amount)
		}
	}
	var action map[string]json.RawMessage
	if given := line["this_action"]; given != nil {
		action = object(given)
	}
	if rec.Action != Action(words(action["action"])) || rec.Action != Register &&
		(rec.Symbol != words(action["symbol"]) || !rec.Amount.Equal(number(action["amount"])) || !rec.Price.Decimal.Equal(number(action["price"]))) {
		t.Fatalf("%s\nwas read as %+v", text, rec)
	}
}

// Every line of a real ledger is read, keeps the order of its positions, and is the same when written again.
func TestParseLine_RealLedgers(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testenv.TestData(t), "*", "*", "position.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	rows := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			r, err := ParseLine(line)
			if err != nil {
				t.Fatalf("%s: %v in %.200s", file, err, line)
			}
			wantSame(t, r)
			_, after, _ := bytes.Cut(line, []byte(`"positions": {`))
			listed, _, _ := bytes.Cut(after, []byte("}"))
			var want []string
			for item := range strings.SplitSeq(string(listed), ", ") {
				symbol, _, _ := strings.Cut(item, ":")
				want = append(want, strings.Trim(symbol, `"`))
			}
			var got []string
			for _, p := range r.Positions {
				got = append(got, p.Symbol)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: positions are in the order %v, want %v", file, got, want)
			}
			rows++
		}
	}
	if rows < 1400 {
		t.Errorf("only %d rows were read", rows)
	}
}
