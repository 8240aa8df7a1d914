package filestore_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/storetest"
)

// moment does something once, at a moment of a commit.
type moment struct {
	store.Sessions
	do func()
}

func (m *moment) Place() store.Place { return "elsewhere" }

// Values is asked after the ledger was looked at and before a line is written.
func (m *moment) Values(context.Context, ...store.Key) (values, error) {
	m.once()
	return values{}, nil
}

func (m *moment) Prolong(context.Context, time.Duration, ...store.Key) error { return nil }

func (m *moment) once() {
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
}

// guard has the commit ask the moment.
func (m *moment) guard() store.Guard { return store.Guard{Backend: m, Expect: values{halt: ""}} }

// ground is a ledger of one line and what can happen to it.
type ground struct {
	*testing.T
	dir, path, lock string
	store           *filestore.Store
}

// others is another process.
func (g ground) others() *filestore.Store { return open(g, g.dir) }

// dropLock removes the lock, as somebody does who takes it for a leftover, and has another process trade, which comes too late.
func (g ground) dropLock() {
	remove(g.T, g.lock)
	others, tried := g.others(), make(chan error, 1)
	go func() { tried <- others.Append(context.Background(), storetest.Commit("a", 1, "")) }()
	g.Cleanup(func() {
		if err := <-tried; !errors.Is(err, store.ErrConflict) {
			g.Errorf("the other process was answered %v", err)
		}
	})
}

// replace puts a copy of the ledger in its place, as an editor does.
func (g ground) replace() {
	write(g, g.path+".new", read(g, g.path))
	rename(g.T, g.path, g.path+".old")
	rename(g.T, g.path+".new", g.path)
}

func (g ground) removeAccount() { remove(g.T, filepath.Dir(filepath.Dir(g.path))) }

func (g ground) moveData() { rename(g.T, filepath.Join(g.dir, "log"), filepath.Join(g.dir, "moved")) }

// Each case does something to the files while a line is committed after the first one.
func TestStore_Append_ReplacedFiles(t *testing.T) {
	testenv.Slow(t)
	const look, writing, syncing = "after the ledger was looked at", "as the line is written", "as the line is synced"
	const filled, again, unknown = "filled", "judge again", "unknown"
	for _, c := range []struct {
		name, when string
		do         func(ground)
		outcome    string
		want       string // in the ledger; "-": there is none
	}{
		{"the lock is removed, others trade", look, ground.dropLock, filled, lines(1) + "ours"},
		{"the lock is removed, others trade", writing, ground.dropLock, filled, lines(1) + "ours"},
		{"the lock is removed, others trade", syncing, ground.dropLock, filled, lines(1) + "ours"},
		{"the lock is removed", writing, func(g ground) { remove(g.T, g.lock) }, filled, lines(1) + "ours"},
		{"the lock is removed", syncing, func(g ground) { remove(g.T, g.lock) }, filled, lines(1) + "ours"},
		{"the ledger is replaced by a copy", look, ground.replace, filled, lines(1) + "ours"},
		{"the ledger is replaced by a copy", writing, ground.replace, filled, lines(1) + "ours"},
		{"the ledger is replaced by a copy", syncing, ground.replace, unknown, lines(1) + "ours"},
		{"the account is removed", look, ground.removeAccount, again, "-"},
		{"the account is removed", writing, ground.removeAccount, again, "-"},
		{"the account is removed", syncing, ground.removeAccount, unknown, "-"},
		{"the data is moved away", look, ground.moveData, again, "-"},
		{"the data is moved away", syncing, ground.moveData, unknown, "-"},
		{"a program without locks writes first", writing, func(g ground) { add(g, g.path, line(1)+"\n") }, again, lines(2)},
	} {
		t.Run(c.name+" "+c.when, func(t *testing.T) {
			m := &moment{}
			at := func(when string) {
				if when == c.when {
					m.once()
				}
			}
			g := ground{T: t, dir: t.TempDir()}
			g.store = open(t, g.dir, filestore.WithDisk(func(f *os.File, text []byte) (int, error) {
				at(writing)
				return f.Write(text)
			}, func(f *os.File) error {
				at(syncing)
				return f.Sync()
			}))
			g.path = g.store.LedgerFile("a")
			g.lock = filepath.Join(filepath.Dir(g.path), ".position.lock")
			appendLine(t, g.store, 0)

			commit := storetest.Commit("a", 1, "o-1")
			m.do = func() { c.do(g) }
			if c.when == look {
				commit.Guards = []store.Guard{m.guard()}
			}
			err := g.store.Append(t.Context(), commit)
			unreachable := new(store.UnreachableError)
			switch c.outcome {
			case filled:
				if err != nil {
					t.Errorf("answered %v", err)
				}
			case again:
				if !errors.Is(err, store.ErrConflict) {
					t.Errorf("answered %v", err)
				}
			case unknown:
				if !errors.As(err, &unreachable) || !unreachable.Unknown {
					t.Errorf("answered %v", err)
				}
			}
			if c.want == "-" {
				if _, err := os.Stat(filepath.Dir(g.path)); err == nil {
					t.Error("the folder was made anew")
				}
				return
			}
			if n := len(c.want) - len("ours"); c.want[n:] == "ours" {
				c.want = c.want[:n] + string(commit.Line) + "\n"
			}
			wantFile(t, g.path, c.want)
			if old, err := os.ReadFile(g.path + ".old"); err == nil && c.outcome == filled && string(old) != lines(1) {
				t.Errorf("the file that was replaced holds %q", old)
			}
			next := int64(len(storetest.Whole(t, g.others(), "a")))
			appendLine(t, g.store, next)
			appendLine(t, g.others(), next+1)
		})
	}
}

