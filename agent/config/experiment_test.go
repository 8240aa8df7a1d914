package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// experimentWith is a valid experiment of two models, with more keys of the experiment.
func experimentWith(more string) string {
	return fmt.Sprintf(`{"agent_config": {"custom_rules": "No leverage.", "temperature": 1}, "experiment": {"name": "autumn", %s
		"periods": [{"name": "october", "init_date": "2025-10-01", "end_date": "2025-10-31"}, {"name": "june", "init_date": "2025-06-02", "end_date": "2025-06-30"}]},
		"models": [{"basemodel": "openai/gpt-5", "signature": "gpt-5"}, {"basemodel": "x", "signature": "off", "enabled": false}, {"basemodel": "y", "signature": "y_1", "seed": 3}]}`, more)
}

func TestLoad_Experiment(t *testing.T) {
	c, warnings, err := loadText(t, experimentWith(`"prompts": [{"name": "plain"}, {"name": "careful", "prompt_file": "prompt.txt", "custom_rules": "Hold cash."}], "seeds": [7, -1], "repetitions": 2,`), nil)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	var got []string
	for _, m := range c.Enabled() {
		got = append(got, fmt.Sprintf("%s: %s %d %s %s-%s %s%s", m.Signature, m.BaseModel, *m.Seed, m.CustomRules, m.Period.Init, m.Period.End, m.Prompt, strings.Repeat("!", m.Trial.Repetition)))
	}
	if len(got) != 2*2*2*2*2 {
		t.Fatalf("%d accounts:\n%s", len(got), strings.Join(got, "\n"))
	}
	for _, want := range []string{
		"autumn_gpt-5_plain_s7_october_r1: openai/gpt-5 7 No leverage. 2025-10-01-2025-10-31 !",
		"autumn_gpt-5_careful_s-1_june_r2: openai/gpt-5 -1 Hold cash. 2025-06-02-2025-06-30 Trade well.!!",
		"autumn_y_1_careful_s7_june_r1: y 7 Hold cash. 2025-06-02-2025-06-30 Trade well.!",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("there is no %s in\n%s", want, strings.Join(got, "\n"))
		}
	}
	if c.DateRange != (DateRange{"2025-06-02", "2025-10-31"}) {
		t.Errorf("all of it is from %s to %s", c.DateRange.Init, c.DateRange.End)
	}

	// What an experiment does not name is no part of its accounts' names, and is the model's.
	c, _, err = loadText(t, configWith(`"experiment": {"name": "again", "repetitions": 3},`, `, "seed": 5`), nil)
	if err != nil || len(c.Models) != 3 {
		t.Fatal(len(c.Models), err)
	}
	if m := c.Models[2]; m.Signature != "again_gpt-5_r3" || *m.Seed != 5 || m.Trial.Seed != nil || m.Period != (DateRange{"2025-10-01", "2025-10-07"}) {
		t.Errorf("%+v", m)
	}
	// More repetitions leave the accounts that there are as they are called.
	if c, _, _ := loadText(t, configWith(`"experiment": {"name": "again"},`, ""), nil); len(c.Models) != 1 || c.Models[0].Signature != "again_gpt-5_r1" {
		t.Errorf("%+v", c.Models)
	}
}

