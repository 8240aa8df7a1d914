package ledger

// Tests of the arithmetic: what an order does to a book, and why it may not.

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/market"
)

func dec(text string) decimal.Decimal { return decimal.RequireFromString(text) }

// positions reads "CASH 1000, NVDA 10".
func positions(text string) Positions {
	read := Positions{}
	for item := range strings.SplitSeq(text, ", ") {
		symbol, amount, _ := strings.Cut(item, " ")
		read = append(read, Position{symbol, dec(amount)})
	}
	return read
}

// spell is the inverse of positions.
func spell(p Positions) string {
	items := make([]string, len(p))
	for i, held := range p {
		items[i] = held.Symbol + " " + held.Amount.String()
	}
	return strings.Join(items, ", ")
}

// order reads "buy 10 NVDA".
func order(text string) Order {
	word := strings.Fields(text)
	return Order{Action: Action(word[0]), Amount: dec(word[1]), Symbol: word[2]}
}

var whole = DefaultRules()

// An order fills or is refused.
func TestApply(t *testing.T) {
	for _, c := range []struct {
		name, before, order, price string
		at                         market.Stamp
		want                       string // the positions after it, or the refusal
	}{
		{"a purchase", "CASH 1000", "buy 10 NVDA", "12.34", "2025-10-02", "CASH 876.6, NVDA 10"},
		{"the cash may go down to exactly zero", "CASH 123.4", "buy 10 NVDA", "12.34", "2025-10-02", "CASH 0, NVDA 10"},
		{"one cent too little", "CASH 123.39", "buy 10 NVDA", "12.34", "2025-10-02",
			"insufficient_cash: Insufficient cash! This action will not be allowed. " +
				"map[cash_available:123.39 date:2025-10-02 max_amount:9 price:12.34 required_cash:123.4 symbol:NVDA]"},
		{"no cash at all", "CASH 0, NVDA 1", "buy 1 NVDA", "12.34", "2025-10-02",
			"insufficient_cash: Insufficient cash! This action will not be allowed. " +
				"map[cash_available:0 date:2025-10-02 max_amount:0 price:12.34 required_cash:12.34 symbol:NVDA]"},
		{"the way out costs exactly what there is", "CASH 37.02", "buy 4 NVDA", "12.34", "2025-10-02",
			"insufficient_cash: Insufficient cash! This action will not be allowed. " +
				"map[cash_available:37.02 date:2025-10-02 max_amount:3 price:12.34 required_cash:49.36 symbol:NVDA]"},
		{"a purchase keeps the order of positions", "NVDA 1, CASH 100, MSFT 2", "buy 1 NVDA", "10", "2025-10-02", "NVDA 2, CASH 90, MSFT 2"},
		{"a part is sold", "CASH 0.01, NVDA 10", "sell 3 NVDA", "12.34", "2025-10-02", "CASH 37.03, NVDA 7"},
		{"everything is sold, and the position stays named", "CASH 0, NVDA 10", "sell 10 NVDA", "12.34", "2025-10-02", "CASH 123.4, NVDA 0"},
		{"more is sold than is held", "CASH 0, NVDA 10", "sell 11 NVDA", "12.34", "2025-10-02",
			"insufficient_position: Insufficient shares! This action will not be allowed. " +
				"map[date:2025-10-02 have:10 max_amount:10 symbol:NVDA want_to_sell:11]"},
		{"a position that never was", "CASH 5", "sell 1 NVDA", "12.34", "2025-10-02",
			"insufficient_position: No position for NVDA! This action will not be allowed. " +
				"map[date:2025-10-02 have:0 max_amount:0 symbol:NVDA want_to_sell:1]"},
		{"a position that was sold", "CASH 5, NVDA 0", "sell 1 NVDA", "12.34", "2025-10-02",
			"insufficient_position: No position for NVDA! This action will not be allowed. " +
				"map[date:2025-10-02 have:0 max_amount:0 symbol:NVDA want_to_sell:1]"},
		{"a later day", "CASH 10", "buy 1 NVDA", "10", "2025-10-03", "CASH 0, NVDA 1"},
		{"a moment of the same day", "CASH 10", "buy 1 NVDA", "10", "2025-10-02 10:30:00", "CASH 0, NVDA 1"},
		{"a day before", "CASH 10", "buy 1 NVDA", "10", "2025-10-01",
			"date_backwards: TODAY_DATE is 2025-10-01, but the newest record of this account is dated 2025-10-02. Set TODAY_DATE to that date or a later one. " +
				"map[date:2025-10-01 newest_record:2025-10-02]"},
		{"nothing", "CASH 10", "buy 0 NVDA", "10", "2025-10-02",
			"invalid_argument: Amount must be positive. You tried to buy 0 shares. map[amount:0 minimum:1 symbol:NVDA]"},
		{"a negative purchase would mint shares' worth of cash", "CASH 10", "buy -1000 NVDA", "10", "2025-10-02",
			"invalid_argument: Amount must be positive. You tried to buy -1000 shares. map[amount:-1000 minimum:1 symbol:NVDA]"},
		{"a negative sale would mint shares", "CASH 10", "sell -5 NVDA", "10", "2025-10-02",
			"invalid_argument: Amount must be positive. You tried to sell -5 shares. map[amount:-5 minimum:1 symbol:NVDA]"},
		{"a part of a share", "CASH 100", "buy 1.5 NVDA", "10", "2025-10-02",
			"invalid_argument: Invalid amount format. Amount must be an integer for stock trading. You provided: 1.5 map[amount:1.5 minimum:1 symbol:NVDA]"},
		{"as many shares as may be", "CASH 10000000000000", "buy 1000000000000000 NVDA", "0.01", "2025-10-02", "CASH 0, NVDA 1000000000000000"},
		{"one more than may be", "CASH 99999999999999", "buy 1000000000000001 NVDA", "0.01", "2025-10-02",
			"invalid_argument: Amount must be at most 1000000000000000. You tried to buy 1000000000000001 shares. map[amount:1000000000000001 minimum:1 symbol:NVDA]"},
		{"an action of another kind", "CASH 10", "no_trade 1 NVDA", "10", "2025-10-02",
			`invalid_argument: Unknown action "no_trade". Use buy or sell. map[amount:1 minimum:1 symbol:NVDA]`},
		{"shares that are called as the money is", "CASH 1000", "sell 10 CASH", "50", "2025-10-02",
			"invalid_argument: CASH is the name of the account's money and cannot be traded. map[amount:10 minimum:1 symbol:CASH]"},
		{"the amount is judged before the date", "CASH 10", "buy 0 NVDA", "10", "2025-10-01",
			"invalid_argument: Amount must be positive. You tried to buy 0 shares. map[amount:0 minimum:1 symbol:NVDA]"},
		{"the date is judged before the cash", "CASH 0", "buy 1 NVDA", "10", "2025-10-01",
			"date_backwards: TODAY_DATE is 2025-10-01, but the newest record of this account is dated 2025-10-02. Set TODAY_DATE to that date or a later one. " +
				"map[date:2025-10-01 newest_record:2025-10-02]"},
		{"a price too fine for the ledger to be read again", "CASH 1", "buy 1 NVDA", "0.0000000000000000000000000000000001", "2025-10-02",
			"invalid_argument: The order cannot be kept in the ledger: 0.0000000000000000000000000000000001 is too large or too fine a number. map[amount:1 symbol:NVDA]"},
		{"proceeds too large for the ledger to be read again", "CASH 0, NVDA 1000000", "sell 1000000 NVDA", "1" + strings.Repeat("0", 60), "2025-10-02",
			"invalid_argument: The order cannot be kept in the ledger: a number of 67 characters is too long. map[amount:1000000 symbol:NVDA]"},
		{"a symbol like another one but for case", "CASH 1000, Nvda 0", "buy 1 NVDA", "1", "2025-10-02",
			"invalid_argument: The order cannot be kept in the ledger: it names Nvda, which differs from NVDA only in case. map[amount:1 symbol:NVDA]"},
		{"a symbol like the name of money", "CASH 1000", "buy 1 Cash", "1", "2025-10-02",
			"invalid_argument: Cash is the name of the account's money and cannot be traded. map[amount:1 minimum:1 symbol:Cash]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := Book{Date: "2025-10-02", ID: 7, Positions: positions(c.before), Hash: "abc"}
			o := order(c.order)
			o.ID, o.Note = "o-1", "why"
			rec, err := Apply(before, o, market.Quote{At: c.at, Price: dec(c.price)}, whole)
			if got := outcome(rec, err); got != c.want {
				t.Errorf("\ngot  %s\nwant %s", got, c.want)
			}
			if spell(before.Positions) != c.before {
				t.Errorf("the book before it became %s", spell(before.Positions))
			}
			if err != nil {
				return
			}
			if rec.ID != 8 || rec.Date != c.at || rec.Prev != "abc" || rec.OrderID != "o-1" || rec.Note != "why" ||
				rec.Action != o.Action || rec.Symbol != o.Symbol || !rec.Amount.Equal(o.Amount) || !rec.Price.Decimal.Equal(dec(c.price)) {
				t.Errorf("the record is %+v", rec)
			}
		})
	}
}

