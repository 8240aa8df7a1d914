// Ledgers that were changed in ways that arithmetic does not show: what a run noted beside them, and a head that was kept
// elsewhere, finds it.

package integration_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/manifest"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
)

func (p *place) logPath() string { return filepath.Join(p.dir, "agent_data") }

func (p *place) manifest(t testing.TB) manifest.Manifest {
	t.Helper()
	m, err := manifest.Read(p.logPath())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// headOf is the hash of the last line of an account's ledger.
func (p *place) headOf(t testing.TB, account string) string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(p.do(t, "ledger", "export", account)), "\n")
	return ledger.Hash([]byte(lines[len(lines)-1]))
}

// forge changes the records of a ledger in a file, and makes the chain of hashes anew.
func (p *place) forge(t testing.TB, account string, change func([]ledger.Record) []ledger.Record) {
	t.Helper()
	text, err := os.ReadFile(p.ledgerFile(account))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for i, r := range change(parseLedger(t, string(text))) {
		if i > 0 {
			r.Prev = ledger.Hash([]byte(lines[i-1]))
		}
		lines = append(lines, string(r.Line()))
	}
	if err := os.WriteFile(p.ledgerFile(account), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// cut takes the last two rows away.
func cut(records []ledger.Record) []ledger.Record { return records[:len(records)-2] }

// enrich has the account opened with a thousand more.
func enrich(records []ledger.Record) []ledger.Record {
	for i := range records {
		for j, held := range records[i].Positions {
			if held.Symbol == ledger.Cash {
				records[i].Positions[j].Amount = held.Amount.Add(decimal.NewFromInt(1000))
			}
		}
	}
	return records
}

// intrude trades on an account through a server of its own, as a program beside the run can.
func (p *place) intrude(t testing.TB, account, date string) {
	t.Helper()
	p.do(t, "session", "set", "SIGNATURE="+account, "TODAY_DATE="+date, "--model-id", "intruder")
	p.trade(t, "intruder").filled(t, "buy", "SYN02", 1)
}

// usurp is intrude inside a run: the intruder claims the lease of the run on this machine's files, without which its order would
// be refused.
func (p *place) usurp(t testing.TB, account, date string) {
	t.Helper()
	lease, err := os.ReadFile(filepath.Join(p.logPath(), account, ".run.lease"))
	if err != nil {
		t.Error(err)
		return
	}
	claiming := *p
	number, _, _ := strings.Cut(string(lease), " ")
	claiming.env = append(slices.Clone(p.env), "MCP_TRADE_FENCE="+number)
	claiming.intrude(t, account, date)
}

// await waits until a file holds a text.
func (p *place) await(t testing.TB, path, want string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(2 * time.Millisecond) {
		if text, _ := os.ReadFile(path); strings.Contains(string(text), want) {
			return
		}
		if time.Now().After(end) {
			t.Errorf("%s does not come to hold %s", path, want)
			return
		}
	}
}

// oneBuy is a model that buys a share a day.
func oneBuy(r modeltest.Request) modeltest.Reply {
	if r.Turn == 0 {
		return modeltest.Do(modeltest.Order("buy", "SYN01", 1))
	}
	return modeltest.Say("Done. %s", llm.StopSignal)
}

func TestAForgedLedgerIsFoundByWhatItsRunsNoted(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	const half = "2025-01-03"
	for _, by := range []string{"a decider", "a model"} {
		model := modeltest.Start(t, oneBuy)
		run := func(p *place, to string) []string {
			if by == "a model" {
				return p.llm(t, llmRun{url: model.URL, from: "2025-01-01", to: to, cash: "100000", accounts: []string{"alice"}})
			}
			return runArgs(to, "alice=random:7")
		}
		for _, c := range []struct {
			name  string
			spoil func(*testing.T, *place)
			says  string
		}{
			{"the tail is cut off", func(t *testing.T, p *place) {
				p.do(t, run(p, fiveDays)...)
				p.forge(t, "alice", cut)
			}, "missing row"},
			{"the history is written anew", func(t *testing.T, p *place) {
				p.do(t, run(p, half)...)
				p.do(t, run(p, fiveDays)...)
				p.forge(t, "alice", enrich)
			}, "missing row"},
			{"the tail is cut off and grows again", func(t *testing.T, p *place) {
				p.do(t, run(p, fiveDays)...)
				p.forge(t, "alice", cut)
				p.intrude(t, "alice", fiveDays)
				p.intrude(t, "alice", fiveDays)
			}, "missing row"},
		} {
			t.Run(c.name+", "+by, func(t *testing.T) {
				p := onFiles(t)
				p.prices = synthetic
				c.spoil(t, p)
				for _, name := range []string{"alice", p.ledgerFile("alice")} {
					out := p.try(t, "ledger", "verify", name)
					if out.code != 1 || !strings.Contains(out.stdout, c.says) || !strings.Contains(out.stdout, manifest.File(p.logPath())) {
						t.Errorf("verify %s: exit %d, want %q and the manifest named\n%s", name, out.code, c.says, out.stdout)
					}
					if transcript := filepath.Join("alice", "log", fiveDays, "transcript.jsonl"); by == "a model" && c.says == "missing row" && !strings.Contains(out.stdout, transcript) {
						t.Errorf("verify %s does not name %s:\n%s", name, transcript, out.stdout)
					}
				}
				// Of the same file elsewhere nobody noted anything: it is as good as the arithmetic.
				text, err := os.ReadFile(p.ledgerFile("alice"))
				if err != nil {
					t.Fatal(err)
				}
				lone := filepath.Join(t.TempDir(), "lone.jsonl")
				if err := os.WriteFile(lone, text, 0o644); err != nil {
					t.Fatal(err)
				}
				if out := p.try(t, "ledger", "verify", lone); out.code != 0 {
					t.Errorf("the forgery shows without an anchor, so that the test proves nothing:\n%s", out.stdout)
				}
			})
		}
	}
}

func TestTradesByHandOutsideOfTheRunsAreToldAndNoFault(t *testing.T) {
	testenv.Slow(t)
	const half = "2025-01-03"
	for _, by := range []string{"a decider", "a model"} {
		t.Run(by, func(t *testing.T) {
			model := modeltest.Start(t, oneBuy)
			p := onFiles(t)
			p.prices = synthetic
			run := func(to string) []string {
				if by == "a model" {
					return p.llm(t, llmRun{url: model.URL, from: "2025-01-01", to: to, cash: "100000", accounts: []string{"alice"}})
				}
				return runArgs(to, "alice=random:7")
			}
			newest := func() int { return strings.Count(p.do(t, "ledger", "export", "alice"), "\n") - 1 }
			p.do(t, run(half)...)
			p.verified(t, "alice")
			between := newest() + 1
			p.intrude(t, "alice", half)
			out := p.try(t, run(fiveDays)...)
			first := fmt.Sprintf("rows %d to %d", between, between)
			if says := "the ledger of alice is partly verified: " + first + " were written outside of the recorded runs"; out.code != 0 || !strings.Contains(out.stderr, says) {
				t.Errorf("the run that goes on exits %d and says\n%s", out.code, out.stderr)
			}
			after := newest() + 1
			p.intrude(t, "alice", fiveDays)
			says := fmt.Sprintf("%s, %d to %d were written outside of the recorded runs", first, after, after)
			if out := p.try(t, "ledger", "verify", "alice"); out.code != 0 || !strings.Contains(out.stdout, ": partly verified\n  "+says+"\n") || strings.Contains(out.stdout, "expected") {
				t.Errorf("verify exits %d\n%s", out.code, out.stdout)
			}
			if out := p.do(t, "report", "alice"); !strings.Contains(out, "The ledger is partly verified: "+says+".") || !strings.Contains(out, "\n1  alice ") {
				t.Errorf("report:\n%s", out)
			}
			// What is known to have been written by hand is proved like everything else.
			p.forge(t, "alice", func(records []ledger.Record) []ledger.Record {
				records[between].Note = "another"
				return records
			})
			if out := p.try(t, "ledger", "verify", "alice"); out.code != 1 || !strings.Contains(out.stdout, "missing row") {
				t.Errorf("a forged trade: exit %d\n%s", out.code, out.stdout)
			}
		})
	}
}

func TestALedgerInRedisIsHeldAgainstTheManifestOfThisMachine(t *testing.T) {
	t.Parallel()
	p := onRedis(t)
	p.prices = synthetic
	p.do(t, runArgs(fiveDays, "alice=random:7")...)
	p.verified(t, "alice")
	rows := strings.SplitAfter(p.do(t, "ledger", "export", "alice"), "\n")
	file := filepath.Join(t.TempDir(), "cut.jsonl")
	if err := os.WriteFile(file, []byte(strings.Join(rows[:len(rows)-3], "")), 0o644); err != nil {
		t.Fatal(err)
	}
	redisDo(t, p.redisURL, "FLUSHALL")
	if out := p.try(t, "ledger", "import", "alice", file); out.code != 1 || !strings.Contains(out.stdout, "missing row") {
		t.Errorf("a ledger that its manifest speaks against is imported: exit %d\n%s", out.code, out.stdout)
	}
	p.do(t, "ledger", "import", "alice", file, "--unverified")
	if out := p.try(t, "ledger", "verify", "alice"); out.code != 1 || !strings.Contains(out.stdout, "missing row") || !strings.Contains(out.stdout, manifest.File(p.logPath())) {
		t.Errorf("exit %d\n%s", out.code, out.stdout)
	}
	// A ledger of the same name in files is another one.
	p.redisURL = ""
	p.do(t, "ledger", "register", "alice", "--date", "2025-01-01")
	p.verified(t, "alice")
}

func TestATradeThatNoTranscriptKnowsIsFound(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		if r.Date == firstDay && r.Turn == 1 {
			p.usurp(t, "alice", firstDay)
		}
		return oneBuy(r)
	})
	config := p.config(t, model, fiveDays, nil, "alice")
	if out := p.try(t, "run", config); out.code != 1 || !strings.Contains(out.stderr, "is not verified") {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	out := p.try(t, "ledger", "verify", "alice")
	if out.code != 1 || strings.Count(out.stdout, "foreign rows: expected") != 1 || !strings.Contains(out.stdout, "expected 1 trades at most between the begin of ") {
		t.Errorf("exit %d\n%s", out.code, out.stdout)
	}
}

func TestATradeOfSomebodyElseBetweenTwoDaysOfOneRunIsFound(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	// In lockstep the account of the decider waits for the model at the end of each day.
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		if r.Date == firstDay && r.Turn == 1 {
			p.await(t, filepath.Join(p.logPath(), "dice", "run.json"), `"date":"2025-01-03"`) // the checkpoint has left the first day
			p.usurp(t, "dice", firstDay)
		}
		return oneBuy(r)
	})
	config := p.config(t, model, fiveDays, nil, "alice")
	out := p.try(t, "run", config, "--lockstep", "--account", "dice=random:7")
	if out.code != 1 || !strings.Contains(out.stderr, "the ledger of dice is not verified") || !strings.Contains(out.stderr, "somebody else wrote to the ledger between two days") {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	if out := p.try(t, "ledger", "verify", "dice"); out.code != 1 || strings.Count(out.stdout, "foreign rows: expected no row between "+manifest.File(p.logPath())) != 1 {
		t.Errorf("exit %d\n%s", out.code, out.stdout)
	}
	p.verified(t, "alice")
}

