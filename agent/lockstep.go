// How accounts run beside each other.

package agent

import (
	"context"
	"sync"
)

// slots bound how much goes on at once.
type slots chan struct{}

func (s slots) in(do func() error) error {
	s <- struct{}{}
	defer func() { <-s }()
	return do()
}

// lockstep holds accounts together: a day begins when every account that is still under way waits for it, or for a later
// one. An account that comes from a run of before may be ahead; it waits for the others.
type lockstep struct {
	mu      sync.Mutex
	left    int         // accounts under way
	waiting map[int]int // how many of them wait for a day, by its number
	turn    chan struct{}
	day     int // the newest that has begun
}

func newLockstep(accounts int) *lockstep {
	return &lockstep{left: accounts, waiting: map[int]int{}, turn: make(chan struct{}), day: -1}
}

// await returns when the day may begin.
func (l *lockstep) await(ctx context.Context, day int) error {
	l.mu.Lock()
	l.waiting[day]++
	l.advance()
	for l.day < day {
		turn := l.turn
		l.mu.Unlock()
		select {
		case <-turn:
		case <-ctx.Done():
			l.mu.Lock()
			l.waiting[day]--
			l.mu.Unlock()
			return ctx.Err()
		}
		l.mu.Lock()
	}
	l.mu.Unlock()
	return nil
}

// leave is called by an account that waits no more, whatever the reason.
func (l *lockstep) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left--
	l.advance()
}

// advance begins the earliest day that is waited for, once nobody is busy with another. Those who waited for it are busy then.
func (l *lockstep) advance() {
	total, first := 0, -1
	for day, n := range l.waiting {
		total += n
		if n > 0 && (first < 0 || day < first) {
			first = day
		}
	}
	if total < l.left || first < 0 {
		return
	}
	delete(l.waiting, first)
	l.day = first
	close(l.turn)
	l.turn = make(chan struct{})
}
