// Chat completions on the wire.

package modeltest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// wireRequest is the part of a request's body that matters here.
type wireRequest struct {
	Model         string `json:"model"`
	Stream        bool   `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	Messages []struct {
		Role       string          `json:"role"`
		Content    json.RawMessage `json:"content"`
		ToolCallID string          `json:"tool_call_id"`
		ToolCalls  []wireCall      `json:"tool_calls"`
	} `json:"messages"`
	Tools []struct {
		Function struct {
			Name string `json:"name"`
			Schema
		} `json:"function"`
	} `json:"tools"`
}

type wireCall struct {
	Index    *int   `json:"index,omitempty"` // of a stream
	ID       string `json:"id,omitempty"`
	Type     string `json:"type,omitempty"`
	Function struct {
		Name      string `json:"name,omitempty"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

// wireMessage is a message of the model, or in a stream a piece of it.
type wireMessage struct {
	Role      string     `json:"role,omitempty"`
	Content   *string    `json:"content"`
	Reasoning string     `json:"reasoning_content,omitempty"`
	Refusal   string     `json:"refusal,omitempty"`
	ToolCalls []wireCall `json:"tool_calls,omitempty"`
}

type wireChoice struct {
	Index   int          `json:"index"`
	Message *wireMessage `json:"message,omitempty"`
	Delta   *wireMessage `json:"delta,omitempty"`
	Finish  *string      `json:"finish_reason"`
}

type wireUsage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
	Details    struct {
		Cached int `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

type wireReply struct {
	ID      string       `json:"id"`
	Object  string       `json:"object"`
	Created int64        `json:"created"`
	Model   string       `json:"model"`
	Choices []wireChoice `json:"choices"`
	Usage   *wireUsage   `json:"usage,omitempty"`
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	at := slices.IndexFunc(dialects, func(d dialect) bool { return r.Method+" "+r.URL.Path == "POST /v1"+d.path })
	if at < 0 {
		httpError(w, http.StatusNotFound, "there is no "+r.Method+" "+r.URL.Path)
		return
	}
	wire := dialects[at].wire()
	if err := json.Unmarshal(body, wire); err != nil {
		httpError(w, http.StatusBadRequest, err.Error())
		return
	}
	if problem := wire.check(); problem != "" {
		httpError(w, http.StatusBadRequest, problem)
		return
	}
	request := wire.request(body, r.Header)
	request.Body = string(body)
	request.Try, request.Number = s.count(body)
	reply := s.script(request)
	for name, value := range reply.Header {
		w.Header().Set(name, value)
	}
	if reply.Bytewise {
		w = bytewise{w}
	}
	switch {
	case reply.Hang:
		select {
		case <-r.Context().Done():
		case <-s.gone:
		}
	case reply.Status != 0 && reply.Status != http.StatusOK:
		if reply.RetryAfter != "" {
			w.Header().Set("Retry-After", reply.RetryAfter)
		}
		if reply.Body != "" {
			w.WriteHeader(reply.Status)
			_, _ = io.WriteString(w, reply.Body)
			return
		}
		httpError(w, reply.Status, fmt.Sprintf("scripted failure %d", reply.Status))
	case request.Stream:
		w.Header().Set("Content-Type", "text/event-stream")
		send(w, cmp.Or(reply.Events, reply.Body, wire.stream(reply, request, len(body))), reply.Cut)
	default:
		w.Header().Set("Content-Type", "application/json")
		send(w, cmp.Or(reply.Body, wire.whole(reply, request, len(body))), reply.Cut)
	}
}

// api is a request, as one of the APIs has it, and what its replies look like.
type api interface {
	check() string // what a real API would refuse
	request(body []byte, headers http.Header) Request
	whole(reply Reply, asked Request, size int) string
	stream(reply Reply, asked Request, size int) string
}

// bytewise sends each byte apart.
type bytewise struct{ http.ResponseWriter }

func (b bytewise) Write(p []byte) (int, error) {
	for i := range p {
		if n, err := b.ResponseWriter.Write(p[i : i+1]); err != nil {
			return i + n, err
		}
		_ = http.NewResponseController(b.ResponseWriter).Flush()
	}
	return len(p), nil
}

// send writes a body, or half of it and then breaks the connection.
func send(w http.ResponseWriter, body string, cut bool) {
	if !cut {
		_, _ = io.WriteString(w, body)
		return
	}
	_, _ = io.WriteString(w, body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func httpError(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": text, "type": "scripted", "code": status}})
}

// name is what a tool can be called.
var name = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// check finds what a real API would refuse: each call must be answered, once, before the conversation goes on; ids are used once,
// names are names, arguments are objects, and every message has a content.
func (w wireRequest) check() string {
	var open []string
	used := map[string]bool{}
	for i, m := range w.Messages {
		if len(m.Content) == 0 || string(m.Content) == "null" && m.Role != "assistant" {
			return fmt.Sprintf("messages[%d] has no content", i)
		}
		if m.Role == "tool" {
			at := slices.Index(open, m.ToolCallID)
			if at < 0 {
				return fmt.Sprintf("messages[%d] answers the call %q, which is not open", i, m.ToolCallID)
			}
			open = slices.Delete(open, at, at+1)
			continue
		}
		if len(open) > 0 {
			return fmt.Sprintf("messages[%d]: the calls %v are not answered", i, open)
		}
		for _, c := range m.ToolCalls {
			if c.ID == "" || used[c.ID] {
				return fmt.Sprintf("messages[%d]: the call id %q is empty or used twice", i, c.ID)
			}
			var arguments map[string]any
			if err := json.Unmarshal([]byte(c.Function.Arguments), &arguments); err != nil || arguments == nil {
				return fmt.Sprintf("messages[%d]: function.arguments must be a valid JSON object", i)
			}
			if !name.MatchString(c.Function.Name) {
				return fmt.Sprintf("messages[%d]: function.name %q does not match the pattern %s", i, c.Function.Name, name)
			}
			open, used[c.ID] = append(open, c.ID), true
		}
	}
	if len(open) > 0 {
		return fmt.Sprintf("the calls %v are not answered", open)
	}
	return ""
}

func (w wireRequest) request(body []byte, headers http.Header) Request {
	r := Request{Model: w.Model, Stream: w.Stream, Headers: headers, Schemas: map[string]Schema{}}
	_ = json.Unmarshal(body, &r.Fields) // was read before
	for _, m := range w.Messages {
		message := Message{Role: m.Role, Text: contentText(m.Content), Answers: m.ToolCallID}
		for _, c := range m.ToolCalls {
			message.Calls = append(message.Calls, Call{c.ID, c.Function.Name, c.Function.Arguments})
		}
		if m.Role == "assistant" {
			r.Turn++
		}
		r.Messages = append(r.Messages, message)
	}
	for _, t := range w.Tools {
		r.Tools = append(r.Tools, t.Function.Name)
		r.Schemas[t.Function.Name] = t.Function.Schema
	}
	r.Date = dateOf(r.Messages)
	return r
}

// contentText reads a content, which is a text, parts with texts, or null.
func contentText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var parts []struct{ Text string }
	_ = json.Unmarshal(raw, &parts)
	for _, p := range parts {
		text += p.Text
	}
	return text
}

// message is the reply as a message, with ids for its calls.
func (r Reply) message(turn int) wireMessage {
	m := wireMessage{Role: "assistant", Content: &r.Text, Reasoning: r.Reasoning, Refusal: r.Refusal}
	if r.Text == "" {
		m.Content = nil
	}
	for i, c := range r.Calls {
		call := wireCall{ID: cmp.Or(c.ID, fmt.Sprintf("call_%d_%d", turn, i)), Type: "function"}
		call.Function.Name, call.Function.Arguments = c.Tool, c.Arguments
		m.ToolCalls = append(m.ToolCalls, call)
	}
	return m
}

func (r Reply) finish() *string {
	finish := cmp.Or(r.Finish, "stop")
	if r.Finish == "" && len(r.Calls) > 0 {
		finish = "tool_calls"
	}
	return &finish
}

// usage counts four bytes as a token where the script does not say.
func (r Reply) usage(asked int) *wireUsage {
	if r.NoUsage {
		return nil
	}
	out := len(r.Text) + len(r.Reasoning) + len(r.Refusal)
	for _, c := range r.Calls {
		out += len(c.Tool) + len(c.Arguments)
	}
	counted := Usage{In: asked / 4, Out: out/4 + 1}
	if r.Usage != nil {
		counted = *r.Usage
	}
	u := &wireUsage{Prompt: counted.In, Completion: counted.Out, Total: counted.In + counted.Out}
	u.Details.Cached = counted.Cached
	return u
}

func (wireRequest) whole(r Reply, asked Request, size int) string {
	m := r.message(asked.Turn)
	return encode(wireReply{ID: "chatcmpl-1", Object: "chat.completion", Model: asked.Model,
		Choices: []wireChoice{{Message: &m, Finish: r.finish()}}, Usage: r.usage(size)}) + "\n"
}

// stream is the reply as server-sent events: texts and arguments in several pieces, the usage last, if it is wanted.
func (w wireRequest) stream(r Reply, asked Request, size int) string {
	whole, empty := r.message(asked.Turn), ""
	pieces := []wireMessage{{Role: "assistant", Content: &empty, Reasoning: whole.Reasoning, Refusal: whole.Refusal}}
	for _, text := range cut(r.Text) {
		pieces = append(pieces, wireMessage{Content: &text})
	}
	for i, c := range whole.ToolCalls {
		first := wireCall{Index: &i, ID: c.ID, Type: c.Type}
		first.Function.Name = c.Function.Name
		pieces = append(pieces, wireMessage{ToolCalls: []wireCall{first}})
		for _, text := range cut(c.Function.Arguments) {
			more := wireCall{Index: &i}
			more.Function.Arguments = text
			pieces = append(pieces, wireMessage{ToolCalls: []wireCall{more}})
		}
	}
	var all strings.Builder
	event := func(reply wireReply) {
		reply.ID, reply.Object, reply.Model = "chatcmpl-1", "chat.completion.chunk", asked.Model
		fmt.Fprintf(&all, "data: %s\n\n", encode(reply))
	}
	for _, p := range pieces {
		event(wireReply{Choices: []wireChoice{{Delta: &p}}})
	}
	event(wireReply{Choices: []wireChoice{{Delta: &wireMessage{}, Finish: r.finish()}}})
	if u := r.usage(size); w.StreamOptions.IncludeUsage && u != nil {
		event(wireReply{Choices: []wireChoice{}, Usage: u})
	}
	all.WriteString("data: [DONE]\n\n")
	return all.String()
}

// cut cuts a text into at most four pieces that are one text again when they are joined, without tearing a character.
func cut(text string) []string {
	var pieces []string
	for size := len(text)/3 + 1; text != ""; {
		end := min(size, len(text))
		for end < len(text) && text[end]&0xC0 == 0x80 {
			end++
		}
		pieces, text = append(pieces, text[:end]), text[end:]
	}
	return pieces
}

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and numbers
	}
	return string(text)
}
