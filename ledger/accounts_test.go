package ledger

// Tests of the commit: what a store holds after orders that repeat, race, fail or come too late.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/market"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/storetest"
)

// opens returns prices of which only the opens are known: "NVDA 2025-10-02 10 2025-10-03 11".
func opens(t testing.TB, series ...string) *market.Prices {
	t.Helper()
	var text []byte
	for _, s := range series {
		word := strings.Fields(s)
		bars := map[string]map[string]string{}
		for i := 1; i < len(word); i += 2 {
			bars[word[i]] = map[string]string{"1. buy price": word[i+1]}
		}
		line, err := json.Marshal(map[string]any{"Meta Data": map[string]string{"2. Symbol": word[0]}, "Time Series (Daily)": bars})
		if err != nil {
			t.Fatal(err)
		}
		text = append(append(text, line...), '\n')
	}
	return pricesOf(t, string(text))
}

// pricesOf returns the prices of a file with the text, in which a row may go on in an indented line.
func pricesOf(t testing.TB, text string) *market.Prices {
	t.Helper()
	path := filepath.Join(t.TempDir(), "merged.jsonl")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, ",\n\t", ", ")), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := market.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func testPrices(t *testing.T) *market.Prices {
	return opens(t, "NVDA 2025-10-01 9 2025-10-02 10 2025-10-03 11 2025-10-06 12", "MSFT 2025-10-02 500 2025-10-03 510")
}

func fileStore(t *testing.T) *filestore.Store {
	t.Helper()
	s := filestore.New(t.TempDir(), t.TempDir())
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// opened returns a store with the account "a", which has cash since 2025-10-01.
func opened(t *testing.T, cash string) *filestore.Store {
	t.Helper()
	s := fileStore(t)
	if _, err := NewAccounts(s).Register(t.Context(), "a", dec(cash), "2025-10-01"); err != nil {
		t.Fatal(err)
	}
	return s
}

// with gives an order an id.
func with(id string, o Order) Order {
	o.ID = id
	return o
}

func submit(t *testing.T, a *Accounts, p *market.Prices, date market.Stamp, o Order) (Fill, error) {
	t.Helper()
	return a.Submit(t.Context(), "a", o, p.AsOf(date))
}

func mustSubmit(t *testing.T, a *Accounts, p *market.Prices, date market.Stamp, o Order) Fill {
	t.Helper()
	fill, err := submit(t, a, p, date, o)
	if err != nil {
		t.Fatalf("%+v on %s: %v", o, date, err)
	}
	return fill
}

func lines(t *testing.T, s store.Ledgers) []string {
	return storetest.Texts(t, s.Lines(t.Context(), "a"))
}

// An order is committed as one chained line.
func TestAccounts_Submit(t *testing.T) {
	s, p := opened(t, "100"), testPrices(t)
	o := with("o-1", order("buy 3 nvda"))
	o.Note = "cheap"
	fill := mustSubmit(t, NewAccounts(s), p, "2025-10-02", o)
	want := []string{
		`{"date": "2025-10-01", "id": 0, "positions": {"CASH": 100}, ` + usRules + `}`,
		`{"date": "2025-10-02", "id": 1, "this_action": {"action": "buy", "symbol": "NVDA", "amount": 3, "price": 10}, "positions": {"CASH": 70, "NVDA": 3}, ` +
			`"order_id": "o-1", "prev": "` + Hash([]byte(`{"date": "2025-10-01", "id": 0, "positions": {"CASH": 100}, `+usRules+`}`)) + `", "note": "cheap"}`,
	}
	if got := lines(t, s); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("\ngot  %s\nwant %s", got, want)
	}
	if fill.Replayed || fill.ID != 1 || spell(fill.Positions) != "CASH 70, NVDA 3" {
		t.Errorf("%+v", fill)
	}
}

