//go:build unix

// Standard input as a pipe that the scheduler waits for, rather than a thread.

package main

import (
	"io"
	"os"
	"syscall"
)

// nonblocking returns f, if it is a pipe or a socket, as a file that does not block: then a goroutine that was just started does not wait
// until the runtime notices that the one reading is stuck in the system call. A terminal is left alone, since its mode is
// shared with the shell.
func nonblocking(f *os.File) io.Reader {
	stat, err := f.Stat()
	if err != nil || stat.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return f
	}
	fd := f.Fd()
	if err := syscall.SetNonblock(int(fd), true); err != nil {
		return f
	}
	return os.NewFile(fd, f.Name())
}
