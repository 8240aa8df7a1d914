// A day's talk, against a model that is scripted and a server in this process.

package agent

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"

	"mcp-trade/agent/modeltest"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
	"mcp-trade/store/filestore"
	"mcp-trade/tools"
)

func TestMain(m *testing.M) {
	decimal.MarshalJSONWithoutQuotes = true // as the program does
	os.Exit(m.Run())
}

// room is an account at a server in this process.
type room struct {
	*walk
	dir string
	log strings.Builder
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
		if err := market.WriteSynthetic(f, 1, 5, 10, "2025-01-01"); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	prices, err := market.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	r := &room{dir: dir}
	store := filestore.New(dir, filepath.Join(dir, "agent_data"))
	accounts := ledger.NewAccounts(store)
	none := func(string) (string, bool) { return "", false }
	layers, err := session.New(session.Config{Model: "alice", File: store, Env: none, TTL: time.Hour, Warn: func(text string) { t.Log(text) }})
	if err != nil {
		t.Fatal(err)
	}
	log := zerolog.New(&r.log)
	days, err := prices.Stamps("", "")
	if err != nil {
		t.Fatal(err)
	}
	server, err := tools.NewServer(&tools.Desk{Session: layers, Accounts: accounts, Prices: prices, Ledger: "file", Log: log}, tools.Options{Toolsets: tools.DefaultToolsets})
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.NewInProcessClient(server.MCP())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	var hello mcp.InitializeRequest
	hello.Params.ProtocolVersion = mcp.LATEST_PROTOCOL_VERSION
	if _, err := c.Initialize(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); prices.Close(); store.Close() })
	r.walk = &walk{
		Runner: &Runner{
			Prices: prices, Accounts: accounts, LogPath: filepath.Join(dir, "agent_data"), From: days[0], To: days[len(days)-1],
			Cash: decimal.NewFromInt(100000), Progress: func(Progress) {}, Steps: func(StepDone) {}, Log: log,
		},
		days: days[1:], session: layers, desk: &desk{c},
	}
	r.account.Name = "alice"
	if _, err := r.resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// still is a clock that stands still and never waits.
func still() Clock {
	return Clock{
		Now:    func() time.Time { return time.Date(2025, 11, 1, 12, 0, 0, 0, time.UTC) },
		Sleep:  func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Jitter: func() float64 { return 0.5 },
	}
}

// with has a scripted model decide.
func (r *room) with(t *testing.T, script modeltest.Script, change ...func(*LLM)) *room {
	t.Helper()
	model := modeltest.Start(t, script)
	o := LLM{Model: "scripted", BaseURL: model.URL, Key: "secret-of-the-test", Strict: true, MaxRetries: 2, Clock: still()}
	for _, c := range change {
		c(&o)
	}
	d, err := NewLLM(o)
	if err != nil {
		t.Fatal(err)
	}
	r.account.Decider, r.box = d, nil
	return r
}

func (r *room) transcript(t *testing.T, day int) []Entry {
	t.Helper()
	entries, err := ReadTranscript(TranscriptFile(r.LogPath, "alice", r.days[day]))
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// ending is the last line of a day.
func (r *room) ending(t *testing.T, day int) End {
	t.Helper()
	entries := r.transcript(t, day)
	if len(entries) == 0 || entries[len(entries)-1].End == nil {
		t.Fatalf("day %d has no end", day)
	}
	return *entries[len(entries)-1].End
}

func (r *room) ledger(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.LogPath, "alice", "position", "position.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func turns(replies ...modeltest.Reply) modeltest.Script {
	return func(r modeltest.Request) modeltest.Reply { return replies[min(r.Turn, len(replies)-1)] }
}

func TestANormalDay(t *testing.T) {
	r := newRoom(t, t.TempDir()).with(t, turns(
		modeltest.Do(modeltest.Order("buy", "SYN01", 3), modeltest.Order("buy", "SYN02", "2")),
		modeltest.Do(modeltest.Order("sell", "SYN01", 1), modeltest.Order("buy", "NONE", 1)),
		modeltest.Say("Done. <FINISH_SIGNAL>"),
	))
	if err := r.day(t.Context(), 0); err != nil {
		t.Fatal(err, r.log.String())
	}
	e := r.ending(t, 0)
	if e.Reason != EndFinished || e.Steps != 3 {
		t.Errorf("%+v", e)
	}
	for _, e := range r.transcript(t, 0) {
		line, _ := marshal(e)
		t.Log(string(line))
	}
	t.Log(r.ledger(t))
}
