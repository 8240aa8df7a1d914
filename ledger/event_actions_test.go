package ledger

// Tests of corporate actions: what they do to an account, once, and what verify says of those that were not due.

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"mcp-trade/market"
)

// bars returns prices with an actions file. A series is its symbol, and for each bar the day, the open and the close; - is unknown.
func bars(t *testing.T, actions string, series ...string) *market.Prices {
	t.Helper()
	var text strings.Builder
	for _, s := range series {
		word := strings.Fields(s)
		var rows []string
		for i := 1; i < len(word); i += 3 {
			row := ""
			for j, key := range []string{"1. open", "4. close"} {
				if v := word[i+1+j]; v != "-" {
					row += fmt.Sprintf(`, "%s": "%s"`, key, v)
				}
			}
			rows = append(rows, fmt.Sprintf(`"%s": {%s}`, word[i], strings.TrimPrefix(row, ", ")))
		}
		fmt.Fprintf(&text, `{"Meta Data": {"2. Symbol": "%s"}, "Time Series (Daily)": {%s}}`+"\n", word[0], strings.Join(rows, ", "))
	}
	p := pricesOf(t, text.String())
	told, err := market.ParseActions([]byte(actions))
	if err != nil {
		t.Fatal(err)
	}
	p.Tell(told)
	return p
}

// corporate is a week of every kind of action.
const corporate = `{"date": "2025-10-03", "symbol": "AAA", "dividend": 0.25}
{"date": "2025-10-03", "symbol": "AAA", "split": "3:2"}
{"date": "2025-10-03", "symbol": "OLD", "rename": "NEW"}
{"date": "2025-10-04", "symbol": "REV", "split": "1:10"}
{"date": "2025-10-06", "symbol": "BAD", "delist": true, "price": 0.1}
{"date": "2025-10-06", "symbol": "END", "delist": true}
{"date": "2025-10-06", "symbol": "NOT", "dividend": 5}`

func corporatePrices(t *testing.T) *market.Prices {
	return bars(t, corporate,
		"AAA 2025-10-02 60 60 2025-10-03 40 41 2025-10-06 41 41", "OLD 2025-10-02 7 7", "NEW 2025-10-03 7 7 2025-10-06 7 8",
		"REV 2025-10-02 1 1 2025-10-03 1 1.01 2025-10-06 - 10", "BAD 2025-10-02 5 5", "END 2025-10-02 6 6 2025-10-03 6 5.5", "NOT 2025-10-02 1 1 2025-10-06 1 1")
}

// underActions opens an account that corporate actions are applied to, and buys on its first day.
func underActions(t *testing.T, p *market.Prices, buys ...string) *Accounts {
	t.Helper()
	rules, err := DefaultRules().WithActions()
	if err != nil {
		t.Fatal(err)
	}
	a := NewAccounts(fileStore(t))
	if _, err := a.RegisterUnder(t.Context(), "a", dec("100000"), "2025-10-01", rules); err != nil {
		t.Fatal(err)
	}
	for _, b := range buys {
		mustSubmit(t, a, p, "2025-10-02", order(b))
	}
	return a
}

var corporateBuys = []string{"buy 101 AAA", "buy 10 OLD", "buy 7 REV", "buy 3 BAD", "buy 4 END"}

// ledgerOf are the lines of the account.
func ledgerOf(t *testing.T, a *Accounts) (rows []string) {
	t.Helper()
	for line, err := range a.Lines(t.Context(), "a") {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, string(line))
	}
	return rows
}

