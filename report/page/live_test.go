package page

// The live page: what is sent to whom, and what a browser makes of it.

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"mcp-trade/report/page/pagetest"
)

const patience = 60 * time.Second

// exchange is a bourse that is traded on while its page is served.
type exchange struct {
	*bourse
	t testing.TB

	mu     sync.Mutex
	mark   int
	failed error
	built  int
}

func (x *exchange) source() Source {
	return Source{
		Fingerprint: func(context.Context) (string, error) {
			x.mu.Lock()
			defer x.mu.Unlock()
			return fmt.Sprint(x.mark), x.failed
		},
		Data: func(context.Context) (Data, error) {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.built++
			return x.subject(x.t), x.failed
		},
	}
}

// change does something that the page is to show.
func (x *exchange) change(do func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	do()
	x.mark++
}

// fail makes the source fail, or work again with nil.
func (x *exchange) fail(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.failed = err
}

func (x *exchange) builds() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.built
}

// open serves the page of a bourse until the test ends.
func open(t testing.TB, b *bourse) (x *exchange, address string) {
	t.Helper()
	x = &exchange{bourse: b, t: t}
	ctx, cancel := context.WithCancel(context.Background())
	var logged []error
	live, err := NewLive(ctx, x.source(), func(err error) { logged = append(logged, err) })
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- live.Serve(ctx, listener, false) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return x, "http://" + listener.Addr().String() + "/"
}

func tradeComes(t *testing.T, browser pagetest.Browser) {
	x, address := open(t, newBourse(t, "steady", "dice").season(t))
	tab, other := browser.Open(t, pagetest.Desktop, address), browser.Open(t, pagetest.Phone.InTheDark(), address)
	for _, tab := range []*pagetest.Tab{tab, other} {
		tab.Wait(`document.body.dataset.ready === "all" && document.getElementById("live").textContent === "Live"`)
		tab.Do(chromedp.Evaluate[chromedp.Void](`window.unloaded = false; window.marked = document.getElementById("filter")`))
	}
	// The reader sorts by value, looks for a symbol, opens figures, turns a line off, and stands at the table with the cursor
	// in the search.
	tab.Do(chromedp.Evaluate[chromedp.Void](`
		[...document.querySelectorAll("#trades-table th button")].find(b => b.textContent === "Value").click();
		document.querySelector("#controls [data-key='account steady'] button").click();
		document.getElementById("account-dice").open = true;
		document.getElementById("filter-account").value = "dice";
		const search = document.getElementById("filter-text");
		search.focus(); search.value = "syn02"; search.dispatchEvent(new Event("input", {bubbles: true})); search.setSelectionRange(1, 3);
		search.scrollIntoView({behavior: "instant", block: "start"});`))
	tab.Wait(`document.getElementById("account-dice-measures")`)
	tab.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("account-dice-measures").open = true; document.getElementById("filter-text").scrollIntoView({behavior: "instant", block: "start"})`))
	place := `Math.round(document.getElementById("filter-text").getBoundingClientRect().top)`
	before, rows, builds := pagetest.Eval[int](tab, place), len(columnOf(tab, "Symbol")), x.builds()

	other.Do(chromedp.Evaluate[chromedp.Void](`version = "long ago"`)) // this one must read all anew
	x.change(func() { x.trade(t, 1, 57, "SYN02", 4321, "the new one") })
	id := fmt.Sprintf("t-dice-%d", len(x.books[1].lines)-1)
	for _, tab := range []*pagetest.Tab{tab, other} {
		tab.Wait(fmt.Sprintf(`document.getElementById(%q)`, id))
		if !pagetest.Eval[bool](tab, `window.unloaded === false && window.marked === document.getElementById("filter")`) {
			t.Error("the page was loaded anew")
		}
	}
	tab.Wait(`document.querySelector("#account-dice .day").textContent.includes("the new one")`) // which it asks the server for
	if got := columnOf(tab, "Symbol"); len(got) != rows+1 || strings.Join(got, "") != strings.Repeat("SYN02", rows+1) {
		t.Errorf("the filter shows %v, %d rows before", got, rows)
	}
	if got := pagetest.Eval[string](tab, `document.querySelector("#trades-table tbody tr").id`); got != id {
		t.Errorf("sorted by value, the largest trade comes first, not %s", got)
	}
	for what, holds := range map[string]string{
		"the cursor stays":            `document.activeElement.id === "filter-text" && document.activeElement.selectionStart === 1 && document.activeElement.selectionEnd === 3`,
		"what was opened stays open":  `document.getElementById("account-dice-measures").open`,
		"a line that is off stays so": `!document.querySelector("#equity .drawing [data-key='account steady'], #drawdown .drawing [data-key='account steady']") && document.querySelector("#controls [data-key='account steady'] button").ariaPressed === "false"`,
		"the account stays chosen":    `document.getElementById("filter-account").value === "dice"`,
		"the new row is marked":       fmt.Sprintf(`document.getElementById(%q).className === "new"`, id),
		"the leaderboard follows":     fmt.Sprintf(`document.getElementById("rank-account-dice").textContent.includes(%q)`, fmt.Sprint(x.books[1].traded)),
		"the day has it":              `document.querySelector("#account-dice .day").textContent.includes("the new one") && document.querySelectorAll("#account-dice-allocation .drawing svg").length === 1`,
	} {
		if !pagetest.Eval[bool](tab, holds) {
			t.Errorf("it does not hold that %s", what)
		}
	}
	if after := pagetest.Eval[int](tab, place); after != before {
		t.Errorf("the reader stood at %d, and stands at %d", before, after)
	}
	if n := x.builds() - builds; n != 1 {
		t.Errorf("one change was built %d times for two viewers", n)
	}
	for _, finding := range tab.Axe() {
		t.Error(finding)
	}
}

func accountComes(t *testing.T, browser pagetest.Browser) {
	b := newBourse(t, "dice", "steady").season(t)
	late := b.books[0]
	b.books = b.books[1:]
	x, address := open(t, b)
	tab := browser.Open(t, pagetest.Desktop, address)
	tab.Wait(`document.body.dataset.ready === "all" && document.getElementById("live").textContent === "Live"`)
	tab.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#controls [data-key='account steady'] button").click()`))
	x.change(func() { x.books = append(x.books, late) })
	tab.Wait(`document.getElementById("account-dice")`)
	// It takes the first place and the first colour; the line that the reader turned off is still the other's.
	off := pagetest.Eval[string](tab, `[...document.querySelectorAll("#controls [data-key] [aria-pressed=false]")].map(b => b.parentNode.dataset.key).join() + "|" +
		[...document.querySelectorAll("#equity .drawing [data-key]")].map(l => l.dataset.key).join()`)
	if off != "account steady,account dice|benchmark" { // the reader had chosen the benchmark alone
		t.Errorf("turned off, and drawn, are %s", off)
	}
	allSections := pagetest.Eval[string](tab, `[...document.getElementById("account-list").children].map(s => s.id).join(" ")`)
	if allSections != "account-dice account-steady" {
		t.Errorf("the accounts are %s", allSections)
	}
	if title := pagetest.Eval[string](tab, `document.title + "|" + document.querySelector("h1").textContent`); title != "What 2 accounts were worth|What 2 accounts were worth" {
		t.Errorf("the title is %s", title)
	}
	x.change(func() { x.books = x.books[1:] })
	tab.Wait(`!document.getElementById("account-steady")`)
}

