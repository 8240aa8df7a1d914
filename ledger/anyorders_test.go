package ledger_test

// What holds of any orders in any market: the properties of accounts.

import (
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/redisstore"
)

// Whatever is ordered, an account does what a second account does that is kept by hand: it refuses what the rules are against, and
// for one of their reasons; money, fees and holdings are exact; the way out that a refusal names can be traded, and no step more; a
// round trip gains nothing; an order that is repeated is not traded twice; each ledger verifies; and both stores hold the same bytes.
func TestAccounts_AnyOrders(t *testing.T) {
	testenv.Slow(t)
	drawFew(t, 25)
	files, inRedis := stores(t)
	dir := t.TempDir()
	var accounts atomic.Int64
	for _, w := range worlds {
		t.Run(w.name, func(t *testing.T) {
			filled, refused := 0, map[code.Code]int{}
			rapid.Check(t, func(t *rapid.T) {
				r := openAny(t, w.draw(t), dir, fmt.Sprint("a", accounts.Add(1)), files, inRedis)
				defer r.prices.Close()
				for _, moment := range r.moments() {
					r.on(moment)
					for range rapid.IntRange(0, 5).Draw(t, "orders") {
						if c := r.give(t, moment); c == "" {
							filled++
						} else {
							refused[c]++
						}
					}
				}
				r.verified(t)
			})
			t.Logf("%d orders were filled; refused: %v", filled, refused)
		})
	}
}

// stores are one of each kind.
func stores(t *testing.T) (files, inRedis store.Ledgers) {
	f := filestore.New(t.TempDir(), t.TempDir())
	o, err := redisstore.Options("redis://" + testenv.StartRedis(t))
	if err != nil {
		t.Fatal(err)
	}
	var tokens atomic.Int64
	r := redisstore.New(redisstore.Config{Options: o, Warn: func(w string) { t.Log(w) }, NewToken: func() string { return fmt.Sprint("token-", tokens.Add(1)) }})
	t.Cleanup(func() { _, _ = f.Close(), r.Close() })
	return f, r
}

// anyRun is an account in both stores, and the one that is kept by hand.
type anyRun struct {
	*model
	account  string
	prices   *market.Prices
	stores   []store.Ledgers
	kept     []*ledger.Accounts
	opened   ledger.Record
	sent     []ledger.Order // that were filled and have an id
	at       []string       // when
	most     ledger.Order   // of the most that a refusal named, which is given next; the zero value: none
	numbered int            // orders so far
}

func openAny(t *rapid.T, d *drawn, dir, account string, stores ...store.Ledgers) *anyRun {
	random := random(t, "cash")
	cash := decimal.New(random.Int64N(oneOf[int64](random, 2000, 2_000_000, 200_000_000, 20_000_000_000)), -2)
	r := &anyRun{model: d.account(ratOf(cash)), account: account, prices: d.open(t, dir), stores: stores}
	r.opened = d.rules.Opening(cash, market.Stamp(d.days[0]))
	for _, s := range stores {
		a := ledger.NewAccounts(s)
		if err := a.Open(t.Context(), account, r.opened); err != nil {
			t.Fatal(err)
		}
		r.kept = append(r.kept, a)
	}
	return r
}

// give gives an order, and holds what became of it against the account that is kept by hand. It returns the code of a refusal.
func (r *anyRun) give(t *rapid.T, moment string) code.Code {
	random := random(t, fmt.Sprint("order ", r.numbered))
	if len(r.sent) > 0 && random.IntN(8) == 0 {
		return r.repeat(t, random.IntN(len(r.sent)), moment)
	}
	o := r.drawOrder(random)
	amount := ratOf(o.Amount)
	made, against := r.judge(o.Action, o.Symbol, amount, moment)
	fill, err := r.submit(t, o, moment)
	what := fmt.Sprintf("%s %s %s at %s with %s and %v, bought today %v, under %v, costs %s, slippage %s",
		o.Action, o.Amount, o.Symbol, moment, r.cash.FloatString(10), r.held, r.bought, r.terms, r.costs, r.slip)
	if err != nil {
		coded, ok := errors.AsType[code.Error](err)
		if !ok || !against[coded.Code()] {
			t.Fatalf("%s: %v, but against it is %v", what, err, against)
		}
		r.wayOut(t, o, moment, coded, what)
		return coded.Code()
	}
	if len(against) > 0 {
		t.Fatalf("%s was filled, but against it is %v", what, against)
	}
	before := r.cash
	r.book(o.Action, o.Symbol, amount, made)
	r.compare(t, fill.Record, o, made, what)
	if o.ID != "" {
		r.sent, r.at = append(r.sent, o), append(r.at, moment)
	}
	if o.Action == ledger.Buy {
		r.roundTrip(t, fill.Record, before, what)
	}
	return ""
}

