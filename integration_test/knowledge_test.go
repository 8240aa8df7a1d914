// What a model may remember of the days that it trades: told apart from the others, warned of, and never claimed where it is not known.

package integration_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/agent/model/modeltest"
	"mcp-trade/report/page/pagetest"
)

func TestTheDaysThatAModelMayRememberAreToldApart(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	model := modeltest.Start(t, normalDay)
	config := p.config(t, model, fiveDays, nil, "some", "all", "unknown")
	var models []object
	for name, cutoff := range map[string]any{"some": "2025-01-03", "all": "Jan 8, 2025", "unknown": nil} {
		models = append(models, object{"basemodel": "scripted/" + name, "signature": name, "openai_base_url": model.URL, "knowledge_cutoff": cutoff})
	}
	p.amend(t, config, "models", models)
	out := p.try(t, "run", config, "--account", "dice=random", "--json", "--trust-config")
	var ran []struct {
		Account string
		Return  float64
		Around  *struct{ Before, After *float64 } `json:"around_cutoff"`
	}
	if err := json.Unmarshal([]byte(out.stdout), &ran); err != nil || out.code != 0 {
		t.Fatalf("exit %d, %v\n%s", out.code, err, out.stderr)
	}
	for _, r := range ran {
		switch a := r.Around; r.Account {
		case "some":
			if a == nil || a.Before == nil || a.After == nil || *a.Before == 0 || *a.After == 0 || math.Abs((1+*a.Before)*(1+*a.After)-1-r.Return) > 1e-9 {
				t.Errorf("%+v", r)
			}
		case "all":
			if a == nil || a.Before == nil || a.After != nil || *a.Before != r.Return {
				t.Errorf("%+v", r)
			}
		default:
			if a != nil {
				t.Errorf("%+v", r)
			}
		}
	}
	if n := strings.Count(out.stderr, "knowledge cutoff"); n != 1 || !strings.Contains(out.stderr, "all days of the run, to 2025-01-08, lie before or on the knowledge cutoff of the model, 2025-01-08") {
		t.Errorf("%d warnings:\n%s", n, out.stderr)
	}

	dir := filepath.Join(p.dir, "results")
	table := p.do(t, "report", "--benchmark", "equal-weight", "--out", dir)
	var r struct {
		Accounts []struct {
			Signature string
			Warnings  []string
			Metrics   struct {
				Total  float64 `json:"total_return"`
				Excess float64 `json:"excess_return"`
			}
			Knowledge *struct {
				Cutoff        string `json:"knowledge_cutoff"`
				Before, After *struct {
					Days      int
					From, To  string
					Total     float64  `json:"total_return"`
					Excess    *float64 `json:"excess_return"`
					Sharpe    *float64
					Undefined map[string]string
				}
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil || json.Unmarshal(text, &r) != nil {
		t.Fatal(err)
	}
	p.valid(t, string(text))
	page := pagetest.Text(t, readText(t, filepath.Join(dir, "report.html")))
	said := map[string]string{
		"some":    "After the knowledge cutoff of its model, 2025-01-03: 3 trading days, total return ",
		"all":     "All 5 trading days, to 2025-01-08, lie before or on the knowledge cutoff of its model, 2025-01-08: the model may remember what followed",
		"unknown": "How far the training of its model reaches is not configured (knowledge_cutoff)",
	}
	for _, a := range r.Accounts {
		m, warnings := a.Knowledge, strings.Join(a.Warnings, " ")
		if text := said[a.Signature]; !strings.Contains(table, text) || !strings.Contains(page, text) {
			t.Errorf("neither table nor page says of %s: %s\n%s", a.Signature, text, table)
		}
		switch a.Signature {
		case "some":
			if m == nil || m.Before == nil || m.After == nil || m.Before.Days != 2 || m.Before.To != "2025-01-03" || m.After.Days != 3 || m.After.From != "2025-01-06" ||
				math.Abs((1+m.Before.Total)*(1+m.After.Total)-1-a.Metrics.Total) > 1e-12 || m.After.Excess == nil || m.After.Sharpe != nil || !strings.Contains(m.After.Undefined["sharpe"], "20 returns") || strings.Contains(warnings, "cutoff") {
				t.Errorf("%+v %v", m, a.Warnings)
			}
		case "all":
			if m == nil || m.Before == nil || m.After != nil || m.Before.Total != a.Metrics.Total || *m.Before.Excess != a.Metrics.Excess {
				t.Errorf("%+v", m)
			}
		case "unknown":
			if m == nil || m.Cutoff != "" || m.Before != nil || m.After != nil {
				t.Errorf("%+v", m)
			}
		default:
			if m != nil || strings.Contains(warnings, "model") {
				t.Errorf("%s: %+v %v", a.Signature, m, a.Warnings)
			}
		}
	}
	manifest, err := os.ReadFile(filepath.Join(p.logPath(), "run-manifest.json"))
	if err != nil || !strings.Contains(strings.ReplaceAll(string(manifest), " ", ""), `"knowledge_cutoff":"2025-01-03"`) {
		t.Errorf("the manifest does not tell the cutoff: %v", err)
	}
}
