// Orders in the sizes that an account's rules take.

package decide

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"mcp-trade/agent"
	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// sizer sends the orders of a day that the rules do not refuse, and has the book as they leave it. It rests on the day alone, so that it
// does the same again after an interruption.
type sizer struct {
	d       *agent.Day
	book    ledger.Book
	refused []string // orders that were not sent, each with the reason
}

// most sends an order of the largest amount that fills, up to the one given.
func (s *sizer) most(ctx context.Context, action ledger.Action, q market.Quote, amount decimal.Decimal) error {
	rec, err := s.fit(action, q, amount)
	if err != nil {
		s.pass(action, q, amount, err)
		return nil
	}
	return s.send(ctx, action, rec)
}

// whole sends an order if all of it fills.
func (s *sizer) whole(ctx context.Context, action ledger.Action, q market.Quote, amount decimal.Decimal) error {
	rec, err := s.fit(action, q, amount)
	if err != nil || !rec.Amount.Equal(amount) {
		s.d.Skip()
		return nil
	}
	return s.send(ctx, action, rec)
}

func (s *sizer) fit(action ledger.Action, q market.Quote, amount decimal.Decimal) (ledger.Record, error) {
	return s.d.Rules.Fit(s.book, ledger.Order{Action: action, Symbol: q.Symbol, Amount: amount}, s.d.Market)
}

// send sends an order that becomes a record: a fill, or the placing of an order that waits.
func (s *sizer) send(ctx context.Context, action ledger.Action, rec ledger.Record) error {
	accepted, err := s.d.Order(ctx, action, rec.Symbol, rec.Amount)
	if accepted {
		s.book = rec.Book()
	}
	return err
}

// pass passes over an order that would be refused. A difference of less than a lot is no news while something is to be held.
func (s *sizer) pass(action ledger.Action, q market.Quote, amount decimal.Decimal, why error) {
	s.d.Skip()
	var refusal *ledger.Refusal
	held := s.book.Positions.Amount(q.Symbol)
	if errors.As(why, &refusal) && refusal.Code() == code.LotSize && (action == ledger.Buy || amount.LessThan(held)) {
		return
	}
	s.refused = append(s.refused, fmt.Sprintf("%s %s %s (%s)", action, amount, q.Symbol, strings.TrimSuffix(why.Error(), ".")))
}
