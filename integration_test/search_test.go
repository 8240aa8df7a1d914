// Search from outside: services that do not behave, keys that must not show, imports that are killed, runs that are
// replayed.

package integration_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
)

const newsKey = "k3y-horse-battery"

// services stand in for Jina and Alpha Vantage at one address.
func services(t *testing.T, p *place, handle http.HandlerFunc) {
	server := httptest.NewServer(handle)
	t.Cleanup(func() {
		server.CloseClientConnections() // of those that are not answered
		server.Close()
	})
	p.env = append(p.env, "JINA_API_KEY="+newsKey, "JINA_SEARCH_URL="+server.URL+"/s", "JINA_READER_URL="+server.URL+"/r",
		"ALPHAADVANTAGE_API_KEY="+newsKey, "ALPHAVANTAGE_URL="+server.URL+"/query")
}

func isAlphaVantage(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/query") }

// oneArticle is an answer of Alpha Vantage.
const oneArticle = `{"feed": [{"title": "Chips sell", "url": "https://x.test/1", "time_published": "20250930T120000", "summary": "A lot.", "source": "Wire"}]}`

func TestServicesThatDoNotBehaveEndInAnAnswerWithinTheTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		handle http.HandlerFunc
		says   string // of the failure; "" when Alpha Vantage serves
	}{
		{"both refuse the key", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) },
			"jina: it refuses the key: check JINA_API_KEY; alphavantage: it refuses the key: check ALPHAVANTAGE_API_KEY"},
		{"both are at their limit", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(429)
		}, "jina: its rate limit is reached; alphavantage: its rate limit is reached"},
		{"a rate limit in words that hold the key", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"Information": "We have detected your API key as %s and our standard API rate limit is 25 requests per day."}`, newsKey)
		}, "jina: its answer is not a list of results; alphavantage: its rate limit is reached"},
		{"both answer with a page", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>"+newsKey) },
			"jina: its answer is not a list of results; alphavantage: its answer is not one of NEWS_SENTIMENT"},
		{"both never end", func(w http.ResponseWriter, _ *http.Request) {
			junk := []byte(strings.Repeat("x", 1<<16))
			for err := error(nil); err == nil; {
				_, err = w.Write(junk)
			}
		}, "jina: its answer is longer than 4 MiB; alphavantage: its answer is longer than 8 MiB"},
		{"both hang up", func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
			"jina: it cannot be reached; alphavantage: it cannot be reached"},
		{"both send us elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		},
			"jina: it answers with the status 302; alphavantage: it answers with the status 302"},
		{"Jina is down", func(w http.ResponseWriter, r *http.Request) {
			if !isAlphaVantage(r) {
				w.WriteHeader(503)
				return
			}
			fmt.Fprint(w, oneArticle)
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := onFiles(t)
			p.open(t, "alice", "10000", "2025-10-02")
			services(t, p, c.handle)
			tr := p.trade(t, "alice")
			if c.says == "" {
				if r := tr.call(t, "search", args{"query": "chips"}); r.str("provider") != "alphavantage" || !strings.Contains(r.text, "Chips sell") {
					t.Errorf("%s", r.text)
				}
			} else if r := tr.refused(t, "search_failed", "search", args{"query": "chips"}); !strings.Contains(r.str("error"), c.says+".") {
				t.Errorf("%s\nwant %s", r.str("error"), c.says)
			}
			tr.filled(t, "buy", "AAPL", 1)
			if strings.Contains(tr.log.String(), newsKey) {
				t.Errorf("the log shows the key:\n%s", tr.log)
			}
		})
	}
}

func TestASearchThatWaitsDelaysNoTrade(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.open(t, "alice", "10000", "2025-10-02")
	asked, release := make(chan struct{}, 100), make(chan struct{})
	services(t, p, func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
		fmt.Fprint(w, oneArticle)
	})
	p.env = append(p.env, "MCP_TRADE_SEARCH=alphavantage")
	s := p.pipe(t, "alice")
	const searches = 12
	for i := range searches {
		s.send(t, callLine(100+i, "search", `{"query":"chips"}`))
	}
	for range searches {
		<-asked
	}
	s.send(t, callLine(99, "search", `{"query":"chips"}`), orderLine(1, "buy", "AAPL", 1, ""), orderLine(2, "sell", "AAPL", 1, ""), callLine(3, "get_portfolio", `{}`))
	for range 4 {
		m := s.answer(t)
		if r := m.reply(t); string(m.ID) == "99" && (!r.failed || !strings.Contains(r.text, "12 searches are under way already")) || string(m.ID) != "99" && r.failed {
			t.Errorf("%s: %s", m.ID, r.text)
		}
	}
	close(release)
	for range searches {
		if r := s.answer(t).reply(t); r.failed || !strings.Contains(r.text, "Chips sell") {
			t.Error(r.text)
		}
	}
	if code := s.finish(t); code != 0 {
		t.Errorf("exit %d", code)
	}
}

func TestTheKeysOfSearchAreNeverShown(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	p := onFiles(t)
	p.open(t, "alice", "10000", "2025-10-02")
	var fail atomic.Bool
	shows := func(where, text string) {
		t.Helper()
		if strings.Contains(text, newsKey) {
			t.Errorf("%s shows the key:\n%s", where, text)
		}
	}
	services(t, p, func(w http.ResponseWriter, r *http.Request) {
		shows("a command line", p.commandLines(t))
		if !strings.Contains(r.Header.Get("Authorization")+r.URL.RawQuery, newsKey) {
			t.Errorf("%s %v came without the key", r.URL, r.Header)
		}
		if fail.Load() {
			w.WriteHeader(500)
			return
		}
		switch {
		case isAlphaVantage(r):
			fmt.Fprint(w, oneArticle)
		case strings.HasPrefix(r.URL.Path, "/s"):
			fmt.Fprint(w, `{"data": [{"title": "a", "url": "https://x.test/a", "date": "2025-09-01"}]}`)
		default:
			fmt.Fprint(w, `{"data": {"title": "a", "content": "all about it"}}`)
		}
	})
	p.env = append(p.env, "MCP_TRADE_SEARCH_CACHE=record")
	for _, command := range [][]string{
		{"search", "chips", "--as-of", "2025-10-02"}, {"search", "chips", "--as-of", "2025-10-02", "--search", "alphavantage"}, {"doctor"},
		{"run", "--from", "2025-10-01", "--to", "2025-10-02", "--account", "steady=equal-weight"},
	} {
		out := p.try(t, command...)
		shows(strings.Join(command, " "), out.stdout+out.stderr)
		if out.code != 0 {
			t.Errorf("%v: exit %d\n%s%s", command, out.code, out.stdout, out.stderr)
		}
	}
	fail.Store(true)
	for _, command := range [][]string{{"search", "gold", "--as-of", "2025-10-02"}, {"doctor", "--json"}} {
		out := p.try(t, command...)
		shows(strings.Join(command, " "), out.stdout+out.stderr)
		if out.code != 1 {
			t.Errorf("%v: exit %d\n%s%s", command, out.code, out.stdout, out.stderr)
		}
	}
	_ = filepath.WalkDir(p.dir, func(path string, d os.DirEntry, err error) error {
		if text, err := os.ReadFile(path); err == nil {
			shows(path, string(text))
		}
		return nil
	})
}

// searchAll asks for the same things on the same days and returns all that is answered.
func searchAll(t *testing.T, p *place, env ...string) string {
	t.Helper()
	var all strings.Builder
	tr := p.trade(t, "alice", env...)
	for _, day := range plainDays {
		p.setDate(t, "alice", day)
		for _, query := range []string{"chips", "gold and silver", "茅台"} {
			for _, tool := range []string{"search", "get_information", "get_market_news"} {
				arguments := fmt.Sprintf(`{"query":%q}`, query)
				r, err := tr.tryCall(tool, args{"query": query})
				if err != nil && r.text == "" {
					t.Fatal(err)
				}
				fmt.Fprintln(&all, day, tool, arguments, r.failed, r.text)
			}
		}
	}
	return all.String()
}

func TestRecordedSearchesAreReplayedToTheByteWithoutAConnection(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.open(t, "alice", "10000", "2025-10-01")
	var asked atomic.Int64
	services(t, p, func(w http.ResponseWriter, r *http.Request) {
		n := asked.Add(1) // no two answers are the same
		switch {
		case isAlphaVantage(r):
			fmt.Fprint(w, oneArticle)
		case strings.HasPrefix(r.URL.Path, "/r"):
			fmt.Fprintf(w, `{"data": {"title": "page %d", "content": "it was %d hours", "publishedTime": "2025-09-0%dT10:00:00"}}`, n, n, n%9+1)
		case strings.Contains(r.URL.RawQuery, "gold"):
			w.WriteHeader(402)
		default:
			fmt.Fprintf(w, `{"data": [{"title": "a", "url": "https://x.test/%d", "date": "2025-09-01"}, {"title": "later", "url": "https://x.test/l", "date": "2025-10-03"}]}`, n)
		}
	})
	toolsets := "MCP_TRADE_TOOLSETS=trade,search,ai-trader"
	recorded := searchAll(t, p, toolsets, "MCP_TRADE_SEARCH_CACHE=record")
	if before := asked.Load(); !strings.Contains(recorded, "page") || !strings.Contains(recorded, "alphavantage") || before == 0 {
		t.Fatalf("asked %d times:\n%s", before, recorded)
	}
	before := asked.Load()
	if replayed := searchAll(t, p, toolsets, "MCP_TRADE_SEARCH_CACHE=replay"); replayed != recorded {
		t.Errorf("recorded\n%s\nreplayed\n%s", recorded, replayed)
	}
	if asked.Load() != before {
		t.Error("a replay asked somebody")
	}
	tr := p.trade(t, "alice", "MCP_TRADE_SEARCH_CACHE=replay")
	if r := tr.refused(t, "search_failed", "search", args{"query": "never asked before"}); !strings.Contains(r.str("error"), "was not recorded") {
		t.Error(r.text)
	}
}

func TestAKilledImportLeavesWholeFilesAndIsRepeated(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	const articles = 1000
	kills := scaled(t, 16, 5)
	p := onFiles(t)
	var files []string
	for f := range 3 {
		var b strings.Builder
		for i := range articles {
			fmt.Fprintf(&b, `{"title": "Article %[1]d of file%[2]d", "url": "https://x.test/%[2]d/%[1]d", "published_at": "2025-09-%02[3]dT10:00:00Z", "content": "%[4]s"}`+"\n", i, f, i%28+1, strings.Repeat("word ", 50))
		}
		files = append(files, filepath.Join(p.dir, fmt.Sprintf("file%d.jsonl", f)))
		if err := os.WriteFile(files[f], []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	command := append([]string{"news", "import"}, files...)
	began := time.Now()
	p.do(t, command...)
	whole := time.Since(began)
	partly := 0
	for range kills {
		cmd := p.command(command...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(whole))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		n := p.articles(t)
		if n%articles != 0 {
			t.Fatalf("after a kill there are %d articles: not whole files of %d", n, articles)
		}
		if n > 0 && n < 3*articles {
			partly++
		}
		if n == 3*articles {
			if err := os.RemoveAll(filepath.Join(p.dir, "news")); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d kills, %d of them between files", kills, partly)
	p.do(t, command...)
	if n := p.articles(t); n != 3*articles {
		t.Errorf("after all there are %d articles", n)
	}
	if out := p.do(t, "search", "article 7 of file2", "--as-of", "2025-10-02", "--limit", "1"); !strings.Contains(out, "Article 7 of file2") {
		t.Error(out)
	}
}

// articles counts what is in the archive.
func (p *place) articles(t *testing.T) int {
	t.Helper()
	out := p.try(t, "doctor", "--search", "archive")
	_, after, ok := strings.Cut(out.stdout, "search archive")
	if !ok {
		t.Fatalf("%s%s", out.stdout, out.stderr)
	}
	var n int
	if strings.Contains(after, "not set up") || strings.Contains(after, "no articles yet") {
		return 0
	}
	if _, err := fmt.Sscanf(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(after), "ok")), "%d articles", &n); err != nil {
		t.Fatalf("%s: %v", out.stdout, err)
	}
	return n
}
