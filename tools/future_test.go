package tools

// The property that makes the simulation honest: nobody can tell two futures apart.

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"pgregory.net/rapid"

	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/search"
	"mcp-trade/session"
	"mcp-trade/store/filestore"
)

// course is a market in which today is drawn, and what comes after it is replaced.
type course struct {
	name     string
	market   market.ID
	interval string
	stamps   []string // of the bars, as the file has them
	starts   []string // of the same bars, when they begin
	symbols  []string // the last one has no bar but the first
	amounts  []any
}

var (
	days   = []string{"2025-10-09", "2025-10-10", "2025-10-13", "2025-10-14", "2025-10-15", "2025-10-16"}
	usHour = []string{"2025-10-09 09:00:00", "2025-10-09 10:00:00", "2025-10-09 15:00:00", "2025-10-10 09:00:00", "2025-10-10 10:00:00", "2025-10-10 16:00:00", "2025-10-13 10:00:00"}
	cnHour = []string{"2025-10-09 10:30:00", "2025-10-09 11:30:00", "2025-10-09 14:00:00", "2025-10-10 10:30:00", "2025-10-10 14:00:00", "2025-10-10 15:00:00", "2025-10-13 10:30:00"}
	cnFrom = []string{"2025-10-09 09:30:00", "2025-10-09 10:30:00", "2025-10-09 13:00:00", "2025-10-10 09:30:00", "2025-10-10 13:00:00", "2025-10-10 14:00:00", "2025-10-13 09:30:00"}

	usSymbols     = []string{"AAA", "AAB", "AAC", "BBB", "ZZZ"}
	cnSymbols     = []string{"600001.SH", "600002.SH", "688003.SH", "300004.SZ", "600009.SH"}
	cryptoSymbols = []string{"AAA-USDT", "AAB-USDT", "XRP-USDT", "BBB-USDT", "ZZZ-USDT"}
	lots          = []any{100, 200, 150, 400, 1000, "all"}
)

var courses = []course{
	{"us daily", market.US, "Daily", days, days, usSymbols, []any{1, 2, 3, 7, 15, 40, "all"}},
	{"us hourly", market.US, "60min", usHour, usHour, usSymbols, []any{1, 2, 3, 7, 15, 40, "all"}},
	{"cn daily", market.CN, "Daily", days, days, cnSymbols, lots},
	{"cn hourly", market.CN, "60min", cnHour, cnFrom, cnSymbols, lots},
	{"crypto", market.Crypto, "Daily", days, days, cryptoSymbols, []any{2, 0.5, 0.1, 7, 40, "all"}},
	{"crypto hourly", market.Crypto, "60min", usHour, usHour, cryptoSymbols, []any{2, 0.5, 0.1, 7, 40, "all"}},
}

// The future influences no answer.
func TestServer_ReplacedFuture(t *testing.T) {
	testenv.Slow(t)
	folder, answered, held := t.TempDir(), map[string]int{}, map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		c := courses[rapid.Uint64().Draw(t, "course")%uint64(len(courses))]
		held[c.name]++
		today := rapid.SampledFrom(c.todays()).Draw(t, "today")
		one, two := c.futures(t, today)
		requests := c.drawRequests(t)
		a, b := c.answers(t, folder, one, today, requests), c.answers(t, folder, two, today, requests)
		for i := range a {
			if a[i] != b[i] {
				t.Fatalf("%s, as of %s\n%s\nis answered\n%s\nor\n%s", c.name, today, append(requests, "the ledger")[i], a[i], b[i])
			}
		}
		for i, r := range requests {
			if name, is := strings.CutPrefix(r, calls); is && !strings.Contains(a[i], `"isError":true`) {
				name, _, _ = strings.Cut(name, `"`)
				answered[name]++
			}
		}
	})
	t.Logf("%v; answered: %v", held, answered)
	if len(held) < len(courses) {
		t.Errorf("only %v were held against each other", held)
	}
	for _, tool := range table() {
		if answered[tool.name] == 0 && !t.Failed() {
			t.Errorf("%s answered no call but with a refusal: draw arguments for it that it takes", tool.name)
		}
	}
}

