// The checkpoint of an account: which day it is at, and what the ledger does not tell about it.

package runner

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"mcp-trade/agent/transcript"
	"mcp-trade/code"
	"mcp-trade/decimal"
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
		text, err := runs.Checkpoint(ctx, name)
		var c checkpoint
		if err == nil && text != nil {
			err = json.Unmarshal(text, &c)
		}
		if err != nil {
			return sum, fmt.Errorf("what %s has cost is not known: %w", name, err)
		}
		sum = sum.Add(c.Spent.Total())
	}
	return sum, nil
}

// Noted is what the runs of an account noted beside its ledger.
type Noted struct {
	Refused int          // orders
	Reasons code.Reasons // of them, as far as they are known
	Caveat  string       // what a reader of the results must know, "" for nothing
}

// ReadNoted returns what the runs of an account noted; ok is false if it was never run.
func ReadNoted(ctx context.Context, runs store.Runs, account string) (n Noted, ok bool, err error) {
	text, err := runs.Checkpoint(ctx, account)
	if err != nil || text == nil {
		return n, false, err
	}
	var c checkpoint
	if err := json.Unmarshal(text, &c); err != nil {
		return n, false, fmt.Errorf("the checkpoint of %s cannot be read: %w", account, err)
	}
	return Noted{c.Before + len(c.Refused), c.reasons(), c.Caveat}, true, nil
}
