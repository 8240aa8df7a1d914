// An experiment: the models of a configuration, each with several prompts and seeds, over several periods, and again and again.

package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mcp-trade/store"
)

// maxTrials bounds the accounts of an experiment.
const maxTrials = 1000

// given tells whether the configuration has an experiment.
func (e Experiment) given() bool {
	return e.Name != "" || len(e.Prompts)+len(e.Seeds)+len(e.Periods) > 0 || e.Repetitions != 0
}

// account is the name of a trial's account: what tells it from the others, and the repetition, so that more of them can be added later.
func (e Experiment) account(t Trial) string {
	parts := []string{e.Name, t.Model}
	if t.Prompt != "" {
		parts = append(parts, t.Prompt)
	}
	if t.Seed != nil {
		parts = append(parts, fmt.Sprintf("s%d", *t.Seed))
	}
	if t.Period != "" {
		parts = append(parts, t.Period)
	}
	return strings.Join(append(parts, fmt.Sprintf("r%d", t.Repetition)), "_")
}

// validate says what is not valid in the experiment with models; nothing without an experiment.
func (e Experiment) validate(models []Model) error {
	const at = "experiment"
	var p problems
	if !e.given() {
		return nil
	}
	named := func(at, name string) {
		plain := strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") == ""
		p.expect(name != "" && plain, at+".name", "%.80q is not letters, digits, hyphens and dots, which name accounts", name)
	}
	named(at, e.Name)
	twice := map[string]bool{}
	unique := func(at, key string) {
		p.expect(!twice[key], at, "stands there twice")
		twice[key] = true
	}
	for i, prompt := range e.Prompts {
		at := fmt.Sprintf("%s.prompts[%d]", at, i)
		named(at, prompt.Name)
		unique(at+".name", "prompt "+prompt.Name)
	}
	for i, seed := range e.Seeds {
		unique(fmt.Sprintf("%s.seeds[%d]", at, i), fmt.Sprintf("seed %d", seed))
	}
	for i, period := range e.Periods {
		at := fmt.Sprintf("%s.periods[%d]", at, i)
		named(at, period.Name)
		unique(at+".name", "period "+period.Name)
		p.expect(period.Init != "" && period.End != "", at, "needs init_date and end_date")
		period.validate(&p, at)
	}
	p.expect(e.Repetitions >= 0, at+".repetitions", "%d is below 1", e.Repetitions)
	if size := e.size(len(models)); size > maxTrials {
		p.expect(false, at, "%s are more than the %d accounts that are run at most", e.product(len(models)), maxTrials)
		return p.err()
	}
	for _, trial := range e.trials(models) {
		p.expect(store.CheckName("account", e.account(trial.Trial)) == nil, at+".name", "the account %s has a name that is too long or not valid; shorten the names of the experiment, the model, the prompt or the period (64 characters in all)", e.account(trial.Trial))
	}
	return p.err()
}

// dimensions are how many of each thing are crossed.
func (e Experiment) dimensions(models int) []int {
	return []int{models, max(1, len(e.Prompts)), max(1, len(e.Seeds)), max(1, len(e.Periods)), max(1, e.Repetitions)}
}

// size is how many trials there are, or a number above maxTrials.
func (e Experiment) size(models int) int {
	size := 1
	for _, n := range e.dimensions(models) {
		if n > maxTrials {
			return n
		}
		if size *= n; size > maxTrials {
			return size
		}
	}
	return size
}

// product says what is crossed.
func (e Experiment) product(models int) string {
	var factors []string
	for i, n := range e.dimensions(models) {
		what := []string{"models", "prompts", "seeds", "periods", "repetitions"}[i]
		if n > 1 || i == 0 {
			factors = append(factors, fmt.Sprintf("%d %s", n, what))
		}
	}
	return strings.Join(factors, " x ")
}

// trial is a trial with what it differs in.
type trial struct {
	Trial
	of     Model
	prompt Prompt
	period Period
}

// trials lists all of them: by model, then prompt, seed, period and repetition.
func (e Experiment) trials(models []Model) []trial {
	var all []trial
	prompts, periods, seeds := e.Prompts, e.Periods, []*int{}
	if len(prompts) == 0 {
		prompts = []Prompt{{}}
	}
	if len(periods) == 0 {
		periods = []Period{{}}
	}
	for i := range e.Seeds {
		seeds = append(seeds, &e.Seeds[i])
	}
	if len(seeds) == 0 {
		seeds = []*int{nil}
	}
	for _, m := range models {
		for _, prompt := range prompts {
			for _, seed := range seeds {
				for _, period := range periods {
					for r := 1; r <= max(1, e.Repetitions); r++ {
						all = append(all, trial{Trial{m.Signature, prompt.Name, seed, period.Name, r}, m, prompt, period})
					}
				}
			}
		}
	}
	return all
}

// expanded returns a valid configuration with a model for each trial in place of its enabled models, and with a date range over
// all periods. Without an experiment it is as it was.
func (c Config) expanded() Config {
	if !c.Experiment.given() {
		return c
	}
	models := c.Enabled()
	c.Models = nil
	for _, t := range c.Experiment.trials(models) {
		m := t.of
		m.Trial, m.Signature = &t.Trial, c.Experiment.account(t.Trial)
		if t.Seed != nil {
			m.Seed = t.Seed
		}
		m.ExtraHeaders = maps.Clone(m.ExtraHeaders) // whose variables each trial has put in
		m.PromptFile = cmp.Or(t.prompt.PromptFile, m.PromptFile)
		m.CustomRules, m.CustomInstructions = cmp.Or(t.prompt.CustomRules, m.CustomRules), cmp.Or(t.prompt.CustomInstructions, m.CustomInstructions)
		m.Period = c.DateRange
		if t.Trial.Period != "" {
			m.Period = t.period.DateRange
		}
		c.Models = append(c.Models, m)
	}
	if periods := c.Experiment.Periods; len(periods) > 0 {
		c.DateRange = DateRange{
			Init: slices.MinFunc(periods, func(a, b Period) int { return cmp.Compare(a.Init, b.Init) }).Init,
			End:  slices.MaxFunc(periods, func(a, b Period) int { return cmp.Compare(a.End, b.End) }).End,
		}
	}
	return c
}
