// Accounts at the same date.

package runner

import (
	"context"
	"sync"
)

// barrier has no account begin a day before every other that still runs has ended the day before. A nil barrier
// holds nobody.
type barrier struct {
	mu   sync.Mutex
	left []int           // accounts that have yet to end the day
	over []chan struct{} // closed when there are none
}

func newBarrier(accounts, days int) *barrier {
	b := &barrier{left: make([]int, days), over: make([]chan struct{}, days)}
	for i := range days {
		b.left[i], b.over[i] = accounts, make(chan struct{})
	}
	return b
}

// begin waits until a day may begin.
func (b *barrier) begin(ctx context.Context, day int) error {
	if b == nil || day == 0 {
		return ctx.Err()
	}
	select {
	case <-b.over[day-1]:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end tells that an account is through with the days from one up to but not including another: it has traded them, or
// never will.
func (b *barrier) end(from, to int) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := from; i < to; i++ {
		if b.left[i]--; b.left[i] == 0 {
			close(b.over[i])
		}
	}
}
