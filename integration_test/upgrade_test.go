// Upgrading: what an earlier version left behind, in files and in Redis, goes on with this one. What it left is under
// testdata/upgrade; upgrade_make_test.go says what it did.

package integration_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
)

// leftBehind is a place as the earlier version left it.
func leftBehind(t *testing.T, engine string) *place {
	t.Helper()
	p := onFiles(t)
	if engine == "redis" {
		p = onRedis(t)
		restoreKeys(t, p.redisURL, filepath.Join("testdata", "upgrade", "redis", "commands.jsonl"))
	}
	if err := os.CopyFS(p.dir, os.DirFS(filepath.Join("testdata", "upgrade", engine, "data"))); err != nil {
		t.Fatal(err)
	}
	p.prices = upgradePrices(t)
	return p
}

// restoreKeys sends a Redis the commands of a file: each line is the JSON list of the words of one.
func restoreKeys(t *testing.T, url, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	defer c.Close()
	for line := range strings.Lines(string(text)) {
		var words []any
		if err := json.Unmarshal([]byte(line), &words); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if err := c.Do(t.Context(), words...).Err(); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
	}
}

// afterUpgrade runs a test on what was left in files, and on what was left in Redis.
func afterUpgrade(t *testing.T, test func(t *testing.T, p *place)) {
	for _, engine := range []string{"file", "redis"} {
		t.Run(engine, func(t *testing.T) { test(t, leftBehind(t, engine)) })
	}
}

var upgradeAccounts = []string{"alice", "bob", "dice", "steady"}

// leftLedger is a ledger as the earlier version left it in files, which is what it left in Redis too.
func leftLedger(t testing.TB, account string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "upgrade", "file", "data", "agent_data", account, "position", "position.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// goesOn fails the test unless the ledger begins with the very bytes that were left, has more, and is verified. It returns
// the records that came after them.
func (p *place) goesOn(t testing.TB, account string) []ledger.Record {
	t.Helper()
	left, now := leftLedger(t, account), p.do(t, "ledger", "export", account)
	if !strings.HasPrefix(now, left) || now == left {
		t.Fatalf("the ledger of %s does not go on from\n%s\nit is\n%s", account, left, now)
	}
	p.verified(t, account)
	return parseLedger(t, now)[strings.Count(left, "\n"):]
}

func TestUpgrade_LedgersAndSessionsAreRead(t *testing.T) {
	t.Parallel()
	afterUpgrade(t, func(t *testing.T, p *place) {
		for _, account := range upgradeAccounts {
			if p.do(t, "ledger", "export", account) != leftLedger(t, account) {
				t.Errorf("the ledger of %s is exported as another", account)
			}
			p.verified(t, account)
		}
		for _, c := range []struct{ model, value, want string }{
			{"alice", "SIGNATURE", "alice"}, {"alice", "TODAY_DATE", upgradeOpen}, {"bob", "TODAY_DATE", upgradeOpen},
			{"dave", "SIGNATURE", "steady"}, {"steady", "TODAY_DATE", upgradeLast}, {"steady", "IF_TRADE", "false"},
		} {
			if got := p.do(t, "session", "get", c.value, "--model-id", c.model); got != c.want+"\n" {
				t.Errorf("%s of %s is %q, want %s", c.value, c.model, got, c.want)
			}
		}
		p.trade(t, "dave").refused(t, "halted", "buy", args{"symbol": "SYN01", "amount": 1})
		p.env = append(p.env, "RUNTIME_ENV_PATH="+filepath.Join(p.dir, ".runtime_env.json"))
		if got := p.trade(t, "global").call(t, "get_session", nil); got.failed || got.str("signature") != "alice" || got.str("today_date") != upgradeOpen {
			t.Errorf("the session in the file that RUNTIME_ENV_PATH names: %s", got.text)
		}
	})
}

func TestUpgrade_AnAccountTradesOn(t *testing.T) {
	t.Parallel()
	afterUpgrade(t, func(t *testing.T, p *place) {
		tr := p.trade(t, "alice")
		if r := tr.call(t, "get_trades", nil); strings.Count(r.text, `"action":`) != len(aliceOrders) {
			t.Errorf("the trades are %s", r.text)
		}
		again := aliceOrders[slices.IndexFunc(aliceOrders, func(o upgradeOrder) bool { return o.id == "a-3" })]
		if r := tr.call(t, again.tool, again.args()); r.failed || r.fields["replayed"] != true || r.number(t, "id").IntPart() != 4 {
			t.Errorf("the same order id again: %s", r.text)
		}
		again.amount++
		tr.refused(t, "order_id_reused", again.tool, again.args())
		if p.do(t, "ledger", "export", "alice") != leftLedger(t, "alice") {
			t.Error("an order id that was used changed the ledger")
		}
		tr.filled(t, "buy", "SYN02", 2)
		if r := tr.call(t, "sell", args{"symbol": "SYN01", "amount": 7, "order_id": "b-1"}); r.failed || r.number(t, "position").Sign() != 0 {
			t.Errorf("what was bought before is sold: %s", r.text)
		}
		p.setDate(t, "alice", upgradeLast)
		tr.filled(t, "buy", "SYN03", 1)
		if more := p.goesOn(t, "alice"); len(more) != 3 || more[0].ID != 6 || more[2].Date != upgradeLast {
			t.Errorf("what was traded since: %+v", more)
		}
	})
}

func TestUpgrade_TheDayThatWasLeftOpenIsResumed(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	afterUpgrade(t, func(t *testing.T, p *place) {
		turns := make(chan string, 100)
		model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
			turns <- fmt.Sprint(r.Date, " ", r.Turn)
			return upgradeDay(r)
		})
		p.do(t, p.llm(t, upgradeRun(model.URL))...)
		close(turns)
		asked := slices.Collect(func(yield func(string) bool) {
			for turn := range turns {
				yield(turn)
			}
		})
		// What was decided before is not asked again.
		want := []string{"2025-01-03 2", "2025-01-03 3", "2025-01-06 0", "2025-01-06 1", "2025-01-06 2", "2025-01-06 3"}
		if !slices.Equal(asked, want) {
			t.Errorf("the model was asked %q, want %q", asked, want)
		}
		p.goesOn(t, "bob")

		undisturbed := onFiles(t)
		undisturbed.do(t, append(undisturbed.llm(t, upgradeRun(modeltest.Start(t, upgradeDay).URL)), "--prices", p.prices)...)
		sameTrades(t, undisturbed.records(t, "bob"), p.records(t, "bob"))
	})
}

