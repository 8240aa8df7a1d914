// The deciders that are strategies without a model.

package decide

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"mcp-trade/agent"
	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// equalWeight holds every symbol in equal parts.
func equalWeight(ctx context.Context, d *agent.Day) error {
	due, err := monthBegins(ctx, d)
	if err != nil || !due {
		return err
	}
	open, err := opens(d)
	if err != nil {
		return err
	}
	return rebalance(ctx, d, open, open)
}

// monthBegins tells whether the day is the first of a month, or of the run, on which the account can trade. Of the hours before the
// exchange opens there may be several.
func monthBegins(ctx context.Context, d *agent.Day) (bool, error) {
	month := func(at market.Stamp) market.Stamp { return at.Day()[:7] }
	switch {
	case d.Rules.Closed(d.Date) != nil:
		return false, nil
	case d.Number == 0 || month(d.Date) != month(d.Book.Date):
		return true, nil
	case d.Rules.Closed(d.Book.Date) == nil:
		return false, nil
	}
	newest, err := d.Trades(ctx, 1)
	return len(newest) == 0 || month(newest[0].Date) != month(d.Date), err
}

// momentum holds the symbols that gained most.
func momentum(n int) agent.DeciderFunc {
	return func(ctx context.Context, d *agent.Day) error {
		const every, bars = 5, 20
		due := d.Number%every == 0 || d.Rules.Closed(d.Book.Date) != nil // it may have been due before the exchange opened
		if !due || d.Rules.Closed(d.Date) != nil {
			return nil
		}
		open, err := opens(d)
		if err != nil {
			return err
		}
		gains := map[string]decimal.Decimal{}
		for _, q := range open {
			past, _, err := d.Market.Bars(q.Symbol, "", "", bars+1)
			if err != nil {
				return err
			}
			if len(past) > bars && past[0].Open.Valid {
				gains[q.Symbol] = q.Price.DivRound(past[0].Open.Decimal, 8)
			}
		}
		best := slices.DeleteFunc(slices.Clone(open), func(q market.Quote) bool { _, known := gains[q.Symbol]; return !known })
		slices.SortStableFunc(best, func(a, b market.Quote) int { return gains[b.Symbol].Cmp(gains[a.Symbol]) })
		if len(best) == 0 {
			return nil // too early to tell
		}
		return rebalance(ctx, d, best[:min(n, len(best))], open)
	}
}

// random trades at random, a few orders a day.
func random(seed uint64) agent.DeciderFunc {
	return func(ctx context.Context, d *agent.Day) error {
		open, err := opens(d)
		if err != nil || len(open) == 0 || d.Rules.Closed(d.Date) != nil {
			return err
		}
		h := fnv.New64a()
		h.Write([]byte(d.Date))
		dice := rand.New(rand.NewPCG(seed, h.Sum64()))
		s := sizer{d: d, book: d.Book}
		for range dice.IntN(4) {
			q := open[dice.IntN(len(open))]
			action, amount := ledger.Buy, smallest(d.Rules, q).Mul(decimal.NewFromInt(int64(1+dice.IntN(20))))
			if held := d.Book.Positions.Amount(q.Symbol); held.IsPositive() && dice.IntN(2) == 0 {
				action, amount = ledger.Sell, decimal.Min(held, amount)
			}
			if err := s.whole(ctx, action, q, amount); err != nil {
				return err
			}
		}
		return nil
	}
}

// smallest is the least order; where that is a small part of a share or coin, what 10 units of money buy.
func smallest(r ledger.Rules, q market.Quote) decimal.Decimal {
	least := r.Least(q)
	if !least.LessThan(decimal.NewFromInt(1)) {
		return least
	}
	if ten, bounded := r.Affordable(decimal.NewFromInt(10), q); bounded && ten.GreaterThan(least) {
		return ten
	}
	return least
}

// opens lists the symbols of the account's market that open on the day, by name.
func opens(d *agent.Day) ([]market.Quote, error) {
	symbols, err := d.Market.Symbols()
	if err != nil {
		return nil, err
	}
	var quotes []market.Quote
	for _, symbol := range symbols {
		if q, err := d.Rules.Quote(d.Market, symbol); err == nil {
			quotes = append(quotes, q)
		}
	}
	return quotes, nil
}

// partDecimals are the digits of a part of an account. No price is so fine that fewer shares could be bought for the missing ones.
const partDecimals = 20

// rebalance makes the account hold the symbols wanted, in equal parts of what it is worth at the opens, and nothing else
// that can be sold today. It sells before it buys, so that the proceeds can be spent. What it could not trade is told.
func rebalance(ctx context.Context, d *agent.Day, wanted, open []market.Quote) error {
	s := sizer{d: d, book: d.Book}
	worth := s.book.Cash()
	for _, q := range open {
		worth = worth.Add(q.Price.Mul(s.book.Positions.Amount(q.Symbol)))
	}
	target := map[string]decimal.Decimal{}
	var part decimal.Decimal
	if n := int64(len(wanted)); n > 0 {
		part, _ = worth.QuoRem(decimal.NewFromInt(n), partDecimals)
	}
	for _, q := range wanted {
		target[q.Symbol], _ = d.Rules.Affordable(part, q)
	}
	for _, action := range []ledger.Action{ledger.Sell, ledger.Buy} {
		for _, q := range open {
			change := target[q.Symbol].Sub(d.Book.Positions.Amount(q.Symbol))
			if action == ledger.Sell {
				change = change.Neg()
			}
			if !change.IsPositive() {
				continue
			}
			if err := s.most(ctx, action, q, change); err != nil {
				return err
			}
		}
	}
	d.Caveat(join(unbought(d.Rules, wanted, worth, s.book), s.untraded()))
	return nil
}
