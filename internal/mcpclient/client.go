// Package mcpclient connects to MCP servers: to one of our own, launched as a subprocess (this file), and to those that a
// user names (external.go).
package mcpclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
)

// Limits on waiting for a server.
const (
	startTime = 10 * time.Second
	callTime  = 30 * time.Second
)

// Command launches a subprocess. Its arguments and environment may hold secrets.
type Command struct {
	Path string   `json:"path"`
	Args []string `json:"-"`
	Env  []string `json:"-"` // all of it: nothing of ours is added
}

// Client is a connection to an MCP server.
type Client struct {
	client *client.Client
	meta   *mcp.Meta // of every call
}

// Launch starts a server as a subprocess, which logs to stderr, and shakes hands with it.
func Launch(ctx context.Context, c Command, stderr io.Writer) (*Client, error) {
	own := func(ctx context.Context, path string, env, args []string) (*exec.Cmd, error) {
		cmd := exec.CommandContext(ctx, path, args...)
		cmd.Env = env
		return cmd, nil
	}
	s := New(client.NewClient(transport.NewStdioWithOptions(c.Path, c.Env, c.Args, transport.WithCommandStderrWriter(stderr), transport.WithCommandFunc(own))))
	// The context given to Start owns the subprocess: it must outlive this call, and an interrupt must not end it in the
	// middle of an order.
	if err := s.client.Start(context.WithoutCancel(ctx)); err != nil {
		return nil, fmt.Errorf("the MCP server %s does not start: %w", c.Path, err)
	}
	if err := s.greet(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("the MCP server %s does not answer; its log says why: %w", c.Path, err), s.Close())
	}
	return s, nil
}

// New uses a connection that somebody else opened, and shook hands over.
func New(c *client.Client) *Client { return &Client{client: c} }

// greet shakes hands with the server.
func (c *Client) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	var hello mcp.InitializeRequest
	hello.Params.ProtocolVersion = mcp.LATEST_PROTOCOL_VERSION
	hello.Params.ClientInfo = mcp.Implementation{Name: "mcp-trade run", Version: "1"}
	_, err := c.client.Initialize(ctx, hello)
	return err
}

// Close ends the server and waits for it, or ends the connection to it.
func (c *Client) Close() error { return c.client.Close() }

// SetMeta sets what every call and prompt carries as its _meta from now on; nil for none.
func (c *Client) SetMeta(meta map[string]any) {
	c.meta = nil
	if meta != nil {
		c.meta = mcp.NewMetaFromMap(meta)
	}
}

// Tools lists what the server offers.
func (c *Client) Tools(ctx context.Context) ([]mcp.Tool, error) {
	tools, err := c.tools(ctx)
	if err != nil {
		return nil, fmt.Errorf("the tools of the MCP server cannot be listed: %w", err)
	}
	return tools, nil
}

func (c *Client) tools(ctx context.Context) ([]mcp.Tool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	list, err := c.client.ListTools(ctx, mcp.ListToolsRequest{})
	if err != nil {
		return nil, err
	}
	return list.Tools, nil
}

// Prompt reads a prompt of the server that takes no arguments.
func (c *Client) Prompt(ctx context.Context, name string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var ask mcp.GetPromptRequest
	ask.Params.Name, ask.Params.Meta = name, c.meta
	result, err := c.client.GetPrompt(ctx, ask)
	if err != nil {
		return "", fmt.Errorf("the prompt %s: %w", name, err)
	}
	var text strings.Builder
	for _, m := range result.Messages {
		if t, ok := m.Content.(mcp.TextContent); ok {
			text.WriteString(t.Text)
		}
	}
	return text.String(), nil
}

// Call calls a tool. failed is what the server says of it; an error is a server that does not answer.
func (c *Client) Call(ctx context.Context, name string, arguments map[string]json.RawMessage) (text string, failed bool, err error) {
	result, err := c.call(ctx, name, arguments)
	if err != nil {
		return "", false, err
	}
	if len(result.Content) > 0 {
		if t, ok := result.Content[0].(mcp.TextContent); ok {
			text = t.Text
		}
	}
	return text, result.IsError, nil
}

func (c *Client) call(ctx context.Context, name string, arguments map[string]json.RawMessage) (*mcp.CallToolResult, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var call mcp.CallToolRequest
	call.Params.Name, call.Params.Arguments, call.Params.Meta = name, arguments, c.meta
	return c.client.CallTool(ctx, call)
}
