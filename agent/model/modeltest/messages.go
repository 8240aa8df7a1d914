// Anthropic's Messages on the wire.

package modeltest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// messagesRequest is the part of a request's body that matters here.
type messagesRequest struct {
	Model     string `json:"model"`
	MaxTokens int    `json:"max_tokens"`
	Stream    bool   `json:"stream"`
	System    []struct {
		Text string `json:"text"`
	} `json:"system"`
	Messages []struct {
		Role    string          `json:"role"`
		Content []messagesBlock `json:"content"`
	} `json:"messages"`
	Tools []struct {
		Name   string          `json:"name"`
		Schema json.RawMessage `json:"input_schema"`
	} `json:"tools"`
}

// messagesBlock is a block of a content.
type messagesBlock struct {
	Type      string          `json:"type"`
	Text      string          `json:"text,omitempty"`
	Thinking  string          `json:"thinking,omitempty"`
	Signature string          `json:"signature,omitempty"`
	ID        string          `json:"id,omitempty"`
	Name      string          `json:"name,omitempty"`
	Input     json.RawMessage `json:"input,omitempty"`
	Answers   string          `json:"tool_use_id,omitempty"`
	Content   string          `json:"content,omitempty"` // of a result
}

var id = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

// check finds what the real API would refuse: roles take turns; the results of a turn's calls come first in the message behind it,
// once each; ids are used once and made of letters, digits, _ and -; no text is empty; the turn ends on the user.
func (w messagesRequest) check() string {
	var open []string
	used := map[string]bool{}
	for i, m := range w.Messages {
		if w.MaxTokens <= 0 || m.Role != "user" && m.Role != "assistant" || i == 0 && m.Role != "user" || i > 0 && w.Messages[i-1].Role == m.Role || len(m.Content) == 0 {
			return fmt.Sprintf("messages.%d: max_tokens, roles or content are not valid", i)
		}
		for j, b := range m.Content {
			first := j == 0 || m.Content[j-1].Type == "tool_result"
			switch {
			case b.Type == "text" && strings.TrimSpace(b.Text) == "":
				return fmt.Sprintf("messages.%d: text content blocks must be non-empty", i)
			case b.Type == "tool_result" && (!first || !slices.Contains(open, b.Answers)):
				return fmt.Sprintf("messages.%d: unexpected `tool_use_id` found in `tool_result` blocks: %s", i, b.Answers)
			case b.Type == "tool_result":
				open = slices.DeleteFunc(open, func(id string) bool { return id == b.Answers })
			case b.Type == "tool_use":
				var input map[string]any
				if !id.MatchString(b.ID) || used[b.ID] || !name.MatchString(b.Name) || json.Unmarshal(b.Input, &input) != nil || input == nil {
					return fmt.Sprintf("messages.%d: tool_use %q %q %s is not valid", i, b.ID, b.Name, b.Input)
				}
				open, used[b.ID] = append(open, b.ID), true
			}
		}
		if m.Role == "user" && len(open) > 0 {
			return fmt.Sprintf("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %v", i, open)
		}
	}
	return ""
}

func (w messagesRequest) request(body []byte, headers http.Header) Request {
	r := Request{Model: w.Model, Stream: w.Stream, Headers: headers, Schemas: map[string]Schema{}}
	_ = json.Unmarshal(body, &r.Fields) // was read before
	for _, s := range w.System {
		r.Messages = append(r.Messages, Message{Role: "system", Text: s.Text})
	}
	for _, m := range w.Messages {
		said := Message{Role: m.Role}
		for _, b := range m.Content {
			switch b.Type {
			case "tool_result":
				r.Messages = append(r.Messages, Message{Role: "tool", Text: b.Content, Answers: b.Answers})
			case "tool_use":
				said.Calls = append(said.Calls, Call{b.ID, b.Name, string(b.Input)})
			default:
				said.Text += b.Text
			}
		}
		if m.Role == "assistant" {
			r.Turn++
		}
		if said.Text != "" || len(said.Calls) > 0 {
			r.Messages = append(r.Messages, said)
		}
	}
	for _, t := range w.Tools {
		r.Tools = append(r.Tools, t.Name)
		r.Schemas[t.Name] = Schema{Parameters: t.Schema}
	}
	r.Date = dateOf(r.Messages)
	return r
}

