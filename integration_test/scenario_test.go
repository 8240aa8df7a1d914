// Everything that a language model and its API can do to a run, played by a script against the binary.

package integration_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/agent/transcript"
	"mcp-trade/internal/testenv"
)

const firstDay = "2025-01-02" // the first that is traded

// scenario is a model on one day, and what must come of it.
type scenario struct {
	name    string
	script  modeltest.Script
	tuning  object
	end     string // why the day ended; "" if the run fails before
	filled  int
	refused int // calls that failed
	says    string
	code    int
}

func scenarios() []scenario {
	buy := modeltest.Order("buy", "SYN01", 1)
	finish := modeltest.Say("Done. %s", llm.StopSignal)
	// after gives a turn's reply, and ends the day in the next turn.
	after := func(reply modeltest.Reply) modeltest.Script {
		return func(r modeltest.Request) modeltest.Reply {
			if r.Turn == 0 {
				return reply
			}
			return finish
		}
	}
	// first gives a reply to the first try of each request.
	first := func(reply modeltest.Reply) modeltest.Script {
		return func(r modeltest.Request) modeltest.Reply {
			if r.Try == 0 {
				return reply
			}
			return after(modeltest.Do(buy))(r)
		}
	}
	always := func(reply modeltest.Reply) modeltest.Script {
		return func(modeltest.Request) modeltest.Reply { return reply }
	}
	call := func(tool, arguments string) modeltest.Call { return modeltest.Call{Tool: tool, Arguments: arguments} }
	return []scenario{
		{name: "a normal day", script: normalDay, end: transcript.EndFinished, filled: 3},
		{name: "parallel calls", script: after(modeltest.Do(buy, buy, modeltest.Order("sell", "SYN01", 2), modeltest.Order("sell", "SYN01", 1))), end: transcript.EndFinished, filled: 3, refused: 1},
		{name: "calls and the end in one turn", script: after(modeltest.Reply{Text: llm.StopSignal, Calls: []modeltest.Call{buy}}), end: transcript.EndFinished, filled: 1},
		{name: "a number as a string", script: after(modeltest.Do(call("buy", `{"symbol": "syn01", "amount": "2"}`))), end: transcript.EndFinished, filled: 1},
		{name: "an object in a string", script: after(modeltest.Do(call("buy", `"{\"symbol\": \"SYN01\", \"amount\": 2}"`))), end: transcript.EndFinished, filled: 1},
		{name: "words behind the object", script: after(modeltest.Do(call("buy", `{"symbol": "SYN01", "amount": 2} as discussed`))), end: transcript.EndFinished, filled: 1},
		{name: "arguments that are cut off", script: after(modeltest.Do(call("buy", `{"symbol": "SYN01", "amount": 2`))), end: transcript.EndFinished, refused: 1, says: "cut off"},
		{name: "two objects", script: after(modeltest.Do(call("buy", `{"symbol": "SYN01", "amount": 2}{"symbol": "SYN02", "amount": 2}`))), end: transcript.EndFinished, refused: 1, says: "more than one"},
		{name: "wrong tool names", script: after(modeltest.Do(call("purchase", `{}`), call("", `{}`), buy)), end: transcript.EndFinished, filled: 1, refused: 2, says: "There is no tool"},
		{name: "endless tool calling", script: always(modeltest.Do(buy)), tuning: object{"max_steps": 5}, end: transcript.EndMaxSteps, filled: 5},
		{name: "empty texts", script: always(modeltest.Say("")), end: transcript.EndEmpty},
		{name: "one empty text", script: func(r modeltest.Request) modeltest.Reply {
			if strings.Contains(r.LastText(), llm.StopSignal) {
				return after(modeltest.Do(buy))(modeltest.Request{Turn: r.Turn})
			}
			if r.Messages[len(r.Messages)-1].Role == "tool" {
				return finish
			}
			return modeltest.Say("")
		}, end: transcript.EndFinished, filled: 1},
		{name: "a text without calls", script: always(modeltest.Say("I hold.")), end: transcript.EndNoCalls, says: "never wrote " + llm.StopSignal + "; it made no trade"},
		{name: "the stop signal inside a tool result", script: func(r modeltest.Request) modeltest.Reply {
			switch r.Turn {
			case 0:
				return modeltest.Do(call("get_price", `{"symbol": "`+llm.StopSignal+`"}`))
			case 1:
				if !strings.Contains(r.LastText(), "FINISH_SIGNAL") {
					return modeltest.Say("The signal did not come back.")
				}
				return modeltest.Do(buy)
			}
			return finish
		}, end: transcript.EndFinished, filled: 1, refused: 1},
		{name: "429 with Retry-After", script: first(modeltest.Fail(http.StatusTooManyRequests, "0.01")), end: transcript.EndFinished, filled: 1},
		{name: "500", script: first(modeltest.Fail(http.StatusInternalServerError, "")), end: transcript.EndFinished, filled: 1},
		{name: "500 again and again", script: always(modeltest.Fail(http.StatusInternalServerError, "")), tuning: object{"max_retries": 2}, code: 1, says: "answers 500"},
		{name: "401", script: always(modeltest.Fail(http.StatusUnauthorized, "")), code: 1, says: "answers 401"},
		{name: "a reply that never comes", script: first(modeltest.Reply{Hang: true}), tuning: object{"timeout": 0.3}, end: transcript.EndFinished, filled: 1},
		{name: "no reply at all", script: always(modeltest.Reply{Hang: true}), tuning: object{"timeout": 0.1, "max_retries": 1}, code: 1, says: "no reply within 100ms"},
		{name: "a reply cut off", script: first(modeltest.Reply{Text: strings.Repeat("x", 1000), Cut: true}), end: transcript.EndFinished, filled: 1},
		{name: "a reply of 5 MB", script: always(modeltest.Say("%s", strings.Repeat("much ", 1<<20))), tuning: object{"max_retries": 1}, code: 1, says: "longer than"},
		{name: "a refusal", script: always(modeltest.Reply{Refusal: "I cannot trade."}), end: transcript.EndRefused},
		{name: "a page in place of a reply", script: always(modeltest.Reply{Body: "<html>hello</html>"}), tuning: object{"max_retries": 0}, code: 1, says: "the reply is a page"},
		{name: "the key in the text", script: func(r modeltest.Request) modeltest.Reply {
			if r.Turn == 0 {
				return modeltest.Do(buy, call("get_price", `{"symbol": "`+r.Headers.Get("Authorization")+`"}`))
			}
			return modeltest.Say("My key is %s. %s", strings.TrimPrefix(r.Headers.Get("Authorization"), "Bearer "), llm.StopSignal)
		}, end: transcript.EndFinished, filled: 1, refused: 1},
	}
}

