package config

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"mcp-trade/agent/model/apis"
	"mcp-trade/internal/testenv"
)

// loadText loads and completes a configuration from a text, with variables as the environment.
func loadText(t *testing.T, text string, variables map[string]string) (Config, []string, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "prompt.txt"), []byte("Trade well."), 0o644); err != nil {
		t.Fatal(err)
	}
	lookup := func(name string) (string, bool) { v, ok := variables[name]; return v, ok }
	c, warnings, err := Load(filepath.Join(dir, "config.json"), apis.All(), lookup)
	if err == nil {
		err = c.Complete(lookup)
	}
	return c, warnings, err
}

// configWith is a valid configuration with more keys at the top, and in its model.
func configWith(top, model string) string {
	return fmt.Sprintf(`{"date_range": {"init_date": "2025-10-01", "end_date": "2025-10-07"}, %s
		"models": [{"basemodel": "openai/gpt-5", "signature": "gpt-5"%s}]}`, top, model)
}

func TestLoad_AITrader(t *testing.T) {
	path := filepath.Join(testenv.TestData(t), "ai_trader_config.json")
	c, warnings, err := Load(path, apis.All(), func(string) (string, bool) { return "", false })
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v %q", err, warnings)
	}
	models := c.Enabled()
	if len(models) != 1 || len(c.Models) != 5 {
		t.Fatalf("%d of %d models are enabled", len(models), len(c.Models))
	}
	got := fmt.Sprint(c.DateRange, models[0].Signature, models[0].BaseModel, models[0].BaseURL, models[0].MaxSteps, models[0].MaxRetries,
		models[0].BaseDelay.Duration(), c.AgentConfig.InitialCash, c.LogConfig.Path, c.Models[0].BaseURL)
	want := "{2025-10-15 2025-10-17}gpt-4oopenai/gpt-4ohttps://api.openai.com/v130 3 1s 10000./data/agent_datahttps://api.openai.com/v1"
	if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
		t.Errorf("read %s\nwant %s", got, want)
	}
}

func TestLoad(t *testing.T) {
	c, warnings, err := loadText(t, `{
		"date_range": {"init_date": "2025-10-01", "end_date": "2025-10-07"},
		"agent_config": {"temperature": 0.5, "seed": 7, "stream": true, "custom_rules": "No leverage.", "price_per_million": {"input": 2.50, "output": "10"}},
		"parallel": 2, "lockstep": true,
		"mcp_servers": {"news": {"command": "news-server", "args": ["--fast"], "env": {"TOKEN": "${NEWS_KEY}"}}, "web": {"url": "http://127.0.0.1:1/mcp", "headers": {"Authorization": "Bearer ${NEWS_KEY}"}}},
		"models": [
			{"basemodel": "a", "signature": "a", "temperature": 0, "prompt_file": "prompt.txt", "budget": {"day": 0.25, "run": 3}, "api_key_env": "A_KEY"},
			{"basemodel": "b", "name": "b", "seed": null, "max_steps": 5, "memory": 4, "price_per_million": {"cached_input": 0.1}}
		]}`, map[string]string{"NEWS_KEY": "horse", "A_KEY": "battery", "OPENAI_API_BASE": "http://127.0.0.1:9/v1/", "INIT_DATE": "2025-09-30"})
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v %q", err, warnings)
	}
	a, b := c.Models[0], c.Models[1]
	for _, what := range []struct {
		name      string
		got, want any
	}{
		{"a's own temperature", *a.Temperature, 0.0},
		{"b's temperature, from agent_config", *b.Temperature, 0.5},
		{"null is as good as nothing", *b.Seed, 7},
		{"b streams", b.Stream, true},
		{"a price with all its digits", a.Price.Input.Decimal.String(), "2.5"},
		{"a part of a price", b.Price.CachedInput.Decimal.String() + " " + b.Price.Output.Decimal.String(), "0.1 10"},
		{"a's budget", a.Budget.Day.Decimal.String() + " " + a.Budget.Run.Decimal.String(), "0.25 3"},
		{"b has no budget", b.Budget.Day.Valid || b.Budget.Run.Valid, false},
		{"the prompt", a.Prompt, "Trade well."},
		{"rules for all", a.CustomRules + b.CustomRules, "No leverage.No leverage."},
		{"steps", fmt.Sprint(a.MaxSteps, b.MaxSteps), "30 5"},
		{"memories, none by default", fmt.Sprint(a.Options("").Memory, b.Options("").Memory), "0 4"},
		{"the base from the environment", a.BaseURL, "http://127.0.0.1:9/v1"},
		{"INIT_DATE", string(c.DateRange.Init), "2025-09-30"},
		{"a signature from the name", b.Signature, "b"},
		{"a secret of a server", c.MCPServers["news"].Env["TOKEN"] + " " + c.MCPServers["web"].Headers["Authorization"], "horse Bearer horse"},
		{"parallel and lockstep", fmt.Sprint(c.Parallel, c.Lockstep), "2 true"},
	} {
		if what.got != what.want {
			t.Errorf("%s: %v, want %v", what.name, what.got, what.want)
		}
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{string(text), fmt.Sprintf("%v %+v %#v", c, c, c)} {
		if strings.Contains(form, "horse") || strings.Contains(form, "battery") || !strings.Contains(form, "TOKEN") {
			t.Errorf("a secret is shown, or its name is not: %s", form)
		}
	}
	if key, err := a.Key(func(name string) (string, bool) { return "value of " + name + "\r\n", true }); key != "value of A_KEY" {
		t.Errorf("a's key is %s, %v", key, err)
	}
	if _, err := b.Key(func(string) (string, bool) { return "", false }); err == nil || !strings.Contains(err.Error(), "set OPENAI_API_KEY in the environment or in .env") {
		t.Errorf("without a key: %v", err)
	}
}

