// What a run is to do: from flags, and from a configuration under them.

package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mcp-trade/agent/config"
	"mcp-trade/agent/decide"
	"mcp-trade/agent/llm"
	"mcp-trade/agent/manifest"
	"mcp-trade/agent/mask"
	"mcp-trade/agent/model"
	"mcp-trade/agent/model/apis"
	"mcp-trade/agent/pace"
	"mcp-trade/agent/runner"
	"mcp-trade/decimal"
	"mcp-trade/internal/pause"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/tools"
)

// plan is what a run is to do.
type plan struct {
	from, to market.Stamp // accounts are opened on from; to is the last day that they trade
	cash     decimal.Decimal
	rules    ledger.Rules // that accounts are opened under
	accounts []runner.Account
	specs    map[string]string // of their deciders, as DECIDER[:ARG], or [manifest.LLMDecider]
	parallel int               // accounts that trade at once; 0: as many as the runner thinks fit
	lockstep bool
	changed  bool // accounts go on under other settings than they had
	fresh    bool // accounts that exist are archived, and begin anew

	config  string                    // path of the configuration; "" without one
	models  map[string]llm.Options    // of the accounts that language models trade
	lessons map[string]*model.Lessons // of their APIs, by model and address: what one account learns, those of the same model know at once
	mask    *mask.Mask                // between them and their markets; nil for none
	servers []string                  // names of the external servers that they may use
	trials  []trialAccount            // those accounts that are trials of an experiment

	pace *pace.Run // what the accounts of the models have in common

	follow *following // nil: the run is over with the days of the prices
}

// trialAccount is an account of an experiment.
type trialAccount struct {
	Account string `json:"account"`
	config.Trial
}

// planFlags are the flags of run. What is "" or 0 was not given.
type planFlags struct {
	from, to, cash string
	accounts       []string
	parallel       int
	lockstep       bool
	changed, fresh bool
	trust          trustFlags
	following      followFlags
	queue          queueFlags
}

const defaultCash = "10000"

func (f *planFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.from, "from", "", "day on which accounts are opened")
	flags.StringVar(&f.to, "to", "", "last day to trade")
	flags.StringVar(&f.cash, "cash", "", "money that each account is opened with (default "+defaultCash+")")
	flags.StringArrayVar(&f.accounts, "account", nil, "NAME=DECIDER[:ARG], repeatable")
	flags.IntVar(&f.parallel, "parallel", 0, "accounts that trade at once (default 16, with a configuration 4)")
	flags.BoolVar(&f.lockstep, "lockstep", false, "no account begins a day before all have ended the day before")
	flags.BoolVar(&f.fresh, "fresh", false, "archive accounts that exist, and begin them anew")
	flags.BoolVar(&f.changed, "change-settings", false, "go on with accounts that are under way with other settings")
	f.trust.register(flags)
	f.following.register(flags)
}

// plan makes the plan of a run. args may name a configuration.
func (s *settings) plan(cmd *cobra.Command, f planFlags, args []string) (p plan, err error) {
	var given plan
	if err := given.parse(f.accounts); err != nil {
		return p, err
	}
	if err := p.applyFlags(f); err != nil {
		return p, err
	}
	if len(args) > 0 {
		if p, err = s.configured(cmd, f, args[0]); err != nil {
			return p, err
		}
	} else if f.from == "" || f.to == "" && !f.following.follow || len(given.accounts) == 0 {
		return p, errors.New("a configuration file, or the flags --from, --to and --account, are required; --to is not with --follow")
	} else if cmd.Flags().Changed("mask") {
		return p, errors.New("--mask is about language models, and no configuration names one")
	} else if p.follow, err = f.following.following(config.Config{}); err != nil {
		return p, err
	}
	for _, a := range given.accounts {
		p.trade(a, given.specs[a.Name])
	}
	return p, p.applyFlags(f)
}

// parse adds accounts as the command line has them.
func (p *plan) parse(texts []string) error {
	for _, text := range texts {
		name, spec, decider, err := decide.ParseAccount(text)
		if err != nil {
			return err
		}
		p.trade(runner.Account{Name: name, Decider: decider}, spec)
	}
	return nil
}

// trade adds an account. spec is its decider, as the manifest is to name it.
func (p *plan) trade(a runner.Account, spec string) {
	if p.specs == nil {
		p.specs = map[string]string{}
	}
	p.accounts, p.specs[a.Name] = append(p.accounts, a), spec
}

// applyFlags overrides the plan with the flags.
func (p *plan) applyFlags(f planFlags) (err error) {
	if f.from != "" {
		if p.from, err = market.ReadStamp(f.from); err != nil {
			return fmt.Errorf("--from: %w", err)
		}
	}
	if f.to != "" {
		if p.to, err = market.ReadStamp(f.to); err != nil {
			return fmt.Errorf("--to: %w", err)
		}
	}
	if f.cash != "" || p.cash.IsZero() {
		p.cash, err = ledger.ParseDecimal(cmp.Or(f.cash, defaultCash))
		if err != nil || !p.cash.IsPositive() {
			return fmt.Errorf("--cash %q: use an amount above 0", f.cash)
		}
	}
	if f.parallel < 0 {
		return fmt.Errorf("--parallel %d: use 1 or more", f.parallel)
	}
	p.parallel = cmp.Or(f.parallel, p.parallel)
	p.lockstep, p.changed, p.fresh = p.lockstep || f.lockstep, f.changed, f.fresh
	return nil
}

