// The session in two homes, with a real Redis that is stopped, hangs, is full, flushed, evicts or comes back empty, and with
// ledgers in either engine.

package integration_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
)

// outage is a way for a Redis to be of no use, and its end.
type outage struct {
	name       string
	begin, end func(t *testing.T, r *testenv.Redis)
	reads      bool // it can be read all the same
}

var (
	stopped = outage{"stopped", func(_ *testing.T, r *testenv.Redis) { r.Kill() }, func(t *testing.T, r *testenv.Redis) { r.Start(t) }, false}
	hung    = outage{"hung", func(t *testing.T, r *testenv.Redis) { r.Hang(t) }, func(t *testing.T, r *testenv.Redis) { r.Wake(t) }, false}
	full    = outage{"full", setMemory("1"), setMemory("0"), true}
)

// parallel has the test of an outage run beside others. Each call waits for three seconds for a Redis that hangs.
func (o outage) parallel(t *testing.T) {
	if o.name == hung.name {
		testenv.Slow(t)
	}
	t.Parallel()
}

func setMemory(bytes string) func(t *testing.T, r *testenv.Redis) {
	return func(t *testing.T, r *testenv.Redis) {
		redisDo(t, "redis://"+r.Addr, "CONFIG", "SET", "maxmemory", bytes)
	}
}

// onRedisWith is a place with a Redis that can be broken, and with ledgers in an engine.
func onRedisWith(t *testing.T, ledgers string, args ...string) (*place, *testenv.Redis) {
	r := testenv.NewRedis(t, args...)
	p := onFiles(t)
	p.redisURL = "redis://" + r.Addr
	p.env = append(p.env, "MCP_TRADE_LEDGER="+ledgers)
	return p, r
}

// kept are the arguments of a Redis that is the same after it was stopped.
var kept = []string{"--appendonly", "yes", "--appendfsync", "always"}

// inEveryOutage runs a test with ledgers in each engine, and with each outage.
func inEveryOutage(t *testing.T, outages []outage, test func(t *testing.T, p *place, r *testenv.Redis, o outage, ledgers string)) {
	for _, ledgers := range []string{"file", "redis"} {
		for _, o := range outages {
			t.Run(fmt.Sprintf("%s, ledgers in %s", o.name, ledgers), func(t *testing.T) {
				o.parallel(t)
				p, r := onRedisWith(t, ledgers, kept...)
				test(t, p, r, o, ledgers)
			})
		}
	}
}

