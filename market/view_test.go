package market

// Tests of what a view shows, and above all of what it does not.

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mcp-trade/internal/testenv"
)

func TestView_VisibleBars(t *testing.T) {
	// The last two show the same, but an order fills only at the stamp.
	const hidden, whole, open, begun = "hidden", "whole", "open", "begun"
	for _, c := range []struct {
		bar, asOf Stamp
		want      string
	}{
		{"2025-10-02", "2025-10-01", hidden},
		{"2025-10-02", "2025-10-02", open},
		{"2025-10-02", "2025-10-03", whole},
		{"2025-10-02", "2025-10-01 23:59:59", hidden},
		{"2025-10-02", "2025-10-02 00:00:00", open},
		{"2025-10-02", "2025-10-02 15:00:00", open},
		{"2025-10-02", "2025-10-03 09:30:00", whole},
		{"2025-10-02 10:30:00", "2025-10-01", hidden},
		{"2025-10-02 10:30:00", "2025-10-02", hidden},
		{"2025-10-02 10:30:00", "2025-10-03", whole},
		{"2025-10-02 10:30:00", "2025-10-02 10:00:00", hidden},
		{"2025-10-02 10:30:00", "2025-10-02 10:30:00", open},
		{"2025-10-02 10:30:00", "2025-10-02 10:30:01", whole},
		{"2025-10-02 10:30:00", "2025-10-02 11:30:00", whole},
		{"2025-10-02 10:30:00/60min", "2025-10-02 10:30:00", open},
		{"2025-10-02 10:30:00/60min", "2025-10-02 10:30:01", begun},
		{"2025-10-02 10:30:00/60min", "2025-10-02 11:29:59", begun},
		{"2025-10-02 10:30:00/60min", "2025-10-02 11:30:00", whole},
		{"2025-10-02 23:30:00/60min", "2025-10-03", whole},
	} {
		stamp, interval, timed := strings.Cut(string(c.bar), "/")
		line := seriesLine("A", stamp)
		if timed {
			line = strings.Replace(line, "Daily", interval, 1)
		}
		c.bar = Stamp(stamp)
		v := openText(t, line).AsOf(c.asOf)
		bars, _, err := v.Bars("A", "", "", 0)
		got := hidden
		if len(bars) == 1 {
			got = whole
			if text(bars[0]) == string(c.bar)+" 10.5 - - - -" {
				got = open
			}
			if got == open && c.bar < c.asOf && !c.bar.IsDay() {
				got = begun
			}
		}
		if unknown := err != nil; got != c.want || unknown != (c.want == hidden) {
			t.Errorf("bar %s as of %s: %s (%v), want %s", c.bar, c.asOf, got, err, c.want)
		}
		if _, err := v.OpenPrice("A"); (err == nil) != (c.want == open) {
			t.Errorf("open of %s as of %s: %v", c.bar, c.asOf, err)
		}
		if _, at, err := v.LastClose("A"); (err == nil) != (c.want == whole) || err == nil && at != c.bar {
			t.Errorf("last close of %s as of %s: %s, %v", c.bar, c.asOf, at, err)
		}
	}
}

// A bar at the stamp without an open would tell only that there will be one.
func TestView_BarWithoutOpen(t *testing.T) {
	p := openText(t, strings.ReplaceAll(seriesLine("A", "2025-10-02"), `"1. buy price": "10.5", `, ""))
	if symbols, err := p.AsOf("2025-10-02").Symbols(); err != nil || len(symbols) != 0 {
		t.Error(symbols, err)
	}
	if _, err := p.AsOf("2025-10-02").OpenPrice("A"); !isUnknown(err) {
		t.Error(err)
	}
	if bar, err := p.AsOf("2025-10-03").Bar("A", "2025-10-02"); err != nil || text(bar) != "2025-10-02 - 10.9 10.1 10.7 1000" {
		t.Error(text(bar), err)
	}
}

func isUnknown(err error) bool {
	_, ok := errors.AsType[*UnknownSymbolError](err)
	return ok
}

