// Golden ledgers of every market, replayed call by call under the rules by which AI-Trader traded them.

package integration_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/session"
	"mcp-trade/store/filestore"
)

type asAITraderFolder struct {
	folder string
	env    []string
	agents []string
	exact  int // rows
}

// asAITrader are the settings under which a folder of real ledgers was traded, with the agents that traded there.
var asAITrader = []asAITraderFolder{
	{"us_hourly_test", []string{"MCP_TRADE_US_HOURS=extended"}, []string{"test-gpt-4.1", "test-gemini-2.5-pro"}, 34},
	{"cn_daily", []string{"MCP_TRADE_MARKET=cn", "MCP_TRADE_CN_LOTS=strict100", "MCP_TRADE_CN_T_PLUS=0", "MCP_TRADE_CN_PRICE_LIMITS=off"},
		[]string{"gpt-5", "glm-4.6", "qwen3-max"}, 390},
	{"cn_hourly", []string{"MCP_TRADE_MARKET=cn", "MCP_TRADE_CN_LOTS=strict100", "MCP_TRADE_CN_T_PLUS=0", "MCP_TRADE_CN_PRICE_LIMITS=off", "MCP_TRADE_CN_HOURLY_FILL=upstream"},
		[]string{"gpt-5-astock-hour", "qwen3-max-astock-hour"}, 706},
	{"crypto", []string{"MCP_TRADE_MARKET=crypto", "MCP_TRADE_CRYPTO_ROUNDING=upstream"}, []string{"gpt-5", "MiniMax-M2", "claude-3.7-sonnet"}, 122},
}

func TestGoldenLedgersOfEveryMarketReplayedCallByCall(t *testing.T) {
	t.Parallel()
	for _, c := range asAITrader {
		t.Run(c.folder, func(t *testing.T) {
			testenv.Slow(t)
			exact := 0
			for _, g := range goldenLedgersOf(t, c.folder, c.agents...) {
				t.Run(g.agent, func(t *testing.T) {
					repeated, _ := replayParts(t, g, c.env, byStdio)
					exact += repeated
				})
			}
			if exact != c.exact {
				t.Errorf("%d rows were repeated, of %d", exact, c.exact)
			}
		})
	}
}

// connecting connects a client of an account, and of the model of its name, to a server of a place.
type connecting func(t testing.TB, p *place, account string) *trader

func byStdio(t testing.TB, p *place, account string) *trader { return p.trade(t, account) }

func byHTTP(t testing.TB, p *place, account string) *trader {
	return p.serveHTTP(t, "127.0.0.1:0").connect(t, p.token(t, account), mcp.ProtocolVersion20260728)
}

