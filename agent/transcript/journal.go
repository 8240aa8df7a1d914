// The journal of a day: its transcript, opened to go on with it.

package transcript

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"mcp-trade/internal/files"
	"mcp-trade/internal/rawjson"
	"mcp-trade/market"
)

// Journal is a transcript that is being written. What was appended is safe from a crash of this process; after a sync it is
// safe from one of the machine.
type Journal struct {
	Entries []Entry // so far; to be read only
	Path    string

	file    *os.File
	access  files.Access
	account string
	now     func() time.Time
}

// Open opens the transcript of a day, or begins it. A torn line at its end is cut off.
func Open(access files.Access, logPath, account string, date market.Stamp, now func() time.Time) (*Journal, error) {
	path := File(logPath, account, date)
	if err := access.MkdirAll(filepath.Dir(path)); err != nil {
		return nil, err
	}
	entries, size, err := readEntries(path)
	if err != nil {
		return nil, err
	}
	f, err := access.Append(path)
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(size); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	// Whoever made the folders of a day that begins may have been killed before their names were on disk.
	for dir, levels := filepath.Dir(path), 3; size == 0 && levels > 0; dir, levels = filepath.Dir(dir), levels-1 { // the day's, log, and the account's
		if err := files.SyncFolder(dir); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return &Journal{Entries: entries, Path: path, file: f, access: access, account: account, now: now}, nil
}

// Append adds a line.
func (j *Journal) Append(e Entry) error {
	e.Time = j.now().UTC()
	line, err := rawjson.Marshal(e)
	if err != nil {
		return err
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
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
func (j *Journal) Sync() error { return j.file.Sync() }

// End ends the day: with its log as AI-Trader has it, and the last line.
func (j *Journal) End(e End) error {
	if err := j.writeLog(); err != nil {
		return err
	}
	return j.Commit(Entry{End: &e})
}

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }

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
		}{j.account, []message{{role, content}}})
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
	path := filepath.Join(filepath.Dir(j.Path), "log.jsonl")
	return j.access.Replace(path, text.Bytes()) // if that is interrupted, the day has no end yet and it is written again
}
