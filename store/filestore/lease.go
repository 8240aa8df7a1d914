// Leases in plain files. A run holds a lock on .run.lock, which ends with its process, and writes into .run.lease who it is
// and the number of its lease.
//
// A commit without a fence must not pay for looking whether there is a run. So a run that has an account makes the ledger's
// lock file a byte long, which whoever takes that lock sees without asking.

package filestore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"mcp-trade/internal/files"
	"mcp-trade/store"
)

// lease is an account in the hands of a run of this process.
type lease struct {
	s       *Store
	account string
	fence   store.Fence
	lock    *files.Lock
}

func (s *Store) runLock(account string) string {
	return filepath.Join(s.logPath, account, ".run.lock")
}

func (s *Store) leaseFile(account string) string {
	return filepath.Join(s.logPath, account, ".run.lease")
}

// Lease implements [store.Runs].
func (s *Store) Lease(ctx context.Context, account string, o store.Owner) (store.Lease, error) {
	l, err := s.ledger(account)
	if err != nil {
		return nil, err
	}
	if err := s.access.MkdirAll(filepath.Dir(l.path)); err != nil {
		return nil, s.cannotRun("make the account's folder", err)
	}
	mine := &lease{s: s, account: account, lock: s.access.Lock(s.runLock(account))}
	err = s.exclusively(ctx, l, func() error {
		free, err := mine.lock.Try()
		if err != nil {
			return err
		}
		last := s.held(account)
		if !free {
			return &store.LeasedError{Account: account, By: last.Owner}
		}
		mine.fence = last.Next(o)
		text := store.Held{Fence: mine.fence, Owner: o}.String() + "\n"
		return errors.Join(s.access.Replace(s.leaseFile(account), []byte(text)), os.Truncate(l.queue.path, 1))
	})
	if store.Refused(err) {
		return nil, err
	}
	if err != nil {
		mine.lock.Release()
		return nil, s.cannotRun("take the account for a run", err)
	}
	return mine, nil
}

func (m *lease) Fence() store.Fence { return m.fence }

// Renew implements [store.Lease]: there is nothing to do while the process lives.
func (m *lease) Renew(context.Context) error { return m.s.newest(m.account, m.fence) }

// Release implements [store.Lease].
func (m *lease) Release(ctx context.Context) error {
	defer m.lock.Release()
	l, err := m.s.ledger(m.account)
	if err != nil {
		return err
	}
	err = m.s.exclusively(ctx, l, func() error { return os.Truncate(l.queue.path, 0) })
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m.s.cannotRun("give the account back", err)
	}
	return nil
}

// held is the newest lease of an account; the zero one if there was none.
func (s *Store) held(account string) store.Held {
	text, err := files.Read(s.leaseFile(account), 1<<10)
	if err != nil {
		return store.Held{}
	}
	return store.ParseHeld(string(text))
}

// newest is an error unless a fence is that of the newest lease.
func (s *Store) newest(account string, f store.Fence) error {
	if f != 0 && s.held(account).Fence != f {
		return store.ErrLeaseLost
	}
	return nil
}

// checkLease judges a commit by the leases, under the lock of the ledger.
func (s *Store) checkLease(c store.Commit, ledger *files.Lock) error {
	if c.Fence != 0 {
		return s.newest(c.Account, c.Fence)
	}
	if ledger.Size() == 0 {
		return nil
	}
	run := s.access.Lock(s.runLock(c.Account))
	free, err := run.Try()
	if err != nil {
		return err
	}
	if !free {
		return &store.LeasedError{Account: c.Account, By: s.held(c.Account).Owner}
	}
	run.Release() // of a run that was killed
	return nil
}

func (s *Store) cannotRun(doing string, err error) error {
	return &store.UnreachableError{Engine: engine, Doing: doing, Err: err}
}
