// Asking the model for its next turn: within the budgets, and again where that may help.

package llm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mcp-trade/agent/model"
	"mcp-trade/agent/transcript"
	"mcp-trade/decimal"
)

// completeTurn has the model take the next turn, within the budgets.
func (d *dayConversation) completeTurn(ctx context.Context, step int) error {
	reserve := d.MaxReplyTokens()
	if reserve == 0 {
		reserve = d.Context / 8
	}
	request := model.Request{Tools: d.offered()}
	fixed, estimator := bytesInTools(request.Tools), newTokenEstimator(d.journal.Entries)
	request.Messages = truncateOldResults(conversation(d.journal.Entries), fixed, estimator, d.Context-reserve)
	sent := bytesIn(request.Messages) + fixed
	var worst *decimal.Decimal
	if d.Prices != nil {
		cost := d.Prices.Cost(model.Usage{In: estimator.upperBound(sent), Out: d.MaxReplyTokens()})
		worst = &cost
	}
	for try := 0; ; try++ {
		if over, err := d.overBudget(worst); err != nil {
			return err
		} else if over {
			return d.end(ctx, transcript.EndBudget)
		}
		if worst != nil {
			if err := d.journal.Append(transcript.Entry{Ask: &transcript.Ask{Step: step, Worst: worst}}); err != nil {
				return err
			}
		}
		began := d.clock.Now()
		reply, err := d.complete(ctx, request)
		if err == nil {
			return d.keep(reply, step, sent, began)
		}
		if err := d.wait(ctx, err, transcript.Retry{Step: step, Seconds: d.since(began)}, try, worst); err != nil {
			return err
		}
	}
}

// complete asks the model once. The time is bounded.
func (d *dayConversation) complete(ctx context.Context, r model.Request) (model.Reply, error) {
	bounded, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	reply, err := d.model.Complete(bounded, r)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		err = &model.Error{Message: fmt.Sprintf("no reply within %v", d.Timeout), Retryable: true, MayHaveCost: true}
	}
	return reply, err
}

// keep puts a reply on disk.
func (d *dayConversation) keep(reply model.Reply, step, sent int, began time.Time) error {
	r := transcript.Reply{Step: step, Message: reply.Message, Finish: reply.Finish, Sent: sent, Usage: reply.Usage, Seconds: d.since(began)}
	if r.Usage.In == 0 && r.Usage.Out == 0 {
		r.Usage = model.Usage{In: sent * 2 / 5, Out: bytesIn([]model.Message{r.Message}) / 3, Estimated: true}
	}
	if d.Prices != nil {
		cost := d.Prices.Cost(r.Usage)
		r.Cost = &cost
	}
	return d.journal.Commit(transcript.Entry{Reply: &r})
}

// Bounds of waiting between tries.
const (
	maxBackoff = time.Minute
	maxAfter   = 10 * time.Minute // an endpoint that asks for more is not waited for
)

// wait waits before the next try, or returns why there is none.
func (d *dayConversation) wait(ctx context.Context, failed error, r transcript.Retry, try int, worst *decimal.Decimal) error {
	if ctx.Err() != nil {
		return failed
	}
	r.Error = failed.Error()
	var fault *model.Error
	if errors.As(failed, &fault) && fault.MayHaveCost {
		r.Cost = worst
	}
	pause, last := d.pause(failed, try)
	if last == nil {
		r.Wait = pause.Seconds()
	}
	if err := errors.Join(last, d.journal.Append(transcript.Entry{Retry: &r})); err != nil {
		return err
	}
	d.day.Log.Warn().Int("step", r.Step).Stringer("wait", pause.Round(time.Millisecond)).Msg(r.Error)
	return d.clock.Sleep(ctx, pause)
}

// pause is how long to wait before another try: as long as the endpoint asks for, else longer each time. An error means that
// there is none.
func (d *dayConversation) pause(failed error, try int) (time.Duration, error) {
	var fault *model.Error
	switch {
	case !errors.As(failed, &fault) || !fault.Retryable:
		return 0, failed
	case try >= d.MaxRetries:
		return 0, fmt.Errorf("%w (tried %d times)", failed, try+1)
	case fault.After > maxAfter:
		return 0, fmt.Errorf("%w; it asks to be left alone for %v", failed, fault.After)
	case fault.After > 0:
		return fault.After, nil
	}
	backoff := min(d.BaseDelay<<min(try, 20), maxBackoff)
	return time.Duration(float64(backoff) * (0.5 + d.clock.Jitter()/2)), nil
}