func TestLoad_Extras(t *testing.T) {
	c, warnings, err := loadText(t, `{"date_range": {"init_date": "2025-10-01", "end_date": "2025-10-02"}, "agent_config": {"extra_body": {"a": 1, "n": 0.10}}, "models": [
		{"basemodel": "x", "signature": "x", "extra_body": {"a": {"deep": [true]}}, "extra_headers": {"X-Team": "${TEAM}", "X-Day": "2025-10-01"}}, {"basemodel": "y", "signature": "y"}]}`,
		map[string]string{"TEAM": "horse-battery"})
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	x, y := c.Models[0].Options("k"), c.Models[1].Options("k")
	if fmt.Sprintf("%s %s", x.ExtraBody, y.ExtraBody) != `map[a:{"deep":[true]} n:0.10] map[a:1 n:0.10]` {
		t.Errorf("%s %s", x.ExtraBody, y.ExtraBody)
	}
	if x.ExtraHeaders["X-Team"] != "horse-battery" || fmt.Sprint(x.Secrets) != "[horse-battery]" || len(y.Secrets) > 0 {
		t.Errorf("%v %v", x.ExtraHeaders, x.Secrets)
	}
	if text, err := json.Marshal(x); err != nil || strings.Contains(string(text), "horse") || !strings.Contains(string(text), `"n":0.10`) {
		t.Errorf("%s, %v", text, err)
	}
	_, _, err = loadText(t, `{"date_range": {"init_date": "2025-10-01", "end_date": "2025-10-02"}, "models": [
		{"basemodel": "x", "signature": "x", "extra_headers": {"X-Team": "${NONE}"}}, {"basemodel": "y", "signature": "y", "enabled": false, "extra_headers": {"X-Team": "${GONE}"}}]}`, nil)
	for _, says := range []string{"extra_headers[X-Team]: the variable NONE is not set"} {
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "GONE") {
			t.Errorf("%v, want %s", err, says)
		}
	}
	if _, _, err = loadText(t, `{"date_range": {"init_date": "2025-10-01", "end_date": "2025-10-02"}, "models": [{"basemodel": "x", "signature": "x", "extra_body": {"messages": []}}]}`, nil); err == nil || !strings.Contains(err.Error(), "extra_body.messages: is what the program says") {
		t.Error(err)
	}
}

