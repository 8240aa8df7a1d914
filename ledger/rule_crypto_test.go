package ledger

// Tests of crypto accounts: steps, least values, and rounding against the account.

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"mcp-trade/decimal"
	"mcp-trade/market"
)

func cryptoRules(t testing.TB, rounding string) Rules {
	t.Helper()
	r, err := RulesOf(market.Crypto.Get()).With("rounding", rounding)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestApply_Crypto(t *testing.T) {
	for _, c := range []struct {
		name, before, order, price string
		at                         market.Stamp
		rounding, want             string
	}{
		{"a part", "CASH 5000", "buy 0.01234 BTC-USDT", "110500", "2025-10-20", strictly, "CASH 3636.43, BTC-USDT 0.01234"},
		{"a part of it is sold", "CASH 0, BTC-USDT 0.01234", "sell 0.01 BTC-USDT", "110500", "2025-10-20", strictly, "CASH 1105, BTC-USDT 0.00234"},
		{"half a satoshi", "CASH 5000", "buy 0.000000005 BTC-USDT", "110500", "2025-10-20", strictly,
			"lot_size: BTC-USDT is traded in multiples of 0.00001. You tried to buy 0.000000005. map[amount:0.000000005 minimum:0.00001 nearest_lots:[0.00001] symbol:BTC-USDT]"},
		{"between two steps", "CASH 5000", "buy 0.000011 BTC-USDT", "110500", "2025-10-20", strictly,
			"lot_size: BTC-USDT is traded in multiples of 0.00001. You tried to buy 0.000011. map[amount:0.000011 minimum:0.00001 nearest_lots:[0.00001 0.00002] symbol:BTC-USDT]"},
		{"between two steps of that day", "CASH 5000", "buy 0.15 XRP-USDT", "2.4123", "2025-10-21", strictly,
			"lot_size: XRP-USDT is traded in multiples of 0.1. You tried to buy 0.15. map[amount:0.15 minimum:0.1 nearest_lots:[0.1 0.2] symbol:XRP-USDT]"},
		{"less than the least value", "CASH 5000", "buy 1 XRP-USDT", "2.41", "2025-10-21", strictly,
			"lot_size: An order of XRP-USDT must be worth at least 5 USDT. You tried to buy 1, which is worth 2.41. map[amount:1 minimum_value:5 price:2.41 symbol:XRP-USDT value:2.41]"},
		{"exactly the least value", "CASH 5000", "buy 2 XRP-USDT", "2.5", "2025-10-21", strictly, "CASH 4995, XRP-USDT 2"},
		{"before a least value is known", "CASH 100", "buy 1 ADA-USDT", "1", "2021-10-10", strictly, "CASH 99, ADA-USDT 1"},
		{"below the first least value, on its first day", "CASH 100", "buy 9 ADA-USDT", "1.11", "2021-10-11", strictly,
			"lot_size: An order of ADA-USDT must be worth at least 10 USDT. You tried to buy 9, which is worth 9.99. map[amount:9 minimum_value:10 price:1.11 symbol:ADA-USDT value:9.99]"},
		{"and on its last", "CASH 100", "buy 9 ADA-USDT", "1.11", "2023-09-14", strictly,
			"lot_size: An order of ADA-USDT must be worth at least 10 USDT. You tried to buy 9, which is worth 9.99. map[amount:9 minimum_value:10 price:1.11 symbol:ADA-USDT value:9.99]"},
		{"on the first day of the second", "CASH 100", "buy 9 ADA-USDT", "1.11", "2023-09-15", strictly, "CASH 90.01, ADA-USDT 9"},
		{"below the second", "CASH 100", "buy 4.9 ADA-USDT", "1.01", "2023-09-15", strictly,
			"lot_size: An order of ADA-USDT must be worth at least 5 USDT. You tried to buy 4.9, which is worth 4.949. map[amount:4.9 minimum_value:5 price:1.01 symbol:ADA-USDT value:4.949]"},
		{"what is paid is rounded up", "CASH 5000", "buy 0.1 ADA-USDT", "50.00000000123", "2025-10-21", strictly, "CASH 4994.99999999, ADA-USDT 0.1"},
		{"what is received is rounded down", "CASH 0, ADA-USDT 0.1", "sell 0.1 ADA-USDT", "50.00000009999", "2025-10-21", strictly, "CASH 5, ADA-USDT 0"},
		{"too little cash", "CASH 1000", "buy 1 BTC-USDT", "110500", "2025-10-20", strictly,
			"insufficient_cash: Insufficient cash! This action will not be allowed. " +
				"map[cash_available:1000 date:2025-10-20 max_amount:0.00904 price:110500 required_cash:110500 symbol:BTC-USDT]"},
		{"so little cash that no order of it is taken", "CASH 4.99", "buy 1 BTC-USDT", "110500", "2025-10-20", strictly,
			"insufficient_cash: Insufficient cash! This action will not be allowed. " +
				"map[cash_available:4.99 date:2025-10-20 max_amount:0 price:110500 required_cash:110500 symbol:BTC-USDT]"},
		{"more than is held, which is no multiple of the step", "CASH 0, BTC-USDT 0.01232766", "sell 1 BTC-USDT", "110500", "2025-10-20", strictly,
			"insufficient_position: Insufficient shares! This action will not be allowed. " +
				"map[date:2025-10-20 have:0.01232766 max_amount:0.01232 symbol:BTC-USDT want_to_sell:1]"},
		{"more than is held, which is less than an order is worth", "CASH 0, BTC-USDT 0.00004766", "sell 1 BTC-USDT", "110500", "2025-10-20", strictly,
			"insufficient_position: Insufficient shares! This action will not be allowed. " +
				"map[date:2025-10-20 have:0.00004766 max_amount:0 symbol:BTC-USDT want_to_sell:1]"},
		{"nothing", "CASH 1000", "buy 0 BTC-USDT", "110500", "2025-10-20", strictly,
			"invalid_argument: Amount must be positive. You tried to buy 0 coins. map[amount:0 minimum:0 symbol:BTC-USDT]"},
		{"as AI-Trader: no step", "CASH 100", "buy 0.00006 ADA-USDT", "0.5", "2025-10-21", upstream, "CASH 100, ADA-USDT 0.0001"},
		{"as AI-Trader: 4 decimals", "CASH 1000", "buy 0.0033 BTC-USDT", "110052.25", "2025-11-02", upstream, "CASH 636.8276, BTC-USDT 0.0033"},
	} {
		o := order(c.order)
		q := market.Quote{Symbol: o.Symbol, Market: market.Crypto.Get(), At: c.at, Price: dec(c.price)}
		rec, err := Apply(Book{Date: c.at, Positions: positions(c.before)}, o, q, cryptoRules(t, c.rounding))
		if got := outcome(rec, err); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

// Whatever is bought can be paid, and whoever buys and sells at one price never has more than before.
func TestApply_CryptoNeverGains(t *testing.T) {
	rules := cryptoRules(t, strictly)
	rapid.Check(t, func(t *rapid.T) {
		pair := rapid.SampledFrom([]string{"BTC-USDT", "XRP-USDT", "ADA-USDT", "DOGE-USDT"}).Draw(t, "pair")
		q := market.Quote{Symbol: pair, Market: market.Crypto.Get(), At: "2025-10-21", Price: decimal.New(rapid.Int64Range(1, 1e12).Draw(t, "price"), -9)}
		book := Book{Date: "2025-10-21", Positions: Positions{{Cash, decimal.New(rapid.Int64Range(0, 1e12).Draw(t, "cash"), -9)}}}
		most, _ := rules.Affordable(book.Cash(), q)
		if !most.IsPositive() {
			return
		}
		bought, err := Apply(book, Order{Action: Buy, Symbol: pair, Amount: most}, q, rules)
		if err != nil {
			t.Fatalf("%s of %s at %s, which is what %s buys: %v", most, pair, q.Price, book.Cash(), err)
		}
		sold, err := Apply(bought.book(bought.Line()), Order{Action: Sell, Symbol: pair, Amount: most}, q, rules)
		if err != nil || sold.Cash().GreaterThan(book.Cash()) || bought.Cash().IsNegative() {
			t.Fatalf("%s, %s, %s: %v", book.Cash(), bought.Cash(), sold.Cash(), err)
		}
		paid, value := new(big.Rat).Sub(book.Cash().Rat(), bought.Cash().Rat()), new(big.Rat).Mul(q.Price.Rat(), most.Rat())
		if paid.Cmp(value) < 0 {
			t.Fatalf("paid %s for %s", paid.FloatString(12), value.FloatString(12))
		}
	})
}

func TestParseRules_Crypto(t *testing.T) {
	const strict = `{"market": "crypto", "lot": 0, "costs": "none", "fill": "open", "rounding": "strict"}`
	for text, known := range map[string]bool{
		strict: true, `{"market": "crypto", "lot": 0, "costs": "none", "fill": "open", "rounding": "upstream"}`: true,
		`{"market": "crypto", "lot": 0, "costs": "none", "fill": "open", "rounding": "exact"}`: false,
		`{"market": "us", "lot": 1, "costs": "none", "fill": "open", "rounding": "upstream"}`:  false,
	} {
		r, err := ParseRules(text)
		if (err == nil) != known || known && r.text() != text {
			t.Errorf("%s: %s, %v", text, r.text(), err)
		}
	}
	if got := RulesOf(market.Crypto.Get()).text(); got != strict {
		t.Error(got)
	}
}

// A ledger that AI-Trader began states no rules: it is of the market whose symbols it names.
func TestUnstated(t *testing.T) {
	for text, want := range map[string]market.ID{"CASH 5": market.US, "NVDA 0, CASH 5": market.US, "BTC-USDT 0, CASH 5": market.Crypto} {
		if got := unstated(positions(text)).Market.ID; got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
