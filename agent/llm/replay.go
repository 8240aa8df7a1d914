// Replay: a run again, from its transcripts, without a model.

package llm

import (
	"context"
	"fmt"

	"mcp-trade/agent"
	"mcp-trade/agent/transcript"
	"mcp-trade/code"
	"mcp-trade/internal/clip"
)

// replay sends the orders of the transcripts under a log path. Each is made anew from what the model replied, and must come
// to what it came to.
type replay struct{ logPath string }

// Replay returns a decider that repeats what an account of the same name did under another log path.
func Replay(logPath string) agent.Decider { return replay{logPath} }

// Open lists the tools, with which orders are made.
func (r replay) Open(ctx context.Context, _ string, own agent.Server) (agent.Trader, error) {
	catalog, err := openCatalog(ctx, own, nil, false, nil)
	return &replayer{r, catalog}, err
}

// replayer repeats an account.
type replayer struct {
	replay
	*toolCatalog
}

// Decide repeats the day.
func (r *replayer) Decide(ctx context.Context, d *agent.Day) error {
	path := transcript.File(r.logPath, d.Account, d.Date)
	entries, err := transcript.Read(path)
	if err != nil {
		return err
	}
	var reply transcript.Reply
	for _, e := range entries {
		switch {
		case e.Begin != nil && e.Begin.Ledger != d.Before:
			return fmt.Errorf("the ledger before the day is not the one in %s", path)
		case e.Begin != nil:
			r.mask = e.Begin.Unmasking()
		case e.Reply != nil:
			reply = *e.Reply
		case e.Result != nil:
			if err := r.repeat(ctx, d, reply, *e.Result); err != nil {
				return err
			}
		case e.End != nil:
			return nil
		}
	}
	return agent.ErrRecordingEnds
}

// repeat sends an order once more. Calls that ordered nothing, or came while trading was halted, are passed over.
func (r *replayer) repeat(ctx context.Context, d *agent.Day, reply transcript.Reply, was transcript.Outcome) error {
	if was.OrderID == "" || was.Code == code.Halted || was.Step != reply.Step || was.Call > len(reply.Message.Calls) {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	t, arguments, problem := r.prepare(reply.Message.Calls[was.Call-1], was.OrderID)
	if problem != "" || !t.order {
		return fmt.Errorf("the order %s cannot be repeated: %s", was.OrderID, problem)
	}
	is, err := d.Call(ctx, t.Name, arguments)
	if err != nil {
		return err
	}
	if is.Filled != was.Filled || is.Placed != was.Placed || is.Code != was.Code {
		return fmt.Errorf("the order %s came to %s, and now to %s", was.OrderID, clip.Bytes(was.Content, 300), clip.Bytes(is.Text, 300))
	}
	return nil
}
