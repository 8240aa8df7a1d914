package filestore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/storetest"
)

// syncs counts the syncs of a store's ledgers, and fails them while fail is set.
type syncs struct {
	count int
	fail  func(f *os.File) error
}

func (s *syncs) option() filestore.Option {
	return filestore.WithDisk(nil, func(f *os.File) error {
		s.count++
		if s.fail != nil {
			return s.fail(f)
		}
		return f.Sync()
	})
}

// patient has a line wait for the next one as long as it takes.
var patient = filestore.WithGroupTime(time.Hour)

// appendTogether appends commits as orders that wait in line: each is judged when the one before it has its place, and the
// last one knows that nobody follows.
func appendTogether(t *testing.T, s store.Store, commits ...store.Commit) []error {
	t.Helper()
	errs := make([]error, len(commits))
	var all sync.WaitGroup
	for i, c := range commits {
		settled := make(chan struct{}) // the order has its place, or its answer
		settle := sync.OnceFunc(func() { close(settled) })
		c.Placed = func() int {
			settle()
			return len(commits) - 1 - i
		}
		all.Go(func() {
			defer settle()
			errs[i] = s.Append(context.Background(), c)
		})
		<-settled
	}
	all.Wait()
	return errs
}

// row is the line with an id, each after the one before it.
func row(id int64, guards ...store.Guard) store.Commit {
	c := storetest.Commit("a", id, "")
	c.Guards = guards
	return c
}

// Orders that wait share one sync.
func TestGroup_SharesOneSync(t *testing.T) {
	var disk syncs
	s := open(t, t.TempDir(), disk.option(), patient)
	appendLine(t, s, 0)
	disk.count = 0
	if err := errors.Join(appendTogether(t, s, row(1), row(2), row(3), row(4))...); err != nil {
		t.Fatal(err)
	}
	if disk.count != 1 {
		t.Errorf("%d syncs for four orders that wait", disk.count)
	}
	wantFile(t, s.LedgerFile("a"), lines(5))
	appendLine(t, s, 5)
	if disk.count != 2 {
		t.Errorf("%d syncs after one more order, for which nobody waits", disk.count)
	}
}

// A group of lines is bounded.
func TestGroup_Bounded(t *testing.T) {
	var disk syncs
	s := open(t, t.TempDir(), disk.option(), patient)
	var commits []store.Commit
	for id := range int64(70) {
		commits = append(commits, row(id))
	}
	if err := errors.Join(appendTogether(t, s, commits...)...); err != nil {
		t.Fatal(err)
	}
	if disk.count != 3 {
		t.Errorf("%d syncs for 70 lines, want one for each 32", disk.count)
	}
	wantFile(t, s.LedgerFile("a"), lines(70))
}

// The next order may be refused before it comes to the ledger.
func TestGroup_WaitsForNoLine(t *testing.T) {
	var disk syncs
	s := open(t, t.TempDir(), disk.option())
	c := row(0)
	c.Placed = func() int { return 1 }
	if err := s.Append(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if disk.count != 1 {
		t.Errorf("%d syncs", disk.count)
	}
	appendLine(t, s, 1)
}

// A failed sync acknowledges nobody.
func TestGroup_FailedSync(t *testing.T) {
	broken := errors.New("the disk is broken")
	for _, c := range []struct {
		name    string
		fail    func(f *os.File) error
		unknown bool
		left    string
	}{
		{"the lines are cut off again", func(*os.File) error { return broken }, false, lines(1)},
		{"another program wrote after them", func(f *os.File) error {
			_, err := f.WriteString(line(9) + "\n")
			return errors.Join(broken, err)
		}, true, lines(4) + line(9) + "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var disk syncs
			s := open(t, t.TempDir(), disk.option(), patient)
			appendLine(t, s, 0)
			disk.fail = c.fail
			for i, err := range appendTogether(t, s, row(1), row(2), row(3)) {
				unreachable := new(store.UnreachableError)
				if !errors.As(err, &unreachable) || !errors.Is(err, broken) || unreachable.Unknown != c.unknown {
					t.Errorf("order %d is answered %v", i, err)
				}
			}
			wantFile(t, s.LedgerFile("a"), c.left)
			if disk.fail = nil; !c.unknown {
				if err := errors.Join(appendTogether(t, s, row(1), row(2))...); err != nil {
					t.Error(err)
				}
				wantFile(t, s.LedgerFile("a"), lines(3))
			}
		})
	}
}

// No other process builds on a line that is not durable.
func TestGroup_OtherProcesses(t *testing.T) {
	dir := t.TempDir()
	s, other := open(t, dir, patient), open(t, dir)
	appendLine(t, s, 0)
	placed, done := make(chan struct{}), make(chan error)
	c := row(1)
	c.Placed = func() int { close(placed); return 1 }
	go func() { done <- s.Append(context.Background(), c) }()
	<-placed
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	wantUnreachable(t, other.Append(ctx, row(2)), "position.lock")
	wantHead(t, other, line(1)) // it may be looked at
	if err := s.Append(t.Context(), row(2)); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	appendLine(t, other, 3)
}

