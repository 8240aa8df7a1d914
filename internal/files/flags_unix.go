//go:build unix

package files

import "syscall"

const (
	noFollow = syscall.O_NOFOLLOW // a symbolic link is not opened
	noWait   = syscall.O_NONBLOCK // a named pipe without a writer is opened at once
)
