// Transcripts that a day goes on from, whatever they hold.

package llm

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"mcp-trade/agent"
	"mcp-trade/agent/model"
	"mcp-trade/agent/transcript"
	"mcp-trade/store/filestore"
)

// asked is a model that keeps what it is asked, and ends the day.
type asked struct{ requests []model.Request }

func (a *asked) Complete(_ context.Context, r model.Request) (model.Reply, error) {
	a.requests = append(a.requests, r)
	return model.Reply{Message: model.Message{Role: "assistant", Content: "Done. " + StopSignal}}, nil
}

var sendable = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// canBeSent fails the test for a conversation that endpoints refuse because of what a model wrote.
func canBeSent(t *testing.T, messages []model.Message) {
	t.Helper()
	used := map[string]bool{}
	for _, m := range messages {
		for _, c := range m.Calls {
			var object map[string]json.RawMessage
			if c.ID == "" || used[c.ID] || !sendable.MatchString(c.Tool) || json.Unmarshal([]byte(c.Arguments), &object) != nil || object == nil {
				t.Fatalf("the call %+v cannot be sent in\n%+v", c, messages)
			}
			used[c.ID] = true
		}
	}
}

func FuzzTranscript(f *testing.F) {
	const begin = `{"begin":{"ledger":"","messages":[{"role":"system","content":"s"},{"role":"user","content":"u"}]}}` + "\n"
	f.Add([]byte(begin + `{"reply":{"step":1,"message":{"role":"assistant","calls":[{"id":"a","tool":"functions.buy","arguments":"{\"symbol\":\"X\"}"},{"id":"a","tool":"b uy","arguments":"\"{}\""},{"id":"","tool":"","arguments":"{"}]}}}` + "\n" +
		`{"result":{"step":1,"call":1,"content":"filled"}}` + "\n" + `{"ask":{"step":2}}` + "\n" + `{"reply":{"step":2,"message":{"role":"assistant","content":"<tool_call>{}"},"finish":"length"}}` + "\n"))
	f.Add([]byte(begin + `{"reply":{"step":1,"message":{"role":"assistant","calls":[{"id":"call_2_1","tool":"buy","arguments":"null"}]}}}` + "\n" +
		`{"reply":{"step":2,"message":{"role":"assistant","calls":[{"id":"call_2_1","tool":"buy","arguments":"[1]"},{"tool":"buy","arguments":"{}{}"}]}}}` + "\n" + `{"result":{"step":2,"call":65,"content":"x"}}` + "\n"))
	f.Add([]byte(begin + `{"reply":null}` + "\n" + `{"result":{"step":-1,"call":-1}}` + "\n" + `{"nudge":{}}` + "\n" + `{"result":{"call":65}}` + "\n"))
	dir := f.TempDir()
	path := transcript.File(dir, "alice", "2025-01-02")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.Fatal(err)
	}
	now := func() time.Time { return time.Date(2025, 11, 1, 12, 0, 0, 0, time.UTC) }
	clock := Clock{Now: now, Jitter: func() float64 { return 0 }, Sleep: func(context.Context, time.Duration) error { return nil }}
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		p := &paper{}
		var err error
		if p.journal, err = transcript.Open(t.Context(), filestore.New(dir, dir), 0, "alice", "2025-01-02", now); err != nil {
			return
		}
		defer p.journal.Close()
		var written int // calls in what stands there beside replies, as which no model wrote them
		for _, e := range p.journal.Entries {
			if e.Begin != nil {
				for _, m := range e.Begin.Messages {
					written += len(m.Calls)
				}
			}
			if e.Nudge != nil {
				written += len(e.Nudge.Calls)
			}
		}
		m := &asked{}
		decider, err := New(Options{MaxSteps: 5, Context: 2000}, func(model.Settings) (model.Model, error) { return m, nil }, clock, nil)
		if err != nil {
			t.Fatal(err)
		}
		trader, err := decider.Open(t.Context(), "alice", p)
		if err != nil {
			t.Fatal(err)
		}
		defer trader.Close()
		err = trader.Decide(t.Context(), &agent.Day{Account: "alice", Date: "2025-01-02", Log: zerolog.Nop(), Broker: p})
		if errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		for _, r := range m.requests {
			if written == 0 {
				canBeSent(t, r.Messages)
			}
		}
	})
}
