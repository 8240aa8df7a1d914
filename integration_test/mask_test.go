// Runs under a mask: the model sees neither a true symbol nor a true date, and the ledger holds nothing else.

package integration_test

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
)

// quote is a line of a briefing's market.
type quote struct {
	symbol string
	open   float64
}

// quotesOf reads the market of a briefing, the lowest open first.
func quotesOf(briefing string) []quote {
	var all []quote
	_, market, _ := strings.Cut(briefing, "today's open):\n")
	for line := range strings.Lines(market) {
		f := strings.Fields(line)
		if len(f) != 3 {
			break
		}
		open, err := strconv.ParseFloat(f[2], 64)
		if err != nil {
			break
		}
		all = append(all, quote{f[0], open})
	}
	slices.SortFunc(all, func(a, b quote) int { return cmp.Compare(a.open, b.open) })
	return all
}

// curiousDay decides by prices alone, which a mask leaves as they are. It makes use of every tool, rightly and wrongly, names symbols
// and dates in notes and texts, and trades.
func curiousDay(r modeltest.Request) modeltest.Reply {
	briefing := ""
	for _, m := range r.Messages {
		if m.Role == "user" && briefing == "" {
			briefing = m.Text
		}
	}
	quotes := quotesOf(briefing)
	low, high := quotes[0].symbol, quotes[len(quotes)-1].symbol
	today, _ := time.Parse(time.DateOnly, r.Date)
	on := func(days int, form string) string { return today.AddDate(0, 0, days).Format(form) }
	object := func(pairs ...any) map[string]any {
		all := map[string]any{}
		for i := 0; i < len(pairs); i += 2 {
			all[pairs[i].(string)] = pairs[i+1]
		}
		return all
	}
	switch r.Turn {
	case 0:
		return modeltest.Do(modeltest.To("get_portfolio", nil), modeltest.To("get_session", nil), modeltest.To("list_symbols", object("limit", 7)),
			modeltest.To("list_symbols", object("query", low)), modeltest.To("list_symbols", object("limit", "many")), modeltest.To("get_trades", object("limit", 3)))
	case 1:
		return modeltest.Do(modeltest.To("get_price", object("symbol", low+","+high+",NOSUCH")), modeltest.To("get_price", object("symbol", strings.ToLower(low), "date", on(1, time.DateOnly))),
			modeltest.To("get_price_history", object("symbol", high, "start", on(-30, "Jan 2, 2006"), "end", on(0, "2006/01/02"), "limit", 3)),
			modeltest.To("get_price", object("symbol", high, "date", on(-int(today.Weekday()), "2006-01-02"))), modeltest.To("get_price", object("symbol", high, "date", on(-3000, "20060102"))),
			modeltest.To("get_price", object("symbol", high, "date", "the day before")), modeltest.To("get_quote", object("symbol", high)))
	case 2:
		buy := modeltest.To("buy", object("symbol", low, "amount", 3, "note", "On "+r.Date+" "+low+" is cheaper than "+high+"; "+on(-1, "January 2, 2006")+" was before."))
		return modeltest.Do(buy, modeltest.Order("buy", high, 2), modeltest.Order("sell", quotes[5].symbol, 1000), modeltest.Order("buy", high, 100_000_000),
			modeltest.Order("buy", "NOSUCH", 1), modeltest.Order("buy", low, "all"), modeltest.To("buy", object("symbol", low, "amount", 1, "dry_run", true)),
			modeltest.Call{Tool: "sell", Arguments: "{"})
	case 3:
		return modeltest.Do(modeltest.Order("sell", low, 1), modeltest.To("get_trades", nil), modeltest.To("get_portfolio", nil))
	}
	return modeltest.Say("On %s I hold:\n- %s: 1000000 shares\n%s", r.Date, low, llm.StopSignal)
}

// findTrue finds in a text what the model must not see of the synthetic market: a symbol, or a day in any form; "" if there is none.
func findTrue(text string) string {
	forms := []string{"SYN0", "SYN1", "SYN2"}
	for day := time.Date(2024, 12, 1, 0, 0, 0, 0, time.UTC); day.Before(time.Date(2025, 2, 15, 0, 0, 0, 0, time.UTC)); day = day.AddDate(0, 0, 1) {
		for _, form := range []string{"2006-01-02", "2006/01/02", "2006.01.02", "20060102", "01/02/2006", "1/2/2006", "January 2, 2006", "Jan 2, 2006", "2 January 2006", "2 Jan 2006", "2-Jan-2006"} {
			forms = append(forms, day.Format(form))
		}
	}
	for _, form := range forms {
		if at := strings.Index(text, form); at >= 0 {
			return text[max(at-200, 0):min(at+200, len(text))]
		}
	}
	return regexp.MustCompile(`(?:19|20[0-3])\d-\d\d-\d\d`).FindString(text) // any other day before the masked ones
}

