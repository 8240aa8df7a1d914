package page

// The page without a browser: how figures are written, what is bounded, what odd accounts look like.

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
	"mcp-trade/market"
	"mcp-trade/report"
	"mcp-trade/report/page/pagetest"
)

func TestMetricText(t *testing.T) {
	known := report.Known
	for _, c := range []struct{ got, want string }{
		{money(known(1234567.891)), "1,234,567.89"},
		{money(known(-1234.5)), "−1,234.50"},
		{money(known(-0.001)), "0.00"},
		{money(known(999.999)), "1,000.00"},
		{money(known(10680.285)), "10,680.29"}, // as tables of decimals have it
		{money(report.Number{}), "–"},
		{signedPercent(known(0.0998)), "+9.98\u00a0%"},
		{signedPercent(known(-0.5)), "−50.00\u00a0%"},
		{signedPercent(known(0)), "0.00\u00a0%"},
		{signedPercent(report.Number{}), "–"},
		{amount(35), "35"},
		{amount(12000), "12,000"},
		{amount(0.0125), "0.0125"},
		{amount(1.0 / 3), "0.333333"},
		{price(known(0.00001234)), "0.000012"},
		{price(known(187.2)), "187.20"},
		{signedMoney(known(12)), "+12.00"},
		{plural(1, "trade"), "1 trade"},
		{plural(2000, "trade"), "2,000 trades"},
		{dateRange("2025-10-01", "2025-10-01"), "2025-10-01"},
		{elementID("gpt-5"), "gpt-5"},
		{elementID("gpt_5.1"), "gpt_5f_5_2e_1"},
	} {
		if c.got != c.want {
			t.Errorf("it is written %q, want %q", c.got, c.want)
		}
	}
}

// A long text is cut between words.
func TestSplitLead(t *testing.T) {
	long := strings.Repeat("momentum holds ", 200)
	for _, text := range []string{"", "short", long, strings.Repeat("界", 3000), strings.Repeat("x", 3000)} {
		first, rest := splitLead(text)
		if first+rest != text {
			t.Errorf("of %.20q a part is lost", text)
		}
		if n := len([]rune(first)); n > maxLead*3/2 || text != "" && n == 0 {
			t.Errorf("of %.20q the first %d letters are shown", text, n)
		}
	}
	if first, rest := splitLead(long); strings.HasSuffix(first, "mom") || !strings.HasPrefix(rest, " ") {
		t.Errorf("it is cut at %q", first[len(first)-10:])
	}
}

