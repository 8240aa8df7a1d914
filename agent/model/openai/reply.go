// What is received: a reply, whole or in pieces. Nothing but what is used is judged.

package openai

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"mcp-trade/agent/model"
	"mcp-trade/agent/model/endpoint"
	"mcp-trade/internal/rawjson"
)

// wireReply is a reply, or a piece of one.
type wireReply struct {
	Choices endpoint.List[wireChoice]  `json:"choices"`
	Usage   endpoint.Object[wireUsage] `json:"usage"`
	Groq    endpoint.Object[struct {
		Usage endpoint.Object[wireUsage] `json:"usage"`
	}] `json:"x_groq"`
}

type wireChoice struct {
	Message endpoint.Object[wireMessage] `json:"message"`
	Delta   endpoint.Object[wireMessage] `json:"delta"`
	Finish  endpoint.Text                `json:"finish_reason"`
	Native  endpoint.Text                `json:"native_finish_reason"`
	Error   json.RawMessage              `json:"error"`
}

type wireMessage struct {
	Content json.RawMessage         `json:"content"` // a text, parts, or null
	Refusal endpoint.Text           `json:"refusal"`
	Calls   endpoint.List[wireCall] `json:"tool_calls"`

	ReasoningContent json.RawMessage       `json:"reasoning_content"`
	Reasoning        json.RawMessage       `json:"reasoning"`
	Details          endpoint.List[detail] `json:"reasoning_details"`
}

type wireCall struct {
	Index    *endpoint.Count `json:"index"`
	ID       endpoint.Text   `json:"id"`
	Function endpoint.Object[struct {
		Name      endpoint.Text   `json:"name"`
		Arguments json.RawMessage `json:"arguments"` // a text, or the object itself
	}] `json:"function"`
	Extra json.RawMessage `json:"extra_content"`
}

func (c wireCall) name() string { return string(c.Function.V.Name) }

// arguments are the arguments as a text. An object is its JSON, as it stands there.
func (c wireCall) arguments() string { return endpoint.TextOrJSON(c.Function.V.Arguments) }

// wireUsage has the counts under every name that APIs have for them.
type wireUsage struct {
	Prompt     endpoint.Count `json:"prompt_tokens"`
	Completion endpoint.Count `json:"completion_tokens"`
	Total      endpoint.Count `json:"total_tokens"`
	In         endpoint.Count `json:"input_tokens"`
	Out        endpoint.Count `json:"output_tokens"`
	Hits       endpoint.Count `json:"prompt_cache_hit_tokens"` // DeepSeek
	Cached     endpoint.Count `json:"cached_tokens"`           // Kimi
	PromptIs   endpoint.Object[struct {
		Cached endpoint.Count `json:"cached_tokens"`
	}] `json:"prompt_tokens_details"`
	CompletionIs endpoint.Object[struct {
		Reasoning endpoint.Count `json:"reasoning_tokens"`
	}] `json:"completion_tokens_details"`
}

// usage is what a reply took. Reasoning is a part of what was written; where the total says that it comes on top (xAI), it is
// added.
func (w wireUsage) usage() model.Usage {
	u := model.Usage{In: int(cmp.Or(w.Prompt, w.In)), Out: int(cmp.Or(w.Completion, w.Out))}
	u.Cached = min(int(cmp.Or(w.PromptIs.V.Cached, w.Hits, w.Cached)), u.In)
	if thought := int(w.CompletionIs.V.Reasoning); thought > 0 && int(w.Total) == u.In+u.Out+thought {
		u.Out += thought
	}
	return u
}

// receive reads a reply, whole or streamed, whatever was asked for.
func (c *Client) receive(r io.Reader) (model.Reply, error) {
	body, err := c.endpoint.Look(r)
	if err != nil {
		return model.Reply{}, err
	}
	a := assembly{c: c, whole: body.Whole()}
	if a.whole {
		var text []byte
		if text, err = body.ReadWhole(); err == nil {
			err = a.event("", text)
		}
	} else {
		err = endpoint.Events(body, a.event)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return model.Reply{}, err
	}
	return a.reply()
}

// assembly puts a reply together from its pieces.
type assembly struct {
	c     *Client
	whole bool // there is one piece, with whole calls in it

	text, refusal strings.Builder
	thoughts      map[string]*strings.Builder // by the names that APIs have for them
	details       []detail
	parts         bool // the content came as a list with thoughts in it
	calls         []*call
	finish        string
	usage         model.Usage
	size, pieces  int
}

