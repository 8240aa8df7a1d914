// The MCP client on a server subprocess.

package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/shopspring/decimal"

	"mcp-trade/code"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
)

// Limits on waiting for a server.
const (
	startTime = 10 * time.Second
	callTime  = 30 * time.Second
)

// desk is an MCP server to trade at.
type desk struct {
	client *client.Client
	meta   *mcp.Meta // of every call: the session that it is meant for
}

// openDesk launches a server and shakes hands with it.
func openDesk(ctx context.Context, c Command, stderr io.Writer) (*desk, error) {
	d := &desk{client: client.NewClient(transport.NewStdioWithOptions(c.Path, c.Env, c.Args, transport.WithCommandStderrWriter(stderr)))}
	// The context given to Start owns the subprocess: it must outlive this call, and an interrupt must not end it in the
	// middle of an order.
	if err := d.client.Start(context.WithoutCancel(ctx)); err != nil {
		return nil, fmt.Errorf("the MCP server %s does not start: %w", c.Path, err)
	}
	if err := greet(ctx, d.client); err != nil {
		return nil, errors.Join(fmt.Errorf("the MCP server %s does not answer; its log says why: %w", c.Path, err), d.Close())
	}
	return d, nil
}

// greet shakes hands with a server.
func greet(ctx context.Context, c *client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	var hello mcp.InitializeRequest
	hello.Params.ProtocolVersion = mcp.LATEST_PROTOCOL_VERSION
	hello.Params.ClientInfo = mcp.Implementation{Name: "mcp-trade run", Version: "1"}
	_, err := c.Initialize(ctx, hello)
	return err
}

// Close ends the server and waits for it.
func (d *desk) Close() error { return d.client.Close() }

// Tools lists what the server offers.
func (d *desk) Tools(ctx context.Context) ([]mcp.Tool, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	list, err := d.client.ListTools(ctx, mcp.ListToolsRequest{})
	if err != nil {
		return nil, fmt.Errorf("the tools of the MCP server cannot be listed: %w", err)
	}
	return list.Tools, nil
}

// prompt reads a prompt of the server that takes no arguments.
func (d *desk) prompt(ctx context.Context, name string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var ask mcp.GetPromptRequest
	ask.Params.Name, ask.Params.Meta = name, d.meta
	result, err := d.client.GetPrompt(ctx, ask)
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

// Call calls a tool.
func (d *desk) Call(ctx context.Context, name string, arguments map[string]json.RawMessage) (text string, failed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var call mcp.CallToolRequest
	call.Params.Name, call.Params.Arguments, call.Params.Meta = name, arguments, d.meta
	result, err := d.client.CallTool(ctx, call)
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

// turnTo makes sure that the server trades an account on a date, and from now on means that session in every call.
func (d *desk) turnTo(ctx context.Context, account string, date market.Stamp) error {
	d.meta = nil
	text, failed, err := d.Call(ctx, "get_session", nil)
	var at struct {
		session.Meant
		Sources map[string]session.Source `json:"sources"`
	}
	switch {
	case err != nil:
		return fmt.Errorf("the MCP server does not say whose session it has: %w", err)
	case failed:
		return fmt.Errorf("the MCP server cannot tell whose session it has: %w", readAnswer(text).fault())
	}
	if err := json.Unmarshal([]byte(text), &at); err != nil {
		return fmt.Errorf("the MCP server's session cannot be read: %w", err)
	}
	meant := session.Meant{Signature: account, Today: date}
	if at.Meant != meant {
		return fmt.Errorf("the MCP server trades %s on %s (SIGNATURE from: %s, TODAY_DATE from: %s), not %s on %s, though the session was set to that; nothing was ordered",
			at.Signature, at.Today, at.Sources[session.Signature], at.Sources[session.TodayDate], account, date)
	}
	d.meta = mcp.NewMetaFromMap(map[string]any{session.MetaKey: meant})
	return nil
}

// toolAnswer is what a tool of the account's server says. Of another text all fields are empty.
type toolAnswer struct {
	Status ledger.Status `json:"status"` // of an order, with the id and the date of its record
	ID     int64         `json:"id"`
	Date   market.Stamp  `json:"date"`
	Error  string        `json:"error"`
	Code   code.Code     `json:"code"`

	text string
}

func readAnswer(text string) toolAnswer {
	a := toolAnswer{text: text}
	if json.Unmarshal([]byte(text), &a) != nil {
		return toolAnswer{text: text}
	}
	return a
}

// judged tells whether a failure is the answer to what was asked. Any other is a fault. The id of an order is given by the
// runner: if it belongs to another order, whoever decided has made no mistake.
func (a toolAnswer) judged() bool {
	switch a.Code.Class() {
	case code.Refusal:
		return true
	case code.Caller:
		return a.Code != code.OrderIDReused
	}
	return false
}

// fault is the error of an answer that says nothing about what was asked.
func (a toolAnswer) fault() error {
	return errors.New(cmp.Or(a.Error, "the answer cannot be understood: "+bounded(a.text, 300)))
}

// checkFill is an error unless the order was filled on a date.
func (a toolAnswer) checkFill(date market.Stamp) error {
	if a.Date != date {
		return fmt.Errorf("the order was filled on %s, as record %d, and not on %s", a.Date, a.ID, date)
	}
	return nil
}

// order sends an order of a day and returns the code of its refusal, "" if it was filled.
func (d *desk) order(ctx context.Context, date market.Stamp, action ledger.Action, symbol string, amount decimal.Decimal, id string) (refusal code.Code, err error) {
	text, failed, err := d.Call(ctx, string(action), map[string]json.RawMessage{
		"symbol": quoted(symbol), "amount": json.RawMessage(amount.String()), "order_id": quoted(id),
	})
	a := readAnswer(text)
	switch {
	case err != nil:
	case a.judged():
		return a.Code, nil
	case !failed && a.Code == "" && a.Status == ledger.Filled:
		if err = a.checkFill(date); err == nil {
			return "", nil
		}
	default:
		err = a.fault()
	}
	return "", fmt.Errorf("%s %s %s: %w", action, amount, symbol, err)
}

// quoted is a string as JSON.
func quoted(s string) json.RawMessage {
	text, _ := json.Marshal(s) // a string always encodes
	return text
}
