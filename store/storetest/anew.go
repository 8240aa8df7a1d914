package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"mcp-trade/store"
)

// Anew checks that a commit which was judged on one ledger never follows another one that has come to the same id: opened
// anew, restored from a backup, corrected by hand. put makes the lines the ledger of an account, as somebody does who
// knows nothing of the store that is open on it.
func Anew(t *testing.T, s store.Store, put func(t *testing.T, account string, lines ...[]byte)) {
	other := func(id int64) []byte { return bytes.Replace(Line(id, ""), []byte("9744.85"), []byte("5000.00"), 1) }
	for i, c := range []struct {
		name  string
		lines [][]byte // what the ledger of lines 0 to 2 has become
	}{
		{"opened anew, and filled up to the same id by others", [][]byte{other(0), other(1), other(2)}},
		{"restored from a backup, and filled up to the same id by others", [][]byte{Line(0, ""), Line(1, ""), other(2)}},
		{"opened anew, and filled up by others with an order of theirs", [][]byte{other(0), other(1), Line(2, "theirs")}},
		{"corrected by hand in its newest line", [][]byte{Line(0, ""), Line(1, ""), bytes.Replace(Line(2, ""), []byte("9744.85"), []byte("9744.86"), 1)}},
		{"restored from a backup", [][]byte{Line(0, ""), Line(1, "")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			account := fmt.Sprintf("anew-%d", i)
			Fill(t, s, account, 3)
			wantHead(t, s, account, "none", Line(2, ""), nil) // the store knows the ledger well
			put(t, account, c.lines...)
			if err := s.Append(t.Context(), Commit(account, 3, "o-1")); !errors.Is(err, store.ErrConflict) {
				t.Errorf("the commit that follows the old line is answered %v", err)
			}
			wantLines(t, s, account, c.lines...)
			newest := c.lines[len(c.lines)-1]
			wantHead(t, s, account, "", newest, nil)
			next := Commit(account, int64(len(c.lines)), "o-1")
			next.After = newest
			if err := s.Append(t.Context(), next); err != nil {
				t.Errorf("the commit that follows the new line is answered %v", err)
			}
			wantLines(t, s, account, append(c.lines, next.Line)...)
		})
	}
}
