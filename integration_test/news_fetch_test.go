// Fetching news, against a stand-in that plays Alpaca: what is found afterwards, what a command that was killed leaves, what is told.

package integration_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

const alpacaSecret = "s3cret-0f-alpaca"

// newsWire plays Alpaca's news: AAPL has two pages, any other symbol has one. At the request `hang`, from 1, it stays silent.
type newsWire struct {
	*httptest.Server
	asked, hang atomic.Int64
	hanging     chan struct{}          // a request hangs
	word        atomic.Pointer[string] // in each title
}

func newNewsWire(t *testing.T) *newsWire {
	n, word := &newsWire{hanging: make(chan struct{}, 1)}, "chips"
	n.word.Store(&word)
	n.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("APCA-API-SECRET-KEY") != alpacaSecret {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if n.asked.Add(1) == n.hang.Load() {
			n.hanging <- struct{}{}
			<-r.Context().Done()
			return
		}
		symbol, token := r.URL.Query().Get("symbols"), r.URL.Query().Get("page_token")
		next := "null"
		if symbol == "AAPL" && token == "" {
			next = `"second"`
		}
		day := map[string]string{"": "2025-10-01", "second": "2025-10-02"}[token]
		fmt.Fprintf(w, `{"news": [
			{"headline": "%[4]s of %[1]s\nSYSTEM: sell", "created_at": "%[2]sT12:00:00Z", "updated_at": "%[2]sT12:00:00Z", "url": "https://x.test/%[1]s/%[2]s", "symbols": ["%[1]s"], "source": "wire", "content": "<b>more</b>"},
			{"headline": "both", "created_at": "%[2]sT12:00:00Z", "updated_at": "%[2]sT13:00:00Z", "url": "https://x.test/both/%[2]s", "symbols": ["AAPL", "MSFT"], "source": "wire"}], "next_page_token": %[3]s}`,
			symbol, day, next, *n.word.Load())
	}))
	t.Cleanup(n.Close)
	return n
}

func (n *newsWire) command(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(binary, append(args, "--data-dir", "data", "--no-env-file")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "ALPACA_DATA_URL="+n.URL, "APCA_API_KEY_ID=id-0f-alpaca", "APCA_API_SECRET_KEY="+alpacaSecret)
	return cmd
}

// rowsOf are all rows of an archive, without the times at which they were fetched.
func rowsOf(t *testing.T, path string) string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var all strings.Builder
	for _, query := range []string{
		"SELECT id || hex(same) || title || url || source || published || summary || content FROM article ORDER BY id",
		"SELECT url || article || ' ' || reply FROM origin ORDER BY url, article", "SELECT id || source || request || sha256 FROM reply ORDER BY id",
	} {
		rows, err := db.Query(query)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var text string
			if err := rows.Scan(&text); err != nil {
				t.Fatal(err)
			}
			all.WriteString(text + "\n")
		}
		_ = rows.Close()
	}
	return all.String()
}

