// Tests of the searcher: who serves, what a caller hears of those who do not, and what is recorded.

package search

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mcp-trade/internal/files"
	"mcp-trade/market"
)

// source is a provider of a test.
type source struct {
	name   string
	asked  atomic.Int64
	answer func(ctx context.Context, q Query) ([]RawArticle, error)
}

func (s *source) Name() string { return s.name }

func (s *source) Search(ctx context.Context, q Query) ([]RawArticle, error) {
	s.asked.Add(1)
	return s.answer(ctx, q)
}

func (s *source) Check(context.Context) (string, error) { return "", nil }

func finds(name string, items ...RawArticle) *source {
	return &source{name: name, answer: func(context.Context, Query) ([]RawArticle, error) { return items, nil }}
}

func fails(name string, err error) *source {
	return &source{name: name, answer: func(context.Context, Query) ([]RawArticle, error) { return nil, err }}
}

func item(title, published string) RawArticle {
	return RawArticle{Title: title, URL: "https://x.test/" + title, Dates: []Date{DateParser{}.Read(published)}}
}

var october = Query{Text: "chips", Limit: 5, Cutoff: NewCutoff("2025-10-02", market.US)}

func TestSearcher_Search_Providers(t *testing.T) {
	down := &ProviderError{UserMessage: "it cannot be reached", Err: errors.New("dial tcp 10.1.2.3:443 key=s3cret")}
	for _, c := range []struct {
		name      string
		providers []Provider
		want      string // provider and titles, or the error
	}{
		{"the first", []Provider{finds("a", item("1", "2025-09-01")), finds("b")}, "a: 1"},
		{"the first, even if it finds nothing", []Provider{finds("a"), finds("b", item("1", "2025-09-01"))}, "a: "},
		{"the next, when one is not set up", []Provider{fails("a", &NotConfiguredError{Lacks: "key"}), finds("b", item("1", "2025-09-01"))}, "b: 1"},
		{"the next, when one fails", []Provider{fails("a", down), finds("b", item("1", "2025-09-01"))}, "b: 1"},
		{"nobody, and why", []Provider{fails("a", down), fails("b", errors.New("a bug with s3cret")), fails("c", &NotConfiguredError{Lacks: "key"})},
			"The search failed: a: it cannot be reached; b: failed; the operator finds the reason in the server's log. Try again later, or go on without it."},
		{"nobody is set up", []Provider{fails("a", &NotConfiguredError{Lacks: "key"}), fails("b", &NotConfiguredError{Lacks: "name"})}, "No source of news is set up. To have one: set A; or b: not set up: it has no name."},
		{"search is off", nil, "Search is off."},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, err := New(Config{Providers: c.providers, Hints: map[string]string{"a": "set A"}}).Search(t.Context(), october)
			got := fmt.Sprint(err)
			if err == nil {
				var titles []string
				for _, r := range answer.Articles {
					titles = append(titles, r.Title)
				}
				got = answer.Provider + ": " + strings.Join(titles, " ")
			}
			if got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

func TestSearcher_Search(t *testing.T) {
	long := strings.Repeat("é", 2000)
	a := finds("a",
		item("tomorrow", "2025-10-02"), RawArticle{Title: "undated"}, item("one", "2025-09-01"), item("one", "2025-09-01"),
		RawArticle{Title: "<b>two</b>\n", URL: "javascript:x", Source: "\x1b[0mS", Summary: long, Content: "a\u202eb " + long, Dates: []Date{DateParser{}.Read("2025-09-02")}},
		item("three", "2025-09-03"), item("four", "2025-09-03"), item("five", "2025-09-03"), item("six", "2025-09-03"),
	)
	var told []string
	answer, err := New(Config{Providers: []Provider{a}, Warn: func(text string) { told = append(told, text) }}).Search(t.Context(), october)
	if err != nil || len(answer.Articles) != 5 {
		t.Fatalf("%+v, %v", answer, err)
	}
	want := Article{Title: "two", Source: "[0mS", PublishedAt: "2025-09-02", Summary: long[:2*1000], Content: "ab " + long[:2*997]}
	if got := answer.Articles[1]; got != want {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	if got := strings.Join(told, "\n"); got != "search: 2 of 9 articles of a are not known to be published before 2025-10-02" {
		t.Errorf("the operator is told %q", got)
	}
}

// A query without a word is refused.
func TestSearcher_Search_WithoutAWord(t *testing.T) {
	a := finds("a")
	for _, text := range []string{"", " ", "???", "\u0301"} {
		q := october
		q.Text = text
		var refused *QueryError
		if _, err := New(Config{Providers: []Provider{a}}).Search(t.Context(), q); !errors.As(err, &refused) || a.asked.Load() > 0 {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A search does not wait for a provider that never answers.
func TestSearcher_Search_Timeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := &source{name: "silent", answer: func(ctx context.Context, _ Query) ([]RawArticle, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		began := time.Now()
		answer, err := New(Config{Providers: []Provider{silent, finds("b")}}).Search(t.Context(), october)
		if err != nil || answer.Provider != "b" || time.Since(began) != defaultProvider {
			t.Errorf("%+v, %v after %v", answer, err, time.Since(began))
		}
		began = time.Now()
		_, err = New(Config{Providers: []Provider{silent, silent, silent}}).Search(t.Context(), october)
		if err == nil || strings.Count(err.Error(), "did not answer in time") != 3 || time.Since(began) != defaultCall {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// A provider that fails again and again is left alone.
func TestSearcher_Search_OpenCircuit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := fails("a", &ProviderError{UserMessage: "it cannot be reached"})
		s := New(Config{Providers: []Provider{a}})
		ask := func() string {
			_, err := s.Search(t.Context(), october)
			return fmt.Sprint(err)
		}
		for range 10 {
			ask()
		}
		if n := a.asked.Load(); n != failuresInARow {
			t.Errorf("asked %d times", n)
		}
		if got := ask(); !strings.Contains(got, "left alone for 30s after 3 failures in a row") {
			t.Error(got)
		}
		time.Sleep(leftAlone + time.Second)
		a.answer = finds("a").answer
		if got := ask(); got != "<nil>" || a.asked.Load() != failuresInARow+1 {
			t.Errorf("%s after %d", got, a.asked.Load())
		}
	})
}

// Neither a caller who leaves nor a provider that is not set up opens the circuit.
func TestSearcher_Search_ClosedCircuit(t *testing.T) {
	a, b := fails("a", context.Canceled), fails("b", &NotConfiguredError{Lacks: "name"})
	s := New(Config{Providers: []Provider{a, b}})
	for range 10 {
		if _, err := s.Search(t.Context(), october); err == nil || strings.Contains(err.Error(), "left alone") {
			t.Fatal(err)
		}
	}
}

// Many searches at once are refused rather than queued.
func TestSearcher_Search_TooManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		slow := &source{name: "slow", answer: func(context.Context, Query) ([]RawArticle, error) { <-release; return nil, nil }}
		s := New(Config{Providers: []Provider{slow}})
		var wait sync.WaitGroup
		for range atOnce {
			wait.Go(func() {
				if _, err := s.Search(t.Context(), october); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if _, err := s.Search(t.Context(), october); err == nil || !strings.Contains(err.Error(), "under way already") {
			t.Error(err)
		}
		close(release)
		wait.Wait()
		if _, err := s.Search(t.Context(), october); err != nil {
			t.Error(err)
		}
	})
}

// kept returns the files of a folder, by name.
func kept(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Base(path) != ".lock" {
			text, err := os.ReadFile(path)
			files[path] = string(text)
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// A recorded answer is replayed and nobody is asked.
func TestReplay(t *testing.T) {
	dir := t.TempDir()
	count := 0
	a := &source{name: "a", answer: func(context.Context, Query) ([]RawArticle, error) {
		count++
		return []RawArticle{item("tomorrow", "2025-10-03"), item(fmt.Sprint(count), "2025-09-01"), item("äö<b>ü", "2025-09-02")}, nil
	}}
	search := func(c *Cache, q Query) string {
		answer, err := New(Config{Providers: []Provider{a}, Cache: c}).Search(t.Context(), q)
		text, _ := json.Marshal(answer)
		return fmt.Sprintf("%s %v", text, err)
	}
	first := search(Record(dir, files.Owner), october)
	for _, c := range []*Cache{Record(dir, files.Owner), Replay(dir)} {
		if again := search(c, october); again != first || count != 1 {
			t.Errorf("%s\nwant %s, asked %d times", again, first, count)
		}
	}
	for name, text := range kept(t, dir) {
		if strings.Contains(text, "tomorrow") {
			t.Errorf("%s keeps what did not pass:\n%s", name, text)
		}
	}
	for _, change := range []func(*Query){
		func(q *Query) { q.Text = "gold" }, func(q *Query) { q.Limit = 4 }, func(q *Query) { q.Symbols = []string{"AMD"} }, func(q *Query) { q.Topics = []string{"x"} },
		func(q *Query) { q.Cutoff = NewCutoff("2025-10-03", market.US) }, func(q *Query) { q.Cutoff = NewCutoff("2025-10-02", market.CN) },
	} {
		q := october
		change(&q)
		if got := search(Replay(dir), q); !strings.Contains(got, "was not recorded") || count != 1 {
			t.Errorf("%+v: %s", q, got)
		}
	}
}

// spanner is a source that tells what it has.
type spanner struct {
	*source
	has Span
}

func (s spanner) Span(context.Context, Cutoff) (Span, error) { return s.has, nil }

func TestCache_KeepsWhatAProviderHas(t *testing.T) {
	dir := t.TempDir()
	for _, provider := range []spanner{{finds("a"), Span{"2025-08-01", "2025-08-30"}}, {finds("a"), Span{}}} {
		for _, c := range []*Cache{Record(dir, files.Owner), Replay(dir)} {
			answer, err := New(Config{Providers: []Provider{provider}, Cache: c}).Search(t.Context(), october)
			if err != nil || answer.Has == nil || *answer.Has != (Span{"2025-08-01", "2025-08-30"}) {
				t.Errorf("%+v, %v", answer, err)
			}
		}
	}
}

// When the record is made, another provider may serve than would later.
func TestCache_FirstAnswer(t *testing.T) {
	dir := t.TempDir()
	a, b := fails("a", &ProviderError{UserMessage: "down"}), finds("b", item("1", "2025-09-01"))
	for range 2 {
		answer, err := New(Config{Providers: []Provider{a, b}, Cache: Record(dir, files.Owner)}).Search(t.Context(), october)
		if err != nil || answer.Provider != "b" {
			t.Errorf("%+v, %v", answer, err)
		}
		a.answer = finds("a").answer // it is up again
	}
}

// Processes that record together agree.
func TestCache_OfSeveralProcesses(t *testing.T) {
	dir := t.TempDir()
	var wait sync.WaitGroup
	answers := make([]string, 20)
	for i := range answers {
		wait.Go(func() {
			a := finds("a", item(fmt.Sprint(i), "2025-09-01"))
			answer, err := New(Config{Providers: []Provider{a}, Cache: Record(dir, files.Owner)}).Search(t.Context(), october)
			answers[i] = fmt.Sprint(answer, err)
		})
	}
	wait.Wait()
	for _, a := range answers {
		if a != answers[0] {
			t.Errorf("%s and %s", a, answers[0])
		}
	}
}

// A damaged record is not taken for an answer.
func TestCache_DamagedRecord(t *testing.T) {
	dir := t.TempDir()
	s := New(Config{Providers: []Provider{finds("a")}, Cache: Record(dir, files.Owner)})
	if _, err := s.Search(t.Context(), october); err != nil {
		t.Fatal(err)
	}
	for name, text := range kept(t, dir) {
		for _, damage := range []string{"", text[:len(text)/2], "{}", strings.Replace(text, "chips", "gold", 1), string(bytes.ToUpper([]byte(text)))} {
			if err := os.WriteFile(name, []byte(damage), 0o644); err != nil {
				t.Fatal(err)
			}
			if answer, err := s.Search(t.Context(), october); err == nil || !strings.Contains(err.Error(), "the recorded answer cannot be read") {
				t.Errorf("%q: %+v, %v", damage, answer, err)
			}
		}
	}
}
