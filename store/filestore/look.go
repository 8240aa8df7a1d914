// Looking at runs, without their locks.

package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"mcp-trade/internal/files"
	"mcp-trade/store"
)

// Look implements [store.Runs].
func (s *Store) Look(ctx context.Context, looks ...store.Look) ([]store.Seen, error) {
	seen := make([]store.Seen, len(looks))
	for i, l := range looks {
		var err error
		if seen[i].Checkpoint, err = s.Checkpoint(ctx, l.Account); err == nil {
			seen[i].Holder, err = s.holder(l.Account)
		}
		if err == nil && l.Day != "" {
			seen[i].Lines, seen[i].Next, err = s.linesFrom(s.journalFile(l.Account, l.Day), l.From)
		}
		if err != nil {
			return nil, err
		}
	}
	return seen, nil
}

// holder is who has an account. Only where a run is named, it is asked whether the lock of it is held still.
func (s *Store) holder(account string) (store.Owner, error) {
	last, err := s.held(account)
	if errors.Is(err, fs.ErrNotExist) || err == nil && last.Nonce == "" {
		return store.Owner{}, nil
	}
	var held bool
	if err == nil {
		held, err = files.Held(s.runLock(account))
	}
	if err != nil {
		return store.Owner{}, s.cannotRun("read who has the account", err)
	}
	if !held {
		return store.Owner{}, nil // it was killed
	}
	return last.Owner, nil
}

// linesFrom reads the whole lines of a file from a place on.
func (s *Store) linesFrom(path string, from int64) (lines [][]byte, next int64, err error) {
	f, err := files.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, from, nil
	}
	if err != nil {
		return nil, from, s.cannotRun("read "+path, err)
	}
	defer f.Close()
	stat, err := f.Stat()
	if err == nil && stat.Size() > maxJournal {
		err = fmt.Errorf("it is larger than %d bytes", maxJournal)
	}
	if err != nil || stat.Size() <= from {
		return nil, from, err
	}
	text := make([]byte, stat.Size()-from)
	n, err := f.ReadAt(text, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, from, s.cannotRun("read "+path, err)
	}
	end := bytes.LastIndexByte(text[:n], '\n') + 1 // what follows is being written
	for line := range bytes.Lines(text[:end]) {
		lines = append(lines, bytes.TrimSuffix(line, []byte{'\n'}))
	}
	return lines, from + int64(end), nil
}