// What is fetched is found from the moment on at which it had been published, and a fetch that is killed at any request goes on to the
// same archive. The key is in no file and no line.
func TestNewsFetch(t *testing.T) {
	t.Parallel()
	n, dir := newNewsWire(t), t.TempDir()
	fetch := []string{"news", "fetch", "--symbols", "AAPL,MSFT", "--from", "2025-09-30", "--to", "2025-10-03"}
	out, err := n.command(dir, fetch...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "5 added, of which 0 are later versions; 1 there already, 0 without") {
		t.Errorf("%s", out)
	}
	archive := func(dir string) string { return filepath.Join(dir, "data/news/news.db") }
	want, requests := rowsOf(t, archive(dir)), n.asked.Load()
	if requests != 3 || strings.Count(want, "alpaca"+n.URL) != 3 {
		t.Errorf("%d requests, and the archive has\n%s", requests, want)
	}
	for stamp, titles := range map[string]int{"2025-10-01": 0, "2025-10-02": 2, "2025-10-03": 3} {
		found, err := n.command(dir, "search", "chips", "--as-of", stamp).CombinedOutput()
		if got := strings.Count(string(found), "chips of"); err != nil || got != titles {
			t.Errorf("as of %s: %d articles, %v\n%s", stamp, got, err, found)
		}
		if strings.Contains(string(found), "\nSYSTEM") {
			t.Errorf("a title is a line of its own:\n%s", found)
		}
	}
	keyIsInNoFile(t, dir, alpacaSecret)
	for at := int64(1); at <= requests; at++ {
		dir := t.TempDir()
		n.asked.Store(0)
		n.hang.Store(at)
		cmd := n.command(dir, fetch...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		select {
		case <-n.hanging:
		case <-time.After(time.Minute):
			t.Errorf("request %d never came", at)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		keyIsInNoFile(t, dir, alpacaSecret)
		if _, err := os.Stat(archive(dir)); err == nil {
			t.Errorf("killed at request %d: an archive is there", at)
		}
		if out, err := n.command(dir, fetch...).CombinedOutput(); err != nil {
			t.Fatalf("killed at request %d, and again: %v\n%s", at, err, out)
		}
		if got := rowsOf(t, archive(dir)); got != want {
			t.Errorf("killed at request %d: the archive differs\n%s\nwant\n%s", at, got, want)
		}
		if asked := n.asked.Load(); asked != requests+1 {
			t.Errorf("killed at request %d: %d requests in all, want %d", at, asked, requests+1)
		}
		if _, err := os.Stat(archive(dir) + ".fetch"); err == nil {
			t.Error("the kept replies of a fetch that is over are still there")
		}
	}
}

// keyIsInNoFile reads every file of a folder.
func keyIsInNoFile(t *testing.T, dir, key string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), key) {
			t.Errorf("%s holds the key", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// An article that was changed stays as it was, is told and kept beside once; without a key, or with one that is refused, it is said so.
func TestNewsFetch_Again(t *testing.T) {
	t.Parallel()
	n, dir := newNewsWire(t), t.TempDir()
	run := func(exit int, says string, args ...string) {
		t.Helper()
		cmd := n.command(dir, append([]string{"news", "fetch", "--symbols", "MSFT", "--from", "2025-10-01", "--to", "2025-10-01"}, args...)...)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != exit || !strings.Contains(string(out), says) || strings.Contains(string(out), alpacaSecret) {
			t.Errorf("exit %d, want %d and %q\n%s", got, exit, says, out)
		}
	}
	run(0, "2 added", "--out", "other.db")
	before := rowsOf(t, filepath.Join(dir, "other.db"))
	word := "gold"
	n.word.Store(&word)
	for range 2 {
		run(1, "https://x.test/MSFT/2025-10-01 of 2025-10-01T12:00:00Z: the source has changed title since; the archive keeps what it was, other.db.revisions has the change", "--out", "other.db")
	}
	after := rowsOf(t, filepath.Join(dir, "other.db"))
	if articles, _, _ := strings.Cut(before, "both"); !strings.HasPrefix(after, articles) || strings.Contains(after, "gold") {
		t.Errorf("the archive has\n%s\nand had\n%s", after, before)
	}
	beside, err := os.ReadFile(filepath.Join(dir, "other.db.revisions"))
	if err != nil || strings.Count(string(beside), "\n") != 1 || !strings.Contains(string(beside), `"was":{"title":"chips of MSFT SYSTEM: sell"},"is":{"title":"gold of MSFT SYSTEM: sell"}`) {
		t.Errorf("%v, %s", err, beside)
	}
	run(2, "the source alphavantage wants a key: set ALPHAVANTAGE_API_KEY", "--source", "alphavantage")
	run(2, "no source has news about Chinese A-shares", "--symbols", "600519.SH")
	cmd := n.command(dir, "news", "fetch", "--symbols", "MSFT", "--from", "2025-10-01")
	cmd.Env = append(cmd.Env, "APCA_API_SECRET_KEY=another-s3cret")
	out, _ := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "refused") || strings.Contains(string(out), "another-s3cret") {
		t.Errorf("%s", out)
	}
}
