// How a command ends: its exit codes, and the errors that choose one. And what it may take of the memory until then.

package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime/debug"

	"mcp-trade/code"
	"mcp-trade/internal/rawjson"
	"mcp-trade/internal/safetext"
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

// printError prints the error with which a command, of that path, exits: a sentence for people, or a line of JSON in the form in which tools fail.
func printError(w io.Writer, err error, exit int, asJSON bool, command string) {
	switch {
	case asJSON:
		text, _ := rawjson.Marshal(errorObject(err, exit)) // details marshal: their contract
		fmt.Fprintf(w, "%s\n", safetext.JSON(text))
	case exit == exitUsage:
		fmt.Fprintf(w, "mcp-trade: %s\nSee '%s --help'.\n", explain(err), command)
	default:
		fmt.Fprintf(w, "mcp-trade: %s\n", explain(err))
	}
}

// errorObject is an error with its code and what stands beside it. A wrong command line is an argument that is not valid; any other
// error may have no code.
func errorObject(err error, exit int) map[string]any {
	object := map[string]any{}
	var coded code.Error
	if errors.As(err, &coded) {
		maps.Copy(object, coded.Details())
		object["code"], object["class"] = coded.Code(), coded.Code().Class()
	} else if exit == exitUsage {
		object["code"], object["class"] = code.InvalidArgument, code.InvalidArgument.Class()
	}
	object["error"] = advised(err)
	return object
}

// quietError ends the program with a code after everything was said.
type quietError int

func (e quietError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// collectGarbage has garbage collected whenever the memory in use has grown by so many percent, unless GOGC says how often.
func collectGarbage(percent int) {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(percent)
	}
}

// limitMemory has garbage collected more often where more than so many bytes would be in use, unless GOMEMLIMIT says how many.
func limitMemory(bytes int64) {
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(bytes)
	}
}
