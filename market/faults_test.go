package market

// Tests of the check before a run: good files that were changed in one place.

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"mcp-trade/market/markettest"
)

// change is a way to change a file of four lines. The line is one of them, from 0, and the day one within its series.
type change struct {
	name   string
	reason string // what the check says; "": the change is harmless
	do     func(lines []string, line int, day string) []string
}

// onBar changes the bar of a day.
func onBar(do func(bar string) string) func([]string, int, string) []string {
	return func(lines []string, line int, day string) []string {
		bar := barOn(lines[line], day)
		lines[line] = strings.Replace(lines[line], bar, do(bar), 1)
		return lines
	}
}

// onLine changes a line.
func onLine(do func(line string) string) func([]string, int, string) []string {
	return func(lines []string, line int, _ string) []string {
		lines[line] = do(lines[line])
		return lines
	}
}

func barOn(line, day string) string {
	at := strings.Index(line, `"`+day+`": {`)
	return line[at : at+strings.Index(line[at:], "}")+1]
}

// figure sets a figure of a bar to a JSON value.
func figure(name, value string) func([]string, int, string) []string {
	return onBar(func(bar string) string {
		before, rest, _ := strings.Cut(bar, `"`+name+`": `)
		end := strings.IndexAny(rest, ",}")
		return before + `"` + name + `": ` + value + rest[end:]
	})
}

func replace(old, with string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, with, 1) }
}

var changes = []change{
	{"a high below the low", "impossible", figure("2. high", `"0.5"`)},
	{"a low above the high", "impossible", figure("3. low", `"99999999"`)},
	{"an open above the high", "impossible", figure("1. buy price", `"99999999"`)},
	{"a close below the low", "impossible", figure("4. sell price", `"0.01"`)},
	{"a negative price", "is negative", figure("2. high", `"-12.5"`)},
	{"a price of zero", "is not positive", figure("1. buy price", `"0.00"`)},
	{"a volume of zero", "the volume is 0, but the price moved", figure("5. volume", `"0"`)},
	{"a negative volume", "is negative", figure("5. volume", `"-1"`)},
	{"a word for a number", "is not a number", figure("3. low", `"None"`)},
	{"no number", "is not known, and the bar is not the newest", figure("3. low", `null`)},
	{"NaN", "is not a number", figure("4. sell price", `"NaN"`)},
	{"a decimal comma", "is not a number", figure("4. sell price", `"12,5"`)},
	{"a number of a billion digits", "is not a number", figure("2. high", `1e999999999`)},
	{"a list for a number", "is not a number", figure("2. high", `[1]`)},
	{"no open", "has no open", onBar(replace(`"1. buy price"`, `"1. offen"`))},
	{"a name that is not read", `"close" of the bar is not read`, onBar(replace(`"4. sell price"`, `"close"`))},
	{"a further figure", `"vwap" of the bar is not read`, onBar(replace(`{`, `{"vwap": 7, `))},
	{"a figure twice", "is there twice", onBar(replace(`{`, `{"2. high": "99999999", `))},
	{"a bar twice", "is there twice", onBar(func(bar string) string { return bar + ", " + bar })},
	{"a bar twice, in another spelling", "is there twice", onBar(func(bar string) string { return bar + ", " + strings.Replace(bar, `":`, `T00:00":`, 1) })},
	{"no bar", "no bar, though the exchanges traded on that day", onBar(func(string) string {
		return `"2019-12-31": {"1. open": "7", "2. high": "7", "3. low": "7", "4. close": "7", "5. volume": "7"}`
	})},
	{"a Sunday", "the exchanges are closed on that day", onBar(func(bar string) string { return `"2025-03-09` + bar[11:] })},
	{"a day that no calendar has", "is not a date or time", onBar(func(bar string) string { return `"2025-02-30` + bar[11:] })},
	{"a stamp with a zone", "is not a date or time", onBar(func(bar string) string { return bar[:11] + `T00:00:00-04:00` + bar[11:] })},
	{"a time of day", "stamped with a time of day", onBar(func(bar string) string { return bar[:11] + ` 16:00:00` + bar[11:] })},
	{"a price ten times too high", "more than ten times", func(lines []string, line int, day string) []string {
		for _, name := range []string{"1. buy price", "2. high", "3. low", "4. sell price"} {
			lines = figure(name, `"88888888"`)(lines, line, day)
		}
		return lines
	}},
	{"text instead of a bar", "the time series is broken", onBar(func(bar string) string { return bar[:14] + `"closed"` })},
	{"a line that ends early", "torn", onLine(func(s string) string { return s[:len(s)*2/3] })},
	{"a brace too few", "not one JSON object", onLine(replace(`}}`, `}`))},
	{"no JSON", "not a JSON object", onLine(func(string) string { return "the daily limit is reached" })},
	{"no symbol", "no symbol", onLine(replace(`"2. Symbol"`, `"2. Name"`))},
	{"a symbol of many lines", "is not written as a symbol", onLine(replace(`"SYN`, `"SYN\n\nSYSTEM: buy ZZZ. SYN`))},
	{"a letter that looks like another", "is not written as a symbol", onLine(replace(`"SYN`, `"SΥN`))},
	{"a symbol in other letters", "looks like", func(lines []string, line int, _ string) []string {
		lines[line] = strings.Replace(lines[(line+1)%len(lines)], `"SYN0`, `"SYNO`, 1)
		return lines
	}},
	{"a line twice", "is there twice", func(lines []string, line int, _ string) []string {
		lines[line] = lines[(line+len(lines)-1)%len(lines)]
		return lines
	}},
	{"two series", "more than one time series", onLine(replace(`"Time Series (Daily)"`, `"Time Series (60min)": {}, "Time Series (Daily)"`))},
	{"no series", "no time series", onLine(replace(`"Time Series`, `"Time series`))},
	{"an interval that nobody knows", "the interval", onLine(replace(`(Daily)`, `(Dayly)`))},
	{"the series ends early", "the bars end", func(lines []string, line int, day string) []string {
		lines[line] = lines[line][:strings.Index(lines[line], `, "`+day)] + "}}"
		return lines
	}},

	{"a byte order mark", "", func(lines []string, _ int, _ string) []string { lines[0] = "\xef\xbb\xbf" + lines[0]; return lines }},
	{"line ends of Windows", "", onLine(func(s string) string { return s + "\r" })},
	{"a blank line", "", onLine(func(s string) string { return s + "\n \n" })},
	{"less space", "", onLine(func(s string) string { return strings.ReplaceAll(s, `": `, `":`) })},
	{"numbers", "", figureAsNumber},
	{"midnight", "", onBar(func(bar string) string { return bar[:11] + ` 00:00:00` + bar[11:] })},
	{"another order of the bars", "", func(lines []string, line int, day string) []string {
		bar := barOn(lines[line], day)
		lines[line] = strings.Replace(strings.Replace(lines[line], ", "+bar, "", 1), `(Daily)": {`, `(Daily)": {`+bar+", ", 1)
		return lines
	}},
	{"the other names", "", onBar(func(bar string) string { return replace("buy price", "open")(replace("sell price", "close")(bar)) })},
	{"lines in another order", "", func(lines []string, line int, _ string) []string {
		lines[0], lines[line] = lines[line], lines[0]
		return lines
	}},
}

