// The manifest as a runner writes it.

package manifest

import (
	"context"
	"iter"

	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/store"
)

// Recorder notes in the manifest what a runner does. It satisfies the runner's interface of that name.
type Recorder struct {
	Store   store.Runs
	LogPath string         // where the manifest and the transcripts are files, to verify a ledger against
	Runs    map[string]Run // what is to be noted of each account; nothing of those that are not in it
	Prices  *market.Prices // of the runs
	Changed bool           // accounts go on under other settings than they had

	// Forward says what to note of a day of an account that was just decided, nil for nothing. The function itself is nil unless the run
	// follows the market.
	Forward func(account string, date market.Stamp) (*ForwardDay, error)
}

// Begin notes what an account is run with.
func (r *Recorder) Begin(ctx context.Context, lease store.Fence, account string, before *ledger.Book) error {
	var head *Head
	if before != nil {
		head = headOf(*before)
	}
	return r.change(ctx, lease, account, func(known []Run) []Run {
		run := r.Runs[account]
		run.recall(known)
		if before != nil && !r.Changed {
			run.recallTools(known)
		}
		all := run.begin(known, head)
		all[len(all)-1].Learned = run.Model.Lessons.All()
		if tools := run.Model.Pins.All(); tools != nil {
			all[len(all)-1].Tools = tools
		}
		return all
	})
}

// Opened notes what the decider of an account met when it was opened, before anything is traded.
func (r *Recorder) Opened(ctx context.Context, lease store.Fence, account string) error {
	tools := r.Runs[account].Model.Pins.All()
	if tools == nil {
		return nil
	}
	return r.change(ctx, lease, account, func(runs []Run) []Run {
		if n := len(runs); n > 0 {
			runs[n-1].Tools = tools
		}
		return runs
	})
}

// Split notes that rows of others stand between two heads.
func (r *Recorder) Split(ctx context.Context, lease store.Fence, account string, after, before ledger.Book) error {
	return r.change(ctx, lease, account, func(runs []Run) []Run { return splitRun(runs, headOf(after), headOf(before)) })
}

// End notes the head of the ledger after the run, and what was learned of the model's API.
func (r *Recorder) End(ctx context.Context, lease store.Fence, account string, after ledger.Book) error {
	return r.change(ctx, lease, account, func(runs []Run) []Run {
		runs = endRun(runs, headOf(after))
		if n := len(runs); n > 0 {
			runs[n-1].Learned = r.Runs[account].Model.Lessons.All()
		}
		return runs
	})
}

// DayOver notes a forward day whose decisions are complete, and the head of the ledger after them. Of a run that does not follow the
// market nothing is noted.
func (r *Recorder) DayOver(ctx context.Context, lease store.Fence, account string, date market.Stamp, head ledger.Book) error {
	if r.Forward == nil {
		return nil
	}
	day, err := r.Forward(account, date)
	if err != nil || day == nil {
		return err
	}
	day.Head = headOf(head)
	return r.change(ctx, lease, account, func(runs []Run) []Run {
		if n := len(runs); n > 0 {
			runs[n-1].Forward = withDay(runs[n-1].Forward, *day)
		}
		return runs
	})
}

func (r *Recorder) change(ctx context.Context, lease store.Fence, account string, change func([]Run) []Run) error {
	if _, ok := r.Runs[account]; !ok {
		return nil
	}
	return update(ctx, r.Store, lease, account, change)
}

// Verify verifies a ledger, also against the manifest and the transcripts.
func (r *Recorder) Verify(account string, lines iter.Seq2[[]byte, error], prices *market.Prices) (ledger.Report, error) {
	return Verify(lines, prices, nil, r.LogPath, account, r.Runs[account].Store)
}
