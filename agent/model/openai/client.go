// Package openai is the client of an OpenAI-compatible API of models: one chat completion, whole or streamed.
//
// There are many such APIs, and no two of them are alike. What one sends is read as far as it can be meant; what one refuses of
// a request is left out from then on. No library of today does both, so the few fields that matter are read and written here:
// request.go has what is sent, reply.go what is received, lesson.go what an API refuses.
package openai

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"mcp-trade/agent/model"
	"mcp-trade/agent/model/endpoint"
)

// API is OpenAI's chat completions, as most servers have them.
func API() model.API {
	return model.API{
		Name: "openai", KeyVariable: "OPENAI_API_KEY", BaseURL: "https://api.openai.com/v1", BaseVariable: "OPENAI_API_BASE",
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

	proven atomic.Bool // a request was taken as it was
}

// New returns the client of a model. It connects to nothing yet. An error is a mistake in the settings. now tells the time, for
// an endpoint that says until when it wants to be left alone.
func New(s model.Settings, now func() time.Time) (*Client, error) {
	header := http.Header{}
	if s.Key != "" {
		header.Set("Authorization", "Bearer "+s.Key)
	}
	if u, err := url.Parse(s.BaseURL); err == nil && strings.HasSuffix(u.Hostname(), ".azure.com") && s.Key != "" {
		header.Set("Api-Key", s.Key)
	}
	e, err := endpoint.New(s, "/chat/completions", header, now)
	if err != nil {
		return nil, err
	}
	c := &Client{Settings: s, endpoint: e}
	if c.Lessons == nil {
		c.Lessons = &model.Lessons{}
	}
	return c, nil
}

// Complete has the model reply to a conversation. The size of the reply is bounded. Errors hold no secret. What the API refuses
// of a request, and can be left out, is left out at once: a refused request costs nothing.
func (c *Client) Complete(ctx context.Context, r model.Request) (model.Reply, error) {
	var refused error // what was said against the schemas that are given up on trial
	trial := false
	for {
		known := c.known(trial)
		reply, err := c.ask(ctx, r, known)
		if err == nil {
			c.took(trial, refused)
			c.endpoint.Clean(&reply)
			return reply, nil
		}
		if ctx.Err() != nil {
			return model.Reply{}, ctx.Err()
		}
		var fault *endpoint.Fault
		if errors.As(err, &fault) && fault.Sent {
			if c.learn(fault, known) {
				continue
			}
			if !trial && c.doubtful(fault, known) {
				trial, refused = true, err
				continue
			}
		}
		failed := c.endpoint.Plain(err)
		if refused != nil && failed.Permanent() {
			failed = c.endpoint.Plain(refused) // it was not about the schemas
		}
		return model.Reply{}, failed
	}
}

// ask sends one request.
func (c *Client) ask(ctx context.Context, r model.Request, known lessons) (model.Reply, error) {
	request, err := c.request(r, known)
	if err != nil {
		return model.Reply{}, err
	}
	body, err := c.endpoint.Post(ctx, request)
	if err != nil {
		return model.Reply{}, err
	}
	defer body.Close()
	return c.receive(body)
}
