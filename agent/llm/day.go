// The conversation of a day with a model: turn by turn, each on disk before the next.
//
//	ask the model -> reply on disk -> its calls, in order, each result written -> results on disk -> ask the model
//
// What to do next follows from the journal alone, whether it was written just now or before an interruption.

package llm

import (
	"cmp"
	"context"
	"fmt"
	"slices"
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
func (d *dayConversation) run(ctx context.Context) error {
	if err := d.begin(ctx); err != nil {
		return err
	}
	for d.ended() == "" {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.advance(ctx); err != nil {
			return err
		}
		d.progress()
		if d.ended() == transcript.EndHalted {
			return &agent.HaltedError{Account: d.day.Account, Ended: true}
		}
	}
	return nil
}

// ended is why the day is over, "" while it is not.
func (d *dayConversation) ended() string {
	if e := d.journal.Entries[len(d.journal.Entries)-1].End; e != nil {
		return e.Reason
	}
	return ""
}

// begin writes the first messages, unless they are there.
func (d *dayConversation) begin(ctx context.Context) error {
	if len(d.journal.Entries) > 0 {
		b := d.journal.Entries[0].Begin
		if b == nil || b.Ledger != d.day.Before {
			return fmt.Errorf("the transcript of %s on %s belongs to another ledger than the account has now; move the folder of logs away to trade the day anew",
				d.journal.Account, d.journal.Date)
		}
		if now := d.mask.Kept(); !now.Same(b.Mask) {
			return fmt.Errorf("the day %s of %s was begun with %s, and this run has %s; give it the same mask, or move the folder of logs away to trade the day anew",
				d.journal.Date, d.journal.Account, b.Mask, now)
		}
		return nil
	}
	if d.day.Halted {
		return &agent.HaltedError{Account: d.day.Account}
	}
	facts, err := d.briefing(ctx)
	if err != nil {
		return err
	}
	return d.journal.Commit(transcript.Entry{Begin: &transcript.Begin{
		Account: d.day.Account, Date: d.day.Date, Model: d.Model, Ledger: d.day.Before, Tools: d.names(),
		Messages: []model.Message{{Role: "system", Content: d.mask.Conceal(d.systemPrompt())}, {Role: "user", Content: d.mask.Briefing(facts) + "\n" + startText}},
		Mask:     d.mask.Kept(),
	}})
}

// briefing is what the model is told of the day when it begins.
func (d *dayConversation) briefing(ctx context.Context) (string, error) {
	facts, err := d.own.Prompt(ctx, "trading-day")
	if err != nil || d.Memory == 0 {
		return facts, err
	}
	trades, err := d.day.Trades(ctx, d.Memory)
	if err != nil {
		return "", err
	}
	memory, err := memoryOf(d.day.Market, trades)
	return facts + memory, err
}

// turns are the replies so far.
func (d *dayConversation) turns() []transcript.Reply {
	var replies []transcript.Reply
	for _, e := range d.journal.Entries {
		if e.Reply != nil {
			replies = append(replies, *e.Reply)
		}
	}
	return replies
}

// advance completes the newest turn and begins the next, or ends the day.
func (d *dayConversation) advance(ctx context.Context) error {
	turns := d.turns()
	if len(turns) == 0 {
		return d.completeTurn(ctx, 1)
	}
	reply := turns[len(turns)-1]
	stopped, err := d.executeCalls(ctx, reply)
	if err != nil {
		return err
	}
	reason := d.endReason(turns)
	switch {
	case stopped:
		reason = transcript.EndHalted
	case reason == "" && reply.Step >= d.MaxSteps:
		reason = transcript.EndMaxSteps
	}
	if reason != "" {
		return d.end(ctx, reason)
	}
	if err := d.goOn(turns); err != nil {
		return err
	}
	if err := d.journal.Sync(); err != nil {
		return err
	}
	return d.completeTurn(ctx, reply.Step+1)
}

// goOn tells the model what it needs to know to go on after its newest turn, unless it was told.
func (d *dayConversation) goOn(turns []transcript.Reply) error {
	text := d.nudge(turns)
	if text == "" || d.journal.Entries[len(d.journal.Entries)-1].Nudge != nil || d.askedSince() {
		return nil
	}
	if newest := turns[len(turns)-1]; d.kindOf(newest) == writing {
		d.day.Log.Warn().Int("step", newest.Step).Msg("the model wrote a call as text and is asked for a real one; with text_calls such calls are carried out")
	}
	return d.journal.Append(transcript.Entry{Nudge: &model.Message{Role: "user", Content: text}})
}

// askedSince tells whether the turn after the newest reply was begun: what comes before it is there.
func (d *dayConversation) askedSince() bool {
	for _, e := range slices.Backward(d.journal.Entries) {
		if e.Reply != nil {
			return false
		}
		if e.Ask != nil || e.Retry != nil {
			return true
		}
	}
	return false
}

// early tells why a day ended that the model did not end.
var early = map[string]string{
	transcript.EndEmpty:    "the model replied nothing, twice",
	transcript.EndRefused:  "the model refused",
	transcript.EndFiltered: "a content filter of the API ended the model's reply, twice",
	transcript.EndCutOff:   "the model's reply was cut off at its bound, twice (max_tokens)",
	transcript.EndRepeats:  fmt.Sprintf("the model made the same failing call %d times", maxRepeats),
	transcript.EndMaxSteps: "it may take no more (max_steps)",
	transcript.EndBudget:   "the next might have exceeded the day's budget",
	transcript.EndHalted:   "trading is halted",
}

// end writes what the ledger says at the end of the day, and that the day is over.
func (d *dayConversation) end(ctx context.Context, reason string) error {
	has, err := d.day.Standing(ctx)
	if err != nil {
		return err
	}
	book := has.Book
	e := transcript.End{
		Reason: reason, Ledger: book.Hash, Steps: len(d.turns()), Spent: transcript.SpendingOf(d.journal.Entries),
		Cash: book.Cash(), Holdings: book.Positions.Holdings(), Value: has.Value.Total, Stale: has.Value.Stale(),
	}
	if turns := d.turns(); len(turns) > 0 {
		e.Differs = discrepancies(d.mask.Reveal(turns[len(turns)-1].Message.Content), book)
	}
	warn := d.day.Log.Warn
	text := early[reason]
	switch {
	case reason == transcript.EndRefused && turnsText(d.turns()) != "":
		text += fmt.Sprintf(": %.200q", turnsText(d.turns()))
	case reason == transcript.EndNoCalls && !d.traded():
		text = "the model called nothing more and never wrote " + StopSignal + "; it made no trade"
	}
	if text != "" {
		warn().Msgf("the day ended after %d steps: %s", e.Steps, text)
	}
	for _, text := range e.Differs {
		warn().Msg("the model's closing text differs from the ledger: " + text)
	}
	return d.journal.End(e)
}

// turnsText is what the newest turn says.
func turnsText(turns []transcript.Reply) string {
	if len(turns) == 0 {
		return ""
	}
	m := turns[len(turns)-1].Message
	return cmp.Or(m.Refusal, m.Content)
}

// traded tells whether an order was filled on the day.
func (d *dayConversation) traded() bool {
	return slices.ContainsFunc(d.journal.Entries, func(e transcript.Entry) bool { return e.Result != nil && e.Result.Filled })
}

func (d *dayConversation) since(began time.Time) float64 {
	return d.clock.Now().Sub(began).Round(time.Microsecond).Seconds()
}

// progress tells how far the day is.
func (d *dayConversation) progress() {
	spent := transcript.SpendingOf(d.journal.Entries)
	done := agent.Step{Tokens: spent.In + spent.Out, Cost: spent.Cost}
	for _, e := range d.journal.Entries {
		switch {
		case e.Reply != nil:
			done.Step, done.Action = e.Reply.Step, "thinks"
		case e.Result != nil:
			done.Action = action(*e.Result)
		}
	}
	d.day.Step(done)
}
