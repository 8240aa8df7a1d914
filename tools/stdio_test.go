package tools

// Tests of the loop: every request answered once, orders in the order in which they came, whatever comes in.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/rs/zerolog"

	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/serve"
	"mcp-trade/session"
	"mcp-trade/store/filestore"
)

// message is one line of the server.
type heard struct {
	JSONRPC string
	ID      json.RawMessage
	Result  json.RawMessage
	Error   *struct {
		Code    int
		Message string
	}
}

// messages reads what the server wrote, which must be one JSON-RPC message per line and nothing else.
func messages(t testing.TB, out []byte) []heard {
	t.Helper()
	var all []heard
	for line := range bytes.Lines(out) {
		var m heard
		if err := json.Unmarshal(line, &m); err != nil || m.JSONRPC != "2.0" || len(m.ID) == 0 || (m.Result == nil) == (m.Error == nil) || !bytes.HasSuffix(line, []byte("\n")) {
			t.Fatalf("the server wrote %.500q, %v", line, err)
		}
		all = append(all, m)
	}
	return all
}

// exchange serves an input to its end.
func exchange(t testing.TB, f *fixture, in string) []heard {
	t.Helper()
	var out bytes.Buffer
	if err := f.listen(t.Context(), strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	return messages(t, out.Bytes())
}

func callLine(id any, tool, arguments string) string {
	text, _ := json.Marshal(id)
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":%q,"arguments":%s}}`+"\n", text, tool, arguments)
}

const buyOne = `{"symbol":"NVDA","amount":1}`

// Every request is answered once at end of input.
func TestStdio_EndOfInput(t *testing.T) {
	f := newFixture(t, testBars)
	var in strings.Builder
	var orders []string
	for id := range 500 {
		switch id % 5 {
		case 0:
			action := []string{"buy", "sell"}[id/5%2]
			orders = append(orders, action)
			in.WriteString(callLine(id, action, buyOne))
		case 1:
			in.WriteString(callLine(id, "get_price", `{"symbol":"NVDA"}`))
		case 2:
			in.WriteString(callLine(id, "get_portfolio", `{}`))
		case 3:
			fmt.Fprintf(&in, `{"jsonrpc":"2.0","id":%d,"method":"ping"}`+"\n", id)
		case 4:
			fmt.Fprintf(&in, `{"jsonrpc":"2.0","id":%d,"method":"prompts/get","params":{"name":"trading-day"}}`+"\n", id)
		}
	}
	seen := map[string]int{}
	var answered []int64 // records of the orders, as they were answered
	for _, m := range exchange(t, f, strings.TrimSuffix(in.String(), "\n")) {
		seen[string(m.ID)]++
		if m.Error != nil || strings.Contains(string(m.Result), `"isError":true`) {
			t.Errorf("request %s: %s %+v", m.ID, m.Result, m.Error)
		}
		var r struct {
			StructuredContent struct {
				Status string
				ID     int64
			}
		}
		if err := json.Unmarshal(m.Result, &r); err != nil {
			t.Fatal(err)
		}
		if r.StructuredContent.Status == "filled" {
			answered = append(answered, r.StructuredContent.ID)
			var id int64
			if err := json.Unmarshal(m.ID, &id); err != nil || r.StructuredContent.ID != id/5+1 {
				t.Errorf("order %d is record %d", id/5, r.StructuredContent.ID)
			}
		}
	}
	for id := range 500 {
		if n := seen[fmt.Sprint(id)]; n != 1 {
			t.Errorf("request %d was answered %d times", id, n)
		}
	}
	if len(answered) != len(orders) || !slices.IsSorted(answered) || f.rows(t, "gpt-5") != len(orders)+1 {
		t.Errorf("the answers of the orders came as the records %v, and there are %d rows", answered, f.rows(t, "gpt-5"))
	}
}

// conversation is a server on two pipes: the test says what comes when.
type conversation struct {
	t       *testing.T
	in      *io.PipeWriter
	answers chan heard
	done    chan error
	began   chan string   // ids of held calls that run
	release chan struct{} // lets one held call end
}

// converse serves two more tools: "hold" runs beside others, "hold_order" on the lane of orders; both until they are released.
func converse(t *testing.T, ctx context.Context, f *fixture) *conversation {
	in, input := io.Pipe()
	output, out := io.Pipe()
	c := &conversation{t: t, in: input, answers: make(chan heard), done: make(chan error, 1), began: make(chan string), release: make(chan struct{})}
	for _, name := range []string{"hold", "hold_order"} {
		f.server.mcp.AddTool(mcp.NewTool(name), func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			c.began <- name
			<-c.release
			return mcp.NewToolResultText(fmt.Sprintf("cancelled: %v", ctx.Err() != nil)), nil
		})
	}
	f.server.orderTools["hold_order"] = true
	go func() {
		c.done <- f.listen(ctx, in, out)
		_ = out.Close()
	}()
	go func() {
		defer close(c.answers)
		d := json.NewDecoder(output)
		for {
			var m heard
			if d.Decode(&m) != nil {
				return
			}
			c.answers <- m
		}
	}()
	return c
}

