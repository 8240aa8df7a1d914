package page

import (
	"encoding/json"
	"html"
	"strings"
	"testing"

	"mcp-trade/report"
)

// Each metric of the table has a row in the account's figures: with its value, or with the reason why there is none.
func TestWrite_AllMetrics(t *testing.T) {
	a := report.Account{Signature: "a", Market: "us"}
	for _, known := range []bool{true, false} {
		figures, why := map[string]any{}, map[string]string{}
		for i, x := range report.MetricTable() {
			if known {
				figures[string(x.Key)] = 1000 + i
			} else {
				why[string(x.Key)] = "why " + string(x.Key)
			}
		}
		figures["undefined"] = why
		text, err := json.Marshal(figures)
		if err == nil {
			err = json.Unmarshal(text, &a.Metrics)
		}
		if err != nil {
			t.Fatal(err)
		}
		page := told(t, Data{Report: report.Report{Accounts: []report.Account{a}}})
		_, table, _ := strings.Cut(page, `<table class="measures">`)
		table, _, _ = strings.Cut(table, "</table>")
		rows := strings.Split(html.UnescapeString(table), "<tr>")[2:] // behind the head
		if len(rows) != len(report.MetricTable()) {
			t.Fatalf("%d rows for %d metrics", len(rows), len(report.MetricTable()))
		}
		for i, x := range report.MetricTable() {
			want := []string{">" + capital(x.Name) + "<", x.Meaning, metricText(a.Metrics.Value(x.Key), x.Unit, 3)}
			if !known {
				want = append(want, "Not known: why "+string(x.Key)+".")
			}
			for _, text := range want {
				if !strings.Contains(rows[i], text) {
					t.Errorf("the row of %s lacks %q: %s", x.Key, text, rows[i])
				}
			}
		}
	}
}
