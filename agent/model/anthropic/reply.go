// What is received: a reply, whole or in events. Nothing but what is used is judged.

package anthropic

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"mcp-trade/agent/model"
	"mcp-trade/agent/model/endpoint"
	"mcp-trade/internal/rawjson"
)

// wireMessage is a whole reply, or the frame of a streamed one.
type wireMessage struct {
	Type    endpoint.Text              `json:"type"`
	Content endpoint.List[block]       `json:"content"`
	Stop    endpoint.Text              `json:"stop_reason"`
	Details endpoint.Object[details]   `json:"stop_details"`
	Usage   endpoint.Object[wireUsage] `json:"usage"`
}

// details say why a model refused.
type details struct {
	Category    endpoint.Text `json:"category"`
	Explanation endpoint.Text `json:"explanation"`
}

// wireUsage counts the three parts of the prompt apart. Thinking is a part of what was written.
type wireUsage struct {
	In      *endpoint.Count `json:"input_tokens"`
	Written *endpoint.Count `json:"cache_creation_input_tokens"`
	Read    *endpoint.Count `json:"cache_read_input_tokens"`
	Out     *endpoint.Count `json:"output_tokens"`
}

// wireEvent is an event of a stream.
type wireEvent struct {
	Type    endpoint.Text                `json:"type"`
	Index   endpoint.Count               `json:"index"`
	Message endpoint.Object[wireMessage] `json:"message"`
	Block   block                        `json:"content_block"`
	Delta   endpoint.Object[struct {
		Type      endpoint.Text            `json:"type"`
		Text      endpoint.Text            `json:"text"`
		JSON      endpoint.Text            `json:"partial_json"`
		Thinking  endpoint.Text            `json:"thinking"`
		Signature endpoint.Text            `json:"signature"`
		Stop      endpoint.Text            `json:"stop_reason"`
		Details   endpoint.Object[details] `json:"stop_details"`
	}] `json:"delta"`
	Usage endpoint.Object[wireUsage] `json:"usage"`
}

// receive reads a reply, whole or streamed, whatever was asked for.
func (c *Client) receive(r io.Reader) (assembly, error) {
	a := assembly{c: c}
	body, err := c.endpoint.Look(r)
	if err != nil {
		return a, err
	}
	if body.Whole() {
		text, err := body.ReadWhole()
		if err != nil {
			return a, err
		}
		return a, a.whole(text)
	}
	if err := endpoint.Events(body, a.event); err != nil {
		return a, err
	}
	if !a.ended {
		return a, endpoint.ErrCutOff
	}
	return a, a.finish()
}

// assembly puts a reply together.
type assembly struct {
	c      *Client
	blocks []block
	pieces []*pieces // of the blocks, as they are streamed
	stop   string
	why    details
	usage  wireUsage
	ended  bool // the stream came to its end
	size   int
}

// pieces are the texts of a block that is streamed.
type pieces struct{ text, thinking, signature, input strings.Builder }

// whole reads a reply in one piece.
func (a *assembly) whole(text []byte) error {
	if fault := a.c.endpoint.FaultIn(text, false); fault != nil {
		return fault
	}
	var w wireMessage
	if err := json.Unmarshal(text, &w); err != nil {
		if strings.Contains(err.Error(), "unexpected end") {
			return endpoint.ErrCutOff
		}
		return err
	}
	if w.Stop == "" && len(w.Content) == 0 {
		return &model.Error{Message: "the reply holds no message", Retryable: true, MayHaveCost: true}
	}
	a.blocks, a.stop, a.why, a.usage = w.Content, string(w.Stop), w.Details.V, w.Usage.V
	return nil
}

// event reads an event. io.EOF says that none follows.
func (a *assembly) event(name string, data []byte) error {
	if fault := a.c.endpoint.FaultIn(data, len(a.blocks) > 0); fault != nil {
		return fault
	}
	var e wireEvent
	if err := json.Unmarshal(data, &e); err != nil {
		return err
	}
	switch kind := cmp.Or(string(e.Type), name); kind {
	case "error":
		return a.c.endpoint.Failed("the API failed in the middle of the reply", string(data))
	case "message_start":
		a.usage.add(e.Message.V.Usage.V)
	case "content_block_start":
		for len(a.blocks) <= int(e.Index) && len(a.blocks) < maxBlocks {
			a.blocks, a.pieces = append(a.blocks, nil), append(a.pieces, &pieces{})
		}
		if at := int(e.Index); at < len(a.blocks) {
			a.blocks[at] = e.Block
		}
		a.size += len(data)
	case "content_block_delta":
		if at := int(e.Index); at < len(a.blocks) {
			p, d := a.pieces[at], e.Delta.V
			p.text.WriteString(string(d.Text))
			p.input.WriteString(string(d.JSON))
			p.thinking.WriteString(string(d.Thinking))
			p.signature.WriteString(string(d.Signature))
			a.size += len(d.Text) + len(d.JSON) + len(d.Thinking) + len(d.Signature)
		}
	case "message_delta":
		a.stop, a.why = string(e.Delta.V.Stop), e.Delta.V.Details.V
		a.usage.add(e.Usage.V)
	case "message_stop":
		a.ended = true
		return io.EOF
	}
	if a.size > endpoint.MaxReply {
		return endpoint.ErrTooLong
	}
	return nil
}

