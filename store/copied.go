// The state of runs in one engine, with a copy in another.

package store

import (
	"bytes"
	"context"
	"errors"
	"slices"
)

// Copied keeps the state of runs in an engine, and a copy of it in another one, such as in files for people and for programs
// that read AI-Trader's. The engine counts; where it has nothing, the copy may be of an earlier version, which knew no other
// place, and is taken over.
type Copied struct {
	Runs
	Copy Runs
}

// Lease also brings into the copy the journals that other machines wrote.
func (c Copied) Lease(ctx context.Context, account string, o Owner) (Lease, error) {
	l, err := c.Runs.Lease(ctx, account, o)
	if err != nil {
		return nil, err
	}
	if err := c.bring(ctx, account, l.Fence()); err != nil {
		return nil, errors.Join(err, l.Release(context.WithoutCancel(ctx)))
	}
	return l, nil
}

func (c Copied) bring(ctx context.Context, account string, f Fence) error {
	there, err := c.Runs.JournalDays(ctx, account)
	if err != nil {
		return err
	}
	here, err := c.Copy.JournalDays(ctx, account)
	if err != nil {
		return err
	}
	for _, day := range there {
		if i, have := slices.BinarySearch(here, day); have && i < len(here)-1 {
			continue // one before the newest here was copied to its end
		}
		if err := c.bringDay(ctx, account, day, f); err != nil {
			return err
		}
	}
	return nil
}

func (c Copied) bringDay(ctx context.Context, account, day string, f Fence) error {
	j, err := c.OpenJournal(ctx, account, day, f)
	if err != nil {
		return err
	}
	text, err := j.Log(ctx, DayLog)
	if err == nil && text != nil {
		err = j.SaveLog(ctx, DayLog, text)
	}
	return errors.Join(err, j.Close())
}

// Checkpoint is the engine's, or the copy's where the engine has none.
func (c Copied) Checkpoint(ctx context.Context, account string) ([]byte, error) {
	text, err := c.Runs.Checkpoint(ctx, account)
	if err != nil || text != nil {
		return text, err
	}
	return c.Copy.Checkpoint(ctx, account)
}

// SaveCheckpoint saves it in both.
func (c Copied) SaveCheckpoint(ctx context.Context, account string, f Fence, text []byte) error {
	if err := c.Runs.SaveCheckpoint(ctx, account, f, text); err != nil {
		return err
	}
	return c.Copy.SaveCheckpoint(ctx, account, 0, text)
}

// Manifest is the engine's, or the copy's where the engine has none.
func (c Copied) Manifest(ctx context.Context, account string) ([]byte, error) {
	text, err := c.Runs.Manifest(ctx, account)
	if err != nil || text != nil {
		return text, err
	}
	return c.Copy.Manifest(ctx, account)
}

// UpdateManifest changes it in both.
func (c Copied) UpdateManifest(ctx context.Context, account string, f Fence, change func([]byte) ([]byte, error)) error {
	var now []byte
	err := c.Runs.UpdateManifest(ctx, account, f, func(old []byte) (_ []byte, err error) {
		if old == nil {
			if old, err = c.Copy.Manifest(ctx, account); err != nil {
				return nil, err
			}
		}
		now, err = change(old)
		return now, err
	})
	if err != nil {
		return err
	}
	return c.Copy.UpdateManifest(ctx, account, 0, func([]byte) ([]byte, error) { return now, nil })
}

// Archive moves the copy first: one that stayed behind would be taken for the state of a new account.
func (c Copied) Archive(ctx context.Context, account, as string, f Fence) error {
	if err := c.Copy.Archive(ctx, account, as, 0); err != nil {
		return err
	}
	return c.Runs.Archive(ctx, account, as, f)
}

// OpenJournal opens the engine's, and has the copy hold the same lines.
func (c Copied) OpenJournal(ctx context.Context, account, day string, f Fence) (Journal, error) {
	main, err := c.Runs.OpenJournal(ctx, account, day, f)
	if err != nil {
		return nil, err
	}
	own, err := c.Copy.OpenJournal(ctx, account, day, 0)
	if err != nil {
		return nil, errors.Join(err, main.Close())
	}
	j := &copiedJournal{main, own, main.Lines()}
	if len(j.lines) == 0 {
		j.lines = own.Lines()
		_, err = AppendRest(ctx, main, j.lines)
	} else if others, failed := AppendRest(ctx, own, j.lines); others {
		err = c.replace(ctx, account, day, j)
	} else {
		err = failed
	}
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return j, nil
}

// replace has a copy that went another way hold the journal's lines.
func (c Copied) replace(ctx context.Context, account, day string, j *copiedJournal) (err error) {
	text := append(bytes.Join(j.lines, []byte{'\n'}), '\n')
	if err := errors.Join(j.copy.SaveLog(ctx, "transcript.jsonl", text), j.copy.Close()); err != nil {
		return err
	}
	j.copy, err = c.Copy.OpenJournal(ctx, account, day, 0)
	return err
}

// AppendRest appends those of some lines that a journal did not have when it was opened. others tells that the lines which it had are not
// the first of them: nothing is appended then.
func AppendRest(ctx context.Context, to Journal, lines [][]byte) (others bool, err error) {
	had := to.Lines()
	if len(had) > len(lines) || !slices.EqualFunc(had, lines[:len(had)], bytes.Equal) {
		return true, nil
	}
	for _, line := range lines[len(had):] {
		if err := to.Append(ctx, line); err != nil {
			return false, err
		}
	}
	return false, nil
}

type copiedJournal struct {
	Journal
	copy  Journal
	lines [][]byte // when it was opened
}

func (j *copiedJournal) Lines() [][]byte { return j.lines }

func (j *copiedJournal) Append(ctx context.Context, line []byte) error {
	if err := j.Journal.Append(ctx, line); err != nil {
		return err
	}
	return j.copy.Append(ctx, line)
}

func (j *copiedJournal) SaveLog(ctx context.Context, name string, text []byte) error {
	if err := j.Journal.SaveLog(ctx, name, text); err != nil {
		return err
	}
	return j.copy.SaveLog(ctx, name, text)
}

func (j *copiedJournal) Close() error { return errors.Join(j.Journal.Close(), j.copy.Close()) }
