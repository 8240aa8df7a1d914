package ledger

// Tests of accounts in A-shares: lots by board, T+1, price limits, hours.

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/market"
	"mcp-trade/store"
)

// cnRules are the rules of A-shares with other terms, "lots=strict100 t_plus=0".
func cnRules(t testing.TB, terms string) Rules {
	t.Helper()
	r := RulesOf(market.CN.Get())
	for _, term := range strings.Fields(terms) {
		key, value, _ := strings.Cut(term, "=")
		if !json.Valid([]byte(value)) {
			value = `"` + value + `"`
		}
		var err error
		if r, err = r.With(key, value); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestApply_CN(t *testing.T) {
	for _, c := range []struct {
		name, before, bought, order, price, terms string
		want                                      string // the positions after it; or the code, and what else the refusal has
	}{
		{"a lot", "CASH 200000", "", "buy 100 600519.SH", "1460", "", "CASH 54000, 600519.SH 100"},
		{"150 A-shares", "CASH 900000", "", "buy 150 600519.SH", "1460", "", "lot_size nearest_lots:[100 200]"},
		{"half a lot", "CASH 900000", "", "buy 50 600519.SH", "1460", "", "lot_size nearest_lots:[100]"},
		{"150 of ChiNext", "CASH 900000", "", "buy 150 300750.SZ", "400", "", "lot_size nearest_lots:[100 200]"},
		{"a part of a share", "CASH 900000", "", "buy 100.5 600519.SH", "1460", "", "invalid_argument integer"},
		{"199 of STAR", "CASH 900000", "", "buy 199 688981.SH", "131.07", "", "lot_size nearest_lots:[200]"},
		{"201 of STAR", "CASH 900000", "", "buy 201 688981.SH", "131.07", "", "CASH 873654.93, 688981.SH 201"},
		{"more of STAR than an order has", "CASH 90000000", "", "buy 50001 688981.SH", "131.07", "", "lot_size at most 50000"},
		{"more than an order has", "CASH 90000000", "", "buy 1000100 601398.SH", "7.31", "", "lot_size at most 1000000"},
		{"99 of Beijing", "CASH 900000", "", "buy 99 920002.BJ", "18.88", "", "lot_size nearest_lots:[100]"},
		{"101 of Beijing", "CASH 900000", "", "buy 101 920002.BJ", "18.88", "", "CASH 898093.12, 920002.BJ 101"},
		{"a part of an odd rest", "CASH 0, 600519.SH 237", "", "sell 50 600519.SH", "1460", "", "lot_size nearest_lots:[100]"},
		{"an odd rest", "CASH 0, 600519.SH 237", "", "sell 37 600519.SH", "1460", "", "CASH 54020, 600519.SH 200"},
		{"a lot and an odd rest", "CASH 0, 600519.SH 237", "", "sell 137 600519.SH", "1460", "", "CASH 200020, 600519.SH 100"},
		{"lots beside an odd rest", "CASH 0, 600519.SH 237", "", "sell 200 600519.SH", "1460", "", "CASH 292000, 600519.SH 37"},
		{"all of STAR, less than 200", "CASH 0, 688981.SH 77", "", "sell 77 688981.SH", "131.07", "", "CASH 10092.39, 688981.SH 0"},
		{"a part of less than 200 of STAR", "CASH 0, 688981.SH 77", "", "sell 50 688981.SH", "131.07", "", "lot_size STAR"},
		{"more than is held, odd", "CASH 0, 600519.SH 37", "", "sell 50 600519.SH", "1460", "", "insufficient_position have:37"},
		{"as AI-Trader: an odd rest", "CASH 0, 600519.SH 237", "", "sell 37 600519.SH", "1460", "lots=strict100", "lot_size nearest_lots:[100]"},
		{"as AI-Trader: 100 of STAR", "CASH 20000", "", "buy 100 688981.SH", "131.07", "lots=strict100", "CASH 6893, 688981.SH 100"},
		{"cash for less than a lot", "CASH 100000", "", "buy 100 600519.SH", "1460", "", "insufficient_cash max_amount:0"},
		{"cash for three lots", "CASH 2300", "", "buy 500 601398.SH", "7.31", "", "insufficient_cash max_amount:300"},
		{"cash for 305 of STAR", "CASH 40000", "", "buy 400 688981.SH", "131.07", "", "insufficient_cash max_amount:305"},

		{"as AI-Trader: cash for 305 of STAR", "CASH 40000", "", "buy 400 688981.SH", "131.07", "lots=strict100", "insufficient_cash max_amount:300"},
		{"more than is held, of which some was bought today", "CASH 0, 600519.SH 300", "600519.SH 100", "sell 400 600519.SH", "1460", "", "insufficient_position max_amount:200"},

		{"what was bought today", "CASH 0, 600519.SH 100", "600519.SH 100", "sell 100 600519.SH", "1460", "", "t_plus_1 You bought 100 shares of 600519.SH today"},
		{"more than what was held before today", "CASH 0, 600519.SH 300", "600519.SH 100", "sell 300 600519.SH", "1460", "", "t_plus_1 sellable_today:200"},
		{"what was held before today", "CASH 0, 600519.SH 300", "600519.SH 100", "sell 200 600519.SH", "1460", "", "CASH 292000, 600519.SH 100"},
		{"an odd rest beside what was bought today", "CASH 0, 688981.SH 277", "688981.SH 200", "sell 77 688981.SH", "131.07", "", "CASH 10092.39, 688981.SH 200"},
		{"what was bought today, under T+0", "CASH 0, 600519.SH 100", "600519.SH 100", "sell 100 600519.SH", "1460", "t_plus=0", "CASH 146000, 600519.SH 0"},
	} {
		o := order(c.order)
		book := Book{Date: "2025-10-09 10:30:00", Positions: positions(c.before)}
		if c.bought != "" {
			book.Bought = positions(c.bought)
		}
		q := market.Quote{Symbol: o.Symbol, Market: market.CN.Get(), At: "2025-10-09 13:00:00", Price: dec(c.price)}
		rec, err := Apply(book, o, q, cnRules(t, c.terms))
		got, first := outcome(rec, err), strings.Fields(c.want)[0]
		if err == nil && got != c.want || err != nil && (!strings.HasPrefix(got, strings.TrimSuffix(first, ",")+":") || !strings.Contains(strings.ReplaceAll(got, "688981.SH is traded", "STAR"), strings.TrimSpace(strings.TrimPrefix(c.want, first)))) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestApply_PriceLimits(t *testing.T) {
	for _, c := range []struct {
		order, before, price string
		at                   market.Stamp
		st                   bool
		terms                string
		refused              bool
	}{
		{"buy 100 600519.SH", "10.05", "11.06", "2025-10-09", false, "", true},
		{"buy 100 600519.SH", "10.05", "11.05", "2025-10-09", false, "", false},
		{"sell 100 600519.SH", "10.05", "11.06", "2025-10-09", false, "", false},
		{"sell 100 600519.SH", "10.05", "9.05", "2025-10-09", false, "", true},
		{"buy 100 600519.SH", "10.05", "9.05", "2025-10-09", false, "", false},
		{"buy 100 600519.SH", "10.05", "11.06", "2025-10-09", false, "price_limits=off", false},
		{"buy 100 600519.SH", "4.45", "4.67", "2026-07-03", true, "", true},
		{"buy 100 600519.SH", "4.45", "4.67", "2026-07-06", true, "", false},
		{"buy 100 300750.SZ", "12.35", "13.59", "2025-10-09", false, "", false},
		{"buy 100 300750.SZ", "12.35", "14.82", "2025-10-09", false, "", true},
	} {
		o := order(c.order)
		q := market.Quote{Symbol: o.Symbol, Market: market.CN.Get(), At: c.at, Price: dec(c.price),
			PreviousClose: decimal.NewNullDecimal(dec(c.before)), Status: market.ShareStatus{ST: c.st}}
		_, err := Apply(Book{Date: "2025-10-01", Positions: positions("CASH 900000, 600519.SH 100")}, o, q, cnRules(t, c.terms))
		refusal, ok := errors.AsType[*Refusal](err)
		if ok != c.refused || c.refused && refusal.code != code.PriceLimit || !c.refused && err != nil {
			t.Errorf("%s at %s after %s on %s: %v", c.order, c.price, c.before, c.at, err)
		}
	}
}

func TestApply_Hours(t *testing.T) {
	of := func(hours string) Rules {
		r, err := DefaultRules().With("hours", hours)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	regular, extended := of(regularHours), of(extendedHours)
	for _, c := range []struct {
		rules   Rules
		symbol  string
		at      market.Stamp
		refused bool
	}{
		{regular, "NVDA", "2026-11-27 13:05:00", true}, {extended, "NVDA", "2026-11-27 13:05:00", false},
		{regular, "NVDA", "2025-10-27 04:00:00", true}, {extended, "NVDA", "2025-10-27 04:00:00", false},
		{regular, "NVDA", "2025-10-27", false}, {regular, "NVDA", "2025-10-27 10:00:00", false},
		{DefaultRules(), "NVDA", "2025-10-27 03:00:00", false}, {extended, "NVDA", "2025-10-27 03:00:00", true},
		{regular, "NVDA", "2025-12-25 10:00:00", true}, {extended, "NVDA", "2025-12-25 10:00:00", true}, {regular, "NVDA", "2025-12-25", true},
		{extended, "NVDA", "2025-11-29 10:00:00", true}, {regular, "NVDA", "2025-01-09 10:00:00", true}, {regular, "NVDA", "2025-01-10 10:00:00", false},
		{DefaultRules(), "NVDA", "2025-12-25", false},               // an account of days: its price files have no bar, or decide
		{regular, "NVDA", "2029-01-02 10:00:00", false},             // the calendar does not tell
		{cnRules(t, ""), "600519.SH", "2027-01-04 10:00:00", false}, // not published
		{cnRules(t, ""), "600519.SH", "2027-01-02 10:00:00", true},
		{cnRules(t, ""), "600519.SH", "2025-10-09 11:30:00", true}, {cnRules(t, "fill=upstream"), "600519.SH", "2025-10-09 11:30:00", false},
		{cnRules(t, ""), "600519.SH", "2024-02-09", true}, {cnRules(t, ""), "600519.SH", "2026-02-14", true}, {cnRules(t, ""), "600519.SH", "2025-10-09", false},
	} {
		q := market.Quote{Symbol: c.symbol, Market: c.rules.Market, At: c.at, Price: dec("10")}
		_, err := Apply(Book{Date: "2024-01-02", Positions: positions("CASH 900000")}, order("buy 100 "+c.symbol), q, c.rules)
		refusal, ok := errors.AsType[*Refusal](err)
		if ok != c.refused || c.refused && refusal.code != code.MarketClosed || !c.refused && err != nil {
			t.Errorf("%s at %s under %s: %v", c.symbol, c.at, c.rules.text(), err)
		}
	}
}

// Who meets a closed exchange learns why, and when it trades again, if that is published.
func TestApply_Closed(t *testing.T) {
	regular, err := DefaultRules().With("hours", regularHours)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rules Rules
		at    market.Stamp
		want  string
	}{
		{regular, "2025-12-25 10:00:00", "market_closed: Nothing is traded at 2025-12-25 10:00:00: NYSE and Nasdaq are closed on that day (Christmas Day). " +
			"The next trading day is 2025-12-26. map[date:2025-12-25 10:00:00 next_trading_day:2025-12-26 symbol:X]"},
		{regular, "2026-11-27 13:05:00", "market_closed: Nothing is traded at 2026-11-27 13:05:00: the exchanges trade from 09:30 to 13:00 on that day. " +
			"Trade at the next bar. map[date:2026-11-27 13:05:00 symbol:X]"},
		{cnRules(t, ""), "2024-02-09", "market_closed: Nothing is traded at 2024-02-09: the exchanges are closed on that day (by their notice for 2024). " +
			"The next trading day is 2024-02-19. map[date:2024-02-09 next_trading_day:2024-02-19 symbol:X]"},
		{cnRules(t, ""), "2027-01-02", "market_closed: Nothing is traded at 2027-01-02: the exchanges are closed on Saturdays and Sundays. " +
			"The next trading day is not known: the calendar has 2024-01-01 to 2026-12-31, and later days may not be published yet. map[date:2027-01-02 symbol:X]"},
	} {
		rec, err := Apply(Book{Date: "2024-01-02", Positions: positions("CASH 900000")}, order("buy 100 X"), market.Quote{Market: c.rules.Market, At: c.at, Price: dec("10")}, c.rules)
		if got := outcome(rec, err); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// The newest record says what was bought on its day, also after other records of the day, and not on the next.
func TestRecord_Bought(t *testing.T) {
	rules := cnRules(t, "")
	book := Book{Date: "2025-10-09 09:30:00", Positions: positions("CASH 900000"), Rules: rules.text()}
	for _, step := range []struct {
		at          market.Stamp
		order, want string // "" for a day or hour without a trade
	}{
		{"2025-10-09 09:30:00", "buy 100 600519.SH", `{"600519.SH": 100}`},
		{"2025-10-09 10:30:00", "buy 200 600036.SH", `{"600519.SH": 100, "600036.SH": 200}`},
		{"2025-10-09 13:00:00", "", `{"600519.SH": 100, "600036.SH": 200}`},
		{"2025-10-09 14:00:00", "buy 100 600519.SH", `{"600519.SH": 200, "600036.SH": 200}`},
		{"2025-10-10 09:30:00", "sell 100 600519.SH", ""},
		{"2025-10-10 10:30:00", "", ""},
	} {
		rec := noTrade(book, step.at)
		if step.order != "" {
			o := order(step.order)
			var err error
			if rec, err = Apply(book, o, market.Quote{Symbol: o.Symbol, Market: rules.Market, At: step.at, Price: dec("10")}, rules); err != nil {
				t.Fatal(err)
			}
		}
		line := rec.Line()
		_, after, _ := strings.Cut(string(line), `"bought_today": `)
		if got, _, _ := strings.Cut(after, "}"); cmp.Or(got, "") != strings.TrimSuffix(step.want, "}") {
			t.Errorf("%s: %s", step.at, line)
		}
		next, err := ParseBook(line)
		if err != nil {
			t.Fatal(err)
		}
		book = next
	}
}

// What is bought on a day is never sold on it, whatever the orders.
func TestApply_TPlusIsNeverBroken(t *testing.T) {
	rules := cnRules(t, "")
	rapid.Check(t, func(t *rapid.T) {
		book := Book{Date: "2025-10-09", Positions: positions("CASH 100000000")}
		day, atOpen, soldToday := 0, map[string]decimal.Decimal{}, map[string]decimal.Decimal{}
		for range rapid.IntRange(1, 40).Draw(t, "orders") {
			if days := []market.Stamp{"2025-10-09", "2025-10-10", "2025-10-13"}; day < 2 && rapid.IntRange(0, 4).Draw(t, "next day") == 0 {
				day++
				book.Date = days[day-1]
				for _, p := range book.Positions {
					atOpen[p.Symbol], soldToday[p.Symbol] = p.Amount, decimal.Zero
				}
			}
			o := Order{
				Action: rapid.SampledFrom([]Action{Buy, Sell}).Draw(t, "action"), Symbol: rapid.SampledFrom([]string{"600519.SH", "688981.SH", "920002.BJ"}).Draw(t, "symbol"),
				Amount: decimal.NewFromInt(rapid.Int64Range(1, 500).Draw(t, "amount")),
			}
			if rapid.Bool().Draw(t, "lots") {
				o.Amount = o.Amount.Mul(hundred)
			}
			at := []market.Stamp{"2025-10-09", "2025-10-10", "2025-10-13"}[day]
			rec, err := Apply(book, o, market.Quote{Symbol: o.Symbol, Market: rules.Market, At: at, Price: dec("10")}, rules)
			if err != nil {
				continue
			}
			if o.Action == Sell {
				soldToday[o.Symbol] = soldToday[o.Symbol].Add(o.Amount)
			}
			if soldToday[o.Symbol].GreaterThan(atOpen[o.Symbol]) {
				t.Fatalf("%s of %s were sold on %s, of %s from before", soldToday[o.Symbol], o.Symbol, at, atOpen[o.Symbol])
			}
			if book, err = ParseBook(rec.Line()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A row that hides what was bought on its day, or sells it, is found.
func TestVerify_Bought(t *testing.T) {
	rules := cnRules(t, "")
	first := Record{Date: "2025-10-09", Positions: positions("CASH 900000"), Rules: rules.text()}
	bought, err := Apply(first.book(first.Line()), order("buy 200 600519.SH"), market.Quote{Symbol: "600519.SH", Market: rules.Market, At: "2025-10-09", Price: dec("10")}, rules)
	if err != nil {
		t.Fatal(err)
	}
	hidden := bought
	hidden.Bought = nil
	free := rules
	free.other = map[string]string{tPlusKey: sameDay}
	sold, err := Apply(bought.book(bought.Line()), order("sell 100 600519.SH"), market.Quote{Symbol: "600519.SH", Market: rules.Market, At: "2025-10-09", Price: dec("10")}, free)
	if err != nil {
		t.Fatal(err)
	}
	sold.Bought = bought.Bought
	closed := noTrade(bought.book(bought.Line()), "2025-10-09")
	closed.Bought = nil
	for _, c := range []struct {
		name    string
		records []Record
		want    []Class
	}{
		{"as it was", []Record{first, bought}, nil},
		{"hidden", []Record{first, hidden}, []Class{Unexplained}},
		{"hidden by a record without a trade", []Record{first, bought, closed}, []Class{Unexplained}},
		{"sold on the day", []Record{first, bought, sold}, []Class{Refused}},
	} {
		var rows []string
		for _, r := range c.records {
			rows = append(rows, string(r.Line()))
		}
		report, err := Verify(linesIn(rows), nil)
		if err != nil || len(report.Findings) != len(c.want) {
			t.Errorf("%s: %v, %v", c.name, report.Findings, err)
			continue
		}
		for i, f := range report.Findings {
			if f.Class != c.want[i] {
				t.Errorf("%s: %s", c.name, f)
			}
		}
	}
}

// With T+1 on, exactly the sales of the golden ledgers that break it are refused, and all others go through.
func TestApply_RealOrdersUnderTPlus(t *testing.T) {
	under := asAITrader(market.CN.Get())
	delete(under.other, tPlusKey)
	refused := 0
	for _, l := range realLedgers(t, "cn_hourly") {
		table, err := os.ReadFile(filepath.Join(testenv.TestData(t), l.name, "rows.tsv"))
		if err != nil {
			t.Fatal(err)
		}
		marks := strings.Split(strings.TrimSpace(string(table)), "\n")[1:]
		s := fileStore(t)
		a := NewAccounts(s)
		for row, text := range l.rows {
			want, err := ParseLine([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			switch l.classes[row] {
			case "init":
				_, err = a.RegisterUnder(t.Context(), "a", want.Cash(), want.Date, under)
			case "no_trade":
				err = a.CloseDay(t.Context(), "a", l.prices.AsOf(want.Date))
			default:
				_, err = a.Submit(t.Context(), "a", realOrder(row, want), l.prices.AsOf(want.Date))
				refusal, ok := errors.AsType[*Refusal](err)
				if breaks := strings.Contains(marks[row], "T1_VIOLATION"); breaks != (ok && refusal.code == code.TPlus1) {
					t.Fatalf("%s row %d, %s: %v", l.name, row, marks[row], err)
				} else if breaks {
					refused++
					err = sellAllTheSame(t, a, s, l, row, want)
				}
			}
			if err != nil {
				t.Fatalf("%s row %d: %v", l.name, row, err)
			}
		}
	}
	if refused != 54 {
		t.Errorf("%d sales were refused, want 54", refused)
	}
}

// sellAllTheSame commits a sale that T+1 refuses, so that the orders after it meet the account that they met then.
func sellAllTheSame(t *testing.T, a *Accounts, s store.Ledgers, l realLedger, row int, want Record) error {
	book, err := a.Head(t.Context(), "a")
	if err != nil {
		return err
	}
	rec, err := evaluate(book, realOrder(row, want), l.prices.AsOf(want.Date), asAITrader(market.CN.Get()))
	if err != nil {
		return err
	}
	if _, err := a.rules(t.Context(), "a", &book); err != nil {
		return err
	}
	rec.Bought = book.boughtOn(want.Date)
	// Of what was bought on the day, no more is left to be sold than there is.
	for i, p := range rec.Bought {
		rec.Bought[i].Amount = decimal.Min(p.Amount, rec.Positions.Amount(p.Symbol))
	}
	return a.append(t.Context(), "a", book, rec, false, nil)
}
