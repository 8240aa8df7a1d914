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
	"mcp-trade/agent/model/modeltest"
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
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
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
	const json, events = "application/json", "text/event-stream"
	begun := "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"
	type outcome struct {
		says        string
		retry, cost bool
		after       time.Duration
	}
	for _, c := range []struct {
		name   string
		handle http.HandlerFunc
		want   outcome
	}{
		{"a wrong key", body(401, json, `{"error": {"message": "Incorrect API key provided: horse-battery-staple. sk-abc***xyz"}}`), outcome{says: "answers 401 Unauthorized: Incorrect API key provided: [key]. [key]; set the key in the variable"}},
		{"a page that repeats the header", body(403, "text/html", "<html>\n\nAuthorization: Bearer horse-battery-staple</html>"), outcome{says: "Authorization: Bearer [key]</html>"}},
		{"a long page", body(500, "text/html", strings.Repeat("long ", 1<<20)), outcome{says: "long ...", retry: true}},
		{"a limit", body(429, json, `{}`, "Retry-After", "7"), outcome{"answers 429", true, false, 7 * time.Second}},
		{"a limit in milliseconds", body(429, json, `{}`, "Retry-After", "60", "Retry-After-Ms", "1500"), outcome{"answers 429", true, false, 1500 * time.Millisecond}},
		{"a limit until a time", body(503, json, `{}`, "Date", "Sat, 01 Nov 2025 12:00:00 GMT", "Retry-After", "Sat, 01 Nov 2025 12:01:00 GMT"), outcome{"answers 503", true, false, time.Minute}},
		{"a limit in words", body(429, json, `[{"error": {"code": 429, "message": "Quota exceeded. Please retry in 45.5s.", "status": "RESOURCE_EXHAUSTED"}}]`), outcome{"Please retry in 45.5s.", true, false, 45500 * time.Millisecond}},
		{"a quota of nothing", body(429, json, `[{"error": {"code": 429, "message": "Quota exceeded, limit: 0, model: x. Please retry in 45.5s.", "status": "RESOURCE_EXHAUSTED"}}]`), outcome{says: "no money or quota left"}},
		{"money", body(429, json, `{"error": {"message": "You exceeded your quota", "type": "insufficient_quota", "code": "credit_balance_exhausted"}}`, "Retry-After", "60"), outcome{says: "top it up"}},
		{"money, as GLM has it", body(429, json, `{"error": {"code": "1113", "message": "Insufficient balance or no resource package."}}`), outcome{says: "top it up"}},
		{"a state that will not pass", body(500, json, `{}`, "X-Should-Retry", "false"), outcome{says: "answers 500"}},
		{"a time-out", body(408, json, `{}`), outcome{says: "answers 408", retry: true, cost: true}},
		{"a conflict", body(409, json, `{}`), outcome{says: "answers 409", retry: true}},
		{"too early", body(425, json, `{}`), outcome{says: "answers 425", retry: true}},
		{"closed", body(499, json, `{}`), outcome{says: "answers 499", retry: true, cost: true}},
		{"overloaded", body(529, json, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`), outcome{says: "answers 529: Overloaded", retry: true}},
		{"a gateway", body(524, "text/html", `<html>`), outcome{says: "answers 524", retry: true, cost: true}},
		{"not implemented", body(501, json, `{"error": {"message": "no"}}`), outcome{says: "answers 501"}},
		{"a call that its server cannot read", body(400, json, `{"error": {"message": "Failed to call a function.", "type": "invalid_request_error", "code": "tool_use_failed", "failed_generation": "<function=buy>{}"}}`), outcome{says: "Failed to call a function.", retry: true}},
		{"a filter", body(400, json, `{"error": {"message": "The response was filtered", "code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}`), outcome{says: "the API refuses what the prompt says"}},
		{"no such model", body(404, json, `{"error": {"message": "The model x does not exist", "code": "model_not_found"}}`), outcome{says: "correct basemodel or openai_base_url"}},
		{"an error as a text", body(400, json, `{"code": "invalid-argument", "error": "Model grok-x does not support parameter x."}`), outcome{says: "Model grok-x does not support"}},
		{"a flat error", body(400, json, `{"object": "error", "message": "Extra.", "type": "invalid_request_error", "param": null, "code": "3000"}`), outcome{says: "Extra."}},
		{"a list of details", body(422, json, `{"detail": [{"loc": ["body"], "msg": "Field required"}]}`), outcome{says: "Field required"}},
		{"an error that claims to be fine", body(200, json, `{"error": {"message": "overloaded", "code": 529}}`), outcome{says: "answers 529: overloaded", retry: true}},
		{"one that is no fault of the endpoint", body(200, json, `{"error": {"message": "no", "code": "400"}}`), outcome{says: "answers 400 Bad Request: no"}},
		{"one in a number of its own", body(200, json, `{"base_resp": {"status_code": 1002, "status_msg": "rate limit"}, "choices": null}`), outcome{says: "answers 429 Too Many Requests: rate limit (1002)", retry: true}},
		{"one from behind a router", body(200, json, `{"error": {"code": 502, "message": "Provider returned error", "metadata": {"raw": "lost horse-battery-staple"}}}`), outcome{says: "Provider returned error: lost [key]", retry: true, cost: true}},
		{"one in a choice", body(200, json, `{"choices": [{"finish_reason": "error", "message": {"content": ""}, "error": {"code": 502, "message": "gone"}}]}`), outcome{says: "answers 502 Bad Gateway: gone", retry: true, cost: true}},
		{"a reason that is a failure", body(200, json, `{"choices": [{"finish_reason": "network_error", "message": {"content": ""}}]}`), outcome{says: "the API failed in the middle of the reply: network_error", retry: true, cost: true}},
		{"a failure behind a good reason", body(200, json, `{"choices": [{"finish_reason": "stop", "native_finish_reason": "network_error", "message": {"content": ""}}]}`), outcome{says: "the API failed in the middle of the reply: network_error", retry: true, cost: true}},
		{"an error in the middle of a stream", body(200, events, begun+"data: {\"error\":{\"message\":\"lost horse-battery-staple\",\"code\":502}}\n\n"), outcome{says: "answers 502 Bad Gateway: lost [key]", retry: true, cost: true}},
		{"an event that is an error", body(200, events, "event: error\ndata: {\"error\":{\"message\":\"Failed to call a function.\",\"code\":\"tool_use_failed\"},\"status_code\":400}\n\n"), outcome{says: "Failed to call a function.", retry: true, cost: true}},
		{"a stream that ends early", body(200, events, begun), outcome{says: "cut off", retry: true, cost: true}},
		{"a stream that ends early with a word", body(200, events, begun+"data: [DONE]\n\n"), outcome{says: "cut off", retry: true, cost: true}},
		{"a stream of nothing", body(200, events, ": keep-alive\n\ndata: [DONE]\n\n"), outcome{says: "cut off", retry: true, cost: true}},
		{"an address that moved", body(307, "text/plain", "", "Location", "http://127.0.0.1:1/elsewhere"), outcome{says: "answers 307"}},
		{"no message", body(200, json, `{"choices": []}`), outcome{says: "holds no message", retry: true, cost: true}},
		{"null for messages", body(200, json, `{"choices": null, "usage": null}`), outcome{says: "holds no message", retry: true, cost: true}},
		{"no JSON", body(200, json, "horse-battery-staple"), outcome{says: "cut off", retry: true, cost: true}},
		{"broken JSON", body(200, json, `{"choices": horse-battery-staple`), outcome{says: "cannot be read", retry: true, cost: true}},
		{"a page", body(200, "text/html", "<html>horse-battery-staple</html>"), outcome{says: "the reply is a page: <html>[key]</html>", retry: true, cost: true}},
		{"nothing", body(200, json, ""), outcome{says: "cut off", retry: true, cost: true}},
		{"half a JSON", body(200, json, `{"choices": [{"message": {`), outcome{says: "cut off", retry: true, cost: true}},
		{"too long", body(200, json, `{"choices": [{"message": {"content": "`+strings.Repeat("x", 5<<20)+`"}}]}`), outcome{says: "longer than", retry: true, cost: true}},
		{"too long, streamed", body(200, events, strings.Repeat("data: {\"choices\":[{\"delta\":{\"content\":\""+strings.Repeat("x", 1<<20)+"\"}}]}\n\n", 5)), outcome{says: "longer than", retry: true, cost: true}},
		{"one endless line", body(200, events, "data: "+strings.Repeat("x", 8<<20)), outcome{says: "longer than", retry: true, cost: true}},
	} {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, streamed %v", c.name, stream), func(t *testing.T) {
				_, err := answer(t, model.Settings{Stream: stream}, c.handle)
				var fault *model.Error
				if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.want.says) {
					t.Fatalf("%v; want %q", err, c.want.says)
				}
				if got := (outcome{c.want.says, fault.Retryable, fault.MayHaveCost, fault.After}); got != c.want {
					t.Errorf("%v: %+v, want %+v", err, got, c.want)
				}
				if fault.Permanent() != (fault.Advice != "") {
					t.Errorf("%+v: what does not pass says what to change", fault)
				}
				if strings.Contains(err.Error(), "horse") || strings.Contains(err.Error(), "127.0.0.1") || len(err.Error()) > 500 || strings.Contains(err.Error(), "\n") {
					t.Errorf("%v", err)
				}
			})
		}
	}
}

