// Fetching prices, against stand-ins that play the sources: what is in the file, what a command that was killed leaves, what is told.

package integration_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// klines plays Binance: a pair has a bar for each day, whose prices its name sets.
type klines struct {
	*httptest.Server
	asked  atomic.Int64
	raised atomic.Int64 // what is added to each price
}

func newKlines(t *testing.T) *klines {
	k := &klines{}
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.asked.Add(1)
		playKlines(w, r, k.raised.Load())
	}))
	t.Cleanup(k.Server.Close)
	return k
}

// playKlines answers a request.
func playKlines(w http.ResponseWriter, r *http.Request, raised int64) {
	q := r.URL.Query()
	from, _ := strconv.ParseInt(q.Get("startTime"), 10, 64)
	to, _ := strconv.ParseInt(q.Get("endTime"), 10, 64)
	switch q.Get("symbol") {
	case "NONEUSDT":
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"code":-1121,"msg":"Invalid symbol."}`)
		return
	case "SHUTUSDT":
		w.WriteHeader(http.StatusUnavailableForLegalReasons)
		return
	}
	price := int64(len(q.Get("symbol")))*100 + int64(q.Get("symbol")[0]) + raised
	var rows []string
	for at := from; at <= to && len(rows) < 1000; at += 86400000 {
		rows = append(rows, fmt.Sprintf(`[%d,"%d.10000000","%d.00000000","%d.00000000","%d.50000000","%d.00000000",%d,"1",1,"1","1","0"]`,
			at, price, price+2, price-1, price+1, 1000+at/86400000%7, at+86399999))
		price += 1 - at/86400000%3
	}
	fmt.Fprint(w, "["+strings.Join(rows, ",")+"]")
}

func (k *klines) command(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(binary, append(args, "--data-dir", "data", "--no-env-file")...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "BINANCE_URL="+k.URL)
	return cmd
}

var fetchedAt = regexp.MustCompile(`"fetched_at": ?"[^"]*"`)

// withoutTimes is a price file without the times at which it was fetched.
func withoutTimes(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !fetchedAt.Match(text) {
		t.Error("the file does not say when it was fetched")
	}
	return fetchedAt.ReplaceAllString(string(text), "")
}

// From nothing to a traded account in three commands.
func TestPricesFetch(t *testing.T) {
	t.Parallel()
	fetch := []string{"prices", "fetch", "--market", "crypto", "--symbols", "BTC-USDT,ETH-USDT,ADA-USDT", "--from", "2021-01-01", "--to", "2024-12-31"}
	k, dir := newKlines(t), t.TempDir()
	for _, args := range [][]string{
		fetch, {"prices", "check"},
		{"run", "--market", "crypto", "--account", "a=random:1", "--from", "2024-12-01", "--to", "2024-12-20"},
	} {
		if out, err := k.command(dir, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	want, requests := withoutTimes(t, filepath.Join(dir, "data/merged.jsonl")), k.asked.Load()
	if requests != 6 || strings.Count(want, `"sha256"`) != 6 {
		t.Errorf("%d requests, and the file tells of %d replies", requests, strings.Count(want, `"sha256"`))
	}
	if _, err := os.Stat(filepath.Join(dir, "data/merged.jsonl.fetch")); err == nil {
		t.Error("the kept replies of a fetch that is over are still there")
	}
}

// Newer bars are added; a bar that the source changed stays as it was, is told and kept beside; a symbol that nobody has is told.
func TestPricesFetch_Again(t *testing.T) {
	t.Parallel()
	k, dir := newKlines(t), t.TempDir()
	run := func(exit int, symbols, to string) string {
		t.Helper()
		cmd := k.command(dir, "prices", "fetch", "--market", "crypto", "--symbols", symbols, "--from", "2024-12-01", "--to", to, "--json")
		out, err := cmd.Output()
		if code := cmd.ProcessState.ExitCode(); code != exit {
			t.Fatalf("exit %d, want %d: %v\n%s", code, exit, err, out)
		}
		return string(out)
	}
	run(0, "BTC-USDT", "2024-12-10")
	first := withoutTimes(t, filepath.Join(dir, "data/merged.jsonl"))
	run(0, "BTC-USDT", "2024-12-20")
	k.raised.Store(50)
	var told struct {
		Added   int
		Revised []struct{ Symbol, Stamp string }
	}
	if err := json.Unmarshal([]byte(run(1, "BTC-USDT", "2024-12-21")), &told); err != nil || told.Added != 1 || len(told.Revised) != 20 || told.Revised[0].Stamp != "2024-12-01" {
		t.Errorf("%+v, %v", told, err)
	}
	run(1, "BTC-USDT", "2024-12-21")
	text := withoutTimes(t, filepath.Join(dir, "data/merged.jsonl"))
	_, bars, _ := strings.Cut(strings.TrimSuffix(strings.TrimSpace(first), "}}"), `"Time Series`)
	if !strings.Contains(text, bars) || strings.Count(text, `"4. sell price"`) != 21 {
		t.Error("what the file had is not there as it was, with 11 bars more")
	}
	beside, err := os.ReadFile(filepath.Join(dir, "data/merged.jsonl.revisions"))
	if err != nil || strings.Count(string(beside), "\n") != 20 { // once, however often they are told
		t.Errorf("%d changes are kept, %v", strings.Count(string(beside), "\n"), err)
	}
	out := run(1, "NONE-USDT,SHUT-USDT,ETH-USDT", "2024-12-20")
	for _, want := range []string{`"outcome": "no such symbol"`, `"outcome": "refused"`, "it does not serve from where this machine is"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in %s", want, out)
		}
	}
	if strings.Contains(out, k.URL) {
		t.Errorf("an address is told: %s", out)
	}
}
