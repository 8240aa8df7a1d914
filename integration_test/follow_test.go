// A run that follows the market: a time-lapse over a made-up one whose file grows as the clock goes, with prices that come late, days on
// which nobody runs it, halts, and processes that are killed and whose accounts another one takes over.

package integration_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"mcp-trade/agent"
	"mcp-trade/agent/decide"
	"mcp-trade/agent/manifest"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/agent/runner"
	"mcp-trade/decimal"
	"mcp-trade/internal/mcpclient"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
)

// growing is a made-up market in New York, whose file has at a moment what a source would have then.
type growing struct {
	symbols []string
	days    []market.Stamp // all, the first of them before any run
	bars    map[string]string
	opens   map[string]string // of a bar under way
	none    string            // such as "BBB2025-11-28": a bar that never comes
}

const growingHistory = 25 // days

// grow makes a market that an account can follow for so many days from the 26th of November 2025 on: a holiday and a half day come first.
func grow(random *rand.Rand, days int) *growing {
	g := &growing{symbols: []string{"AAA", "BBB", "CCC", "DDD"}, bars: map[string]string{}, opens: map[string]string{}}
	for day := market.Stamp("2025-10-21"); len(g.days) < growingHistory+days; day = day.AddDays(1) {
		if why, _ := market.US.Get().Calendar.Closed(day); why == "" {
			g.days = append(g.days, day)
		}
	}
	for _, symbol := range g.symbols {
		price := 50 + 50*random.Float64()
		for _, day := range g.days {
			open := price * (1 + 0.04*(random.Float64()-0.5))
			price = open * (1 + 0.04*(random.Float64()-0.5))
			g.opens[symbol+string(day)] = fmt.Sprintf(`%q: {"1. open": "%.2f"}`, day, open)
			g.bars[symbol+string(day)] = fmt.Sprintf(`%q: {"1. open": "%.2f", "2. high": "%.2f", "3. low": "%.2f", "4. close": "%.2f", "5. volume": "100000"}`,
				day, open, max(open, price)+1, min(open, price)-1, price)
		}
	}
	return g
}

// followed are the days after the history.
func (g *growing) followed() []market.Stamp { return g.days[growingHistory:] }

// from is the day on which accounts are opened.
func (g *growing) from() string { return string(g.days[growingHistory-1]) }

// at is the file at a moment. Of a symbol that is late the newest bar is there from shortly after its close on, and not whole on that day.
func (g *growing) at(now time.Time, late ...string) string {
	var text strings.Builder
	for _, symbol := range g.symbols {
		var bars []string
		for _, day := range g.days {
			opens, closes := market.US.Get().Session(day)
			isLate := slices.Contains(late, symbol) && now.Before(opens.Add(24*time.Hour))
			switch {
			case symbol+string(day) == g.none, now.Before(opens), isLate && now.Before(closes.Add(5*time.Minute)):
			case now.Before(closes), isLate:
				bars = append(bars, g.opens[symbol+string(day)])
			default:
				bars = append(bars, g.bars[symbol+string(day)])
			}
		}
		fmt.Fprintf(&text, `{"Meta Data": {"2. Symbol": %q}, "Time Series (Daily)": {%s}}`+"\n", symbol, strings.Join(bars, ", "))
	}
	return text.String()
}

// replaceFile writes a file in one step.
func replaceFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// lapse is a run that follows a growing market by a clock that the test sets.
type lapse struct {
	*place
	*growing
	clock string
	now   *time.Time // by it
	args  []string

	running *exec.Cmd
	lines   chan object
	err     *syncBuffer
	ended   chan error

	had []object // all that was told
}

// newLapse lays out a lapse. The command follows the accounts.
func newLapse(t *testing.T, p *place, g *growing, command ...string) *lapse {
	l := &lapse{place: p, growing: g, now: &time.Time{}, clock: filepath.Join(t.TempDir(), "clock")}
	p.prices = filepath.Join(t.TempDir(), "merged.jsonl")
	l.args = append(command, "--follow", "--fill", "next-open", "--clock", l.clock, "--json")
	l.set(t, g.opening(growingHistory-1).Add(12*time.Hour))
	t.Cleanup(func() {
		if l.running != nil {
			_ = l.running.Process.Kill()
			<-l.ended
		}
	})
	return l
}

// opening is when a day opens.
func (g *growing) opening(day int) time.Time {
	opens, _ := market.US.Get().Session(g.days[day])
	return opens
}

