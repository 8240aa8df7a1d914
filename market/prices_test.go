package market

// Tests of the reading of price files: forms, damage, and changes underneath.

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"mcp-trade/decimal"
	"mcp-trade/market/markettest"
)

// seriesLine is a whole line for a symbol with one plain bar per stamp.
func seriesLine(symbol string, stamps ...string) string {
	var bars []string
	for i, stamp := range stamps {
		bars = append(bars, fmt.Sprintf(
			`"%s": {"1. buy price": "1%d.5", "2. high": "1%[2]d.9", "3. low": "1%[2]d.1", "4. sell price": "1%[2]d.7", "5. volume": "1%[2]d00"}`, stamp, i))
	}
	return fmt.Sprintf(`{"Meta Data": {"1. Information": "test", "2. Symbol": "%s"}, "Time Series (Daily)": {%s}}`,
		symbol, strings.Join(bars, ", "))
}

func writeFile(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prices.jsonl")
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func openText(t testing.TB, content string) *Prices {
	t.Helper()
	p, err := Open(writeFile(t, content))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// text spells a bar: stamp open high low close volume, with - for null.
func text(b Bar) string {
	out := string(b.Stamp)
	for _, d := range []decimal.NullDecimal{b.Open, b.High, b.Low, b.Close, b.Volume} {
		if d.Valid {
			out += " " + d.Decimal.String()
		} else {
			out += " -"
		}
	}
	return out
}

func TestOpen_Forms(t *testing.T) {
	const want = "2025-10-02 10.5 10.9 10.1 10.7 1000"
	plain := seriesLine("A", "2025-10-02")
	meta, series, _ := strings.Cut(strings.Trim(plain, "{}"), `}, "Time`)
	for name, content := range map[string]string{
		"plain":             plain + "\n",
		"no newline at end": plain,
		"byte order mark":   "\xef\xbb\xbf" + plain,
		"CRLF":              plain + "\r\n\r\n" + seriesLine("B", "2025-10-02") + "\r\n",
		"blank lines":       "\n \n" + plain + "\n\n\n",
		"no spaces":         strings.ReplaceAll(strings.ReplaceAll(plain, ": ", ":"), ", ", ","),
		"more spaces":       strings.ReplaceAll(strings.ReplaceAll(plain, ":", " : "), "{", " { "),
		"series first":      `{"Time` + series + "}}, " + meta + "}}\n",
		"long meta data":    strings.Replace(plain, `"test"`, `"`+strings.Repeat("x", 3*headSize)+`"`, 1),
		"brace in meta":     strings.Replace(plain, `"test"`, `"} of \"2. Symbol\": \"Z\""`, 1),
		"escaped symbol":    strings.Replace(plain, `"A"`, `"\u0041"`, 1),
		"padded symbol":     strings.Replace(plain, `"A"`, `" A "`, 1),
		"numbers":           strings.NewReplacer(`"10.5"`, "10.5", `"10.9"`, "1.09e1", `"1000"`, "1000").Replace(plain),
		"open and close":    strings.NewReplacer("buy price", "open", "sell price", "close").Replace(plain),
		"one object":        strings.NewReplacer("{", "{\n\t", "}", "\n}", ", ", ",\n\t").Replace(plain),
		"one object, BOM":   "\xef\xbb\xbf" + strings.ReplaceAll(plain, ", ", ",\r\n") + "\n\n",
		"other interval":    strings.Replace(plain, "(Daily)", "(5min)", 1),
		"damage around":     "garbage\n{\"Meta Data\"\n" + plain + "\n{}\n" + plain[:60],
		"torn beside whole": plain[:80] + "\n" + plain + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			bar, err := openText(t, content).AsOf("2025-10-03").Bar("A", "2025-10-02")
			if err != nil || text(bar) != want {
				t.Errorf("got %s, %v\nwant %s\nin %s", text(bar), err, want, content)
			}
		})
	}
}

func TestOpen_LinesAcrossBlocks(t *testing.T) {
	var content strings.Builder
	for i := range 50 {
		content.WriteString(seriesLine(fmt.Sprintf("S%02d", i), "2025-10-02", "2025-10-03") + "\r\n")
	}
	s := mustSource(t, content.String())
	if err := s.index(make([]byte, blockSize)); err != nil || len(s.series) != 50 {
		t.Fatal(len(s.series), err)
	}
	whole := s.series
	for size := 1; size < 400; size += 7 {
		if err := s.index(make([]byte, size)); err != nil || len(s.damaged.list()) > 0 || !slices.Equal(s.series, whole) {
			t.Fatalf("blocks of %d bytes: %v, %v, %v", size, s.series, s.damaged, err)
		}
	}
}

