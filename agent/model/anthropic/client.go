// Package anthropic is the client of Anthropic's Messages API: thinking that is sent back as it came, a cache of the prompt, and
// parallel calls. request.go has what is sent, reply.go what is received.
package anthropic

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"mcp-trade/agent/model"
	"mcp-trade/agent/model/endpoint"
)

// API is Anthropic's Messages.
func API() model.API {
	return model.API{
		Name: "anthropic", KeyVariable: "ANTHROPIC_API_KEY", BaseURL: "https://api.anthropic.com/v1",
		CachedPart: "0.1", WrittenPart: "1.25",
		Open: func(s model.Settings, now func() time.Time) (model.Model, error) {
			c, err := New(s, now)
			if err != nil {
				return nil, err // and no client that is nil and yet there
			}
			return c, nil
		},
	}
}

// Client asks a model. It is safe for concurrent use.
type Client struct {
	model.Settings
	endpoint *endpoint.Client
}

// New returns the client of a model. It connects to nothing yet. An error is a mistake in the settings. now tells the time, for
// an endpoint that says until when it wants to be left alone.
func New(s model.Settings, now func() time.Time) (*Client, error) {
	header := http.Header{"Anthropic-Version": {"2023-06-01"}}
	if s.Key != "" {
		header.Set("X-Api-Key", s.Key)
	}
	e, err := endpoint.New(s, "/messages", header, now)
	if err != nil {
		return nil, err
	}
	if s.Lessons == nil {
		s.Lessons = &model.Lessons{}
	}
	return &Client{s, e}, nil
}

// maxPauses bounds how often a turn that the API pauses is gone on with.
const maxPauses = 5

// Complete has the model reply to a conversation. The size of the reply is bounded. Errors hold no secret. What the API refuses
// of a request, and can be left out, is left out at once: a refused request costs nothing. A turn that the API pauses is one reply.
func (c *Client) Complete(ctx context.Context, r model.Request) (model.Reply, error) {
	var paused assembly
	for pauses := 0; ; {
		known := c.Lessons.All()
		a, err := c.ask(ctx, r, paused.blocks, known)
		var fault *endpoint.Fault
		switch {
		case err == nil && model.StopOf(a.stop) == model.Failed:
			err = c.endpoint.Failed("the API failed in the middle of the reply", a.stop)
		case err == nil && a.stop == "pause_turn" && pauses < maxPauses:
			pauses++
			paused.join(a)
			continue
		case err == nil:
			paused.join(a)
			reply, err := paused.reply()
			if err != nil {
				return model.Reply{}, c.endpoint.Plain(err)
			}
			c.endpoint.Clean(&reply)
			return reply, nil
		case ctx.Err() != nil:
			return model.Reply{}, ctx.Err()
		case errors.As(err, &fault) && fault.Sent:
			if lesson := c.lessonOf(fault, known); lesson != "" {
				c.Lessons.Learn(lesson, c.endpoint.Plain(fault).Message)
				continue
			}
		}
		return model.Reply{}, c.endpoint.Plain(err)
	}
}

// ask sends one request. paused are the blocks of a turn that the API paused.
func (c *Client) ask(ctx context.Context, r model.Request, paused []block, known []string) (assembly, error) {
	request, err := c.request(r, paused, known)
	if err != nil {
		return assembly{}, err
	}
	text, err := json.Marshal(request)
	if err != nil {
		return assembly{}, err
	}
	body, err := c.endpoint.Post(ctx, text)
	if err != nil {
		return assembly{}, err
	}
	defer body.Close()
	return c.receive(body)
}

// Lessons, as they stand in manifests.
const (
	noTemperature  = "without temperature"
	noTopP         = "without top_p"
	budgetThinking = "thinking with a budget"
	noThinking     = "without thinking"
	noCache        = "without a cache of the prompt"
)

// lessonOf is what a refusal teaches that was not known, "" for nothing.
func (c *Client) lessonOf(f *endpoint.Fault, known []string) string {
	if f.Status != http.StatusBadRequest {
		return ""
	}
	for _, rule := range []struct {
		lesson string
		sent   bool
		words  []string
	}{
		{noTemperature, c.Temperature != nil, []string{"temperature"}},
		{noTopP, c.TopP != nil, []string{"top_p"}},
		{budgetThinking, c.ReasoningEffort != "", []string{"adaptive", "output_config", "effort"}},
		{noThinking, c.ReasoningEffort != "", []string{"thinking", "budget_tokens"}},
		{noCache, true, []string{"cache_control"}},
	} {
		if rule.sent && f.Says(rule.words...) && !slices.Contains(known, rule.lesson) {
			return rule.lesson
		}
	}
	return ""
}