func TestView_Bar(t *testing.T) {
	v := openText(t, seriesLine("A", "2025-10-01", "2025-10-03", "2025-10-06")).AsOf("2025-10-06 10:00:00")
	for _, c := range []struct {
		symbol string
		at     Stamp
		want   string
	}{
		{"A", "2025-10-01", "2025-10-01 10.5 10.9 10.1 10.7 1000"},
		{" a ", "2025-10-03", "2025-10-03 11.5 11.9 11.1 11.7 1100"},
		{"A", "2025-10-06", "2025-10-06 12.5 - - - -"},
		{"A", "2025-10-02", "A has no price at 2025-10-02; its newest bar before that is 2025-10-01"},
		{"a", "2025-10-06 10:00:00", "A has no price at 2025-10-06 10:00:00; its newest bar before that is 2025-10-06"},
		{"A", "2025-09-30", "A has no price at 2025-09-30, and none before it; its first bar is 2025-10-01"},
		{"A", "2025-10-06 10:00:01", "2025-10-06 10:00:01 is not yet known: it is 2025-10-06 10:00:00 now"},
		{"A", "2025-10-07", "2025-10-07 is not yet known: it is 2025-10-06 10:00:00 now"},
		{"nope", "2025-10-07", "2025-10-07 is not yet known: it is 2025-10-06 10:00:00 now"},
		{" nope ", "2025-10-01", "Symbol nope not found! This action will not be allowed."},
	} {
		bar, err := v.Bar(c.symbol, c.at)
		got := text(bar)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("Bar(%q, %s)\ngot  %s\nwant %s", c.symbol, c.at, got, c.want)
		}
	}
}

func TestView_Bars(t *testing.T) {
	daily := openText(t, seriesLine("A", "2025-10-01", "2025-10-02", "2025-10-03", "2025-10-06", "2025-10-07")).AsOf("2025-10-06")
	timed := openText(t, seriesLine("A", "2025-10-01 10:30", "2025-10-01 15:00", "2025-10-02 10:30", "2025-10-02 15:00")).AsOf("2025-10-02 10:30:00")
	for _, c := range []struct {
		v        View
		from, to Stamp
		limit    int
		want     string
	}{
		{daily, "", "", 0, "01 02 03 06"},
		{daily, "", "", 2, "03 06"},
		{daily, "", "2025-10-03", 2, "02 03"},
		{daily, "", "2025-10-05", 2, "02 03"},
		{daily, "", "2030-01-01", 1, "06"},
		{daily, "", "2025-09-01", 1, ""},
		{daily, "2025-10-02", "", 0, "02 03 06"},
		{daily, "2025-10-02", "", 2, "02 03 next 06"},
		{daily, "2025-10-02", "", 3, "02 03 06"},
		{daily, "2025-10-02", "2025-10-03", 1, "02 next 03"},
		{daily, "2025-10-02", "2025-10-03", 2, "02 03"},
		{daily, "2025-10-03", "2025-10-02", 2, ""},
		{daily, "2025-10-07", "", 0, "2025-10-07 is not yet known: it is 2025-10-06 now"},
		{timed, "", "", 0, "01 10:30:00 01 15:00:00 02 10:30:00"},
		{timed, "", "2025-10-01", 0, "01 10:30:00 01 15:00:00"},
		{timed, "", "2025-10-02", 1, "02 10:30:00"},
		{timed, "2025-10-01", "2025-10-01 10:30:00", 0, "01 10:30:00"},
		{timed, "2025-10-01 11:00:00", "", 1, "01 15:00:00 next 02 10:30:00"},
	} {
		bars, next, err := c.v.Bars("A", c.from, c.to, c.limit)
		var got []string
		for _, bar := range bars {
			got = append(got, strings.TrimPrefix(string(bar.Stamp), "2025-10-"))
		}
		if next != "" {
			got = append(got, "next", strings.TrimPrefix(string(next), "2025-10-"))
		}
		if err != nil {
			got = append(got, err.Error())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("Bars(%q, %q, %d) = %s, want %s", c.from, c.to, c.limit, strings.Join(got, " "), c.want)
		}
	}
}

// A close that is not known is passed over.
func TestView_LastClose(t *testing.T) {
	p := openText(t, `{"Meta Data": {"2. Symbol": "A"}, "Time Series (Daily)": {
		"2025-10-03": {"1. open": "3"}, "2025-10-02": {"4. close": "2"}}}`)
	got, at, err := p.AsOf("2025-10-06").LastClose("A")
	if err != nil || got.String() != "2" || at != "2025-10-02" {
		t.Error(got, at, err)
	}
}