// repeat gives an order that was filled once more.
func (r *anyRun) repeat(t *rapid.T, i int, moment string) code.Code {
	fill, err := r.submit(t, r.sent[i], moment)
	if r.at[i] == moment && (err != nil || !fill.Replayed) {
		t.Fatalf("%+v, repeated: %+v, %v", r.sent[i], fill, err)
	}
	if r.at[i] != moment {
		if coded, ok := errors.AsType[code.Error](err); !ok || coded.Code() != code.OrderIDReused {
			t.Fatalf("%+v of %s, repeated at %s: %+v, %v", r.sent[i], r.at[i], moment, fill, err)
		}
	}
	return code.OrderIDReused
}

// drawOrder draws an order near what can be traded, or the most that a refusal named.
func (r *anyRun) drawOrder(random *rand.Rand) ledger.Order {
	if most := r.most; most.Amount.IsPositive() {
		r.most = ledger.Order{}
		return most
	}
	o := ledger.Order{Action: oneOf(random, ledger.Buy, ledger.Buy, ledger.Sell), Symbol: oneOf(random, r.symbols...)}
	if r.numbered++; random.IntN(2) == 0 {
		o.ID = fmt.Sprint("o-", r.numbered)
	}
	units, hundred := decimal.NewFromInt(1+random.Int64N(oneOf[int64](random, 3, 30, 1000, 60_000))), decimal.NewFromInt(100)
	held := decimal.RequireFromString(r.held[o.Symbol].FloatString(10))
	can := decimal.RequireFromString(sub(r.held[o.Symbol], r.boughtToday(o.Symbol)).FloatString(10))
	choices := []decimal.Decimal{units, units.Mul(hundred)}
	switch {
	case random.IntN(12) == 0:
		choices = []decimal.Decimal{units.Neg(), decimal.Zero, units.Shift(14), units.Shift(-9), units.Shift(-1), decimal.NewFromInt(50_001), decimal.NewFromInt(1_000_100)}
	case o.Action == ledger.Sell && random.IntN(4) > 0:
		choices = []decimal.Decimal{held, can, can.Sub(hundred), can.Mod(hundred), held.Add(decimal.NewFromInt(1)), can.RoundDown(5), can.RoundDown(1)}
	case r.id == market.CN:
		choices = []decimal.Decimal{units, hundred, hundred.Mul(decimal.NewFromInt(random.Int64N(20)))}
	case r.inParts():
		choices = append(choices, units.Shift(-int32(random.IntN(7))), units.Shift(-1), units.Shift(-5))
	}
	o.Amount = oneOf(random, choices...)
	return o
}

// submit gives an order to both stores.
func (r *anyRun) submit(t *rapid.T, o ledger.Order, moment string) (ledger.Fill, error) {
	fill, err := r.kept[0].Submit(t.Context(), r.account, o, r.prices.AsOf(market.Stamp(moment)))
	for _, a := range r.kept[1:] {
		other, otherErr := a.Submit(t.Context(), r.account, o, r.prices.AsOf(market.Stamp(moment)))
		if fmt.Sprint(err) != fmt.Sprint(otherErr) || string(fill.Line()) != string(other.Line()) {
			t.Fatalf("%+v: one store says %s, %v; the other %s, %v", o, fill.Line(), err, other.Line(), otherErr)
		}
	}
	return fill, err
}

