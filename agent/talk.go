// One day's talk with a model: turn by turn, each on disk before the next.
//
//	ask the model -> reply on disk -> its calls, in order, each result written -> results on disk -> ask the model
//
// What to do next follows from the journal alone, whether it was written just now or before an interruption.

package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

type talk struct {
	*llm
	day     *Day
	journal *journal
	box     *toolbox
}

// HaltedError says that HALT is set.
type HaltedError struct {
	Account string
	Ended   bool // the day under way was ended by it; else it was not begun
}

func (e *HaltedError) Error() string {
	return fmt.Sprintf("trading is halted; clear it with 'mcp-trade session clear HALT --model-id %s' (or '*', if all are halted) to go on", e.Account)
}

// run trades the day to its end.
func (t *talk) run(ctx context.Context) error {
	if err := t.begin(ctx); err != nil {
		return err
	}
	for t.ended() == "" {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := t.advance(ctx); err != nil {
			return err
		}
		t.progress()
		if t.ended() == EndHalted {
			return &HaltedError{t.day.walk.account.Name, true}
		}
	}
	return nil
}

// ended is why the day is over, "" while it is not.
func (t *talk) ended() string {
	if e := t.journal.entries[len(t.journal.entries)-1].End; e != nil {
		return e.Reason
	}
	return ""
}

// begin writes the first messages, unless they are there.
func (t *talk) begin(ctx context.Context) error {
	w := t.day.walk
	if len(t.journal.entries) > 0 {
		b := t.journal.entries[0].Begin
		if b == nil || b.Ledger != t.day.Book.Hash {
			return fmt.Errorf("the transcript %s belongs to another ledger than the account has now; move the folder of logs away to trade the day anew",
				TranscriptFile(w.LogPath, w.account.Name, t.day.Date))
		}
		return nil
	}
	s, err := w.session.Read(ctx)
	if err != nil {
		return err
	}
	if s.Halted {
		return &HaltedError{w.account.Name, false}
	}
	facts, err := w.desk.prompt(ctx, "trading-day")
	if err != nil {
		return err
	}
	return t.journal.commit(Entry{Begin: &Begin{
		Account: w.account.Name, Date: t.day.Date, Model: t.Model, Ledger: t.day.Book.Hash, Tools: t.box.names(),
		Messages: []Message{{Role: "system", Content: t.systemPrompt()}, {Role: "user", Content: facts + "\n" + startText}},
	}})
}

// turns are the replies so far.
func (t *talk) turns() []Reply {
	var replies []Reply
	for _, e := range t.journal.entries {
		if e.Reply != nil {
			replies = append(replies, *e.Reply)
		}
	}
	return replies
}

// advance completes the newest turn and begins the next, or ends the day.
func (t *talk) advance(ctx context.Context) error {
	turns := t.turns()
	if len(turns) == 0 {
		return t.ask(ctx, 1)
	}
	reply := turns[len(turns)-1]
	stopped, err := t.carryOut(ctx, reply)
	if err != nil {
		return err
	}
	reason := t.reason(turns)
	switch {
	case stopped:
		reason = EndHalted
	case reason == "" && reply.Step >= t.MaxSteps:
		reason = EndMaxSteps
	}
	if reason != "" {
		return t.end(ctx, reason)
	}
	if blank(reply) && t.journal.entries[len(t.journal.entries)-1].Nudge == nil && !t.askedSince() {
		if err := t.journal.append(Entry{Nudge: &Message{Role: "user", Content: nudgeText}}); err != nil {
			return err
		}
	}
	if err := t.journal.file.Sync(); err != nil {
		return err
	}
	return t.ask(ctx, reply.Step+1)
}

// askedSince tells whether the turn after the newest reply was begun: what comes before it is there.
func (t *talk) askedSince() bool {
	for _, e := range slices.Backward(t.journal.entries) {
		if e.Reply != nil {
			return false
		}
		if e.Ask != nil || e.Retry != nil {
			return true
		}
	}
	return false
}