// outcome spells the positions of a record, or the refusal.
func outcome(rec Record, err error) string {
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return fmt.Sprintf("%s: %s %v", refusal.code, refusal, refusal.details)
	}
	if err != nil {
		return err.Error()
	}
	return spell(rec.Positions)
}

func TestRules_Admit(t *testing.T) {
	for symbol, want := range map[string]string{
		"NVDA":      "admitted",
		"600519.SH": `invalid_argument: 600519.SH belongs to the market "cn", which cannot be traded here. Trade US shares. map[market:cn symbol:600519.SH]`,
		"BTC-USDT":  `invalid_argument: BTC-USDT belongs to the market "crypto", which cannot be traded here. Trade US shares. map[market:crypto symbol:BTC-USDT]`,
	} {
		err := DefaultRules().Admit(symbol, market.Of(symbol))
		got := "admitted"
		if err != nil {
			got = outcome(Record{}, err)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", symbol, got, want)
		}
	}
}

// No number of shares is what money bounds that is free, and no ledger in debt may bring the program down.
func TestApply_AmountBeyondAnyCash(t *testing.T) {
	for _, r := range []Rules{DefaultRules(), RulesOf(market.CN.Get())} {
		debt := Book{Date: "2025-10-08", Positions: positions("CASH -1")}
		_, err := Apply(debt, order("buy 100 NVDA"), market.Quote{At: "2025-10-09", Price: decimal.Zero}, r)
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Code() != code.InsufficientCash {
			t.Fatal(err)
		}
		if most, ok := refusal.Details()["max_amount"]; ok {
			t.Errorf("max_amount is %v", most)
		}
	}
}

