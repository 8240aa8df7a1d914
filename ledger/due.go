// Reading an account whose orders wait: with what is due, and what became of its orders.

package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"mcp-trade/decimal"
	"mcp-trade/market"
	"mcp-trade/store"
)

// Due returns the account as the next order at a view finds it: [Accounts.Book] as of a stamp, after the events that are due by the
// view, and the records of these. It commits none of them; what is in the ledger after the stamp counts for nothing.
func (a *Accounts) Due(ctx context.Context, account string, asOf market.Stamp, v market.View) (book Book, events []Record, err error) {
	if book, err = a.Book(ctx, account, asOf); err != nil {
		return book, nil, err
	}
	rules, err := a.rules(ctx, account, &book)
	if _, unknown := errors.AsType[*UnknownRulesError](err); unknown || err == nil && quiet(book.Orders, rules) {
		return book, nil, nil // under rules that are not known it can be read, and trades nothing
	}
	if err != nil {
		return book, nil, err
	}
	return rules.Due(book, v)
}

// Due returns a book after the events that are due by a view, and their records.
func (r Rules) Due(book Book, v market.View) (_ Book, events []Record, err error) {
	for {
		event, due, err := nextEvent(book, v, r)
		if err != nil || !due {
			return book, events, err
		}
		events, book = append(events, event), event.book(event.Line())
	}
}

// maxOrderRows bounds the rows in which events are looked for.
const maxOrderRows = 2000

// newest are the newest rows dated asOf or earlier, the last one first.
func (a *Accounts) newest(ctx context.Context, account string, asOf market.Stamp) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		rows := 0
		for line, err := range a.ledgers.LinesBefore(ctx, account, store.Filter{Before: store.MaxID, AsOf: string(asOf)}) {
			var r Record
			if err == nil {
				if r, err = ParseLine(line); err != nil {
					err = damaged(account, line, err)
				}
			}
			if rows++; !yield(r, err) || err != nil || rows == maxOrderRows {
				return
			}
		}
	}
}

// OrderEvents returns up to limit records that filled, cancelled or ended an order, dated asOf or earlier, the newest first. It looks
// through the newest rows alone.
func (a *Accounts) OrderEvents(ctx context.Context, account string, asOf market.Stamp, limit int) (events []Record, err error) {
	return a.newestOf(ctx, account, asOf, limit, func(r Record) bool { return r.Of != 0 })
}

// OrderRecords returns up to limit records that placed, filled, cancelled or ended an order that waited, likewise, whatever their date.
func (a *Accounts) OrderRecords(ctx context.Context, account string, limit int) ([]Record, error) {
	return a.newestOf(ctx, account, maxStamp, limit, func(r Record) bool { return r.Of != 0 || r.Action == Place })
}

// CorporateActions returns up to limit corporate actions of what an account held, the newest first. It looks through the newest rows alone.
func (a *Accounts) CorporateActions(ctx context.Context, account string, limit int) (actions []Record, err error) {
	return a.newestOf(ctx, account, maxStamp, limit, Record.IsAction)
}

func (a *Accounts) newestOf(ctx context.Context, account string, asOf market.Stamp, limit int, wanted func(Record) bool) (all []Record, err error) {
	if limit < 1 {
		return nil, nil
	}
	for r, err := range a.newest(ctx, account, asOf) {
		if err != nil {
			return nil, err
		}
		if wanted(r) {
			all = append(all, r)
		}
		if len(all) >= limit {
			break
		}
	}
	return all, nil
}

// maxStamp comes after every stamp.
const maxStamp market.Stamp = "9999-12-31 23:59:59"

// EventsSince returns what happened to an account as of a stamp since it last traded or closed a day before that, the oldest first.
func (a *Accounts) EventsSince(ctx context.Context, account string, today market.Stamp) (events []Record, err error) {
	for r, err := range a.newest(ctx, account, today) {
		if err != nil {
			return nil, err
		}
		if r.Due() {
			events = append(events, r)
		} else if r.Date < today {
			break
		}
	}
	slices.Reverse(events)
	return events, nil
}

// LastAsked is the date of the newest record that is no event.
func (a *Accounts) LastAsked(ctx context.Context, account string) (market.Stamp, error) {
	for line, err := range a.ledgers.LinesBefore(ctx, account, store.Filter{Before: store.MaxID}) {
		if err != nil {
			return "", err
		}
		r, err := ParseLine(line)
		if err != nil {
			return "", damaged(account, line, err)
		}
		if !r.Due() {
			return r.Date, nil
		}
	}
	return "", notRegistered(account)
}

// Event says in a sentence what became of an order, or what a corporate action did.
func (r Record) Event() string {
	if r.IsAction() {
		return r.ActionText()
	}
	text := fmt.Sprintf("order %d", r.Of)
	switch {
	case r.Traded():
		text += fmt.Sprintf(" filled: %s %s %s at %s", r.Action, r.Amount, r.Symbol, r.Price.Decimal)
	case r.Action == Cancel:
		text += fmt.Sprintf(" was cancelled: %s %s %s", r.Side, r.Amount, r.Symbol)
	default:
		text += fmt.Sprintf(" to %s %s %s ended: %s", r.Side, r.Amount, r.Symbol, r.Why)
	}
	if r.At != "" {
		text += fmt.Sprintf(" (bar of %s)", r.At)
	}
	return text
}

// Reserved is what the orders keep from others: cash, and of each symbol what they are to sell, in the order of their placing.
func (o OpenOrders) Reserved() Positions {
	var kept Positions
	add := func(symbol string, amount decimal.Decimal) {
		if amount.IsPositive() {
			kept = kept.with(Position{symbol, kept.Amount(symbol).Add(amount)})
		}
	}
	for _, open := range o {
		if open.Action == Buy {
			add(Cash, open.Reserved)
		} else {
			add(open.Symbol, open.Amount)
		}
	}
	return kept
}
