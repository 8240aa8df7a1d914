// Package config is the configuration of a run: AI-Trader's JSON as it is, and keys of our own. This file says what there is,
// and what is valid; configfile.go reads it.
package config

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/model"
	"mcp-trade/decimal"
	"mcp-trade/internal/mcpclient"
	"mcp-trade/internal/rate"
	"mcp-trade/internal/rawjson"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/store"
)

// Config is a run configuration. AI-Trader's keys mean what they mean there. Keys of ours are marked with a +. Every key but
// models[].basemodel and the dates has a default.
type Config struct {
	AgentType   string                      `json:"agent_type,omitempty"` // BaseAgent (default), BaseAgentAStock or BaseAgentCrypto; with or without _Hour, the prices say which
	Market      string                      `json:"market,omitempty"`     // us (default, or that of the agent_type), cn or crypto; the setting MCP_TRADE_MARKET comes before it
	DateRange   DateRange                   `json:"date_range"`
	Models      []Model                     `json:"models"`
	AgentConfig AgentConfig                 `json:"agent_config"`
	LogConfig   LogConfig                   `json:"log_config"`
	Fill        string                      `json:"fill,omitempty"`        // + of accounts that are opened, as the flag --fill has it, which comes before it
	VolumeCap   string                      `json:"volume_cap,omitempty"`  // + likewise, as --volume-cap has it
	Toolsets    []string                    `json:"toolsets,omitempty"`    // + what the models are offered of mcp-trade's tools (trade, market, search)
	Parallel    int                         `json:"parallel"`              // + accounts that trade side by side: 1 to 64 (4)
	Lockstep    bool                        `json:"lockstep"`              // + true: all accounts end a day before any begins the next
	Follow      bool                        `json:"follow,omitempty"`      // + true: the run goes on with the days as they come; date_range.end_date can then be left out
	Clock       string                      `json:"clock,omitempty"`       // + of a run that follows, as the flag --clock has it, which comes before it
	CatchUp     string                      `json:"catch_up,omitempty"`    // + likewise, as --catch-up has it
	Deadline    string                      `json:"deadline,omitempty"`    // + likewise, as --deadline has it
	MCPServers  map[string]mcpclient.Config `json:"mcp_servers,omitempty"` // + external servers by name; a tool is offered to the models as NAME_TOOL
	Limits      map[string]any              `json:"limits,omitempty"`      // + limits that accounts are traded under (none); the setting MCP_TRADE_LIMITS comes before it
	TotalBudget decimal.NullDecimal         `json:"total_budget,omitzero"` // + what all accounts may cost together (no bound)
	Experiment  Experiment                  `json:"experiment,omitzero"`   // + several accounts for each model; Models are then those of its trials
	Dir         string                      `json:"-"`                     // the folder of its file
}

// DateRange is from the day on which accounts are opened to the last day that is traded, a date or a moment. The
// environment variables INIT_DATE and END_DATE come before it.
type DateRange struct {
	Init market.Stamp `json:"init_date"`
	End  market.Stamp `json:"end_date"`
}

// Model is a model and the account that it trades.
type Model struct {
	Name      string       `json:"name"`                       // for people (signature)
	BaseModel string       `json:"basemodel"`                  // what the model is called at its API
	Signature string       `json:"signature"`                  // its account (name)
	Enabled   bool         `json:"enabled"`                    // false: it is passed over (true)
	API       string       `json:"api"`                        // + which one it speaks (the first of those that there are; it is "" here)
	BaseURL   string       `json:"openai_base_url"`            // of its API, up to /v1 (the API's)
	Cutoff    market.Stamp `json:"knowledge_cutoff,omitempty"` // + last day that its training can tell of (not known)
	KeyEnv    string       `json:"api_key_env"`                // + variable that holds its key, in the environment or .env (the API's)

	NamedBy  string `json:"-"` // who named the base URL: [ByFile], a variable, or "" if it is the API's own
	KeyNamed bool   `json:"-"` // the configuration names a variable for the key, and not the API's own

	ExtraHeaders mcpclient.Secrets `json:"extra_headers,omitempty"` // + of every request; values may name variables: ${NAME}
	Variables    mcpclient.Secrets `json:"-"`                       // that they name, with their values

	Trial  *Trial    `json:"-"` // of an experiment; nil without one
	Period DateRange `json:"-"` // of the trial

	Tuning

	api model.API // the one that API names
}