func TestAHeadThatWasKeptFindsEveryForgery(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.prices = synthetic
	p.do(t, runArgs(fiveDays, "alice=random:7")...)
	kept := p.headOf(t, "alice")
	text, err := os.ReadFile(p.ledgerFile("alice"))
	if err != nil {
		t.Fatal(err)
	}
	whole := strings.Split(strings.TrimSpace(string(text)), "\n")
	// The manifest is gone: nothing but the hash speaks.
	if err := os.Remove(manifest.File(p.logPath())); err != nil {
		t.Fatal(err)
	}
	verify := func(head string) (out output, given struct {
		Hash  string
		Row   *int
		After int
	}) {
		out = p.try(t, "ledger", "verify", "alice", "--head", head, "--json")
		var reports []struct{ Given any }
		if json.Unmarshal([]byte(out.stdout), &reports) == nil && len(reports) == 1 {
			text, _ := json.Marshal(reports[0].Given)
			_ = json.Unmarshal(text, &given)
		}
		return out, given
	}
	if out, given := verify(strings.ToUpper(kept)); out.code != 0 || given.Row == nil || *given.Row != len(whole)-1 || given.After != 0 {
		t.Errorf("the head: exit %d\n%s", out.code, out.stdout)
	}
	if out, given := verify(ledger.Hash([]byte(whole[2]))); out.code != 0 || given.Row == nil || *given.Row != 2 || given.After != len(whole)-3 {
		t.Errorf("an earlier row: exit %d\n%s", out.code, out.stdout)
	}
	if out := p.try(t, "ledger", "verify", "alice", "--head", ledger.Hash([]byte(whole[2]))); !strings.Contains(out.stdout, fmt.Sprintf("the ledger has grown since, %d rows after it", len(whole)-3)) {
		t.Errorf("an earlier row:\n%s", out.stdout)
	}
	for name, change := range map[string]func([]ledger.Record) []ledger.Record{"cut": cut, "written anew": enrich} {
		p.forge(t, "alice", change)
		if out := p.try(t, "ledger", "verify", "alice"); out.code != 0 {
			t.Errorf("%s: it shows without a head, so that the test proves nothing:\n%s", name, out.stdout)
		}
		if out, given := verify(kept); out.code != 1 || given.Row != nil || !strings.Contains(out.stdout, "the row with the hash "+kept+", which stands in --head") {
			t.Errorf("%s: exit %d\n%s", name, out.code, out.stdout)
		}
		if err := os.WriteFile(p.ledgerFile("alice"), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, part := range []string{kept[:12], kept + "00", strings.Repeat("x", 64), "-"} {
		if out := p.try(t, "ledger", "verify", "alice", "--head", part); out.code != 2 || !strings.Contains(out.stderr, "64 hexadecimal digits") {
			t.Errorf("--head %s: exit %d\n%s", part, out.code, out.stderr)
		}
	}
	p.do(t, "ledger", "register", "bob", "--date", "2025-01-01")
	if out := p.try(t, "ledger", "verify", "--head", kept); out.code != 2 || !strings.Contains(out.stderr, "name one") {
		t.Errorf("--head of two ledgers: exit %d\n%s", out.code, out.stderr)
	}
}

func TestTheHeadIsToldByEveryCommandThatShowsALedger(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		p.prices = synthetic
		opened := p.do(t, "ledger", "register", "bob", "--date", "2025-01-01")
		if !strings.Contains(opened, "head "+p.headOf(t, "bob")) {
			t.Errorf("register:\n%s", opened)
		}
		said := p.do(t, runArgs(fiveDays, "alice=random:7")...)
		head := p.headOf(t, "alice")
		for name, text := range map[string]string{
			"run": said, "show": p.do(t, "ledger", "show", "alice"), "verify": p.do(t, "ledger", "verify", "alice"),
		} {
			if !strings.Contains(text, head) {
				t.Errorf("%s does not tell the head %s:\n%s", name, head, text)
			}
		}
		for name, text := range map[string]string{
			"run": p.do(t, append(runArgs(fiveDays, "alice=random:7"), "--json")...), "show": p.do(t, "ledger", "show", "alice", "--json"),
			"verify": p.do(t, "ledger", "verify", "alice", "--json"),
		} {
			if !strings.Contains(text, `"head": "`+head+`"`) {
				t.Errorf("%s --json does not tell the head %s:\n%s", name, head, text)
			}
		}
		if text := p.do(t, "ledger", "register", "carol", "--date", "2025-01-01", "--json"); !strings.Contains(text, `"head": "`+p.headOf(t, "carol")+`"`) {
			t.Errorf("register --json:\n%s", text)
		}
	})
}

