package filestore_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/storetest"
)

// A ledger may be replaced, or written over in place within the grain of its file's time.
func TestStore_Append_LedgerBecameAnother(t *testing.T) {
	for name, put := range map[string]func(t *testing.T, path, text string){
		"by another file": func(t *testing.T, path, text string) {
			write(t, path+".new", text)
			rename(t, path+".new", path)
		},
		"in place, at the same time": func(t *testing.T, path, text string) {
			before, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			write(t, path, text)
			if err := os.Chtimes(path, time.Time{}, before.ModTime()); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir(), filestore.WithIndexEvery(64))
			storetest.Anew(t, s, func(t *testing.T, account string, lines ...[]byte) {
				put(t, s.LedgerFile(account), string(bytes.Join(lines, []byte("\n")))+"\n")
			})
		})
	}
}

// Each case changes the file under a store that knows it well.
func TestStore_Append_ChangedByOthers(t *testing.T) {
	// The lines of another writer have ids of the same kind and order ids of their own.
	other := func(id int64) string { return fmt.Sprintf(`{"id": %d, "order_id": "other-%d"}`, id, id) }
	cases := []struct {
		name   string
		change func(t *testing.T, path string)
		head   string // "" where there is none
		next   int64
		has    string // an order id that is there now
		lacks  string
	}{
		{"a line is added",
			func(t *testing.T, path string) { add(t, path, other(3)+"\n") }, other(3), 4, "other-3", "other-4"},
		{"three lines are added in pieces",
			func(t *testing.T, path string) {
				text := other(3) + "\n" + other(4) + "\n" + other(5) + "\n"
				add(t, path, text[:10])
				add(t, path, text[10:60])
				add(t, path, text[60:])
			}, other(5), 6, "other-4", "other-6"},
		{"a line is added without its line feed",
			func(t *testing.T, path string) { add(t, path, other(3)) }, other(3), 4, "other-3", "other-4"},
		{"half a line is added",
			func(t *testing.T, path string) { add(t, path, other(3)[:12]) }, line(2), 3, "ours", "other-3"},
		{"another file takes its place, of the same size",
			func(t *testing.T, path string) {
				write(t, path+".new", strings.ReplaceAll(read(t, path), "ours", "news"))
				rename(t, path+".new", path)
			}, line(2), 3, "news", "ours"},
		{"another file takes its place, longer",
			func(t *testing.T, path string) {
				write(t, path+".new", other(0)+"\n"+other(1)+"\n"+other(2)+"\n"+other(3)+"\n"+other(4)+"\n"+other(5)+"\n")
				rename(t, path+".new", path)
			}, other(5), 6, "other-2", "ours"},
		{"another file takes its place, shorter",
			func(t *testing.T, path string) {
				write(t, path+".new", other(0)+"\n")
				rename(t, path+".new", path)
			}, other(0), 1, "other-0", "ours"},
		{"its last line is cut off",
			func(t *testing.T, path string) { truncate(t, path, len(read(t, path))-len(line(2))-1) },
			string(storetest.Line(1, "ours")), 2, "ours", "other-0"},
		{"its last line is cut in two",
			func(t *testing.T, path string) { truncate(t, path, len(read(t, path))-10) },
			string(storetest.Line(1, "ours")), 2, "ours", "other-0"},
		{"its last line feed is cut off",
			func(t *testing.T, path string) { truncate(t, path, len(read(t, path))-1) }, line(2), 3, "ours", "other-0"},
		{"it is emptied",
			func(t *testing.T, path string) { truncate(t, path, 0) }, "", 0, "", "ours"},
		{"it is emptied and written anew, longer",
			func(t *testing.T, path string) {
				var text strings.Builder
				for id := range int64(9) {
					text.WriteString(other(id) + "\n")
				}
				write(t, path, text.String())
			}, other(8), 9, "other-0", "ours"},
		{"it is deleted",
			func(t *testing.T, path string) { remove(t, path) }, "", 0, "", "ours"},
		{"its folder is deleted",
			func(t *testing.T, path string) { remove(t, filepath.Dir(filepath.Dir(path))) }, "", 0, "", "ours"},
	}
	for i := range 2 * len(cases) {
		c, name, every := cases[i/2], "", filestore.WithIndexEvery(64)
		if i%2 == 0 {
			name, every = ", no index", filestore.WithIndexEvery(1<<20)
		}
		t.Run(c.name+name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir, every)
			appendLine(t, s, 0)
			if err := s.Append(t.Context(), storetest.Commit("a", 1, "ours")); err != nil {
				t.Fatal(err)
			}
			appendLine(t, s, 2)
			if _, _, err := s.Head(t.Context(), "a", "none"); err != nil { // now it knows every order id
				t.Fatal(err)
			}
			path := s.LedgerFile("a")
			c.change(t, path)

			for _, s := range []*filestore.Store{s, open(t, dir, every)} {
				wantHead(t, s, c.head)
				for orderID, want := range map[string]bool{c.has: c.has != "", c.lacks: false} {
					_, ordered, err := s.Head(t.Context(), "a", orderID)
					if err != nil || (ordered != nil) != want {
						t.Errorf("order %q: %q, %v", orderID, ordered, err)
					}
					if _, id, _ := storetest.LineID(ordered); want && id != orderID {
						t.Errorf("order %q is found in %q", orderID, ordered)
					}
				}
				if got := len(storetest.Whole(t, s, "a")); int64(got) != c.next {
					t.Errorf("%d lines, want %d", got, c.next)
				}
			}
			for _, wrong := range []int64{c.next - 1, c.next + 1} {
				if err := s.Append(t.Context(), storetest.Commit("a", wrong, "")); !errors.Is(err, store.ErrConflict) {
					t.Errorf("id %d: %v", wrong, err)
				}
			}
			appendLine(t, s, c.next)
			if got := len(storetest.Whole(t, open(t, dir), "a")); int64(got) != c.next+1 {
				t.Errorf("%d lines after the append, want %d", got, c.next+1)
			}
		})
	}
}

