// Tests of Jina, on stand-ins for its two services.

package jina

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mcp-trade/market"
	"mcp-trade/search"
)

var fetched = time.Date(2025, 10, 26, 16, 0, 0, 0, time.UTC)

// web stands in for both services: a list of results, and pages by their address.
type web struct {
	list  string
	pages map[string]string // "" fails

	mu   sync.Mutex
	read []string
	seen []*http.Request
}

func (w *web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, r)
	if r.URL.Path == "/s/" {
		fmt.Fprint(rw, w.list)
		return
	}
	address := strings.TrimPrefix(r.RequestURI, "/r/")
	w.read = append(w.read, address)
	text, ok := w.pages[address]
	if !ok || text == "" {
		rw.WriteHeader(http.StatusNotFound)
		return
	}
	fmt.Fprint(rw, text)
}

func (w *web) start(t testing.TB) *Jina {
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	return New(Config{Key: "s3cret", SearchURL: server.URL + "/s", ReaderURL: server.URL + "/r/", Now: func() time.Time { return fetched }, Each: 5 * time.Second})
}

func ask(t testing.TB, j *Jina, stamp market.Stamp, limit int) (string, error) {
	t.Helper()
	q := search.Query{Text: "Nvidia & chips?", Limit: limit, Cutoff: search.NewCutoff(stamp, market.US)}
	answer, err := search.New(search.Config{Providers: []search.Provider{j}}).Search(t.Context(), q)
	var titles []string
	for _, r := range answer.Articles {
		titles = append(titles, r.Title)
	}
	return strings.Join(titles, " "), err
}

func result(name, date string) string {
	return fmt.Sprintf(`{"title": "%[1]s", "url": "https://x.test/%[1]s", "description": "about %[1]s", "date": %[2]s}`, name, date)
}

func onPage(name, date string) string {
	return fmt.Sprintf(`{"code": 200, "data": {"title": "%[1]s", "url": "https://x.test/%[1]s", "content": "all about %[1]s", "publishedTime": %[2]s}}`, name, date)
}

func listOf(results ...string) string {
	return `{"code": 200, "data": [` + strings.Join(results, ",") + `]}`
}

func TestJina_Search_Requests(t *testing.T) {
	w := &web{list: listOf(`{"title": "A", "url": "https://x.test/a?b=c&d=e#f", "date": "2025-09-01"}`), pages: map[string]string{"https://x.test/a?b=c&d=e": onPage("A", `null`)}}
	j := w.start(t)
	if got, err := ask(t, j, "2025-10-02", 5); got != "A" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	list, page := w.seen[0], w.seen[1]
	if list.RequestURI != "/s/?q=Nvidia+%26+chips%3F&n=10" || list.Header.Get("X-Respond-With") != "no-content" || page.Header.Get("X-Timeout") == "" {
		t.Errorf("%s %v, %v", list.RequestURI, list.Header, page.Header)
	}
	for _, r := range w.seen {
		if r.Header.Get("Authorization") != "Bearer s3cret" || r.Header.Get("Accept") != "application/json" || strings.Contains(r.RequestURI, "s3cret") {
			t.Errorf("%s %v", r.RequestURI, r.Header)
		}
	}
}

// Both dates are checked.
func TestJina_Search_ChecksBothDates(t *testing.T) {
	for _, c := range []struct {
		list, page string
		want       bool
	}{
		{`"2025-10-01"`, `"2025-10-01T10:00:00Z"`, true},
		{`"2025-10-01"`, `null`, true},
		{`null`, `"2025-10-01T10:00:00Z"`, true},
		{`""`, `"Oct 1, 2025"`, true},
		{`"2025-10-01"`, `"2025-10-02T10:00:00Z"`, false},
		{`"2025-10-02"`, `"2025-10-01T10:00:00Z"`, false},
		{`"2025-10-01"`, `"some day"`, false},
		{`"some day"`, `"2025-10-01"`, false},
		{`1759276800`, `"2025-10-01"`, true},
		{`"2025-10-01"`, `1759276800`, true},
		{`1759377600`, `"2025-10-01"`, false}, // midnight of 2 October in New York
		{`"2025-10-01"`, `1759377600`, false},
		{`1`, `"2025-10-01"`, false},
		{`null`, `null`, false},
		{`"4 hours ago"`, `null`, false},
		{`"26 days ago"`, `null`, true},
		{`null`, `"25 days ago"`, true},
		{`null`, `"24 days ago"`, false},
	} {
		w := &web{list: listOf(result("a", c.list)), pages: map[string]string{"https://x.test/a": onPage("a", c.page)}}
		got, err := ask(t, w.start(t), "2025-10-02", 5)
		if (got == "a") != c.want || err != nil {
			t.Errorf("list %s, page %s: %q, %v, want %v", c.list, c.page, got, err, c.want)
		}
	}
}

