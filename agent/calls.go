// The calls of a turn: each is made once, and what came of it is written down.

package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// maxCalls bounds how many calls of one turn are carried out.
const maxCalls = 64

// carryOut makes the calls of a turn whose results are not known, in order. It stops where trading is halted.
func (t *talk) carryOut(ctx context.Context, reply Reply) (stopped bool, err error) {
	for i, call := range reply.Message.Calls {
		o, known := t.journal.outcome(reply.Step, i+1)
		if !known {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			began := t.Clock.Now()
			if o, err = t.call(ctx, reply.Step, i+1, call); err != nil {
				return false, fmt.Errorf("step %d, call %d: %w", reply.Step, i+1, err)
			}
			o.Seconds = t.since(began)
			if err := t.journal.append(Entry{Result: &o}); err != nil {
				return false, err
			}
		}
		if o.Code == halted {
			return true, nil
		}
	}
	return false, nil
}

// call makes one call. What the model can mend is a result; an error is a fault that another try may not have.
func (t *talk) call(ctx context.Context, step, number int, c Call) (Outcome, error) {
	o := Outcome{Step: step, Call: number, Tool: c.Tool, Failed: true}
	if number > maxCalls {
		o.Content = fmt.Sprintf("Not carried out: a turn can hold %d calls.", maxCalls)
		return o, nil
	}
	id := fmt.Sprintf("%s#%d.%d", t.day.Date, step, number)
	tool, arguments, problem := t.box.prepare(c, id)
	if problem != "" {
		o.Content = problem
		return o, nil
	}
	var err error
	if tool.order {
		o.OrderID = id
		ctx = context.WithoutCancel(ctx) // an order that was sent is awaited
	}
	if o.Arguments, err = marshal(arguments); err != nil {
		return o, err
	}
	text, failed, err := tool.server.Call(ctx, tool.name, arguments)
	if err != nil {
		return o, fmt.Errorf("%s: %w", tool.name, err)
	}
	came := newOutcome(text, failed, tool.order)
	o.Content, o.Failed, o.Filled = came.Content, came.Failed, came.Filled
	if o.Filled {
		if err := checkFill(text, t.day.Date); err != nil {
			return o, fmt.Errorf("%s: %w", tool.name, err)
		}
	}
	if failed && tool.server == ToolServer(t.day.walk.desk) {
		o.Code = came.Code
		if o.Code != halted && slices.Contains(faults, o.Code) || tool.order && o.Code == "" {
			return o, fmt.Errorf("%s: %s", tool.name, readFailure(text).Error) // it says nothing about the order
		}
	}
	return o, nil
}

// newOutcome is what an answer says.
func newOutcome(text string, failed, order bool) Outcome {
	o := Outcome{Content: bounded(text, maxResult), Failed: failed}
	switch {
	case text == "":
		o.Content = "(nothing)" // endpoints refuse a message without content
	case failed:
		o.Code = readFailure(text).Code
	case order:
		o.Filled = strings.Contains(text, `"status":"filled"`)
		// After an interruption the order may be there already. To the model it makes no difference.
		o.Content = strings.Replace(o.Content, `"replayed":true`, `"replayed":false`, 1)
	}
	return o
}

// count counts an order of a model.
func (d *Day) count(o Outcome) {
	switch {
	case o.OrderID == "":
	case o.Filled:
		d.filled++
	case o.Failed:
		d.walk.checkpoint.refuse(o.OrderID, o.Code)
	}
}

// action is a call in a few words.
func (o Outcome) action() string {
	var order struct {
		Symbol string
		Amount json.RawMessage
	}
	if o.OrderID == "" || json.Unmarshal(o.Arguments, &order) != nil {
		return o.Tool
	}
	text := fmt.Sprintf("%s %.20s %.20s", o.Tool, strings.Trim(string(order.Amount), `"`), order.Symbol)
	if !o.Filled {
		text += ": refused"
	}
	return text
}
