package tools

// A call that says which session it is meant for.

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/session"
)

// callMeant calls a tool with the session that it is meant for in its _meta.
func (f *fixture) callMeant(t *testing.T, tool, arguments string, meant any) (text string, failed bool) {
	t.Helper()
	var req mcp.CallToolRequest
	req.Params.Name, req.Params.Arguments = tool, json.RawMessage(arguments)
	req.Params.Meta = mcp.NewMetaFromMap(map[string]any{session.MetaKey: meant})
	r, err := f.client.CallTool(f.ctx(t), req)
	if err != nil {
		t.Fatalf("%s %s: %v", tool, arguments, err)
	}
	return r.Content[0].(mcp.TextContent).Text, r.IsError
}

// A call in another session than it is meant for is refused.
func TestMeant(t *testing.T) {
	now := session.Meant{Signature: "gpt-5", Today: "2025-10-02"}
	for tool, arguments := range map[string]string{
		"buy": `{"symbol":"NVDA","amount":1}`, "sell": `{"symbol":"NVDA","amount":1}`, "get_portfolio": `{}`, "get_trades": `{}`,
		"get_session": `{}`, "get_price": `{"symbol":"NVDA"}`, "get_price_history": `{"symbol":"NVDA"}`,
	} {
		f := newFixture(t, testBars)
		f.call(t, "buy", `{"symbol":"NVDA","amount":1}`) // from now on the session is known to the server
		rows := f.rows(t, "gpt-5")
		for _, other := range []any{
			session.Meant{Signature: "gpt-5", Today: "2025-10-03"}, session.Meant{Signature: "o3", Today: "2025-10-02"}, session.Meant{}, "gpt-5", nil,
		} {
			text, failed := f.callMeant(t, tool, arguments, other)
			if !failed || !strings.Contains(text, `"code":"session_unreachable"`) || !strings.Contains(text, "The session is gpt-5 on 2025-10-02") || f.rows(t, "gpt-5") != rows {
				t.Errorf("%s, meant for %v: %s", tool, other, text)
			}
		}
		if text, failed := f.callMeant(t, tool, arguments, now); failed {
			t.Errorf("%s, meant for the session: %s", tool, text)
		}
		// The server presumes that the session is still what it was; what the call means is held against what it is.
		f.set(t, session.TodayDate, "2025-10-03")
		if text, failed := f.callMeant(t, tool, arguments, now); !failed || !strings.Contains(text, "The session is gpt-5 on 2025-10-03") {
			t.Errorf("%s, after the date was moved: %s", tool, text)
		}
		if text, failed := f.callMeant(t, tool, arguments, session.Meant{Signature: "gpt-5", Today: "2025-10-03"}); failed && tool != "sell" {
			t.Errorf("%s, on the next day: %s", tool, text)
		}
	}
}

// A briefing of another session than is meant is refused.
func TestMeant_Briefing(t *testing.T) {
	f := newFixture(t, testBars)
	var ask mcp.GetPromptRequest
	ask.Params.Name = "trading-day"
	ask.Params.Meta = mcp.NewMetaFromMap(map[string]any{session.MetaKey: session.Meant{Signature: "gpt-5", Today: "2025-10-03"}})
	if _, err := f.client.GetPrompt(f.ctx(t), ask); err == nil || !strings.Contains(err.Error(), "The session is gpt-5 on 2025-10-02") {
		t.Errorf("%v", err)
	}
}
