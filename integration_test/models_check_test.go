package integration_test

import (
	"encoding/json"
	"strings"
	"testing"

	"mcp-trade/agent/model/modeltest"
)

func TestModelsAreAskedBeforeTheyTrade(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	api := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		switch {
		case r.Model == "scripted/mute":
			return modeltest.Say("Yes, I am ready, and my key is %s.", strings.TrimPrefix(r.Headers.Get("Authorization"), "Bearer "))
		case r.Model == "scripted/gone":
			return modeltest.Reply{Status: 404, Body: `{"error": {"message": "The model does not exist", "code": "model_not_found"}}`}
		case r.Model == "scripted/picky" && r.Fields["temperature"] != nil:
			return modeltest.Reply{Status: 400, Body: `{"error": {"message": "Unsupported value: 'temperature' does not support 0.5 with this model.", "code": "unsupported_value"}}`}
		case r.Turn == 0:
			reply := modeltest.Do(modeltest.To("functions.ready", map[string]any{"word": "yes"}))
			reply.Usage = &modeltest.Usage{In: 1000, Out: 10}
			return reply
		}
		return modeltest.Reply{Text: "It answered: " + r.LastText(), Usage: &modeltest.Usage{In: 1100, Cached: 1000, Out: 20}}
	})
	p.prices = synthetic
	run := llmRun{url: api.URL, from: "2025-01-01", to: firstDay, cash: "100000", accounts: []string{"good", "picky", "mute", "gone"}, tuning: object{"temperature": 0.5, "price_per_million": object{"input": 10, "output": 100}}}
	config := p.llm(t, run)[1]
	out := p.try(t, "models", "check", config, "--json")
	var got []struct {
		Account, Says string
		OK            bool
		In, Out       int
		Cost          *json.Number
		Learned       []string
	}
	if err := json.Unmarshal([]byte(out.stdout), &got); err != nil || out.code != 1 || len(got) != 4 {
		t.Fatalf("exit %d, %v\n%s%s", out.code, err, out.stdout, out.stderr)
	}
	good, picky, mute, gone := got[0], got[1], got[2], got[3]
	if !good.OK || good.Says != "It answered: It is ready." || good.In != 2100 || good.Out != 30 || good.Cost == nil || *good.Cost != "0.024" || len(good.Learned) > 0 {
		t.Errorf("good: %+v, cost %v", good, good.Cost)
	}
	if !picky.OK || len(picky.Learned) != 1 || picky.Learned[0] != "without temperature" {
		t.Errorf("picky: %+v", picky)
	}
	if mute.OK || !strings.Contains(mute.Says, "it called no tool") {
		t.Errorf("mute: %+v", mute)
	}
	if gone.OK || !strings.Contains(gone.Says, "answers 404") || !strings.Contains(gone.Says, "correct basemodel or openai_base_url") {
		t.Errorf("gone: %+v", gone)
	}
	table := p.try(t, "models", "check", config)
	if table.code != 1 || !strings.Contains(table.stdout, "picky is asked otherwise: without temperature.") || !strings.Contains(table.stdout, "gone cannot trade: the model's endpoint answers 404") {
		t.Errorf("exit %d\n%s", table.code, table.stdout)
	}
	p.hides(t, output{stdout: out.stdout + table.stdout, stderr: out.stderr + table.stderr}, modelKey)
	run.accounts, run.api = []string{"good"}, "anthropic"
	if out := p.try(t, "models", "check", p.llm(t, run)[1], "--trust-config"); out.code != 0 || !strings.Contains(out.stdout, "yes") {
		t.Errorf("exit %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	if exists(p.dir + "/agent_data") {
		t.Error("something was written")
	}
}
