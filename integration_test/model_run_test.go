// Runs of language models side by side, and what ends them.

package integration_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/agent/transcript"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
)

func TestAnInterruptedRunOfModelsExits130AndIsResumed(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	const held = "2025-01-06"
	p := onFiles(t)
	config, code := p.endedWhileAsked(t, normalDay, held, 2, os.Interrupt)
	if code != 130 {
		t.Errorf("exit %d", code)
	}
	p.do(t, "run", config)
	undisturbed := onFiles(t)
	undisturbed.do(t, "run", undisturbed.config(t, modeltest.Start(t, normalDay), fiveDays, nil, "alice"))
	if p.books(t, "alice") != undisturbed.books(t, "alice") {
		t.Error("the ledger differs from that of an undisturbed run")
	}
	if n := len(results(p.transcript(t, "alice", held))); n != 4 {
		t.Errorf("%d results on the day of the interruption, want 4", n)
	}
}

// endedWhileAsked starts a run of alice over five days and ends it by a signal while the model is in a turn of a date, which it
// does not end before the run is over. It returns the configuration, with which the run can go on, and the exit code.
func (p *place) endedWhileAsked(t *testing.T, script modeltest.Script, date string, turn int, by os.Signal) (config string, code int) {
	t.Helper()
	free, asked := make(chan struct{}), make(chan struct{}, 10)
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		if r.Date == date && r.Turn == turn {
			asked <- struct{}{}
			<-free
		}
		return script(r)
	})
	config = p.config(t, model, fiveDays, nil, "alice")
	cmd := p.command("run", config)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	if err := cmd.Process.Signal(by); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	close(free)
	p.childless(t)
	return config, cmd.ProcessState.ExitCode()
}

func TestInLockstepAllModelsAreAtTheSameDate(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	type turn struct{ model, date string }
	turns := make(chan turn, 1000)
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		turns <- turn{r.Model, r.Date}
		return normalDay(r)
	})
	p := onFiles(t)
	p.do(t, "run", p.config(t, model, fiveDays, nil, "alice", "bob", "carol"), "--lockstep", "--parallel", "2")
	close(turns)
	date, count := "", 0
	for turn := range turns {
		if turn.date < date {
			t.Fatalf("%s is at %s after another was at %s", turn.model, turn.date, date)
		}
		date = turn.date
		count++
	}
	if count != 3*5*4 {
		t.Errorf("%d turns, want 4 on each of 5 days of 3 models", count)
	}
}

func TestOneFailingModelDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		if r.Model == "scripted/bob" && r.Date > firstDay {
			return modeltest.Fail(401, "")
		}
		return normalDay(r)
	})
	p := onFiles(t)
	out := p.try(t, "run", p.config(t, model, fiveDays, nil, "alice", "bob", "carol"), "--account", "benchmark=equal-weight")
	if out.code != 1 || !strings.Contains(out.stderr, "account bob stopped: 2025-01-03: ") || !strings.Contains(out.stderr, "the same command goes on") {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	for _, a := range []string{"alice", "carol"} {
		if p.ending(t, a, fiveDays).Reason != transcript.EndFinished {
			t.Errorf("%s did not come to the end", a)
		}
	}
	if n := len(p.records(t, "bob")); n != 4 {
		t.Errorf("bob has %d records, want those of his first day", n)
	}
}

func TestAFurtherServerServesARunAndSeesNoKey(t *testing.T) {
	t.Parallel()
	// The further server is the program itself, on another account.
	p := onFiles(t)
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		if r.Turn == 0 {
			return modeltest.Do(modeltest.To("desk_get_session", nil), modeltest.Order("desk_buy", "SYN01", 1), modeltest.Order("buy", "SYN02", 1))
		}
		return modeltest.Say(llm.StopSignal)
	})
	other := onFiles(t)
	other.prices = synthetic
	other.open(t, "other", "100000", firstDay)
	config := p.config(t, model, firstDay, nil, "alice")
	p.amend(t, config, "mcp_servers", object{"desk": object{
		"command": binary, "args": []string{"stdio"},
		"env": object{"MCP_TRADE_DATA_DIR": other.dir, "MCP_TRADE_PRICES": synthetic, "CURRENT_MODEL_ID": "${OTHER_MODEL}"},
	}})
	p.env = append(p.env, "OTHER_MODEL=other")
	out := p.try(t, "run", config, "--trust-config")
	if out.code != 0 {
		t.Fatalf("exit %d\n%s", out.code, out.stderr)
	}
	all := results(p.transcript(t, "alice", firstDay))
	if len(all) != 3 || all[0].Failed || all[1].Failed || all[1].OrderID != "" || !all[2].Filled {
		t.Fatalf("the calls came to %+v", all)
	}
	if r := other.records(t, "other"); len(r) != 2 || r[1].Symbol != "SYN01" {
		t.Errorf("the other account has %d records", len(r))
	}
	if r := p.records(t, "alice"); len(r) != 2 || r[1].Symbol != "SYN02" {
		t.Errorf("alice has %d records", len(r))
	}
	p.childless(t)
	other.childless(t)

	// One that does not start is named before the day begins.
	broken := onFiles(t)
	config = broken.config(t, model, firstDay, nil, "alice")
	broken.amend(t, config, "mcp_servers", object{"gone": object{"command": "/no/such/server"}})
	asked := model.Asked()
	out = broken.try(t, "run", config, "--trust-config")
	if out.code != 1 || !strings.Contains(out.stderr, "the MCP server gone (mcp_servers) does not start") || model.Asked() != asked {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
}