// An order that cannot be is refused before the book is looked at.
func TestAccounts_Submit_ImpossibleOrders(t *testing.T) {
	s, p := opened(t, "100"), testPrices(t)
	for _, c := range []struct {
		order string
		date  market.Stamp
		want  string
	}{
		{"buy 1 NVDIA", "2025-10-02", "Symbol NVDIA not found! This action will not be allowed."},
		{"buy 0 NVDIA", "2025-10-02", "invalid_argument: Amount must be positive. You tried to buy 0 shares. map[amount:0 minimum:1 symbol:NVDIA]"},
		{"buy 1 BTC-USDT", "2025-10-02", `invalid_argument: BTC-USDT belongs to the market "crypto", which cannot be traded here. Trade US shares. map[market:crypto symbol:BTC-USDT]`},
		{"sell 1 NVDA", "2025-10-04", "NVDA has no price at 2025-10-04; its newest bar before that is 2025-10-03"},
		{"buy 1 MSFT", "2025-10-01", "Symbol MSFT not found! This action will not be allowed."},
		{"buy 11 NVDA", "2025-10-02", "insufficient_cash: Insufficient cash! This action will not be allowed. " +
			"map[cash_available:100 date:2025-10-02 max_amount:10 price:10 required_cash:110 symbol:NVDA]"},
	} {
		fill, err := submit(t, NewAccounts(s), p, c.date, order(c.order))
		if got := outcome(fill.Record, err); got != c.want {
			t.Errorf("%s on %s\ngot  %s\nwant %s", c.order, c.date, got, c.want)
		}
		rec, err := NewAccounts(s).Preview(t.Context(), "a", order(c.order), p.AsOf(c.date))
		if got := outcome(rec, err); got != c.want {
			t.Errorf("preview of %s on %s\ngot  %s\nwant %s", c.order, c.date, got, c.want)
		}
	}
	if got := lines(t, s); len(got) != 1 {
		t.Errorf("the ledger is %s", got)
	}
}

// An order needs a registered account.
func TestAccounts_Submit_UnregisteredAccount(t *testing.T) {
	s, p := fileStore(t), testPrices(t)
	a := NewAccounts(s)
	_, errSubmit := submit(t, a, p, "2025-10-02", with("o-1", order("buy 1 NVDA")))
	_, errPreview := a.Preview(t.Context(), "a", order("buy 1 NVDA"), p.AsOf("2025-10-02"))
	_, errHead := a.Head(t.Context(), "a")
	_, errBook := a.Book(t.Context(), "a", "2025-10-02")
	_, errExport := a.Export(t.Context(), "a", &strings.Builder{})
	for what, err := range map[string]error{
		"submit": errSubmit, "preview": errPreview, "head": errHead, "book": errBook, "export": errExport,
		"close": a.CloseDay(t.Context(), "a", testPrices(t).AsOf("2025-10-02")),
	} {
		refusal, ok := errors.AsType[*Refusal](err)
		if !ok || refusal.code != code.NotRegistered || refusal.details["signature"] != "a" || refusal.Error() != "The account a is not registered." {
			t.Errorf("%s: %v", what, err)
		}
	}
	if names, err := a.Names(t.Context()); err != nil || len(names) != 0 {
		t.Errorf("the accounts are %v, %v", names, err)
	}
}

func TestAccounts_Register(t *testing.T) {
	s := fileStore(t)
	a := NewAccounts(s)
	rec, err := a.Register(t.Context(), "a", dec("0.50"), "2025-10-01")
	if err != nil || rec.ID != 0 || rec.Action != Register || spell(rec.Positions) != "CASH 0.5" {
		t.Errorf("%+v, %v", rec, err)
	}
	_, err = a.Register(t.Context(), "a", dec("10000"), "2025-10-02")
	if taken, ok := errors.AsType[*RegisteredError](err); !ok || taken.Account != "a" {
		t.Errorf("registered twice: %v", err)
	}
	if _, err := a.Register(t.Context(), "b", dec("-0.01"), "2025-10-02"); err == nil {
		t.Error("an account was opened in debt")
	}
	if _, err := a.Register(t.Context(), "../b", dec("1"), "2025-10-02"); err == nil {
		t.Error("an account was opened outside of its folder")
	}
	if names, err := a.Names(t.Context()); err != nil || fmt.Sprint(names) != "[a]" {
		t.Errorf("the accounts are %v, %v", names, err)
	}
}