// The first pages that pass are the answer, whatever becomes of the others.
func TestJina_Search_FirstThatPass(t *testing.T) {
	w := &web{pages: map[string]string{}}
	var all, past []string
	for i := range 20 {
		name, date := fmt.Sprintf("p%d", i), `"2025-09-01"`
		w.pages["https://x.test/"+name] = onPage(name, date)
		switch i % 4 {
		case 1: // the list says that it is later
			all = append(all, result(name, `"2025-10-20"`))
			continue
		case 2: // the page says so
			all = append(all, result(name, `null`))
			w.pages["https://x.test/"+name] = onPage(name, `"2025-10-20"`)
			continue
		}
		all, past = append(all, result(name, date)), append(past, result(name, date))
	}
	w.list = listOf(all...)
	j := w.start(t)
	before, err := ask(t, j, "2025-10-02", 7)
	if err != nil || before != "p0 p3 p4 p7 p8 p11 p12" {
		t.Fatalf("%q, %v", before, err)
	}
	if i := slices.Index(w.read, "https://x.test/p1"); i >= 0 {
		t.Error("a page was read although the list dates it after the stamp")
	}
	w.list = listOf(past...)
	if after, err := ask(t, j, "2025-10-02", 7); err != nil || after != before {
		t.Errorf("without what came later: %q, %v, want %q", after, err, before)
	}
}

// A page that cannot be read is left out.
func TestJina_Search_UnreadablePage(t *testing.T) {
	w := &web{list: listOf(result("a", `"2025-09-01"`), result("b", `"2025-09-01"`), result("c", `null`)), pages: map[string]string{
		"https://x.test/b": onPage("b", "null"), "https://x.test/c": onPage("c", `"2025-12-01"`),
	}}
	j := w.start(t)
	if got, err := ask(t, j, "2025-10-02", 5); got != "b" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	// Nothing is left but what has not passed: whether that was there must make no difference.
	w.pages["https://x.test/b"] = ""
	_, with := ask(t, j, "2025-10-02", 5)
	w.list = listOf(result("a", `"2025-09-01"`), result("b", `"2025-09-01"`))
	_, without := ask(t, j, "2025-10-02", 5)
	if with == nil || fmt.Sprint(with) != fmt.Sprint(without) {
		t.Errorf("%v, and %v", with, without)
	}
}

func TestJina_Search_BadAddresses(t *testing.T) {
	w := &web{list: listOf(
		`{"title": "a", "url": "file:///etc/passwd", "date": "2025-09-01"}`, `{"title": "b", "url": "", "date": "2025-09-01"}`,
		`{"title": "c", "url": "https://user:word@x.test/", "date": "2025-09-01"}`, `{"title": "d", "url": "::", "date": "2025-09-01"}`,
	)}
	if got, err := ask(t, w.start(t), "2025-10-02", 5); got != "" || err != nil || len(w.read) > 0 {
		t.Errorf("%q, %v, read %v", got, err, w.read)
	}
}

func TestJina_Search_BadAnswers(t *testing.T) {
	for _, text := range []string{"", "hello", "<html>", "[]", `"x"`, "{}", `{"data": null}`, `{"data": {"title": "x"}}`, `{"data": [1]}`, `{"data": [{"title": 1}]}`} {
		w := &web{list: text}
		if got, err := ask(t, w.start(t), "2025-10-02", 5); got != "" || err == nil || !strings.Contains(err.Error(), "jina: its answer is not a list of results") {
			t.Errorf("a list %q: %q, %v", text, got, err)
		}
		w = &web{list: listOf(result("a", `"2025-09-01"`)), pages: map[string]string{"https://x.test/a": text + " "}}
		if got, err := ask(t, w.start(t), "2025-10-02", 5); text != `{"data": {"title": "x"}}` && (got != "" || err == nil) {
			t.Errorf("a page %q: %q, %v", text, got, err)
		}
	}
	w := &web{list: listOf()}
	if got, err := ask(t, w.start(t), "2025-10-02", 5); got != "" || err != nil {
		t.Errorf("no results: %q, %v", got, err)
	}
}

// Without a key nobody is asked.
func TestJina_Search_WithoutAKey(t *testing.T) {
	if _, err := ask(t, New(Config{SearchURL: "http://127.0.0.1:1"}), "2025-10-02", 5); err == nil || !strings.Contains(err.Error(), "it has no key") {
		t.Error(err)
	}
}

// What the services send is never more than an answer or an error.
func FuzzAnswers(f *testing.F) {
	f.Add(listOf(result("a", `"2025-09-01"`)), onPage("a", `"2025-09-01"`))
	f.Add(`{"data": [{"url": "https://x.test/a", "date": 7}]}`, `{"data": {}}`)
	w := &web{pages: map[string]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if strings.HasPrefix(r.URL.Path, "/s") {
			fmt.Fprint(rw, w.list)
		} else {
			fmt.Fprint(rw, w.pages[""])
		}
	}))
	f.Cleanup(server.Close)
	j := New(Config{Key: "k", SearchURL: server.URL + "/s", ReaderURL: server.URL + "/r", Now: func() time.Time { return fetched }})
	cutoff := search.NewCutoff("2025-10-02", market.US)
	f.Fuzz(func(t *testing.T, list, page string) {
		w.mu.Lock()
		w.list, w.pages[""] = list, page
		w.mu.Unlock()
		answer, err := search.New(search.Config{Providers: []search.Provider{j}}).Search(t.Context(), search.Query{Text: "x", Limit: 3, Cutoff: cutoff})
		if err != nil {
			return
		}
		for _, r := range answer.Articles {
			if raw, _ := json.Marshal(r.PublishedAt); !cutoff.Allows((search.DateParser{Fetched: fetched, Zone: cutoff.Zone()}).Read(r.PublishedAt)) {
				t.Fatalf("%s passed", raw)
			}
		}
	})
}
