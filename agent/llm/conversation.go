// The conversation of a day as the model sees it. It follows from the transcript alone, so that it is the same after an
// interruption.

package llm

import (
	"fmt"
	"slices"
	"strings"

	"mcp-trade/agent/model"
	"mcp-trade/agent/transcript"
	"mcp-trade/internal/clip"
)

// conversation is what the model is sent next.
func conversation(entries []transcript.Entry) []model.Message {
	var messages []model.Message
	var calls []model.Call
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
			messages = append(messages, model.Message{Role: "tool", Content: e.Result.Content, CallID: calls[e.Result.Call-1].ID})
		case e.Nudge != nil:
			messages = append(messages, *e.Nudge)
		}
	}
	return messages
}

// perMessage is what a message takes beside its texts, in bytes or tokens.
const perMessage = 16

// bytesIn is about how large a conversation is on the wire.
func bytesIn(messages []model.Message) int {
	n := 0
	for _, m := range messages {
		n += perMessage + len(m.Content) + len(m.Reasoning) + len(m.Refusal)
		for _, c := range m.Calls {
			n += perMessage + len(c.ID) + len(c.Tool) + len(c.Arguments)
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
