// What is known of one account.

package underway

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"mcp-trade/agent/manifest"
	"mcp-trade/agent/runner"
	"mcp-trade/agent/transcript"
	"mcp-trade/market"
	"mcp-trade/store"
)

// account is what is known of an account.
type account struct {
	rests   bool  // it has no run under way
	damaged error // what cannot be read of it

	holder     store.Owner
	checkpoint []byte
	noted      runner.Noted

	day  transcript.Progress // of noted.Date
	next int64               // in its journal

	read    bool // the manifest, since the account is in these hands
	again   bool // it is read once more: a run notes what it begins with after it took the account
	run     manifest.Run
	ran     bool // there is a run
	forward []manifest.ForwardDay
	days    []market.Stamp
}

// look is what to look at next.
func (a *account) look(name string) store.Look {
	l := store.Look{Account: name, From: a.next}
	if !a.noted.Complete {
		l.Day = string(a.noted.Date)
	}
	return l
}

// take takes what a look found. again tells that there may be more to see at once.
func (a *account) take(l store.Look, seen store.Seen) (again bool, err error) {
	if seen.Holder != a.holder {
		a.holder, a.read = seen.Holder, false
	}
	if !bytes.Equal(seen.Checkpoint, a.checkpoint) {
		was := a.noted
		if a.noted, err = runner.ParseNoted(l.Account, seen.Checkpoint); err != nil {
			return false, err
		}
		a.checkpoint = seen.Checkpoint
		if a.run.Follows != nil {
			a.read = false
		}
		if was.Date != a.noted.Date {
			a.day, a.next = transcript.Progress{}, 0
			return !a.noted.Complete, nil // the lines are of the day before
		}
	}
	for _, line := range seen.Lines {
		if err := a.day.Add(line); err != nil {
			return false, fmt.Errorf("the transcript of %s on %s is damaged: %w", l.Account, l.Day, err)
		}
	}
	if l.Day != "" {
		a.next = seen.Next
	}
	return len(seen.Lines) > 0, nil
}

// readManifest reads what the account is run with, when it is in other hands, and once more after that.
func (w *Watch) readManifest(ctx context.Context, name string, a *account, whole bool) error {
	if a.read && !(a.again && whole) {
		return nil
	}
	a.read, a.again = true, !a.read
	all, err := manifest.Of(ctx, w.Runs, name)
	if err != nil {
		return err
	}
	a.forward = manifest.Forward(all, w.Store)
	all = slices.DeleteFunc(all, func(r manifest.Run) bool { return r.Store != w.Store })
	if a.ran = len(all) > 0; !a.ran {
		return nil
	}
	a.run = all[len(all)-1]
	of := runner.Account{From: a.run.From, To: a.run.To, Skip: manifest.Skipped(a.forward)}
	if a.days, err = of.Days(w.Prices); err != nil {
		a.days = nil // prices of another run: how far it is cannot be told
	}
	return nil
}

// spent is what the model took so far.
func (a *account) spent() transcript.Spending {
	if a.noted.Complete {
		return a.noted.Spent
	}
	return a.noted.Spent.Plus(a.day.Spent())
}

// refused counts the orders that were refused on the day, and on all days.
func (a *account) refused() (today, all int) {
	today = len(a.noted.Today)
	for id := range a.day.Refused {
		if !slices.Contains(a.noted.Today, id) {
			today++
		}
	}
	return today, a.noted.Refused + today - len(a.noted.Today)
}
