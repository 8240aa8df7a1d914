// Package storetest holds the one suite that every engine of package store passes, and the lines and commits that tests of
// stores are made of.
package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-trade/store"
)

// Run checks the store that open returns against the contract of package store. Each case gets a store of its own,
// empty, which open closes at the end of the test that it is given.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	cases := []struct {
		name string
		test func(*testing.T, store.Store)
	}{
		{"session values are set, read and cleared", sessionValues},
		{"a session value is kept as JSON or as the string that it was", sessionTexts},
		{"a model does not see the values of another", sessionsApart},
		{"values that are set together are seen together", sessionTogether},
		{"session values live beside those of all models", sessionAllModels},
		{"a ledger starts empty, at id 0", ledgerStart},
		{"an append has one outcome, and used comes before session before conflict", appendOutcomes},
		{"an append follows the content of the newest line, not only its number", appendFollows},
		{"a guard holds while the session is what it was", guards},
		{"a session behind a decorator is committed with the line all the same", decorated},
		{"a commit sets values in the same step", commitSets},
		{"a line that got its place is told of once, and before its answer", placed},
		{"lines are kept byte for byte", lineBytes},
		{"lines are read page by page from either end", linePages},
		{"lines that were read stay as they are", linesStay},
		{"a reading that is cancelled ends with an error", cancelled},
		{"an order id is found however old it is", orderIDs},
		{"accounts are sorted and apart from each other", accounts},
		{"a name that could leave its place is refused", badNames},
		{"writers at the same time lose nothing", concurrentAppends},
		{"an account has one run at a time, and the next one has a higher fence", leases},
		{"no order goes in beside a run, and none of a run that was overtaken", fences},
		{"a checkpoint is replaced, and not by a run that was overtaken", checkpoints},
		{"a journal goes on where it ended, and not for a run that was overtaken", journals},
		{"a look at a run finds who has it, its checkpoint, and what its journal has more", looks},
		{"those who look at runs keep none from beginning", looksBeside},
		{"a manifest is kept for each account, and no change to it is lost", manifests},
		{"an account is put aside with all that its runs left, and its name is free", archives},
		{"a token is kept by its hash", tokens},
		{"any sequence of commits does what a simple ledger would", likeTheModel},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// Line returns a ledger line with that id and, if it is not empty, that order id.
func Line(id int64, orderID string) []byte {
	order := ""
	if orderID != "" {
		quoted, _ := json.Marshal(orderID) // a string always marshals
		order = `"order_id": ` + string(quoted) + `, `
	}
	return fmt.Appendf(nil, `{"date": "2025-10-02", "id": %d, %s"positions": {"AAPL": %d, "CASH": 9744.85}}`, id, order, id)
}

// LineID returns the id and the order id of a line.
func LineID(line []byte) (id int64, orderID string, err error) {
	e, err := store.ReadEntry(line)
	return e.ID, e.OrderID, err
}

// Commit returns the commit of [Line] to an account whose newest line is the [Line] before it, without an order id.
func Commit(account string, id int64, orderID string) store.Commit {
	var after []byte
	if id > 0 {
		after = Line(id-1, "")
	}
	c, _ := store.CommitOf(account, after, Line(id, orderID)) // it is a line
	return c
}

func commitOf(t testing.TB, account string, line []byte) store.Commit {
	t.Helper()
	c, err := store.CommitOf(account, nil, line)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Follow returns the commit as one that follows the newest line there is.
func Follow(t testing.TB, s store.Ledgers, c store.Commit) store.Commit {
	t.Helper()
	head, _, err := s.Head(t.Context(), c.Account, "")
	if err != nil {
		t.Fatal(err)
	}
	c.After = head
	return c
}

// Fill appends lines to an account that has none, with the ids 0 to n-1.
func Fill(t testing.TB, s store.Ledgers, account string, n int64) {
	t.Helper()
	for id := range n {
		if err := s.Append(t.Context(), Commit(account, id, "")); err != nil {
			t.Fatalf("append of line %d: %v", id, err)
		}
	}
}

// Texts collects the lines of an iterator; an error ends the test.
func Texts(t testing.TB, lines iter.Seq2[[]byte, error]) []string {
	t.Helper()
	var texts []string
	for line, err := range lines {
		if err != nil {
			t.Fatalf("after %d lines: %v", len(texts), err)
		}
		texts = append(texts, string(line))
	}
	return texts
}

// Whole checks that the account's lines have the ids 0, 1, 2 and so on, and returns them.
func Whole(t testing.TB, s store.Ledgers, account string) []string {
	t.Helper()
	texts := Texts(t, s.Lines(t.Context(), account))
	for i, text := range texts {
		if id, _, err := LineID([]byte(text)); err != nil || id != int64(i) {
			t.Fatalf("line %d has the id %d (%v): %.500s", i, id, err, text)
		}
	}
	return texts
}

// AppendNext appends a line that line makes for an id, as often as other writers come first, and returns its id.
func AppendNext(ctx context.Context, s store.Ledgers, account string, line func(id int64) []byte) (int64, error) {
	for {
		head, _, err := s.Head(ctx, account, "")
		if err != nil {
			return 0, err
		}
		var id int64
		if head != nil {
			last, _, err := LineID(head)
			if err != nil {
				return 0, err
			}
			id = last + 1
		}
		c, err := store.CommitOf(account, head, line(id))
		if err == nil {
			err = s.Append(ctx, c)
		}
		if !errors.Is(err, store.ErrConflict) {
			return id, err
		}
	}
}

var (
	signature = store.Key{Model: "26", Name: "SIGNATURE"}
	today     = store.Key{Model: "26", Name: "TODAY_DATE"}
	ifTrade   = store.Key{Model: "26", Name: "IF_TRADE"}
	halt      = store.Key{Model: store.AllModels, Name: "HALT"}
)

// values is a short way to write the values of a session.
type values = map[store.Key]string

func set(t *testing.T, s store.Sessions, v values) {
	t.Helper()
	if err := s.SetValues(t.Context(), v, time.Hour); err != nil {
		t.Fatal(err)
	}
}

func wantValues(t *testing.T, s store.Sessions, want values) {
	t.Helper()
	got, err := s.Values(t.Context(), signature, today, ifTrade, halt)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got, want) {
		t.Errorf("the session is %v, want %v", got, want)
	}
}

func wantLines(t *testing.T, s store.Ledgers, account string, want ...[]byte) {
	t.Helper()
	got := Texts(t, s.Lines(t.Context(), account))
	if !slices.EqualFunc(got, want, func(g string, w []byte) bool { return g == string(w) }) {
		t.Errorf("%s has the lines\n%.1000s\nwant\n%.1000s", account, strings.Join(got, "\n"), bytes.Join(want, []byte("\n")))
	}
}

func wantHead(t *testing.T, s store.Ledgers, account, orderID string, wantHead, wantOrdered []byte) {
	t.Helper()
	head, ordered, err := s.Head(t.Context(), account, orderID)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(head, wantHead) || (head == nil) != (wantHead == nil) {
		t.Errorf("the head is %.500q, want %.500q", head, wantHead)
	}
	if !bytes.Equal(ordered, wantOrdered) || (ordered == nil) != (wantOrdered == nil) {
		t.Errorf("the line of order %q is %.500q, want %.500q", orderID, ordered, wantOrdered)
	}
}
