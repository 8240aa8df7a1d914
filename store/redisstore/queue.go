// The queue of runs in Redis: streams with a consumer group, which Redis keeps, and beside them how each account of a run stands.
// queue.lua lists the keys. It needs Redis 6.2 or newer.

package redisstore

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"mcp-trade/store"
)

//go:embed queue.lua
var queueSource string

var queueScript = script{queueSource, redis.NewScript(queueSource).Hash()}

var _ store.Queue = (*Store)(nil)

// Limits of the queue.
const (
	sweepPause  = 2 * time.Second // for how long nobody sweeps after somebody did
	sweepRoom   = 5000            // accounts that one sweep looks at: Redis does nothing else meanwhile
	maxAccounts = 100_000         // of a run, which is put into the queue by one command
)

func (s *Store) queueKey(name string) string { return s.prefix + "{queue}:" + name }

func (s *Store) runKey(id string) string { return s.queueKey("run:" + id) }

// queue has the script do something.
func (s *Store) queue(ctx context.Context, what string, args ...any) ([]string, error) {
	to, err := s.reach(ctx)
	if err != nil {
		return nil, s.unreachable("reach the queue of runs", err)
	}
	return s.do(ctx, to, "write to the queue of runs", queueScript, []string{s.queueKey("runs")}, append([]any{what, time.Now().UnixMilli()}, args...)...)
}

// Submit implements [store.Queue].
func (s *Store) Submit(ctx context.Context, r store.QueuedRun, accounts []store.QueuedAccount) (created bool, err error) {
	if !slices.Contains(store.Priorities(), r.Priority) {
		return false, fmt.Errorf("the priority %q: use %s", r.Priority, strings.Join(store.Priorities(), ", "))
	}
	if len(accounts) > maxAccounts {
		return false, fmt.Errorf("the run has %d accounts, and at most %d can be queued at once: make several runs of them", len(accounts), maxAccounts)
	}
	lockstep := 0
	if r.Lockstep {
		lockstep = 1
	}
	args := []any{r.ID, r.Job, r.Priority, lockstep}
	for _, a := range accounts {
		args = append(args, a.Name, a.Group, a.Days)
	}
	reply, err := s.queue(ctx, "submit", args...)
	return err == nil && reply[0] == "created", err
}

// Take implements [store.Queue].
func (s *Store) Take(ctx context.Context, worker string) (*store.Task, error) {
	reply, err := s.queue(ctx, "take", worker, store.TaskLife.Milliseconds())
	if err != nil || reply[0] != "task" {
		return nil, err
	}
	t := &store.Task{ID: reply[1], Run: reply[2], Priority: reply[3], Account: reply[4], OneDay: reply[7] == "1"}
	if t.Done, err = strconv.Atoi(reply[5]); err == nil {
		t.Tries, err = strconv.Atoi(reply[6])
	}
	return t, err
}

// Beat implements [store.Queue].
func (s *Store) Beat(ctx context.Context, worker string, tasks []*store.Task) (lost []*store.Task, err error) {
	args := []any{worker}
	for _, t := range tasks {
		args = append(args, t.Run, t.Account, t.Priority, t.ID)
	}
	reply, err := s.queue(ctx, "beat", args...)
	if err != nil {
		return nil, err
	}
	for _, t := range tasks {
		if slices.Contains(reply[1:], t.ID) {
			lost = append(lost, t)
		}
	}
	return lost, nil
}

// Passed implements [store.Queue].
func (s *Store) Passed(ctx context.Context, worker string, t *store.Task, done int, standing []byte) (own bool, err error) {
	reply, err := s.queue(ctx, "passed", worker, t.Run, t.Account, t.ID, done, standing)
	return err == nil && reply[0] == "ok", err
}

// Finish implements [store.Queue].
func (s *Store) Finish(ctx context.Context, worker string, t *store.Task, how store.Finish, result []byte) (own bool, err error) {
	reply, err := s.queue(ctx, "finish", worker, t.Run, t.Account, t.Priority, t.ID, string(how), result, store.RunKept.Milliseconds())
	return err == nil && reply[0] == "ok", err
}

// Sweep implements [store.Queue].
func (s *Store) Sweep(ctx context.Context) (found int, err error) {
	reply, err := s.queue(ctx, "sweep", sweepPause.Milliseconds(), sweepRoom)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(reply[0])
}