func (c *conversation) say(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, line); err != nil {
		c.t.Fatal(err)
	}
}

// wait receives with a bound, so that a server that hangs fails the test instead of the whole run.
func wait[T any](t *testing.T, from <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(20 * time.Second):
		t.Fatalf("no %s", what)
	}
	return v
}

func (c *conversation) hear() heard { return wait(c.t, c.answers, "answer") }

// end closes the input and returns the answers that were still to come.
func (c *conversation) end() (rest []heard) {
	c.t.Helper()
	_ = c.in.Close()
	for m := range c.answers {
		rest = append(rest, m)
	}
	if err := wait(c.t, c.done, "end"); err != nil {
		c.t.Error(err)
	}
	return rest
}

// Orders run one after the other and the rest beside them.
func TestStdio_Lanes(t *testing.T) {
	f := newFixture(t, testBars)
	c := converse(t, t.Context(), f)
	c.say(callLine(1, "hold_order", `{}`))
	wait(t, c.began, "beginning of the order")
	c.say(callLine(2, "buy", buyOne))
	c.say(callLine(3, "hold", `{}`))
	wait(t, c.began, "beginning of what is no order") // it runs beside the order
	c.say(callLine(4, "get_portfolio", `{}`))
	if m := c.hear(); string(m.ID) != "4" || f.rows(t, "gpt-5") != 1 {
		t.Errorf("%s was answered first, and the ledger has %d rows", m.ID, f.rows(t, "gpt-5"))
	}
	c.release <- struct{}{}
	c.release <- struct{}{}
	var order []string
	for range 3 {
		if m := c.hear(); string(m.ID) != "3" {
			order = append(order, string(m.ID))
		}
	}
	if fmt.Sprint(order) != "[1 2]" {
		t.Errorf("the orders were answered as %v", order)
	}
	if rest := c.end(); len(rest) > 0 {
		t.Errorf("%+v", rest)
	}
}