// todays are the stamps at which bars begin, and moments at which some are not over.
func (c course) todays() []string {
	todays := append(slices.Clone(c.starts), c.stamps...)
	for _, start := range c.starts {
		if c.interval != "Daily" {
			todays = append(todays, start[:13]+":45:00")
		}
	}
	return todays
}

// world is one of the futures, with the past.
type world struct {
	bars    map[string]map[string]row // by symbol and stamp
	actions string                    // of an actions file
	special map[string][]string       // from which day on a share is under special treatment, and to which
	news    []search.RawArticle
	fill    string // the term of the account's rules
}

// row is a bar: open, high, low, close, volume; and of a day the dividend and the split of the file itself.
type row [7]string

// futures draws two worlds that agree before today and on the opens of today, and on nothing else.
func (c course) futures(t *rapid.T, today string) (one, two world) {
	one, two = world{bars: map[string]map[string]row{}, special: map[string][]string{}}, world{bars: map[string]map[string]row{}, special: map[string][]string{}}
	one.fill = rapid.SampledFrom([]string{`"open"`, `"next-open"`}).Draw(t, "fill")
	two.fill = one.fill
	rows := rapid.Bool().Draw(t, "the rows have actions")
	for i, symbol := range c.symbols {
		mine, theirs := map[string]row{}, map[string]row{}
		for n, stamp := range c.stamps {
			start := c.starts[n]
			ended := start < today && (c.interval == "Daily" || hourAfter(start) <= today)
			switch {
			case i == len(c.symbols)-1 && n > 0:
			case start > today:
				c.drawRow(t, mine, stamp, rows)
				c.drawRow(t, theirs, stamp, rows)
			case ended:
				c.drawRow(t, mine, stamp, rows)
				maps.Copy(theirs, mine)
			default: // of a bar that has begun the open is known, and if it has none, not even that it is there; of its day the actions
				c.drawRow(t, mine, stamp, rows)
				c.drawRow(t, theirs, stamp, rows)
				r, there := mine[stamp]
				if there && r[0] != "" {
					theirs[stamp] = row{r[0], theirs[stamp][1], theirs[stamp][2], theirs[stamp][3], theirs[stamp][4], r[5], r[6]}
				} else if other, is := theirs[stamp]; there || is {
					other[0], other[5], other[6] = "", r[5], r[6]
					theirs[stamp] = other
				}
			}
		}
		if len(mine) > 0 {
			one.bars[symbol] = mine
		}
		if len(theirs) > 0 {
			two.bars[symbol] = theirs
		}
	}
	c.drawActions(t, today, &one, &two)
	c.drawNews(t, today, &one, &two)
	return one, two
}

// drawRow draws a bar, or none.
func (c course) drawRow(t *rapid.T, into map[string]row, stamp string, actions bool) {
	if rapid.IntRange(0, 5).Draw(t, "is missing") == 5 {
		return
	}
	price := rapid.SampledFrom([]string{"10", "10.05", "11", "30.02", "5.01", "9.99", "10", "10.1", ""})
	r := row{price.Draw(t, "open"), price.Draw(t, "high"), price.Draw(t, "low"), price.Draw(t, "close"), rapid.SampledFrom([]string{"0", "1000", "90000", ""}).Draw(t, "volume")}
	if actions && c.interval == "Daily" {
		r[5], r[6] = rapid.SampledFrom([]string{"0", "0", "0", "0.25"}).Draw(t, "dividend"), rapid.SampledFrom([]string{"1", "1", "1", "3", "0.5"}).Draw(t, "split")
	}
	into[stamp] = r
}