// set has the file grow, and then the clock go on.
func (l *lapse) set(t *testing.T, now time.Time, late ...string) {
	t.Helper()
	replaceFile(t, l.prices, l.at(now, late...))
	l.tick(t, now)
}

// tick has the clock alone go on.
func (l *lapse) tick(t *testing.T, now time.Time) {
	t.Helper()
	*l.now = now
	replaceFile(t, l.clock, now.UTC().Format(time.RFC3339))
}

// start starts a process that follows.
func (l *lapse) start(t *testing.T) {
	t.Helper()
	cmd := l.command(l.args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	l.err = &syncBuffer{}
	cmd.Stderr = l.err
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l.running, l.lines, l.ended = cmd, make(chan object, 1000), make(chan error, 1)
	go func(lines chan<- object, ended chan<- error) {
		for scan := bufio.NewScanner(out); scan.Scan(); {
			var e object
			if json.Unmarshal(scan.Bytes(), &e) == nil {
				lines <- e
			}
		}
		close(lines)
		_, _ = io.Copy(io.Discard, out)
		ended <- cmd.Wait()
	}(l.lines, l.ended)
}

// kill kills the process after a while.
func (l *lapse) kill(t *testing.T, after time.Duration) {
	t.Helper()
	time.Sleep(after)
	err := l.running.Process.Kill()
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	for e := range l.lines {
		l.had = append(l.had, e)
	}
	if ended := <-l.ended; ended != nil && err != nil { // it was at its last day's end
		t.Fatalf("the run ends: %v\n%s", ended, l.err)
	}
	l.running = nil
	l.childless(t)
	l.endLeases(t)
}

// await waits until the run waits for something of a day: its close, or, when it is the next one, its open.
func (l *lapse) await(t *testing.T, day market.Stamp, what string) {
	t.Helper()
	for timeout := time.After(patience); ; {
		select {
		case e, running := <-l.lines:
			if !running {
				t.Fatalf("the run ended: %v\n%s", <-l.ended, l.err)
			}
			l.had = append(l.had, e)
			switch text, _ := e["text"].(string); {
			case e["event"] == "waiting" && e["date"] == string(day) && strings.Contains(text, what):
				return
			case e["event"] == "halt", e["event"] == "standby", e["event"] == "fault":
				l.tick(t, l.now.Add(2*time.Minute)) // it is tried again by the clock
			}
		case <-time.After(2 * time.Second): // it may have looked at the prices just before they grew, and looks again by the clock
			l.tick(t, l.now.Add(2*time.Minute))
		case <-timeout:
			t.Fatalf("nothing waits for %s of %s; told: %v\n%s", what, day, l.had[max(0, len(l.had)-5):], l.err)
		}
	}
}

// end waits for the end of the run.
func (l *lapse) end(t *testing.T) {
	t.Helper()
	for e := range l.lines {
		l.had = append(l.had, e)
	}
	if err := <-l.ended; err != nil {
		t.Fatalf("the run ends: %v\n%s", err, l.err)
	}
	l.running = nil
}

// day goes through a day of the lapse, which some symbols' opens and closes reach late; another one may kill the process in the middle.
func (l *lapse) day(t *testing.T, n int, random *rand.Rand, disturb func(phase int)) {
	t.Helper()
	day, opens := l.days[n], l.opening(n)
	_, closes := market.US.Get().Session(day)
	late := l.symbols[random.IntN(len(l.symbols))]
	if random.IntN(3) == 0 && l.now.Before(opens) { // else there were prices of the day already
		l.set(t, opens.Add(10*time.Minute), late)
		l.await(t, day, "prices")
	}
	l.set(t, opens.Add(40*time.Minute))
	disturb(0)
	l.await(t, day, "the close")
	if random.IntN(3) == 0 {
		l.set(t, closes.Add(10*time.Minute), late)
	}
	l.set(t, closes.Add(70*time.Minute))
	disturb(1)
	if n+1 < len(l.days) {
		l.await(t, l.days[n+1], "which opens")
	}
}

// told are the events of a kind.
func (l *lapse) told(kind string) (all []object) {
	for _, e := range l.had {
		if e["event"] == kind {
			all = append(all, e)
		}
	}
	return all
}

// forwardDays are those of an account as the manifest has them.
func (p *place) forwardDays(t *testing.T, account string) []manifest.ForwardDay {
	t.Helper()
	m, err := manifest.Read(filepath.Join(p.dir, "agent_data"))
	if err != nil {
		t.Fatal(err)
	}
	store := "file"
	if p.redisURL != "" {
		store = "redis"
	}
	return manifest.Forward(m.Accounts[account], store)
}

var followers = []string{"dice=random:3", "chaser=momentum:2", "steady=equal-weight"}

// backtest runs the accounts over the days of the market when all are over, and returns their ledgers.
func (g *growing) backtest(t *testing.T, to market.Stamp) string {
	t.Helper()
	p := onFiles(t)
	p.prices = filepath.Join(p.dir, "merged.jsonl")
	replaceFile(t, p.prices, g.at(g.opening(len(g.days)-1).AddDate(0, 0, 2)))
	args := []string{"run", "--fill", "next-open", "--from", g.from(), "--to", string(to)}
	for _, a := range followers {
		args = append(args, "--account", a)
	}
	p.do(t, args...)
	return p.books(t, followers...)
}

func followCommand(g *growing, more ...string) []string {
	command := append([]string{"run", "--from", g.from(), "--to", string(g.days[len(g.days)-1])}, more...)
	for _, a := range followers {
		command = append(command, "--account", a)
	}
	return command
}

func TestFollow_ATimeLapseEndsInTheLedgerOfTheBacktest(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		t.Parallel()
		random := randomly(t)
		g := grow(random, scaled(t, 60, 8))
		l := newLapse(t, p, g, followCommand(g, "--catch-up", "trade")...)
		l.start(t)
		l.await(t, g.followed()[0], "which opens")
		kills, outages, halts := 0, 0, 0
		for n := growingHistory; n < len(g.days); n++ {
			left := len(g.days) - n
			switch k := n - growingHistory; {
			case left > 3 && k > 0 && (k == 1 || random.IntN(12) == 0): // nobody runs it for two days; it follows from its first day on
				outages++
				l.kill(t, 0)
				l.machineOn(t)
				n += 2
				l.set(t, l.opening(n-1).Add(10*time.Hour))
				l.start(t)
				l.await(t, g.days[n], "which opens")
			case k == 5 || random.IntN(10) == 0:
				halts++
				l.do(t, "session", "set", "HALT=true", "--model-id", "*")
				l.set(t, l.opening(n).Add(20*time.Minute))
				time.Sleep(time.Duration(random.IntN(1500)) * time.Millisecond)
				l.do(t, "session", "clear", "HALT", "--model-id", "*")
			}
			l.day(t, n, random, func(phase int) {
				if k := n - growingHistory; k == 3+phase || random.IntN(6) == 0 {
					kills++
					l.kill(t, time.Duration(random.IntN(900))*time.Millisecond)
					l.machineOn(t)
					l.start(t)
				}
			})
		}
		l.end(t)
		if got, want := l.books(t, followers...), g.backtest(t, g.days[len(g.days)-1]); got != want {
			t.Errorf("the ledgers differ from those of the backtest\n%s", firstLines(got, want))
		}
		caught := l.decidedOnWhatWasThere(t)
		t.Logf("%d days, %d kills, %d outages, %d halts; %d days of accounts were caught up with", len(g.followed()), kills, outages, halts, caught)
		if caught < 2*len(followers) || kills < 2 || halts == 0 {
			t.Errorf("%d days were caught up with, after %d kills and %d halts", caught, kills, halts)
		}
	})
}

