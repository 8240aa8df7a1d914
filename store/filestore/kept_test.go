package filestore_test

// Tests of what a store keeps open of accounts that are not in use.

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/storetest"
)

// openFiles returns how many files this process has open.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	testenv.Require(t, "procfs", err == nil, "there is no /proc")
	return len(entries)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A process that has traded in a thousand accounts, one after the other, holds no more than one that has traded in some.
// It is not parallel: it counts the files of the process.
func TestStore_AThousandAccounts(t *testing.T) {
	testenv.Slow(t)
	const accounts = 1000
	s := open(t, t.TempDir(), filestore.WithDisk(nil, func(*os.File) error { return nil }), filestore.WithIndexEvery(1<<10))
	trade := func(from, to int) {
		for n := from; n < to; n++ {
			account, model := fmt.Sprintf("account-%d", n), fmt.Sprintf("model-%d", n)
			k := store.Key{Model: model, Name: "SIGNATURE"}
			if err := s.SetValues(t.Context(), values{k: `"` + account + `"`}, 0); err != nil {
				t.Fatal(err)
			}
			old := time.Now().Add(-time.Minute) // else the session could not be kept: it may be written again
			if err := os.Chtimes(s.SessionFile(model), old, old); err != nil {
				t.Fatal(err)
			}
			for id := range int64(20) { // enough for an index
				c := storetest.Follow(t, s, storetest.Commit(account, id, fmt.Sprint("order-", id)))
				c.Guards = []store.Guard{{Backend: s, Expect: values{k: `"` + account + `"`}}}
				if err := s.Append(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			if _, ordered, err := s.Head(t.Context(), account, "order-3"); err != nil || ordered == nil {
				t.Fatalf("%s has lost an order: %v", account, err)
			}
		}
	}
	before := openFiles(t)
	_, bounds := s.Kept()
	some := slices.Max(bounds[:2])
	trade(0, some)
	memory := heap()
	trade(some, accounts)
	kept, _ := s.Kept()
	for i, what := range []string{"ledgers", "sessions", "queues"} {
		if kept[i] > bounds[i] || kept[i] == 0 {
			t.Errorf("%d %s are kept, and the bound is %d", kept[i], what, bounds[i])
		}
	}
	if now := openFiles(t); now-before > 2*bounds[0]+10 {
		t.Errorf("%d files are open, and %d were before the first account", now, before)
	}
	if now := heap(); now > memory+memory/2 {
		t.Errorf("%d bytes are in use after %d accounts, and %d after %d", now, accounts, memory, some)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if now := openFiles(t); now > before+10 {
		t.Errorf("%d files are open after the store was closed, and %d were before it was opened", now, before)
	}
}

// Whatever is dropped while others are used, each ledger has every line that was acknowledged, once.
func TestStore_MoreAccountsThanAreKept(t *testing.T) {
	testenv.Slow(t)
	const accounts, goroutines, each = 12, 8, 60
	for _, kept := range []int{0, 1, 3} {
		t.Run(fmt.Sprint(kept, " are kept"), func(t *testing.T) {
			t.Parallel()
			s := open(t, t.TempDir(), filestore.WithKept(kept), filestore.WithIndexEvery(1<<10))
			var mu sync.Mutex
			acknowledged := map[string][]int64{}
			var wait sync.WaitGroup
			for g := range goroutines {
				wait.Go(func() {
					random := rand.New(rand.NewPCG(uint64(g), uint64(kept)))
					for i := range each {
						account := fmt.Sprint("a", random.IntN(accounts))
						order := fmt.Sprintf("%d-%d", g, i)
						id, err := storetest.AppendNext(t.Context(), s, account, func(id int64) []byte { return storetest.Line(id, order) })
						if err != nil {
							t.Errorf("%s: %v", account, err)
							return
						}
						mu.Lock()
						acknowledged[account] = append(acknowledged[account], id)
						mu.Unlock()
						if _, ordered, err := s.Head(t.Context(), account, order); err != nil || string(ordered) != string(storetest.Line(id, order)) {
							t.Errorf("%s has %s of the order %s, %v", account, ordered, order, err)
						}
						for _, err := range s.LinesBefore(t.Context(), fmt.Sprint("a", random.IntN(accounts)), store.Filter{Before: id, AsOf: "2025-12-31"}) {
							if err != nil {
								t.Error(err)
							}
						}
						if err := s.SetValues(t.Context(), values{{Model: account, Name: "N"}: fmt.Sprint(i)}, 0); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wait.Wait()
			for account, ids := range acknowledged {
				slices.Sort(ids)
				if lines := storetest.Whole(t, s, account); len(lines) != len(ids) || ids[0] != 0 || ids[len(ids)-1] != int64(len(ids)-1) {
					t.Errorf("%s has %d lines, and %v were acknowledged", account, len(lines), ids)
				}
			}
			if now, _ := s.Kept(); now[0] > kept || now[2] > kept+now[0] {
				t.Errorf("%v are kept", now)
			}
		})
	}
}

// A ledger is kept while somebody uses it, however few are kept: an order until its line is durable, a reader until its last line.
func TestStore_WhatIsInUseIsKept(t *testing.T) {
	syncing, goOn := make(chan struct{}), make(chan struct{})
	s := open(t, t.TempDir(), filestore.WithKept(0), filestore.WithDisk(nil, func(f *os.File) error {
		syncing <- struct{}{}
		<-goOn
		return f.Sync()
	}))
	kept := func(want int, when string) {
		t.Helper()
		if now, _ := s.Kept(); now[0] != want || now[2] != want {
			t.Errorf("%v are kept %s, want %d ledgers and queues", now, when, want)
		}
	}
	done := make(chan error)
	for n := range 3 {
		go func() { done <- s.Append(t.Context(), storetest.Commit(fmt.Sprint("a", n), 0, "")) }()
		<-syncing
		kept(n+1, "while lines become durable")
	}
	close(goOn)
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	kept(0, "when all lines are durable")
	for _, err := range s.Lines(t.Context(), "a0") {
		if err != nil {
			t.Error(err)
		}
		kept(1, "while a ledger is read")
	}
	kept(0, "when the ledger was read")
}

// A store that keeps nothing open passes what every store passes.
func TestStore_Contract_NothingKept(t *testing.T) {
	testenv.Slow(t)
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, t.TempDir(), filestore.WithKept(0)) })
}