func TestEveryScenarioEndsTheDayAsItShould(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	for _, c := range scenarios() {
		for _, stream := range []bool{false, true} {
			t.Run(c.name+map[bool]string{true: ", streamed"}[stream], func(t *testing.T) { play(t, c, stream) })
		}
	}
}

func play(t *testing.T, c scenario, stream bool) {
	p := onFiles(t)
	tuning := object{"stream": stream}
	for key, value := range c.tuning {
		tuning[key] = value
	}
	out := p.try(t, "run", p.config(t, modeltest.Start(t, c.script), firstDay, tuning, "alice"))
	if out.code != c.code {
		t.Fatalf("exit %d, want %d\n%s%s", out.code, c.code, out.stdout, out.stderr)
	}
	p.hides(t, out, modelKey)
	p.childless(t)
	p.verified(t, "alice")
	entries := p.transcript(t, "alice", firstDay)
	text := out.stderr
	filled, refused := 0, 0
	for _, o := range results(entries) {
		text += o.Content
		if o.Filled {
			filled++
		}
		if o.Failed {
			refused++
		}
	}
	if filled != c.filled || refused != c.refused || !strings.Contains(text, c.says) {
		t.Errorf("%d filled and %d refused, want %d and %d; it says %.600s", filled, refused, c.filled, c.refused, text)
	}
	rows := 1 + c.filled // the first, and the trades
	if c.filled == 0 && c.end != "" {
		rows++ // no_trade
	}
	if n := len(p.records(t, "alice")); n != rows {
		t.Errorf("%d rows in the ledger, want %d", n, rows)
	}
	if c.end == "" {
		if n := len(entries); n > 0 && entries[n-1].End != nil {
			t.Error("the day ended")
		}
		return
	}
	if end := p.ending(t, "alice", firstDay); end.Reason != c.end {
		t.Errorf("the day ended as %s, want %s", end.Reason, c.end)
	}
	if log := filepath.Join(p.dir, "agent_data", "alice", "log", firstDay, "log.jsonl"); !exists(log) {
		t.Errorf("%s is not there", log)
	}
}