func rename(t *testing.T, from, to string) {
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, path string, size int) {
	if err := os.Truncate(path, int64(size)); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// AI-Trader's tools append json.dumps(...) and a line feed, and lock nothing.
func TestStore_Append_BesidePython(t *testing.T) {
	s := open(t, t.TempDir())
	path := s.LedgerFile("a")
	write(t, path, `{"date": "2025-10-01", "id": 0, "positions": {"AAPL": 0, "CASH": 10000.0}}`+"\n")
	appendLine(t, s, 1)
	python := `{"date": "2025-10-02", "id": 2, "this_action": {"action": "buy", "symbol": "AAPL", "amount": 1}, "positions": {"AAPL": 1, "CASH": 9744.85}, "note": "Z\u00fcrich"}`
	add(t, path, python+"\n")
	wantHead(t, s, python)
	if err := s.Append(t.Context(), storetest.Commit("a", 2, "")); !errors.Is(err, store.ErrConflict) {
		t.Error(err)
	}
	appendLine(t, s, 3)
	add(t, path, strings.Replace(python, `"id": 2`, `"id": 4`, 1)+"\n")
	appendLine(t, s, 5)
	storetest.Whole(t, s, "a")
}

// A program that locks nothing may write at the very moment of a commit. What it wrote is then the head, or stands
// before it; a store that went on from its own line would give an id twice.
func TestStore_Append_LineWrittenMeanwhile(t *testing.T) {
	s := open(t, t.TempDir())
	appendLine(t, s, 0)
	path := s.LedgerFile("a")
	for round := range int64(200) {
		id := 1000 * (round + 1)
		add(t, path, line(id)+"\n")
		done := make(chan error)
		go func() { done <- s.Append(t.Context(), storetest.Commit("a", id+1, "")) }()
		for range round % 20 * 500 { // a little later each time
			runtime.Gosched()
		}
		add(t, path, line(id+500)+"\n")
		if err := <-done; err != nil && !errors.Is(err, store.ErrConflict) {
			t.Fatal(err)
		}
		all := strings.Split(strings.TrimSpace(read(t, path)), "\n")
		head, _, err := s.Head(t.Context(), "a", "")
		if last := all[len(all)-1]; err != nil || string(head) != last {
			t.Fatalf("round %d: the head is %s, %v, but the last line is %s", round, head, err, last)
		}
	}
}

// A reader of a file that is replaced again and again sees one of the files, whole.
func TestStore_Lines_ReplacedFile(t *testing.T) {
	s := open(t, t.TempDir())
	path := s.LedgerFile("a")
	write(t, path, lines(3))
	stop, done := make(chan struct{}), make(chan error)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			text := lines([]int64{3, 400}[n%2])
			if err := errors.Join(os.WriteFile(path+".new", []byte(text), 0o644), os.Rename(path+".new", path)); err != nil {
				done <- err
				return
			}
		}
	}()
	for range 300 {
		head, _, err := s.Head(t.Context(), "a", "")
		if err != nil || (string(head) != line(2) && string(head) != line(399)) {
			t.Errorf("the head is %q, %v", head, err)
			break
		}
		if n := len(storetest.Whole(t, s, "a")); n != 3 && n != 400 {
			t.Errorf("read %d lines", n)
			break
		}
	}
	close(stop)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