func TestView_Resolve(t *testing.T) {
	v := openText(t, strings.Join([]string{
		seriesLine("AAPL", "2025-10-01"), seriesLine("abc", "2025-10-01"), seriesLine("def", "2025-11-01"), seriesLine("DEF", "2025-10-01"),
	}, "\n")).AsOf("2025-10-02")
	for in, want := range map[string]string{
		"AAPL": "AAPL", " aapl\t": "AAPL", "abc": "abc", "ABC": "", "def": "DEF", "": "",
	} {
		got, err := v.Resolve(in)
		if got != want || (want == "") != isUnknown(err) {
			t.Errorf("Resolve(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestView_Quote(t *testing.T) {
	p := openText(t, `{"Meta Data": {"2. Symbol": "600519.SH"}, "Time Series (Daily)": {"2025-10-01": {"1. buy price": "5"}, "2025-10-02": {"1. buy price": "6", "4. sell price": "7"}}}`)
	for _, c := range []struct {
		asOf          Stamp
		asked, symbol string
		price         string
		noPrice       bool // or no such symbol, where price is 0
	}{
		{"2025-10-02", " 600519.sh", "600519.SH", "6", false},
		{"2025-10-02 15:00:00", "600519.SH", "600519.SH", "6", false},
		{"2025-10-03", "600519.sh", "600519.SH", "0", true},
		{"2025-09-30", "600519.sh", "600519.sh", "0", false},
	} {
		q, err := p.AsOf(c.asOf).Quote(c.asked)
		var noPrice *NoPriceError
		var unknown *UnknownSymbolError
		if q.Symbol != c.symbol || q.Market.ID != CN || q.At != c.asOf || q.Price.String() != c.price ||
			errors.As(err, &noPrice) != c.noPrice || errors.As(err, &unknown) != (c.price == "0" && !c.noPrice) {
			t.Errorf("%s on %s: %+v, %v", c.asked, c.asOf, q, err)
		}
	}
}

func TestView_DidYouMean(t *testing.T) {
	lines := []string{seriesLine("AAPX", "2025-11-01"), `{"Meta Data": {"2. Symbol": "AAPZ"}}`}
	for _, symbol := range []string{"AAPL", "MSFT", "nflx", "600028.SH", "600519.SH", "BRK.A", "BRK.B", "BTC-USDT", "GA", "GB", "GC", "GD", "GE", "GF", "V"} {
		lines = append(lines, seriesLine(symbol, "2025-10-01"))
	}
	v := openText(t, strings.Join(lines, "\n")).AsOf("2025-10-02")
	for asked, want := range map[string]string{
		"AAPPL":     "[AAPL]",
		"apl":       "[AAPL]",
		"AAQL":      "[AAPL]",
		"APAL":      "[AAPL]",
		"AAPX":      "[AAPL]",
		"AAPY":      "[AAPL]",
		"NFLX":      "[nflx]",
		"600028.SZ": "[600028.SH]",
		"600028":    "[600028.SH]",
		"600519.SS": "[600519.SH]",
		"SH600519":  "[600519.SH]",
		"sh.600519": "[600519.SH]",

		"NASDAQ:AAPL":         "[AAPL]",
		"NASDAQ: AAPL":        "[AAPL]",
		"NASDAQ:AAQL":         "[AAPL]",
		"aapl.us":             "[AAPL]",
		"AAPL US Equity":      "[AAPL]",
		"AAPL:US":             "[AAPL]",
		"$AAPL":               "[AAPL]",
		"NYSE:V":              "[V]",
		"MSFT,AAPL":           "[AAPL MSFT]",
		"AAPL and MSFT; NFLX": "[AAPL MSFT nflx]",
		"NASDAQ:AAPX":         "[AAPL]",
		"AAPX,AAPZ":           "[]",
		"AAPX,MSFT":           "[MSFT]",
		"BRK-B":               "[BRK.B BRK.A]",
		"BRKB":                "[BRK.B]",
		"BTC/USDT":            "[BTC-USDT]",
		"btcusd":              "[]",
		"BTC":                 "[BTC-USDT]",
		"Apple Inc.":          "[]",
		"*":                   "[V]",
		":":                   "[V]",
		"":                    "[V]",
		"G":                   "[GA GB GC GD GE]",
		"TSLA":                "[]",
	} {
		_, err := v.OpenPrice(asked)
		unknown, ok := errors.AsType[*UnknownSymbolError](err)
		if !ok || unknown.Symbol != asked || fmt.Sprint(unknown.DidYouMean) != want {
			t.Errorf("%s: %+v, want %s", asked, err, want)
		}
	}
}

func TestView_List(t *testing.T) {
	text := strings.Join([]string{
		seriesLine("AAPL", "2025-09-01", "2025-10-01"), seriesLine("AAPX", "2025-11-01"), seriesLine("AMD", "2025-10-02", "2025-10-03"), seriesLine("BTC-USDT", "2025-10-01"),
		`{"Meta Data": {"2. Symbol": "600028.SH", "2.1. Name": "中国石化 Sinopec"}, "Time Series (Daily)": {"2025-10-01": {"1. open": "5"}}}`,
		`{"Meta Data": {"2. Symbol": "EMPTY"}, "Time Series (Daily)": {}}`, `{"Meta Data": {"2. Symbol": "BAD"}}`,
		// Of today the open is not known, so nothing of the bar is.
		`{"Meta Data": {"2. Symbol": "DIM"}, "Time Series (Daily)": {"2025-10-02": {"4. close": "5"}}}`,
	}, "\n")
	for _, c := range []struct {
		name, query, after string
		limit              int
		want               string
	}{
		{"all", "", "", 10, "600028.SH cn 2025-10-01, AAPL us 2025-09-01, AMD us 2025-10-02, BTC-USDT crypto 2025-10-01"},
		{"a page", "", "", 2, "600028.SH cn 2025-10-01, AAPL us 2025-09-01, and more"},
		{"the last page", "", "AAPL", 2, "AMD us 2025-10-02, BTC-USDT crypto 2025-10-01"},
		{"what follows is not there yet", "AAP", "", 1, "AAPL us 2025-09-01"},
		{"after a symbol that is not there yet", "", "AAPX", 1, "AMD us 2025-10-02, and more"},
		{"after the last", "", "Z", 9, ""},
		{"a part of a symbol", " usd ", "", 9, "BTC-USDT crypto 2025-10-01"},
		{"a part of a name", "sinopec", "", 9, "600028.SH cn 2025-10-01"},
		{"a name of another script", "石化", "", 9, "600028.SH cn 2025-10-01"},
		{"nothing like it", "apple", "", 9, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := openText(t, text).AsOf("2025-10-02")
			list, more, err := v.List(c.query, c.after, c.limit)
			var got []string
			for _, l := range list {
				got = append(got, fmt.Sprintf("%s %s %s", l.Symbol, l.Market, l.First))
			}
			if more {
				got = append(got, "and more")
			}
			if strings.Join(got, ", ") != c.want || err != nil {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

// The property that everything else here serves: two markets that agree up to
// a stamp, and on the opens at it, cannot be told apart as of that stamp.
func TestView_ReplacedFuture(t *testing.T) {
	testenv.Slow(t)
	folder := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		asOf := rapid.SampledFrom(moments).Draw(t, "as of")
		one, two := rapid.Custom(drawMarket).Draw(t, "one"), rapid.Custom(drawMarket).Draw(t, "two")
		one.shareThePast(two, asOf)
		a, b := one.open(t, filepath.Join(folder, "one")), two.open(t, filepath.Join(folder, "two"))
		defer a.Close()
		defer b.Close()
		for _, stamp := range moments {
			if stamp > asOf {
				break
			}
			if of, other := everything(a.AsOf(stamp)), everything(b.AsOf(stamp)); of != other {
				t.Fatalf("as of %s the two differ:\n%s", stamp, firstDifference(of, other))
			}
		}
	})
}

// moments are stamps of which some are days and some are moments, ascending.
var moments = []Stamp{
	"2025-10-01", "2025-10-01 10:30:00", "2025-10-01 11:00:00", "2025-10-01 15:00:00", "2025-10-02", "2025-10-02 10:30:00",
	"2025-10-02 15:00:00", "2025-10-03", "2025-10-03 10:30:00", "2025-10-06",
}

// names are so similar that they are suggested for one another.
var names = []string{"AAPL", "AAPM", "APL", "aapl", "B-USDT"}

// quotes is a market as it is written: symbol, stamp, figure.
type quotes map[string]map[Stamp]map[string]string

func drawMarket(t *rapid.T) quotes {
	figure := rapid.SampledFrom([]string{"", "1", "2.50", "3", "0", "x"})
	bar := rapid.Custom(func(t *rapid.T) map[string]string {
		return map[string]string{
			"1. open": figure.Draw(t, "open"), "2. high": figure.Draw(t, "high"), "3. low": figure.Draw(t, "low"),
			"4. close": figure.Draw(t, "close"), "5. volume": figure.Draw(t, "volume"),
		}
	})
	return rapid.MapOf(rapid.SampledFrom(names), rapid.MapOf(rapid.SampledFrom(moments), bar)).Draw(t, "market")
}

// shareThePast makes the other market like this one in whatever can be known at
// the stamp, and leaves it as it is in what cannot.
func (q quotes) shareThePast(other quotes, asOf Stamp) {
	for _, name := range names {
		bars := map[Stamp]map[string]string{}
		for _, stamp := range moments {
			mine, here := q[name][stamp]
			theirs, there := other[name][stamp]
			atTheStamp := stamp == asOf || stamp == asOf.Day() ||
				strings.HasPrefix(name, "AA") && !stamp.IsDay() && stamp < asOf && stamp.add(time.Hour) > asOf
			switch {
			case stamp > asOf && there:
				bars[stamp] = theirs
			case stamp < asOf && !atTheStamp && here:
				bars[stamp] = mine
			case atTheStamp && there: // without an open, it may be there in one market only
				bars[stamp] = maps.Clone(theirs)
				bars[stamp]["1. open"] = mine["1. open"]
			case atTheStamp && here:
				bars[stamp] = map[string]string{"1. open": mine["1. open"]}
			}
		}
		if delete(other, name); len(bars) > 0 {
			other[name] = bars
		}
	}
}

func (q quotes) open(t *rapid.T, path string) *Prices {
	lines := seriesLine("Z", "2025-10-01") + "\n"
	for name, bars := range q {
		interval := "Daily"
		if strings.HasPrefix(name, "AA") {
			interval = "60min"
		}
		line, err := json.Marshal(map[string]any{"Meta Data": map[string]string{"2. Symbol": name}, "Time Series (" + interval + ")": bars})
		if err != nil {
			t.Fatal(err)
		}
		lines += string(line) + "\n"
	}
	if err := os.WriteFile(path, []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// everything is all that a view can be made to say.
func everything(v View) string {
	var out strings.Builder
	say := func(question string, answer any, err error) {
		spelled, _ := json.Marshal(answer)
		fmt.Fprintf(&out, "%s: %s %T %v", question, spelled, err, err)
		if unknown, ok := errors.AsType[*UnknownSymbolError](err); ok {
			fmt.Fprint(&out, unknown.DidYouMean)
		}
		out.WriteByte('\n')
	}
	symbols, err := v.Symbols()
	say("symbols", symbols, err)
	for _, after := range append(slices.Clone(names), "", "M") {
		for _, query := range []string{"", "a", "USDT", "x"} {
			list, more, err := v.List(query, after, 2)
			say("list "+query+" after "+after, []any{list, more}, err)
		}
	}
	for _, symbol := range append(slices.Clone(names), "AAP", "PAAL", "b-usdt", "X:AAPL", "AAPM,APL", "B/USD", "Z", "") {
		name, err := v.Resolve(symbol)
		say("resolve "+symbol, name, err)
		price, err := v.OpenPrice(symbol)
		say("open "+symbol, price, err)
		price, at, err := v.LastClose(symbol)
		say("close "+symbol, []any{price, at}, err)
		for _, from := range append([]Stamp{""}, moments...) {
			bar, err := v.Bar(symbol, from)
			say(fmt.Sprintf("bar %s %s", symbol, from), bar, err)
			for _, to := range []Stamp{"", from, "2025-10-02"} {
				for _, limit := range []int{0, 2} {
					bars, next, err := v.Bars(symbol, from, to, limit)
					say(fmt.Sprintf("bars %s %s %s %d", symbol, from, to, limit), []any{bars, next}, err)
				}
			}
		}
	}
	return out.String()
}

func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return as[i] + "\n" + bs[i]
		}
	}
	return ""
}