// Whatever happened since, the first result is the answer to the order that had the id first, on the date on which it had it.
func TestAccounts_Submit_RepeatedOrderID(t *testing.T) {
	first := with("o-1", order("buy 10 NVDA"))
	reused := `order_id_reused: The order id "o-1" belongs to another order: buy 10 NVDA on 2025-10-02. Use a new order id for a new order. ` +
		`map[first:map[action:buy amount:10 date:2025-10-02 id:1 symbol:NVDA] order_id:o-1]`
	later := func(today string) string {
		return fmt.Sprintf(`order_id_reused: The order id "o-1" was used before today: buy 10 NVDA on 2025-10-02. Today is %s. Use a new order id for a new order. `, today) +
			`map[first:map[action:buy amount:10 date:2025-10-02 id:1 symbol:NVDA] order_id:o-1]`
	}
	earlier := func(today string) string {
		return fmt.Sprintf(`date_backwards: TODAY_DATE is %s, but a record of this account is dated 2025-10-02. Set TODAY_DATE to that date or a later one. `, today) +
			fmt.Sprintf(`map[date:%s record:2025-10-02]`, today)
	}
	for _, c := range []struct {
		name   string
		before []string // orders between the first one and the second
		date   market.Stamp
		again  string
		want   string
	}{
		{"the same at once", nil, "2025-10-02", "buy 10 NVDA", "CASH 20, NVDA 10"},
		{"in lower case", nil, "2025-10-02", "buy 10 nvda", "CASH 20, NVDA 10"},
		{"with the amount spelled otherwise", nil, "2025-10-02", "buy 1.0e1 NVDA", "CASH 20, NVDA 10"},
		{"after the cash was spent", []string{"buy 2 NVDA"}, "2025-10-02", "buy 10 NVDA", "CASH 20, NVDA 10"},
		{"after all was sold", []string{"sell 10 NVDA"}, "2025-10-02", "buy 10 NVDA", "CASH 20, NVDA 10"},
		{"on a later date", []string{"buy 1 NVDA"}, "2025-10-06", "buy 10 NVDA", later("2025-10-06")},
		{"later on the same day", nil, "2025-10-02 10:00:00", "buy 10 NVDA", later("2025-10-02 10:00:00")},
		{"on an earlier date", nil, "2025-10-01", "buy 10 NVDA", earlier("2025-10-01")},
		{"on a date without prices", nil, "2025-10-05", "buy 10 NVDA", later("2025-10-05")},
		{"on a date without the symbol", nil, "2025-09-01", "buy 10 NVDA", earlier("2025-09-01")},
		{"another amount", nil, "2025-10-02", "buy 9 NVDA", reused},
		{"another amount that could not be filled", nil, "2025-10-02", "buy 900 NVDA", reused},
		{"another action", nil, "2025-10-02", "sell 10 NVDA", reused},
		{"another symbol", nil, "2025-10-02", "buy 10 MSFT", reused},
		{"another symbol on a later date", []string{"buy 1 NVDA"}, "2025-10-06", "buy 10 NVDX", reused},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, p := opened(t, "120"), testPrices(t)
			a := NewAccounts(s)
			mustSubmit(t, a, p, "2025-10-02", first)
			for _, o := range c.before {
				mustSubmit(t, a, p, "2025-10-02", order(o))
			}
			kept := lines(t, s)
			// A process that made the first order, and one that never saw it.
			for who, a := range map[string]*Accounts{"who made it": a, "another": NewAccounts(s)} {
				fill, err := submit(t, a, p, c.date, with("o-1", order(c.again)))
				if got := outcome(fill.Record, err); got != c.want {
					t.Errorf("%s\ngot  %s\nwant %s", who, got, c.want)
				}
				if err == nil && (!fill.Replayed || fill.ID != 1 || fill.Date != "2025-10-02") {
					t.Errorf("%s: %+v", who, fill)
				}
			}
			if got := lines(t, s); len(got) != len(kept) {
				t.Errorf("the ledger grew to %d lines", len(got))
			}
		})
	}
}

