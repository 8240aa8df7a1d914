// The command line, as scripts under testdata/script: what each command prints, and how it ends.

package integration_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"mcp-trade/internal/testenv"
	"mcp-trade/report/page/pagetest"
)

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", filepath.Dir(binary)+string(filepath.ListSeparator)+e.Getenv("PATH"))
			e.Setenv("PLAIN", plain)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"json":  isJSON,
			"page": func(ts *testscript.TestScript, _ bool, args []string) { // page FILE TEXT: what the page says into a file, for grep
				ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(pagetest.Text(t, ts.ReadFile(args[0]))), 0o600))
			},
			"redis": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Setenv("REDIS", "redis://"+testenv.StartRedis(t, args...))
			},
		},
		Condition: func(what string) (bool, error) {
			needs := map[string][]string{"redis": {"redis-server"}, "shell": shell}[what]
			if needs == nil {
				return false, errors.New("unknown condition")
			}
			return testenv.Missing(needs...) == "" || testenv.Promised(what), nil
		},
	})
}

// shell is what scripts and the blocks of docs want of a Unix system.
var shell = []string{"bash", "sh", "find", "mkfifo", "git"}

// exits runs a command and holds its exit code against the first argument. What it prints is for stdout and stderr.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if code != want {
		ts.Fatalf("exit %d, want %d", code, want)
	}
}

// isJSON reads a file, or the output of the last command (stdout), which must be one JSON value.
func isJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: json FILE")
	}
	if json.Valid([]byte(ts.ReadFile(args[0]))) == neg {
		ts.Fatalf("%s is JSON: %v", args[0], !neg)
	}
}
