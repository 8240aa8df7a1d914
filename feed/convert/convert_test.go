package convert

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcp-trade/market"
)

// write writes files into a new folder and returns their paths, by name.
func write(t *testing.T, texts map[string]string) []string {
	t.Helper()
	dir := t.TempDir()
	var paths []string
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(texts[name]), 0o644); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// converted converts files and opens the result.
func converted(t *testing.T, paths []string) (*market.Prices, *Converted) {
	t.Helper()
	c := Read(paths)
	all, err := c.Finish()
	if err != nil {
		t.Fatal(err, c.Faults())
	}
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	for _, s := range all {
		if err := s.Write(w); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	p, err := market.Open(write(t, map[string]string{"merged.jsonl": b.String()})...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p, c
}

// shown is all that a view shows, as JSON.
func shown(t *testing.T, p *market.Prices) string {
	t.Helper()
	v := p.AsOf("2030-01-01")
	symbols, err := v.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, symbol := range symbols {
		bars, _, err := v.Bars(symbol, "", "", 0)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(bars)
		if err != nil {
			t.Fatal(err)
		}
		actions, err := v.Actions(symbol, "")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s %v\n", symbol, text, actions)
	}
	if w := p.Warnings(); len(w) > 0 {
		t.Errorf("the price file has faults: %v", w)
	}
	return b.String()
}

// bar is a bar of the market that the tests write in many forms.
type bar struct {
	symbol, stamp                  string
	open, high, low, close, volume string
}

func bars(t *testing.T, symbols []string, stamps []string) (all []bar) {
	for i, symbol := range symbols {
		for j, stamp := range stamps {
			price := 100*(i+1) + 3*j
			all = append(all, bar{symbol, stamp, fmt.Sprintf("%d.5", price), fmt.Sprintf("%d.25", price+2), fmt.Sprintf("%d.05", price-1), fmt.Sprint(price + 1), fmt.Sprint(1000 + j)})
		}
	}
	return all
}

var days = []string{"2025-10-01", "2025-10-02", "2025-10-03", "2025-10-06"}

// forms of the same market. Each makes files of it.
var formsOfOneMarket = map[string]func(all []bar) map[string]string{
	"replies of Alpha Vantage": func(all []bar) map[string]string {
		out := map[string]string{}
		for symbol, rows := range bySymbol(all) {
			var b strings.Builder
			slices.Reverse(rows)
			for i, x := range rows {
				fmt.Fprintf(&b, "%s\n        \"%s\": {\n            \"1. open\": \"%s00\",\n            \"2. high\": \"%s\",\n            \"3. low\": \"%s\",\n            \"4. close\": \"%s.0000\",\n            \"5. volume\": \"%s\"\n        }",
					strings.Repeat(",", min(i, 1)), x.stamp, x.open, x.high, x.low, x.close, x.volume)
			}
			out[symbol+".json"] = fmt.Sprintf("{\n    \"Meta Data\": {\n        \"1. Information\": \"Daily Prices\",\n        \"2. Symbol\": \"%s\"\n    },\n    \"Time Series (Daily)\": {%s\n    }\n}\n", symbol, b.String())
		}
		return out
	},
	"a table of all symbols": func(all []bar) map[string]string {
		return map[string]string{"prices.csv": table(all, "TICKER,date,OPEN,High,low,Close,Vol\n", func(x bar) string {
			return strings.Join([]string{x.symbol, x.stamp, x.open, x.high, x.low, x.close, x.volume}, ",")
		})}
	},
	"a file for each symbol": func(all []bar) map[string]string {
		return single(all, "%s.csv", "Date,Open,High,Low,Close,Volume\n", func(x bar) string {
			return strings.Join([]string{x.stamp, x.open, x.high, x.low, x.close, x.volume}, ",")
		})
	},
	"pandas' stamps with a zone, in quotes": func(all []bar) map[string]string {
		return single(all, "%s.csv", ",open,high,low,close,volume\r\n", func(x bar) string {
			return fmt.Sprintf(`"%s 00:00:00-04:00","%s","%s","%s",%s,%s.0`+"\r", x.stamp, x.open, x.high, x.low, x.close, x.volume)
		})
	},
	"Stooq's files": func(all []bar) map[string]string {
		return single(all, "%s_us_d.csv", "Date,Open,High,Low,Close,Volume\n", func(x bar) string {
			return strings.Join([]string{x.stamp, x.open, x.high, x.low, x.close, x.volume}, ",")
		})
	},
	"Stooq's archive": func(all []bar) map[string]string {
		return map[string]string{"d_us_txt.txt": table(all, "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n", func(x bar) string {
			return strings.Join([]string{x.symbol + ".US", "D", strings.ReplaceAll(x.stamp, "-", ""), "000000", x.open, x.high, x.low, x.close, x.volume, "0"}, ",")
		})}
	},
	"a decimal comma": func(all []bar) map[string]string {
		return single(all, "%s.csv", "Date;Open;High;Low;Close;Volume\n", func(x bar) string {
			return strings.ReplaceAll(strings.Join([]string{x.stamp, x.open, x.high, x.low, x.close, x.volume}, ";"), ".", ",")
		})
	},
	"dates with the day first": func(all []bar) map[string]string {
		return single(all, "%s.csv", "Date\tOpen\tHigh\tLow\tClose\tVolume\n", func(x bar) string {
			return strings.Join([]string{x.stamp[8:] + "." + x.stamp[5:7] + "." + x.stamp[:4], x.open, x.high, x.low, x.close, x.volume}, "\t")
		})
	},
	"yfinance's table of two rows": func(all []bar) map[string]string { return map[string]string{"yf.csv": yfinance(all, true)} },
	"yfinance's, by ticker":        func(all []bar) map[string]string { return map[string]string{"yf.csv": yfinance(all, false)} },
	"a column for each figure":     func(all []bar) map[string]string { return map[string]string{"wide.csv": wide(all, "%s.%s")} },
	"the figure first":             func(all []bar) map[string]string { return map[string]string{"wide.csv": wide(all, "%[2]s %[1]s")} },
	"a wide file for each figure": func(all []bar) map[string]string {
		out := map[string]string{}
		for i, figure := range []string{"open", "high", "low", "close", "volume"} {
			head, rows := pivot(all)
			var b strings.Builder
			b.WriteString("Date," + strings.Join(head, ",") + "\n")
			for _, row := range rows {
				b.WriteString(row[0].stamp)
				for _, x := range row {
					b.WriteString("," + []string{x.open, x.high, x.low, x.close, x.volume}[i])
				}
				b.WriteString("\n")
			}
			out[figure+".csv"] = b.String()
		}
		return out
	},
}

func bySymbol(all []bar) map[string][]bar {
	out := map[string][]bar{}
	for _, x := range all {
		out[x.symbol] = append(out[x.symbol], x)
	}
	return out
}

func table(all []bar, head string, row func(bar) string) string {
	for _, x := range all {
		head += row(x) + "\n"
	}
	return head
}

func single(all []bar, name, head string, row func(bar) string) map[string]string {
	out := map[string]string{}
	for symbol, rows := range bySymbol(all) {
		out[fmt.Sprintf(name, strings.ToLower(symbol))] = table(rows, head, row)
	}
	return out
}

// pivot returns the symbols, and the bars of each stamp in their order.
func pivot(all []bar) (symbols []string, rows [][]bar) {
	at := map[string]int{}
	for _, x := range all {
		if !slices.Contains(symbols, x.symbol) {
			symbols = append(symbols, x.symbol)
		}
		if _, ok := at[x.stamp]; !ok {
			at[x.stamp] = len(rows)
			rows = append(rows, nil)
		}
		rows[at[x.stamp]] = append(rows[at[x.stamp]], x)
	}
	return symbols, rows
}

func wide(all []bar, name string) string {
	symbols, rows := pivot(all)
	text := "Date"
	for _, symbol := range symbols {
		for _, figure := range []string{"Open", "High", "Low", "Close", "Volume"} {
			text += "," + fmt.Sprintf(name, symbol, figure)
		}
	}
	return text + "\n" + values(rows)
}

func values(rows [][]bar) (text string) {
	for _, row := range rows {
		text += row[0].stamp
		for _, x := range row {
			text += "," + strings.Join([]string{x.open, x.high, x.low, x.close, x.volume}, ",")
		}
		text += "\n"
	}
	return text
}

func yfinance(all []bar, priceFirst bool) string {
	symbols, rows := pivot(all)
	figures, tickers := "Price", "Ticker"
	for _, symbol := range symbols {
		for _, figure := range []string{"Open", "High", "Low", "Close", "Volume"} {
			figures, tickers = figures+","+figure, tickers+","+symbol
		}
	}
	head := figures + "\n" + tickers + "\n"
	if !priceFirst {
		head = tickers + "\n" + figures + "\n"
	}
	return head + "Date" + strings.Repeat(",", 5*len(symbols)) + "\n" + values(rows)
}

// One market in whatever form is the same view, to the byte.
func TestRead_OneMarketInManyForms(t *testing.T) {
	want := ""
	for _, name := range slices.Sorted(maps.Keys(formsOfOneMarket)) {
		t.Run(name, func(t *testing.T) {
			p, c := converted(t, write(t, formsOfOneMarket[name](bars(t, []string{"AAA", "BBB"}, days))))
			got := shown(t, p)
			if want == "" {
				want = got
			}
			if len(c.Faults()) > 0 || got != want || strings.Count(got, `"stamp"`) != 2*len(days) || !strings.Contains(got, `"open":100.5,"high":102.25,"low":99.05,"close":101,"volume":1000`) {
				t.Errorf("%v\n%s\nwant\n%s", c.Faults(), got, want)
			}
		})
	}
}

// C, V and T are shares, unless o, h, l and c are there together.
func TestRead_Letters(t *testing.T) {
	p, _ := converted(t, write(t, map[string]string{"open.csv": "Date,AAPL,C,T,V\n2025-10-01,1,2,3,4\n", "X.csv": "t,o,h,l,c,v\n2025-10-01,1,2,1,2,9\n"}))
	if got := shown(t, p); strings.Count(got, `"open":`) != 5 || !strings.Contains(got, `C [{"stamp":"2025-10-01","open":2,"high":null`) || !strings.Contains(got, `X [{"stamp":"2025-10-01","open":1,"high":2,"low":1,"close":2,"volume":9}]`) {
		t.Error(got)
	}
}

// Hours are in the time of the market, whatever zone the table has.
func TestRead_Hours(t *testing.T) {
	utc := "timestamp,open,high,low,close,volume\n2025-10-01 13:30:00+00:00,1,2,1,2,9\n2025-10-01 14:30:00+00:00,1,2,1,2,9\n2025-10-01 15:30:00+00:00,1,2,1,2,9\n"
	local := "Datetime,Open,High,Low,Close,Volume\n2025-10-01 09:30:00-04:00,1,2,1,2,9\n2025-10-01 10:30:00-04:00,1,2,1,2,9\n2025-10-01T11:30:00-04:00,1,2,1,2,9\n"
	unix := "time,open,high,low,close,volume\n1759325400,1,2,1,2,9\n1759329000000,1,2,1,2,9\n1759332600000000,1,2,1,2,9\n"
	reply := `{"Meta Data": {"2. Symbol": "AAA", "4. Interval": "60min"}, "Time Series (60min)": {"2025-10-01 11:30:00": {"1. open": "1", "2. high": "2", "3. low": "1", "4. close": "2", "5. volume": "9"},` +
		`"2025-10-01 10:30:00": {"1. open": "1", "2. high": "2", "3. low": "1", "4. close": "2", "5. volume": "9"}, "2025-10-01 09:30:00": {"1. open": "1", "2. high": "2", "3. low": "1", "4. close": "2", "5. volume": "9"}}}`
	want := ""
	for name, text := range map[string]string{"aaa.csv": utc, "AAA.csv": local, "Aaa.csv": unix, "reply.json": reply} {
		p, c := converted(t, write(t, map[string]string{name: text}))
		got := shown(t, p)
		if want == "" {
			want = got
		}
		info, err := p.Info()
		if err != nil || len(c.Faults()) > 0 || got != want || !strings.Contains(got, `"2025-10-01 09:30:00"`) || info.Interval != "60min" {
			t.Errorf("%s: %v, %v, %s\n%s\nwant\n%s", name, c.Faults(), err, info.Interval, got, want)
		}
	}
}

// Raw prices keep their splits and dividends; prices that are adjusted for them do not have them twice.
func TestRead_Actions(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want, note string }{
		"Alpha Vantage's adjusted reply": {"x.json", `{"Meta Data": {"2. Symbol": "AAA"}, "Time Series (Daily)": {"2025-10-02": {"1. open": "10", "4. close": "10", "5. adjusted close": "9", "6. volume": "7", "7. dividend amount": "0.2600", "8. split coefficient": "15.0"}, "2025-10-01": {"1. open": "150", "4. close": "150", "5. adjusted close": "9", "6. volume": "7", "7. dividend amount": "0.0000", "8. split coefficient": "1.0"}}}`,
			`"volume":7}] [AAA: dividend of 0.26 a share on 2025-10-02 AAA: split 15:1 on 2025-10-02]`, ""},
		"its table": {"daily_adjusted_AAA.csv", "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient\n2025-10-02,10,10,10,10,9,7,0.2600,15.0\n2025-10-01,150,150,150,150,9,7,0.0000,1.0\n",
			`[AAA: dividend of 0.26 a share on 2025-10-02 AAA: split 15:1 on 2025-10-02]`, "the adjusted close is not read"},
		"yfinance's, adjusted for all": {"AAA.csv", "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n2025-10-01,10,10,10,10,7,0.26,15\n", `[]`, "the prices are adjusted for the dividends, which are left out"},
		"yfinance's, adjusted for splits": {"AAA.csv", "Date,Open,High,Low,Close,Adj Close,Volume,Dividends,Stock Splits\n2025-10-01,10,10,10,10,9,7,0.26,15\n",
			`[AAA: dividend of 0.26 a share on 2025-10-01]`, "the prices are adjusted for the splits, which are left out"},
	} {
		t.Run(name, func(t *testing.T) {
			p, read := converted(t, write(t, map[string]string{c.file: c.text}))
			if got, notes := shown(t, p), strings.Join(read.Files[0].Notes, "\n"); len(read.Faults()) > 0 || !strings.Contains(got, c.want) || !strings.Contains(notes, c.note) {
				t.Errorf("%v, %s, notes %s; want %s", read.Faults(), got, notes, c.want)
			}
		})
	}
}

// What cannot be read is named with line and reason, and all else is kept.
func TestRead_Faults(t *testing.T) {
	const head = "Date,Open,High,Low,Close,Volume\n2025-10-01,10,12,9,11,100\n"
	const last = "2025-10-03,10,12,9,11,100\n"
	for _, c := range []struct{ row, reason string }{
		{"2025-10-02,10,8,9,11,100", "the high 8 is below the low 9"},
		{"2025-10-02,13,12,9,11,100", "the open 13 is not between"},
		{"2025-10-02,10,12,9,8,100", "the close 8 is not between"},
		{"2025-10-02,-10,12,9,11,100", `the open "-10" is negative`},
		{"2025-10-02,0.00,12,9,11,100", "the open is 0"},
		{"2025-10-02,10,12,9,11,-1", `the volume "-1" is negative`},
		{"2025-10-02,ten,12,9,11,100", `the open "ten" is not a number`},
		{"2025-10-02,1_0,12,9,11,100", `"1_0" is not a number`},
		{"2025-10-02,0x10,12,9,11,100", `"0x10" is not a number`},
		{"2025-10-02,inf,12,9,11,100", `"inf" is not a number`},
		{"2025-10-02,10.1234567890123456789,12,9,11,100", "more than 18 digits"},
		{"2025-10-02,1e300,12,9,11,100", "more than 18 digits"},
		{`2025-10-02,"10,5",12,9,11,100`, `"10,5" is not a number`},
		{"10/02/2025,10,12,9,11,100", "is not a date or time"},
		{"2025-02-30,10,12,9,11,100", "is not a date or time"},
		{"12345678901,10,12,9,11,100", "Unix time"},
		{"2025-10-02,10,12", "it has 3 cells, the head 6"},
		{`2025-10-02,"10,12,9,11,100`, "quote"},
		{"Exceeded the daily hits limit", "it has 1 cells"},
		{"2025-10-01,10.5,12,9,11,100", "the open is 10.5 here and 10 at"},

		{"2025-10-01,10.0,12,9,11,100", ""}, // the same bar again
		{"2025-10-02,,,,,", ""},             // no bar
		{"2025-10-02,NaN,null,-,N/A,", ""},
		{`2025-10-02,"$1,000.50","1,200",9,11,100`, ""},
		{"2025-10-02,1e1,1.2E1,9,+11,100.0", ""},
		{"2025-10-02,10,12,9,11,100,more", ""},
	} {
		t.Run(c.row, func(t *testing.T) {
			paths := write(t, map[string]string{"AAA.csv": head + c.row + "\n" + last})
			p, read := converted(t, paths)
			faults := read.Faults()
			got := shown(t, p)
			if !strings.Contains(got, "2025-10-01") || !strings.Contains(got, "2025-10-03") || strings.Contains(got, "2025-10-02") && c.reason != "" {
				t.Errorf("kept: %s", got)
			}
			if c.reason == "" && len(faults) == 0 {
				return
			}
			if len(faults) != 1 || c.reason == "" || !strings.HasPrefix(faults[0].String(), paths[0]+":3: ") || !strings.Contains(faults[0].Problem, c.reason) {
				t.Errorf("%v, want one of line 3 with %q", faults, c.reason)
			}
		})
	}
}

// A file that cannot be read is a fault, and the others are kept.
func TestRead_Files(t *testing.T) {
	for name, c := range map[string]struct{ file, text, reason string }{
		"empty":                     {"x.csv", "", "is empty"},
		"no text":                   {"x.csv", "PK\x03\x04\x00\x00", "neither text nor JSON"},
		"no dates":                  {"x.csv", "a,b\n1,2\n", "no column is called Date"},
		"no prices":                 {"x.csv", "Date\n2025-10-01\n", "no column holds prices"},
		"the name is no symbol":     {"my prices.csv", "Date,Open\n2025-10-01,1\n", "the name of the file is none"},
		"a column that is none":     {"x.csv", "Date,AAA,change in %\n2025-10-01,1,2\n", "is not written as a symbol"},
		"a refusal":                 {"x.json", `{"Information": "the limit of the key abc is reached"}`, "no symbol"},
		"a symbol that is none":     {"x.csv", "Date,Symbol,Open\n2025-10-01,<b>,1\n", "is not written as a symbol"},
		"a comma of either kind":    {"x.csv", "Date;Open\n2025-10-01;1,234\n", "may be a decimal one or not"},
		"an interval that is none":  {"x.csv", "Date,Open\n2025-10-01 09:30,1\n2025-10-02 09:30,1\n", "interval"},
		"an impossible bar in JSON": {"x.json", `{"Meta Data": {"2. Symbol": "X"}, "Time Series (Daily)": {"2025-10-01": {"1. open": "1", "2. high": "1", "3. low": "2", "4. close": "1"}}}`, "the high 1 is below the low 2"},
		"a bad figure in JSON":      {"x.json", `{"Meta Data": {"2. Symbol": "X"}, "Time Series (Daily)": {"2025-10-01": {"1. open": "one"}}}`, `"one" is not a number`},
	} {
		t.Run(name, func(t *testing.T) {
			paths := write(t, map[string]string{"AAA.csv": "Date,Open\n2025-10-01,1\n", c.file: c.text})
			p, read := converted(t, paths)
			symbols, err := p.AsOf("2025-10-02").Symbols()
			faults := read.Faults()
			if err != nil || !slices.Contains(symbols, "AAA") || len(faults) != 1 || !strings.Contains(faults[0].String(), c.reason) || !strings.Contains(faults[0].String(), c.file) {
				t.Errorf("%v, %v, %v, want one with %q", symbols, faults, err, c.reason)
			}
		})
	}
	if _, err := Read([]string{"missing.csv"}).Finish(); err == nil {
		t.Error("nothing was read, and no error")
	}
}

// Binance's files have no head, and thousandths of a second until 2024, millionths since.
func TestRead_Binance(t *testing.T) {
	p, c := converted(t, write(t, map[string]string{
		"BTCUSDT-1d-2024-12.csv": "1735603200000,92792.05,96250.00,92033.73,93576.00,19612.03,1735689599999,1847123456.1,100,1,1,0\n",
		"BTCUSDT-1d-2025-01.csv": "1735689600000000,93576.00,95151.15,92888.00,94591.79,10373.32,1735775999999999,975678901.1,100,1,1,0\n",
	}))
	got := shown(t, p)
	if len(c.Faults()) > 0 || c.Files[0].Form != "binance klines" || !strings.HasPrefix(got, `BTC-USDT [{"stamp":"2024-12-31","open":92792.05,`) || !strings.Contains(got, `{"stamp":"2025-01-01","open":93576,`) {
		t.Errorf("%v, %+v, %s", c.Faults(), c.Files, got)
	}
}

// What a price file says of a share beside its bars stays, that it is made up too.
func TestRead_About(t *testing.T) {
	about := `"Listed": "2025-10-02", "ST": [{"from":"2025-10-03","to":""}], "Synthetic": "made up from seed 1"`
	c := Read(write(t, map[string]string{"merged.jsonl": `{"Meta Data": {"2. Symbol": "600519.SH", ` + about + `}, "Time Series (Daily)": {"2025-10-09": {"1. open": "10"}}}`}))
	all, err := c.Finish()
	if err != nil {
		t.Fatal(err, c.Faults())
	}
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	if err := all[0].Write(w); err != nil {
		t.Fatal(err)
	}
	if w.Flush(); !strings.Contains(b.String(), about) {
		t.Errorf("%s\nwithout %s", b.String(), about)
	}
}
