// What the model took on a day.

package transcript

import "mcp-trade/decimal"

// Plus adds.
func (s Spending) Plus(o Spending) Spending {
	sum := Spending{s.Calls + o.Calls, s.In + o.In, s.Cached + o.Cached, s.Out + o.Out, s.Seconds + o.Seconds, s.Cost}
	sum.pay(o.Cost)
	return sum
}

func (s *Spending) pay(cost *decimal.Decimal) {
	if cost != nil {
		total := s.Total().Add(*cost)
		s.Cost = &total
	}
}

// Total is the cost; zero where prices are not known.
func (s Spending) Total() decimal.Decimal {
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
