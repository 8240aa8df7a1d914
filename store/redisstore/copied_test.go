package redisstore_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/storetest"
)

// copied is a Redis whose runs are copied into files.
type copied struct {
	*wholeStore
	store.Copied
}

type wholeStore struct {
	store.Sessions
	store.Ledgers
	store.Tokens
	named
}

type named interface {
	Name() string
	Close() error
}

func TestCopied(t *testing.T) {
	testenv.Slow(t)
	storetest.Run(t, func(t *testing.T) store.Store {
		s, dir := open(t, "redis://"+testenv.StartRedis(t)), t.TempDir()
		return copied{&wholeStore{s, s, s, s}, store.Copied{Runs: s, Copy: filestore.New(dir, dir)}}
	})
}

func TestCopied_OnAnotherMachine(t *testing.T) {
	s := open(t, "redis://"+testenv.StartRedis(t))
	machine := func() (store.Runs, string) {
		dir := t.TempDir()
		return store.Copied{Runs: s, Copy: filestore.New(dir, dir)}, dir
	}
	read := func(dir string, path ...string) string {
		text, err := os.ReadFile(filepath.Join(append([]string{dir}, path...)...))
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	transcript := func(day string) []string { return []string{"a", "log", day, "transcript.jsonl"} }
	write := func(r store.Runs, day string, f store.Fence, lines ...string) {
		t.Helper()
		j, err := r.OpenJournal(t.Context(), "a", day, f)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		for _, line := range lines {
			if err := j.Append(t.Context(), []byte(line)); err != nil {
				t.Fatal(err)
			}
		}
	}
	take := func(r store.Runs, nonce string) store.Lease {
		t.Helper()
		l, err := r.Lease(t.Context(), "a", store.Owner{Name: "m", Nonce: nonce, Since: time.Unix(1, 0)})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}

	// What an earlier version left in files is taken over.
	first, here := machine()
	before := filestore.New(here, here)
	write(before, "2025-10-01", 0, `{"n":1}`)
	set := func([]byte) ([]byte, error) { return []byte(`[1]`), nil }
	if err := errors.Join(before.SaveCheckpoint(t.Context(), "a", 0, []byte(`{"c":1}`)), before.UpdateManifest(t.Context(), "a", 0, set)); err != nil {
		t.Fatal(err)
	}
	l := take(first, "1")
	write(first, "2025-10-01", l.Fence(), `{"n":2}`)
	write(first, "2025-10-02", l.Fence(), `{"n":3}`)
	if text, err := first.Checkpoint(t.Context(), "a"); string(text) != `{"c":1}` {
		t.Errorf("the checkpoint is %s, %v", text, err)
	}
	if err := first.SaveCheckpoint(t.Context(), "a", l.Fence(), []byte(`{"c":2}`)); err != nil {
		t.Error(err)
	}
	add := func(old []byte) ([]byte, error) { return []byte(strings.Replace(string(old), "1", "1,2", 1)), nil }
	if err := first.UpdateManifest(t.Context(), "a", l.Fence(), add); err != nil {
		t.Error(err)
	}
	if err := l.Release(t.Context()); err != nil {
		t.Fatal(err)
	}

	// Another machine has all of it, and what it does comes back.
	second, there := machine()
	l = take(second, "2")
	for _, day := range []string{"2025-10-01", "2025-10-02"} {
		if got, want := read(there, transcript(day)...), read(here, transcript(day)...); got != want || got == "" {
			t.Errorf("the transcript of %s is %q, want %q", day, got, want)
		}
	}
	text, err := second.Checkpoint(t.Context(), "a")
	manifest, err2 := second.Manifest(t.Context(), "a")
	if string(text) != `{"c":2}` || string(manifest) != `[1,2]` {
		t.Errorf("the checkpoint is %s, %v, the manifest %s, %v", text, err, manifest, err2)
	}
	write(second, "2025-10-02", l.Fence(), `{"n":4}`)
	write(second, "2025-10-03", l.Fence(), `{"n":5}`)
	if err := l.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(append([]string{here}, transcript("2025-10-02")...)...), []byte("{\"n\":3}\n{\"never\":1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l = take(first, "3")
	for _, day := range []string{"2025-10-02", "2025-10-03"} {
		if got, want := read(here, transcript(day)...), read(there, transcript(day)...); got != want {
			t.Errorf("back again the transcript of %s is %q, want %q", day, got, want)
		}
	}
	if days, err := first.JournalDays(t.Context(), "a"); !slices.Equal(days, []string{"2025-10-01", "2025-10-02", "2025-10-03"}) {
		t.Errorf("the days are %q, %v", days, err)
	}
	if err := l.Release(t.Context()); err != nil {
		t.Error(err)
	}
}

// A run that was killed gives nothing back: its lease ends, and until the next one it is no harm.
func TestLease_OfARunThatWasKilled(t *testing.T) {
	addr := testenv.StartRedis(t)
	s, c := open(t, "redis://"+addr), bare(t, addr)
	rights := []any{"ACL", "SETUSER", "trader", "reset", "on", ">secret-word", "~ledger:{a}", "~orders:{a}", "+evalsha", "+eval", "+xadd", "+xrange", "+xrevrange", "+hget", "+hset"}
	do(t, c, rights...)
	narrow := open(t, "redis://trader:secret-word@"+addr)
	appendLine(t, narrow, 0)
	l, err := s.Lease(t.Context(), "a", store.Owner{Name: "m", Nonce: "1", Since: time.Unix(1, 0)})
	if err != nil {
		t.Fatal(err)
	}
	by := func(s store.Ledgers, id int64, f store.Fence) error {
		commit := storetest.Follow(t, s, storetest.Commit("a", id, ""))
		commit.Fence = f
		return s.Append(t.Context(), commit)
	}
	var leased *store.LeasedError
	for _, s := range []store.Ledgers{s, narrow} {
		if err := by(s, 1, 0); !errors.As(err, &leased) || leased.Life <= 0 || leased.Life > 10*time.Second {
			t.Errorf("beside the run: %v", err)
		}
	}
	if err := by(narrow, 1, l.Fence()); err != nil {
		t.Errorf("the run's own server, with the fewest rights: %v", err)
	}
	if life := do(t, c, "PTTL", "orders:{a}{lease}"); life.(int64) <= 0 || life.(int64) > 10_000 {
		t.Errorf("the lease lives for %v ms", life)
	}
	do(t, c, "DEL", "orders:{a}{lease}") // as if its time were over
	if err := by(narrow, 2, 0); !errors.As(err, &leased) {
		t.Errorf("who may not see whether the lease lives trades: %v", err)
	}
	if err := errors.Join(by(s, 2, 0), by(s, 3, l.Fence()), l.Renew(t.Context())); err != nil {
		t.Errorf("a lease that ended, and that nobody took: %v", err)
	}
	if err := l.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := by(narrow, 4, 0); err != nil {
		t.Errorf("after the run: %v", err)
	}
}