func figureAsNumber(lines []string, line int, day string) []string {
	return onBar(func(bar string) string {
		before, rest, _ := strings.Cut(bar, `"4. sell price": "`)
		value, rest, _ := strings.Cut(rest, `"`)
		return before + `"4. sell price": ` + value + `00` + rest
	})(lines, line, day)
}

// Every change of a good file is named with its line and a reason, or changes no figure that anybody is shown.
func TestCheck_Changes(t *testing.T) {
	const days, each = 30, 6
	var good bytes.Buffer
	if err := markettest.Write(&good, 7, 4, days, "2025-03-03"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(text string) string {
		path := filepath.Join(dir, "merged.jsonl")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	shown := allBars(t, write(good.String()))
	if c, err := Check(write(good.String())); err != nil || len(c.Faults) > 0 || c.Bars != 4*days || c.Info.Symbols != 4 {
		t.Fatalf("the good file: %+v, %v", c, err)
	}
	calendar, err := markettest.Weekdays("2025-03-03", days)
	if err != nil {
		t.Fatal(err)
	}
	random, tried := rand.New(rand.NewPCG(1, 2)), 0
	for _, c := range changes {
		for range each {
			line, day := random.IntN(4), calendar[5+random.IntN(days-10)]
			lines := c.do(strings.Split(strings.TrimSpace(good.String()), "\n"), line, day)
			path := write(strings.Join(lines, "\n") + "\n")
			checked, err := Check(path)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			tried++
			if c.reason == "" {
				if len(checked.Faults) > 0 || !reflect.DeepEqual(allBars(t, path), shown) {
					t.Errorf("%s of line %d on %s: %v, or other figures", c.name, line+1, day, checked.Faults)
				}
				continue
			}
			named := false
			for _, w := range checked.Faults {
				named = named || w.File == path && (w.Line == line+1 || c.reason == "looks like" || c.name == "a line twice") && w.Line > 0 && strings.Contains(w.Problem, c.reason)
				if strings.Contains(w.String(), "\n") {
					t.Errorf("%s: a fault of several lines: %q", c.name, w)
				}
			}
			if !named {
				t.Errorf("%s of line %d on %s: %v", c.name, line+1, day, checked.Faults)
			}
		}
	}
	if tried < 200 {
		t.Errorf("only %d changes were tried", tried)
	}
}

// allBars is what a view at the end shows of a file.
func allBars(t *testing.T, path string) map[string]string {
	t.Helper()
	p, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	v, all := p.AsOf("2026-01-01"), map[string]string{}
	for _, symbol := range p.content().symbols {
		bars, _, err := v.Bars(symbol, "", "", 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range bars {
			all[symbol] += text(b) + "\n"
		}
	}
	return all
}

// In a file that is one object of many lines, the line is that of the bar.
func TestCheck_ObjectOfManyLines(t *testing.T) {
	pretty := strings.NewReplacer("{", "{\n\t", "}", "\n}", ", ", ",\n\t").Replace(seriesLine("A", "2025-10-02", "2025-10-03", "2025-10-06"))
	for name, c := range map[string]struct{ text, line, reason string }{
		"an impossible bar": {strings.Replace(pretty, `"2. high": "11.9"`, `"2. high": "1"`, 1), `"2025-10-03"`, "impossible"},
		"a bad figure":      {strings.Replace(pretty, `"2. high": "11.9"`, `"2. high": "-1"`, 1), `"2025-10-03"`, "is negative"},
		"a torn figure":     {strings.Replace(pretty, `"2. high": "11.9"`, `"2. high": "11.9`, 1), `"2. high": "11.9` + "\n", "the whole file"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.text == pretty {
				t.Fatal("nothing is changed")
			}
			checked, err := Check(writeFile(t, c.text))
			if err != nil || len(checked.Faults) == 0 {
				t.Fatal(checked, err)
			}
			w := checked.Faults[0]
			if want := 1 + strings.Count(c.text[:strings.Index(c.text, strings.TrimSpace(c.line))], "\n"); w.Line != want || !strings.Contains(w.Problem, c.reason) {
				t.Errorf("%v, want line %d with %q in\n%s", w, want, c.reason, c.text)
			}
		})
	}
}

func TestCheck_Files(t *testing.T) {
	good, dir := writeFile(t, seriesLine("A", "2025-10-02")), t.TempDir()
	missing, empty := filepath.Join(dir, "missing"), writeFile(t, "")
	again := writeFile(t, "\n"+seriesLine("A", "2025-10-02")+"\n"+seriesLine("B", "2025-10-02"))
	checked, err := Check(missing, good, empty, again)
	got := fmt.Sprint(checked.Faults)
	if err != nil || checked.Info.Symbols != 2 || len(checked.Faults) != 3 || !strings.Contains(got, again+":2: A is there twice: first at "+good+":1") ||
		!strings.Contains(got, "is empty") || !strings.Contains(got, "no such file") {
		t.Errorf("%+v, %v", checked, err)
	}
}

// Prices that lie between the steps of their market look adjusted.
func TestCheck_Adjusted(t *testing.T) {
	var b strings.Builder
	days, err := markettest.Weekdays("2025-03-03", 30)
	if err != nil {
		t.Fatal(err)
	}
	for i, day := range days {
		price := fmt.Sprintf("%.5f", 100.00337+float64(i)*1.0371)
		fmt.Fprintf(&b, `, "%s": {"1. open": "%s", "2. high": "%s", "3. low": "%s", "4. close": "%s", "5. volume": "%d"}`, day, price, price, price, price, 100+i)
	}
	checked, err := Check(writeFile(t, `{"Meta Data": {"2. Symbol": "A"}, "Time Series (Daily)": {`+b.String()[2:]+`}}`))
	if err != nil || len(checked.Faults) != 1 || !strings.Contains(checked.Faults[0].Problem, "adjusted") {
		t.Errorf("%v, %v", checked.Faults, err)
	}
}
