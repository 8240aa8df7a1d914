package market

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
)

func TestParseActions(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"each kind, in the order of application", `{"date": "2025-07-01", "symbol": "D", "delist": true, "price": 0.1}
{"date": "2025-06-10", "symbol": "B", "split": "30:2"}

{"date": "2025-06-10", "symbol": "B", "dividend": 0.25}
{"date": "2025-06-10", "symbol": "A", "rename": "A2"}
{"date": "2025-07-01", "symbol": "C", "delist": true}`,
			"A: renamed to A2 on 2025-06-10; B: dividend of 0.25 a share on 2025-06-10; B: split 15:1 on 2025-06-10; C: delisted on 2025-07-01 at its last close; D: delisted on 2025-07-01 at 0.1 a share"},
		{"the same line twice", strings.Repeat(`{"date": "2025-06-10", "symbol": "B", "split": "1:10"}`+"\n", 2), "B: split 1:10 on 2025-06-10"},
		{"nothing", "\n", ""},
		{"a split of 0", "\n" + `{"date": "2025-06-10", "symbol": "B", "split": "0:1"}`, `2: split: "0:1" is not a ratio; write "15:1" for 15 new shares in place of one, "1:10" for one in place of 10`},
		{"a split of the number 0", `{"date": "2025-06-10", "symbol": "B", "split": 0}`, `1: split: 0 is not a ratio; write "15:1" for 15 new shares in place of one, "1:10" for one in place of 10`},
		{"a split that changes nothing", `{"date": "2025-06-10", "symbol": "B", "split": "2:2"}`, `1: split: "2:2" is not a ratio; write "15:1" for 15 new shares in place of one, "1:10" for one in place of 10`},
		{"a negative dividend", `{"date": "2025-06-10", "symbol": "B", "dividend": -0.5}`, `1: dividend: -0.5 is negative; write the money for one share, above 0`},
		{"a dividend of 0", `{"date": "2025-06-10", "symbol": "B", "dividend": 0}`, `1: dividend: 0 is not positive; write the money for one share, above 0`},
		{"a dividend of many digits", `{"date": "2025-06-10", "symbol": "B", "dividend": 1e999}`, `1: dividend: 1e999 has more than 18 digits; write the money for one share, above 0`},
		{"an unknown key", `{"date": "2025-06-10", "symbol": "B", "split": "2:1", "splits": 1}`, `1: the key "splits" is unknown; an action has date, symbol, split, dividend, rename, delist, price`},
		{"two splits of a day", `{"date": "2025-06-10", "symbol": "B", "split": "2:1"}` + "\n" + `{"date": "2025-06-10", "symbol": "B", "split": "3:1"}`, `2: B has another split on 2025-06-10 in line 1; leave one of the two`},
		{"delisted under another name", `{"date": "2025-06-10", "symbol": "B", "rename": "C"}` + "\n" + `{"date": "2025-06-10", "symbol": "B", "delist": true}`, `2: B has another delist on 2025-06-10 in line 1; leave one of the two`},
		{"two in a line", `{"date": "2025-06-10", "symbol": "B", "split": "2:1", "dividend": 1}`, `1: 2 actions in a line; write one of split, dividend, rename and delist`},
		{"none", `{"date": "2025-06-10", "symbol": "B"}`, `1: 0 actions in a line; write one of split, dividend, rename and delist`},
		{"a moment", `{"date": "2025-06-10 10:00:00", "symbol": "B", "split": "2:1"}`, `1: date: "2025-06-10 10:00:00" is not a day; write it as "2025-06-10"`},
		{"money", `{"date": "2025-06-10", "symbol": "CASH", "split": "2:1"}`, `1: symbol: CASH cannot be a symbol: it is the name of money in ledgers`},
		{"no symbol", `{"date": "2025-06-10", "split": "2:1"}`, `1: "date" or "symbol" is missing`},
		{"renamed to itself", `{"date": "2025-06-10", "symbol": "B", "rename": "b"}`, `1: B is renamed to itself; name another symbol`},
		{"renamed to another market", `{"date": "2025-06-10", "symbol": "B", "rename": "B-USDT"}`, `1: B is renamed to B-USDT, a symbol of another market`},
		{"a price of a split", `{"date": "2025-06-10", "symbol": "B", "split": "2:1", "price": 3}`, `1: a split has no "price"; that of a delisting has one`},
		{"not delisted", `{"date": "2025-06-10", "symbol": "B", "delist": false}`, `1: delist: false is not true`},
	} {
		t.Run(c.name, func(t *testing.T) {
			actions, err := ParseActions([]byte(c.text))
			var got []string
			for _, a := range actions {
				got = append(got, a.String())
			}
			if err != nil {
				got = []string{err.Error()}
			}
			if text := strings.Join(got, "; "); text != c.want {
				t.Errorf("%s\nwant %s", text, c.want)
			}
		})
	}
}

