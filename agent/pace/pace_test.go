package pace

// Tests of what the accounts of one process may ask together. store/redisstore tests the same of many processes.

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mcp-trade/decimal"
	"mcp-trade/internal/pause"
)

// ask has eight accounts make calls of 30 ms one after the other for ten seconds, and returns how many were made, how many at once, and
// the last error.
func ask(t *testing.T, p *Pace, worst, cost *decimal.Decimal) (calls, atOnce int64, last error) {
	var made, flying, most atomic.Int64
	var mu sync.Mutex
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				done, err := p.Begin(ctx, worst)
				if err != nil {
					mu.Lock()
					last = err
					mu.Unlock()
					return
				}
				made.Add(1)
				for n := flying.Add(1); n > most.Load(); {
					most.Store(n)
				}
				_ = pause.For(ctx, 30*time.Millisecond)
				flying.Add(-1)
				done(cost)
			}
		})
	}
	all.Wait()
	return made.Load(), most.Load(), last
}

func TestPace_OneProcess(t *testing.T) {
	worst, cost := decimal.RequireFromString("0.01"), decimal.RequireFromString("0.004")
	budget := decimal.RequireFromString("1.0001")
	synctest.Test(t, func(t *testing.T) {
		run := &Run{Name: "r", Pacer: &Local{Now: time.Now}, Sleep: pause.For}
		if calls, _, _ := ask(t, New(Limits{API: "a", Every: 100 * time.Millisecond}, run), nil, nil); calls < 99 || calls > 101 {
			t.Errorf("%d calls in ten seconds, ten a second are allowed", calls)
		}
		if calls, atOnce, _ := ask(t, New(Limits{API: "b", AtOnce: 3}, run), nil, nil); atOnce != 3 || calls < 500 {
			t.Errorf("%d calls, %d at once, three are allowed", calls, atOnce)
		}
		run.Budget, run.Spent = &budget, decimal.RequireFromString("0.2")
		calls, _, err := ask(t, New(Limits{}, run), &worst, &cost)
		var over *BudgetError
		if !errors.As(err, &over) || !over.Permanent() || calls != 198 { // 0.2 + 198 * 0.004 + 0.01 is more than the budget
			t.Errorf("%d calls, then %v", calls, err)
		}
		if calls, _, _ := ask(t, New(Limits{}, run), &worst, nil); calls != 0 {
			t.Errorf("%d calls beyond the budget", calls)
		}
	})
	if New(Limits{API: "a"}, &Run{}) != nil || New(Limits{Every: 1}, nil) != nil {
		t.Error("limits that bound nothing make a pace")
	}
	if done, err := (*Pace)(nil).Begin(t.Context(), nil); err != nil {
		t.Error(err)
	} else {
		done(nil)
	}
}