// Each action is a record of its own, at the beginning of its day and before a trade of that day, whoever comes first, and once.
func TestAccounts_CorporateActions(t *testing.T) {
	p := corporatePrices(t)
	want := []string{
		`2025-10-03 {"action": "dividend", "symbol": "AAA", "amount": 101, "price": 0.25, "cash": 25.25}`,
		`2025-10-03 {"action": "split", "symbol": "AAA", "amount": 101, "price": 40, "ratio": "3:2", "cash": 20}`,
		`2025-10-03 {"action": "rename", "symbol": "OLD", "amount": 10, "to": "NEW"}`,
		`2025-10-04 {"action": "split", "symbol": "REV", "amount": 7, "price": 10.1, "ratio": "1:10", "cash": 7.07}`,
		`2025-10-06 {"action": "delist", "symbol": "BAD", "amount": 3, "price": 0.1, "cash": 0.3}`,
		`2025-10-06 {"action": "delist", "symbol": "END", "amount": 4, "price": 5.5, "cash": 22}`,
	}
	for name, come := range map[string]func(a *Accounts) error{
		"a trade": func(a *Accounts) error { _, err := submit(t, a, p, "2025-10-06", order("buy 1 NOT")); return err },
		"settle day by day": func(a *Accounts) error {
			for _, day := range []market.Stamp{"2025-10-03", "2025-10-03", "2025-10-04", "2025-10-06", "2025-10-06"} {
				if _, err := a.Settle(t.Context(), "a", p.AsOf(day)); err != nil {
					return err
				}
			}
			return nil
		},
		"the end of the day": func(a *Accounts) error { return a.CloseDay(t.Context(), "a", p.AsOf("2025-10-06")) },
	} {
		t.Run(name, func(t *testing.T) {
			a := underActions(t, p, corporateBuys...)
			if err := come(a); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, row := range ledgerOf(t, a) {
				r, err := ParseLine([]byte(row))
				if err != nil || string(r.Line()) != row {
					t.Fatalf("%v: %s\nis written as %s", err, row, r.Line())
				}
				if r.IsAction() {
					text, _, _ := strings.Cut(r.actionText(), " on 2025")
					got = append(got, string(r.Date)+" "+text)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			head, err := a.Head(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			if got, want := head.Cash(), dec("93898.62"); // 100000 - 6060 - 70 - 7 - 15 - 24 + 25.25 + 20 + 7.07 + 0.3 + 22
			name == "a trade" && !got.Equal(want.Sub(one)) || name != "a trade" && !got.Equal(want) {
				t.Errorf("cash %s, want %s less the trade", got, want)
			}
			for symbol, amount := range map[string]string{"AAA": "151", "OLD": "0", "NEW": "10", "REV": "0", "BAD": "0", "END": "0"} {
				if held := head.Positions.Amount(symbol); !held.Equal(dec(amount)) {
					t.Errorf("%s %s, want %s", symbol, held, amount)
				}
			}
			for _, prices := range []*market.Prices{p, nil} {
				r, err := Verify(a.Lines(t.Context(), "a"), prices)
				if err != nil || len(r.Findings) > 0 {
					t.Errorf("%v, %v", r.Findings, err)
				}
			}
		})
	}
}

// What happened on a day is over for who traded on it: nothing of it comes after the trade. Nothing is known before its day.
func TestAccounts_CorporateActionsOfTheirDay(t *testing.T) {
	p := corporatePrices(t)
	a := underActions(t, p)
	mustSubmit(t, a, p, "2025-10-03", order("buy 10 AAA"))
	if done, err := a.Settle(t.Context(), "a", p.AsOf("2025-10-03")); err != nil || len(done) > 0 {
		t.Errorf("%v, %v: bought on the ex day", done, err)
	}
	a = underActions(t, p, "buy 10 AAA")
	if done, err := a.Settle(t.Context(), "a", p.AsOf("2025-10-02")); err != nil || len(done) > 0 {
		t.Errorf("%v, %v: on the day before", done, err)
	}
	// An account whose rules state no actions gets none.
	b := NewAccounts(opened(t, "1000"))
	mustSubmit(t, b, p, "2025-10-02", order("buy 10 AAA"))
	if done, err := b.Settle(t.Context(), "a", p.AsOf("2025-10-06")); err != nil || len(done) > 0 {
		t.Errorf("%v, %v: without the term", done, err)
	}
}

func TestRecord_ActionText(t *testing.T) {
	a := underActions(t, corporatePrices(t), corporateBuys...)
	done, err := a.Settle(t.Context(), "a", corporatePrices(t).AsOf("2025-10-06"))
	var got []string
	for _, r := range done {
		got = append(got, r.ActionText())
	}
	want := []string{
		"AAA: dividend of 0.25 a share on 2025-10-03: 25.25 was paid for 101", "AAA: split 3:2 on 2025-10-03: 101 became 151, and 20 was paid for the rest",
		"OLD: renamed to NEW on 2025-10-03: 10 moved", "REV: split 1:10 on 2025-10-04: 7 became 0, and 7.07 was paid for the rest",
		"BAD: delisted on 2025-10-06 at 0.1 a share: 0.3 was paid for 3", "END: delisted on 2025-10-06 at 5.5 a share: 22 was paid for 4",
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v\n%s", err, strings.Join(got, "\n"))
	}
}

// A forged, doubled or skipped action is found, with prices and, as far as the row contradicts itself, without.
func TestVerify_CorporateActions(t *testing.T) {
	p := corporatePrices(t)
	a := underActions(t, p, corporateBuys...)
	if err := a.CloseDay(t.Context(), "a", p.AsOf("2025-10-06")); err != nil {
		t.Fatal(err)
	}
	rows := ledgerOf(t, a)
	dividend := slices.IndexFunc(rows, func(row string) bool { return strings.Contains(row, `"dividend"`) })
	for _, c := range []struct {
		name    string
		forge   func(rows []string) []string
		class   Class
		without bool // found without prices too
	}{
		{"a dividend of more", func(rows []string) []string {
			return chained(t, rows, func(row int, r *Record) {
				if row == dividend {
					r.Price.Decimal, r.Income = dec("0.5"), dec("50.5")
				}
				if row >= dividend {
					r.Positions = r.Positions.with(Position{Cash, r.Cash().Add(dec("25.25"))})
				}
			})
		}, PriceDiffers, false},
		{"more cash than the dividend", func(rows []string) []string {
			return chained(t, rows, func(row int, r *Record) {
				if row == dividend {
					r.Income = dec("50.5")
				}
				if row >= dividend {
					r.Positions = r.Positions.with(Position{Cash, r.Cash().Add(dec("25.25"))})
				}
			})
		}, NotDue, true},
		{"a split applied twice", func(rows []string) []string {
			return rechained(t, slices.Insert(slices.Clone(rows), dividend+2, rows[dividend+1]))
		}, NotDue, true},
		{"a dividend skipped", func(rows []string) []string {
			return chained(t, slices.Delete(slices.Clone(rows), dividend, dividend+1), func(row int, r *Record) {
				if row >= dividend {
					r.ID--
					r.Positions = r.Positions.with(Position{Cash, r.Cash().Sub(dec("25.25"))})
				}
			})
		}, NotDue, false},
		{"all skipped before a day without a trade", func(rows []string) []string {
			return chained(t, append(slices.Clone(rows[:dividend]), rows[len(rows)-1]), func(row int, r *Record) {
				if row == dividend {
					r.ID, r.Positions = int64(row), mustParse(t, rows[dividend-1]).Positions
				}
			})
		}, SkippedEvent, false},
		{"an action under rules without any", func(rows []string) []string {
			return chained(t, rows, func(row int, r *Record) {
				if row == 0 {
					r.Rules = DefaultRules().text()
				}
			})
		}, NotDue, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			forged := c.forge(rows)
			for _, prices := range []*market.Prices{p, nil} {
				r, err := Verify(linesIn(forged), prices)
				found := r.Counts[c.class] + r.Counts[Unexplained]
				if err != nil || (prices != nil || c.without) != (found > 0) {
					t.Errorf("with prices %t: %v, %v", prices != nil, r.Findings, err)
				}
			}
		})
	}
}

func mustParse(t *testing.T, row string) Record {
	t.Helper()
	r, err := ParseLine([]byte(row))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What was bought yesterday can be sold on the day of its split, all of it.
func TestAccounts_SplitUnderTPlus(t *testing.T) {
	p := bars(t, `{"date": "2025-10-10", "symbol": "600031.SH", "split": "13:10"}`+"\n"+`{"date": "2025-10-10", "symbol": "600031.SH", "dividend": 0.3}`,
		"600031.SH 2025-10-09 13 13.3 2025-10-10 10 10")
	rules, err := RulesOf(market.CN.Get()).WithActions()
	if err != nil {
		t.Fatal(err)
	}
	a := NewAccounts(fileStore(t))
	if _, err := a.RegisterUnder(t.Context(), "a", dec("100000"), "2025-10-08", rules); err != nil {
		t.Fatal(err)
	}
	mustSubmit(t, a, p, "2025-10-09", order("buy 100 600031.SH"))
	fill := mustSubmit(t, a, p, "2025-10-10", order("sell 130 600031.SH"))
	if len(fill.Settled) != 2 || len(fill.Bought) > 0 || !fill.Cash().Equal(dec("100030")) {
		t.Errorf("%+v", fill)
	}
	// The limits of the day rest on the close less the dividend and divided by the split: 10, and not 13.3.
	if q, err := p.AsOf("2025-10-10").Quote("600031.SH"); err != nil || !q.PreviousClose.Decimal.Equal(dec("10")) {
		t.Errorf("%v, %v", q.PreviousClose, err)
	}
}

// A split, a rename and a delisting end the open orders of their symbol, before they come; a dividend does not.
func TestNextEvent_OpenOrdersEndByActions(t *testing.T) {
	p := corporatePrices(t)
	rules, err := DefaultRules().WithActions()
	if err != nil {
		t.Fatal(err)
	}
	open := func(id int64, symbol string, placed market.Stamp) OpenOrder {
		return OpenOrder{ID: id, Action: Buy, Symbol: symbol, Amount: dec("5"), Placed: placed, Terms: Terms{Type: LimitOrder, Limit: dec("0.5"), Until: GTC}}
	}
	book := Book{Date: "2025-10-02", ID: 9, Positions: Positions{{Cash, dec("1000")}, {"AAA", dec("2")}}, Orders: OpenOrders{open(1, "AAA", "2025-10-02"), open(2, "NOT", "2025-10-02"), open(3, "END", "2025-10-06")}}
	var got []string
	for {
		rec, due, err := nextEvent(book, p.AsOf("2025-10-06"), rules)
		if err != nil {
			t.Fatal(err)
		}
		if !due {
			break
		}
		got = append(got, fmt.Sprintf("%s %s %s", rec.Action, rec.Symbol, rec.Why))
		book = rec.book(nil)
	}
	if text := strings.Join(got, "; "); text != "expire AAA AAA: split 3:2 on 2025-10-03; dividend AAA ; split AAA " || len(book.Orders) != 2 {
		t.Errorf("%s; %v", text, book.Orders)
	}
}
