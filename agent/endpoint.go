// The endpoint of a model: one chat completion, whole or streamed.

package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	openai "github.com/sashabaranov/go-openai"
)

// endpoint asks a model. It is safe for concurrent use.
type endpoint struct {
	LLM
	wire   *wire
	client *openai.Client
}

func newEndpoint(o LLM) *endpoint {
	w := newWire(o)
	config := openai.DefaultConfig(o.Key)
	config.BaseURL, config.HTTPClient = o.BaseURL, w
	return &endpoint{o, w, openai.NewClientWithConfig(config)}
}

// ask has the model reply to a conversation. The time is bounded, the size too. Errors hold no secret.
func (e *endpoint) ask(ctx context.Context, messages []Message, tools []tool) (Reply, error) {
	asked, cancel := context.WithTimeout(ctx, e.Timeout)
	defer cancel()
	request := e.request(messages, tools)
	ask := e.whole
	if e.Stream {
		ask = e.streamed
	}
	reply, err := ask(withExtras(asked, messages), request)
	switch {
	case err == nil:
		return e.clean(reply), nil
	case ctx.Err() != nil:
		return Reply{}, ctx.Err()
	case asked.Err() != nil:
		return Reply{}, &noReplyError{fmt.Errorf("no reply within %v", e.Timeout)}
	}
	return Reply{}, e.wire.plain(err)
}

func (e *endpoint) request(messages []Message, tools []tool) openai.ChatCompletionRequest {
	r := openai.ChatCompletionRequest{
		Model: e.Model, Seed: e.Seed, ReasoningEffort: e.ReasoningEffort, MaxCompletionTokens: e.MaxCompletionTokens,
		Temperature: sampling(e.Temperature), TopP: sampling(e.TopP),
	}
	if reasons(e.Model) {
		r.MaxCompletionTokens = e.maxReplyTokens()
	} else {
		//lint:ignore SA1019 OpenAI has another name for it by now; most other endpoints know this one only
		r.MaxTokens = e.MaxTokens
	}
	for _, m := range messages {
		r.Messages = append(r.Messages, wireMessage(m))
	}
	for _, t := range tools {
		r.Tools = append(r.Tools, openai.Tool{Type: openai.ToolTypeFunction, Function: &openai.FunctionDefinition{
			Name: t.name, Description: t.description, Strict: t.strict, Parameters: t.schema,
		}})
	}
	return r
}

// reasons tells whether a model is one of OpenAI's that know max_tokens no more.
func reasons(model string) bool {
	for _, series := range []string{"o1", "o3", "o4", "gpt-5", "gpt-6"} {
		if strings.HasPrefix(model, series) {
			return true
		}
	}
	return false
}

// check finds settings that the library does not send to a model of that name.
func (e *endpoint) check() error {
	request := e.request(nil, []tool{{name: "buy"}})
	if err := openai.NewReasoningValidator().Validate(request); err != nil {
		return fmt.Errorf("%s cannot be asked with these settings: %w", e.Model, err)
	}
	return nil
}

// sampling is a value as the library wants it: it leaves out a zero, which is not the same as an endpoint's own value.
func sampling(v *float64) float32 {
	switch {
	case v == nil:
		return 0
	case *v == 0:
		return math.SmallestNonzeroFloat32
	}
	return float32(*v)
}

func wireMessage(m Message) openai.ChatCompletionMessage {
	w := openai.ChatCompletionMessage{Role: m.Role, Content: m.Content, ReasoningContent: m.Reasoning, ToolCallID: m.CallID}
	for _, c := range m.Calls {
		w.ToolCalls = append(w.ToolCalls, openai.ToolCall{
			ID: c.ID, Type: openai.ToolTypeFunction, Function: openai.FunctionCall{Name: c.Tool, Arguments: c.Arguments},
		})
	}
	return w
}

// whole receives a reply in one piece.
func (e *endpoint) whole(ctx context.Context, request openai.ChatCompletionRequest) (Reply, error) {
	response, err := e.client.CreateChatCompletion(ctx, request)
	if err != nil {
		return Reply{}, err
	}
	if len(response.Choices) == 0 {
		return Reply{}, errors.New("the reply holds no message")
	}
	c := response.Choices[0]
	m := Message{Role: "assistant", Content: c.Message.Content, Refusal: c.Message.Refusal, Reasoning: c.Message.ReasoningContent}
	for _, part := range c.Message.MultiContent {
		m.Content += part.Text
	}
	for _, call := range c.Message.ToolCalls {
		m.Calls = append(m.Calls, Call{ID: call.ID, Tool: call.Function.Name, Arguments: call.Function.Arguments})
	}
	extrasOf(ctx).whole(&m)
	return Reply{Message: m, Finish: string(c.FinishReason), Usage: usageOf(&response.Usage)}, nil
}

