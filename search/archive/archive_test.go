// Tests of the archive: what is imported is found, once, by those who may know of it.

package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mcp-trade/internal/files"
	"mcp-trade/internal/testenv"
	"mcp-trade/market"
	"mcp-trade/search"
)

// line is an article of a file.
type line struct {
	Title     string   `json:"title"`
	URL       string   `json:"url,omitempty"`
	Published string   `json:"published_at,omitempty"`
	Source    string   `json:"source,omitempty"`
	Summary   string   `json:"summary,omitempty"`
	Content   string   `json:"content,omitempty"`
	Symbols   []string `json:"symbols,omitempty"`
}

func write(t testing.TB, lines ...line) string {
	t.Helper()
	var b strings.Builder
	for _, l := range lines {
		text, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
		b.WriteByte('\n')
	}
	return writeText(t, b.String())
}

func writeText(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "news.jsonl")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t testing.TB, a *Archive, path string) (Imported, error) {
	t.Helper()
	i, err := a.Importer(t.Context(), files.Owner)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	return i.File(t.Context(), path, func(int64) {})
}

func mustLoad(t testing.TB, a *Archive, path string) Imported {
	t.Helper()
	done, err := load(t, a, path)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func newArchive(t testing.TB, lines ...line) *Archive {
	t.Helper()
	a := New(filepath.Join(t.TempDir(), "news"))
	t.Cleanup(func() { a.Close() })
	if len(lines) > 0 {
		mustLoad(t, a, write(t, lines...))
	}
	return a
}

// ask returns what a searcher would answer.
func ask(t testing.TB, a *Archive, stamp market.Stamp, text string, symbols ...string) []search.Article {
	t.Helper()
	answer, err := search.New(search.Config{Providers: []search.Provider{a}}).Search(t.Context(), search.Query{
		Text: text, Symbols: symbols, Limit: 5, Cutoff: search.NewCutoff(stamp, market.US),
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Articles
}

func titles(results []search.Article) string {
	var all []string
	for _, r := range results {
		all = append(all, r.Title)
	}
	return strings.Join(all, ", ")
}

func TestArchive_Search(t *testing.T) {
	a := newArchive(t,
		line{Title: "Old chips", URL: "https://x.test/1", Published: "2025-09-01T10:00:00Z", Summary: "Nvidia sells chips", Symbols: []string{"NVDA"}},
		line{Title: "New chips", URL: "https://x.test/2", Published: "2025-09-20T10:00:00Z", Content: "Nvidia's chips sell", Symbols: []string{"NVDA", "AMD"}},
		line{Title: "Bitcoin", URL: "https://x.test/3", Published: "2025-09-21T10:00:00Z", Summary: "A coin", Symbols: []string{"BTC-USDT"}},
		line{Title: "Berkshire", URL: "https://x.test/4", Published: "2025-09-22", Symbols: []string{"BRK.B"}},
		line{Title: "First version", URL: "https://x.test/5", Published: "2025-09-10T10:00:00Z", Summary: "versions"},
		line{Title: "Second version", URL: "https://x.test/5", Published: "2025-09-12T10:00:00Z", Summary: "versions"},
		line{Title: "Nestlé’s COFFEE", URL: "https://x.test/7", Published: "2025-09-14", Content: "ÄPFEL—und Birnen"},
		line{Title: "Société Générale résultats", URL: "https://x.test/8", Published: "2025-08-01"},
		line{Title: "Ørsted, Mærsk und Großbank", URL: "https://x.test/9", Published: "2025-08-02", Content: "ガラス"},
		line{Title: "Benefices de Maersk", URL: "https://x.test/10", Published: "2025-08-03"},
		line{Title: "茅台 涨价", URL: "https://x.test/6", Published: "2025-09-13T10:00:00Z", Content: "贵州茅台今日宣布涨价"},
	)
	for _, c := range []struct {
		name    string
		stamp   market.Stamp
		text    string
		symbols []string
		want    string
	}{
		{"every word, newest first", "2025-10-01", "nvidia chips", nil, "New chips, Old chips"},
		{"as of before the newer one", "2025-09-20", "nvidia chips", nil, "Old chips"},
		{"as of before all", "2025-09-01", "nvidia chips", nil, ""},
		{"an hour before", "2025-09-20 06:00:00", "nvidia chips", nil, "Old chips"},
		{"an hour after", "2025-09-20 06:00:01", "nvidia chips", nil, "New chips, Old chips"},
		{"the words that are there, when not all are", "2025-10-01", "Will bitcoin make Nvidia richer?", nil, "Bitcoin, New chips, Old chips"},
		{"more of the words first", "2025-10-01", "nvidia coin sells chips gold", nil, "Old chips, New chips, Bitcoin"},
		{"a symbol", "2025-10-01", "nvidia", []string{"AMD"}, "New chips"},
		{"one of two symbols", "2025-10-01", "nvidia", []string{"AMD", "NVDA"}, "New chips, Old chips"},
		{"a symbol with a stop in it", "2025-10-01", "berkshire", []string{"brk.b"}, "Berkshire"},
		{"a symbol that is not there", "2025-10-01", "nvidia", []string{"NOPE"}, ""},
		{"a day that is over", "2025-09-23", "berkshire", nil, "Berkshire"},
		{"a day that is not over", "2025-09-22 23:59:59", "berkshire", nil, ""},
		{"the newer version", "2025-10-01", "versions", nil, "Second version"},
		{"the version of the time", "2025-09-12", "versions", nil, "First version"},
		{"words that are operators", "2025-10-01", `NEAR("chips" AND nvidia*) OR`, nil, "New chips, Old chips"},
		{"a language without spaces", "2025-10-01", "茅台涨价", nil, "茅台 涨价"},
		{"letters beyond English, in capitals or not", "2025-10-01", "NESTLÉ äpfel", nil, "Nestlé’s COFFEE"},
		{"accents that the query leaves out", "2025-10-01", "societe generale resultats", nil, "Société Générale résultats"},
		{"accents that are there", "2025-10-01", "Société GÉNÉRALE", nil, "Société Générale résultats"},
		{"accents written as marks of their own", "2025-10-01", "Socie\u0301te\u0301", nil, "Société Générale résultats"},
		{"accents that only the query has", "2025-10-01", "bénéfices", nil, "Benefices de Maersk"},
		{"letters that have no plain half", "2025-10-01", "Ørsted", nil, "Ørsted, Mærsk und Großbank"},
		{"and how they are written without", "2025-10-01", "orsted maersk grossbank", nil, "Ørsted, Mærsk und Großbank, Benefices de Maersk"},
		{"a mark that makes another letter", "2025-10-01", "カ", nil, ""},
		{"a mark that older tables do not know", "2025-10-01", "nestlé\u06ed 0\u06ed0", nil, "Nestlé’s COFFEE"},
		{"one character beside a digit", "2025-10-01", "0价", nil, "茅台 涨价"},
		{"one character", "2025-10-01", "价", nil, "茅台 涨价"},
		{"a word of a language without spaces", "2025-10-01", "宣布", nil, "茅台 涨价"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := titles(ask(t, a, c.stamp, c.text, c.symbols...)); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

// The index of an archive that an earlier version made holds words as they are written alone.
func TestArchive_Search_WithoutFoldedWords(t *testing.T) {
	a := newArchive(t, line{Title: "Résumé", URL: "https://x.test/1", Published: "2025-09-01"})
	i, err := a.Importer(t.Context(), files.Owner)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if _, err := i.db.Exec("DROP TABLE word; " + schema + "; INSERT INTO word (rowid, words) SELECT id, 'résumé' FROM article"); err != nil {
		t.Fatal(err)
	}
	if got := titles(ask(t, a, "2025-10-01", "RÉSUMÉ")); got != "Résumé" {
		t.Errorf("as it is written, %q is found", got)
	}
	mustLoad(t, a, write(t, line{Title: "Un autre résumé", URL: "https://x.test/2", Published: "2025-09-02"}))
	if got := titles(ask(t, a, "2025-10-01", "resume")); got != "Un autre résumé" {
		t.Errorf("without accents, %q is found", got)
	}
}

// The same article is kept once.
func TestImporter_File_SameArticle(t *testing.T) {
	a := newArchive(t)
	path := write(t,
		line{Title: "One", URL: "https://x.test/1", Published: "2025-09-01"},
		line{Title: "One again", URL: "https://x.test/1", Published: "2025-09-01"},
		line{Title: "No address", Source: "A", Published: "2025-09-01"},
		line{Title: "No address", Source: "B", Published: "2025-09-01"},
		line{Title: "Undated", URL: "https://x.test/2"},
		line{Title: "Some day", URL: "https://x.test/3", Published: "some day"},
		line{Title: "A while ago", URL: "https://x.test/3", Published: "4 hours ago"},
	)
	if got, want := mustLoad(t, a, path), (Imported{Added: 3, Known: 1, Undated: 3}); got != want {
		t.Errorf("the first time: %+v, want %+v", got, want)
	}
	if got, want := mustLoad(t, a, path), (Imported{Known: 4, Undated: 3}); got != want {
		t.Errorf("the second time: %+v, want %+v", got, want)
	}
}

// An id that is taken makes way for another one of the same time.
func TestImporter_File_OneSecond(t *testing.T) {
	a := newArchive(t)
	var lines []line
	for i := range 6000 { // of eight million: a pair or two have the same hash
		lines = append(lines, line{Title: fmt.Sprintf("Article %d", i), URL: fmt.Sprintf("https://x.test/%d", i), Published: "2025-09-01"})
	}
	if got := mustLoad(t, a, write(t, lines...)); got.Added != len(lines) {
		t.Fatalf("%+v", got)
	}
	last := int64(1)<<62 | dayBit | (dayBit - 1)
	if next := nextID(last); next != int64(1)<<62|dayBit {
		t.Errorf("after the last id of a second comes %x", next)
	}
}

// A search does not wait for an import.
func TestArchive_Search_DuringAnImport(t *testing.T) {
	testenv.Slow(t)
	a := newArchive(t, line{Title: "Earlier", URL: "https://x.test/0", Published: "2025-09-01"})
	var lines []line
	for n := range 3000 {
		lines = append(lines, line{Title: "New", URL: fmt.Sprintf("https://x.test/new/%d", n), Published: "2025-09-01", Content: strings.Repeat("word ", 1000)})
	}
	i, err := a.Importer(t.Context(), files.Owner)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	searched := 0
	if _, err := i.File(t.Context(), write(t, lines...), func(bytes int64) {
		if bytes > int64(searched)*maxBatch { // before, between and after what is written at once
			searched++
			if got := titles(ask(t, a, "2025-10-01", "new earlier")); got != "Earlier" {
				t.Errorf("after %d bytes there is %q", bytes, got)
			}
		}
	}); err != nil || searched < 2 {
		t.Errorf("%d searches, %v", searched, err)
	}
	if got := titles(ask(t, a, "2025-10-01", "new")); !strings.HasPrefix(got, "New") {
		t.Errorf("afterwards there is %q", got)
	}
}

// An interrupted import adds nothing.
func TestImporter_File_Interrupted(t *testing.T) {
	a := newArchive(t, line{Title: "Earlier", URL: "https://x.test/0", Published: "2025-09-01"})
	i, err := a.Importer(t.Context(), files.Owner)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	ctx, cancel := context.WithCancel(t.Context())
	_, err = i.File(ctx, write(t, line{Title: "New", URL: "https://x.test/1", Published: "2025-09-01"}), func(int64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got := titles(ask(t, a, "2025-10-01", "new earlier")); got != "Earlier" {
		t.Errorf("afterwards there is %q", got)
	}
}

// A damaged file is refused as a whole.
func TestImporter_File_Damaged(t *testing.T) {
	testenv.Slow(t)
	good := `{"title": "Good", "url": "https://x.test/1", "published_at": "2025-09-01"}` + "\n"
	for _, c := range []struct{ name, text, says string }{
		{"cut off", good + good[:40], ":2: the file is cut off"},
		{"cut off, with a line feed", good + good[:20] + "\n", ":2: the file is cut off"},
		{"cut off in a reply", `{"feed": [{"title": "Good", "time_publ`, ":1: the file is cut off"},
		{"no JSON", good + "\n" + good + "hello\n", ":4: is not JSON"},
		{"a web page", "<html><body>Not found</body></html>", ":1: is not JSON"},
		{"another kind of object", good + `{"Information": "rate limit"}`, `:2: holds what is neither an article`},
		{"a list", good + `[1, 2]`, ":2: holds what is neither"},
		{"a number", good + `7`, ":2: holds what is neither"},
		{"a title that is a number", good + `{"title": 7}`, `:2: "title" must not be a number`},
		{"symbols that are one text", good + `{"title": "x", "symbols": "NVDA"}`, `:2: "symbols" must not be a string`},
		{"empty", "", " is empty"},
		{"a page of 50 MB", good + `{"title": "Long", "published_at": "2025-09-01", "content": "` + strings.Repeat("long ", 10<<20) + `"}`, ":2: holds an article of more than 16 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := newArchive(t, line{Title: "Earlier", URL: "https://x.test/0", Published: "2025-09-01"})
			_, err := load(t, a, writeText(t, c.text))
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasSuffix(err.Error(), "Nothing of this file was imported") {
				t.Errorf("error %v, want one that says %q", err, c.says)
			}
			if got := titles(ask(t, a, "2025-10-01", "good earlier")); got != "Earlier" {
				t.Errorf("afterwards there is %q", got)
			}
		})
	}
}

func TestArchive_AbsentOrDamaged(t *testing.T) {
	dir := t.TempDir()
	query := search.Query{Text: "x", Limit: 5, Cutoff: search.NewCutoff("2025-10-01", market.US)}
	a := New(dir)
	if _, err := a.Search(t.Context(), query); err == nil || !strings.Contains(err.Error(), "no articles") {
		t.Errorf("without an archive: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "news.db"), []byte(strings.Repeat("no database ", 1000)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Search(t.Context(), query); err == nil || !strings.Contains(err.Error(), "the archive cannot be read") {
		t.Errorf("with a damaged one: %v", err)
	}
}

// What a killed import leaves where it was in the middle of a write: a journal, from which the next one who opens the index has to
// put back what was there.
func TestImporter_KilledDuringAWrite(t *testing.T) {
	var lines []line
	for i := range 500 {
		lines = append(lines, line{Title: fmt.Sprintf("Article %d", i), Published: "2025-09-01T10:00:00Z", Content: strings.Repeat("good ", 50)})
	}
	a := newArchive(t, lines...)
	db, err := open(a.path, "_pragma=journal_mode(delete)&_pragma=cache_size(1)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	defer db.Close()
	if _, err := db.Exec("BEGIN; CREATE TABLE junk AS SELECT * FROM article; DELETE FROM article"); err != nil {
		t.Fatal(err)
	}
	killed := New(t.TempDir())
	defer killed.Close()
	for _, suffix := range []string{"", "-journal"} {
		text, err := os.ReadFile(a.path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(killed.path+suffix, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := killed.Info(t.Context()); err != nil || info.Articles != 500 {
		t.Errorf("it holds %v, %v", info, err)
	}
}

// Real articles are found the day after and no day before.
func TestArchive_Search_RealArticles(t *testing.T) {
	path := filepath.Join(testenv.TestData(t), "news_alphavantage.json")
	a := newArchive(t)
	if got := mustLoad(t, a, path); got.Added != 20 {
		t.Fatalf("%+v", got)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var reply struct {
		Feed []struct {
			Title     string `json:"title"`
			Published string `json:"time_published"`
		} `json:"feed"`
	}
	if err := json.Unmarshal(text, &reply); err != nil {
		t.Fatal(err)
	}
	for _, x := range reply.Feed {
		day, err := time.Parse("20060102", x.Published[:8])
		if err != nil {
			t.Fatal(err)
		}
		found := func(day time.Time) bool {
			for _, r := range ask(t, a, market.Stamp(day.Format(time.DateOnly)), x.Title) {
				if r.Title == search.Plain(x.Title) {
					return true
				}
			}
			return false
		}
		if found(day) {
			t.Errorf("%q is found on its own day", x.Title)
		}
		if !found(day.AddDate(0, 0, 1)) {
			t.Errorf("%q is not found the day after", x.Title)
		}
	}
}