// machineOn goes on on another machine, if the state is in Redis. Files are on one.
func (l *lapse) machineOn(t *testing.T) {
	if l.redisURL != "" {
		l.machine(t, t.TempDir())
	}
}

// decidedOnWhatWasThere holds what the manifest says of each forward day against the prices as they were then. It returns how many were
// caught up with.
func (l *lapse) decidedOnWhatWasThere(t *testing.T) (caught int) {
	t.Helper()
	prices, err := market.Open(l.prices)
	if err != nil {
		t.Fatal(err)
	}
	defer prices.Close()
	for _, account := range followers {
		days := l.forwardDays(t, signature(account))
		if len(days) != len(l.followed()) {
			t.Errorf("%s: %d forward days, want %d", account, len(days), len(l.followed()))
		}
		for _, d := range days {
			opens, closes := market.US.Get().Session(d.Date)
			file := filepath.Join(t.TempDir(), "then.jsonl")
			replaceFile(t, file, l.at(opens)) // nothing later than the opens of the day
			then, err := market.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			known, err := manifest.HashView(then.AsOf(d.Date))
			then.Close()
			if err != nil || d.Known == nil || *d.Known != known || d.Head == nil || d.Clock != l.clock || len(d.Missing) > 0 || d.Decided.Before(opens) {
				t.Errorf("%s on %s: %+v, want %+v, %v", account, d.Date, d, known, err)
			}
			if d.CaughtUp != d.Decided.After(closes) {
				t.Errorf("%s on %s: decided %s, caught up with: %v", account, d.Date, d.Decided, d.CaughtUp)
			}
			if d.CaughtUp {
				caught++
			}
		}
		l.verified(t, signature(account))
	}
	return caught
}