func TestWrite_Forward(t *testing.T) {
	b := newBourse(t, "steady").season(t)
	d := b.subject(t)
	days := []report.ForwardDay{{Date: "2025-01-01", Skipped: hostile}}
	for i := range maxDays + 4 {
		days = append(days, report.ForwardDay{Date: market.Stamp("2025-01-02").AddDays(i), Decided: time.Date(2025, 1, 2+i, 14, 31, 7, 0, time.UTC), CaughtUp: i%2 == 1, Clock: map[bool]string{true: "lapse"}[i > 100]})
	}
	days[len(days)-1].Missing = []string{"SYN01", hostile}
	d.Report.Accounts[0].Forward = report.NewForward(days)
	text := told(t, d)
	for _, want := range []string{
		"Days that were traded as they came", "The newest 120 of 125 days.", "1 not traded: 2025-01-01 (", "2025-05-05 14:31:07", "caught up, simulated clock", "no price of SYN01, &lt;script&gt;",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(text, "<script>window.hacked") || strings.Contains(text, "2025-01-04 14:31:07") {
		t.Error("it has markup of the manifest, or days that it leaves out")
	}
	if strings.Contains(told(t, b.subject(t)), "as they came") {
		t.Error("an account that never followed the market has such days")
	}
}

func TestWrite_Actions(t *testing.T) {
	b := newBourse(t, "steady").season(t)
	d := b.subject(t)
	a := &d.Report.Accounts[0]
	for i := range maxDays + 1 {
		a.Actions = append(a.Actions, report.CorporateAction{Date: market.Stamp("2025-01-02").AddDays(i), Text: fmt.Sprintf("SYN01: dividend number %d", i), Cash: float64(i)})
	}
	a.Actions[5].Text, a.Actions[5].Cash, a.Dividends = hostile, 0, 7255
	text := told(t, d)
	for _, want := range []string{"Corporate actions of what it held", "Dividends paid 7,255.00. The newest 120 of 121 actions.", "SYN01: dividend number 120", "120.00", "&lt;script&gt;"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(text, "<script>window.hacked") || strings.Contains(text, "dividend number 0<") {
		t.Error("it has markup of an action, or an action that it leaves out")
	}
	if strings.Contains(told(t, b.subject(t)), "Corporate actions") {
		t.Error("an account without actions lists them")
	}
}

// The tear sheet tells what the report holds; a part of which nothing is known is left out.
func TestWrite_TearSheet(t *testing.T) {
	s := newBourse(t, "steady", "dice").season(t).subject(t)
	a := &s.Report.Accounts[0]
	a.Unexplained = report.Known(-3.5)
	a.Paid = []report.CostItem{{Name: "SEC fee", Paid: report.Known(12.5), OfTraded: report.Known(0.000125)}}
	text := told(t, s)
	for what, want := range map[string]string{
		"the return of a month":  ">" + signedPercent(a.Months[1].Return) + "</td>",
		"the return of a year":   ">" + signedPercent(a.Years[0].Return) + "</td>",
		"the deepest drawdown":   ">" + percent(report.Known(a.Drawdowns[0].Depth)) + "</td><td>" + string(a.Drawdowns[0].Peak) + "</td>",
		"the gain of a symbol":   ">" + a.Symbols[0].Symbol + `</th><td class="num ` + sign(a.Symbols[0].Gain) + `">` + signedMoney(a.Symbols[0].Gain) + "</td>",
		"what nothing explains":  "−3.50 of the value no trade",
		"a closed trade":         `<a href="#t-` + elementID(a.Signature) + "-" + fmt.Sprint(a.RoundTrips[0].ID) + `">`,
		"the holding time of it": fmt.Sprintf(`<td>%s</td><td class="num">%d</td>`, a.RoundTrips[0].Closed, a.RoundTrips[0].Days),
		"a cost":                 ">SEC fee</th><td class=\"num\">12.50</td><td class=\"num\">0.0125",
		"the distribution":       `<svg class="bars"`,
		"a formula":              "<code>(mean(r) - rf/A) / sd(r) * sqrt(A)</code>",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not told: %s", what, want)
		}
	}
	if none := told(t, Data{Report: report.Report{Accounts: []report.Account{{Signature: "odd", Market: market.US}}}}); strings.Contains(none, "<table class=\"months\"") || strings.Contains(none, "Deepest") || strings.Contains(none, "Costs of") {
		t.Error("an account of which nothing is known has a tear sheet")
	}
}

// Each return is in one bar of the distribution.
func TestBins(t *testing.T) {
	a := report.Account{}
	for i := range 500 {
		a.Periods = append(a.Periods, report.Period{Return: report.Known(0.001 * float64(i%21-10))})
	}
	a.Periods[3].Return, a.Periods[9].Return, a.Periods[12].Return = report.Known(0.9), report.Known(-0.9), report.Number{}
	width, first, counts := bins(a)
	sum := 0
	for _, n := range counts {
		sum += n
	}
	if sum != 499 || len(counts) < 10 || len(counts) > 40 || float64(first)*width > -0.009 || float64(first)*width < -0.02 {
		t.Errorf("%d returns in %d bars of %v from %v", sum, len(counts), width, float64(first)*width)
	}
}

// The page names no address but the data of its icon and places in itself.
func TestWrite_NoOtherAddress(t *testing.T) {
	text := written(t, newBourse(t, "steady", "dice").season(t).subject(t))
	for _, part := range pagetest.Parts(t, text) {
		text += strings.ReplaceAll(string(part), `\"`, `"`)
	}
	for _, m := range regexp.MustCompile(`\s(?:href|src|srcset|action|formaction|data|poster)="([^"]*)`).FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[1], "#") && !strings.HasPrefix(m[1], "data:image/svg+xml,") {
			t.Errorf("it names %s", m[0])
		}
	}
	if n := strings.Count(text, "://") - strings.Count(text, "http://www.w3.org/2000/svg"); n != 0 || strings.Contains(content("page.css"), "url(") {
		t.Errorf("%d addresses are left in it", n)
	}
}

