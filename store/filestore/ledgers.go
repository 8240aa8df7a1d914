// Ledgers in plain files: lines appended under a lock, synced before the answer.

package filestore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"mcp-trade/store"
)

// Head implements [store.Ledgers].
func (s *Store) Head(_ context.Context, account, orderID string) (head, ordered []byte, err error) {
	l, err := s.ledger(account)
	if err != nil {
		return nil, nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(); err != nil {
		return nil, nil, s.unreadable(err)
	}
	if orderID != "" {
		if ordered, err = l.ordered(orderID); err != nil {
			return nil, nil, s.unreadable(err)
		}
	}
	return l.head, ordered, nil
}

// Append implements [store.Ledgers].
func (s *Store) Append(ctx context.Context, c store.Commit) error {
	l, err := s.ledger(c.Account)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	err = s.withLock(ctx, s.ledgerLock(c.Account), func() error {
		return s.appendLocked(ctx, l, c)
	})
	var used *store.UsedError
	var unreachable *store.UnreachableError
	if err == nil || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrSessionChanged) ||
		errors.As(err, &used) || errors.As(err, &unreachable) {
		return err
	}
	return &store.UnreachableError{Engine: engine, Doing: "write the ledger", Err: err}
}

// appendLocked is Append under the ledger's lock.
func (s *Store) appendLocked(ctx context.Context, l *ledgerFile, c store.Commit) error {
	if err := l.refresh(); err != nil {
		return err
	}
	if c.OrderID != "" {
		line, err := l.ordered(c.OrderID)
		if err != nil {
			return err
		}
		if line != nil {
			return &store.UsedError{Line: line}
		}
	}
	together, others := store.Apart(s, c.Guards)
	for _, g := range others {
		if err := g.Check(ctx); err != nil {
			return err
		}
	}
	if err := s.withSessions(ctx, together, func() error { return s.appendNext(l, c) }); err != nil {
		return err
	}
	for _, g := range others {
		s.follow(g.Follow(ctx))
	}
	return nil
}

func (s *Store) appendNext(l *ledgerFile, c store.Commit) error {
	if l.nextID() != c.ID || !bytes.Equal(l.head, c.After) {
		return store.ErrConflict
	}
	return l.append(c, s.warn)
}

// withSessions runs commit if the guards hold, under the locks of the sessions that they name, so that the line, what it
// was judged under and the values that announce it are one step for every other process. Then it sets the values; what
// is set already costs no write. The values of [store.AllModels] are not locked, or every account would wait for every
// other: who sets those waits for the commits that are under way.
func (s *Store) withSessions(ctx context.Context, guards []store.Guard, commit func() error) error {
	var keys []store.Key
	for _, g := range guards {
		keys = append(append(keys, keysOf(g.Want)...), keysOf(g.Set)...)
	}
	do := func() error {
		values, objects, err := s.readValues(keys, readSession)
		if err != nil {
			return &store.UnprovedError{Err: err}
		}
		for _, g := range guards {
			if err := g.Holds(values); err != nil {
				return err
			}
		}
		if err := commit(); err != nil {
			return err
		}
		for model, object := range objects {
			for _, g := range guards {
				s.follow(s.setValues(model, object, g.Set))
			}
		}
		return nil
	}
	models := slices.Sorted(maps.Keys(byModel(keys))) // who locks several does so in one order, or two would wait for each other
	for _, model := range models {
		if model != store.AllModels {
			inner := do
			do = func() error { return s.withLock(ctx, sessionLock(s.SessionFile(model)), inner) }
		}
	}
	return do()
}

// follow tells of a value that could not be set after its line was committed. The ledger is the truth about what was
// traded, the value only announces it, so the commit stands.
func (s *Store) follow(err error) {
	if err != nil {
		s.warn(fmt.Sprintf("the order is in the ledger, but the session could not be told: %v", err))
	}
}

// Lines implements [store.Ledgers].
func (s *Store) Lines(_ context.Context, account string) iter.Seq2[[]byte, error] {
	return s.read(account, func(f *os.File, size int64, yield func([]byte, error) bool) {
		for line, err := range forward(f, 0, size) {
			if !yield(bytes.Clone(line.text), err) {
				return
			}
		}
	})
}

// LinesBefore implements [store.Ledgers].
func (s *Store) LinesBefore(_ context.Context, account string, filter store.Filter) iter.Seq2[[]byte, error] {
	return s.read(account, func(f *os.File, size int64, yield func([]byte, error) bool) {
		for line, err := range backward(f, size) {
			if err == nil && filter != (store.Filter{Before: store.Newest}) {
				var e store.Entry
				if e, err = store.ReadEntry(line); err == nil && !filter.Passes(e) {
					continue
				}
			}
			if !yield(line, err) {
				return
			}
		}
	})
}

