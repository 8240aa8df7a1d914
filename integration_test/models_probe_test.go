package integration_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"mcp-trade/agent/model/modeltest"
	"mcp-trade/market"
)

func TestModelsAreAskedWhatTheyRecall(t *testing.T) {
	t.Parallel()
	prices, err := market.Open(synthetic)
	if err != nil {
		t.Fatal(err)
	}
	defer prices.Close()
	line := regexp.MustCompile(`(?m)^\d+\. (\S+) on (\S+)$`)
	api := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		if r.Model == "scripted/gone" {
			return modeltest.Fail(401, "")
		}
		var answers []any
		for _, q := range line.FindAllStringSubmatch(r.LastText(), -1) {
			price, err := prices.AsOf("9999-12-31").Close(q[1], market.Stamp(q[2]))
			switch {
			case err == nil && r.Model == "scripted/old":
				answers = append(answers, price)
			case r.Model == "scripted/guesses":
				answers = append(answers, 1)
			default:
				answers = append(answers, nil)
			}
		}
		text, _ := json.Marshal(answers)
		return modeltest.Reply{Text: string(text), Usage: &modeltest.Usage{In: 1000, Out: 10}}
	})
	p := onFiles(t)
	p.prices = synthetic
	config := p.llm(t, llmRun{url: api.URL, from: "2025-01-01", to: fiveDays, cash: "100000", accounts: []string{"old", "guesses", "gone"}, tuning: object{"price_per_million": object{"input": 10, "output": 100}}})[1]
	out := p.try(t, "models", "probe", config, "--questions", "12", "--json")
	var got []struct {
		Account, Names, Error string
		Asked, Answered       int
		Near                  int      `json:"within_1pc"`
		Off                   *float64 `json:"median_off"`
		Cost                  *json.Number
	}
	if err := json.Unmarshal([]byte(out.stdout), &got); err != nil || out.code != 1 || len(got) != 6 {
		t.Fatalf("exit %d, %v\n%s%s", out.code, err, out.stdout, out.stderr)
	}
	for _, r := range got {
		switch r.Account + " " + r.Names {
		case "old true":
			if r.Asked != 12 || r.Answered != 12 || r.Near != 12 || r.Off == nil || *r.Off != 0 || r.Cost == nil || *r.Cost != "0.011" {
				t.Errorf("%+v", r)
			}
		case "old masked":
			if r.Asked != 12 || r.Answered != 0 || r.Near != 0 || r.Off != nil {
				t.Errorf("%+v", r)
			}
		case "guesses true", "guesses masked":
			if r.Answered != 12 || r.Near != 0 || r.Off == nil || *r.Off < 0.5 {
				t.Errorf("%+v", r)
			}
		default:
			if !strings.Contains(r.Error, "401") || r.Answered != 0 || r.Cost != nil {
				t.Errorf("%+v", r)
			}
		}
	}
	table := p.try(t, "models", "probe", config)
	if table.code != 1 || !regexp.MustCompile(`(?m)^old +scripted/old +true +20 +20 +20 +20 +0\.00 % +0\.01`).MatchString(table.stdout) || !strings.Contains(table.stdout, "gone was not asked by true names") {
		t.Errorf("exit %d\n%s%s", table.code, table.stdout, table.stderr)
	}
	p.hides(t, output{stdout: out.stdout + table.stdout, stderr: out.stderr + table.stderr}, modelKey)
}