func TestLoad_WrongExperiments(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{configWith(`"experiment": {"repetitions": 2},`, ""), `experiment.name: "" is not letters, digits, hyphens and dots`},
		{configWith(`"experiment": {"name": "a_b"},`, ""), `experiment.name: "a_b" is not letters`},
		{configWith(`"experiment": {"name": "a/b"},`, ""), `experiment.name: "a/b" is not letters`},
		{configWith(`"experiment": {"name": "a", "repetitions": -2},`, ""), "experiment.repetitions: -2 is below 1"},
		{configWith(`"experiment": {"name": "a", "repetitions": "two"},`, ""), "experiment.repetitions: must be a whole number"},
		{configWith(`"experiment": {"name": "a", "seeds": [1, 2, 1]},`, ""), "experiment.seeds[2]: stands there twice"},
		{configWith(`"experiment": {"name": "a", "seeds": 5},`, ""), "experiment.seeds: must be a list"},
		{configWith(`"experiment": {"name": "a", "prompts": [{"name": "p"}, {"name": "p"}]},`, ""), "experiment.prompts[1].name: stands there twice"},
		{configWith(`"experiment": {"name": "a", "prompts": [{"custom_rules": "x"}]},`, ""), `experiment.prompts[0].name: "" is not letters`},
		{configWith(`"experiment": {"name": "a", "prompts": [{"name": "p", "prompt_file": "missing.txt"}]},`, ""), "experiment[a_gpt-5_p_r1].prompt_file: open"},
		{configWith(`"experiment": {"name": "a", "periods": [{"name": "p", "init_date": "2025-10-01", "end_date": "2025-10-02"}]},`, ""), "date_range: is given (there, by INIT_DATE"},
		{strings.Replace(experimentWith(""), `"end_date": "2025-06-30"`, `"end_date": "2025-05-30"`, 1), "experiment.periods[1].end_date: 2025-05-30 is not after 2025-06-02"},
		{strings.Replace(experimentWith(""), `, "end_date": "2025-06-30"`, "", 1), "experiment.periods[1]: needs init_date and end_date"},
		{experimentWith(`"repetitions": 251,`), "experiment: 2 models x 2 periods x 251 repetitions are more than the 1000 accounts"},
		{experimentWith(`"repetitions": 9223372036854775807,`), "are more than the 1000 accounts"},
		{configWith(`"experiment": {"name": "`+strings.Repeat("n", 60)+`"},`, ""), "experiment.name: the account nnnn"},
	} {
		_, _, err := loadText(t, c.text, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", c.text, err, c.want)
		}
	}
	if _, _, err := loadText(t, experimentWith(""), map[string]string{"INIT_DATE": "2025-01-01"}); err == nil || !strings.Contains(err.Error(), "experiment.periods; use one of the two") {
		t.Errorf("INIT_DATE beside periods: %v", err)
	}
	_, warnings, err := loadText(t, configWith(`"experiment": {"name": "a", "repetition": 2},`, ""), nil)
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "experiment.repetition: not known, and ignored; did you mean repetitions?") {
		t.Errorf("%v %q", err, warnings)
	}
}

// Every combination is there once, in an account of its own name, whatever is crossed.
func TestExperiment_CrossProduct(t *testing.T) {
	name := rapid.StringMatching(`[a-z0-9.-]{1,6}`)
	rapid.Check(t, func(t *rapid.T) {
		e := Experiment{Name: "e", Seeds: rapid.SliceOfNDistinct(rapid.IntRange(-20, 20), 0, 4, rapid.ID).Draw(t, "seeds"), Repetitions: rapid.IntRange(0, 4).Draw(t, "repetitions")}
		for _, n := range rapid.SliceOfNDistinct(name, 0, 3, rapid.ID).Draw(t, "prompts") {
			e.Prompts = append(e.Prompts, Prompt{Name: n})
		}
		for _, n := range rapid.SliceOfNDistinct(name, 0, 3, rapid.ID).Draw(t, "periods") {
			e.Periods = append(e.Periods, Period{Name: n, DateRange: DateRange{"2025-10-01", "2025-10-02"}})
		}
		var c Config
		for _, n := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z_0-9]{1,6}`), 1, 4, rapid.ID).Draw(t, "models") {
			c.Models = append(c.Models, Model{Signature: n, Enabled: true})
		}
		c.Experiment = e
		accounts, combinations := map[string]bool{}, map[string]bool{}
		for _, m := range c.expanded().Models {
			accounts[m.Signature] = true
			seed := "-"
			if m.Trial.Seed != nil {
				seed = fmt.Sprint(*m.Trial.Seed)
			}
			combinations[fmt.Sprintf("%q %q %s %q %d", m.Trial.Model, m.Trial.Prompt, seed, m.Trial.Period, m.Trial.Repetition)] = true
		}
		want := len(c.Models) * max(1, len(e.Prompts)) * max(1, len(e.Seeds)) * max(1, len(e.Periods)) * max(1, e.Repetitions)
		if len(accounts) != want || len(combinations) != want || e.size(len(c.Models)) != want {
			t.Fatalf("%d accounts of %d combinations (%d by size), want %d", len(accounts), len(combinations), e.size(len(c.Models)), want)
		}
	})
}
