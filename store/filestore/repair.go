// Repair finds what is wrong with a ledger's file and its index, and repairs it.

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

	"mcp-trade/internal/files"
	"mcp-trade/store"
)

// Repair implements [store.Ledgers]. It keeps what it takes out of a ledger in a file beside it.
func (s *Store) Repair(ctx context.Context, account string, write bool) (found []store.Fault, err error) {
	use, err := s.useLedger(account)
	if err != nil {
		return nil, err
	}
	defer use.Done()
	l := use.Value
	f, err := files.Open(l.path)
	if absent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, s.repairError(err)
	}
	defer f.Close()
	var end int64
	look := func() (err error) {
		end, found, err = s.repairEnd(ctx, l, f, write)
		return err
	}
	if err = s.exclusively(ctx, l, look); readOnly(err) && !write {
		err = look() // on a read-only file system there is no lock, and nobody appends
	}
	if err != nil {
		return found, s.repairError(err)
	}
	fault, err := s.repairIndex(ctx, l, f, end, write)
	if fault != nil {
		found = append(found, *fault)
	}
	if err != nil {
		err = s.repairError(err)
	}
	return found, err
}

func (s *Store) repairError(err error) error {
	return &store.UnreachableError{Engine: engine, Doing: "repair the ledger", Err: err}
}

// repairEnd checks the end of the ledger while nobody appends, and returns where its readable lines end.
func (s *Store) repairEnd(ctx context.Context, l *ledgerFile, f *os.File, write bool) (end int64, found []store.Fault, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, nil, err
	}
	size := info.Size()
	end, why, err := readableEnd(ctx, f, size)
	if err != nil || end == size {
		return end, nil, err
	}
	if end == 0 {
		return 0, nil, fmt.Errorf("%s has no line that is a ledger's (%w), so nothing of it is changed: move it away", l.path, why)
	}
	torn, err := wholeEnd(f, size)
	if err != nil {
		return 0, nil, err
	}
	kept := unused(fmt.Sprintf("%s.damaged-%d", l.path, end))
	fault := store.Fault{
		What:  fmt.Sprintf("%d bytes at the end of %s, from byte %d on, are no ledger line: %v", size-end, l.path, end, why),
		Mend:  fmt.Sprintf("they are moved to %s, and the account goes on after the line before them", kept),
		Minor: torn == end, // the next commit cuts off what was never finished
	}
	if write {
		err = s.moveTail(l, f, kept, end, size)
	}
	return end, []store.Fault{fault}, err
}

// readableEnd returns where the newest readable line ends, and why the text after it is no line.
func readableEnd(ctx context.Context, f io.ReaderAt, size int64) (end int64, why, err error) {
	for line, err := range backward(ctx, f, 0, size) {
		if err != nil {
			return 0, nil, err
		}
		if _, err := store.ReadEntry(line.text); err == nil {
			if why == nil {
				return size, nil, nil // what follows it is blank
			}
			return line.next, why, nil
		} else if why == nil {
			why = err
		}
	}
	return 0, why, nil
}

// unused returns the path, or a similar one, at which there is no file.
func unused(path string) string {
	for n, name := 2, path; ; n++ {
		if _, err := os.Lstat(name); absent(err) || n > 1000 {
			return name
		}
		name = fmt.Sprintf("%s.%d", path, n)
	}
}

// moveTail moves the text between two offsets of a ledger to a file beside it.
func (s *Store) moveTail(l *ledgerFile, ledger io.ReaderAt, kept string, from, to int64) error {
	link, err := os.Lstat(l.path)
	if err != nil {
		return err
	}
	if !link.Mode().IsRegular() {
		return fmt.Errorf("%s is a symbolic link: no line is cut off through one", l.path)
	}
	beside, err := s.access.Create(kept)
	if err != nil {
		return err
	}
	_, err = io.Copy(beside, io.NewSectionReader(ledger, from, to-from))
	if err := errors.Join(err, beside.Sync(), beside.Close()); err != nil {
		return err
	}
	f, err := files.OpenAppend(l.path)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(from), f.Sync(), f.Close())
}

// repairIndex compares the index with a new one, made from the lines.
func (s *Store) repairIndex(ctx context.Context, l *ledgerFile, ledger io.ReaderAt, size int64, write bool) (*store.Fault, error) {
	dir, err := os.MkdirTemp("", "mcp-trade-index-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	fresh := &index{path: filepath.Join(dir, "index"), every: s.indexEvery}
	if err := fresh.update(ctx, ledger, size); err != nil {
		return nil, err
	}
	path := l.index.path
	should, err := os.ReadFile(fresh.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	is, err := files.Read(path, int64(len(should)))
	fault := &store.Fault{Mend: fmt.Sprintf("%s is made anew of the lines", path)}
	switch {
	case bytes.Equal(is, should) && (err == nil || errors.Is(err, fs.ErrNotExist)):
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		fault.What, fault.Minor = fmt.Sprintf("the index %s is missing", path), true
	case err == nil && bytes.HasPrefix(should, is):
		fault.What, fault.Minor = fmt.Sprintf("the index %s lags: it has %d bytes of %d", path, len(is), len(should)), true
	default:
		fault.What = fmt.Sprintf("the index %s does not agree with the lines", path)
	}
	if !write {
		return fault, nil
	}
	if err := s.access.Replace(path, should); err != nil {
		return fault, err
	}
	return fault, l.close() // what is known of the old one goes with the rest
}
