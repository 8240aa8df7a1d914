package filestore_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/storetest"
)

// childEnv names the work of a test binary that a test started as a process of its own.
const childEnv = "FILESTORE_TEST_CHILD"

func TestMain(m *testing.M) {
	work := map[string]func(dir, name, count string) error{"append": appendAndTell, "trade": tradeUntilHalted, "fill": appendUntilFull, "mounted": readMounted}
	if do := work[os.Getenv(childEnv)]; do != nil {
		if err := do(os.Args[1], os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// appendAndTell appends count lines to the account "a" and prints the order id of each that was acknowledged.
func appendAndTell(dir, name, count string) error {
	var n int
	if _, err := fmt.Sscan(count, &n); err != nil {
		return err
	}
	s := filestore.New(dir, dir)
	for i := range n {
		orderID := fmt.Sprintf("%s-%d", name, i)
		_, err := storetest.AppendNext(context.Background(), s, "a", orderID, func(id int64) []byte {
			return storetest.Line(id, orderID)
		})
		if err != nil {
			return err
		}
		fmt.Println(orderID)
	}
	return s.Close()
}

var (
	halt      = store.Key{Model: store.AllModels, Name: "HALT"}
	ifTrade   = store.Key{Model: "26", Name: "IF_TRADE"}
	signature = store.Key{Model: "26", Name: "SIGNATURE"}
	today     = store.Key{Model: "26", Name: "TODAY_DATE"}
)

// tradeUntilHalted appends to the account "a" as fast as it can. It prints "halted" when the session has a HALT, and
// "trading" once it has appended two lines without one, for count times.
func tradeUntilHalted(dir, _, count string) error {
	var rounds int
	if _, err := fmt.Sscan(count, &rounds); err != nil {
		return err
	}
	s := filestore.New(dir, dir)
	next, appended := int64(0), 0
	for rounds > 0 {
		c := storetest.Commit("a", next, "")
		c.Guards = []store.Guard{{Home: s, Want: values{halt: ""}, Set: values{ifTrade: `true`}}}
		switch err := s.Append(context.Background(), c); {
		case err == nil:
			if next, appended = next+1, appended+1; appended == 2 {
				fmt.Println("trading")
			}
		case !errors.Is(err, store.ErrSessionChanged):
			return err
		case appended >= 2:
			fmt.Println("halted")
			appended = 0
			rounds--
		}
	}
	return s.Close()
}

// child starts a process that does its work for count times.
func child(t *testing.T, work, dir, name string, count int) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, dir, name, fmt.Sprint(count))
	cmd.Env = append(os.Environ(), childEnv+"="+work)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

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

func TestTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, t.TempDir()) })
	storetest.Halt(t, open(t, t.TempDir()))
	t.Run("with an index of a few lines", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) store.Store { return open(t, t.TempDir(), filestore.WithIndexEvery(64)) })
	})
}

// A ledger may be replaced, or written over in place within the grain of its file's time.
func TestALedgerThatBecameAnother(t *testing.T) {
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

// Each case is a ledger of two lines and what follows their line feed. A tail that was never finished is no line to a
// reader, and cut back by the next writer; one that is whole but for its line feed is a line.
func TestATailIsALineOrIsCutBack(t *testing.T) {
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
				back := storetest.Texts(t, s.LinesBefore(t.Context(), "a", store.Filter{Before: store.Newest}))
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
func TestADamagedLastLineStopsTheLedger(t *testing.T) {
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
				for _, err := range s.LinesBefore(t.Context(), "a", store.Filter{Before: store.Newest}) {
					wantUnreachable(t, err, path)
				}
			}
			wantFile(t, path, text)
			write(t, path, lines(2)) // mended by hand
			appendLine(t, s, 2)
		})
	}
}

