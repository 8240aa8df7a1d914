// Golden ledgers of every market, replayed call by call under the rules by which AI-Trader traded them.

package integration_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/market"
)

// asAITrader are the settings under which a folder of real ledgers was traded, with the agents that traded there.
var asAITrader = []struct {
	folder string
	env    []string
	agents []string
	exact  int // rows
}{
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
				t.Run(g.agent, func(t *testing.T) { exact += replayParts(t, g, c.env) })
			}
			if exact != c.exact {
				t.Errorf("%d rows were repeated, of %d", exact, c.exact)
			}
		})
	}
}

// replayParts repeats a ledger in parts: where AI-Trader computed a row from an older one, what follows is of another account. It
// returns how many rows came out as they were.
func replayParts(t *testing.T, g golden, env []string) (exact int) {
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
		exact += replayPart(t, g, env, lines, from, end)
		from = end
	}
	return exact
}

// replayPart repeats the rows after one up to another, in an account that has the rows before them.
func replayPart(t *testing.T, g golden, env, lines []string, from, end int) (exact int) {
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
	tr, accounts := p.trade(t, g.agent), p.accounts(t)
	today := g.records[from].Date
	p.setDate(t, g.agent, string(today))
	for row := from + 1; row < end; row++ {
		want := g.records[row]
		if want.Date != today {
			today = want.Date
			p.setDate(t, g.agent, string(today))
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
		case "no_trade":
			if err := accounts.CloseDay(t.Context(), g.agent, new(market.Prices).AsOf(want.Date)); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatalf("row %d is of the class %s", row, g.classes[row])
		}
	}
	if from == 0 {
		p.verified(t, g.agent)
	}
	return exact
}

// Verifying a real ledger names the rows that AI-Trader computed from an older one, and nothing else.
func TestVerifyNamesTheStaleRowsOfCrypto(t *testing.T) {
	t.Parallel()
	for _, g := range goldenLedgersOf(t, "crypto", "gpt-5", "MiniMax-M2", "claude-3.7-sonnet") {
		p := onFiles(t)
		p.prices = g.prices
		var reports []struct{ Findings []ledger.Finding }
		out := p.try(t, "ledger", "verify", g.file, "--json")
		if err := json.Unmarshal([]byte(out.stdout), &reports); err != nil || len(reports) != 1 {
			t.Fatalf("%v: %s%s", err, out.stdout, out.stderr)
		}
		stale := map[int]bool{}
		for row, class := range g.classes {
			if class == "exact_stale_base" {
				stale[row] = true
			}
		}
		for _, f := range reports[0].Findings {
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