// drawActions draws corporate actions and special treatments: those up to the day of today are known.
func (c course) drawActions(t *rapid.T, today string, one, two *world) {
	kind := rapid.SampledFrom([]string{`"split": "3:1"`, `"split": "1:2"`, `"dividend": 0.3`, `"rename": "` + c.symbols[2] + `"`, `"delist": true`, `"delist": true, "price": 4`})
	days := rapid.SampledFrom(slices.Compact(slices.Sorted(func(yield func(string) bool) {
		for _, stamp := range c.stamps {
			if !yield(stamp[:10]) {
				return
			}
		}
	})))
	taken := map[string]bool{}
	for range rapid.IntRange(0, 6).Draw(t, "actions") {
		day, symbol := days.Draw(t, "ex day"), rapid.SampledFrom(c.symbols).Draw(t, "of")
		if taken[day+symbol] || symbol == c.symbols[2] {
			continue
		}
		taken[day+symbol] = true
		line := fmt.Sprintf(`{"date": %q, "symbol": %q, %s}`+"\n", day, symbol, kind.Draw(t, "what"))
		if day <= today[:10] {
			one.actions, two.actions = one.actions+line, two.actions+line
		} else if rapid.Bool().Draw(t, "mine") {
			one.actions += line
		} else {
			two.actions += line
		}
	}
	if c.market != market.CN || rapid.Bool().Draw(t, "is nothing special") {
		return
	}
	for _, symbol := range c.symbols {
		from, to := days.Draw(t, "special from"), cmp.Or(days.Draw(t, "special to"))
		one.special[symbol], two.special[symbol] = []string{from, max(from, to)}, []string{from, max(from, to)}
		if from > today[:10] {
			delete(two.special, symbol)
		} else if to > today[:10] {
			two.special[symbol] = []string{from, "2025-12-31"}
		}
	}
}

// drawNews draws articles.
func (c course) drawNews(t *rapid.T, today string, one, two *world) {
	article := func(title, published string) search.RawArticle {
		return search.RawArticle{Title: title, URL: "https://x.test/" + title, Source: "x.test", Summary: "a " + title, Dates: []search.Date{search.DateParser{}.Read(published)}}
	}
	for n := range rapid.IntRange(0, 5).Draw(t, "articles") {
		published := rapid.SampledFrom(append([]string{"2025-10-01", "2025-10-08"}, c.stamps...)).Draw(t, "published")
		title := fmt.Sprint("a", n)
		if published < today[:10] {
			one.news, two.news = append(one.news, article(title, published)), append(two.news, article(title, published))
		} else if published >= today {
			one.news = append(one.news, article(title, published))
			two.news = append([]search.RawArticle{article("other-"+title, published)}, two.news...)
		}
	}
}

// hourAfter is an hour later on the same day.
func hourAfter(stamp string) string {
	hour := 0
	fmt.Sscanf(stamp[11:], "%d", &hour)
	return fmt.Sprintf("%s %02d%s", stamp[:10], hour+1, stamp[13:])
}

// drawArgument draws a value of an argument by its name. A tool that takes an argument of another name needs a line here.
func (c course) drawArgument(t *rapid.T, name string) any {
	values := map[string][]any{
		"symbol": c.written(), "amount": c.amounts, "dry_run": {false, true}, "order_id": {"old", "new"}, "note": {"why"},
		"date": c.dates(), "start": c.dates(), "end": c.dates(), "limit": {1, 2, 3, 5},
		"query": {"", "a", "AAB"}, "cursor": {"", c.symbols[0], c.symbols[2], "1"},
		"symbols": {[]string{c.symbols[0]}}, "tickers": {c.symbols[0] + "," + c.symbols[1]}, "topics": {"earnings"},
		"side": {"buy", "sell"}, "value": {1, 250, 900, 4000}, "all": {true, false}, "type": {"market", "limit", "stop"}, "limit_price": {1, 9.5, 10, 10.5}, "stop_price": {9, 10, 10.4, 11}, "until": {"day", "gtc"}, "id": {1, 2, 3, 4, 5, 6},
		"a": {1, 2.5}, "b": {3, -4},
	}[name]
	if values == nil {
		t.Fatalf("the argument %q has no values: add some, of which one future shows another answer than the other if the tool looks ahead", name)
	}
	return rapid.SampledFrom(values).Draw(t, name)
}

// written are symbols as callers write them.
func (c course) written() []any {
	s := c.symbols
	return []any{s[0], s[1], s[2], s[3], s[0], s[1], s[0], s[0], s[4], strings.ToLower(s[1]), strings.Replace(s[0], "A", "Q", 1), "X:" + s[0], s[1] + ".US", s[0] + "," + s[3] + ",AAD", "Company"}
}

