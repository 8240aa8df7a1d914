// The deciders that are strategies without a model.

package decide

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"

	"mcp-trade/agent"
	"mcp-trade/decimal"
	"mcp-trade/internal/format"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// equalWeight holds every symbol in equal parts.
func equalWeight(ctx context.Context, d *agent.Day) error {
	if d.Number > 0 && d.Date.Day()[:7] == d.Book.Date.Day()[:7] {
		return nil
	}
	open, err := opens(d.Market)
	if err != nil {
		return err
	}
	return rebalance(ctx, d, open, open)
}

// momentum holds the symbols that gained most.
func momentum(n int) agent.DeciderFunc {
	return func(ctx context.Context, d *agent.Day) error {
		const every, bars = 5, 20
		if d.Number%every != 0 {
			return nil
		}
		open, err := opens(d.Market)
		if err != nil {
			return err
		}
		gains := map[string]decimal.Decimal{}
		for _, q := range open {
			past, _, err := d.Market.Bars(q.symbol, "", "", bars+1)
			if err != nil {
				return err
			}
			if len(past) > bars && past[0].Open.Valid {
				gains[q.symbol] = q.price.DivRound(past[0].Open.Decimal, 8)
			}
		}
		best := slices.DeleteFunc(slices.Clone(open), func(q quote) bool { _, known := gains[q.symbol]; return !known })
		slices.SortStableFunc(best, func(a, b quote) int { return gains[b.symbol].Cmp(gains[a.symbol]) })
		if len(best) == 0 {
			return nil // too early to tell
		}
		return rebalance(ctx, d, best[:min(n, len(best))], open)
	}
}

// random trades at random, a few orders a day, most of them sensible.
func random(seed uint64) agent.DeciderFunc {
	return func(ctx context.Context, d *agent.Day) error {
		open, err := opens(d.Market)
		if err != nil || len(open) == 0 {
			return err
		}
		h := fnv.New64a()
		h.Write([]byte(d.Date))
		dice := rand.New(rand.NewPCG(seed, h.Sum64()))
		for range dice.IntN(4) {
			q := open[dice.IntN(len(open))]
			action, amount := ledger.Buy, decimal.NewFromInt(int64(1+dice.IntN(20)))
			if held := d.Book.Positions.Amount(q.symbol); held.IsPositive() && dice.IntN(2) == 0 {
				action, amount = ledger.Sell, decimal.Min(held, amount)
			}
			if _, err := d.Order(ctx, action, q.symbol, amount); err != nil {
				return err
			}
		}
		return nil
	}
}

// quote is a symbol and its open of the day.
type quote struct {
	symbol string
	price  decimal.Decimal
}

// opens lists the symbols that open on the view's day, by name.
func opens(v market.View) ([]quote, error) {
	symbols, err := v.Symbols()
	if err != nil {
		return nil, err
	}
	var quotes []quote
	for _, symbol := range symbols {
		if price, err := v.OpenPrice(symbol); err == nil {
			quotes = append(quotes, quote{symbol, price})
		}
	}
	return quotes, nil
}

// partDecimals are the digits of a part of an account. No price is so fine that fewer shares could be bought for the missing ones.
const partDecimals = 20

// rebalance makes the account hold the symbols wanted, in equal parts of what it is worth at the opens, and nothing else
// that can be sold today. It sells before it buys, so that the proceeds can be spent. What it could not buy is told.
func rebalance(ctx context.Context, d *agent.Day, wanted, open []quote) error {
	worth := d.Book.Cash()
	for _, q := range open {
		worth = worth.Add(q.price.Mul(d.Book.Positions.Amount(q.symbol)))
	}
	target := map[string]decimal.Decimal{}
	var part decimal.Decimal
	if n := int64(len(wanted)); n > 0 {
		part, _ = worth.QuoRem(decimal.NewFromInt(n), partDecimals)
	}
	for _, q := range wanted {
		target[q.symbol], _ = d.Rules.Affordable(part, market.Quote{Symbol: q.symbol, At: d.Date, Price: q.price})
	}
	for _, action := range []ledger.Action{ledger.Sell, ledger.Buy} {
		for _, q := range open {
			change := target[q.symbol].Sub(d.Book.Positions.Amount(q.symbol))
			if action == ledger.Sell {
				change = change.Neg()
			}
			if !change.IsPositive() {
				continue
			}
			if _, err := d.Order(ctx, action, q.symbol, change); err != nil {
				return err
			}
		}
	}
	has, err := d.Standing(ctx)
	if err != nil {
		return err
	}
	d.Caveat(unbought(d.Date, wanted, worth, has.Book))
	return nil
}

// unbought says which of the symbols wanted an account worth so much does not hold after rebalancing; "" if it holds all. In whole
// shares a small account is another portfolio than its decider's name says.
func unbought(date market.Stamp, wanted []quote, worth decimal.Decimal, has ledger.Book) string {
	var missing []string
	parts, dearest := decimal.NewFromInt(int64(len(wanted))), decimal.Zero
	for _, q := range wanted {
		if !has.Positions.Amount(q.symbol).IsPositive() {
			missing = append(missing, q.symbol)
		}
		if q.price.GreaterThan(dearest) {
			dearest = q.price
		}
	}
	if len(missing) == 0 {
		return ""
	}
	const named = 3
	list := strings.Join(missing[:min(named, len(missing))], ", ")
	if more := len(missing) - named; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	text := fmt.Sprintf("%d of %d symbols were not bought on %s, in equal parts of %s: %s; %s of %s stayed in cash", len(missing), len(wanted), date,
		format.Money(worth.DivRound(parts, 2)), list, format.Money(has.Cash()), format.Money(worth))
	if enough := dearest.Mul(parts); enough.GreaterThan(worth) {
		text += fmt.Sprintf("; a share of each takes an account of %s", format.Money(enough))
	}
	return text
}
