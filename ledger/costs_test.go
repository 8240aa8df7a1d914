package ledger

// Tests of what a fill costs: the arithmetic, the way out that a refusal names, what a ledger keeps, and that verifying finds
// what is wrong with it. The fees themselves are tested where they are kept, in package market.

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/market"
)

// costing are the rules of a market with costs.
func costing(t interface {
	Helper()
	Fatal(...any)
}, id market.ID, costs, slippage string) Rules {
	t.Helper()
	c, err := market.ParseCosts([]byte(costs), id)
	if err != nil {
		t.Fatal(err)
	}
	s, err := market.ParseSlippage(slippage)
	if err != nil {
		t.Fatal(err)
	}
	r, err := RulesOf(id.Get()).WithCosts(c, s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestApply_Costs(t *testing.T) {
	const flat = `{"fees": [{"name": "commission", "per_order": 1, "rate": 0.001, "minimum": 5}]}`
	for _, c := range []struct {
		name            string
		id              market.ID
		costs, slippage string
		before, order   string
		at              market.Stamp
		open            string
		want            string // price, fees and positions after it, or the refusal
	}{
		{"a purchase of US shares is free", market.US, `"real"`, "none", "CASH 1000", "buy 2 NVDA", "2024-05-22", "100", "100 0 {}: CASH 800, NVDA 2"},
		{"a sale of US shares", market.US, `"real"`, "none", "CASH 0, NVDA 7", "sell 7 NVDA", "2024-05-22", "949.50",
			`949.5 0.2 {"SEC fee": 0.19, "FINRA TAF": 0.01}: CASH 6646.3, NVDA 0`},
		{"a purchase of A-shares", market.CN, `"real"`, "none", "CASH 200000", "buy 100 600519.SH", "2022-04-28", "1750",
			`1750 47.25 {"commission": 43.75, "transfer fee": 3.5}: CASH 24952.75, 600519.SH 100`},
		{"a sale of A-shares", market.CN, `"real"`, "none", "CASH 0, 600036.SH 1200", "sell 1200 600036.SH", "2023-08-28", "33.33",
			`33.33 30.4 {"commission": 10, "transfer fee": 0.4, "stamp duty": 20}: CASH 39965.6, 600036.SH 0`},
		{"coins pay for themselves", market.Crypto, `"real"`, "none", "CASH 1363.57", "buy 0.01234 BTC-USDT", "2025-10-20", "110500",
			`110500 1.36357 {"taker fee": 1.36357} 0.00001234: CASH 0, BTC-USDT 0.01232766`},
		{"a sale of coins pays in money", market.Crypto, `"real"`, "none", "CASH 0, BTC-USDT 0.01232766", "sell 0.01232 BTC-USDT", "2025-10-20", "110500",
			`110500 1.36136 {"taker fee": 1.36136}: CASH 1359.99864, BTC-USDT 0.00000766`},
		{"slippage makes a purchase dearer", market.US, `"none"`, "5bps", "CASH 1000", "buy 5 NVDA", "2025-10-02", "189.6", "189.6948 0 {}: CASH 51.526, NVDA 5"},
		{"slippage makes a sale cheaper", market.US, `"none"`, "half-spread:0.02", "CASH 0, NVDA 5", "sell 5 NVDA", "2025-10-02", "189.6", "189.58 0 {}: CASH 947.9, NVDA 0"},
		{"fees are of the price with slippage", market.US, flat, "100bps", "CASH 11000", "buy 100 NVDA", "2025-10-02", "100", `101 11.1 {"commission": 11.1}: CASH 888.9, NVDA 100`},
		{"the cash may go down to zero with the fees", market.US, flat, "none", "CASH 105", "buy 1 NVDA", "2025-10-02", "100", `100 5 {"commission": 5}: CASH 0, NVDA 1`},
		{"a cent too little for the fees", market.US, flat, "none", "CASH 10010.99", "buy 100 NVDA", "2025-10-02", "100",
			"insufficient_cash: Insufficient cash! This action will not be allowed. " +
				"map[cash_available:10010.99 date:2025-10-02 fees:11 max_amount:99 price:100 required_cash:10011 symbol:NVDA]"},
		{"nothing can be bought where the least fee takes it all", market.US, flat, "none", "CASH 104.99", "buy 1 NVDA", "2025-10-02", "100",
			"insufficient_cash: Insufficient cash! This action will not be allowed. " +
				"map[cash_available:104.99 date:2025-10-02 fees:5 max_amount:0 price:100 required_cash:105 symbol:NVDA]"},
		{"slippage makes an order worth no more", market.Crypto, `"none"`, "100bps", "CASH 5.04", "buy 100 XRP-USDT", "2025-10-21", "2.49",
			"insufficient_cash: Insufficient cash! This action will not be allowed. " +
				"map[cash_available:5.04 date:2025-10-21 max_amount:0 price:2.5149 required_cash:251.49 symbol:XRP-USDT]"},
		{"a sale that brings less than its fees", market.US, flat, "none", "CASH 1, NVDA 1", "sell 1 NVDA", "2025-10-02", "2",
			"insufficient_cash: Insufficient cash! The fees are more than the sale brings and the account has. " +
				"map[cash_available:1 date:2025-10-02 fees:5 price:2 required_cash:3 symbol:NVDA]"},
		{"a sale for nothing", market.US, `"none"`, "half-spread:0.5", "CASH 1, NVDA 1", "sell 1 NVDA", "2025-10-02", "0.5",
			"invalid_argument: NVDA cannot be sold: the account's slippage of half-spread:0.5 takes all of its price of 0.5. map[price:0.5 symbol:NVDA]"},
		{"a day whose fees are not known", market.US, `"real"`, "none", "CASH 1, NVDA 1", "sell 1 NVDA", "2027-01-04", "200",
			"rules_unknown: The FINRA TAF of NVDA on 2027-01-04 is not known to the costs that this account is kept under, so the trade cannot be charged for. " +
				"Trade on a date that they cover, or open an account whose costs have the fee. map[date:2027-01-04 fee:FINRA TAF symbol:NVDA]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec, err := Apply(Book{Date: "2020-01-01", Positions: positions(c.before)}, order(c.order), market.Quote{Symbol: order(c.order).Symbol, At: c.at, Price: dec(c.open)}, costing(t, c.id, c.costs, c.slippage))
			got := ""
			if coded, ok := errors.AsType[code.Error](err); ok {
				got = fmt.Sprintf("%s: %v %v", coded.Code(), err, coded.Details())
			} else if err == nil {
				inKind := ""
				if !rec.InKind.IsZero() {
					inKind = " " + rec.InKind.String()
				}
				got = fmt.Sprintf("%s %s %s%s: %s", rec.Price.Decimal, rec.Fees, rec.FeeItems, inKind, spell(rec.Positions))
			}
			if got != c.want {
				t.Errorf("\ngot  %s, %v\nwant %s", got, err, c.want)
			}
		})
	}
}

func TestParseRules_Costs(t *testing.T) {
	rules := func(costs, more string) string {
		return `{"market": "us", "lot": 1, "costs": ` + costs + `, "fill": "open", "rounding": "exact"` + more + `}`
	}
	for _, text := range []string{
		rules(`"real"`, ""), rules(`"none"`, `, "slippage": "5bps"`), rules(`{"real": ["FINRA TAF"], "fees": [{"name": "x", "rate": 0.001}]}`, `, "slippage": "half-spread:0.02"`),
	} {
		if r, err := ParseRules(text); err != nil || r.text() != text {
			t.Errorf("%s is read as %s, %v", text, r.text(), err)
		}
	}
	for text, want := range map[string]string{
		rules(`"free"`, ""):                         `"costs": "free"`,
		rules(`{"fees": [{"name": "x"}, 7]}`, ""):   `"costs": {"fees"`,
		rules(`{"real": ["stamp duty"]}`, ""):       `"costs": {"real"`, // which is a fee of another market
		rules(`"none"`, `, "slippage": "5"`):        `"slippage": "5"`,
		rules(`"none"`, `, "slippage": "0.050bps"`): `"slippage": "0.050bps"`, // no ledger writes it so
		rules(`"none"`, `, "slippage": {"bps": 5}`): `"slippage": {"bps": 5}`,
	} {
		if _, err := ParseRules(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is refused with %v, want %s", text, err, want)
		}
	}
}

// charged is the ledger of a few trades with fees and slippage, ids 0 to 3, as it stands in the store.
func charged(t *testing.T, p *market.Prices) []string {
	t.Helper()
	s := fileStore(t)
	a := NewAccounts(s)
	rules := costing(t, market.US, `{"real": ["SEC fee"], "fees": [{"name": "commission", "per_order": 1.5}]}`, "10bps")
	if err := a.Open(t.Context(), "a", rules.Opening(dec("1000"), "2025-10-01")); err != nil {
		t.Fatal(err)
	}
	mustSubmit(t, a, p, "2025-10-02", order("buy 30 NVDA"))
	if err := a.CloseDay(t.Context(), "a", testPrices(t).AsOf("2025-10-03")); err != nil {
		t.Fatal(err)
	}
	mustSubmit(t, a, p, "2025-10-06", with("o-1", order("sell 12 NVDA")))
	return lines(t, s)
}

func TestVerify_Costs(t *testing.T) {
	p := testPrices(t)
	rows := charged(t, p)
	want := `{"date": "2025-10-02", "id": 1, "this_action": {"action": "buy", "symbol": "NVDA", "amount": 30, "price": 10.01}, ` +
		`"positions": {"CASH": 698.2, "NVDA": 30}, "fees": 1.5, "fee_items": {"commission": 1.5}, "prev": `
	if !strings.HasPrefix(rows[1], want) {
		t.Errorf("%s\nbegins otherwise than\n%s", rows[1], want)
	}
	for name, prices := range map[string]*market.Prices{"with prices": p, "without": nil} {
		if r, err := Verify(linesIn(rows), prices); err != nil || len(r.Findings) > 0 || r.Trades != 2 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	for _, c := range []struct {
		row             int
		old, new, class string // of the finding beside that of the hash
	}{
		{1, `"fees": 1.5`, `"fees": 1.4`, `fees: expected 1.5 {"commission": 1.5}, found 1.4 {"commission": 1.5}`},
		{1, `{"commission": 1.5}`, `{"commission": 1.4}`, `fees: expected 1.5 {"commission": 1.5}, found 1.5 {"commission": 1.4}`},
		{1, `{"commission": 1.5}`, `{"tip": 1.5}`, `found 1.5 {"tip": 1.5}`},
		{1, `, "fees": 1.5, "fee_items": {"commission": 1.5}`, ``, `fees: expected 1.5 {"commission": 1.5}, found 0`},
		{1, `"fees": 1.5`, `"fees": 1.5, "fee_in_kind": 1`, `found 1.5 {"commission": 1.5} 1 in kind`},
		{1, `"CASH": 698.2`, `"CASH": 699.7`, `price differs: expected 10.01, found 9.96`},
		{1, `"price": 10.01`, `"price": 10`, `price differs: expected 10.01, found 10`},
		{2, `"prev"`, `"fees": 1, "prev"`, `fees: expected 0, found 1`},
		{0, `"slippage": "10bps"`, `"slippage": "20bps"`, `price differs: expected 10.02, found 10.01`},
		{0, `"per_order": 1.5`, `"per_order": 2`, `fees: expected 2 {"commission": 2}, found 1.5 {"commission": 1.5}`},
	} {
		forged := append([]string{}, rows...)
		if forged[c.row] = strings.Replace(rows[c.row], c.old, c.new, 1); forged[c.row] == rows[c.row] {
			t.Fatalf("%s is not in %s", c.old, rows[c.row])
		}
		r, err := Verify(linesIn(forged), p)
		found := fmt.Sprint(r.Findings)
		if err != nil || !r.Failed() || !strings.Contains(found, c.class) {
			t.Errorf("%s for %s is found as\n%s, %v\nwant %s", c.new, c.old, found, err, c.class)
		}
	}
}

// What holds of any order under any costs: the money is exact, the books verify, the way out can be paid for and one lot more
// cannot, and who buys and sells at one price has gained nothing.
func TestApply_AnyCosts(t *testing.T) {
	day := market.Stamp("2025-10-09")
	symbols := map[market.ID]string{market.US: "NVDA", market.CN: "600519.SH", market.Crypto: "SOL-USDT"}
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.SampledFrom([]market.ID{market.US, market.CN, market.Crypto}).Draw(t, "market")
		costs := rapid.SampledFrom([]string{`"none"`, `"real"`, `{"fees": [{"name": "x", "rate": 0.0031, "per_share": 0.007, "per_order": 0.3, "minimum": 2, "maximum": 40, "round": "up"}]}`}).Draw(t, "costs")
		r := costing(t, id, costs, rapid.SampledFrom([]string{"none", "7bps", "half-spread:0.003"}).Draw(t, "slippage"))
		book := Book{Date: day, Positions: Positions{{Cash, drawMoney(t, 10_000_000)}}}
		q := market.Quote{Symbol: symbols[id], Market: r.Market, At: day, Price: drawMoney(t, 100_000)}
		if !q.Price.GreaterThan(dec("0.01")) {
			return
		}
		if id == market.US {
			most, bounded := r.Affordable(book.Cash(), q)
			if !bounded {
				t.Fatal("nothing is bounded")
			}
			more := most.Add(one)
			if _, err := Apply(book, Order{Action: Buy, Symbol: q.Symbol, Amount: more}, q, r); err == nil {
				t.Fatalf("%s more than the largest amount %s was bought", more, most)
			}
			if !most.IsPositive() {
				return
			}
			if _, err := Apply(book, Order{Action: Buy, Symbol: q.Symbol, Amount: most}, q, r); err != nil {
				t.Fatalf("the largest amount %s: %v", most, err)
			}
		}
		o := Order{Action: Buy, Symbol: q.Symbol, Amount: dec("100").Mul(decimal.NewFromInt(rapid.Int64Range(1, 10).Draw(t, "hundreds")))}
		bought, err := Apply(book, o, q, r)
		if err != nil {
			return // too little cash
		}
		held := bought.Positions.Amount(q.Symbol)
		if got := bought.Cash().Add(held.Mul(bought.Price.Decimal)).Add(bought.Fees); !got.Equal(book.Cash()) {
			t.Fatalf("cash, value and fees are %s, and were %s", got, book.Cash())
		}
		sold, err := Apply(Book{Date: day, Positions: bought.Positions}, Order{Action: Sell, Symbol: q.Symbol, Amount: held}, q, r)
		if err == nil && sold.Cash().GreaterThan(book.Cash()) {
			t.Fatalf("%s became %s", book.Cash(), sold.Cash())
		}
	})
}
