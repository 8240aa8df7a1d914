// Package worker trades accounts of queued runs, on as many machines as there are workers. It knows the queue, and nothing of what a run
// is: whoever starts it says how an account is traded.
//
// A worker holds a task while it says so once a second. When it is killed, another worker gets its tasks after [store.TaskLife]; when it
// only hangs, and goes on after that, the lease of the account refuses what it still orders.
package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"mcp-trade/internal/pause"
	"mcp-trade/store"
)

// Pauses of a worker.
const (
	Poll       = 200 * time.Millisecond // between two looks at an empty queue
	beatPause  = 1 * time.Second
	sweepPause = 3 * time.Second
	lostPause  = 1 * time.Second  // after a queue that gave no answer
	endTime    = 10 * time.Second // for the queue to hear how a task ended
)

// maxTries is how many tasks of an account end with an error that may pass, without a day in between, before the account stops.
const maxTries = 10

// Outcome is how the trading of a task ended.
type Outcome struct {
	Done   int // days that the account is through with
	Finish store.Finish
	Result []byte // for those who ask for the run; nil if there is none yet
}

// Worker takes tasks from a queue. Its fields are not changed once it works.
type Worker struct {
	Queue store.Queue
	Name  string // without spaces, and unlike that of any other worker
	Seats int    // accounts that it trades at once

	// Trade trades the account of a task, until ctx ends. It calls passed for each day that the account is through with.
	Trade func(ctx context.Context, t *store.Task, passed func(done int, standing []byte)) Outcome

	Log zerolog.Logger

	mu     sync.Mutex
	tasks  map[string]held // by id
	silent bool            // the queue does not answer
}

// held is a task that is being traded.
type held struct {
	*store.Task
	letGo context.CancelFunc
}

// Work trades until ctx ends, and returns when what it trades has ended too: each account stops behind its order under way, and
// its task is given back.
func (w *Worker) Work(ctx context.Context) {
	w.tasks = map[string]held{}
	var trades, others sync.WaitGroup
	beating, stopBeating := context.WithCancel(context.WithoutCancel(ctx))
	others.Go(func() { w.beat(beating) })
	others.Go(func() { w.sweep(ctx) })
	seats := make(chan struct{}, w.Seats)
	for ctx.Err() == nil {
		select {
		case seats <- struct{}{}:
		case <-ctx.Done():
			continue
		}
		t := w.take(ctx)
		if t == nil {
			<-seats
			continue
		}
		trades.Go(func() {
			defer func() { <-seats }()
			w.trade(ctx, t)
		})
	}
	trades.Wait()
	stopBeating()
	others.Wait()
}

// take waits for a task; nil is none yet.
func (w *Worker) take(ctx context.Context) *store.Task {
	t, err := w.Queue.Take(ctx, w.Name)
	w.heard(ctx, err)
	switch {
	case ctx.Err() != nil: // a task that was given is another's in a moment
	case err != nil:
		_ = pause.For(ctx, lostPause)
	case t == nil:
		_ = pause.For(ctx, Poll)
	case w.has(t.ID): // its beats were late, and it was given to its own worker again
	default:
		return t
	}
	return nil
}

// trade trades the account of a task, and says how it ended.
func (w *Worker) trade(ctx context.Context, t *store.Task) {
	trading, letGo := context.WithCancel(ctx)
	defer letGo()
	w.hold(held{t, letGo})
	defer w.drop(t.ID)
	log := w.Log.With().Str("run", t.Run).Str("account", t.Account).Logger()
	o := w.Trade(trading, t, func(done int, standing []byte) {
		if _, err := w.Queue.Passed(trading, w.Name, t, done, standing); err != nil {
			log.Warn().Err(err).Int("day", done).Msg("the queue was not told of a day; it hears of it with the next")
		}
	})
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	if o.Finish == store.FinishFailed {
		if o.Finish = w.afterFault(trading, t, o); o.Finish == store.FinishFailed {
			log.Warn().Int("try", t.Tries+1).Msgf("the account goes on with another task: %s", o.Result)
		}
	}
	if o.Done > t.Done {
		_, _ = w.Queue.Passed(ending, w.Name, t, o.Done, nil)
	}
	own, err := w.Queue.Finish(ending, w.Name, t, o.Finish, o.Result)
	switch {
	case err != nil:
		log.Warn().Err(err).Msg("the queue was not told that a task ended; another worker finds it done")
	case !own:
		log.Info().Msg("the task is another worker's by now")
	default:
		log.Debug().Str("finish", string(o.Finish)).Int("days", o.Done).Msg("task ended")
	}
}

// afterFault is how a task ends after an error that may pass: it waits a little, the longer the more often that happened.
func (w *Worker) afterFault(ctx context.Context, t *store.Task, o Outcome) store.Finish {
	tries := t.Tries + 1
	if o.Done > t.Done {
		tries = 1
	}
	if tries >= maxTries {
		return store.FinishStopped
	}
	_ = pause.For(ctx, time.Duration(min(tries, 5))*time.Second/2)
	return store.FinishFailed
}

// heard tells, once, that the queue does not answer, and once that it does again.
func (w *Worker) heard(ctx context.Context, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if silent := err != nil; silent != w.silent && ctx.Err() == nil {
		if w.silent = silent; silent {
			w.Log.Warn().Err(err).Msg("the queue does not answer; this worker waits until it does")
		} else {
			w.Log.Info().Msg("the queue answers again")
		}
	}
}

// beat says that the worker lives, and lets go what it must.
func (w *Worker) beat(ctx context.Context) {
	for {
		mine := w.held()
		tasks := make([]*store.Task, len(mine))
		for i, h := range mine {
			tasks[i] = h.Task
		}
		lost, err := w.Queue.Beat(ctx, w.Name, tasks)
		w.heard(ctx, err)
		for _, t := range lost {
			for _, h := range mine {
				if h.ID == t.ID {
					h.letGo()
				}
			}
		}
		if pause.For(ctx, beatPause) != nil {
			return
		}
	}
}

// sweep has accounts found that wait for a task and have none: a failover of the queue may lose some.
func (w *Worker) sweep(ctx context.Context) {
	for pause.For(ctx, sweepPause) == nil {
		found, err := w.Queue.Sweep(ctx)
		switch {
		case err != nil && !errors.Is(err, context.Canceled):
			w.Log.Debug().Err(err).Msg("not swept")
		case found > 0:
			w.Log.Info().Msg(fmt.Sprintf("%d accounts had no task, and have one again", found))
		}
	}
}

func (w *Worker) hold(h held) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tasks[h.ID] = h
}

func (w *Worker) drop(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.tasks, id)
}

func (w *Worker) has(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := w.tasks[id]
	return ok
}

// held are the tasks that are being traded.
func (w *Worker) held() []held {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Collect(maps.Values(w.tasks))
}
