// The cases about the state of runs.

package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mcp-trade/store"
)

// since is when the runs of the suite began.
var since = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// owner is a run that is told by its number.
func owner(n int) store.Owner {
	return store.Owner{Name: fmt.Sprintf("process %d on the moon", n), Nonce: fmt.Sprintf("n%d", n), Since: since}
}

func take(t *testing.T, s store.Runs, account string, n int) store.Lease {
	t.Helper()
	l, err := s.Lease(t.Context(), account, owner(n))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func giveBack(t *testing.T, l store.Lease) {
	t.Helper()
	if err := l.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func wantLeased(t *testing.T, err error, account string, n int) {
	t.Helper()
	var leased *store.LeasedError
	if !errors.As(err, &leased) || leased.Account != account || leased.By != owner(n) {
		t.Errorf("answered %v, want that %s has %s", err, owner(n).Name, account)
	} else if text := err.Error(); !strings.Contains(text, owner(n).Name) || !strings.Contains(text, "since 2026-01-02T03:04:05Z") {
		t.Errorf("the error says %s", text)
	}
}

func leases(t *testing.T, s store.Store) {
	first := take(t, s, "a", 1)
	_, err := s.Lease(t.Context(), "a", owner(2))
	wantLeased(t, err, "a", 1)
	other := take(t, s, "b", 3)
	if err := first.Renew(t.Context()); err != nil {
		t.Error(err)
	}
	giveBack(t, first)
	second := take(t, s, "a", 2)
	if second.Fence() <= first.Fence() || first.Fence() <= 0 {
		t.Errorf("the fences are %d and then %d", first.Fence(), second.Fence())
	}
	if err := first.Renew(t.Context()); !errors.Is(err, store.ErrLeaseLost) {
		t.Errorf("the first run renews: %v", err)
	}
	for _, l := range []store.Lease{second, other} {
		if err := l.Renew(t.Context()); err != nil {
			t.Error(err)
		}
		giveBack(t, l)
	}
	if _, err := s.Lease(t.Context(), "..", owner(1)); err == nil {
		t.Error("a name that could leave its place has a lease")
	}
}

func fences(t *testing.T, s store.Store) {
	commit := func(id int64, order string, f store.Fence) error {
		c := Follow(t, s, Commit("a", id, order))
		c.Fence = f
		return s.Append(t.Context(), c)
	}
	first := take(t, s, "a", 1)
	wantLeased(t, commit(0, "", 0), "a", 1)
	wantLines(t, s, "a")
	if err := errors.Join(commit(0, "", first.Fence()), commit(1, "o-1", first.Fence())); err != nil {
		t.Fatal(err)
	}
	wantLeased(t, commit(2, "o-2", 0), "a", 1)
	var used *store.UsedError
	if err := commit(2, "o-1", 0); !errors.As(err, &used) {
		t.Errorf("an order that is in the ledger, repeated beside the run: %v", err)
	}
	giveBack(t, first)
	if err := commit(2, "o-2", 0); err != nil {
		t.Errorf("an order after the run: %v", err)
	}
	second := take(t, s, "a", 2)
	changed := Follow(t, s, Commit("a", 3, "o-3"))
	changed.Fence, changed.After = first.Fence(), Line(0, "")
	changed.Guards = []store.Guard{{Backend: s, Expect: values{today: `"another day"`}}}
	for _, err := range []error{commit(3, "o-3", first.Fence()), s.Append(t.Context(), changed)} {
		if !errors.Is(err, store.ErrLeaseLost) {
			t.Errorf("an order of the run that was overtaken: %v", err)
		}
	}
	if err := commit(3, "o-1", first.Fence()); !errors.As(err, &used) {
		t.Errorf("an order of the run that was overtaken, which is in the ledger: %v", err)
	}
	if err := commit(3, "o-3", second.Fence()); err != nil {
		t.Error(err)
	}
	if err := commit(0, "", 0); !errors.Is(err, store.ErrConflict) && !store.Refused(err) {
		t.Error(err)
	}
	giveBack(t, second)
	wantLines(t, s, "a", Line(0, ""), Line(1, "o-1"), Line(2, "o-2"), Line(3, "o-3"))
}

// overtaken returns the fences of a run that was overtaken, and of the one that has the account.
func overtaken(t *testing.T, s store.Runs) (old, now store.Fence) {
	t.Helper()
	first := take(t, s, "a", 1)
	giveBack(t, first)
	second := take(t, s, "a", 2)
	t.Cleanup(func() { _ = second.Release(t.Context()) })
	return first.Fence(), second.Fence()
}

func checkpoints(t *testing.T, s store.Store) {
	want := func(text string) {
		t.Helper()
		if got, err := s.Checkpoint(t.Context(), "a"); err != nil || string(got) != text || (got == nil) != (text == "") {
			t.Errorf("the checkpoint is %q, %v, want %q", got, err, text)
		}
	}
	old, now := overtaken(t, s)
	want("")
	for _, text := range []string{`{"date":"2025-10-01"}`, `{"date":"2025-10-02"}`} {
		if err := s.SaveCheckpoint(t.Context(), "a", now, []byte(text)); err != nil {
			t.Fatal(err)
		}
		want(text)
	}
	if err := s.SaveCheckpoint(t.Context(), "a", old, []byte(`{}`)); !errors.Is(err, store.ErrLeaseLost) {
		t.Errorf("the run that was overtaken saves: %v", err)
	}
	want(`{"date":"2025-10-02"}`)
}

func journals(t *testing.T, s store.Store) {
	const hour = "2025-10-01 10:00:00"
	old, now := overtaken(t, s)
	open := func(day string, f store.Fence, want ...string) store.Journal {
		t.Helper()
		j, err := s.OpenJournal(t.Context(), "a", day, f)
		if err != nil {
			t.Fatal(err)
		}
		if got := j.Lines(); !slices.EqualFunc(got, want, func(g []byte, w string) bool { return string(g) == w }) {
			t.Errorf("the journal of %s has %q, want %q", day, got, want)
		}
		t.Cleanup(func() { j.Close() })
		return j
	}
	var want []string
	for range 3 {
		j := open(hour, now, want...)
		for range 20 {
			line := fmt.Sprintf(`{"line":%d,"text":"é <&>"}`, len(want))
			if err := j.Append(t.Context(), []byte(line)); err != nil {
				t.Fatal(err)
			}
			want = append(want, line)
		}
		if err := errors.Join(j.Sync(t.Context()), j.SaveLog(t.Context(), store.DayLog, []byte("a text\n")), j.Close()); err != nil {
			t.Fatal(err)
		}
	}
	j := open("2025-09-30", now)
	if err := j.Append(t.Context(), []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if days, err := s.JournalDays(t.Context(), "a"); err != nil || !slices.Equal(days, []string{"2025-09-30", hour}) {
		t.Errorf("the days are %q, %v", days, err)
	}
	if days, err := s.JournalDays(t.Context(), "b"); err != nil || len(days) != 0 {
		t.Errorf("the days of another account are %q, %v", days, err)
	}
	late, err := s.OpenJournal(t.Context(), "a", hour, old)
	if err == nil {
		err = late.Append(t.Context(), []byte(`{"late":true}`))
		late.Close()
	}
	if !errors.Is(err, store.ErrLeaseLost) {
		t.Errorf("the run that was overtaken writes: %v", err)
	}
	if text, err := open(hour, now, want...).Log(t.Context(), store.DayLog); err != nil || string(text) != "a text\n" {
		t.Errorf("the log is %q, %v", text, err)
	}
	if text, err := j.Log(t.Context(), store.DayLog); err != nil || text != nil {
		t.Errorf("a day without a log has %q, %v", text, err)
	}
}

func manifests(t *testing.T, s store.Store) {
	if got, err := s.Manifest(t.Context(), "a"); got != nil || err != nil {
		t.Errorf("of an account that was never run: %q, %v", got, err)
	}
	old, now := overtaken(t, s)
	var wait sync.WaitGroup
	for account, f := range map[string]store.Fence{"a": now, "b": 0, "c": 0} {
		wait.Go(func() {
			for range 4 {
				add := func(old []byte) ([]byte, error) {
					return fmt.Appendf(nil, `[1%s]`, strings.Repeat(",1", strings.Count(string(old), "1"))), nil
				}
				if err := s.UpdateManifest(t.Context(), account, f, add); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	set := func([]byte) ([]byte, error) { return []byte(`[2]`), nil }
	if err := s.UpdateManifest(t.Context(), "a", old, set); !errors.Is(err, store.ErrLeaseLost) {
		t.Errorf("the run that was overtaken writes: %v", err)
	}
	for account, want := range map[string]string{"a": "[1,1,1,1]", "b": "[1,1,1,1]", "c": "[1,1,1,1]", "d": ""} {
		got, err := s.Manifest(t.Context(), account)
		if plain := strings.Join(strings.Fields(string(got)), ""); err != nil || plain != want {
			t.Errorf("the manifest of %s is %s, %v, want %s", account, got, err, want)
		}
	}
}
