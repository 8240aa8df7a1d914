// Whatever a file or a query holds, it ends in articles, in results, or in one sentence.

package archive

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/market"
	"mcp-trade/search"
)

func FuzzFile(f *testing.F) {
	f.Add(`{"title": "a", "published_at": "2025-09-01", "symbols": ["A"]}` + "\n" + `{"title": "b"}`)
	f.Add(`{"feed": [{"title": "a", "time_published": "20250901T000000"}]}`)
	f.Add(`{"title": "a", "published_at": 7}`)
	f.Add("[]\n{")
	path := filepath.Join(f.TempDir(), "news.jsonl")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		in, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		for items, err := range articles(in, func(int64) {}) {
			if err != nil {
				if items != nil || err.Error() == "" || strings.Contains(err.Error(), "\n") {
					t.Fatalf("%q: %v and %q", text, items, err)
				}
				return
			}
			for _, item := range items {
				if len(item.Dates) == 1 && !item.Dates[0].Latest.IsZero() {
					r := newRow(item, item.Dates[0])
					if date := dateOf(r.id, r.published); date.Day != item.Dates[0].Day || date.Latest.Unix() != item.Dates[0].Latest.Unix() {
						t.Fatalf("%+v came back from its id as %+v", item.Dates[0], date)
					}
				}
			}
		}
	})
}

func FuzzQuery(f *testing.F) {
	a := newArchive(f,
		line{Title: "Nvidia sells chips", URL: "https://x.test/1", Published: "2025-09-01T10:00:00Z", Symbols: []string{"NVDA"}},
		line{Title: "茅台 涨价", URL: "https://x.test/2", Published: "2025-09-13", Symbols: []string{"600519.SH"}},
	)
	for _, text := range []string{"nvidia", `NEAR("a" AND b*)`, "茅台涨价", "a OR -b ^c : d", "\u0301", "ﬀ", "½"} {
		f.Add(text, "NVDA", 3)
	}
	f.Fuzz(func(t *testing.T, text, symbol string, limit int) {
		q := search.Query{Text: text, Limit: 1 + limit&7, Cutoff: search.NewCutoff("2025-10-01", market.US)}
		if symbol != "" {
			q.Symbols = []string{symbol}
		}
		if len(q.Words()) == 0 {
			return // nobody is asked
		}
		if _, err := a.Search(t.Context(), q); err != nil {
			t.Fatalf("%q %q: %v", text, symbol, err)
		}
	})
}
