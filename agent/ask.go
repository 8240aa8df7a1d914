// Asking the model for its next turn: within the budgets, and again where that may help.

package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shopspring/decimal"
)

// ask has the model take the next turn, within the budgets.
func (t *talk) ask(ctx context.Context, step int) error {
	reserve := t.maxReplyTokens()
	if reserve == 0 {
		reserve = t.Context / 8
	}
	fixed, g := toolBytes(t.box.tools), gaugeOf(t.journal.entries)
	messages := shrunk(conversation(t.journal.entries), fixed, g, t.Context-reserve)
	sent := bytesIn(messages) + fixed
	var worst *decimal.Decimal
	if t.Prices != nil {
		cost := t.Prices.cost(Usage{In: g.most(sent), Out: t.maxReplyTokens()})
		worst = &cost
	}
	for try := 0; ; try++ {
		if over, err := t.overBudget(worst); err != nil {
			return err
		} else if over {
			return t.end(ctx, EndBudget)
		}
		if worst != nil {
			if err := t.journal.append(Entry{Ask: &Ask{step, worst}}); err != nil {
				return err
			}
		}
		began := t.Clock.Now()
		reply, err := t.endpoint.ask(ctx, messages, t.box.tools)
		if err == nil {
			return t.keep(reply, step, sent, began)
		}
		if err := t.wait(ctx, err, Retry{Step: step, Seconds: t.since(began)}, try, worst); err != nil {
			return err
		}
	}
}

// keep puts a reply on disk.
func (t *talk) keep(r Reply, step, sent int, began time.Time) error {
	r.Step, r.Sent, r.Seconds = step, sent, t.since(began)
	if r.Usage.In == 0 && r.Usage.Out == 0 {
		r.Usage = Usage{In: sent * 2 / 5, Out: bytesIn([]Message{r.Message}) / 3, Estimated: true}
	}
	if t.Prices != nil {
		cost := t.Prices.cost(r.Usage)
		r.Cost = &cost
	}
	return t.journal.commit(Entry{Reply: &r})
}

// overBudget tells whether a call that may cost so much would exceed the day's budget. That of the run is an error.
func (t *talk) overBudget(worst *decimal.Decimal) (bool, error) {
	if worst == nil {
		return false, nil
	}
	today := SpendingOf(t.journal.entries).cost()
	before := t.day.walk.checkpoint.Spent.cost()
	if b := t.RunBudget; b != nil && before.Add(today).Add(*worst).GreaterThan(*b) {
		return false, &BudgetError{before.Add(today), *worst, *b}
	}
	return t.DayBudget != nil && today.Add(*worst).GreaterThan(*t.DayBudget), nil
}

// retriable tells whether a call that failed is worth another try.
func retriable(err error) bool {
	var status *statusError
	var none *noReplyError
	return errors.As(err, &none) || errors.As(err, &status) && (status.Status == 429 || status.Status >= 500)
}

// Bounds of waiting between tries.
const (
	maxBackoff = time.Minute
	maxAfter   = 10 * time.Minute // an endpoint that asks for more is not waited for
)

// wait waits before the next try, or returns why there is none.
func (t *talk) wait(ctx context.Context, failed error, r Retry, try int, worst *decimal.Decimal) error {
	if ctx.Err() != nil {
		return failed
	}
	r.Error = failed.Error()
	var none *noReplyError
	if errors.As(failed, &none) {
		r.Cost = worst // the endpoint may have been at work
	}
	pause, last := t.pause(failed, try)
	if last == nil {
		r.Wait = pause.Seconds()
	}
	if err := errors.Join(last, t.journal.append(Entry{Retry: &r})); err != nil {
		return err
	}
	w := t.day.walk
	w.Log.Warn().Str("account", w.account.Name).Str("date", string(t.day.Date)).Int("step", r.Step).Stringer("wait", pause.Round(time.Millisecond)).Msg(r.Error)
	return t.Clock.Sleep(ctx, pause)
}

// pause is how long to wait before another try: as long as the endpoint asks for, else longer each time. An error means that
// there is none.
func (t *talk) pause(failed error, try int) (time.Duration, error) {
	var status *statusError
	asked := errors.As(failed, &status) && status.After > 0
	switch {
	case !retriable(failed):
		return 0, failed
	case try >= t.MaxRetries:
		return 0, fmt.Errorf("%w (tried %d times)", failed, try+1)
	case asked && status.After > maxAfter:
		return 0, fmt.Errorf("%w; it asks to be left alone for %v", failed, status.After)
	case asked:
		return status.After, nil
	}
	backoff := min(t.BaseDelay<<min(try, 20), maxBackoff)
	return time.Duration(float64(backoff) * (0.5 + t.Clock.Jitter()/2)), nil
}
