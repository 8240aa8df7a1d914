package mask

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// shares is a market whose symbols look like words, like each other and like nothing.
var shares = []Symbol{
	{"AAPL", "Apple Inc."}, {"A", "Agilent Technologies, Inc."}, {"ON", "ON Semiconductor Corporation"}, {"DD", ""}, {"GOOG", "Alphabet Inc Class C"},
	{"GOOGL", "Alphabet Inc Class A"}, {"BRK", ""}, {"BRK.B", "Berkshire Hathaway Inc"}, {"600519.SH", ""}, {"BTC-USDT", "Bitcoin"}, {"^NDX", ""},
}

func TestNew(t *testing.T) {
	m := New(7, shares)
	if len(m.Symbols) != len(shares) {
		t.Fatalf("%d of %d symbols are masked", len(m.Symbols), len(shares))
	}
	masked := map[string]bool{}
	for symbol, name := range m.Symbols {
		if masked[name] || m.Symbols[name] != "" || !regexp.MustCompile("^["+letters+"]{6}$").MatchString(name) {
			t.Errorf("%s is masked as %s", symbol, name)
		}
		masked[name] = true
	}
	reversed := slices.Clone(shares)
	slices.Reverse(reversed)
	if again := New(7, reversed); !m.Same(&again.Table) || m.Weeks < leastWeeks || m.Weeks >= leastWeeks+moreWeeks {
		t.Errorf("the same seed masks otherwise: %v, %v", m.Table, again.Table)
	}
	more := New(7, append(slices.Clone(shares), Symbol{"NVDA", ""}))
	if !m.Same(&more.Table) {
		t.Error("a further symbol changes the names of the others")
	}
	if other := New(8, shares); m.Same(&other.Table) {
		t.Error("another seed masks alike")
	}
	if m.Same(nil) || !(*Table)(nil).Same(nil) {
		t.Error("a mask is none")
	}
	crossed := Table{Seed: 7, Weeks: m.Weeks, Symbols: map[string]string{"AAPL": m.Symbols["GOOG"]}}
	if m.Same(&crossed) {
		t.Error("a table that names a symbol otherwise is the same")
	}
}

// A name by chance can be taken: by a symbol of the market, or by one that was masked before.
func TestNew_NamesThatAreTaken(t *testing.T) {
	first := New(7, []Symbol{{Symbol: "AAPL"}}).Symbols["AAPL"]
	m := New(7, []Symbol{{Symbol: "AAPL"}, {Symbol: first}, {Symbol: strings.ToLower(first)}})
	if name := m.Symbols["AAPL"]; name == first || name == "" || len(m.Symbols) != 3 {
		t.Errorf("%v, where %s is a symbol", m.Symbols, first)
	}
}

// named puts the masked names of symbols into a text, where they stand in braces.
func (m *Mask) named(text string) string {
	return regexp.MustCompile(`\{[^{}"]+\}`).ReplaceAllStringFunc(text, func(s string) string { return cmp.Or(m.Symbols[s[1:len(s)-1]], s) })
}

// later is a date as the mask has it, in some form.
func (m *Mask) later(date, form string) string {
	d, err := time.Parse("2006-01-02", date)
	if err != nil {
		panic(err)
	}
	return d.AddDate(0, 0, 7*m.Weeks).Format(form)
}

