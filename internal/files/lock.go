// Locks between processes.

package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"mcp-trade/internal/pause"
)

// Lock is an advisory lock against other processes, and against other Locks of this one. Its file is made when it is first
// taken, in a folder that is there, and never removed.
type Lock struct {
	access Access
	flock  *flock.Flock
	file   fs.FileInfo // that the lock was taken on
}

// Lock returns the lock on a file.
func (a Access) Lock(path string) *Lock {
	return &Lock{access: a, flock: flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDONLY|noFollow|noWait), flock.SetPermissions(a.file()))}
}

// Try takes the lock if nobody holds it.
func (l *Lock) Try() (bool, error) {
	for range 100 {
		taken, err := l.flock.TryLock()
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil || !taken:
			return false, untaken(l.flock.Path(), err)
		}
		if l.file, err = l.flock.Stat(); err == nil && l.Holds() {
			return true, nil
		}
		l.Release() // of a file that somebody removed; the others are at the one that is there now
	}
	return false, fmt.Errorf("%s is removed again and again: who does that takes the lock away from all who need it", l.flock.Path())
}

// untaken says why a lock could not be taken.
func untaken(path string, err error) error {
	switch {
	case errors.Is(err, syscall.ELOOP):
		return irregular(path, fs.ModeSymlink)
	case errors.Is(err, syscall.ENOLCK):
		return fmt.Errorf("the file system of %s gives no locks (%w): mount it with locks, or keep the files on another", path, err)
	}
	return err
}

// Held tells whether somebody holds a lock. Its file is not made, and whoever else asks at the same time does not count. While it asks,
// which takes microseconds, a try to take the lock may fail.
func Held(path string) (bool, error) {
	l := flock.New(path, flock.SetFlag(os.O_RDONLY|noFollow|noWait))
	defer func() { _ = l.Unlock() }() // which closes the file
	for {
		free, err := l.TryRLock()
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, fs.ErrNotExist):
			return false, nil
		}
		return !free && err == nil, untaken(path, err)
	}
}

// lockPause is between two tries.
const lockPause = 500 * time.Microsecond

// Take takes the lock, and waits for it until ctx is done.
func (l *Lock) Take(ctx context.Context) error { return Wait(ctx, l.Try) }

// Wait tries to take a lock until it is taken or ctx is done.
func Wait(ctx context.Context, try func() (bool, error)) error {
	for {
		taken, err := try()
		if taken || err != nil {
			return err
		}
		if err := pause.For(ctx, lockPause); err != nil {
			return err
		}
	}
}

// Holds tells whether the lock, which was taken, excludes everybody still: it does not once its file is removed or replaced.
func (l *Lock) Holds() bool {
	now, err := os.Lstat(l.flock.Path())
	if err != nil || !os.SameFile(l.file, now) {
		return false
	}
	if l.access == Group && now.Mode().Perm() != l.access.file() {
		_ = os.Chmod(l.flock.Path(), l.access.file()) // the umask took some away, or it is another's to change
	}
	return true
}

// Release gives the lock back.
func (l *Lock) Release() { _ = l.flock.Unlock() } // what was done under it is done
