// Making the fixtures of an upgrade: a program of an earlier version trades in a place of its own, and what it leaves behind
// is kept under testdata/upgrade.
//
//	MCP_TRADE_OLD=/path/to/mcp-trade-of-87ed85f UPDATE_GOLDEN=1 go test ./integration_test -run MakesTheFixtures

package integration_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
	"mcp-trade/market/markettest"
)

// The market of the fixtures, and what was traded on it. Its trading days are 2025-01-02, 03, 06, 07, 08 and so on.
const (
	upgradeFirst = "2025-01-01" // on which the accounts are opened
	upgradeOpen  = "2025-01-03" // the day of bob that was left in its middle, and the date of alice
	upgradeLast  = "2025-01-06" // of the runs
	upgradeCash  = "100000"
)

func upgradePrices(t testing.TB) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "prices.jsonl")
	f, err := os.Create(path)
	if err == nil {
		err = markettest.Write(f, 1, 3, 12, upgradeFirst)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// upgradeDay is what the model of bob does on every day: look, buy two in one turn, sell one of them in the next, end.
func upgradeDay(r modeltest.Request) modeltest.Reply {
	switch r.Turn {
	case 0:
		return modeltest.Do(modeltest.To("get_portfolio", nil))
	case 1:
		reply := modeltest.Do(modeltest.Order("buy", "SYN01", 3), modeltest.Order("buy", "SYN02", 2))
		reply.Text = "I buy a little of two."
		return reply
	case 2:
		return modeltest.Do(modeltest.Order("sell", "SYN02", 1))
	}
	return modeltest.Say("All done for %s. %s", r.Date, llm.StopSignal)
}

// upgradeRun is the run of bob.
func upgradeRun(url string) llmRun {
	return llmRun{url: url, from: upgradeFirst, to: upgradeLast, cash: upgradeCash, accounts: []string{"bob"}}
}

// upgradeDeciders is the run of the accounts without a model.
func upgradeDeciders() []string {
	return []string{
		"run", "--from", upgradeFirst, "--to", upgradeLast, "--cash", upgradeCash,
		"--account", "steady=equal-weight", "--account", "dice=random:7",
	}
}

// oldProgram is the path of the program of the earlier version, which MCP_TRADE_OLD names.
func oldProgram(t testing.TB) string {
	t.Helper()
	return testenv.File(t, "old", "MCP_TRADE_OLD", "the program of an earlier version")
}

func TestAnEarlierVersionMakesTheFixtures(t *testing.T) {
	t.Parallel()
	if os.Getenv("UPDATE_GOLDEN") != "1" {
		t.Skip("UPDATE_GOLDEN is not 1")
	}
	old := oldProgram(t)
	for engine, p := range map[string]*place{"file": onFiles(t), "redis": onRedis(t)} {
		p.program, p.prices = old, upgradePrices(t)
		tradeForFixtures(t, p)
		dir := filepath.Join("testdata", "upgrade", engine)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		keepFiles(t, p.dir, filepath.Join(dir, "data"))
		if p.redisURL != "" {
			keepKeys(t, p.redisURL, filepath.Join(dir, "commands.jsonl"))
		}
	}
}

// tradeForFixtures does what the fixtures are to hold.
func tradeForFixtures(t *testing.T, p *place) {
	// alice trades by hand, on two days.
	p.open(t, "alice", upgradeCash, upgradeFirst)
	p.setDate(t, "alice", "2025-01-02")
	tr := p.trade(t, "alice")
	for _, order := range aliceOrders {
		if order.date != "2025-01-02" {
			p.setDate(t, "alice", order.date)
		}
		if r := tr.call(t, order.tool, order.args()); r.failed {
			t.Fatal(r.text)
		}
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	p.do(t, upgradeDeciders()...)
	// bob's model falls silent in the third turn of a day, and the run is killed.
	asked := make(chan struct{}, 10)
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		if r.Date == upgradeOpen && r.Turn == 2 {
			asked <- struct{}{}
			return modeltest.Reply{Hang: true}
		}
		return upgradeDay(r)
	})
	run := p.command(p.llm(t, upgradeRun(model.URL))...)
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	_ = run.Process.Kill()
	_ = run.Wait()
	p.childless(t)
	// Sessions: one that is halted, and the one file that AI-Trader names.
	p.do(t, "session", "set", "SIGNATURE=steady", "TODAY_DATE="+upgradeLast, "HALT=true", "--model-id", "dave")
	p.env = append(p.env, "RUNTIME_ENV_PATH="+filepath.Join(p.dir, ".runtime_env.json"))
	p.do(t, "session", "set", "SIGNATURE=alice", "TODAY_DATE="+upgradeOpen)
}

type upgradeOrder struct {
	date, tool, symbol string
	amount             int
	id, note           string
}

func (o upgradeOrder) args() args {
	a := args{"symbol": o.symbol, "amount": o.amount}
	if o.id != "" {
		a["order_id"] = o.id
	}
	if o.note != "" {
		a["note"] = o.note
	}
	return a
}

var aliceOrders = []upgradeOrder{
	{"2025-01-02", "buy", "SYN01", 10, "a-1", "first"},
	{"2025-01-02", "buy", "SYN02", 5, "", `a "note", größer <1>`},
	{"2025-01-02", "sell", "SYN01", 3, "a-2", ""},
	{upgradeOpen, "buy", "SYN03", 4, "a-3", ""},
	{upgradeOpen, "sell", "SYN02", 1, "", ""},
}

// keepFiles copies what a data dir holds: no lock, no configuration.
func keepFiles(t *testing.T, from, to string) {
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".lock") || d.Name() == "config.json" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		below, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, below)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// keepKeys writes what a Redis holds as commands that make it, each a JSON list of its words.
func keepKeys(t *testing.T, url, path string) {
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	defer c.Close()
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	say := func(words ...string) {
		if err := e.Encode(words); err != nil {
			t.Fatal(err)
		}
	}
	keys := c.Keys(t.Context(), "*").Val()
	slices.Sort(keys)
	for _, key := range keys {
		switch kind := c.Type(t.Context(), key).Val(); kind {
		case "stream":
			for _, entry := range c.XRange(t.Context(), key, "-", "+").Val() {
				say("XADD", key, entry.ID, "line", entry.Values["line"].(string), "mark", entry.Values["mark"].(string))
			}
		case "hash":
			words := []string{"HSET", key}
			for field, value := range c.HGetAll(t.Context(), key).Val() {
				words = append(words, field, value)
			}
			say(words...)
		case "string":
			words := []string{"SET", key, c.Get(t.Context(), key).Val()}
			if c.PTTL(t.Context(), key).Val() > 0 {
				words = append(words, "EX", "3600")
			}
			say(words...)
		default:
			t.Fatalf("%s is a %s", key, cmp.Or(kind, "key that is gone"))
		}
	}
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
