package openai

import (
	"context"
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
)

// noon is a clock that stands still.
func noon() time.Time { return time.Date(2025, 11, 1, 12, 0, 0, 0, time.UTC) }

// answer asks an endpoint that answers as told.
func answer(t *testing.T, s model.Settings, handle http.HandlerFunc) (model.Reply, error) {
	t.Helper()
	endpoint := httptest.NewServer(handle)
	defer endpoint.Close()
	s.Model, s.BaseURL, s.Key = "m", endpoint.URL+"/v1", "horse-battery-staple"
	c, err := New(s, noon)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return c.Complete(ctx, model.Request{Messages: []model.Message{{Role: "user", Content: "hello"}}})
}

func body(status int, contentType, text string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}
}

func TestClient_Complete_Errors(t *testing.T) {
	for _, c := range []struct {
		name      string
		stream    bool
		handle    http.HandlerFunc
		says      string
		retryable bool
		after     time.Duration
	}{
		{"a wrong key", false, body(401, "application/json", `{"error": {"message": "Incorrect API key provided: horse-battery-staple. sk-abc***xyz"}}`), "answers 401 Unauthorized: Incorrect API key provided: [key]. [key]", false, 0},
		{"a page that repeats the header", false, body(403, "text/html", "<html>\n\nAuthorization: Bearer horse-battery-staple</html>"), "Authorization: Bearer [key]</html>", false, 0},
		{"a long page", false, body(500, "text/html", strings.Repeat("long ", 1<<20)), "long ...", true, 0},
		{"a limit", false, body(429, "application/json", `{}`, "Retry-After", "7"), "answers 429", true, 7 * time.Second},
		{"a limit until a time", false, body(503, "application/json", `{}`, "Retry-After", "Sat, 01 Nov 2025 12:01:00 GMT"), "answers 503", true, time.Minute},
		{"an error that claims to be fine", false, body(200, "application/json", `{"error": {"message": "overloaded", "code": 529}}`), "answers 529: overloaded", true, 0},
		{"one that is no fault of the endpoint", false, body(200, "application/json", `{"error": {"message": "no", "code": "400"}}`), "answers 400 Bad Request: no", false, 0},
		{"an error in the middle of a stream", true, body(200, "text/event-stream", "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: {\"error\":{\"message\":\"lost horse-battery-staple\",\"code\":502}}\n\n"), "answers 502 Bad Gateway: lost [key]", true, 0},
		{"a stream that ends early", true, body(200, "text/event-stream", "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"), "cut off", true, 0},
		{"an address that moved", false, body(307, "text/plain", "", "Location", "http://127.0.0.1:1/elsewhere"), "answers 307", false, 0},
		{"no message", false, body(200, "application/json", `{"choices": []}`), "holds no message", false, 0},
		{"no JSON", false, body(200, "application/json", "horse-battery-staple"), "cannot be read", false, 0},
		{"half a JSON", false, body(200, "application/json", `{"choices": [{"message": {`), "cut off", true, 0},
		{"too long", false, body(200, "application/json", `{"choices": [{"message": {"content": "`+strings.Repeat("x", 5<<20)+`"}}]}`), "longer than", false, 0},
		{"too long, streamed", true, body(200, "text/event-stream", strings.Repeat("data: {\"choices\":[{\"delta\":{\"content\":\""+strings.Repeat("x", 1<<20)+"\"}}]}\n\n", 5)), "longer than", false, 0},
		{"one endless line", true, body(200, "text/event-stream", "data: "+strings.Repeat("x", maxStream+1)), "longer than", false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := answer(t, model.Settings{Stream: c.stream}, c.handle)
			var fault *model.Error
			if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.says) || fault.Retryable != c.retryable {
				t.Fatalf("%v: %+v; want %q, retryable: %v", err, fault, c.says, c.retryable)
			}
			if strings.Contains(err.Error(), "horse") || strings.Contains(err.Error(), "127.0.0.1") || len(err.Error()) > 500 || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v", err)
			}
			if fault.After != c.after || fault.MayHaveCost != (fault.Retryable && fault.Status == 0) {
				t.Errorf("%+v; want to be left alone for %v, and a cost where an answer broke off", fault, c.after)
			}
		})
	}
}

