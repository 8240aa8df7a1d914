// What the client of every API must do with the replies of a well-behaved one: whole or in pieces, it is the same message.

package modeltest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"mcp-trade/agent/model"
)

// Contract asks for random replies, whole and streamed, and sends each back. open makes the client of an API that this package
// speaks.
func Contract(t *testing.T, open model.Opener) {
	var next atomic.Pointer[Reply]
	s := Start(t, func(Request) Reply { return *next.Load() })
	clients := map[bool]model.Model{}
	for _, stream := range []bool{false, true} {
		m, err := open(model.Settings{Model: "m", BaseURL: s.URL, Stream: stream})
		if err != nil {
			t.Fatal(err)
		}
		clients[stream] = m
	}
	rapid.Check(t, func(r *rapid.T) {
		reply := drawReply(r)
		next.Store(&reply)
		for stream, m := range clients {
			ask := []model.Message{{Role: "user", Content: "hello"}}
			got, err := m.Complete(t.Context(), model.Request{Messages: ask})
			if err != nil {
				r.Fatalf("streamed %v: %v", stream, err)
			}
			if problem := unlike(got, reply); problem != "" {
				r.Fatalf("streamed %v: %s\n%+v\nis not what was sent:\n%+v", stream, problem, got, reply)
			}
			ask = append(ask, got.Message)
			for _, c := range got.Message.Calls {
				ask = append(ask, model.Message{Role: "tool", CallID: c.ID, Content: "r"})
			}
			if len(got.Message.Calls) == 0 {
				ask = append(ask, model.Message{Role: "user", Content: "go on"})
			}
			if _, err := m.Complete(t.Context(), model.Request{Messages: ask}); err != nil {
				r.Fatalf("streamed %v: the history is refused: %v", stream, err)
			}
		}
	})
}

func drawReply(r *rapid.T) Reply {
	text := rapid.OneOf(rapid.Just(""), rapid.String(), rapid.SampledFrom([]string{"größer\n\n", "data: [DONE]", `{"error":1}`, "<think>"}))
	reply := Reply{Text: "x" + text.Draw(r, "text"), Reasoning: text.Draw(r, "reasoning")}
	for i := range rapid.IntRange(0, 4).Draw(r, "calls") {
		arguments := rapid.MapOf(rapid.StringMatching(`[a-z]{1,4}`), text).Draw(r, "arguments")
		raw, err := json.Marshal(arguments)
		if err != nil {
			panic(err) // texts
		}
		reply.Calls = append(reply.Calls, Call{ID: fmt.Sprint("id_", i), Tool: rapid.SampledFrom([]string{"buy", "sell", "bu", "b"}).Draw(r, "tool"), Arguments: string(raw)})
	}
	in := rapid.IntRange(1, 1<<20).Draw(r, "in")
	reply.Usage = &Usage{In: in, Cached: rapid.IntRange(0, in).Draw(r, "cached"), Out: rapid.IntRange(1, 1<<20).Draw(r, "out")}
	return reply
}

// unlike says in which way a reply is not what was sent, "" if it is.
func unlike(got model.Reply, sent Reply) string {
	m, u := got.Message, *sent.Usage
	switch {
	case m.Content != sent.Text || m.Reasoning != sent.Reasoning || m.Refusal != "":
		return "the text or the reasoning"
	case got.Usage != model.Usage{In: u.In, Cached: u.Cached, Out: u.Out}:
		return "the usage"
	case len(m.Calls) != len(sent.Calls):
		return "the number of calls"
	case model.StopOf(got.Finish) != model.Done:
		return "the reason"
	}
	for i, c := range m.Calls {
		var is, was any
		if json.Unmarshal([]byte(c.Arguments), &is) != nil || json.Unmarshal([]byte(sent.Calls[i].Arguments), &was) != nil || !reflect.DeepEqual(is, was) {
			return "the arguments of a call"
		}
		if c.ID != sent.Calls[i].ID || c.Tool != sent.Calls[i].Tool {
			return "a call"
		}
	}
	return ""
}

// CanBeKept checks that a reply is fit for a transcript, whatever the API sent: it can be encoded, tells no secret, and each call has an
// id of its own.
func CanBeKept(t testing.TB, r model.Reply, secret string) {
	t.Helper()
	raw, err := json.Marshal(r)
	if err != nil || strings.Contains(string(raw), secret) {
		t.Fatalf("%v: %s", err, raw)
	}
	ids := map[string]bool{}
	for _, call := range r.Message.Calls {
		if ids[call.ID] || call.ID == "" {
			t.Fatalf("the id %q is used twice", call.ID)
		}
		ids[call.ID] = true
	}
}
