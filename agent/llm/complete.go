// Asking the model for its next turn: within the budgets, and again where that may help.

package llm

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"mcp-trade/agent/model"
	"mcp-trade/agent/transcript"
	"mcp-trade/decimal"
)

// question is what the model is asked in a turn, and about how large that is.
type question struct {
	model.Request
	estimator tokenEstimator
	fixed     int              // bytes of the tools
	sent      int              // bytes of everything
	worst     *decimal.Decimal // what it may cost at most; nil: that is not known
}

// ask makes the question of the next turn. It is to have so many tokens at most.
func (d *dayConversation) ask(tokens int) question {
	q := question{Request: model.Request{Tools: d.offered()}, estimator: newTokenEstimator(d.journal.Entries)}
	q.fixed = bytesInTools(q.Tools)
	q.Messages = truncateOldResults(d.conversation(d.journal.Entries), q.fixed, q.estimator, tokens)
	d.measure(&q)
	return q
}

func (d *dayConversation) measure(q *question) {
	q.sent = bytesIn(q.Messages) + q.fixed
	if d.Prices != nil {
		cost := d.Prices.Worst(q.estimator.upperBound(q.sent), d.MaxReplyTokens())
		q.worst = &cost
	}
}

// completeTurn has the model take the next turn, within the budgets.
func (d *dayConversation) completeTurn(ctx context.Context, step int) error {
	reserve := d.MaxReplyTokens()
	if reserve == 0 {
		reserve = d.Context / 8
	}
	if d.fits == 0 {
		d.fits = d.Context - reserve
	}
	q, shortened := d.ask(d.fits), false
	for try := 0; ; try++ {
		if over, err := d.overBudget(q.worst); err != nil {
			return err
		} else if over {
			return d.end(ctx, transcript.EndBudget)
		}
		done, err := d.Pace.Begin(ctx, q.worst)
		if err != nil {
			return err
		}
		if q.worst != nil {
			if err := d.journal.Append(transcript.Entry{Ask: &transcript.Ask{Step: step, Worst: q.worst}}); err != nil {
				return err
			}
		}
		began := d.clock.Now()
		reply, err := d.complete(ctx, q.Request)
		done(d.costOf(reply, err))
		if err == nil {
			return d.keep(reply, step, q.sent, began)
		}
		failed := transcript.Retry{Step: step, Seconds: d.since(began)}
		var fault *model.Error
		if errors.As(err, &fault) && fault.TooLong {
			if err := d.shorten(&q, fault, failed, shortened); err != nil {
				return err
			}
			shortened = true
			try-- // it was refused, and has not failed
			continue
		}
		if err := d.wait(ctx, err, failed, try, q.worst); err != nil {
			return err
		}
	}
}

// shorten makes a question shorter that the API refused as too long. The next ones of the account are made shorter at once. An error
// says what to change.
func (d *dayConversation) shorten(q *question, refused *model.Error, failed transcript.Retry, again bool) error {
	before := q.sent
	if !again {
		d.fits = tokensLeft(refused.Message, q.estimator.estimate(before))
		q.Messages = dropOldTurns(truncateOldResults(q.Messages, q.fixed, q.estimator, d.fits), q.fixed, q.estimator, d.fits)
		d.measure(q)
	}
	failed.Error = refused.Message
	var permanent error
	if again || q.sent >= before {
		permanent = &model.Error{Message: refused.Message, Status: refused.Status, TooLong: true, Advice: fmt.Sprintf(
			"set context_size (now %d) to the tokens that the model takes in, and max_tokens to a part of them; or ask a model that takes in more", d.Context)}
	} else {
		d.day.Log.Warn().Int("step", failed.Step).Msgf("the conversation is shortened from %d to %d bytes: %s", before, q.sent, refused.Message)
	}
	return errors.Join(permanent, d.journal.Append(transcript.Entry{Retry: &failed}))
}

// tokensLeft is how many tokens a conversation should have at most that was refused as too long and has about so many. Refusals
// mostly name the limit and what was asked.
func tokensLeft(refusal string, tokens int) int {
	low, high := 0, 0
	for _, word := range strings.FieldsFunc(refusal, func(r rune) bool { return r < '0' || r > '9' }) {
		if n, err := strconv.Atoi(word); err == nil && n >= 1000 {
			if low == 0 || n < low {
				low = n
			}
			high = max(high, n)
		}
	}
	if low == high {
		return tokens / 2
	}
	return int(float64(tokens) * float64(low) / float64(high) * 0.8)
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

// costOf is what a call cost; nil is what it may have cost at most.
func (d *dayConversation) costOf(reply model.Reply, failed error) *decimal.Decimal {
	var fault *model.Error
	free := decimal.Zero
	switch {
	case d.Prices == nil, failed != nil && errors.As(failed, &fault) && !fault.MayHaveCost:
		return &free
	case failed != nil, reply.Usage.In == 0 && reply.Usage.Out == 0:
		return nil
	}
	cost := d.Prices.Cost(reply.Usage)
	return &cost
}

// keep puts a reply on disk.
func (d *dayConversation) keep(reply model.Reply, step, sent int, began time.Time) error {
	r := transcript.Reply{Step: step, Message: reply.Message, Finish: reply.Finish, Sent: sent, Usage: reply.Usage, Seconds: d.since(began)}
	if d.TextCalls && d.kindOf(r) == writing {
		r.Message.Calls = d.callsIn(withoutThoughts(r.Message.Content), step)
	}
	if r.Usage.In == 0 && r.Usage.Out == 0 {
		r.Usage = model.Usage{In: sent * 2 / 5, Out: bytesIn([]model.Message{r.Message}) / 3, Estimated: true}
	}
	if d.Prices != nil {
		cost := d.Prices.Cost(r.Usage)
		r.Cost = &cost
	}
	if read := r.Usage.In; !r.Usage.Estimated && sent > minCut && sent/max(read, 1) > maxBytesPerToken {
		d.day.Log.Warn().Int("step", step).Msgf("the API counted %d tokens in %d bytes: it may have dropped the front of the conversation; let its server take in more (num_ctx at Ollama), or set context_size to what it takes in", read, sent)
	}
	return d.journal.Commit(transcript.Entry{Reply: &r})
}

// A conversation of some size has about a token for three bytes.
const (
	minCut           = 16 << 10 // bytes
	maxBytesPerToken = 8
)

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
