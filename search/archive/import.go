// Importing: the articles of a file, all of them or none.

package archive

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"mcp-trade/internal/files"
	"mcp-trade/search"
)

// Importer adds articles to an archive. It may be ended at any time: what it had told to be added is there, nothing else.
type Importer struct{ db *sql.DB }

// Imported is what became of the articles of a file.
type Imported struct {
	Added   int `json:"added"`
	Known   int `json:"known"`   // they were there already
	Undated int `json:"undated"` // left out: it is not known when they were published
}

// Importer opens the archive for adding to it, and makes it, for those who have access, if it is not there.
func (a *Archive) Importer(ctx context.Context, access files.Access) (*Importer, error) {
	if err := access.MkdirAll(filepath.Dir(a.path)); err != nil {
		return nil, err
	}
	empty, err := access.Append(a.path) // SQLite takes it for a new one, and makes its other files like it
	if err == nil {
		err = empty.Close()
	}
	if err != nil {
		return nil, err
	}
	// With a write-ahead log, those who search meanwhile are not kept waiting.
	db, err := open(a.path, "_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=cache_size(-16000)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "BEGIN IMMEDIATE; "+schema+" COMMIT"); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", a.path, err), db.Close())
	}
	return &Importer{db}, nil
}

// Close ends the importer. Unless somebody reads, the archive is one plain file again, which can be read where nothing can
// be written.
func (i *Importer) Close() error {
	_, _ = i.db.Exec("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = delete")
	return i.db.Close()
}

// File adds the articles of a file: Alpha Vantage's replies, or lines of JSON. If any of it cannot be read, nothing of it
// is added. progress is told the bytes read so far.
func (i *Importer) File(ctx context.Context, path string, progress func(int64)) (Imported, error) {
	f, err := os.Open(path)
	if err != nil {
		return Imported{}, err
	}
	defer f.Close()
	done, err := i.file(ctx, f, progress)
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf(": %w", ctx.Err()) // whatever that broke first
	}
	if err != nil {
		return Imported{}, fmt.Errorf("%s%w. Nothing of this file was imported", path, err)
	}
	return done, nil
}

func (i *Importer) file(ctx context.Context, f *os.File, progress func(int64)) (Imported, error) {
	tx, err := i.db.BeginTx(ctx, nil)
	if err != nil {
		return Imported{}, fmt.Errorf(": %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing, once it is committed
	add, err := newInserter(ctx, tx)
	if err != nil {
		return Imported{}, fmt.Errorf(": %w", err)
	}
	for items, err := range articles(f, progress) {
		if err != nil {
			return Imported{}, err
		}
		for _, item := range items {
			if err := add.item(ctx, item); err != nil {
				return Imported{}, fmt.Errorf(": %w", err)
			}
		}
	}
	if err = add.flush(ctx); err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return Imported{}, fmt.Errorf(": %w", err)
	}
	return add.done, nil
}

// inserter is a transaction that adds articles.
type inserter struct {
	article, word *sql.Stmt
	done          Imported
	batch         []row
	bytes         int // of text in the batch
}

func newInserter(ctx context.Context, tx *sql.Tx) (*inserter, error) {
	article, err := tx.PrepareContext(ctx, `INSERT INTO article (id, same, title, url, source, published, summary, content)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (same) DO NOTHING`)
	if err != nil {
		return nil, err
	}
	word, err := tx.PrepareContext(ctx, "INSERT INTO word (rowid, words) VALUES (?, ?)")
	return &inserter{article: article, word: word}, err
}

const (
	maxKept  = 50_000  // characters of an article that are kept and searched
	maxBatch = 8 << 20 // bytes of text
)

// item adds one article, with others.
func (a *inserter) item(ctx context.Context, item search.RawArticle) error {
	if len(item.Dates) != 1 || item.Dates[0].Latest.IsZero() {
		a.done.Undated++
		return nil
	}
	r := newRow(item, item.Dates[0])
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
