// Package archive is a provider of news that needs no key and no network: articles in an index on disk.
//
// An article's row id is its time of publication, so the index itself is in the order of time, newest last, and a search
// reads it backwards from the stamp. Nothing is ranked by how rare a word is: that would let articles count that are
// published after the stamp. See [rowID] and [Archive.Search].
package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"mcp-trade/search"
)

// Name is the provider's name.
const Name = "archive"

// Archive is the index in a folder. It is opened when it is first used.
type Archive struct {
	path string

	mu sync.Mutex
	db *sql.DB // nil until then
}

// New returns the archive in a folder, which need not be there yet.
func New(dir string) *Archive { return At(filepath.Join(dir, "news.db")) }

// At returns the archive whose index is a file, which need not be there yet.
func At(path string) *Archive { return &Archive{path: path} }

// File returns the path of the index, which need not be there yet.
func (a *Archive) File() string { return a.path }

// Close closes the archive.
func (a *Archive) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.db == nil {
		return nil
	}
	db := a.db
	a.db = nil
	return db.Close()
}

// Name implements [search.Provider].
func (a *Archive) Name() string { return Name }

// open returns the index, opened for reading.
func (a *Archive) open() (*sql.DB, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.db != nil {
		return a.db, nil
	}
	switch _, err := os.Stat(a.path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, notConfigured()
	case err != nil:
		return nil, unreadable(err)
	}
	db, tables, err := openIn(a.path, "mode=ro")
	var fault *sqlite.Error
	if errors.As(err, &fault) && fault.Code() == sqlite3.SQLITE_READONLY_ROLLBACK {
		// An import was killed in the middle of a write. Who may write takes back what was begun.
		if db, _, err = openIn(a.path, "mode=rw"); err == nil {
			_ = db.Close()
			db, tables, err = openIn(a.path, "mode=ro")
		}
	}
	if err != nil {
		return nil, unreadable(err)
	}
	if tables == 0 {
		_ = db.Close()
		return nil, notConfigured()
	}
	a.db = db
	return db, nil
}

// openIn opens the index in a mode of SQLite's, and tells how many tables of words it has.
func openIn(path, mode string) (db *sql.DB, tables int, err error) {
	if db, err = open(path, mode); err != nil {
		return nil, 0, err
	}
	if err = db.QueryRow("SELECT count(*) FROM sqlite_schema WHERE name = 'word'").Scan(&tables); err != nil {
		return nil, 0, errors.Join(err, db.Close())
	}
	return db, tables, nil
}

func notConfigured() error {
	return &search.NotConfiguredError{Provider: Name, Lacks: "articles"}
}

// open opens a database, with one more setting of SQLite's addresses.
func open(path, setting string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	file := url.URL{Scheme: "file", Path: filepath.ToSlash(abs)}
	if file.Path[0] != '/' {
		file.Path = "/" + file.Path // a drive letter
	}
	return sql.Open("sqlite", file.String()+"?_pragma=busy_timeout(10000)&"+setting)
}

// unreadable is what a caller hears of a fault in the index.
func unreadable(err error) error {
	var fault *sqlite.Error
	if errors.As(err, &fault) || !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		return &search.ProviderError{UserMessage: "the archive cannot be read", Err: err}
	}
	return err
}

// Check implements [search.Provider].
func (a *Archive) Check(ctx context.Context) (string, error) {
	info, err := a.Info(ctx)
	if err != nil {
		return "", err
	}
	return info.String(), nil
}

// Info is what an archive holds.
type Info struct {
	Articles int    `json:"articles"`
	First    string `json:"first"` // day of publication of the oldest article, "" without any
	Last     string `json:"last"`  // of the newest
}

// String is the info in a phrase.
func (i Info) String() string {
	if i.Articles == 0 {
		return "no articles yet"
	}
	return fmt.Sprintf("%d articles, %s to %s", i.Articles, i.First, i.Last)
}

// Info counts the articles. It fails with a [*search.NotConfiguredError] where there is no archive.
func (a *Archive) Info(ctx context.Context) (i Info, err error) {
	db, err := a.open()
	if err != nil {
		return i, err
	}
	var first, last sql.NullString
	err = db.QueryRowContext(ctx, `SELECT count(*), (SELECT substr(published, 1, 10) FROM article ORDER BY id LIMIT 1),
		(SELECT substr(published, 1, 10) FROM article ORDER BY id DESC LIMIT 1) FROM article`).Scan(&i.Articles, &first, &last)
	if err != nil {
		return Info{}, unreadable(err)
	}
	i.First, i.Last = first.String, last.String
	return i, nil
}