func TestMask_Conceal(t *testing.T) {
	m := New(7, shares)
	later := func(form string) string { return m.later("2025-10-02", form) }
	for text, want := range map[string]string{
		"":                                         "",
		"Buy AAPL, not GOOG or GOOGL.":             "Buy {AAPL}, not {GOOG} or {GOOGL}.",
		"$AAPL's NASDAQ:AAPL AAPL.US":              "${AAPL}'s NASDAQ:{AAPL} {AAPL}.US",
		"AAPLE XAAPL AAPL5 AAPL_X aapl ÄAAPL":      "AAPLE XAAPL AAPL5 AAPL_X aapl ÄAAPL",
		"BRK.B BRK BRK-B":                          "{BRK.B} {BRK} {BRK}-B",
		"600519.SH and BTC-USDT, ^NDX":             "{600519.SH} and {BTC-USDT}, {^NDX}",
		"A refused order. Sell A. A 12.5":          "A refused order. Sell {A}. {A} 12.5",
		"YYYY-MM-DD, with HH:MM:SS, is DD":         "YYYY-MM-DD, with HH:MM:SS, is {DD}",
		"Apple Inc. and Apple, Berkshire Hathaway": "{AAPL} and {AAPL}, {BRK.B}",
		"Apples are no Applesauce":                 "Apples are no Applesauce",
		"on 2025-10-02.":                           "on " + later("2006-01-02") + ".",
		"2025-10-02 10:30:00":                      later("2006-01-02") + " 10:30:00",
		"2025-10-02T10:30:00Z":                     later("2006-01-02") + "T10:30:00Z",
		"order 2025-10-02#3.1":                     "order " + later("2006-01-02") + "#3.1",
		"2025/10/02 2025.10.02 2025-10-2":          later("2006/01/02") + " " + later("2006.01.02") + " " + later("2006-01-02"),
		"20251002T093000 and 20251002":             later("20060102") + "T093000 and 20251002",
		"10/02/2025":                               later("01/02/2006"),
		"October 2, 2025; Oct. 2 2025":             later("January 2, 2006") + "; " + later("Jan 2, 2006"),
		"2 October 2025, 2-Oct-2025":               later("2 January 2006") + ", " + later("2-Jan-2006"),
		"2025-02-30, 2025-10-021, 12.5":            "2025-02-30, 2025-10-021, 12.5",
		"2025-10.02 costs 2025.10":                 "2025-10.02 costs 2025.10",
	} {
		if got := m.Conceal(text); got != m.named(want) {
			t.Errorf("%q: %q, want %q", text, got, m.named(want))
		}
	}
	if got := m.Conceal("July 4th, 2025"); !regexp.MustCompile(`^(January|February|March|April|May|June|July|August|September|October|November|December) \d+(st|nd|rd|th), 20[4-6]\d$`).MatchString(got) {
		t.Error(got)
	}
	if day, _ := time.Parse("2006-01-02", m.Conceal("2025-10-02")); day.Weekday() != time.Thursday {
		t.Errorf("a Thursday becomes a %s", day.Weekday())
	}
	if (*Mask)(nil).Conceal("AAPL") != "AAPL" {
		t.Error("no mask conceals")
	}
}

func TestMask_Reveal(t *testing.T) {
	m := New(7, shares)
	text := "I bought 3 AAPL on 2025-10-02 at 10:30, and sold BRK.B."
	if got := m.Reveal(m.Conceal(text)); got != text {
		t.Error(got)
	}
	if got := m.Reveal(strings.ToLower(m.Symbols["AAPL"])); got != "AAPL" {
		t.Error(got)
	}
	if got := m.Reveal("I think that it is AAPL"); got != "I think that it is AAPL" { // the model's own word is no masked name
		t.Error(got)
	}
}

// texts draws texts of symbols, masked names, dates in all forms, and whatever else.
func texts(m *Mask) *rapid.Generator[string] {
	var some []string
	for symbol, masked := range m.Symbols {
		some = append(some, symbol, masked)
	}
	slices.Sort(some)
	some = append(some, " ", ", ", ".", "-", "a", "T", "5", "\n", "é", "\xff", "YYYY-MM-DD")
	date := rapid.Custom(func(t *rapid.T) string {
		d := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 20000).Draw(t, "day"))
		return d.Format(rapid.SampledFrom([]string{"2006-01-02", "2006/01/02", "2006-01-02 15:04:05", "January 2, 2006", "Jan 2, 2006", "2 January 2006", "2-Jan-2006", "01/02/2006", "20060102T1504"}).Draw(t, "form"))
	})
	return rapid.Map(rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(some), date, rapid.String()), 0, 12), func(parts []string) string { return strings.Join(parts, " ") })
}

