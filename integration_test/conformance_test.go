// The conformance suite of MCP against the HTTP transport.

package integration_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the transport does not do, and why: it answers, keeps no session, and sends nothing that was not asked for.
var notServed = map[string]string{
	"logging-set-level":            "a level is a session's",
	"tools-call-with-logging":      "a log message would be sent unasked",
	"tools-call-with-progress":     "progress would be sent unasked; calls take milliseconds",
	"tools-call-sampling":          "the server asks its client for nothing",
	"tools-call-elicitation":       "the server asks its client for nothing",
	"elicitation-sep1034-defaults": "the server asks its client for nothing",
	"elicitation-sep1330-enums":    "the server asks its client for nothing",
	"resources-subscribe":          "a change would be sent unasked",
	"resources-unsubscribe":        "a change would be sent unasked",
}

// MCP_TRADE_CONFORMANCE is the command of the npm package @modelcontextprotocol/conformance; it needs Node 22 on the PATH.
func TestConformanceOverHTTP(t *testing.T) {
	t.Parallel()
	suite := os.Getenv("MCP_TRADE_CONFORMANCE")
	if suite == "" {
		t.Skip("MCP_TRADE_CONFORMANCE names no conformance suite")
	}
	program := filepath.Join(t.TempDir(), "conformance")
	if err := goBuild(program, "mcp-trade/integration_test/testdata/conformance"); err != nil {
		t.Fatal(err)
	}
	fixture := exec.Command(program)
	out, err := fixture.StdoutPipe()
	if err == nil {
		err = fixture.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fixture.Process.Kill(); _ = fixture.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	ran := runToEnd(t, exec.Command(suite, "server", "--suite", "all", "--url", "http://"+strings.TrimSpace(address)+"/mcp"))
	verdicts := regexp.MustCompile(`(?m)^([✓✗]) ([a-z0-9-]+): .*$`).FindAllStringSubmatch(ran.stdout, -1)
	if len(verdicts) < 30 {
		t.Fatalf("%d scenarios ran: %s%s", len(verdicts), ran.stdout, ran.stderr)
	}
	failed := 0
	for _, v := range verdicts {
		_, excepted := notServed[v[2]]
		if passed := v[1] == "✓"; passed == excepted {
			t.Errorf("%s; excepted: %v\n%s", v[0], excepted, ran.stdout)
		} else if !passed {
			failed++
		}
	}
	if failed != len(notServed) {
		t.Errorf("%d scenarios failed, %d are excepted", failed, len(notServed))
	}
	t.Logf("%d scenarios, %d of them excepted", len(verdicts), failed)
}
