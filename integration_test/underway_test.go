// Runs under way on the served page, from outside: a page on another machine, where there is Redis, sees how a run stands, why it stopped
// and what was said, and writes nothing.

package integration_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/agent/underway"
	"mcp-trade/internal/testenv"
	"mcp-trade/report/page/pagetest"
)

// get reads an address of the served report.
func (s *served) get(t testing.TB, path string) (text string, answer *http.Response) {
	t.Helper()
	w, err := http.Get(s.address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), w
}

// stands waits until an account stands as it should; what is nil once it does.
func (s *served) stands(t testing.TB, account string, what func(underway.Account) error) {
	t.Helper()
	testenv.Eventually(t, account+" stands as it should", func() error {
		text, _ := s.get(t, "runs.json")
		var runs underway.Runs
		if err := json.Unmarshal([]byte(text), &runs); err != nil {
			return err
		}
		row := underway.Account{}
		for _, a := range runs.Accounts {
			if a.Account == account {
				row = a
			}
		}
		if err := what(row); err != nil {
			return fmt.Errorf("%w: %s", err, text)
		}
		return nil
	})
}

// is tells whether an account is in a state, for a reason that has some words.
func is(state underway.State, why string) func(underway.Account) error {
	return func(a underway.Account) error {
		if a.State != state || !strings.Contains(a.Why, why) {
			return fmt.Errorf("it is not %q because of %q", state, why)
		}
		return nil
	}
}

// reader is the same place on another machine where there is Redis, by a user who may do nothing there but read.
func (p *place) reader(t testing.TB) *place {
	t.Helper()
	own := *p
	if p.redisURL == "" {
		return &own
	}
	redisDo(t, p.redisURL, "ACL", "SETUSER", "reader", "on", ">secret", "~*", "+@read", "+@connection", "+@transaction")
	own.dir, own.redisURL = t.TempDir(), strings.Replace(p.redisURL, "redis://", "redis://reader:secret@", 1)
	return &own
}

// filesIn are all files of a folder, with sizes and times.
func filesIn(t testing.TB, dir string) string {
	t.Helper()
	var list strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			fmt.Fprintln(&list, path, info.Size(), info.ModTime())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list.String()
}

// slowDays is a model that trades each day, and stops on the second one in its third turn until it may go on.
func slowDays(free <-chan struct{}) modeltest.Script {
	return func(r modeltest.Request) modeltest.Reply {
		switch {
		case r.Turn == 0:
			return modeltest.Reply{Text: "<script>window.hacked=1</script> \x1b[31mof " + r.Date, Calls: []modeltest.Call{modeltest.Order("buy", "SYN01", 1)}}
		case r.Turn == 1:
			return modeltest.Do(modeltest.Order("buy", "SYN02", 10_000_000))
		case r.Date == "2025-01-03":
			<-free
		}
		return modeltest.Say("Done. %s", llm.StopSignal)
	}
}

func startRun(t testing.TB, p *place, args ...string) *exec.Cmd {
	t.Helper()
	cmd := p.command(args...)
	testenv.OwnGroup(cmd) // its server is to be killed with it
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { killGroup(cmd) })
	return cmd
}

func killGroup(cmd *exec.Cmd) {
	_ = testenv.SignalGroup(cmd.Process, syscall.SIGKILL) // it may have ended
	_ = cmd.Wait()
}

