// Package openai is the client of an OpenAI-compatible API of models: one chat completion, whole or streamed.
//
// This file makes requests and reads replies; transport.go is the connection, extra.go what the library does not know.
package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"mcp-trade/agent/model"
)

// Client asks a model. It is safe for concurrent use.
type Client struct {
	model.Settings
	transport *httpTransport
	client    *openai.Client
}

// New returns the client of a model. It connects to nothing yet. An error is a mistake in the settings. now tells the time, for
// an endpoint that says until when it wants to be left alone.
func New(s model.Settings, now func() time.Time) (*Client, error) {
	if s.Model == "" || s.BaseURL == "" {
		return nil, errors.New("a language model needs a name and the address of its endpoint")
	}
	t := newTransport(s.Key, now)
	config := openai.DefaultConfig(s.Key)
	config.BaseURL, config.HTTPClient = s.BaseURL, t
	c := &Client{s, t, openai.NewClientWithConfig(config)}
	if err := c.check(); err != nil {
		return nil, err
	}
	return c, nil
}

// Complete has the model reply to a conversation. The size of the reply is bounded. Errors hold no secret.
func (c *Client) Complete(ctx context.Context, r model.Request) (model.Reply, error) {
	complete := c.whole
	if c.Stream {
		complete = c.streamed
	}
	reply, err := complete(withExtras(ctx, r.Messages), c.request(r))
	switch {
	case err == nil:
		return c.clean(reply), nil
	case ctx.Err() != nil:
		return model.Reply{}, ctx.Err()
	}
	return model.Reply{}, c.transport.plain(err)
}

