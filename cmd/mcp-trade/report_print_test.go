package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"mcp-trade/report"
	"mcp-trade/report/paper"
)

// The leaderboard has a column for each metric that names one, with the account's figure in it.
func TestPrintReport(t *testing.T) {
	for name, r := range map[string]report.Report{
		"alone":                          {},
		"against a benchmark, for a fee": {Benchmark: &report.Series{Name: "QQQ"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := report.Account{Signature: "a", Market: "us", Ledger: &report.Proof{}}
			values := map[report.Key]int{}
			for i, x := range report.MetricTable() {
				values[x.Key] = 1000 + i
			}
			if r.Benchmark == nil {
				values[report.Fees] = 0
			}
			text, err := json.Marshal(values)
			if err == nil {
				err = json.Unmarshal(text, &a.Metrics)
			}
			if err != nil {
				t.Fatal(err)
			}
			r.Accounts = []report.Account{a}
			var out bytes.Buffer
			b, err := paper.Of(r, paper.Options{})
			if err != nil {
				t.Fatal(err)
			}
			printReport(&out, r, b, false)
			lines := strings.Split(out.String(), "\n")
			want, figures := []string{"#", "account", "days", "trades"}, []string{"1", "a", "0", "0"}
			for _, x := range report.MetricTable() {
				column := strings.ReplaceAll(x.Column, "{benchmark}", "QQQ")
				if column == "" || r.Benchmark == nil && (x.Group == report.Relative || x.Key == "fees") {
					continue
				}
				want, figures = append(want, column), append(figures, paper.Figure(a, x))
			}
			if len(want) < 12 {
				t.Fatalf("there are only the columns %v", want)
			}
			for i, cells := range [][]string{append(want, "ledger"), figures} {
				if got := strings.Join(strings.Fields(lines[2*i]), " "); got != strings.Join(cells, " ") {
					t.Errorf("line %d is %q, want %q", 2*i, got, strings.Join(cells, " "))
				}
			}
		})
	}
}
