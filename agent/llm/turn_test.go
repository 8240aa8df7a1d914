package llm

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mcp-trade/agent/model"
	"mcp-trade/agent/transcript"
)

// some are tools to speak of.
var some = &toolCatalog{tools: []tool{{Tool: model.Tool{Name: "buy"}, order: true}, {Tool: model.Tool{Name: "get_price"}}, {Tool: model.Tool{Name: "desk_buy"}}}}

func TestToolCatalog_Find(t *testing.T) {
	for name, want := range map[string]string{
		"buy": "buy", "functions.buy": "buy", "functions.buy:0": "buy", "default_api:buy": "buy", "default_api.get_price": "get_price", "tools.buy": "buy",
		"buy<|channel|>commentary": "buy", "<|constrain|>buy": "buy", "functions.get_price<|constrain|>json": "get_price", " buy\n": "buy", "`buy`": "buy",
		"desk.buy": "", "buybuy": "", "purchase": "", "": "", "<||>": "",
	} {
		got, ok := some.find(name)
		if got.Name != want || ok != (want != "") {
			t.Errorf("%q is %q, want %q", name, got.Name, want)
		}
	}
}

func TestToolCatalog_HoldsCall(t *testing.T) {
	for text, want := range map[string]bool{
		`<tool_call>{"name":"buy","arguments":{"symbol":"AAPL"}}</tool_call>`:               true,
		`{"name":"buy","arguments":{"symbol":"AAPL","amount":5}}`:                           true,
		"I buy.\n```json\n{\"tool\": \"functions.buy\", \"parameters\": {}}\n```":           true,
		`<function=buy>{"symbol":"AAPL"}</function>`:                                        true,
		"<｜DSML｜function_calls><｜DSML｜invoke name=\"buy\">":                                 true,
		`[TOOL_CALLS][{"name":"buy"}]`:                                                      true,
		`]<]minimax[>[<invoke name="buy">`:                                                  true,
		"I hold {for now}. {\"name\":\"Apple\",\"arguments\":1}":                            false,
		`The price {"symbol":"AAPL","amount":5} is fine.`:                                   false,
		"Let me look at the price history of AAPL first. Then I will buy 5 of it, perhaps.": false,
		strings.Repeat("{", 10_000):                                                         false,
	} {
		if got := some.holdsCall(text); got != want {
			t.Errorf("%.60s: %v", text, got)
		}
	}
}

func TestToolCatalog_CallsIn(t *testing.T) {
	for text, want := range map[string]string{
		`<tool_call>{"name":"buy","arguments":{"symbol":"AAPL"}}</tool_call> and <tool_call>{"name":"functions.get_price","arguments":"{\"symbol\":\"A\"}"}</tool_call>`: `text_3_1 buy {"symbol":"AAPL"}, text_3_2 functions.get_price "{\"symbol\":\"A\"}"`,
		`[{"name":"buy","parameters":{"a":{"b":1}}},{"name":"sing","parameters":{}}]`:                                                                                    `text_3_1 buy {"a":{"b":1}}`,
		`<function=buy>{"symbol":"AAPL"}</function>`: `text_3_1 buy {"symbol":"AAPL"}`,
		`<function=buy> as {"symbol":"AAPL"}`:        "",
		`{"name":"buy"} {"name":"buy","arguments":{`: "",
	} {
		var got []string
		for _, c := range some.callsIn(text, 3) {
			got = append(got, fmt.Sprintf("%s %s %s", c.ID, c.Tool, c.Arguments))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %q, want %s", text, got, want)
		}
	}
}

func TestTrader_Decide_TextCalls(t *testing.T) {
	text := model.Reply{Message: model.Message{Role: "assistant", Content: `<think>{"name":"buy","arguments":{"symbol":"NO"}}</think><tool_call>{"name":"buy","arguments":{"symbol":"AAPL"}}</tool_call>`}, Finish: "stop"}
	cut := text
	cut.Finish = "length"
	p, _, err := trade(t, Options{TextCalls: true}, false, cut, text)
	if got := strings.Join(p.called, ", "); err != nil || got != `buy "AAPL" "2025-01-02#2.1"` {
		t.Errorf("%s, %v", got, err)
	}
}

