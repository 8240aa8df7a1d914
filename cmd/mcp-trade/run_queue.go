// mcp-trade run --queue: puts a run into the queue, and watches it.

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"mcp-trade/agent/runner"
	"mcp-trade/internal/pause"
	"mcp-trade/ledger"
	"mcp-trade/store"
)

// watchPause is between two looks at a run.
const watchPause = 500 * time.Millisecond

// runQueued puts a run into the queue, watches it, and prints what became of its accounts.
func (s *settings) runQueued(cmd *cobra.Command, p plan, f planFlags, args []string) error {
	return s.withQueue(func(q store.Queue) error {
		run, closeRooms, err := s.runner(p)
		if err != nil {
			return err
		}
		defer closeRooms()
		if err := s.warnOfPrices(run.Prices, p.to, p.rules.Market); err != nil {
			return err
		}
		j, err := s.job(p, f, args, run)
		if err != nil {
			return err
		}
		id, err := s.enqueue(cmd.Context(), q, run, p, j, f.queue.priority)
		if err != nil {
			return err
		}
		s.log.Info().Str("run", id).Msg("the run is in the queue")
		state, accounts, err := s.watch(cmd, q, id, p)
		if err != nil {
			return err
		}
		if state != store.RunEnded {
			fmt.Fprintf(cmd.ErrOrStderr(), "mcp-trade: the run %s is %s; mcp-trade runs show %s tells how it stands\n", id, state, id)
			return quietError(exitInterrupted)
		}
		return s.printRun(cmd, resultsOf(accounts))
	})
}

// watch shows how far a run is until it has ended or was stopped, or this command is ended, which the run is not.
func (s *settings) watch(cmd *cobra.Command, q store.Queue, id string, p plan) (store.RunState, []runAccount, error) {
	v := newProgressView(cmd.ErrOrStderr(), p.accounts)
	s.stderr.redirect(v)
	defer func() { v.end(); s.stderr.redirect(nil) }()
	shown, state := map[string]int{}, store.RunRunning
	var alone, silent bool
	for {
		run, accounts, err := look(cmd.Context(), q, id)
		switch {
		case cmd.Context().Err() != nil:
			return state, nil, nil
		case err != nil && !silent:
			s.log.Warn().Err(err).Msg("how the run stands cannot be told now; it goes on without this command")
		case err == nil:
			state = run.State
			for _, a := range accounts {
				if a.Passed != nil && shown[a.Account] < a.Done {
					shown[a.Account] = a.Done
					v.day(*a.Passed)
				}
			}
			if state == store.RunEnded || state == store.RunStopped {
				return state, accounts, nil
			}
			if workers, err := q.Workers(cmd.Context()); err == nil && len(workers) == 0 != alone {
				if alone = !alone; alone {
					s.log.Warn().Msg("no worker is there: start one with 'mcp-trade worker', on any machine with this Redis")
				}
			}
		}
		silent = err != nil
		_ = pause.For(cmd.Context(), watchPause)
	}
}

func look(ctx context.Context, q store.Queue, id string) (*store.QueuedRun, []runAccount, error) {
	run, err := q.Run(ctx, id)
	if err == nil && run == nil {
		err = errors.New("the queue has lost the run; the same command queues it again, and it goes on where it was")
	}
	if err != nil {
		return nil, nil, err
	}
	accounts, err := standingsOf(ctx, q, id)
	return run, accounts, err
}

// ranError is why an account stopped, as its worker said it.
type ranError struct {
	text      string
	permanent bool
}

func (e *ranError) Error() string   { return e.text }
func (e *ranError) Permanent() bool { return e.permanent }

// resultsOf are the results of accounts that have come to their end.
func resultsOf(accounts []runAccount) (results []runner.Result) {
	for _, a := range accounts {
		r := runner.Result{Account: a.Account, Verdict: ledger.NotVerified, Err: &ranError{text: "the queue does not tell what became of it; the same command goes on with it"}}
		if a.Result != nil {
			r = a.Result.Result
			r.Failed = !r.Verified
			if r.Error != "" {
				r.Err = &ranError{r.Error, a.Result.Permanent}
			}
		}
		results = append(results, r)
	}
	return results
}
