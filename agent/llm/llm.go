// Package llm is the decider that has a language model trade. Its files, from the outside in:
//
//	llm.go           what can be set, and the decider
//	day.go           the conversation of a day, turn by turn
//	complete.go      asking the model for a turn, within the budgets
//	turn.go          what a turn amounts to
//	calls.go         carrying out the calls of a turn
//	catalog.go       the tools that it is offered; strict.go and arguments.go are about their arguments
//	pins.go          those of external servers, as the account met them first
//	conversation.go  what it is sent; prompt.go begins it
//	memory.go        what became of the decisions of the days before
//	claims.go        what it says at the end, held against the ledger
//	check.go         one cheap question, before anything is traded; probe.go asks what a model recalls of prices
//	replay.go        the same orders again, from transcripts, without a model
//
// Which API is asked is the model.Opener's business.
package llm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/agent"
	"mcp-trade/agent/mask"
	"mcp-trade/agent/model"
	"mcp-trade/agent/pace"
	"mcp-trade/decimal"
	"mcp-trade/market"
)

// Options say which language model decides, and within which limits. Written as JSON they hold no secret.
type Options struct {
	model.Settings

	Strict  bool `json:"strict"`  // offer tools with strict schemas where that is valid
	Context int  `json:"context"` // tokens that the model takes in

	TextCalls bool `json:"text_calls,omitempty"` // take a call that the model writes as text for one; else it is asked for a real one

	MaxSteps   int           `json:"max_steps"`     // turns of the model in a day
	MaxRetries int           `json:"max_retries"`   // of one call that failed
	BaseDelay  time.Duration `json:"base_delay_ns"` // before the first retry
	Timeout    time.Duration `json:"timeout_ns"`    // of one call

	// Money. A budget needs prices.
	Prices    *model.Prices    `json:"prices,omitempty"`
	DayBudget *decimal.Decimal `json:"day_budget,omitempty"` // ends the day
	RunBudget *decimal.Decimal `json:"run_budget,omitempty"` // stops the account

	Memory int `json:"memory,omitempty"` // how many of its newest decisions a model is told of when a day begins, and what became of them

	Prompt       string `json:"prompt,omitempty"`       // template of the system prompt; "" is ours
	Rules        string `json:"rules,omitempty"`        // custom_rules
	Instructions string `json:"instructions,omitempty"` // custom_instructions

	Cutoff market.Stamp `json:"knowledge_cutoff,omitempty"` // the last day that the model may remember; "" is not known
	Mask   *mask.Mask   `json:"-"`                          // what it sees of symbols and dates; nil: the true ones
	Pace   *pace.Pace   `json:"-"`                          // what all accounts may ask of the API together
	Pins   *Pins        `json:"-"`                          // the tools of external servers that the account began with; nil: any will do
}

// Defaults fills in what o leaves open. MaxRetries and Strict stay as they are: their zeros are choices.
func (o Options) Defaults() Options {
	o.Context, o.MaxSteps = cmp.Or(o.Context, 128000), cmp.Or(o.MaxSteps, 30)
	o.BaseDelay, o.Timeout = cmp.Or(o.BaseDelay, time.Second), cmp.Or(o.Timeout, 5*time.Minute)
	if o.budgeted() && o.MaxReplyTokens() == 0 {
		o.MaxTokens = 8192 // a budget cannot be kept without a bound
	}
	return o
}

func (o Options) budgeted() bool {
	return o.DayBudget != nil || o.RunBudget != nil || o.Pace.Budgeted()
}

// ToolServer is an MCP server beside that of the account, whose tools the model may use too.
type ToolServer interface {
	// Tools lists its tools, under the names that the model is to use.
	Tools(ctx context.Context) ([]mcp.Tool, error)
	// Call calls a tool by such a name. What the model can mend is a text and failed; an error is a server that is gone.
	Call(ctx context.Context, name string, arguments map[string]json.RawMessage) (text string, failed bool, err error)
	// Close ends the server, or the connection to it.
	Close() error
}

// Servers opens such servers for an account.
type Servers func(context.Context) ([]ToolServer, error)

// Clock is time and chance, where they matter to nothing but waiting and the transcript.
type Clock struct {
	Now    func() time.Time
	Sleep  func(context.Context, time.Duration) error // returns early with the context's error
	Jitter func() float64                             // from 0 up to 1
}

// decider is a language model, and how it is used.
type decider struct {
	Options
	prompt  prompt
	model   model.Model
	clock   Clock
	servers Servers
}

// New returns the decider of a language model, whose client open makes. servers may be nil. It connects to nothing yet. An
// error is a mistake in the settings.
func New(o Options, open model.Opener, clock Clock, servers Servers) (agent.Decider, error) {
	if o.budgeted() && o.Prices == nil {
		return nil, errors.New("a budget needs the prices of tokens")
	}
	o = o.Defaults()
	prompt, err := parsePrompt(cmp.Or(o.Prompt, ownPrompt))
	if err != nil {
		return nil, err
	}
	m, err := open(o.Settings)
	if err != nil {
		return nil, err
	}
	return &decider{o, prompt, m, clock, servers}, nil
}

// Open opens what the model is offered on an account.
func (d *decider) Open(ctx context.Context, _ string, own agent.Server) (agent.Trader, error) {
	var external []ToolServer
	if d.servers != nil {
		var err error
		if external, err = d.servers(ctx); err != nil {
			return nil, err
		}
	}
	catalog, err := openCatalog(ctx, own, external, d.Strict, d.Mask)
	if err == nil {
		err = catalog.hold(d.Pins)
	}
	if err != nil {
		return nil, errors.Join(err, (&toolCatalog{external: external}).Close())
	}
	return &trader{decider: d, own: own, toolCatalog: catalog, listed: true}, nil
}

// trader has the model trade an account.
type trader struct {
	*decider
	own agent.Server
	*toolCatalog
	listed bool // the external servers were asked for their tools on this day
	fits   int  // tokens that a conversation may have; 0: that was not asked yet. Less than Context says after a refusal
}

// Decide has the model trade the day, from where its transcript ends.
func (t *trader) Decide(ctx context.Context, d *agent.Day) error {
	if !t.listed {
		if err := t.listAgain(ctx); err != nil {
			return err
		}
	}
	t.listed = false
	j, err := d.Journal()
	if err != nil {
		return err
	}
	return (&dayConversation{t, d, j}).run(ctx)
}

// listAgain asks the external servers once more for their tools, and holds them.
func (t *trader) listAgain(ctx context.Context) error {
	now := &toolCatalog{external: t.external, mask: t.Mask}
	for _, server := range t.external {
		list, err := server.Tools(ctx)
		if err == nil {
			err = now.add(list, server, t.Strict)
		}
		if err != nil {
			return err
		}
	}
	return now.hold(t.Pins)
}
