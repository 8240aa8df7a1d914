package ledger_test

// What holds of any orders that wait, in any market: of what became of them each row is judged by hand, in fractions.

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// Whatever is ordered, filled, cancelled or left to wait: cash, holdings and fees are exact; what one order keeps no other spends; an
// order fills only in a bar that proves it, at the price that it proves; T+1 holds; each ledger verifies. In one store each moment is
// settled, in the other nothing is before the end, and both hold the same bytes.
func TestAccounts_AnyOpenOrders(t *testing.T) {
	testenv.Slow(t)
	drawFew(t, 25)
	files, inRedis := stores(t)
	dir := t.TempDir()
	var accounts atomic.Int64
	for _, w := range worlds {
		t.Run(w.name, func(t *testing.T) {
			seen := map[string]int{}
			rapid.Check(t, func(t *rapid.T) {
				d := w.draw(t)
				d.mayWait(t)
				r := openAny(t, d, dir, fmt.Sprint("open", accounts.Add(1)), files, inRedis)
				defer r.prices.Close()
				for _, moment := range r.moments() {
					r.settle(t, r.kept[0], moment)
					for range rapid.IntRange(0, 4).Draw(t, "orders") {
						r.giveAny(t, moment)
					}
				}
				for _, a := range r.kept {
					r.settle(t, a, "2025-12-31")
				}
				r.verified(t)
				r.judged(t, seen)
			})
			t.Log(seen)
		})
	}
}

// mayWait draws how orders wait.
func (d *drawn) mayWait(t *rapid.T) {
	r := random(t, "how orders wait")
	with := func(key, value string) {
		var err error
		if d.rules, err = d.rules.With(key, `"`+value+`"`); err != nil {
			t.Fatal(err)
		}
		d.terms[key] = value
	}
	if d.terms["fill"] == "" && r.IntN(3) == 0 {
		with("fill", "next-open")
	}
	if r.IntN(4) == 0 {
		with("volume_cap", "10%")
	}
}

func (r *anyRun) settle(t *rapid.T, a *ledger.Accounts, moment string) {
	if _, err := a.Settle(t.Context(), r.account, r.prices.AsOf(market.Stamp(moment))); err != nil {
		t.Fatal(err)
	}
}

// giveAny gives an order of any type to both stores, or cancels one.
func (r *anyRun) giveAny(t *rapid.T, moment string) {
	random := random(t, fmt.Sprint("order ", r.numbered))
	book, err := r.kept[0].Head(t.Context(), r.account)
	if err != nil {
		t.Fatal(err)
	}
	r.cash = ratOf(book.Cash())
	for _, symbol := range r.symbols {
		r.held[symbol] = ratOf(book.Positions.Amount(symbol))
	}
	if len(book.Orders) > 0 && random.IntN(5) == 0 {
		id := book.Orders[random.IntN(len(book.Orders))].ID + int64(random.IntN(8)/7)
		r.both(t, moment, func(a *ledger.Accounts, v market.View) (ledger.Fill, error) {
			return a.Cancel(t.Context(), r.account, id, "", v)
		})
		return
	}
	o := r.drawOrder(random)
	if last := r.lastOpen(o.Symbol, moment); last != nil {
		price := decimal.RequireFromString(mul(last, big.NewRat(95+random.Int64N(11), 100)).FloatString(2))
		switch o.Until = oneOf(random, ledger.Day, ledger.GTC, ""); random.IntN(8) {
		case 0, 1, 2:
			o.Type, o.Limit = ledger.LimitOrder, price
		case 3, 4:
			o.Type, o.Stop = ledger.StopOrder, price
		case 5:
			o.Type, o.Limit = ledger.LimitOrder, oneOf(random, decimal.Zero, price.Mul(decimal.NewFromInt(20)), price.Neg())
		}
	}
	r.both(t, moment, func(a *ledger.Accounts, v market.View) (ledger.Fill, error) {
		return a.Submit(t.Context(), r.account, o, v)
	})
}