func mustSource(t *testing.T, content string) *priceFile {
	s, err := openPriceFile(writeFile(t, content))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.file.Close() })
	return s
}

func TestOpen_Numbers(t *testing.T) {
	for _, c := range []struct{ figure, want, warning string }{
		{`"10.50"`, "10.5", ""},
		{`10.50`, "10.5", ""},
		{`" 7 "`, "7", ""},
		{`null`, "-", ""},
		{`""`, "-", ""},
		{`"0"`, "-", `high "0" is not positive`},
		{`"-1"`, "-", `high "-1" is negative`},
		{`"None"`, "-", `high "None" is not a number`},
		{`"NaN"`, "-", `high "NaN" is not a number`},
		{`1e999`, "-", `high "1e999" has more than 18 digits`},
		{`"12345.6789012345678"`, "12345.6789012345678", ""},
		{`"12345.67890123456789"`, "-", `has more than 18 digits`},
		{`"1e-99999999"`, "-", `is not a number`},
		{`{"x": 1}`, "-", `is not a number`},
		{`true`, "-", `high "true" is not a number`},
	} {
		content := `{"Meta Data": {"2. Symbol": "A"}, "Time Series (Daily)": {"2025-10-02": {"2. high": ` + c.figure + `}}}`
		p := openText(t, content)
		bar, err := p.AsOf("2025-10-03").Bar("A", "2025-10-02")
		if want := "2025-10-02 - " + c.want + " - - -"; err != nil || text(bar) != want {
			t.Errorf("%s: got %s, %v; want %s", c.figure, text(bar), err, want)
		}
		checkWarning(t, p, c.warning)
	}
}

func checkWarning(t *testing.T, p *Prices, want string) {
	t.Helper()
	got := p.Warnings()
	switch {
	case want == "" && len(got) > 0:
		t.Errorf("unexpected warnings %v", got)
	case want != "" && (len(got) == 0 || !strings.Contains(got[0].String(), want) || !strings.Contains(got[0].String(), "prices.jsonl:1: A")):
		t.Errorf("warnings %v, want %q", got, want)
	}
}

func TestOpen_BadStamps(t *testing.T) {
	p := openText(t, seriesLine("A", "2025-10-02", "2025-02-30", "2025-10-01T09:30", "2025-10-01 09:30", "2025-10-01 09:30:00"))
	bars, _, err := p.AsOf("2025-10-03").Bars("A", "", "", 0)
	if err != nil || len(bars) != 2 || text(bars[0]) != "2025-10-01 09:30:00 14.5 14.9 14.1 14.7 1400" {
		t.Error(bars, err)
	}
	if got := p.Warnings(); len(got) != 3 {
		t.Error(got)
	}
}

func TestOpen_DamagedLines(t *testing.T) {
	good := seriesLine("A", "2025-10-02")
	for name, c := range map[string]struct {
		line, warning string
		symbol        string // is damaged rather than unknown
	}{
		"not JSON":       {"hello", "not a JSON object", ""},
		"an array":       {"[1]", "not a JSON object", ""},
		"torn":           {seriesLine("X", "2025-10-02")[:100], "torn", ""},
		"no symbol":      {"{}", "no symbol", ""},
		"symbol no text": {`{"Meta Data": {"2. Symbol": 5}}`, "not a price object", ""},
		"no series":      {`{"Meta Data": {"2. Symbol": "X"}}`, "no time series", "X"},
		"two series":     {`{"Meta Data": {"2. Symbol": "X"}, "Time Series (Daily)": {}, "Time Series (60min)": {}}`, "more than one", "X"},
		"broken inside":  {strings.Replace(seriesLine("X", "2025-10-02"), ": {", ": {{", 2), "not one JSON object", "X"},
		"series a list":  {`{"Meta Data": {"2. Symbol": "X"}, "Time Series (Daily)": [1]}`, "series is broken", "X"},
		"no bars":        {`{"Meta Data": {"2. Symbol": "X"}, "Time Series (Daily)": {}}`, "no bars", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := openText(t, good+"\n"+c.line+"\n"+seriesLine("B", "2025-10-02"))
			v := p.AsOf("2025-10-03")
			if symbols, err := v.Symbols(); err != nil || fmt.Sprint(symbols) != "[A B]" {
				t.Error(symbols, err)
			}
			_, err := v.OpenPrice("X")
			damage, isDamage := errors.AsType[*DamagedError](err)
			if _, unknown := errors.AsType[*UnknownSymbolError](err); unknown != (c.symbol == "") || isDamage == unknown {
				t.Error(err)
			}
			if isDamage && (damage.Symbol != "X" || damage.Line != 2) {
				t.Errorf("%+v", damage)
			}
			warnings := p.Warnings()
			if len(warnings) != 1 || warnings[0].Line != 2 || !strings.Contains(warnings[0].Problem, c.warning) {
				t.Errorf("warnings %v, want one with %q", warnings, c.warning)
			}
		})
	}
}