// Each case does something while a line has its place and is not durable yet.
func TestGroup_ChangesBetweenLines(t *testing.T) {
	held := store.Guard{Expect: values{today: `"d"`}, Update: values{ifTrade: `true`}}
	for _, c := range []struct {
		name    string
		between func(t *testing.T, s *filestore.Store)
		second  error
		flag    string // IF_TRADE in the end
	}{
		{"nothing", func(*testing.T, *filestore.Store) {}, nil, `true`},
		{"the session moves on to another day", func(t *testing.T, s *filestore.Store) {
			if err := s.SetValues(t.Context(), values{today: `"e"`, ifTrade: `false`}, 0); err != nil {
				t.Fatal(err)
			}
		}, store.ErrSessionChanged, `false`},
		{"a halt for all, which waits for the commits under way", func(t *testing.T, s *filestore.Store) {
			if err := s.SetValues(t.Context(), values{halt: `true`}, 0); err != nil {
				t.Fatal(err)
			}
		}, store.ErrSessionChanged, `true`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var disk syncs
			s := open(t, t.TempDir(), disk.option(), filestore.WithGroupTime(time.Second))
			if err := s.SetValues(t.Context(), values{today: `"d"`, ifTrade: `false`}, 0); err != nil {
				t.Fatal(err)
			}
			appendLine(t, s, 0)
			disk.count = 0
			guard := held
			guard.Backend = s
			guard.Expect = values{today: `"d"`, halt: ""}
			placed, done := make(chan struct{}), make(chan error)
			first := row(1, guard)
			first.Placed = func() int { close(placed); return 1 }
			go func() { done <- s.Append(context.Background(), first) }()
			<-placed
			c.between(t, s)
			if err := s.Append(t.Context(), row(2, guard)); !errors.Is(err, c.second) {
				t.Errorf("the second order is answered %v", err)
			}
			if err := <-done; err != nil {
				t.Errorf("the first order is answered %v", err)
			}
			got, err := s.Values(t.Context(), ifTrade)
			if err != nil || got[ifTrade] != c.flag {
				t.Errorf("IF_TRADE is %q, %v, want %q", got[ifTrade], err, c.flag)
			}
			if disk.count != 1 {
				t.Errorf("%d syncs", disk.count)
			}
		})
	}
}

// A repeated order waits for its line to be durable.
func TestGroup_RepeatedOrder(t *testing.T) {
	broken := errors.New("the disk is broken")
	for _, fails := range []bool{false, true} {
		t.Run(fmt.Sprintf("the sync fails: %v", fails), func(t *testing.T) {
			var disk syncs
			s := open(t, t.TempDir(), disk.option(), patient)
			appendLine(t, s, 0)
			if fails {
				disk.fail = func(*os.File) error { return broken }
			}
			first, second := storetest.Commit("a", 1, "o-1"), storetest.Commit("a", 2, "o-1")
			second.After = first.Line
			errs := appendTogether(t, s, first, second)
			used := new(store.UsedError)
			switch {
			case fails && (!errors.Is(errs[0], broken) || !errors.Is(errs[1], store.ErrConflict)):
				t.Errorf("answered %v", errs)
			case !fails && (errs[0] != nil || !errors.As(errs[1], &used) || string(used.Line) != string(first.Line)):
				t.Errorf("answered %v", errs)
			}
			if !fails && disk.count != 2 {
				t.Errorf("%d syncs", disk.count)
			}
		})
	}
}

// A process may have been killed between writing a line and syncing it.
func TestGroup_RepeatedAnswer(t *testing.T) {
	dir := t.TempDir()
	var disk syncs
	s := open(t, dir, disk.option())
	write(t, s.LedgerFile("a"), lines(1)+string(storetest.Line(1, "o-1"))+"\n")
	broken := errors.New("the disk is broken")
	disk.fail = func(*os.File) error { return broken }
	_, _, err := s.Head(t.Context(), "a", "o-1")
	wantUnreachable(t, err, broken.Error())
	wantUnreachable(t, s.Append(t.Context(), storetest.Commit("a", 2, "o-1")), broken.Error())
	wantHead(t, s, string(storetest.Line(1, "o-1"))) // whoever asks for no order is not answered one

	disk.fail, disk.count = nil, 0
	for range 3 {
		if _, ordered, err := s.Head(t.Context(), "a", "o-1"); err != nil || string(ordered) != string(storetest.Line(1, "o-1")) {
			t.Errorf("%q, %v", ordered, err)
		}
		used := new(store.UsedError)
		if err := s.Append(t.Context(), storetest.Commit("a", 2, "o-1")); !errors.As(err, &used) {
			t.Error(err)
		}
	}
	if disk.count != 1 {
		t.Errorf("%d syncs for a line that one makes durable", disk.count)
	}
	// Of its own lines the process knows.
	if err := s.Append(t.Context(), storetest.Follow(t, s, storetest.Commit("a", 2, "o-2"))); err != nil {
		t.Fatal(err)
	}
	disk.count = 0
	if _, ordered, err := s.Head(t.Context(), "a", "o-2"); err != nil || ordered == nil || disk.count != 0 {
		t.Errorf("%q, %v after %d syncs", ordered, err, disk.count)
	}
}
