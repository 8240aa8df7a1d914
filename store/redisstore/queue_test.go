package redisstore_test

// Tests of the queue of runs, and of what processes on all machines may ask together.

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mcp-trade/agent/pace"
	"mcp-trade/decimal"
	"mcp-trade/internal/pause"
	"mcp-trade/internal/testenv"
	"mcp-trade/store"
	"mcp-trade/store/redisstore"
)

// queued puts a run of some accounts with so many days into the queue.
func queued(t *testing.T, q store.Queue, r store.QueuedRun, days int, accounts ...string) {
	t.Helper()
	var all []store.QueuedAccount
	for _, a := range accounts {
		all = append(all, store.QueuedAccount{Name: a, Days: days})
	}
	if r.Priority == "" {
		r.Priority = store.NormalPriority
	}
	if created, err := q.Submit(t.Context(), r, all); err != nil || !created {
		t.Fatalf("%s: created %v, %v", r.ID, created, err)
	}
}

func take(t *testing.T, q store.Queue, worker string) *store.Task {
	t.Helper()
	task, err := q.Take(t.Context(), worker)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// takes takes all tasks that there are, by account.
func takes(t *testing.T, q store.Queue, worker string) map[string]*store.Task {
	t.Helper()
	all := map[string]*store.Task{}
	for task := take(t, q, worker); task != nil; task = take(t, q, worker) {
		if all[task.Account] != nil {
			t.Fatalf("%s was given twice", task.Account)
		}
		all[task.Account] = task
	}
	return all
}

func passed(t *testing.T, q store.Queue, worker string, task *store.Task, done int, want bool) {
	t.Helper()
	if own, err := q.Passed(t.Context(), worker, task, done, []byte(fmt.Sprint("day ", done))); err != nil || own != want {
		t.Fatalf("%s, day %d: own %v, %v", task.Account, done, own, err)
	}
}

func finish(t *testing.T, q store.Queue, worker string, task *store.Task, how store.Finish, want bool) {
	t.Helper()
	if own, err := q.Finish(t.Context(), worker, task, how, []byte(how)); err != nil || own != want {
		t.Fatalf("%s, %s: own %v, %v", task.Account, how, own, err)
	}
}

func state(t *testing.T, q store.Queue, run string) store.RunState {
	t.Helper()
	r, err := q.Run(t.Context(), run)
	if err != nil || r == nil {
		t.Fatalf("%s: %+v, %v", run, r, err)
	}
	return r.State
}

// An account goes from a task to its end, once, and a run ends with the last of its accounts.
func TestQueue_Tasks(t *testing.T) {
	q := open(t, "redis://"+testenv.StartRedis(t))
	if task := take(t, q, "w1"); task != nil {
		t.Fatalf("an empty queue gives %+v", task)
	}
	queued(t, q, store.QueuedRun{ID: "r", Job: []byte("job")}, 5, "a", "b")
	if created, err := q.Submit(t.Context(), store.QueuedRun{ID: "r", Priority: "normal"}, nil); err != nil || created {
		t.Fatalf("queued again: %v, %v", created, err)
	}
	all := takes(t, q, "w1")
	if len(all) != 2 || all["a"] == nil || all["b"] == nil || all["a"].Done != 0 || all["a"].OneDay {
		t.Fatalf("%+v", all)
	}
	passed(t, q, "w1", all["a"], 2, true)
	passed(t, q, "w2", all["a"], 3, false)
	finish(t, q, "w2", all["a"], store.FinishEnded, false)
	finish(t, q, "w1", all["a"], store.FinishFailed, true)
	finish(t, q, "w1", all["a"], store.FinishEnded, false)
	again := takes(t, q, "w2")
	if len(again) != 1 || again["a"].Done != 2 || again["a"].Tries != 1 {
		t.Fatalf("%+v", again["a"])
	}
	finish(t, q, "w2", again["a"], store.FinishEnded, true)
	if got := state(t, q, "r"); got != store.RunRunning {
		t.Errorf("with one account left the run is %s", got)
	}
	finish(t, q, "w1", all["b"], store.FinishStopped, true)
	if got := state(t, q, "r"); got != store.RunEnded {
		t.Errorf("the run is %s", got)
	}
	standings, err := q.Standings(t.Context(), "r")
	if err != nil || standings["a"].State != "ended" || standings["a"].Done != 5 || string(standings["a"].Passed) != "day 2" || string(standings["a"].Result) != "ended" ||
		standings["b"].State != "stopped" || standings["b"].Done != 0 {
		t.Errorf("%+v, %v", standings, err)
	}
	// The same run again goes on with the account that stopped alone.
	if created, err := q.Submit(t.Context(), store.QueuedRun{ID: "r", Priority: "normal"}, nil); err != nil || created {
		t.Fatalf("queued again: %v, %v", created, err)
	}
	if again := takes(t, q, "w1"); len(again) != 1 || again["b"] == nil || state(t, q, "r") != store.RunRunning {
		t.Errorf("%+v", again)
	}
}

// A task of a worker that is not heard of is another's after a while; what the first one says of it then counts no more.
func TestQueue_TakeOver(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	q := open(t, "redis://"+testenv.StartRedis(t))
	queued(t, q, store.QueuedRun{ID: "r"}, 5, "a", "b")
	all := takes(t, q, "w1")
	for range 2 * int(store.TaskLife/time.Second) { // one of the two is told of
		if lost, err := q.Beat(t.Context(), "w1", []*store.Task{all["b"]}); err != nil || len(lost) > 0 {
			t.Fatalf("%+v, %v", lost, err)
		}
		time.Sleep(store.TaskLife / 8)
	}
	over := takes(t, q, "w2")
	if len(over) != 1 || over["a"] == nil {
		t.Fatalf("%+v", over)
	}
	passed(t, q, "w1", all["a"], 1, false)
	finish(t, q, "w1", all["a"], store.FinishEnded, false)
	if lost, err := q.Beat(t.Context(), "w1", []*store.Task{all["a"], all["b"]}); err != nil || len(lost) != 1 || lost[0].Account != "a" {
		t.Errorf("%+v, %v", lost, err)
	}
	finish(t, q, "w2", over["a"], store.FinishEnded, true)
}

// Tasks of a higher priority come first; a run that is paused gives none, and goes on where it was.
func TestQueue_PriorityAndControl(t *testing.T) {
	q := open(t, "redis://"+testenv.StartRedis(t))
	for _, priority := range []string{"low", "normal", "high"} {
		queued(t, q, store.QueuedRun{ID: priority, Priority: priority}, 1, priority+"1", priority+"2")
	}
	var got []string
	for range 4 {
		got = append(got, take(t, q, "w").Run)
	}
	if want := []string{"high", "high", "normal", "normal"}; !slices.Equal(got, want) {
		t.Errorf("the tasks are of %v", got)
	}
	if ok, err := q.Control(t.Context(), "low", store.RunPaused); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if task := take(t, q, "w"); task != nil {
		t.Errorf("a paused run gives %+v", task)
	}
	if ok, err := q.Control(t.Context(), "low", store.RunRunning); err != nil || !ok {
		t.Fatal(ok, err)
	}
	low := takes(t, q, "w")
	if len(low) != 2 {
		t.Errorf("a run that goes on gives %+v", low)
	}
	if ok, err := q.Control(t.Context(), "low", store.RunStopped); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if lost, err := q.Beat(t.Context(), "w", []*store.Task{low["low1"], low["low2"]}); err != nil || len(lost) != 2 {
		t.Errorf("of a run that was stopped %+v is let go, %v", lost, err)
	}
	if ok, err := q.Control(t.Context(), "no such run", store.RunPaused); err != nil || ok {
		t.Error(ok, err)
	}
	if _, err := q.Submit(t.Context(), store.QueuedRun{ID: "x", Priority: "urgent"}, nil); err == nil || !strings.Contains(err.Error(), "high, normal, low") {
		t.Error(err)
	}
}

// Tasks that were lost with a Redis are found, and no account gets two.
func TestQueue_Sweep(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	addr := testenv.StartRedis(t)
	q := open(t, "redis://"+addr)
	queued(t, q, store.QueuedRun{ID: "r"}, 5, "a", "b", "c")
	task := take(t, q, "w1")
	do(t, bare(t, addr), "DEL", "{queue}:tasks:normal")
	if found, err := q.Sweep(t.Context()); err != nil || found != 3 {
		t.Fatalf("%d found, %v", found, err)
	}
	if found, err := q.Sweep(t.Context()); err != nil || found != 0 {
		t.Fatalf("%d found by the next at once, %v", found, err)
	}
	finish(t, q, "w1", task, store.FinishEnded, false)
	if all := takes(t, q, "w2"); len(all) != 3 {
		t.Errorf("%+v", all)
	}
}

// A run with more accounts than a sweep looks at is swept in parts, and each account is found.
func TestQueue_SweepInParts(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	addr := testenv.StartRedis(t)
	q := open(t, "redis://"+addr)
	var names []string
	for i := range 12000 {
		names = append(names, fmt.Sprint("a", i))
	}
	queued(t, q, store.QueuedRun{ID: "many"}, 5, names...)
	queued(t, q, store.QueuedRun{ID: "few"}, 5, "b")
	do(t, bare(t, addr), "DEL", "{queue}:tasks:normal")
	found := 0
	for range 5 {
		do(t, bare(t, addr), "DEL", "{queue}:swept") // as if its time were over
		n, err := q.Sweep(t.Context())
		if err != nil || n > 7000 {
			t.Fatalf("%d found by one sweep, %v", n, err)
		}
		found += n
	}
	if found != 12001 {
		t.Errorf("%d found", found)
	}
}

// In lockstep no account of a group gets a day before all of it are through with the day before; who has ended holds nobody up.
func TestQueue_Lockstep(t *testing.T) {
	q := open(t, "redis://"+testenv.StartRedis(t))
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	const days, accounts = 6, 7
	var all []store.QueuedAccount
	done, group := map[string]int{}, map[string]int{}
	for i := range accounts {
		name := fmt.Sprint("a", i)
		all = append(all, store.QueuedAccount{Name: name, Group: i % 2, Days: days})
		done[name], group[name] = 0, i%2
	}
	if _, err := q.Submit(t.Context(), store.QueuedRun{ID: "r", Priority: "normal", Lockstep: true}, all); err != nil {
		t.Fatal(err)
	}
	held := map[string]*store.Task{}
	for steps := 0; len(done) > 0; steps++ {
		if steps > 10000 {
			t.Fatalf("stuck at %v with %v", done, slices.Collect(maps.Keys(held)))
		}
		if task := take(t, q, "w"); task != nil {
			if !task.OneDay || task.Done != done[task.Account] {
				t.Fatalf("%+v, and it has done %d", task, done[task.Account])
			}
			for other, d := range done {
				if group[other] == group[task.Account] && d < task.Done {
					t.Fatalf("%s may begin day %d while %s has done %d", task.Account, task.Done+1, other, d)
				}
			}
			held[task.Account] = task
		}
		if len(held) == 0 || r.IntN(2) == 0 {
			continue
		}
		names := slices.Sorted(maps.Keys(held))
		name := names[r.IntN(len(names))]
		task := held[name]
		delete(held, name)
		switch how := r.IntN(8); {
		case how == 0:
			finish(t, q, "w", task, store.FinishFailed, true)
			continue
		case how == 1 && done[name] == 3: // an account stops in the middle
			finish(t, q, "w", task, store.FinishStopped, true)
			delete(done, name)
			continue
		}
		done[name]++
		passed(t, q, "w", task, done[name], true)
		if done[name] == days {
			finish(t, q, "w", task, store.FinishEnded, true)
			delete(done, name)
		} else {
			finish(t, q, "w", task, store.FinishLeft, true)
		}
	}
	if got := state(t, q, "r"); got != store.RunEnded {
		t.Errorf("the run is %s", got)
	}
}

// Eight workers with four seats each keep to a rate, a number of calls at once and a budget together, and make use of them.
func TestPace_TogetherNeverExceeded(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	addr := testenv.StartRedis(t)
	const workers, seats = 8, 4
	budget, every := decimal.RequireFromString("3.0001"), 5*time.Millisecond
	for _, c := range []struct {
		name   string
		limits pace.Limits
		budget *decimal.Decimal
	}{
		{"rate", pace.Limits{API: "rate", Every: every, Call: time.Minute}, nil},
		{"at once", pace.Limits{API: "once", AtOnce: 5, Call: time.Minute}, nil},
		{"budget", pace.Limits{Call: time.Minute}, &budget},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var flying, most, calls, spent atomic.Int64
			var last atomic.Value
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			var all sync.WaitGroup
			for range workers {
				var s *redisstore.Store = open(t, "redis://"+addr)
				p := pace.New(c.limits, &pace.Run{Name: c.name, Budget: c.budget, Pacer: s, Sleep: pause.For})
				for range seats {
					all.Go(func() {
						worst, cost := decimal.RequireFromString("0.01"), decimal.RequireFromString("0.0075")
						for {
							done, err := p.Begin(ctx, &worst)
							if err != nil {
								last.Store(err.Error())
								return
							}
							most.Store(max(most.Load(), flying.Add(1)))
							calls.Add(1)
							spent.Add(75)
							_ = pause.For(ctx, time.Duration(rand.IntN(10))*time.Millisecond)
							flying.Add(-1)
							done(&cost)
						}
					})
				}
			}
			all.Wait()
			took := time.Since(began)
			t.Logf("%d calls in %v, %d at once, %.4f spent; %v", calls.Load(), took, most.Load(), float64(spent.Load())/10000, last.Load())
			if c.limits.Every > 0 && calls.Load() > int64(took/every)+workers {
				t.Errorf("%d calls in %v", calls.Load(), took)
			}
			if c.limits.AtOnce > 0 && most.Load() > int64(c.limits.AtOnce) {
				t.Errorf("%d calls at once", most.Load())
			}
			if c.budget != nil && (spent.Load() > 30001 || spent.Load() < 29900) {
				t.Errorf("spent are %.4f", float64(spent.Load())/10000)
			}
		})
	}
}