// call is a call that is being put together.
type call struct {
	place     *endpoint.Count // as the endpoint numbers it
	id, name  string
	arguments strings.Builder
	extra     json.RawMessage
}

// event adds a piece. io.EOF says that none follows.
func (a *assembly) event(name string, data []byte) error {
	if string(data) == "[DONE]" {
		return io.EOF
	}
	if fault := a.c.endpoint.FaultIn(data, a.pieces > 0); fault != nil {
		return fault
	}
	if name == "error" {
		return a.c.endpoint.Failed("the API failed in the middle of the reply", string(data))
	}
	var w wireReply
	if err := json.Unmarshal(data, &w); err != nil {
		if a.whole && strings.Contains(err.Error(), "unexpected end") {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	a.pieces++
	for _, u := range []wireUsage{w.Groq.V.Usage.V, w.Usage.V} {
		if used := u.usage(); used != (model.Usage{}) {
			a.usage = used // the newest counts all
		}
	}
	if len(w.Choices) == 0 {
		return nil
	}
	return a.choice(w.Choices[0])
}

func (a *assembly) choice(w wireChoice) error {
	if !endpoint.IsNull(w.Error) {
		fault := a.c.endpoint.FaultIn(append(append([]byte(`{"error":`), w.Error...), '}'), true)
		if fault != nil {
			return fault
		}
	}
	if w.Finish != "" && w.Finish != "null" {
		a.finish = string(w.Finish)
	}
	for _, word := range []string{a.finish, string(w.Native)} {
		if model.StopOf(word) == model.Failed {
			return a.c.endpoint.Failed("the API failed in the middle of the reply", word)
		}
	}
	a.message(w.Message.V)
	a.message(w.Delta.V)
	if a.size > endpoint.MaxReply {
		return endpoint.ErrTooLong
	}
	return nil
}

func (a *assembly) message(w wireMessage) {
	text, thought, parts := contentOf(w.Content)
	a.text.WriteString(text)
	a.refusal.WriteString(string(w.Refusal))
	a.size += len(text) + len(w.Refusal)
	if parts {
		a.parts = true
		a.think("content", thought)
	}
	for name, raw := range map[string]json.RawMessage{"reasoning_content": w.ReasoningContent, "reasoning": w.Reasoning} {
		if thought := endpoint.TextOf(raw); thought != "" || name == "reasoning_content" && string(raw) == `""` {
			a.think(name, thought)
		}
	}
	for _, d := range w.Details {
		a.details = addDetail(a.details, d)
		for _, raw := range d {
			a.size += len(raw)
		}
	}
	for _, piece := range w.Calls {
		a.call(piece)
	}
}

func (a *assembly) think(name, thought string) {
	if a.thoughts == nil {
		a.thoughts = map[string]*strings.Builder{}
	}
	if a.thoughts[name] == nil {
		a.thoughts[name] = &strings.Builder{}
	}
	a.thoughts[name].WriteString(thought)
	a.size += len(thought)
}

// call adds a call, or a piece of one. A name that is repeated in each piece is one name.
func (a *assembly) call(w wireCall) {
	arguments := w.arguments()
	a.size += len(w.ID) + len(w.name()) + len(arguments) + len(w.Extra)
	at := a.continued(w, arguments)
	if at < 0 {
		a.calls = append(a.calls, &call{place: w.Index})
		at = len(a.calls) - 1
	}
	c := a.calls[at]
	if w.ID != "" {
		c.id = string(w.ID)
	}
	if name := w.name(); strings.HasPrefix(name, c.name) {
		c.name = name
	} else {
		c.name += name
	}
	c.arguments.WriteString(arguments)
	if !endpoint.IsNull(w.Extra) {
		c.extra = w.Extra
	}
}

// continued is the call that a piece goes on with, -1 if it begins one: not every endpoint numbers calls, or numbers them apart.
func (a *assembly) continued(w wireCall, arguments string) int {
	if a.whole {
		return -1
	}
	at := len(a.calls) - 1
	if w.Index != nil {
		at = -1
		for i, c := range a.calls {
			if c.place != nil && *c.place == *w.Index {
				at = i // the newest of that number
			}
		}
	}
	if at < 0 {
		return -1
	}
	c := a.calls[at]
	other := w.ID != "" && c.id != "" && string(w.ID) != c.id
	unnamed := w.ID == "" || c.id == "" // ids tell nothing
	next := unnamed && w.name() != "" && arguments != "" && json.Valid([]byte(c.arguments.String()))
	if other || next {
		return -1
	}
	return at
}

// reply is what the pieces are. A stream that ends without saying why the model stopped was cut off.
func (a *assembly) reply() (model.Reply, error) {
	switch {
	case a.pieces == 0:
		return model.Reply{}, endpoint.ErrCutOff
	case a.finish == "" && !a.whole:
		return model.Reply{}, endpoint.ErrCutOff
	case a.empty() && a.finish == "":
		return model.Reply{}, &model.Error{Message: "the reply holds no message", Retryable: true, MayHaveCost: true}
	}
	r := model.Reply{Finish: a.finish, Usage: a.usage}
	r.Message = model.Message{Role: "assistant", Content: a.text.String(), Refusal: a.refusal.String(), Reasoning: a.reasoning(), Extra: a.extra()}
	for _, c := range a.calls {
		r.Message.Calls = append(r.Message.Calls, model.Call{ID: c.id, Tool: c.name, Arguments: c.arguments.String(), Extra: c.extra})
	}
	return r, nil
}

func (a *assembly) empty() bool {
	return a.text.Len() == 0 && a.refusal.Len() == 0 && len(a.calls) == 0 && len(a.thoughts) == 0 && len(a.details) == 0
}

// reasoning is what the model thought, as far as it is told, under the first name that has it.
func (a *assembly) reasoning() string {
	for _, name := range []string{"reasoning_content", "reasoning", "content"} {
		if b := a.thoughts[name]; b != nil && b.Len() > 0 {
			return b.String()
		}
	}
	var all strings.Builder
	for _, d := range a.details {
		all.WriteString(cmp.Or(endpoint.TextOf(d["text"]), endpoint.TextOf(d["summary"])))
	}
	return all.String()
}

// extra is what must come back beside the texts: reasoning under its names. Text under reasoning_content alone needs no record,
// since that is where reasoning goes unless something else is said.
func (a *assembly) extra() json.RawMessage {
	extra := map[string]any{}
	for name, b := range a.thoughts {
		if name != "content" {
			extra[name] = b.String()
		}
	}
	if len(a.details) > 0 {
		extra["reasoning_details"] = a.details
	}
	if a.parts {
		thought := ""
		if b := a.thoughts["content"]; b != nil {
			thought = b.String()
		}
		type part map[string]any
		extra["content"] = []part{{"type": "thinking", "thinking": []part{{"type": "text", "text": thought}}}, {"type": "text", "text": a.text.String()}}
	}
	if b := a.thoughts["reasoning_content"]; len(extra) == 0 || len(extra) == 1 && b != nil && b.Len() > 0 {
		return nil
	}
	raw, err := rawjson.Marshal(extra)
	if err != nil {
		return nil
	}
	return raw
}

// contentOf reads a content: a text, or a list of texts and thoughts. parts tells that there were thoughts in it.
func contentOf(raw json.RawMessage) (text, thought string, parts bool) {
	if endpoint.IsNull(raw) || raw[0] == '"' {
		return endpoint.TextOf(raw), "", false
	}
	var list endpoint.List[struct {
		Type     endpoint.Text   `json:"type"`
		Text     endpoint.Text   `json:"text"`
		Thinking json.RawMessage `json:"thinking"`
	}]
	_ = list.UnmarshalJSON(raw) // never fails
	for _, p := range list {
		if endpoint.IsNull(p.Thinking) {
			text += string(p.Text)
			continue
		}
		parts = true
		if inner, _, _ := contentOf(p.Thinking); inner != "" {
			thought += inner
		}
	}
	return text, thought, parts
}

// detail is a piece of reasoning as routers tell it. What is not known in it comes back unread.
type detail map[string]json.RawMessage

// addDetail adds a piece of reasoning. Pieces of one text are joined.
func addDetail(all []detail, d detail) []detail {
	if len(all) == 0 {
		return append(all, d)
	}
	last := all[len(all)-1]
	for _, field := range []string{"text", "summary"} {
		piece := d[field]
		if endpoint.IsNull(piece) || endpoint.IsNull(last[field]) || !bytes.Equal(d["type"], last["type"]) || !bytes.Equal(d["index"], last["index"]) {
			continue
		}
		joined, err := rawjson.Marshal(endpoint.TextOf(last[field]) + endpoint.TextOf(piece))
		if err != nil {
			continue
		}
		for name, value := range d {
			if !endpoint.IsNull(value) {
				last[name] = value
			}
		}
		last[field] = joined
		return all
	}
	return append(all, d)
}
