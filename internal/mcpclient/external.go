// MCP servers that a user names, whose tools are offered beside those of the account's own server.

package mcpclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/internal/clip"
	"mcp-trade/internal/safetext"
)

// Config is an external MCP server: a command that speaks stdio, or the URL of one that speaks streamable HTTP. A command
// sees PATH, HOME and the like of our environment, and what Env says; it does not see our keys, and begins in an empty folder.
type Config struct {
	Command string   `json:"command,omitempty"`
	Args    []string `json:"args,omitempty"`
	Env     Secrets  `json:"env,omitempty"` // values may name variables: ${NAME}
	URL     string   `json:"url,omitempty"`
	Headers Secrets  `json:"headers,omitempty"` // values may name variables: "Bearer ${NAME}"
	Folder  string   `json:"folder,omitempty"`  // that a command runs in; "" is an empty one of its own
	Tools   []string `json:"tools,omitempty"`   // the names of those that are offered; nil: all of them

	Variables Secrets `json:"-"` // that the two name, with their values
}

// OpenAll connects to external servers, by name. What they log goes to stderr. All of them must answer. Cancelling ctx ends
// the attempt, and nothing later.
func OpenAll(ctx context.Context, servers map[string]Config, stderr io.Writer) ([]*External, error) {
	var open []*External
	for _, name := range slices.Sorted(maps.Keys(servers)) {
		s, err := openExternal(ctx, name, servers[name], stderr)
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

// External is a connection to an external server. No error and no text of it holds a secret that the server was given.
type External struct {
	*Client
	tooLong  *atomic.Bool // see connect
	allowed  []string     // names of tools; nil: all
	name     string
	realName map[string]string // of its tools, by the names that a model sees
	redactor *strings.Replacer // puts stars over the secrets
}

func openExternal(ctx context.Context, name string, s Config, stderr io.Writer) (*External, error) {
	e := &External{name: name, allowed: s.Tools, redactor: s.redactor(), tooLong: &atomic.Bool{}}
	// The context owns the connection: it must outlive this call.
	connection, err := s.connect(context.WithoutCancel(ctx), &redactingWriter{to: stderr, prefix: name + ": ", redactor: e.redactor}, e.tooLong)
	if err != nil {
		return nil, e.fault("does not start", err)
	}
	e.Client = New(client.NewClient(connection))
	if err = e.client.Start(context.WithoutCancel(ctx)); err != nil {
		err = e.fault("does not start", err)
	} else if err = e.greet(ctx); err != nil {
		err = e.fault("does not answer", err)
	}
	if err != nil {
		_ = e.Close() // it may have ended badly already, which is what the error is about
		return nil, err
	}
	return e, nil
}

// fault is an error of the server, without the secrets and harmless to a terminal.
func (e *External) fault(what string, err error) error {
	if e.tooLong.Load() {
		err = errMessageTooLong
	}
	return fmt.Errorf("the MCP server %s (mcp_servers) %s: %s", e.name, what, clip.Bytes(safetext.OneLine(e.redactor.Replace(err.Error())), maxFault))
}

// MarshalJSON encodes what may be shown: arguments and the query of a URL may hold secrets.
func (s Config) MarshalJSON() ([]byte, error) {
	address, _, _ := strings.Cut(s.URL, "?")
	return json.Marshal(struct {
		Command string  `json:"command,omitempty"`
		Env     Secrets `json:"env,omitempty"`
		URL     string  `json:"url,omitempty"`
		Headers Secrets `json:"headers,omitempty"`
	}{s.Command, s.Env, address, s.Headers})
}

// Environment is what any program needs of the environment to run, and no key; with more variables of it.
func Environment(more ...string) []string {
	return Variables(append([]string{
		"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "LC_ALL", "TZ", "TMPDIR",
		"SYSTEMROOT", "COMSPEC", "PATHEXT", "TEMP", "TMP", "APPDATA", "LOCALAPPDATA", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "PROGRAMFILES",
	}, more...)...)
}

// Variables are those of some names that are set, as NAME=value.
func Variables(names ...string) (env []string) {
	for _, name := range names {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// redactor puts stars over what the server was given and nobody else is to see: headers, what came from variables, what is named
// like a secret, and the query of its URL. A short value is left alone: it is no secret, and may be a part of any word.
func (s Config) redactor() *strings.Replacer {
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

// Bounds on what a model is told of an external server, in bytes.
const (
	maxDescription = 2 << 10 // of a tool
	maxSchema      = 16 << 10
	maxTools       = 64 // not bytes
	maxFault       = 1 << 10
)

// Tools lists the server's tools that the user allows, each under the server's name and its own. Their descriptions are text
// from outside: bounded, harmless, and labelled with the server's name.
func (e *External) Tools(ctx context.Context) ([]mcp.Tool, error) {
	listed, err := e.tools(ctx)
	if err != nil {
		return nil, e.fault("does not list its tools", err)
	}
	e.realName = map[string]string{}
	var tools []mcp.Tool
	for _, t := range listed {
		if e.allowed != nil && !slices.Contains(e.allowed, t.Name) {
			continue
		}
		name := offeredName(e.name + "_" + t.Name)
		if other, twice := e.realName[name]; twice {
			return nil, e.fault("has tools that cannot be told apart", fmt.Errorf("%q and %q are both %s to a model", other, t.Name, name))
		}
		schema, err := json.Marshal(t.InputSchema)
		if err != nil || len(schema) > maxSchema {
			return nil, e.fault("has a tool that cannot be offered", fmt.Errorf("the schema of %.64q has %d bytes, and can have %d; name the tools to offer in tools", t.Name, len(schema), maxSchema))
		}
		e.realName[name] = t.Name
		t.Name, t.Description = name, clip.Bytes(fmt.Sprintf("From the MCP server %s: %s", e.name, safetext.OneLine(t.Description)), maxDescription)
		tools = append(tools, t)
	}
	for _, name := range e.allowed {
		if !slices.ContainsFunc(listed, func(t mcp.Tool) bool { return t.Name == name }) {
			return nil, e.fault("lacks a tool", fmt.Errorf("tools names %q, which it does not list", name))
		}
	}
	if len(tools) > maxTools {
		return nil, e.fault("has too many tools", fmt.Errorf("it lists %d, and %d can be offered; name the tools to offer in tools", len(tools), maxTools))
	}
	return tools, nil
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

// Call calls a tool. Its text is from outside: it is harmless, and labelled with the server's name. Content that is not text is left
// out, by name.
func (e *External) Call(ctx context.Context, name string, arguments map[string]json.RawMessage) (text string, failed bool, err error) {
	result, err := e.call(ctx, e.realName[name], arguments)
	if err != nil {
		return "", false, e.fault("does not answer", err)
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
	text = safetext.Replaced(e.redactor.Replace(strings.Join(parts, "\n")), "\n\t")
	return fmt.Sprintf("From the MCP server %s, outside of mcp-trade:\n%s", e.name, text), result.IsError, nil
}

// redactingWriter writes whole lines, with a prefix, without secrets and harmless to a terminal. A line of any length is written in parts.
type redactingWriter struct {
	to       io.Writer
	prefix   string
	redactor *strings.Replacer

	mu   sync.Mutex
	line []byte
}

func (w *redactingWriter) Write(p []byte) (int, error) {
	const longest = 64 << 10
	w.mu.Lock()
	defer w.mu.Unlock()
	w.line = append(w.line, p...)
	for {
		end := slices.Index(w.line, '\n')
		if end < 0 && len(w.line) < longest {
			return len(p), nil
		}
		if end < 0 {
			end = len(w.line) - 1
		}
		_, err := fmt.Fprintf(w.to, "%s%s\n", w.prefix, safetext.Spelled(strings.TrimRight(w.redactor.Replace(string(w.line[:end+1])), "\r\n")))
		w.line = w.line[end+1:]
		if err != nil {
			return len(p), err
		}
	}
}
