// One day's talk with a model: turn by turn, each on disk before the next.
//
//	ask the model -> reply on disk -> its calls, in order, each result written -> results on disk -> ask the model
//
// What to do next follows from the journal alone, whether it was written just now or before an interruption.

package agent

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
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
	worth, err := w.worth(book, t.day.Number)
	if err != nil {
		return err
	}
	e := &End{
		Reason: reason, Ledger: book.Hash, Steps: len(t.turns()), Spent: SpendingOf(t.journal.entries),
		Cash: book.Cash(), Holdings: book.Positions.Holdings(), Value: worth.Total, Stale: worth.Stale(),
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
	if err := writeLog(w.Files, filepath.Join(folder, "log.jsonl"), w.account.Name, t.journal.entries); err != nil {
		return err
	}
	return t.journal.commit(Entry{End: e})
}

func (t *talk) since(began time.Time) float64 {
	return t.Clock.Now().Sub(began).Round(time.Microsecond).Seconds()
}

// report tells the walk what the day came to so far.
func (t *talk) report() {
	t.day.walk.today = SpendingOf(t.journal.entries)
	for _, e := range t.journal.entries {
		if e.Result != nil {
			t.day.count(*e.Result)
		}
	}
}

// progress tells how far the day is.
func (t *talk) progress() {
	spent := SpendingOf(t.journal.entries)
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
