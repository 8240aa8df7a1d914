// The report as a page, from outside: served while accounts trade, and written.

package integration_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
	"mcp-trade/report/page/pagetest"
)

// served is a report that is being served.
type served struct {
	cmd     *exec.Cmd
	address string
	stderr  *syncBuffer
}

// serve serves the place's report on a free port, and ends it with the test.
func (p *place) serve(t testing.TB, args ...string) *served {
	t.Helper()
	s := &served{cmd: p.command(append([]string{"report", "--serve", "127.0.0.1:0"}, args...)...), stderr: &syncBuffer{}}
	s.cmd.Stderr = s.stderr
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if s.address = regexp.MustCompile(`http://[0-9.:]+/`).FindString(line); s.address == "" {
		t.Fatalf("it says %q, %v\n%s", line, err, s.stderr)
	}
	return s
}

// interrupt ends it as Ctrl-C does.
func (s *served) interrupt(t testing.TB) {
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("after Ctrl-C: %v\n%s", err, s.stderr)
	}
}

func TestATradeIsSoonOnTheServedPage(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	browser := pagetest.Start(t)
	onBothStores(t, func(t *testing.T, p *place) {
		p.prices = synthetic
		p.do(t, runArgs(fiveDays, runAccounts...)...)
		s := p.serve(t, "--benchmark", "equal-weight")
		tab := browser.Open(t, pagetest.Desktop, s.address)
		tab.Wait(`document.body.dataset.ready === "all" && document.getElementById("live").textContent === "Live"`)
		tab.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("account-dice").open = true`))
		const day = "2025-01-09"
		p.setDate(t, "dice", day)
		tr := p.trade(t, "dice")
		var waits []time.Duration
		for range 5 {
			id := tr.filled(t, "buy", "SYN07", 1).number(t, "id")
			answered := time.Now()
			tab.Wait(fmt.Sprintf(`document.getElementById("t-dice-%s")`, id))
			waits = append(waits, time.Since(answered).Round(time.Millisecond))
		}
		slices.Sort(waits)
		t.Logf("trades are on the page after %v", waits)
		tab.Wait(`document.querySelector("#account-dice .day")?.textContent.includes("SYN07")`)
		if text := pagetest.Eval[string](tab, `document.querySelector("#account-dice .day").textContent`); !strings.Contains(text, day) || !strings.Contains(text, "SYN07") {
			t.Errorf("the day's trades are told as %q", text)
		}
		p.open(t, "late", "5000", day)
		tab.Wait(`document.getElementById("account-late")`)
		s.interrupt(t)
		tab.Wait(`document.getElementById("live").textContent.startsWith("No connection")`)
		tab.Do(chromedp.Navigate("about:blank"))
		tab.Forget() // that it lost its server
	})
}

func TestAServedPageWaitsForItsFirstAccount(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	browser := pagetest.Start(t)
	p := onFiles(t)
	s := p.serve(t)
	tab := browser.Open(t, pagetest.Phone, s.address)
	tab.Wait(`document.querySelector(".lead")?.textContent === "There is nothing to show yet."`)
	p.open(t, "first", "5000", plainDays[0])
	tab.Wait(`document.getElementById("account-first")`)
	for _, finding := range tab.Axe() {
		t.Error(finding)
	}
}

func TestAServedPageOutlivesItsRedis(t *testing.T) {
	t.Parallel()
	p := onRedis(t)
	p.open(t, "alice", "5000", plainDays[0])
	s := p.serve(t)
	addr := strings.TrimPrefix(p.redisURL, "redis://")
	redisDo(t, p.redisURL, "CLIENT", "KILL", "TYPE", "normal")
	redisDo(t, p.redisURL, "CONFIG", "SET", "requirepass", "x") // from now on it refuses
	for end := time.Now().Add(patience); !strings.Contains(s.stderr.String(), "the page does not follow for now"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("nothing is said of it:\n%s", s.stderr)
		}
	}
	w, err := http.Get(s.address)
	if err != nil || w.StatusCode != http.StatusOK {
		t.Fatalf("the page is gone: %v", err)
	}
	w.Body.Close()
	redisDo(t, "redis://:x@"+addr, "CONFIG", "SET", "requirepass", "")
	for end := time.Now().Add(patience); !strings.Contains(s.stderr.String(), "the page follows again"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not recover:\n%s", s.stderr)
		}
	}
	if strings.Count(s.stderr.String(), "does not follow") != 1 {
		t.Errorf("one failure is told more than once:\n%s", s.stderr)
	}
	s.interrupt(t)
}

// The report of an account with many trades is a page that a browser likes to show.
func TestThePageOfALongLedgerIsBounded(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	browser := pagetest.Start(t)
	const trades = 100_000
	p := onFiles(t)
	p.prices = synthetic
	path := p.ledgerFile("busy")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	for id := range trades + 1 {
		action := ""
		if id > 0 {
			side := []string{"sell", "buy"}[id%2]
			action = fmt.Sprintf(`"this_action": {"action": %q, "symbol": "SYN%02d", "amount": 1, "price": 100}, `, side, 1+id/2%20)
		}
		fmt.Fprintf(&text, `{"date": "%s", "id": %d, %s"positions": {"CASH": %d}}`+"\n", fiveDays, id, action, 100000-100*(id%2))
	}
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	p.do(t, "report", "--out", filepath.Join(p.dir, "out"))
	page, err := os.Stat(filepath.Join(p.dir, "out", "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	if page.Size() > 3<<20 {
		t.Errorf("the page has %d bytes", page.Size())
	}
	tab := browser.Open(t, pagetest.Desktop, "file://"+filepath.Join(p.dir, "out", "report.html"))
	tab.Wait(`document.body.dataset.ready === "all"`)
	if rows := pagetest.Eval[int](tab, `document.getElementById("trades-table").tBodies[0].rows.length`); rows > 200 {
		t.Errorf("the table has %d rows at once", rows)
	}
	if note := pagetest.Eval[string](tab, `document.getElementById("trades-note").textContent`); note != "All 100,000 trades." {
		t.Errorf("it says %q", note)
	}
	// The oldest of them is found.
	tab.Do(chromedp.Evaluate[chromedp.Void](`const search = document.getElementById("filter-text"); search.value = "t-busy-1 syn01"; search.dispatchEvent(new Event("input", {bubbles: true}))`))
	if found := pagetest.Eval[string](tab, `[...document.querySelectorAll("#trades-table tbody tr")].map(r => r.id).at(-1)`); !strings.HasPrefix(found, "t-busy-1") {
		t.Errorf("it finds %s", found)
	}
}

func TestWhatAModelSaysStandsBesideItsTradesAndIsInert(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	browser := pagetest.Start(t)
	p := onFiles(t)
	const hostile = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>\x1b[31m\x1b]0;title\a"
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		if r.Turn == 0 {
			return modeltest.Reply{Text: "Of " + r.Date + " I think " + hostile, Calls: []modeltest.Call{modeltest.Order("buy", "SYN01", 1)}}
		}
		return modeltest.Say("Done. %s", llm.StopSignal)
	})
	p.do(t, "run", p.config(t, model, "2025-01-03", object{}, "alice"))
	p.setDate(t, "alice", "2025-01-03")
	note := p.trade(t, "alice").call(t, "buy", args{"symbol": "SYN02", "amount": 1, "note": "<script>window.hacked=1</script>"})
	if note.failed {
		t.Fatal(note.text)
	}
	tab := browser.Open(t, pagetest.Desktop, p.serve(t).address)
	tab.Wait(`document.body.dataset.ready === "all"`)
	tab.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("account-alice").open = true`))
	tab.Wait(`document.querySelector("#account-alice .day")`)
	for _, date := range []string{"2025-01-02", "2025-01-03"} {
		day := pagetest.Eval[string](tab, fmt.Sprintf(`document.querySelector("#account-alice .day[data-key='%s']").innerText`, date))
		if !strings.Contains(day, "Of "+date+" I think <script>window.hacked=1</script><img src=x onerror=window.hacked=1>") || !strings.Contains(day, "bought 1 SYN01") || strings.Contains(day, "\x1b") {
			t.Errorf("%s: %q", date, day)
		}
	}
	if !pagetest.Eval[bool](tab, `!("hacked" in window) && document.querySelector("#trades-table td.note").textContent === "<script>window.hacked=1</script>" && !document.querySelector("main img, main script")`) {
		t.Error("a text was taken for markup")
	}
}
