// The clocks by which a run follows the market: the real one, one that goes faster, and one that somebody sets.

package follow

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Clock tells what time it is, and waits.
type Clock interface {
	Now() time.Time
	// Wait returns when it is that time or later. It returns the error of ctx if that is done before.
	Wait(ctx context.Context, until time.Time) error
}

// Pause waits for a real duration, or returns the error of ctx if that is done before.
type Pause func(ctx context.Context, d time.Duration) error

// longestPause bounds a wait, after which the clock is looked at again: a machine that slept, or whose clock was set, wakes up in time.
const longestPause = 30 * time.Second

// Real is the clock of the machine.
func Real(now func() time.Time, pause Pause) Clock {
	return lapse{now, pause, time.Time{}, time.Time{}, 1}
}

// lapse is a clock that began at a moment, and goes so many times as fast as the machine's.
type lapse struct {
	now    func() time.Time
	pause  Pause
	began  time.Time // by the clock of the machine; zero: it is that clock
	start  time.Time
	factor float64
}

func (c lapse) Now() time.Time {
	now := c.now()
	if c.began.IsZero() {
		return now
	}
	return c.start.Add(time.Duration(float64(now.Sub(c.began)) * c.factor))
}

func (c lapse) Wait(ctx context.Context, until time.Time) error {
	const shortest = 10 * time.Millisecond // else one that goes fast would be looked at all the time
	for {
		left := until.Sub(c.Now())
		if left <= 0 {
			return ctx.Err()
		}
		if err := c.pause(ctx, min(max(time.Duration(float64(left)/c.factor), shortest), longestPause)); err != nil {
			return err
		}
	}
}

// maxFactor is how much faster than the real one a clock may go: a day in less than a second.
const maxFactor = 100_000

// ParseClock returns the clock that a text names: "2025-10-01T13:00:00Z@3600", a time-lapse that begins then and is 3,600 times as fast as the
// real clock, or a file that holds a time in RFC 3339, and that somebody changes.
func ParseClock(text string, now func() time.Time, pause Pause) (Clock, error) {
	moment, factor, isLapse := strings.Cut(text, "@")
	if isLapse {
		start, err := time.Parse(time.RFC3339, moment)
		if err != nil {
			return nil, fmt.Errorf("%q is no clock: before @ there is to be a time such as 2025-10-01T13:00:00Z", text)
		}
		f, err := strconv.ParseFloat(factor, 64)
		if err != nil || !(f > 0 && f <= maxFactor) {
			return nil, fmt.Errorf("%q is no clock: behind @ there is to be how many times as fast as the real one it goes, above 0 and up to %d", text, maxFactor)
		}
		return lapse{now, pause, now(), start, f}, nil
	}
	c := &fileClock{path: text, pause: pause}
	_, err := c.read()
	return c, err
}

// fileClock is a clock that a file tells. It never goes back.
type fileClock struct {
	path  string
	pause Pause

	mu   sync.Mutex
	last time.Time
}

func (c *fileClock) read() (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text, err := os.ReadFile(c.path)
	if err != nil {
		return c.last, fmt.Errorf("the clock: %w", err)
	}
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(string(text)))
	if err != nil {
		return c.last, fmt.Errorf("the clock %s holds %.40q, and not a time such as 2025-10-01T13:00:00Z", c.path, strings.TrimSpace(string(text)))
	}
	if t.After(c.last) {
		c.last = t
	}
	return c.last, nil
}

// Now is what the file says; while it cannot be read, what it said last.
func (c *fileClock) Now() time.Time {
	t, _ := c.read() // which is what it said last
	return t
}

func (c *fileClock) Wait(ctx context.Context, until time.Time) error {
	const look = 20 * time.Millisecond
	for c.Now().Before(until) {
		if err := c.pause(ctx, look); err != nil {
			return err
		}
	}
	return ctx.Err()
}