// event is a stream of server-sent events.
func event(lines ...string) string {
	return "data: " + strings.Join(lines, "\n\ndata: ") + "\n\ndata: [DONE]\n\n"
}

// delta is a piece of a stream.
func delta(rest string) string { return `{"choices":[{"delta":{` + rest + `}}]}` }

// callDelta is a piece of a call in a stream.
func callDelta(rest string) string { return delta(`"tool_calls":[{` + rest + `}]`) }

const finish = `{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}`

func TestClient_Complete_Calls(t *testing.T) {
	call := callDelta
	whole := func(calls string) string {
		return `{"choices":[{"message":{"role":"assistant","content":null,"tool_calls":` + calls + `},"finish_reason":"tool_calls"}]}`
	}
	a, b := model.Call{ID: "a", Tool: "buy", Arguments: `{"x":1}`}, model.Call{ID: "b", Tool: "sell", Arguments: `{}`}
	named := func(id string, c model.Call) model.Call { c.ID = id; return c }
	for _, c := range []struct {
		name, text string
		want       []model.Call
	}{
		{"pieces by number", event(
			call(`"index":0,"id":"a","function":{"name":"buy","arguments":"{\"x\""}`), call(`"index":0,"function":{"arguments":":1}"}`),
			call(`"index":1,"id":"b","function":{"name":"sell","arguments":"{}"}`), finish), []model.Call{a, b}},
		{"pieces of two calls by turns", event(
			call(`"index":0,"id":"a","function":{"name":"buy","arguments":"{\"x\""}`), call(`"index":1,"id":"b","function":{"name":"sell","arguments":"{"}`),
			call(`"index":0,"function":{"arguments":":1}"}`), call(`"index":1,"function":{"arguments":"}"}`), finish), []model.Call{a, b}},
		{"whole calls of the same number", event(
			call(`"index":0,"id":"a","function":{"name":"buy","arguments":"{\"x\":1}"}`), call(`"index":0,"id":"b","function":{"name":"sell","arguments":"{}"}`), finish), []model.Call{a, b}},
		{"whole calls of the same number without ids", event(
			call(`"index":0,"id":"","function":{"name":"buy","arguments":"{\"x\":1}"}`), call(`"index":0,"id":"","function":{"name":"buy","arguments":"{\"x\":1}"}`), finish),
			[]model.Call{named("call_1", a), named("call_2", a)}},
		{"pieces without numbers", event(
			call(`"id":"a","function":{"name":"buy","arguments":"{\"x\""}`), call(`"function":{"arguments":":1}"}`),
			call(`"id":"b","function":{"name":"sell","arguments":"{}"}`), finish), []model.Call{a, b}},
		{"no ids", event(
			call(`"index":0,"function":{"name":"buy","arguments":"{\"x\":1}"}`), call(`"index":1,"function":{"name":"sell","arguments":"{}"}`), finish),
			[]model.Call{named("call_1", a), named("call_2", b)}},
		{"a name in each piece", event(
			call(`"index":0,"id":"a","function":{"name":"buy","arguments":"{\"x\""}`), call(`"index":0,"id":"","function":{"name":"buy","arguments":":1"}`),
			call(`"index":0,"id":"","function":{"name":"buy","arguments":"}"}`), finish), []model.Call{a}},
		{"a name in pieces", event(
			call(`"index":0,"id":"a","function":{"name":"b"}`), call(`"index":0,"function":{"name":"uy","arguments":"{\"x\":1}"}`), finish), []model.Call{a}},
		{"an empty id and empty arguments behind", event(
			call(`"index":0,"id":"a","type":"function","function":{"name":"buy","arguments":"{\"x\":1}"}`), call(`"index":0,"id":"","function":{"arguments":""}`), finish), []model.Call{a}},
		{"an object in place of arguments", event(call(`"index":0,"id":"a","function":{"name":"buy","arguments":{"x":1}}`), finish), []model.Call{a}},
		{"lines of Windows, comments and names", "event: chunk\r\nid: 7\r\nretry: 1\r\ndata:" + call(`"index":0,"id":"a","function":{"name":"buy","arguments":"{\"x\":1}"}`) + "  \r\n\r\n" +
			strings.Repeat(": keep-alive\r\n\r\n", 400) + "data: " + finish + "\r\n\r\n", []model.Call{a}},
		{"comments for minutes", strings.Repeat(": keep-alive\n\n", 4000) + event(call(`"index":0,"id":"a","function":{"name":"buy","arguments":"{\"x\":1}"}`), finish), []model.Call{a}},
		{"the reason behind an empty piece", event(`{"choices":[],"prompt_filter_results":[{"prompt_index":0}],"created":0,"id":""}`,
			call(`"index":0,"id":"a","function":{"name":"buy","arguments":"{\"x\":1}"}`), finish, `{"choices":[],"usage":{"prompt_tokens":1}}`), []model.Call{a}},
		{"whole", whole(`[{"id":"a","type":"function","function":{"name":"buy","arguments":"{\"x\":1}"}},{"id":"b","function":{"name":"sell","arguments":{}}}]`), []model.Call{a, b}},
		{"whole, behind empty lines", "\n\n\n  \n" + whole(`[{"id":"a","function":{"name":"buy","arguments":"{\"x\":1}"}}]`), []model.Call{a}},
		{"ids that are no texts, or the same", whole(`[{"id":7,"function":{"name":"buy","arguments":"{\"x\":1}"}},{"id":null,"function":{"name":"sell","arguments":"{}"}},{"id":7,"function":{"name":"sell","arguments":"{}"}}]`),
			[]model.Call{named("7", a), named("call_2", b), named("call_3", b)}},
		{"an id that is one of ours", whole(`[{"id":"call_2","function":{"name":"buy","arguments":"{\"x\":1}"}},{"id":"","function":{"name":"sell","arguments":"{}"}}]`),
			[]model.Call{named("call_2", a), named("call_4", b)}},
		{"one call in place of a list", whole(`{"id":"a","function":{"name":"buy","arguments":"{\"x\":1}"}}`), []model.Call{a}},
		{"arguments that are null", whole(`[{"id":"b","function":{"name":"sell","arguments":null}}]`), []model.Call{{ID: "b", Tool: "sell"}}},
		{"two keys of one name", whole(`[{"id":"a","function":{"name":"buy","arguments":{"x":1,"x":2}}}]`), []model.Call{{ID: "a", Tool: "buy", Arguments: `{"x":1,"x":2}`}}},
		{"fields that nobody uses", `{"id":123,"created":1700000000.123,"object":7,"model":null,"system_fingerprint":{},"choices":[{"index":"0","logprobs":"x","message":{"role":3,"content":"","annotations":"",
			"tool_calls":[{"id":"a","type":null,"index":"x","function":{"name":"buy","arguments":"{\"x\":1}"}}]},"finish_reason":"tool_calls"}],"usage":"none"}`, []model.Call{a}},
	} {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, streamed %v", c.name, stream), func(t *testing.T) {
				r, err := answer(t, model.Settings{Stream: stream}, body(200, "text/plain", c.text)) // whatever was asked for
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
	}
}

