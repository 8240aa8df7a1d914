//go:build unix

// What tests do to processes, and systems do differently.

package testenv

import (
	"os"
	"os/exec"
	"syscall"
)

// Suspend stops a process without ending it. Resume lets it go on.
func Suspend(p *os.Process) error { return p.Signal(syscall.SIGSTOP) }

// Resume lets a process go on that Suspend has stopped.
func Resume(p *os.Process) error { return p.Signal(syscall.SIGCONT) }

// OwnGroup has a command start in a process group of its own, for SignalGroup.
func OwnGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// SignalGroup sends a signal to a process that was started with OwnGroup, and to those that it started.
func SignalGroup(p *os.Process, s syscall.Signal) error { return syscall.Kill(-p.Pid, s) }

// PeakMemory is the most that a process held, in kB, and whether the system tells it.
func PeakMemory(ended *os.ProcessState) (int64, bool) {
	usage, ok := ended.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, false
	}
	return int64(usage.Maxrss), true
}