func FuzzParseActions(f *testing.F) {
	f.Add([]byte(`{"date": "2025-07-01", "symbol": "D", "delist": true, "price": 0.1}` + "\n" + `{"date": "2025-06-10", "symbol": "B", "split": "30:2"}`))
	f.Add([]byte(`{"date": "2025-06-10", "symbol": "B", "dividend": 1e9}` + "\r\n" + `{"date": "2025-06-10", "symbol": "B", "rename": "Cé"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		actions, err := ParseActions(text)
		if err != nil {
			return
		}
		for i, a := range actions {
			ratio, ok := a.Ratio.reduced()
			switch {
			case !a.Date.IsDay() || a.Symbol == "" || i > 0 && actions[i-1].Compare(a) >= 0:
				t.Fatalf("%+v", actions)
			case a.Kind == Split && (!ok || ratio != a.Ratio || ratio == Ratio{1, 1}):
				t.Fatalf("%+v", a)
			case a.Amount.Valid && (a.Amount.Decimal.IsNegative() || a.Amount.Decimal.IsZero() && a.Kind != Delisting):
				t.Fatalf("%+v", a)
			}
		}
	})
}

func TestPrices_TellFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "actions.jsonl")
	if err := os.WriteFile(path, []byte("\xef\xbb\xbf"+`{"date": "2025-06-10", "symbol": "B", "split": "2:1"}`+"\r\n{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := openText(t, seriesLine("B", "2025-06-10"))
	if err := p.TellFile(path); err == nil || err.Error() != path+`:2: "date" or "symbol" is missing` {
		t.Error(err)
	}
	if err := p.TellFile(filepath.Dir(path)); err == nil || !strings.Contains(err.Error(), "is no actions file") {
		t.Error(err)
	}
}

func TestRatioOfCoefficient(t *testing.T) {
	for coefficient, want := range map[string]string{
		"15.0": "15:1", "1.0": "1:1", "0.1": "1:10", "0.125": "1:8", "1.5": "3:2", "0.3333": "1:3", "0.0667": "1:15", "0.066667": "1:15", "1.05": "21:20",
		"1.0273": "10273:10000", "1.3333": "4:3", "2e1": "20:1", "0.02": "1:50", "0.005": "1:200",
	} {
		n, err := rawNumber(coefficient).pack(false)
		if got, ok := ratioOfCoefficient(n.coefficient, -int(n.exponent)); err != nil || !ok || got.String() != want {
			t.Errorf("%s: %v, %v, %v, want %s", coefficient, got, ok, err, want)
		}
	}
	for _, coefficient := range []string{"1e9", "0.0000000001"} {
		n, _ := rawNumber(coefficient).pack(false)
		if got, ok := ratioOfCoefficient(n.coefficient, -int(n.exponent)); ok {
			t.Errorf("%s: %v", coefficient, got)
		}
	}
}

// adjustedRows is a series of Alpha Vantage's daily adjusted form: stamp, open, close, adjusted close, dividend, split coefficient.
func adjustedRows(symbol string, rows ...[6]string) string {
	var bars []string
	for _, r := range rows {
		bars = append(bars, fmt.Sprintf(`"%s": {"1. open": "%s", "4. close": "%s", "5. adjusted close": "%s", "6. volume": "100", "7. dividend amount": "%s", "8. split coefficient": "%s"}`,
			r[0], r[1], r[2], r[3], r[4], r[5]))
	}
	return fmt.Sprintf(`{"Meta Data": {"2. Symbol": "%s"}, "Time Series (Daily)": {%s}}`, symbol, strings.Join(bars, ", "))
}

// told are the actions that a view knows of a symbol.
func told(t *testing.T, p *Prices, asOf, from Stamp, symbol string) string {
	t.Helper()
	actions, err := p.AsOf(asOf).Actions(symbol, from)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, a := range actions {
		texts = append(texts, a.String())
	}
	return strings.Join(texts, "; ")
}

// A view knows an action from its ex day on. What an actions file says of a day and a kind comes before what the row says.
func TestView_Actions(t *testing.T) {
	p := openText(t, adjustedRows("A",
		[6]string{"2025-06-09", "100", "100", "49", "0.0000", "1.0"}, [6]string{"2025-06-10", "50", "50", "49", "2.0000", "2.0"},
		[6]string{"2025-06-11", "50", "50", "49.5", "0.5000", "1.0"}, [6]string{"2025-06-12", "50", "50", "50", "-1", "0"}))
	bar, err := p.AsOf("2025-06-13").Bar("A", "2025-06-09")
	if err != nil || text(bar) != "2025-06-09 100 - - 100 100" {
		t.Error(text(bar), err)
	}
	for _, c := range [][3]string{
		{"2025-06-09", "", ""},
		{"2025-06-10", "", "A: dividend of 2 a share on 2025-06-10; A: split 2:1 on 2025-06-10"},
		{"2025-06-10 09:30:00", "2025-06-10 15:00:00", "A: dividend of 2 a share on 2025-06-10; A: split 2:1 on 2025-06-10"},
		{"2025-06-12", "2025-06-11", "A: dividend of 0.5 a share on 2025-06-11"},
	} {
		if got := told(t, p, Stamp(c[0]), Stamp(c[1]), "A"); got != c[2] {
			t.Errorf("as of %s from %q: %s\nwant %s", c[0], c[1], got, c[2])
		}
	}
	if w := p.Warnings(); len(w) != 2 || !strings.Contains(w[0].String(), "dividend amount \"-1\" is negative") || !strings.Contains(w[1].String(), "split coefficient \"0\"") {
		t.Error(w)
	}
	if states, err := p.StatesActions(); !states || err != nil {
		t.Error(states, err)
	}
	actions, err := ParseActions([]byte(`{"date": "2025-06-10", "symbol": "A", "dividend": 3}` + "\n" + `{"date": "2025-06-10", "symbol": "B", "dividend": 3}`))
	if err != nil {
		t.Fatal(err)
	}
	p = openText(t, adjustedRows("A", [6]string{"2025-06-10", "50", "50", "49", "2.0000", "2.0"}))
	p.Tell(actions)
	if got := told(t, p, "2025-06-11", "", "A"); got != "A: dividend of 3 a share on 2025-06-10; A: split 2:1 on 2025-06-10" {
		t.Error(got)
	}
	if w := p.Warnings(); len(w) != 1 || w[0].String() != "B: dividend of 3 a share on 2025-06-10; no price file has that symbol" {
		t.Error(w)
	}
}

// The split of real prices is a likely one until an action of its ratio explains it.
func TestView_LikelySplitsToldByActions(t *testing.T) {
	for file, want := range map[string]int{`{"date": "2025-06-10", "symbol": "ORLY", "split": "15:1"}`: 0, `{"date": "2025-06-10", "symbol": "ORLY", "split": "2:1"}`: 1, `{"date": "2025-06-11", "symbol": "ORLY", "split": "15:1"}`: 1} {
		p, err := Open(filepath.Join(testenv.TestData(t), "us_split", "merged.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		actions, err := ParseActions([]byte(file))
		if err != nil {
			t.Fatal(err)
		}
		p.Tell(actions)
		found, err := p.AsOf("2030-01-01").AllLikelySplits("")
		if err != nil || len(found) != want {
			t.Errorf("%s: %v, %v, want %d", file, found, err, want)
		}
	}
}

// exDates are twelve cash dividends of A-shares.
const exDates = "600031 10-15 0.31 601600 10-17 0.12 601628 10-17 0.24 688008 10-22 0.20 600050 10-24 0.11 601318 10-24 0.95 " +
	"601919 10-24 0.56 601816 10-27 0.04 601211 10-28 0.15 601127 10-30 0.31 600690 11-07 0.27 601088 11-10 0.98"

// Of two real files with the same shares the hourly one is adjusted for dividends and the daily one is not. The nights of twelve ex days
// tell them apart, in whichever file they are.
func TestPrices_AdjustedRealFiles(t *testing.T) {
	var lines strings.Builder
	words := strings.Fields(exDates)
	for i := 0; i < len(words); i += 3 {
		fmt.Fprintf(&lines, `{"date": "2025-%s", "symbol": "%s.SH", "dividend": %s}`+"\n", words[i+1], words[i], words[i+2])
	}
	actions, err := ParseActions([]byte(lines.String()))
	if err != nil || len(actions) != 12 {
		t.Fatal(actions, err)
	}
	for folder, want := range map[string][]string{
		"cn_daily": nil, "cn_hourly": {"12 dividends of 12 symbols leave no gap on their ex days"}, "us_daily": nil, "us_split": nil, "crypto": nil,
		"us_hourly_test": {"most prices lie between ticks (GEHC)"},
	} {
		t.Run(folder, func(t *testing.T) {
			p, err := Open(filepath.Join(testenv.TestData(t), folder, "merged.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			p.Tell(actions)
			found, err := p.Adjusted()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range found {
				got = append(got, a.Why)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

func TestPrices_Adjusted(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"raw", adjustedRows("A", [6]string{"2025-06-09", "100", "100", "50", "0", "1"}, [6]string{"2025-06-10", "50", "50", "50", "0", "2"}), ""},
		{"the adjusted close is the close", adjustedRows("A", [6]string{"2025-06-09", "50", "50", "50", "0", "1"}, [6]string{"2025-06-10", "50", "50", "50", "0", "2"}),
			"the close before an action is the adjusted close (A on 2025-06-09) true; the price makes no jump at a split (A on 2025-06-10) true"},
		{"no jump at a split", adjustedRows("A", [6]string{"2025-06-09", "50", "50", "49", "0", "1"}, [6]string{"2025-06-10", "50", "50", "49", "0", "2"}),
			"the price makes no jump at a split (A on 2025-06-10) true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found, err := openText(t, c.file).Adjusted()
			var got []string
			for _, a := range found {
				got = append(got, fmt.Sprintf("%s %t", a.Why, a.Certain))
			}
			if text := strings.Join(got, "; "); err != nil || text != c.want {
				t.Errorf("%s, %v\nwant %s", text, err, c.want)
			}
		})
	}
}

// A last close from before a split is that of a share as it is later, where that is asked for.
func TestView_AfterSplits(t *testing.T) {
	p := openText(t, adjustedRows("A", [6]string{"2025-06-09", "100", "100", "30", "0", "1"}, [6]string{"2025-06-10", "", "", "", "1", "3"}, [6]string{"2025-06-12", "34", "35", "35", "0", "1"}))
	for _, c := range []struct {
		asOf, day   Stamp
		raw, counts string
	}{{"2025-06-10", "2025-06-10", "100", "33.33333333"}, {"2025-06-13", "2025-06-09", "100", "100"}, {"2025-06-13", "2025-06-11", "100", "33.33333333"}, {"2025-06-13", "2025-06-12", "35", "35"}} {
		for _, v := range []View{p.AsOf(c.asOf), p.AsOf(c.asOf).AfterSplits()} {
			want := c.raw
			if v.afterSplits {
				want = c.counts
			}
			if price, _, err := v.LastCloseBy("A", c.day); err != nil || price.String() != want {
				t.Errorf("as of %s on %s, after splits %t: %s, %v, want %s", c.asOf, c.day, v.afterSplits, price, err, want)
			}
		}
	}
}
