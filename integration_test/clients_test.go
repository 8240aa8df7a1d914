// Clients that nobody here wrote, over HTTP: each lists tools, asks for a price, buys, is refused, and reads the portfolio.

package integration_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A client is a script of testdata/clients, the program of MCP_TRADE_CLIENTS that runs it, and the mode in which it connects.
type realClient struct{ script, program, era string }

var realClients = []realClient{
	{"mcp1.py", "mcp1/bin/python", ""},
	{"mcp2.py", "mcp2/bin/python", "legacy"},
	{"mcp2.py", "mcp2/bin/python", "2026-07-28"},
	{"fastmcp_client.py", "fastmcp/bin/python", "legacy"},
	{"fastmcp_client.py", "fastmcp/bin/python", "2026-07-28"},
	{"openai_agents.py", "agents/bin/python", ""},
	{"pydantic_agents.py", "pydantic/bin/python", ""},
	{"sdk1.mjs", "node", ""},
	{"sdk2.mjs", "node", "legacy"},
	{"sdk2.mjs", "node", "modern"},
}

// MCP_TRADE_CLIENTS is a folder with a Python environment for each of the packages mcp<2 (mcp1), mcp>=2 (mcp2), fastmcp, openai-agents
// (agents) and pydantic-ai-slim[mcp] (pydantic), and with node_modules of @modelcontextprotocol/sdk and /client. Which are absent is
// told.
func TestRealClientsByHTTP(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("MCP_TRADE_CLIENTS")
	if dir == "" {
		t.Skip("MCP_TRADE_CLIENTS names no folder of clients")
	}
	scripts := t.TempDir() // a module of Node is looked for beside the script
	if err := os.CopyFS(scripts, os.DirFS("testdata/clients")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "node_modules"), filepath.Join(scripts, "node_modules")); err != nil {
		t.Fatal(err)
	}
	for _, c := range realClients {
		t.Run(strings.Trim(c.script+" "+c.era, " "), func(t *testing.T) {
			program, err := exec.LookPath(c.program)
			if strings.Contains(c.program, "/") {
				program, err = exec.LookPath(filepath.Join(dir, c.program))
			}
			if err != nil {
				t.Skip(err)
			}
			p := onFiles(t)
			p.open(t, "alice", "1000", plainDays[0])
			s := p.serveHTTP(t, "127.0.0.1:0")
			cmd := exec.Command(program, filepath.Join(scripts, c.script))
			cmd.Env = append(os.Environ(), "URL="+s.url("/mcp"), "TOKEN="+p.token(t, "alice"), "ERA="+c.era)
			if out := runToEnd(t, cmd); out.code != 0 || !strings.HasPrefix(out.stdout, "passed") {
				t.Errorf("exit %d\n%s\n%s\n%s", out.code, out.stdout, out.stderr, s.log)
			}
			if r := p.records(t, "alice"); len(r) != 2 {
				t.Errorf("%d records", len(r))
			}
			s.stop(t)
		})
	}
}
