// The conversation of a day as the model sees it. It follows from the transcript alone, so that it is the same after an
// interruption.

package agent

import (
	"fmt"
	"slices"
	"strings"
)

// conversation is what the model is sent next.
func conversation(entries []Entry) []Message {
	var messages []Message
	var calls []Call
	for _, e := range entries {
		switch {
		case e.Begin != nil:
			messages = append(messages, e.Begin.Messages...)
		case e.Reply != nil:
			calls = e.Reply.Message.Calls
			// Endpoints refuse a turn of nothing. The model is told of it in the next message.
			if m := e.Reply.Message; m.Content != "" || len(m.Calls) > 0 {
				messages = append(messages, m)
			}
		case e.Result != nil && e.Result.Call <= len(calls):
			messages = append(messages, Message{Role: "tool", Content: e.Result.Content, CallID: calls[e.Result.Call-1].ID})
		case e.Nudge != nil:
			messages = append(messages, *e.Nudge)
		}
	}
	return messages
}

// perMessage is what a message takes beside its texts, in bytes or tokens.
const perMessage = 16

// bytesIn is about how large a conversation is on the wire.
func bytesIn(messages []Message) int {
	n := 0
	for _, m := range messages {
		n += perMessage + len(m.Content) + len(m.Reasoning) + len(m.Refusal)
		for _, c := range m.Calls {
			n += perMessage + len(c.ID) + len(c.Tool) + len(c.Arguments)
		}
	}
	return n
}

// gauge tells tokens from bytes, by the newest reply whose tokens were counted.
type gauge struct{ in, sent int }

func gaugeOf(entries []Entry) gauge {
	for _, e := range slices.Backward(entries) {
		if r := e.Reply; r != nil && !r.Usage.Estimated && r.Usage.In > 0 && r.Sent > 0 {
			return gauge{r.Usage.In, r.Sent}
		}
	}
	return gauge{}
}

// likely is how many tokens a text of so many bytes has.
func (g gauge) likely(bytes int) int {
	if g.sent == 0 {
		return bytes * 2 / 5 // figures and tickers are short words
	}
	return int(int64(bytes) * int64(g.in) / int64(g.sent))
}

// most is how many it has at most: what was added since the newest reply may be a token a byte.
func (g gauge) most(bytes int) int { return g.in + max(bytes-g.sent, 0) }

// shrunk is a conversation that fits into a number of tokens, with fixed bytes beside it: the oldest results give way first.
// A model that needs one again can call again.
func shrunk(messages []Message, fixed int, g gauge, tokens int) []Message {
	const keep = 160
	excess := func(size int) bool { return g.likely(size+fixed) > tokens }
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
		head, _, _ := strings.Cut(bounded(m.Content, keep), "\n[cut:")
		messages[i].Content = fmt.Sprintf("%s\n[shortened from %d bytes, since the conversation grew long]", head, len(m.Content))
		size += len(messages[i].Content) - len(m.Content)
	}
	return messages
}
