// The MCP Inspector, the reference client: what it accepts, other clients accept.

package integration_test

import (
	"os/exec"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
)

// inspect runs the Inspector's command line against the server.
func (p *place) inspect(t *testing.T, arguments ...string) output {
	t.Helper()
	path := testenv.Program(t, "inspector", "mcp-inspector")
	words := []string{"--cli", binary, "stdio"}
	for _, e := range append(p.environment(), "CURRENT_MODEL_ID=alice") {
		if !strings.HasSuffix(e, "=") { // the Inspector passes no empty values on
			words = append(words, "-e", e)
		}
	}
	cmd := exec.Command(path, append(words, arguments...)...)
	cmd.Dir = p.dir
	return runToEnd(t, cmd)
}

func TestTheInspectorFindsNothingInTheListOfTools(t *testing.T) {
	t.Parallel()
	for _, era := range []string{"legacy", "modern"} {
		t.Run(era, func(t *testing.T) {
			p := onFiles(t)
			out := p.inspect(t, "--method", "tools/list", "--strict", "--protocol-era", era)
			if out.code != 0 || !strings.Contains(out.stdout, `"get_portfolio"`) {
				t.Fatalf("exit %d\n%s\n%s", out.code, out.stdout, out.stderr)
			}
		})
	}
}

// Over HTTP it finds no more.
func TestTheInspectorFindsNothingOverHTTP(t *testing.T) {
	t.Parallel()
	path := testenv.Program(t, "inspector", "mcp-inspector")
	s := onFiles(t).serveHTTP(t, "127.0.0.1:0")
	for _, era := range []string{"legacy", "modern"} {
		out := runToEnd(t, exec.Command(path, "--cli", "http://"+s.address+"/mcp", "--transport", "http", "--method", "tools/list", "--strict", "--protocol-era", era))
		if out.code != 0 || !strings.Contains(out.stdout, `"get_portfolio"`) {
			t.Errorf("%s: exit %d\n%s\n%s", era, out.code, out.stdout, out.stderr)
		}
	}
}

// With the toolset ai-trader a refusal is no error, and the Inspector, which holds results against output schemas, takes it.
func TestTheInspectorTakesARefusalThatIsAResult(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.env = []string{"MCP_TRADE_TOOLSETS=trade,market,ai-trader,math"}
	p.open(t, "alice", "1000", "2025-10-02")
	if out := p.inspect(t, "--method", "tools/list", "--strict"); out.code != 0 || strings.Contains(out.stdout, "outputSchema") {
		t.Errorf("exit %d\n%s\n%s", out.code, out.stdout, out.stderr)
	}
	for amount, says := range map[string]string{"3": `"CASH": 698.5`, "30": "insufficient_cash"} {
		out := p.inspect(t, "--method", "tools/call", "--tool-name", "buy", "--tool-arg", "symbol=AAPL", "--tool-arg", "amount="+amount)
		if out.code != 0 || !strings.Contains(out.stdout, says) {
			t.Errorf("buy %s: exit %d, want %q\n%s\n%s", amount, out.code, says, out.stdout, out.stderr)
		}
	}
}

func TestTheInspectorTrades(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		p.open(t, "alice", "1000", "2025-10-02")
		for _, c := range []struct {
			amount, says string
			code         int
		}{
			{"3", "filled", 0},
			{"30", "insufficient_cash", 5}, // the Inspector's code for a result that is an error
		} {
			out := p.inspect(t, "--method", "tools/call", "--tool-name", "buy", "--tool-arg", "symbol=AAPL", "--tool-arg", "amount="+c.amount)
			if out.code != c.code || !strings.Contains(out.stdout, c.says) {
				t.Errorf("buy %s: exit %d, want %d and %q\n%s\n%s", c.amount, out.code, c.code, c.says, out.stdout, out.stderr)
			}
		}
		if r := p.records(t, "alice"); len(r) != 2 {
			t.Errorf("%d records", len(r))
		}
	})
}
