// Evaluating an order: pure arithmetic over a book, a quote and the rules of a market.

package ledger

import (
	"fmt"
	"strings"

	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/market"
)

// Apply evaluates an order: it returns the record that follows book, or a *[Refusal]. What holds of every record that
// it returns:
//
//	id = book.ID + 1, date >= book.Date, cash >= 0, holdings >= 0
//	buy:  cash = old cash - price*amount, holding = old holding + amount
//	sell: cash = old cash + price*amount, holding = old holding - amount
//
// What the market of the account refuses is in the rules alone, see rule.go. No rules so far ask for fees.
func Apply(book Book, o Order, q market.Quote, r Rules) (Record, error) {
	if err := r.Check(o); err != nil {
		return Record{}, err
	}
	attempt := Attempt{o, book, q, r}
	if err := attempt.refused(beforePrice); err != nil {
		return Record{}, err
	}
	if q.At < book.Date {
		return Record{}, dateBackwards(q.At, book.Date, "the newest record", "newest_record")
	}
	if err := attempt.refused(atPrice); err != nil {
		return Record{}, err
	}
	rec := Record{
		Date: q.At, ID: book.ID + 1, Action: o.Action, Symbol: o.Symbol, Amount: o.Amount,
		Price: decimal.NewNullDecimal(q.Price), OrderID: o.ID, Prev: book.Hash, Note: o.Note,
	}
	value, held := q.Price.Mul(o.Amount), book.Positions.Amount(o.Symbol)
	if o.Action == Buy {
		if value.GreaterThan(book.Cash()) {
			return Record{}, insufficientCash(book, o, q, r, value)
		}
		rec.Positions = book.Positions.with(Position{o.Symbol, held.Add(o.Amount)}, Position{Cash, book.Cash().Sub(value)})
	} else {
		if held.LessThan(o.Amount) {
			return Record{}, insufficientShares(book, o, q, held)
		}
		rec.Positions = book.Positions.with(Position{o.Symbol, held.Sub(o.Amount)}, Position{Cash, book.Cash().Add(value)})
	}
	// A record that cannot be read back would lock the account.
	unkept := func(why string) error {
		return &Refusal{
			code.InvalidArgument, fmt.Sprintf("The order cannot be kept in the ledger: %s.", why), map[string]any{"symbol": o.Symbol, "amount": o.Amount},
		}
	}
	if len(rec.Positions) > len(book.Positions) { // a symbol that was not named before
		for _, p := range book.Positions {
			if strings.EqualFold(p.Symbol, o.Symbol) {
				return Record{}, unkept(fmt.Sprintf("it names %s, which differs from %s only in case", p.Symbol, o.Symbol))
			}
		}
	}
	for _, n := range []decimal.Decimal{q.Price, rec.Positions.Amount(o.Symbol), rec.Cash()} {
		if n.NumDigits() <= 18 && n.Exponent() >= -18 && n.Exponent() <= 18 {
			continue // the fast test for a number that is short enough
		}
		if _, err := ParseDecimal(n.String()); err != nil {
			return Record{}, unkept(err.Error())
		}
	}
	return rec, nil
}

// dateBackwards is the refusal of an order at a stamp before that of a record; key stands for the record in the details.
func dateBackwards(at, recorded market.Stamp, which, key string) error {
	return &Refusal{
		code.DateBackwards,
		fmt.Sprintf("TODAY_DATE is %s, but %s of this account is dated %s. Set TODAY_DATE to that date or a later one.", at, which, recorded),
		map[string]any{"date": at, key: recorded},
	}
}

func insufficientCash(book Book, o Order, q market.Quote, r Rules, need decimal.Decimal) error {
	details := map[string]any{"symbol": o.Symbol, "date": q.At, "price": q.Price, "required_cash": need, "cash_available": book.Cash()}
	if most, bounded := r.Affordable(book.Cash(), q.Price); bounded {
		details["max_amount"] = most
	}
	return &Refusal{code.InsufficientCash, "Insufficient cash! This action will not be allowed.", details}
}

func insufficientShares(book Book, o Order, q market.Quote, held decimal.Decimal) error {
	message := "Insufficient shares! This action will not be allowed."
	if held.IsZero() {
		message = fmt.Sprintf("No position for %s! This action will not be allowed.", o.Symbol)
	}
	return &Refusal{
		code.InsufficientPosition, message,
		map[string]any{"symbol": o.Symbol, "date": q.At, "have": held, "want_to_sell": o.Amount, "max_amount": held},
	}
}

// noTrade returns the record of a day without a trade.
func noTrade(book Book, date market.Stamp) Record {
	return Record{Date: date, ID: book.ID + 1, Action: NoTrade, Positions: book.Positions, Prev: book.Hash}
}
