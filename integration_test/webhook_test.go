// A webhook is told why accounts stop, and its address is shown nowhere.

package integration_test

import (
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mcp-trade/agent/model/modeltest"
)

// hook is a receiver of notices.
type hook struct {
	*httptest.Server
	mu      sync.Mutex
	notices []object
}

func startHook(t *testing.T, status int) *hook {
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n object
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &n); err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %v: %v\n%s", r.Method, r.Header, err, body)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.notices = append(h.notices, n)
		w.WriteHeader(status)
	}))
	t.Cleanup(h.Close)
	return h
}

// events are those of an account that arrived, once each.
func (h *hook) events(account string) (events []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.notices {
		if n["account"] == account && n["text"] != "" && n["text"] == n["content"] && n["at"] != "" {
			events = append(events, n["event"].(string)+" "+n["date"].(string))
		}
	}
	return events
}

func TestAWebhookIsToldWhyAccountsStop(t *testing.T) {
	t.Parallel()
	const secret = "T0KEN-of-the-hook"
	p := onFiles(t)
	p.prices = synthetic
	var lines string // of the run and of its servers
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		lines += p.commandLines(t)
		return normalDay(r)
	})
	good, gone := startHook(t, http.StatusOK), startHook(t, http.StatusNotFound)
	p.env = []string{"MCP_TRADE_WEBHOOK=" + good.URL + "/" + secret}
	spend := p.llm(t, llmRun{url: model.URL, from: "2025-01-01", to: firstDay, cash: "100000", accounts: []string{"poor"}, tuning: object{
		"price_per_million": object{"input": 10, "output": 100}, "budget": object{"run": 0.0000001},
	}})
	shown := ""
	run := func(code int, args ...string) {
		t.Helper()
		out := p.try(t, args...)
		shown += out.stdout + out.stderr
		if out.code != code {
			t.Errorf("%v: exit %d, want %d\n%s%s", args, out.code, code, out.stdout, out.stderr)
		}
	}
	strategies := []string{"run", "--from", "2025-01-01", "--to", firstDay, "--account", "halted=equal-weight", "--account", "free=equal-weight"}
	run(0, "session", "set", "HALT=true", "--model-id", "halted")
	run(1, append(strategies, "--log-format", "json")...)
	run(1, spend...)
	run(0, "doctor")
	if got := strings.Join(append(good.events("halted"), good.events("poor")...), ", "); got != "halt "+firstDay+", budget "+firstDay || len(good.notices) != 2 {
		t.Errorf("the hook was told %q:\n%v", got, good.notices)
	}

	p.env = append(p.env, "MCP_TRADE_WEBHOOK="+gone.URL+"/"+secret) // the later one counts
	run(1, strategies...)
	if !strings.Contains(shown, "the webhook did not get a notice: it answers with the status 404") || len(gone.events("halted")) != 1 {
		t.Errorf("a webhook that is gone: %v\n%s", gone.notices, shown)
	}
	p.env = append(p.env, "MCP_TRADE_WEBHOOK="+secret)
	run(2, strategies...)

	_ = filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			text, _ := os.ReadFile(path)
			shown += string(text)
		}
		return err
	})
	for _, part := range []string{secret, strings.TrimPrefix(good.URL, "http://"), strings.TrimPrefix(gone.URL, "http://")} {
		if strings.Contains(shown+lines, part) {
			t.Errorf("%s of the webhook's address is shown", part)
		}
	}
}
