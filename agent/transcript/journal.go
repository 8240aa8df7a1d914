// The journal of a day: its transcript, opened to go on with it.

package transcript

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"mcp-trade/internal/rawjson"
	"mcp-trade/market"
	"mcp-trade/store"
)

// Journal is a transcript that is being written. What was appended is safe from a crash of this process; after a sync it is
// safe from one of the machine. It is written whoever gives up meanwhile: what was said and done has happened.
type Journal struct {
	Entries []Entry // so far; to be read only
	Account string
	Date    market.Stamp

	store store.Journal
	now   func() time.Time
}

// Open opens the transcript of a day under the lease of a run, or begins it. A torn line at its end is cut off.
func Open(ctx context.Context, runs store.Runs, lease store.Fence, account string, date market.Stamp, now func() time.Time) (*Journal, error) {
	kept, err := runs.OpenJournal(ctx, account, string(date), lease)
	if err != nil {
		return nil, err
	}
	j := &Journal{Account: account, Date: date, store: kept, now: now}
	for i, line := range kept.Lines() {
		e, err := parse(line, j.Entries)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("the transcript of %s on %s is damaged in line %d: %w", account, date, i+1, err), kept.Close())
		}
		j.Entries = append(j.Entries, e)
	}
	return j, nil
}

// Append adds a line.
func (j *Journal) Append(e Entry) error {
	e.Time = j.now().UTC()
	line, err := rawjson.Marshal(e)
	if err != nil {
		return err
	}
	if err := j.store.Append(context.Background(), line); err != nil {
		return err
	}
	j.Entries = append(j.Entries, e)
	return nil
}

// Commit adds a line and waits until it, and every one before it, is on disk.
func (j *Journal) Commit(e Entry) error {
	if err := j.Append(e); err != nil {
		return err
	}
	return j.Sync()
}

// Sync waits until every line is on disk.
func (j *Journal) Sync() error { return j.store.Sync(context.Background()) }

// End ends the day: with its log as AI-Trader has it, and the last line.
func (j *Journal) End(e End) error {
	if err := j.writeLog(); err != nil {
		return err
	}
	return j.Commit(Entry{End: &e})
}

// Close ends the writing.
func (j *Journal) Close() error { return j.store.Close() }

// Outcome is the result of a call, if it is known.
func (j *Journal) Outcome(step, call int) (Outcome, bool) {
	for _, e := range slices.Backward(j.Entries) {
		if e.Reply != nil && e.Reply.Step < step {
			break
		}
		if r := e.Result; r != nil && r.Step == step && r.Call == call {
			return *r, true
		}
	}
	return Outcome{}, false
}

// writeLog writes the day as AI-Trader does, one line {"signature", "new_messages"} for what was said by turns.
func (j *Journal) writeLog() error {
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	var text bytes.Buffer
	var errs []error
	say := func(role, content string) {
		line, err := rawjson.Marshal(struct {
			Signature string    `json:"signature"`
			Messages  []message `json:"new_messages"`
		}{j.Account, []message{{role, content}}})
		errs = append(errs, err)
		text.Write(append(line, '\n'))
	}
	for _, e := range j.Entries {
		switch {
		case e.Begin != nil:
			for _, m := range e.Begin.Messages {
				say(m.Role, m.Content)
			}
		case e.Reply != nil:
			say("assistant", e.Reply.Message.Content)
		case e.Result != nil:
			say("user", fmt.Sprintf("Tool result of %s: %s", e.Result.Tool, e.Result.Content))
		case e.Nudge != nil:
			say(e.Nudge.Role, e.Nudge.Content)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return j.store.SaveLog(context.Background(), store.DayLog, text.Bytes()) // if that is interrupted, the day has no end yet and it is written again
}