// Experiment crosses the enabled models with prompts, seeds, periods and repetitions. Each combination is a trial with an account of its own.
type Experiment struct {
	Name        string   `json:"name"`                  // + begins the name of every account
	Prompts     []Prompt `json:"prompts,omitempty"`     // + each model trades with each of them (with its own alone)
	Seeds       []int    `json:"seeds,omitempty"`       // + likewise (with its own, or none)
	Periods     []Period `json:"periods,omitempty"`     // + likewise, in place of date_range
	Repetitions int      `json:"repetitions,omitempty"` // + of the same: 1 or more (1)
}

// Prompt is what a trial's prompt says otherwise than that of its model; what is not given is the model's.
type Prompt struct {
	Name               string `json:"name"`
	PromptFile         string `json:"prompt_file,omitempty"`
	CustomRules        string `json:"custom_rules,omitempty"`
	CustomInstructions string `json:"custom_instructions,omitempty"`
}

// Period is a date range with a name.
type Period struct {
	Name string `json:"name"`
	DateRange
}

// Trial says of an account of an experiment what it tries. Prompt and Period are "", and Seed is nil, where the experiment names none.
type Trial struct {
	Model      string `json:"model"` // its signature in the configuration
	Prompt     string `json:"prompt,omitempty"`
	Seed       *int   `json:"seed,omitempty"`
	Period     string `json:"period,omitempty"`
	Repetition int    `json:"repetition"` // from 1
}

// AgentConfig holds for every model; what a model says of the same comes before it.
type AgentConfig struct {
	InitialCash decimal.Decimal `json:"initial_cash"` // money that each account is opened with (10000)
	Verbose     bool            `json:"verbose,omitempty"`

	Tuning
}

// LogConfig says where ledgers and logs are. A --log-path, and LOG_PATH, come before it.
type LogConfig struct {
	Path string `json:"log_path,omitempty"`
}

// Tuning is how a model is asked. It can stand in agent_config, in a model, or in both.
type Tuning struct {
	MaxSteps   int     `json:"max_steps"`   // model calls in a day: 1 to 1000 (30)
	MaxRetries int     `json:"max_retries"` // repetitions of a call that failed for a reason that passes: 0 to 20 (3)
	BaseDelay  Seconds `json:"base_delay"`  // wait before the first repetition, doubled by each (1)
	Timeout    Seconds `json:"timeout"`     // + for one model call (300)

	Temperature         *float64       `json:"temperature,omitempty"`           // + 0 to 2 (the API's)
	TopP                *float64       `json:"top_p,omitempty"`                 // + 0 to 1 (the API's)
	Seed                *int           `json:"seed,omitempty"`                  // + for an API that knows it
	MaxTokens           int            `json:"max_tokens,omitempty"`            // + of one reply (the API's)
	MaxCompletionTokens int            `json:"max_completion_tokens,omitempty"` // + the same, for models that know max_tokens no more
	ReasoningEffort     string         `json:"reasoning_effort,omitempty"`      // + as the API names it: low, medium, high
	ExtraBody           map[string]any `json:"extra_body,omitempty"`            // + fields of every request, as the API names them; over ours
	Stream              bool           `json:"stream"`                          // + true: replies are streamed
	Strict              bool           `json:"strict"`                          // + false: tools are offered without strict schemas (true)
	TextCalls           bool           `json:"text_calls,omitempty"`            // + true: a call that a model writes as text is carried out; else it is asked for a real one
	Memory              int            `json:"memory,omitempty"`                // + how many of its newest decisions a model is told of each day, and what became of them: 0 to 100 (0)
	ContextSize         int            `json:"context_size,omitempty"`          // + tokens that a conversation may have (128000)

	Rate        rate.Rate `json:"rate,omitzero"`           // + how often all accounts of the model ask its API together, such as 60/m (any)
	CallsAtOnce int       `json:"calls_at_once,omitempty"` // + how many of their calls are under way at once (any)

	Price  Price  `json:"price_per_million"` // + of tokens
	Budget Budget `json:"budget"`            // + of the account; needs the price

	PromptFile         string `json:"prompt_file,omitempty"`         // + template of the system prompt; relative to the configuration
	Prompt             string `json:"-"`                             // what is in it
	CustomRules        string `json:"custom_rules,omitempty"`        // + rules for the system prompt
	CustomInstructions string `json:"custom_instructions,omitempty"` // + how to trade, for the system prompt
}

// Price is what a million tokens cost, in the currency of the budget. A cached input token, and one that is written into a cache,
// costs as much as any other unless its price is given, or the API has another.
type Price struct {
	Input       decimal.NullDecimal `json:"input"`
	CachedInput decimal.NullDecimal `json:"cached_input"`
	CacheWrite  decimal.NullDecimal `json:"cache_write"`
	Output      decimal.NullDecimal `json:"output"`
}