// replayParts repeats a ledger in parts: where AI-Trader computed a row from an older one, what follows is of another account. It
// returns how many rows came out as they were, and the ledgers.
func replayParts(t *testing.T, g golden, env []string, connect connecting) (exact int, ledgers string) {
	text, err := os.ReadFile(g.file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for from := 0; from < len(lines); {
		end := from + 1
		for end < len(lines) && g.classes[end] != "exact_stale_base" {
			end++
		}
		repeated, rows := replayPart(t, g, env, lines, from, end, connect)
		exact, ledgers = exact+repeated, ledgers+rows
		from = end
	}
	return exact, ledgers
}

// replayPart repeats the rows after one up to another, in an account that has the rows before them.
func replayPart(t *testing.T, g golden, env, lines []string, from, end int, connect connecting) (exact int, rows string) {
	p := onFiles(t)
	p.prices, p.env = g.prices, env
	first := g.records[0]
	p.open(t, g.agent, first.Cash().String(), string(first.Date))
	if from > 0 {
		opened := p.records(t, g.agent)[0]
		had := append([]string{strings.TrimSuffix(lines[0], "}") + `, "rules": ` + opened.Rules + "}"}, lines[1:from+1]...)
		if err := os.WriteFile(p.ledgerFile(g.agent), []byte(strings.Join(had, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tr, accounts, prices, turnTo := connect(t, p, g.agent), p.accounts(t), g.open(t), p.dates(t, g.agent)
	today := g.records[from].Date
	turnTo(today)
	for row := from + 1; row < end; row++ {
		want := g.records[row]
		if want.Date != today {
			today = want.Date
			turnTo(today)
		}
		switch g.classes[row] {
		case "exact":
			fill := tr.call(t, strings.TrimSuffix(string(want.Action), "_crypto"), args{"symbol": want.Symbol, "amount": json.Number(want.Amount.String())})
			if fill.failed || fill.str("date") != string(want.Date) {
				t.Fatalf("row %d: %s", row, fill.text)
			}
			var answer struct{ Positions ledger.Positions }
			if err := json.Unmarshal([]byte(fill.text), &answer); err != nil {
				t.Fatal(err)
			}
			sameBook(t, row, want.Positions, answer.Positions)
			exact++
		case "exact_zero_amount":
			tr.refused(t, "invalid_argument", string(want.Action), args{"symbol": want.Symbol, "amount": json.Number(want.Amount.String())})
		case "no_trade":
			if err := accounts.CloseDay(t.Context(), g.agent, prices.AsOf(want.Date)); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatalf("row %d is of the class %s", row, g.classes[row])
		}
	}
	if from == 0 {
		p.verified(t, g.agent)
	}
	return exact, p.do(t, "ledger", "export", g.agent)
}

// By HTTP each ledger is, byte for byte, what it is by stdio. MCP_TRADE_STORM=100 repeats every ledger of every market.
func TestGoldenLedgersAreTheSameByHTTP(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	whole := scaled(t, 100, 1) == 100
	markets := asAITrader[len(asAITrader)-1:]
	if whole {
		markets = append(slices.Clone(asAITrader), asAITraderFolder{"us_daily", nil, goldenAgents, 0})
	}
	for _, c := range markets {
		agents := c.agents
		if !whole {
			agents = agents[:1]
		}
		for _, g := range goldenLedgersOf(t, c.folder, agents...) {
			t.Run(c.folder+" "+g.agent, func(t *testing.T) {
				t.Parallel()
				exact, want := replayParts(t, g, c.env, byStdio)
				again, got := replayParts(t, g, c.env, byHTTP)
				if exact == 0 || again != exact || got != want {
					t.Errorf("%d rows by stdio, %d by HTTP; the ledgers are\n%s\nand\n%s", exact, again, want, got)
				}
				t.Logf("%d rows were repeated, %d bytes of ledgers are the same", exact, len(want))
			})
		}
	}
}

// Verifying a real ledger names the rows that AI-Trader computed from an older one, and nothing else.
func TestVerifyNamesTheStaleRowsOfCrypto(t *testing.T) {
	t.Parallel()
	for _, g := range goldenLedgersOf(t, "crypto", "gpt-5", "MiniMax-M2", "claude-3.7-sonnet") {
		p := onFiles(t)
		p.prices = g.prices
		stale := map[int]bool{}
		for row, class := range g.classes {
			if class == "exact_stale_base" {
				stale[row] = true
			}
		}
		for _, f := range p.findings(t, g.file) {
			if f.Class == ledger.StaleBase && stale[f.Row] {
				delete(stale, f.Row)
			} else if f.Class != ledger.BrokenID {
				t.Errorf("%s: %s", g.agent, f)
			}
		}
		if len(stale) > 0 {
			t.Errorf("%s: the rows %v are not named", g.agent, stale)
		}
	}
}

// findings are what verifying a ledger finds.
func (p *place) findings(t *testing.T, which string) []ledger.Finding {
	t.Helper()
	out := p.try(t, "ledger", "verify", which, "--json")
	var reports []struct{ Findings []ledger.Finding }
	if err := json.Unmarshal([]byte(out.stdout), &reports); err != nil || len(reports) != 1 {
		t.Fatalf("%v: %s%s", err, out.stdout, out.stderr)
	}
	return reports[0].Findings
}

// Under T+1, exactly the sales are refused that were marked so by whoever looked at each row. Such a row is put into the ledger as it was,
// so that the orders after it meet the account that they met then.
func TestGoldenLedgersOfHoursUnderTPlus1(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	refused := 0
	for _, g := range goldenLedgersOf(t, "cn_hourly", "gpt-5-astock-hour", "qwen3-max-astock-hour") {
		t.Run(g.agent, func(t *testing.T) {
			p := onFiles(t)
			p.prices, p.env = g.prices, []string{"MCP_TRADE_MARKET=cn", "MCP_TRADE_CN_LOTS=strict100", "MCP_TRADE_CN_PRICE_LIMITS=off", "MCP_TRADE_CN_HOURLY_FILL=upstream"}
			refused += replayUnderTPlus1(t, p, g)
		})
	}
	if refused != 54 {
		t.Errorf("%d sales were refused, want 54", refused)
	}
}

// replayUnderTPlus1 repeats a ledger and returns how many sales were refused.
func replayUnderTPlus1(t *testing.T, p *place, g golden) (refused int) {
	text, err := os.ReadFile(strings.Replace(g.file, "position.jsonl", "rows.tsv", 1))
	if err != nil {
		t.Fatal(err)
	}
	marks := strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
	p.open(t, g.agent, g.records[0].Cash().String(), string(g.records[0].Date))
	tr, accounts, prices, turnTo, today := p.trade(t, g.agent), p.accounts(t), g.open(t), p.dates(t, g.agent), g.records[0].Date
	for row, want := range g.records[1:] {
		row++
		if want.Date != today {
			today = want.Date
			turnTo(today)
		}
		order := args{"symbol": want.Symbol, "amount": json.Number(want.Amount.String())}
		switch {
		case want.Action == ledger.NoTrade:
			if err := accounts.CloseDay(t.Context(), g.agent, prices.AsOf(want.Date)); err != nil {
				t.Fatal(err)
			}
		case strings.Contains(marks[row], "T1_VIOLATION"):
			tr.refused(t, "t_plus_1", string(want.Action), order)
			p.sellAllTheSame(t, g.agent, want)
			refused++
		default:
			if fill := tr.call(t, string(want.Action), order); fill.failed {
				t.Fatalf("row %d: %s", row, fill.text)
			}
		}
	}
	return refused
}

// sellAllTheSame puts a row of a sale into a ledger. Of what was bought on the day, no more is left to be sold than there is.
func (p *place) sellAllTheSame(t *testing.T, account string, row ledger.Record) {
	t.Helper()
	file := p.ledgerFile(account)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	newest, err := ledger.ParseLine([]byte(lines[len(lines)-1]))
	if err != nil {
		t.Fatal(err)
	}
	for _, bought := range newest.Bought {
		row.Bought = append(row.Bought, ledger.Position{Symbol: bought.Symbol, Amount: decimal.Min(bought.Amount, row.Positions.Amount(bought.Symbol))})
	}
	if err := os.WriteFile(file, append(text, append(row.Line(), '\n')...), 0o600); err != nil {
		t.Fatal(err)
	}
}

// dates returns what sets the date of a session in files, without a process for each date of a long ledger.
func (p *place) dates(t *testing.T, model string) func(market.Stamp) {
	t.Helper()
	files := filestore.New(p.dir, filepath.Join(p.dir, "agent_data"))
	t.Cleanup(func() { files.Close() })
	s, err := session.New(session.Config{
		Model: model, Local: files, Env: func(string) (string, bool) { return "", false }, Warn: func(text string) { t.Log(text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(date market.Stamp) {
		if err := s.Set(t.Context(), map[string]any{session.TodayDate: string(date)}); err != nil {
			t.Fatal(err)
		}
	}
}