func TestClient_Complete(t *testing.T) {
	event := func(lines ...string) string {
		return "data: " + strings.Join(lines, "\n\ndata: ") + "\n\ndata: [DONE]\n\n"
	}
	call := func(rest string) string { return `{"choices":[{"delta":{"tool_calls":[{` + rest + `}]}}]}` }
	finish := `{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}`
	two := []model.Call{{ID: "a", Tool: "buy", Arguments: `{"x":1}`}, {ID: "b", Tool: "sell", Arguments: `{}`}}
	for _, c := range []struct {
		name, text string
		want       []model.Call
	}{
		{"pieces by number", event(
			call(`"index":0,"id":"a","function":{"name":"buy","arguments":"{\"x\""}`), call(`"index":0,"function":{"arguments":":1}"}`),
			call(`"index":1,"id":"b","function":{"name":"sell","arguments":"{}"}`), finish), two},
		{"pieces of two calls by turns", event(
			call(`"index":0,"id":"a","function":{"name":"buy","arguments":"{\"x\""}`), call(`"index":1,"id":"b","function":{"name":"sell","arguments":"{"}`),
			call(`"index":0,"function":{"arguments":":1}"}`), call(`"index":1,"function":{"arguments":"}"}`), finish), two},
		{"whole calls of the same number", event(
			call(`"index":0,"id":"a","function":{"name":"buy","arguments":"{\"x\":1}"}`), call(`"index":0,"id":"b","function":{"name":"sell","arguments":"{}"}`), finish), two},
		{"pieces without numbers", event(
			call(`"id":"a","function":{"name":"buy","arguments":"{\"x\""}`), call(`"function":{"arguments":":1}"}`),
			call(`"id":"b","function":{"name":"sell","arguments":"{}"}`), finish), two},
		{"no ids", event(
			call(`"index":0,"function":{"name":"buy","arguments":"{\"x\":1}"}`), call(`"index":1,"function":{"name":"sell","arguments":"{}"}`), finish),
			[]model.Call{{ID: "call_1", Tool: "buy", Arguments: `{"x":1}`}, {ID: "call_2", Tool: "sell", Arguments: `{}`}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := answer(t, model.Settings{Stream: true}, body(200, "text/event-stream", c.text))
			if err != nil || len(r.Message.Calls) != len(c.want) {
				t.Fatalf("%+v, %v", r.Message.Calls, err)
			}
			for i, want := range c.want {
				if fmt.Sprint(r.Message.Calls[i]) != fmt.Sprint(want) {
					t.Errorf("call %d is %+v, want %+v", i, r.Message.Calls[i], want)
				}
			}
		})
	}
	parts, err := answer(t, model.Settings{}, body(200, "application/json", `{"choices": [{"message": {"content": [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}], "reasoning_content": "hm"}, "finish_reason": "stop"}],
		"usage": {"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 5}}}`))
	if err != nil || parts.Message.Content != "one two" || parts.Message.Reasoning != "hm" || parts.Usage != (model.Usage{In: 7, Cached: 5, Out: 3}) {
		t.Errorf("%+v, %v", parts, err)
	}
}

func TestClient_Complete_Extra(t *testing.T) {
	const signed = `{"google":{"thought_signature":"c2ln"}}`
	for _, stream := range []bool{false, true} {
		first := body(200, "application/json", `{"choices": [{"message": {"tool_calls": [
			{"id": "a", "function": {"name": "buy", "arguments": "{}"}, "extra_content": `+signed+`},
			{"id": "b", "function": {"name": "buy", "arguments": "{}"}, "extra_content": null}]}, "finish_reason": "tool_calls"}]}`)
		if stream {
			first = body(200, "text/event-stream", `data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"buy","arguments":"{}"},"extra_content":`+signed+`}]}}]}

data: {"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"buy","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}

data: [DONE]

`)
		}
		reply, err := answer(t, model.Settings{Stream: stream}, first)
		if err != nil || len(reply.Message.Calls) != 2 || string(reply.Message.Calls[0].Extra) != signed || reply.Message.Calls[1].Extra != nil {
			t.Fatalf("%+v, %v", reply.Message.Calls, err)
		}
		var sent []byte
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sent, _ = io.ReadAll(r.Body)
			body(400, "text/plain", "")(w, r)
		}))
		c, err := New(model.Settings{Model: "m", BaseURL: s.URL}, noon)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Complete(t.Context(), model.Request{Messages: []model.Message{{Role: "user", Content: "<a> & b"}, reply.Message}})
		s.Close()
		var request struct {
			Model    string
			Messages []struct {
				Content   string
				ToolCalls []map[string]json.RawMessage `json:"tool_calls"`
			}
		}
		if err := json.Unmarshal(sent, &request); err != nil || request.Model != "m" || request.Messages[0].Content != "<a> & b" {
			t.Fatalf("%v: %s", err, sent)
		}
		calls := request.Messages[1].ToolCalls
		if string(calls[0]["extra_content"]) != signed || calls[1]["extra_content"] != nil || string(calls[0]["id"]) != `"a"` {
			t.Errorf("sent back as %s", sent)
		}
	}
}

func TestNew(t *testing.T) {
	half := 0.5
	if _, err := New(model.Settings{Model: "gpt-5", BaseURL: "http://x", Temperature: &half}, noon); err == nil || !strings.Contains(err.Error(), "gpt-5 cannot be asked") {
		t.Error(err)
	}
	if _, err := New(model.Settings{Model: "gpt-5", BaseURL: "http://x", MaxTokens: 5}, noon); err != nil {
		t.Error(err)
	}
}
