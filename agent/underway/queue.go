// Where accounts are in the queue of runs.

package underway

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"mcp-trade/store"
)

// queued is how the accounts of runs in the queue stand.
type queued struct {
	ended   map[string]map[string]store.Standing // of runs that have ended, by id: they do not change
	of      map[string]place
	workers int
}

// place is where an account is in the queue.
type place struct {
	run store.QueuedRun
	store.Standing
}

// names are the accounts of runs that have not ended, and those that stopped.
func (q queued) names() (names []string) {
	for name, p := range q.of {
		if p.run.State != store.RunEnded || p.State == "stopped" {
			names = append(names, name)
		}
	}
	return names
}

// readQueue reads how the accounts of all runs in the queue stand; of an account in several runs the newest counts.
func (w *Watch) readQueue(ctx context.Context) error {
	if w.Queue == nil {
		return nil
	}
	runs, err := w.Queue.Runs(ctx)
	if err != nil {
		return err
	}
	q := queued{ended: map[string]map[string]store.Standing{}, of: map[string]place{}}
	for _, run := range runs {
		all, known := w.queue.ended[run.ID]
		if run.State != store.RunEnded || !known {
			if all, err = w.Queue.Standings(ctx, run.ID); err != nil {
				return err
			}
		}
		if run.State == store.RunEnded {
			q.ended[run.ID] = all
		}
		for name, s := range all {
			if _, newer := q.of[name]; !newer {
				q.of[name] = place{run, s}
			}
		}
	}
	workers, err := w.Queue.Workers(ctx)
	q.workers = len(workers)
	w.queue = q
	return err
}

// why is the error with which a task of the account ended last, "" if it ended with none.
func (p place) why() string {
	var result struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal(p.Result, &result); err != nil && len(p.Result) > 0 {
		return fmt.Sprintf("what became of it in the queue cannot be read: %v", err)
	}
	return strings.TrimSpace(result.Error)
}