// Known tells whether a cost can be told from tokens.
func (p Price) Known() bool { return p.Input.Valid && p.Output.Valid }

// Budget is what an account may cost; a part that is not given has no bound.
type Budget struct {
	Day decimal.NullDecimal `json:"day"` // per trading day
	Run decimal.NullDecimal `json:"run"` // over all of its days
}

// Seconds is a duration as it stands in a configuration.
type Seconds float64

// Duration is what s says.
func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }

// ByFile says that the configuration itself names the address of a model's API.
const ByFile = "the configuration"

// Follow is the name by which a lookup says that the run follows the market, whatever the configuration says. No variable has it.
const Follow = " follow"

// Default is a configuration in which nothing is said.
func Default() Config {
	d := llm.Options{}.Defaults()
	return Config{Market: string(market.US), Parallel: 4, AgentConfig: AgentConfig{
		InitialCash: decimal.NewFromInt(10000),
		Tuning: Tuning{
			MaxSteps: d.MaxSteps, BaseDelay: Seconds(d.BaseDelay.Seconds()), Timeout: Seconds(d.Timeout.Seconds()), ContextSize: d.Context,
			MaxRetries: 3, Strict: true, // whose zeros are choices
		},
	}}
}

// Enabled lists the models that are to trade.
func (c Config) Enabled() []Model {
	return slices.DeleteFunc(slices.Clone(c.Models), func(m Model) bool { return !m.Enabled })
}

// AccountLimits are the limits that accounts are traded under.
func (c Config) AccountLimits() (ledger.AccountLimits, error) {
	if c.Limits == nil {
		return ledger.AccountLimits{}, nil
	}
	text, err := rawjson.Marshal(c.Limits)
	if err != nil {
		return ledger.AccountLimits{}, err
	}
	return ledger.ParseAccountLimits(text)
}

// Key looks up the model's API key, in the environment or .env. An error says which variable to set.
func (m Model) Key(lookup func(string) (string, bool)) (string, error) {
	key, _ := lookup(m.KeyEnv)
	if key = strings.TrimSpace(key); key != "" && !isPlaceholder(key) { // a secret that was read from a file has a line end
		return key, nil
	}
	return "", fmt.Errorf("no API key for %s: set %s in the environment or in .env (to any word, if the server asks for none)", m.Signature, m.KeyEnv)
}

// Options are how the model decides, with a key.
func (m Model) Options(key string) llm.Options {
	l := llm.Options{
		Settings: model.Settings{
			API: m.API, Model: m.BaseModel, BaseURL: m.BaseURL, Key: key,
			Temperature: m.Temperature, TopP: m.TopP, Seed: m.Seed, ReasoningEffort: m.ReasoningEffort,
			MaxTokens: m.MaxTokens, MaxCompletionTokens: m.MaxCompletionTokens, Stream: m.Stream,
			ExtraBody: fieldsOf(m.ExtraBody), ExtraHeaders: m.ExtraHeaders, Secrets: slices.Collect(maps.Values(m.Variables)),
		},
		Strict: m.Strict, Context: m.ContextSize, TextCalls: m.TextCalls, Memory: m.Memory,
		MaxSteps: m.MaxSteps, MaxRetries: m.MaxRetries, BaseDelay: m.BaseDelay.Duration(), Timeout: m.Timeout.Duration(),
		DayBudget: known(m.Budget.Day), RunBudget: known(m.Budget.Run),
		Prompt: m.Prompt, Rules: m.CustomRules, Instructions: m.CustomInstructions, Cutoff: m.Cutoff.Day(),
	}
	if m.Price.Known() {
		l.Prices = &model.Prices{In: m.Price.Input.Decimal, Out: m.Price.Output.Decimal, Cached: known(m.Price.CachedInput), Written: known(m.Price.CacheWrite)}
		l.Prices.Cached = orPart(l.Prices.Cached, l.Prices.In, m.api.CachedPart)
		l.Prices.Written = orPart(l.Prices.Written, l.Prices.In, m.api.WrittenPart)
	}
	return l
}

// fieldsOf are fields as JSON. They came as JSON.
func fieldsOf(values map[string]any) map[string]json.RawMessage {
	if len(values) == 0 {
		return nil
	}
	fields := map[string]json.RawMessage{}
	for name, value := range values {
		fields[name], _ = rawjson.Marshal(value)
	}
	return fields
}

