// Command conformance serves over this project's HTTP transport what the conformance suite of MCP asks servers for: tools, resources and
// prompts of no use but to be asked for. It listens at a free port of this machine, and says which on its first line.
//
// What a server would ask or tell its client in the middle of a call is left out: the transport answers, and sends nothing that was not
// asked for.
package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/rs/zerolog"

	"mcp-trade/internal/jsonrpc"
	"mcp-trade/serve"
)

// handler answers with mcp-go's server. No call is an order.
type handler struct{ *server.MCPServer }

func (h handler) Handle(ctx context.Context, r *jsonrpc.Request) any {
	if m := h.HandleMessage(ctx, r.Text); m != nil {
		return m
	}
	return nil
}

func (handler) Lane(context.Context, *jsonrpc.Message) (string, bool) { return "", false }

// everybody lets everybody ask everything.
type everybody struct{}

func (everybody) Admit(r *http.Request) (context.Context, func(), error) {
	return r.Context(), func() {}, nil
}

func (everybody) Allow(context.Context, *jsonrpc.Message) error { return nil }

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	s := server.NewMCPServer("conformance", "1", server.WithToolCapabilities(false), server.WithResourceCapabilities(false, false), server.WithPromptCapabilities(false),
		server.WithCompletions(), server.WithResourceCompletionProvider(none{}), server.WithPromptCompletionProvider(none{}))
	addTools(s)
	addResources(s)
	addPrompts(s)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return serve.New(handler{s}, zerolog.Nop()).HTTP(everybody{}, func(context.Context) error { return nil }).Serve(ctx, l)
}

// none completes nothing.
type none struct{}

func (none) CompletePromptArgument(context.Context, string, mcp.CompleteArgument, mcp.CompleteContext) (*mcp.Completion, error) {
	return &mcp.Completion{Values: []string{}}, nil
}

func (none) CompleteResourceArgument(context.Context, string, mcp.CompleteArgument, mcp.CompleteContext) (*mcp.Completion, error) {
	return &mcp.Completion{Values: []string{}}, nil
}

// dot is an image of one point, and quiet a sound of one sample.
var (
	dot   = base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\n"))
	quiet = base64.StdEncoding.EncodeToString([]byte("RIFF\x26\x00\x00\x00WAVE"))
)

func text(uri, says string) mcp.TextResourceContents {
	return mcp.TextResourceContents{URI: uri, MIMEType: "text/plain", Text: says}
}

func addTools(s *server.MCPServer) {
	for name, content := range map[string][]mcp.Content{
		"test_simple_text":            {mcp.NewTextContent("This is a simple text response for testing.")},
		"test_image_content":          {mcp.NewImageContent(dot, "image/png")},
		"test_audio_content":          {mcp.NewAudioContent(quiet, "audio/wav")},
		"test_embedded_resource":      {mcp.NewEmbeddedResource(text("test://embedded-resource", "embedded"))},
		"test_multiple_content_types": {mcp.NewTextContent("three kinds"), mcp.NewImageContent(dot, "image/png"), mcp.NewEmbeddedResource(text("test://mixed-content-resource", "mixed"))},
	} {
		s.AddTool(mcp.NewTool(name, mcp.WithDescription("Gives what it is named after.")), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return &mcp.CallToolResult{Content: content}, nil
		})
	}
	s.AddTool(mcp.NewTool("test_error_handling", mcp.WithDescription("Fails.")), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultError("This tool intentionally returns an error for testing"), nil
	})
	schema := `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","$defs":{"address":{"type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"}}}},` +
		`"properties":{"name":{"type":"string"},"address":{"$ref":"#/$defs/address"}},"additionalProperties":false}`
	s.AddTool(mcp.NewToolWithRawSchema("json_schema_2020_12_tool", "Has a schema of the draft 2020-12.", []byte(schema)), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultText("taken"), nil
	})
}

func addResources(s *server.MCPServer) {
	for uri, contents := range map[string]mcp.ResourceContents{
		"test://static-text":   text("test://static-text", "This is the content of the static text resource."),
		"test://static-binary": mcp.BlobResourceContents{URI: "test://static-binary", MIMEType: "image/png", Blob: dot},
	} {
		s.AddResource(mcp.NewResource(uri, strings.TrimPrefix(uri, "test://")), func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			return []mcp.ResourceContents{contents}, nil
		})
	}
	s.AddResourceTemplate(mcp.NewResourceTemplate("test://template/{id}/data", "template"), func(_ context.Context, r mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		id := strings.TrimSuffix(strings.TrimPrefix(r.Params.URI, "test://template/"), "/data")
		return []mcp.ResourceContents{mcp.TextResourceContents{URI: r.Params.URI, MIMEType: "application/json", Text: fmt.Sprintf(`{"id":%q}`, id)}}, nil
	})
}

func addPrompts(s *server.MCPServer) {
	add := func(name string, content func(arguments map[string]string) mcp.Content, arguments ...string) {
		options := []mcp.PromptOption{mcp.WithPromptDescription("Says what it is named after.")}
		for _, a := range arguments {
			options = append(options, mcp.WithArgument(a, mcp.ArgumentDescription("any text"), mcp.RequiredArgument()))
		}
		s.AddPrompt(mcp.NewPrompt(name, options...), func(_ context.Context, r mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
			return &mcp.GetPromptResult{Messages: []mcp.PromptMessage{{Role: mcp.RoleUser, Content: content(r.Params.Arguments)}}}, nil
		})
	}
	add("test_simple_prompt", func(map[string]string) mcp.Content { return mcp.NewTextContent("This is a simple prompt for testing.") })
	add("test_prompt_with_arguments", func(a map[string]string) mcp.Content {
		return mcp.NewTextContent(fmt.Sprintf("Prompt with arguments: arg1='%s', arg2='%s'", a["arg1"], a["arg2"]))
	}, "arg1", "arg2")
	add("test_prompt_with_embedded_resource", func(a map[string]string) mcp.Content {
		return mcp.NewEmbeddedResource(text(a["resourceUri"], "embedded"))
	}, "resourceUri")
	add("test_prompt_with_image", func(map[string]string) mcp.Content { return mcp.NewImageContent(dot, "image/png") })
}