// both does the same to both stores, which must answer the same.
func (r *anyRun) both(t *rapid.T, moment string, do func(*ledger.Accounts, market.View) (ledger.Fill, error)) {
	var first string
	for i, a := range r.kept {
		fill, err := do(a, r.prices.AsOf(market.Stamp(moment)))
		if _, coded := err.(code.Error); err != nil && !coded {
			t.Fatal(err)
		}
		answer := fmt.Sprint(err)
		if err == nil {
			answer = string(fill.Line())
		}
		if i == 0 {
			first = answer
		}
		if answer != first {
			t.Fatalf("at %s the account that is settled says\n%s\nand the other one\n%s", moment, first, answer)
		}
	}
}

// lastOpen is a price near that of a moment, nil if there was none before it.
func (d *drawn) lastOpen(symbol, moment string) *big.Rat {
	for _, at := range slices.Backward(d.moments()) {
		if b, ok := d.barAt(symbol, at); ok && at <= moment {
			return b.open
		}
	}
	return nil
}

// ends is when a bar is over that begins at a moment, as a ledger states it.
func (d *drawn) ends(moment string) string {
	if d.hours == nil {
		return string(market.Stamp(moment).AddDays(1))
	}
	hour := 0
	fmt.Sscanf(moment[11:], "%d", &hour)
	return fmt.Sprintf("%s %02d%s", moment[:10], hour+1, moment[13:])
}

// judged judges each row of the ledger.
func (r *anyRun) judged(t *rapid.T, seen map[string]int) {
	j := &judge{model: r.drawn.account(ratOf(r.opened.Cash())), open: map[int64]ledger.OpenOrder{}, seen: seen}
	for line, err := range r.stores[0].Lines(t.Context(), r.account) {
		if err != nil {
			t.Fatal(err)
		}
		rec, err := ledger.ParseLine(line)
		if err != nil {
			t.Fatal(err)
		}
		j.what = fmt.Sprintf("%s\nunder %v, costs %s, slippage %s", line, r.terms, r.costs, r.slip)
		if rec.ID > 0 {
			j.row(t, rec)
		}
	}
}

// judge is an account by hand, with the orders that wait.
type judge struct {
	*model
	open map[int64]ledger.OpenOrder
	seen map[string]int
	what string
}

// row books a row and holds it against what the bars prove.
func (j *judge) row(t *rapid.T, rec ledger.Record) {
	happened := string(rec.On())
	if j.day != happened[:10] {
		j.day, j.bought = happened[:10], map[string]*big.Rat{}
	}
	j.seen[strings.Join([]string{string(rec.Action), string(rec.Type), map[bool]string{true: "that waited"}[rec.Of != 0]}, " ")]++
	switch rec.Action {
	case ledger.Place:
		j.open[rec.ID] = ledger.OpenOrder{ID: rec.ID, Action: rec.Side, Symbol: rec.Symbol, Amount: rec.Amount, Terms: rec.Terms, Placed: rec.Date}
	case ledger.Cancel, ledger.Expire:
		if _, is := j.open[rec.Of]; !is {
			t.Fatalf("%s\nends an order that does not wait", j.what)
		}
		delete(j.open, rec.Of)
	case ledger.Buy, ledger.Sell:
		j.fill(t, rec, happened)
	}
	j.balances(t, rec)
	j.reserves(t, rec)
}