// configured is the plan of a configuration. Nothing is opened or written before all of it is known to be right.
func (s *settings) configured(cmd *cobra.Command, f planFlags, path string) (p plan, err error) {
	given := map[string]string{"INIT_DATE": f.from, "END_DATE": f.to} // a flag comes before the environment
	if f.following.follow {
		given[config.Follow] = "true"
	}
	c, warnings, err := config.Load(path, apis.All(), func(name string) (string, bool) {
		if text := given[name]; text != "" {
			return text, true
		}
		return s.lookup(name)
	})
	for _, w := range warnings {
		s.log.Warn().Msg(path + ": " + w)
	}
	if err != nil {
		return p, err
	}
	p = plan{
		pace: &pace.Run{Name: "run", Budget: bounded(c.TotalBudget), Pacer: &pace.Local{Now: time.Now}, Sleep: pause.For},
		from: c.DateRange.Init, to: c.DateRange.End, cash: c.AgentConfig.InitialCash, parallel: c.Parallel, lockstep: c.Lockstep,
		config: path, servers: slices.Sorted(maps.Keys(c.MCPServers)),
	}
	if p.follow, err = f.following.following(c); err != nil {
		return p, err
	}
	for _, own := range []struct {
		flag, variable, says string
		to                   *string
	}{{"market", "MCP_TRADE_MARKET", c.Market, &s.market}, {"fill", "MCP_TRADE_FILL", c.Fill, &s.fill}, {"volume-cap", "MCP_TRADE_VOLUME_CAP", c.VolumeCap, &s.volumeCap}} {
		if text, _ := s.lookup(own.variable); own.says != "" && text == "" && !cmd.Flags().Changed(own.flag) {
			*own.to = own.says
		}
	}
	if len(c.Toolsets) > 0 {
		if err := tools.CheckToolsets(c.Toolsets); err != nil {
			return p, fmt.Errorf("%s: toolsets: %w", path, err)
		}
		s.serving.Toolsets = c.Toolsets
	}
	if text, _ := s.lookup("LOG_PATH"); text != "" || cmd.Flags().Changed("log-path") {
		c.LogConfig.Path = ""
	}
	limits, err := c.AccountLimits()
	if err != nil {
		return p, err
	}
	s.limits = cmp.Or(s.limits, limits.String())
	if p.mask, err = s.masking(c); err != nil {
		return p, err
	}
	if err := p.addModels(cmd, f.trust, s, c, path); err != nil {
		return p, err
	}
	s.logPath = cmp.Or(c.LogConfig.Path, s.logPath)
	return p, nil
}

