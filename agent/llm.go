// The decider llm: a language model behind an OpenAI-compatible endpoint.

package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/shopspring/decimal"
)

// LLM says which language model decides, and within which limits. Written as JSON it holds no secret.
type LLM struct {
	Model   string `json:"model"`    // as the endpoint names it
	BaseURL string `json:"base_url"` // such as https://api.openai.com/v1
	Key     string `json:"-"`        // "" for an endpoint that wants none

	// Sampling. What is nil is left to the endpoint.
	Temperature     *float64 `json:"temperature,omitempty"`
	TopP            *float64 `json:"top_p,omitempty"`
	Seed            *int     `json:"seed,omitempty"`
	ReasoningEffort string   `json:"reasoning_effort,omitempty"`

	// Of one reply, under one of its two names. 0: the endpoint's own bound, or with a budget 8192.
	MaxTokens           int `json:"max_tokens,omitempty"`
	MaxCompletionTokens int `json:"max_completion_tokens,omitempty"`

	Stream  bool `json:"stream"`  // receive replies as they are written
	Strict  bool `json:"strict"`  // offer tools with strict schemas where that is valid
	Context int  `json:"context"` // tokens that the model takes in; 0: 128000

	MaxSteps   int           `json:"max_steps"`     // turns of the model in a day; 0: 30
	MaxRetries int           `json:"max_retries"`   // of one call that failed
	BaseDelay  time.Duration `json:"base_delay_ns"` // before the first retry; 0: 1s
	Timeout    time.Duration `json:"timeout_ns"`    // of one call; 0: 2m

	// Money. A budget needs prices.
	Prices    *TokenPrices     `json:"prices,omitempty"`
	DayBudget *decimal.Decimal `json:"day_budget,omitempty"` // ends the day
	RunBudget *decimal.Decimal `json:"run_budget,omitempty"` // stops the account

	Prompt       string `json:"prompt,omitempty"`       // template of the system prompt; "" is ours
	Rules        string `json:"rules,omitempty"`        // custom_rules
	Instructions string `json:"instructions,omitempty"` // custom_instructions

	// Servers opens further MCP servers for an account, whose tools the model may use too. nil: none.
	Servers func(context.Context) ([]ToolServer, error) `json:"-"`

	Clock     Clock             `json:"-"`
	Transport http.RoundTripper `json:"-"` // nil: the usual one
}

// TokenPrices are prices per million tokens, in the money of the budgets.
type TokenPrices struct {
	In     decimal.Decimal  `json:"in"`
	Out    decimal.Decimal  `json:"out"`
	Cached *decimal.Decimal `json:"cached,omitempty"` // nil: as In
}

// ToolServer is an MCP server whose tools a model may use.
type ToolServer interface {
	// Tools lists its tools, under the names that the model is to use.
	Tools(context.Context) ([]mcp.Tool, error)
	// Call calls a tool by such a name. What the model can mend is a text and failed; an error is a server that is gone.
	Call(ctx context.Context, name string, arguments map[string]json.RawMessage) (text string, failed bool, err error)
	// Close ends the server, or the connection to it.
	Close() error
}

// Clock is time and chance, where they matter to nothing but waiting and the transcript.
type Clock struct {
	Now    func() time.Time
	Sleep  func(context.Context, time.Duration) error // returns early with the context's error
	Jitter func() float64                             // from 0 up to 1
}

// Defaults of what an LLM leaves open.
const (
	defaultContext   = 128000
	defaultMaxSteps  = 30
	defaultMaxTokens = 8192 // with a budget, which cannot be kept without a bound
	defaultTimeout   = 2 * time.Minute
)

// llm is the decider.
type llm struct {
	LLM
	prompt   prompt
	endpoint *endpoint
}

// NewLLM returns the decider of a language model. It connects to nothing yet. An error is a mistake in the settings.
func NewLLM(o LLM) (Decider, error) {
	o.Context, o.MaxSteps = cmp.Or(o.Context, defaultContext), cmp.Or(o.MaxSteps, defaultMaxSteps)
	o.BaseDelay, o.Timeout = cmp.Or(o.BaseDelay, time.Second), cmp.Or(o.Timeout, defaultTimeout)
	if o.DayBudget != nil || o.RunBudget != nil {
		if o.Prices == nil {
			return nil, errors.New("a budget needs the prices of tokens")
		}
		if o.MaxTokens == 0 && o.MaxCompletionTokens == 0 {
			o.MaxTokens = defaultMaxTokens
		}
	}
	if o.Model == "" || o.BaseURL == "" {
		return nil, errors.New("a language model needs a name and the address of its endpoint")
	}
	prompt, err := parsePrompt(cmp.Or(o.Prompt, ownPrompt))
	if err != nil {
		return nil, err
	}
	e := newEndpoint(o)
	if err := e.check(); err != nil {
		return nil, err
	}
	return &llm{o, prompt, e}, nil
}

// maxReplyTokens is the bound of a reply that the endpoint is told, 0 for its own.
func (o LLM) maxReplyTokens() int { return max(o.MaxTokens, o.MaxCompletionTokens) }

// Decide has the model trade the day, from where its transcript ends.
func (l *llm) Decide(ctx context.Context, d *Day) (err error) {
	w := d.walk
	if w.box == nil {
		if w.box, err = l.open(ctx, w); err != nil {
			return err
		}
	}
	j, err := openJournal(w.Files, w.LogPath, w.account.Name, d.Date, l.Clock.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.close()) }()
	t := &talk{llm: l, day: d, journal: j, box: w.box}
	defer t.report()
	return t.run(ctx)
}

// open opens what the model is offered on an account.
func (l *llm) open(ctx context.Context, w *walk) (*toolbox, error) {
	var further []ToolServer
	if l.Servers != nil {
		var err error
		if further, err = l.Servers(ctx); err != nil {
			return nil, err
		}
	}
	box, err := openToolbox(ctx, w.desk, further, l.Strict)
	if err != nil {
		return nil, errors.Join(err, (&toolbox{servers: further}).close())
	}
	return box, nil
}
