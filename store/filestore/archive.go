// An account that is put aside under another name: its files are moved there, and its locks stay.

package filestore

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"mcp-trade/internal/files"
	"mcp-trade/store"
)

// Archive implements [store.Runs]. The ledger is moved last: until then the account is where it was, and what was interrupted
// can be done again.
func (s *Store) Archive(ctx context.Context, account, as string, f store.Fence) error {
	if err := store.CheckName("signature", as); err != nil {
		return err
	}
	use, err := s.useLedger(account)
	if err != nil {
		return err
	}
	defer use.Done()
	if _, err := os.Stat(filepath.Join(s.logPath, account)); absent(err) {
		return nil // as in a copy of the runs that another machine made
	}
	if err := s.access.MkdirAll(filepath.Dir(use.Value.path)); err != nil {
		return s.cannotRun("archive the account", err)
	}
	err = s.exclusively(ctx, use.Value, func() error {
		if err := s.checkLease(store.Commit{Account: account, Fence: f}); err != nil {
			return err
		}
		return s.move(ctx, account, as)
	})
	if err == nil || store.Refused(err) || errors.Is(err, store.ErrTaken) {
		return err
	}
	return s.cannotRun("archive the account", err)
}

// move moves the files of an account.
func (s *Store) move(ctx context.Context, account, as string) error {
	var moves [][2]string
	for _, path := range []func(account string) string{s.checkpointFile, s.journalsFolder, s.LedgerFile} {
		from, to := path(account), path(as)
		_, gone := os.Lstat(from)
		if _, err := os.Lstat(to); err == nil && (gone == nil || to == s.LedgerFile(as)) {
			return store.ErrTaken // else it was moved before, when this was interrupted
		}
		if gone == nil {
			moves = append(moves, [2]string{from, to})
		}
	}
	if err := s.moveManifest(ctx, account, as); err != nil {
		return err
	}
	for _, m := range moves {
		from, to := m[0], m[1]
		err := s.access.MkdirAll(filepath.Dir(to))
		if err == nil {
			err = os.Rename(from, to)
		}
		if err := errors.Join(err, files.SyncFolder(filepath.Dir(to)), files.SyncFolder(filepath.Dir(from))); err != nil {
			return err
		}
	}
	return nil
}

// moveManifest moves what the manifest says of an account.
func (s *Store) moveManifest(ctx context.Context, account, as string) error {
	return s.changeManifest(ctx, func(m manifest) (changed bool, err error) {
		runs, noted := m.Accounts[account]
		if !noted {
			return false, nil
		}
		if _, taken := m.Accounts[as]; taken {
			return false, store.ErrTaken
		}
		m.Accounts[as] = runs
		delete(m.Accounts, account)
		return true, nil
	})
}
