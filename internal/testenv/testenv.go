// Package testenv is what a test needs from the machine that runs it: programs on the PATH, data, a real Redis, a network that
// fails on demand, time. What the machine lacks skips the test, and fails it where MCP_TRADE_REQUIRE promised it.
package testenv

import (
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Require skips the test if it lacks what it needs, and says why. It fails the test instead where that was promised.
func Require(t testing.TB, what string, have bool, why string) {
	t.Helper()
	switch {
	case have:
	case Promised(what):
		t.Fatalf("MCP_TRADE_REQUIRE names %s, but %s", what, why)
	default:
		t.Skipf("%s: %s", what, why)
	}
}

// Promised tells whether the environment variable MCP_TRADE_REQUIRE, a comma list, names a thing.
func Promised(what string) bool {
	for name := range strings.SplitSeq(os.Getenv("MCP_TRADE_REQUIRE"), ",") {
		if strings.TrimSpace(name) == what {
			return true
		}
	}
	return false
}

// Slow skips a test that takes seconds under go test -short. Call it before the test starts or builds anything.
func Slow(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes seconds, and -short is set")
	}
}

// Program returns the path of a program that the test needs: of the first of its names that is on the PATH.
func Program(t testing.TB, what string, names ...string) (path string) {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Require(t, what, false, strings.Join(names, ", ")+" is not on the PATH")
	return ""
}

// Programs requires each of some programs on the PATH.
func Programs(t testing.TB, what string, names ...string) {
	t.Helper()
	missing := Missing(names...)
	Require(t, what, missing == "", missing+" is not on the PATH")
}

// Missing returns the first of some programs that is not on the PATH, "" if all are.
func Missing(names ...string) string {
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			return name
		}
	}
	return ""
}

// File returns the path that an environment variable names, of a thing that no PATH has.
func File(t testing.TB, what, variable, about string) (path string) {
	t.Helper()
	path = os.Getenv(variable)
	Require(t, what, path != "", variable+" does not name "+about)
	return path
}

// TestData returns the absolute path of the folder of real prices and ledgers that MCP_TRADE_TESTDATA names; a
// relative value counts from the root of the module. Without it the test is skipped.
func TestData(t testing.TB) string {
	t.Helper()
	dir := File(t, "testdata", "MCP_TRADE_TESTDATA", "a folder")
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(moduleRoot(t), dir)
	}
	info, err := os.Stat(dir)
	Require(t, "testdata", err == nil && info.IsDir(), dir+" is not a folder")
	return dir
}

func moduleRoot(t testing.TB) string {
	dir, err := os.Getwd() // go test runs in the folder of the package
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the working directory")
		}
	}
}

// FreePort returns a port on 127.0.0.1 that was free a moment ago. It is below those that systems give to connections, which
// else could take the port of a server while that is killed and not yet started again.
func FreePort(t testing.TB) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(10_000 + rand.IntN(22_000))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("of 100 ports none is free")
	return ""
}