// orPart is a price, or a part of another where it is not known. It is nil where the part is not known either.
func orPart(price *decimal.Decimal, of decimal.Decimal, part string) *decimal.Decimal {
	if price != nil || part == "" {
		return price
	}
	d := of.Mul(decimal.RequireFromString(part))
	return &d
}

// Servers opens the external servers for an account. What they log goes to stderr.
func (c Config) Servers(stderr io.Writer) llm.Servers {
	return func(ctx context.Context) ([]llm.ToolServer, error) {
		open, err := mcpclient.OpenAll(ctx, c.MCPServers, stderr)
		var servers []llm.ToolServer
		for _, s := range open {
			servers = append(servers, s)
		}
		return servers, err
	}
}

// known is the amount that is known, or nil.
func known(d decimal.NullDecimal) *decimal.Decimal {
	if !d.Valid {
		return nil
	}
	return &d.Decimal
}

// agentTypes are AI-Trader's, with the market of those that have one.
var agentTypes = map[string]market.ID{
	"": "", "BaseAgent": "", "BaseAgent_Hour": "", "BaseAgentAStock": market.CN, "BaseAgentAStock_Hour": market.CN, "BaseAgentCrypto": market.Crypto,
}

// tradable lists the markets that can be traded.
func tradable() string {
	var names []string
	for _, m := range market.Tradable() {
		names = append(names, string(m.ID))
	}
	return strings.Join(names, ", ")
}

// Validate says what is not valid, with the place of each value.
func (c Config) Validate() error {
	var p problems
	of, known := agentTypes[c.AgentType]
	p.expect(known, "agent_type", "%q is not one that can trade here; use BaseAgent, BaseAgentAStock or BaseAgentCrypto", c.AgentType)
	p.expect(of == "" || string(of) == c.Market, "market", "%q is not the market of the agent_type %s, which is %q", c.Market, c.AgentType, of)
	m := market.ID(c.Market).Get()
	p.expect(m != nil && m.Tradable, "market", "%q cannot be traded; use one of %s", c.Market, tradable())
	if len(c.Experiment.Periods) == 0 {
		p.expect(c.DateRange.Init != "", "date_range.init_date", "missing; set it, or INIT_DATE")
		p.expect(c.DateRange.End != "" || c.Follow, "date_range.end_date", "missing; set it, or END_DATE")
		c.DateRange.validate(&p, "date_range")
	} else {
		p.expect(c.DateRange == DateRange{}, "date_range", "is given (there, by INIT_DATE or END_DATE, or on the command line), and so is experiment.periods; use one of the two")
	}
	p.expect(c.AgentConfig.InitialCash.IsPositive(), "agent_config.initial_cash", "%s is not above 0", c.AgentConfig.InitialCash)
	p.expect(between(c.Parallel, 1, 64), "parallel", "%d is not 1 to 64", c.Parallel)
	before := len(p)
	c.AgentConfig.validate(&p, "agent_config")
	shared := len(p) == before // else every model has the same mistake
	p.expect(len(c.Enabled()) > 0, "models", "none is enabled")
	owners := map[string]int{}
	for i, m := range c.Models {
		if m.Enabled {
			m.validate(&p, fmt.Sprintf("models[%d]", i))
			if shared {
				m.Tuning.validate(&p, fmt.Sprintf("models[%d]", i))
			}
			first, twice := owners[m.Signature]
			p.expect(!twice, fmt.Sprintf("models[%d].signature", i), "%s is that of models[%d] too; each needs an account of its own", m.Signature, first)
			owners[m.Signature] = i
		}
	}
	p.expect(!c.TotalBudget.Decimal.IsNegative(), "total_budget", "%s is below 0", c.TotalBudget.Decimal)
	for i, m := range c.Models {
		p.expect(!c.TotalBudget.Valid || !m.Enabled || m.Price.Known(), fmt.Sprintf("models[%d].price_per_million", i), "missing: a total_budget takes the prices of tokens, input and output")
	}
	_, err := c.AccountLimits()
	p.expect(err == nil, "limits", "%v", err)
	for name, s := range c.MCPServers {
		validateServer(&p, name, s)
	}
	return p.err()
}

func (d DateRange) validate(p *problems, at string) {
	p.expect(d.End == "" || d.Init.Day() < d.End, at+".end_date", "%s is not after %s", d.End, d.Init)
}