// dates are stamps of the course, and others.
func (c course) dates() []any {
	dates := []any{"2025-10-01", "2025-10-11", "2025-12-01"}
	for i := range c.stamps {
		dates = append(dates, c.stamps[i], c.starts[i][:10])
	}
	return dates
}

// drawCall draws a call of a tool, with any of the arguments that it can do without.
func (c course) drawCall(t *rapid.T, tool tool) string {
	var schema struct {
		Properties map[string]any
		Required   []string
	}
	if err := json.Unmarshal(tool.params(ledger.RulesOf(c.market.Get()).Amount()), &schema); err != nil {
		t.Fatal(err)
	}
	arguments, plain := map[string]any{}, rapid.Bool().Draw(t, "plain") // what is plain is not refused for an argument
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		if slices.Contains(schema.Required, name) || !plain && rapid.Bool().Draw(t, name+" is given") {
			arguments[name] = c.drawArgument(t, name)
		}
	}
	if plain && arguments["symbol"] != nil {
		arguments["symbol"] = rapid.SampledFrom(c.symbols[:3]).Draw(t, "plain symbol")
	}
	if plain && schema.Properties["amount"] != nil {
		arguments["amount"] = c.amounts[0]
	}
	text, err := json.Marshal(arguments)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(calls+`%s","arguments":%s}}`, tool.name, text)
}

// calls begins each call of a tool.
const calls = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`

// drawRequests draws a call of each tool that the market has, and more, in any order; and then all that can be read.
func (c course) drawRequests(t *rapid.T) []string {
	offered := slices.DeleteFunc(table(), func(tool tool) bool { return tool.market != "" && tool.market != c.market })
	var requests []string
	for _, tool := range append(rapid.Permutation(offered).Draw(t, "order"), rapid.SliceOfN(rapid.SampledFrom(offered), 0, 10).Draw(t, "more")...) {
		requests = append(requests, c.drawCall(t, tool))
	}
	if rapid.Bool().Draw(t, "an order waits") { // for a price that is seldom reached, so that there is one to cancel
		requests = append(requests, fmt.Sprintf(`%splace_order","arguments":{"symbol":%q,"side":"buy","type":"limit","limit_price":6,"until":"gtc","amount":%v}}}`, calls, c.symbols[0], c.amounts[0]))
		for id := range 9 {
			requests = append(requests, fmt.Sprintf(`%scancel_order","arguments":{"id":%d}}}`, calls, id+1))
		}
	}
	return append(requests,
		calls+`get_portfolio"}}`,
		calls+`list_symbols"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"trading-day"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"ledger://a/latest"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"report://a"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"briefing://a"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"bars://`+c.symbols[0]+`"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":`+completionOf("bars://{symbol}", "symbol", "")+`}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`,
	)
}

// toolsets are all that the table has.
func toolsets() (sets []string) {
	for _, tool := range table() {
		if !slices.Contains(sets, tool.set) {
			sets = append(sets, tool.set)
		}
	}
	return sets
}

// open writes the prices of a world and opens them.
func (w world) open(t *rapid.T, c course, dir string) *market.Prices {
	var text []byte
	for _, symbol := range slices.Sorted(maps.Keys(w.bars)) {
		series, about := map[string]map[string]string{}, map[string]any{"2. Symbol": symbol, "2.1. Name": "Company " + symbol}
		for stamp, r := range w.bars[symbol] {
			series[stamp] = map[string]string{"1. open": r[0], "2. high": r[1], "3. low": r[2], "4. close": r[3], "5. volume": r[4]}
			if r[5] != "" {
				series[stamp]["7. dividend amount"], series[stamp]["8. split coefficient"] = r[5], r[6]
			}
		}
		if span := w.special[symbol]; span != nil {
			about["ST"] = []map[string]string{{"from": span[0], "to": span[1]}}
		}
		line, err := json.Marshal(map[string]any{"Meta Data": about, "Time Series (" + c.interval + ")": series})
		if err != nil {
			t.Fatal(err)
		}
		text = append(append(text, line...), '\n')
	}
	path := filepath.Join(dir, "merged.jsonl")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	prices, err := market.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	actions, err := market.ParseActions([]byte(w.actions))
	if err != nil {
		t.Fatal(err)
	}
	prices.Tell(actions)
	return prices
}