// What a process remembers of a ledger is a guess; other processes trade too.
func TestAccounts_Submit_AfterOtherProcesses(t *testing.T) {
	for _, c := range []struct {
		name, mine, theirs, then string
		want                     string
	}{
		{"others spent some of the cash", "buy 1 NVDA", "buy 4 NVDA", "buy 5 NVDA", "CASH 0, NVDA 10"},
		{"others spent all of the cash", "buy 1 NVDA", "buy 9 NVDA", "buy 1 NVDA",
			"insufficient_cash: Insufficient cash! This action will not be allowed. " +
				"map[cash_available:0 date:2025-10-02 max_amount:0 price:10 required_cash:10 symbol:NVDA]"},
		{"others made cash", "buy 10 NVDA", "sell 2 NVDA", "buy 2 NVDA", "CASH 0, NVDA 10"},
		{"others sold the shares", "buy 2 NVDA", "sell 2 NVDA", "sell 2 NVDA",
			"insufficient_position: No position for NVDA! This action will not be allowed. " +
				"map[date:2025-10-02 have:0 max_amount:0 symbol:NVDA want_to_sell:2]"},
		{"others bought the shares", "buy 1 NVDA", "buy 3 NVDA", "sell 4 NVDA", "CASH 100, NVDA 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, p := opened(t, "100"), testPrices(t)
			mine, theirs := NewAccounts(s), NewAccounts(s)
			mustSubmit(t, mine, p, "2025-10-02", order(c.mine))
			mustSubmit(t, theirs, p, "2025-10-02", order(c.theirs))
			fill, err := submit(t, mine, p, "2025-10-02", order(c.then))
			if got := outcome(fill.Record, err); got != c.want {
				t.Errorf("\ngot  %s\nwant %s", got, c.want)
			}
			if report, err := Verify(mine.Lines(t.Context(), "a"), p); err != nil || len(report.Findings) > 0 {
				t.Error(report.Findings, err)
			}
		})
	}
}

// Orders of many writers are all there once.
func TestAccounts_Submit_ManyWriters(t *testing.T) {
	s, p := opened(t, "1000"), testPrices(t)
	const writers, each = 4, 25 // all of the cash
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			a := NewAccounts(s) // each with a memory of its own
			for i := range each {
				_, err := a.Submit(t.Context(), "a", with(fmt.Sprintf("%d-%d", w, i), order("buy 1 NVDA")), p.AsOf("2025-10-02"))
				errs[w] = errors.Join(errs[w], err)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	report, err := Verify(s.Lines(t.Context(), "a"), p)
	if err != nil || len(report.Findings) > 0 || report.Trades != writers*each || spell(report.Book.Positions) != "CASH 0, NVDA 100" {
		t.Errorf("%+v, %v", report, err)
	}
}

// What is remembered of accounts is bounded, and one that was forgotten goes on where it was.
func TestAccounts_ManyAccounts(t *testing.T) {
	testenv.Slow(t)
	s, p := fileStore(t), testPrices(t)
	a := NewAccounts(s)
	name := func(n int) string { return fmt.Sprint("account-", n) }
	for round, date := range []market.Stamp{"2025-10-02", "2025-10-03"} {
		for n := range keptHeads + 40 {
			if round == 0 {
				if _, err := a.Register(t.Context(), name(n), decimal.NewFromInt(100), "2025-10-01"); err != nil {
					t.Fatal(err)
				}
			}
			fill, err := a.Submit(t.Context(), name(n), order("buy 1 NVDA"), p.AsOf(date))
			if err != nil || fill.ID != int64(round+1) {
				t.Fatalf("%s on %s: %+v, %v", name(n), date, fill, err)
			}
		}
		if kept := a.heads.Len(); kept != keptHeads {
			t.Errorf("%d books are kept", kept)
		}
	}
}

// A day is closed once.
func TestAccounts_CloseDay(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(*testing.T, *Accounts, *market.Prices)
		date   market.Stamp
		want   int // lines
	}{
		{"the day after the account was opened", nil, "2025-10-02", 2},
		{"the day on which it was opened", nil, "2025-10-01", 2},
		{"a day before it was opened", nil, "2025-09-30", 1},
		{"a day with a trade", func(t *testing.T, a *Accounts, p *market.Prices) {
			mustSubmit(t, a, p, "2025-10-02", order("buy 1 NVDA"))
		}, "2025-10-02", 2},
		{"a day before a trade", func(t *testing.T, a *Accounts, p *market.Prices) {
			mustSubmit(t, a, p, "2025-10-03", order("buy 1 NVDA"))
		}, "2025-10-02", 2},
		{"a day after a trade", func(t *testing.T, a *Accounts, p *market.Prices) {
			mustSubmit(t, a, p, "2025-10-02", order("buy 1 NVDA"))
		}, "2025-10-03", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, p := opened(t, "100"), testPrices(t)
			a := NewAccounts(s)
			if c.before != nil {
				c.before(t, a, p)
			}
			// Twice by whoever knows the book, and once by who does not.
			for _, a := range []*Accounts{a, a, NewAccounts(s)} {
				if err := a.CloseDay(t.Context(), "a", p.AsOf(c.date)); err != nil {
					t.Fatal(err)
				}
			}
			if got := lines(t, s); len(got) != c.want {
				t.Errorf("%d lines, want %d: %s", len(got), c.want, got)
			}
			if report, err := Verify(s.Lines(t.Context(), "a"), p); err != nil || len(report.Findings) > 0 {
				t.Error(report.Findings, err)
			}
		})
	}
}