func TestLoad_Anthropic(t *testing.T) {
	c, warnings, err := loadText(t, `{"date_range": {"init_date": "2025-10-01", "end_date": "2025-10-02"}, "models": [
		{"basemodel": "claude", "signature": "a", "api": "anthropic", "price_per_million": {"input": 3, "output": 15}},
		{"basemodel": "gpt", "signature": "b", "price_per_million": {"input": 3, "output": 15, "cache_write": 4}}]}`, map[string]string{"OPENAI_API_BASE": "http://127.0.0.1:9/v1/"})
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	a, b := c.Models[0], c.Models[1]
	if a.BaseURL != "https://api.anthropic.com/v1" || a.KeyEnv != "ANTHROPIC_API_KEY" || b.BaseURL != "http://127.0.0.1:9/v1" {
		t.Errorf("%s %s, %s", a.BaseURL, a.KeyEnv, b.BaseURL)
	}
	of, ob := a.Options("k"), b.Options("k")
	if of.API != "anthropic" || of.Prices.Cached.String() != "0.3" || of.Prices.Written.String() != "3.75" || ob.API != "" || ob.Prices.Cached != nil || ob.Prices.Written.String() != "4" {
		t.Errorf("%+v, %+v", of.Prices, ob.Prices)
	}
}

func TestLoad_WrongValues(t *testing.T) {
	two := `, "price_per_million": {"input": 1, "output": 1}`
	for _, c := range []struct{ text, want string }{
		{`{`, "line 1: unexpected EOF"},
		{"{\n\n\"models\": [,]}", "line 3: invalid character"},
		{`[]`, "not a JSON object"},
		{`{} {}`, "more behind the end"},
		{`{}`, "models: must be a list"},
		{`{"models": []}`, "models: none is enabled"},
		{`{"models": [{"enabled": false}]}`, "date_range.init_date: missing; set it, or INIT_DATE"},
		{`{"models": ["gpt-5"]}`, "models[0]: must be an object"},
		{configWith(`"agent_config": [],`, ""), "agent_config: must be an object"},
		{configWith("", two+`, "budget": {"day": "much"}`), `models[0].budget.day: "much" is not a number`},
		{configWith("", two+`, "budget": {"day": -1}`), "models[0].budget.day: -1 is below 0"},
		{configWith("", two+`, "budget": {"day": []}`), "models[0].budget.day: must be a number"},
		{configWith("", two+`, "budget": 5`), "models[0].budget: must be an object"},
		{configWith("", `, "budget": {"day": 1}`), "models[0].budget: needs price_per_million"},
		{configWith("", `, "temperature": 3`), "models[0].temperature: not 0 to 2"},
		{configWith("", `, "temperature": "hot"`), "models[0].temperature: must be a number"},
		{configWith("", `, "max_steps": 1.5`), "models[0].max_steps: must be a whole number"},
		{configWith("", `, "memory": 101`), "models[0].memory: 101 is not 0 to 100 decisions"},
		{configWith("", `, "max_steps": 0`), "models[0].max_steps: 0 is not 1 to 1000"},
		{configWith("", `, "enabled": "yes"`), "models[0].enabled: must be true or false"},
		{configWith("", `, "name": {}`), "models[0].name: must be text"},
		{configWith("", `, "openai_base_url": "localhost:8000"`), "models[0].openai_base_url: not an address such as https://"},
		{configWith("", `, "openai_base_url": "http://me:horse@localhost/v1"`), "models[0].openai_base_url: holds a user or password"},
		{configWith("", `, "openai_api_key": "sk-horse"`), "models[0].openai_api_key: a key in a file is not used"},
		{configWith("", `, "openai_api_key": ["sk-horse"]`), "models[0].openai_api_key: a key in a file is not used"},
		{configWith("", `, "api_key_env": "sk-horse"`), "models[0].api_key_env: not the name of a variable"},
		{configWith("", `, "prompt_file": "missing.txt"`), "models[0].prompt_file: open"},
		{configWith("", `}, {"basemodel": "b", "signature": "gpt-5"`), "models[1].signature: gpt-5 is that of models[0] too"},
		{configWith("", `}, {"signature": "b"`), "models[1].basemodel: missing"},
		{configWith("", `}, {"basemodel": "b", "signature": "../b"`), "models[1].signature: "},
		{configWith(`"agent_config": {"max_retries": -1},`, ""), "agent_config.max_retries: -1 is not 0 to 20"},
		{configWith(`"agent_config": {"initial_cash": 0},`, ""), "agent_config.initial_cash: 0 is not above 0"},
		{configWith(`"market": "nyse",`, ""), `market: "nyse" cannot be traded; use one of us, `},
		{configWith(`"agent_type": "BaseAgentCrypto", "market": "us",`, ""), `market: "us" is not the market of the agent_type BaseAgentCrypto, which is "crypto"`},
		{configWith(`"agent_type": "BaseAgentBond",`, ""), `agent_type: "BaseAgentBond" is not one that can trade here`},
		{configWith(`"parallel": 0,`, ""), "parallel: 0 is not 1 to 64"},
		{configWith(`"mcp_servers": {"a_b": {"command": "x"}},`, ""), "mcp_servers[a_b]: a name is"},
		{configWith(`"mcp_servers": {"a": {}},`, ""), "mcp_servers[a]: needs either a command or a url"},
		{configWith(`"mcp_servers": {"a": {"command": "x", "env": {"K": "${GONE}"}}},`, ""), "mcp_servers[a].env[K]: the variable GONE is not set"},
		{configWith(`"mcp_servers": {"a": {"command": "x", "args": [5, {}]}},`, ""), "mcp_servers[a].args[1]: must be text"},
		{strings.Replace(configWith("", ""), "2025-10-07", "2025-13-07", 1), "date_range.end_date: \"2025-13-07\" is not a date"},
		{strings.Replace(configWith("", ""), "2025-10-07", "2025-09-07", 1), "date_range.end_date: 2025-09-07 is not after 2025-10-01"},
	} {
		_, _, err := loadText(t, c.text, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "horse") {
			t.Errorf("%s:\ngot  %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestLoad_MistakeForAllModels(t *testing.T) {
	_, _, err := loadText(t, configWith(`"agent_config": {"max_retries": -1},`, ""), nil)
	if err == nil || strings.Count(err.Error(), "max_retries") != 1 {
		t.Errorf("got %v", err)
	}
}

func TestLoad_UnknownKeys(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{configWith(`"mcpServers": {},`, ""), "mcpServers: not known, and ignored; did you mean mcp_servers?"},
		{configWith("", `, "temprature": 1`), "models[0].temprature: not known, and ignored; did you mean temperature?"},
		{configWith("", `, "Signature": "x"`), "models[0].Signature: not known, and ignored; did you mean signature?"},
		{configWith("", `, "price_per_million": {"inptu": 1}`), "models[0].price_per_million.inptu: not known, and ignored; did you mean input?"},
		{configWith(`"agent_config": {"max_stepz": 1},`, ""), "agent_config.max_stepz: not known, and ignored; did you mean max_steps?"},
		{configWith(`"mcp_servers": {"a": {"command": "x", "arg": []}},`, ""), "mcp_servers[a].arg: not known, and ignored; did you mean args?"},
		{configWith(`"weather": "fine",`, ""), "weather: not known, and ignored"},
		{configWith("", `}, {"enabled": false, "openai_api_key": "sk-horse"`), "models[1].openai_api_key: a key in a file is not used"},
	} {
		_, warnings, err := loadText(t, c.text, nil)
		if err != nil || len(warnings) != 1 || !strings.HasPrefix(warnings[0], c.want) || strings.Contains(warnings[0], "horse") {
			t.Errorf("%s: %q %v, want %s", c.text, warnings, err, c.want)
		}
	}
}

// A configuration that lies in a folder reads nothing outside of it before that is wanted, and by a link never.
func TestConfig_Complete(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret.txt")
	if err := os.WriteFile(secret, []byte("horse"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "inside.txt"), []byte("Trade well."), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"out.txt": secret, "in.txt": "inside.txt"} {
		err := os.Symlink(to, filepath.Join(dir, name))
		testenv.Require(t, "links", err == nil, fmt.Sprintf("this machine makes no symbolic link: %v", err))
	}
	lookup := func(string) (string, bool) { t.Error("a variable was looked up"); return "", false }
	for _, c := range []struct {
		file, prompt, fails string
		inside              bool
	}{
		{"inside.txt", "Trade well.", "", true},
		{"./x/../inside.txt", "Trade well.", "", true},
		{filepath.Join(dir, "inside.txt"), "Trade well.", "", true},
		{"in.txt", "Trade well.", "", true},
		{"out.txt", "", "out.txt leads out of the folder of the configuration", true},
		{secret, "horse", "", false},
		{"../" + filepath.Base(filepath.Dir(secret)) + "/secret.txt", "horse", "", false},
		{".", "", "is a folder and no regular file", true},
	} {
		config := Config{Dir: dir, Models: []Model{{Enabled: true, Tuning: Tuning{PromptFile: c.file}}}}
		if !filepath.IsAbs(c.file) {
			config.Models[0].PromptFile = filepath.Join(dir, c.file)
		}
		if _, inside := config.Inside(config.Models[0].PromptFile); inside != c.inside {
			t.Errorf("%s is inside: %v", c.file, inside)
		}
		err := config.Complete(lookup)
		if config.Models[0].Prompt != c.prompt || (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: %q, %v", c.file, config.Models[0].Prompt, err)
		}
	}
}

func TestConfig_Docs(t *testing.T) {
	text, err := os.ReadFile("../../docs/running-agents.md")
	if err != nil {
		t.Fatal(err)
	}
	var named func(reflect.Type)
	named = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Slice, reflect.Map:
			named(typ.Elem())
		case reflect.Struct:
			for key, of := range fields(typ) {
				if !strings.Contains(string(text), "`"+key+"`") {
					t.Errorf("%s is not in docs/running-agents.md", key)
				}
				named(of)
			}
		}
	}
	named(reflect.TypeFor[Config]())
}