func (c *Client) request(asked model.Request) openai.ChatCompletionRequest {
	r := openai.ChatCompletionRequest{
		Model: c.Model, Seed: c.Seed, ReasoningEffort: c.ReasoningEffort, MaxCompletionTokens: c.MaxCompletionTokens,
		Temperature: sampling(c.Temperature), TopP: sampling(c.TopP),
	}
	if reasons(c.Model) {
		r.MaxCompletionTokens = c.MaxReplyTokens()
	} else {
		//lint:ignore SA1019 OpenAI has another name for it by now; most other endpoints know this one only
		r.MaxTokens = c.MaxTokens
	}
	for _, m := range asked.Messages {
		r.Messages = append(r.Messages, wireMessage(m))
	}
	for _, t := range asked.Tools {
		r.Tools = append(r.Tools, openai.Tool{Type: openai.ToolTypeFunction, Function: &openai.FunctionDefinition{
			Name: t.Name, Description: t.Description, Strict: t.Strict, Parameters: t.Schema,
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
func (c *Client) check() error {
	request := c.request(model.Request{Tools: []model.Tool{{Name: "buy"}}})
	if err := openai.NewReasoningValidator().Validate(request); err != nil {
		return fmt.Errorf("%s cannot be asked with these settings: %w", c.Model, err)
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

func wireMessage(m model.Message) openai.ChatCompletionMessage {
	w := openai.ChatCompletionMessage{Role: m.Role, Content: m.Content, ReasoningContent: m.Reasoning, ToolCallID: m.CallID}
	for _, c := range m.Calls {
		w.ToolCalls = append(w.ToolCalls, openai.ToolCall{
			ID: c.ID, Type: openai.ToolTypeFunction, Function: openai.FunctionCall{Name: c.Tool, Arguments: c.Arguments},
		})
	}
	return w
}

// whole receives a reply in one piece.
func (c *Client) whole(ctx context.Context, request openai.ChatCompletionRequest) (model.Reply, error) {
	response, err := c.client.CreateChatCompletion(ctx, request)
	if err != nil {
		return model.Reply{}, err
	}
	if len(response.Choices) == 0 {
		return model.Reply{}, errors.New("the reply holds no message")
	}
	choice := response.Choices[0]
	m := model.Message{Role: "assistant", Content: choice.Message.Content, Refusal: choice.Message.Refusal, Reasoning: choice.Message.ReasoningContent}
	for _, part := range choice.Message.MultiContent {
		m.Content += part.Text
	}
	for _, call := range choice.Message.ToolCalls {
		m.Calls = append(m.Calls, model.Call{ID: call.ID, Tool: call.Function.Name, Arguments: call.Function.Arguments})
	}
	extrasOf(ctx).whole(&m)
	return model.Reply{Message: m, Finish: string(choice.FinishReason), Usage: usageOf(&response.Usage)}, nil
}

// streamed receives a reply in pieces and puts them together.
func (c *Client) streamed(ctx context.Context, request openai.ChatCompletionRequest) (model.Reply, error) {
	request.StreamOptions = &openai.StreamOptions{IncludeUsage: true}
	stream, err := c.client.CreateChatCompletionStream(ctx, request)
	if err != nil {
		return model.Reply{}, err
	}
	defer stream.Close()
	r := model.Reply{Message: model.Message{Role: "assistant"}}
	var places []int // of the calls, as the endpoint numbers them
	for size := 0; ; {
		raw, chunk, err := receive(stream)
		switch {
		case errors.Is(err, io.EOF) && r.Finish == "":
			return model.Reply{}, errCutOff
		case errors.Is(err, io.EOF):
			return r, nil
		case err != nil:
			return model.Reply{}, err
		}
		if chunk.Usage != nil {
			r.Usage = usageOf(chunk.Usage)
		}
		if len(chunk.Choices) == 0 {
			continue
		}
		choice := chunk.Choices[0]
		if choice.FinishReason != "" && choice.FinishReason != openai.FinishReasonNull {
			r.Finish = string(choice.FinishReason)
		}
		r.Message.Content += choice.Delta.Content
		r.Message.Refusal += choice.Delta.Refusal
		r.Message.Reasoning += choice.Delta.ReasoningContent
		for _, piece := range choice.Delta.ToolCalls {
			places = addPiece(&r.Message, places, piece)
			size += len(piece.Function.Arguments)
		}
		extrasOf(ctx).piece(&r.Message, raw)
		if size += len(choice.Delta.Content) + len(choice.Delta.Refusal) + len(choice.Delta.ReasoningContent); size > maxReply {
			return model.Reply{}, errTooLong
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
func addPiece(m *model.Message, places []int, piece openai.ToolCall) []int {
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
		m.Calls, places = append(m.Calls, model.Call{}), append(places, place)
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

func usageOf(u *openai.Usage) model.Usage {
	usage := model.Usage{In: u.PromptTokens, Out: u.CompletionTokens}
	if u.PromptTokensDetails != nil {
		usage.Cached = min(u.PromptTokensDetails.CachedTokens, usage.In)
	}
	return usage
}

// clean makes sure that a reply can be kept and sent back: it holds no key, and each call has an id of its own.
func (c *Client) clean(r model.Reply) model.Reply {
	m := &r.Message
	for _, text := range []*string{&m.Content, &m.Refusal, &m.Reasoning, &r.Finish} {
		*text = strings.ToValidUTF8(c.transport.scrub(*text), "\uFFFD")
	}
	seen := map[string]bool{}
	for i := range m.Calls {
		call := &m.Calls[i]
		call.ID = strings.ToValidUTF8(c.transport.scrub(call.ID), "")
		call.Tool, call.Arguments = strings.ToValidUTF8(c.transport.scrub(call.Tool), ""), strings.ToValidUTF8(c.transport.scrub(call.Arguments), "\uFFFD")
		if len(call.Extra) > 0 {
			call.Extra = json.RawMessage(c.transport.scrub(string(call.Extra)))
		}
		if call.ID == "" || seen[call.ID] {
			call.ID = fmt.Sprintf("call_%d", i+1)
		}
		seen[call.ID] = true
	}
	return r
}
