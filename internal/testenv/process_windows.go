// What tests do to processes, and Windows cannot do.

package testenv

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// Suspend fails: Windows stops no process without ending it.
func Suspend(*os.Process) error { return errors.ErrUnsupported }

// Resume fails as Suspend does.
func Resume(*os.Process) error { return errors.ErrUnsupported }

// OwnGroup does nothing.
func OwnGroup(*exec.Cmd) {}

// SignalGroup fails: Windows has no signals for a group.
func SignalGroup(*os.Process, syscall.Signal) error { return errors.ErrUnsupported }

// PeakMemory is not told.
func PeakMemory(*os.ProcessState) (int64, bool) { return 0, false }
