// Days of a model whose API sends what the real ones send, good and bad. Each is played whole and streamed, through the client of
// the API and the day's conversation, and must come to the same trades.

package modeltest

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"mcp-trade/agent/model"
)

// Scenario is what an API sends in a day, and what must come of it.
type Scenario struct {
	Name     string
	Replies  []Reply               // one a request, in order; after them the model ends the day
	Refuse   func(Request) *Reply  // answers a request that is not as it must be, and uses up no reply; nil: takes every one
	Settings func(*model.Settings) // on top of the usual ones; nil: none

	Booked   []string      // trades in the ledger, such as "buy 1 SYN01"
	Requests int           // how many there are; 0: that does not matter
	Waited   time.Duration // between tries; 0: that does not matter
	Says     string        // is logged, or said to the model
	Fails    string        // the account stops, and says so
}

// Script plays a scenario.
func (s Scenario) Script() Script {
	var mu sync.Mutex
	used := 0
	return func(r Request) Reply {
		mu.Lock()
		defer mu.Unlock()
		if s.Refuse != nil {
			if refusal := s.Refuse(r); refusal != nil {
				return *refusal
			}
		}
		if used++; used > len(s.Replies) {
			return Say("Done. <FINISH_SIGNAL>")
		}
		return s.Replies[used-1]
	}
}

// Seeds are the bodies of the replies of the scenarios of an API, whole and as events, for fuzzing to begin with.
func Seeds(api string) (whole, streamed []string) {
	for _, s := range Scenarios(api) {
		for _, r := range s.Replies {
			if r.Body != "" {
				whole = append(whole, r.Body)
			}
			if r.Events != "" {
				streamed = append(streamed, r.Events)
			}
		}
	}
	return whole, streamed
}

// message is a whole reply with a message of such fields.
func message(fields, finish string) string {
	return fmt.Sprintf(`{"choices":[{"index":0,"message":{"role":"assistant",%s},"finish_reason":%q}],"usage":{"prompt_tokens":900,"completion_tokens":20}}`, fields, finish)
}

// chunks are a stream of deltas of such fields.
func chunks(finish string, deltas ...string) string {
	var all strings.Builder
	for _, d := range deltas {
		fmt.Fprintf(&all, "data: {\"choices\":[{\"index\":0,\"delta\":{%s},\"finish_reason\":null}]}\n\n", d)
	}
	fmt.Fprintf(&all, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":%q}],\"usage\":{\"prompt_tokens\":900,\"completion_tokens\":20}}\n\ndata: [DONE]\n\n", finish)
	return all.String()
}

// raw is a reply as it stands, whole and streamed.
func raw(whole, streamed string) Reply { return Reply{Body: whole, Events: streamed} }

// same is a reply whose message has the same fields whole and as the one delta of a stream.
func same(fields, finish string) Reply { return raw(message(fields, finish), chunks(finish, fields)) }

// made is a list of calls with one call of such fields.
func made(fields ...string) string {
	return `"tool_calls":[{` + strings.Join(fields, "},{") + `}]`
}

// order is a call as text: its own fields, and those of its function.
func order(fields, name, arguments string) string {
	return strings.Trim(fmt.Sprintf(`%s,"function":{"name":%q,"arguments":%s}`, fields, name, arguments), ",")
}

// quoted is text as a JSON string.
func quoted(text string) string { return encode(text) }

// wrong is a refusal.
func wrong(status int, body string, header ...string) *Reply {
	r := Reply{Status: status, Body: body, Header: map[string]string{}}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header[header[i]] = header[i+1]
	}
	return &r
}

// unless refuses a request that misses a text, from the second one on, or has one that it must not have.
func unless(status int, body string, needs string, not ...string) func(Request) *Reply {
	return func(r Request) *Reply {
		if r.Turn > 0 && !strings.Contains(r.Body, needs) {
			return wrong(status, body)
		}
		for _, text := range not {
			if strings.Contains(r.Body, text) {
				return wrong(status, body)
			}
		}
		return nil
	}
}

