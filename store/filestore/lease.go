// Leases in plain files. A run holds a lock on .run.lock, which ends with its process, and writes into .run.lease who it is
// and the number of its lease. A commit reads .run.lease, and tries the lock only where a run is named there.

package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

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

// lookTime is more than a look at the lock of a run takes, see [files.Held].
const lookTime = 20 * time.Millisecond

// tryRun takes the lock of a run, if no run holds it.
func tryRun(ctx context.Context, lock *files.Lock) (bool, error) {
	patience, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	err := lock.Take(patience)
	if err != nil && errors.Is(err, patience.Err()) {
		return false, ctx.Err()
	}
	return err == nil, err
}

// Lease implements [store.Runs].
func (s *Store) Lease(ctx context.Context, account string, o store.Owner) (store.Lease, error) {
	use, err := s.useLedger(account)
	if err != nil {
		return nil, err
	}
	defer use.Done()
	l := use.Value
	if err := s.access.MkdirAll(filepath.Dir(l.path)); err != nil {
		return nil, s.cannotRun("make the account's folder", err)
	}
	mine := &lease{s: s, account: account, lock: s.access.Lock(s.runLock(account))}
	err = s.exclusively(ctx, l, func() error {
		free, err := tryRun(ctx, mine.lock)
		if err != nil {
			return err
		}
		last, err := s.held(account)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		case !free:
			return &store.LeasedError{Account: account, By: last.Owner}
		}
		mine.fence = last.Next(o)
		return s.writeLease(account, store.Held{Fence: mine.fence, Owner: o}.String())
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

// Renew implements [store.Lease]. The lease lives as long as the process, unless somebody removes its lock: then it is locked anew.
func (m *lease) Renew(ctx context.Context) error {
	if !m.lock.Holds() {
		if err := m.lockAnew(ctx); err != nil {
			return err
		}
	}
	return m.s.newest(m.account, m.fence)
}

func (m *lease) lockAnew(ctx context.Context) error {
	use, err := m.s.useLedger(m.account)
	if err != nil {
		return err
	}
	defer use.Done()
	err = m.s.exclusively(ctx, use.Value, func() error { // who commits tries the lock too
		m.lock.Release()
		free, err := tryRun(ctx, m.lock)
		if err == nil && !free {
			err = store.ErrLeaseLost
		}
		return err
	})
	if err != nil && !store.Refused(err) {
		return m.s.cannotRun("renew the lease", err)
	}
	return err
}

// Release implements [store.Lease].
func (m *lease) Release(ctx context.Context) error {
	defer m.lock.Release()
	use, err := m.s.useLedger(m.account)
	if err != nil {
		return err
	}
	defer use.Done()
	err = m.s.exclusively(ctx, use.Value, func() error {
		if m.s.newest(m.account, m.fence) != nil {
			return nil // it is somebody else's to give back
		}
		return m.s.writeLease(m.account, fmt.Sprint(m.fence))
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m.s.cannotRun("give the account back", err)
	}
	return nil
}

func (s *Store) writeLease(account, text string) error {
	return s.access.Replace(s.leaseFile(account), []byte(text+"\n"))
}

// held is the newest lease of an account; an [fs.ErrNotExist] if there was none.
func (s *Store) held(account string) (store.Held, error) {
	text, err := files.Read(s.leaseFile(account), 1<<10)
	return store.ParseHeld(string(text)), err
}

// newest is an error unless a fence is that of the newest lease.
func (s *Store) newest(account string, f store.Fence) error {
	if f == 0 {
		return nil
	}
	held, err := s.held(account)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.cannotRun("read the lease", err)
	}
	if held.Fence != f {
		return store.ErrLeaseLost
	}
	return nil
}

// checkLease judges a commit by the leases, under the lock of the ledger.
func (s *Store) checkLease(c store.Commit) error {
	if c.Fence != 0 {
		return s.newest(c.Account, c.Fence)
	}
	held, err := s.held(c.Account)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && held.Fence != 0 && held.Nonce == "":
		return nil
	case err != nil:
		return s.cannotRun("read who has the account", err)
	}
	run := s.access.Lock(s.runLock(c.Account))
	free, err := tryRun(context.Background(), run)
	if err != nil {
		return err
	}
	if !free {
		return &store.LeasedError{Account: c.Account, By: held.Owner}
	}
	run.Release() // of a run that was killed
	return nil
}

func (s *Store) cannotRun(doing string, err error) error {
	return &store.UnreachableError{Engine: engine, Doing: doing, Err: err}
}
