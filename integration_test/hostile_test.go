// Text from outside, in whatever a command prints: nothing of it acts on a terminal.

package integration_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
)

// hostile sets the title of a terminal, hides what follows, turns the direction of writing, and begins a line of its own.
const hostile = "owned\x1b]0;title\x07\x1b[8m\u009b2J\u202e\u200b\U000e0041\x7f\u0085\nFORGED by the text"

// quoted is the hostile text as a JSON string.
func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}

// harmless fails unless a text only is read by a terminal, and begins no line with what a text from outside says.
func harmless(t *testing.T, what, text string) {
	t.Helper()
	acts := func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsGraphic(r) }
	if at := strings.IndexFunc(text, acts); at >= 0 {
		t.Errorf("%s acts on a terminal: %q", what, text[max(at-40, 0):min(at+40, len(text))])
	}
	if strings.HasPrefix(text, "FORGED") || strings.Contains(text, "\nFORGED") {
		t.Errorf("%s has a line of the hostile text:\n%s", what, text)
	}
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func hostileLedger(t *testing.T, p *place) {
	write(t, p.ledgerFile("stranger"), `{"date": "2025-10-01", "id": 0, "positions": {"CASH": 1000}}`+"\n"+
		fmt.Sprintf(`{"date": "2025-10-02", "id": 1, "this_action": {"action": "buy", "symbol": %[1]s, "amount": 2}, "positions": {%[1]s: 2, "CASH": 900}, "order_id": %[1]s, "fees": 1, "fee_items": {%[1]s: 1}, "note": %[1]s}
{"date": "2025-10-02", "id": 2, "this_action": {"action": "expire", "symbol": %[1]s, "amount": 2, "side": "buy", "order": 1, "why": %[1]s}, "positions": {%[1]s: 2, "CASH": 900}}
{"date": "2025-10-02", "id": 3, "this_action": {"action": "rename", "symbol": %[1]s, "amount": 2, "to": %[1]s}, "positions": {%[1]s: 2, "CASH": 900}}
`, quoted(hostile)))
}

func hostilePrices(t *testing.T, p *place) {
	p.prices = write(t, filepath.Join(p.dir, "merged.jsonl"), plainMarket()+strings.ReplaceAll(plainSeries("X", "1"), `"X"`, quoted(hostile)))
}

