// Queued runs: workers on machines of their own, which are killed, hang and lose their network, while Redis ends and begins again.

package integration_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
	"mcp-trade/store"
)

// farm is a queue in Redis, and workers, each with a folder and a network of its own.
type farm struct {
	*place
	t       *testing.T
	random  *rand.Rand
	workers []*farmWorker
	slowest time.Duration // between a kill of a worker and the moment at which others had all its accounts
	kinds   []string      // of what happens, see strike
	counts  map[string]int
}

type farmWorker struct {
	place   *place
	network *testenv.Proxy // nil: straight to Redis
	process *exec.Cmd
	ended   chan struct{}
	log     *bytes.Buffer // once it has ended
}

// newFarm starts so many workers on the Redis of a place.
func newFarm(t *testing.T, p *place, workers int, cut bool) *farm {
	f := &farm{place: p, t: t, random: rand.New(rand.NewPCG(uint64(settingOf(t, "MCP_TRADE_STORM_SEED", 1)), 15)), counts: map[string]int{}}
	if f.kinds = []string{"redis", "killed", "redis", "hangs"}; cut {
		f.kinds = []string{"killed", "killed", "hangs", "ended", "redis", "cut", "silent"}
	}
	for range workers {
		own := *p
		own.dir = t.TempDir()
		w := &farmWorker{place: &own}
		if cut {
			w.network = testenv.StartProxy(t, strings.TrimPrefix(p.redisURL, "redis://"))
			own.redisURL = "redis://" + w.network.Addr()
		}
		f.workers = append(f.workers, w)
		f.start(w)
	}
	t.Cleanup(func() {
		for _, w := range f.workers {
			f.kill(w)
		}
	})
	return f
}

func (f *farm) start(w *farmWorker) {
	w.log, w.ended = &bytes.Buffer{}, make(chan struct{})
	w.process = w.place.command("worker", "--seats", "4", "--log-format", "json")
	w.process.Stderr = w.log
	if err := w.process.Start(); err != nil {
		f.t.Fatal(err)
	}
	go func() { _ = w.process.Wait(); close(w.ended) }()
}

func (f *farm) kill(w *farmWorker) {
	_ = w.process.Process.Kill()
	<-w.ended
}

// heldBy are the accounts that a worker trades.
func (f *farm) heldBy(q store.Queue, w *farmWorker) (names []string) {
	f.each(q, func(name string, s store.Standing) {
		if s.State == "trading" && strings.Contains(s.Worker, fmt.Sprintf(":%d:", w.process.Process.Pid)) {
			names = append(names, name)
		}
	})
	return names
}

// each calls do for each account of the runs. A Redis that is gone has none.
func (f *farm) each(q store.Queue, do func(name string, s store.Standing)) {
	ctx, cancel := context.WithTimeout(f.t.Context(), 5*time.Second)
	defer cancel()
	runs, _ := q.Runs(ctx)
	for _, r := range runs {
		all, _ := q.Standings(ctx, r.ID)
		for name, s := range all {
			do(name, s)
		}
	}
}

