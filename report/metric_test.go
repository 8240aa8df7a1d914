package report

// Tests of the table of metrics: it is complete, and the documentation says what it says.

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the formulas into doc.go and ../docs/report.md")

// besides are the members of metrics in report.json that are no figures of their own: what figures rest on, and reasons.
const besides = "returns stale_days end_stale trades closed_trades undefined"

func TestMetricTable(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range strings.Fields(besides) {
		seen[name] = true
	}
	for _, x := range MetricTable() {
		if x.Name == "" || x.Formula == "" || x.Group == "" || x.Meaning == "" || x.compute == nil || (x.DateKey == "") != (x.date == nil) {
			t.Errorf("the row of %s lacks something: %+v", x.Key, x)
		}
		names := []string{string(x.Key)}
		if x.DateKey != "" {
			names = append(names, x.DateKey)
		}
		if x.HasInterval() {
			names = append(names, x.IntervalKey())
		}
		for _, name := range names {
			if seen[name] {
				t.Errorf("%s stands in report.json twice", name)
			}
			seen[name] = true
		}
	}
	text, err := json.Marshal(Metrics{})
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Sorted(maps.Keys(members)), slices.Sorted(maps.Keys(seen)); !slices.Equal(got, want) {
		t.Errorf("report.json has\n%s\nand the table\n%s", got, want)
	}
}

// What a report writes of its figures is read back as it was.
func TestMetrics_UnmarshalJSON(t *testing.T) {
	values, levels := grown(1, 400, 0, 0.01), grown(2, 400, 0, 0.01)
	for _, a := range []Account{compared(alongside(seriesOf(values), levels), values).Accounts[0], measured(seriesOf([]float64{100, 110}), Options{})} {
		text, err := json.Marshal(a.Metrics)
		if err != nil {
			t.Fatal(err)
		}
		var read Metrics
		if err := json.Unmarshal(text, &read); err != nil || !reflect.DeepEqual(read, a.Metrics) {
			t.Errorf("%v: of %s\n%+v was read, want\n%+v", err, text, read, a.Metrics)
		}
	}
	for _, text := range []string{`{"sharpe": "1.5"}`, `{"sharpe": [`, `{"sharpe_interval": 1}`, `{"trades": "x"}`} {
		if err := json.Unmarshal([]byte(text), new(Metrics)); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}

// Who asks for a figure that no row has is wrong, and is told before somebody takes it for unknown.
func TestMetrics_Figure(t *testing.T) {
	m := measured(seriesOf([]float64{100, 110}), Options{}).Metrics
	defer func() {
		if recover() == nil {
			t.Error("a figure that there is none of has a value")
		}
	}()
	m.Value("sharp")
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
	units := map[Unit]string{Money: "money", Change: "fraction", Part: "fraction", Points: "fraction", Ratio: "", Count: "count"}
	for _, x := range MetricTable() {
		key := "`" + string(x.Key) + "`"
		if x.HasInterval() {
			key += ", `" + x.IntervalKey() + "`"
		}
		if x.DateKey != "" {
			key += ", `" + x.DateKey + "`"
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