func TestClient_Complete_Texts(t *testing.T) {
	for _, c := range []struct {
		name, whole, streamed string
		want                  model.Message
	}{
		{"parts", `"content":[{"type":"text","text":"one "},{"type":"text","text":"two"}],"reasoning_content":"hm"`,
			event(delta(`"content":[{"type":"text","text":"one "}],"reasoning_content":"h"`), delta(`"content":"two","reasoning_content":"m"`), finish),
			model.Message{Content: "one two", Reasoning: "hm"}},
		{"reasoning that is empty", `"content":"x","reasoning_content":""`, event(delta(`"content":"x","reasoning_content":""`), finish),
			model.Message{Content: "x", Extra: []byte(`{"reasoning_content":""}`)}},
		{"reasoning by its other name", `"content":"x","reasoning":"hm"`, event(delta(`"reasoning":"h"`), delta(`"reasoning":"m"`), delta(`"content":"x"`), finish),
			model.Message{Content: "x", Reasoning: "hm", Extra: []byte(`{"reasoning":"hm"}`)}},
		{"details of a reasoning", `"content":"x","reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"s","index":0},{"type":"reasoning.encrypted","data":"AAAA","index":1}]`,
			event(delta(`"reasoning":"h","reasoning_details":[{"type":"reasoning.text","text":"h","index":0}]`), delta(`"reasoning":"m","reasoning_details":[{"type":"reasoning.text","text":"m","signature":"s","index":0}]`),
				delta(`"content":"x","reasoning_details":[{"type":"reasoning.encrypted","data":"AAAA","index":1}]`), finish),
			model.Message{Content: "x", Reasoning: "hm", Extra: []byte(`{"reasoning":"hm","reasoning_details":[{"index":0,"signature":"s","text":"hm","type":"reasoning.text"},{"data":"AAAA","index":1,"type":"reasoning.encrypted"}]}`)}},
		{"thoughts among the parts", `"content":[{"type":"thinking","thinking":[{"type":"text","text":"hmm"}]},{"type":"text","text":"4"}]`,
			event(delta(`"content":[{"type":"thinking","thinking":[{"type":"text","text":"h"}]}]`), delta(`"content":[{"type":"thinking","thinking":[{"type":"text","text":"mm"}]}]`), delta(`"content":"4"`), finish),
			model.Message{Content: "4", Reasoning: "hmm", Extra: []byte(`{"content":[{"thinking":[{"text":"hmm","type":"text"}],"type":"thinking"},{"text":"4","type":"text"}]}`)}},
		{"a refusal", `"content":null,"refusal":"I cannot"`, event(delta(`"content":null,"refusal":"I "`), delta(`"refusal":"cannot"`), finish), model.Message{Refusal: "I cannot"}},
	} {
		for kind, text := range map[string]string{"whole": `{"choices":[{"message":{` + c.whole + `},"finish_reason":"stop"}]}`, "streamed": c.streamed} {
			t.Run(c.name+", "+kind, func(t *testing.T) {
				r, err := answer(t, model.Settings{}, body(200, "application/json", text))
				c.want.Role = "assistant"
				if err != nil || fmt.Sprintf("%+v", r.Message) != fmt.Sprintf("%+v", c.want) {
					t.Fatalf("%+v\n%s\nwant\n%+v\n%s\n%v", r.Message, r.Message.Extra, c.want, c.want.Extra, err)
				}
				var sent struct {
					Messages []map[string]json.RawMessage
				}
				request, err := (&Client{}).request(model.Request{Messages: []model.Message{r.Message}}, nil)
				if err != nil || json.Unmarshal(request, &sent) != nil {
					t.Fatal(err)
				}
				back := sent.Messages[0]
				for _, name := range []string{"reasoning_content", "reasoning", "reasoning_details"} {
					var extra map[string]json.RawMessage
					_ = json.Unmarshal(c.want.Extra, &extra)
					want := string(extra[name])
					if name == "reasoning_content" && c.want.Extra == nil && c.want.Reasoning != "" {
						want = fmt.Sprintf("%q", c.want.Reasoning)
					}
					if string(back[name]) != want {
						t.Errorf("%s comes back as %s, want %s", name, back[name], want)
					}
				}
				if back["content"] == nil {
					t.Errorf("no content comes back: %s", request)
				}
			})
		}
	}
}

