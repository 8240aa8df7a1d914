// What is asked after a refusal, of an endpoint that refuses as the real ones do.

package openai

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"mcp-trade/agent/model"
)

// sent is a request as an endpoint sees it.
type sent map[string]any

func (s sent) has(text string) bool {
	raw, _ := json.Marshal(s)
	return strings.Contains(string(raw), text)
}

// picky is an endpoint that refuses requests by a function, and answers others with a text.
func picky(t *testing.T, refuse func(sent) (status int, answer string)) (url string, asked *[]sent) {
	t.Helper()
	asked = &[]sent{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		var request sent
		if err := json.Unmarshal(text, &request); err != nil {
			t.Error(err)
		}
		*asked = append(*asked, request)
		if status, answer := refuse(request); status != 0 {
			body(status, "application/json", answer)(w, r)
			return
		}
		body(200, "application/json", `{"choices":[{"message":{"content":"well"},"finish_reason":"stop"}]}`)(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func fault(text string) string { return `{"error":` + text + `}` }

func TestClient_Complete_Lessons(t *testing.T) {
	warm, seed := 0.3, 7
	tool := model.Tool{
		Name: "buy", Strict: true,
		Schema: json.RawMessage(`{"type":"object","properties":{"symbol":{"type":"string"},"note":{"type":["string","null"]}},"required":["symbol","note"],"additionalProperties":false}`),
		Plain:  json.RawMessage(`{"type":"object","properties":{"symbol":{"type":"string","maxLength":9},"note":{"type":"string"}},"required":["symbol"],"additionalProperties":false}`),
	}
	long := model.Call{ID: "call_00_abcdefghijkl", Tool: "buy", Arguments: "{}"}
	talk := []model.Message{{Role: "user", Content: "hello"}, {Role: "assistant", Calls: []model.Call{long}}, {Role: "tool", CallID: long.ID, Content: "no"}}
	for _, c := range []struct {
		name   string
		s      model.Settings
		more   []model.Message
		refuse func(sent) (int, string)
		want   []string
		fails  string
	}{
		{name: "max_tokens", s: model.Settings{MaxTokens: 5}, want: []string{maxCompletionTokens}, refuse: func(r sent) (int, string) {
			if r.has(`"max_tokens"`) || !r.has(`"max_completion_tokens":5`) {
				return 400, fault(`{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","param":"max_tokens","code":"unsupported_parameter"}`)
			}
			return 0, ""
		}},
		{name: "max_completion_tokens", s: model.Settings{MaxCompletionTokens: 5}, want: []string{maxTokens}, refuse: func(r sent) (int, string) {
			if r.has(`"max_completion_tokens"`) || !r.has(`"max_tokens":5`) {
				return 422, `{"detail":[{"type":"extra_forbidden","loc":["body","max_completion_tokens"],"msg":"Extra inputs are not permitted"}]}`
			}
			return 0, ""
		}},
		{name: "two at once", s: model.Settings{MaxTokens: 5, Temperature: &warm}, want: []string{maxCompletionTokens, noTemperature}, refuse: func(r sent) (int, string) {
			switch {
			case r.has(`"max_tokens"`):
				return 400, fault(`{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","code":"unsupported_parameter"}`)
			case r.has(`"temperature"`):
				return 400, fault(`{"message":"Unsupported value: 'temperature' does not support 0.3 with this model. Only the default (1) value is supported.","code":"unsupported_value"}`)
			}
			return 0, ""
		}},
		{name: "seed and top_p", s: model.Settings{Seed: &seed, TopP: &warm, ReasoningEffort: "low"}, want: []string{noSeed, noTopP, noEffort}, refuse: func(r sent) (int, string) {
			for _, name := range []string{"seed", "top_p", "reasoning_effort"} {
				if r.has(`"` + name + `"`) {
					return 400, `{"code":"invalid-argument","error":"Argument not supported on this model: ` + name + `"}`
				}
			}
			return 0, ""
		}},
		{name: "options of a stream", s: model.Settings{Stream: true}, want: []string{noStreamOptions}, refuse: func(r sent) (int, string) {
			if r.has("stream_options") {
				return 400, fault(`{"message":"Unrecognized request argument supplied: stream_options"}`)
			}
			return 0, ""
		}},
		{name: "no stream", want: []string{mustStream}, refuse: func(r sent) (int, string) {
			if r["stream"] != true {
				return 400, fault(`{"message":"Requests with max_tokens > 4096 must have stream=true","param":"max_tokens","code":"BAD_REQUEST"}`)
			}
			return 0, ""
		}},
		{name: "strict schemas", want: []string{plainSchemas}, refuse: func(r sent) (int, string) {
			if r.has("additionalProperties") || r.has(`"null"`) || r.has("maxLength") || r.has(`"strict"`) {
				return 400, `[{"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \"additionalProperties\" at 'tools[0].function_declarations[0].parameters': Cannot find field.","status":"INVALID_ARGUMENT"}}]`
			}
			return 0, ""
		}},
		{name: "schemas, refused without a word", want: []string{plainSchemas}, refuse: func(r sent) (int, string) {
			if r.has(`"null"`) {
				return 400, fault(`{"message":"Request contains an invalid argument."}`)
			}
			return 0, ""
		}},
		{name: "something else, refused without a word", fails: "Bad Request: No.", refuse: func(sent) (int, string) { return 400, fault(`{"message":"No."}`) }},
		{name: "long ids", more: talk, want: []string{shortIDs}, refuse: func(r sent) (int, string) {
			messages := r["messages"].([]any)
			made := messages[len(messages)-2].(map[string]any)["tool_calls"].([]any)[0].(map[string]any)["id"].(string)
			if len(made) != 9 || messages[len(messages)-1].(map[string]any)["tool_call_id"] != made {
				return 400, `{"object":"error","message":"Tool call id was call_1 but must be a-z, A-Z, 0-9, with a length of 9.","type":"invalid_function_call","code":"3280"}`
			}
			return 0, ""
		}},
		{name: "a user behind a result", more: append(slices.Clone(talk), model.Message{Role: "user", Content: "Go on."}), want: []string{noUserAfterTool}, refuse: func(r sent) (int, string) {
			messages := r["messages"].([]any)
			if messages[len(messages)-2].(map[string]any)["role"] == "tool" {
				return 400, `{"object":"error","message":"Unexpected role 'user' after role 'tool'","type":"invalid_request_message_order","code":"3230"}`
			}
			return 0, ""
		}},
		{name: "reasoning that is missing", more: talk, want: []string{alwaysReasoning}, refuse: func(r sent) (int, string) {
			if !r.has(`"reasoning_content":""`) {
				return 400, fault(`{"message":"thinking is enabled but reasoning_content is missing in assistant tool call message at index 1","type":"invalid_request_error"}`)
			}
			return 0, ""
		}},
		{name: "reasoning that is refused", more: []model.Message{{Role: "assistant", Content: "x", Reasoning: "hm"}}, want: []string{noReasoning}, refuse: func(r sent) (int, string) {
			if r.has("reasoning_content") {
				return 400, fault(`{"message":"'messages.1' : for 'role:assistant' the following must be satisfied[('messages.1' : property 'reasoning_content' is unsupported)]"}`)
			}
			return 0, ""
		}},
		{name: "the same again and again", s: model.Settings{Temperature: &warm}, want: []string{noTemperature}, fails: "'temperature' is not supported", refuse: func(sent) (int, string) {
			return 400, fault(`{"message":"'temperature' is not supported"}`)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			url, asked := picky(t, c.refuse)
			var learned []string
			c.s.Model, c.s.BaseURL = "m", url
			c.s.Lessons = &model.Lessons{Heard: func(lesson, refusal string) {
				learned = append(learned, lesson)
				if !strings.Contains(refusal, "the model's endpoint answers 4") {
					t.Errorf("told of as %q", refusal)
				}
			}}
			request := model.Request{Messages: c.more, Tools: []model.Tool{tool}}
			if c.more == nil {
				request.Messages = []model.Message{{Role: "user", Content: "hello"}}
			}
			ask := func() error {
				m, err := New(c.s, noon)
				if err == nil {
					for range 2 {
						if _, failed := m.Complete(t.Context(), request); failed != nil {
							err = failed
						}
					}
				}
				return err
			}
			err := ask()
			if (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Fatalf("%v, want %q", err, c.fails)
			}
			if !slices.Equal(learned, c.want) {
				t.Errorf("learned %q, want %q", learned, c.want)
			}
			if n := len(*asked); c.fails == "" && n != 2+len(c.want) {
				t.Errorf("asked %d times for two replies", n)
			}
			if c.fails != "" {
				return
			}
			// Another process that was told of it asks rightly at once.
			before := len(*asked)
			c.s.Lessons = &model.Lessons{}
			c.s.Lessons.Recall(c.want...)
			if err := ask(); err != nil || len(*asked) != before+2 {
				t.Errorf("%v; asked %d times more, by what was known", err, len(*asked)-before)
			}
		})
	}
}

func TestClient_Request_Extras(t *testing.T) {
	var header http.Header
	var got sent
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		_ = json.NewDecoder(r.Body).Decode(&got)
		body(200, "application/json", `{"choices":[{"message":{"content":"on 2025-10-01 horse-battery said"},"finish_reason":"stop"}]}`)(w, r)
	}))
	defer s.Close()
	warm := 0.5
	c, err := New(model.Settings{
		Model: "m", BaseURL: s.URL + "/v1?api-version=2024-10-21", Key: "key", Temperature: &warm, ExtraBody: map[string]json.RawMessage{"enable_thinking": json.RawMessage("false"), "temperature": json.RawMessage("1")},
		ExtraHeaders: map[string]string{"X-Team": "horse-battery", "X-Day": "2025-10-01"}, Secrets: []string{"horse-battery"},
	}, noon)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := c.Complete(t.Context(), model.Request{Messages: []model.Message{{Role: "user", Content: "<hello>"}}})
	if err != nil || reply.Message.Content != "on 2025-10-01 [key] said" {
		t.Errorf("%+v, %v", reply, err)
	}
	if got["enable_thinking"] != false || got["temperature"] != 1.0 || header.Get("X-Team") != "horse-battery" || header.Get("Authorization") != "Bearer key" {
		t.Errorf("%v %v", got, header)
	}
}

func TestClient_Request(t *testing.T) {
	zero, one := 0.0, 1.0
	url, asked := picky(t, func(sent) (int, string) { return 0, "" })
	c, err := New(model.Settings{Model: "m", BaseURL: url, Temperature: &zero, TopP: &one}, noon)
	if err != nil {
		t.Fatal(err)
	}
	call := model.Call{ID: "a", Tool: "buy", Arguments: "{}"}
	if _, err := c.Complete(t.Context(), model.Request{Messages: []model.Message{{Role: "user", Content: "<a>"}, {Role: "assistant", Calls: []model.Call{call}}, {Role: "tool", CallID: "a", Content: "x"}}}); err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal((*asked)[0])
	const want = `{"messages":[{"content":"\u003ca\u003e","role":"user"},{"content":"","role":"assistant","tool_calls":[{"function":{"arguments":"{}","name":"buy"},"id":"a","type":"function"}]},` +
		`{"content":"x","role":"tool","tool_call_id":"a"}],"model":"m","temperature":0,"top_p":1}`
	if string(text) != want {
		t.Errorf("sent\n%s\nwant\n%s", text, want)
	}
}
