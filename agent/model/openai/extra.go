// What endpoints put beside a tool call and want back with it, unread, or else refuse the conversation: extra_content, where
// Google's keeps the signatures of a model's thoughts. The library does not know it, so it is taken out of replies and put
// into requests on the wire.

package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"

	"mcp-trade/agent/model"
	"mcp-trade/internal/rawjson"
)

const extraContent = "extra_content"

// extras are those of one exchange. A nil one has none.
type extras struct {
	byCall map[string]json.RawMessage // of the conversation, by the ids of calls
	body   []byte                     // of the reply, if it came whole
}

type extrasKey struct{}

// withExtras has the requests of a context carry what calls of the conversation came with.
func withExtras(ctx context.Context, messages []model.Message) context.Context {
	e := &extras{byCall: map[string]json.RawMessage{}}
	for _, m := range messages {
		for _, c := range m.Calls {
			if len(c.Extra) > 0 {
				e.byCall[c.ID] = c.Extra
			}
		}
	}
	return context.WithValue(ctx, extrasKey{}, e)
}

func extrasOf(ctx context.Context) *extras {
	if e, ok := ctx.Value(extrasKey{}).(*extras); ok {
		return e
	}
	return &extras{}
}

// extraCalls are the calls of a message as far as they matter here.
type extraCalls struct {
	ToolCalls []struct {
		Extra json.RawMessage `json:"extra_content"`
	} `json:"tool_calls"`
}

// whole notes what came with the calls of a whole reply.
func (e *extras) whole(m *model.Message) {
	var reply struct {
		Choices []struct{ Message extraCalls }
	}
	if !bytes.Contains(e.body, []byte(extraContent)) || json.Unmarshal(e.body, &reply) != nil || len(reply.Choices) == 0 {
		return
	}
	for i, c := range reply.Choices[0].Message.ToolCalls {
		if i < len(m.Calls) && string(c.Extra) != "null" {
			m.Calls[i].Extra = c.Extra
		}
	}
}

// piece notes what came with a piece of a streamed reply: it belongs to the newest call.
func (e *extras) piece(m *model.Message, raw []byte) {
	if len(m.Calls) == 0 || !bytes.Contains(raw, []byte(extraContent)) {
		return
	}
	var reply struct {
		Choices []struct{ Delta extraCalls }
	}
	if json.Unmarshal(raw, &reply) != nil || len(reply.Choices) == 0 {
		return
	}
	calls := reply.Choices[0].Delta.ToolCalls
	for i, c := range calls {
		if at := len(m.Calls) - len(calls) + i; at >= 0 && len(c.Extra) > 0 && string(c.Extra) != "null" {
			m.Calls[at].Extra = c.Extra
		}
	}
}

// send puts what calls came with into the body of a request.
func (e *extras) send(req *http.Request) error {
	if len(e.byCall) == 0 || req.Body == nil {
		return nil
	}
	text, err := io.ReadAll(req.Body)
	if err != nil {
		return err
	}
	if text, err = e.into(text); err != nil {
		return err
	}
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }
	req.Body, err = req.GetBody()
	req.ContentLength = int64(len(text))
	return err
}

func (e *extras) into(text []byte) ([]byte, error) {
	var body map[string]json.RawMessage
	var messages []map[string]json.RawMessage
	if err := json.Unmarshal(text, &body); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body["messages"], &messages); err != nil {
		return nil, err
	}
	for _, m := range messages {
		var calls []map[string]json.RawMessage
		if json.Unmarshal(m["tool_calls"], &calls) != nil {
			continue // it has none
		}
		for _, c := range calls {
			var id string
			if json.Unmarshal(c["id"], &id) == nil && len(e.byCall[id]) > 0 {
				c[extraContent] = e.byCall[id]
			}
		}
		m["tool_calls"], _ = rawjson.Marshal(calls)
	}
	var err error
	if body["messages"], err = rawjson.Marshal(messages); err != nil {
		return nil, err
	}
	return rawjson.Marshal(body)
}
