// The case about accounts that are put aside.

package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"mcp-trade/store"
)

func archives(t *testing.T, s store.Store) {
	const day, as = "2025-10-02", "a.archived-1"
	l := take(t, s, "a", 1)
	t.Cleanup(func() { _ = l.Release(t.Context()) })
	commit := func(id int64, order string) {
		t.Helper()
		c := Follow(t, s, Commit("a", id, order))
		c.Fence = l.Fence()
		if err := s.Append(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	traded := func(mark string) {
		t.Helper()
		commit(0, "")
		commit(1, mark)
		j, err := s.OpenJournal(t.Context(), "a", day, l.Fence())
		if err != nil {
			t.Fatal(err)
		}
		set := func([]byte) ([]byte, error) { return fmt.Appendf(nil, `["%s"]`, mark), nil }
		err = errors.Join(j.Append(t.Context(), fmt.Appendf(nil, `{"o":"%s"}`, mark)), j.SaveLog(t.Context(), store.DayLog, []byte(mark)), j.Close(),
			s.SaveCheckpoint(t.Context(), "a", l.Fence(), []byte(`"`+mark+`"`)), s.UpdateManifest(t.Context(), "a", l.Fence(), set))
		if err != nil {
			t.Fatal(err)
		}
	}
	traded("o-1")
	if err := s.Archive(t.Context(), "a", "..", l.Fence()); err == nil {
		t.Error("an account is put aside under a name that could leave its place")
	}
	if err := s.Archive(t.Context(), "a", as, l.Fence()-1); !errors.Is(err, store.ErrLeaseLost) {
		t.Errorf("a run that was overtaken puts the account aside: %v", err)
	}
	if err := s.Archive(t.Context(), "a", as, l.Fence()); err != nil {
		t.Fatal(err)
	}
	wantLines(t, s, "a")
	wantState(t, s, as, day, "o-1")
	wantState(t, s, "a", day, "")
	traded("o-2") // under the same lease
	if err := s.Archive(t.Context(), "a", as, l.Fence()); !errors.Is(err, store.ErrTaken) {
		t.Errorf("to a name that is taken: %v", err)
	}
	wantState(t, s, "a", day, "o-2")
	if err := s.Archive(t.Context(), "a", "a.archived-2", l.Fence()); err != nil {
		t.Fatal(err)
	}
	wantState(t, s, as, day, "o-1")
	wantState(t, s, "a.archived-2", day, "o-2")
	if names, err := s.Accounts(t.Context()); err != nil || !slices.Equal(names, []string{as, "a.archived-2"}) {
		t.Errorf("the accounts are %q, %v", names, err)
	}
}

// wantState holds what is kept of an account against what was kept under a mark; "" is nothing.
func wantState(t *testing.T, s store.Store, account, day, mark string) {
	t.Helper()
	var got, want []string
	note := func(texts ...[]byte) {
		for _, text := range texts {
			got = append(got, string(bytes.TrimSpace(text)))
		}
	}
	head, ordered, err := s.Head(t.Context(), account, "o-1")
	if err != nil {
		t.Fatal(err)
	}
	checkpoint, err := s.Checkpoint(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := s.Manifest(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	note(head, ordered, checkpoint, manifest)
	days, err := s.JournalDays(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range days {
		j, err := s.OpenJournal(t.Context(), account, day, 0)
		if err != nil {
			t.Fatal(err)
		}
		log, err := j.Log(t.Context(), store.DayLog)
		if err = errors.Join(err, j.Close()); err != nil {
			t.Fatal(err)
		}
		note([]byte(day), bytes.Join(j.Lines(), []byte{' '}), log)
	}
	want = []string{"", "", "", ""}
	if mark != "" {
		want = []string{string(Line(1, mark)), "", `"` + mark + `"`, `["` + mark + `"]`, day, `{"o":"` + mark + `"}`, mark}
	}
	if mark == "o-1" {
		want[1] = want[0]
	}
	if !slices.Equal(got, want) {
		t.Errorf("of %s is kept\n%q, want\n%q", account, got, want)
	}
}