const (
	one   = `{"symbol":"SYN01","amount":1}`
	two   = `{"symbol":"SYN02","amount":2}`
	half  = `{"symbol":"SYN01",`
	rest  = `"amount":1}`
	keep  = ": keep-alive\n\n"
	aCall = `"id":"call_a","type":"function"`
)

// chatScenarios are those of the chat completions API, at every provider.
func chatScenarios() []Scenario {
	buy, buyTwo := Order("buy", "SYN01", 1), Order("buy", "SYN02", 2)
	once := []string{"buy 1 SYN01"}
	call := same(`"content":null,`+made(`"index":0,`+order(aCall, "buy", quoted(one))), "tool_calls")
	return append(append(calls(), faults()...), []Scenario{
		{Name: "a call, and a text that ends the day", Replies: []Reply{Do(buy)}, Booked: once, Requests: 2},
		{Name: "byte by byte", Replies: []Reply{{Bytewise: true,
			Body:   message(made(order(aCall, "buy", quoted(`{"symbol":"SYN01","amount":1,"note":"größer"}`))), "tool_calls"),
			Events: strings.ReplaceAll(chunks("tool_calls", made(`"index":0,`+order(aCall, "buy", quoted(`{"symbol":"SYN01","amount":1,`))), made(`"index":0,"function":{"arguments":"\"note\":\"größer\"}"}`)), "\n", "\r\n")}},
			Refuse: unless(400, "", "größer"), Booked: once, Requests: 2},
		{Name: "two calls, piece by piece in turns", Replies: []Reply{raw(
			message(made(order(`"id":"a"`, "buy", quoted(two)), order(`"id":"b"`, "sell", quoted(`{"symbol":"SYN02","amount":1}`))), "tool_calls"),
			chunks("tool_calls", made(`"index":0,`+order(`"id":"a"`, "buy", `"{\"symbol\":\"SYN02\","`)), made(`"index":1,`+order(`"id":"b"`, "sell", `"{\"symbol\":"`)),
				made(`"index":0,"function":{"arguments":"\"amount\":2}"}`), made(`"index":1,"function":{"arguments":"\"SYN02\",\"amount\":1}"}`)))},
			Booked: []string{"buy 2 SYN02", "sell 1 SYN02"}, Requests: 2},
		{Name: "the same call twice in a turn", Replies: []Reply{Do(buy, buy)}, Booked: []string{"buy 1 SYN01", "buy 1 SYN01"}},
		{Name: "a connection cut in a call", Replies: []Reply{{Calls: []Call{buy}, Cut: true}, Do(buy)}, Booked: once, Requests: 3},
		{Name: "a call without an end", Replies: []Reply{raw(strings.TrimSuffix(message(made(order(aCall, "buy", quoted(one))), "tool_calls"), "}"),
			"data: {\"choices\":[{\"delta\":{"+made(`"index":0,`+order(aCall, "buy", quoted(one)))+"}}]}\n\ndata: [DONE]\n\n"), Do(buy)}, Booked: once, Requests: 3},
		{Name: "a call that is cut off and valid by chance", Replies: []Reply{{Calls: []Call{buy}, Finish: "length"}, Do(buyTwo)}, Booked: []string{"buy 2 SYN02"}, Says: "your reply was cut off"},
		{Name: "a call that a filter ended", Replies: []Reply{{Calls: []Call{buy}, Finish: "content_filter"}}, Says: "a content filter of the API ended your reply"},
		{Name: "a filter, twice", Replies: []Reply{same(`"content":null`, "content_filter"), same(`"content":null`, "content_filter")}, Says: "a content filter of the API ended the model's reply, twice", Requests: 2},
		{Name: "a refusal", Replies: []Reply{{Refusal: "I cannot trade."}}, Says: "the model refused", Requests: 1},
		{Name: "an amount in words", Replies: []Reply{Do(Order("buy", "SYN01", "ten")), Do(buy)}, Booked: once, Requests: 3},
		{Name: "an unknown tool beside a known one", Replies: []Reply{Do(To("transfer", nil), buy)}, Booked: once, Says: "There is no tool"},
		{Name: "no usage", Replies: []Reply{{Calls: []Call{buy}, NoUsage: true}, {Calls: []Call{buyTwo}, Usage: &Usage{In: 10, Cached: 500, Out: 1}}}, Booked: []string{"buy 1 SYN01", "buy 2 SYN02"}},
		{Name: "the front of the prompt is dropped", Replies: []Reply{{Text: strings.Repeat("long ", 8000), Calls: []Call{buy}}, {Calls: []Call{buyTwo}, Usage: &Usage{In: 2051, Out: 9}}},
			Booked: []string{"buy 1 SYN01", "buy 2 SYN02"}, Says: "may have dropped the front of the conversation"},
		{Name: "a call that is announced", Replies: []Reply{Say("Let me first look at the price of SYN01."), Do(buy)}, Booked: once, Requests: 3},
		{Name: "a call in the text", Replies: []Reply{Say(`<tool_call>{"name":"buy","arguments":%s}</tool_call>`, one), Do(buy)}, Booked: once, Says: "wrote a tool call as text"},
		{Name: "a call as bare JSON", Replies: []Reply{Say(`{"name":"buy","arguments":%s}`, one), Do(buy)}, Booked: once, Says: "is asked for a real one"},
		{Name: "the signal among thoughts", Replies: []Reply{{Text: "<think>At the end I write <FINISH_SIGNAL>.</think>", Calls: []Call{To("get_portfolio", nil)}}, Do(buy)}, Booked: once, Requests: 3},
		{Name: "three thousand calls", Replies: []Reply{{Calls: manyCalls(3000)}}, Refuse: func(r Request) *Reply {
			if len(r.Body) > 100_000 {
				return wrong(413, `{"error":{"message":"too large"}}`)
			}
			return nil
		}, Says: "Not carried out: calls 65 to 3000", Requests: 2},
		{Name: "Azure: a first piece without choices", Replies: []Reply{raw(
			`{"prompt_filter_results":[{"prompt_index":0}],`+message(made(order(aCall, "buy", quoted(one))), "tool_calls")[1:],
			`data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false}}}]}`+"\n\n"+call.Events)}, Booked: once},
	}...)
}

