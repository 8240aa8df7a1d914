//go:build unix

package files

import (
	"errors"
	"os"
	"syscall"
)

const (
	noFollow = syscall.O_NOFOLLOW // a symbolic link is not opened
	noWait   = syscall.O_NONBLOCK // a named pipe without a writer is opened at once
)

// TryHold takes the lock on an open file itself, if nobody holds it through another handle. It ends with the handle.
func TryHold(f *os.File) (bool, error) {
	err := lockFile(f, syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, untaken(f.Name(), err)
}

// LetGo gives back the lock on an open file.
func LetGo(f *os.File) { _ = lockFile(f, syscall.LOCK_UN) } // a handle that was closed holds none

func lockFile(f *os.File, how int) (err error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	closed := conn.Control(func(fd uintptr) {
		for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
			err = syscall.Flock(int(fd), how)
		}
	})
	return errors.Join(closed, err)
}
