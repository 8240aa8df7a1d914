// Locks: file locks between the processes that share a folder, and a queue for the goroutines of this process.

package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"mcp-trade/internal/files"
	"mcp-trade/internal/lru"
)

// lockTimeouts is how long a goroutine waits for a lock that another process holds.
type lockTimeouts struct {
	first time.Duration // the wait for its turn included
	// late is for a goroutine whose predecessor has waited in vain. Without it, a lock that is held for good would delay
	// every order by the first timeout, one after the other.
	late time.Duration
}

// queue orders the goroutines of this process that want a lock: they get it in the order in which they came. The file lock
// alone keeps no order, so some could starve.
type queue struct {
	path     string
	timeouts lockTimeouts
	turn     chan struct{} // full while a goroutine has its turn
	late     bool          // the last goroutine waited for the lock in vain; only the one that has the turn may use this field
}

// useQueue returns the queue for a lock, of which this process has one until the use is done.
func (s *Store) useQueue(path string) *lru.Entry[*queue] {
	return s.queues.Use(path, func() *queue {
		return &queue{path: path, timeouts: s.lockTimeouts, turn: make(chan struct{}, 1)}
	})
}

// deadline is when a goroutine that comes now gives up.
func (q *queue) deadline() time.Time { return time.Now().Add(q.timeouts.first) }

// wait waits for the caller's turn, which next ends. The time until the deadline is for the turn and the lock together.
func (q *queue) wait(ctx context.Context, until time.Time) error {
	if ctx.Err() != nil {
		return q.gaveUp(ctx, nil)
	}
	select { // mostly the turn is free, and no timer is needed
	case q.turn <- struct{}{}:
		return nil
	default:
	}
	patience, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	select {
	case q.turn <- struct{}{}:
		return nil
	case <-patience.Done():
		return q.gaveUp(ctx, patience.Err())
	}
}

func (q *queue) next() { <-q.turn }

// lock takes the file lock for the goroutine that has its turn. A missing folder is [fs.ErrNotExist].
func (q *queue) lock(ctx context.Context, until time.Time, access files.Access) (*files.Lock, error) {
	lock := access.Lock(q.path)
	if err := q.take(ctx, until, lock.Try); err != nil {
		return nil, err
	}
	return lock, nil
}

// take takes a lock for the goroutine that has its turn.
func (q *queue) take(ctx context.Context, until time.Time, try func() (bool, error)) error {
	taken, err := try()
	if !taken && err == nil {
		if late := time.Now().Add(q.timeouts.late); q.late && late.Before(until) {
			until = late
		}
		patience, cancel := context.WithDeadline(ctx, until)
		defer cancel()
		err = files.Wait(patience, try)
	}
	late := q.late
	if ctx.Err() == nil {
		q.late = errors.Is(err, context.DeadlineExceeded)
	}
	switch {
	case err == nil:
		return nil
	case late && q.late:
		return fmt.Errorf("another process still holds %s, for which an earlier order waited in vain (%w); end that process and try again", q.path, err)
	}
	return q.gaveUp(ctx, err)
}

// gaveUp returns the error of a wait that failed: who holds the lock, and why the wait ended.
func (q *queue) gaveUp(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("somebody else holds %s: %w", q.path, ctx.Err())
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("another process has held %s for %v (%w); end that process and try again", q.path, q.timeouts.first, err)
	}
	return err
}

// lockFile takes the lock of a queue, and makes its folder if that is missing.
func (s *Store) lockFile(ctx context.Context, until time.Time, q *queue) (*files.Lock, error) {
	lock, err := q.lock(ctx, until, s.access)
	if errors.Is(err, fs.ErrNotExist) {
		if err = s.access.MkdirAll(filepath.Dir(q.path)); err == nil {
			lock, err = q.lock(ctx, until, s.access)
		}
	}
	return lock, err
}

// withLock runs do under the lock at a path. If somebody removed the lock file meanwhile, another process may have held a new
// one at the same time, so do is run again under the new lock; do must allow that.
func (s *Store) withLock(ctx context.Context, path string, do func() error) error {
	use := s.useQueue(path)
	defer use.Done()
	q := use.Value
	until := q.deadline()
	if err := q.wait(ctx, until); err != nil {
		return err
	}
	defer q.next()
	for {
		lock, err := s.lockFile(ctx, until, q)
		if err != nil {
			return err
		}
		err = do()
		held := lock.Holds()
		lock.Release()
		if held || err != nil {
			return err
		}
	}
}