func cancelLine(id any) string {
	text, _ := json.Marshal(id)
	return fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s,"reason":"test"}}`+"\n", text)
}

// A cancelled request is not answered, unless it is an order that has begun.
func TestStdio_Cancelled(t *testing.T) {
	f := newFixture(t, testBars)
	c := converse(t, t.Context(), f)
	c.say(callLine(1, "hold_order", `{}`))
	wait(t, c.began, "beginning of the order")
	c.say(callLine("two", "buy", buyOne))
	c.say(callLine(3, "buy", buyOne))
	c.say(callLine(4, "hold", `{}`))
	wait(t, c.began, "beginning of what is no order")
	c.say(cancelLine("two") + cancelLine(1) + cancelLine(4) + cancelLine(99) + cancelLine(nil) + `{"jsonrpc":"2.0","method":"notifications/cancelled"}` + "\n")
	c.say(callLine(5, "get_session", `{}`)) // answered after the cancellations were read
	if m := c.hear(); string(m.ID) != "5" {
		t.Errorf("%s came first", m.ID)
	}
	c.release <- struct{}{}
	c.release <- struct{}{}
	if m := c.hear(); string(m.ID) != "1" || !strings.Contains(string(m.Result), "cancelled: true") {
		t.Errorf("the order that ran when it was cancelled is answered %s %s %+v", m.ID, m.Result, m.Error)
	}
	if m := c.hear(); string(m.ID) != "3" || !strings.Contains(string(m.Result), `"status":"filled"`) {
		t.Errorf("what was not cancelled is answered %s %s %+v", m.ID, m.Result, m.Error)
	}
	if rest := c.end(); len(rest) > 0 || f.rows(t, "gpt-5") != 2 {
		t.Errorf("%+v, and %d rows", rest, f.rows(t, "gpt-5"))
	}
}

// The server reads no further while large requests wait.
func TestStdio_LargeRequests(t *testing.T) {
	testenv.Slow(t)
	const sent, fit = 19, serve.MaxWaiting / (serve.MaxMessage - 1000)
	f := newFixture(t, testBars)
	c := converse(t, t.Context(), f)
	c.say(callLine(0, "hold_order", `{}`))
	wait(t, c.began, "beginning of the order")
	padding := strings.Repeat("x", serve.MaxMessage-1000)
	written := make(chan int, sent)
	go func() {
		for id := range sent {
			_, _ = io.WriteString(c.in, callLine(id+1, "buy", `{"`+padding+`":1}`))
			written <- id
		}
	}()
	for range fit {
		wait(t, written, "reading of what there is room for")
	}
	time.Sleep(100 * time.Millisecond)
	if more := len(written); more > 1 { // one is read before there is room for it
		t.Errorf("%d more requests were read while none was answered", more)
	}
	c.release <- struct{}{}
	for id := range sent + 1 {
		if m := c.hear(); string(m.ID) != fmt.Sprint(id) {
			t.Errorf("request %s was answered in the place of %d", m.ID, id)
		}
	}
	if rest := c.end(); len(rest) > 0 {
		t.Errorf("%+v", rest)
	}
}

// What hangs is given up when the server ends, else this test would not end either.
func TestStdio_HangingCallAtTheEnd(t *testing.T) {
	for _, way := range []string{"end of input", "the server is told to stop", "nobody listens"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, testBars)
			began := make(chan struct{})
			f.server.mcp.AddTool(mcp.NewTool("hang"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
				began <- struct{}{}
				<-ctx.Done()
				return mcp.NewToolResultText("given up"), nil
			})
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			in, input := io.Pipe()
			defer in.Close()
			var out bytes.Buffer
			var to io.Writer = &out
			if way == "nobody listens" {
				to = &deaf{}
			}
			done := make(chan error, 1)
			go func() { done <- f.listen(ctx, in, to) }()
			_, _ = io.WriteString(input, callLine(1, "hang", `{}`))
			wait(t, began, "beginning")
			switch way {
			case "end of input":
				_ = input.Close()
			case "the server is told to stop":
				stop()
			case "nobody listens":
				_, _ = io.WriteString(input, callLine(2, "get_session", `{}`))
			}
			err := wait(t, done, "end")
			if way == "nobody listens" {
				if !errors.Is(err, errDeaf) {
					t.Error(err)
				}
				return
			}
			got := messages(t, out.Bytes())
			if err != nil || len(got) != 1 || string(got[0].ID) != "1" || !strings.Contains(string(got[0].Result), "given up") {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// A ping is answered before what waits.
func TestStdio_Ping(t *testing.T) {
	f := newFixture(t, testBars)
	c := converse(t, t.Context(), f)
	for id := range serve.OthersAtOnce {
		c.say(callLine(id, "hold", `{}`))
		wait(t, c.began, "beginning")
	}
	c.say(callLine(100, "get_session", `{}`) + `{"jsonrpc":"2.0","id":101,"method":"ping"}` + "\n")
	if m := c.hear(); string(m.ID) != "101" || string(m.Result) != "{}" {
		t.Errorf("%s %s came first", m.ID, m.Result)
	}
	for range serve.OthersAtOnce {
		c.release <- struct{}{}
		c.hear()
	}
	if rest := c.end(); len(rest) != 1 {
		t.Errorf("%+v", rest)
	}
}

const helloOf2025 = `{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}` + "\n"

// batches serves an input and returns what came after the answer to initialize, line by line: "ID RESULT" for each answer,
// where the result is the code of an error, the id of a record, or ok.
func batches(t *testing.T, f *fixture, in string) (lines []string) {
	t.Helper()
	var out bytes.Buffer
	if err := f.listen(t.Context(), strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(out.Bytes()) {
		isBatch := line[0] == '['
		if !isBatch {
			line = fmt.Appendf(nil, "[%s]", line)
		}
		var answers []struct {
			ID     json.RawMessage
			Error  *struct{ Code int }
			Result struct{ StructuredContent struct{ ID int } }
		}
		if err := json.Unmarshal(line, &answers); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		var said []string
		for _, a := range answers {
			result := "ok"
			if a.Error != nil {
				result = fmt.Sprint(a.Error.Code)
			} else if a.Result.StructuredContent.ID > 0 {
				result = fmt.Sprint(a.Result.StructuredContent.ID)
			}
			said = append(said, string(a.ID)+" "+result)
		}
		text := strings.Join(said, ", ")
		if isBatch {
			text = "[" + text + "]"
		}
		if text != `"hello" ok` {
			lines = append(lines, text)
		}
	}
	return lines
}

// A batch is answered with one array.
func TestStdio_Batch(t *testing.T) {
	line := func(messages ...string) string {
		for i, m := range messages {
			messages[i] = strings.TrimSpace(m)
		}
		return "[" + strings.Join(messages, ",") + "]\n"
	}
	ping, notification := `{"jsonrpc":"2.0","id":1,"method":"ping"}`, `{"jsonrpc":"2.0","method":"notifications/initialized"}`
	older := strings.Replace(helloOf2025, "2025-03-26", "2024-11-05", 1)
	newer := strings.Replace(helloOf2025, "2025-03-26", "2025-06-18", 1)
	for _, c := range []struct{ name, hello, in, want string }{
		{"one request", helloOf2025, line(ping), "[1 ok]"},
		{"requests and a notification", helloOf2025, line(ping, notification, callLine(2, "get_session", "{}")), "[1 ok, 2 ok]"},
		{"orders, which keep their order", helloOf2025, line(callLine(1, "buy", buyOne), callLine(2, "sell", buyOne), callLine(3, "buy", buyOne)) + callLine(4, "sell", buyOne), "4 4; [1 1, 2 2, 3 3]"},
		{"notifications alone", helloOf2025, line(notification, notification), ""},
		{"answers alone", helloOf2025, line(`{"jsonrpc":"2.0","id":1,"result":{}}`), ""},
		{"nothing", helloOf2025, "[]\n", "null -32600"},
		{"what is no message", helloOf2025, line("1", `"x"`, ping, "[]", "null"), "[null -32600, null -32600, 1 ok, null -32600, null -32600]"},
		{"a message that could be read in two ways", helloOf2025, line(ping, `{"jsonrpc":"2.0","id":2,"method":"ping","method":"tools/list"}`), "[1 ok, 2 -32600]"},
		{"initialize, which must be alone", helloOf2025, line(helloOf2025, ping), `["hello" -32600, 1 ok]`},
		{"a torn one", helloOf2025, "[" + ping + ",\n", "null -32700"},
		{"too many", helloOf2025, line(slices.Repeat([]string{ping}, serve.MaxBatch+1)...), "null -32600"},
		{"before the handshake", "", line(ping), "null -32600"},
		{"of an older protocol", older, line(ping), "null -32600"},
		{"of a newer protocol", newer, line(ping), "null -32600"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, testBars)
			got := batches(t, f, c.hello+c.in)
			slices.Sort(got)
			if strings.Join(got, "; ") != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// Requests that were read are answered when the server is told to stop.
func TestStdio_ToldToStop(t *testing.T) {
	f := newFixture(t, testBars)
	ctx, stop := context.WithCancel(t.Context())
	c := converse(t, ctx, f)
	c.say(callLine(1, "hold_order", `{}`))
	wait(t, c.began, "beginning")
	c.say(callLine(2, "buy", buyOne))
	c.say(callLine(3, "get_session", `{}`))
	if m := c.hear(); string(m.ID) != "3" { // so 2 was read
		t.Errorf("%s came first", m.ID)
	}
	stop()
	c.release <- struct{}{}
	if m := c.hear(); string(m.ID) != "1" || !strings.Contains(string(m.Result), "cancelled: false") {
		t.Errorf("%s %s", m.ID, m.Result)
	}
	if m := c.hear(); string(m.ID) != "2" || !strings.Contains(string(m.Result), `"status":"filled"`) {
		t.Errorf("%s %s", m.ID, m.Result)
	}
	if err := wait(t, c.done, "end, although the input goes on"); err != nil {
		t.Error(err)
	}
	_ = c.in.Close()
}

func TestStdio_NoRequest(t *testing.T) {
	f := newFixture(t, testBars)
	long := func(n int) string {
		return `{"jsonrpc":"2.0","id":5,"method":"ping","x":"` + strings.Repeat("x", n-47) + `"}`
	}
	for _, c := range []struct{ name, in, want string }{
		{"not JSON", "hello", "null -32700"},
		{"a torn object", `{"jsonrpc":"2.0","id":1,"method":"pi`, "null -32700"},
		{"two objects", `{"jsonrpc":"2.0","id":1,"method":"ping"}{"jsonrpc":"2.0","id":2,"method":"ping"}`, "null -32700"},
		{"binary", "\xff\xfe\x00", "null -32700"},
		{"a batch", `[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, "null -32600"},
		{"a number", `5`, "null -32600"},
		{"null", `null`, "null -32600"},
		{"an unknown method", `{"jsonrpc":"2.0","id":1,"method":"nope"}`, "1 -32601"},
		{"a subscription, which must not keep the server from ending", `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},` +
			`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}`, "1 -32601"},
		{"an unknown tool", strings.TrimSpace(callLine(1, "nope", "{}")), "1 -32602"},
		{"an answer that says nothing", `{"jsonrpc":"2.0","id":1,"result":null}`, ""},
		{"an error", `{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"x"}}`, ""},
		{"an error to nobody", `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}`, ""},
		{"a notification with params that are none", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":"x"}`, ""},
		{"a notification with a list of params", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":[1]}`, ""},
		{"a notification with a key that is there twice", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"requestId":2}}`, ""},
		{"a notification of another version", `{"jsonrpc":"1.0","method":"notifications/initialized"}`, ""},
		{"a request without an id, which nobody waits for", `{"jsonrpc":"2.0","method":"tools/call","params":{"name":"buy","arguments":{"symbol":"NVDA","amount":1}}}`, ""},
		{"a request whose id is null", `{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"buy","arguments":{"symbol":"NVDA","amount":1}}}`, ""},
		{"a request and an answer at once", `{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}`, "1 -32600"},
		{"neither a request nor an answer", `{"jsonrpc":"2.0","id":1}`, "1 -32600"},
		{"nothing of JSON-RPC", `{"hello":1}`, "null -32600"},
		{"another version", `{"jsonrpc":"1.0","id":1,"method":"ping"}`, "1 -32600"},
		{"a method that is a number", `{"jsonrpc":"2.0","id":1,"method":5}`, "1 -32600"},
		{"params that are a list", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]}`, "1 -32600"},
		{"an id that is an object", `{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}`, "null -32600"},
		{"an id that is a list", `{"jsonrpc":"2.0","id":[1],"method":"ping"}`, "null -32600"},
		{"an id that is a flag", `{"jsonrpc":"2.0","id":true,"method":"ping"}`, "null -32600"},
		{"an id that is not UTF-8", "{\"jsonrpc\":\"2.0\",\"id\":\"\xff\",\"method\":\"ping\"}", "null -32600"},
		{"two ids", `{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}`, "null -32600"},
		{"a blank line", "", ""},
		{"white space", " \t ", ""},
		{"a notification", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, ""},
		{"an answer", `{"jsonrpc":"2.0","id":1,"result":{}}`, ""},
		{"the longest line", long(4 << 20), "5 ok"},
		{"a line that is too long", long(4<<20 + 1), "null -32600"},
		{"a line that is far too long", strings.Repeat("x", 9<<20), "null -32600"},
	} {
		for _, ending := range []string{"\n", "\r\n"} {
			t.Run(c.name+fmt.Sprintf(" and %q", ending), func(t *testing.T) {
				var got []string
				for _, m := range exchange(t, f, c.in+ending+`{"jsonrpc":"2.0","id":"next","method":"ping"}`+ending) {
					result := "ok"
					if m.Error != nil {
						result = fmt.Sprint(m.Error.Code)
					}
					if string(m.ID) != `"next"` {
						got = append(got, string(m.ID)+" "+result)
					} else if result == "ok" {
						got = append(got, "next")
					}
				}
				slices.Sort(got)
				want := strings.TrimSpace(strings.Join(slices.Sorted(slices.Values([]string{c.want, "next"})), " "))
				if strings.Join(got, " ") != want {
					t.Errorf("%q, want %q", got, want)
				}
			})
		}
	}
}