// The user that docs/redis.md describes may do all that workers need.
func TestQueue_FewestRights(t *testing.T) {
	page, err := os.ReadFile("../../docs/redis.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile("`(\\+zadd [^`]*)`").FindStringSubmatch(string(page))
	if commands == nil {
		t.Fatal("docs/redis.md names no commands of a worker")
	}
	addr := testenv.StartRedis(t)
	rights := []any{"ACL", "SETUSER", "worker", "on", ">secret-word", "resetchannels", "~{queue}:*"}
	for _, command := range strings.Fields("+evalsha +eval +get +set +del +hget +hset +xadd +xrange " + commands[1]) {
		rights = append(rights, command)
	}
	do(t, bare(t, addr), rights...)
	q := open(t, "redis://worker:secret-word@"+addr)
	queued(t, q, store.QueuedRun{ID: "r", Lockstep: true}, 2, "a", "b")
	task := take(t, q, "w")
	passed(t, q, "w", task, 1, true)
	if _, err := q.Beat(t.Context(), "w", []*store.Task{task}); err != nil {
		t.Error(err)
	}
	finish(t, q, "w", task, store.FinishStopped, true)
	finish(t, q, "w", take(t, q, "w"), store.FinishEnded, true)
	queued(t, q, store.QueuedRun{ID: "s"}, 2, "a")
	for _, state := range []store.RunState{store.RunPaused, store.RunRunning, store.RunStopped} {
		if ok, err := q.Control(t.Context(), "s", state); err != nil || !ok {
			t.Error(state, ok, err)
		}
	}
	if _, err := q.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
	if runs, err := q.Runs(t.Context()); err != nil || len(runs) != 2 {
		t.Errorf("%+v, %v", runs, err)
	}
	if all, err := q.Standings(t.Context(), "r"); err != nil || len(all) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
	if workers, err := q.Workers(t.Context()); err != nil || !slices.Equal(workers, []string{"w"}) {
		t.Errorf("%v, %v", workers, err)
	}
	if said, err := q.BeginCall(t.Context(), store.Call{ID: "c", API: "a", Run: "r", Of: time.Minute, AtOnce: 1, Every: 1, Budget: 10, Worst: 1}); err != nil || !said.Go {
		t.Errorf("%+v, %v", said, err)
	}
	if err := q.EndCall(t.Context(), store.Call{ID: "c", API: "a", Run: "r"}, 1); err != nil {
		t.Error(err)
	}
}
