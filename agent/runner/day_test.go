// Days of an account, most of them traded by a language model that is scripted, at a server in this process.

package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/rs/zerolog"

	"mcp-trade/agent"
	"mcp-trade/agent/llm"
	"mcp-trade/agent/manifest"
	"mcp-trade/agent/model"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/agent/model/openai"
	"mcp-trade/agent/transcript"
	"mcp-trade/decimal"
	"mcp-trade/internal/mcpclient"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/market/markettest"
	"mcp-trade/session"
	runs "mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/tools"
)

// room is an account at a server in this process.
type room struct {
	*accountRun
	dir, logPath string

	log  strings.Builder
	shop *server.MCPServer
}

// newRoom opens an account named alice on a made-up market of ten days. With a folder given it goes on with what is there.
func newRoom(t *testing.T, dir string) *room {
	t.Helper()
	file := filepath.Join(dir, "merged.jsonl")
	if _, err := os.Stat(file); err != nil {
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := markettest.Write(f, 1, 5, 10, "2025-01-01"); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	prices, err := market.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	r := &room{dir: dir, logPath: filepath.Join(dir, "agent_data")}
	store := filestore.New(dir, filepath.Join(dir, "agent_data"))
	lease, err := store.Lease(t.Context(), "alice", runs.Owner{Name: "the test", Nonce: "1"})
	if err != nil {
		t.Fatal(err)
	}
	accounts := ledger.NewAccounts(store).Under(lease.Fence())
	none := func(string) (string, bool) { return "", false }
	layers, err := session.New(session.Config{Model: "alice", Local: store, Env: none, TTL: time.Hour, Warn: func(text string) { t.Log(text) }})
	if err != nil {
		t.Fatal(err)
	}
	log := zerolog.New(&r.log)
	days, err := prices.Stamps("", "")
	if err != nil {
		t.Fatal(err)
	}
	desk, err := tools.NewServer(&tools.Deps{Accounts: accounts, Prices: prices, Ledger: "file", Log: log}, tools.Options{Toolsets: tools.DefaultToolsets})
	if err != nil {
		t.Fatal(err)
	}
	r.shop = desk.MCP()
	c := client.NewClient(onBehalf{transport.NewInProcessTransport(r.shop), &session.Caller{Session: layers}})
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	var hello mcp.InitializeRequest
	hello.Params.ProtocolVersion = mcp.LATEST_PROTOCOL_VERSION
	if _, err := c.Initialize(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); prices.Close(); store.Close() })
	r.accountRun = &accountRun{
		Runner: &Runner{
			Prices: prices, Accounts: accounts, Runs: store, From: days[0], To: days[len(days)-1],
			Cash: decimal.NewFromInt(100000), Rules: ledger.DefaultRules(), Progress: func(Progress) {}, Steps: func(agent.Step) {}, Log: log, Now: still().Now,
			Recorder: &manifest.Recorder{LogPath: filepath.Join(dir, "agent_data")},
		},
		days: days[1:], session: layers, lease: lease, accounts: accounts, server: mcpclient.New(c),
	}
	r.account = Account{Name: "alice", From: days[0], To: days[len(days)-1]}
	if _, err := r.resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// onBehalf makes the requests of a client in the name of a caller.
type onBehalf struct {
	transport.Interface
	caller *session.Caller
}

func (o onBehalf) SendRequest(ctx context.Context, r transport.JSONRPCRequest) (*transport.JSONRPCResponse, error) {
	return o.Interface.SendRequest(session.WithCaller(ctx, o.caller), r)
}

