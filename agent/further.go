// Further MCP servers, whose tools a model may use beside those of its account.

package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
)

// OpenServers connects to further MCP servers. What they log goes to stderr. All of them must answer. Cancelling ctx ends
// the attempt, and nothing later.
func OpenServers(ctx context.Context, servers map[string]MCPServer, stderr io.Writer) ([]ToolServer, error) {
	var open []ToolServer
	for _, name := range slices.Sorted(maps.Keys(servers)) {
		s, err := openFurther(ctx, name, servers[name], stderr)
		if err != nil {
			for _, s := range open {
				err = errors.Join(err, s.Close())
			}
			return nil, err
		}
		open = append(open, s)
	}
	return open, nil
}

// further is a connection to a further server.
type further struct {
	name   string
	client *client.Client
	real   map[string]string // names of its tools by those that a model sees
	hide   *strings.Replacer // puts stars over the secrets that the server was given
}

func openFurther(ctx context.Context, name string, s MCPServer, stderr io.Writer) (*further, error) {
	f := &further{name: name, hide: s.hider()}
	connection, err := s.transport(&hiding{to: stderr, prefix: name + ": ", hide: f.hide})
	if err != nil {
		return nil, f.fault("cannot be used", err)
	}
	f.client = client.NewClient(connection)
	// The context given to Start owns the connection: it must outlive this call.
	if err := f.client.Start(context.WithoutCancel(ctx)); err != nil {
		return nil, f.fault("does not start", err)
	}
	if err := greet(ctx, f.client); err != nil {
		_ = f.Close() // it may have ended badly already, which is what the error is about
		return nil, f.fault("does not answer", err)
	}
	return f, nil
}

// fault is an error of the server, without the secrets.
func (f *further) fault(what string, err error) error {
	return fmt.Errorf("the MCP server %s (mcp_servers) %s: %s", f.name, what, f.hide.Replace(err.Error()))
}

// MarshalJSON encodes what may be shown: arguments and the query of a URL may hold secrets.
func (s MCPServer) MarshalJSON() ([]byte, error) {
	address, _, _ := strings.Cut(s.URL, "?")
	return json.Marshal(struct {
		Command string  `json:"command,omitempty"`
		Env     Secrets `json:"env,omitempty"`
		URL     string  `json:"url,omitempty"`
		Headers Secrets `json:"headers,omitempty"`
	}{s.Command, s.Env, address, s.Headers})
}

func (s MCPServer) transport(stderr io.Writer) (transport.Interface, error) {
	if s.URL != "" {
		// A redirect would take the headers to where nobody sent them.
		stay := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		return transport.NewStreamableHTTP(s.URL, transport.WithHTTPHeaders(s.Headers), transport.WithHTTPBasicClient(stay))
	}
	start := func(ctx context.Context, path string, _, args []string) (*exec.Cmd, error) {
		cmd := exec.CommandContext(ctx, path, args...)
		cmd.Env = plainEnvironment()
		for name, value := range s.Env {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
		return cmd, nil
	}
	return transport.NewStdioWithOptions(s.Command, nil, s.Args, transport.WithCommandFunc(start), transport.WithCommandStderrWriter(stderr)), nil
}

// plainEnvironment is what any program needs of the environment to run, and no key.
func plainEnvironment() []string {
	var env []string
	for _, name := range []string{
		"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "LC_ALL", "TZ", "TMPDIR",
		"SYSTEMROOT", "COMSPEC", "PATHEXT", "TEMP", "TMP", "APPDATA", "LOCALAPPDATA", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "PROGRAMFILES",
	} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// hider puts stars over what the server was given and nobody else is to see: headers, what came from variables, what is named
// like a secret, and the query of its URL. A short value is left alone: it is no secret, and may be a part of any word.
func (s MCPServer) hider() *strings.Replacer {
	const shortest = 8
	secretName := regexp.MustCompile(`(?i)key|token|secret|pass|auth|credential`)
	secrets := slices.Collect(maps.Values(s.Variables))
	for name, value := range s.Env {
		if secretName.MatchString(name) {
			secrets = append(secrets, value)
		}
	}
	for _, value := range s.Headers {
		secrets = append(secrets, value, value[strings.LastIndex(value, " ")+1:]) // "Bearer horse", and horse alone
	}
	if u, err := url.Parse(s.URL); err == nil {
		secrets = append(secrets, u.RawQuery)
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) }) // a whole before its part
	var pairs []string
	for _, secret := range secrets {
		if len(secret) >= shortest {
			pairs = append(pairs, secret, "***")
		}
	}
	return strings.NewReplacer(pairs...)
}

// Tools lists the server's tools, each under the server's name and its own.
func (f *further) Tools(ctx context.Context) ([]mcp.Tool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	list, err := f.client.ListTools(ctx, mcp.ListToolsRequest{})
	if err != nil {
		return nil, f.fault("does not list its tools", err)
	}
	f.real = map[string]string{}
	for i, t := range list.Tools {
		name := offeredName(f.name + "_" + t.Name)
		if other, twice := f.real[name]; twice {
			return nil, f.fault("has tools that cannot be told apart", fmt.Errorf("%q and %q are both %s to a model", other, t.Name, name))
		}
		f.real[name] = t.Name
		list.Tools[i].Name = name
	}
	return list.Tools, nil
}

// offeredName is a name that model APIs take: up to 64 letters, digits, underscores and hyphens.
func offeredName(name string) string {
	const longest = 64
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, name)
	return name[:min(len(name), longest)]
}

// Call calls a tool. Content that is not text is left out, by name.
func (f *further) Call(ctx context.Context, name string, arguments map[string]json.RawMessage) (text string, failed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var call mcp.CallToolRequest
	call.Params.Name, call.Params.Arguments = f.real[name], arguments
	result, err := f.client.CallTool(ctx, call)
	if err != nil {
		return "", false, f.fault("does not answer", err)
	}
	var parts []string
	for _, c := range result.Content {
		switch c := c.(type) {
		case mcp.TextContent:
			parts = append(parts, c.Text)
		case mcp.ImageContent:
			parts = append(parts, "[an image, left out]")
		case mcp.AudioContent:
			parts = append(parts, "[audio, left out]")
		default:
			parts = append(parts, "[a resource, left out]")
		}
	}
	if len(parts) == 0 && result.StructuredContent != nil {
		structured, _ := json.Marshal(result.StructuredContent) // it came as JSON
		parts = append(parts, string(structured))
	}
	return f.hide.Replace(strings.Join(parts, "\n")), result.IsError, nil
}

// Close ends the server, or the connection to it.
func (f *further) Close() error { return f.client.Close() }

// hiding writes whole lines, with a prefix and without secrets. A line of any length is written in parts.
type hiding struct {
	to     io.Writer
	prefix string
	hide   *strings.Replacer

	mu   sync.Mutex
	line []byte
}

func (h *hiding) Write(p []byte) (int, error) {
	const longest = 64 << 10
	h.mu.Lock()
	defer h.mu.Unlock()
	h.line = append(h.line, p...)
	for {
		end := slices.Index(h.line, '\n')
		if end < 0 && len(h.line) < longest {
			return len(p), nil
		}
		if end < 0 {
			end = len(h.line) - 1
		}
		_, err := fmt.Fprintf(h.to, "%s%s\n", h.prefix, strings.TrimRight(h.hide.Replace(string(h.line[:end+1])), "\r\n"))
		h.line = h.line[end+1:]
		if err != nil {
			return len(p), err
		}
	}
}