func TestServe_RunsUnderWay(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		free := make(chan struct{})
		model, goOn := modeltest.Start(t, slowDays(free)), sync.OnceFunc(func() { close(free) })
		t.Cleanup(goOn)
		priced := object{"price_per_million": object{"input": 10, "output": 100}, "budget": object{"run": 5}}
		config := p.config(t, model, "2025-01-06", priced, "alice")
		p.amend(t, config, "total_budget", 7)
		s := p.reader(t).serve(t)
		run := startRun(t, p, "run", config)
		s.stands(t, "alice", func(a underway.Account) error {
			switch {
			case a.State != underway.Trading, a.Day != 2, a.Days != 3, a.Date != "2025-01-03", a.Turn != 3, a.Tool != "buy", a.Refused != 2, a.RefusedToday != 1,
				!strings.HasPrefix(a.Trader, fmt.Sprintf("process %d on ", run.Process.Pid)), a.Since.IsZero(),
				a.Cost == nil, a.CostToday == nil, a.Cost != nil && !a.Cost.GreaterThan(*a.CostToday), a.Budget == nil || a.Budget.String() != "5", a.TotalBudget == nil || a.TotalBudget.String() != "7":
				return errors.New("it is not in the third turn of its second day")
			}
			return nil
		})
		testenv.Eventually(t, "the conversation is there", func() error {
			said, answer := s.get(t, "day/alice/2025-01-03")
			for _, want := range []string{"<script>window.hacked=1</script>", "of 2025-01-03", "call 1", "SYN02", "10000000", "insufficient_cash", "the system prompt"} {
				if !strings.Contains(said, want) {
					return fmt.Errorf("%s lacks %s:\n%s", answer.Status, want, said)
				}
			}
			if kind := answer.Header.Get("Content-Type"); kind != "text/plain; charset=utf-8" || strings.Contains(said, "\x1b") {
				return fmt.Errorf("it is %s: %q", kind, said)
			}
			return nil
		})
		if _, answer := s.get(t, "day/nobody/2025-01-03"); answer.StatusCode != http.StatusNotFound {
			t.Errorf("the conversation of an account that is not there: %s", answer.Status)
		}
		p.do(t, "session", "set", "HALT=true", "--model-id", "alice")
		s.stands(t, "alice", func(a underway.Account) error {
			if !a.Halted {
				return errors.New("it is not halted")
			}
			return nil
		})
		p.do(t, "session", "clear", "HALT", "--model-id", "alice")
		killGroup(run)
		s.stands(t, "alice", func(a underway.Account) error {
			if a.Trader != "" || a.Halted {
				return errors.New("somebody has it, or it is halted")
			}
			return is(underway.Stopped, "nobody trades it")(a)
		})
		goOn()
		p.do(t, "run", config)
		s.stands(t, "alice", is("", ""))
		p.amend(t, config, "date_range", object{"init_date": "2025-01-01", "end_date": "2025-01-08"})
		p.amend(t, config, "total_budget", 0.0001)
		if out := p.try(t, "run", config); out.code != 1 {
			t.Errorf("beyond its budget it exits with %d\n%s", out.code, out.stderr)
		}
		s.stands(t, "alice", is(underway.Stopped, "of the total_budget of 0.0001 are spent"))
		onlyReads(t, p)
	})
}

// onlyReads has a page served once more, and looks at what that leaves.
func onlyReads(t *testing.T, p *place) {
	t.Helper()
	reader := p.reader(t)
	before := filesIn(t, reader.dir)
	s := reader.serve(t)
	s.stands(t, "alice", is(underway.Stopped, ""))
	s.get(t, "day/alice/2025-01-03")
	s.interrupt(t)
	if told := reader.do(t, "show", "alice", "2025-01-03"); !strings.Contains(told, "of 2025-01-03") || !strings.Contains(told, "insufficient_cash") {
		t.Errorf("the conversation is shown as\n%s", told)
	}
	if told := reader.do(t, "report", "alice", "--json"); !strings.Contains(told, "of 2025-01-03") {
		t.Errorf("the report lacks what the model said:\n%.2000s", told)
	}
	if after := filesIn(t, reader.dir); after != before {
		t.Errorf("serving the page has written:\n%s\nbefore:\n%s", after, before)
	}
}

func TestServe_QueuedRunWaits(t *testing.T) {
	t.Parallel()
	p := onRedis(t)
	p.prices = synthetic
	s := p.reader(t).serve(t)
	run := startRun(t, p, append(runArgs(fiveDays, runAccounts...), "--queue")...)
	name := signature(runAccounts[0])
	s.stands(t, name, is(underway.Waiting, "none is there"))
	killGroup(run) // which only watched it
	var id string
	s.stands(t, name, func(a underway.Account) error {
		if id = a.Run; a.Days == 0 || id == "" {
			return errors.New("its days and its run are not told")
		}
		return nil
	})
	p.do(t, "runs", "pause", id)
	s.stands(t, name, is(underway.Paused, "its run was paused"))
	p.do(t, "runs", "stop", id)
	s.stands(t, name, is(underway.Stopped, "its run was stopped"))
}

