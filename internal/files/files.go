// Package files is how this program makes, replaces, locks and reads the files that it keeps: sessions, ledgers and their
// locks, checkpoints, transcripts, manifests, recorded searches, reports.
//
// Who may use them is one decision, an [Access]. Nothing is made or replaced through a symbolic link, what is made is on
// disk with the folders that lead to it, and what is read is a regular file of a bounded size.
package files

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"mcp-trade/internal/bounded"
)

// Access says who may read and write what is made. A file that is there keeps the access that it has.
type Access int

const (
	Owner Access = iota // whoever runs this program: files 0600, folders 0700
	Group               // the folder's group as well: files 0660, folders 2770, whatever the umask is
	Umask               // whoever the umask lets: for what is made to be read by others, such as a report
)

func (a Access) file() fs.FileMode { return [...]fs.FileMode{0o600, 0o660, 0o666}[a] }

func (a Access) folder() fs.FileMode { return [...]fs.FileMode{0o700, 0o770, 0o777}[a] }

// MkdirAll makes a folder and those above it that are missing, each on disk before the next.
func (a Access) MkdirAll(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
	case err == nil || !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := filepath.Dir(dir)
	if err := a.MkdirAll(parent); err != nil {
		return err
	}
	if err = os.Mkdir(dir, a.folder()); err == nil && a == Group {
		err = os.Chmod(dir, a.folder()|fs.ModeSetgid) // mkdir takes away what the umask says, and the setgid bit
	}
	if errors.Is(err, fs.ErrExist) {
		if info, errNow := os.Stat(dir); errNow == nil && info.IsDir() {
			err = nil // another process made it meanwhile
		}
	}
	return errors.Join(err, SyncFolder(parent))
}

// SyncFolder puts the names in a folder on disk, where the file system can do that.
func SyncFolder(dir string) error {
	h, err := os.Open(dir)
	if err == nil {
		err = errors.Join(h.Sync(), h.Close())
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// Create makes a file, to be read and appended to, in a folder that is there. One that is there already is [fs.ErrExist].
func (a Access) Create(path string) (*os.File, error) {
	f, err := a.create(path)
	if err == nil {
		err = SyncFolder(filepath.Dir(path))
	}
	return f, err
}

func (a Access) create(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL, a.file()) // O_EXCL follows no link
	if err == nil && a == Group {
		err = f.Chmod(a.file()) // whatever the umask says
	}
	return f, err
}

// Append opens a file to be read and appended to, and makes it if it is not there.
func (a Access) Append(path string) (*os.File, error) {
	for {
		f, err := open(path, os.O_RDWR|os.O_APPEND|noFollow)
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
		if f, err = a.Create(path); !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// Replace writes a file anew in one step, and returns when that is on disk: whoever reads it, and whenever the machine
// fails, finds the old text or the new.
func (a Access) Replace(path string, text []byte) error {
	return a.ReplaceWith(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// ReplaceWith is Replace with the text that write writes.
func (a Access) ReplaceWith(path string, write func(io.Writer) error) (err error) {
	old, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = nil
	case err != nil:
		return err
	case !old.Mode().IsRegular():
		return irregular(path, old.Mode())
	}
	dir, base := filepath.Split(path)
	dir = filepath.Clean(dir)
	f, err := a.create(filepath.Join(dir, "."+base+"."+rand.Text()+pending))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = errors.Join(f.Close(), os.Remove(f.Name())) // it may be closed, or renamed
		}
	}()
	if old != nil && a == Owner {
		if err := f.Chmod(old.Mode().Perm()); err != nil {
			return err
		}
	}
	if err := write(f); err != nil {
		return err
	}
	now, err := f.Stat()
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	removeLeftovers(dir, base, now.ModTime().Add(-leftover))
	return SyncFolder(dir)
}

const (
	pending  = ".tmp"    // ends the name of a file that is about to replace another
	leftover = time.Hour // such a file of this age was left by a process that was killed: to write one takes less than a minute
)

// removeLeftovers removes what processes left that were killed while they wrote the file of a name.
func removeLeftovers(dir, base string, before time.Time) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), "."+base)
		if !ok || rest == "" || !strings.HasSuffix(rest, pending) && strings.Trim(rest, "0123456789") != "" { // digits: of earlier versions
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && info.ModTime().Before(before) {
			_ = os.Remove(filepath.Join(dir, e.Name())) // the next one may succeed
		}
	}
}

// Read reads a regular file of at most limit bytes.
func Read(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := bounded.Read(f, limit)
	if errors.Is(err, bounded.ErrTooLong) {
		err = fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	return text, err
}

// Open opens a regular file for reading.
func Open(path string) (*os.File, error) { return open(path, os.O_RDONLY) }

// OpenAppend opens a regular file that is there, to be read and appended to.
func OpenAppend(path string) (*os.File, error) { return open(path, os.O_RDWR|os.O_APPEND) }

// open opens a file that is there, if it is a regular one. What is none must not keep the program waiting.
func open(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|noWait, 0)
	switch {
	case errors.Is(err, syscall.ELOOP):
		return nil, irregular(path, fs.ModeSymlink)
	case errors.Is(err, syscall.EISDIR):
		return nil, irregular(path, fs.ModeDir)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = irregular(path, info.Mode())
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// irregular says what stands where a file should be.
func irregular(path string, mode fs.FileMode) error {
	what := "a device"
	switch {
	case mode&fs.ModeSymlink != 0:
		what = "a symbolic link"
	case mode.IsDir():
		what = "a folder"
	case mode&fs.ModeNamedPipe != 0:
		what = "a named pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	}
	return fmt.Errorf("%s is %s and no regular file", path, what)
}
