// The conversation of a day as the model sees it. It follows from the transcript alone, so that it is the same after an
// interruption.

package llm

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"mcp-trade/agent/model"
	"mcp-trade/agent/transcript"
	"mcp-trade/internal/clip"
	"mcp-trade/internal/rawjson"
)

// conversation is what the model is sent next. The transcript has what the model wrote; endpoints refuse a history that is not as
// they would have had it, so what is sent is in order: arguments are objects, tools have names that can be names, and no id
// comes twice.
func (c *toolCatalog) conversation(entries []transcript.Entry) []model.Message {
	var messages []model.Message
	var calls []model.Call // of the newest reply, as they are sent
	used := map[string]bool{}
	for _, e := range entries {
		switch {
		case e.Begin != nil:
			messages = append(messages, e.Begin.Messages...)
		case e.Reply != nil:
			m := e.Reply.Message
			calls = c.sentCalls(*e.Reply, used)
			m.Calls = calls
			// Endpoints refuse a turn of nothing. The model is told of it in the next message.
			if m.Content != "" || len(m.Calls) > 0 {
				messages = append(messages, m)
			}
		case e.Result != nil && e.Result.Call <= len(calls):
			messages = append(messages, model.Message{Role: "tool", Content: e.Result.Content, CallID: calls[e.Result.Call-1].ID})
		case e.Result != nil && e.Result.Call == maxCalls+1:
			messages[len(messages)-1].Content += "\n" + e.Result.Content // of all calls that are not sent back
		case e.Nudge != nil:
			messages = append(messages, *e.Nudge)
		}
	}
	return messages
}

// sentCalls are the calls of a turn as they are sent back. used are the ids of the turns before.
func (c *toolCatalog) sentCalls(r transcript.Reply, used map[string]bool) []model.Call {
	made := r.Message.Calls
	sent := slices.Clone(made[:min(len(made), maxCalls)])
	for i := range sent {
		call := &sent[i]
		call.Tool, call.Arguments = c.sentName(call.Tool), sentArguments(call.Arguments)
		for n := 0; call.ID == "" || used[call.ID]; n++ {
			call.ID = fmt.Sprintf("call_%d_%d", r.Step, i+1+n*maxCalls)
		}
		used[call.ID] = true
	}
	return sent
}

// maxName is how long a name of a tool can be.
const maxName = 64

// sentName is a name as endpoints take it: ^[a-zA-Z0-9_-]{1,64}$.
func (c *toolCatalog) sentName(name string) string {
	if t, ok := c.find(name); ok {
		return t.Name
	}
	plain := strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
	return cmp.Or(plain[:min(len(plain), maxName)], "unknown")
}

// sentArguments are arguments as endpoints take them: an object, as it was written or as it was understood.
func sentArguments(text string) string {
	arguments, err := readArguments(text)
	written := strings.TrimSpace(text)
	if strings.HasPrefix(written, "{") && len(text) <= maxArguments && json.Valid([]byte(written)) {
		return text
	}
	if err != nil {
		return "{}"
	}
	object, err := rawjson.Marshal(arguments)
	if err != nil {
		return "{}"
	}
	return string(object)
}

// perMessage is what a message takes beside its texts, in bytes or tokens.
const perMessage = 16

// bytesIn is about how large a conversation is on the wire.
func bytesIn(messages []model.Message) int {
	n := 0
	for _, m := range messages {
		n += perMessage + len(m.Content) + len(m.Refusal) + max(len(m.Reasoning), len(m.Extra))
		for _, c := range m.Calls {
			n += perMessage + len(c.ID) + len(c.Tool) + len(c.Arguments) + len(c.Extra)
		}
	}
	return n
}

// bytesInTools is how large the tools are on the wire.
func bytesInTools(tools []model.Tool) int {
	n := 0
	for _, t := range tools {
		n += 2*perMessage + len(t.Name) + len(t.Description) + len(t.Schema)
	}
	return n
}

// tokenEstimator tells tokens from bytes, by the newest reply whose tokens were counted.
type tokenEstimator struct{ in, sent int }

func newTokenEstimator(entries []transcript.Entry) tokenEstimator {
	for _, e := range slices.Backward(entries) {
		if r := e.Reply; r != nil && !r.Usage.Estimated && r.Usage.In > 0 && r.Sent > 0 {
			return tokenEstimator{r.Usage.In, r.Sent}
		}
	}
	return tokenEstimator{}
}

// estimate is how many tokens a text of so many bytes has.
func (e tokenEstimator) estimate(bytes int) int {
	if e.sent == 0 {
		return bytes * 2 / 5 // figures and tickers are short words
	}
	return int(int64(bytes) * int64(e.in) / int64(e.sent))
}

// upperBound is how many it has at most: what was added since the newest reply may be a token a byte.
func (e tokenEstimator) upperBound(bytes int) int { return e.in + max(bytes-e.sent, 0) }

// truncateOldResults returns a conversation that fits into a number of tokens, with fixed bytes beside it: the oldest results give way first.
// A model that needs one again can call again.
func truncateOldResults(messages []model.Message, fixed int, e tokenEstimator, tokens int) []model.Message {
	const keep = 160
	excess := func(size int) bool { return e.estimate(size+fixed) > tokens }
	size := bytesIn(messages)
	if !excess(size) {
		return messages
	}
	messages = slices.Clone(messages)
	for i, m := range messages {
		if !excess(size) {
			break
		}
		if m.Role != "tool" || len(m.Content) <= 2*keep {
			continue
		}
		head, _, _ := strings.Cut(clip.Bytes(m.Content, keep), "\n[cut:")
		messages[i].Content = fmt.Sprintf("%s\n[shortened from %d bytes, since the conversation grew long]", head, len(m.Content))
		size += len(messages[i].Content) - len(m.Content)
	}
	return messages
}

// dropOldTurns returns a conversation that fits into a number of tokens: the oldest turns are left out, each with its results, but
// not the first messages and not the newest turn.
func dropOldTurns(messages []model.Message, fixed int, e tokenEstimator, tokens int) []model.Message {
	isTurn := func(m model.Message) bool { return m.Role == "assistant" }
	begin := slices.IndexFunc(messages, isTurn)
	dropped := 0
	for begin > 0 && e.estimate(bytesIn(messages)+fixed) > tokens {
		next := slices.IndexFunc(messages[begin+1:], isTurn)
		if next < 0 {
			break
		}
		messages = slices.Concat(messages[:begin], messages[begin+1+next:])
		dropped++
	}
	if dropped > 0 {
		messages[begin-1].Content += fmt.Sprintf("\n[%d turns that followed are left out, since the conversation grew long]", dropped)
	}
	return messages
}