// A book is read as of a date.
func TestAccounts_Book(t *testing.T) {
	s, p := opened(t, "1000"), testPrices(t)
	a := NewAccounts(s)
	mustSubmit(t, a, p, "2025-10-02", order("buy 1 NVDA"))
	mustSubmit(t, a, p, "2025-10-02", order("buy 1 MSFT"))
	if err := a.CloseDay(t.Context(), "a", testPrices(t).AsOf("2025-10-03")); err != nil {
		t.Fatal(err)
	}
	mustSubmit(t, a, p, "2025-10-06", order("sell 1 NVDA"))
	for asOf, want := range map[market.Stamp]string{
		"2025-09-30":          "not_registered",
		"2025-10-01":          "id 0: CASH 1000",
		"2025-10-02":          "id 2: CASH 490, NVDA 1, MSFT 1",
		"2025-10-02 10:30:00": "id 2: CASH 490, NVDA 1, MSFT 1",
		"2025-10-03":          "id 3: CASH 490, NVDA 1, MSFT 1",
		"2025-10-05":          "id 3: CASH 490, NVDA 1, MSFT 1", // the newest record counts, however many days ago
		"2025-10-06":          "id 4: CASH 502, NVDA 0, MSFT 1",
		"2026-01-01":          "id 4: CASH 502, NVDA 0, MSFT 1",
	} {
		book, err := a.Book(t.Context(), "a", asOf)
		got := fmt.Sprintf("id %d: %s", book.ID, spell(book.Positions))
		if refusal, ok := errors.AsType[*Refusal](err); ok {
			got = string(refusal.code)
		}
		if got != want {
			t.Errorf("as of %s: %s, want %s", asOf, got, want)
		}
	}
}

// Trades are read page by page.
func TestAccounts_Trades(t *testing.T) {
	s, p := opened(t, "1000"), testPrices(t)
	a := NewAccounts(s)
	for range 3 { // ids 1, 2, 3
		mustSubmit(t, a, p, "2025-10-02", order("buy 1 NVDA"))
	}
	if err := a.CloseDay(t.Context(), "a", testPrices(t).AsOf("2025-10-03")); err != nil { // id 4
		t.Fatal(err)
	}
	mustSubmit(t, a, p, "2025-10-06", order("sell 1 NVDA")) // id 5
	for _, c := range []struct {
		asOf   market.Stamp
		before int64
		limit  int
		want   string
	}{
		{"2025-10-06", store.MaxID, 10, "[5 3 2 1] next 0"},
		{"2025-10-06", store.MaxID, 4, "[5 3 2 1] next 0"},
		{"2025-10-06", store.MaxID, 3, "[5 3 2] next 2"},
		{"2025-10-06", 2, 3, "[1] next 0"},
		{"2025-10-06", store.MaxID, 1, "[5] next 5"},
		{"2025-10-06", 5, 1, "[3] next 3"},
		{"2025-10-06", 1, 1, "[] next 0"},
		{"2025-10-06", 0, 1, "[] next 0"},
		{"2025-10-03", store.MaxID, 2, "[3 2] next 2"},
		{"2025-10-01", store.MaxID, 2, "[] next 0"},
		{"2025-10-06", store.MaxID, 0, "[] next 0"},
	} {
		trades, next, err := a.Trades(t.Context(), "a", c.asOf, c.before, c.limit)
		ids := []int64{}
		for _, r := range trades {
			ids = append(ids, r.ID)
		}
		if got := fmt.Sprintf("%v next %d", ids, next); got != c.want || err != nil {
			t.Errorf("as of %s, below %d, %d at most: %s, %v; want %s", c.asOf, c.before, c.limit, got, err, c.want)
		}
	}
}