// sameTrades compares what was done, not how it is written down.
func sameTrades(t *testing.T, want, got []ledger.Record) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if g.ID != w.ID || g.Date != w.Date || g.Action != w.Action || g.Symbol != w.Symbol || !g.Amount.Equal(w.Amount) || g.OrderID != w.OrderID {
			t.Fatalf("record %d is %+v, want %+v", i, g, w)
		}
		sameBook(t, i, w.Positions, g.Positions)
	}
}

func TestUpgrade_ARunThatWasCompleteChangesNothingAndGoesOnToALaterEnd(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	afterUpgrade(t, func(t *testing.T, p *place) {
		p.do(t, upgradeDeciders()...)
		for _, account := range []string{"steady", "dice"} {
			if p.do(t, "ledger", "export", account) != leftLedger(t, account) {
				t.Errorf("the ledger of %s changed", account)
			}
		}
		args, later := upgradeDeciders(), "2025-01-08"
		args[slices.Index(args, upgradeLast)] = later
		p.do(t, args...)
		for _, account := range []string{"steady", "dice"} {
			if more := p.goesOn(t, account); string(more[len(more)-1].Date) != later {
				t.Errorf("%s ends with %+v", account, more[len(more)-1])
			}
		}
	})
}

func TestUpgrade_ReportAndShowReadWhatWasLeft(t *testing.T) {
	t.Parallel()
	afterUpgrade(t, func(t *testing.T, p *place) {
		board := p.do(t, "report", "--benchmark", "equal-weight")
		for _, account := range upgradeAccounts {
			if !strings.Contains(board, account) {
				t.Errorf("%s is not on the leaderboard:\n%s", account, board)
			}
		}
		if !json.Valid([]byte(p.do(t, "report", "--json"))) {
			t.Error("the report as JSON is none")
		}
		if text := p.do(t, "ledger", "show", "alice"); !strings.Contains(text, "94,325.05") {
			t.Errorf("the ledger is shown as\n%s", text)
		}
		for date, want := range map[string]string{"2025-01-02": "finished after 4 steps", upgradeOpen: "I buy a little of two."} {
			if text := p.do(t, "show", "bob", date); !strings.Contains(text, want) {
				t.Errorf("%s is shown without %q:\n%s", date, want, text)
			}
		}
	})
}

func TestUpgrade_ARecordingIsReplayed(t *testing.T) {
	t.Parallel()
	afterUpgrade(t, func(t *testing.T, p *place) {
		out := filepath.Join(t.TempDir(), "again")
		replayed := p.try(t, "run", "--replay", filepath.Join(p.dir, "agent_data"), "--log-path", out)
		text, err := os.ReadFile(filepath.Join(out, "bob", "position", "position.jsonl"))
		if err != nil || replayed.code != 0 {
			t.Fatalf("exit %d, %v\n%s%s", replayed.code, err, replayed.stdout, replayed.stderr)
		}
		sameTrades(t, parseLedger(t, leftLedger(t, "bob")), parseLedger(t, string(text)))
	})
}

func TestUpgrade_AnExportIsImportedAgain(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, p *place) {
		p.prices = upgradePrices(t)
		for _, account := range upgradeAccounts {
			file := filepath.Join(t.TempDir(), "export.jsonl")
			if err := os.WriteFile(file, []byte(leftLedger(t, account)), 0o644); err != nil {
				t.Fatal(err)
			}
			p.do(t, "ledger", "import", account, file)
			if p.do(t, "ledger", "export", account) != leftLedger(t, account) {
				t.Errorf("the ledger of %s is not what was imported", account)
			}
		}
	})
}

