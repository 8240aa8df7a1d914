// The future of an archive changes no byte of an answer.

package archive

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-trade/internal/files"
	"mcp-trade/internal/testenv"
	"mcp-trade/market"
	"mcp-trade/search"
)

// world makes up articles around a stamp.
type world struct {
	*rand.Rand
	stamp  market.Stamp
	cutoff search.Cutoff
}

func newWorld(seed uint64) world {
	r := rand.New(rand.NewPCG(seed, 1))
	at := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(300*24)) * time.Hour)
	stamp := market.Stamp(at.Format("2006-01-02 15:04:05"))
	if r.IntN(2) == 0 {
		stamp = stamp.Day()
	}
	of := []market.ID{market.US, market.CN, market.Crypto}[r.IntN(3)]
	return world{r, stamp, search.NewCutoff(stamp, of)}
}

var vocabulary = strings.Fields("apple nvidia bitcoin chip profit loss bank rate the of in rises falls gold oil merger 茅台 涨价 q3 guidance")

func (w world) words(n int) string {
	var words []string
	for range 1 + w.IntN(n) {
		words = append(words, vocabulary[w.IntN(len(vocabulary))])
	}
	return strings.Join(words, " ")
}

func (w world) article() line {
	at := w.stamp.In(w.cutoff.Zone()).Add(time.Duration(w.IntN(2*72*60)-72*60) * time.Minute)
	l := line{
		Title: w.words(4), URL: fmt.Sprintf("https://x.test/%d", w.IntN(40)), Summary: w.words(8), Content: w.words(12), Source: w.words(1),
		Symbols: []string{[]string{"AAPL", "NVDA", "BTC-USDT", "BRK.B"}[w.IntN(4)]},
	}
	if w.IntN(8) == 0 {
		l.URL = ""
	}
	switch w.IntN(5) {
	case 0:
		l.Published = at.Format("2006-01-02")
	case 1:
		l.Published = at.Format("2006-01-02T15:04:05")
	case 2:
		l.Published = at.Format("January 2, 2006")
	default:
		l.Published = at.In(time.FixedZone("", (w.IntN(26)-12)*3600)).Format(time.RFC3339)
	}
	return l
}

// split tells past from future.
func (w world) split(all []line) (past, future []line) {
	for _, l := range all {
		if w.cutoff.Allows((search.DateParser{}).Read(l.Published)) {
			past = append(past, l)
		} else {
			future = append(future, l)
		}
	}
	return past, future
}

// another is another future.
func (w world) another(future []line) []line {
	var other []line
	switch w.IntN(3) {
	case 0: // none
	case 1: // other articles, some of them later versions of what is known
		for range future {
			if l := w.article(); !w.cutoff.Allows((search.DateParser{}).Read(l.Published)) {
				other = append(other, l)
			}
		}
	case 2: // much more of the same
		for _, l := range future {
			for i := range 1 + w.IntN(20) {
				l.URL += fmt.Sprintf("?%d", i)
				other = append(other, l)
			}
		}
	}
	return other
}

// mixed puts the future somewhere between what is past. The past keeps its order: of two articles that are the same, the first counts.
func (w world) mixed(past, future []line) []line {
	lines := slices.Clone(past)
	for _, l := range future {
		lines = slices.Insert(lines, w.IntN(len(lines)+1), l)
	}
	return lines
}

// answers are all that a caller can see of an archive.
func answers(t *testing.T, dir string, lines []line, queries []search.Query) string {
	t.Helper()
	a := New(dir)
	defer a.Close()
	if len(lines) > 0 {
		mustLoad(t, a, write(t, lines...))
	} else if i, err := a.Importer(t.Context(), files.Owner); err != nil || i.Close() != nil {
		t.Fatal(err)
	}
	s := search.New(search.Config{Providers: []search.Provider{a}})
	var b strings.Builder
	for _, q := range queries {
		answer, err := s.Search(t.Context(), q)
		text, _ := json.Marshal(answer)
		fmt.Fprintf(&b, "%s: %s %v\n", q.Text, text, err)
	}
	return b.String()
}

// Replacing the future changes no byte of an answer.
func TestArchive_Search_ReplacedFuture(t *testing.T) {
	testenv.Slow(t)
	const lanes, worlds = 4, 250
	for lane := range uint64(lanes) {
		t.Run(fmt.Sprint(lane), func(t *testing.T) {
			t.Parallel()
			dir, found, hidden := memoryDir(t), 0, 0
			for i := range uint64(worlds) {
				f, h := newWorld(lane*worlds+i).check(t, filepath.Join(dir, fmt.Sprint(i)))
				found, hidden = found+f, hidden+h
			}
			if found < worlds || hidden < worlds {
				t.Errorf("%d results and %d articles after the stamps prove nothing", found, hidden)
			}
		})
	}
}

// memoryDir is a folder in memory where there is such a thing: two thousand archives wait long for a disk.
func memoryDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "mcp-trade-archive-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// check asks two archives that have only the past in common, and counts what was found in it, and what was not to be.
func (w world) check(t *testing.T, dir string) (found, hidden int) {
	var all []line
	for range 5 + w.IntN(40) {
		all = append(all, w.article())
	}
	var queries []search.Query
	for range 3 {
		q := search.Query{Text: w.words(5), Limit: 1 + w.IntN(6), Cutoff: w.cutoff}
		if w.IntN(3) == 0 {
			q.Symbols = []string{"NVDA", "BRK.B"}[:1+w.IntN(2)]
		}
		queries = append(queries, q)
	}
	past, future := w.split(all)
	before := answers(t, dir+"a", w.mixed(past, future), queries)
	after := answers(t, dir+"b", w.mixed(past, w.another(future)), queries)
	if before != after {
		t.Fatalf("as of %s the future shows\n%s\n%s", w.stamp, before, after)
	}
	return strings.Count(before, `"title"`), len(future)
}

func TestArchive_Span(t *testing.T) {
	a := New(t.TempDir())
	defer a.Close()
	mustLoad(t, a, write(t,
		line{Title: "late", URL: "https://x.test/1", Published: "2025-10-02T13:00:00-04:00"}, line{Title: "day", URL: "https://x.test/2", Published: "2025-09-30"},
		line{Title: "evening", URL: "https://x.test/3", Published: "2025-10-02T03:30:00Z"}, line{Title: "later", URL: "https://x.test/4", Published: "2026-01-01"},
	))
	for stamp, want := range map[market.Stamp]search.Span{
		"2025-09-30":          {},
		"2025-10-01":          {First: "2025-09-30", Last: "2025-09-30"},
		"2025-10-02":          {First: "2025-09-30", Last: "2025-10-01"}, // half past eleven in New York
		"2025-10-02 12:00:00": {First: "2025-09-30", Last: "2025-10-01"},
		"2025-10-03":          {First: "2025-09-30", Last: "2025-10-02"},
	} {
		s := search.New(search.Config{Providers: []search.Provider{a}})
		answer, err := s.Search(t.Context(), search.Query{Text: "nothing-like-it", Limit: 5, Cutoff: search.NewCutoff(stamp, market.US)})
		if err != nil || answer.Has == nil || *answer.Has != want {
			t.Errorf("as of %s: %+v, %v; want %+v", stamp, answer.Has, err, want)
		}
		answer, err = s.Search(t.Context(), search.Query{Text: "day", Limit: 5, Cutoff: search.NewCutoff(stamp, market.US)})
		if err != nil || (answer.Has == nil) != (len(answer.Articles) > 0) {
			t.Errorf("as of %s: %+v, %v", stamp, answer, err)
		}
	}
}
