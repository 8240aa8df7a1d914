// What Anthropic's Messages API sends, and what it wants back.

package modeltest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"mcp-trade/agent/model"
)

// allMessagesScenarios are those of the Messages API: its own, and of chatScenarios those whose replies any API can send.
func allMessagesScenarios() []Scenario {
	shared := slices.DeleteFunc(chatScenarios(), func(s Scenario) bool {
		return s.Refuse != nil || slices.ContainsFunc(s.Replies, func(r Reply) bool { return r.Status == 0 && r.Body+r.Events != "" })
	})
	return append(shared, messagesScenarios()...)
}

// blocks are blocks as a reply, whole and streamed.
func blocks(stop string, all ...messagesBlock) Reply {
	const usage = `{"input_tokens":20,"cache_creation_input_tokens":1500,"cache_read_input_tokens":6000,"output_tokens":300}`
	return raw(fmt.Sprintf(`{"type":"message","role":"assistant","content":%s,"stop_reason":%q,"usage":%s}`, encode(all), stop, usage), messagesEvents(stop, usage, all...))
}

func toolUse(id, arguments string) messagesBlock {
	return messagesBlock{Type: "tool_use", ID: id, Name: "buy", Input: json.RawMessage(arguments)}
}

// before is the text that must stand in every request but the first.
func before(text string) func(Request) *Reply {
	return unless(400, `{"type":"error","error":{"type":"invalid_request_error","message":"blocks in the latest assistant message cannot be modified"}}`, text)
}