func FuzzConfig(f *testing.F) {
	f.Add(configWith(`"parallel": 2,`, `, "budget": {"day": 1}`))
	f.Add(`{"models": [[], null, {"price_per_million": {"input": 1e999999}}], "mcp_servers": {"a": {"env": {"b": "${c}"}}, "": null}}`)
	f.Add(`{"": [], "models": [{".": 1, "]": 2}]}`)
	f.Add(configWith(`"mcp_servers": {"a": {"url": "http://${X}/${X}", "headers": {"Authorization": "Bearer ${X}"}, "folder": "${X}", "tools": ["${X}"]}},`,
		`, "api": "anthropic", "extra_headers": {"${X}": "${X}"}, "extra_body": {"a": "${X}"}, "api_key_env": "${X}", "openai_base_url": "http://${X}:${X}@${X}", "memory": 3`))
	const secret = "horse-battery-staple"
	plain := map[string]bool{"INIT_DATE": true, "END_DATE": true} // what is no secret, and is told
	for _, a := range apis.All() {
		plain[a.BaseVariable] = true
	}
	f.Fuzz(func(t *testing.T, text string) {
		tree, err := parseTree([]byte(text))
		if err != nil {
			return
		}
		l := loader{dir: t.TempDir(), apis: apis.All(), lookup: func(name string) (string, bool) {
			if plain[name] {
				return "", false
			}
			return secret, true
		}}
		c := l.config(tree)
		invalid, wrong := c.Validate(), l.err()
		if invalid == nil && wrong == nil && len(c.Enabled()) == 0 {
			t.Error("a configuration without a model is valid")
		}
		kept, _ := json.Marshal(c) // what cannot be encoded is not kept
		for _, m := range c.Models {
			options, _ := json.Marshal(m.Options(secret))
			kept = append(kept, options...)
		}
		if all := fmt.Sprintf("%s %v %v %q %+v", kept, invalid, wrong, l.warnings, c); strings.Contains(all, secret) {
			t.Errorf("a secret is shown: %s", all)
		}
	})
}
