package report

// Tests of reports on odd ledgers, on parts of ledgers, and on real ones.

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

func TestBuild_OddLedgers(t *testing.T) {
	const bars = "100/110 110/120 120/130 130/140 140/150"
	buy := func() *account { return opened("2025-10-01", 1000).trade(week[0], "A", 5, 100, 0) }
	for _, c := range []struct {
		name    string
		bars    string
		account *account
		values  string // of the periods, "?" if it is not known
		total   string // return, in percent
		warning string // the beginning of the only one
	}{
		{"one row", bars, opened(week[0], 1000), "", "", ""},
		{"one row, before the prices", bars, opened("2020-01-01", 1000), "", "", ""},
		{"one row, after the prices", bars, opened("2030-01-01", 1000), "", "", ""},
		{"one day, opened and traded on it", bars, opened(week[0], 1000).trade(week[0], "A", 5, 100, 0), "1050", "5.00", ""},
		{"no trades", bars, opened(week[0], 1000).idle(week[1:]...), "1000 1000 1000 1000", "0.00", ""},
		{"no money", bars, opened(week[0], 0).idle(week[1], week[2]), "0 0", "", ""},
		{"no close on the newest day", "100/110 110/?", buy().idle(week[1]), "1050 1050", "5.00", "The value on 2025-10-03 counts closes of earlier days: A of 2025-10-02 (1 trading day old)."},
		{"no close but on the newest day", "100/? 110/120", buy().idle(week[1]), "? 1100", "10.00", "The value on 2025-10-02 is unknown: by then there was no close of A."},
		{"no close at all", "100/? 110/?", buy().idle(week[1]), "? ?", "", "The value on 2 days is unknown (2025-10-02 to 2025-10-03): by then there was no close of A."},
		{"days without a close in between", "100/110 110/? 120/? 130/140 140/?", buy().idle(week[1:]...), "1050 1050 1050 1200 1200", "20.00", "The value on 3 days (2025-10-03 to 2025-10-06, 2025-10-08) counts closes of earlier days: A of 2025-10-02 (2 trading days old)."},
		{"a gap in the ledger", bars, buy().idle(week[3], week[4]), "1050 1100 1150 1200 1250", "25.00", "There is no record on 2 trading days (2025-10-03 to 2025-10-06); the book before them is carried on."},
		{"a gap in the prices", "100/110 - - 130/140", buy().idle(week[1:4]...), "1050 1200", "20.00", "There are records on 2 days without prices (2025-10-03, 2025-10-06); they count"},
		{"a trade on a day without prices", "100/110 - 120/130", buy().trade(week[1], "A", -5, 115, 0).idle(week[2]), "1050 1075", "7.50", "There are records on 2025-10-03, a day without prices; they count"},
		{"opened with shares", bars, &account{lines: []string{`{"date": "2025-10-02", "id": 0, "positions": {"A": 5, "CASH": 450}}`, `{"date": "2025-10-03", "id": 1, "positions": {"A": 5, "CASH": 450}}`}}, "1050", "5.00", ""},
		{"a row that cannot be read", bars, &account{lines: append(buy().lines, `{"date": "2025-10-03", "id": 2, "positio`, `{"date": "2025-10-03"}`, `7`)}, "1050", "5.00", "Row 2 cannot be read, and 2 more like it."},
		{"a row whose book cannot be read", bars, &account{lines: append(buy().lines, `{"date": "2025-10-03", "id": 2, "positions": {"CASH": NaN}}`)}, "1050", "5.00", "Row 2 cannot be read"},
		{"a row that goes back", bars, &account{lines: append(buy().idle(week[2]).lines, `{"date": "2025-10-03", "id": 3, "positions": {"A": 5, "CASH": 600}}`)}, "1050 1200 1150", "15.00", "Row 3 is dated 2025-10-03, after one of 2025-10-06."},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := marketOf(t, week, map[string]string{"A": c.bars, "Z": "1/1"})
			a := one(t, Options{View: p.AsOf(always)}, c.account.ledger("a"))
			var values []string
			for _, p := range a.Periods {
				if values = append(values, "?"); p.Value.Known() {
					values[len(values)-1] = p.Value.Text(0)
				}
			}
			if got := strings.Join(values, " "); got != c.values {
				t.Errorf("values %q, want %q", got, c.values)
			}
			total := Known(100 * a.Metrics.Value(TotalReturn).value).Text(2)
			if !a.Metrics.Value(TotalReturn).known {
				total = ""
			}
			if total != c.total {
				t.Errorf("total return %q, want %q", total, c.total)
			}
			if len(a.Warnings) > 1 || len(a.Warnings) == 0 && c.warning != "" || len(a.Warnings) == 1 && (c.warning == "" || !strings.HasPrefix(a.Warnings[0], c.warning)) {
				t.Errorf("warnings %q, want %q", a.Warnings, c.warning)
			}
			for name, why := range a.Metrics.Undefined {
				if why == "" {
					t.Errorf("%s is undefined for no reason", name)
				}
			}
		})
	}
}

