// What this process knows of one ledger file.

package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"mcp-trade/internal/files"
	"mcp-trade/internal/lru"
	"mcp-trade/store"
)

// ledgerFile is what this process knows of one ledger, enough to append without reading it again. It reads what other
// processes have appended since; a file that was replaced or cut it reads from the start.
type ledgerFile struct {
	account  string
	path     string
	queue    *queue // the goroutines that append
	queueUse *lru.Entry[*queue]
	group    *group // lines that are written and not durable yet; only the goroutine that has the turn may use this field

	mu     sync.Mutex
	file   *os.File
	info   fs.FileInfo // which file it is
	sealed error       // why the file may only be read
	made   bool        // this process made the file, and no line of it is on disk yet
	size   int64       // where the last whole line ends
	synced int64       // up to where this process made it durable
	mtime  time.Time   // when the file was last seen to change
	torn   int64       // bytes after the last whole line
	head   []byte      // the last whole line, without its line feed
	headAt int64       // where it begins
	id     int64       // the id of head
	index  *index      // of this file; another one after forget

	scratch []byte // into which the last line is read
}

// ledgerState is a ledger as it was at one moment.
type ledgerState struct {
	head    []byte
	ordered []byte // the line with the order id that was asked for
	durable bool   // this process knows that ordered is on disk, or there is no such line
}

// state returns the newest line and, unless the order id is empty, the line that carries it.
func (l *ledgerFile) state(ctx context.Context, orderID string) (ledgerState, error) {
	for {
		l.mu.Lock()
		err := l.refresh()
		file, size, synced, index, head := l.file, l.size, l.synced, l.index, l.head
		l.mu.Unlock()
		if err != nil || orderID == "" || file == nil {
			return ledgerState{head, nil, true}, err
		}
		line, err := index.find(ctx, file, size, orderID)
		if errors.Is(err, os.ErrClosed) {
			continue // the ledger was replaced meanwhile
		}
		return ledgerState{head, line.text, line.offset+int64(len(line.text)) <= synced}, err
	}
}

// snapshot opens the ledger once more. If the ledger was replaced meanwhile, it returns no file and a size that is not 0.
func (l *ledgerFile) snapshot() (*os.File, int64, *index, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(); err != nil || l.file == nil {
		return nil, 0, nil, err
	}
	f, err := files.Open(l.path)
	if absent(err) {
		return nil, 1, nil, nil
	}
	if err != nil {
		return nil, 0, nil, err
	}
	if now, err := f.Stat(); err != nil || !os.SameFile(now, l.info) {
		return nil, 1, nil, errors.Join(err, f.Close())
	}
	return f, l.size, l.index, nil
}

// makeDurable syncs the ledger.
func (l *ledgerFile) makeDurable(sync func(*os.File) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	if err := sync(l.file); err != nil {
		return err
	}
	l.synced = l.size
	return nil
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

// closeAll closes the ledger, its index and its place in the queue.
func (l *ledgerFile) closeAll() error {
	l.mu.Lock()
	index := l.index // before it is forgotten
	err := l.forget()
	l.mu.Unlock()
	err = errors.Join(err, index.close())
	l.queueUse.Done()
	return err
}

// forget drops all that is known of the file. A group that is not durable yet keeps its handle.
func (l *ledgerFile) forget() error {
	f := l.file
	l.file, l.info, l.size, l.synced, l.mtime, l.torn, l.head, l.headAt, l.id = nil, nil, 0, 0, time.Time{}, 0, nil, 0, 0
	l.made, l.index = false, l.index.fresh()
	if f == nil || l.group != nil && l.group.held == f {
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
		same := now.Size() == l.size+l.torn
		switch {
		case !os.SameFile(l.info, now), same && !now.ModTime().Equal(l.mtime):
			if err := l.forget(); err != nil {
				return err
			}
			l.index.truncate()
		case now.Size() < l.size, !l.headInPlace(): // another process took back lines that were not durable; the index has none of them
			l.index, l.synced, l.made = l.index.fresh(), 0, false
		case same:
			return nil
		}
	}
	if l.file == nil {
		if err := l.open(); err != nil {
			return err
		}
		if now, err = l.file.Stat(); err != nil { // there may be another file at the path by now
			return errors.Join(err, l.forget())
		}
		l.info = now
	}
	if err := l.readHead(now.Size()); err != nil {
		return errors.Join(err, l.forget())
	}
	l.mtime = now.ModTime()
	return nil
}

// open opens the ledger that is there, for reading alone if it must not be written.
func (l *ledgerFile) open() (err error) {
	l.file, err = files.OpenAppend(l.path)
	if l.sealed = nil; readOnly(err) {
		l.sealed = err
		l.file, err = files.Open(l.path)
	}
	return err
}

// headInPlace tells whether the line that was the last one still stands at its place, byte for byte. If it does not, the file
// was rewritten, and what is known of it is void.
func (l *ledgerFile) headInPlace() bool {
	if l.head == nil {
		return true
	}
	n := int(l.size - l.headAt) // with the line feed
	l.scratch = slices.Grow(l.scratch[:0], n)[:n]
	_, err := l.file.ReadAt(l.scratch, l.headAt)
	return err == nil && bytes.Equal(bytes.TrimSpace(l.scratch), l.head)
}

// readHead finds the last whole line below size. It reads no other line.
func (l *ledgerFile) readHead(size int64) error {
	end, err := wholeEnd(l.file, size)
	if err != nil {
		return err
	}
	if l.head == nil {
		l.index = l.index.fresh() // lines known before, if any, may have changed
	}
	l.size, l.torn, l.head, l.headAt, l.id = end, size-end, nil, 0, 0
	for line, err := range backward(context.Background(), l.file, 0, end) {
		if err != nil {
			return err
		}
		e, err := store.ReadEntry(line.text)
		if err != nil {
			return &store.DamagedError{Repairable: true, Err: fmt.Errorf("the last line of %s is damaged (%w)", l.path, err)}
		}
		l.head, l.headAt, l.id = bytes.Clone(line.text), line.offset, e.ID
		break
	}
	return nil
}

func endsWithLineFeed(f io.ReaderAt, size int64) bool {
	var last [1]byte
	_, err := f.ReadAt(last[:], size-1)
	return err == nil && last[0] == '\n'
}