func trouble(t *testing.T, browser pagetest.Browser) {
	x, address := open(t, newBourse(t, "steady"))
	tab := browser.Open(t, pagetest.Desktop, address)
	tab.Wait(`document.body.dataset.ready === "all" && document.getElementById("live").textContent === "Live"`)
	x.fail(errors.New("gone"))
	tab.Wait(`document.getElementById("live").matches(".lost") && document.getElementById("live").textContent.includes("trying again")`)
	x.fail(nil)
	tab.Wait(`document.getElementById("live").textContent === "Live" && !document.getElementById("live").matches(".lost")`)
}

// follow reads the events of a page from a version on.
func follow(t testing.TB, address, version string, header ...string) func() (name, told string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", address+"events?version="+version, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(header) == 2 {
		r.Header.Set(header[0], header[1])
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Body.Close() })
	lines := bufio.NewScanner(w.Body)
	lines.Buffer(nil, 64<<20)
	return func() (name, told string) {
		t.Helper()
		for lines.Scan() {
			if text, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				name = text
			}
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				if json.Unmarshal([]byte(text), &told) != nil {
					t.Fatalf("an event holds %.200s", text)
				}
				return name, told
			}
		}
		t.Fatalf("the events ended: %v", lines.Err())
		return "", ""
	}
}

// A viewer is told of each new version, once.
func TestLive_Events_Versions(t *testing.T) {
	x, address := open(t, newBourse(t, "steady", "dice", "chaser").season(t))
	version := pageVersion(t, address)
	known := follow(t, address, version)
	if name, told := follow(t, address, "unheard-of")(); name != "change" || told != version {
		t.Errorf("who has an unknown version gets %s %s, want that of %s", name, told, version)
	}
	x.change(func() { x.trade(t, 1, 57, "SYN01", 10, "") })
	name, told := known()
	now := pageVersion(t, address)
	if name != "change" || told != now || now == version {
		t.Errorf("of a trade a viewer is told %s %s; the page was %s and is %s", name, told, version, now)
	}
	again := follow(t, address, version, "Last-Event-ID", now) // a browser whose connection broke
	x.change(func() { x.trade(t, 0, 57, "SYN01", 10, "") })
	if _, told := again(); told != pageVersion(t, address) {
		t.Errorf("who comes again is told %s", told)
	}
}