func TestWireUsage(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       model.Usage
	}{
		{"OpenAI", `{"prompt_tokens":900,"completion_tokens":120,"total_tokens":1020,"prompt_tokens_details":{"cached_tokens":640},"completion_tokens_details":{"reasoning_tokens":64}}`, model.Usage{In: 900, Cached: 640, Out: 120}},
		{"DeepSeek", `{"prompt_tokens":100,"completion_tokens":5,"prompt_cache_hit_tokens":64,"prompt_cache_miss_tokens":36}`, model.Usage{In: 100, Cached: 64, Out: 5}},
		{"Kimi", `{"prompt_tokens":100,"completion_tokens":5,"cached_tokens":32}`, model.Usage{In: 100, Cached: 32, Out: 5}},
		{"xAI, which counts reasoning apart", `{"prompt_tokens":400,"completion_tokens":30,"total_tokens":670,"completion_tokens_details":{"reasoning_tokens":240}}`, model.Usage{In: 400, Out: 270}},
		{"other names", `{"input_tokens":7,"output_tokens":3}`, model.Usage{In: 7, Out: 3}},
		{"more cached than there are", `{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":64}}`, model.Usage{In: 10, Cached: 10, Out: 5}},
		{"below nothing", `{"prompt_tokens":-10,"completion_tokens":-5,"prompt_tokens_details":{"cached_tokens":-1}}`, model.Usage{}},
		{"other kinds of number", `{"prompt_tokens":"7","completion_tokens":3.0,"prompt_tokens_details":null,"completion_tokens_details":[]}`, model.Usage{In: 7, Out: 3}},
		{"none", `null`, model.Usage{}},
	} {
		for kind, text := range map[string]string{
			"whole":    `{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":` + c.text + `}`,
			"streamed": event(delta(`"content":"x"`), `{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":null}`, `{"choices":[],"usage":`+c.text+`}`),
			"at Groq":  event(delta(`"content":"x"`), `{"choices":[{"delta":{},"finish_reason":"stop"}],"x_groq":{"usage":`+c.text+`}}`),
		} {
			if r, err := answer(t, model.Settings{}, body(200, "application/json", text)); err != nil || r.Usage != c.want {
				t.Errorf("%s, %s: %+v, %v; want %+v", c.name, kind, r.Usage, err, c.want)
			}
		}
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
	for _, s := range []model.Settings{{BaseURL: "http://x"}, {Model: "m"}, {Model: "m", BaseURL: "http://x", Key: "horse\n"}, {Model: "m", BaseURL: "http://x:y:z"}} {
		if _, err := New(s, noon); err == nil || strings.Contains(err.Error(), "horse") {
			t.Errorf("%+v: %v", s.Model, err)
		}
	}
}