func TestPrices_Warnings_Bounded(t *testing.T) {
	p := openText(t, strings.Repeat("garbage\n", 250)+seriesLine("A", "2025-10-02"))
	got := p.Warnings()
	if len(got) != maxWarnings+1 || got[maxWarnings].String() != "150 more problems are not listed" {
		t.Error(len(got), got[len(got)-1])
	}
}

func TestOpen_Errors(t *testing.T) {
	a := seriesLine("AAA", "2025-10-02")
	one, two := writeFile(t, a), writeFile(t, "\n"+a)
	for name, c := range map[string]struct {
		paths []string
		want  []string
	}{
		"no paths":            {nil, []string{"no price file"}},
		"missing file":        {[]string{one + "x"}, []string{one + "x", "no such file"}},
		"directory":           {[]string{filepath.Dir(one)}, []string{"is a directory"}},
		"empty file":          {[]string{writeFile(t, "")}, []string{"is empty"}},
		"blank file":          {[]string{writeFile(t, "\n \n")}, []string{"no line is a price series"}},
		"nothing usable":      {[]string{one, writeFile(t, "garbage\n"+a[:90])}, []string{"no line is a price series"}},
		"twice in one file":   {[]string{writeFile(t, a+"\n\n"+a)}, []string{"AAA", "jsonl:1 ", "jsonl:3"}},
		"twice in two files":  {[]string{one, two}, []string{"AAA", one + ":1", two + ":2"}},
		"the same file twice": {[]string{one, one}, []string{"AAA", one + ":1"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(c.paths...)
			if err == nil {
				t.Fatal("opened")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
		})
	}
}

func TestPrices_FileChangedUnderneath(t *testing.T) {
	content := seriesLine("A", "2025-10-02") + "\n" + seriesLine("B", "2025-10-02") + "\n" + seriesLine("C", "2025-10-02") + "\n"
	for name, change := range map[string]func(path string) error{
		"truncated": func(path string) error { return os.Truncate(path, int64(len(content)-20)) },
		"zeroed": func(path string) error {
			return errors.Join(os.Truncate(path, int64(len(content)-20)), os.Truncate(path, int64(len(content))))
		},
		"rewritten": func(path string) error {
			return os.WriteFile(path, []byte(strings.Replace(content, `"C"`, `"D"`, 1)), 0o644)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, content)
			p, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			v := p.AsOf("2025-10-03")
			if _, err := v.Bar("A", "2025-10-02"); err != nil {
				t.Fatal(err)
			}
			if err := change(path); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := v.Bar("C", "2025-10-02"); !isDamage(err) {
					t.Errorf("C: %v", err)
				}
			}
			if _, err := v.Bar("B", "2025-10-02"); err != nil {
				t.Error(err)
			}
			if w := p.Warnings(); len(w) != 1 || w[0].Line != 3 {
				t.Error(w)
			}
			if stamps, err := p.Stamps("", ""); err != nil || len(stamps) != 1 {
				t.Error(stamps, err)
			}
			if info, err := p.Info(); err != nil || info.Symbols != 2 {
				t.Error(info, err)
			}
		})
	}
}

func TestPrices_Close(t *testing.T) {
	p := openText(t, seriesLine("A", "2025-10-02"))
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.AsOf("2025-10-03").Symbols(); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	if _, err := p.Stamps("", ""); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

func TestPrices_Stamps(t *testing.T) {
	p := openText(t, seriesLine("A", "2025-10-02 15:00", "2025-10-02 10:30", "2025-10-03 10:30")+"\n"+
		seriesLine("B", "2025-10-02 10:30", "2025-10-06 10:30"))
	for _, c := range []struct {
		from, to Stamp
		want     string
	}{
		{"", "", "[2025-10-02 10:30:00 2025-10-02 15:00:00 2025-10-03 10:30:00 2025-10-06 10:30:00]"},
		{"2025-10-03", "", "[2025-10-03 10:30:00 2025-10-06 10:30:00]"},
		{"2025-10-02", "2025-10-02", "[2025-10-02 10:30:00 2025-10-02 15:00:00]"},
		{"2025-10-02 15:00:00", "2025-10-03 10:30:00", "[2025-10-02 15:00:00 2025-10-03 10:30:00]"},
		{"2026-01-01", "", "[]"},
	} {
		if got, err := p.Stamps(c.from, c.to); err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("Stamps(%q, %q) = %v, %v; want %s", c.from, c.to, got, err, c.want)
		}
	}
}

