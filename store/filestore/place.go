// Where a line gets its place in the file, and what is done when others change the files at that moment.

package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mcp-trade/internal/files"
	"mcp-trade/store"
)

// write writes the line after the last whole one. When it returns without an error the line stands there, right after
// the one that it follows, and the ledger and the locks still are the files that their paths name.
func (s *Store) write(ctx context.Context, l *ledgerFile, c store.Commit, sessions *sessionLocks) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nextID() != c.ID || !bytes.Equal(l.head, c.After) {
		return store.ErrConflict
	}
	// That it is JSON is for whoever made it; here it must not break the lines around it.
	if !bytes.HasPrefix(c.Line, []byte("{")) || !bytes.HasSuffix(c.Line, []byte("}")) || bytes.IndexByte(c.Line, '\n') >= 0 {
		return fmt.Errorf("not a JSON object on one line: %.60q", c.Line)
	}
	if err := s.prepare(l); err != nil {
		return err
	}
	text := make([]byte, 0, len(c.Line)+2)
	if l.size > 0 && !endsWithLineFeed(l.file, l.size) {
		text = append(text, '\n')
	}
	text = append(append(text, c.Line...), '\n')
	g := l.group
	if g.lines == 0 {
		g.file, g.info, g.start, g.end = l.file, l.info, l.size, l.size
	}
	if !g.lock.Holds() { // where others trade meanwhile, a line that is written and taken back may have been followed
		return errAgain
	}
	if written, err := s.disk.write(l.file, text); err != nil {
		cut := l.cut(l.file, l.size+int64(written), l.size)
		err = errors.Join(err, cut, l.forget())
		return &store.UnreachableError{Engine: engine, Doing: "write the ledger", Err: err, Unknown: cut != nil && written > 0}
	}
	end := l.size + int64(len(text))
	now, err := l.file.Stat()
	if err != nil || now.Size() != end || !l.named() || !g.lock.Holds() || !sessions.hold() {
		if err := s.sortOut(ctx, l, text, sessions); err != nil {
			return err
		}
	} else {
		at := end - int64(len(c.Line)) - 1
		l.index.note(c.Entry, l.size, at, end)
		l.head, l.headAt, l.id = slices.Clone(c.Line), at, c.ID
		l.size, l.mtime = end, now.ModTime()
	}
	g.lines++
	g.end, g.last = end, text
	return nil
}

// prepare makes the file ready for a line: it makes one that is missing, and cuts off a line that was never finished.
func (s *Store) prepare(l *ledgerFile) error {
	if l.sealed != nil {
		return l.sealed
	}
	if l.file != nil && l.size > 0 && l.torn == 0 {
		return nil
	}
	now, err := os.Lstat(l.path)
	switch {
	case err == nil && now.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a symbolic link: no ledger is begun and no line is cut off through one", l.path)
	case err == nil && l.file == nil:
		return errAgain // another program made it meanwhile
	case absent(err) && l.file == nil:
		if l.file, err = s.access.Create(l.path); errors.Is(err, fs.ErrExist) {
			return errAgain // another program made it meanwhile
		}
		if err == nil {
			l.made = true
			l.info, err = l.file.Stat()
		}
	}
	if err != nil {
		return err
	}
	if l.torn > 0 {
		if err := s.cutTail(l); err != nil {
			return err
		}
	}
	if l.size > 0 {
		return nil
	}
	// Whoever made the folders may have been killed before their names were on disk.
	position := filepath.Dir(l.path)
	return errors.Join(files.SyncFolder(position), files.SyncFolder(filepath.Dir(position)), files.SyncFolder(s.logPath))
}

// cutTail cuts off what follows the last whole line, if the file is a ledger.
func (s *Store) cutTail(l *ledgerFile) error {
	if err := l.isLedger(); err != nil {
		return err
	}
	s.warn(fmt.Sprintf("%s: cut back %d bytes of a line that was never finished", l.path, l.torn))
	if err := l.file.Truncate(l.size); err != nil {
		return err
	}
	l.torn = 0
	return nil
}

// firstLine is how a ledger begins, whoever wrote it.
const firstLine = `{"date": "`

// isLedger tells of a file that is about to be cut whether its first line is a ledger's, or was about to be.
func (l *ledgerFile) isLedger() error {
	for first, err := range forward(context.Background(), l.file, 0, l.size) {
		if err == nil {
			_, err = store.ReadEntry(first.text)
		}
		if err != nil {
			return fmt.Errorf("%s is no ledger (its first line: %w), so nothing is cut off it: move it away", l.path, err)
		}
		return nil
	}
	begun := make([]byte, min(l.torn, int64(len(firstLine))))
	if _, err := l.file.ReadAt(begun, l.size); err != nil {
		return err
	}
	if begun := strings.TrimRight(string(begun), "\x00"); !strings.HasPrefix(firstLine, begun) { // zeros: of a file system that failed
		return fmt.Errorf("%s holds %d bytes that are no ledger, so nothing is cut off it: move it away", l.path, l.torn)
	}
	return nil
}

// named tells whether the file still is the one that the ledger's path names.
func (l *ledgerFile) named() bool {
	now, err := os.Stat(l.path)
	return err == nil && os.SameFile(l.info, now)
}

// sortOut decides on a line that was written while others changed the files. It stands if it follows the line that it was
// to follow, in the file and under the locks that count. Else it is taken back and [errAgain] returned; what cannot be
// taken back is unknown.
func (s *Store) sortOut(ctx context.Context, l *ledgerFile, text []byte, sessions *sessionLocks) error {
	unknown := func(err error) error {
		err = errors.Join(err, l.forget())
		return &store.UnreachableError{Engine: engine, Doing: "write the ledger", Err: err, Unknown: true}
	}
	g := l.group
	if !g.lock.Holds() { // others may be at work under the lock that is there now
		lock, err := l.queue.lock(ctx, l.queue.until(), s.access)
		switch {
		case err == nil:
			g.lock.Release()
			g.lock = lock
		case !absent(err): // where the folder is gone, so are the others
			return unknown(err)
		}
	}
	end, err := l.file.Seek(0, io.SeekCurrent) // where this process wrote last
	if err != nil {
		return unknown(err)
	}
	now, err := l.file.Stat()
	if err != nil {
		return unknown(err)
	}
	if now.Size() < end || !stands(l.file, text, end) { // whoever had the lock that counts took it for a line that was never finished
		_ = l.forget()
		return errAgain
	}
	if follows := end == l.size+int64(len(text)); follows && sessions.hold() && l.named() {
		if err := l.readHead(now.Size()); err != nil {
			_ = l.forget() // whoever reads next is told
			return nil
		}
		l.mtime = now.ModTime()
		return nil
	}
	if err := l.cut(l.file, end, end-int64(len(text))); err != nil {
		return unknown(err)
	}
	_ = l.forget()
	return errAgain
}
