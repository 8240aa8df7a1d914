// Writing a line to the file, and what is done when other programs change the files at that moment.

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
	"time"

	"mcp-trade/internal/files"
	"mcp-trade/store"
)

// write writes the line after the last whole one. If it returns no error, the line stands right after the one that it follows,
// and the ledger and the session locks still are the files at their paths.
func (s *Store) write(l *ledgerFile, c store.Commit, sessions *sessionLocks) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nextID() != c.ID || !bytes.Equal(l.head, c.After) {
		return store.ErrConflict
	}
	// The caller vouches for the JSON; here the line must not break the lines around it.
	if !bytes.HasPrefix(c.Line, []byte("{")) || !bytes.HasSuffix(c.Line, []byte("}")) || bytes.IndexByte(c.Line, '\n') >= 0 {
		return fmt.Errorf("not a JSON object on one line: %.60q", c.Line)
	}
	if err := s.prepareFile(l); err != nil {
		return err
	}
	g := l.group
	if g.held != l.file {
		return errAgain
	}
	text := make([]byte, 0, len(c.Line)+2)
	if l.size > 0 && !endsWithLineFeed(l.file, l.size) {
		text = append(text, '\n')
	}
	text = append(append(text, c.Line...), '\n')
	if g.lines == 0 {
		g.info, g.start, g.end = l.info, l.size, l.size
	}
	if written, err := s.disk.write(l.file, text); err != nil {
		cut := l.cut(l.file, l.size+int64(written), l.size)
		err = errors.Join(err, cut, l.forget())
		return &store.UnreachableError{Engine: engine, Doing: "write the ledger", Err: err, Unknown: cut != nil && written > 0}
	}
	end := l.size + int64(len(text))
	now, err := l.file.Stat()
	if err != nil || now.Size() != end || !l.inPlace() || !sessions.held() {
		if err := s.resolveConflict(l, text, sessions); err != nil {
			return err
		}
	} else {
		at := end - int64(len(c.Line)) - 1
		l.index.addLine(c.Entry, l.size, at, end)
		l.head, l.headAt, l.id = slices.Clone(c.Line), at, c.ID
		l.size, l.mtime = end, now.ModTime()
	}
	g.lines++
	g.end = end
	return nil
}

// prepareFile makes the file ready for a line: it makes a missing file, and cuts off a line that was never finished.
func (s *Store) prepareFile(l *ledgerFile) error {
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
			err = l.holdNew()
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
	// The process that made the folders may have been killed before they were on disk.
	position := filepath.Dir(l.path)
	return errors.Join(files.SyncFolder(position), files.SyncFolder(filepath.Dir(position)), files.SyncFolder(s.logPath))
}

// holdNew locks a ledger that this process has just made, unless another process was quicker.
func (l *ledgerFile) holdNew() error {
	taken, err := files.TryHold(l.file)
	if err != nil {
		return err
	}
	if l.info, err = l.file.Stat(); err == nil && (!taken || l.info.Size() > 0) {
		err = errAgain
	}
	l.group.held = l.file
	return err
}

// cutTail cuts off the text after the last whole line, if the file is a ledger.
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

// isLedger returns an error unless the first line of the file is a ledger's, or the start of one. It guards other files from being cut.
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
	if begun := strings.TrimRight(string(begun), "\x00"); !strings.HasPrefix(firstLine, begun) { // a file system that failed leaves zeros
		return fmt.Errorf("%s holds %d bytes that are no ledger, so nothing is cut off it: move it away", l.path, l.torn)
	}
	return nil
}

// inPlace tells whether the open file still is the one at the ledger's path.
func (l *ledgerFile) inPlace() bool {
	now, err := os.Stat(l.path)
	return err == nil && os.SameFile(l.info, now)
}

// resolveConflict decides on a line that was written while other programs changed the files. The line stays if it follows the
// line that it had to follow, in the file at the path and under locks that still hold. Otherwise it is taken back and the
// error is [errAgain]; if it cannot be taken back, the outcome is unknown.
func (s *Store) resolveConflict(l *ledgerFile, text []byte, sessions *sessionLocks) error {
	unknown := func(err error) error {
		err = errors.Join(err, l.forget())
		return &store.UnreachableError{Engine: engine, Doing: "write the ledger", Err: err, Unknown: true}
	}
	end, err := l.file.Seek(0, io.SeekCurrent) // where this process wrote last
	if err != nil {
		return unknown(err)
	}
	now, err := l.file.Stat()
	if err != nil {
		return unknown(err)
	}
	if !endsAt(l.file, text, end) { // a program without locks rewrote the file, perhaps with this line
		return unknown(errors.New(l.path + " was changed while a line was written to it"))
	}
	follows := end == l.size+int64(len(text))
	if follows && sessions.held() && l.inPlace() {
		if err := l.readHead(now.Size()); err != nil {
			_ = l.forget() // the next reader gets the error
			return nil
		}
		l.mtime = now.ModTime()
		return nil
	}
	if err := l.cut(l.file, end, end-int64(len(text))); err != nil {
		return unknown(err)
	}
	if !follows || !l.inPlace() {
		_ = l.forget()
		return errAgain
	}
	// The file is as before. With a new time, other processes would take it for edited, and drop its index.
	if err := os.Chtimes(l.path, time.Time{}, l.mtime); err != nil {
		_ = l.forget()
	}
	return errAgain
}

// endsAt tells whether the text of a file up to an offset ends with text.
func endsAt(f *os.File, text []byte, end int64) bool {
	there := make([]byte, len(text))
	_, err := f.ReadAt(there, end-int64(len(text)))
	return err == nil && bytes.Equal(there, text)
}
