// The calls of a turn: each is made once, and what came of it is written down.

package llm

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"mcp-trade/agent"
	"mcp-trade/agent/mask"
	"mcp-trade/agent/model"
	"mcp-trade/agent/transcript"
	"mcp-trade/code"
	"mcp-trade/internal/clip"
	"mcp-trade/internal/rawjson"
)

// maxCalls bounds how many calls of one turn are carried out.
const maxCalls = 64

// executeCalls makes the calls of a turn whose results are not known, in order. It stops where trading is halted.
func (d *dayConversation) executeCalls(ctx context.Context, reply transcript.Reply) (stopped bool, err error) {
	why := notCarriedOut(d.kindOf(reply))
	for i, call := range reply.Message.Calls[:min(len(reply.Message.Calls), maxCalls+1)] {
		o, known := d.journal.Outcome(reply.Step, i+1)
		if !known {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			began := d.clock.Now()
			switch {
			case i == maxCalls:
				o = transcript.Outcome{Step: reply.Step, Call: i + 1, Tool: call.Tool, Failed: true, Content: tooMany(len(reply.Message.Calls))}
			case why != "":
				o = transcript.Outcome{Step: reply.Step, Call: i + 1, Tool: call.Tool, Failed: true, Content: why}
			default:
				o, err = d.call(ctx, reply.Step, i+1, call)
			}
			if err != nil {
				return false, fmt.Errorf("step %d, call %d: %w", reply.Step, i+1, err)
			}
			o.Seconds = d.since(began)
			if err := d.journal.Append(transcript.Entry{Result: &o}); err != nil {
				return false, err
			}
		}
		if o.Code == code.Halted {
			return true, nil
		}
	}
	return false, nil
}

// call makes one call. What the model can mend is a result; an error is a fault that another try may not have.
func (d *dayConversation) call(ctx context.Context, step, number int, c model.Call) (transcript.Outcome, error) {
	o := transcript.Outcome{Step: step, Call: number, Tool: c.Tool, Failed: true}
	id := fmt.Sprintf("%s#%d.%d", d.day.Date, step, number)
	tool, arguments, problem := d.prepare(c, id)
	if problem != "" {
		o.Content = problem
		return o, nil
	}
	o.Tool = tool.Name
	if tool.order {
		o.OrderID = id
	}
	var err error
	if o.Arguments, err = rawjson.Marshal(arguments); err != nil {
		return o, err
	}
	var answer agent.Answer
	if tool.server == nil {
		answer, err = d.askServer(ctx, tool.Name, arguments)
	} else if answer.Text, answer.Failed, err = tool.server.Call(ctx, tool.Name, arguments); err != nil {
		err = fmt.Errorf("%s: %w", tool.Name, err)
	}
	o.Content, o.Failed, o.Code, o.Limit, o.Filled, o.Placed = content(answer.Text), answer.Failed, answer.Code, answer.Limit, answer.Filled, answer.Placed
	return o, err
}

// askServer calls a tool of the account's server. The answer is as the model may see it.
func (d *dayConversation) askServer(ctx context.Context, tool string, arguments map[string]json.RawMessage) (answer agent.Answer, err error) {
	if d.mask != nil && tool == mask.ListSymbols {
		return d.listMasked(ctx, arguments)
	}
	answer, err = d.day.Call(ctx, tool, arguments)
	answer.Text = d.mask.Answer(tool, answer.Text)
	return answer, err
}

// listMasked answers list_symbols where the model sees masked symbols. The server would look through the true ones, and its order would
// tell which is which, so all that it lists is looked through here. It judges the arguments first.
func (d *dayConversation) listMasked(ctx context.Context, arguments map[string]json.RawMessage) (answer agent.Answer, err error) {
	asked := maps.Clone(arguments)
	for _, own := range []string{"query", "cursor"} {
		if value := string(asked[own]); strings.HasPrefix(value, `"`) {
			delete(asked, own)
		}
	}
	answer, err = d.day.Call(ctx, mask.ListSymbols, asked)
	if err != nil || answer.Failed {
		answer.Text = d.mask.Answer(mask.ListSymbols, answer.Text)
		return answer, err
	}
	var all []mask.Row
	for cursor := ""; ; {
		page, err := d.day.Call(ctx, mask.ListSymbols, map[string]json.RawMessage{"limit": json.RawMessage("500"), "cursor": quoted(cursor)})
		if err != nil || page.Failed {
			page.Text = d.mask.Answer(mask.ListSymbols, page.Text)
			return page, err
		}
		rows, next, err := mask.Rows(page.Text)
		if err != nil {
			return page, err
		}
		if all = append(all, rows...); next == "" {
			break
		}
		cursor = next
	}
	answer.Text = d.mask.List(all, arguments)
	return answer, nil
}

func quoted(text string) json.RawMessage {
	quoted, _ := json.Marshal(text) // a string always encodes
	return quoted
}

// tooMany is the result of all calls of a turn that are beyond the bound.
func tooMany(made int) string {
	return fmt.Sprintf("Not carried out: calls %d to %d of that turn. A turn can hold %d calls.", maxCalls+1, made, maxCalls)
}

// maxResult bounds what of a result the model sees, in bytes.
const maxResult = 32 << 10

// content is a result as the model sees it.
func content(text string) string {
	if text == "" {
		return "(nothing)" // endpoints refuse a message without content
	}
	return clip.Bytes(text, maxResult)
}

// action is a call in a few words.
func action(o transcript.Outcome) string {
	var order struct {
		Symbol string
		Amount json.RawMessage
	}
	if o.OrderID == "" || json.Unmarshal(o.Arguments, &order) != nil {
		return o.Tool
	}
	text := fmt.Sprintf("%s %.20s %.20s", o.Tool, strings.Trim(string(order.Amount), `"`), order.Symbol)
	switch {
	case o.Placed:
		text += ": placed"
	case !o.Filled:
		text += ": refused"
	}
	return text
}
