// Reading ledgers in plain files.

package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"syscall"

	"mcp-trade/internal/lru"
	"mcp-trade/store"
)

// Head implements [store.Ledgers]. It takes a lock only to make sure that the line of an order is durable.
func (s *Store) Head(ctx context.Context, account, orderID string) (head, ordered []byte, err error) {
	use, err := s.useLedger(account)
	if err != nil {
		return nil, nil, err
	}
	defer use.Done()
	l := use.Value
	seen, err := l.state(ctx, orderID)
	if err == nil && !seen.durable {
		seen, err = s.durableState(ctx, l, orderID)
	}
	if err != nil {
		return nil, nil, s.readError(err)
	}
	return seen.head, seen.ordered, nil
}

// Lines implements [store.Ledgers].
func (s *Store) Lines(ctx context.Context, account string) iter.Seq2[[]byte, error] {
	return s.read(account, func(f *os.File, size int64, _ *index) iter.Seq2[line, error] {
		return forward(ctx, f, 0, size)
	})
}

// LinesBefore implements [store.Ledgers].
func (s *Store) LinesBefore(ctx context.Context, account string, filter store.Filter) iter.Seq2[[]byte, error] {
	return s.read(account, func(f *os.File, size int64, x *index) iter.Seq2[line, error] {
		if filter == (store.Filter{Before: store.MaxID}) {
			return backward(ctx, f, 0, size)
		}
		return x.before(ctx, f, size, filter)
	})
}

// read yields the lines that choose selects from a ledger as it is now, up to the first error.
func (s *Store) read(account string, choose func(*os.File, int64, *index) iter.Seq2[line, error]) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		use, err := s.useLedger(account)
		if err != nil {
			yield(nil, err)
			return
		}
		defer use.Done()
		f, size, x, err := s.snapshot(use.Value)
		if err != nil {
			yield(nil, err)
			return
		}
		if f == nil {
			return
		}
		defer f.Close()
		for line, err := range choose(f, size, x) {
			if err != nil {
				yield(nil, s.readError(fmt.Errorf("%s: %w", s.LedgerFile(account), err)))
				return
			}
			if !yield(bytes.Clone(line.text), nil) {
				return
			}
		}
	}
}

// Accounts implements [store.Ledgers]. A ledger that is empty, damaged or unreadable is listed, too: whoever reads it gets the
// error.
func (s *Store) Accounts(context.Context) ([]string, error) {
	entries, err := os.ReadDir(s.logPath)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, s.readError(err)
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

// readOnly tells whether an error says that the file must not be written.
func readOnly(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// absent tells whether an error says that there is no such file.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) }

func (s *Store) readError(err error) error {
	return &store.UnreachableError{Engine: engine, Doing: "read the ledger", Err: err}
}

// snapshot opens a ledger as it is now. It returns a new handle, the size up to which the lines are whole, and the index; all
// are zero if there is no ledger.
func (s *Store) snapshot(l *ledgerFile) (*os.File, int64, *index, error) {
	for range maxReplaced {
		f, size, x, err := l.snapshot()
		if err != nil {
			return nil, 0, nil, s.readError(err)
		}
		if f != nil || size == 0 {
			return f, size, x, nil
		}
	}
	return nil, 0, nil, s.readError(errAgain)
}

// useLedger returns the ledgerFile of an account, of which a process has one. It stays open until the use is done.
func (s *Store) useLedger(account string) (*lru.Entry[*ledgerFile], error) {
	if err := store.CheckName("signature", account); err != nil {
		return nil, err
	}
	return s.ledgers.Use(account, func() *ledgerFile {
		path := s.LedgerFile(account)
		queue := s.useQueue(s.ledgerLock(account))
		return &ledgerFile{account: account, path: path, queue: queue.Value, queueUse: queue, index: &index{
			path: filepath.Join(filepath.Dir(path), ".position.index"), access: s.access, every: s.indexEvery,
		}}
	}), nil
}

// dropLedger closes the files of a ledger that nobody uses. Whoever appends to a ledger uses it until the group of the line is
// settled, so there is none.
func (s *Store) dropLedger(l *ledgerFile) {
	if err := l.closeAll(); err != nil {
		s.warn(err.Error())
	}
}