// A preview commits nothing.
func TestAccounts_Preview(t *testing.T) {
	s, p := opened(t, "100"), testPrices(t)
	a := NewAccounts(s)
	for range 2 {
		rec, err := a.Preview(t.Context(), "a", with("o-1", order("buy 10 nvda")), p.AsOf("2025-10-02"))
		if err != nil || rec.ID != 1 || spell(rec.Positions) != "CASH 0, NVDA 10" {
			t.Fatalf("%+v, %v", rec, err)
		}
	}
	if got := lines(t, s); len(got) != 1 {
		t.Errorf("the ledger is %s", got)
	}
	if fill := mustSubmit(t, a, p, "2025-10-02", with("o-1", order("buy 10 NVDA"))); fill.Replayed {
		t.Error("the preview left its order id behind")
	}
}

// A guard that does not hold keeps the order out.
func TestAccounts_Submit_GuardFails(t *testing.T) {
	s, p := opened(t, "100"), testPrices(t)
	key := store.Key{Model: "m", Name: "TODAY_DATE"}
	g := store.Guard{Backend: s, Expect: map[store.Key]string{key: `"2025-10-02"`}}
	a := NewAccounts(s)
	for _, book := range []string{"just read", "remembered"} {
		if _, err := a.Submit(t.Context(), "a", order("buy 1 NVDA"), p.AsOf("2025-10-02"), g); !errors.Is(err, store.ErrSessionChanged) {
			t.Errorf("on a book that was %s: %v", book, err)
		}
		mustSubmit(t, a, p, "2025-10-02", order("buy 1 NVDA"))
	}
	if got := lines(t, s); len(got) != 3 {
		t.Errorf("the ledger is %s", got)
	}
}

// scripted is a store whose answers a test may replace.
type scripted struct {
	store.Ledgers
	heads, appends int
	head           func() error
	append         func(store.Commit) error
}

func (s *scripted) Head(ctx context.Context, account, orderID string) ([]byte, []byte, error) {
	s.heads++
	if s.head != nil {
		if err := s.head(); err != nil {
			return nil, nil, err
		}
	}
	return s.Ledgers.Head(ctx, account, orderID)
}

func (s *scripted) Append(ctx context.Context, c store.Commit) error {
	s.appends++
	if s.append != nil {
		if err := s.append(c); err != nil {
			return err
		}
	}
	return s.Ledgers.Append(ctx, c)
}

// A book is read again after an error of the store.
func TestAccounts_Book_AfterAStoreError(t *testing.T) {
	s, p := &scripted{Ledgers: opened(t, "1000")}, testPrices(t)
	a := NewAccounts(s)
	steps := []struct {
		name    string
		failure error
		heads   int // readings of the head
		appends int
	}{
		{"the first order reads the book", nil, 1, 1},
		{"the second remembers it", nil, 0, 1},
		{"the store is gone", &store.UnreachableError{Engine: "file", Doing: "write", Err: errors.New("gone")}, 0, 1},
		{"the next order reads the book", nil, 1, 1},
		{"the store does not tell", &store.UnreachableError{Engine: "redis", Doing: "write", Err: errors.New("silent"), Unknown: true}, 0, 1},
		{"the next order reads the book again", nil, 1, 1},
		{"the session changed", store.ErrSessionChanged, 0, 1},
		{"and the next order reads the book once more", nil, 1, 1},
	}
	for _, c := range steps {
		s.heads, s.appends = 0, 0
		s.append = func(store.Commit) error { return c.failure }
		if _, err := submit(t, a, p, "2025-10-02", order("buy 1 NVDA")); !errors.Is(err, c.failure) {
			t.Errorf("%s: %v", c.name, err)
		}
		if s.heads != c.heads || s.appends != c.appends {
			t.Errorf("%s: %d readings and %d appends, want %d and %d", c.name, s.heads, s.appends, c.heads, c.appends)
		}
	}
}

// A store that lost the answer but not the line: the order id finds it again.
func TestAccounts_Submit_LostAnswer(t *testing.T) {
	s, p := &scripted{Ledgers: opened(t, "100")}, testPrices(t)
	a := NewAccounts(s)
	lost := &store.UnreachableError{Engine: "redis", Doing: "write", Err: errors.New("silent"), Unknown: true}
	s.append = func(c store.Commit) error { return errors.Join(s.Ledgers.Append(t.Context(), c), lost) }
	if _, err := submit(t, a, p, "2025-10-02", with("o-1", order("buy 10 NVDA"))); !errors.Is(err, lost) {
		t.Fatal(err)
	}
	s.append = nil
	if fill := mustSubmit(t, a, p, "2025-10-02", with("o-1", order("buy 10 NVDA"))); !fill.Replayed || fill.ID != 1 {
		t.Errorf("%+v", fill)
	}
}

