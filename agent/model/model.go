// Package model is what the rest of the program knows of language models: a conversation goes in, the model's next message
// comes out. Each API of models is a package below this one, which translates to and from these types.
package model

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"mcp-trade/decimal"
)

// Model replies to conversations. It is safe for concurrent use.
type Model interface {
	// Complete returns the model's next message. It waits for as long as ctx allows. The error is an [*Error], or that of ctx.
	Complete(ctx context.Context, r Request) (Reply, error)
}

// Opener makes the client of an API. It connects to nothing yet: an error is a mistake in the settings.
type Opener func(Settings) (Model, error)

// Settings say which model is asked, and how. Written as JSON they hold no secret.
type Settings struct {
	API     string `json:"api,omitempty"` // which one, see [API]: "" is OpenAI's chat completions
	Model   string `json:"model"`         // as the API names it
	BaseURL string `json:"base_url"`      // such as https://api.openai.com/v1
	Key     string `json:"-"`             // "" for an API that wants none

	// Sampling. What is nil is left to the API.
	Temperature     *float64 `json:"temperature,omitempty"`
	TopP            *float64 `json:"top_p,omitempty"`
	Seed            *int     `json:"seed,omitempty"`
	ReasoningEffort string   `json:"reasoning_effort,omitempty"`

	// Of one reply, under one of its two names. 0: the API's own bound.
	MaxTokens           int `json:"max_tokens,omitempty"`
	MaxCompletionTokens int `json:"max_completion_tokens,omitempty"`

	Stream bool `json:"stream"` // receive replies as they are written

	// What an API or its gateway wants beside what this program knows.
	ExtraBody    map[string]json.RawMessage `json:"extra_body,omitempty"` // put into the body of every request, over what stands there
	ExtraHeaders map[string]string          `json:"-"`                    // sent with every request
	Secrets      []string                   `json:"-"`                    // of those headers; nothing that is kept or told holds one

	Lessons *Lessons `json:"-"` // what the API is known to refuse of a request; nil: they are learned anew
}

// MaxReplyTokens is the bound of a reply that the API is told, 0 for its own.
func (s Settings) MaxReplyTokens() int { return max(s.MaxTokens, s.MaxCompletionTokens) }

// Request is what a model is asked.
type Request struct {
	Messages []Message
	Tools    []Tool
}

// Tool is a tool as a model sees it.
type Tool struct {
	Name, Description string

	Schema json.RawMessage // of its arguments, a JSON Schema
	Strict bool            // the schema is in the strict form: the API can hold the model to it
	Plain  json.RawMessage // the same schema as it was before that; for an API that refuses the form
}

// Reply is a model's answer.
type Reply struct {
	Message Message
	Finish  string // why the model stopped, in the API's words
	Usage   Usage  // zero: the API did not say
}

// Message is a message of a conversation. It is written into transcripts as it is.
type Message struct {
	Role      string `json:"role"` // system, user, assistant or tool
	Content   string `json:"content"`
	Refusal   string `json:"refusal,omitempty"`
	Reasoning string `json:"reasoning,omitempty"` // what the API shows of it
	Calls     []Call `json:"calls,omitempty"`
	CallID    string `json:"call_id,omitempty"` // of a tool message: the call that it answers

	Extra json.RawMessage `json:"extra,omitempty"` // what the API wants back as it was
}

// Call is a tool call as the model made it.
type Call struct {
	ID        string `json:"id"`
	Tool      string `json:"tool"`
	Arguments string `json:"arguments"` // text that should be a JSON object

	Extra json.RawMessage `json:"extra,omitempty"` // what the API wants back as it was
}

// Usage is what a reply took.
type Usage struct {
	In        int  `json:"in"`                // tokens
	Cached    int  `json:"cached"`            // those of In that the API had in a cache
	Written   int  `json:"written,omitempty"` // those of In that it put into one, where it charges for that
	Out       int  `json:"out"`
	Estimated bool `json:"estimated,omitempty"` // the API did not say
}

// Prices are prices per million tokens, in the money of the budgets.
type Prices struct {
	In      decimal.Decimal  `json:"in"`
	Out     decimal.Decimal  `json:"out"`
	Cached  *decimal.Decimal `json:"cached,omitempty"`  // nil: as In
	Written *decimal.Decimal `json:"written,omitempty"` // into the cache; nil: as In
}

// Cost is what tokens cost.
func (p Prices) Cost(u Usage) decimal.Decimal {
	cached, written := p.In, p.In
	if p.Cached != nil {
		cached = *p.Cached
	}
	if p.Written != nil {
		written = *p.Written
	}
	count := func(n int) decimal.Decimal { return decimal.NewFromInt(int64(n)) }
	sum := p.In.Mul(count(max(u.In-u.Cached-u.Written, 0))).Add(cached.Mul(count(u.Cached))).Add(written.Mul(count(u.Written))).Add(p.Out.Mul(count(u.Out)))
	return sum.Shift(-6)
}

// Worst is what so many tokens cost at most, in and out.
func (p Prices) Worst(in, out int) decimal.Decimal {
	plain, written := p.Cost(Usage{In: in, Out: out}), p.Cost(Usage{In: in, Written: in, Out: out})
	if written.GreaterThan(plain) {
		return written
	}
	return plain
}

// Error says why there is no reply.
type Error struct {
	Message     string        // short, on one line, without secrets
	Status      int           // of HTTP; 0: no answer came
	Retryable   bool          // the same request may succeed later
	After       time.Duration // how long the API asks to be left alone; 0: it does not say
	MayHaveCost bool          // no usable reply came, but the model may have been at work
	TooLong     bool          // the conversation has more tokens than the model takes in
	Advice      string        // what to change, where the same request cannot succeed later; "" if it can, or if that is not known
}

func (e *Error) Error() string {
	if e.Advice != "" {
		return e.Message + "; " + e.Advice
	}
	return e.Message
}

// Permanent tells that the same request cannot succeed later: something must be changed first.
func (e *Error) Permanent() bool { return !e.Retryable }

// Stop is why a model stopped.
type Stop int

// Reasons to stop.
const (
	Done     Stop = iota // it said what it had to say
	Length               // it ran into a bound: what it wrote last may lack its end
	Filtered             // a filter of the API ended the reply
	Refused              // the model refused
	Failed               // the API failed in the middle of the reply
)

// StopOf reads the word of an API for why its model stopped. A word that is not known is Done.
func StopOf(finish string) Stop {
	switch finish = strings.ToLower(finish); finish {
	case "length", "max_tokens", "model_length", "model_context_window_exceeded":
		return Length
	case "content_filter", "content_filtered", "sensitive", "safety", "recitation", "blocklist", "prohibited_content", "spii", "guardrail_intervened":
		return Filtered
	case "refusal":
		return Refused
	}
	for _, word := range []string{"error", "insufficient", "malformed", "abort", "timeout", "overload"} {
		if strings.Contains(finish, word) {
			return Failed
		}
	}
	return Done
}