// papers are a provider of all that was ever published.
type papers []search.RawArticle

func (papers) Name() string                          { return "papers" }
func (papers) Check(context.Context) (string, error) { return "", nil }

func (p papers) Search(context.Context, search.Query) ([]search.RawArticle, error) { return p, nil }

// history opens the account a under real costs and with corporate actions, and has it trade before today, and place orders that wait.
func (c course) history(t *rapid.T, w world, accounts *ledger.Accounts, prices *market.Prices, today string) {
	costs, err := market.ParseCosts([]byte(`"real"`), c.market)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := ledger.RulesOf(c.market.Get()).WithCosts(costs, market.Slippage{})
	if err != nil {
		t.Fatal(err)
	}
	if rules, err = rules.With("fill", w.fill); err != nil {
		t.Fatal(err)
	}
	if rules, err = rules.WithActions(); err != nil {
		t.Fatal(err)
	}
	if _, err := accounts.RegisterUnder(t.Context(), "a", decimal.NewFromInt(20_000), market.Stamp(c.starts[0][:10]), rules); err != nil {
		t.Fatal(err)
	}
	limit, stop := decimal.RequireFromString("10.02"), decimal.RequireFromString("10.5")
	for i, start := range c.starts {
		if start < today {
			o := ledger.Order{ID: fmt.Sprint("old", i), Action: ledger.Buy, Symbol: c.symbols[i%4], Amount: decimal.NewFromInt(200)}
			switch i % 4 {
			case 1:
				o.Terms = ledger.Terms{Type: ledger.LimitOrder, Limit: limit, Until: ledger.GTC}
			case 2:
				o.Terms = ledger.Terms{Type: ledger.StopOrder, Stop: stop, Until: ledger.GTC}
			case 3:
				o.Action, o.Symbol, o.Terms = ledger.Sell, c.symbols[0], ledger.Terms{Type: ledger.LimitOrder, Limit: stop, Until: ledger.GTC}
			}
			_, _ = accounts.Submit(t.Context(), "a", o, prices.AsOf(market.Stamp(start))) // which may have no price
		}
	}
}

// answers returns what a server says in one of the futures, and the ledger that it leaves.
func (c course) answers(t *rapid.T, folder string, w world, today string, requests []string) []string {
	dir, err := os.MkdirTemp(folder, "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if len(w.bars) == 0 {
		w.bars[c.symbols[4]] = map[string]row{} // a price file is not empty
	}
	prices := w.open(t, c, dir)
	defer prices.Close()
	s := filestore.New(dir, dir)
	defer s.Close()
	accounts := ledger.NewAccounts(s)
	c.history(t, w, accounts, prices, today)
	if err := os.WriteFile(s.SessionFile("m"), fmt.Appendf(nil, `{"SIGNATURE": "a", "TODAY_DATE": %q}`, today), 0o644); err != nil {
		t.Fatal(err)
	}
	layers, err := session.New(session.Config{Model: "m", Local: s, Env: func(string) (string, bool) { return "", false }, Warn: func(string) {}})
	if err != nil {
		t.Fatal(err)
	}
	found := search.New(search.Config{Providers: []search.Provider{papers(w.news)}})
	server, err := NewServer(&Deps{Accounts: accounts, Prices: prices, Ledger: "file", Rules: ledger.RulesOf(c.market.Get()), Search: found, Log: zerolog.Nop()},
		Options{Toolsets: toolsets(), Refusals: RefusalsAreErrors})
	if err != nil {
		t.Fatal(err)
	}
	ctx := session.WithCaller(t.Context(), &session.Caller{Session: layers})
	all := make([]string, len(requests), len(requests)+1)
	for i, r := range requests {
		text, err := json.Marshal(server.MCP().HandleMessage(ctx, json.RawMessage(r)))
		if err != nil {
			t.Fatal(err)
		}
		all[i] = string(text)
	}
	text, err := os.ReadFile(s.LedgerFile("a"))
	if err != nil {
		t.Fatal(err)
	}
	return append(all, string(text))
}