// A ledger without rows is an error.
func TestBuild_LedgerWithoutRows(t *testing.T) {
	p := marketOf(t, week, map[string]string{"A": "1/1"})
	_, err := Build([]Ledger{{Signature: "a", Lines: linesOf()}}, Options{View: p.AsOf(always)})
	var none *NoLedgerError
	if !errors.As(err, &none) || none.Signature != "a" {
		t.Errorf("err = %v", err)
	}
	broken := errors.New("broken")
	_, err = Build([]Ledger{{Signature: "a", Lines: func(yield func([]byte, error) bool) { yield(nil, broken) }}}, Options{View: p.AsOf(always)})
	if !errors.Is(err, broken) {
		t.Errorf("err = %v", err)
	}
}

// A report from a later day begins with the value of the evening before.
func TestBuild_DateRange(t *testing.T) {
	p := marketOf(t, week, map[string]string{"A": "100/110 110/120 120/130 130/140 140/150"})
	l := opened("2025-10-01", 1000).trade(week[0], "A", 5, 100, 0).trade(week[2], "A", -1, 120, 0).trade(week[4], "A", 1, 140, 0).ledger("a")
	a := one(t, Options{View: p.AsOf(always), From: week[2], To: week[3]}, l)
	if a.Opening != (Point{week[1], Known(1100)}) || len(a.Periods) != 2 || len(a.Trades) != 1 || a.Last != week[2] {
		t.Errorf("%+v", a)
	}
	near(t, "total return", a.Metrics.Value(TotalReturn), (1000-500+120+4*140)/1100.0-1)
	near(t, "gain", a.Trades[0].Gain, 20) // over what was paid before the range
	near(t, "holding", a.Holdings[0].Price, 140)

	// The whole, as it was seen on an earlier day: nothing of that day or after it is in it.
	seen := one(t, Options{View: p.AsOf(week[2])}, l)
	if n := len(seen.Periods); n != 2 || seen.Periods[n-1].Date != week[1] || seen.TradeCount != 1 || seen.Last != week[0] {
		t.Errorf("as of %s: %+v", week[2], seen)
	}

	// Neither can rows of a later date be seen, whatever they are.
	text := func(r Report) string {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	past := opened("2025-10-01", 1000).trade(week[0], "A", 5, 100, 0)
	want := text(build(t, Options{View: p.AsOf(week[2]), CarryForward: true}, past.ledger("a")))
	past.trade(week[3], "A", -5, 130, 0).lines = append(past.lines, "torn")
	if got := text(build(t, Options{View: p.AsOf(week[2]), CarryForward: true}, past.ledger("a"))); got != want {
		t.Errorf("later rows make\n%s\nof\n%s", got, want)
	}

	// An account ends with its last record, unless it is still traded.
	for carry, want := range map[bool]int{false: 1, true: 4} {
		ended := one(t, Options{View: p.AsOf("2025-10-08"), CarryForward: carry}, opened("2025-10-01", 1000).trade(week[0], "A", 5, 100, 0).ledger("a"))
		if n := len(ended.Periods); n != want {
			t.Errorf("carried %v: %d periods, want %d", carry, n, want)
		}
	}
}

// The newest trades are kept, and all are counted.
func TestBuild_NewestTrades(t *testing.T) {
	p := marketOf(t, week, map[string]string{"A": "1/1 1/1"})
	a := opened("2025-10-01", 1000)
	for range 20 {
		a.trade(week[0], "A", 1, 1, 0)
	}
	for range 10 {
		a.trade(week[1], "A", -1, 1, 0)
	}
	var told []int64
	got := one(t, Options{View: p.AsOf(always), Trades: 3, OnTrade: func(_ string, t Trade) error { told = append(told, t.ID); return nil }}, a.ledger("a"))
	if len(told) != 30 || told[0] != 1 || told[29] != 30 {
		t.Errorf("told of %v", told)
	}
	if len(got.Trades) != 3 || got.Trades[2].ID != 30 || got.TradeCount != 30 || len(got.RoundTrips) != 3 || got.RoundTripCount != 10 {
		t.Errorf("kept %v of %d, %v of %d", got.Trades, got.TradeCount, got.RoundTrips, got.RoundTripCount)
	}
	stop := errors.New("stop")
	if _, err := Build([]Ledger{a.ledger("a")}, Options{View: p.AsOf(always), OnTrade: func(string, Trade) error { return stop }}); !errors.Is(err, stop) {
		t.Errorf("err = %v", err)
	}
}

func TestMetrics_Usage(t *testing.T) {
	p := marketOf(t, week, map[string]string{"A": "100/110 110/120"})
	l := opened("2025-10-01", 1000).trade(week[0], "A", 5, 100, 0).idle(week[1]).ledger("a")
	l.RunStats = RunStats{Refused: Known(3), Tokens: Known(5000), Cost: Known(0.5), Days: []DayStats{
		{Date: "2025-09-30", Text: "before the range"}, {Date: week[0], Text: "buy\x1b[2J <b>now</b>"}, {Date: "2025-11-01", Text: "after it"},
	}}
	a := one(t, Options{View: p.AsOf(always), From: week[0], To: week[1]}, l)
	near(t, "refused", a.Metrics.Value("refused"), 3)
	near(t, "tokens per percent", a.Metrics.Value("tokens_per_percent"), 500)
	near(t, "cost per percent", a.Metrics.Value("cost_per_percent"), 0.05)
	if why := a.Metrics.Undefined["cost_per_excess"]; why != "no benchmark was given" {
		t.Errorf("the cost per percent of excess is undefined since %q", why)
	}
	half := Series{Name: "half", Points: []Point{{"2025-10-01", Known(100)}, {week[0], Known(102)}, {week[1], Known(105)}}}
	benchmarked := one(t, Options{View: p.AsOf(always), From: week[0], To: week[1], Benchmark: &half}, l)
	near(t, "tokens per percent of excess", benchmarked.Metrics.Value("tokens_per_excess"), 1000)
	near(t, "cost per percent of excess", benchmarked.Metrics.Value("cost_per_excess"), 0.1)
	if len(a.DayStats) != 1 || a.DayStats[0].Text != "buy\uFFFD[2J <b>now</b>" {
		t.Errorf("notes %+v", a.DayStats)
	}
}

// A ledger may hold anything. What a terminal or a spreadsheet would obey is not let through.
func TestBuild_HostileText(t *testing.T) {
	p := marketOf(t, week, map[string]string{"A": "100/110"})
	const note = "=HYPERLINK(\\\"http://x\\\")\\u001b]0;owned\\u0007<script>alert(1)</script>\\u009b2J\\u202e"
	lines := linesOf(opened("2025-10-01", 1000).lines[0],
		`{"date": "2025-10-02", "id": 1, "this_action": {"action": "buy", "symbol": "\u001b[31mA", "amount": 1, "price": 1}, "positions": {"\u001b[31mA": 1, "CASH": 999}, "order_id": "-1+1", "note": "`+note+`"}`)
	var table bytes.Buffer
	rows := csv.NewWriter(&table)
	r := build(t, Options{View: p.AsOf(always), OnTrade: func(name string, t Trade) error { return WriteTrade(rows, name, t) }}, Ledger{Signature: "@a", Lines: lines})
	rows.Flush()
	if err := WriteEquity(&table, r); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"\x1b", "\x07", "\u009b", "\u202e", `\u001b`, `\u0007`} {
		if strings.Contains(table.String(), bad) || bytes.Contains(text, []byte(bad)) {
			t.Errorf("%q is let through:\n%s\n%s", bad, table.String(), text)
		}
	}
	read, err := csv.NewReader(strings.NewReader(strings.SplitAfter(table.String(), "\n")[0])).Read()
	if err != nil || len(read) != len(TradeColumns()) {
		t.Fatalf("%q, %v", read, err)
	}
	for i, want := range map[int]string{0: "'@a", 3: "buy", 4: "\uFFFD[31mA", 11: "'-1+1", 12: "'=HYPERLINK(\"http://x\")\uFFFD]0;owned\uFFFD<script>alert(1)</script>\uFFFD2J\uFFFD"} {
		if read[i] != want {
			t.Errorf("cell %d is %q, want %q", i, read[i], want)
		}
	}
	if w := r.Accounts[0].Warnings; len(w) != 1 || strings.Contains(w[0], "\x1b") {
		t.Errorf("warnings %q", w)
	}
}

