package testenv_test

import (
	"os"
	"path/filepath"
	"testing"

	"mcp-trade/internal/testenv"
)

// skips tells whether a subtest that calls need is skipped.
func skips(t *testing.T, name string, need func(*testing.T)) (skipped bool) {
	t.Run(name, func(t *testing.T) {
		defer func() { skipped = t.Skipped() }()
		need(t)
	})
	return skipped
}

func TestRequire(t *testing.T) {
	t.Setenv("MCP_TRADE_REQUIRE", "inspector, testdata")
	if !skips(t, "what is missing", func(t *testing.T) { testenv.Require(t, "redis", false, "it is not here") }) {
		t.Error("what is missing and was not promised does not skip the test")
	}
	if skips(t, "what is there", func(t *testing.T) { testenv.Require(t, "testdata", true, "") }) {
		t.Error("what is there skips the test")
	}
	if !testenv.Promised("testdata") || testenv.Promised("data") {
		t.Error("the list of what was promised is read wrong")
	}
}

func TestProgram(t *testing.T) {
	dir := t.TempDir()
	tool := filepath.Join(dir, "tool.exe") // where programs need an ending, this one is found by it
	if err := os.WriteFile(tool, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	t.Setenv("MCP_TRADE_REQUIRE", "")
	if got := testenv.Program(t, "tool", "none", "tool.exe"); got != tool {
		t.Errorf("it is %s, want %s", got, tool)
	}
	if !skips(t, "one that is missing", func(t *testing.T) { testenv.Program(t, "tool", "none") }) {
		t.Error("a missing program does not skip the test")
	}
	if !skips(t, "one of two is missing", func(t *testing.T) { testenv.Programs(t, "tool", "tool.exe", "none") }) {
		t.Error("a missing program does not skip the test")
	}
}

func TestTestData(t *testing.T) {
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, named := range []string{here, "internal/testenv"} { // the latter counts from the root of the module
		t.Setenv("MCP_TRADE_TESTDATA", named)
		if got := testenv.TestData(t); got != here {
			t.Errorf("%s is %s, want %s", named, got, here)
		}
	}
}
