// Asking the model for its next turn: within the budgets, and again where that may help.

package llm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"mcp-trade/agent/model"
	"mcp-trade/agent/transcript"
)

// completeTurn has the model take the next turn, within the budgets.
func (t *dayConversation) completeTurn(ctx context.Context, step int) error {
	reserve := t.MaxReplyTokens()
	if reserve == 0 {
		reserve = t.Context / 8
	}
	request := model.Request{Tools: t.offered()}
	fixed, estimator := bytesInTools(request.Tools), newTokenEstimator(t.journal.Entries)
	request.Messages = truncateOldResults(conversation(t.journal.Entries), fixed, estimator, t.Context-reserve)
	sent := bytesIn(request.Messages) + fixed
	var worst *decimal.Decimal
	if t.Prices != nil {
		cost := t.Prices.Cost(model.Usage{In: estimator.upperBound(sent), Out: t.MaxReplyTokens()})
		worst = &cost
	}
	for try := 0; ; try++ {
		if over, err := t.overBudget(worst); err != nil {
			return err
		} else if over {
			return t.end(ctx, transcript.EndBudget)
		}
		if worst != nil {
			if err := t.journal.Append(transcript.Entry{Ask: &transcript.Ask{Step: step, Worst: worst}}); err != nil {
				return err
			}
		}
		began := t.clock.Now()
		reply, err := t.complete(ctx, request)
		if err == nil {
			return t.keep(reply, step, sent, began)
		}
		if err := t.wait(ctx, err, transcript.Retry{Step: step, Seconds: t.since(began)}, try, worst); err != nil {
			return err
		}
	}
}

// complete asks the model once. The time is bounded.
func (t *dayConversation) complete(ctx context.Context, r model.Request) (model.Reply, error) {
	bounded, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	reply, err := t.model.Complete(bounded, r)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		err = &model.Error{Message: fmt.Sprintf("no reply within %v", t.Timeout), Retryable: true, MayHaveCost: true}
	}
	return reply, err
}

// keep puts a reply on disk.
func (t *dayConversation) keep(reply model.Reply, step, sent int, began time.Time) error {
	r := transcript.Reply{Step: step, Message: reply.Message, Finish: reply.Finish, Sent: sent, Usage: reply.Usage, Seconds: t.since(began)}
	if r.Usage.In == 0 && r.Usage.Out == 0 {
		r.Usage = model.Usage{In: sent * 2 / 5, Out: bytesIn([]model.Message{r.Message}) / 3, Estimated: true}
	}
	if t.Prices != nil {
		cost := t.Prices.Cost(r.Usage)
		r.Cost = &cost
	}
	return t.journal.Commit(transcript.Entry{Reply: &r})
}

// Bounds of waiting between tries.
const (
	maxBackoff = time.Minute
	maxAfter   = 10 * time.Minute // an endpoint that asks for more is not waited for
)

// wait waits before the next try, or returns why there is none.
func (t *dayConversation) wait(ctx context.Context, failed error, r transcript.Retry, try int, worst *decimal.Decimal) error {
	if ctx.Err() != nil {
		return failed
	}
	r.Error = failed.Error()
	var fault *model.Error
	if errors.As(failed, &fault) && fault.MayHaveCost {
		r.Cost = worst
	}
	pause, last := t.pause(failed, try)
	if last == nil {
		r.Wait = pause.Seconds()
	}
	if err := errors.Join(last, t.journal.Append(transcript.Entry{Retry: &r})); err != nil {
		return err
	}
	t.day.Log.Warn().Int("step", r.Step).Stringer("wait", pause.Round(time.Millisecond)).Msg(r.Error)
	return t.clock.Sleep(ctx, pause)
}

// pause is how long to wait before another try: as long as the endpoint asks for, else longer each time. An error means that
// there is none.
func (t *dayConversation) pause(failed error, try int) (time.Duration, error) {
	var fault *model.Error
	switch {
	case !errors.As(failed, &fault) || !fault.Retryable:
		return 0, failed
	case try >= t.MaxRetries:
		return 0, fmt.Errorf("%w (tried %d times)", failed, try+1)
	case fault.After > maxAfter:
		return 0, fmt.Errorf("%w; it asks to be left alone for %v", failed, fault.After)
	case fault.After > 0:
		return fault.After, nil
	}
	backoff := min(t.BaseDelay<<min(try, 20), maxBackoff)
	return time.Duration(float64(backoff) * (0.5 + t.clock.Jitter()/2)), nil
}
