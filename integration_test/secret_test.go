// A password of Redis is for Redis alone: nothing that the program prints, and nothing that other processes of the
// machine can see of it, holds it.

package integration_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
)

// commandLines are those of the place's processes that run now.
func (p *place) commandLines(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, pid := range p.servers(t) {
		line, _ := os.ReadFile(filepath.Join("/proc", pid, "cmdline")) // of a process that may be gone by now
		all.Write(append(bytes.ReplaceAll(line, []byte{0}, []byte{' '}), '\n'))
	}
	return all.String()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestThePasswordOfRedisIsNeverShown(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	const right, wrong = "r1ght-horse-battery", "wr0ng-horse-battery"
	addr := testenv.StartRedis(t, "--requirepass", right)
	shows := func(t *testing.T, where, text string) {
		t.Helper()
		if strings.Contains(text, right) || strings.Contains(text, wrong) {
			t.Errorf("%s shows the password:\n%s", where, text)
		}
	}
	commands := [][]string{
		{"doctor"}, {"doctor", "--json"}, {"session", "set", "SIGNATURE=alice", "TODAY_DATE=2025-01-02"}, {"session", "list"},
		{"ledger", "register", "alice", "--date", "2025-01-01"}, {"ledger", "show", "alice"}, {"ledger", "verify", "alice"}, {"ledger", "export", "alice"},
		{"stdio"}, {"stdio", "--log-format", "json"},
	}
	for i, c := range []struct {
		name, url string
		works     bool
	}{
		{"the right password", "redis://:" + right + "@" + addr, true},
		{"the right password and a user", "redis://default:" + right + "@" + addr + "/0", true},
		{"a wrong password", "redis://:" + wrong + "@" + addr, false},
		{"an address that cannot be read", "redis://:" + wrong + "@" + addr + ":7/x", false},
		{"a scheme that is none", "http://:" + wrong + "@" + addr, false},
		{"a server that is not there", "redis://:" + wrong + "@127.0.0.1:" + testenv.FreePort(t), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := onFiles(t)
			p.prices, p.redisURL = synthetic, c.url
			var lines string // of the run and of its server, while the model is asked
			model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
				if r.Turn == 0 {
					lines += p.commandLines(t)
				}
				return normalDay(r)
			})
			account := fmt.Sprint("alice-", i) // a new one, so that there is something to trade
			run := p.llm(t, llmRun{url: model.URL, from: "2025-01-01", to: firstDay, cash: "100000", accounts: []string{account}})
			for _, command := range append(commands, run) {
				cmd := p.command(command...)
				if command[0] == "stdio" {
					cmd.Stdin = strings.NewReader(orderLine(1, "buy", "SYN01", 1, "") + callLine(2, "get_session", "{}"))
				}
				out := runToEnd(t, cmd)
				shows(t, strings.Join(command, " "), out.stdout+out.stderr)
				if failed := out.code != 0; c.works && failed && command[0] != "ledger" {
					t.Errorf("%v: exit %d\n%s%s", command, out.code, out.stdout, out.stderr)
				}
				if !c.works && command[0] == "run" && out.code == 0 {
					t.Errorf("%v works without the password", command)
				}
			}
			shows(t, "a command line", lines)
			if c.works && !strings.Contains(lines, "stdio --log-format console") {
				t.Errorf("no server of the run among\n%s", lines)
			}
			_ = filepath.WalkDir(p.dir, func(path string, d os.DirEntry, err error) error {
				if text, err := os.ReadFile(path); err == nil {
					shows(t, path, string(text))
				}
				return nil
			})
		})
	}
}

func TestAPasswordInAnArgumentIsRefused(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	out := p.try(t, "doctor", "--redis-url", "redis://:horse-battery@127.0.0.1:1")
	if out.code != 2 || !strings.Contains(out.stderr, "REDIS_URL") || strings.Contains(out.stderr, "horse") {
		t.Fatalf("exit %d\n%s", out.code, out.stderr)
	}
}

func TestTheKeysOfAModelAndOfFurtherServersAreShownNowhere(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	const token = "t0ken-horse-battery"
	key := func(r modeltest.Request) string { return r.Headers.Get("Authorization") } // as it came, for the model to tell
	for _, c := range []struct {
		name   string
		script modeltest.Script
		code   int
	}{
		{"a normal run", normalDay, 0},
		{"an API that names the key it refuses", func(r modeltest.Request) modeltest.Reply {
			return modeltest.Reply{Status: 401, Body: `{"error": {"message": "Incorrect API key provided: ` + key(r) + `"}}`}
		}, 1},
		{"an API that answers with a page", func(r modeltest.Request) modeltest.Reply {
			return modeltest.Reply{Body: "<html>" + key(r) + "</html>"}
		}, 1},
		{"a model that tells the key", func(r modeltest.Request) modeltest.Reply {
			if r.Turn == 0 {
				return modeltest.Reply{Text: key(r), Reasoning: key(r), Calls: []modeltest.Call{{ID: key(r), Tool: key(r), Arguments: `{"x": "` + key(r) + `"}`}}}
			}
			return modeltest.Say("%s %s", key(r), llm.StopSignal)
		}, 0},
		{"a model that refuses with the key", func(r modeltest.Request) modeltest.Reply { return modeltest.Reply{Refusal: key(r)} }, 0},
	} {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, streamed %v", c.name, stream), func(t *testing.T) {
				p := onFiles(t)
				var lines string // of the run and of its two servers, while the model is asked
				model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
					if r.Turn == 0 {
						lines = p.commandLines(t)
					}
					return c.script(r)
				})
				config := p.config(t, model, firstDay, object{"stream": stream, "max_retries": 0}, "alice")
				p.amend(t, config, "mcp_servers", object{"desk": object{
					"command": binary, "args": []string{"stdio"}, "env": object{"MCP_TRADE_DATA_DIR": p.dir, "TOKEN": "${DESK_TOKEN}"},
				}})
				p.env = append(p.env, "DESK_TOKEN="+token)
				out := p.try(t, "run", config, "--trust-config")
				if out.code != c.code {
					t.Errorf("exit %d\n%s", out.code, out.stderr)
				}
				if n := strings.Count(lines, " stdio "); n != 2 {
					t.Errorf("%d servers of the run among\n%s", n, lines)
				}
				show := p.try(t, "show", "alice", "--full")
				p.hides(t, output{stdout: out.stdout + show.stdout + lines, stderr: out.stderr}, modelKey, token)
			})
		}
	}
}