// end has the run give the account back.
func (r *room) end(t *testing.T) {
	t.Helper()
	if err := r.lease.Release(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// still is a clock that stands still and never waits.
func still() llm.Clock {
	return llm.Clock{
		Now:    func() time.Time { return time.Date(2025, 11, 1, 12, 0, 0, 0, time.UTC) },
		Sleep:  func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Jitter: func() float64 { return 0.5 },
	}
}

// with has a scripted model decide.
func (r *room) with(t *testing.T, script modeltest.Script, change ...func(*llm.Options)) *room {
	t.Helper()
	api := modeltest.Start(t, script)
	o := llm.Options{Settings: model.Settings{Model: "scripted", BaseURL: api.URL, Key: "secret-of-the-test"}, Strict: true, MaxRetries: 2}
	for _, c := range change {
		c(&o)
	}
	open := func(s model.Settings) (model.Model, error) { return openai.New(s, still().Now) }
	d, err := llm.New(o, open, still(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.account.Decider, r.trader = d, nil
	return r
}

func (r *room) transcript(t *testing.T, day int) []transcript.Entry {
	t.Helper()
	entries, err := transcript.Read(transcript.File(r.logPath, "alice", r.days[day]))
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// ending is the last line of a day.
func (r *room) ending(t *testing.T, day int) transcript.End {
	t.Helper()
	entries := r.transcript(t, day)
	if len(entries) == 0 || entries[len(entries)-1].End == nil {
		t.Fatalf("day %d has no end", day)
	}
	return *entries[len(entries)-1].End
}

func (r *room) ledger(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.logPath, "alice", "position", "position.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func turns(replies ...modeltest.Reply) modeltest.Script {
	return func(r modeltest.Request) modeltest.Reply { return replies[min(r.Turn, len(replies)-1)] }
}

func TestAccountRun_TradeDay(t *testing.T) {
	r := newRoom(t, t.TempDir()).with(t, turns(
		modeltest.Do(modeltest.Order("buy", "SYN01", 3), modeltest.Order("buy", "SYN02", "2")),
		modeltest.Do(modeltest.Order("sell", "SYN01", 1), modeltest.Order("buy", "NONE", 1)),
		modeltest.Say("Cash: $1. <FINISH_SIGNAL>"),
	))
	if err := r.tradeDay(t.Context(), 0); err != nil {
		t.Fatal(err, r.log.String())
	}
	e := r.ending(t, 0)
	if e.Reason != transcript.EndFinished || e.Steps != 3 || e.Spent.Calls != 3 || e.Holdings.Amount("SYN01").String() != "2" || !e.Value.Valid {
		t.Errorf("the day ended as %+v", e)
	}
	if len(e.Differs) != 1 || !strings.Contains(r.log.String(), "states 1 of cash, the ledger has "+e.Cash.String()) {
		t.Errorf("what is stated wrongly is not told: %v\n%s", e.Differs, r.log.String())
	}
	for _, id := range []string{`"order_id": "2025-01-02#1.1"`, `"order_id": "2025-01-02#1.2"`, `"order_id": "2025-01-02#2.1"`} {
		if strings.Count(r.ledger(t), id) != 1 {
			t.Errorf("%s is not in the ledger once:\n%s", id, r.ledger(t))
		}
	}
	if r.checkpoint.Date != r.days[1] || r.checkpoint.Before != 1 || r.checkpoint.Spent.Calls != 3 {
		t.Errorf("the checkpoint is %+v", r.checkpoint)
	}
	var line struct {
		Signature string
		Messages  []struct{ Role, Content string } `json:"new_messages"`
	}
	log, err := os.ReadFile(filepath.Join(filepath.Dir(transcript.File(r.logPath, "alice", r.days[0])), "log.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &line); err != nil || line.Signature != "alice" || line.Messages[0].Role != "assistant" {
		t.Errorf("the last line of AI-Trader's log is %s", lines[len(lines)-1])
	}
}

func TestModel_OrderIDs(t *testing.T) {
	var offered modeltest.Schema
	r := newRoom(t, t.TempDir()).with(t, func(q modeltest.Request) modeltest.Reply {
		offered = q.Schemas["buy"]
		return turns(
			modeltest.Do(modeltest.To("buy", map[string]any{"symbol": "SYN01", "amount": 1, "order_id": "mine"}), modeltest.To("buy", map[string]any{"symbol": "SYN01", "amount": 1, "order_id": "mine"})),
			modeltest.Say("<FINISH_SIGNAL>"),
		)(q)
	})
	if err := r.tradeDay(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if l := r.ledger(t); strings.Contains(l, "mine") || !strings.Contains(l, "#1.2") {
		t.Errorf("the ledger is\n%s", l)
	}
	if text := string(offered.Parameters); !offered.Strict || strings.Contains(text, "order_id") || !strings.Contains(text, `"dry_run":{`) {
		t.Errorf("buy is offered as %s, strict: %v", text, offered.Strict)
	}
}

func price(text string) *decimal.Decimal {
	d := decimal.RequireFromString(text)
	return &d
}

// costly is a model whose every reply is said to take 1000 tokens in and 100 out, at 10 and 100 a million: 0.02.
func costly(o *llm.Options) {
	o.Prices, o.MaxTokens = &model.Prices{In: *price("10"), Out: *price("100")}, 100
}

func lookingOn(modeltest.Request) modeltest.Reply {
	reply := modeltest.Do(modeltest.To("get_portfolio", nil))
	reply.Usage = &modeltest.Usage{In: 1000, Out: 100}
	return reply
}

func TestModel_DayBudget(t *testing.T) {
	r := newRoom(t, t.TempDir()).with(t, lookingOn, costly, func(o *llm.Options) { o.DayBudget = price("0.2") })
	for day := range 2 {
		if err := r.tradeDay(t.Context(), day); err != nil {
			t.Fatal(err)
		}
		e := r.ending(t, day)
		if cost := e.Spent.Total(); e.Reason != transcript.EndBudget || cost.GreaterThan(*price("0.2")) || cost.LessThan(*price("0.12")) {
			t.Errorf("day %d: %s after %d calls and a cost of %s", day, e.Reason, e.Spent.Calls, cost)
		}
	}
}

func TestModel_RunBudget(t *testing.T) {
	dir := t.TempDir()
	r := newRoom(t, dir).with(t, lookingOn, costly, func(o *llm.Options) { o.RunBudget = price("0.45"); o.MaxSteps = 8 })
	var over *llm.BudgetError
	day, err := 0, error(nil)
	for err == nil {
		err = r.tradeDay(t.Context(), day)
		day++
	}
	spent := r.checkpoint.Spent.Plus(r.today)
	if !errors.As(err, &over) || spent.Total().GreaterThan(*price("0.45")) || day != 3 {
		t.Fatalf("on day %d, after %v: %v", day, spent.Total(), err)
	}
	r.end(t)
	again := newRoom(t, dir).with(t, lookingOn, costly, func(o *llm.Options) { o.RunBudget = price("5"); o.MaxSteps = 8 })
	if err := again.tradeDay(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if e := again.ending(t, 2); e.Reason != transcript.EndMaxSteps || e.Steps != 8 || again.checkpoint.Spent.Calls != 24 {
		t.Errorf("%+v, %+v", e, again.checkpoint)
	}
}

func TestModel_NoReply(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	r := newRoom(t, dir).with(t, func(modeltest.Request) modeltest.Reply { cancel(); return modeltest.Reply{Hang: true} }, costly)
	if err := r.tradeDay(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if len(r.transcript(t, 0)) != 2 || !r.today.Total().IsPositive() {
		t.Errorf("%+v", r.today)
	}
}

func TestBroker_Order_Halt(t *testing.T) {
	r := newRoom(t, t.TempDir())
	b, err := r.openDay(t.Context(), 0)
	if err == nil {
		err = r.session.Set(t.Context(), map[string]any{session.Halt: true})
	}
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := b.Order(t.Context(), ledger.Buy, "SYN01", decimal.NewFromInt(1))
	if _, halted := errors.AsType[*agent.HaltedError](err); !halted || accepted || len(r.checkpoint.Refused) > 0 {
		t.Errorf("%v, accepted: %v, refused: %v", err, accepted, r.checkpoint.Refused)
	}
}

func TestModel_Halt(t *testing.T) {
	dir := t.TempDir()
	var r *room
	set := func(halt bool) {
		if err := r.session.Set(t.Context(), map[string]any{session.Halt: halt}); err != nil {
			t.Error(err)
		}
	}
	script := func(q modeltest.Request) modeltest.Reply {
		if q.Turn == 1 {
			set(true)
		}
		return modeltest.Do(modeltest.Order("buy", "SYN01", 1), modeltest.Order("buy", "SYN02", 1))
	}
	r = newRoom(t, dir)
	r.with(t, script)
	var stop *agent.HaltedError
	if err := r.tradeDay(t.Context(), 0); !errors.As(err, &stop) {
		t.Fatal(err)
	}
	if e := r.ending(t, 0); e.Reason != transcript.EndHalted || e.Holdings.Amount("SYN01").String() != "1" || r.checkpoint.Date != r.days[1] {
		t.Errorf("%+v, %+v", e, r.checkpoint)
	}
	if err := r.tradeDay(t.Context(), 1); !errors.As(err, &stop) || len(r.transcript(t, 1)) != 0 {
		t.Errorf("the next day begins while trading is halted: %v", err)
	}
	set(false)
	r.with(t, turns(modeltest.Say("<FINISH_SIGNAL>")))
	if err := r.tradeDay(t.Context(), 1); err != nil {
		t.Error(err)
	}
}

func TestModel_TranscriptOfAnotherLedger(t *testing.T) {
	dir := t.TempDir()
	r := newRoom(t, dir).with(t, turns(modeltest.Say("<FINISH_SIGNAL>")))
	if err := r.tradeDay(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"position", "run.json"} {
		if err := os.RemoveAll(filepath.Join(r.logPath, "alice", name)); err != nil {
			t.Fatal(err)
		}
	}
	r.end(t)
	again := newRoom(t, dir)
	again.accounts = ledger.NewAccounts(filestore.New(dir, r.logPath)).Under(again.lease.Fence())
	if err := os.RemoveAll(filepath.Join(r.logPath, "alice", "position")); err != nil {
		t.Fatal(err)
	}
	if _, err := again.accounts.Register(t.Context(), "alice", decimal.NewFromInt(5), "2025-01-01"); err != nil {
		t.Fatal(err)
	}
	if err := again.with(t, turns(modeltest.Say("<FINISH_SIGNAL>"))).tradeDay(t.Context(), 0); err == nil || !strings.Contains(err.Error(), "belongs to another ledger") {
		t.Error(err)
	}
}

func TestModel_LongConversation(t *testing.T) {
	testenv.Slow(t)
	longest := 0
	r := newRoom(t, t.TempDir()).with(t, func(q modeltest.Request) modeltest.Reply {
		size := 0
		for _, m := range q.Messages {
			size += len(m.Text)
		}
		longest = max(longest, size)
		return modeltest.Do(modeltest.To("get_portfolio", nil), modeltest.To("get_trades", nil), modeltest.To("get_price_history", map[string]any{"symbol": "SYN01"}))
	}, func(o *llm.Options) { o.Context, o.MaxTokens = 4000, 500 })
	for day := range 8 {
		if err := r.tradeDay(t.Context(), day); err != nil {
			t.Fatal(err)
		}
	}
	whole := 0
	for _, e := range r.transcript(t, 7) {
		switch {
		case e.Begin != nil:
			for _, m := range e.Begin.Messages {
				whole += len(m.Content)
			}
		case e.Result != nil:
			whole += len(e.Result.Content)
		}
	}
	if longest > 16000 || whole < 20000 {
		t.Errorf("the longest request has %d bytes of %d", longest, whole)
	}
}

// outsider is a decider that trades through the tools alone, as one outside these rooms may.
func outsider(ctx context.Context, d *agent.Day) error {
	for i, amount := range []string{"1", "1000000", "2"} {
		_, err := d.Call(ctx, "buy", map[string]json.RawMessage{
			"symbol": json.RawMessage(`"SYN01"`), "amount": json.RawMessage(amount), "order_id": fmt.Appendf(nil, `"mine-%s-%d"`, d.Date, i),
		})
		if err != nil {
			return err
		}
	}
	_, err := d.Order(ctx, ledger.Sell, "SYN01", decimal.NewFromInt(1))
	return err
}

func TestBroker_Call(t *testing.T) {
	r := newRoom(t, t.TempDir())
	var seen []Progress
	r.Progress = func(p Progress) { seen = append(seen, p) }
	r.account.Decider = agent.DeciderFunc(outsider)
	for day := range 2 {
		if err := r.tradeDay(t.Context(), day); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 2 || seen[1].Trades != 3 || seen[1].Refused.String() != "1 insufficient_cash" || r.checkpoint.Before != 2 {
		t.Errorf("%+v, %+v", seen, r.checkpoint)
	}
	if n := strings.Count(r.ledger(t), `"order_id": "mine-`); n != 4 {
		t.Errorf("%d orders of its own are in the ledger:\n%s", n, r.ledger(t))
	}
	if days, err := transcript.Days(r.logPath, "alice"); len(days) > 0 || err != nil {
		t.Errorf("it has transcripts: %v, %v", days, err)
	}
}

func TestAccountRun_Decide(t *testing.T) {
	r := newRoom(t, t.TempDir())
	before := r.ledger(t)
	r.account.Decider = absent{}
	if err := r.tradeDay(t.Context(), 0); err == nil || err.Error() != "nobody is here" || r.trader != nil || r.ledger(t) != before {
		t.Errorf("%v, %v\n%s", err, r.trader, r.ledger(t))
	}
}

// absent is a decider that cannot begin, and returns a trader that cannot be used.
type absent struct{}

func (absent) Open(context.Context, string, agent.Server) (agent.Trader, error) {
	return agent.DeciderFunc(nil), errors.New("nobody is here")
}
