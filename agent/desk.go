// The MCP client on a server subprocess.

package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/shopspring/decimal"

	"mcp-trade/ledger"
)

// Limits on waiting for a server.
const (
	startTime = 10 * time.Second
	callTime  = 30 * time.Second
)

// desk is an MCP server to trade at.
type desk struct{ client *client.Client }

// openDesk launches a server and shakes hands with it.
func openDesk(ctx context.Context, c Command, stderr io.Writer) (*desk, error) {
	d := &desk{client.NewClient(transport.NewStdioWithOptions(c.Path, c.Env, c.Args, transport.WithCommandStderrWriter(stderr)))}
	// The context given to Start owns the subprocess: it must outlive this call, and an interrupt must not end it in the
	// middle of an order.
	if err := d.client.Start(context.WithoutCancel(ctx)); err != nil {
		return nil, fmt.Errorf("the MCP server %s does not start: %w", c.Path, err)
	}
	shake, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	var hello mcp.InitializeRequest
	hello.Params.ProtocolVersion = mcp.LATEST_PROTOCOL_VERSION
	hello.Params.ClientInfo = mcp.Implementation{Name: "mcp-trade run", Version: "1"}
	if _, err := d.client.Initialize(shake, hello); err != nil {
		return nil, errors.Join(fmt.Errorf("the MCP server %s does not answer; its log says why: %w", c.Path, err), d.close())
	}
	return d, nil
}

// close ends the server and waits for it.
func (d *desk) close() error { return d.client.Close() }

// faults are the codes of failures that say nothing about the order.
var faults = []string{"session_missing", "session_unreachable", "ledger_unreachable", "not_registered", "halted", "date_backwards", "order_id_reused"}

// order sends an order and returns the code of its refusal, "" if it was filled.
func (d *desk) order(ctx context.Context, action ledger.Action, symbol string, amount decimal.Decimal, id string) (refusal string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var call mcp.CallToolRequest
	call.Params.Name = string(action)
	call.Params.Arguments = map[string]any{"symbol": symbol, "amount": json.RawMessage(amount.String()), "order_id": id}
	result, err := d.client.CallTool(ctx, call)
	if err != nil {
		return "", fmt.Errorf("%s %s %s: %w", action, amount, symbol, err)
	}
	if !result.IsError {
		return "", nil
	}
	var failure struct{ Error, Code string }
	if len(result.Content) > 0 {
		if text, ok := result.Content[0].(mcp.TextContent); ok {
			_ = json.Unmarshal([]byte(text.Text), &failure) // what is no failure of ours has no code
		}
	}
	if failure.Code == "" || slices.Contains(faults, failure.Code) {
		return "", fmt.Errorf("%s %s %s: %s", action, amount, symbol, failure.Error)
	}
	return failure.Code, nil
}
