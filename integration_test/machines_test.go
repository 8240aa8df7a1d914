// Runs that go on on another machine: the same Redis, and an empty disk.

package integration_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
)

// machine moves the place to a disk on which nothing is. Its Redis stays.
func (p *place) machine(t *testing.T, dir string) {
	t.Helper()
	redis := p.redisURL
	p.redisURL = ""
	p.afresh(t, dir)
	p.redisURL = redis
}

func TestARunOfModelsThatIsKilledGoesOnOnAnotherMachine(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	kills, random := scaled(t, 50, 3), randomly(t)
	accounts := []string{"alice", "bob"}
	asked := make(chan struct{}, 10_000)
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		asked <- struct{}{}
		return busyDays(r)
	})
	p := onRedis(t)
	p.prices = synthetic
	args, data := p.llm(t, llmRun{url: model.URL, from: "2025-01-01", to: fiveDays, cash: "100000", accounts: accounts}), p.dir
	p.do(t, args...)
	whole := model.Asked()
	want, said := p.books(t, accounts...), p.dialogues(t)
	killed, disks := map[string]int{}, 0
	for round := 0; killed["the runner"]+killed["a server"] < kills; round++ {
		if round > 10*kills {
			t.Fatal("the kills come too late")
		}
		p.afresh(t, filepath.Join(data, fmt.Sprint(round)))
		for !p.killed(t, args, asked, whole, random, killed) {
			disks++
			p.machine(t, filepath.Join(data, fmt.Sprintf("disk %d", disks)))
		}
		if p.books(t, accounts...) != want {
			t.Fatalf("round %d, after %v: the ledgers differ from those of an undisturbed run", round, killed)
		}
		if p.dialogues(t) != said {
			t.Fatalf("round %d, after %v: what was said differs from an undisturbed run", round, killed)
		}
		for _, account := range accounts {
			p.verified(t, account)
		}
	}
	t.Logf("killed: %v; went on on %d empty disks", killed, disks)
}

func TestARunOfDecidersThatIsKilledGoesOnOnAnotherMachine(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	kills, random := scaled(t, 50, 3), randomly(t)
	p := onRedis(t)
	emptyDisk := func(dir string) { p.machine(t, dir) }
	p.runsThatAreKilled(t, kills, random, emptyDisk, func() {
		for _, account := range runAccounts {
			p.verified(t, signature(account))
		}
	})
}

func TestAnAccountInTheHandsOfARunIsInNobodyElses(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		free, asked := make(chan struct{}), make(chan struct{}, 10)
		model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
			if r.Date == "2025-01-06" && r.Turn == 2 {
				asked <- struct{}{}
				<-free
			}
			return normalDay(r)
		})
		p.prices = synthetic
		command := p.llm(t, llmRun{url: model.URL, from: "2025-01-01", to: fiveDays, cash: "100000", accounts: []string{"alice"}})
		cmd := p.command(command...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-asked
		who := fmt.Sprintf("process %d on ", cmd.Process.Pid)
		other := *p
		if p.redisURL != "" {
			other.dir = t.TempDir()
		}
		if out := other.try(t, command...); out.code != 1 || !strings.Contains(out.stderr, "another run trades this account: "+who) || !strings.Contains(out.stderr, " has alice since 20") {
			t.Errorf("a second run exits with %d\n%s", out.code, out.stderr)
		}
		byHand := p.trade(t, "alice")
		refused := byHand.refused(t, "account_in_use", "buy", args{"symbol": "SYN01", "amount": 1})
		if !strings.Contains(refused.text, who) || !strings.Contains(refused.text, " has alice since 20") {
			t.Errorf("an order by hand is answered %s", refused.text)
		}
		byHand.Close()
		close(free)
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		undisturbed := onFiles(t)
		undisturbed.do(t, "run", undisturbed.config(t, modeltest.Start(t, normalDay), fiveDays, nil, "alice"))
		if p.books(t, "alice") != undisturbed.books(t, "alice") {
			t.Error("the ledger differs from that of an undisturbed run")
		}
		p.setDate(t, "alice", "2025-01-08")
		p.trade(t, "alice").filled(t, "buy", "SYN01", 1)
	})
}

// waits is a model that has the first one to come to the second turn of 2025-01-06 wait.
func waits(asked chan<- struct{}, free <-chan struct{}) modeltest.Script {
	var came atomic.Bool
	return func(r modeltest.Request) modeltest.Reply {
		if r.Date == "2025-01-06" && r.Turn == 1 && came.CompareAndSwap(false, true) {
			asked <- struct{}{}
			<-free
		}
		return normalDay(r)
	}
}