// narrowest is what a Redis user had to be allowed for the server of the earlier version: nothing of it can be left out.
var narrowest = map[string][]string{
	"redis": {"get", "multi", "exec", "evalsha", "eval", "mget", "set", "pexpire", "hget", "hset", "xlen", "xadd", "xrange", "xrevrange"},
	"file":  {"get", "multi", "exec", "set"},
}

func TestUpgrade_TheNarrowestRedisUserStillTrades(t *testing.T) {
	t.Parallel()
	for ledgers, commands := range narrowest {
		t.Run("ledgers in "+ledgers, func(t *testing.T) {
			p := onRedis(t)
			p.env = append(p.env, "MCP_TRADE_LEDGER="+ledgers)
			if failed := p.tradeAsUser(t, commands); len(failed) > 0 {
				t.Errorf("fails: %q\nrefused by Redis: %v", failed, redisDo(t, p.redisURL, "ACL", "LOG"))
			}
			p.verified(t, "alice")
		})
		t.Run("ledgers in "+ledgers+", the earlier version", func(t *testing.T) {
			p := onRedis(t)
			p.program = oldProgram(t)
			p.env = append(p.env, "MCP_TRADE_LEDGER="+ledgers)
			if failed := p.tradeAsUser(t, commands); len(failed) > 0 {
				t.Errorf("fails: %q", failed)
			}
			for i, left := range commands {
				p.afresh(t, t.TempDir())
				if failed := p.tradeAsUser(t, slices.Delete(slices.Clone(commands), i, i+1)); len(failed) == 0 {
					t.Errorf("it needs no %s", left)
				}
			}
		})
	}
}

func TestUpgrade_TheNarrowestRedisUserTradesOnADateThatMissedRedis(t *testing.T) {
	t.Parallel()
	for ledgers, commands := range narrowest {
		t.Run("ledgers in "+ledgers, func(t *testing.T) {
			p := onRedis(t)
			p.env = append(p.env, "MCP_TRADE_LEDGER="+ledgers)
			p.open(t, "alice", "10000", "2025-10-02")
			away := *p
			away.redisURL = "redis://127.0.0.1:" + testenv.FreePort(t)
			away.setDate(t, "alice", "2025-10-03")
			tenant := p.asUser(t, commands) // which may not put Redis right
			for range 2 {
				if r := tenant.trade(t, "alice").filled(t, "buy", "AAPL", 1); r.str("date") != "2025-10-03" {
					t.Errorf("traded on %s", r.text)
				}
			}
			p.verified(t, "alice")
		})
	}
}

// asUser is the place for a Redis user that may use some commands, and the keys of alice.
func (p *place) asUser(t *testing.T, commands []string) *place {
	t.Helper()
	user := []any{"ACL", "SETUSER", "tenant", "reset", "on", ">secret", "~ledger:{alice}", "~orders:{alice}", `~config:\*:HALT`}
	for _, name := range []string{"SIGNATURE", "TODAY_DATE", "IF_TRADE", "HALT"} {
		user = append(user, "~config:alice:"+name)
	}
	for _, command := range commands {
		user = append(user, "+"+command)
	}
	redisDo(t, p.redisURL, user...)
	tenant := *p
	tenant.redisURL = strings.Replace(p.redisURL, "redis://", "redis://tenant:secret@", 1)
	return &tenant
}

// tradeAsUser has the server of alice trade as a Redis user that may use some commands, and the keys of alice. It returns
// the answers that failed, and what went wrong otherwise.
func (p *place) tradeAsUser(t *testing.T, commands []string) (failed []string) {
	t.Helper()
	p.open(t, "alice", "10000", "2025-10-02")
	redisDo(t, p.redisURL, "SCRIPT", "FLUSH")
	tr := p.asUser(t, commands).trade(t, "alice")
	defer tr.Close()
	for _, call := range []struct {
		tool string
		args args
		want string
	}{
		{"get_session", nil, `"SIGNATURE":"redis"`}, // where it comes from
		{"buy", args{"symbol": "AAPL", "amount": 2, "order_id": "one"}, `"replayed":false`},
		{"buy", args{"symbol": "AAPL", "amount": 2, "order_id": "one"}, `"replayed":true`},
		{"buy", args{"symbol": "MSFT", "amount": 1}, `"id":2`},
		{"sell", args{"symbol": "AAPL", "amount": 1, "note": "less"}, `"id":3`},
		{"get_trades", nil, `"less"`},
		{"get_portfolio", nil, `"cash":9849.25`},
	} {
		if r := tr.call(t, call.tool, call.args); r.failed || !strings.Contains(r.text, call.want) {
			failed = append(failed, r.text)
		}
	}
	if said := fmt.Sprint(redisDo(t, p.redisURL, "MGET", "config:alice:IF_TRADE")); said != "[true]" {
		failed = append(failed, "IF_TRADE is "+said)
	}
	return failed
}