func TestServe_RunsOnThePage(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	browser := pagetest.Start(t)
	p := onFiles(t)
	free := make(chan struct{})
	model, goOn := modeltest.Start(t, slowDays(free)), sync.OnceFunc(func() { close(free) })
	t.Cleanup(goOn)
	config := p.config(t, model, "2025-01-06", object{}, "alice")
	s := p.serve(t)
	tab := browser.Open(t, pagetest.Desktop, s.address)
	tab.Wait(`document.getElementById("live").textContent === "Live" && document.getElementById("runs").hidden`)
	run := startRun(t, p, "run", config)
	tab.Wait(`document.querySelector("[data-run=alice][data-state=trading]")?.textContent.includes("2 of 3")`)
	tab.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("account-alice").open = true`))
	tab.Wait(`document.getElementById("account-alice-2025-01-03-said")`)
	tab.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("account-alice-2025-01-03-said").open = true`))
	tab.Wait(`document.querySelector("#account-alice-2025-01-03-said pre")?.textContent.includes("insufficient_cash")`)
	for _, finding := range tab.Axe() {
		t.Error(finding)
	}
	killGroup(run)
	tab.Wait(`document.querySelector("[data-run=alice][data-state=stopped]")?.textContent.includes("Nobody trades it")`)
	if !pagetest.Eval[bool](tab, `!("hacked" in window) && document.querySelector("#account-alice-2025-01-03-said pre").textContent.includes("<script>window.hacked=1</script>")`) {
		t.Error("a text was taken for markup, or the conversation is gone")
	}
	goOn()
	p.do(t, "run", config)
	tab.Wait(`document.getElementById("runs").hidden`)
}

// A run that follows the market waits for its next day, and tells which day it traded without a price, and which it missed.
func TestServe_FollowedRun(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	p, g := onFiles(t), grow(randomly(t), 5)
	l := newLapse(t, p, g, followCommand(g, "--deadline", "1h")...)
	viewer := *p
	viewer.dir += "/." // the same folder, whose other processes the lapse counts
	s := viewer.serve(t)
	l.start(t)
	days, undisturbed := g.followed(), func(int) {}
	l.await(t, days[0], "which opens")
	l.day(t, growingHistory, randomly(t), undisturbed)
	s.stands(t, "dice", func(a underway.Account) error {
		if a.Day != 1 || a.Days != 0 || a.Date != days[0] || a.Next != days[1] || !a.Opens.Equal(l.opening(growingHistory+1)) {
			return errors.New("it does not wait for its second day")
		}
		return is(underway.Waiting, "it waits for "+string(days[1]))(a)
	})
	l.set(t, l.opening(growingHistory+1).Add(70*time.Minute), "BBB")
	l.await(t, days[1], "the close")
	noted := func(text string) func(underway.Account) error {
		return func(a underway.Account) error {
			if !strings.Contains(strings.Join(a.Notes, "\n"), text) {
				return errors.New("it does not say " + text)
			}
			return is(underway.Waiting, "")(a)
		}
	}
	s.stands(t, "dice", noted(string(days[1])+" was traded without the prices of BBB"))
	l.kill(t, 0)
	l.set(t, l.opening(growingHistory+2).Add(10*time.Hour)) // nobody traded the third day
	l.start(t)
	l.set(t, l.opening(growingHistory+3).Add(40*time.Minute))
	l.await(t, days[3], "the close")
	s.stands(t, "dice", noted(string(days[2])+" was missed: "))
	p.do(t, "session", "set", "HALT=true", "--model-id", "*")
	s.stands(t, "dice", func(a underway.Account) error {
		if text, _ := s.get(t, "runs.json"); !strings.Contains(text, `"halted":true`) {
			return errors.New("trading is not halted")
		}
		return nil
	})
}