// maxBlocks bounds the blocks of a reply.
const maxBlocks = 10_000

// add takes over counts, which are of everything so far.
func (u *wireUsage) add(newer wireUsage) {
	u.In, u.Written, u.Read, u.Out = cmp.Or(newer.In, u.In), cmp.Or(newer.Written, u.Written), cmp.Or(newer.Read, u.Read), cmp.Or(newer.Out, u.Out)
}

// finish puts what was streamed into the blocks.
func (a *assembly) finish() error {
	for i, p := range a.pieces {
		b := a.blocks[i]
		if b == nil {
			return errors.New("a block of the reply is missing")
		}
		for field, text := range map[string]string{"text": p.text.String(), "thinking": p.thinking.String(), "signature": p.signature.String()} {
			if text != "" {
				b[field] = quoted(endpoint.TextOf(b[field]) + text)
			}
		}
		if input := p.input.String(); strings.TrimSpace(input) != "" {
			b["input"] = json.RawMessage(input)
			if !json.Valid(b["input"]) {
				b["input"] = quoted(input) // for the model to be told of
			}
		}
	}
	return nil
}

// join goes on with a turn that was paused.
func (a *assembly) join(next assembly) {
	a.c, a.blocks, a.stop, a.why = next.c, append(a.blocks, next.blocks...), next.stop, next.why
	a.usage = wireUsage{sum(a.usage.In, next.usage.In), sum(a.usage.Written, next.usage.Written), sum(a.usage.Read, next.usage.Read), sum(a.usage.Out, next.usage.Out)}
}

func sum(a, b *endpoint.Count) *endpoint.Count {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	total := *a + *b
	return &total
}

// reply is what the blocks are.
func (a *assembly) reply() (model.Reply, error) {
	r := model.Reply{Finish: a.stop, Usage: a.usage.usage(), Message: model.Message{Role: "assistant"}}
	m, kept, keep := &r.Message, []block{}, false
	for i, b := range a.blocks {
		switch kindOf(b) {
		case "text":
			m.Content += endpoint.TextOf(b["text"])
			keep = keep || i > 0 && kindOf(a.blocks[i-1]) != "thinking" // texts between calls
			if strings.TrimSpace(endpoint.TextOf(b["text"])) == "" {
				continue // the API refuses it if it comes back
			}
		case "tool_use":
			m.Calls = append(m.Calls, model.Call{ID: endpoint.TextOf(b["id"]), Tool: endpoint.TextOf(b["name"]), Arguments: inputOf(b["input"])})
			b = newBlock("tool_use") // the call has the rest
		case "thinking":
			m.Reasoning += endpoint.TextOf(b["thinking"])
			keep = true
		default:
			keep = true
		}
		kept = append(kept, b)
	}
	if model.StopOf(a.stop) == model.Refused {
		m.Refusal = cmp.Or(string(a.why.Explanation), m.Content, "the model refused "+string(a.why.Category))
	}
	if keep {
		var err error
		if m.Extra, err = rawjson.Marshal(map[string]any{"blocks": kept}); err != nil {
			return r, err
		}
	}
	return r, nil
}

// inputOf is the input of a call as a text.
func inputOf(raw json.RawMessage) string {
	if endpoint.IsNull(raw) {
		return "{}"
	}
	return endpoint.TextOrJSON(raw)
}

func (u wireUsage) usage() model.Usage {
	of := func(c *endpoint.Count) int {
		if c == nil {
			return 0
		}
		return int(*c)
	}
	return model.Usage{In: of(u.In) + of(u.Written) + of(u.Read), Cached: of(u.Read), Written: of(u.Written), Out: of(u.Out)}
}

func kindOf(b block) string { return endpoint.TextOf(b["type"]) }
