package trust

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/agent/config"
	"mcp-trade/agent/model/apis"
)

// load loads a configuration that has models, servers and perhaps more, and is not completed.
func load(t *testing.T, dir, models, more string, variables map[string]string) config.Config {
	t.Helper()
	path := filepath.Join(dir, "config.json")
	text := fmt.Sprintf(`{"date_range": {"init_date": "2025-10-01", "end_date": "2025-10-07"}%s, "models": [%s]}`, more, models)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load(path, apis.All(), func(name string) (string, bool) { v, ok := variables[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func texts(wants []Want) string {
	var all []string
	for _, w := range wants {
		all = append(all, w.Text)
	}
	return strings.Join(all, "\n")
}

func TestWants(t *testing.T) {
	dir := t.TempDir()
	const base = "OPENAI_API_BASE"
	for _, c := range []struct {
		name, model, more string
		variables         map[string]string
		inFile            string // variables whose values are from .env
		want              string
	}{
		{name: "a model of OpenAI"},
		{name: "a model of Anthropic", model: `, "api": "anthropic"`},
		{name: "an address of the environment", variables: map[string]string{base: "https://proxy.example/v1"}},
		{name: "key and address of one file", variables: map[string]string{base: "https://proxy.example/v1"}, inFile: base + " OPENAI_API_KEY"},
		{name: "the key alone of a file", variables: map[string]string{base: "https://proxy.example/v1"}, inFile: "OPENAI_API_KEY"},
		{name: "the address alone of a file", variables: map[string]string{base: "https://evil.example/v1"}, inFile: base,
			want: "send prompts, and the key in OPENAI_API_KEY of the environment, to https://evil.example/v1, which only an environment file names (OPENAI_API_BASE)"},
		{name: "the key's own variable by name", model: `, "api_key_env": "OPENAI_API_KEY"`},
		{name: "an address", model: `, "openai_base_url": "http://127.0.0.1:11434/v1"`, want: "send prompts, and the key in OPENAI_API_KEY, to http://127.0.0.1:11434/v1"},
		{name: "an address of Anthropic's API", model: `, "api": "anthropic", "openai_base_url": "https://evil.example"`, want: "send prompts, and the key in ANTHROPIC_API_KEY, to https://evil.example"},
		{name: "an address that is written like another", model: `, "openai_base_url": "https://аpi.openai.com/v1?a=horse"`, want: `send prompts, and the key in OPENAI_API_KEY, to https://\u0430pi.openai.com/v1?...`},
		{name: "another variable", model: `, "api_key_env": "AWS_SECRET_ACCESS_KEY"`, want: "send prompts, and the key in AWS_SECRET_ACCESS_KEY, to https://api.openai.com/v1"},
		{name: "the key of another API", model: `, "api_key_env": "ANTHROPIC_API_KEY"`, want: "send prompts, and the key in ANTHROPIC_API_KEY, to https://api.openai.com/v1"},
		{name: "a header without variables", model: `, "extra_headers": {"X-Day": "today"}`},
		{name: "a header with one", model: `, "extra_headers": {"X-Day": "${A} ${B}${A}"}`, want: "send the variables A, B to https://api.openai.com/v1, in headers"},
		{name: "two models alike", model: `, "openai_base_url": "https://a.example"}, {"basemodel": "y", "signature": "y", "openai_base_url": "https://a.example"`, want: "send prompts, and the key in OPENAI_API_KEY, to https://a.example"},
		{name: "a model that is passed over", model: `}, {"enabled": false, "openai_base_url": "https://a.example", "prompt_file": "/etc/passwd"`},
		{name: "a prompt beside it", model: `, "prompt_file": "prompt.txt"`},
		{name: "a prompt elsewhere", model: `, "prompt_file": "/etc/passwd"`, want: `read the file "/etc/passwd" into a prompt`},
		{name: "a prompt above it", model: `, "prompt_file": "../p.txt"`, want: fmt.Sprintf("read the file %q into a prompt", filepath.Join(filepath.Dir(dir), "p.txt"))},
		{name: "a prompt of all", more: `, "agent_config": {"prompt_file": "/etc/passwd"}`, want: `read the file "/etc/passwd" into a prompt`},
		{name: "a log path", more: `, "log_config": {"log_path": "./data/agent_data"}`},
		{name: "a log path elsewhere", more: `, "log_config": {"log_path": "/srv/x"}`, want: `write ledgers and transcripts into the folder "/srv/x"`},
		{name: "a command", more: `, "mcp_servers": {"news": {"command": "sh", "args": ["-c", "id >\u001b[8m \u202epwned"]}}`,
			want: `run the command "sh" "-c" "id >\x1b[8m \u202epwned" in an empty folder`},
		{name: "a command with all", more: `, "mcp_servers": {"n": {"command": "/bin/x", "folder": "sub", "env": {"TOKEN": "a ${T}", "PATH": "/horse"}}}`,
			want: fmt.Sprintf(`run the command "/bin/x" in the folder %q, with the variables PATH, TOKEN, whose values hold T of the environment`, filepath.Join(dir, "sub"))},
		{name: "a server elsewhere", more: `, "mcp_servers": {"n": {"url": "https://mcp.example/?key=horse", "headers": {"Authorization": "Bearer ${T}"}}}`,
			want: `connect to the MCP server at https://mcp.example/?..., with the headers Authorization, whose values hold T of the environment`},
	} {
		config := load(t, dir, `{"basemodel": "x", "signature": "x"`+c.model+`}`, c.more, c.variables)
		got := texts(Wants(config, func(name string) bool { return strings.Contains(" "+c.inFile+" ", " "+name+" ") }))
		if got != c.want || strings.Contains(got, "horse") {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

// What was allowed is told from all else, also where the texts are the same; and it is the same wherever it stands.
func TestHash(t *testing.T) {
	none := func(string) bool { return false }
	dir := t.TempDir()
	hash := func(models, more string) string { return Hash(Wants(load(t, dir, models, more, nil), none)) }
	const model = `{"basemodel": "x", "signature": "x", "openai_base_url": "https://a.example", "extra_headers": {"X": "${A}"}}`
	seen := map[string]string{}
	for _, servers := range []string{
		`"a": {"command": "x"}`, `"a": {"command": "x", "args": [""]}`, `"a": {"command": "x", "env": {"A": "1"}}`, `"a": {"command": "x", "env": {"A": "2"}}`,
		`"a": {"command": "x", "args": ["y z"]}`, `"a": {"command": "x", "args": ["y", "z"]}`, `"a": {"command": "x"}, "b": {"command": "y"}`,
		`"a": {"url": "https://b.example?a"}`, `"a": {"url": "https://b.example?b"}`, `"a": {"url": "https://b.example?b", "headers": {"A": "${B}"}}`, `"a": {"url": "https://b.example?b", "headers": {"A": "x${B}"}}`,
	} {
		h := hash(model, `, "mcp_servers": {`+servers+`}`)
		if seen[h] != "" {
			t.Errorf("%s is taken for %s", servers, seen[h])
		}
		seen[h] = servers
	}
	for _, c := range []struct{ name, models, more string }{
		{"other settings", model, `, "parallel": 2`},
		{"another account", strings.Replace(model, `"signature": "x"`, `"signature": "z"`, 1), ""},
	} {
		if hash(c.models, c.more) != hash(model, "") {
			t.Errorf("%s: it is asked again", c.name)
		}
	}
	if hash(strings.Replace(model, "${A}", "a ${A}", 1), "") == hash(model, "") {
		t.Error("another header is not asked again")
	}
}

func TestUnencrypted(t *testing.T) {
	for address, want := range map[string]string{
		"http://127.0.0.1:1/v1": "[]", "http://localhost:1": "[]", "http://[::1]:1": "[]", "https://a.example": "[]",
		"http://a.example:8000/v1": "[a.example]", "http://192.168.1.2": "[192.168.1.2]", "http://127.0.0.1.a.example": "[127.0.0.1.a.example]",
		"http://0.0.0.0:1": "[0.0.0.0]", "http://[::1%25a.example]:1": "[::1%a.example]", "HTTP://a.example": "[a.example]",
	} {
		c := config.Config{Models: []config.Model{{Enabled: true, BaseURL: address}, {BaseURL: "http://off.example"}}}
		if got := fmt.Sprint(Unencrypted(c)); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
