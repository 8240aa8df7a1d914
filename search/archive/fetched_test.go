// Tests of articles that were fetched.

package archive

import (
	"fmt"
	"testing"
	"time"

	"mcp-trade/internal/files"
	"mcp-trade/market"
	"mcp-trade/search"
)

// fetched is an article as a source has it.
func fetched(url, title, at string) search.RawArticle {
	if url != "" {
		url = "https://x.test/" + url
	}
	return search.RawArticle{Title: title, URL: url, Source: "wire", Summary: "s", Symbols: []string{"AAPL"}, Dates: []search.Date{search.DateParser{}.Read(at)}}
}

func TestImporter_Replies(t *testing.T) {
	a := At(t.TempDir() + "/news.db")
	defer a.Close()
	i, err := a.Importer(t.Context(), files.Owner)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	var kept []Changed
	add := func(items ...search.RawArticle) string {
		t.Helper()
		done, err := i.Replies(t.Context(), func(add func(Origin, []search.RawArticle) error) error {
			return add(Origin{"wires", "https://x.test/1", time.Unix(1, 0), "ab"}, items)
		}, func(c []Changed) error { kept = c; return nil })
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%d added, %d versions, %d known, %d undated, %d changed", done.Added, done.Versions, done.Known, done.Undated, len(done.Changed))
	}
	for _, c := range []struct {
		name  string
		items []search.RawArticle
		want  string
	}{
		{"new ones, one of them twice", []search.RawArticle{fetched("u1", "chips", "2025-10-01T12:00:00Z"), fetched("u2", "gold", "2025-10-01T12:00:00Z"), fetched("u1", "chips", "2025-10-01T12:00:00Z")},
			"2 added, 0 versions, 1 known, 0 undated, 0 changed"},
		{"again", []search.RawArticle{fetched("u1", "chips", "2025-10-01T12:00:00Z")}, "0 added, 0 versions, 1 known, 0 undated, 0 changed"},
		{"a later version", []search.RawArticle{fetched("u1", "chips fall", "2025-10-02T12:00:00Z")}, "1 added, 1 versions, 0 known, 0 undated, 0 changed"},
		{"without an address or a time", []search.RawArticle{fetched("", "silver", "2025-10-01T12:00:00Z"), fetched("", "tin", "2025-10-01T12:00:00Z"), fetched("u3", "lead", "soon")},
			"2 added, 0 versions, 0 known, 1 undated, 0 changed"},
		{"changed without another time", []search.RawArticle{fetched("u1", "chips soar, as we knew", "2025-10-01T12:00:00Z")}, "0 added, 0 versions, 1 known, 0 undated, 1 changed"},
	} {
		if got := add(c.items...); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}
	if len(kept) != 1 || kept[0].URL != "https://x.test/u1" || kept[0].Was["title"] != "chips" || kept[0].Is["title"] != "chips soar, as we knew" || kept[0].By.Source != "wires" || len(kept[0].Is) != 1 {
		t.Errorf("kept %+v", kept)
	}
	// Who is before the later version sees the first one, as it was.
	for stamp, want := range map[market.Stamp]string{"2025-10-01": "[]", "2025-10-02": "[chips]", "2025-10-03": "[chips fall]"} {
		found, err := search.New(search.Config{Providers: []search.Provider{a}}).Search(t.Context(), search.Query{Text: "chips", Limit: 5, Cutoff: search.NewCutoff(stamp, market.US)})
		var titles []string
		for _, x := range found.Articles {
			titles = append(titles, x.Title)
		}
		if got := fmt.Sprint(titles); got != want || err != nil {
			t.Errorf("as of %s: %s, %v, want %s", stamp, got, err, want)
		}
	}
	var from int
	if err := i.db.QueryRow("SELECT count(*) FROM article JOIN origin ON article.id = origin.article JOIN reply ON reply.id = origin.reply WHERE reply.source = 'wires'").Scan(&from); err != nil || from != 5 {
		t.Errorf("%d articles say where they are from, %v", from, err)
	}
}

// What cannot be kept beside is not added, nor is anything with it.
func TestImporter_Replies_AllOrNothing(t *testing.T) {
	a := At(t.TempDir() + "/news.db")
	defer a.Close()
	i, err := a.Importer(t.Context(), files.Owner)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	failed := fmt.Errorf("the disk is full")
	for name, fails := range map[string][2]error{"reading": {failed, nil}, "keeping": {nil, failed}} {
		_, err := i.Replies(t.Context(), func(add func(Origin, []search.RawArticle) error) error {
			if err := add(Origin{}, []search.RawArticle{fetched("u1", "chips", "2025-10-01T12:00:00Z")}); err != nil {
				return err
			}
			return fails[0]
		}, func([]Changed) error { return fails[1] })
		if err == nil || err.Error() != "nothing was added to the archive: the disk is full" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if info, err := a.Info(t.Context()); err != nil || info.Articles != 0 {
		t.Errorf("%v, %v", info, err)
	}
}
