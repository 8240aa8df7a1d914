// The conversation of a day with a model: turn by turn, each on disk before the next.
//
//	ask the model -> reply on disk -> its calls, in order, each result written -> results on disk -> ask the model
//
// What to do next follows from the journal alone, whether it was written just now or before an interruption.

package llm

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mcp-trade/agent"
	"mcp-trade/agent/model"
	"mcp-trade/agent/transcript"
)

type dayConversation struct {
	*trader
	day     *agent.Day
	journal *transcript.Journal
}

// run trades the day to its end.
func (t *dayConversation) run(ctx context.Context) error {
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
		if t.ended() == transcript.EndHalted {
			return &agent.HaltedError{Account: t.day.Account, Ended: true}
		}
	}
	return nil
}

// ended is why the day is over, "" while it is not.
func (t *dayConversation) ended() string {
	if e := t.journal.Entries[len(t.journal.Entries)-1].End; e != nil {
		return e.Reason
	}
	return ""
}

// begin writes the first messages, unless they are there.
func (t *dayConversation) begin(ctx context.Context) error {
	if len(t.journal.Entries) > 0 {
		b := t.journal.Entries[0].Begin
		if b == nil || b.Ledger != t.day.Book.Hash {
			return fmt.Errorf("the transcript %s belongs to another ledger than the account has now; move the folder of logs away to trade the day anew",
				t.journal.Path)
		}
		return nil
	}
	if t.day.Halted {
		return &agent.HaltedError{Account: t.day.Account}
	}
	facts, err := t.own.Prompt(ctx, "trading-day")
	if err != nil {
		return err
	}
	return t.journal.Commit(transcript.Entry{Begin: &transcript.Begin{
		Account: t.day.Account, Date: t.day.Date, Model: t.Model, Ledger: t.day.Book.Hash, Tools: t.names(),
		Messages: []model.Message{{Role: "system", Content: t.systemPrompt()}, {Role: "user", Content: facts + "\n" + startText}},
	}})
}

// turns are the replies so far.
func (t *dayConversation) turns() []transcript.Reply {
	var replies []transcript.Reply
	for _, e := range t.journal.Entries {
		if e.Reply != nil {
			replies = append(replies, *e.Reply)
		}
	}
	return replies
}

// advance completes the newest turn and begins the next, or ends the day.
func (t *dayConversation) advance(ctx context.Context) error {
	turns := t.turns()
	if len(turns) == 0 {
		return t.completeTurn(ctx, 1)
	}
	reply := turns[len(turns)-1]
	stopped, err := t.executeCalls(ctx, reply)
	if err != nil {
		return err
	}
	reason := t.endReason(turns)
	switch {
	case stopped:
		reason = transcript.EndHalted
	case reason == "" && reply.Step >= t.MaxSteps:
		reason = transcript.EndMaxSteps
	}
	if reason != "" {
		return t.end(ctx, reason)
	}
	if isEmptyTurn(reply) && t.journal.Entries[len(t.journal.Entries)-1].Nudge == nil && !t.askedSince() {
		if err := t.journal.Append(transcript.Entry{Nudge: &model.Message{Role: "user", Content: nudgeText}}); err != nil {
			return err
		}
	}
	if err := t.journal.Sync(); err != nil {
		return err
	}
	return t.completeTurn(ctx, reply.Step+1)
}

// askedSince tells whether the turn after the newest reply was begun: what comes before it is there.
func (t *dayConversation) askedSince() bool {
	for _, e := range slices.Backward(t.journal.Entries) {
		if e.Reply != nil {
			return false
		}
		if e.Ask != nil || e.Retry != nil {
			return true
		}
	}
	return false
}

// endReason is why the newest turn ends the day, "" if it does not.
func (t *dayConversation) endReason(turns []transcript.Reply) string {
	reply := turns[len(turns)-1]
	m := reply.Message
	switch {
	case strings.Contains(m.Content, StopSignal):
		return transcript.EndFinished
	case len(m.Calls) > 0:
		return ""
	case m.Refusal != "":
		return transcript.EndRefused
	case !isEmptyTurn(reply):
		return transcript.EndNoCalls
	case len(turns) > 1 && isEmptyTurn(turns[len(turns)-2]):
		return transcript.EndEmpty
	}
	return ""
}

// isEmptyTurn tells whether a turn says nothing: no text, no call; or a text that was cut off before it came to its calls.
func isEmptyTurn(r transcript.Reply) bool {
	m := r.Message
	return len(m.Calls) == 0 && m.Refusal == "" && (strings.TrimSpace(m.Content) == "" || r.Finish == "length")
}

// early tells why a day ended that the model did not end.
var early = map[string]string{
	transcript.EndEmpty:    "the model replied nothing, twice",
	transcript.EndRefused:  "the model refused",
	transcript.EndMaxSteps: "it may take no more (max_steps)",
	transcript.EndBudget:   "the next might have exceeded the day's budget",
	transcript.EndHalted:   "trading is halted",
}

// end writes what the ledger says at the end of the day, and that the day is over.
func (t *dayConversation) end(ctx context.Context, reason string) error {
	has, err := t.day.Standing(ctx)
	if err != nil {
		return err
	}
	book := has.Book
	e := transcript.End{
		Reason: reason, Ledger: book.Hash, Steps: len(t.turns()), Spent: transcript.SpendingOf(t.journal.Entries),
		Cash: book.Cash(), Holdings: book.Positions.Holdings(), Value: has.Value.Total, Stale: has.Value.Stale(),
	}
	if turns := t.turns(); len(turns) > 0 {
		e.Differs = discrepancies(turns[len(turns)-1].Message.Content, book)
	}
	warn := t.day.Log.Warn
	if text := early[reason]; text != "" {
		warn().Msgf("the day ended after %d steps: %s", e.Steps, text)
	}
	for _, text := range e.Differs {
		warn().Msg("the model's closing text differs from the ledger: " + text)
	}
	return t.journal.End(e)
}

func (t *dayConversation) since(began time.Time) float64 {
	return t.clock.Now().Sub(began).Round(time.Microsecond).Seconds()
}

// progress tells how far the day is.
func (t *dayConversation) progress() {
	spent := transcript.SpendingOf(t.journal.Entries)
	done := agent.Step{Tokens: spent.In + spent.Out, Cost: spent.Cost}
	for _, e := range t.journal.Entries {
		switch {
		case e.Reply != nil:
			done.Step, done.Action = e.Reply.Step, "thinks"
		case e.Result != nil:
			done.Action = action(*e.Result)
		}
	}
	t.day.Step(done)
}