func TestPrices_Info(t *testing.T) {
	daily := writeFile(t, seriesLine("B", "2025-10-02", "2025-10-03")+"\n"+
		strings.Replace(seriesLine("A", "2025-10-01"), `"A"`, `"A", "2.1. Name": "Alpha"`, 1))
	timed := writeFile(t, strings.Replace(seriesLine("C", "2025-10-06 10:30"), "Daily", "60min", 1))
	p, err := Open(daily, timed)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	got, err := p.Info()
	if err != nil {
		t.Fatal(err)
	}
	want := Info{
		Files:   []FileInfo{{daily, p.content().sources[0].size, 2}, {timed, p.content().sources[1].size, 1}},
		Symbols: 3, First: "2025-10-01", Last: "2025-10-06 10:30:00", Interval: "mixed",
		Series: []SeriesInfo{
			{"A", "Alpha", "daily", 1, "2025-10-01", "2025-10-01", daily, 2},
			{"B", "", "daily", 2, "2025-10-02", "2025-10-03", daily, 1},
			{"C", "", "60min", 1, "2025-10-06 10:30:00", "2025-10-06 10:30:00", timed, 1},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// The bound is far below what the readers want, so that series come and go
// while others read them.
func TestPrices_ConcurrentUse(t *testing.T) {
	var content bytes.Buffer
	if err := markettest.Write(&content, 1, 12, 30, "2025-01-01"); err != nil {
		t.Fatal(err)
	}
	content.WriteString(`{"Meta Data": {"2. Symbol": "BAD"}}`)
	p := openText(t, content.String())
	c := p.content()
	c.maxBars = 100
	var readers sync.WaitGroup
	for n := range 8 {
		readers.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(n)))
			v := p.AsOf("2025-01-30")
			for range 300 {
				symbol := fmt.Sprintf("SYN%02d", 1+r.IntN(12))
				if _, err := v.Bar(symbol, "2025-01-15"); err != nil {
					t.Error(err)
				}
				if _, err := v.OpenPrice("BAD"); !isDamage(err) {
					t.Error(err)
				}
				p.Warnings()
			}
			if symbols, err := v.Symbols(); err != nil || len(symbols) != 12 {
				t.Error(symbols, err)
			}
		})
	}
	readers.Wait()
	if len(p.Warnings()) != 1 {
		t.Error(p.Warnings())
	}
	held := 0
	for _, s := range c.series {
		if bars := s.bars.Load(); bars != nil {
			held += len(*bars)
		}
	}
	if held > c.maxBars || held != c.bars {
		t.Errorf("%d bars in memory, %d counted, at most %d allowed", held, c.bars, c.maxBars)
	}
}

func FuzzOpen(f *testing.F) {
	plain := seriesLine("A", "2025-10-02", "2025-10-03 10:30:00")
	f.Add([]byte(plain))
	f.Add([]byte("\xef\xbb\xbf" + plain + "\r\n\n" + seriesLine("B", "2025-10-06")))
	f.Add([]byte(strings.ReplaceAll(plain, ",", ",\n")))
	f.Add([]byte(plain[:90] + "\n" + plain))
	f.Add([]byte(`{"Meta Data":{"2. Symbol":"A"},"Time Series (x)":{"2025-10-02":{"1. open":1e9,"5. volume":-1}}}`))
	path := filepath.Join(f.TempDir(), "prices.jsonl")
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		p, err := Open(path)
		if err != nil {
			return
		}
		defer p.Close()
		if _, err := p.Info(); err != nil {
			t.Fatal(err)
		}
		stamps, err := p.Stamps("", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, stamp := range stamps[:min(len(stamps), 3)] {
			v := p.AsOf(stamp)
			symbols, err := v.Symbols()
			if err != nil {
				t.Fatal(err)
			}
			for _, symbol := range symbols {
				bars, _, err := v.Bars(symbol, "", "", 0)
				if err != nil || len(bars) == 0 || bars[len(bars)-1].Stamp > stamp {
					t.Fatalf("%q as of %s: %v, %v", symbol, stamp, bars, err)
				}
			}
		}
	})
}