func manyCalls(n int) []Call {
	calls := make([]Call, n)
	for i := range calls {
		calls[i] = Call{ID: fmt.Sprint("c", i), Tool: "get_session", Arguments: "{}"}
	}
	return calls
}

// calls are the forms in which providers send calls and thoughts, and want them back.
func calls() []Scenario {
	once, both := []string{"buy 1 SYN01"}, []string{"buy 1 SYN01", "buy 2 SYN02"}
	return []Scenario{
		{Name: "arguments that are cut off", Replies: []Reply{Do(Call{Tool: "buy", Arguments: half}), Do(Order("buy", "SYN01", 1))}, Booked: once, Says: "cannot be understood"},
		{Name: "arguments in a text in a text", Replies: []Reply{Do(Call{Tool: "buy", Arguments: quoted(one)})}, Booked: once},
		{Name: "arguments as an object", Replies: []Reply{same(made(`"index":0,`+order(aCall, "buy", one)), "tool_calls")}, Booked: once},
		{Name: "a name in a name space", Replies: []Reply{Do(Call{ID: "functions.buy:0", Tool: "functions.buy", Arguments: one})}, Booked: once},
		{Name: "fields of other kinds", Replies: []Reply{raw(`{"id":123,"created":"1700000000.5",`+message(made(order(aCall, "buy", quoted(one))), "tool_calls")[1:],
			strings.ReplaceAll(chunks("tool_calls", made(`"index":0,`+order(aCall, "buy", quoted(one)))), `{"choices"`, `{"id":123,"created":1700000000.123,"choices"`))}, Booked: once},
		{Name: "Gemini: parallel calls of one number, the first signed", Replies: []Reply{raw(
			message(made(order(aCall, "buy", quoted(one))+`,"extra_content":{"google":{"thought_signature":"QQ=="}}`, order(`"id":"call_b"`, "buy", quoted(two))), "tool_calls"),
			chunks("stop", made(`"index":0,`+order(aCall, "buy", quoted(one))+`,"extra_content":{"google":{"thought_signature":"QQ=="}}`), made(`"index":0,`+order(`"id":"call_b"`, "buy", quoted(two)))))},
			Refuse: unless(400, `[{"error":{"code":400,"message":"Function call is missing a thought_signature in functionCall parts.","status":"INVALID_ARGUMENT"}}]`,
				`"extra_content":{"google":{"thought_signature":"QQ=="}}},{"id":"call_b"`), Booked: both, Requests: 2},
		{Name: "Gemini: a call without id and number", Replies: []Reply{same(made(order(`"type":"function"`, "buy", quoted(one))), "stop")}, Booked: once, Requests: 2},
		{Name: "Gemini: empty ids, each turn signed", Replies: []Reply{
			same(made(`"index":0,`+order(`"id":""`, "buy", quoted(one))+`,"extra_content":{"google":{"thought_signature":"SIG0"}}`), "stop"),
			same(made(`"index":0,`+order(`"id":""`, "buy", quoted(two))+`,"extra_content":{"google":{"thought_signature":"SIG1"}}`), "stop")},
			Refuse: func(r Request) *Reply {
				for turn := range r.Turn {
					if strings.Count(r.Body, fmt.Sprintf("SIG%d", turn)) != 1 {
						return wrong(400, `{"error":{"message":"a signature is missing"}}`)
					}
				}
				return nil
			}, Booked: both},
		{Name: "DeepSeek: comments, and empty reasoning that must come back", Replies: []Reply{raw(
			strings.Repeat("\n", 400)+message(`"content":"","reasoning_content":"",`+made(order(aCall, "buy", quoted(one))), "tool_calls"),
			strings.Repeat(keep, 400)+chunks("tool_calls", `"content":"","reasoning_content":""`, made(`"index":0,`+order(aCall, "buy", quoted(one)))))},
			Refuse: unless(400, `{"error":{"message":"The reasoning_content in the thinking mode must be passed back to the API."}}`, `"reasoning_content":""`), Booked: once, Requests: 2},
		{Name: "reasoning under another name", Replies: []Reply{same(`"reasoning":"SYN01 is cheap",`+made(`"index":0,`+order(aCall, "buy", quoted(one))), "tool_calls")},
			Refuse: unless(400, `{"error":{"message":"reasoning is missing"}}`, `"reasoning":"SYN01 is cheap"`), Booked: once, Requests: 2},
		{Name: "OpenRouter: details of a reasoning must come back", Replies: []Reply{same(`"reasoning_details":[{"type":"reasoning.encrypted","data":"AAAA","index":0}],`+made(`"index":0,`+order(aCall, "buy", quoted(one))), "tool_calls")},
			Refuse: unless(400, `{"error":{"message":"reasoning details are missing"}}`, `"reasoning_details":[{"data":"AAAA","index":0,"type":"reasoning.encrypted"}]`), Booked: once, Requests: 2},
		{Name: "Kimi: the id of a call recurs in the next turn", Replies: []Reply{
			Do(Call{ID: "buy:0", Tool: "buy", Arguments: one}), Do(Call{ID: "buy:0", Tool: "buy", Arguments: two})}, Booked: both, Requests: 3},
		{Name: "MiniMax: a name in each piece", Replies: []Reply{
			raw(message(made(order(aCall, "buy", quoted(one))), "tool_calls"),
				chunks("tool_calls", made(`"index":0,`+order(aCall, "buy", quoted(half))), made(`"index":0,`+order(`"id":""`, "buy", quoted(rest))))),
			{Body: `{"base_resp":{"status_code":1002,"status_msg":"rate limit"},"choices":null}`}, Say("Done. <FINISH_SIGNAL>")}, Booked: once, Requests: 3},
		{Name: "Qwen: empty ids and arguments behind", Replies: []Reply{raw(message(made(order(aCall, "buy", quoted(one))), "tool_calls"),
			chunks("tool_calls", made(`"index":0,`+order(aCall, "buy", quoted(half))), `"content":null,`+made(`"index":0,"id":"","type":"function","function":{"arguments":`+quoted(rest)+`}`), made(`"index":0,"id":"","function":{"arguments":""}`)))},
			Refuse: unless(400, "", `"id":"call_a"`), Booked: once, Requests: 2},
		{Name: "Mistral: thoughts among the parts", Replies: []Reply{raw(
			message(`"content":[{"type":"thinking","thinking":[{"type":"text","text":"hmm"}]},{"type":"text","text":"I buy."}],`+made(order(aCall, "buy", quoted(one))), "tool_calls"),
			chunks("tool_calls", `"content":[{"type":"thinking","thinking":[{"type":"text","text":"hmm"}]}]`, `"content":"I buy."`, made(order(aCall, "buy", quoted(one)))))},
			Refuse: unless(400, "", `{"text":"I buy.","type":"text"}`, "reasoning_content"), Booked: once, Requests: 2},
		{Name: "Mistral: short ids, and no user behind a result", Replies: []Reply{Do(Call{ID: "call_00_a_long_one", Tool: "buy", Arguments: one}), Say("")}, Refuse: mistral, Booked: once, Requests: 5},
	}
}

