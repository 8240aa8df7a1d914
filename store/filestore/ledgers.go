// Ledgers in plain files, as they are read.

package filestore

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"syscall"

	"mcp-trade/store"
)

// Head implements [store.Ledgers]. It needs no lock, except to make sure that the line of an order is durable.
func (s *Store) Head(ctx context.Context, account, orderID string) (head, ordered []byte, err error) {
	l, err := s.ledger(account)
	if err != nil {
		return nil, nil, err
	}
	seen, err := l.look(orderID)
	if err == nil && !seen.durable {
		seen, err = s.lookDurably(ctx, l, orderID)
	}
	if err != nil {
		return nil, nil, s.unreadable(err)
	}
	return seen.head, seen.ordered, nil
}

// Lines implements [store.Ledgers].
func (s *Store) Lines(_ context.Context, account string) iter.Seq2[[]byte, error] {
	return s.read(account, func(f *os.File, size int64, yield func([]byte, error) bool) {
		for line, err := range forward(f, 0, size) {
			if !yield(bytes.Clone(line.text), err) {
				return
			}
		}
	})
}

// LinesBefore implements [store.Ledgers].
func (s *Store) LinesBefore(_ context.Context, account string, filter store.Filter) iter.Seq2[[]byte, error] {
	return s.read(account, func(f *os.File, size int64, yield func([]byte, error) bool) {
		for line, err := range backward(f, size) {
			if err == nil && filter != (store.Filter{Before: store.Newest}) {
				var e store.Entry
				if e, err = store.ReadEntry(line.text); err == nil && !filter.Passes(e) {
					continue
				}
			}
			if !yield(line.text, err) {
				return
			}
		}
	})
}

// read yields what a reader of lines yields from a ledger as it is now, up to the first error.
func (s *Store) read(account string, lines func(f *os.File, size int64, yield func([]byte, error) bool)) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		f, size, err := s.snapshot(account)
		if err != nil {
			yield(nil, err)
			return
		}
		if f == nil {
			return
		}
		defer f.Close()
		lines(f, size, func(line []byte, err error) bool {
			if err != nil {
				err = s.unreadable(err)
			}
			return yield(line, err) && err == nil
		})
	}
}

// Repair implements [store.Ledgers].
func (s *Store) Repair(context.Context, string, bool) ([]store.Fault, error) { return nil, nil }

// Accounts implements [store.Ledgers]. A ledger that is empty, damaged or not to be looked at is one all the same: whoever
// reads it is told.
func (s *Store) Accounts(context.Context) ([]string, error) {
	entries, err := os.ReadDir(s.logPath)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, s.unreadable(err)
	}
	var accounts []string
	for _, e := range entries {
		if store.CheckName("signature", e.Name()) != nil {
			continue
		}
		if _, err := os.Stat(s.LedgerFile(e.Name())); err == nil || !absent(err) {
			accounts = append(accounts, e.Name())
		}
	}
	return accounts, nil
}

// readOnly tells whether an error says that nothing may be written there.
func readOnly(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// absent tells whether an error says that there is no such file.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) }

func (s *Store) unreadable(err error) error {
	return &store.UnreachableError{Engine: engine, Doing: "read the ledger", Err: err}
}

// snapshot opens a ledger as it is now: a handle of its own and the size up to which its lines are whole. Both are
// zero where there is no ledger.
func (s *Store) snapshot(account string) (*os.File, int64, error) {
	l, err := s.ledger(account)
	if err != nil {
		return nil, 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := &ledgerFile{path: l.path} // l keeps its handle, and the path may lead to another file by now
	if err := now.refresh(); err != nil {
		return nil, 0, s.unreadable(err)
	}
	return now.file, now.size, nil
}

// ledger returns the one ledgerFile of an account in this process.
func (s *Store) ledger(account string) (*ledgerFile, error) {
	if err := store.CheckName("signature", account); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.ledgers[account]
	if l == nil {
		l = &ledgerFile{path: s.LedgerFile(account), queue: s.queueOf(s.ledgerLock(account))}
		s.ledgers[account] = l
	}
	return l, nil
}
