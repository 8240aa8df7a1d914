package filestore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"mcp-trade/internal/testenv"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/storetest"
)

var (
	halt      = store.Key{Model: store.AllModels, Name: "HALT"}
	ifTrade   = store.Key{Model: "26", Name: "IF_TRADE"}
	signature = store.Key{Model: "26", Name: "SIGNATURE"}
	today     = store.Key{Model: "26", Name: "TODAY_DATE"}
)

// open returns a store on a folder, as another process would have it.
func open(t testing.TB, dir string, options ...filestore.Option) *filestore.Store {
	s := filestore.New(filepath.Join(dir, "data"), filepath.Join(dir, "log"), options...)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// add appends to a file as a program does that knows nothing of locks.
func add(t testing.TB, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func line(id int64) string { return string(storetest.Line(id, "")) }

// lines is the text of a ledger with the ids 0 to n-1.
func lines(n int64) string {
	var text strings.Builder
	for id := range n {
		text.WriteString(line(id) + "\n")
	}
	return text.String()
}

func appendLine(t testing.TB, s store.Store, id int64) {
	t.Helper()
	if err := s.Append(t.Context(), storetest.Follow(t, s, storetest.Commit("a", id, ""))); err != nil {
		t.Fatalf("append of line %d: %v", id, err)
	}
}

func wantHead(t testing.TB, s store.Store, want string) {
	t.Helper()
	head, _, err := s.Head(t.Context(), "a", "")
	if err != nil || string(head) != want {
		t.Errorf("the head is %q, %v, want %q", head, err, want)
	}
}

func wantFile(t testing.TB, path, want string) {
	t.Helper()
	if got := read(t, path); got != want {
		t.Errorf("%s holds\n%.2000q\nwant\n%.2000q", filepath.Base(path), got, want)
	}
}

func wantUnreachable(t testing.TB, err error, words ...string) {
	t.Helper()
	unreachable := new(store.UnreachableError)
	if !errors.As(err, &unreachable) || unreachable.Engine != "file" || unreachable.Unknown {
		t.Errorf("answered %v", err)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error %q does not say %q", err, w)
		}
	}
}

func TestStore_Contract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, t.TempDir()) })
	storetest.Halt(t, open(t, t.TempDir()))
	t.Run("with an index of a few lines", func(t *testing.T) {
		testenv.Slow(t)
		storetest.Run(t, func(t *testing.T) store.Store { return open(t, t.TempDir(), filestore.WithIndexEvery(64)) })
	})
}

// Stores on one folder lose nothing.
func TestStore_Append_SeveralStores(t *testing.T) {
	dir := t.TempDir()
	const writers, each = 4, 25
	done := make(chan error)
	for w := range writers {
		s := open(t, dir)
		go func() {
			var errs error
			for i := range each {
				orderID := fmt.Sprintf("%d-%d", w, i)
				_, err := storetest.AppendNext(t.Context(), s, "a", func(id int64) []byte { return storetest.Line(id, orderID) })
				errs = errors.Join(errs, err)
			}
			done <- errs
		}()
	}
	for range writers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := len(storetest.Whole(t, open(t, dir), "a")); got != writers*each {
		t.Errorf("%d lines, want %d", got, writers*each)
	}
}

// Order ids outlive the store that wrote them.
func TestStore_Append_OrderIDsOfAnEarlierStore(t *testing.T) {
	dir := t.TempDir()
	first, second := open(t, dir, filestore.WithIndexEvery(64)), open(t, dir, filestore.WithIndexEvery(64))
	for id, s := range []store.Store{first, second, first} {
		if err := s.Append(t.Context(), storetest.Follow(t, s, storetest.Commit("a", int64(id), fmt.Sprintf("o-%d", id)))); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []store.Store{first, second, open(t, dir)} {
		for id := range int64(3) {
			orderID := fmt.Sprintf("o-%d", id)
			_, ordered, err := s.Head(t.Context(), "a", orderID)
			if err != nil || string(ordered) != string(storetest.Line(id, orderID)) {
				t.Errorf("order %s: %q, %v", orderID, ordered, err)
			}
			used := new(store.UsedError)
			if err := s.Append(t.Context(), storetest.Commit("a", 3, orderID)); !errors.As(err, &used) {
				t.Errorf("order %s again: %v", orderID, err)
			}
		}
	}
}

// A store that cannot write leaves nothing behind.
func TestStore_Append_NothingCanBeWritten(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "not a folder")
	s := filestore.New(filepath.Join(dir, "file"), filepath.Join(dir, "file"))
	wantUnreachable(t, s.Append(t.Context(), storetest.Commit("a", 0, "")), "file")
	wantUnreachable(t, s.SetValues(t.Context(), map[store.Key]string{{Model: "26", Name: "SIGNATURE"}: `"x"`}, 0), "file")
	_, err := s.Values(t.Context(), store.Key{Model: "26", Name: "SIGNATURE"})
	wantUnreachable(t, err, "file")
	_, _, err = s.Head(t.Context(), "a", "")
	wantUnreachable(t, err, "file")
	_, err = s.Accounts(t.Context())
	wantUnreachable(t, err, "file")

	// A line that is none is not written, nor is one that would be two.
	s = open(t, t.TempDir())
	for _, bad := range []string{"", "null", `{"id": 0`, "[]", "{\"id\": 0,\n\"x\": 1}"} {
		wantUnreachable(t, s.Append(t.Context(), store.Commit{Account: "a", Line: []byte(bad)}))
		wantHead(t, s, "")
	}
}

// A caller that cannot wait any longer is not held by another process's lock.
func TestStore_Append_LockHeldElsewhere(t *testing.T) {
	s := open(t, t.TempDir())
	appendLine(t, s, 0)
	lock := flock.New(filepath.Join(filepath.Dir(s.LedgerFile("a")), ".position.lock"))
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := s.Append(ctx, storetest.Commit("a", 1, ""))
	wantUnreachable(t, err, "position.lock")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller's deadline is not in %v", err)
	}
	wantHead(t, s, line(0)) // reading needs no lock
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	appendLine(t, s, 1)
}

// Accounts are folders with a ledger.
func TestStore_Accounts(t *testing.T) {
	s := open(t, t.TempDir())
	root := filepath.Dir(filepath.Dir(filepath.Dir(s.LedgerFile("a"))))
	write(t, s.LedgerFile("a"), lines(1))
	write(t, filepath.Join(root, "only-logs", "log", "2025-10-02", "log.jsonl"), "{}\n")
	write(t, filepath.Join(root, ".hidden", "position", "position.jsonl"), lines(1))
	write(t, filepath.Join(root, "a b", "position", "position.jsonl"), lines(1))
	write(t, filepath.Join(root, "notes.txt"), "")
	if got, err := s.Accounts(t.Context()); err != nil || !slices.Equal(got, []string{"a"}) {
		t.Errorf("the accounts are %q, %v", got, err)
	}
}

// A commit whose time is up is not made.
func TestStore_Append_TimeIsUp(t *testing.T) {
	s := open(t, t.TempDir())
	storetest.Fill(t, s, "a", 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Append(ctx, storetest.Commit("a", 1, "")); !errors.Is(err, context.Canceled) {
		t.Errorf("a commit that nobody waits for: %v", err)
	}
	if got := storetest.Whole(t, s, "a"); len(got) != 1 {
		t.Errorf("the ledger is %q", got)
	}
}
