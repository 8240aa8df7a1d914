package runner

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

func TestBarrier(t *testing.T) {
	const accounts, days = 8, 50
	b := newBarrier(accounts, days)
	var ended [days]atomic.Int32
	var wait sync.WaitGroup
	for a := range accounts {
		wait.Go(func() {
			// One has traded the first days in an earlier run, and one gives up in the middle.
			first, last := 0, days
			switch a {
			case 0:
				first = 20
			case 1:
				last = 30
			}
			b.end(0, first)
			for day := range first {
				ended[day].Add(1)
			}
			for day := first; day < last; day++ {
				if err := b.begin(t.Context(), day); err != nil {
					t.Error(err)
				}
				if day > 0 {
					running := int32(accounts)
					if day > 30 {
						running--
					}
					if n := ended[day-1].Load(); n < running {
						t.Errorf("day %d begins while %d of %d have ended the day before", day, n, running)
					}
				}
				for range rand.N(1000) {
				}
				ended[day].Add(1)
				b.end(day, day+1)
			}
			b.end(last, days)
		})
	}
	wait.Wait()
}

func TestBarrier_Interrupted(t *testing.T) {
	b := newBarrier(2, 2)
	b.end(0, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.begin(ctx, 1); err == nil {
		t.Error("the day begins though the other account has not ended the day before")
	}
}