// streamed receives a reply in pieces and puts them together.
func (e *endpoint) streamed(ctx context.Context, request openai.ChatCompletionRequest) (Reply, error) {
	request.StreamOptions = &openai.StreamOptions{IncludeUsage: true}
	stream, err := e.client.CreateChatCompletionStream(ctx, request)
	if err != nil {
		return Reply{}, err
	}
	defer stream.Close()
	r := Reply{Message: Message{Role: "assistant"}}
	var places []int // of the calls, as the endpoint numbers them
	for size := 0; ; {
		raw, chunk, err := receive(stream)
		switch {
		case errors.Is(err, io.EOF) && r.Finish == "":
			return Reply{}, &noReplyError{errors.New("the reply is cut off")}
		case errors.Is(err, io.EOF):
			return r, nil
		case err != nil:
			return Reply{}, err
		}
		if chunk.Usage != nil {
			r.Usage = usageOf(chunk.Usage)
		}
		if len(chunk.Choices) == 0 {
			continue
		}
		c := chunk.Choices[0]
		if c.FinishReason != "" && c.FinishReason != openai.FinishReasonNull {
			r.Finish = string(c.FinishReason)
		}
		r.Message.Content += c.Delta.Content
		r.Message.Refusal += c.Delta.Refusal
		r.Message.Reasoning += c.Delta.ReasoningContent
		for _, piece := range c.Delta.ToolCalls {
			places = addPiece(&r.Message, places, piece)
			size += len(piece.Function.Arguments)
		}
		extrasOf(ctx).piece(&r.Message, raw)
		if size += len(c.Delta.Content) + len(c.Delta.Refusal) + len(c.Delta.ReasoningContent); size > maxReply {
			return Reply{}, errTooLong
		}
	}
}

func receive(stream *openai.ChatCompletionStream) (raw []byte, chunk openai.ChatCompletionStreamResponse, err error) {
	if raw, err = stream.RecvRaw(); err == nil {
		err = json.Unmarshal(raw, &chunk)
	}
	return raw, chunk, err
}

// addPiece adds a piece of a call. It belongs to the call of its number, unless it begins another one: not every endpoint
// numbers calls, or numbers them apart.
func addPiece(m *Message, places []int, piece openai.ToolCall) []int {
	at := len(m.Calls) - 1
	if piece.Index != nil {
		at = -1
		for i, place := range places {
			if place == *piece.Index {
				at = i // the newest of that number
			}
		}
	}
	if at < 0 || piece.ID != "" && m.Calls[at].ID != "" && piece.ID != m.Calls[at].ID {
		place := -1
		if piece.Index != nil {
			place = *piece.Index
		}
		m.Calls, places = append(m.Calls, Call{}), append(places, place)
		at = len(m.Calls) - 1
	}
	c := &m.Calls[at]
	if piece.ID != "" {
		c.ID = piece.ID
	}
	c.Tool += piece.Function.Name
	c.Arguments += piece.Function.Arguments
	return places
}

func usageOf(u *openai.Usage) Usage {
	usage := Usage{In: u.PromptTokens, Out: u.CompletionTokens}
	if u.PromptTokensDetails != nil {
		usage.Cached = min(u.PromptTokensDetails.CachedTokens, usage.In)
	}
	return usage
}

// clean makes sure that a reply can be kept and sent back: it holds no key, and each call has an id of its own.
func (e *endpoint) clean(r Reply) Reply {
	m := &r.Message
	for _, text := range []*string{&m.Content, &m.Refusal, &m.Reasoning, &r.Finish} {
		*text = strings.ToValidUTF8(e.wire.scrub(*text), "\uFFFD")
	}
	seen := map[string]bool{}
	for i := range m.Calls {
		c := &m.Calls[i]
		c.ID = strings.ToValidUTF8(e.wire.scrub(c.ID), "")
		c.Tool, c.Arguments = strings.ToValidUTF8(e.wire.scrub(c.Tool), ""), strings.ToValidUTF8(e.wire.scrub(c.Arguments), "\uFFFD")
		if len(c.Extra) > 0 {
			c.Extra = json.RawMessage(e.wire.scrub(string(c.Extra)))
		}
		if c.ID == "" || seen[c.ID] {
			c.ID = fmt.Sprintf("call_%d", i+1)
		}
		seen[c.ID] = true
	}
	return r
}

// toolBytes is how large the tools are on the wire.
func toolBytes(tools []tool) int {
	n := 0
	for _, t := range tools {
		n += 2*perMessage + len(t.name) + len(t.description) + len(t.schema)
	}
	return n
}
