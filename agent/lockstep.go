// Accounts at the same date.

package agent

import (
	"context"
	"sync"
)

// lockstep has no account begin a day before every other that still runs has ended the day before. A nil lockstep holds
// nobody.
type lockstep struct {
	mu   sync.Mutex
	left []int           // accounts that have yet to end the day
	over []chan struct{} // closed when there are none
}

func newLockstep(accounts, days int) *lockstep {
	l := &lockstep{left: make([]int, days), over: make([]chan struct{}, days)}
	for i := range days {
		l.left[i], l.over[i] = accounts, make(chan struct{})
	}
	return l
}

// begin waits until a day may begin.
func (l *lockstep) begin(ctx context.Context, day int) error {
	if l == nil || day == 0 {
		return ctx.Err()
	}
	select {
	case <-l.over[day-1]:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end tells that an account is through with the days from one up to but not including another: it has traded them, or
// never will.
func (l *lockstep) end(from, to int) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := from; i < to; i++ {
		if l.left[i]--; l.left[i] == 0 {
			close(l.over[i])
		}
	}
}

// seats bound how many accounts trade at once.
type seats chan struct{}

func (s seats) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s seats) leave() { <-s }