// The server is asked what the model asks, and the model reads its own words in what the server repeats of them.
func TestMask_RoundTrip(t *testing.T) {
	m := New(7, shares)
	all := texts(m)
	var months []string // May is written alike in short and in full, so that neither form is known again behind it
	for month := time.January; month <= time.December; month++ {
		months = append(months, month.String(), month.String()[:3])
	}
	short := strings.NewReplacer(months...)
	rapid.Check(t, func(t *rapid.T) {
		text := all.Draw(t, "text")
		there := m.text(text, m.swap, m.Weeks)
		if back := m.text(there, m.swap, -m.Weeks); short.Replace(back) != short.Replace(text) {
			t.Fatalf("%q became %q, and then %q", text, there, back)
		}
	})
}

// Nothing of the true market is left, whatever the text.
func TestMask_LeavesNoSymbolAndNoDate(t *testing.T) {
	m := New(7, shares)
	plain := regexp.MustCompile(`\b(?:19|20[0-3])\d-\d\d-\d\d`) // no masked date lies before 2040 whose true one lies after 2020
	rapid.Check(t, func(t *rapid.T) {
		d := time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 3000).Draw(t, "day")).Format("2006-01-02")
		symbol := rapid.SampledFrom(shares).Draw(t, "symbol").Symbol
		around := rapid.SampledFrom([]string{"%s: %s", "(%s)\t%s", `{"%s":"%s"}`, "%s,%s,", "=%s/ %s#1"}).Draw(t, "around")
		text := fmt.Sprintf(around, symbol, d)
		if got := m.Conceal(text); strings.Contains(got, d) || plain.MatchString(got) || strings.Contains(got, symbol) && len(symbol) > 1 && !strings.Contains(m.Symbols[symbol], symbol) {
			t.Fatalf("%q became %q", text, got)
		}
	})
}

func TestMask_Briefing(t *testing.T) {
	m := New(7, shares)
	text := "Today is 2025-10-02, in a simulation.\nCash: 10000.00\n\nHoldings (symbol, shares):\nAAPL 3 250.1\nGOOG 2 1.5\n\nMarket (symbol, last close, today's open):\nA 1 2\nAAPL 250.1 251\nBRK.B 3 4\nGOOG 5 6\nON 7 8\n\nOrders fill at today's opens.\n"
	got := m.Briefing(text)
	var market []string
	for line := range strings.SplitSeq(got[strings.Index(got, "Market"):], "\n") {
		if name, _, found := strings.Cut(line, " "); found && len(name) == 6 && strings.Trim(name, letters) == "" {
			market = append(market, name)
		}
	}
	if len(market) != 5 || !slices.IsSorted(market) || strings.Contains(got, "AAPL") || strings.Contains(got, "2025") || !strings.Contains(got, m.named("{ON} 7 8\n")) {
		t.Errorf("%v\n%s", market, got)
	}
	if strings.Count(got, "\n") != strings.Count(text, "\n") || !strings.HasSuffix(got, "\n\nOrders fill at today's opens.\n") {
		t.Errorf("lines moved:\n%s", got)
	}
}