// wayOut tries what a refusal names: the most that can be traded, and the lots near the amount.
func (r *anyRun) wayOut(t *rapid.T, o ledger.Order, moment string, refused code.Error, what string) {
	if most, ok := refused.Details()["max_amount"].(decimal.Decimal); ok {
		_, against := r.judge(o.Action, o.Symbol, ratOf(most), moment)
		if most.IsPositive() && len(against) > 0 {
			t.Fatalf("%s: %v names a most of %s, but against it is %v", what, refused, most, against)
		}
		more := r.stepAbove(o.Symbol, ratOf(most), moment)
		if least := new(big.Rat); o.Action == ledger.Buy && most.IsZero() && r.id == market.Crypto && r.terms["rounding"] != "upstream" {
			b, _ := r.barAt(o.Symbol, moment) // the least amount that is worth enough
			least.Quo(rat("5"), mul(b.open, r.step(o.Symbol, moment)))
			more = mul(rounded(least, 0, "up"), r.step(o.Symbol, moment))
		}
		if _, against := r.judge(o.Action, o.Symbol, more, moment); len(against) == 0 {
			t.Fatalf("%s: %v names a most of %s, but %s can be traded", what, refused, most, more.FloatString(8))
		}
		r.most = ledger.Order{Action: o.Action, Symbol: o.Symbol, Amount: most}
	}
	lots, _ := refused.Details()["nearest_lots"].([]decimal.Decimal)
	for _, lot := range lots {
		if !r.inLots(o.Action, o.Symbol, ratOf(lot), moment, o.Terms) {
			t.Fatalf("%s: %v names %s, which are no lots", what, refused, lot)
		}
	}
}

// compare holds a record against the account that is kept by hand.
func (r *anyRun) compare(t *rapid.T, rec ledger.Record, o ledger.Order, made trade, what string) {
	same := func(name string, got decimal.Decimal, want *big.Rat) {
		if ratOf(got).Cmp(want) != 0 {
			t.Fatalf("%s: %s is %s, want %s", what, name, got, want.FloatString(12))
		}
	}
	same("the price", rec.Price.Decimal, made.price)
	same("the fee", rec.Fees, made.fees)
	same("the fee in kind", rec.InKind, made.inKind)
	same("the cash", rec.Cash(), r.cash)
	items := new(big.Rat)
	for _, item := range rec.FeeItems {
		items.Add(items, ratOf(item.Paid))
	}
	same("the sum of the fees", rec.Fees, items)
	for _, symbol := range r.symbols {
		same(symbol, rec.Positions.Amount(symbol), r.held[symbol])
		same(symbol+" bought today", rec.Bought.Amount(symbol), r.boughtToday(symbol))
	}
	if r.cash.Sign() < 0 || r.held[o.Symbol].Sign() < 0 {
		t.Fatalf("%s leaves less than nothing", what)
	}
}

// roundTrip sells what was bought at the same open on the next day, and looks whether that gained anything. AI-Trader's rounding to
// the nearest is its own arithmetic: there a part of a cent can be gained.
func (r *anyRun) roundTrip(t *rapid.T, bought ledger.Record, before *big.Rat, what string) {
	if r.terms["rounding"] == "upstream" {
		return
	}
	book, err := ledger.ParseBook(bought.Line())
	if err != nil {
		t.Fatal(err)
	}
	b, _ := r.barAt(bought.Symbol, string(bought.Date))
	open := decimal.RequireFromString(b.open.FloatString(2))
	q := market.Quote{Symbol: bought.Symbol, Market: r.rules.Market, At: "2025-10-10", Price: open, PreviousClose: decimal.NewNullDecimal(open)}
	if r.hours != nil {
		q.At = "2025-10-10 10:30:00"
	}
	amount := bought.Amount.Sub(bought.InKind)
	if r.id == market.Crypto {
		amount = amount.Sub(amount.Mod(decimal.RequireFromString(r.step(bought.Symbol, string(q.At)).FloatString(8))))
	}
	sold, err := ledger.Apply(book, ledger.Order{Action: ledger.Sell, Symbol: bought.Symbol, Amount: amount}, q, r.rules)
	if err == nil && ratOf(sold.Cash()).Cmp(before) > 0 {
		t.Fatalf("%s: bought and sold again at one price, %s became %s", what, before.FloatString(10), sold.Cash())
	}
}

// verified verifies the ledger with and without prices, and compares the stores.
func (r *anyRun) verified(t *rapid.T) {
	var first []string
	for i, s := range r.stores {
		var lines []string
		for line, err := range s.Lines(t.Context(), r.account) {
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, string(line))
		}
		if i == 0 {
			first = lines
		}
		if !slices.Equal(first, lines) {
			t.Fatalf("one store holds\n%q\nthe other\n%q", first, lines)
		}
		for _, prices := range []*market.Prices{r.prices, nil} {
			report, err := ledger.Verify(s.Lines(t.Context(), r.account), prices)
			if err != nil || len(report.Findings) > 0 || report.Rows != len(lines) {
				t.Fatalf("%v, %v of\n%q", report.Findings, err, lines)
			}
		}
	}
}
