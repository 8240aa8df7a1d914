// How a command ends: its exit codes, and the errors that choose one. And what it may take of the memory until then.

package main

import (
	"fmt"
	"os"
	"runtime/debug"
)

// Exit codes.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// usageError is a mistake in the command line or the settings.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// quietError ends the program with a code after everything was said.
type quietError int

func (e quietError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// collectGarbage has garbage collected whenever the memory in use has grown by so many percent, unless GOGC says how often.
func collectGarbage(percent int) {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(percent)
	}
}
