// Groups: lines of orders that arrive together become durable with one sync.

package filestore

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"mcp-trade/internal/files"
	"mcp-trade/store"
)

// group is some lines that one sync makes durable. The locks of the ledger and of the sessions are held from the first line to
// that sync, so no other process builds on a line that may still be lost.
type group struct {
	lock     *files.Lock
	held     *os.File      // the ledger, which is locked as well; nil before it is open
	sessions *sessionLocks // nil before the first line

	info    fs.FileInfo // of the ledger, from the first line on
	start   int64       // where the first line begins
	end     int64       // where the last line ends
	lines   int
	pending []store.Guard // guards whose values are set after the sync
	timer   *time.Timer   // settles the group if no line follows

	done chan struct{} // closed when err is the outcome of all lines
	err  error
}

const (
	maxGroup  = 32                   // lines
	groupTime = 2 * time.Millisecond // that a line waits for the next one, which may be refused
)

// begin begins a group under the lock of the ledger.
func (l *ledgerFile) begin(lock *files.Lock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.group = &group{lock: lock, done: make(chan struct{})}
}

// isIn tells whether the lines of the group are in the file that is now at the ledger's path.
func (g *group) isIn(l *ledgerFile) bool { return l.info != nil && os.SameFile(g.info, l.info) }

// settleLater settles the group after groupTime, unless another line follows before.
func (s *Store) settleLater(l *ledgerFile, g *group) {
	if g.timer != nil {
		g.timer.Reset(s.groupTime)
		return
	}
	g.timer = time.AfterFunc(s.groupTime, func() {
		l.queue.turn <- struct{}{}
		defer l.queue.next()
		if l.group == g {
			_ = s.settle(l) // whose lines are in it is told
		}
	})
}

// settle ends the group: it makes the lines durable, gives the locks back and sets the session values. The caller has the
// turn. The error is the outcome of every line of the group.
func (s *Store) settle(l *ledgerFile) error {
	g := l.group
	if g.timer != nil {
		g.timer.Stop()
	}
	if g.lines > 0 {
		g.err = s.syncGroup(l, g)
	}
	l.end(g)
	if g.sessions != nil {
		g.sessions.release()
	}
	g.lock.Release()
	if g.err == nil {
		s.updateSessions(g.pending)
	}
	close(g.done)
	if g.lines > 0 {
		s.keepIndex(l)
	}
	return g.err
}

// syncGroup syncs the lines of a group. If the sync fails, the lines are cut off again, so each is either durable or absent.
// If that fails too, the error says that the outcome is unknown.
func (s *Store) syncGroup(l *ledgerFile, g *group) error {
	if err := s.disk.sync(g.held); err != nil {
		return l.cutBack(g, err)
	}
	unknown := func(err error) error {
		return &store.UnreachableError{Engine: engine, Doing: "write the ledger", Err: err, Unknown: true}
	}
	now, err := os.Stat(l.path)
	switch {
	case err != nil:
		return unknown(err)
	case !os.SameFile(g.info, now):
		return unknown(errors.New(l.path + " was replaced while a line was written to it"))
	}
	return nil
}

// cutBack removes the lines of a group that could not be synced.
func (l *ledgerFile) cutBack(g *group, cause error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	cut := l.cut(g.held, g.end, g.start)
	err := errors.Join(cause, cut, l.forget())
	return &store.UnreachableError{Engine: engine, Doing: "write the ledger", Err: err, Unknown: cut != nil}
}

// cut truncates the file from its end to an offset. A ledger without a line is removed if this process made it.
func (l *ledgerFile) cut(f *os.File, end, to int64) error {
	now, err := f.Stat()
	if err != nil {
		return err
	}
	if now.Size() != end {
		return errors.New("another program wrote to " + l.path + " at the same time")
	}
	if err := f.Truncate(to); err != nil {
		return err
	}
	if path, err := os.Lstat(l.path); to == 0 && l.made && err == nil && os.SameFile(path, now) {
		_ = os.Remove(l.path) // an empty file counts as no ledger, too
	}
	return nil
}

// end takes the group from the ledger, and releases the lock on the ledger file.
func (l *ledgerFile) end(g *group) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.group = nil
	switch {
	case g.held == nil:
	case g.held != l.file:
		_ = g.held.Close() // the ledger has another file by now
	default:
		files.LetGo(g.held)
		if g.lines > 0 && g.err == nil {
			l.synced, l.made = max(l.synced, g.end), false
		}
	}
}
