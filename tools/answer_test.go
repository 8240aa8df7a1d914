package tools

// Tests of errors as a client reads them.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
)

// requestLine is a request whose params are JSON.
func requestLine(id any, method, params string) string {
	text, _ := json.Marshal(method)
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%v,"method":%s,"params":%s}`+"\n", id, text, params)
}

const modernMeta = `"_meta":{"io.modelcontextprotocol/protocolVersion":%q,"io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`

// An error says what is wrong, and repeats little of the request.
func TestServer_RewriteError(t *testing.T) {
	f := newFixture(t, testBars)
	long := strings.Repeat("x", 400_000)
	goes := regexp.MustCompile(`json:|Go |struct|mcp\.|marshal|base64|%!|offset|not found:`) // the words of Go, not of a person
	for _, c := range []struct{ name, line, want string }{
		{"params of a call", requestLine(1, "tools/call", `{"name":"buy","_meta":5}`), "-32600 The params of tools/call are not of the form"},
		{"params that are a list", requestLine(1, "tools/call", `[1]`), `-32600 The key "params" must be an object`},
		{"a handshake without sense", requestLine(1, "initialize", `{"protocolVersion":5}`), "-32600 The params of initialize are not"},
		{"an unknown tool", callLine(1, "nope", "{}"), `-32602 There is no tool "nope". The tools are: add, buy, cancel_order, get_`},
		{"an unknown tool with a long name", callLine(1, long, "{}"), `-32602 There is no tool "xxx`},
		{"an unknown prompt", requestLine(1, "prompts/get", `{"name":"nope"}`), `-32602 There is no prompt "nope"`},
		{"an unknown prompt with a long name", requestLine(1, "prompts/get", `{"name":"`+long+`"}`), `-32602 There is no prompt "xxx`},
		{"arguments of a prompt that are a list", requestLine(1, "prompts/get", `{"name":"trading-day","arguments":[1]}`), "-32600 The params of prompts/get are not"},
		{"an unknown method", requestLine(1, "nope", `{}`), `-32601 There is no method "nope"`},
		{"a long method", requestLine(1, long, `{}`), `-32601 There is no method "xxx`},
		{"a method of another protocol", requestLine(1, "server/discover", `{}`), "-32601 "},
		{"an unknown resource", requestLine(1, "resources/read", `{"uri":"file:///etc/passwd"}`), `There is no resource "file:///etc/passwd"`},
		{"a long resource", requestLine(1, "resources/read", `{"uri":"ledger://`+long+`/latest"}`), `-32602 There is no resource "ledger://xxx`},
		{"another's ledger", requestLine(1, "resources/read", `{"uri":"ledger://o3/latest"}`), "-32602 Only the account of the session can be read. Ask for ledger://gpt-5/latest."},
		{"another's performance", requestLine(1, "resources/read", `{"uri":"report://o3"}`), "-32602 Only the account of the session can be read. Ask for report://gpt-5."},
		{"a cursor", requestLine(1, "tools/list", `{"cursor":"5"}`), "-32602 The cursor is none that was given out"},
		{"a key that is there twice", `{"jsonrpc":"2.0","id":1,"method":"ping","` + long + `":1,"` + long + `":1}` + "\n", `-32600 The key "xxx`},
		{"an unknown version", requestLine(1, "tools/list", `{`+fmt.Sprintf(modernMeta, "2099-"+long)+`}`), `-32022 unsupported protocol version: "2099-xxx`},
		{"a long session that is meant", requestLine(1, "tools/call", `{"name":"buy","arguments":{"symbol":"NVDA","amount":1},"_meta":{"mcp-trade/session":{"signature":"`+long+`","today_date":"`+long+`"}}}`), "and the call is meant for xxx"},
		{"an unknown argument with a long name", callLine(1, "buy", `{"`+long+`":1}`), `Unknown argument \\\"xxx`},
		{"an argument that is there twice", callLine(1, "buy", `{"`+long+`":1,"`+long+`":1}`), `\" is there twice.`},
		{"a long symbol", callLine(1, "buy", `{"symbol":"`+long+`","amount":1}`), "longer than 40 characters"},
		{"a long amount", callLine(1, "buy", `{"symbol":"NVDA","amount":"`+long+`"}`), "You provided: xxx"},
		{"a long date", callLine(1, "get_price", `{"symbol":"NVDA","date":"`+long+`"}`), "longer than 40 characters"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := exchange(t, f, c.line)
			if len(got) == 0 {
				t.Fatal("no answer")
			}
			if len(got) != 1 || string(got[0].ID) != "1" {
				t.Fatalf("%d answers, the id of the first is %s", len(got), got[0].ID)
			}
			said := string(got[0].Result)
			if e := got[0].Error; e != nil {
				said = fmt.Sprintf("%d %s", e.Code, e.Message)
			}
			if !strings.Contains(said, c.want) || len(said) > 600 || goes.MatchString(said) {
				t.Errorf("%d bytes: %.1000s\nwant %s", len(said), said, c.want)
			}
		})
	}
	if f.rows(t, "gpt-5") != 1 {
		t.Error("something was traded")
	}
}