// firstLines shows the first lines in which two texts differ.
func firstLines(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return fmt.Sprintf("line %d\ngot  %s\nwant %s", i+1, strings.Join(a[min(i, len(a)):min(i+2, len(a))], "\n     "), strings.Join(b[min(i, len(b)):min(i+2, len(b))], "\n     "))
		}
	}
	return ""
}

// Two days on which nobody runs it are passed over. The ledger is that of a run over the past that passes over the same days.
func TestFollow_SkippedDaysLeaveTheLedgerOfARunWithoutThem(t *testing.T) {
	t.Parallel()
	p, g := onFiles(t), grow(randomly(t), 5)
	l := newLapse(t, p, g, followCommand(g)...)
	l.start(t)
	undisturbed := func(int) {}
	l.await(t, g.followed()[0], "which opens")
	l.day(t, growingHistory, randomly(t), undisturbed)
	l.kill(t, 0)
	skipped := g.followed()[1:3]
	l.set(t, l.opening(growingHistory+2).Add(10*time.Hour))
	l.start(t)
	for n := growingHistory + 3; n < len(g.days); n++ {
		l.day(t, n, randomly(t), undisturbed)
	}
	l.end(t)
	for _, account := range followers {
		var days []market.Stamp
		for _, d := range p.forwardDays(t, signature(account)) {
			if d.Skipped != "" {
				days = append(days, d.Date)
			}
		}
		if !slices.Equal(days, skipped) {
			t.Errorf("%s passed over %v, want %v", account, days, skipped)
		}
		p.verified(t, signature(account))
	}
	if told := l.told("missed_day"); len(told) != len(skipped)*len(followers) {
		t.Errorf("told of missed days: %v", told)
	}
	if got, want := p.books(t, followers...), g.without(t, p, skipped); got != want {
		t.Errorf("the ledgers differ from those without the days\n%s", firstLines(got, want))
	}
}

// without runs the accounts of a place over the past, in this process, without some days, and returns their ledgers.
func (g *growing) without(t *testing.T, followed *place, skipped []market.Stamp) string {
	t.Helper()
	p := onFiles(t)
	p.prices = followed.prices
	prices, err := market.Open(p.prices)
	if err != nil {
		t.Fatal(err)
	}
	defer prices.Close()
	kept := filestore.New(p.dir, filepath.Join(p.dir, "agent_data"))
	defer kept.Close()
	rules, err := ledger.ParseRules(followed.records(t, signature(followers[0]))[0].Rules)
	if err != nil {
		t.Fatal(err)
	}
	r := &runner.Runner{
		Prices: prices, Accounts: ledger.NewAccounts(kept), Runs: kept, Owner: store.Owner{Name: "the test", Nonce: "1"}, Stderr: io.Discard, Now: time.Now,
		From: market.Stamp(g.from()), To: g.days[len(g.days)-1], Cash: decimal.NewFromInt(10000), Rules: rules, Log: zerolog.Nop(),
		Recorder: &manifest.Recorder{LogPath: filepath.Join(p.dir, "agent_data")}, Progress: func(runner.Progress) {}, Steps: func(agent.Step) {},
		Session: func(model string) (*session.Resolver, error) {
			none := func(string) (string, bool) { return "", false }
			return session.New(session.Config{Model: model, Local: kept, Env: none, TTL: time.Hour, Warn: func(text string) { t.Log(text) }})
		},
		Server: func(model string, lease store.Fence) mcpclient.Command {
			env := append(p.environment(), "CURRENT_MODEL_ID="+model, fmt.Sprintf("MCP_TRADE_FENCE=%d", lease))
			return mcpclient.Command{Path: binary, Args: []string{"stdio", "--no-env-file"}, Env: append(os.Environ(), env...)}
		},
	}
	var accounts []runner.Account
	for _, text := range followers {
		name, _, decider, err := decide.ParseAccount(text)
		if err != nil {
			t.Fatal(err)
		}
		accounts = append(accounts, runner.Account{Name: name, Decider: decider, Skip: skipped})
	}
	results, err := r.Run(t.Context(), accounts)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Fatal(r.Account, r.Err)
		}
	}
	return p.books(t, followers...)
}

