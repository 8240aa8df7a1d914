// An account is copied from one store to another, with all that its runs left.

package runner

import (
	"context"
	"errors"
	"fmt"

	"github.com/rs/zerolog"

	"mcp-trade/ledger"
	"mcp-trade/store"
)

// Side is a store that an account is copied from, or to.
type Side struct {
	Accounts *ledger.Accounts
	Runs     store.Runs
}

// Copied is what a store has of an account once it was copied.
type Copied struct {
	Rows  int64  `json:"rows"`  // of the ledger
	Added int    `json:"added"` // of them, by this copy
	Days  int    `json:"days"`  // with a transcript
	Head  string `json:"head"`  // of both ledgers
}

// Copy copies an account byte for byte. No run may have it meanwhile, else it is a *[store.LeasedError]. What an interrupted copy left is gone on
// with; anything else of that name is an error. noted makes of the manifest what the other store is to have of it.
func Copy(ctx context.Context, from, to Side, account string, o store.Owner, log zerolog.Logger, noted func(text []byte) ([]byte, error)) (c Copied, err error) {
	if _, err := from.Accounts.Head(ctx, account); err != nil {
		return c, err
	}
	ctx, read, release, err := hold(ctx, from.Runs, account, o, log)
	if err != nil {
		return c, err
	}
	defer release()
	ctx, write, release, err := hold(ctx, to.Runs, account, o, log)
	if err != nil {
		return c, err
	}
	defer release()
	// The checkpoint comes last: a run of what was copied in part begins at the newest row, and not after a day that is not there.
	if c.Added, err = copyLedger(ctx, from.Accounts, to.Accounts.Under(write.Fence()), account); err != nil {
		return c, err
	}
	if c.Days, err = copyJournals(ctx, from.Runs, to.Runs, account, read.Fence(), write.Fence()); err != nil {
		return c, err
	}
	if err := copyNoted(ctx, from.Runs, to.Runs, account, write.Fence(), noted); err != nil {
		return c, err
	}
	return c, c.compare(ctx, from.Accounts, to.Accounts, account)
}

func copyLedger(ctx context.Context, from, to *ledger.Accounts, account string) (added int, err error) {
	rows, err := ledger.ReadCopy(from.Lines(ctx, account))
	if err != nil {
		return 0, err
	}
	return to.Import(ctx, account, rows)
}

func copyJournals(ctx context.Context, from, to store.Runs, account string, read, write store.Fence) (copied int, err error) {
	days, err := from.JournalDays(ctx, account)
	if err != nil {
		return 0, err
	}
	for _, day := range days {
		source, err := from.OpenJournal(ctx, account, day, read)
		if err != nil {
			return 0, err
		}
		target, err := to.OpenJournal(ctx, account, day, write)
		if err != nil {
			return 0, errors.Join(err, source.Close())
		}
		if err := errors.Join(copyJournal(ctx, source, target), source.Close(), target.Close()); err != nil {
			return 0, fmt.Errorf("the transcript of %s on %s: %w", account, day, err)
		}
	}
	return len(days), nil
}

func copyJournal(ctx context.Context, from, to store.Journal) error {
	others, err := store.AppendRest(ctx, to, from.Lines())
	switch {
	case others:
		return errors.New("the other store has another one")
	case err != nil:
		return err
	}
	if err := to.Sync(ctx); err != nil {
		return err
	}
	log, err := from.Log(ctx, store.DayLog)
	if err != nil || log == nil {
		return err
	}
	return to.SaveLog(ctx, store.DayLog, log)
}

// copyNoted copies the manifest, and the checkpoint.
func copyNoted(ctx context.Context, from, to store.Runs, account string, write store.Fence, noted func([]byte) ([]byte, error)) error {
	text, err := from.Manifest(ctx, account)
	if err != nil {
		return err
	}
	if text != nil {
		if text, err = noted(text); err != nil {
			return err
		}
		if err := to.UpdateManifest(ctx, account, write, func([]byte) ([]byte, error) { return text, nil }); err != nil {
			return err
		}
	}
	checkpoint, err := from.Checkpoint(ctx, account)
	if err != nil || checkpoint == nil {
		return err
	}
	return to.SaveCheckpoint(ctx, account, write, checkpoint)
}

// compare holds the heads of both ledgers against each other.
func (c *Copied) compare(ctx context.Context, from, to *ledger.Accounts, account string) error {
	was, err := from.Head(ctx, account)
	if err != nil {
		return err
	}
	is, err := to.Head(ctx, account)
	if err != nil {
		return err
	}
	if is.ID != was.ID || is.Hash != was.Hash {
		return fmt.Errorf("the copy of %s ends with row %d, %s, and the account itself with row %d, %s: it was traded meanwhile; copy it again", account, is.ID, is.Hash, was.ID, was.Hash)
	}
	c.Rows, c.Head = is.ID+1, is.Hash
	return nil
}