// The model counts in fractions and knows nothing of decimals, so an error of rounding cannot be on both sides.
func TestApply_AnyOrdersExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		symbols := []string{"A", "B", "C"}
		before := Book{Date: "2025-10-05", ID: rapid.Int64Range(0, 1e6).Draw(t, "id"), Positions: Positions{{Cash, drawMoney(t, 10_000)}}}
		cash, held := before.Cash().Rat(), map[string]*big.Rat{}
		for _, s := range symbols {
			held[s] = new(big.Rat)
			if n := rapid.Int64Range(-1, 30).Draw(t, "held"); n >= 0 {
				held[s].SetInt64(n)
				before.Positions = before.Positions.with(Position{s, decimal.NewFromInt(n)})
			}
		}
		for range rapid.IntRange(1, 30).Draw(t, "orders") {
			o := Order{Action: rapid.SampledFrom([]Action{Buy, Sell}).Draw(t, "action"), Symbol: rapid.SampledFrom(symbols).Draw(t, "symbol")}
			o.Amount = decimal.New(rapid.Int64Range(-10, 200).Draw(t, "tenths"), -1)
			if rapid.IntRange(0, 3).Draw(t, "whole") > 0 {
				o.Amount = o.Amount.Mul(decimal.NewFromInt(10))
			}
			q := market.Quote{At: market.Stamp(fmt.Sprintf("2025-10-%02d", rapid.IntRange(4, 9).Draw(t, "day"))), Price: drawMoney(t, 300).Add(dec("0.0001"))}

			value := new(big.Rat).Mul(q.Price.Rat(), o.Amount.Rat())
			allowed := o.Amount.Sign() > 0 && o.Amount.Rat().IsInt() && q.At >= before.Date
			if o.Action == Buy {
				allowed = allowed && cash.Cmp(value) >= 0
			} else {
				allowed = allowed && held[o.Symbol].Cmp(o.Amount.Rat()) >= 0
			}
			rec, err := Apply(before, o, q, whole)
			if (err == nil) != allowed {
				t.Fatalf("%s %s %s at %s on %s with %s: %v", o.Action, o.Amount, o.Symbol, q.Price, q.At, spell(before.Positions), err)
			}
			if err != nil {
				continue
			}
			sign := big.NewRat(1, 1)
			if o.Action == Sell {
				sign.SetInt64(-1)
			}
			cash.Sub(cash, value.Mul(value, sign))
			held[o.Symbol].Add(held[o.Symbol], new(big.Rat).Mul(o.Amount.Rat(), sign))
			if rec.ID != before.ID+1 || rec.Date < before.Date || rec.Cash().Rat().Cmp(cash) != 0 || cash.Sign() < 0 {
				t.Fatalf("after %s: %s, want cash of %s", rec.Line(), spell(rec.Positions), cash.FloatString(6))
			}
			for _, s := range symbols {
				if rec.Positions.Amount(s).Rat().Cmp(held[s]) != 0 || held[s].Sign() < 0 {
					t.Fatalf("after %s: want %s of %s", rec.Line(), held[s].FloatString(2), s)
				}
			}
			before = rec.book(rec.Line())
		}
	})
}

func drawMoney(t *rapid.T, most int64) decimal.Decimal {
	places := rapid.Int32Range(0, 6).Draw(t, "places")
	return decimal.New(rapid.Int64Range(0, most*decimal.New(1, places).IntPart()).Draw(t, "money"), -places)
}

// Holdings are what is held by symbol.
func TestPositions_Holdings(t *testing.T) {
	p := positions("NVDA 2, AAPL 0, CASH 5, AMD 1.5, MSFT 3")
	if got := spell(p.Holdings()); got != "AMD 1.5, MSFT 3, NVDA 2" {
		t.Error(got)
	}
	if got := positions("CASH 5, NVDA 0").Holdings(); len(got) != 0 {
		t.Error(got)
	}
}