// fill judges a fill: its bar, its price, and what it makes of the account.
func (j *judge) fill(t *rapid.T, rec ledger.Record, happened string) {
	terms, amount := rec.Terms, ratOf(rec.Amount)
	b, ok := j.barAt(rec.Symbol, happened)
	if !ok {
		t.Fatalf("%s\nfills in no bar", j.what)
	}
	if rec.Of != 0 {
		o, is := j.open[rec.Of]
		if left := o.Amount.Sub(rec.Amount); !is || left.IsNegative() || o.Action != rec.Action || o.Symbol != rec.Symbol || happened < string(o.Placed) {
			t.Fatalf("%s\nfills %+v", j.what, o)
		} else if o.Amount = left; left.IsZero() {
			delete(j.open, rec.Of)
		} else {
			j.open[rec.Of] = o
		}
		terms = o.Terms
		if o.Until == ledger.Day && j.terms["fill"] != "next-open" && happened[:10] != string(o.Placed.Day()) {
			t.Fatalf("%s\nfills after its day", j.what)
		}
		if j.terms["fill"] == "next-open" && happened <= string(o.Placed) {
			t.Fatalf("%s\nfills in the bar of its placing", j.what)
		}
	}
	price := j.proved(t, rec, terms, b, happened)
	if ratOf(rec.Price.Decimal).Cmp(price) != 0 {
		t.Fatalf("%s\nfills at %s, and the bar proves %s", j.what, rec.Price.Decimal, price.FloatString(6))
	}
	made := trade{price: price}
	made.fees, made.inKind = j.fees(rec.Action, rec.Symbol, happened[:10], price, amount)
	paid := sub(made.fees, mul(made.inKind, price))
	if rec.Action == ledger.Buy {
		made.cash, made.held = j.keptCash(sub(sub(j.cash, mul(price, amount)), paid)), j.kept(sub(add(j.held[rec.Symbol], amount), made.inKind))
	} else {
		if can := sub(j.held[rec.Symbol], j.boughtToday(rec.Symbol)); amount.Cmp(can) > 0 {
			t.Fatalf("%s\nsells more than the %s that can be sold on the day", j.what, can.FloatString(8))
		}
		made.cash, made.held = j.keptCash(sub(add(j.cash, mul(price, amount)), paid)), j.kept(sub(j.held[rec.Symbol], amount))
	}
	if j.closed(happened) || rec.Of == 0 && !j.inLots(rec.Action, rec.Symbol, amount, happened, terms) || ratOf(rec.Fees).Cmp(made.fees) != 0 || ratOf(rec.InKind).Cmp(made.inKind) != 0 {
		t.Fatalf("%s\nis filled while the exchange is closed, in no lots, or for other fees than %s", j.what, made.fees.FloatString(8))
	}
	j.book(rec.Action, rec.Symbol, amount, made)
}

// proved is the price that a bar proves for an order of such terms.
func (j *judge) proved(t *rapid.T, rec ledger.Record, terms ledger.Terms, b bar, happened string) *big.Rat {
	buys, atOpen := rec.Action == ledger.Buy, rec.At == ""
	if !atOpen && (string(rec.Date) != j.ends(happened) || b.volume == 0 || terms.Type == ledger.MarketOrder || terms.Type == "") {
		t.Fatalf("%s\nfills inside of a bar that proves nothing, or before it is over", j.what)
	}
	if before := j.closeBefore(rec.Symbol, happened[:10]); j.id == market.CN && j.terms["price_limits"] != "off" && before != nil {
		down, up := limitsOf(rec.Symbol, before)
		if at := ratOf(rec.Price.Decimal); j.slip == "none" && (buys && at.Cmp(up) >= 0 || !buys && at.Cmp(down) <= 0) {
			t.Fatalf("%s\nfills at the limit of the day", j.what)
		}
	}
	beyond := func(price, than *big.Rat) bool { return buys && price.Cmp(than) > 0 || !buys && price.Cmp(than) < 0 } // to the worse side
	switch limit, stop := ratOf(terms.Limit), ratOf(terms.Stop); {
	case terms.Type == ledger.LimitOrder && atOpen:
		if beyond(b.open, limit) {
			t.Fatalf("%s\nopens beyond its limit", j.what)
		}
		if price := j.slipped(rec.Action, b.open); rec.Of == 0 && beyond(limit, price) { // as a market order
			return price
		} else if rec.Of == 0 {
			return limit
		}
		return b.open
	case terms.Type == ledger.LimitOrder:
		if buys && b.low.Cmp(limit) >= 0 || !buys && b.high.Cmp(limit) <= 0 {
			t.Fatalf("%s\nfills in a bar that did not go through its limit", j.what)
		}
		return limit
	case terms.Type == ledger.StopOrder && atOpen:
		if beyond(stop, b.open) {
			t.Fatalf("%s\nopens before its stop", j.what)
		}
	case terms.Type == ledger.StopOrder:
		if buys && b.high.Cmp(stop) < 0 || !buys && b.low.Cmp(stop) > 0 {
			t.Fatalf("%s\nfills in a bar that did not touch its stop", j.what)
		}
		if beyond(stop, b.open) {
			return j.slipped(rec.Action, stop)
		}
	}
	return j.slipped(rec.Action, b.open)
}