func TestMask_Answer(t *testing.T) {
	m := New(7, shares)
	day := m.later("2025-10-02", "2006-01-02")
	for name, c := range map[string]struct{ tool, text, want string }{
		"a fill": {"buy", `{"status":"filled","order_id":"2025-10-02#1.1","date":"2025-10-02","symbol":"AAPL","amount":3,"price":250.10,"cash":20251002}`,
			`{"status":"filled","order_id":"` + day + `#1.1","date":"` + day + `","symbol":"{AAPL}","amount":3,"price":250.10,"cash":20251002}`},
		"bars": {"get_price_history", `{"symbol":"ON","rows":[["2025-10-02",1,2,null]],"next":"2025-10-02 10:00:00"}`, `{"symbol":"{ON}","rows":[["` + day + `",1,2,null]],"next":"` + day + ` 10:00:00"}`},
		"actions": {"get_price_history", `{"symbol":"ON","rows":[],"actions":["ON: split 3:1 on 2025-10-02","ON: renamed to AAPL on 2025-10-02"]}`,
			`{"symbol":"{ON}","rows":[],"actions":["{ON}: split 3:1 on ` + day + `","{ON}: renamed to {AAPL} on ` + day + `"]}`},
		"a text": {"x", "AAPL on 2025-10-02", "{AAPL} on " + day},
		"symbols like one that does not exist": {"buy", `{"class":"caller","code":"unknown_symbol","did_you_mean":["AAPL"],"error":"Symbol AAPLE not found!","symbol":"AAPLE"}`,
			`{"class":"caller","code":"unknown_symbol","error":"Symbol AAPLE not found!","symbol":"AAPLE"}`},
		"the same in a list": {"get_price", `{"date":"2025-10-02","prices":[{"symbol":"AAPLE","error":"no","code":"unknown_symbol","did_you_mean":["AAPL"]}]}`,
			`{"date":"` + day + `","prices":[{"symbol":"AAPLE","error":"no","code":"unknown_symbol"}]}`},
		"arguments like one that does not exist": {"buy", `{"code":"invalid_argument","did_you_mean":["amount"]}`, `{"code":"invalid_argument","did_you_mean":["amount"]}`},
	} {
		if got := m.Answer(c.tool, c.text); got != m.named(c.want) {
			t.Errorf("%s: %s, want %s", name, got, m.named(c.want))
		}
	}
	var got struct {
		Holdings []struct{ Symbol string }
		Unpriced []string
	}
	text := m.Answer("get_portfolio", `{"holdings":[{"symbol":"A","amount":1},{"symbol":"AAPL","amount":2},{"symbol":"GOOG"},{"symbol":"ON"}],"unpriced":["A","AAPL","GOOG"]}`)
	if err := json.Unmarshal([]byte(text), &got); err != nil || len(got.Holdings) != 4 || len(got.Unpriced) != 3 || !slices.IsSorted(got.Unpriced) ||
		!slices.IsSortedFunc(got.Holdings, func(a, b struct{ Symbol string }) int { return strings.Compare(a.Symbol, b.Symbol) }) {
		t.Errorf("holdings in the order of the true symbols: %v\n%s", err, text)
	}
	text = m.Answer("buy", `{"positions":{"A":1,"AAPL":2,"CASH":3.50,"GOOG":4}}`)
	if keys := regexp.MustCompile(`"(\w+)":`).FindAllString(text, -1)[1:]; len(keys) != 4 || !slices.IsSorted(keys) || !strings.Contains(text, `"CASH":3.50`) {
		t.Errorf("%v in %s", keys, text)
	}
}

func TestMask_Answer_OfASearch(t *testing.T) {
	m := New(7, shares)
	got := m.Answer(Search, `{"provider":"archive","results":[{"title":"Apple beats Q3 2025","url":"https://news.example/apple-2025-10-01","source":"Apple Newsroom",`+
		`"published_at":"2025-10-01T12:00:00Z","summary":"AAPL rose on October 1, 2025, as in October 2024 and on October 1.","content":"In 2025 Apple Inc. sold 2,025 phones.","untrusted":true}]}`)
	want := m.named(`{"provider":"archive","results":[{"title":"{AAPL} beats [date]","url":"","source":"{AAPL} Newsroom",` +
		`"published_at":"` + m.later("2025-10-01", "2006-01-02") + `T12:00:00Z","summary":"{AAPL} rose on ` + m.later("2025-10-01", "January 2, 2006") + `, as in [date] and on [date].","content":"In [date] {AAPL} sold 2,025 phones.","untrusted":true}]}`)
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if (*Mask)(nil).Withholds(Search) || !m.Withholds(Search) || m.Withholds("get_price") {
		t.Error("search is withheld where it should be offered, or the other way round")
	}
}