func TestTheManifestOfARunThatIsKilledGetsItsEndWhenItIsResumed(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	const held = "2025-01-06"
	for _, how := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT} {
		t.Run(how.String(), func(t *testing.T) {
			p := onFiles(t)
			config, _ := p.endedWhileAsked(t, oneBuy, held, 1, how)
			run := p.manifest(t).Accounts["alice"][0]
			if len(run.Ledger) != 1 || run.Ledger[0].Before != nil || (run.Ledger[0].After == nil) != (how == syscall.SIGKILL) {
				t.Errorf("after %v: %+v", how, run.Ledger)
			}
			if after := run.Ledger[0].After; after != nil && (after.Hash != p.headOf(t, "alice") || string(after.Date) != held) {
				t.Errorf("after %v the head is %+v", how, after)
			}
			p.do(t, "run", config)
			runs := p.manifest(t).Accounts["alice"]
			if len(runs) != 1 || runs[0].Resumed == nil || len(runs[0].Ledger) != 1 || runs[0].Ledger[0].Before != nil {
				t.Fatalf("resumed: %+v", runs)
			}
			if after := runs[0].Ledger[0].After; after == nil || after.Hash != p.headOf(t, "alice") || string(after.Date) != fiveDays {
				t.Errorf("resumed, the head is %+v", after)
			}
			p.verified(t, "alice")
		})
	}
}

