// Inserting: articles become rows, in the order of time. Of those that were fetched it is kept where they are from, and told if the source
// has changed one.

package archive

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"mcp-trade/search"
)

// Imported is what became of the articles of a file.
type Imported struct {
	Added   int `json:"added"`
	Known   int `json:"known"`   // they were there already
	Undated int `json:"undated"` // left out: it is not known when they were published
}

// Changed is an article that a source has changed since it was added, without another time of publication. The archive keeps what it was.
type Changed struct {
	URL       string            `json:"url"`
	Published string            `json:"published_at"`
	Was       map[string]string `json:"was"`
	Is        map[string]string `json:"is"`
	By        Origin            `json:"by"`
}

// Fetched is what became of articles that were fetched.
type Fetched struct {
	Imported
	Versions int       `json:"versions"` // of those added: later versions of an article that was there, which stays
	Changed  []Changed `json:"changed"`  // of those known, at most maxChanged
	More     int       `json:"more"`     // that were changed and are not among these
}

// maxChanged is how many changed articles are told.
const maxChanged = 1000

// inserter is a transaction that adds articles.
type inserter struct {
	tx            *sql.Tx
	article, word *sql.Stmt
	done          Imported
	batch         []row
	bytes         int // of text in the batch
	origin        Origin
	reply         int64 // the row of the origin
	fetched       Fetched
}

func newInserter(ctx context.Context, tx *sql.Tx) (*inserter, error) {
	article, err := tx.PrepareContext(ctx, `INSERT INTO article (id, same, title, url, source, published, summary, content)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (same) DO NOTHING`)
	if err != nil {
		return nil, err
	}
	word, err := tx.PrepareContext(ctx, "INSERT INTO word (rowid, words) VALUES (?, ?)")
	return &inserter{tx: tx, article: article, word: word}, err
}

const maxBatch = 8 << 20 // bytes of text

// item adds one article, with others.
func (a *inserter) item(ctx context.Context, item search.RawArticle) error {
	if len(item.Dates) != 1 || item.Dates[0].Latest.IsZero() {
		a.done.Undated++
		return nil
	}
	r := newRow(item, item.Dates[0])
	r.origin, r.reply = a.origin, a.reply
	a.batch = append(a.batch, r)
	if a.bytes += len(r.title) + len(r.summary) + len(r.content); a.bytes < maxBatch {
		return nil
	}
	return a.flush(ctx)
}

// flush adds the batch in the order of time: an index whose rows come in their order is written in large pieces.
func (a *inserter) flush(ctx context.Context) error {
	slices.SortStableFunc(a.batch, func(r, s row) int { return cmp.Compare(r.id, s.id) })
	for _, r := range a.batch {
		added, err := a.row(ctx, &r)
		if err == nil && r.reply != 0 {
			err = a.fetchedRow(ctx, &r, added)
		}
		if err != nil {
			return err
		}
		if !added {
			a.done.Known++
			continue
		}
		a.done.Added++
		if _, err := a.word.ExecContext(ctx, r.id, r.words()); err != nil {
			return err
		}
	}
	a.batch, a.bytes = a.batch[:0], 0
	return nil
}

// row adds a row, under another id if its own is taken. It reports false if the article is there already.
func (a *inserter) row(ctx context.Context, r *row) (bool, error) {
	for {
		result, err := a.article.ExecContext(ctx, r.id, r.fingerprint[:], r.title, r.url, r.source, r.published, r.summary, r.content)
		var fault *sqlite.Error
		if errors.As(err, &fault) && fault.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY {
			r.id = nextID(r.id)
			continue
		}
		if err != nil {
			return false, err
		}
		n, err := result.RowsAffected()
		return n > 0, err
	}
}

// replyOf adds the articles of a reply.
func (a *inserter) replyOf(ctx context.Context, o Origin, items []search.RawArticle) error {
	at := o.At.UTC().Format(time.RFC3339)
	result, err := a.tx.ExecContext(ctx, "INSERT INTO reply (source, request, fetched_at, sha256) VALUES (?, ?, ?, ?)", o.Source, o.Request, at, o.SHA256)
	if err != nil {
		return err
	}
	a.origin = o
	if a.reply, err = result.LastInsertId(); err != nil {
		return err
	}
	for _, item := range items {
		if err := a.item(ctx, item); err != nil {
			return err
		}
	}
	return nil
}

// fetchedRow notes where an article is from that was added, or compares it with the one that was there.
func (a *inserter) fetchedRow(ctx context.Context, r *row, added bool) error {
	if added {
		versions := 0
		if err := a.tx.QueryRowContext(ctx, "SELECT count(*) FROM origin WHERE url = ? AND url <> ''", r.url).Scan(&versions); err != nil {
			return err
		}
		if versions > 0 {
			a.fetched.Versions++
		}
		_, err := a.tx.ExecContext(ctx, "INSERT INTO origin (url, article, reply) VALUES (?, ?, ?)", r.url, r.id, r.reply)
		return err
	}
	var title, source, summary, content string
	err := a.tx.QueryRowContext(ctx, "SELECT title, source, summary, content FROM article WHERE same = ?", r.fingerprint[:]).Scan(&title, &source, &summary, &content)
	if err != nil {
		return err
	}
	was, is := map[string]string{}, map[string]string{}
	for _, x := range []struct{ name, was, is string }{
		{"title", title, r.title}, {"source", source, r.source}, {"summary", summary, r.summary}, {"content", content, r.content},
	} {
		if x.was != x.is {
			was[x.name], is[x.name] = x.was, x.is
		}
	}
	switch {
	case len(is) == 0:
	case len(a.fetched.Changed) == maxChanged:
		a.fetched.More++
	default:
		a.fetched.Changed = append(a.fetched.Changed, Changed{r.url, r.published, was, is, r.origin})
	}
	return nil
}
