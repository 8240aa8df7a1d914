// A day's conversation with a model that is a function and a broker of paper. With a server and an API it is tested in
// agent/runner and from outside.

package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/rs/zerolog"

	"mcp-trade/agent"
	"mcp-trade/agent/model"
	"mcp-trade/agent/transcript"
	"mcp-trade/decimal"
	"mcp-trade/store/filestore"
)

// replies is a model that replies, or fails, in this order, and then ends the day.
type replies []any

func (r *replies) Complete(ctx context.Context, _ model.Request) (model.Reply, error) {
	if len(*r) == 0 {
		return model.Reply{Message: model.Message{Role: "assistant", Content: "Done. " + StopSignal}}, nil
	}
	next := (*r)[0]
	*r = (*r)[1:]
	switch next := next.(type) {
	case model.Reply:
		return next, nil
	case model.Call:
		return model.Reply{Message: model.Message{Role: "assistant", Calls: []model.Call{next}}}, nil
	case error:
		return model.Reply{}, next
	}
	<-ctx.Done()
	return model.Reply{}, ctx.Err()
}

// silence is a reply that never comes.
var silence any

// paper is a broker that fills every order, and a server that offers to take them.
type paper struct {
	agent.Broker // of what is not asked for here
	journal      *transcript.Journal
	called       []string
	log          strings.Builder
}

func (p *paper) Journal() (*transcript.Journal, error) { return p.journal, nil }
func (p *paper) Spent() transcript.Spending            { return transcript.Spending{} }
func (p *paper) Step(agent.Step)                       {}

func (p *paper) Standing(context.Context) (agent.Standing, error) { return agent.Standing{}, nil }

func (p *paper) Call(_ context.Context, tool string, arguments map[string]json.RawMessage) (agent.Answer, error) {
	p.called = append(p.called, fmt.Sprintf("%s %s %s", tool, arguments["symbol"], arguments[orderID]))
	return agent.Answer{Text: "filled", Filled: true}, nil
}

func (p *paper) Tools(context.Context) ([]mcp.Tool, error) {
	return []mcp.Tool{mcp.NewTool("buy", mcp.WithString("symbol"), mcp.WithString(orderID))}, nil
}

func (p *paper) Prompt(context.Context, string) (string, error) { return "Today is 2025-01-02.", nil }

// trade has a model trade a day, and tells how long it waited for it between tries.
func trade(t *testing.T, o Options, halted bool, says ...any) (p *paper, waited time.Duration, err error) {
	t.Helper()
	now := func() time.Time { return time.Date(2025, 11, 1, 12, 0, 0, 0, time.UTC) }
	clock := Clock{Now: now, Jitter: func() float64 { return 1 }, Sleep: func(ctx context.Context, d time.Duration) error { waited += d; return ctx.Err() }}
	script := replies(says)
	decider, err := New(o, func(model.Settings) (model.Model, error) { return &script, nil }, clock, nil)
	if err != nil {
		t.Fatal(err)
	}
	p = &paper{}
	dir := t.TempDir()
	if p.journal, err = transcript.Open(t.Context(), filestore.New(dir, dir), 0, "alice", "2025-01-02", now); err != nil {
		t.Fatal(err)
	}
	defer p.journal.Close()
	trader, err := decider.Open(t.Context(), "alice", p)
	if err != nil {
		t.Fatal(err)
	}
	defer trader.Close()
	err = trader.Decide(t.Context(), &agent.Day{Account: "alice", Date: "2025-01-02", Halted: halted, Log: zerolog.New(&p.log), Broker: p})
	return p, waited, err
}

func TestTrader_Decide(t *testing.T) {
	buy := model.Call{ID: "a", Tool: "buy", Arguments: `{"symbol": "AAPL"}`}
	p, _, err := trade(t, Options{}, false, buy, buy)
	if got := strings.Join(p.called, ", "); err != nil || got != `buy "AAPL" "2025-01-02#1.1", buy "AAPL" "2025-01-02#2.1"` {
		t.Errorf("%s, %v", got, err)
	}
	if last := p.journal.Entries[len(p.journal.Entries)-1].End; last == nil || last.Reason != transcript.EndFinished || last.Steps != 3 {
		t.Errorf("the day ends with %+v", last)
	}
	var stop *agent.HaltedError
	if p, _, err = trade(t, Options{}, true, buy); !errors.As(err, &stop) || stop.Ended || len(p.journal.Entries) > 0 {
		t.Errorf("while trading is halted: %v, %d entries", err, len(p.journal.Entries))
	}
}

func TestTrader_Decide_Retries(t *testing.T) {
	busy := &model.Error{Message: "busy", Status: 503, Retryable: true}
	asks := &model.Error{Message: "too many", Status: 429, Retryable: true, After: 7 * time.Second}
	long := &model.Error{Message: "too many", Status: 429, Retryable: true, After: time.Hour}
	cut := &model.Error{Message: "cut off", Retryable: true, MayHaveCost: true}
	price := decimal.NewFromInt(1)
	for _, c := range []struct {
		name   string
		says   []any
		want   string // "": the day ends well
		waited time.Duration
		paid   int // tries that may have cost something
	}{
		{"busy twice", []any{busy, busy}, "", 3 * time.Second, 0},
		{"busy for too long", []any{busy, busy, busy}, "busy (tried 3 times)", 3 * time.Second, 0},
		{"it asks for time", []any{asks}, "", 7 * time.Second, 0},
		{"it asks for an hour", []any{long}, "too many; it asks to be left alone for 1h0m0s", 0, 0},
		{"a wrong key", []any{&model.Error{Message: "wrong key", Status: 401}}, "wrong key", 0, 0},
		{"a reply cut off", []any{cut}, "", time.Second, 1},
		{"no reply in time", []any{silence}, "", time.Second, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Options{MaxRetries: 2, Prices: &model.Prices{In: price, Out: price}}
			if c.says[0] == silence {
				o.Timeout = 20 * time.Millisecond
			}
			p, waited, err := trade(t, o, false, c.says...)
			if (err == nil) != (c.want == "") || err != nil && err.Error() != c.want || waited != c.waited {
				t.Errorf("%v after %v, want %q after %v", err, waited, c.want, c.waited)
			}
			paid := 0
			for _, e := range p.journal.Entries {
				if e.Retry != nil && e.Retry.Cost != nil {
					paid++
				}
			}
			if paid != c.paid {
				t.Errorf("%d tries may have cost something, want %d", paid, c.paid)
			}
		})
	}
}