func FuzzReply(f *testing.F) {
	f.Add(`{"choices":[{"message":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"h"}]}],"tool_calls":[{"id":7,"function":{"name":"buy","arguments":{"a":1}}}]},"finish_reason":"stop"}]}`)
	f.Add(`[{"error":{"code":429,"message":"Please retry in 45.5s.","details":[{}]}}]`)
	f.Add(`{"error":"` + modeltest.FuzzKey + `"}`)
	whole, _ := modeltest.Seeds("openai")
	modeltest.Fuzz(f, whole, received)
}

func FuzzStream(f *testing.F) {
	f.Add(event(callDelta(`"index":0,"id":"a","function":{"name":"buy","arguments":"{"}`), callDelta(`"id":"a","function":{"name":"buy","arguments":"}"}`), finish))
	f.Add(event(delta(`"reasoning_details":[{"type":"reasoning.text","text":"h"},{"type":"reasoning.text","text":"m"}]`), finish))
	f.Add(event(delta(`"content":"the key is `+modeltest.FuzzKey[:9]+`"`), delta(`"content":"`+modeltest.FuzzKey[9:]+`"`), finish))
	_, streamed := modeltest.Seeds("openai")
	modeltest.Fuzz(f, streamed, received)
}

// received is what a client makes of a text, without the key.
func received(t *testing.T, text string) (model.Reply, error) {
	c, err := New(model.Settings{Model: "m", BaseURL: "http://x", Key: modeltest.FuzzKey}, noon)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := c.receive(strings.NewReader(text))
	if err != nil {
		return model.Reply{}, c.endpoint.Plain(err)
	}
	c.endpoint.Clean(&reply)
	return reply, nil
}

func TestContract(t *testing.T) {
	modeltest.Contract(t, func(s model.Settings) (model.Model, error) { return New(s, noon) })
}