func TestWithoutThoughts(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                                       "plain",
		"<think>a <FINISH_SIGNAL></think>b":           "b",
		"a<think>b</think>c<think>d</think>e":         "ace",
		"template opened it <FINISH_SIGNAL></think>b": "b",
		"a<think>never closed <FINISH_SIGNAL>":        "a",
		"<thinking>a</thinking>b<think>c</think>":     "b",
		"</think></think>":                            "",
	} {
		if got := withoutThoughts(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestSentArguments(t *testing.T) {
	for text, want := range map[string]string{
		`{"symbol": "AAPL", "amount": 5}`: `{"symbol": "AAPL", "amount": 5}`, // as it was written
		`{"symbol": "AAPL", "amount": 5`:  `{}`,
		`"{\"symbol\": \"<A>\"}"`:         `{"symbol":"<A>"}`,
		`{"amount": 5} as discussed`:      `{"amount":5}`,
		`{"amount": 1, "amount": 50}`:     `{"amount": 1, "amount": 50}`, // it is told that it is there twice
		"":                                `{}`,
		"null":                            `{}`,
		"[1]":                             `{}`,
		`{"a":"` + strings.Repeat("x", maxArguments) + `"}`: `{}`,
	} {
		if got := sentArguments(text); got != want {
			t.Errorf("%.40s is sent as %.40s, want %s", text, got, want)
		}
	}
}

// said is a transcript of turns whose calls are all answered.
func said(turns ...model.Message) []transcript.Entry {
	entries := []transcript.Entry{{Begin: &transcript.Begin{Messages: []model.Message{{Role: "system", Content: "s"}, {Role: "user", Content: "u"}}}}}
	for i, m := range turns {
		m.Role = "assistant"
		entries = append(entries, transcript.Entry{Reply: &transcript.Reply{Step: i + 1, Message: m}})
		for j := range m.Calls[:min(len(m.Calls), maxCalls+1)] {
			entries = append(entries, transcript.Entry{Result: &transcript.Outcome{Step: i + 1, Call: j + 1, Content: fmt.Sprint("r", j+1)}})
		}
	}
	return entries
}

func TestToolCatalog_Conversation(t *testing.T) {
	signed := func(id, sign string) model.Call {
		return model.Call{ID: id, Tool: "functions.buy", Arguments: `{"a":`, Extra: json.RawMessage(`"` + sign + `"`)}
	}
	entries := said(
		model.Message{Calls: []model.Call{signed("buy:0", "s0"), signed("call_2_1", "s1")}},
		model.Message{Calls: []model.Call{signed("buy:0", "s2"), {ID: "x", Tool: strings.Repeat("ä b", 50), Arguments: "{}"}}},
		model.Message{Calls: []model.Call{signed("buy:0", "s3"), {Tool: ""}}},
	)
	before, _ := json.Marshal(entries)
	var got []string
	for _, m := range some.conversation(entries) {
		for _, c := range m.Calls {
			got = append(got, fmt.Sprintf("%s %s %s %s", c.ID, c.Tool, c.Arguments, c.Extra))
		}
		if m.Role == "tool" {
			got = append(got, m.CallID+" "+m.Content)
		}
	}
	want := []string{
		`buy:0 buy {} "s0"`, `call_2_1 buy {} "s1"`, "buy:0 r1", "call_2_1 r2",
		`call_2_65 buy {} "s2"`, "x " + strings.Repeat("__b", 21) + "_ {} ", "call_2_65 r1", "x r2",
		`call_3_1 buy {} "s3"`, "call_3_2 unknown {} ", "call_3_1 r1", "call_3_2 r2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("sent\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if after, _ := json.Marshal(entries); string(after) != string(before) {
		t.Error("the transcript is changed")
	}
	many := said(model.Message{Calls: slices.Repeat([]model.Call{{ID: "a", Tool: "buy", Arguments: "{}"}}, 3000)})
	messages := some.conversation(many)
	if n := len(messages); n != 2+1+maxCalls || messages[n-1].Content != "r64\nr65" || bytesIn(messages) > 10_000 {
		t.Errorf("3000 calls are sent as %d messages of %d bytes, the last is %q", n, bytesIn(messages), messages[n-1].Content)
	}
}

func TestDropOldTurns(t *testing.T) {
	long := strings.Repeat("x", 4000)
	messages := some.conversation(said(
		model.Message{Content: long, Calls: []model.Call{{ID: "a", Tool: "buy", Arguments: "{}"}}},
		model.Message{Content: long, Calls: []model.Call{{ID: "b", Tool: "buy", Arguments: "{}"}}},
		model.Message{Content: long, Calls: []model.Call{{ID: "c", Tool: "buy", Arguments: "{}"}}},
	))
	left := dropOldTurns(messages, 0, tokenEstimator{}, 3500)
	if len(left) != 6 || left[2].Calls[0].ID != "b" || left[3].CallID != "b" || !strings.Contains(left[1].Content, "1 turns that followed are left out") || messages[1].Content != "u" {
		t.Errorf("%+v", left)
	}
	if left = dropOldTurns(messages, 0, tokenEstimator{}, 1); len(left) != 4 || left[2].Calls[0].ID != "c" {
		t.Errorf("the newest turn does not stay: %+v", left)
	}
	if left = dropOldTurns(messages[:2], 0, tokenEstimator{}, 1); len(left) != 2 || left[1].Content != "u" {
		t.Errorf("%+v", left)
	}
}

func TestTokensLeft(t *testing.T) {
	for text, want := range map[string]int{
		"This model's maximum context length is 128000 tokens. However, your messages resulted in 256000 tokens.": 4000,
		"prompt is too long: 210000 tokens > 200000 maximum":                                                      7619,
		"too long": 5000, "the limit is 8192 tokens": 5000,
	} {
		if got := tokensLeft(text, 10_000); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}

func TestTrader_Decide_Turns(t *testing.T) {
	text := func(content string) model.Reply {
		return model.Reply{Message: model.Message{Role: "assistant", Content: content}, Finish: "stop"}
	}
	calls := func(finish string, calls ...model.Call) model.Reply {
		return model.Reply{Message: model.Message{Role: "assistant", Calls: calls}, Finish: finish}
	}
	buy := model.Call{ID: "a", Tool: "buy", Arguments: `{"symbol": "AAPL"}`}
	bad := model.Call{ID: "a", Tool: "purchase", Arguments: `{}`}
	ends := text("Done. " + StopSignal)
	thought := calls("tool_calls", buy)
	thought.Message.Content = "<think>Only when all is done I write " + StopSignal + "</think>"
	signed := calls("tool_calls", buy)
	signed.Message.Content = StopSignal
	refusal := calls("refusal", buy)
	refusal.Message.Content = "I will not"
	for _, c := range []struct {
		name    string
		replies []any
		end     string
		orders  int
		steps   int
		says    string
	}{
		{"an announcement", []any{text("Let me first look at the price history of AAPL."), calls("tool_calls", buy), ends}, transcript.EndFinished, 1, 3, ""},
		{"announcements without end", []any{text("Let me look."), text("I will look."), text("I shall look."), ends}, transcript.EndNoCalls, 0, 3, "never wrote " + StopSignal + "; it made no trade"},
		{"an announcement behind a trade", []any{calls("tool_calls", buy), text("Bought."), text("Bought."), text("Bought.")}, transcript.EndNoCalls, 1, 4, ""},
		{"a call in the text", []any{text(`<tool_call>{"name":"buy","arguments":{"symbol":"AAPL"}}</tool_call>`), calls("tool_calls", buy), ends}, transcript.EndFinished, 1, 3, "is asked for a real one"},
		{"calls in texts", []any{text(`{"name":"buy","arguments":{}}`), text(`{"name":"buy","arguments":{}}`), ends}, transcript.EndNoCalls, 0, 2, "it made no trade"},
		{"the signal among the thoughts", []any{thought, calls("tool_calls", buy), ends}, transcript.EndFinished, 2, 3, ""},
		{"the signal beside a call", []any{signed, ends}, transcript.EndFinished, 1, 2, ""},
		{"thoughts and no word", []any{text("<think>" + StopSignal + "</think>"), text("<think>hm"), ends}, transcript.EndEmpty, 0, 2, "replied nothing, twice"},
		{"a call behind which the reply is cut off", []any{calls("length", buy), calls("tool_calls", buy), ends}, transcript.EndFinished, 1, 3, ""},
		{"cut off again and again", []any{calls("length", buy), text("x"), calls("max_tokens", buy), calls("length", buy), ends}, transcript.EndCutOff, 0, 3, "max_tokens"},
		{"a filter", []any{calls("content_filter", buy), calls("tool_calls", buy), ends}, transcript.EndFinished, 1, 3, ""},
		{"filters", []any{calls("content_filter"), calls("sensitive"), ends}, transcript.EndFiltered, 0, 2, "a content filter of the API ended"},
		{"a refusal with a call", []any{refusal, ends}, transcript.EndRefused, 0, 1, "the model refused: \\\"I will not\\\""},
		{"the same mistake again and again", []any{calls("", bad), calls("", bad), calls("", bad), calls("", bad), calls("", bad), calls("", bad)}, transcript.EndRepeats, 0, 5, "the same failing call 5 times"},
		{"mistakes with a trade between", []any{calls("", bad), calls("", bad), calls("", bad), calls("", bad), calls("", buy), calls("", bad), calls("", bad), ends}, transcript.EndFinished, 1, 8, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, _, err := trade(t, Options{}, false, c.replies...)
			if err != nil {
				t.Fatal(err)
			}
			last := p.journal.Entries[len(p.journal.Entries)-1].End
			if last == nil || last.Reason != c.end || last.Steps != c.steps || len(p.called) != c.orders {
				t.Errorf("ended %+v with %d orders, want %s after %d steps with %d", last, len(p.called), c.end, c.steps, c.orders)
			}
			if said := p.log.String(); !strings.Contains(said, c.says) || c.says == "" && strings.Contains(said, "the day ended") {
				t.Errorf("said %s, want %q", said, c.says)
			}
		})
	}
}

func TestTrader_Decide_TooLong(t *testing.T) {
	long := &model.Error{Message: "This model's maximum context length is 8192 tokens. However, you asked for 9400 tokens.", Status: 400, TooLong: true}
	talk := model.Reply{Message: model.Message{Role: "assistant", Content: strings.Repeat("long ", 4000), Calls: []model.Call{{ID: "a", Tool: "buy", Arguments: `{}`}}}}
	p, waited, err := trade(t, Options{}, false, talk, talk, long)
	if err != nil || waited != 0 || len(p.called) != 2 {
		t.Fatalf("%v after %v, %d calls", err, waited, len(p.called))
	}
	if retries := p.journal.Entries[len(p.journal.Entries)-3].Retry; retries == nil || retries.Error != long.Message {
		t.Errorf("the refusal is not in the transcript: %+v", p.journal.Entries)
	}
	for name, says := range map[string][]any{"nothing to leave out": {long}, "twice": {talk, talk, long, long}} {
		if _, _, err := trade(t, Options{}, false, says...); err == nil || !strings.Contains(err.Error(), "8192 tokens") || !strings.Contains(err.Error(), "set context_size (now 128000)") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever a model wrote, what is sent back is a history that every endpoint takes.
func TestToolCatalog_Conversation_AnyTurns(t *testing.T) {
	name := regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	rapid.Check(t, func(t *rapid.T) {
		word := func(label string, some ...string) string {
			return rapid.OneOf(rapid.SampledFrom(some), rapid.String()).Draw(t, label)
		}
		var turns []model.Message
		for range rapid.IntRange(1, 6).Draw(t, "turns") {
			m := model.Message{Content: word("text", "", "x")}
			for range rapid.IntRange(0, 70).Draw(t, "calls") {
				m.Calls = append(m.Calls, model.Call{
					ID: word("id", "", "a", "call_1_1", "call_2_65"), Tool: word("tool", "buy", "functions.buy", "", "x<|y|>"),
					Arguments: word("arguments", `{"a":1}`, `{"a":`, "", `"{}"`, "[1]", `{} x`, "```json\n{}\n```"),
				})
			}
			turns = append(turns, m)
		}
		used := map[string]bool{}
		var open []string
		for _, m := range some.conversation(said(turns...)) {
			if m.Role == "tool" {
				if len(open) == 0 || open[0] != m.CallID {
					t.Fatalf("a result of %q, where %q are open", m.CallID, open)
				}
				open = open[1:]
				continue
			}
			if len(open) > 0 {
				t.Fatalf("%q have no result", open)
			}
			for _, c := range m.Calls {
				var object map[string]any
				if err := json.Unmarshal([]byte(c.Arguments), &object); err != nil || object == nil || used[c.ID] || c.ID == "" || !name.MatchString(c.Tool) {
					t.Fatalf("%+v, %v", c, err)
				}
				used[c.ID] = true
				open = append(open, c.ID)
			}
		}
		if len(open) > 0 {
			t.Fatalf("%q have no result", open)
		}
	})
}