// messagesBlocks are the blocks of a reply.
func messagesBlocks(r Reply, turn int) []messagesBlock {
	blocks := []messagesBlock{}
	if r.Reasoning != "" {
		blocks = append(blocks, messagesBlock{Type: "thinking", Thinking: r.Reasoning, Signature: "c2ln"})
	}
	if text := r.Text + r.Refusal; text != "" {
		blocks = append(blocks, messagesBlock{Type: "text", Text: text})
	}
	for i, c := range r.Calls {
		input := json.RawMessage(c.Arguments)
		if !json.Valid(input) {
			input = json.RawMessage(encode(c.Arguments))
		}
		blocks = append(blocks, messagesBlock{Type: "tool_use", ID: cmp.Or(c.ID, fmt.Sprintf("toolu_%d_%d", turn, i)), Name: c.Tool, Input: input})
	}
	return blocks
}

func messagesStop(r Reply) string {
	words := map[string]string{"": "end_turn", "length": "max_tokens", "stop": "end_turn", "tool_calls": "tool_use"}
	switch word, known := words[r.Finish]; {
	case r.Refusal != "":
		return "refusal"
	case r.Finish == "" && len(r.Calls) > 0:
		return "tool_use"
	case known:
		return word
	}
	return r.Finish
}

func messagesUsage(r Reply, size int) string {
	u := r.usage(size)
	if u == nil {
		return `{}`
	}
	return fmt.Sprintf(`{"input_tokens":%d,"cache_read_input_tokens":%d,"cache_creation_input_tokens":0,"output_tokens":%d}`, max(u.Prompt-u.Details.Cached, 0), u.Details.Cached, u.Completion)
}

func (messagesRequest) whole(r Reply, asked Request, size int) string {
	return fmt.Sprintf(`{"id":"msg_1","type":"message","role":"assistant","model":%q,"content":%s,"stop_reason":%q,"stop_sequence":null,"usage":%s}`+"\n",
		asked.Model, encode(messagesBlocks(r, asked.Turn)), messagesStop(r), messagesUsage(r, size))
}

// stream is the reply as events: texts and inputs in several pieces, a ping between.
func (messagesRequest) stream(r Reply, asked Request, size int) string {
	return messagesEvents(messagesStop(r), messagesUsage(r, size), messagesBlocks(r, asked.Turn)...)
}

// messagesEvents are blocks as events.
func messagesEvents(stop, usage string, blocks ...messagesBlock) string {
	var all strings.Builder
	event := func(kind, rest string) {
		fmt.Fprintf(&all, "event: %s\ndata: {\"type\":%q%s}  \n\n", kind, kind, rest)
	}
	event("message_start", `,"message":{"id":"msg_1","type":"message","role":"assistant","content":[],"stop_reason":null,"usage":`+usage+`}`)
	for i, b := range blocks {
		delta := func(kind, field, text string) {
			event("content_block_delta", fmt.Sprintf(`,"index":%d,"delta":{"type":%q,%q:%s}`, i, kind, field, encode(text)))
		}
		switch b.Type {
		case "thinking":
			event("content_block_start", fmt.Sprintf(`,"index":%d,"content_block":{"type":"thinking","thinking":"","signature":""}`, i))
			for _, text := range cut(b.Thinking) {
				delta("thinking_delta", "thinking", text)
			}
			delta("signature_delta", "signature", b.Signature)
		case "text":
			event("content_block_start", fmt.Sprintf(`,"index":%d,"content_block":{"type":"text","text":""}`, i))
			for _, text := range cut(b.Text) {
				delta("text_delta", "text", text)
				event("ping", "")
			}
		case "tool_use":
			event("content_block_start", fmt.Sprintf(`,"index":%d,"content_block":{"type":"tool_use","id":%q,"name":%q,"input":{}}`, i, b.ID, b.Name))
			delta("input_json_delta", "partial_json", "")
			for _, text := range cut(string(b.Input)) {
				delta("input_json_delta", "partial_json", text)
				event("ping", "")
			}
		default:
			event("content_block_start", fmt.Sprintf(`,"index":%d,"content_block":%s`, i, encode(b)))
		}
		event("content_block_stop", fmt.Sprintf(`,"index":%d`, i))
	}
	event("message_delta", fmt.Sprintf(`,"delta":{"stop_reason":%q,"stop_sequence":null},"usage":%s`, stop, usage))
	event("message_stop", "")
	return all.String()
}
