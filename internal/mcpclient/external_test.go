package mcpclient

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// startNews starts an MCP server that wants a password, and tells it to whoever calls its tool.
func startNews(t *testing.T, tools ...string) (url string) {
	t.Helper()
	s := server.NewMCPServer("news", "1", server.WithToolCapabilities(false))
	for _, name := range tools {
		s.AddTool(mcp.NewTool(name, mcp.WithDescription("News.")), func(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			result := mcp.NewToolResultText("the word is horse-battery, in " + r.Params.Name)
			result.Content = append(result.Content, mcp.NewImageContent("AAAA", "image/png"))
			return result, nil
		})
	}
	h := server.NewStreamableHTTPServer(s, server.WithStateful(true))
	guard := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer horse-battery" {
			http.Error(w, "not "+r.Header.Get("Authorization"), http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
	web := httptest.NewServer(guard)
	t.Cleanup(web.Close)
	return web.URL + "/mcp"
}

func TestExternal_Tools(t *testing.T) {
	servers := map[string]Config{"wire": {URL: startNews(t, "latest", "by.topic"), Headers: Secrets{"Authorization": "Bearer horse-battery"}}}
	open, err := OpenAll(t.Context(), servers, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	defer open[0].Close()
	tools, err := open[0].Tools(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tool := range tools {
		names = append(names, tool.Name)
	}
	if got := strings.Join(names, " "); got != "wire_by_topic wire_latest" {
		t.Errorf("offered: %s", got)
	}
	text, failed, err := open[0].Call(t.Context(), "wire_by_topic", map[string]json.RawMessage{})
	if want := "the word is ***, in by.topic\n[an image, left out]"; err != nil || failed || text != want {
		t.Errorf("the call says %q, %v, %v; want %q", text, failed, err, want)
	}
}

func TestOpenAll_Errors(t *testing.T) {
	env := Secrets{"TOKEN": "horse-battery"}
	for _, c := range []struct {
		name   string
		server Config
		want   string
	}{
		{"no such command", Config{Command: "/no/such/server", Env: env}, "the MCP server x (mcp_servers) does not start"},
		{"a command that ends", Config{Command: "/bin/sh", Args: []string{"-c", "echo said $TOKEN >&2; exit 3"}, Env: env}, "does not answer"},
		{"a wrong password", Config{URL: startNews(t, "latest"), Headers: Secrets{"Authorization": "Bearer horse-batterY"}}, "does not answer"},
		{"nobody there", Config{URL: "http://127.0.0.1:1/mcp?key=horse-battery"}, "does not answer"},
	} {
		var log safeBuffer
		_, err := OpenAll(t.Context(), map[string]Config{"x": c.server}, &log)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
			continue
		}
		if all := strings.ToLower(err.Error() + log.String()); strings.Contains(all, "horse") {
			t.Errorf("%s: a secret is shown: %s", c.name, all)
		}
	}
}

func TestOpenAll_Environment(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "sk-horse")
	seen := filepath.Join(t.TempDir(), "seen")
	s := Config{Command: "/bin/sh", Args: []string{"-c", `export -p > "$0"`, seen}, Env: Secrets{"TOKEN": "abc"}}
	if _, err := OpenAll(t.Context(), map[string]Config{"x": s}, &safeBuffer{}); err == nil {
		t.Fatal("a shell is a server")
	}
	text, err := os.ReadFile(seen)
	said := strings.NewReplacer("'", "", `"`, "").Replace(string(text)) // shells quote values in their own ways
	if err != nil || !strings.Contains(said, " TOKEN=abc\n") || !strings.Contains(said, " PATH=") || strings.Contains(said, "horse") {
		t.Errorf("it sees %s, %v", said, err)
	}
}

func TestConfig_Redactor(t *testing.T) {
	s := Config{
		URL:       "http://127.0.0.1/mcp?id=horse-3333",
		Env:       Secrets{"LOG_LEVEL": "information", "API_KEY": "horse-1111", "PIN_TOKEN": "1234"},
		Headers:   Secrets{"X": "Bearer horse-2222"},
		Variables: Secrets{"X": "horse-0000"},
	}
	const text = "information 1234 horse-0000 horse-1111 horse-2222 http://127.0.0.1/mcp?id=horse-3333"
	if got := s.redactor().Replace(text); got != "information 1234 *** *** *** http://127.0.0.1/mcp?***" {
		t.Error(got)
	}
}

func TestExternal_Tools_ToldApart(t *testing.T) {
	servers := map[string]Config{"wire": {URL: startNews(t, "a.b", "a_b"), Headers: Secrets{"Authorization": "Bearer horse-battery"}}}
	open, err := OpenAll(t.Context(), servers, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	defer open[0].Close()
	if _, err := open[0].Tools(t.Context()); err == nil || !strings.Contains(err.Error(), `"a.b" and "a_b" are both wire_a_b to a model`) {
		t.Errorf("got %v", err)
	}
}

// safeBuffer takes what goroutines write.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
