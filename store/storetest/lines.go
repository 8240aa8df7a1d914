// What must hold of the lines of a ledger, however they are read.

package storetest

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"mcp-trade/store"
)

func ledgerStart(t *testing.T, s store.Store) {
	wantHead(t, s, "gpt-5", "", nil, nil)
	wantHead(t, s, "gpt-5", "o-1", nil, nil)
	wantLines(t, s, "gpt-5")
	if got := Texts(t, s.LinesBefore(t.Context(), "gpt-5", store.Filter{Before: store.MaxID})); len(got) != 0 {
		t.Errorf("an empty ledger has the lines %q", got)
	}
	for _, id := range []int64{1, 2, 1 << 40} {
		if err := s.Append(t.Context(), Commit("gpt-5", id, "")); !errors.Is(err, store.ErrConflict) {
			t.Errorf("first line with id %d: %v", id, err)
		}
	}
	wantHead(t, s, "gpt-5", "", nil, nil)
	Fill(t, s, "gpt-5", 3)
	wantHead(t, s, "gpt-5", "", Line(2, ""), nil)
	wantLines(t, s, "gpt-5", Line(0, ""), Line(1, ""), Line(2, ""))
}

// cancelled leaves readings in their middle: what was not read must not look like the end.
func cancelled(t *testing.T, s store.Store) {
	Fill(t, s, "a", 700)
	for name, read := range map[string]func(context.Context) iter.Seq2[[]byte, error]{
		"forward": func(ctx context.Context) iter.Seq2[[]byte, error] { return s.Lines(ctx, "a") },
		"backward": func(ctx context.Context) iter.Seq2[[]byte, error] {
			return s.LinesBefore(ctx, "a", store.Filter{Before: store.MaxID})
		},
		"filtered": func(ctx context.Context) iter.Seq2[[]byte, error] {
			return s.LinesBefore(ctx, "a", store.Filter{Before: 699, AsOf: "2026-01-01"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			n, last := 0, error(nil)
			for _, err := range read(ctx) {
				cancel()
				n, last = n+1, err
			}
			if !errors.Is(last, context.Canceled) || n > 699 {
				t.Errorf("%d lines, and then %v", n, last)
			}
		})
	}
}

func lineBytes(t *testing.T, s store.Store) {
	lines := []string{
		`{"id":0}`,
		`{"date": "2025-10-02",   "id":1	,"positions":{ "AAPL" : 10 ,"CASH":9744.850000000000000000001}}`,
		`{"id": 2, "note": "Zürich 東京 🙂 \u00e9\ud83d\ude42 \u2028   <b>&amp;</b>"}`,
		`{"id": 3, "note": "a \"quoted\" \\n line \t \u0000 end", "id_": 7, "x": null}`,
		`{"z": [1e400, 0.10, -0, 1E+2], "id": 4, "order_id": "o \" ü 4"}`,
		`{"id": 5, "note": "` + strings.Repeat("x", 300_000) + `"}`,
		`{"id": 6, "tail": {"id": 99, "order_id": "inner"}}`,
	}
	for i, line := range lines {
		if err := s.Append(t.Context(), Follow(t, s, commitOf(t, "a", []byte(line)))); err != nil {
			t.Fatalf("line %d: %v", i, err)
		}
		wantHead(t, s, "a", "", []byte(line), nil)
	}
	if got := Texts(t, s.Lines(t.Context(), "a")); !slices.Equal(got, lines) {
		t.Errorf("lines changed: %.2000q", got)
	}
	back := Texts(t, s.LinesBefore(t.Context(), "a", store.Filter{Before: store.MaxID}))
	slices.Reverse(back)
	if !slices.Equal(back, lines) {
		t.Errorf("lines changed, read backwards: %.2000q", back)
	}
	wantHead(t, s, "a", `o " ü 4`, []byte(lines[6]), []byte(lines[4]))
	wantHead(t, s, "a", "inner", []byte(lines[6]), nil)
}

func linePages(t *testing.T, s store.Store) {
	const n = 700
	Fill(t, s, "a", n)
	span := func(from, step, count int64) []string {
		var texts []string
		for ; count > 0; count-- {
			texts, from = append(texts, string(Line(from, ""))), from+step
		}
		return texts
	}
	if got := Texts(t, s.Lines(t.Context(), "a")); !slices.Equal(got, span(0, 1, n)) {
		t.Errorf("forward: %d lines", len(got))
	}
	for _, c := range []struct{ before, first, count int64 }{
		{store.MaxID, n - 1, n},
		{n + 1000, n - 1, n},
		{n, n - 1, n},
		{n - 1, n - 2, n - 1},
		{513, 512, 513}, {512, 511, 512}, {257, 256, 257}, {256, 255, 256}, {255, 254, 255}, // around pages
		{1, 0, 1},
		{0, 0, 0},
		{-1, 0, 0},
	} {
		if got := Texts(t, s.LinesBefore(t.Context(), "a", store.Filter{Before: c.before})); !slices.Equal(got, span(c.first, -1, c.count)) {
			t.Errorf("before %d: %d lines, want %d from %d down", c.before, len(got), c.count, c.first)
		}
	}
	for _, stop := range []int{1, 2, 256, 257, 699} {
		for name, lines := range map[string]iter.Seq2[[]byte, error]{
			"forward":  s.Lines(t.Context(), "a"),
			"backward": s.LinesBefore(t.Context(), "a", store.Filter{Before: store.MaxID}),
		} {
			seen := 0
			for range lines {
				if seen++; seen == stop {
					break
				}
			}
			if seen != stop {
				t.Errorf("%s, to be left after %d lines: %d seen", name, stop, seen)
			}
		}
	}
	// The same iterator may be used again.
	lines := s.Lines(t.Context(), "a")
	if a, b := Texts(t, lines), Texts(t, lines); len(a) != n || len(b) != n {
		t.Errorf("%d lines at first, %d lines the second time", len(a), len(b))
	}
	// Lines that come while it is read do not disturb it.
	seen := int64(0)
	for line, err := range s.Lines(t.Context(), "a") {
		if err != nil || !bytes.Equal(line, Line(seen, "")) {
			t.Fatalf("line %d: %s, %v", seen, line, err)
		}
		if seen%100 == 0 && seen < n {
			if err := s.Append(t.Context(), Commit("a", n+seen/100, "")); err != nil {
				t.Fatal(err)
			}
		}
		seen++
	}
	if seen < n {
		t.Errorf("%d lines", seen)
	}
}

func linesStay(t *testing.T, s store.Store) {
	Fill(t, s, "a", 300)
	var forward, backward [][]byte
	for line := range s.Lines(t.Context(), "a") {
		forward = append(forward, line)
	}
	for line := range s.LinesBefore(t.Context(), "a", store.Filter{Before: store.MaxID}) {
		backward = append(backward, line)
	}
	slices.Reverse(backward)
	for id := range int64(300) {
		if want := Line(id, ""); !bytes.Equal(forward[id], want) || !bytes.Equal(backward[id], want) {
			t.Fatalf("line %d became %s forward, %s backward", id, forward[id], backward[id])
		}
	}
}

func orderIDs(t *testing.T, s store.Store) {
	ids := []string{"o-1", "O-1", "o-1 ", "", "1", "ünï", "a/b{c}*", "\"\\", strings.Repeat("x", 200), "<&>"}
	for i, orderID := range ids {
		wantHead(t, s, "a", "never", headOf(i, ids), nil)
		if err := s.Append(t.Context(), Follow(t, s, Commit("a", int64(i), orderID))); err != nil {
			t.Fatalf("order id %q: %v", orderID, err)
		}
	}
	for i, orderID := range ids {
		if orderID == "" {
			continue // a line without an order id is found by none
		}
		wantHead(t, s, "a", orderID, headOf(len(ids), ids), Line(int64(i), orderID))
		var used *store.UsedError
		if err := s.Append(t.Context(), Commit("a", int64(len(ids)), orderID)); !errors.As(err, &used) || !bytes.Equal(used.Line, Line(int64(i), orderID)) {
			t.Errorf("order id %q again: %v", orderID, err)
		}
	}
	wantHead(t, s, "a", "order_id", headOf(len(ids), ids), nil)
	// Another account may use the same order ids.
	if err := s.Append(t.Context(), Commit("b", 0, "o-1")); err != nil {
		t.Error(err)
	}
}

func headOf(n int, orderIDs []string) []byte {
	if n == 0 {
		return nil
	}
	return Line(int64(n-1), orderIDs[n-1])
}

func accounts(t *testing.T, s store.Store) {
	list := func(want ...string) {
		t.Helper()
		if got, err := s.Accounts(t.Context()); err != nil || !slices.Equal(got, want) {
			t.Errorf("the accounts are %q, %v, want %q", got, err, want)
		}
	}
	list()
	names := []string{"gpt-5", "a", "B", "_", "-x", "gpt-5-mini", "gpt", "a.b", "10", "9", strings.Repeat("n", 64)}
	for i, name := range names {
		Fill(t, s, name, int64(i+1))
	}
	if err := s.Append(t.Context(), Commit("refused", 7, "")); !errors.Is(err, store.ErrConflict) {
		t.Error(err)
	}
	for i, name := range names {
		if got := Whole(t, s, name); len(got) != i+1 {
			t.Errorf("%s has %d lines, want %d", name, len(got), i+1)
		}
	}
	slices.Sort(names)
	list(names...) // a refused line opens no account
}

func badNames(t *testing.T, s store.Store) {
	for _, name := range []string{
		"", ".", "..", ".x", "../../etc", "a/b", `a\b`, "/etc", "a b", "a:b", "{a}", "a}", "*", "ü", "a\n", "a\x00", strings.Repeat("n", 65),
	} {
		_, _, errHead := s.Head(t.Context(), name, "")
		_, _, errOrder := s.Head(t.Context(), name, "o-1")
		for what, err := range map[string]error{
			"head":         errHead,
			"order":        errOrder,
			"append":       s.Append(t.Context(), Commit(name, 0, "")),
			"lines":        firstError(s.Lines(t.Context(), name)),
			"lines before": firstError(s.LinesBefore(t.Context(), name, store.Filter{Before: store.MaxID})),
		} {
			if refused := new(store.NameError); !errors.As(err, &refused) || refused.Name != name {
				t.Errorf("%s of %q: %v", what, name, err)
			}
		}
	}
	if got, err := s.Accounts(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("the accounts are %q, %v", got, err)
	}
}

func firstError(lines iter.Seq2[[]byte, error]) (first error) {
	for _, err := range lines {
		if first == nil {
			first = err
		}
	}
	return first
}