func TestAHaltEndsTheDayOfAModelAndTheRunGoesOnOnceItIsCleared(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		const halted = "2025-01-03"
		var once sync.Once
		model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
			if r.Date == halted && r.Turn == 1 {
				once.Do(func() {
					if out := p.try(t, "session", "set", "HALT=true", "--model-id", "*"); out.code != 0 {
						t.Error(out.stderr)
					}
				})
			}
			return normalDay(r)
		})
		config := p.config(t, model, fiveDays, nil, "alice")
		out := p.try(t, "run", config)
		if out.code != 1 || !strings.Contains(out.stderr, "account alice stopped: 2025-01-03: trading is halted") {
			t.Fatalf("exit %d\n%s", out.code, out.stderr)
		}
		if end := p.ending(t, "alice", halted); end.Reason != transcript.EndHalted {
			t.Errorf("the day ended as %s", end.Reason)
		}
		before := p.records(t, "alice")
		if last := before[len(before)-1]; string(last.Date) != halted || last.Action != ledger.NoTrade {
			t.Errorf("the last record is %+v", last)
		}
		p.do(t, "session", "clear", "HALT", "--model-id", "*")
		p.do(t, "run", config)
		if got := p.records(t, "alice"); len(got) != len(before)+3*3 {
			t.Errorf("%d records, want those of 3 more days after %d", len(got), len(before))
		}
		p.verified(t, "alice")
	})
}

func TestAConfigurationOfAITraderRunsAsItIs(t *testing.T) {
	t.Parallel()
	data := testenv.TestData(t)
	p := onFiles(t)
	p.prices = filepath.Join(data, "us_daily", "merged.jsonl")
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		if r.Model != "openai/gpt-4o" || r.Turn > 0 {
			return modeltest.Say(llm.StopSignal)
		}
		return modeltest.Do(modeltest.Order("buy", "NVDA", 1))
	})
	p.env = []string{"OPENAI_API_KEY=" + modelKey, "OPENAI_API_BASE=" + model.URL}
	p.do(t, "run", filepath.Join(data, "ai_trader_config.json"))
	// Its one enabled model, opened on the 15th, traded on the 16th and 17th, where its log_path says.
	out := p.do(t, "ledger", "export", "gpt-4o", "--log-path", filepath.Join(p.dir, "data", "agent_data"))
	records := parseLedger(t, out)
	if len(records) != 3 || records[0].Date != "2025-10-15" || records[1].Date != "2025-10-16" || records[2].Date != "2025-10-17" || records[2].Symbol != "NVDA" {
		t.Errorf("the ledger:\n%s", out)
	}
	if entries, err := os.ReadDir(filepath.Join(p.dir, "data", "agent_data")); err != nil || len(entries) == 0 {
		t.Errorf("the log path of the configuration: %v, %v", entries, err)
	}
	// The environment comes before the file.
	p.env = append(p.env, "INIT_DATE=2025-10-20", "END_DATE=2025-10-21", "LOG_PATH="+filepath.Join(p.dir, "elsewhere"))
	p.do(t, "run", filepath.Join(data, "ai_trader_config.json"))
	if records := parseLedger(t, p.do(t, "ledger", "export", "gpt-4o")); len(records) != 2 || records[1].Date != "2025-10-21" {
		t.Errorf("by the environment: %v", records)
	}
}
