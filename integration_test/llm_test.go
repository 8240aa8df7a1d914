// Runs of language models, which a script plays: real decisions replayed, runs that are killed, many accounts, a recording.

package integration_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mcp-trade/agent/model/apis"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
	"mcp-trade/market"
)

// llmRun is a run of models that a script plays.
type llmRun struct {
	url, from, to, cash string
	api                 string // "": chat completions
	agentType, market   string // "": BaseAgent, which trades us
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
	config := object{
		"agent_type": cmp.Or(r.agentType, "BaseAgent"), "date_range": object{"init_date": r.from, "end_date": r.to}, "models": models, "agent_config": tuning,
	}
	if r.market != "" {
		config["market"] = r.market
	}
	command := []string{"run", p.writeConfig(t, config)}
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
			if r.Traded() {
				key, action := "scripted/"+g.agent+" "+string(r.Date), strings.TrimSuffix(string(r.Action), "_crypto")
				orders[key] = append(orders[key], modeltest.Order(action, r.Symbol, json.Number(r.Amount.String())))
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
				p.decideAsIn(t, all, llmRun{from: c.from, to: c.to}, c.days)
			})
		})
	}
}

// Ledgers of AI-Trader's other markets. The configurations name agent and market as its own do.
func TestRealDecisionsOfEveryMarketGivenTurnByTurn(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	runs := map[string]llmRun{
		"cn_daily":  {agentType: "BaseAgentAStock", market: "cn", to: "2025-11-19"},
		"cn_hourly": {agentType: "BaseAgentAStock_Hour", market: "cn", to: "2025-11-19 15:00:00"},
		"crypto":    {agentType: "BaseAgentCrypto", market: "crypto", to: "2025-11-15"},
	}
	for _, c := range asAITrader {
		run, ok := runs[c.folder]
		if !ok {
			continue
		}
		t.Run(c.folder, func(t *testing.T) {
			exact := 0
			for _, g := range goldenLedgersOf(t, c.folder, c.agents...) {
				for _, part := range partsOf(g, run.to) {
					p := onFiles(t)
					p.prices, p.env = g.prices, slices.DeleteFunc(slices.Clone(c.env), func(v string) bool { return strings.HasPrefix(v, "MCP_TRADE_MARKET") })
					exact += p.decidePart(t, g, part, run)
				}
			}
			if exact != c.exact {
				t.Errorf("%d rows came out as they were, of %d", exact, c.exact)
			}
		})
	}
}

// part is a part of a ledger that AI-Trader wrote in one go.
type part struct {
	golden
	first int          // its first row: that of the account's opening, or one that was computed from an older one
	to    market.Stamp // its last day
}

// partsOf cuts a ledger where AI-Trader computed a row from an older one. What follows is of an account that has what that row says.
func partsOf(g golden, to string) (parts []part) {
	for first := 0; first < len(g.records); {
		end := first + 1
		for end < len(g.records) && g.classes[end] != "exact_stale_base" {
			end++
		}
		p := part{g, first, market.Stamp(to)}
		p.records, p.classes = g.records[first:end], g.classes[first:end]
		if end < len(g.records) {
			p.to = g.records[end-1].Date
		}
		parts, first = append(parts, p), end
	}
	return parts
}

// decidePart runs a model that decides as a part of a ledger has it, and returns how many rows came out as they were. The rows before it
// are there already, the newest as of the day before, so that its day is not over.
func (p *place) decidePart(t *testing.T, all golden, part part, run llmRun) (exact int) {
	t.Helper()
	opened := all.records[0]
	run.from, run.to, run.cash = string(opened.Date), string(part.to), opened.Cash().String()
	since := opened.Date
	if part.first > 0 {
		since = all.records[part.first-1].Date
		p.takeOver(t, all, part.first, since, run)
	}
	after := golden{agent: part.agent, records: part.records[1:]}
	run.url, run.accounts = modeltest.Start(t, decisions([]golden{after})).URL, []string{part.agent}
	if out := p.try(t, p.llm(t, run)...); out.code != 0 && part.first == 0 || !strings.Contains(out.stderr, ", "+string(part.to)+", ") {
		t.Fatalf("exit %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	sameRun(t, part.golden, p.records(t, part.agent)[part.first:], tradingDays(t, p.prices, since, part.to))
	for _, f := range p.findings(t, part.agent) {
		if f.Row > part.first {
			t.Errorf("%s: %s", part.agent, f)
		}
	}
	for _, class := range part.classes {
		if class == "exact" {
			exact++
		}
	}
	return exact
}

// takeOver has an account begin with the rows that AI-Trader wrote up to one, which is dated since.
func (p *place) takeOver(t *testing.T, g golden, last int, since market.Stamp, run llmRun) {
	t.Helper()
	opening := *p
	opening.env = append(slices.Clone(p.env), "MCP_TRADE_MARKET="+run.market)
	opening.open(t, g.agent, run.cash, run.from)
	text, err := os.ReadFile(g.file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfterN(string(text), "\n", last+2)[:last+1]
	lines[0] = strings.TrimSuffix(strings.TrimSpace(lines[0]), "}") + `, "rules": ` + p.records(t, g.agent)[0].Rules + "}\n"
	lines[last] = strings.Replace(lines[last], string(g.records[last].Date), string(since), 1)
	if err := os.WriteFile(p.ledgerFile(g.agent), []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tradingDays counts the stamps of a price file after one stamp up to another.
func tradingDays(t *testing.T, file string, after, to market.Stamp) int {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	stamps := map[market.Stamp]bool{}
	for _, found := range regexp.MustCompile(`"(\d{4}-\d\d-\d\d( [\d:]{8})?)": \{`).FindAllStringSubmatch(string(text), -1) {
		if at := market.Stamp(found[1]); at > after && at <= to {
			stamps[at] = true
		}
	}
	return len(stamps)
}

// decideAsIn runs models that decide as ledgers have it, turn by turn, and holds their accounts against them.
func (p *place) decideAsIn(t *testing.T, ledgers []golden, run llmRun, days int) {
	t.Helper()
	run.url, run.cash = modeltest.Start(t, decisions(ledgers)).URL, ledgers[0].records[0].Cash().String()
	for _, g := range ledgers {
		run.accounts = append(run.accounts, g.agent)
	}
	p.do(t, p.llm(t, run)...)
	for _, g := range ledgers {
		got := p.records(t, g.agent)
		sameRun(t, g, got, days)
		p.verified(t, g.agent)
		t.Logf("%s: %d records", g.agent, len(got))
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
