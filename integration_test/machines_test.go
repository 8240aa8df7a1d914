// Runs that go on on another machine: the same Redis, and an empty disk.

package integration_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mcp-trade/agent/model/modeltest"
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
	t.Parallel()
	kills := scaled(t, 50, 3)
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
	killed := map[string]int{}
	for round := 0; killed["the runner"]+killed["a server"] < kills; round++ {
		if round > 10*kills {
			t.Fatal("the kills come too late")
		}
		p.afresh(t, filepath.Join(data, fmt.Sprint(round)))
		for disk := 0; !p.killed(t, args, asked, rand.IntN(whole), killed); disk++ {
			p.machine(t, filepath.Join(data, fmt.Sprintf("%d-%d", round, disk)))
		}
		if p.books(t, accounts...) != want {
			t.Fatalf("round %d, after %v: the ledgers differ from those of an undisturbed run", round, killed)
		}
		if p.dialogues(t) != said {
			t.Fatalf("round %d, after %v: what was said differs from an undisturbed run", round, killed)
		}
	}
	t.Logf("killed: %v", killed)
}

func TestARunOfDecidersThatIsKilledGoesOnOnAnotherMachine(t *testing.T) {
	t.Parallel()
	kills := scaled(t, 50, 3)
	p, undisturbed := onRedis(t), onFiles(t)
	undisturbed.prices, p.prices = synthetic, synthetic
	args, data := runArgs(fiveDays, runAccounts...), p.dir
	began := time.Now()
	undisturbed.do(t, args...)
	whole := time.Since(began)
	want := undisturbed.books(t, runAccounts...)
	for round, killed := 0, 0; killed < kills; round++ {
		if round > 10*kills {
			t.Fatal("the kills come too late")
		}
		p.afresh(t, filepath.Join(data, fmt.Sprint(round)))
		for disk := 0; ; disk++ {
			cmd := p.command(args...)
			cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			timer := time.AfterFunc(rand.N(whole), func() { _ = cmd.Process.Kill() })
			err := cmd.Wait()
			timer.Stop()
			p.childless(t)
			if err == nil {
				break
			}
			if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
				t.Fatalf("a resumed run fails: %v\n%s", err, p.try(t, args...).stderr)
			}
			killed++
			p.machine(t, filepath.Join(data, fmt.Sprintf("%d-%d", round, disk)))
		}
		if p.books(t, runAccounts...) != want {
			t.Fatalf("round %d, after %d kills: the ledgers differ from those of an undisturbed run", round, killed)
		}
	}
}

func TestAnAccountInTheHandsOfARunIsInNobodyElses(t *testing.T) {
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
