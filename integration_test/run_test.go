// The runner: killed or interrupted and started again, twice in a row, and beside another one.

package integration_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
)

var runAccounts = []string{"steady=equal-weight", "chaser=momentum:5", "dice=random:7"}

// runArgs is a run over trading days of the synthetic market, from its first day.
func runArgs(to string, accounts ...string) []string {
	args := []string{"run", "--from", "2025-01-01", "--to", to, "--cash", "100000"}
	for _, a := range accounts {
		args = append(args, "--account", a)
	}
	return args
}

const fiveDays = "2025-01-08" // the fifth trading day after the first

func signature(account string) string {
	name, _, _ := strings.Cut(account, "=")
	return name
}

// books exports the ledgers of the accounts, byte for byte.
func (p *place) books(t *testing.T, accounts ...string) string {
	t.Helper()
	var all strings.Builder
	for _, a := range accounts {
		all.WriteString(p.do(t, "ledger", "export", signature(a)))
	}
	return all.String()
}

// servers lists the processes of the binary that have this place's data dir in their environment.
func (p *place) servers(t *testing.T) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	testenv.Require(t, "procfs", err == nil && len(links) > 0, "there is no /proc")
	var found []string
	for _, link := range links {
		if exe, err := os.Readlink(link); err != nil || exe != binary {
			continue
		}
		dir := filepath.Dir(link)
		env, _ := os.ReadFile(filepath.Join(dir, "environ")) // of a process that may be gone by now
		if bytes.Contains(env, []byte("MCP_TRADE_DATA_DIR="+p.dir+"\x00")) {
			found = append(found, filepath.Base(dir))
		}
	}
	return found
}

// childless waits until no process of the place is left.
func (p *place) childless(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		left := p.servers(t)
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the processes %v are left", left)
		}
	}
}

func TestAKilledRunIsResumedToTheSameBytes(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	kills, random := scaled(t, 20, 5), randomly(t)
	onBothStores(t, func(t *testing.T, p *place) {
		p.runsThatAreKilled(t, kills, random, func(string) {}, func() {})
	})
}

// runsThatAreKilled runs strategies until so many of their runs were killed at random moments, each round in a folder of its own. A run
// that was killed is gone on with after moved, which is told of a folder for it. Each round ends in the books of an undisturbed
// run, and then in ended.
func (p *place) runsThatAreKilled(t *testing.T, kills int, random *rand.Rand, moved func(dir string), ended func()) {
	t.Helper()
	args, data := runArgs(fiveDays, runAccounts...), p.dir
	undisturbed := onFiles(t)
	undisturbed.prices, p.prices = synthetic, synthetic
	began := time.Now()
	undisturbed.do(t, args...)
	whole := time.Since(began)
	want := undisturbed.books(t, runAccounts...)
	killed := 0
	for round := 0; killed < kills; round++ {
		if round > 10*kills {
			t.Fatal("the kills come too late")
		}
		p.afresh(t, filepath.Join(data, fmt.Sprint(round)))
		for !p.killedAfter(t, args, time.Duration(random.Int64N(int64(whole)))) {
			killed++
			p.endLeases(t)
			moved(filepath.Join(data, fmt.Sprintf("disk %d", killed)))
		}
		if p.books(t, runAccounts...) != want {
			t.Fatalf("round %d, after %d kills: the ledgers differ from those of an undisturbed run", round, killed)
		}
		ended()
	}
	t.Logf("killed: %d", killed)
}

// killedAfter starts a run and kills it after a while. It reports true when the run came to its end.
func (p *place) killedAfter(t *testing.T, args []string, while time.Duration) bool {
	t.Helper()
	cmd := p.command(args...)
	cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(while, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	timer.Stop()
	p.childless(t)
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); err != nil && (!ok || status.Signal() != syscall.SIGKILL) {
		t.Fatalf("a resumed run fails: %v\n%s", err, p.try(t, args...).stderr)
	}
	return err == nil
}

// endLeases ends the leases of runs that were killed, as their time would. On files they end with their process.
func (p *place) endLeases(t *testing.T) {
	t.Helper()
	if p.redisURL == "" {
		return
	}
	for _, key := range redisDo(t, p.redisURL, "KEYS", "orders:*{lease}").([]any) {
		redisDo(t, p.redisURL, "DEL", key)
	}
}