// read yields what a reader of lines yields from a ledger as it is now, up to the first error.
func (s *Store) read(account string, lines func(f *os.File, size int64, yield func([]byte, error) bool)) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		f, size, err := s.snapshot(account)
		if err != nil {
			yield(nil, err)
			return
		}
		if f == nil {
			return
		}
		defer f.Close()
		lines(f, size, func(line []byte, err error) bool {
			if err != nil {
				err = s.unreadable(err)
			}
			return yield(line, err) && err == nil
		})
	}
}

// Repair implements [store.Ledgers].
func (s *Store) Repair(context.Context, string, bool) ([]store.Fault, error) { return nil, nil }

// Accounts implements [store.Ledgers].
func (s *Store) Accounts(context.Context) ([]string, error) {
	entries, err := os.ReadDir(s.logPath)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, s.unreadable(err)
	}
	var accounts []string
	for _, e := range entries {
		if _, err := os.Stat(s.LedgerFile(e.Name())); err == nil && store.CheckName("signature", e.Name()) == nil {
			accounts = append(accounts, e.Name())
		}
	}
	return accounts, nil
}

func (s *Store) unreadable(err error) error {
	return &store.UnreachableError{Engine: engine, Doing: "read the ledger", Err: err}
}

// snapshot opens a ledger as it is now: a handle of its own and the size up to which its lines are whole. Both are
// zero where there is no ledger.
func (s *Store) snapshot(account string) (*os.File, int64, error) {
	l, err := s.ledger(account)
	if err != nil {
		return nil, 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := &ledgerFile{path: l.path} // l keeps its handle, and the path may lead to another file by now
	if err := now.refresh(); err != nil {
		return nil, 0, s.unreadable(err)
	}
	return now.file, now.size, nil
}

// ledger returns the one ledgerFile of an account in this process.
func (s *Store) ledger(account string) (*ledgerFile, error) {
	if err := store.CheckName("signature", account); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.ledgers[account]
	if l == nil {
		l = &ledgerFile{path: s.LedgerFile(account)}
		s.ledgers[account] = l
	}
	return l, nil
}

// ledgerFile is what this process knows of one ledger: enough to append without reading it again. What other
// processes appended since is read from where the knowledge ends; a file that was replaced or cut is read afresh.
type ledgerFile struct {
	path string

	mu    sync.Mutex
	file  *os.File
	size  int64     // where the last whole line ends
	mtime time.Time // when the file was last seen to change
	torn  int64     // bytes after the last whole line
	head  []byte    // the last whole line, without its line feed
	id    int64     // the id of head

	orders  map[[16]byte]int64 // the offset of the line of each order id, by its hash
	indexed int64              // how far the file is in orders
}

func (l *ledgerFile) nextID() int64 {
	if l.head == nil {
		return 0
	}
	return l.id + 1
}

func (l *ledgerFile) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.forget()
}

func (l *ledgerFile) forget() error {
	f := l.file
	l.file, l.size, l.mtime, l.torn, l.head, l.id, l.orders, l.indexed = nil, 0, time.Time{}, 0, nil, 0, nil, 0
	if f == nil {
		return nil
	}
	return f.Close()
}

// refresh brings head and size up to date with the file.
func (l *ledgerFile) refresh() error {
	now, err := os.Stat(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return l.forget()
	}
	if err != nil {
		return err
	}
	if l.file != nil {
		mine, err := l.file.Stat()
		if err != nil {
			return err
		}
		grown := now.Size() > l.size+l.torn
		switch {
		case !os.SameFile(mine, now), now.Size() < l.size, !grown && !now.ModTime().Equal(l.mtime), grown && !l.headInPlace():
			if err := l.forget(); err != nil {
				return err
			}
		case !grown:
			return nil
		}
	}
	if l.file == nil {
		if l.file, err = os.OpenFile(l.path, os.O_RDWR|os.O_APPEND, 0); errors.Is(err, fs.ErrPermission) {
			l.file, err = os.Open(l.path) // a ledger that may only be read can be looked at
		}
		if err != nil {
			return err
		}
		if now, err = l.file.Stat(); err != nil { // the path may have got another file since
			return errors.Join(err, l.forget())
		}
	}
	if err := l.readHead(now.Size()); err != nil {
		return errors.Join(err, l.forget())
	}
	l.mtime = now.ModTime()
	return nil
}

