// Benchmarks of a large archive: importing, opening, asking.

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

	"mcp-trade/market"
)

// invented is a file of articles of about a kilobyte over three years, whose words are as unevenly common as those of a
// language.
func invented(b *testing.B, n int) string {
	r := rand.New(rand.NewPCG(1, 2))
	zipf := rand.NewZipf(r, 1.1, 3, 30_000)
	words := func(n int) string {
		text := make([]string, n)
		for i := range text {
			text[i] = fmt.Sprintf("word%d", zipf.Uint64())
		}
		return strings.Join(text, " ")
	}
	path := filepath.Join(b.TempDir(), "news.jsonl")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	e, first := json.NewEncoder(f), time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		at := first.Add(time.Duration(r.IntN(3*365*24*3600)) * time.Second)
		if err := e.Encode(line{
			Title: words(10), URL: fmt.Sprintf("https://x.test/%d", i), Published: at.Format(time.RFC3339), Source: "Invented",
			Summary: words(30), Content: words(100), Symbols: []string{fmt.Sprintf("S%d", r.IntN(100))},
		}); err != nil {
			b.Fatal(err)
		}
	}
	return path
}

func BenchmarkArchiveOfOneHundredThousand(b *testing.B) {
	const n = 100_000
	file, dir := invented(b, n), filepath.Join(b.TempDir(), "news")
	began := time.Now()
	if got := mustLoad(b, New(dir), file); got.Added != n {
		b.Fatalf("%+v", got)
	}
	imported := n / time.Since(began).Seconds()

	began = time.Now()
	a := New(dir)
	defer a.Close()
	ask(b, a, "2023-01-02", "word1")
	opened := time.Since(began)

	r := rand.New(rand.NewPCG(3, 4))
	var took []time.Duration
	for b.Loop() {
		stamp := market.Stamp(time.Date(2023, 1, 2+r.IntN(3*365), 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
		var words []string
		for range 1 + r.IntN(6) {
			words = append(words, fmt.Sprintf("word%d", int(2000*r.Float64()*r.Float64()*r.Float64())))
		}
		var symbols []string
		if r.IntN(4) == 0 {
			symbols = []string{fmt.Sprintf("S%d", r.IntN(100))}
		}
		began := time.Now()
		ask(b, a, stamp, strings.Join(words, " "), symbols...)
		took = append(took, time.Since(began))
	}
	b.ReportMetric(imported, "articles/s")
	b.ReportMetric(float64(opened.Microseconds())/1000, "ms-to-open")
	slices.Sort(took)
	for name, at := range map[string]int{"ms-p50": 50, "ms-p99": 99} {
		b.ReportMetric(float64(took[(len(took)-1)*at/100].Microseconds())/1000, name)
	}
	if text, err := os.ReadFile("/proc/self/status"); err == nil {
		if _, after, ok := strings.Cut(string(text), "VmHWM:"); ok {
			var kB float64
			_, _ = fmt.Sscan(after, &kB)
			b.ReportMetric(kB/1024, "MB-at-most")
		}
	}
}