// A byte order mark before the first message is passed over.
func TestStdio_ByteOrderMark(t *testing.T) {
	f := newFixture(t, testBars)
	const mark, ping = "\xef\xbb\xbf", `{"jsonrpc":"2.0","id":1,"method":"ping"}` + "\n"
	for _, in := range []string{mark + ping, mark + "\n" + ping, mark + "\r\n" + ping, "\n" + mark + ping} {
		if got := exchange(t, f, in); len(got) != 1 || string(got[0].ID) != "1" || got[0].Error != nil {
			t.Errorf("%q: %+v", in, got)
		}
	}
	if got := exchange(t, f, ping+mark+ping); len(got) != 2 || got[1].Error == nil {
		t.Errorf("a mark further on: %+v", got)
	}
}

// The id of a request comes back as it was.
func TestStdio_RequestID(t *testing.T) {
	f := newFixture(t, testBars)
	for _, id := range []string{`1`, `0`, `-7`, `9007199254740993`, `"a"`, `""`, `"1"`, `"日本"`, `"550e8400-e29b-41d4-a716-446655440000"`} {
		for _, method := range []string{`"ping"`, `"nope"`, `"tools/call","params":{"name":"buy","arguments":{}}`} {
			got := exchange(t, f, fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":%s}`, id, method))
			if len(got) != 1 || string(got[0].ID) != id {
				t.Errorf("%s to %s became %+v", id, method, got)
			}
		}
	}
}

// A client need not wait for the answer to initialize.
func TestStdio_AfterTheHandshake(t *testing.T) {
	f := newFixture(t, testBars)
	got := exchange(t, f, `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`+"\n"+
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`+"\n"+callLine(1, "buy", buyOne)+callLine(2, "sell", buyOne))
	if len(got) != 3 || string(got[0].ID) != "0" || !strings.Contains(string(got[0].Result), `"version":"1.2.3"`) || !strings.Contains(string(got[0].Result), `"instructions":"Paper trading`) {
		t.Fatalf("%+v", got)
	}
	for i, m := range got[1:] {
		if string(m.ID) != fmt.Sprint(i+1) || !strings.Contains(string(m.Result), `"status":"filled"`) {
			t.Errorf("%s %s %+v", m.ID, m.Result, m.Error)
		}
	}
}

// A panic fails one request.
func TestStdio_Panic(t *testing.T) {
	f := newFixture(t, testBars)
	f.server.mcp.AddTool(mcp.NewTool("panic"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) { panic("a bug") })
	f.server.mcp.AddPrompt(mcp.NewPrompt("panic"), func(context.Context, mcp.GetPromptRequest) (*mcp.GetPromptResult, error) { panic("a bug") })
	f.server.orderTools["panic_order"] = true
	f.server.mcp.AddTool(mcp.NewTool("panic_order"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) { panic("a bug") })
	got := exchange(t, f, callLine(1, "panic", `{}`)+callLine(2, "panic_order", `{}`)+
		`{"jsonrpc":"2.0","id":3,"method":"prompts/get","params":{"name":"panic"}}`+"\n"+callLine(4, "buy", buyOne))
	if len(got) != 4 {
		t.Fatalf("%+v", got)
	}
	for _, m := range got {
		if string(m.ID) == "4" {
			if !strings.Contains(string(m.Result), `"status":"filled"`) {
				t.Errorf("%s %+v", m.Result, m.Error)
			}
		} else if m.Error == nil || m.Error.Code != -32603 {
			t.Errorf("%s: %s %+v", m.ID, m.Result, m.Error)
		}
	}
	if !strings.Contains(f.log.String(), "a bug") {
		t.Errorf("the log does not tell: %s", f.log)
	}
}

// deaf is a client that is gone after some answers.
type deaf struct {
	mu   sync.Mutex
	left int
}

var errDeaf = errors.New("nobody listens")

func (d *deaf) Write(text []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left--; d.left < 0 {
		return 0, errDeaf
	}
	return len(text), nil
}

// The server ends when nobody listens.
func TestStdio_NobodyListens(t *testing.T) {
	f := newFixture(t, testBars)
	in, input := io.Pipe() // never closed by the client
	defer input.Close()
	done := make(chan error, 1)
	go func() { done <- f.listen(t.Context(), in, &deaf{left: 2}) }()
	go func() {
		for id := range 100 {
			if _, err := io.WriteString(input, callLine(id, "get_session", `{}`)); err != nil {
				return
			}
		}
	}()
	if err := wait(t, done, "end"); !errors.Is(err, errDeaf) {
		t.Error(err)
	}
	_ = in.Close()
}

func FuzzServe(f *testing.F) {
	for _, s := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"buy","arguments":{"symbol":"A","amount":1}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_trades","arguments":[1]}}` + "\n\r\n[]",
		`{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}`, `{"id":1}`, `{"jsonrpc":"2.0","id":1e400,"method":"tools/list","params":5}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`, `{"jsonrpc":"2.0","id":"` + "\xff" + `","method":"ping"}`,
		strings.Replace(helloOf2025, "hello", "x", 1) + `[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"x"},7]`,
		`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"ledger://%zz/latest"}}`, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":null}`,
	} {
		f.Add([]byte(s))
	}
	s := filestore.New(f.TempDir(), f.TempDir())
	layers, err := session.New(session.Config{Model: "m", Local: s, Env: func(string) (string, bool) { return "", false }, Warn: func(string) {}})
	if err != nil {
		f.Fatal(err)
	}
	server, err := NewServer(&Deps{Accounts: ledger.NewAccounts(s), Ledger: "file", Log: zerolog.Nop()}, Options{Toolsets: DefaultToolsets})
	if err != nil {
		f.Fatal(err)
	}
	ctx := session.WithCaller(f.Context(), &session.Caller{Session: layers})
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		if err := serve.New(server, zerolog.Nop()).Stdio(ctx, bytes.NewReader(in), &out); err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(out.Bytes()) {
			if !json.Valid(line) {
				t.Fatalf("%q\nis answered\n%q", in, line)
			}
		}
		if n, most := bytes.Count(out.Bytes(), []byte("\n")), bytes.Count(in, []byte("\n"))+1; n > most {
			t.Fatalf("%d lines in %q are answered with %d", most, in, n)
		}
	})
}
