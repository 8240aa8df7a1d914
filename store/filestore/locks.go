// Locks: between the processes that share a folder, and in turn between the goroutines of this one.

package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"mcp-trade/internal/files"
)

// patience is how long a goroutine waits for another process's lock before it gives up.
type patience struct {
	first time.Duration // its turn included
	// late is for those who come after one that has given up: a lock that is held for good delays the orders that wait for
	// it once, and not each in its turn.
	late time.Duration
}

// queue is the goroutines of this process that want a lock. They get it in the order in which they came: a file lock alone
// would let a busy process starve the rest.
type queue struct {
	path     string
	patience patience
	turn     chan struct{} // full while one of them has its turn
	late     bool          // the last one to have its turn waited for the lock in vain; belongs to whoever has the turn
}

// queue returns the one queue of this process for a lock.
func (s *Store) queue(path string) *queue {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queueOf(path)
}

func (s *Store) queueOf(path string) *queue {
	if s.queues[path] == nil {
		s.queues[path] = &queue{path: path, patience: s.patience, turn: make(chan struct{}, 1)}
	}
	return s.queues[path]
}

// until is when the patience of a goroutine that comes now ends.
func (q *queue) until() time.Time { return time.Now().Add(q.patience.first) }

// wait waits for the caller's turn, which next ends. Patience for the turn and the lock together ends at until.
func (q *queue) wait(ctx context.Context, until time.Time) error {
	if ctx.Err() != nil {
		return q.gaveUp(ctx, nil)
	}
	select { // mostly it is free, and there is nothing to set up for waiting
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

// lock takes the file lock for the goroutine that has its turn. A folder that is missing is [fs.ErrNotExist].
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
		if late := time.Now().Add(q.patience.late); q.late && late.Before(until) {
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

// gaveUp says of a wait that failed for whom it was, and why.
func (q *queue) gaveUp(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("somebody else holds %s: %w", q.path, ctx.Err())
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("another process has held %s for %v (%w); end that process and try again", q.path, q.patience.first, err)
	}
	return err
}

// lockFile is queue.lock for a file whose folder may be missing, and is then made.
func (s *Store) lockFile(ctx context.Context, until time.Time, q *queue) (*files.Lock, error) {
	lock, err := q.lock(ctx, until, s.access)
	if errors.Is(err, fs.ErrNotExist) {
		if err = s.access.MkdirAll(filepath.Dir(q.path)); err == nil {
			lock, err = q.lock(ctx, until, s.access)
		}
	}
	return lock, err
}

// withLock runs do, which may be run again, under the lock of that name. Where somebody removed the file of the lock
// meanwhile, another process may have done its work at the same time, and do is run once more under the lock that counts.
func (s *Store) withLock(ctx context.Context, path string, do func() error) error {
	q := s.queue(path)
	until := q.until()
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