func messagesScenarios() []Scenario {
	once, both := []string{"buy 1 SYN01"}, []string{"buy 1 SYN01", "buy 2 SYN02"}
	buy := Order("buy", "SYN01", 1)
	fault := func(status int, kind, message string) Reply {
		return *wrong(status, fmt.Sprintf(`{"type":"error","error":{"type":%q,"message":%q},"request_id":"req_1"}`, kind, message))
	}
	overloaded := fault(529, "overloaded_error", "Overloaded")
	whole := blocks("tool_use", toolUse("toolu_1", one))
	bytewise := blocks("tool_use", toolUse("toolu_1", `{"symbol":"SYN01","amount":1,"note":"größer"}`))
	bytewise.Bytewise, bytewise.Events = true, strings.ReplaceAll(bytewise.Events, "\n", "\r\n")
	const none = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"content\":[]}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
	broken := whole.Events[:strings.Index(whole.Events, "event: message_delta")]
	return []Scenario{
		{Name: "thoughts, a text and two calls", Replies: []Reply{blocks("tool_use", messagesBlock{Type: "thinking", Thinking: "hm", Signature: "c2ln"}, messagesBlock{Type: "text", Text: "ok"}, toolUse("toolu_1", one), toolUse("toolu_2", two))},
			Refuse: before(`[{"signature":"c2ln","thinking":"hm","type":"thinking"},{"text":"ok","type":"text"},{"id":"toolu_1","input":` + one + `,"name":"buy","type":"tool_use"},{"id":"toolu_2",`), Booked: both, Requests: 2},
		{Name: "a thought that is not shown, and one that is not known", Replies: []Reply{raw(
			`{"type":"message","content":[{"type":"redacted_thinking","data":"b3BhcXVl"},`+whole.Body[strings.Index(whole.Body, `{"type":"tool_use"`):],
			strings.Replace(strings.ReplaceAll(whole.Events, `"index":0`, `"index":1`), "event: content_block_start",
				"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"redacted_thinking\",\"data\":\"b3BhcXVl\"}}\n\nevent: unheard_of\ndata: {\"type\":\"unheard_of\"}\n\nevent: content_block_start", 1))},
			Refuse: before(`{"data":"b3BhcXVl","type":"redacted_thinking"}`), Booked: once, Requests: 2},
		{Name: "a whole call, and then an error", Replies: []Reply{raw(`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`,
			broken+"event: error\ndata: {\"type\":\"error\",\"error\":{\"details\":null,\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"), Do(buy)}, Booked: once, Requests: 3},
		{Name: "a whole call, and no end", Replies: []Reply{raw(whole.Body[:len(whole.Body)/2], broken), Do(buy)}, Booked: once, Requests: 3},
		{Name: "a refusal behind a call", Replies: []Reply{blocks("refusal", toolUse("toolu_1", one))}, Says: "Not carried out: the reply ended as a refusal", Requests: 1},
		{Name: "a turn that is paused", Replies: []Reply{blocks("pause_turn", messagesBlock{Type: "text", Text: "Wait."}), blocks("tool_use", toolUse("toolu_1", one))}, Refuse: func(r Request) *Reply {
			if r.Number == 1 && !strings.Contains(r.Body, `{"role":"assistant","content":[{"text":"Wait.","type":"text"}]}]`) {
				return wrong(400, `{"type":"error","error":{"type":"invalid_request_error","message":"not as it was"}}`)
			}
			return nil
		}, Booked: once, Requests: 3},
		{Name: "overloaded three times", Replies: []Reply{overloaded, overloaded, overloaded, Do(buy)}, Booked: once, Requests: 5},
		{Name: "a limit of spending", Replies: []Reply{*wrong(429, `{"type":"error","error":{"type":"rate_limit_error","message":"This would exceed your spend limit","details":{"error_code":"enforced_spend_limit_reached"}}}`)}, Fails: "top it up", Requests: 1},
		{Name: "nothing behind the results", Replies: []Reply{Do(buy), blocks("end_turn")}, Booked: once, Requests: 3},
		{Name: "byte by byte", Replies: []Reply{bytewise}, Refuse: before("größer"), Booked: once, Requests: 2},
		{Name: "fields of other kinds", Replies: []Reply{raw(
			strings.NewReplacer(`"type":"message"`, `"type":"message","id":123,"created":"1700000000.5"`, `"input_tokens":20`, `"input_tokens":"20"`).Replace(whole.Body),
			strings.NewReplacer(`"index":0`, `"index":"0","id":7`, `"input_tokens":20`, `"input_tokens":20.5`).Replace(whole.Events))}, Booked: once, Requests: 2},
		{Name: "pings and comments while it thinks", Replies: []Reply{raw(strings.Repeat("\n", 400)+whole.Body,
			strings.Repeat(keep+"event: ping\ndata: {\"type\": \"ping\"}\n\n", 400)+whole.Events)}, Booked: once, Requests: 2},
		{Name: "calls without an id", Replies: []Reply{blocks("tool_use", toolUse("", one)), blocks("tool_use", toolUse("", two))}, Booked: both, Requests: 3},
		{Name: "a network error as a reason", Replies: []Reply{blocks("network_error"), blocks("network_error", toolUse("toolu_1", one)), Do(buy)}, Booked: once, Requests: 4},
		{Name: "no content", Replies: []Reply{raw(`{"type":"message","role":"assistant","content":[],"stop_reason":null}`, none), {Body: `{"content":null}`}, Do(buy)}, Booked: once, Requests: 4},
		{Name: "an input that is cut off", Replies: []Reply{blocks("max_tokens", toolUse("toolu_1", one))}, Says: "your reply was cut off"},
		{Name: "a context that is full", Replies: []Reply{blocks("model_context_window_exceeded", toolUse("toolu_1", one))}, Says: "your reply was cut off"},
		{Name: "settings that the model does not know", Replies: []Reply{Do(buy)}, Settings: func(s *model.Settings) { warm := 0.3; s.Temperature, s.ReasoningEffort = &warm, "low" }, Refuse: func(r Request) *Reply {
			for text, says := range map[string]string{`"temperature"`: "`temperature` is deprecated for this model.", "adaptive": "adaptive thinking is not supported on this model", "cache_control": "cache_control: Extra inputs are not permitted"} {
				if strings.Contains(r.Body, text) {
					refusal := fault(400, "invalid_request_error", says)
					return &refusal
				}
			}
			if !strings.Contains(r.Body, `"thinking":{"budget_tokens":2048,"type":"enabled"}`) {
				refusal := fault(400, "invalid_request_error", "no thought")
				return &refusal
			}
			return nil
		}, Booked: once, Requests: 5},
		{Name: "a prompt that is too long", Replies: []Reply{{Text: strings.Repeat("long ", 4000), Calls: []Call{buy}}, {Text: strings.Repeat("long ", 4000), Calls: []Call{To("get_portfolio", nil)}}}, Refuse: func(r Request) *Reply {
			if len(r.Body) < 45_000 {
				return nil
			}
			refusal := fault(400, "invalid_request_error", "prompt is too long: 17000 tokens > 12800 maximum")
			return &refusal
		}, Booked: once, Requests: 4, Says: "the conversation is shortened"},
	}
}