func TestScreen_NothingFromOutsideActsOnATerminal(t *testing.T) {
	t.Parallel()
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		switch {
		case r.Model == "refuses":
			return modeltest.Reply{Status: http.StatusBadRequest, Body: `{"error": {"message": ` + quoted(hostile) + `}}`}
		case r.Turn == 0:
			return modeltest.Reply{Text: hostile, Reasoning: hostile, Calls: []modeltest.Call{{Tool: hostile, Arguments: hostile}, modeltest.To("get_price", map[string]any{"symbol": hostile})}}
		}
		return modeltest.Say("%s", llm.StopSignal)
	})
	runs := func(base string) func(t *testing.T, p *place) {
		return func(t *testing.T, p *place) {
			config := p.config(t, model, "2025-01-02", nil, "stranger")
			if base != "" {
				p.amend(t, config, "models", []object{{"signature": "stranger", "basemodel": base, "enabled": true}})
			}
		}
	}
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, p *place)
		args    []string
		silent  bool // it says nothing of the text
	}{
		{"ledger show", hostileLedger, []string{"ledger", "show", "stranger"}, false},
		{"ledger verify", hostileLedger, []string{"ledger", "verify", "stranger"}, false},
		{"settle", func(t *testing.T, p *place) {
			hostileLedger(t, p)
			f, err := os.OpenFile(p.ledgerFile("stranger"), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			fmt.Fprintf(f, `{"date": "2025-10-02", "id": 4, "this_action": {"action": "order", "symbol": %[1]s, "amount": 2, "side": "sell", "type": "limit", "limit": 9, "until": "gtc"}, "positions": {%[1]s: 2, "CASH": 900}, "orders": [{"id": 4, "action": "sell", "symbol": %[1]s, "amount": 2, "type": "limit", "limit": 9, "until": "gtc", "placed": "2025-10-02"}]}`+"\n", quoted(hostile))
		}, []string{"settle", "stranger", "--date", "2025-10-03"}, false},
		{"ledger verify of a file", hostileLedger, []string{"ledger", "verify", "agent_data/stranger/position/position.jsonl"}, false},
		{"ledger list", func(t *testing.T, p *place) {
			write(t, p.ledgerFile("stranger"), `{"id": 0, "date": `+quoted(hostile)+"}\n")
		}, []string{"ledger", "list"}, false},
		{"ledger repair", func(t *testing.T, p *place) { write(t, p.ledgerFile("stranger"), `{"id": 0, "`+hostile+"\n") }, []string{"ledger", "repair"}, true},
		{"ledger import", hostileLedger, []string{"ledger", "import", "copy", "agent_data/stranger/position/position.jsonl"}, false},
		{"report", hostileLedger, []string{"report", "stranger", "--from", "2025-10-01"}, false},
		{"report of a hostile price file", func(t *testing.T, p *place) {
			hostileLedger(t, p)
			write(t, filepath.Join(p.dir, "other.jsonl"), strings.ReplaceAll(plainSeries("X", "1"), `"X"`, quoted(hostile)))
		}, []string{"report", "stranger", "--benchmark", "other.jsonl"}, false},
		{"prices info", hostilePrices, []string{"prices", "info", "--symbols"}, false},
		{"prices check", func(t *testing.T, p *place) {
			p.prices = write(t, filepath.Join(p.dir, "merged.jsonl"), plainMarket()+"{"+hostile+"\n")
		}, []string{"prices", "info"}, true},
		{"doctor", func(t *testing.T, p *place) {
			hostilePrices(t, p)
			write(t, p.sessionFile("global"), `{"SIGNATURE": `+quoted(hostile)+`, "TODAY_DATE": "2025-10-02"}`)
		}, []string{"doctor"}, false},
		{"session list", func(t *testing.T, p *place) { write(t, p.sessionFile("global"), `{"SIGNATURE": `+quoted(hostile)+`}`) }, []string{"session", "list"}, false},
		{"session get", func(t *testing.T, p *place) {
			write(t, p.sessionFile("global"), `{"ANY": `+quoted(strings.ReplaceAll(hostile, "\n", ""))+`}`)
		}, []string{"session", "get", "ANY"}, false},
		{"a value in Redis", func(t *testing.T, p *place) {
			p.redisURL = onRedis(t).redisURL
			redisDo(t, p.redisURL, "SET", "config:global:SIGNATURE", quoted(hostile))
			redisDo(t, p.redisURL, "SET", "config:global:TODAY_DATE", hostile)
		}, []string{"session", "list"}, false},
		{"a ledger in Redis", func(t *testing.T, p *place) {
			p.redisURL = onRedis(t).redisURL
			redisDo(t, p.redisURL, "XADD", "ledger:{stranger}", "0-1", "line", `{"id": 0, `+hostile, "mark", "m")
		}, []string{"ledger", "show", "stranger"}, true},
		{"news import", func(t *testing.T, p *place) {
			write(t, filepath.Join(p.dir, "news.jsonl"), `{"title": "x", "published_at": `+quoted(hostile)+"}\n{"+hostile)
		},
			[]string{"news", "import", "news.jsonl"}, true},
		{"search", func(t *testing.T, p *place) {
			item := fmt.Sprintf(`{"title": %[1]s, "url": %[1]s, "published_at": "2025-09-01T00:00:00Z", "source": %[1]s, "summary": %[1]s, "content": %[1]s}`, quoted("nvidia "+hostile))
			p.do(t, "news", "import", write(t, filepath.Join(p.dir, "news.jsonl"), item+"\n"))
		}, []string{"search", "nvidia", "--as-of", "2025-10-02"}, false},
		{"run", runs(""), []string{"run", "config.json"}, true},
		{"run with a model that refuses", runs("refuses"), []string{"run", "config.json"}, false},
		{"run with a configuration that is wrong", func(t *testing.T, p *place) {
			runs("")(t, p)
			p.amend(t, filepath.Join(p.dir, "config.json"), hostile, 1)
		}, []string{"run", "config.json"}, false},
		{"run with a server that says it on stderr", func(t *testing.T, p *place) {
			testenv.Programs(t, "shell", "sh", "cat")
			runs("")(t, p)
			text := write(t, filepath.Join(p.dir, "text"), hostile+"\n")
			p.amend(t, filepath.Join(p.dir, "config.json"), "mcp_servers", object{"desk": object{"command": "sh", "args": []string{"-c", "cat " + text + " >&2"}}})
		}, []string{"run", "config.json", "--trust-config"}, false},
		{"run with a configuration that nobody allowed", func(t *testing.T, p *place) {
			runs("")(t, p)
			p.amend(t, filepath.Join(p.dir, "config.json"), "mcp_servers", object{"desk": object{"command": hostile, "args": []string{hostile}, "env": object{hostile: hostile}}})
		}, []string{"run", "config.json"}, false},
		{"show", func(t *testing.T, p *place) { runs("")(t, p); p.do(t, "run", "config.json") }, []string{"show", "stranger", "--full"}, false},
		{"the log of stdio", hostilePrices, []string{"stdio"}, true},
		{"a word that is no command", func(*testing.T, *place) {}, []string{hostile}, false},
		{"an argument", func(*testing.T, *place) {}, []string{"ledger", "show", hostile}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := onFiles(t)
			p.env = append(p.env, "OPENAI_API_KEY="+modelKey)
			c.prepare(t, p)
			for _, args := range [][]string{c.args, append(c.args[:len(c.args):len(c.args)], "--json", "--log-format", "json")} {
				out := p.try(t, args...)
				harmless(t, "stdout of "+fmt.Sprintf("%.60q", args), out.stdout)
				harmless(t, "stderr of "+fmt.Sprintf("%.60q", args), out.stderr)
				if said := strings.Contains(out.stdout+out.stderr, "owned"); !said && !c.silent {
					t.Errorf("%.60q does not print the text:\n%s%s", args, out.stdout, out.stderr)
				}
			}
		})
	}
}