// balances compares the book of a row.
func (j *judge) balances(t *rapid.T, rec ledger.Record) {
	if ratOf(rec.Cash()).Cmp(j.cash) != 0 || j.cash.Sign() < 0 {
		t.Fatalf("%s\nleaves %s, want %s", j.what, rec.Cash(), j.cash.FloatString(10))
	}
	for _, symbol := range j.symbols {
		if ratOf(rec.Positions.Amount(symbol)).Cmp(j.held[symbol]) != 0 || j.held[symbol].Sign() < 0 {
			t.Fatalf("%s\nholds %s of %s, want %s", j.what, rec.Positions.Amount(symbol), symbol, j.held[symbol].FloatString(8))
		}
		if ratOf(rec.Bought.Amount(symbol)).Cmp(j.boughtToday(symbol)) != 0 {
			t.Fatalf("%s\nwas to have bought %s of %s on the day", j.what, j.boughtToday(symbol).FloatString(8), symbol)
		}
	}
}

// reserves holds the orders that wait in a row against those that do, and what they keep against what there is.
func (j *judge) reserves(t *rapid.T, rec ledger.Record) {
	money, shares := new(big.Rat), map[string]*big.Rat{}
	if len(rec.Orders) != len(j.open) {
		t.Fatalf("%s\nhas other orders that wait than %v", j.what, j.open)
	}
	for _, o := range rec.Orders {
		if mine, is := j.open[o.ID]; !is || !mine.Amount.Equal(o.Amount) {
			t.Fatalf("%s\nhas %+v, want %+v", j.what, o, mine)
		}
		if o.Action == ledger.Buy {
			if o.Last == "" {
				j.reservation(t, o)
			} else if o.Type == ledger.LimitOrder && !o.Reserved.IsPositive() { // parts at a rising market may have cost all that an order keeps
				t.Fatalf("%s\nkeeps nothing for %+v", j.what, o)
			}
			money.Add(money, ratOf(o.Reserved))
			continue
		}
		if shares[o.Symbol] == nil {
			shares[o.Symbol] = new(big.Rat)
		}
		shares[o.Symbol].Add(shares[o.Symbol], ratOf(o.Amount))
	}
	if money.Cmp(j.cash) > 0 {
		t.Fatalf("%s\nkeeps %s of a cash of %s", j.what, money.FloatString(8), j.cash.FloatString(8))
	}
	for symbol, kept := range shares {
		if kept.Cmp(j.held[symbol]) > 0 {
			t.Fatalf("%s\nkeeps %s of %s, and has %s", j.what, kept.FloatString(8), symbol, j.held[symbol].FloatString(8))
		}
	}
}

// reservation holds what an order keeps that was not filled yet against its price and its fees.
func (j *judge) reservation(t *rapid.T, o ledger.OpenOrder) {
	if !o.Reserved.IsPositive() {
		t.Fatalf("%s\nkeeps nothing for %+v", j.what, o)
	}
	if o.Type == ledger.MarketOrder { // whose price was the last that was known
		return
	}
	price, amount := ratOf(o.Limit), ratOf(o.Amount)
	if o.Type == ledger.StopOrder {
		price = j.slipped(o.Action, ratOf(o.Stop))
	}
	fees, inKind := j.fees(o.Action, o.Symbol, string(o.Placed.Day()), price, amount)
	least := sub(add(mul(price, amount), fees), mul(inKind, price))
	if kept := ratOf(o.Reserved); kept.Cmp(least) < 0 || kept.Cmp(add(least, big.NewRat(1, 100))) >= 0 {
		t.Fatalf("%s\nkeeps %s for %+v, which takes %s", j.what, o.Reserved, o, least.FloatString(10))
	}
}
