// Runs of language models, which a script plays: real decisions replayed, runs that are killed, many accounts, a recording.

package integration_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mcp-trade/agent/model/apis"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
)

// llmRun is a run of models that a script plays.
type llmRun struct {
	url, from, to, cash string
	api                 string // "": chat completions
	accounts            []string
	tuning              object // more of agent_config
}

// llm writes the configuration of a run and returns the command that runs it.
func (p *place) llm(t testing.TB, r llmRun) []string {
	t.Helper()
	for _, api := range apis.All() {
		p.env = append(p.env, api.KeyVariable+"="+modelKey)
	}
	tuning := object{"max_steps": 60, "base_delay": 0.001, "initial_cash": json.Number(r.cash)}
	maps.Copy(tuning, r.tuning)
	p.env = append(p.env, apis.All()[0].BaseVariable+"="+r.url)
	var models []object
	for _, name := range r.accounts {
		m := object{"name": name, "basemodel": "scripted/" + name, "signature": name, "enabled": true}
		if r.api != "" {
			m["api"], m["openai_base_url"] = r.api, r.url
		}
		models = append(models, m)
	}
	command := []string{"run", p.writeConfig(t, object{
		"agent_type": "BaseAgent", "date_range": object{"init_date": r.from, "end_date": r.to}, "models": models, "agent_config": tuning,
	})}
	if r.api != "" {
		command = append(command, "--trust-config")
	}
	return command
}

// decisions plays models that decide as ledgers have it: an order a turn.
func decisions(ledgers []golden) modeltest.Script {
	orders := map[string][]modeltest.Call{} // by account and date
	for _, g := range ledgers {
		for _, r := range g.records {
			if r.Action == ledger.Buy || r.Action == ledger.Sell {
				key := "scripted/" + g.agent + " " + string(r.Date)
				orders[key] = append(orders[key], modeltest.Order(string(r.Action), r.Symbol, json.Number(r.Amount.String())))
			}
		}
	}
	return func(r modeltest.Request) modeltest.Reply {
		today := orders[r.Model+" "+r.Date]
		if r.Turn < len(today) {
			return modeltest.Do(today[r.Turn])
		}
		return modeltest.Say("That is all for %s. <FINISH_SIGNAL>", r.Date)
	}
}

func TestRealDecisionsGivenTurnByTurnMakeTheRealLedgers(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	for _, c := range []struct {
		market, from, to string
		agents           []string
		days             int
	}{
		{"us_daily", "2025-10-01", "2025-10-30", goldenAgents, octoberDays},
		{"us_hourly_test", "2025-10-24 19:00:00", "2025-10-27 19:00:00", []string{"test-gpt-4.1", "test-gemini-2.5-pro"}, 16},
	} {
		t.Run(c.market, func(t *testing.T) {
			all := goldenLedgersOf(t, c.market, c.agents...)
			onBothStores(t, func(t *testing.T, p *place) {
				p.prices, p.env = all[0].prices, []string{"MCP_TRADE_US_HOURS=extended"} // as AI-Trader, which trades at every bar
				model := modeltest.Start(t, decisions(all))
				p.do(t, p.llm(t, llmRun{url: model.URL, from: c.from, to: c.to, cash: all[0].records[0].Cash().String(), accounts: c.agents})...)
				for _, g := range all {
					got := p.records(t, g.agent)
					sameRun(t, g, got, c.days)
					p.verified(t, g.agent)
					t.Logf("%s: %d records", g.agent, len(got))
				}
			})
		})
	}
}

// busyDays plays a model with a day of several turns, of one and several calls, orders that are refused, and reads.
func busyDays(r modeltest.Request) modeltest.Reply {
	day := 0
	for _, c := range r.Model + r.Date {
		day = (day*31 + int(c)) % 1009
	}
	symbol := func(n int) string { return fmt.Sprintf("SYN%02d", 1+(day+n)%20) }
	switch r.Turn {
	case 0:
		return modeltest.Do(modeltest.To("get_portfolio", nil), modeltest.To("get_price_history", map[string]any{"symbol": symbol(0), "limit": 5}))
	case 1:
		return modeltest.Do(modeltest.Order("buy", symbol(0), 1+day%7), modeltest.Order("buy", symbol(1), 2), modeltest.Order("sell", symbol(2), 1))
	case 2:
		return modeltest.Do(modeltest.Order("sell", symbol(0), 1), modeltest.Order("buy", symbol(3), 100000), modeltest.To("get_session", nil))
	case 3:
		return modeltest.Do(modeltest.Order("buy", symbol(4), 1+day%3))
	}
	return modeltest.Say("Done for %s. <FINISH_SIGNAL>", r.Date)
}