// seen keeps every byte that a model is sent.
type seen struct {
	sync.Mutex
	bodies []string
}

func (s *seen) by(script modeltest.Script) modeltest.Script {
	return func(r modeltest.Request) modeltest.Reply {
		s.Lock()
		defer s.Unlock()
		s.bodies = append(s.bodies, r.Body)
		return script(r)
	}
}

func (s *seen) all() string { return strings.Join(s.bodies, "\n") }

func TestAMaskedRunComesToTheLedgerOfTheSameRunWithoutAMask(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	const to = fiveDays
	for api, stream := range map[string]bool{"": false, "anthropic": true} {
		t.Run(cmp.Or(api, "openai"), func(t *testing.T) {
			t.Parallel()
			run := llmRun{from: "2025-01-01", to: to, cash: "100000", accounts: []string{"alice"}, api: api, tuning: object{
				"stream": stream, "custom_rules": "Hold no more than 50 SYN03 before 2025-02-01.", "max_steps": 12, "memory": 3,
			}}
			open, under := onFiles(t), onFiles(t)
			open.prices, under.prices = synthetic, synthetic
			run.url = modeltest.Start(t, curiousDay).URL
			open.do(t, open.llm(t, run)...)
			var told seen
			run.url = modeltest.Start(t, told.by(curiousDay)).URL
			args := under.llm(t, run)
			under.do(t, append(args, "--mask", "7")...)

			if want, got := open.books(t, "alice"), under.books(t, "alice"); got != want || !strings.Contains(want, "is cheaper than SYN") {
				t.Errorf("the ledgers differ:\n%s\n%s", want, got)
			}
			under.verified(t, "alice")
			if found := findTrue(told.all()); found != "" || len(told.bodies) != 5*5 {
				t.Errorf("%d requests; the model saw %q", len(told.bodies), found)
			}
			if strings.Contains(told.all(), `"search"`) {
				t.Error("the model could search news")
			}
			// What the model saw in the two runs is alike but for the mask.
			for i, was := range results(open.transcript(t, "alice", to)) {
				is := results(under.transcript(t, "alice", to))[i]
				if was.Tool != is.Tool || was.Failed != is.Failed || was.Code != is.Code || was.OrderID != is.OrderID || is.OrderID != "" && string(was.Arguments) != string(is.Arguments) {
					t.Errorf("%s %s came to\n%s\n%s", was.Tool, was.Arguments, was.Content, is.Content)
				}
			}
		})
	}
}

func TestAMaskedRunIsReplayedResumedAndRead(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	config := p.config(t, modeltest.Start(t, curiousDay), firstDay, nil, "alice")
	p.env = append(p.env, "MCP_TRADE_MASK=7")
	p.do(t, "run", config)
	p.env = append(p.env, "MCP_TRADE_MASK=")

	// With another mask it would be another account.
	for _, mask := range []string{"8", ""} {
		out := p.try(t, "run", config, "--to", fiveDays, "--mask", mask)
		if out.code != 1 || !strings.Contains(out.stderr, "mask was the mask of seed 7") {
			t.Errorf("--mask %q: exit %d\n%s", mask, out.code, out.stderr)
		}
	}
	p.do(t, "run", config, "--to", fiveDays, "--mask", "7")
	p.verified(t, "alice")

	var kept struct {
		Accounts map[string][]struct {
			Mask struct {
				Seed    int
				Symbols map[string]string
			}
		}
	}
	text, err := os.ReadFile(filepath.Join(p.dir, "agent_data", "run-manifest.json"))
	if err != nil || json.Unmarshal(text, &kept) != nil || kept.Accounts["alice"][0].Mask.Seed != 7 || len(kept.Accounts["alice"][0].Mask.Symbols) != 20 {
		t.Errorf("the manifest does not tell the mask: %v\n%s", err, text)
	}
	symbols := regexp.MustCompile(`SYN\d\d|2025-01`)
	masked, unmasked := p.do(t, "show", "alice", firstDay, "--full"), p.do(t, "show", "alice", firstDay, "--full", "--unmask")
	said := masked[:strings.LastIndex(masked, "\nend ")] // what the ledger says at the end is true
	if symbols.MatchString(strings.ReplaceAll(said, "alice on "+firstDay, "")) || strings.Contains(unmasked, kept.Accounts["alice"][0].Mask.Symbols["SYN01"]) || !strings.Contains(unmasked, "Today is "+firstDay) {
		t.Errorf("masked:\n%s\nunmasked:\n%s", masked, unmasked)
	}
	if out := p.do(t, "show", "alice", firstDay, "--json", "--unmask"); !strings.Contains(out, "Today is "+firstDay) {
		t.Error(out)
	}
	if !strings.Contains(masked, "differs") || !strings.Contains(masked, "it states 1000000 shares of SYN") {
		t.Errorf("the closing text is not held against the ledger:\n%s", masked)
	}
	elsewhere := onFiles(t)
	elsewhere.prices = synthetic
	if out := elsewhere.try(t, "run", "--replay", filepath.Join(p.dir, "agent_data")); out.code != 0 || !strings.Contains(out.stdout, "all as recorded") {
		t.Errorf("exit %d\n%s%s", out.code, out.stdout, out.stderr)
	}
}

