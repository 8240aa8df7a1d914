package filestore_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/storetest"
)

// Each case is a ledger of two lines and what follows their line feed. A tail that was never finished is no line to a
// reader, and cut back by the next writer; one that is whole but for its line feed is a line.
func TestStore_Append_Tail(t *testing.T) {
	cases := []struct {
		name, tail string
		isLine     bool
	}{
		{"nothing", ``, false},
		{"half of a first line", `{"date": "2025-10-02", "id": 0`, false},
		{"half a line", `{"date": "2025-10-02", "id": 2, "positi`, false},
		{"all but the last brace", line(2)[:len(line(2))-1], false},
		{"one byte", `{`, false},
		{"half a character", `{"id": 2, "note": "Z` + "\xc3", false},
		{"zeros that a file system left", strings.Repeat("\x00", 4096), false},
		{"zeros after half a line", `{"id": 2, "no` + strings.Repeat("\x00", 100), false},
		{"a line without id", `{"date": "2025-10-02"}`, false},
		{"an id that is none", `{"id": "2"}`, false},
		{"a whole number", `2`, false},
		{"a long piece", `{"id": 2, "note": "` + strings.Repeat("x", 200_000), false},
		{"a whole line", line(2), true},
		{"a whole line and blanks", line(2) + "  \t", true},
		{"a long whole line", `{"id": 2, "note": "` + strings.Repeat("x", 200_000) + `"}`, true},
	}
	for _, c := range cases {
		for _, before := range []int64{0, 2} {
			t.Run(fmt.Sprintf("%s after %d lines", c.name, before), func(t *testing.T) {
				tail := c.tail
				if before == 0 && c.isLine {
					tail = strings.Replace(tail, `"id": 2`, `"id": 0`, 1)
				}
				var warnings []string
				s := open(t, t.TempDir(), filestore.WithWarnings(func(w string) { warnings = append(warnings, w) }))
				path := s.LedgerFile("a")
				write(t, path, lines(before)+tail)

				want, next := lines(before), before
				if c.isLine {
					want, next = want+strings.TrimSpace(tail)+"\n", before+1
				}
				if got := strings.Join(storetest.Whole(t, s, "a"), "\n"); got != strings.TrimSuffix(want, "\n") {
					t.Errorf("a reader sees %.2000q", got)
				}
				back := storetest.Texts(t, s.LinesBefore(t.Context(), "a", store.Filter{Before: store.MaxID}))
				if int64(len(back)) != next {
					t.Errorf("a reader from the end sees %d lines, want %d", len(back), next)
				}
				wantFile(t, path, lines(before)+tail) // who reads, repairs nothing

				if err := s.Append(t.Context(), storetest.Commit("a", next+1, "")); !errors.Is(err, store.ErrConflict) {
					t.Error(err)
				}
				wantFile(t, path, lines(before)+tail)
				if begun := strings.TrimRight(tail[:min(len(tail), 10)], "\x00"); next == 0 && !strings.HasPrefix(`{"date": "`, begun) {
					// The file holds no ledger, nor the beginning of one: it may be anything, and stays as it is.
					wantUnreachable(t, s.Append(t.Context(), storetest.Commit("a", 0, "")), path, "no ledger")
					wantFile(t, path, tail)
					return
				}
				appendLine(t, s, next)
				if c.isLine {
					wantFile(t, path, lines(before)+tail+"\n"+line(next)+"\n")
				} else {
					wantFile(t, path, want+line(next)+"\n")
				}
				if warned := len(warnings) > 0; warned != (!c.isLine && tail != "") {
					t.Errorf("warnings: %q", warnings)
				}
				for _, w := range warnings {
					if !strings.Contains(w, path) || !strings.Contains(w, fmt.Sprint(len(tail))) {
						t.Errorf("the warning %q does not say what was cut back where", w)
					}
				}
				appendLine(t, s, next+1)
				storetest.Whole(t, open(t, filepath.Dir(filepath.Dir(filepath.Dir(filepath.Dir(path))))), "a")
			})
		}
	}
}

// A last line that is finished but unreadable is not ours to remove: whoever reads is told of it, and nobody writes.
func TestStore_Append_DamagedLastLine(t *testing.T) {
	for name, damage := range map[string]string{
		"half a line":         `{"id": 2, "pos`,
		"two lines in one":    line(2) + line(3),
		"a line glued to one": `{"id": 2, "pos` + line(3),
		"zeros":               strings.Repeat("\x00", 50),
		"no id":               `{"date": "2025-10-02"}`,
		"an id that is none":  `{"id": 2.5}`,
		"a list":              `[2]`,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir())
			path := s.LedgerFile("a")
			text := lines(2) + damage + "\n"
			write(t, path, text)
			for range 2 { // and again, when the store has met it before
				_, _, err := s.Head(t.Context(), "a", "o-1")
				wantUnreachable(t, err, path, "damaged")
				wantUnreachable(t, s.Append(t.Context(), storetest.Commit("a", 2, "")), path, "damaged")
				wantUnreachable(t, s.Append(t.Context(), storetest.Commit("a", 3, "o-1")), path, "damaged")
				for _, err := range s.Lines(t.Context(), "a") {
					wantUnreachable(t, err, path)
				}
				for _, err := range s.LinesBefore(t.Context(), "a", store.Filter{Before: store.MaxID}) {
					wantUnreachable(t, err, path)
				}
			}
			wantFile(t, path, text)
			write(t, path, lines(2)) // mended by hand
			appendLine(t, s, 2)
		})
	}
}

// Blank lines are passed over.
func TestStore_Lines_BlankLines(t *testing.T) {
	s := open(t, t.TempDir())
	text := "\n" + line(0) + "\r\n\n  \n" + line(1) + "\n\n"
	write(t, s.LedgerFile("a"), text)
	if got := storetest.Whole(t, s, "a"); len(got) != 2 {
		t.Errorf("lines %q", got)
	}
	wantHead(t, s, line(1))
	appendLine(t, s, 2)
	wantFile(t, s.LedgerFile("a"), text+line(2)+"\n")
}
