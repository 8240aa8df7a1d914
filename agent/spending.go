// What a model costs, and the budgets.

package agent

import (
	"fmt"

	"github.com/shopspring/decimal"
)

// BudgetError says that an account cannot go on within its budget.
type BudgetError struct{ Spent, Worst, Budget decimal.Decimal }

func (e *BudgetError) Error() string {
	return fmt.Sprintf("%s of the budget of %s for the run are spent, and the next call of the model may cost %s; raise the budget to go on",
		e.Spent.Round(6), e.Budget, e.Worst.Round(6))
}

// cost is what tokens cost.
func (p TokenPrices) cost(u Usage) decimal.Decimal {
	cached := p.In
	if p.Cached != nil {
		cached = *p.Cached
	}
	count := func(n int) decimal.Decimal { return decimal.NewFromInt(int64(n)) }
	sum := p.In.Mul(count(max(u.In-u.Cached, 0))).Add(cached.Mul(count(u.Cached))).Add(p.Out.Mul(count(u.Out)))
	return sum.Shift(-6)
}

// Plus adds.
func (s Spending) Plus(o Spending) Spending {
	sum := Spending{s.Calls + o.Calls, s.In + o.In, s.Cached + o.Cached, s.Out + o.Out, s.Seconds + o.Seconds, s.Cost}
	sum.pay(o.Cost)
	return sum
}

func (s *Spending) pay(cost *decimal.Decimal) {
	if cost != nil {
		total := s.cost().Add(*cost)
		s.Cost = &total
	}
}

func (s Spending) cost() decimal.Decimal {
	if s.Cost == nil {
		return decimal.Zero
	}
	return *s.Cost
}

// SpendingOf adds up a day. A call that nothing was heard of, since the process ended, counts with what it may have cost.
func SpendingOf(entries []Entry) Spending {
	var s Spending
	var open *Ask
	for _, e := range entries {
		switch {
		case e.Ask != nil:
			if open != nil {
				s.pay(open.Worst)
			}
			open = e.Ask
		case e.Retry != nil:
			open = nil
			s.Seconds += e.Retry.Seconds
			s.pay(e.Retry.Cost)
		case e.Reply != nil:
			open = nil
			u := e.Reply.Usage
			s = s.Plus(Spending{1, u.In, u.Cached, u.Out, e.Reply.Seconds, e.Reply.Cost})
		}
	}
	if open != nil {
		s.pay(open.Worst)
	}
	return s
}