// The lock of a session excludes only who has the file that its path names.
func TestStore_Append_RemovedSessionLock(t *testing.T) {
	dir := t.TempDir()
	var s *filestore.Store
	m := &moment{}
	s = open(t, dir, filestore.WithDisk(func(f *os.File, text []byte) (int, error) {
		m.once()
		return f.Write(text)
	}, nil))
	if err := s.SetValues(t.Context(), values{today: `"d"`}, 0); err != nil {
		t.Fatal(err)
	}
	appendLine(t, s, 0)
	m.do = func() {
		remove(t, s.SessionFile("26")+".lock")
		if err := open(t, dir).SetValues(t.Context(), values{today: `"e"`}, 0); err != nil {
			t.Error(err)
		}
	}
	err := s.Append(t.Context(), row(1, store.Guard{Backend: s, Expect: values{today: `"d"`}}))
	if !errors.Is(err, store.ErrSessionChanged) {
		t.Errorf("answered %v", err)
	}
	wantFile(t, s.LedgerFile("a"), lines(1))
	appendLine(t, s, 1)
}

// Whoever reads a ledger lets go of a file that was replaced, while somebody else is about to append to it: that one sees the new
// file, and does not fail for the old one.
func TestStore_Append_ReplacedUnderReaders(t *testing.T) {
	testenv.Slow(t)
	g := ground{T: t, dir: t.TempDir()}
	g.store = open(t, g.dir)
	g.path = g.store.LedgerFile("a")
	appendLine(t, g.store, 0)
	stop := make(chan struct{})
	var others sync.WaitGroup
	for i := range 4 {
		others.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if i == 0 {
					put := storetest.Line(0, "")
					write(t, g.path+".new", string(put)+"\n")
					rename(t, g.path+".new", g.path)
				}
				_, _, _ = g.store.Head(context.Background(), "a", "") // what it finds is gone at once
			}
		})
	}
	for range 2000 {
		err := g.store.Append(t.Context(), storetest.Commit("a", 1, ""))
		if err != nil && strings.Contains(err.Error(), "closed") {
			t.Error(err)
			break
		}
	}
	close(stop)
	others.Wait()
}
