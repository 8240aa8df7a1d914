// One cheap question to a model, before it trades for weeks: whether it can be reached, calls a tool, and takes the answer.

package llm

import (
	"context"
	"encoding/json"
	"errors"

	"mcp-trade/agent/model"
	"mcp-trade/decimal"
)

// Checked is what came of asking a model.
type Checked struct {
	Called  bool             // it called the tool, and took the result of it
	Text    string           // what it said
	Usage   model.Usage      // of both replies
	Cost    *decimal.Decimal // nil: prices are not known
	Learned []string         // what its API refused of a request, and was asked instead
}

// Check asks a model to call a tool, and to sum up its result. An error says why there is no reply.
func Check(ctx context.Context, o Options, open model.Opener) (c Checked, err error) {
	o = o.Defaults()
	if o.Lessons == nil {
		o.Lessons = &model.Lessons{}
	}
	m, err := open(o.Settings)
	if err != nil {
		return c, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	defer func() {
		c.Learned = o.Lessons.All()
		if o.Prices != nil && err == nil {
			cost := o.Prices.Cost(c.Usage)
			c.Cost = &cost
		}
	}()
	tools := &toolCatalog{tools: []tool{{Tool: ready(o.Strict)}}}
	request := model.Request{Tools: tools.offered(), Messages: []model.Message{
		{Role: "system", Content: "You are being tested. Do as you are asked, in few words."},
		{Role: "user", Content: `Call the tool ready with the word "yes". When it has answered, say what it answered.`},
	}}
	for range 2 {
		reply, err := m.Complete(ctx, request)
		if err != nil {
			return c, err
		}
		u := reply.Usage
		c.Usage = model.Usage{In: c.Usage.In + u.In, Cached: c.Usage.Cached + u.Cached, Written: c.Usage.Written + u.Written, Out: c.Usage.Out + u.Out}
		c.Text = reply.Message.Content + reply.Message.Refusal
		if c.Called || len(reply.Message.Calls) == 0 {
			break
		}
		for i := range reply.Message.Calls {
			call := &reply.Message.Calls[i]
			if _, known := tools.find(call.Tool); !known {
				return c, errors.New("the model called a tool that it was not offered")
			}
			call.Tool, call.Arguments = tools.sentName(call.Tool), sentArguments(call.Arguments)
		}
		request.Messages = append(request.Messages, reply.Message)
		for _, call := range reply.Message.Calls {
			request.Messages = append(request.Messages, model.Message{Role: "tool", CallID: call.ID, Content: "It is ready."})
		}
		c.Called = true
	}
	return c, nil
}

// ready is a tool with a required and an optional argument, so that an API sees the form of both.
func ready(strict bool) model.Tool {
	plain := json.RawMessage(`{"type":"object","properties":{"word":{"type":"string"},"note":{"type":"string"}},"required":["word"],"additionalProperties":false}`)
	t := model.Tool{Name: "ready", Description: "Tells that the test can begin.", Schema: plain, Plain: plain}
	if strict {
		t.Strict = true
		t.Schema = json.RawMessage(`{"type":"object","properties":{"word":{"type":"string"},"note":{"type":["string","null"]}},"required":["word","note"],"additionalProperties":false}`)
	}
	return t
}