// headInPlace tells whether the line that was the last one still stands where it stood. If not, the file was written
// anew under the same name, and nothing that is known of it holds.
func (l *ledgerFile) headInPlace() bool {
	if l.head == nil {
		return l.size == 0
	}
	from := max(0, l.size-int64(len(l.head))-2) // with its line feed, or the two of another system
	text := make([]byte, l.size-from)
	_, err := l.file.ReadAt(text, from)
	return err == nil && bytes.HasSuffix(bytes.TrimSpace(text), l.head)
}

// readHead finds the last whole line below size, at the cost of reading that line.
func (l *ledgerFile) readHead(size int64) error {
	end, err := wholeEnd(l.file, size)
	if err != nil {
		return err
	}
	l.size, l.torn, l.head, l.id = end, size-end, nil, 0
	for text, err := range backward(l.file, end) {
		if err != nil {
			return err
		}
		e, err := store.ReadEntry(text)
		if err != nil {
			return fmt.Errorf("the last line of %s is damaged (%w); 'mcp-trade ledger verify' tells more", l.path, err)
		}
		l.head, l.id = bytes.Clone(text), e.ID
		break
	}
	return nil
}

// ordered returns the line that carries an order id. The first question reads the whole file, the later ones only
// what was appended since.
func (l *ledgerFile) ordered(orderID string) ([]byte, error) {
	if l.file == nil {
		return nil, nil
	}
	if l.orders == nil {
		l.orders = map[[16]byte]int64{}
	}
	for line, err := range forward(l.file, l.indexed, l.size) {
		if err != nil {
			return nil, err
		}
		if e, err := store.ReadEntry(line.text); err == nil && e.OrderID != "" {
			l.orders[hash(e.OrderID)] = line.offset
		}
	}
	l.indexed = l.size
	offset, ok := l.orders[hash(orderID)]
	if !ok {
		return nil, nil
	}
	for line, err := range forward(l.file, offset, l.size) {
		return line.text, err
	}
	return nil, fmt.Errorf("%s changed while it was read", l.path)
}

func hash(orderID string) [16]byte {
	sum := sha256.Sum256([]byte(orderID))
	return [16]byte(sum[:16])
}

// append writes one line after the last whole one and syncs it. If that fails the file is cut back, so the line is
// either durable or absent; if that fails too it is unknown which.
func (l *ledgerFile) append(c store.Commit, warn func(string)) (err error) {
	line := c.Line
	// That it is JSON is for whoever made it; here it must not break the lines around it.
	if !bytes.HasPrefix(line, []byte("{")) || !bytes.HasSuffix(line, []byte("}")) || bytes.IndexByte(line, '\n') >= 0 {
		return fmt.Errorf("not a JSON object on one line: %.60q", line)
	}
	if l.file == nil {
		if l.file, err = create(l.path); err != nil {
			return err
		}
	}
	if l.torn > 0 {
		warn(fmt.Sprintf("%s: cut back %d bytes of a line that was never finished", l.path, l.torn))
		if err := l.file.Truncate(l.size); err != nil {
			return err
		}
		l.torn = 0
	}
	text := make([]byte, 0, len(line)+2)
	if l.size > 0 && !endsWithLineFeed(l.file, l.size) {
		text = append(text, '\n')
	}
	start := l.size + int64(len(text))
	text = append(append(text, line...), '\n')
	written, err := l.file.Write(text)
	if err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		cut := l.file.Truncate(l.size)
		err = errors.Join(err, cut, l.forget())
		return &store.UnreachableError{Engine: engine, Doing: "write the ledger", Err: err, Unknown: cut != nil && written > 0}
	}
	now, err := l.file.Stat()
	if err != nil || now.Size() != start+int64(len(line))+1 {
		// The line is in. A program that locks nothing wrote at the same moment, so where it is must be read.
		_ = l.forget()
		return nil
	}
	if l.orders != nil && l.indexed == l.size {
		if c.OrderID != "" {
			l.orders[hash(c.OrderID)] = start
		}
		l.indexed = now.Size()
	}
	l.size, l.mtime, l.head, l.id = now.Size(), now.ModTime(), bytes.Clone(line), c.ID
	return nil
}

// create makes an empty ledger and syncs its folders' entries, so that the file outlives a power failure as well as its lines do.
func create(path string) (*os.File, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if h, err := os.Open(d); err == nil {
			_ = h.Sync() // not every file system can sync a folder
			_ = h.Close()
		}
	}
	return f, nil
}

func endsWithLineFeed(f io.ReaderAt, size int64) bool {
	var last [1]byte
	_, err := f.ReadAt(last[:], size-1)
	return err == nil && last[0] == '\n'
}
