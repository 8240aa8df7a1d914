// Committing a line: it is checked and written under the lock of the ledger, and acknowledged when it is on disk.

package filestore

import (
	"context"
	"errors"
	"io/fs"

	"mcp-trade/internal/files"
	"mcp-trade/store"
)

// Append implements [store.Ledgers].
func (s *Store) Append(ctx context.Context, c store.Commit) error {
	use, err := s.useLedger(c.Account)
	if err != nil {
		return err
	}
	defer use.Done() // after the group is settled
	g, err := s.placeInTurn(ctx, use.Value, c)
	if err == nil {
		<-g.done
		err = g.err
	}
	if err != nil {
		return appendError(err)
	}
	_, others := store.SplitGuards(s, c.Guards)
	for _, guard := range others {
		s.warnOfSession(guard.ApplyAfter(ctx))
	}
	return nil
}

// appendError returns an error of Append in the form that the contract promises.
func appendError(err error) error {
	var used *store.UsedError
	var unreachable *store.UnreachableError
	if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrSessionChanged) || store.Refused(err) || errors.As(err, &used) || errors.As(err, &unreachable) {
		return err
	}
	return &store.UnreachableError{Engine: engine, Doing: "write the ledger", Err: err}
}

// errAgain says that the ledger or a lock was replaced while a line was written. Nothing is left of the line, and the commit
// starts again.
var errAgain = errors.New("the ledger or its lock was replaced again and again")

// maxReplaced bounds how often one commit starts again for that reason.
const maxReplaced = 100

// placeInTurn waits for the commit's turn, writes its line, and returns the group with which the line becomes durable.
func (s *Store) placeInTurn(ctx context.Context, l *ledgerFile, c store.Commit) (*group, error) {
	until := l.queue.deadline()
	if err := l.queue.wait(ctx, until); err != nil {
		return nil, err
	}
	defer l.queue.next()
	for tries := 0; ; tries++ {
		if l.group == nil {
			lock, err := l.queue.lock(ctx, until, s.access)
			if errors.Is(err, fs.ErrNotExist) {
				if err := checkWithoutFolder(ctx, c); err != nil {
					return nil, err
				}
				lock, err = s.lockFile(ctx, until, l.queue)
			}
			if err != nil {
				return nil, err
			}
			l.begin(lock)
		}
		err := l.hold(ctx)
		if err == nil {
			err = s.commit(ctx, l, c)
		}
		g, again := l.group, errors.Is(err, errAgain)
		if err != nil && (again || g.lines == 0) {
			_ = s.settle(l) // whose lines are in it is told
		}
		switch {
		case again && tries < maxReplaced && ctx.Err() == nil:
			continue
		case err != nil:
			return nil, err
		}
		waiting := 0
		if c.Placed != nil {
			waiting = c.Placed()
		}
		if waiting == 0 || g.lines >= maxGroup {
			_ = s.settle(l) // the callers of its lines are told
		} else {
			s.settleLater(l, g)
		}
		return g, nil
	}
}

// checkWithoutFolder checks a commit to a ledger that has no folder. Only the first line may make the folder.
func checkWithoutFolder(ctx context.Context, c store.Commit) error {
	if c.After == nil && c.ID == 0 {
		return nil
	}
	for _, g := range c.Guards {
		if err := g.Check(ctx); err != nil {
			return err
		}
	}
	return store.ErrConflict
}

// commit checks the conditions of a commit, and writes its line after the newest one.
func (s *Store) commit(ctx context.Context, l *ledgerFile, c store.Commit) error {
	seen, err := l.state(ctx, c.OrderID)
	if err != nil {
		return err
	}
	if l.group.lines > 0 && !l.group.isIn(l) {
		return errAgain
	}
	if seen.ordered != nil {
		return s.used(l, c.OrderID, seen)
	}
	if err := s.checkLease(c); err != nil {
		return err
	}
	together, others := store.SplitGuards(s, c.Guards)
	for _, g := range others {
		if err := g.Check(ctx); err != nil {
			return err
		}
	}
	sessions := l.group.sessions
	if sessions == nil {
		if sessions, err = s.lockSessions(ctx, together); err != nil {
			return err
		}
		l.group.sessions = sessions
	}
	if err := sessions.check(s, together); err != nil {
		return err
	}
	if err := s.write(l, c, sessions); err != nil {
		return err
	}
	l.group.pending = append(l.group.pending, sessions.pending(together)...)
	return nil
}

// used returns the error for an order that is in the ledger already, once its line is durable.
func (s *Store) used(l *ledgerFile, orderID string, seen ledgerState) error {
	if seen.durable {
		return &store.UsedError{Line: seen.ordered}
	}
	if l.group.lines > 0 {
		return errAgain // the group is settled, and the ledger is looked at again
	}
	if err := l.makeDurable(s.disk.sync); err != nil {
		return err
	}
	return &store.UsedError{Line: seen.ordered}
}

// durableState reads the ledger's state under its lock, so that no other process can take the line of the order back, and
// syncs the ledger if that line may not be on disk yet. On a read-only file system there is no lock, and nobody appends.
func (s *Store) durableState(ctx context.Context, l *ledgerFile, orderID string) (seen ledgerState, err error) {
	err = s.exclusively(ctx, l, func() error {
		if seen, err = l.state(ctx, orderID); err != nil || seen.durable {
			return err
		}
		return l.makeDurable(s.disk.sync)
	})
	if readOnly(err) || absent(err) {
		if seen, err = l.state(ctx, orderID); err == nil {
			err = l.makeDurable(s.disk.sync)
		}
	}
	return seen, err
}

// exclusively runs do while neither this process nor another one appends to the ledger.
func (s *Store) exclusively(ctx context.Context, l *ledgerFile, do func() error) error {
	until := l.queue.deadline()
	if err := l.queue.wait(ctx, until); err != nil {
		return err
	}
	defer l.queue.next()
	if l.group != nil {
		_ = s.settle(l) // whose lines are in it is told
	}
	lock, err := l.queue.lock(ctx, until, s.access)
	if err != nil {
		return err
	}
	defer lock.Release()
	if f, err := files.OpenAppend(l.path); err == nil { // network file systems lock only what may be written
		defer f.Close()
		if err := l.queue.take(ctx, until, func() (bool, error) { return files.TryHold(f) }); err != nil {
			return err
		}
	}
	return do()
}

// hold locks the ledger file itself for the goroutine that has its turn: anybody may remove the lock file beside it, but this
// lock is on the file that is written to. A reader that finds another file at the path closes the handle unless a group holds
// it, so hold locks the handle and gives it to the group in one step.
func (l *ledgerFile) hold(ctx context.Context) error {
	return l.queue.take(ctx, l.queue.deadline(), func() (taken bool, err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		switch g := l.group; {
		case l.file == nil || l.file == g.held || l.sealed != nil: // write says why
			return true, nil
		case g.held != nil:
			return false, errAgain
		}
		if taken, err = files.TryHold(l.file); taken {
			l.group.held = l.file
		}
		return taken, err
	})
}

// settleNow settles the open group of a ledger, if there is one.
func (s *Store) settleNow(l *ledgerFile) error {
	if err := l.queue.wait(context.Background(), l.queue.deadline()); err != nil {
		return err
	}
	defer l.queue.next()
	if l.group == nil {
		return nil
	}
	return s.settle(l)
}
