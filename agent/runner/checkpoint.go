// The checkpoint of an account: which day it is at, and what the ledger does not tell about it.

package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"mcp-trade/agent/transcript"
	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/internal/clip"
	"mcp-trade/market"
	"mcp-trade/store"
)

// checkpoint is saved when a day begins, when an order is refused, and when the day is complete; at once for a day that
// is complete and the next one that begins.
type checkpoint struct {
	Date     market.Stamp           `json:"date"`
	Complete bool                   `json:"complete"`
	Refused  map[string]code.Reason `json:"refused,omitempty"`    // orders of the day by id, and why
	Before   int                    `json:"refused_before"`       // how many orders were refused on earlier days
	Reasons  code.Reasons           `json:"refused_by,omitempty"` // of those; of what earlier versions counted no reason is known
	Spent    transcript.Spending    `json:"spent,omitzero"`       // by a language model, on the days that are complete
	Caveat   string                 `json:"caveat,omitempty"`     // what a reader of the results must know
	Stopped  string                 `json:"stopped,omitempty"`    // why the run ended before the account's last day; "" while it goes on
}

// next is the checkpoint of a later day that begins.
func (c checkpoint) next(day market.Stamp) checkpoint {
	return checkpoint{Date: day, Before: c.Before + len(c.Refused), Reasons: c.reasons(), Spent: c.Spent, Caveat: c.Caveat}
}

// today counts the refusals of the day by their reasons.
func (c checkpoint) today() code.Reasons { return code.Of(slices.Collect(maps.Values(c.Refused))...) }

// reasons counts those of all days so far.
func (c checkpoint) reasons() code.Reasons { return c.Reasons.Plus(c.today()) }

func (c *checkpoint) refuse(id string, why code.Reason) {
	if c.Refused == nil {
		c.Refused = map[string]code.Reason{}
	}
	c.Refused[id] = why
}

// readCheckpoint reads the checkpoint; none is an account that was never run.
func (a *accountRun) readCheckpoint(ctx context.Context) (c checkpoint, err error) {
	text, err := a.Runs.Checkpoint(ctx, a.account.Name)
	if err != nil || text == nil {
		return c, err
	}
	if err = json.Unmarshal(text, &c); err != nil {
		err = fmt.Errorf("the checkpoint of %s (run.json) cannot be read: %w; delete it to go on after the newest record", a.account.Name, err)
	}
	return c, err
}

// saveCheckpoint replaces the checkpoint.
func (a *accountRun) saveCheckpoint(ctx context.Context) error {
	text, err := json.Marshal(a.checkpoint)
	if err != nil {
		return err
	}
	return a.Runs.SaveCheckpoint(ctx, a.account.Name, a.lease.Fence(), text)
}

// Spent is what the models of some accounts cost on the days that are complete.
func Spent(ctx context.Context, runs store.Runs, accounts ...string) (sum decimal.Decimal, err error) {
	for _, name := range accounts {
		noted, _, err := ReadNoted(ctx, runs, name)
		if err != nil {
			return sum, fmt.Errorf("what %s has cost is not known: %w", name, err)
		}
		sum = sum.Add(noted.Spent.Total())
	}
	return sum, nil
}

// maxStopped bounds why a run ended, in bytes.
const maxStopped = 2000

// whyStopped is an error as it is noted.
func whyStopped(err error) string {
	if errors.Is(err, context.Canceled) {
		return "the run was ended"
	}
	return clip.Bytes(err.Error(), maxStopped)
}

// noteStop notes why the run ends with days to come, for those who look at it from elsewhere. A note that cannot be written is not worth an
// error of its own: whatever keeps it from being written has mostly ended the run.
func (a *accountRun) noteStop(ctx context.Context, why string) {
	a.checkpoint.Stopped = why
	_ = a.saveCheckpoint(ctx)
}

// goOn takes back why an earlier run ended.
func (a *accountRun) goOn(ctx context.Context) error {
	if a.checkpoint.Stopped == "" {
		return nil
	}
	a.checkpoint.Stopped = ""
	return a.saveCheckpoint(ctx)
}

// Noted is what the runs of an account noted beside its ledger.
type Noted struct {
	Refused int          // orders
	Reasons code.Reasons // of them, as far as they are known
	Caveat  string       // what a reader of the results must know, "" for nothing

	Date     market.Stamp        // the newest day that was begun, "" if none was
	Complete bool                // it is over, and no later one has begun
	Today    []string            // order ids of those that were refused on it, as far as they are noted before it is over
	Spent    transcript.Spending // by a language model, on the days that are complete
	Stopped  string              // why the run ended before the account's last day, "" if it goes on or was killed
}

// ReadNoted returns what the runs of an account noted; ok is false if it was never run.
func ReadNoted(ctx context.Context, runs store.Runs, account string) (n Noted, ok bool, err error) {
	text, err := runs.Checkpoint(ctx, account)
	if err != nil || text == nil {
		return n, false, err
	}
	n, err = ParseNoted(account, text)
	return n, err == nil, err
}

// ParseNoted is what the checkpoint of an account says.
func ParseNoted(account string, text []byte) (n Noted, err error) {
	var c checkpoint
	if err := json.Unmarshal(text, &c); err != nil {
		return n, fmt.Errorf("the checkpoint of %s cannot be read: %w", account, err)
	}
	return Noted{
		Refused: c.Before + len(c.Refused), Reasons: c.reasons(), Caveat: c.Caveat,
		Date: c.Date, Complete: c.Complete, Today: slices.Sorted(maps.Keys(c.Refused)), Spent: c.Spent, Stopped: c.Stopped,
	}, nil
}
