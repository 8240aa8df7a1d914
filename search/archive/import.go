// Importing: the articles of a file, all of them or none.

package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"mcp-trade/internal/files"
)

// Importer adds articles to an archive. It may be ended at any time: what it had told to be added is there, nothing else.
type Importer struct{ db *sql.DB }

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

// file adds the articles of a file. An error goes on where the path of the file ends: with the line that cannot be read, or a colon.
func (i *Importer) file(ctx context.Context, f *os.File, progress func(int64)) (done Imported, _ error) {
	var unread error
	err := i.transaction(ctx, func(add *inserter) error {
		for items, err := range articles(f, progress) {
			if err != nil {
				unread = err
				return err
			}
			for _, item := range items {
				if err := add.item(ctx, item); err != nil {
					return err
				}
			}
		}
		err := add.flush(ctx)
		done = add.done
		return err
	})
	if err != nil && unread == nil {
		err = fmt.Errorf(": %w", err)
	}
	return done, err
}

// transaction lets somebody add articles: all that was added is there afterwards, or with an error nothing.
func (i *Importer) transaction(ctx context.Context, fill func(*inserter) error) error {
	tx, err := i.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // nothing, once it is committed
	add, err := newInserter(ctx, tx)
	if err != nil {
		return err
	}
	if err := fill(add); err != nil {
		return err
	}
	return tx.Commit()
}
