// mcp-trade worker: trades accounts of queued runs, beside any number of others.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"mcp-trade/agent"
	"mcp-trade/agent/manifest"
	"mcp-trade/agent/notify"
	"mcp-trade/agent/runner"
	"mcp-trade/agent/worker"
	"mcp-trade/store"
)

// defaultSeats is how many accounts a worker trades at once.
const defaultSeats = 16

func workerCommand(s *settings) *cobra.Command {
	var trust trustFlags
	seats := defaultSeats
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Trade accounts of queued runs, beside workers on other machines",
		Long: "Trade accounts of the runs that 'mcp-trade run --queue' put into the Redis of the settings, beside any number of workers on other\n" +
			"machines. A worker needs the price files that a run was queued with, by their bytes, and the keys of its models. SIGTERM ends it:\n" +
			"its accounts stop behind their order under way, and other workers go on with them.",
		Example: "  REDIS_URL=redis://10.0.0.5:6379 mcp-trade worker --prices merged.jsonl --seats 8",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if seats < 1 {
				return usageError{fmt.Errorf("--seats %d: use 1 or more", seats)}
			}
			return s.withQueue(func(q store.Queue) error { return s.work(cmd, q, trust, seats) })
		},
	}
	cmd.Flags().IntVar(&seats, "seats", seats, "accounts to trade at once")
	trust.register(cmd.Flags())
	return cmd
}

// work trades tasks of a queue until the command is ended.
func (s *settings) work(cmd *cobra.Command, q store.Queue, trust trustFlags, seats int) error {
	logConnections(func(text string) { s.log.Debug().Msg(text) }) // the worker itself says once that the queue is away
	hook, err := s.webhook()
	if err != nil {
		return err
	}
	defer hook.Close()
	host, _ := os.Hostname() // a worker without one is told by its process
	o := owner()
	w := &trader{settings: s, cmd: cmd, trust: trust, queue: q, hook: hook, runs: map[string]*queuedRun{}}
	defer w.close()
	works := &worker.Worker{Queue: q, Name: fmt.Sprintf("%s:%d:%.6s", host, os.Getpid(), o.Nonce), Seats: seats, Trade: w.trade, Log: s.log}
	s.log.Info().Str("worker", works.Name).Int("seats", seats).Msg("waiting for tasks")
	works.Work(cmd.Context())
	return nil
}

// trader trades the tasks of a worker.
type trader struct {
	*settings
	cmd   *cobra.Command
	trust trustFlags
	queue store.Queue
	hook  *notify.Webhook
	mu    sync.Mutex
	runs  map[string]*queuedRun
}

// queuedRun is a run as this process trades it.
type queuedRun struct {
	*runner.Runner
	accounts map[string]runner.Account
	close    func()
	users    int
}

// trade trades the account of a task.
func (w *trader) trade(ctx context.Context, t *store.Task, passed func(done int, standing []byte)) worker.Outcome {
	run, release, err := w.prepared(ctx, t.Run)
	if err != nil {
		return failed(t.Account, err, finishOf(ctx, false, err))
	}
	defer release()
	a, ok := run.accounts[t.Account]
	if !ok {
		return failed(t.Account, fmt.Errorf("the run has no account %s", t.Account), store.FinishStopped)
	}
	own := *run.Runner
	own.Owner = owner() // a lease for each task: two of them in one process are two traders
	own.Progress = func(p runner.Progress) {
		text, err := json.Marshal(p)
		if err == nil {
			passed(p.Done, text)
		}
	}
	until := 0
	if t.OneDay {
		until = t.Done + 1
	}
	done, ended, result, err := own.Turn(ctx, a, until)
	o := worker.Outcome{Done: done, Finish: finishOf(ctx, ended, err)}
	if ended || err != nil {
		o.Result = resultText(result, err)
	}
	if n, stopped := stopNotice(result, own.Now()); stopped && o.Finish == store.FinishStopped {
		w.hook.Tell(n)
	}
	return o
}

// finishOf says what becomes of a task that ended with an error, or without.
func finishOf(ctx context.Context, ended bool, err error) store.Finish {
	_, halted := errors.AsType[*agent.HaltedError](err)
	_, other := errors.AsType[*runner.OtherSettingsError](err)
	_, none := errors.AsType[*runner.NoDaysError](err)
	var permanent interface{ Permanent() bool }
	switch {
	case ended:
		return store.FinishEnded
	case err == nil, ctx.Err() != nil, store.Refused(err): // another worker has the account, or will
		return store.FinishLeft
	case halted, other, none, errors.As(err, &permanent) && permanent.Permanent():
		return store.FinishStopped
	}
	return store.FinishFailed
}

func failed(account string, err error, how store.Finish) worker.Outcome {
	return worker.Outcome{Finish: how, Result: resultText(runner.Result{Account: account}, err)}
}

// prepared returns a run as this process trades it. It is made once, and held against the files of this machine before the first day.
func (w *trader) prepared(ctx context.Context, id string) (run *queuedRun, release func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if run = w.runs[id]; run == nil {
		if run, err = w.prepare(ctx, id); err != nil {
			return nil, nil, err
		}
		for other, r := range w.runs { // those that nobody trades just now
			if r.users == 0 {
				r.close()
				delete(w.runs, other)
			}
		}
		w.runs[id] = run
	}
	run.users++
	return run, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		run.users--
	}, nil
}

func (w *trader) prepare(ctx context.Context, id string) (*queuedRun, error) {
	queued, err := w.queue.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	if queued == nil {
		return nil, fmt.Errorf("the queue has no run %s any more", id)
	}
	var j job
	if err := json.Unmarshal(queued.Job, &j); err != nil {
		return nil, fmt.Errorf("the run %s cannot be read: %w", id, err)
	}
	own, p, err := j.plan(w.cmd, w.settings, w.trust, filepath.Join(w.dataDir, ".queue", id))
	if err != nil {
		return nil, fmt.Errorf("the run %s cannot be traded by this worker: %w", id, err)
	}
	if p.pace != nil {
		p.pace.Name, p.pace.Pacer = id, w.queue.(store.Pacer)
	}
	r, closeRooms, err := own.runner(p)
	if err != nil {
		return nil, err
	}
	run := &queuedRun{Runner: r, accounts: map[string]runner.Account{}, close: closeRooms}
	recorded := r.Recorder.(*manifest.Recorder).Runs
	for _, a := range p.accounts {
		run.accounts[a.Name] = a
		if err := j.sameBytes(recorded[a.Name]); err != nil {
			closeRooms()
			return nil, err
		}
	}
	w.log.Info().Str("run", id).Int("accounts", len(p.accounts)).Msg("trading accounts of a run")
	return run, nil
}

func (w *trader) close() {
	for _, r := range w.runs {
		r.close()
	}
}