func TestWrite_OddAccounts(t *testing.T) {
	day := market.Stamp("2025-10-01")
	opening := report.Point{Date: day, Value: report.Known(100)}
	for name, a := range map[string]report.Account{
		"nothing is known":       {},
		"opened, no day since":   {Opening: opening},
		"one day":                {Opening: opening, Periods: []report.Period{{Date: "2025-10-02", Value: report.Known(101)}}},
		"one day, value unknown": {Opening: opening, Periods: []report.Period{{Date: "2025-10-02"}}},
		"a trade without price":  {Opening: opening, Periods: []report.Period{{Date: "2025-10-02"}}, TradeCount: 1, Trades: []report.Trade{{ID: 1, Date: "2025-10-02", Action: "buy", Symbol: "X", Amount: 1}}},
		"a trade before the first day": {Opening: opening, TradeCount: 1,
			Trades: []report.Trade{{ID: 1, Date: day, Action: "sell", Symbol: "X", Amount: 1, Price: report.Known(1)}}},
	} {
		t.Run(name, func(t *testing.T) {
			a.Signature, a.Market = "odd", market.US
			for i := range a.Periods {
				a.Allocation.Names = []string{"CASH"}
				a.Allocation.Parts = [][]report.Number{make([]report.Number, i+1)}
			}
			s := Data{Report: report.Report{Accounts: []report.Account{a}}, Prices: func(string, market.Stamp, market.Stamp) report.Series { return report.Series{} }}
			text := told(t, s)
			if bad := regexp.MustCompile(`\bNaN\b|\bInf\b|%!|nil\b`).FindString(strings.ReplaceAll(text, script(), "")); bad != "" {
				t.Errorf("it holds %s", bad)
			}
			if !strings.Contains(text, "account-odd") {
				t.Error("the account is missing")
			}
		})
	}
}

func TestWrite_Bounded(t *testing.T) {
	testenv.Slow(t)
	a := report.Account{Signature: "busy", Market: market.US, Opening: report.Point{Date: "2020-01-01", Value: report.Known(100)}, TradeCount: math.MaxInt32}
	for i := range 2000 {
		d := market.Stamp("2020-01-01").AddDays(i / 4)
		a.Trades = append(a.Trades, report.Trade{ID: int64(i), Date: d, Action: "buy", Symbol: fmt.Sprintf("S%03d", i%200), Amount: 1, Price: report.Known(1), Note: strings.Repeat("n", 200)})
		if i%4 == 0 {
			a.Periods = append(a.Periods, report.Period{Date: d, Value: report.Known(100)})
			a.DayStats = append(a.DayStats, report.DayStats{Date: d, Text: strings.Repeat("reason ", 500)})
		}
	}
	a.Allocation = report.Allocation{Names: []string{"CASH"}, Parts: [][]report.Number{make([]report.Number, len(a.Periods))}}
	prices := func(symbol string, from, to market.Stamp) report.Series {
		s := report.Series{Name: symbol}
		for i := range a.Periods {
			s.Points = append(s.Points, report.Point{Date: a.Periods[i].Date, Value: report.Known(float64(1 + i%7))})
		}
		return s
	}
	accounts := make([]report.Account, 10)
	for i := range accounts {
		accounts[i] = a
		accounts[i].Signature = fmt.Sprint("busy-", i)
	}
	page := written(t, Data{Report: report.Report{Accounts: accounts}, Prices: prices, TradesNote: "The rest is elsewhere."})
	text := pagetest.Text(t, page)
	for what, c := range map[string]struct {
		sign string
		want int
	}{
		"symbols drawn": {` data-symbol="`, 10 * maxSymbols},
		"days told":     {`class="day" data-key=`, 10 * maxDays},
	} {
		if n := strings.Count(text, c.sign); n != c.want {
			t.Errorf("%d %s, want %d", n, what, c.want)
		}
	}
	if len(page) > 1<<20 {
		t.Errorf("%d bytes for ten accounts of two years", len(page))
	}
}

// told is what the page of a subject says, in its data too.
func told(t *testing.T, s Data) string {
	t.Helper()
	return pagetest.Text(t, written(t, s))
}

// Without the script the page has the leaderboard as a table, its text escaped.
func TestWrite_NoScript(t *testing.T) {
	s := newBourse(t, "steady", "dice").season(t).subject(t)
	s.Report.Accounts[1].Signature = hostile
	_, rest, _ := strings.Cut(written(t, s), "<noscript>")
	plain, _, ok := strings.Cut(rest, "</noscript>")
	if n := strings.Count(plain, "<tr>"); !ok || n != 4 { // the head, two accounts and the benchmark
		t.Errorf("it has %d rows: %s", n, plain)
	}
	for _, a := range s.Report.Accounts {
		if total := signedPercent(a.Metrics.Value(report.TotalReturn)); !strings.Contains(plain, total) {
			t.Errorf("it has no %s of %s", total, a.Signature)
		}
	}
	if strings.Contains(plain, "<img") || strings.Contains(plain, "\x1b") || !strings.Contains(plain, "&lt;img src=x") {
		t.Errorf("a name is markup: %s", plain)
	}
}