// Two processes follow with the same accounts. The first is killed in the middle of a day, and the second goes on. A symbol has no prices on
// one day until its deadline.
func TestFollow_AStandbyGoesOn(t *testing.T) {
	t.Parallel()
	p, g := onFiles(t), grow(randomly(t), 4)
	first := newLapse(t, p, g, followCommand(g)...)
	second := *first
	first.start(t)
	second.start(t)
	first.await(t, g.followed()[0], "which opens")
	second.await(t, g.followed()[0], "which opens")
	t.Cleanup(func() {
		if second.running != nil {
			_ = second.running.Process.Kill()
			<-second.ended
		}
	})
	g.none = "BBB" + string(g.followed()[2])
	at := func(n int, after time.Duration) { second.set(t, second.opening(growingHistory+n).Add(after)) }
	at(0, time.Hour)
	second.await(t, g.followed()[0], "the close")
	first.await(t, g.followed()[0], "the close")
	at(0, 10*time.Hour)
	second.await(t, g.followed()[1], "which opens")
	at(1, time.Hour)
	time.Sleep(300 * time.Millisecond)
	if err := first.running.Process.Kill(); err != nil {
		t.Fatalf("%v\n%s", err, first.err)
	}
	for range first.lines {
	}
	<-first.ended
	first.running = nil
	second.await(t, g.followed()[1], "the close")
	at(1, 10*time.Hour)
	second.await(t, g.followed()[2], "which opens")
	at(2, time.Hour)
	second.await(t, g.followed()[2], "BBB")
	_, closes := market.US.Get().Session(g.followed()[2])
	second.set(t, closes.Add(time.Minute))
	second.await(t, g.followed()[3], "which opens")
	at(3, time.Hour)
	second.await(t, g.followed()[3], "the close")
	at(3, 10*time.Hour)
	second.end(t)
	for _, account := range followers {
		days := p.forwardDays(t, signature(account))
		if len(days) != 4 || !slices.Equal(days[2].Missing, []string{"BBB"}) || days[2].CaughtUp || days[3].Missing != nil || days[3].Skipped != "" {
			t.Errorf("%s: %+v", account, days)
		}
		p.verified(t, signature(account))
	}
	if late := second.told("late_data"); len(late) != 1 || late[0]["date"] != string(g.followed()[2]) {
		t.Errorf("told of late data: %v", late)
	}
}

// A language model follows as a strategy does. Its API fails for a while on one day.
func TestFollow_ALanguageModel(t *testing.T) {
	t.Parallel()
	p, g := onFiles(t), grow(randomly(t), 3)
	var failing atomic.Bool
	failing.Store(true)
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		switch {
		case r.Date == string(g.followed()[1]) && failing.Load():
			return modeltest.Reply{Status: 503, Body: "{}"}
		case r.Turn == 0:
			return modeltest.Do(modeltest.Order("buy", g.symbols[len(r.Date)%4], 3), modeltest.Order("buy", "AAA", 2), modeltest.Order("sell", "AAA", 1))
		}
		return modeltest.Say("Done. <FINISH_SIGNAL>")
	})
	run := llmRun{url: model.URL, from: g.from(), to: string(g.days[len(g.days)-1]), cash: "10000", accounts: []string{"alice"}, tuning: object{"max_retries": 0}}
	l := newLapse(t, p, g, p.llm(t, run)...)
	l.start(t)
	l.await(t, g.followed()[0], "which opens")
	l.day(t, growingHistory, randomly(t), func(int) {})
	l.day(t, growingHistory+1, randomly(t), func(phase int) {
		if phase == 0 {
			for e := range l.lines {
				l.had = append(l.had, e)
				if e["event"] == "fault" {
					break
				}
			}
			failing.Store(false)
			l.tick(t, l.now.Add(5*time.Minute))
		}
	})
	l.day(t, growingHistory+2, randomly(t), func(int) {})
	l.end(t)
	if days := p.forwardDays(t, "alice"); len(days) != 3 || days[1].Skipped != "" {
		t.Errorf("%+v", days)
	}
	p.verified(t, "alice")
	over := onFiles(t)
	over.prices = p.prices
	over.do(t, append(over.llm(t, run), "--fill", "next-open")...)
	if got, want := p.books(t, "alice"), over.books(t, "alice"); got != want || strings.Count(got, `"action": "buy"`) < 3 {
		t.Errorf("the ledgers differ\n%s\n%s", firstLines(got, want), got)
	}
}