// A resource or a prompt fails in the words of the tool.
func TestServer_RewriteError_ResourcesAndPrompts(t *testing.T) {
	f := newFixture(t, testBars)
	f.writeSession(t, "{}")
	for _, line := range []string{
		requestLine(1, "resources/read", `{"uri":"ledger://gpt-5/latest"}`), requestLine(1, "resources/read", `{"uri":"report://gpt-5"}`),
		requestLine(1, "prompts/get", `{"name":"trading-day"}`),
	} {
		got := exchange(t, f, line)
		if len(got) != 1 || got[0].Error == nil || !strings.Contains(got[0].Error.Message, "mcp-trade session set") {
			t.Errorf("%s: %+v", line, got)
		}
	}
}

// An error that nobody can mend is for the log.
func TestServer_RewriteError_Unexpected(t *testing.T) {
	f := newFixture(t, testBars)
	f.server.mcp.AddTool(mcp.NewTool("broken"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		return nil, errors.New("json: cannot unmarshal /secret/path")
	})
	got := exchange(t, f, callLine(1, "broken", "{}"))
	if len(got) != 1 || got[0].Error == nil || got[0].Error.Code != -32603 || strings.Contains(got[0].Error.Message, "secret") {
		t.Errorf("%+v", got)
	}
	if log := f.log.String(); !strings.Contains(log, "/secret/path") || !strings.Contains(log, "broken") {
		t.Errorf("the log does not tell: %s", log)
	}
}

// A damaged row within a ledger is a failure that names it.
func TestFailure_DamagedRow(t *testing.T) {
	f := newFixture(t, testBars)
	for range 3 {
		f.call(t, "buy", buyOne)
	}
	text, err := os.ReadFile(f.store.LedgerFile("gpt-5"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	lines[2] = strings.Replace(lines[2], `"NVDA": 2`, `"NVDA": "two"`, 1)
	if err := os.WriteFile(f.store.LedgerFile("gpt-5"), []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	f.wantCode(t, "get_trades", `{"limit":1}`, "ledger_unreachable")
	got := f.wantCode(t, "get_trades", `{}`, "ledger_unreachable")
	if sentence := fmt.Sprint(got["error"]); !strings.Contains(sentence, "row 2 of gpt-5") || !strings.Contains(sentence, "ledger verify gpt-5") {
		t.Error(got)
	}
	// No reading speaks of an order.
	for _, tool := range []string{"get_trades", "get_portfolio"} {
		lines[3] = "garbage\n"
		if err := os.WriteFile(f.store.LedgerFile("gpt-5"), []byte(strings.Join(lines, "")), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := f.wantCode(t, tool, `{}`, "ledger_unreachable"); strings.Contains(fmt.Sprint(got), "order") || got["executed"] != nil {
			t.Errorf("%s: %v", tool, got)
		}
	}
}

// What a gateway that reads keys exactly takes for harmless must not be an order to us.
func TestServer_AmbiguousMessages(t *testing.T) {
	const order = `"arguments":{"symbol":"NVDA","amount":1}`
	for _, c := range []struct{ line, want string }{
		{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_portfolio","arguments":{},"Name":"buy","Arguments":{"symbol":"NVDA","amount":1}}}`, "-32600"},
		{`{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{"name":"buy",` + order + `}}`, "-32600"},
		{`{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"buy",` + order + `}}`, "-32600"},
		{`{"jsonrpc":"2.0","id":1,"Method":"tools/call","params":{"name":"buy",` + order + `}}`, "-32600"},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{},"Params":{"name":"buy",` + order + `}}`, "-32600"},
		{`{"jsonrpc":"2.0","ID":1,"method":"tools/call","params":{"name":"buy",` + order + `}}`, "-32600"},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"buy","arguments":{"symbol":"NVDA","amount":1,"amount":50}}}`, "invalid_argument"},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"buy","arguments":{"symbol":"NVDA","amount":1,"Amount":50}}}`, "invalid_argument"},
	} {
		f := newFixture(t, testBars)
		got := exchange(t, f, c.line)
		if len(got) != 1 || f.rows(t, "gpt-5") != 1 {
			t.Fatalf("%s: %+v, and %d rows", c.line, got, f.rows(t, "gpt-5"))
		}
		said := string(got[0].Result)
		if got[0].Error != nil {
			said = fmt.Sprint(got[0].Error.Code)
		}
		if !strings.Contains(said, c.want) {
			t.Errorf("%s\nis answered %s, want %s", c.line, said, c.want)
		}
	}
}
