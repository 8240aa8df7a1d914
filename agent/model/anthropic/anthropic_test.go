// Replies of the API, read one at a time. Days of it are played in agent/runner.

package anthropic

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mcp-trade/agent/model"
	"mcp-trade/agent/model/modeltest"
)

func noon() time.Time { return time.Date(2025, 11, 1, 12, 0, 0, 0, time.UTC) }

// answer asks an endpoint that answers with a text, and returns what it was sent.
func answer(t *testing.T, s model.Settings, r model.Request, status int, text string) (reply model.Reply, sent string, err error) {
	t.Helper()
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = fmt.Sprintf("%s %s %s\n%s", r.URL, r.Header.Get("X-Api-Key"), r.Header.Get("Anthropic-Version"), body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	defer endpoint.Close()
	s.Model, s.BaseURL, s.Key = "m", endpoint.URL+"/v1", "horse-battery-staple"
	c, err := New(s, noon)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Messages) == 0 {
		r.Messages = []model.Message{{Role: "user", Content: "hello"}}
	}
	reply, err = c.Complete(t.Context(), r)
	return reply, sent, err
}

func event(all ...string) string {
	text := ""
	for _, e := range all {
		text += "data: " + e + "\n\n"
	}
	return text
}

func TestClient_Complete(t *testing.T) {
	const start, stop = `{"type":"message_start","message":{"usage":{"input_tokens":20,"cache_creation_input_tokens":1500,"cache_read_input_tokens":6000,"output_tokens":1}}}`, `{"type":"message_stop"}`
	usage := model.Usage{In: 7520, Cached: 6000, Written: 1500, Out: 300}
	want := model.Message{Role: "assistant", Content: "ok", Reasoning: "hm", Calls: []model.Call{{ID: "toolu_1", Tool: "buy", Arguments: `{"symbol":"AAPL"}`}, {ID: "toolu_2", Tool: "get_portfolio", Arguments: `{}`}},
		Extra: json.RawMessage(`{"blocks":[{"signature":"c2ln","thinking":"hm","type":"thinking"},{"text":"ok","type":"text"},{"type":"tool_use"},{"type":"tool_use"}]}`)}
	for name, text := range map[string]string{
		"whole": `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"text","text":"ok"},
			{"type":"tool_use","id":"toolu_1","name":"buy","input":{"symbol":"AAPL"}},{"type":"tool_use","id":"toolu_2","name":"get_portfolio","input":{}}],"stop_reason":"tool_use","stop_sequence":null,
			"usage":{"input_tokens":20,"cache_creation_input_tokens":1500,"cache_read_input_tokens":6000,"output_tokens":300,"output_tokens_details":{"thinking_tokens":120},"service_tier":"standard"}}`,
		"streamed": "event: ping\n" + event(start, `{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}`,
			`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"h"}}`, `{"type":"ping"}`, `{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"m"}}`,
			`{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}`, `{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}`,
			`{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"ok"}}`, `{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"buy","input":{}}}`,
			`{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}}`, `{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"symbol\":"}}`,
			`{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_2","name":"get_portfolio","input":{}}}`, `{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"\"AAPL\"}"}}`,
			`{"type":"content_block_stop","index":2}`, `{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":300}}  `, stop),
	} {
		reply, _, err := answer(t, model.Settings{}, model.Request{}, 200, text)
		if err != nil || fmt.Sprintf("%+v", reply.Message) != fmt.Sprintf("%+v", want) || reply.Usage != usage || reply.Finish != "tool_use" {
			t.Errorf("%s: %+v\n%s\n%+v, %v", name, reply.Message, reply.Message.Extra, reply.Usage, err)
		}
	}
}

func TestClient_Complete_Errors(t *testing.T) {
	begun := event(`{"type":"message_start","message":{}}`, `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`)
	for _, c := range []struct {
		name, text  string
		status      int
		says        string
		retry, cost bool
	}{
		{"overloaded", `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}`, 529, "answers 529: Overloaded", true, false},
		{"money", `{"type":"error","error":{"type":"billing_error","message":"no horse-battery-staple"}}`, 402, "no [key]; its account has no money", false, false},
		{"too long", `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}`, 400, "too long: 210000", false, false},
		{"a number of its own for overloaded", `[1305][The service is overloaded]`, 529, "[1305]", true, false},
		{"an error in the middle", begun + "event: error\n" + event(`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`), 200, "answers 529: Overloaded", true, true},
		{"no end", begun, 200, "cut off", true, true},
		{"the end of another API", begun + "data: [DONE]\n\n", 200, "cannot be read", true, true},
		{"a page", "<html>horse-battery-staple", 200, "the reply is a page: <html>[key]", true, true},
		{"half", `{"type":"message","content":[`, 200, "cut off", true, true},
		{"nothing", `{"type":"message"}`, 200, "holds no message", true, true},
		{"a failure as a reason", `{"type":"message","content":[],"stop_reason":"error"}`, 200, "failed in the middle of the reply: error", true, true},
		{"too much", `{"type":"message","content":[{"type":"text","text":"` + strings.Repeat("x", 5<<20) + `"}]}`, 200, "longer than", true, true},
		{"a block far away", event(`{"type":"content_block_start","index":2000000000,"content_block":{"type":"text"}}`, `{"type":"message_stop"}`), 200, "a block of the reply is missing", true, true},
	} {
		_, _, err := answer(t, model.Settings{}, model.Request{}, c.status, c.text)
		var fault *model.Error
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.says) || fault.Retryable != c.retry || fault.MayHaveCost != c.cost || strings.Contains(err.Error(), "horse") {
			t.Errorf("%s: %v, %+v", c.name, err, fault)
		}
	}
}

