// Evaluating an order: pure arithmetic over a book, a quote and the rules of a market.

package ledger

import (
	"errors"
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
//	buy:  cash = old cash - price*amount - fees, holding = old holding + amount
//	sell: cash = old cash + price*amount - fees, holding = old holding - amount
//
// up to what the rules round, see rounding.go. A fee in kind is taken from what was bought and not from the cash. What the market of the account refuses is in the rules
// alone, see rule.go. A fee that the rules do not tell on the day is a *[market.FeeUnknownError].
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
		if refusal, ok := errors.AsType[*Refusal](err); ok && refusal.code == code.TPlus1 {
			refusal.details["max_amount"] = attempt.mostSold()
		}
		return Record{}, err
	}
	price, err := r.price(o, q)
	if err != nil {
		return Record{}, err
	}
	return applyAt(attempt, price)
}

// applyAt evaluates an order that fills at a price, which is the quote's with its slippage.
func applyAt(a Attempt, price decimal.Decimal) (Record, error) {
	book, o, at, r := a.Book, a.Order, a.Quote.At, a.Rules
	rec := Record{Date: at, ID: book.ID + 1, Action: o.Action, Symbol: o.Symbol, Amount: o.Amount, OrderID: o.ID, Prev: book.Hash, Note: o.Note, Filled: book.filledOn(at), Orders: book.Orders}
	if o.Action == Sell && book.free(o.Symbol).LessThan(o.Amount) {
		return Record{}, a.insufficientShares(book.Positions.Amount(o.Symbol))
	}
	charge, err := r.charge(o, at, price)
	if err != nil {
		return Record{}, err
	}
	rec.fill(book, price, charge, r)
	if o.Action == Buy && charge.InKind.GreaterThan(o.Amount) {
		return Record{}, &Refusal{
			code.LotSize, fmt.Sprintf("%s of %s is less than its fee of %s. Buy more.", o.Amount, o.Symbol, charge.InKind),
			map[string]any{"symbol": o.Symbol, "amount": o.Amount, "fees": charge.InKind},
		}
	}
	if r.KeepsBought() {
		rec.Bought = book.boughtOn(at)
		if o.Action == Buy {
			rec.Bought = rec.Bought.with(Position{o.Symbol, rec.Bought.Amount(o.Symbol).Add(o.Amount)})
		}
	}
	left := rec.Cash()
	if len(book.Orders) > 0 {
		left = left.Sub(book.Orders.kept(Cash))
	}
	if left.IsNegative() && (o.Action == Buy || rec.paid().IsPositive()) {
		return Record{}, a.insufficientCash(rec)
	}
	return rec, rec.readable(book)
}

// readable refuses a record that could not be read back, which would lock the account.
func (rec Record) readable(book Book) error {
	unkept := func(why string) error {
		return &Refusal{
			code.InvalidArgument, fmt.Sprintf("The order cannot be kept in the ledger: %s.", why), map[string]any{"symbol": rec.Symbol, "amount": rec.Amount},
		}
	}
	if len(rec.Positions) > len(book.Positions) { // a symbol that was not named before
		for _, p := range book.Positions {
			if strings.EqualFold(p.Symbol, rec.Symbol) {
				return unkept(fmt.Sprintf("it names %s, which differs from %s only in case", p.Symbol, rec.Symbol))
			}
		}
	}
	for _, n := range [...]decimal.Decimal{rec.Price.Decimal, rec.Positions.Amount(rec.Symbol), rec.Cash(), rec.Fees} {
		if n.NumDigits() <= 18 && n.Exponent() >= -18 && n.Exponent() <= 18 {
			continue // the fast test for a number that is short enough
		}
		if _, err := ParseDecimal(n.String()); err != nil {
			return unkept(err.Error())
		}
	}
	return nil
}

// dateBackwards is the refusal of an order at a stamp before that of a record; key stands for the record in the details.
func dateBackwards(at, recorded market.Stamp, which, key string) error {
	return &Refusal{
		code.DateBackwards,
		fmt.Sprintf("TODAY_DATE is %s, but %s of this account is dated %s. Set TODAY_DATE to that date or a later one.", at, which, recorded),
		map[string]any{"date": at, key: recorded},
	}
}

// insufficientCash is the refusal of the order that would make a record.
func (a Attempt) insufficientCash(rec Record) error {
	price, value := rec.Price.Decimal, rec.Price.Decimal.Mul(rec.Amount)
	details := map[string]any{"symbol": rec.Symbol, "date": rec.Date, "price": price, "cash_available": a.Book.free(Cash)}
	reserved := ""
	if kept := a.Book.Orders.kept(Cash); kept.IsPositive() {
		details["reserved"], reserved = kept, fmt.Sprintf(" Orders that wait keep %s of the cash.", kept)
	}
	if !rec.Fees.IsZero() {
		details["fees"] = rec.Fees
	}
	if rec.Action == Sell {
		details["required_cash"] = rec.paid().Sub(value)
		return &Refusal{code.InsufficientCash, "Insufficient cash! The fees are more than the sale brings and the account has." + reserved, details}
	}
	details["required_cash"] = value.Add(rec.paid())
	if most, bounded := a.Rules.affordableAt(a.Book.free(Cash), a.Quote, price); bounded {
		details["max_amount"] = most
	}
	return &Refusal{code.InsufficientCash, "Insufficient cash! This action will not be allowed." + reserved, details}
}

func (a Attempt) insufficientShares(held decimal.Decimal) error {
	message := "Insufficient shares! This action will not be allowed."
	if held.IsZero() {
		message = fmt.Sprintf("No position for %s! This action will not be allowed.", a.Order.Symbol)
	}
	details := map[string]any{"symbol": a.Order.Symbol, "date": a.Quote.At, "have": held, "want_to_sell": a.Order.Amount, "max_amount": a.mostSold()}
	if kept := a.Book.Orders.kept(a.Order.Symbol); kept.IsPositive() {
		details["reserved"] = kept
		message += fmt.Sprintf(" Orders that wait keep %s of them.", kept)
	}
	return &Refusal{code.InsufficientPosition, message, details}
}

// mostSold is the largest amount of the order's symbol that the rules let the account sell and whose fees it can pay: all that can be
// sold today, or the whole steps of it.
func (a Attempt) mostSold() decimal.Decimal {
	most := a.sellableAtOnce()
	for _, a.Order.Amount = range [...]decimal.Decimal{most, a.Rules.unit(a.Quote.Symbol, a.Quote.At).Floor(most)} {
		if !a.Order.Amount.IsPositive() || a.refusedAt(true) != nil {
			continue
		}
		price, err := a.Rules.price(a.Order, a.Quote)
		if err == nil {
			_, err = applyAt(a, price)
		}
		if err == nil {
			return a.Order.Amount
		}
	}
	return decimal.Zero
}

// noTrade returns the record of a day without a trade.
func noTrade(book Book, date market.Stamp) Record {
	return Record{Date: date, ID: book.ID + 1, Action: NoTrade, Positions: book.Positions, Prev: book.Hash, Bought: book.boughtOn(date), Filled: book.filledOn(date), Orders: book.Orders}
}
