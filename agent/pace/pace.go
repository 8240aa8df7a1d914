// Package pace bounds what the accounts of a run ask of the APIs of their models together: how often, how many at once, and for how much
// money. Processes on several machines do so through a store, one process alone by itself.
package pace

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"mcp-trade/decimal"
	"mcp-trade/store"
)

// Limits bound the calls of an API. The zero value bounds nothing.
type Limits struct {
	API    string        // whose limits hold for all that name it
	Every  time.Duration // between two calls; 0: any
	AtOnce int           // 0: any
	Call   time.Duration // the longest time of a call
}

// Run is what the accounts of a run have in common. Its fields are not changed once a call was made.
type Run struct {
	Name   string
	Budget *decimal.Decimal // of all accounts together; nil: any
	Spent  decimal.Decimal  // by them before the first call
	Pacer  store.Pacer
	Sleep  func(context.Context, time.Duration) error
}

// BudgetError says that the accounts of a run cannot go on within the budget of them all.
type BudgetError struct{ Spent, Worst, Budget decimal.Decimal }

func (e *BudgetError) Error() string {
	return fmt.Sprintf("%s of the total_budget of %s are spent by all accounts, and the next call may cost %s; raise it to go on",
		e.Spent.Round(6), e.Budget, e.Worst.Round(6))
}

// Permanent tells that the same run cannot go on later: a budget does not grow by itself.
func (e *BudgetError) Permanent() bool { return true }

// Pace is the bounds of one model. A nil Pace bounds nothing.
type Pace struct {
	limits Limits
	run    *Run
}

// New returns the bounds that some limits and a run set, nil if they set none or there is no run.
func New(l Limits, r *Run) *Pace {
	if l.Every == 0 && l.AtOnce == 0 {
		l.API = ""
	}
	if r == nil || l.API == "" && r.Budget == nil {
		return nil
	}
	return &Pace{l, r}
}

// Budgeted tells whether calls have a budget, which takes a bound of what each may cost.
func (p *Pace) Budgeted() bool { return p != nil && p.run.Budget != nil }

// billionths is money as a store counts it, rounded up.
func billionths(d decimal.Decimal) int64 { return d.RoundUp(9).Shift(9).IntPart() }

// Begin waits until a call may be made, which may cost worst at most; nil is not known. done is to be called with what it cost, nil
// for what it may have cost at most. The error is a *[BudgetError], that of the context, or the store's.
func (p *Pace) Begin(ctx context.Context, worst *decimal.Decimal) (done func(cost *decimal.Decimal), err error) {
	if p == nil {
		return func(*decimal.Decimal) {}, nil
	}
	l, r := p.limits, p.run
	c := store.Call{ID: rand.Text(), API: l.API, Of: l.Call, Every: l.Every, AtOnce: l.AtOnce, Spent: billionths(r.Spent)}
	if r.Budget != nil {
		c.Run, c.Budget = r.Name, r.Budget.Shift(9).IntPart()
	}
	if worst != nil {
		c.Worst = billionths(*worst)
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		said, err := r.Pacer.BeginCall(ctx, c)
		switch {
		case err != nil:
			return nil, err
		case said.Over:
			return nil, &BudgetError{decimal.New(said.Spent, -9), decimal.New(c.Worst, -9), *r.Budget}
		}
		if said.After > 0 {
			if err := r.Sleep(ctx, said.After); err != nil {
				if said.Go {
					p.end(ctx, c, 0)
				}
				return nil, err
			}
		}
		if said.Go {
			return func(cost *decimal.Decimal) {
				if cost == nil {
					p.end(ctx, c, c.Worst)
				} else {
					p.end(ctx, c, billionths(*cost))
				}
			}, nil
		}
	}
}

// end ends a call. A store that is not told counts it as what it may have cost, when its time is over.
func (p *Pace) end(ctx context.Context, c store.Call, cost int64) {
	_ = p.run.Pacer.EndCall(context.WithoutCancel(ctx), c, cost)
}

// Local decides for the accounts of one process. The zero value is ready.
type Local struct {
	mu    sync.Mutex
	next  map[string]time.Time       // when the next call of an API may begin
	open  map[string]map[string]bool // calls under way, by API
	spent map[string]int64           // by run, calls under way included
	worst map[string]int64           // of calls under way, by their ids
	under map[string]int64           // of calls under way, by run
	Now   func() time.Time
}

// BeginCall implements [store.Pacer].
func (l *Local) BeginCall(_ context.Context, c store.Call) (store.Pace, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == nil {
		l.next, l.open, l.spent, l.worst, l.under = map[string]time.Time{}, map[string]map[string]bool{}, map[string]int64{}, map[string]int64{}, map[string]int64{}
	}
	if _, ok := l.spent[c.Run]; !ok {
		l.spent[c.Run] = c.Spent
	}
	const soon = 20 * time.Millisecond
	switch spent := l.spent[c.Run]; {
	case c.Budget > 0 && spent-l.under[c.Run]+c.Worst > c.Budget:
		return store.Pace{Over: true, Spent: spent - l.under[c.Run]}, nil
	case c.Budget > 0 && spent+c.Worst > c.Budget, // what is under way may cost less
		c.AtOnce > 0 && len(l.open[c.API]) >= c.AtOnce:
		return store.Pace{After: soon, Spent: spent}, nil
	}
	var wait time.Duration
	if c.Every > 0 {
		now := l.Now()
		next := l.next[c.API]
		if next.Before(now) {
			next = now
		}
		wait = next.Sub(now)
		l.next[c.API] = next.Add(c.Every)
	}
	if l.open[c.API] == nil {
		l.open[c.API] = map[string]bool{}
	}
	l.open[c.API][c.ID] = true
	l.spent[c.Run] += c.Worst
	l.under[c.Run] += c.Worst
	l.worst[c.ID] = c.Worst
	return store.Pace{Go: true, After: wait, Spent: l.spent[c.Run]}, nil
}

// EndCall implements [store.Pacer].
func (l *Local) EndCall(_ context.Context, c store.Call, cost int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if worst, ok := l.worst[c.ID]; ok {
		l.spent[c.Run] += cost - worst
		l.under[c.Run] -= worst
		delete(l.worst, c.ID)
		delete(l.open[c.API], c.ID)
	}
	return nil
}