// mistral refuses what Mistral refuses of a conversation.
func mistral(r Request) *Reply {
	for i, m := range r.Messages {
		for _, c := range m.Calls {
			if len(c.ID) != 9 {
				return wrong(400, `{"object":"error","message":"Tool call id was `+c.ID+` but must be a-z, A-Z, 0-9, with a length of 9.","type":"invalid_function_call","param":null,"code":"3280"}`)
			}
		}
		if i > 0 && m.Role == "user" && r.Messages[i-1].Role == "tool" {
			return wrong(400, `{"object":"error","message":"Unexpected role 'user' after role 'tool'","type":"invalid_request_message_order","param":null,"code":"3230"}`)
		}
	}
	return nil
}

// faults are what providers send when something goes wrong.
func faults() []Scenario {
	buy := Order("buy", "SYN01", 1)
	once := []string{"buy 1 SYN01"}
	refused := func(status int, body string, header ...string) []Reply {
		return []Reply{*wrong(status, body, header...), Do(buy)}
	}
	warm := func(s *model.Settings) { zero := 0.3; s.MaxTokens, s.Temperature = 500, &zero }
	all := []Scenario{
		{Name: "a limit in milliseconds and in seconds", Replies: refused(429, `{"error":{"message":"Rate limit reached","type":"tokens","code":"rate_limit_exceeded"}}`, "Retry-After-Ms", "1500", "Retry-After", "60"),
			Booked: once, Waited: 1500 * time.Millisecond, Requests: 3},
		{Name: "no money", Replies: refused(429, `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"credit_balance_exhausted"}}`, "Retry-After", "60"), Fails: "top it up", Requests: 1},
		{Name: "a fault that the API calls lasting", Replies: refused(500, `{"error":{"message":"no"}}`, "X-Should-Retry", "false"), Fails: "answers 500", Requests: 1},
		{Name: "settings that the model does not know", Replies: []Reply{Do(buy)}, Settings: warm, Refuse: func(r Request) *Reply {
			switch {
			case r.Fields["max_tokens"] != nil:
				return wrong(400, `{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}`)
			case r.Fields["temperature"] != nil:
				return wrong(400, `{"error":{"message":"Unsupported value: 'temperature' does not support 0.3 with this model.","type":"invalid_request_error","param":"temperature","code":"unsupported_value"}}`)
			}
			return nil
		}, Booked: once, Requests: 4},
		{Name: "a conversation that is too long", Replies: []Reply{{Text: strings.Repeat("long ", 4000), Calls: []Call{buy}}, {Text: strings.Repeat("long ", 4000), Calls: []Call{To("get_portfolio", nil)}}},
			Refuse: func(r Request) *Reply {
				if len(r.Body) < 45_000 {
					return nil
				}
				return wrong(400, `{"error":{"message":"This model's maximum context length is 12800 tokens. However, your messages resulted in 17000 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`)
			}, Booked: once, Requests: 4, Says: "the conversation is shortened"},
		{Name: "a prompt that a filter refuses", Replies: refused(400, `{"error":{"message":"The response was filtered due to the prompt triggering a policy","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}`),
			Fails: "filtered due to the prompt", Requests: 1},
		{Name: "Gemini: schemas that it does not know", Replies: []Reply{Do(buy)}, Refuse: func(r Request) *Reply {
			if strings.Contains(r.Body, "additionalProperties") || strings.Contains(r.Body, `"null"`) {
				return wrong(400, `[{"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \"additionalProperties\" at 'tools[0].function_declarations[0].parameters': Cannot find field.","status":"INVALID_ARGUMENT"}}]`)
			}
			return nil
		}, Booked: once, Requests: 3},
		{Name: "DeepSeek: a call of a server without resources", Replies: []Reply{{Calls: []Call{buy}, Finish: "insufficient_system_resource"}, Do(buy)}, Booked: once, Requests: 3},
		{Name: "an error in a choice", Replies: []Reply{
			raw(`{"choices":[{"index":0,"message":{"role":"assistant","content":""},"finish_reason":"error","error":{"code":502,"message":"gone"}}]}`,
				"data: {\"error\":{\"code\":502,\"message\":\"gone\"},\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\"}]}\n\n"),
			same(`"content":""`, "error"), Do(buy)}, Booked: once, Requests: 4},
		{Name: "a network error as a reason", Replies: []Reply{same(`"content":""`, "network_error"), same(`"content":""`, "network_error"), Do(buy)}, Booked: once, Requests: 4},
		{Name: "no choices", Replies: []Reply{{Body: `{"choices":[]}`}, {Body: `{"choices":null}`}, Do(buy)}, Booked: once, Requests: 4},
		{Name: "OpenRouter: half a call, then an error without choices", Replies: []Reply{raw(`{"error":{"code":502,"message":"Provider returned error","metadata":{"raw":"the reason of it","provider_name":"X"}}}`,
			": OPENROUTER PROCESSING\n\ndata: {\"choices\":[{\"delta\":{"+made(`"index":0,`+order(aCall, "buy", quoted(half)))+"}}]}\n\n"+
				"data: {\"error\":{\"code\":502,\"message\":\"Provider returned error\",\"metadata\":{\"raw\":\"the reason of it\"}},\"choices\":[]}\n\ndata: [DONE]\n\n"), Do(buy)},
			Booked: once, Requests: 3, Says: "the reason of it"},
		{Name: "Groq: a call that its server cannot read", Replies: []Reply{
			{Status: 400, Body: `{"error":{"message":"Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"<function=buy>{\"symbol\":\"SYN05\",\"amount\":7}"}}`},
			Do(buy)}, Booked: once, Requests: 3},
		{Name: "a page in place of a reply", Replies: []Reply{{Body: "<html>Bad gateway</html>"}, Do(buy)}, Booked: once, Requests: 3},
		{Name: "a key that is wrong", Replies: []Reply{*wrong(401, `{"error":{"message":"Incorrect API key provided"}}`)}, Fails: "set the key in the variable that api_key_env names", Requests: 1},
	}
	for _, status := range []int{408, 409, 425, 499, 500, 502, 503, 520, 529} {
		all = append(all, Scenario{Name: fmt.Sprint("status ", status), Replies: []Reply{*wrong(status, http.StatusText(status)), Do(buy)}, Booked: once, Requests: 3})
	}
	return all
}