// Control implements [store.Queue].
func (s *Store) Control(ctx context.Context, run string, state store.RunState) (ok bool, err error) {
	reply, err := s.queue(ctx, "control", run, string(state))
	return err == nil && reply[0] == "ok", err
}

// Runs implements [store.Queue], in two trips.
func (s *Store) Runs(ctx context.Context) (runs []store.QueuedRun, err error) {
	ids, err := read(ctx, s, func(ctx context.Context, to *link) ([]string, error) {
		return to.ZRevRange(ctx, s.queueKey("runs"), 0, -1).Result()
	})
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	replies, err := read(ctx, s, func(ctx context.Context, to *link) ([]redis.Cmder, error) {
		replies, err := to.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, id := range ids {
				for _, name := range runFields {
					p.HGet(ctx, s.runKey(id), name)
				}
			}
			return nil
		})
		if absent(err) {
			err = nil // a run that is kept no more
		}
		return replies, err
	})
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		fields := map[string]string{}
		for n, name := range runFields {
			fields[name] = replies[i*len(runFields)+n].(*redis.StringCmd).Val()
		}
		if r := queuedRun(id, fields); r != nil {
			runs = append(runs, *r)
		}
	}
	return runs, nil
}

// Run implements [store.Queue].
func (s *Store) Run(ctx context.Context, run string) (*store.QueuedRun, error) {
	fields, err := read(ctx, s, func(ctx context.Context, to *link) (map[string]string, error) {
		return to.HGetAll(ctx, s.runKey(run)).Result()
	})
	if err != nil {
		return nil, err
	}
	return queuedRun(run, fields), nil
}

// runFields are those of a run, but for its job.
var runFields = []string{"state", "priority", "lockstep", "created", "accounts", "left"}

// queuedRun is a run as its fields say it, nil if there is none.
func queuedRun(id string, fields map[string]string) *store.QueuedRun {
	if fields["state"] == "" {
		return nil
	}
	created, _ := strconv.ParseInt(fields["created"], 10, 64)
	accounts, _ := strconv.Atoi(fields["accounts"])
	left, _ := strconv.Atoi(fields["left"])
	return &store.QueuedRun{
		ID: id, Job: []byte(fields["job"]), Priority: fields["priority"], Lockstep: fields["lockstep"] == "1", Created: time.UnixMilli(created),
		State: store.RunState(fields["state"]), Accounts: accounts, Left: left,
	}
}

// Standings implements [store.Queue].
func (s *Store) Standings(ctx context.Context, run string) (map[string]store.Standing, error) {
	replies, err := read(ctx, s, func(ctx context.Context, to *link) ([]redis.Cmder, error) {
		return to.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, name := range []string{"accounts", "passed", "results"} {
				p.HGetAll(ctx, s.runKey(run)+":"+name)
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	var parts [3]map[string]string
	for i, r := range replies {
		parts[i] = r.(*redis.MapStringStringCmd).Val()
	}
	all := map[string]store.Standing{}
	for account, text := range parts[0] {
		var a store.Standing
		var task, group, tries string
		if _, err := fmt.Sscan(text, &a.State, &task, &a.Done, &a.Days, &group, &tries, &a.Worker); err != nil {
			return nil, fmt.Errorf("how the account %s of the run %s stands cannot be read: %.100q", account, run, text)
		}
		a.Worker = strings.TrimPrefix(a.Worker, "-")
		if text, ok := parts[1][account]; ok {
			a.Passed = []byte(text)
		}
		if text, ok := parts[2][account]; ok {
			a.Result = []byte(text)
		}
		all[account] = a
	}
	return all, nil
}

// Workers implements [store.Queue].
func (s *Store) Workers(ctx context.Context) ([]string, error) {
	since := strconv.FormatInt(time.Now().Add(-store.TaskLife).UnixMilli(), 10)
	return read(ctx, s, func(ctx context.Context, to *link) ([]string, error) {
		return to.ZRangeByScore(ctx, s.queueKey("workers"), &redis.ZRangeBy{Min: since, Max: "+inf"}).Result()
	})
}

// read reads something of the queue.
func read[T any](ctx context.Context, s *Store, ask func(context.Context, *link) (T, error)) (T, error) {
	to, err := s.reach(ctx)
	var answer T
	if err == nil {
		answer, err = within(ctx, func(ctx context.Context) (T, error) { return ask(ctx, to) })
	}
	if err != nil {
		return answer, s.unreachable("read the queue of runs", err)
	}
	return answer, nil
}