// An order is judged a bounded number of times.
func TestAccounts_Submit_BoundedRetries(t *testing.T) {
	file, p := opened(t, "100"), testPrices(t)
	if _, err := p.AsOf("2025-10-02").OpenPrice("NVDA"); err != nil { // read before the clock is a fake one
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{Ledgers: file, append: func(store.Commit) error { return store.ErrConflict }}
		if _, err := submit(t, NewAccounts(s), p, "2025-10-02", order("buy 1 NVDA")); err == nil || errors.Is(err, store.ErrConflict) {
			t.Errorf("after %d tries: %v", s.appends, err)
		}
		if s.appends != maxTries || s.heads != maxTries {
			t.Errorf("%d readings and %d appends, want %d of each", s.heads, s.appends, maxTries)
		}

		ctx, cancel := context.WithCancel(t.Context())
		s.appends, s.append = 0, func(store.Commit) error { cancel(); return store.ErrConflict }
		// Whether the pause or the cancellation ends first is open, once; so it is soon over, not at once.
		if _, err := NewAccounts(s).Submit(ctx, "a", order("buy 1 NVDA"), p.AsOf("2025-10-02")); !errors.Is(err, context.Canceled) || s.appends > 20 {
			t.Errorf("cancelled: %v after %d tries", err, s.appends)
		}
	})
}

// An unreadable head is an error and no trade.
func TestAccounts_Submit_UnreadableHead(t *testing.T) {
	gone := &store.UnreachableError{Engine: "file", Doing: "read", Err: errors.New("gone")}
	s, p := &scripted{Ledgers: opened(t, "100"), head: func() error { return gone }}, testPrices(t)
	a := NewAccounts(s)
	_, errSubmit := submit(t, a, p, "2025-10-02", order("buy 1 NVDA"))
	_, errPreview := a.Preview(t.Context(), "a", order("buy 1 NVDA"), p.AsOf("2025-10-02"))
	_, errBook := a.Book(t.Context(), "a", "2025-10-02")
	for what, err := range map[string]error{"submit": errSubmit, "preview": errPreview, "book": errBook, "close": a.CloseDay(t.Context(), "a", testPrices(t).AsOf("2025-10-02"))} {
		if !errors.Is(err, gone) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if s.appends != 0 {
		t.Errorf("%d appends", s.appends)
	}
}

// placing is a store that tells of the place of a line before the line is durable, which it becomes unless fails is set.
type placing struct {
	store.Ledgers
	fails error
}

func (s *placing) Append(ctx context.Context, c store.Commit) error {
	placed := c.Placed
	if c.Placed = nil; placed == nil {
		return s.Ledgers.Append(ctx, c)
	}
	if s.fails == nil {
		if err := s.Ledgers.Append(ctx, c); err != nil {
			return err
		}
	}
	placed()
	return s.fails
}

func TestWithPlaced(t *testing.T) {
	p, lost := testPrices(t), &store.UnreachableError{Engine: "file", Doing: "write", Err: errors.New("no sync")}
	for name, fails := range map[string]error{"the next order follows the placed one": nil, "what was placed and is not durable in the end is forgotten": lost} {
		t.Run(name, func(t *testing.T) {
			s := &placing{opened(t, "30"), fails}
			a := NewAccounts(s)
			var second error
			ctx := WithPlaced(t.Context(), func() int {
				_, second = submit(t, a, p, "2025-10-02", order("sell 3 NVDA"))
				return 1
			})
			_, first := a.Submit(ctx, "a", order("buy 3 NVDA"), p.AsOf("2025-10-02"))
			if !errors.Is(first, fails) {
				t.Errorf("the first order: %v", first)
			}
			var refused *Refusal
			if fails == nil && second != nil || fails != nil && !errors.As(second, &refused) {
				t.Errorf("the second order: %v", second)
			}
			want := int64(3)
			if fails != nil {
				want = 1
			}
			if got := mustSubmit(t, a, p, "2025-10-02", order("buy 1 NVDA")); got.ID != want {
				t.Errorf("the next record has the id %d, want %d", got.ID, want)
			}
		})
	}
}
