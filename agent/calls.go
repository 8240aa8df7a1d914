// The calls of a turn: each is made once, and what came of it is written down.

package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"mcp-trade/code"
	"mcp-trade/ledger"
	"mcp-trade/market"
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
		if o.Code == code.Halted {
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
	if tool.server != ToolServer(t.day.walk.desk) {
		o.Content, o.Failed = content(text), failed
		return o, nil
	}
	return o.with(text, failed, tool, t.day.Date)
}

// with is the outcome that an answer of the account's server makes of a call on a day. An answer that says nothing about what
// was asked is an error, but for a halt, which ends the day.
func (o Outcome) with(text string, failed bool, tool tool, date market.Stamp) (Outcome, error) {
	a := readAnswer(text)
	o.Code, o.Failed = a.Code, failed || a.Code != ""
	o.Filled = tool.order && !o.Failed && a.Status == ledger.Filled
	if o.Filled {
		if err := a.checkFill(date); err != nil {
			return o, fmt.Errorf("%s: %w", tool.name, err)
		}
		text = firstTime(text)
	}
	o.Content = content(text)
	switch {
	case o.Failed && !a.judged() && a.Code != code.Halted,
		tool.order && !o.Failed && a.Status != ledger.Filled && a.Status != ledger.DryRun:
		return o, fmt.Errorf("%s: %w", tool.name, a.fault())
	}
	return o, nil
}

// content is a result as the model sees it.
func content(text string) string {
	if text == "" {
		return "(nothing)" // endpoints refuse a message without content
	}
	return bounded(text, maxResult)
}

// firstTime returns the answer to an order as it was when the order was filled: "replayed" is false. After an interruption
// the order may be there already; to the model it makes no difference. Every other byte stays.
func firstTime(text string) string {
	d := jsontext.NewDecoder(strings.NewReader(text))
	if open, err := d.ReadToken(); err != nil || open.Kind() != '{' {
		return text
	}
	for d.PeekKind() == '"' {
		name, _ := d.ReadToken() // it was peeked at
		found := name.String() == "replayed"
		value, err := d.ReadValue()
		if err != nil {
			break
		}
		if end := d.InputOffset(); found {
			return text[:end-int64(len(value))] + "false" + text[end:]
		}
	}
	return text
}

// count counts an order of a model.
func (d *Day) count(o Outcome) {
	switch {
	case o.OrderID == "":
	case o.Filled:
		d.filled++
	case o.Failed && o.Code != code.Halted:
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