// dialogues are the transcripts of a place without what the clock put into them.
func (p *place) dialogues(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	files, err := filepath.Glob(filepath.Join(p.dir, "agent_data", "*", "log", "*", "log.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s\n%s", strings.TrimPrefix(file, p.dir), text)
	}
	return all.String()
}

func TestAKilledRunOfLanguageModelsIsResumedToTheSameBytes(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	kills := scaled(t, 100, 10/raceSlows) // on each store
	accounts := []string{"alice", "bob"}
	onBothStores(t, func(t *testing.T, p *place) {
		asked := make(chan struct{}, 10_000)
		model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
			asked <- struct{}{}
			return busyDays(r)
		})
		p.prices = synthetic
		args, data := p.llm(t, llmRun{url: model.URL, from: "2025-01-01", to: fiveDays, cash: "100000", accounts: accounts}), p.dir
		p.do(t, args...)
		whole := model.Asked()
		want, said := p.books(t, accounts...), p.dialogues(t)
		killed, random := map[string]int{}, randomly(t)
		for round := 0; killed["the runner"]+killed["a server"] < kills; round++ {
			if round > 10*kills {
				t.Fatal("the kills come too late")
			}
			p.afresh(t, filepath.Join(data, strconv.Itoa(round)))
			for !p.killed(t, args, asked, whole, random, killed) {
				p.endLeases(t)
			}
			if got := p.books(t, accounts...); got != want {
				t.Fatalf("round %d, after %v: the ledgers differ from those of an undisturbed run", round, killed)
			}
			if got := p.dialogues(t); got != said {
				t.Fatalf("round %d, after %v: what was said differs from an undisturbed run", round, killed)
			}
		}
		t.Logf("killed: %v", killed)
	})
}

// randomly is where the moments of a storm are from; they are the same for the same MCP_TRADE_STORM_SEED.
func randomly(t *testing.T) *rand.Rand {
	seed := settingOf(t, "MCP_TRADE_STORM_SEED", 1)
	t.Logf("MCP_TRADE_STORM_SEED=%d", seed)
	return rand.New(rand.NewPCG(uint64(seed), uint64(len(t.Name()))))
}

// killed starts a run and kills it, or one of its servers, at a random moment in which the model was asked so often as in a part of
// the whole run. It reports true when the run came to its end.
func (p *place) killed(t *testing.T, args []string, asked <-chan struct{}, whole int, random *rand.Rand, killed map[string]int) bool {
	t.Helper()
	times, later, victim := random.IntN(whole), time.Duration(random.IntN(20_000))*time.Microsecond, "the runner"
	if random.IntN(2) == 0 {
		victim = "a server"
	}
	for len(asked) > 0 { // by the one before
		<-asked
	}
	cmd := p.command(args...)
	cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended, hit := make(chan struct{}), make(chan bool)
	go func() {
		for range times {
			select {
			case <-asked:
			case <-ended:
			}
		}
		time.Sleep(later)
		hit <- p.strike(t, cmd.Process, victim)
	}()
	err := cmd.Wait()
	close(ended)
	if <-hit && err != nil {
		killed[victim]++
	}
	p.childless(t)
	if err == nil {
		return true
	}
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if died := ok && status.Signal() == syscall.SIGKILL; !died && victim == "the runner" {
		t.Fatalf("a resumed run fails: %v\n%s", err, p.try(t, args...).stderr)
	}
	return false
}

// strike kills a run, or one of its servers, and tells whether it was there to be killed.
func (p *place) strike(t *testing.T, run *os.Process, victim string) bool {
	if victim == "the runner" {
		return run.Kill() == nil
	}
	for _, pid := range p.servers(t) {
		if n, err := strconv.Atoi(pid); err == nil && n != run.Pid {
			server, err := os.FindProcess(n)
			return err == nil && server.Kill() == nil
		}
	}
	return false
}
