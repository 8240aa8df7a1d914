package paper

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"mcp-trade/market"
	"mcp-trade/report"
)

// accountOf has a total return and a Sharpe ratio, each unless it is "".
func accountOf(t *testing.T, name, gain, sharpe string, values ...float64) report.Account {
	t.Helper()
	a := report.Account{Signature: name, Market: market.US, Ledger: &report.Proof{Verdict: "verified"}}
	figures := map[string]json.RawMessage{"end": json.RawMessage("1234567.891")}
	for key, text := range map[string]string{"total_return": gain, "sharpe": sharpe} {
		if text != "" {
			figures[key] = json.RawMessage(text)
		}
	}
	text, err := json.Marshal(figures)
	if err == nil {
		err = json.Unmarshal(text, &a.Metrics)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range values {
		p := report.Period{Date: market.Stamp("2025-10-01").AddDays(i)}
		if v > 0 {
			p.Value = report.Known(v)
		}
		a.Periods = append(a.Periods, p)
	}
	return a
}

func boardOf(t *testing.T, o Options, accounts ...report.Account) Board {
	t.Helper()
	b, err := Of(report.Report{Accounts: accounts}, o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var few = []string{"rank", "account", "end", "total_return", "sharpe"}

// Nothing in a name is obeyed by LaTeX, Markdown or a spreadsheet.
func TestBoard_Write(t *testing.T) {
	hostile := `=a_b|<i>\input{x}%&#`
	b := boardOf(t, Options{Columns: few}, accountOf(t, hostile, "-0.0563", "", 1), accountOf(t, "b", "0.1234567890123", "1.5", 1))
	for form, want := range map[Form]string{
		LaTeX: `% needs \usepackage{booktabs}
\begin{tabular}{rlrrr}
\toprule
\# & account & value at close & return & Sharpe \\
\midrule
1 & =a\_b\textbar{}\textless{}i\textgreater{}\textbackslash{}input\{x\}\%\&\# & 1,234,567.89 & $-$5.63\,\% & -- \\
2 & b & 1,234,567.89 & 12.35\,\% & 1.50 \\
\bottomrule
\end{tabular}
`,
		Markdown: `| # | account | value at close | return | Sharpe |
| ---: | --- | ---: | ---: | ---: |
| 1 | =a\_b\|&lt;i>\\input{x}%&# | 1,234,567.89 | -5.63 % | - |
| 2 | b | 1,234,567.89 | 12.35 % | 1.50 |
`,
		CSV: `rank,account,end,total_return,sharpe
1,'=a_b|<i>\input{x}%&#,1234567.891,-0.0563,
2,b,1234567.891,0.1234567890123,1.5
`,
	} {
		var got bytes.Buffer
		if err := b.Write(&got, form); err != nil || got.String() != want {
			t.Errorf("%s, %v:\n%s\nwant\n%s", form, err, got.String(), want)
		}
	}
	if err := b.Write(new(bytes.Buffer), "pdf"); err == nil || !strings.Contains(err.Error(), "latex, markdown or csv") {
		t.Errorf("err = %v", err)
	}
	var text bytes.Buffer
	if err := b.Write(&text, CSV); err != nil {
		t.Fatal(err)
	}
	if rows, err := csv.NewReader(&text).ReadAll(); err != nil || len(rows) != 3 {
		t.Errorf("%v, %v", rows, err)
	}
}

// Rows are ordered by any column, those without a value last; the places stay those of the report.
func TestOf_Sort(t *testing.T) {
	accounts := []report.Account{accountOf(t, "c", "0.3", ""), accountOf(t, "a", "0.2", "1"), accountOf(t, "b", "0.1", "2")}
	for sort, want := range map[string]string{
		"": "1c 2a 3b", "sharpe": "3b 2a 1c", "sharpe:asc": "2a 3b 1c", "total_return:asc": "3b 2a 1c", "account": "1c 3b 2a", "account:asc": "2a 3b 1c", "rank:desc": "3b 2a 1c",
	} {
		var got []string
		for _, row := range boardOf(t, Options{Columns: few, Sort: sort}, accounts...).Rows {
			got = append(got, row.Cells[0]+row.Cells[1])
		}
		if strings.Join(got, " ") != want {
			t.Errorf("by %q: %v, want %s", sort, got, want)
		}
	}
	if n := len(boardOf(t, Options{Top: 2}, accounts...).Rows); n != 2 {
		t.Errorf("%d rows of the top 2", n)
	}
	for _, o := range []Options{{Sort: "sharp"}, {Sort: "sharpe:up"}, {Columns: []string{"account", "name"}}} {
		if _, err := Of(report.Report{}, o); err == nil || !strings.Contains(err.Error(), "sharpe") && !strings.Contains(err.Error(), "name") {
			t.Errorf("%+v: err = %v", o, err)
		}
	}
}

// A leaderboard fits whatever width its first columns have room in, and every column is there if there is room for all.
func TestBoard_Fit(t *testing.T) {
	b := boardOf(t, Options{Curve: true}, accountOf(t, "a", "0.3", "1", 1, 2, 3), accountOf(t, "b", "-0.3", "1", 3, 2, 1))
	all := b.Width(2, utf8.RuneCountInString)
	for width := 20; width <= all; width++ {
		fitting, left := b.Fit(width, 2, utf8.RuneCountInString)
		if got := fitting.Width(2, utf8.RuneCountInString); got > width || len(left)+len(fitting.Columns) != len(b.Columns) || (width == all) != (len(left) == 0) {
			t.Fatalf("of %d characters it takes %d, and %v are left out", width, got, left)
		}
		if heads := fmt.Sprint(fitting.Columns[0].Head, fitting.Columns[1].Head); heads != "#account" {
			t.Fatalf("it begins with %s", heads)
		}
		for i := range fitting.Rows {
			if len(fitting.Rows[i].Cells) != len(fitting.Columns) || len(fitting.Rows[i].Exact) != len(fitting.Columns) {
				t.Fatalf("row %d has %v", i, fitting.Rows[i].Cells)
			}
		}
	}
	gain := 0
	for i, c := range b.Columns {
		if c.Name == "total_return" {
			gain = i
		}
	}
	if b.Signs(0)[gain] != 1 || b.Signs(1)[gain] != -1 || b.Signs(0)[1] != 0 {
		t.Errorf("signs %v and %v", b.Signs(0), b.Signs(1))
	}
}

func TestCurve(t *testing.T) {
	for want, values := range map[string][]float64{
		"": {}, "▁": {5}, "▁█": {1, 2}, "▁▄█": {1, 1.5, 2}, "▁ █": {1, 0, 2}, "▁▁▁": {7, 7, 7}, "  ": {0, 0},
		"▂▃▄▅▆█": {1, 10, 2, 20, 30, 30, 40, 40, 50, 50, 60, 60}, // every second day counts
	} {
		if got := Curve(accountOf(t, "a", "", "", values...), 6); got != want {
			t.Errorf("%v is drawn as %q, want %q", values, got, want)
		}
	}
}

// A column is asked for by its key, or by the title that readers see.
func TestOf_Columns(t *testing.T) {
	a := accountOf(t, "a", "0.5", "1.5", 1)
	for _, name := range []string{"sharpe", "Sharpe ratio", "sharpe_ratio"} {
		if b := boardOf(t, Options{Columns: []string{name}}, a); b.Columns[0].Name != "sharpe" {
			t.Errorf("%s is the column %s", name, b.Columns[0].Name)
		}
	}
	if _, err := Of(report.Report{}, Options{Sort: "sharp"}); err == nil || !strings.Contains(err.Error(), `no column "sharp"`) {
		t.Errorf("err = %v", err)
	}
}