func TestClient_Request(t *testing.T) {
	zero := 0.0
	tool := model.Tool{Name: "buy", Description: "Buys.", Strict: true, Schema: json.RawMessage(`{"strict":1}`), Plain: json.RawMessage(`{"type":"object"}`)}
	talk := []model.Message{{Role: "system", Content: "s"}, {Role: "user", Content: "u"},
		{Role: "assistant", Content: " ", Calls: []model.Call{{ID: "functions.buy:0", Tool: "buy", Arguments: `{"a": 1}`}, {ID: "b", Tool: "buy", Arguments: "{}"}}},
		{Role: "tool", CallID: "functions.buy:0", Content: "r1"}, {Role: "tool", CallID: "b", Content: "r2"}, {Role: "user", Content: "go on"}}
	_, sent, err := answer(t, model.Settings{Temperature: &zero, ReasoningEffort: "high"}, model.Request{Messages: talk, Tools: []model.Tool{tool}}, 200, `{"content":[{"type":"text","text":"x"}],"stop_reason":"end_turn"}`)
	id := sentID("functions.buy:0")
	want := `/v1/messages horse-battery-staple 2023-06-01
{"model":"m","max_tokens":16384,"system":[{"cache_control":{"type":"ephemeral"},"text":"s","type":"text"}],"messages":[` +
		`{"role":"user","content":[{"text":"u","type":"text"}]},` +
		`{"role":"assistant","content":[{"id":"` + id + `","input":{"a":1},"name":"buy","type":"tool_use"},{"id":"b","input":{},"name":"buy","type":"tool_use"}]},` +
		`{"role":"user","content":[{"content":"r1","tool_use_id":"` + id + `","type":"tool_result"},{"content":"r2","tool_use_id":"b","type":"tool_result"},{"cache_control":{"type":"ephemeral"},"text":"go on","type":"text"}]}],` +
		`"tools":[{"name":"buy","description":"Buys.","input_schema":{"type":"object"}}],"temperature":0,"thinking":{"type":"adaptive"},"output_config":{"effort":"high"}}`
	if err != nil || sent != want {
		t.Errorf("%v, sent\n%s\nwant\n%s", err, sent, want)
	}
}

func FuzzReply(f *testing.F) {
	f.Add(`{"type":"message","content":[{"type":"tool_use","id":"a","name":"buy","input":{}}],"stop_reason":"tool_use"}`)
	f.Add(`{"type":"error","error":{"type":"authentication_error","message":"` + modeltest.FuzzKey + `"}}`)
	whole, _ := modeltest.Seeds("anthropic")
	modeltest.Fuzz(f, whole, received)
}

func FuzzStream(f *testing.F) {
	f.Add(event(`{"type":"message_start","message":{}}`, `{"type":"content_block_start","index":1,"content_block":{"type":"text"}}`, `{"type":"content_block_delta","index":1,"delta":{"text":"a"}}`, `{"type":"message_stop"}`))
	f.Add(`data: {"type":"content_block_start","index":0,"content_block":null}` + "\n\ndata: {\"type\":\"message_stop\"}\n")
	f.Add(event(`{"type":"content_block_start","index":0,"content_block":{"type":"text"}}`, `{"type":"content_block_delta","index":0,"delta":{"text":"`+modeltest.FuzzKey+`"}}`, `{"type":"message_stop"}`))
	_, streamed := modeltest.Seeds("anthropic")
	modeltest.Fuzz(f, streamed, received)
}

// received is what a client makes of a text, without the key.
func received(t *testing.T, text string) (model.Reply, error) {
	c, err := New(model.Settings{Model: "m", BaseURL: "http://x", Key: modeltest.FuzzKey}, noon)
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.receive(strings.NewReader(text))
	var reply model.Reply
	if err == nil {
		reply, err = a.reply()
	}
	if err != nil {
		return model.Reply{}, c.endpoint.Plain(err)
	}
	c.endpoint.Clean(&reply)
	return reply, nil
}

func TestContract(t *testing.T) {
	modeltest.Contract(t, func(s model.Settings) (model.Model, error) { return New(s, noon) })
}