func TestMask_Arguments(t *testing.T) {
	m := New(7, shares)
	day := m.later("2025-10-02", "2006-01-02")
	for name, c := range map[string]struct{ tool, arguments, want string }{
		"an order":              {"buy", `{"amount":"3","note":"I like {AAPL} since ` + day + `","symbol":"{AAPL}"}`, `{"amount":"3","note":"I like AAPL since 2025-10-02","symbol":"AAPL"}`},
		"in small letters":      {"buy", `{"symbol":" {aapl} "}`, `{"symbol":" AAPL "}`},
		"several":               {"get_price", `{"date":"` + day + ` 10:30","symbol":"{AAPL},{ON}"}`, `{"date":"2025-10-02 10:30:00","symbol":"AAPL,ON"}`},
		"a list":                {"search", `{"query":"{ON} news","symbols":["{AAPL}","{ON}"]}`, `{"query":"ON news","symbols":["AAPL","ON"]}`},
		"a date in other words": {"get_price_history", `{"end":"` + m.later("2025-10-02", "20060102") + `","start":"` + m.later("2025-10-02", "Jan 2, 2006") + `"}`, `{"end":"2025-10-02","start":"2025-10-02"}`},
		"a date as a number":    {"get_price", `{"date":` + m.later("2025-10-02", "20060102") + `}`, `{"date":"2025-10-02"}`},
		"a true symbol":         {"buy", `{"symbol":"aapl.US"}`, `{"symbol":"{AAPL}.US"}`},
		"a company":             {"search", `{"query":"Apple earnings"}`, `{"query":"{AAPL} earnings"}`},
		"numbers and more":      {"buy", `{"amount":20251002,"dry_run":true,"note":null}`, `{"amount":20251002,"dry_run":true,"note":null}`},
		"the list of symbols":   {ListSymbols, `{"query":"{AAPL}"}`, `{"query":"{AAPL}"}`},
	} {
		small := strings.NewReplacer("{aapl}", strings.ToLower(m.Symbols["AAPL"]))
		var arguments map[string]json.RawMessage
		if err := json.Unmarshal([]byte("{"+m.named(small.Replace(c.arguments[1:len(c.arguments)-1]))+"}"), &arguments); err != nil {
			t.Fatal(name, err)
		}
		m.Arguments(c.tool, arguments)
		got, _ := json.Marshal(arguments)
		if want := "{" + m.named(c.want[1:len(c.want)-1]) + "}"; string(got) != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestMask_List(t *testing.T) {
	m := New(7, shares)
	var all []Row
	for _, s := range shares {
		all = append(all, Row{s.Symbol, "us", "2025-01-02"})
	}
	var seen []string
	for cursor, pages := "", 0; ; pages++ {
		rows, next, err := Rows(m.List(all, map[string]json.RawMessage{"limit": json.RawMessage("4"), "cursor": quoted(cursor)}))
		if err != nil || pages > 3 {
			t.Fatal(pages, err)
		}
		for _, r := range rows {
			seen = append(seen, r.Symbol)
			if r.FirstDate != m.later("2025-01-02", "2006-01-02") {
				t.Errorf("%+v", r)
			}
		}
		if cursor = next; next == "" {
			break
		}
	}
	if len(seen) != len(shares) || !slices.IsSorted(seen) {
		t.Errorf("%v", seen)
	}
	for query, want := range map[string]int{"AAPL": 0, "Apple": 0, strings.ToLower(m.Symbols["AAPL"][:5]): 1, "": len(shares)} {
		if rows, _, err := Rows(m.List(all, map[string]json.RawMessage{"query": quoted(query)})); err != nil || len(rows) != want {
			t.Errorf("%q: %v, %v", query, rows, err)
		}
	}
}