// reason is why the newest turn ends the day, "" if it does not.
func (t *talk) reason(turns []Reply) string {
	reply := turns[len(turns)-1]
	m := reply.Message
	switch {
	case strings.Contains(m.Content, StopSignal):
		return EndFinished
	case len(m.Calls) > 0:
		return ""
	case m.Refusal != "":
		return EndRefused
	case !blank(reply):
		return EndNoCalls
	case len(turns) > 1 && blank(turns[len(turns)-2]):
		return EndEmpty
	}
	return ""
}

// blank tells whether a turn says nothing: no text, no call; or a text that was cut off before it came to its calls.
func blank(r Reply) bool {
	m := r.Message
	return len(m.Calls) == 0 && m.Refusal == "" && (strings.TrimSpace(m.Content) == "" || r.Finish == "length")
}

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
	today := spendingOf(t.journal.entries).cost()
	before := t.day.walk.checkpoint.Spent.cost()
	if b := t.RunBudget; b != nil && before.Add(today).Add(*worst).GreaterThan(*b) {
		return false, &BudgetError{before.Add(today), *worst, *b}
	}
	return t.DayBudget != nil && today.Add(*worst).GreaterThan(*t.DayBudget), nil
}

// early tells why a day ended that the model did not end.
var early = map[string]string{
	EndEmpty:    "the model replied nothing, twice",
	EndRefused:  "the model refused",
	EndMaxSteps: "it may take no more (max_steps)",
	EndBudget:   "the next might have exceeded the day's budget",
	EndHalted:   "trading is halted",
}

// end writes what the ledger says at the end of the day, and that the day is over.
func (t *talk) end(ctx context.Context, reason string) error {
	w := t.day.walk
	book, err := w.Accounts.Book(ctx, w.account.Name, t.day.Date)
	if err != nil {
		return err
	}
	e := &End{
		Reason: reason, Steps: len(t.turns()), Spent: spendingOf(t.journal.entries),
		Cash: book.Cash(), Holdings: book.Positions.Holdings(), Value: w.value(book),
	}
	if turns := t.turns(); len(turns) > 0 {
		e.Differs = differences(turns[len(turns)-1].Message.Content, book)
	}
	warn := func(text string) {
		w.Log.Warn().Str("account", w.account.Name).Str("date", string(t.day.Date)).Msg(text)
	}
	if text := early[reason]; text != "" {
		warn(fmt.Sprintf("the day ended after %d steps: %s", e.Steps, text))
	}
	for _, text := range e.Differs {
		warn("the model's closing text differs from the ledger: " + text)
	}
	folder := dayFolder(w.LogPath, w.account.Name, t.day.Date)
	if err := writeLog(filepath.Join(folder, "log.jsonl"), w.account.Name, t.journal.entries); err != nil {
		return err
	}
	return t.journal.commit(Entry{End: e})
}

func (t *talk) since(began time.Time) float64 {
	return t.Clock.Now().Sub(began).Round(time.Microsecond).Seconds()
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

// report tells the walk what the day came to so far.
func (t *talk) report() {
	t.day.walk.today = spendingOf(t.journal.entries)
	for _, e := range t.journal.entries {
		if e.Result != nil {
			t.day.count(*e.Result)
		}
	}
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

// progress tells how far the day is.
func (t *talk) progress() {
	spent := spendingOf(t.journal.entries)
	done := StepDone{Account: t.day.walk.account.Name, Date: t.day.Date, Tokens: spent.In + spent.Out, Cost: spent.Cost}
	for _, e := range t.journal.entries {
		switch {
		case e.Reply != nil:
			done.Step, done.Action = e.Reply.Step, "thinks"
		case e.Result != nil:
			done.Action = e.Result.action()
		}
	}
	t.day.walk.Steps(done)
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