// inFile returns what a session file holds, nil if there is none.
func (p *place) inFile(t *testing.T, model string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(p.sessionFile(model))
	if os.IsNotExist(err) {
		return nil
	}
	var values map[string]any
	if err == nil {
		err = json.Unmarshal(text, &values)
	}
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// inRedis returns a value in Redis as it is stored, "" if it is not set.
func (p *place) inRedis(t *testing.T, model, name string) string {
	t.Helper()
	text := fmt.Sprint(redisDo(t, p.redisURL, "MGET", "config:"+model+":"+name))
	return strings.TrimSuffix(strings.TrimPrefix(strings.ReplaceAll(text, "<nil>", ""), "["), "]")
}

// otherMachine is a place with the same Redis and other files.
func (p *place) otherMachine(t *testing.T) *place {
	other := *p
	other.dir = t.TempDir()
	return &other
}

// filledOn buys a share and fails the test unless it is filled on the date.
func (tr *trader) filledOn(t *testing.T, date string) {
	t.Helper()
	if r := tr.filled(t, "buy", "MSFT", 1); r.str("date") != date {
		t.Fatalf("it is filled on %s, want %s", r.str("date"), date)
	}
}

func TestSession_AWriteThatMissedRedisComesBeforeTheOlderOne(t *testing.T) {
	t.Parallel()
	inEveryOutage(t, []outage{stopped, hung, full}, func(t *testing.T, p *place, r *testenv.Redis, o outage, ledgers string) {
		p.open(t, "alice", "10000", "2025-10-02")
		tr := p.trade(t, "alice")
		tr.filledOn(t, "2025-10-02")

		o.begin(t, r)
		out := p.try(t, "session", "set", "TODAY_DATE=2025-10-03", "IF_TRADE=false", "--model-id", "alice", "--json")
		if out.code != 0 || !strings.Contains(out.stderr, "written to its file only") || !strings.Contains(out.stdout, `"written": [
    "file"
  ]`) {
			t.Errorf("exit %d\n%s%s", out.code, out.stdout, out.stderr)
		}
		if p.inFile(t, "alice")["mcp_trade"] == nil {
			t.Errorf("nothing in the file says that Redis missed it: %v", p.inFile(t, "alice"))
		}
		if ledgers == "file" {
			tr.filledOn(t, "2025-10-03")
			p.trade(t, "alice").filledOn(t, "2025-10-03")
		} else {
			tr.refused(t, "ledger_unreachable", "buy", args{"symbol": "MSFT", "amount": 1})
		}

		o.end(t, r)
		tr.filledOn(t, "2025-10-03")
		if got := p.do(t, "session", "get", "TODAY_DATE", "--model-id", "alice", "--json"); !strings.Contains(got, "2025-10-03") || !strings.Contains(got, "redis") {
			t.Errorf("the date is %s", got)
		}
		if got := p.inRedis(t, "alice", "TODAY_DATE"); got != `"2025-10-03"` {
			t.Errorf("Redis holds %s", got)
		}
		if ttl := redisDo(t, p.redisURL, "TTL", "config:alice:TODAY_DATE").(int64); ttl < 3500 {
			t.Errorf("it lives there for %d s", ttl)
		}
		if notes := p.inFile(t, "alice")["mcp_trade"]; notes != nil {
			t.Errorf("the file still says %v", notes)
		}
		p.verified(t, "alice")
	})
}

// The next process after the outage is one that nobody told anything: the command itself.
func TestSession_WhatMissedRedisIsFoundByAnyCommand(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	p, r := onRedisWith(t, "file")
	p.setDate(t, "alice", "2025-10-02")
	r.Hang(t)
	p.do(t, "session", "set", "TODAY_DATE=2025-10-03", "--model-id", "alice")
	p.do(t, "session", "set", "SIGNATURE=bob", "--model-id", "alice")
	r.Wake(t)
	for name, want := range map[string]string{"TODAY_DATE": "2025-10-03\n", "SIGNATURE": "bob\n"} {
		if got := p.do(t, "session", "get", name, "--model-id", "alice"); got != want {
			t.Errorf("%s is %s", name, got)
		}
		if got := p.inRedis(t, "alice", name); got != `"`+strings.TrimSpace(want)+`"` {
			t.Errorf("%s in Redis is %s", name, got)
		}
	}
}

func TestSession_WhatSomebodyElseSetInRedisMeanwhileIsNotOverwritten(t *testing.T) {
	t.Parallel()
	p, r := onRedisWith(t, "file", kept...)
	p.open(t, "alice", "10000", "2025-10-02")
	tr := p.trade(t, "alice")
	tr.filledOn(t, "2025-10-02")
	r.Kill()
	p.do(t, "session", "set", "TODAY_DATE=2025-10-03", "--model-id", "alice")
	r.Start(t)
	redisDo(t, p.redisURL, "SET", "config:alice:TODAY_DATE", "2025-10-06")
	for _, tool := range []string{"buy", "get_portfolio", "buy"} {
		r := tr.refused(t, "session_unreachable", tool, map[string]args{"buy": {"symbol": "MSFT", "amount": 1}}[tool])
		if !strings.Contains(r.str("error"), "2025-10-06") || !strings.Contains(r.str("error"), "2025-10-03") {
			t.Errorf("%s", r.text)
		}
	}
	if out := p.try(t, "session", "get", "TODAY_DATE", "--model-id", "alice"); out.code != 1 || !strings.Contains(out.stderr, "session set") {
		t.Errorf("exit %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	if got := p.inRedis(t, "alice", "TODAY_DATE"); got != "2025-10-06" {
		t.Errorf("Redis holds %s", got)
	}
	p.do(t, "session", "set", "TODAY_DATE=2025-10-06", "--model-id", "alice")
	tr.filledOn(t, "2025-10-06")
}

// Other programs write the file without notes, and keep those that are there.
func TestSession_AFileThatAnotherProgramWroteNeverComesBeforeRedis(t *testing.T) {
	t.Parallel()
	p, r := onRedisWith(t, "file", kept...)
	p.open(t, "alice", "10000", "2025-10-02")
	rewrite := func(date string) {
		t.Helper()
		values := p.inFile(t, "alice")
		values["TODAY_DATE"] = date
		text, _ := json.MarshalIndent(values, "", "    ")
		if err := os.WriteFile(p.sessionFile("alice"), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rewrite("2025-10-06")
	tr := p.trade(t, "alice")
	tr.filledOn(t, "2025-10-02")
	r.Kill()
	p.do(t, "session", "set", "TODAY_DATE=2025-10-03", "--model-id", "alice")
	rewrite("2025-10-07")
	r.Start(t)
	tr.filledOn(t, "2025-10-02")
}

func TestSession_WithoutRedisEveryProcessGoesOnWithTheFileAtOnce(t *testing.T) {
	t.Parallel()
	inEveryOutage(t, []outage{stopped, hung}, func(t *testing.T, p *place, r *testenv.Redis, o outage, ledgers string) {
		p.open(t, "alice", "10000", "2025-10-02")
		ordered, looked := p.trade(t, "alice"), p.trade(t, "alice")
		ordered.filledOn(t, "2025-10-02")
		looked.call(t, "get_portfolio", nil)
		outages := 2
		if o.name == hung.name {
			outages = 1 // each call waits for three seconds
		}
		for n := range outages {
			o.begin(t, r)
			if s := looked.call(t, "get_session", nil); s.failed || !strings.Contains(s.text, `"TODAY_DATE":"file"`) || strings.Contains(s.text, `"redis"`) && ledgers == "file" {
				t.Errorf("%s", s.text)
			}
			for _, tr := range []*trader{ordered, looked, p.trade(t, "alice")} {
				if ledgers == "file" {
					tr.filledOn(t, "2025-10-02")
				} else {
					tr.refused(t, "ledger_unreachable", "buy", args{"symbol": "MSFT", "amount": 1})
				}
			}
			for _, tr := range []*trader{ordered, looked} {
				if tr == ordered && ledgers == "redis" {
					continue // its orders found the ledger gone, and that is what they say
				}
				tr.told(t, "the session is read from its file", n+1)
			}
			o.end(t, r)
			for _, tr := range []*trader{ordered, looked} {
				tr.filledOn(t, "2025-10-02")
				if s := tr.call(t, "get_session", nil); !strings.Contains(s.text, `"TODAY_DATE":"redis"`) {
					t.Errorf("%s", s.text)
				}
			}
		}
		p.verified(t, "alice")
	})
}

var (
	flushed = outage{"flushed", func(t *testing.T, r *testenv.Redis) { redisDo(t, "redis://"+r.Addr, "FLUSHALL") }, nil, true}
	expired = outage{"expired", func(t *testing.T, r *testenv.Redis) {
		for _, name := range []string{"SIGNATURE", "TODAY_DATE"} { // IF_TRADE may live longer
			redisDo(t, "redis://"+r.Addr, "DEL", "config:alice:"+name)
		}
	}, nil, true}
	evicted = outage{"evicted", func(t *testing.T, r *testenv.Redis) {
		url := "redis://" + r.Addr
		redisDo(t, url, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
		redisDo(t, url, "CONFIG", "SET", "maxmemory", "1500000")
		for i := 0; fmt.Sprint(redisDo(t, url, "EXISTS", "config:alice:SIGNATURE", "config:alice:TODAY_DATE")) != "0"; i++ {
			redisDo(t, url, "SET", fmt.Sprint("junk", i), strings.Repeat("x", 20000))
		}
		redisDo(t, url, "CONFIG", "SET", "maxmemory", "0") // what is set from now on stays
	}, nil, true}
	restarted = outage{"restarted and empty", func(t *testing.T, r *testenv.Redis) { r.Kill(); r.Start(t) }, nil, true}
)

// withFileLedgers runs a test with ledgers in files and a Redis that keeps nothing, for each outage.
func withFileLedgers(t *testing.T, outages []outage, test func(t *testing.T, p *place, r *testenv.Redis, o outage)) {
	for _, o := range outages {
		t.Run(o.name, func(t *testing.T) {
			o.parallel(t)
			p, r := onRedisWith(t, "file")
			test(t, p, r, o)
		})
	}
}

// The file of this machine has another account, or the day before, while Redis was set by somebody else.
func TestSession_AProcessNeverGoesOnWithAnotherAccountOrAnEarlierDate(t *testing.T) {
	t.Parallel()
	withFileLedgers(t, []outage{stopped, hung, flushed, expired, evicted, restarted}, func(t *testing.T, p *place, r *testenv.Redis, o outage) {
		for _, account := range []string{"alice", "old"} {
			p.do(t, "ledger", "register", account, "--cash", "10000", "--date", "2025-10-01")
		}
		files := []string{"SIGNATURE=old TODAY_DATE=2025-10-03", "SIGNATURE=alice TODAY_DATE=2025-10-02"}
		if o.name == hung.name {
			files = files[:1] // each call waits for three seconds
		}
		for _, file := range files {
			p.do(t, append([]string{"session", "set", "--model-id", "alice"}, strings.Fields(file)...)...)
			p.otherMachine(t).do(t, "session", "set", "SIGNATURE=alice", "TODAY_DATE=2025-10-03", "IF_TRADE=false", "--model-id", "alice")
			ordered, looked := p.trade(t, "alice"), p.trade(t, "alice")
			ordered.filledOn(t, "2025-10-03")
			if s := looked.call(t, "get_session", nil); s.str("signature") != "alice" || s.str("today_date") != "2025-10-03" {
				t.Fatalf("%s", s.text)
			}
			o.begin(t, r)
			order := args{"symbol": "MSFT", "amount": 1}
			for _, call := range []struct {
				tr   *trader
				tool string
				args args
			}{
				{ordered, "buy", order}, {ordered, "get_portfolio", nil}, {ordered, "buy", order}, {looked, "get_trades", nil}, {looked, "buy", order},
			} {
				call.tr.refused(t, "session_unreachable", call.tool, call.args)
			}
			if n := len(p.records(t, "old")); n != 1 {
				t.Fatalf("the old account has %d records", n)
			}
			if o.end != nil {
				o.end(t, r)
			}
			p.otherMachine(t).do(t, "session", "set", "SIGNATURE=alice", "TODAY_DATE=2025-10-03", "--model-id", "alice")
			ordered.filledOn(t, "2025-10-03")
			looked.filledOn(t, "2025-10-03")
		}
	})
}

func TestSession_ARedisThatLostTheSessionLeavesItToTheFile(t *testing.T) {
	t.Parallel()
	withFileLedgers(t, []outage{flushed, expired, evicted, restarted}, func(t *testing.T, p *place, r *testenv.Redis, o outage) {
		p.open(t, "alice", "10000", "2025-10-02")
		tr := p.trade(t, "alice")
		tr.filledOn(t, "2025-10-02")
		o.begin(t, r)
		tr.filledOn(t, "2025-10-02")
		tr.filledOn(t, "2025-10-02")
		tr.told(t, "Redis holds nothing of the session", 1)
		// A session that comes to Redis counts from the next commit on.
		redisDo(t, p.redisURL, "MSET", "config:alice:SIGNATURE", "alice", "config:alice:TODAY_DATE", "2025-10-03")
		tr.filledOn(t, "2025-10-03")
	})
}

func TestSession_ARedisThatAnswersMayGoBackAndChangeTheAccount(t *testing.T) {
	t.Parallel()
	for _, ledgers := range []string{"file", "redis"} {
		p, _ := onRedisWith(t, ledgers)
		p.open(t, "alice", "10000", "2025-10-03")
		p.do(t, "ledger", "register", "bob", "--cash", "10000", "--date", "2025-10-01")
		tr := p.trade(t, "alice")
		tr.filledOn(t, "2025-10-03")
		p.otherMachine(t).do(t, "session", "set", "SIGNATURE=bob", "TODAY_DATE=2025-10-01", "--model-id", "alice")
		tr.filledOn(t, "2025-10-01")
		if n := len(p.records(t, "bob")); n != 2 {
			t.Errorf("ledgers in %s: bob has %d records", ledgers, n)
		}
	}
}

// A halt that came from another machine is in this one's file by the time Redis is gone.
func TestSession_AHaltThatWasReadHolds(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	for _, whose := range []string{"alice", "*"} {
		t.Run("of "+whose, func(t *testing.T) {
			withFileLedgers(t, []outage{stopped, hung, flushed, restarted}, func(t *testing.T, p *place, r *testenv.Redis, o outage) {
				p.open(t, "alice", "10000", "2025-10-02")
				order := args{"symbol": "MSFT", "amount": 1}
				tr, elsewhere := p.trade(t, "alice"), p.otherMachine(t)
				tr.filledOn(t, "2025-10-02")
				elsewhere.do(t, "session", "set", "HALT=true", "--model-id", whose)
				tr.refused(t, "halted", "buy", order)
				o.begin(t, r)
				tr.call(t, "get_portfolio", nil)
				tr.refused(t, "halted", "buy", order)
				p.trade(t, "alice").refused(t, "halted", "buy", order)
				if out := p.try(t, "session", "clear", "HALT", "--model-id", whose); o.end != nil && out.code != 1 {
					t.Errorf("exit %d\n%s%s", out.code, out.stdout, out.stderr)
				} else if o.end != nil {
					tr.refused(t, "halted", "buy", order) // it could not be cleared where it stands
					o.end(t, r)
				}
				elsewhere.setDate(t, "alice", "2025-10-03")
				elsewhere.do(t, "session", "clear", "HALT", "--model-id", whose)
				tr.filledOn(t, "2025-10-03")
				for _, model := range []string{"alice", "@all"} {
					if values := p.inFile(t, model); values["HALT"] != nil || values["mcp_trade"] != nil {
						t.Errorf("the file of %s is left with %v", model, values)
					}
				}
			})
		})
	}
}

func TestSession_AHaltThatMissedRedisComesToHoldThere(t *testing.T) {
	t.Parallel()
	for _, whose := range []string{"alice", "*"} {
		p, r := onRedisWith(t, "file", kept...)
		p.open(t, "alice", "10000", "2025-10-02")
		order := args{"symbol": "MSFT", "amount": 1}
		tr, elsewhere := p.trade(t, "alice"), p.otherMachine(t)
		tr.filledOn(t, "2025-10-02")
		r.Kill()
		if out := p.try(t, "session", "set", "HALT=true", "--model-id", whose); out.code != 1 || !strings.Contains(out.stderr, "only the file of this machine") {
			t.Errorf("exit %d\n%s%s", out.code, out.stdout, out.stderr)
		}
		tr.refused(t, "halted", "buy", order)
		r.Start(t)
		tr.refused(t, "halted", "buy", order)
		if got := p.inRedis(t, whose, "HALT"); got != "true" {
			t.Errorf("HALT of %s in Redis is %q", whose, got)
		}
		elsewhere.do(t, "session", "clear", "HALT", "--model-id", whose)
		tr.filledOn(t, "2025-10-02")
	}
}

// A halt in the file alone, as a program that knows no Redis sets it, is in the commit too.
func TestSession_AHaltOfTheFileHoldsBesideRedis(t *testing.T) {
	t.Parallel()
	for _, ledgers := range []string{"file", "redis"} {
		for _, whose := range []string{"alice", "*"} {
			p, _ := onRedisWith(t, ledgers)
			p.open(t, "alice", "10000", "2025-10-02")
			tr := p.trade(t, "alice")
			tr.filledOn(t, "2025-10-02")
			alone := *p
			alone.redisURL = ""
			alone.env = nil
			alone.do(t, "session", "set", "HALT=true", "--model-id", whose)
			tr.refused(t, "halted", "buy", args{"symbol": "MSFT", "amount": 1})
			alone.do(t, "session", "clear", "HALT", "--model-id", whose)
			p.do(t, "session", "clear", "HALT", "--model-id", whose)
			tr.filledOn(t, "2025-10-02")
		}
	}
}

func TestSession_OnRedisLossRefuse(t *testing.T) {
	t.Parallel()
	for _, o := range []outage{stopped, hung} {
		t.Run(o.name, func(t *testing.T) {
			o.parallel(t)
			p, r := onRedisWith(t, "file", kept...)
			p.env = append(p.env, "MCP_TRADE_ON_REDIS_LOSS=refuse")
			p.open(t, "alice", "10000", "2025-10-02")
			order := args{"symbol": "MSFT", "amount": 1}
			tr := p.trade(t, "alice")
			tr.filledOn(t, "2025-10-02")
			o.begin(t, r)
			tr.refused(t, "session_unreachable", "buy", order)
			if s := tr.call(t, "get_portfolio", nil); s.failed {
				t.Errorf("%s", s.text)
			}
			tr.refused(t, "session_unreachable", "sell", args{"symbol": "MSFT", "amount": 1, "dry_run": true})
			p.trade(t, "alice").refused(t, "session_unreachable", "buy", order)
			if n := len(p.accountRows(t, "alice")); n != 2 {
				t.Errorf("the ledger has %d rows", n)
			}
			o.end(t, r)
			tr.filledOn(t, "2025-10-02")
		})
	}
	p := onFiles(t)
	p.env = append(p.env, "MCP_TRADE_ON_REDIS_LOSS=refuse")
	if out := p.try(t, "stdio"); out.code != 2 || !strings.Contains(out.stderr, "none is configured") {
		t.Errorf("without a Redis: exit %d\n%s", out.code, out.stderr)
	}
	if out := p.try(t, "stdio", "--on-redis-loss", "trade"); out.code != 2 || !strings.Contains(out.stderr, "use file or refuse") {
		t.Errorf("a word that it does not know: exit %d\n%s", out.code, out.stderr)
	}
}

// The servers of a run have the setting of the run.
func TestSession_ARunWithoutRedis(t *testing.T) {
	t.Parallel()
	for setting, trades := range map[string]bool{"": true, "refuse": false} {
		p, r := onRedisWith(t, "file")
		p.prices = synthetic
		p.env = append(p.env, "MCP_TRADE_ON_REDIS_LOSS="+setting)
		r.Kill()
		out := p.try(t, "run", "--from", "2025-01-01", "--to", "2025-01-03", "--account", "steady=equal-weight")
		rows := len(p.accountRows(t, "steady"))
		if (out.code == 0) != trades || (rows > 1) != trades || !strings.Contains(out.stderr, "written to its file only") {
			t.Errorf("with %q: exit %d, %d rows\n%s%s", setting, out.code, rows, out.stdout, out.stderr)
		}
		if !trades && !strings.Contains(out.stderr, "on-redis-loss refuse") {
			t.Errorf("it does not say why:\n%s", out.stderr)
		}
	}
}

// accountRows are the lines of a ledger in files.
func (p *place) accountRows(t *testing.T, account string) []string {
	t.Helper()
	text, err := os.ReadFile(p.ledgerFile(account))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

func TestSession_ATradeProlongsAllOfItAndIsAnnouncedInBothHomes(t *testing.T) {
	t.Parallel()
	for _, ledgers := range []string{"file", "redis"} {
		p, _ := onRedisWith(t, ledgers)
		p.open(t, "alice", "10000", "2025-10-02")
		tr := p.trade(t, "alice")
		for day, date := range []string{"2025-10-02", "2025-10-03"} {
			p.do(t, "session", "set", "TODAY_DATE="+date, "IF_TRADE=false", "--model-id", "alice")
			for n := range 2 {
				for _, name := range []string{"SIGNATURE", "TODAY_DATE", "IF_TRADE"} {
					redisDo(t, p.redisURL, "EXPIRE", "config:alice:"+name, 100)
				}
				tr.filledOn(t, date)
				for _, name := range []string{"SIGNATURE", "TODAY_DATE", "IF_TRADE"} {
					if ttl := redisDo(t, p.redisURL, "TTL", "config:alice:"+name).(int64); ttl < 3500 {
						t.Errorf("ledgers in %s, day %d, trade %d: %s lives for %d s", ledgers, day, n, name, ttl)
					}
				}
				if inFile, inRedis := p.inFile(t, "alice")["IF_TRADE"], p.inRedis(t, "alice", "IF_TRADE"); inFile != true || inRedis != "true" {
					t.Errorf("ledgers in %s, day %d, trade %d: IF_TRADE is %v in the file and %s in Redis", ledgers, day, n, inFile, inRedis)
				}
			}
		}
	}
}

// With a life of one second, a session lives on under an agent that trades more often.
func TestSession_LivesOnUnderAnAgentThatTrades(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	p, _ := onRedisWith(t, "file")
	p.env = append(p.env, "MCP_TRADE_SESSION_TTL=1s")
	p.open(t, "alice", "10000", "2025-10-02")
	tr := p.trade(t, "alice")
	for range 8 {
		tr.filledOn(t, "2025-10-02")
		time.Sleep(400 * time.Millisecond)
		if got := p.inRedis(t, "alice", "SIGNATURE"); got == "" {
			t.Fatal("the session is gone")
		}
	}
}

func TestSession_AFlagThatMissedAFullRedisIsSetThereLater(t *testing.T) {
	t.Parallel()
	p, r := onRedisWith(t, "file")
	p.open(t, "alice", "10000", "2025-10-02")
	p.do(t, "session", "set", "IF_TRADE=false", "--model-id", "alice")
	full.begin(t, r)
	p.trade(t, "alice").filledOn(t, "2025-10-02")
	if got := p.inFile(t, "alice"); got["IF_TRADE"] != true || got["mcp_trade"] == nil {
		t.Errorf("the file holds %v", got)
	}
	full.end(t, r)
	if got := p.do(t, "session", "get", "IF_TRADE", "--model-id", "alice"); got != "true\n" || p.inRedis(t, "alice", "IF_TRADE") != "true" {
		t.Errorf("IF_TRADE is %s, in Redis %s", got, p.inRedis(t, "alice", "IF_TRADE"))
	}
}

func TestSession_SetSaysWhereItWrote(t *testing.T) {
	t.Parallel()
	p, r := onRedisWith(t, "file")
	file := p.sessionFile("global")
	if got, want := p.do(t, "session", "set", "SIGNATURE=a", "TODAY_DATE=2025-10-02"), "SIGNATURE, TODAY_DATE: set in Redis and "+file+"\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for typo, known := range map[string]string{"TODAY_DAT=2025-10-03": "TODAY_DATE", "SIGNATUR=x": "SIGNATURE", "HALTED=true": "HALT"} {
		out := p.try(t, "session", "set", typo)
		if name, _, _ := strings.Cut(typo, "="); out.code != 0 || !strings.Contains(out.stderr, name+" is not a value that mcp-trade reads; the nearest one is "+known) {
			t.Errorf("%s: exit %d\n%s", typo, out.code, out.stderr)
		}
	}
	if out := p.try(t, "session", "set", "MARKET=us"); out.code != 0 || out.stderr != "" {
		t.Errorf("a value of AI-Trader's own: exit %d\n%s", out.code, out.stderr)
	}
	r.Kill()
	out := p.try(t, "session", "set", "TODAY_DATE=2025-10-03")
	if out.code != 0 || out.stdout != "TODAY_DATE: set in "+file+"\n" || !strings.Contains(out.stderr, "written to its file only") {
		t.Errorf("exit %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	if out := p.try(t, "session", "clear", "TODAY_DATE"); out.code != 1 {
		t.Errorf("clear: exit %d\n%s", out.code, out.stdout)
	}
	r.Start(t)
	if got, want := p.do(t, "session", "clear", "TODAY_DATE"), "TODAY_DATE: removed from Redis and "+file+"\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	var w struct {
		Model   string   `json:"model_id"`
		Names   []string `json:"names"`
		Written []string `json:"written"`
		File    string   `json:"file"`
		Others  []string `json:"other_files"`
	}
	if err := json.Unmarshal([]byte(p.do(t, "session", "clear", "--json")), &w); err != nil || fmt.Sprint(w) != fmt.Sprintf("{global [SIGNATURE TODAY_DATE IF_TRADE HALT] [redis file] %s []}", file) {
		t.Errorf("%+v, %v", w, err)
	}
}

func TestSession_SetNamesTheFilesThatOtherServersRead(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.setDate(t, "alice", "2025-10-02")
	others := []string{filepath.Join(p.dir, ".runtime_env.json"), p.sessionFile("alice")}
	if err := os.WriteFile(others[0], []byte(`{"SIGNATURE": "alice", "TODAY_DATE": "2025-10-02"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, arguments := range [][]string{{"set", "HALT=true"}, {"set", "TODAY_DATE=2025-10-03"}, {"clear", "HALT"}} {
		out := p.try(t, append([]string{"session"}, arguments...)...)
		if out.code != 0 || !strings.Contains(out.stderr, strings.Join(others, ", ")) || strings.Contains(out.stderr, "_@all") {
			t.Errorf("%v: exit %d\n%s", arguments, out.code, out.stderr)
		}
	}
	if out := p.try(t, "session", "set", "HALT=true", "--json"); !strings.Contains(out.stdout, others[0]) || !strings.Contains(out.stderr, "--model-id '*'") {
		t.Errorf("%s%s", out.stdout, out.stderr)
	}
	for _, said := range [][]string{{"--model-id", "global"}, {"--model-id", "*"}, {"--model-id", "alice"}} {
		if out := p.try(t, append([]string{"session", "set", "HALT=true"}, said...)...); out.code != 0 || out.stderr != "" {
			t.Errorf("%v: exit %d\n%s", said, out.code, out.stderr)
		}
	}
	p.env = append(p.env, "RUNTIME_ENV_PATH="+others[0])
	if out := p.try(t, "session", "set", "HALT=true"); out.code != 0 || out.stderr != "" || !strings.Contains(out.stdout, others[0]) {
		t.Errorf("exit %d\n%s%s", out.code, out.stdout, out.stderr)
	}
}
