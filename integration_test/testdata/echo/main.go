// Command echo is the floor that the benchmarks measure against: an MCP server of mcp-go's with one tool that does
// nothing but give a short answer, as structured content and as text. It serves with mcp-go's own loop, or with "loop" as
// its argument with the plainest one there is.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

func main() {
	const answer = `{"text":"SYN01"}`
	s := server.NewMCPServer("echo", "1", server.WithToolCapabilities(false))
	s.AddTool(mcp.NewTool("echo", mcp.WithString("text")), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return mcp.NewToolResultStructured(json.RawMessage(answer), answer), nil
	})
	serve := server.ServeStdio
	if len(os.Args) > 1 && os.Args[1] == "loop" {
		serve = loop
	}
	if err := serve(s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func loop(s *server.MCPServer, _ ...server.StdioOption) error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		answer := s.HandleMessage(context.Background(), lines.Bytes())
		if answer == nil {
			continue
		}
		text, err := json.Marshal(answer)
		if err != nil {
			return err
		}
		if _, err := os.Stdout.Write(append(text, '\n')); err != nil {
			return err
		}
	}
	return lines.Err()
}
