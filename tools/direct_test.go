package tools

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/code"
	"mcp-trade/internal/jsonrpc"
)

// Each call is answered by mcp-go, and then by the tool directly.
func TestServer_Direct(t *testing.T) {
	for name, meta := range map[string]string{
		"nothing else":         "",
		"an empty _meta":       `,"_meta":{}`,
		"a modern client":      ",  " + fmt.Sprintf(modernMeta, "2026-07-28"),
		"the session it means": `,"_meta" : {"mcp-trade/session":{"signature":"gpt-5","today_date":"2025-10-02"}}`,
		"another session":      `,"_meta":{"mcp-trade/session":{"signature":"o3","today_date":"2025-10-02"}}`,
		"progress":             `,"_meta":{"progressToken":7}`,
		"unknown fields":       `,"_meta":{"a<b>":"\u2028 Z\u00fcrich"}`,
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, testBars)
			for _, call := range []string{
				`"name":"get_session","arguments":{}`, `"name":"get_session"`, `"name":"get_price","arguments":{"symbol":"NVDA"}`,
				`"name":"get_price","arguments":{"symbol":"a <b> & \u2028"}`, `"name":"get_portfolio","arguments":{"nope":1}`,
				`"name":"buy","arguments":{"symbol":"NVDA","amount":1e999}`, `"name":"buy","arguments":{"symbol":"NVDA","amount":1,"dry_run":true,"note":"<&>"}`,
				`"name":"buy","arguments":{"symbol":"NVDA","amount":1,"order_id":"o"}`,
			} {
				line := `{"jsonrpc":"2.0","id":"a-1","method":"tools/call","params":{` + call + meta + `}}`
				r, err := jsonrpc.Read([]byte(line))
				if err != nil || r.Fault != "" || r.More {
					t.Fatalf("%s: %v %q", line, err, r.Fault)
				}
				f.server.newest.Store(nil)
				direct := len(meta) == 0
				var before string
				for range 3 {
					text, err := json.Marshal(f.server.Handle(f.ctx(t), &jsonrpc.Request{Message: r}))
					if err != nil {
						t.Fatal(err)
					}
					if call[len(call)-4:] == `"o"}` { // once it is filled it is a replay
						before = ""
					}
					if before != "" && string(text) != before {
						t.Errorf("%s\nis answered %s\nand was       %s", line, text, before)
					}
					before = string(text)
				}
				if m, ok := f.server.mcp.HandleMessage(f.ctx(t), []byte(line)).(mcp.JSONRPCResponse); ok {
					if text, err := json.Marshal(m); err != nil || string(text) != before {
						t.Errorf("%s\nis answered %s\nand by mcp-go %s, %v", line, before, text, err)
					}
				}
				if by := f.server.newest.Load(); !direct && (by == nil) != (name == "progress") {
					t.Errorf("%s: kept %+v", line, by)
				}
			}
		})
	}
}

func TestToolResponse(t *testing.T) {
	r, err := result(&failure{code.Halted, "Trading is halted.", nil}, true)
	if err != nil {
		t.Fatal(err)
	}
	if text, ok := toolResponse(json.RawMessage("1"), r, &clientMeta{}); ok {
		t.Errorf("it is answered %s", text)
	}
}