// A spreadsheet gets what the fees of a trade are.
func TestWriteTrade_FeeItems(t *testing.T) {
	for want, items := range map[string]market.FeeItems{
		"a,1,2025-10-02,sell,A,2,,,0,,,,,,,\n": nil,
		`a,1,2025-10-02,sell,A,2,,,0,,,,,"{""commission"": 5, ""stamp duty"": 0.95}",,` + "\n": {
			{Name: "commission", Paid: decimal.RequireFromString("5")}, {Name: "stamp duty", Paid: decimal.RequireFromString("0.95")},
		},
	} {
		var text bytes.Buffer
		rows := csv.NewWriter(&text)
		if err := WriteTrade(rows, "a", Trade{ID: 1, Date: "2025-10-02", Action: "sell", Symbol: "A", Amount: 2, FeeItems: items}); err != nil {
			t.Fatal(err)
		}
		if rows.Flush(); text.String() != want {
			t.Errorf("%q, want %q", text.String(), want)
		}
	}
}

// A spreadsheet takes no cell for a formula.
func TestCell(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "NVDA": "NVDA", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@x": "'@x", " =1": "' =1", "'x": "''x", "a=1": "a=1", "\n=1": "'\n=1", "\r=1": "'\r=1",
	} {
		if got := Cell(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestBuild_Benchmarks(t *testing.T) {
	p := marketOf(t, week, map[string]string{"A": "100/100 110/150 120/?", "B": "10/10 10/10 20/30", "C": "- 5/5 6/6"})
	even, err := EqualWeight(p.AsOf(always), week[1], "")
	if err != nil || len(even.Points) != 3 {
		t.Fatalf("%+v, %v", even, err)
	}
	// C has no close on the first day; A has none on the last and counts with 150.
	for i, want := range []float64{1, 1.25, 2.25} {
		near(t, "equal weight", even.Points[i].Value, want)
	}
	a, err := SymbolSeries(p.AsOf(always), "a")
	if err != nil || a.Name != "A" || len(a.Points) != 2 || a.Points[1] != (Point{week[1], Known(150)}) {
		t.Errorf("%+v, %v", a, err)
	}
	seen, err := SymbolSeries(p.AsOf(week[1]), "A")
	if err != nil || len(seen.Points) != 1 {
		t.Errorf("as of the second day: %+v, %v", seen, err)
	}
	if _, err := SymbolSeries(p.AsOf(always), "D"); err == nil {
		t.Error("a symbol that does not exist is a benchmark")
	}
	// An account opened on a day without trading starts from the close before; a day that the benchmark lacks is reached over.
	l := opened("2025-10-05", 1000).idle(week[2], week[3])
	b := Series{Name: "X", Points: []Point{{week[1], Known(10)}, {week[3], Known(11)}}}
	p = marketOf(t, week, map[string]string{"A": "1/1 1/1 1/1 1/1"})
	near(t, "benchmark return", one(t, Options{View: p.AsOf(always), Benchmark: &b}, l.ledger("a")).Metrics.Value("benchmark_return"), 0.1)
}

// The leaderboard is in order.
func TestRank(t *testing.T) {
	p := marketOf(t, week, map[string]string{"A": "100/110 110/120 120/130", "B.SH": "1/1 1/1 1/1"})
	hold := func(n float64) *account {
		return opened("2025-10-01", 1000).trade(week[0], "A", n, 100, 0).idle(week[1], week[2])
	}
	r := build(t, Options{View: p.AsOf(always)}, hold(1).ledger("some"), opened("2025-10-06", 5).ledger("new"), hold(5).ledger("much"), hold(1).ledger("also"))
	var order []string
	for _, a := range r.Accounts {
		order = append(order, a.Signature)
	}
	if got := strings.Join(order, " "); got != "much also some new" {
		t.Errorf("order %s", got)
	}
	if len(r.Warnings) != 0 {
		t.Errorf("warnings %q", r.Warnings)
	}
	r = build(t, Options{View: p.AsOf(always)}, hold(1).ledger("a"), opened(week[0], 1000).trade(week[1], "B.SH", 1, 1, 0).ledger("b"))
	if len(r.Warnings) != 2 || r.Accounts[0].Market != market.US || r.Accounts[1].Market != market.CN {
		t.Errorf("%s, %s: warnings %q", r.Accounts[0].Market, r.Accounts[1].Market, r.Warnings)
	}
}

// A ledger is verified on the way.
func TestBuild_Verifies(t *testing.T) {
	p := marketOf(t, week, map[string]string{"A": "100/110 110/120 120/130"})
	hold := func() *account {
		return opened("2025-10-01", 1000).trade(week[0], "A", 5, 100, 0).idle(week[1], week[2])
	}
	rich := hold()
	rich.lines[2] = strings.Replace(rich.lines[2], `"CASH": 500`, `"CASH": 5000`, 1)
	rich.lines[3] = strings.Replace(rich.lines[3], `"CASH": 500`, `"CASH": 5000`, 1)
	noted := hold().ledger("noted")
	noted.Anchors = []ledger.Anchor{{Hash: strings.Repeat("0", 64), Source: "a note"}}
	known := hold().ledger("known")
	known.Findings = []ledger.Finding{{Row: -1, Class: ledger.Unreadable, Expected: "a note", Found: "none"}}
	r := build(t, Options{View: p.AsOf(always), Prices: p}, rich.ledger("rich"), noted, known, hold().ledger("honest"), opened("2025-10-06", 5).ledger("new"))
	var order []string
	for _, a := range r.Accounts {
		order = append(order, a.Signature+": "+a.Ledger.String())
	}
	want := []string{
		"honest: The ledger is verified.", "new: The ledger is verified.",
		`rich: The ledger is not verified: rows do not follow: 1 "does not follow".`,
		`known: The ledger is not verified: rows do not follow: 1 "unreadable".`,
		"noted: The ledger is not verified: rows do not follow: 1 ",
	}
	if len(order) != len(want) {
		t.Fatalf("%d accounts", len(order))
	}
	for i := range want {
		if !strings.HasPrefix(order[i], want[i]) || r.Accounts[i].Ranked() != (i < 2) {
			t.Errorf("account %d is %q, ranked %v, want %q", i, order[i], r.Accounts[i].Ranked(), want[i])
		}
	}
	// The verdict and the head are those of the whole ledger, whatever range is reported.
	whole, err := ledger.Verify(rich.ledger("rich").Lines, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{{}, {To: week[0]}, {From: week[2]}} {
		o.View, o.Prices = p.AsOf(always), p
		a := one(t, o, rich.ledger("rich"))
		if a.Ledger.Verdict != ledger.NotVerified || a.Ledger.Head != whole.Head {
			t.Errorf("from %q to %q: %+v", o.From, o.To, a.Ledger)
		}
	}
	// What another program wrote later does not let the account down, but is said.
	ours := opened("2025-10-01", 1000)
	ours.rec = ledger.Record{Date: week[0], ID: 1, Action: ledger.NoTrade, Positions: ours.rec.Positions, Prev: ledger.Hash([]byte(ours.lines[0]))}
	a := one(t, Options{View: p.AsOf(always), Prices: p}, ours.write().idle(week[1]).ledger("ours"))
	if a.Ledger.Verdict != ledger.Partly || !a.Ranked() || len(a.Ledger.Reasons) != 1 {
		t.Errorf("%+v", a.Ledger)
	}
	if a := one(t, Options{View: p.AsOf(always)}, rich.ledger("rich")); a.Ledger != nil || !a.Ranked() {
		t.Errorf("a ledger that was not to be verified: %+v", a.Ledger)
	}
}

func TestBuild_RealLedgers(t *testing.T) {
	data := testenv.TestData(t)
	for folder, accounts := range map[string][]string{
		"us_daily":       {"gpt-5", "gemini-2.5-flash", "qwen3-max"},
		"cn_daily":       {"gpt-5", "glm-4.6", "qwen3-max"},
		"cn_hourly":      {"gpt-5-astock-hour", "qwen3-max-astock-hour"},
		"crypto":         {"gpt-5", "MiniMax-M2", "claude-3.7-sonnet"},
		"us_hourly_test": {"test-gpt-4.1", "test-gemini-2.5-pro"},
	} {
		t.Run(folder, func(t *testing.T) {
			view := openPrices(t, filepath.Join(data, folder, "merged.jsonl")).AsOf(always)
			for _, name := range accounts {
				a := one(t, Options{View: view, Method: AITrader}, Ledger{Signature: name, Lines: fileLines(t, filepath.Join(data, folder, name, "position.jsonl"))})
				// A day that both count ends with the same value, by exact sums here and binary ones there.
				points := a.points()
				if i := slices.IndexFunc(points, func(p Point) bool { return p.Date == a.Upstream.EndDate }); i >= 0 {
					near(t, name+" ends with", points[i].Value, a.Upstream.FinalValue.value)
				} else {
					t.Errorf("%s has no value on %s", name, a.Upstream.EndDate)
				}
				if a.Trades == nil || a.TradeCount != a.Metrics.Trades || a.Metrics.Value(TotalReturn).value < -0.5 {
					t.Errorf("%s: %d trades of %d, total return %v", name, len(a.Trades), a.Metrics.Trades, a.Metrics.Value(TotalReturn))
				}
			}
		})
	}
}
