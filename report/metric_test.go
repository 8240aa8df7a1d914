package report

// Tests of the table of metrics: it is complete, and the documentation says what it says.

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the formulas into doc.go and ../docs/report.md")

// besides are the fields of Metrics that are no figures of their own: what figures rest on, days, and reasons.
var besides = []string{"returns", "end_date", "end_stale", "best_date", "worst_date", "stale_days", "trades", "closed_trades", "undefined"}

func TestMetricTable(t *testing.T) {
	var m Metrics
	rows := map[any]string{} // the key of each figure and interval, by its address
	for _, x := range MetricTable() {
		if x.Name == "" || x.Formula == "" || x.Group == "" || x.Meaning == "" {
			t.Errorf("the row of %s lacks something: %+v", x.Key, x)
		}
		rows[x.Of(&m)] += x.Key
		if x.Interval != nil {
			rows[x.Interval(&m)] += x.IntervalKey()
		}
		if x.Of(&m) != nil && m.Metric(x.Of(&m)).Key != x.Key {
			t.Errorf("two rows have the figure of %s", x.Key)
		}
	}
	value := reflect.ValueOf(&m).Elem()
	for i := range value.NumField() {
		key := value.Type().Field(i).Tag.Get("json")
		if got := rows[value.Field(i).Addr().Interface()]; got != key && !(got == "" && slices.Contains(besides, key)) {
			t.Errorf("report.json has %s, and the table calls it %q", key, got)
		}
	}
	if want := value.NumField() - len(besides); len(rows) != want {
		t.Errorf("the table has %d figures and intervals, want %d", len(rows), want)
	}
}

// formulas are the lines of a group, as a block of documentation.
func formulas(group Group) string {
	wide := 0
	for _, x := range MetricTable() {
		wide = max(wide, len(x.Name))
	}
	var block strings.Builder
	for _, x := range MetricTable() {
		if x.Group == group {
			name := x.Name
			for line := range strings.Lines(x.Formula + "\n") {
				fmt.Fprintf(&block, "//\t%-*s  %s", wide, name, line)
				name = ""
			}
		}
	}
	return block.String()
}

// asMarkdown writes the sections of a package comment from one heading on up to another.
func asMarkdown(comment, from, to string) string {
	_, text, _ := strings.Cut(comment, "// # "+from+"\n")
	text, _, _ = strings.Cut("// # "+from+"\n"+text, "// # "+to+"\n")
	for _, change := range [][2]string{{`(?m)^// # `, "### "}, {`(?m)^//\t`, "    "}, {`(?m)^// ?`, ""}, {`\[market\.Market\]`, "`market/markets.go`"}} {
		text = regexp.MustCompile(change[0]).ReplaceAllString(text, change[1])
	}
	return strings.TrimSpace(text) + "\n"
}

// figureTable is the table of docs/report.md.
func figureTable() string {
	text := "| figure | in `metrics` of report.json | unit | takes | what it is |\n|---|---|---|---|---|\n"
	units := map[Unit]string{Money: "money", Change: "fraction", Part: "fraction", Ratio: "", Count: "count"}
	for _, x := range MetricTable() {
		key := "`" + x.Key + "`"
		if x.Interval != nil {
			key += ", `" + x.IntervalKey() + "`"
		}
		if x.Date != nil {
			key += ", `" + dateKeys[x.Key] + "`"
		}
		takes := ""
		switch {
		case x.Annual:
			takes = "a year"
		case x.Least > 0:
			takes = fmt.Sprintf("%d returns", x.Least)
		}
		text += fmt.Sprintf("| %s | %s | %s | %s | %s |\n", x.Name, key, units[x.Unit], takes, x.Meaning)
	}
	return text
}

// dateKeys are where report.json has the days of figures.
var dateKeys = map[string]string{"end": "end_date", "best_day": "best_date", "worst_day": "worst_date"}

// The documentation has the formulas and meanings of the table. With -update it is written.
func TestMetricTable_Documentation(t *testing.T) {
	const doc, page = "doc.go", "../docs/report.md"
	for _, group := range []Group{Returns, Trading, Usage, Relative} {
		hold(t, doc, `(?s)// # `+string(group)+`\n.*?\n//\n((?://\t[^\n]*\n)+)`, formulas(group))
	}
	comment, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	hold(t, page, `(?s)(\| figure \|.*?)\n\n`, strings.TrimSuffix(figureTable(), "\n"))
	hold(t, page, `(?s)(### Returns\n.*)`, asMarkdown(string(comment), "Returns", "Ledgers"))
}

// hold compares the part of a file that a pattern finds with a text.
func hold(t *testing.T, file, pattern, want string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := regexp.MustCompile(pattern).FindSubmatchIndex(text)
	if at == nil {
		t.Fatalf("%s has nothing like %s", file, pattern)
	}
	if got := string(text[at[2]:at[3]]); got == want {
		return
	} else if !*update {
		t.Errorf("%s has\n%s\nand the table says\n%s\n(go test ./report -run TestMetricTable -update writes it)", file, got, want)
		return
	}
	if err := os.WriteFile(file, slices.Concat(text[:at[2]], []byte(want), text[at[3]:]), 0o644); err != nil {
		t.Fatal(err)
	}
}