// addModels adds the accounts of the language models of a configuration, once the user has allowed what it wants.
func (p *plan) addModels(cmd *cobra.Command, f trustFlags, s *settings, c config.Config, name string) error {
	for _, m := range c.Enabled() { // whoever has no key yet need not be asked
		if _, err := m.Key(s.lookup); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := s.agree(cmd, f, c, name); err != nil {
		return err
	}
	if err := c.Complete(s.lookup); err != nil {
		return fmt.Errorf("%s is not valid:\n%w", name, err)
	}
	for _, m := range c.Enabled() {
		if err := p.add(m, s, c); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// add adds the account of a language model, whose key is looked up.
func (p *plan) add(m config.Model, s *settings, c config.Config) error {
	key, err := m.Key(s.lookup)
	if err != nil {
		return err
	}
	o := m.Options(key)
	o.Mask = p.mask
	if p.models == nil {
		p.models, p.lessons = map[string]llm.Options{}, map[string]*model.Lessons{}
	}
	of := strings.Join([]string{o.API, o.BaseURL, o.Model}, "\n")
	if p.lessons[of] == nil {
		p.lessons[of] = &model.Lessons{Heard: func(lesson, refusal string) {
			s.log.Warn().Msgf("%s is asked otherwise from now on (%s): %s", m.BaseModel, lesson, refusal)
		}}
	}
	o.Lessons = p.lessons[of]
	sum := sha256.Sum256([]byte(of))
	o.Pace = pace.New(pace.Limits{API: hex.EncodeToString(sum[:8]), Every: m.Rate.Every(), AtOnce: m.CallsAtOnce, Call: o.Timeout + time.Minute}, p.pace)
	o.Pins = &llm.Pins{}
	decider, err := llm.New(o, apis.Opener(time.Now), wallClock(), c.Servers(s.stderr))
	if err != nil {
		return fmt.Errorf("the model %s: %w", m.Signature, err)
	}
	p.trade(runner.Account{Name: m.Signature, Decider: decider, Cutoff: o.Cutoff, From: m.Period.Init, To: m.Period.End}, manifest.LLMDecider)
	if m.Trial != nil {
		p.trials = append(p.trials, trialAccount{m.Signature, *m.Trial})
	}
	p.models[m.Signature] = o
	return nil
}

// bounded is a bound as those have it who take nil for none.
func bounded(d decimal.NullDecimal) *decimal.Decimal {
	if !d.Valid {
		return nil
	}
	return &d.Decimal
}

// records are what the manifest is to say of the accounts of a plan.
func (s *settings) records(p plan, store string, traded *market.Prices) (map[string]manifest.Run, error) {
	files, err := s.priceFiles()
	if err != nil {
		return nil, err
	}
	prices, err := manifest.HashFiles(files)
	if err != nil {
		return nil, err
	}
	every := manifest.Run{
		Cash: p.cash, Rules: p.rules.OtherThanDefault(), Lockstep: p.lockstep, Store: store, Prices: prices, Version: version(), Started: time.Now().UTC(),
	}
	if p.pace != nil {
		every.Budget = p.pace.Budget
	}
	if every.Config, err = hashFile(p.config); err != nil {
		return nil, err
	}
	if every.Actions, err = hashFile(s.actions); err != nil {
		return nil, err
	}
	limits, err := s.accountLimits()
	if err != nil {
		return nil, err
	}
	ofModels, err := s.newsRecord(every)
	if err != nil {
		return nil, err
	}
	runs, ends := map[string]manifest.Run{}, map[market.Stamp]*manifest.Known{}
	for _, a := range p.accounts {
		run := every
		if model, ok := p.models[a.Name]; ok {
			run = ofModels
			run.Model, run.Servers, run.Mask, run.Toolsets = model, p.servers, p.mask.Kept(), s.otherToolsets()
		}
		run.Limits = limits.Of(a.Name).Text()
		run.Decider, run.From, run.To = p.specs[a.Name], cmp.Or(a.From, p.from), cmp.Or(a.To, p.to)
		if run.Known = ends[run.To]; run.Known == nil {
			if run.Known, err = known(traded, run.To); err != nil {
				return nil, err
			}
			ends[run.To] = run.Known
		}
		if file, recorded := strings.CutPrefix(run.Decider, "recorded:"); recorded {
			if run.Recorded, err = hashFile(file); err != nil {
				return nil, err
			}
		}
		runs[a.Name] = run
	}
	return runs, nil
}

// known is what the prices hold by the end of a run, or by their own end if that is earlier.
func known(prices *market.Prices, to market.Stamp) (*manifest.Known, error) {
	info, err := prices.Info()
	if err != nil {
		return nil, err
	}
	if info.Last != "" && (to == "" || info.Last < to) {
		to = info.Last
	}
	hash, err := manifest.HashView(prices.AsOf(to))
	return &hash, err
}

// hashFile is the hash of a file; nil for none.
func hashFile(path string) (*manifest.FileHash, error) {
	if path == "" {
		return nil, nil
	}
	hashes, err := manifest.HashFiles([]string{path})
	if err != nil {
		return nil, err
	}
	return &hashes[0], nil
}

// newsRecord adds to a record what a language model can search.
func (s *settings) newsRecord(run manifest.Run) (manifest.Run, error) {
	run.Search = s.search
	if slices.Equal(s.search, []string{searchOff}) {
		return run, nil
	}
	var err error
	if file := s.archive().File(); exists(file) {
		if run.News, err = manifest.HashFiles([]string{file}); err != nil {
			return run, err
		}
	}
	if s.searchCache != searchOff {
		run.Cache = s.searchCache
		run.Answers, err = manifest.HashFolder(s.searchCacheDir())
	}
	return run, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func wallClock() llm.Clock {
	return llm.Clock{Now: time.Now, Jitter: rand.Float64, Sleep: pause.For}
}

// opens are the stamps at which accounts of the plan are opened.
func (p plan) opens() []market.Stamp {
	var all []market.Stamp
	for _, a := range p.accounts {
		all = append(all, cmp.Or(a.From, p.from))
	}
	return all
}

// askedApart are the accounts of a plan, but of the trials of a model in an experiment the first alone: the others ask the same of its API.
func (p plan) askedApart() []runner.Account {
	seen, more := map[string]bool{}, map[string]bool{}
	for _, t := range p.trials {
		more[t.Account] = seen[t.Model]
		seen[t.Model] = true
	}
	return slices.DeleteFunc(p.accounts, func(a runner.Account) bool { return more[a.Name] })
}

// warnOfLimits tells of limits of accounts that the plan does not have: their names may be misspelt.
func (s *settings) warnOfLimits(p plan) error {
	limits, err := s.accountLimits()
	for _, name := range limits.Names() {
		if !slices.ContainsFunc(p.accounts, func(a runner.Account) bool { return a.Name == name }) {
			s.log.Warn().Msgf("the limits name %s, which is no account of this run", name)
		}
	}
	return err
}