// killed kills a worker, starts another in its place, and notes how long its accounts waited for others.
func (f *farm) killed(q store.Queue, w *farmWorker) {
	held, worker := f.heldBy(q, w), fmt.Sprintf(":%d:", w.process.Process.Pid)
	f.kill(w)
	began := time.Now()
	f.start(w)
	for len(held) > 0 && time.Since(began) < patience {
		waits := map[string]bool{}
		f.each(q, func(name string, s store.Standing) {
			waits[name] = s.State == "trading" && strings.Contains(s.Worker, worker)
		})
		if n := 0; waits != nil {
			for _, name := range held {
				if waits[name] {
					n++
				}
			}
			if n == 0 {
				break
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	f.slowest = max(f.slowest, time.Since(began))
}

// strike has something happen to a worker or to Redis.
func (f *farm) strike(q store.Queue, redis func()) {
	w := f.workers[f.random.IntN(len(f.workers))]
	while := time.Duration(f.random.IntN(int(store.TaskLife) + int(3*time.Second)))
	kind := f.kinds[f.random.IntN(len(f.kinds))]
	f.counts[kind]++
	switch kind {
	case "killed":
		f.killed(q, w)
	case "hangs":
		if err := testenv.Suspend(w.process.Process); err != nil {
			f.t.Fatal(err)
		}
		time.Sleep(while)
		if err := testenv.Resume(w.process.Process); err != nil {
			f.t.Fatal(err)
		}
	case "ended":
		if err := w.process.Process.Signal(syscall.SIGTERM); err != nil {
			f.t.Fatal(err)
		}
		<-w.ended
		f.start(w)
	case "redis":
		redis()
	case "cut", "silent":
		w.network.Set(map[string]testenv.Mode{"cut": testenv.Refuse, "silent": testenv.Hang}[kind])
		time.Sleep(while)
		w.network.Set(testenv.Pass)
	}
}

// queuedArgs is a run by workers.
func queuedArgs(args []string, more ...string) []string {
	return slices.Concat(args, []string{"--queue"}, more)
}

// queuedDeciders are so many accounts.
func queuedDeciders(n int) (accounts []string) {
	for i := range n {
		accounts = append(accounts, fmt.Sprintf("a%03d=%s", i, []string{"random:" + fmt.Sprint(i), "momentum:" + fmt.Sprint(1+i%9), "equal-weight"}[i%3]))
	}
	return accounts
}

// undisturbed is the ledgers of a run on this machine alone, without a queue.
func undisturbed(t *testing.T, args []string, accounts []string) []string {
	alone := onFiles(t)
	alone.prices = synthetic
	alone.do(t, args...)
	return alone.ledgers(t, accounts)
}

// ledgers are all ledgers, copied by one command.
func (p *place) ledgers(t *testing.T, accounts []string) (texts []string) {
	to := p
	if p.redisURL != "" {
		own := *p
		own.dir = t.TempDir()
		to = &own
		to.do(t, append([]string{"ledger", "copy", "--from", "redis", "--to", "file"}, names(accounts)...)...)
	}
	for _, a := range accounts {
		text, err := os.ReadFile(to.ledgerFile(signature(a)))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts
}

func names(accounts []string) (names []string) {
	for _, a := range accounts {
		names = append(names, signature(a))
	}
	return names
}

// storm runs accounts through a queue until something has happened so many times, each round on an empty Redis, and holds the ledgers
// against those of an undisturbed run.
func (f *farm) storm(accounts []string, to string, strikes int, redis func(), empty func()) {
	t := f.t
	q := f.place.store(t).(store.Queue)
	args := runArgs(to, accounts...)
	want := undisturbed(t, args, accounts)
	struck := 0
	for round := 0; struck < strikes; round++ {
		lockstep := round%2 == 1
		queued := queuedArgs(args)
		if lockstep {
			queued = queuedArgs(args, "--lockstep")
		}
		var out output
		var running sync.WaitGroup
		over := make(chan struct{})
		running.Go(func() {
			defer close(over)
			for range 10 { // it cannot put the run into a Redis that is gone
				if out = f.place.try(t, queued...); out.code == 0 || !strings.Contains(out.stderr, "mcp-trade: redis: cannot") {
					return
				}
				time.Sleep(time.Second)
			}
		})
		for over != nil {
			select {
			case <-over:
				over = nil
			case <-time.After(time.Duration(f.random.IntN(400)) * time.Millisecond):
				if struck < strikes {
					f.strike(q, redis)
					struck++
				}
			}
		}
		running.Wait()
		if out.code != 0 {
			t.Fatalf("round %d: exit %d\n%.3000s\n%s", round, out.code, out.stderr, f.logs())
		}
		for i, got := range f.place.ledgers(t, accounts) {
			if got != want[i] {
				t.Errorf("round %d, after %v: the ledger of %s, in lockstep %v, differs %s", round, f.counts, accounts[i], lockstep, firstDifference(got, want[i]))
			}
		}
		if t.Failed() {
			runs := f.place.try(t, "runs", "list").stdout
			shown := ""
			if all, err := q.Runs(t.Context()); err == nil && len(all) > 0 {
				shown = f.place.try(t, "runs", "show", all[0].ID, "--json").stdout
			}
			t.Fatal(runs, shown, f.logs())
		}
		empty()
	}
	t.Logf("%d accounts, %d workers, %d faults: %v; accounts of a killed worker waited %.1f s at most", len(accounts), len(f.workers), struck, f.counts, f.slowest.Seconds())
}

func (f *farm) logs() string {
	var all strings.Builder
	for _, w := range f.workers {
		f.kill(w)
		fmt.Fprintf(&all, "%.4000s\n", w.log)
	}
	return all.String()
}

// queuedTo is the last day of a run of a storm: thirty days, or of a small one ten.
func queuedTo(t *testing.T) string {
	return []string{"2025-01-15", "2025-02-13"}[min(1, scaled(t, 1, 0))]
}

// Workers that are killed, hang, lose their network or are ended, and a Redis that ends and begins again: every ledger has the bytes of a run
// on one machine.
func TestStorm_Queue(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	p := onFiles(t)
	redis := testenv.NewRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	p.redisURL, p.prices = "redis://"+redis.Addr, synthetic
	f := newFarm(t, p, 4, true)
	f.storm(queuedDeciders(scaled(t, 200, 8)), queuedTo(t), scaled(t, 100, 3), func() {
		redis.Kill()
		time.Sleep(time.Duration(f.random.IntN(3000)) * time.Millisecond)
		redis.Start(t)
	}, func() { redisDo(t, p.redisURL, "FLUSHALL") })
}

// A master that is lost while workers trade, and the replica that takes its place: no acknowledged trade is lost, and what the queue lost
// with it is found again.
func TestStorm_QueueSentinels(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	g := testenv.StartSentinels(t, 3)
	p, _ := replicated(t, g.Address(), 1)
	p.prices = synthetic
	f := newFarm(t, p, 3, false)
	f.storm(queuedDeciders(scaled(t, 60, 6)), queuedTo(t), scaled(t, 40, 2), func() {
		g.FailOver(t)
		g.Replica.Start(t)
		host, port, _ := net.SplitHostPort(g.Master.Addr)
		ask(t, g.Replica, "REPLICAOF", host, port)
		says(t, g.Replica, "INFO replication", "master_link_status:up")
		g.WaitForSentinels(t)
	}, func() { ask(t, g.Master, "FLUSHALL") })
}

// Masters of a cluster of six that are lost while workers trade, and slots that move to other masters.
func TestStorm_QueueCluster(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	pairs := testenv.StartClusterOfSix(t)
	var addrs []string
	for _, pair := range pairs {
		addrs = append(addrs, pair[0].Addr, pair[1].Addr)
	}
	p := onFiles(t)
	p.redisURL, p.prices, p.env = "redis://"+strings.Join(addrs, ","), synthetic, []string{"MCP_TRADE_REDIS_WAIT=1"}
	f := newFarm(t, p, 3, false)
	owners := map[int]int{} // of the slots of an account and of the queue
	for _, key := range []string{"{a000}", "{queue}"} {
		slot, err := strconv.Atoi(strings.TrimPrefix(ask(t, pairs[0][0], "CLUSTER", "KEYSLOT", key), ":"))
		if err != nil {
			t.Fatal(err)
		}
		owners[slot] = slot * 3 / 16384
	}
	f.storm(queuedDeciders(scaled(t, 60, 6)), queuedTo(t), scaled(t, 40, 2), func() {
		if f.random.IntN(2) == 0 {
			testenv.FailOverIn(t, &pairs[f.random.IntN(len(pairs))])
			return
		}
		for slot, owner := range owners {
			owners[slot] = (owner + 1) % len(pairs)
			moveSlots(t, &testenv.Cluster{Masters: [3]*testenv.Redis{pairs[0][0], pairs[1][0], pairs[2][0]}}, slot, 1, owner, owners[slot])
		}
		f.counts["slots moved"]++
	}, func() {
		for _, pair := range pairs {
			ask(t, pair[0], "FLUSHALL")
		}
	})
}

// An experiment of models is traded by workers to the bytes of a run on one machine, each reply asked for once, within a rate and a budget
// that they share; the queue holds neither key nor folder of a machine.
func TestQueue_Experiment(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	alone, p := onFiles(t), onRedis(t)
	quiet, model := modeltest.Start(t, trialDay), modeltest.Start(t, trialDay)
	alone.do(t, "run", alone.experiment(t, quiet.URL, crossed()))
	config := p.experiment(t, model.URL, crossed())
	p.amend(t, config, "total_budget", 100)
	f := newFarm(t, p, 2, false)
	out := p.try(t, "run", config, "--queue", "--priority", "high")
	if out.code != 0 {
		t.Fatalf("exit %d\n%s\n%s", out.code, out.stderr, f.logs())
	}
	for _, account := range []string{"autumn_alice_plain_r1", "autumn_alice_careful_r2", "autumn_bob_plain_r2", "autumn_bob_careful_r1"} {
		if got, want := p.books(t, account), alone.books(t, account); got != want {
			t.Errorf("%s: %s", account, firstDifference(got, want))
		}
	}
	if model.Asked() != quiet.Asked() {
		t.Errorf("the model was asked %d times, and %d times by a run on one machine", model.Asked(), quiet.Asked())
	}
	p.hides(t, out, modelKey)
	for _, key := range redisDo(t, p.redisURL, "KEYS", "*queue*").([]any) {
		kind := redisDo(t, p.redisURL, "TYPE", key)
		if kind != "hash" {
			continue
		}
		if text := fmt.Sprint(redisDo(t, p.redisURL, "HGETALL", key)); strings.Contains(text, modelKey) {
			t.Errorf("%s holds the key of the model", key)
		}
	}
	again := p.do(t, "run", config, "--queue")
	if !strings.Contains(again, "autumn_bob_careful_r1") || model.Asked() != quiet.Asked() {
		t.Errorf("the run that had ended was traded again:\n%s", again)
	}
}

// A worker with other prices trades nothing of a run, and says which files differ.
func TestQueue_OtherPrices(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	p := onRedis(t)
	p.prices = synthetic
	other := *p
	other.dir, other.prices = t.TempDir(), plain
	f := newFarm(t, &other, 1, false)
	done := make(chan output, 1)
	go func() { done <- p.try(t, append(runArgs(fiveDays, runAccounts...), "--queue")...) }()
	q := p.store(t).(store.Queue)
	testenv.Eventually(t, "the worker refuses", func() error {
		refused := 0
		f.each(q, func(name string, s store.Standing) {
			if strings.Contains(string(s.Result), "the price files of this worker are") {
				refused++
			}
		})
		if refused == 0 {
			return errors.New("no account tells of it")
		}
		return nil
	})
	good := newFarm(t, p, 1, false)
	if out := <-done; out.code != 0 {
		t.Fatalf("exit %d\n%s\n%s", out.code, out.stderr, good.logs())
	}
	for _, a := range runAccounts {
		p.verified(t, signature(a))
	}
	if logs := f.logs(); strings.Contains(logs, "trading accounts of a run") {
		t.Errorf("the worker with other prices traded:\n%s", logs)
	}
}