// waitingRun is a run of alice whose model keeps it waiting in the middle of a day, until free is closed.
type waitingRun struct {
	command []string
	cmd     *exec.Cmd
	stderr  bytes.Buffer
	model   *modeltest.Server
	free    chan struct{}
}

// startWaiting starts a run and returns once it waits.
func startWaiting(t *testing.T, p *place) *waitingRun {
	t.Helper()
	asked, r := make(chan struct{}, 1), &waitingRun{free: make(chan struct{})}
	r.model = modeltest.Start(t, waits(asked, r.free))
	r.command = []string{"run", p.config(t, r.model, fiveDays, nil, "alice")}
	r.cmd = p.command(r.command...)
	r.cmd.Stderr = &r.stderr
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	return r
}

// lost waits for the run to end, which is to be for the reason that it lost the account.
func (r *waitingRun) lost(t *testing.T) {
	t.Helper()
	_ = r.cmd.Wait()
	said := r.stderr.String()
	if code := r.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(said, "account alice stopped: this run has lost the account: another run took it over, or") {
		t.Errorf("the run exits with %d and says\n%s", code, said)
	}
	if strings.Contains(said, "is not verified") {
		t.Errorf("the run blames the ledger, which may be another's:\n%s", said)
	}
}

// sameAsUndisturbed checks that the account ended as in a run that nothing disturbs.
func (r *waitingRun) sameAsUndisturbed(t *testing.T, p *place) {
	t.Helper()
	undisturbed := onFiles(t)
	undisturbed.do(t, "run", undisturbed.config(t, r.model, fiveDays, nil, "alice"))
	if p.books(t, "alice") != undisturbed.books(t, "alice") || p.dialogues(t) != undisturbed.dialogues(t) {
		t.Error("the ledger or what was said differs from an undisturbed run")
	}
	p.verified(t, "alice")
}

// A run stands still until its lease is over, another machine trades the account to its end, and then the first one goes on.
func TestARunThatWasOvertakenWritesNothingMore(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	p := onRedis(t)
	run := startWaiting(t, p)
	if err := testenv.Suspend(run.cmd.Process); err != nil {
		t.Fatal(err)
	}
	other := *p
	other.dir = t.TempDir()
	other.do(t, run.command...)
	want, state := other.books(t, "alice"), runState(t, p)
	close(run.free)
	if err := testenv.Resume(run.cmd.Process); err != nil {
		t.Fatal(err)
	}
	run.lost(t)
	if got := other.books(t, "alice"); got != want {
		t.Errorf("the ledger was\n%s\nand is\n%s", want, got)
	}
	for key, now := range runState(t, p) {
		if now != state[key] {
			t.Errorf("%s was\n%.200q\nand is\n%.200q", key, state[key], now)
		}
	}
	run.sameAsUndisturbed(t, &other)
}

// runState is all that Redis has of the run of alice.
func runState(t *testing.T, p *place) map[string]any {
	t.Helper()
	state := map[string]any{}
	for _, key := range redisDo(t, p.redisURL, "KEYS", "orders:{alice}{*").([]any) {
		state[key.(string)] = redisDo(t, p.redisURL, "DUMP", key)
	}
	return state
}

func TestARunWhoseLeaseIsRemovedStopsAndIsGoneOnWith(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		run := startWaiting(t, p)
		before := p.books(t, "alice")
		if p.redisURL != "" {
			redisDo(t, p.redisURL, "HDEL", "orders:{alice}", "\xfflease")
		} else if err := os.Remove(filepath.Join(p.logPath(), "alice", ".run.lease")); err != nil {
			t.Fatal(err)
		}
		close(run.free)
		run.lost(t)
		if got := p.books(t, "alice"); got != before {
			t.Errorf("the ledger was\n%s\nand is\n%s", before, got)
		}
		p.do(t, run.command...)
		run.sameAsUndisturbed(t, p)
	})
}

// A server carries the lease of the run that launched it; one that carries another trades nothing.
func TestAServerOfARunThatIsOverTradesNothing(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		p.open(t, "alice", "1000", "2025-10-02")
		p.trade(t, "alice", "MCP_TRADE_FENCE=7").refused(t, "lease_lost", "buy", args{"symbol": "AAPL", "amount": 1})
		p.trade(t, "alice").filled(t, "buy", "AAPL", 1)
		p.env = append(p.env, "MCP_TRADE_FENCE=none")
		if out := p.try(t, "stdio"); out.code != 2 || !strings.Contains(out.stderr, `MCP_TRADE_FENCE="none" is no number of a lease`) {
			t.Errorf("a lease without a number: exit %d\n%s", out.code, out.stderr)
		}
	})
}