func (m Model) validate(p *problems, at string) {
	p.expect(m.BaseModel != "", at+".basemodel", "missing: what the model is called at its API")
	err := store.CheckName("signature", m.Signature)
	p.expect(err == nil, at+".signature", "%v", err)
	u, err := url.Parse(m.BaseURL)
	p.expect(err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "", at+".openai_base_url", "not an address such as %s", m.api.BaseURL)
	p.expect(err != nil || u.User == nil, at+".openai_base_url", "holds a user or password; a key belongs into the variable that api_key_env names")
	p.expect(!strings.ContainsAny(m.KeyEnv, "= \t\r\n") && !strings.HasPrefix(m.KeyEnv, "sk-"), at+".api_key_env", "not the name of a variable (the key itself belongs into that variable)")
	p.expect(m.Price.Known() || !m.Budget.Day.Valid && !m.Budget.Run.Valid, at+".budget", "needs price_per_million with input and output")
}

func (t Tuning) validate(p *problems, at string) {
	p.expect(between(t.MaxSteps, 1, 1000), at+".max_steps", "%d is not 1 to 1000", t.MaxSteps)
	p.expect(between(t.MaxRetries, 0, 20), at+".max_retries", "%d is not 0 to 20", t.MaxRetries)
	p.expect(between(t.Memory, 0, 100), at+".memory", "%d is not 0 to 100 decisions", t.Memory)
	p.expect(between(t.BaseDelay, 0, 3600), at+".base_delay", "%v is not 0 to 3600 seconds", t.BaseDelay)
	p.expect(between(t.Timeout, 0.01, 3600), at+".timeout", "%v is not 0.01 to 3600 seconds", t.Timeout)
	p.expect(t.Temperature == nil || between(*t.Temperature, 0, 2), at+".temperature", "not 0 to 2")
	p.expect(t.TopP == nil || between(*t.TopP, 0, 1), at+".top_p", "not 0 to 1")
	for _, ours := range []string{"model", "messages", "tools", "system", "stream"} {
		_, there := t.ExtraBody[ours]
		p.expect(!there, at+".extra_body."+ours, "is what the program says; extra_body holds what it does not know")
	}
	p.expect(t.CallsAtOnce >= 0, at+".calls_at_once", "%d is below 0", t.CallsAtOnce)
	p.expect(t.MaxTokens >= 0, at+".max_tokens", "%d is below 0", t.MaxTokens)
	p.expect(t.MaxCompletionTokens >= 0, at+".max_completion_tokens", "%d is below 0", t.MaxCompletionTokens)
	p.expect(t.MaxTokens == 0 || t.MaxCompletionTokens == 0, at+".max_completion_tokens", "stands beside max_tokens; use one of the two")
	p.expect(between(t.ContextSize, 2000, 100_000_000), at+".context_size", "%d is not 2000 to 100000000 tokens", t.ContextSize)
	for _, amount := range []struct {
		decimal.NullDecimal
		at string
	}{
		{t.Price.Input, "price_per_million.input"}, {t.Price.CachedInput, "price_per_million.cached_input"}, {t.Price.CacheWrite, "price_per_million.cache_write"}, {t.Price.Output, "price_per_million.output"},
		{t.Budget.Day, "budget.day"}, {t.Budget.Run, "budget.run"},
	} {
		p.expect(!amount.Decimal.IsNegative(), at+"."+amount.at, "%s is below 0", amount.Decimal)
	}
}

// maxServerName keeps the names of prefixed tools within the 64 characters that model APIs take.
const maxServerName = 24

func validateServer(p *problems, name string, s mcpclient.Config) {
	at := "mcp_servers[" + name + "]"
	plain := strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
	p.expect(plain && between(len(name), 1, maxServerName), at, "a name is 1 to %d letters, digits and hyphens", maxServerName)
	p.expect((s.Command == "") != (s.URL == ""), at, "needs either a command or a url")
	if s.URL != "" {
		u, err := url.Parse(s.URL)
		p.expect(err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "", at+".url", "not an address such as http://127.0.0.1:8000/mcp")
		p.expect(err != nil || u.User == nil, at+".url", "holds a user or password; put it into headers, by the name of a variable")
	}
}

// problems gathers what is not valid.
type problems []error

func (p *problems) expect(ok bool, at, format string, args ...any) {
	if !ok {
		*p = append(*p, fmt.Errorf("%s: %s", at, fmt.Sprintf(format, args...)))
	}
}

func (p problems) err() error { return errors.Join(p...) }

// between is false for what is not a number.
func between[T cmp.Ordered](x, low, high T) bool { return low <= x && x <= high }