// afresh moves the place to a new data dir, and empties its Redis.
func (p *place) afresh(t *testing.T, dir string) {
	t.Helper()
	p.dir = dir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if p.redisURL != "" {
		redisDo(t, p.redisURL, "FLUSHALL")
	}
}

func TestAnInterruptedRunExits130AndIsResumed(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	args := runArgs("2025-03-31", runAccounts...)
	undisturbed := onFiles(t)
	undisturbed.prices = synthetic
	undisturbed.do(t, args...)
	want := undisturbed.books(t, runAccounts...)
	for _, to := range []string{"the process alone", "the whole terminal"} {
		t.Run("a signal to "+to, func(t *testing.T) {
			onBothStores(t, func(t *testing.T, p *place) {
				p.prices = synthetic
				cmd := p.command(args...)
				testenv.OwnGroup(cmd)
				cmd.Stdout = io.Discard
				stderr, err := cmd.StderrPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				defer func() { _ = testenv.SignalGroup(cmd.Process, syscall.SIGKILL) }() // if the test ends early
				lines := bufio.NewScanner(stderr)
				if !lines.Scan() { // the first report of progress
					t.Fatal("the run says nothing")
				}
				if to == "the whole terminal" { // Ctrl-C reaches the servers as well
					err = testenv.SignalGroup(cmd.Process, syscall.SIGINT)
				} else {
					err = cmd.Process.Signal(syscall.SIGINT)
				}
				if err != nil {
					t.Fatal(err)
				}
				log := lines.Text()
				for lines.Scan() {
					log += "\n" + lines.Text()
				}
				_ = cmd.Wait()
				if code := cmd.ProcessState.ExitCode(); code != 130 {
					t.Fatalf("exit %d\n%s", code, log)
				}
				p.childless(t)
				before := len(p.records(t, "steady"))
				p.do(t, args...)
				if after := len(p.records(t, "steady")); after <= before {
					t.Fatalf("%d records before the resumption, %d after it", before, after)
				}
				if p.books(t, runAccounts...) != want {
					t.Fatal("the ledgers differ from those of an undisturbed run")
				}
			})
		})
	}
}

func TestAFinishedRunChangesNothingWhenItIsRunAgain(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		p.prices = synthetic
		args := runArgs(fiveDays, runAccounts...)
		p.do(t, args...)
		want := p.books(t, runAccounts...)
		p.do(t, args...)
		if p.books(t, runAccounts...) != want {
			t.Fatal("the ledgers changed")
		}
		want = p.books(t, "dice")
		p.do(t, runArgs("2025-01-15", runAccounts...)...)
		if more := p.books(t, "dice"); len(more) == len(want) || !strings.HasPrefix(more, want) {
			t.Fatal("a run with a later end does not go on from where the first one ended")
		}
		p.childless(t)
	})
}

func TestTwoRunsSideBySideDoNotDisturbEachOther(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		p.prices = synthetic
		alone := onFiles(t)
		alone.prices = synthetic
		alone.do(t, runArgs("2025-01-31", runAccounts...)...)
		var wait sync.WaitGroup
		for _, accounts := range [][]string{runAccounts[:2], runAccounts[2:]} {
			cmd := p.command(runArgs("2025-01-31", accounts...)...)
			wait.Go(func() {
				if text, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, text)
				}
			})
		}
		wait.Wait()
		if p.books(t, runAccounts...) != alone.books(t, runAccounts...) {
			t.Fatal("the ledgers differ from those of one run")
		}
		p.childless(t)
	})
}

func TestASecondRunOfTheSameAccountIsRefusedWhileTheFirstTrades(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		p.prices = synthetic
		args := runArgs("2025-01-31", "dice=random:7")
		alone := onFiles(t)
		alone.prices = synthetic
		alone.do(t, args...)
		var wait sync.WaitGroup
		for range 2 {
			cmd := p.command(args...)
			wait.Go(func() {
				// The second one may also come when the first has finished.
				if text, err := cmd.CombinedOutput(); err != nil && !strings.Contains(string(text), "another run trades this account") {
					t.Errorf("%v\n%s", err, text)
				}
			})
		}
		wait.Wait()
		if p.books(t, "dice") != alone.books(t, "dice") {
			t.Fatal("the ledger differs from that of one run")
		}
	})
}
