package filestore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/storetest"
)

// wantFaults repairs the account "a" and checks that it finds as many faults as words, each with its word.
func wantFaults(t *testing.T, s store.Store, write bool, words ...string) []store.Fault {
	t.Helper()
	found, err := s.Repair(t.Context(), "a", write)
	if err != nil || len(found) != len(words) {
		t.Errorf("found %+v, %v, want %q", found, err, words)
		return nil
	}
	for i, w := range words {
		if !strings.Contains(found[i].What, w) || found[i].Mend == "" {
			t.Errorf("found %+v, want %q", found[i], w)
		}
	}
	return found
}

// A ledger that ends with what is no line trades on once it is mended, and what was taken out of it is kept.
func TestStore_Repair_End(t *testing.T) {
	for name, damage := range map[string]string{
		"half a line with a line feed":  `{"id": 2, "pos` + "\n",
		"two lines in one":              line(2) + line(3) + "\n",
		"some lines that are none":      "x\n" + strings.Repeat("\x00", 50) + "\n[2]\n",
		"a line that was never ended":   `{"date": "2025-10-02", "id": 2, "pos`,
		"a damaged line and a torn one": "x\n" + `{"id": 3`,
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir())
			path := s.LedgerFile("a")
			write(t, path, lines(2)+damage)
			for range 2 { // who looks, changes nothing
				wantFaults(t, s, false, "no ledger line")
				wantFile(t, path, lines(2)+damage)
			}
			found := wantFaults(t, s, true, "no ledger line")
			if torn := !strings.HasSuffix(damage, "\n") && strings.Count(damage, "\n") == 0; len(found) != 1 || found[0].Minor != torn {
				t.Errorf("found %+v; that the next commit mends it is %v", found, torn)
				return
			}
			wantFile(t, path, lines(2))
			kept := fmt.Sprintf("%s.damaged-%d", path, len(lines(2)))
			wantFile(t, kept, damage)
			if !strings.Contains(found[0].Mend, kept) {
				t.Errorf("%q does not say where it is kept", found[0].Mend)
			}
			wantFaults(t, s, true)
			appendLine(t, s, 2)
			wantFile(t, path, lines(3))

			// The next one takes nothing from what is kept.
			truncate(t, path, len(lines(2)))
			add(t, path, "y\n")
			wantFaults(t, s, true, "no ledger line")
			wantFile(t, kept, damage)
			wantFile(t, kept+".2", "y\n")
		})
	}
}

func TestStore_Repair_NoLedger(t *testing.T) {
	s := open(t, t.TempDir())
	path := s.LedgerFile("a")
	wantFaults(t, s, true) // one that is not there
	for _, text := range []string{"a token", "x\ny\n", `{"id": "1"}` + "\n"} {
		write(t, path, text)
		_, err := s.Repair(t.Context(), "a", true)
		wantUnreachable(t, err, path, "move it away")
		wantFile(t, path, text)
	}
	write(t, path, "")
	wantFaults(t, s, true)

	write(t, path+".real", lines(1)+"x\n")
	remove(t, path)
	if err := os.Symlink(path+".real", path); err != nil {
		t.Fatal(err)
	}
	wantFaults(t, s, false, "no ledger line")
	_, err := s.Repair(t.Context(), "a", true)
	wantUnreachable(t, err, path, "symbolic link")
	wantFile(t, path+".real", lines(1)+"x\n")
}

func TestStore_Repair_Index(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(t *testing.T, path string)
		says   string
	}{
		"lost":     {func(t *testing.T, path string) { remove(t, path) }, "is missing"},
		"lagging":  {func(t *testing.T, path string) { truncate(t, path, 300) }, "lags"},
		"damaged":  {func(t *testing.T, path string) { write(t, path, strings.Repeat("x", 1000)) }, "does not agree"},
		"too long": {func(t *testing.T, path string) { add(t, path, "x") }, "does not agree"},
		"of lines that were edited in place to the same length": {func(t *testing.T, path string) {
			ledger := filepath.Join(filepath.Dir(path), "position.jsonl")
			write(t, ledger, strings.Replace(read(t, ledger), "o-7\"", "o-X\"", 1))
		}, "does not agree"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, filestore.WithIndexEvery(300))
			var text strings.Builder
			for id := range int64(50) {
				text.Write(storetest.Line(id, fmt.Sprint("o-", id)))
				text.WriteByte('\n')
			}
			write(t, s.LedgerFile("a"), text.String())
			has := func(orderID string) bool {
				_, ordered, err := open(t, dir, filestore.WithIndexEvery(300)).Head(t.Context(), "a", orderID)
				if err != nil {
					t.Error(err)
				}
				return ordered != nil
			}
			if !has("o-7") {
				t.Error("the order is not found")
			}
			wantFaults(t, s, false)
			c.damage(t, filepath.Join(filepath.Dir(s.LedgerFile("a")), ".position.index"))
			wantFaults(t, s, false, c.says)
			wantFaults(t, s, false, c.says)
			wantFaults(t, s, true, c.says)
			wantFaults(t, s, false)
			if edited := strings.Contains(read(t, s.LedgerFile("a")), "o-X"); has("o-7") == edited || has("o-X") != edited {
				t.Errorf("after the repair the orders are not those of the lines")
			}
		})
	}
}