func TestBlankLinesArePassedOver(t *testing.T) {
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

// Each case changes the file under a store that knows it well.
func TestAStoreSeesWhatOthersDoToTheFile(t *testing.T) {
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
func TestPythonAndThisStoreTakeTurns(t *testing.T) {
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
func TestALineWrittenDuringACommitIsSeen(t *testing.T) {
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
func TestAReplacedFileIsReadWhole(t *testing.T) {
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

func TestStoresOnOneFolderLoseNothing(t *testing.T) {
	dir := t.TempDir()
	const writers, each = 4, 25
	done := make(chan error)
	for w := range writers {
		s := open(t, dir)
		go func() {
			var errs error
			for i := range each {
				orderID := fmt.Sprintf("%d-%d", w, i)
				_, err := storetest.AppendNext(t.Context(), s, "a", orderID, func(id int64) []byte { return storetest.Line(id, orderID) })
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

func TestProcessesOnOneFolderLoseNothing(t *testing.T) {
	dir := t.TempDir()
	const writers, each = 4, 50
	type process struct {
		cmd *exec.Cmd
		out *bufio.Scanner
	}
	var all []process
	for w := range writers {
		cmd, out := child(t, "append", dir, fmt.Sprintf("p%d", w), each)
		all = append(all, process{cmd, out})
	}
	var told []string
	for _, p := range all {
		for p.out.Scan() {
			told = append(told, p.out.Text())
		}
		if err := p.cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	wantOrders(t, filestore.New(dir, dir), told, writers*each)
}

// wantOrders checks that every order that was acknowledged is there once, in a ledger of at least that many lines.
func wantOrders(t *testing.T, s store.Store, acknowledged []string, atLeast int) {
	t.Helper()
	count := map[string]int{}
	texts := storetest.Whole(t, s, "a")
	for _, text := range texts {
		_, orderID, _ := storetest.LineID([]byte(text)) // Whole has read them already
		count[orderID]++
	}
	for _, orderID := range acknowledged {
		if count[orderID] != 1 {
			t.Errorf("order %s was acknowledged and is there %d times", orderID, count[orderID])
		}
	}
	if len(acknowledged) < atLeast || len(texts) < atLeast {
		t.Errorf("%d orders acknowledged, %d lines, want %d", len(acknowledged), len(texts), atLeast)
	}
}

func TestAKilledProcessLeavesWhatItAcknowledged(t *testing.T) {
	dir := t.TempDir()
	var told []string
	for kill := range 30 {
		cmd, out := child(t, "append", dir, fmt.Sprintf("k%d", kill), 1_000_000)
		// The moment is anywhere in the work that follows some acknowledged line.
		for n := 0; n < 1+kill%5 && out.Scan(); n++ {
			told = append(told, out.Text())
		}
		moment := time.AfterFunc(time.Duration(kill)*37*time.Microsecond, func() { _ = cmd.Process.Kill() })
		for out.Scan() {
			told = append(told, out.Text())
		}
		_ = cmd.Wait() // it was killed
		moment.Stop()
	}
	s := filestore.New(dir, dir)
	wantOrders(t, s, told, 30)
	n := int64(len(storetest.Whole(t, s, "a")))
	appendLine(t, s, n) // no lock is left behind
}

// The trader and the operator are two processes. Once the halt is set, the ledger has come to its end.
func TestNoLineFollowsTheHaltOfAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	const rounds = 60
	operator := filestore.New(dir, dir)
	cmd, out := child(t, "trade", dir, "trader", rounds)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	head := func() string {
		head, _, err := operator.Head(t.Context(), "a", "")
		if err != nil {
			t.Fatal(err)
		}
		return string(head)
	}
	says := func(want string) {
		if !out.Scan() || out.Text() != want {
			t.Fatalf("the trader says %q, want %q", out.Text(), want)
		}
	}
	for range rounds {
		says("trading")
		if err := operator.SetValues(t.Context(), values{halt: `true`}, 0); err != nil {
			t.Fatal(err)
		}
		before := head()
		says("halted")
		if after := head(); after != before {
			t.Fatalf("the head was %s at the halt and is %s in the end", before, after)
		}
		if err := operator.ClearValues(t.Context(), halt); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOrderIDsOutliveTheStoreThatWroteThem(t *testing.T) {
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

func TestWhereNothingCanBeWrittenNothingIs(t *testing.T) {
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

// appendUntilFull appends to the account "a" with room for one line and a half each time, and prints what is answered.
// A disk that is full shows when a write comes back short, as one beyond the size that a process may give a file does.
func appendUntilFull(dir, _, count string) error {
	var n int64
	if _, err := fmt.Sscan(count, &n); err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	s := filestore.New(dir, dir)
	for id := range n {
		for _, room := range []int{10, len(line(id)) + 1} {
			limit.Cur = uint64(len(lines(id)) + room)
			if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
				return err
			}
			err := s.Append(context.Background(), storetest.Commit("a", id, ""))
			_, there := os.Stat(s.LedgerFile("a"))
			fmt.Println(err, there == nil)
		}
	}
	return s.Close()
}

func TestAFullDiskLeavesTheLedgerAsItWas(t *testing.T) {
	dir := t.TempDir()
	cmd, out := child(t, "fill", dir, "", 3)
	for id := range 3 {
		if out.Scan(); !strings.Contains(out.Text(), "too large") || strings.HasSuffix(out.Text(), "true") != (id > 0) {
			t.Errorf("line %d on a full disk: %s", id, out.Text())
		}
		if out.Scan(); out.Text() != "<nil> true" {
			t.Errorf("line %d with room for it: %s", id, out.Text())
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	wantFile(t, filestore.New(dir, dir).LedgerFile("a"), lines(3))
}

// A caller that cannot wait any longer is not held by another process's lock.
func TestALockHeldElsewhereEndsWithTheCallersPatience(t *testing.T) {
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

func TestAccountsAreFoldersWithALedger(t *testing.T) {
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

func TestACommitWhoseTimeIsUpIsNotMade(t *testing.T) {
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

// Whatever a ledger file holds, no reader fails to return, and a line that was acknowledged is the last one, after
// all the whole lines that were there.
func FuzzLedgerFile(f *testing.F) {
	for _, seed := range []string{
		"", "\n", lines(1), lines(3), lines(2) + `{"id": 2, "x`, lines(2) + line(2), line(0), "\x00\x00", lines(1) + "\xc3",
		lines(1) + "\n\n", "{}\n", "null\n", `{"id": 9223372036854775807}` + "\n", `{"id": -1}`, `{"id": 0}` + "\r\n", "{\"id\":0}\v\n",
		`{"id": 1e3}`, `{"id": 0, "order_id": "o-1"}` + "\n{\n", "[]\n" + line(0), lines(1) + "   ", `{"id": 0, "order_id": 5}` + "\n",
		"\u0085" + line(0) + "\u00a0\n", `{"id": 0, "order_id": "new"}` + "\n" + line(1) + "\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		s := open(t, t.TempDir())
		path := s.LedgerFile("a")
		write(t, path, string(file))
		ctx := context.Background()
		count := func() (forward, backward int) {
			for range s.Lines(ctx, "a") {
				forward++
			}
			for range s.LinesBefore(ctx, "a", store.Filter{Before: store.Newest}) {
				backward++
			}
			for range s.LinesBefore(ctx, "a", store.Filter{Before: 1}) {
				_ = backward // it must end
			}
			return forward, backward
		}
		if forward, backward := count(); forward != backward {
			t.Errorf("%d lines forward, %d backward", forward, backward)
		}
		var next int64
		head, _, err := s.Head(ctx, "a", "")
		if err == nil && head != nil {
			last, _, err := storetest.LineID(head)
			if err != nil {
				t.Fatalf("the head %q has no id", head)
			}
			next = last + 1
		}
		c := storetest.Commit("a", next, "new")
		c.After = head
		errAppend := s.Append(ctx, c)
		used := new(store.UsedError)
		whole := string(file[:strings.LastIndexByte(string(file), '\n')+1])
		switch {
		case err != nil, errAppend != nil && isForeign(whole, string(file[len(whole):])):
			wantUnreachable(t, errAppend)
			wantFile(t, path, string(file))
			return
		case errors.As(errAppend, &used):
			wantFile(t, path, string(file))
			return
		case errAppend != nil:
			t.Fatal(errAppend)
		}
		got := read(t, path)
		kept, ours := strings.CutSuffix(got, string(c.Line)+"\n")
		if !ours {
			t.Fatalf("the file ends with %q", got[max(0, len(got)-200):])
		}
		if kept != whole && kept != string(file)+"\n" {
			t.Errorf("the file %q became %q", file, got)
		}
		wantHead(t, s, string(c.Line))
		wantHead(t, open(t, filepath.Dir(filepath.Dir(filepath.Dir(filepath.Dir(path))))), string(c.Line))
	})
}

// isForeign tells whether a file of whole lines and a tail is no ledger.
func isForeign(whole, tail string) bool {
	if first, _, _ := strings.Cut(strings.TrimSpace(whole), "\n"); first != "" {
		_, err := store.ReadEntry([]byte(first))
		return err != nil
	}
	return !strings.HasPrefix(`{"date": "`, strings.TrimRight(tail[:min(len(tail), 10)], "\x00"))
}

// BenchmarkAppend sets an append beside its floor: to lock, write and sync a line of the same size.
func BenchmarkAppend(b *testing.B) {
	note := strings.Repeat("x", 1140)
	text := func(id int64, orderID string) []byte {
		return fmt.Appendf(nil, `{"date": "2025-10-02", "id": %d, "order_id": "%s", "note": "%s"}`, id, orderID, note)
	}
	b.Run("floor", func(b *testing.B) {
		dir := b.TempDir()
		f, err := os.OpenFile(filepath.Join(dir, "ledger"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		row := append(text(100_000, "order-100000"), '\n')
		for b.Loop() {
			lock := flock.New(filepath.Join(dir, "lock"))
			err := lock.Lock()
			if err == nil {
				_, err = f.Write(row)
			}
			if err := errors.Join(err, f.Sync(), lock.Unlock()); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, rows := range []int64{10, 100_000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			s := open(b, b.TempDir())
			path := s.LedgerFile("a")
			write(b, path, "")
			f, err := os.Create(path)
			if err != nil {
				b.Fatal(err)
			}
			w := bufio.NewWriter(f)
			for id := range rows {
				_, _ = w.Write(append(text(id, fmt.Sprintf("order-%d", id)), '\n')) // told by Flush
			}
			if err := errors.Join(w.Flush(), f.Sync(), f.Close()); err != nil {
				b.Fatal(err)
			}
			if _, _, err := s.Head(b.Context(), "a", "none"); err != nil { // the order ids are read once
				b.Fatal(err)
			}
			c := storetest.Follow(b, s, store.Commit{Account: "a"})
			for id := rows; b.Loop(); id++ {
				c.OrderID = fmt.Sprintf("order-%d", id)
				c.ID, c.Line = id, text(id, c.OrderID)
				if err := s.Append(b.Context(), c); err != nil {
					b.Fatal(err)
				}
				c.After = c.Line
			}
		})
	}
}