// A model that recalls the true names does not learn from refusals, lists or suggestions which masked ones they have.
func TestAMaskedRunTellsNothingOfTrueNamesThatTheModelGuesses(t *testing.T) {
	t.Parallel()
	var answers sync.Map
	p := onFiles(t)
	config := p.config(t, modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		if r.Turn == 0 {
			return modeltest.Do(modeltest.To("get_price", object{"symbol": "SYN01"}), modeltest.To("get_price", object{"symbol": "syn1"}), modeltest.To("get_price", object{"symbol": "NASDAQ:SYN01,SYN001"}),
				modeltest.To("list_symbols", object{"query": "SYN"}), modeltest.To("buy", object{"symbol": "SYN01.US", "amount": 1, "note": "I think that it is SYN01"}),
				modeltest.To("get_price", object{"symbol": quotesOf(r.Messages[1].Text)[0].symbol, "date": firstDay}))
		}
		for i, m := range r.Messages[3:] {
			answers.Store(i, m.Text)
		}
		return modeltest.Say(llm.StopSignal)
	}), firstDay, nil, "alice")
	p.do(t, "run", config, "--mask", "7")
	want := []string{`"unknown_symbol"`, `"unknown_symbol"`, `"unknown_symbol"`, `{"symbols":[]}`, `"unknown_symbol"`, `"no_price"`}
	name := regexp.MustCompile(`\b[BCDFGHJ-NP-TV-XZ]{6}\b`)
	for i, part := range want {
		text, _ := answers.Load(i)
		said, _ := text.(string)
		if !strings.Contains(said, part) || i < 5 && name.MatchString(said) || strings.Contains(said, "did_you_mean") {
			t.Errorf("answer %d: %s", i, said)
		}
	}
	if len(p.records(t, "alice")) != 2 {
		t.Error("a guessed name was traded")
	}
}

func TestWhatCannotBeMaskedIsRefusedOrSaid(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	var told seen
	config := p.config(t, modeltest.Start(t, told.by(func(r modeltest.Request) modeltest.Reply {
		if r.Turn == 0 && slices.Contains(r.Tools, "search") {
			return modeltest.Do(modeltest.To("search", object{"query": "chips"}))
		}
		return modeltest.Say(llm.StopSignal)
	})), firstDay, nil, "alice")
	for _, c := range []struct {
		says string
		args []string
	}{
		{"give a seed", []string{"run", config, "--mask", "x"}},
		{"no configuration names one", []string{"run", "--from", "2025-01-01", "--to", firstDay, "--account", "a=random", "--mask", "7"}},
	} {
		if out := p.try(t, c.args...); out.code != 2 || !strings.Contains(out.stderr, c.says) {
			t.Errorf("%v: exit %d\n%s", c.args, out.code, out.stderr)
		}
	}
	articles := filepath.Join(p.dir, "articles.jsonl")
	if err := os.WriteFile(articles, []byte(`{"title": "SYN01 sells chips", "url": "https://news.example/SYN01/2024-12-30", "published_at": "2024-12-30T12:00:00Z", "source": "Wire", "summary": "On December 30, 2024 SYN01 said that Q4 2024 was good."}`), 0o600); err != nil {
		t.Fatal(err)
	}
	p.do(t, "news", "import", articles)
	out := p.try(t, "run", config, "--mask", "7", "--search", "archive")
	if out.code != 0 || !strings.Contains(out.stderr, "news is masked word by word") || !strings.Contains(told.all(), "sells chips") {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
	if found := cmp.Or(findTrue(told.all()), regexp.MustCompile(`Q4 2024|news\.example`).FindString(told.all())); found != "" {
		t.Errorf("the model saw %q", found)
	}
	p.amend(t, config, "mcp_servers", object{"desk": object{"command": binary, "args": []string{"stdio"}}})
	if out := p.try(t, "run", config, "--mask", "7", "--fresh"); out.code != 2 || !strings.Contains(out.stderr, "mcp_servers") {
		t.Errorf("exit %d\n%s", out.code, out.stderr)
	}
}