// Parts are those of the page that is written to a file; what is not there is not found.
func TestLive_Parts(t *testing.T) {
	x, address := open(t, newBourse(t, "steady", "dice").season(t))
	for name, want := range pagetest.Parts(t, written(t, x.subject(t))) {
		w, err := http.Get(address + "part/" + name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(w.Body)
		w.Body.Close()
		if err != nil || w.StatusCode != http.StatusOK || !bytes.Equal(got, want) {
			t.Errorf("%s: %s, %d bytes, want %d", name, w.Status, len(got), len(want))
		}
	}
	if w, err := http.Get(address + "part/account-none"); err != nil || w.StatusCode != http.StatusNotFound {
		t.Errorf("a part that is not there: %v %v", w.Status, err)
	}
}

// pageVersion is the version that the page says it is.
func pageVersion(t testing.TB, address string) string {
	t.Helper()
	w, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err != nil || w.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v", w.Status, err)
	}
	_, rest, ok := strings.Cut(string(text), `data-version="`)
	version, _, _ := strings.Cut(rest, `"`)
	if !ok || version == "" {
		t.Fatal("the page does not say its version")
	}
	return version
}

// Nothing is built when nothing changed.
func TestLive_Follow_Unchanged(t *testing.T) {
	looks := 0
	x := &exchange{bourse: newBourse(t, "steady"), t: t}
	source := x.source()
	mark := source.Fingerprint
	source.Fingerprint = func(ctx context.Context) (string, error) { looks++; return mark(ctx) }
	live, err := NewLive(t.Context(), source, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if err := live.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if looks != 11 || x.built != 1 {
		t.Errorf("%d looks, %d times built", looks, x.built)
	}
}

func TestLive_Handler_Refused(t *testing.T) {
	live, err := NewLive(t.Context(), (&exchange{bourse: newBourse(t, "steady"), t: t}).source(), func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, path, host string
		open               bool
		want               int
	}{
		{"GET", "/", "127.0.0.1:8090", false, 200},
		{"GET", "/", "localhost:8090", false, 200},
		{"GET", "/", "[::1]:8090", false, 200},
		{"HEAD", "/", "127.0.0.1", false, 200},
		{"GET", "/", "evil.example", false, 403},
		{"GET", "/events", "evil.example:8090", false, 403},
		{"GET", "/", "127.0.0.1.evil.example", false, 403},
		{"GET", "/", "192.168.1.5:8090", false, 403},
		{"GET", "/", "192.168.1.5:8090", true, 200},
		{"POST", "/", "127.0.0.1", false, 405},
		{"DELETE", "/events", "127.0.0.1", false, 405},
		{"GET", "/../etc/passwd", "127.0.0.1", false, 404},
		{"GET", "/favicon.ico", "127.0.0.1", false, 404},
		{"GET", "/healthz", "127.0.0.1", false, 200},
		{"GET", "/report.json", "127.0.0.1", false, 200},
		{"GET", "/report.json", "evil.example", false, 403},
		{"GET", "/change/none", "127.0.0.1", false, 204},
	} {
		r := httptest.NewRequest(c.method, "/", nil)
		r.URL.Path, r.Host = c.path, c.host
		w := httptest.NewRecorder()
		live.Handler(c.open).ServeHTTP(w, r)
		if w.Code != c.want && !(c.want == 404 && w.Code == 307) {
			t.Errorf("%s %s of %s, open %v: %d, want %d", c.method, c.path, c.host, c.open, w.Code, c.want)
		}
		if p := w.Header().Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || !strings.Contains(p, "frame-ancestors 'none'") {
			t.Errorf("%s %s has the policy %q", c.method, c.path, p)
		}
	}
}

// A viewer beyond the limit is told so.
func TestLive_Events_TooManyViewers(t *testing.T) {
	_, address := open(t, newBourse(t, "steady"))
	for range maxViewers {
		follow(t, address, "")()
	}
	w, err := http.Get(address + "events")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	if w.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("viewer %d gets %s", maxViewers+1, w.Status)
	}
	pageVersion(t, address) // the page itself is there for them
}

// BenchmarkPage measures a page of ten accounts: made for the first time, and after one account traded.
func BenchmarkPage(b *testing.B) {
	x := newBourse(b, "a", "b", "c", "d", "e", "f", "g", "h", "i", "j").season(b)
	first := x.subject(b)
	x.trade(b, 4, 57, "SYN01", 10, "")
	second := x.subject(b)
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			var r renderer
			if _, err := r.render(first); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("after a trade", func(b *testing.B) {
		var r renderer
		for i := 0; b.Loop(); i++ {
			if _, err := r.render([]Data{first, second}[i%2]); err != nil {
				b.Fatal(err)
			}
		}
	})
}