func TestARunUnderOtherSettingsIsToldAndNoted(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.prices = synthetic
	p.do(t, runArgs("2025-01-03", "mix=momentum:3")...)
	middle := p.headOf(t, "mix")
	args := runArgs(fiveDays, "mix=random:7")
	args[slices.Index(args, "100000")] = "77"
	out := p.try(t, append(args, "--change-settings")...)
	if out.code != 0 || !strings.Contains(out.stderr, "it was opened with 100,000.00 of cash, and not with 77.00; decider was momentum:3, and is random:7") {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	runs := p.manifest(t).Accounts["mix"]
	if len(runs) != 2 || runs[0].Decider != "momentum:3" || runs[1].Decider != "random:7" || runs[0].Ledger[0].After.Hash != middle || runs[1].Ledger[0].Before.Hash != middle {
		t.Errorf("%+v", runs)
	}
	p.verified(t, "mix")
}

func TestAnAccountThatIsOpenedAnewIsNotHeldAgainstItsFormerLedger(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.prices = synthetic
	p.do(t, runArgs(fiveDays, "alice=random:7")...)
	if err := os.RemoveAll(filepath.Join(p.logPath(), "alice")); err != nil {
		t.Fatal(err)
	}
	p.do(t, runArgs(fiveDays, "alice=random:8")...)
	if n := len(p.manifest(t).Accounts["alice"]); n != 2 {
		t.Errorf("%d runs in the manifest, want the former one as well", n)
	}
	p.verified(t, "alice")
}
