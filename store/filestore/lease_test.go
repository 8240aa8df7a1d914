//go:build unix

package filestore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/storetest"
)

var run = store.Owner{Name: "process 1 on m", Nonce: "1", Since: time.Unix(1, 0)}

func lease(t *testing.T, s *filestore.Store, o store.Owner) store.Lease {
	t.Helper()
	l, err := s.Lease(t.Context(), "a", o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// commit appends a line under a lease; 0 is an order by hand.
func commit(t *testing.T, s store.Store, id int64, f store.Fence) error {
	t.Helper()
	c := storetest.Follow(t, s, storetest.Commit("a", id, ""))
	c.Fence = f
	return s.Append(t.Context(), c)
}

func wantLeased(t *testing.T, err error) {
	t.Helper()
	var leased *store.LeasedError
	if !errors.As(err, &leased) || leased.By.Name != run.Name || leased.Life != 0 {
		t.Errorf("answered %v, want that %s has the account", err, run.Name)
	}
}

func TestLease_FilesThatAreRemovedDuringARun(t *testing.T) {
	for _, c := range []struct {
		name, file string
		lost       bool // the run stops, since nothing proves its lease any more
	}{
		{"the lock of the ledger", "position/.position.lock", false},
		{"the lock of the run", ".run.lock", false},
		{"who has the account", ".run.lease", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s, others := open(t, dir), open(t, dir)
			l := lease(t, s, run)
			if err := commit(t, s, 0, l.Fence()); err != nil {
				t.Fatal(err)
			}
			remove(t, filepath.Join(dir, "log", "a", c.file))
			if c.lost {
				for _, err := range []error{l.Renew(t.Context()), commit(t, s, 1, l.Fence()), s.SaveCheckpoint(t.Context(), "a", l.Fence(), []byte(`{}`))} {
					if !errors.Is(err, store.ErrLeaseLost) {
						t.Errorf("the run is answered %v", err)
					}
				}
				return
			}
			if err := l.Renew(t.Context()); err != nil {
				t.Error(err)
			}
			wantLeased(t, commit(t, others, 1, 0))
			_, err := others.Lease(t.Context(), "a", store.Owner{Nonce: "2"})
			wantLeased(t, err)
			if err := commit(t, s, 1, l.Fence()); err != nil {
				t.Error(err)
			}
			if err := l.Release(t.Context()); err != nil {
				t.Error(err)
			}
			if err := commit(t, others, 2, 0); err != nil {
				t.Errorf("by hand after the run: %v", err)
			}
		})
	}
}

// Where the lock of a run was removed, another one may get it before that is seen. Only the newer one goes on.
func TestLease_TakenOverWithItsLockRemoved(t *testing.T) {
	dir := t.TempDir()
	s, others := open(t, dir), open(t, dir)
	first := lease(t, s, run)
	remove(t, filepath.Join(dir, "log", "a", ".run.lock"))
	second := lease(t, others, store.Owner{Name: "process 2", Nonce: "2"})
	if err := first.Renew(t.Context()); !errors.Is(err, store.ErrLeaseLost) {
		t.Errorf("the first run renews: %v", err)
	}
	if err := commit(t, s, 0, first.Fence()); !errors.Is(err, store.ErrLeaseLost) {
		t.Errorf("the first run trades: %v", err)
	}
	if err := first.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if err := errors.Join(second.Renew(t.Context()), commit(t, others, 0, second.Fence())); err != nil {
		t.Errorf("the second run: %v", err)
	}
	var leased *store.LeasedError
	if err := commit(t, s, 1, 0); !errors.As(err, &leased) || leased.By.Name != "process 2" {
		t.Errorf("by hand: %v", err)
	}
}

// Whoever cannot read who has the account does not trade beside a run.
func TestLease_ThatCannotBeRead(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"damaged": func(path string) error { return os.WriteFile(path, []byte("\x00\x00"), 0o600) },
		"no file": func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s, others := open(t, dir), open(t, dir)
			lease(t, s, run)
			if err := spoil(filepath.Join(dir, "log", "a", ".run.lease")); err != nil {
				t.Fatal(err)
			}
			if err := commit(t, others, 0, 0); err == nil {
				t.Error("an order by hand is in the ledger")
			}
		})
	}
}

// leaseUntilKilled takes the account "a" and says so.
func leaseUntilKilled(dir, _, _ string) error {
	s := filestore.New(filepath.Join(dir, "data"), filepath.Join(dir, "log"))
	if _, err := s.Lease(context.Background(), "a", run); err != nil {
		return err
	}
	fmt.Println("held")
	time.Sleep(time.Hour)
	return nil
}

func TestLease_EndsWithItsProcess(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	cmd, out := child(t, "lease", dir, "", 0)
	if !out.Scan() {
		t.Fatal("the account is not taken")
	}
	holder := func() store.Owner {
		seen, err := s.Look(t.Context(), store.Look{Account: "a"})
		if err != nil {
			t.Fatal(err)
		}
		return seen[0].Holder
	}
	wantLeased(t, commit(t, s, 0, 0))
	if by := holder(); by.Name != run.Name {
		t.Errorf("while it runs the account is seen with %+v", by)
	}
	_, err := s.Lease(t.Context(), "a", store.Owner{Nonce: "2"})
	wantLeased(t, err)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if by := holder(); by != (store.Owner{}) {
		t.Errorf("after it was killed the account is seen with %+v", by)
	}
	if err := commit(t, s, 0, 0); err != nil {
		t.Errorf("by hand after the run was killed: %v", err)
	}
	l := lease(t, s, store.Owner{Nonce: "2"})
	if err := commit(t, s, 1, l.Fence()); err != nil {
		t.Error(err)
	}
}
