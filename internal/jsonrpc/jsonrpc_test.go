package jsonrpc

// Tests of what is read in a message, and of what every reader must read in the same way.

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
)

func TestRead(t *testing.T) {
	const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"buy","arguments":{"symbol":"A"}}}`
	for _, c := range []struct{ text, want string }{
		{call, `1 tools/call "buy" ""`},
		{` { "params" : {"uri":"ledger://a/latest"} , "method":"resources/read","id":"x", "jsonrpc":"2.0"}`, `"x" resources/read "" "ledger://a/latest"`},
		{`{"jsonrpc":"2.0","id":1,"method":"ping","extension":{"any":[1,{"thing":null}]}}`, `1 ping "" ""`},
		{`{"jsonrpc":"2.0","id":1,"method":"ping","params":null}`, `1 ping "" ""`},
		{`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"progressToken":1,"Name":"mine","io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`, `1 ping "" ""`},
		{`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{"experimental":{"Method":{}}}}}`, `1 initialize "" ""`},
		{strings.Replace(call, `"A"`, `"A","symbol":"B"`, 1), `1 tools/call "buy" ""`}, // the tool reads its arguments as strictly

		{strings.Replace(call, `"method"`, `"method":"ping","method"`, 1), `The key "method" is there twice.`},
		{strings.Replace(call, `"method"`, `"method":"ping","Method"`, 1), `The key "Method" is there twice, as "method" too.`},
		{strings.Replace(call, `"method"`, `"Method"`, 1), `The key "Method" must be written "method".`},
		{strings.Replace(call, `"method"`, `"\u006dethod":"ping","method"`, 1), `The key "method" is there twice.`},
		{strings.Replace(call, `"jsonrpc"`, `"jſonrpc"`, 1), `The key "jſonrpc" must be written "jsonrpc".`},
		{strings.Replace(call, `"params"`, `"params":{},"PARAMS"`, 1), `The key "PARAMS" is there twice, as "params" too.`},
		{strings.Replace(call, `"name"`, `"name":"get_portfolio","name"`, 1), `The key "name" is there twice.`},
		{strings.Replace(call, `"name":"buy"`, `"name":"get_portfolio","Name":"buy"`, 1), `The key "Name" is there twice, as "name" too.`},
		{strings.Replace(call, `"arguments"`, `"arguments":{},"Arguments"`, 1), `The key "Arguments" is there twice, as "arguments" too.`},
		{strings.Replace(call, `"arguments"`, `"Arguments"`, 1), `The key "Arguments" must be written "arguments".`},
		{strings.Replace(call, `"name"`, `"_meta":{"mcp-trade/session":{"signature":"a","signature":"b"}},"name"`, 1), `The key "signature" is there twice.`},
		{strings.Replace(call, `"name"`, `"_meta":{"a":[0,{"x":1,"X":2}]},"name"`, 1), `The key "X" is there twice, as "x" too.`},
		{strings.Replace(call, `"method"`, `"`+strings.Repeat("k", 1000)+`":1,"`+strings.Repeat("k", 1000)+`":1,"method"`, 1), `The key "` + strings.Repeat("k", 40) + `..." is there twice.`},
		{strings.Replace(call, `"tools/call"`, `["tools/call"]`, 1), `The key "method" must be a string.`},
		{strings.Replace(call, `"buy"`, `null`, 1), `The key "name" must be a string.`},
		{`{"jsonrpc":"2.0","id":1,"method":"ping","params":5}`, `The key "params" must be an object.`},

		{call + call, "not JSON"},
		{call[:len(call)-1], "not JSON"},
		{`{"jsonrpc":"2.0","id":1,"method":"ping",}`, "not JSON"},
		{`{"a":` + strings.Repeat("[", 20000), "not JSON"},
	} {
		m, err := Read([]byte(c.text))
		got := fmt.Sprintf("%s %s %q %q", m.ID, m.Method, m.Name, m.URI)
		if m.Fault != "" {
			got = m.Fault
		}
		if err != nil {
			got = "not JSON"
		}
		if got != c.want || !m.Waits && err == nil {
			t.Errorf("%.200s\ngot  %s, somebody waits: %v\nwant %s", c.text, got, m.Waits, c.want)
		}
	}
}

// A key that mcp-go reads must not be readable in another case.
func TestRead_SpellingOfKeys(t *testing.T) {
	var keys []string
	for _, of := range []any{
		mcp.JSONRPCRequest{}, mcp.JSONRPCResponse{}, mcp.JSONRPCError{}, mcp.CallToolParams{}, mcp.GetPromptParams{}, mcp.ReadResourceParams{},
		mcp.PaginatedParams{}, mcp.InitializeParams{}, mcp.CancelledNotificationParams{},
	} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(of)) {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" && name != "reason" {
				keys = append(keys, name)
			}
		}
	}
	if len(keys) < 15 {
		t.Fatalf("only %q were found", keys)
	}
	for _, key := range keys {
		if got := spelling(fold(key)); got != key {
			t.Errorf("%q is read in any case: its spelling is %q", key, got)
		}
	}
}

// Whatever is not refused means the same to encoding/json, as which mcp-go reads, as it means to the loop.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"buy","arguments":{"symbol":"A","amount":1}}}`,
		`{"jsonrpc":"2.0","id":1,"Method":"ping","params":{"Name":"x","uri":"y"}}`, `{"jſonrpc":"2.0","\u0069d":1,"method":"\ud800"}`,
		`{"jsonrpc":"2.0","id":"a","method":"m","params":{"_meta":{"a":1},"requestId":7}}`, `{"id":1}{}`, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) == 0 || text[0] != '{' {
			return
		}
		m, err := Read(text)
		if json.Valid(text) != (err == nil) {
			t.Fatalf("%q is JSON: %v; %v", text, json.Valid(text), err)
		}
		if err != nil || m.Fault != "" || m.Reply {
			return
		}
		var theirs struct {
			ID     json.RawMessage
			Method string
			Params struct {
				Name, URI string
				RequestID json.RawMessage
			}
		}
		if err := json.Unmarshal(text, &theirs); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if string(theirs.ID) == "null" {
			theirs.ID = nil
		}
		if m.Method != theirs.Method || m.Name != theirs.Params.Name || m.URI != theirs.Params.URI ||
			string(m.ID) != string(theirs.ID) || string(m.Cancels) != string(theirs.Params.RequestID) {
			t.Fatalf("%q is read as %+v, and by others as %+v", text, m, theirs)
		}
	})
}
