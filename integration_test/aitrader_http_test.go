// AI-Trader's own client by HTTP: one program in the place of its tool servers, on their ports.

package integration_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
)

// aiTraderEntries are the servers of AI-Trader's default configuration, by the variable of its port.
var aiTraderEntries = map[string]string{"math": "MATH_HTTP_PORT", "stock_local": "GETPRICE_HTTP_PORT", "search": "SEARCH_HTTP_PORT", "trade": "TRADE_HTTP_PORT"}

// serveForAITrader starts the server in the place of AI-Trader's, at free ports, and returns what its agent gives to its client.
func (p *place) serveForAITrader(t *testing.T, args ...string) (*httpServer, map[string]any) {
	t.Helper()
	for _, variable := range aiTraderEntries {
		p.env = append(p.env, variable+"=0")
	}
	s := p.serveHTTP(t, "ignored", append([]string{"--compat", "ai-trader"}, args...)...)
	servers := map[string]any{}
	tools := map[string]string{"add": "math", "get_price_local": "stock_local", "get_information": "search", "buy": "trade"}
	testenv.Eventually(t, "the ports", func() error {
		for line := range strings.Lines(s.log.String()) {
			var said struct {
				Address string
				Tools   []string
			}
			if json.Unmarshal([]byte(line), &said) == nil && len(said.Tools) > 0 {
				_, port, _ := strings.Cut(said.Address, ":")
				servers[tools[said.Tools[0]]] = map[string]any{"transport": "streamable_http", "url": "http://localhost:" + port + "/mcp"}
			}
		}
		if len(servers) != len(aiTraderEntries) {
			return fmt.Errorf("there are %d servers: %s", len(servers), s.log)
		}
		return nil
	})
	return s, servers
}

// A model of AI-Trader calls what belongs together at once. Its client opens a connection of its own for each call.
func TestAITradersAgentByHTTPTradesSixDaysInOrder(t *testing.T) {
	t.Parallel()
	days, pairs := scaled(t, 6, 2), scaled(t, 34, 3)
	p := onFiles(t)
	p.prices = p.dir + "/pairs.jsonl"
	dates := make([]string, days)
	for i := range dates {
		dates[i] = fmt.Sprintf("2025-10-%02d", []int{2, 3, 6, 7, 8, 9}[i])
	}
	all := append([]string{"2025-10-01"}, dates...)
	if err := os.WriteFile(p.prices, []byte(plainSeriesOf("NVDA", "100", all...)+plainSeriesOf("KHC", "25", all...)), 0o644); err != nil {
		t.Fatal(err)
	}
	runtime := filepath.Join(p.dir, ".runtime_env.json")
	p.env = append(p.env, "RUNTIME_ENV_PATH="+runtime)
	p.do(t, "ledger", "register", "alice", "--cash", "100000", "--date", "2025-10-01")
	s, servers := p.serveForAITrader(t)
	script := [][]call{
		{{"add", args{"a": 1, "b": 2}}, {"get_price_local", args{"symbol": "NVDA", "date": dates[0]}}},
		{{"buy", args{"symbol": "NVDA", "amount": pairs}}},
		{{"buy", args{"symbol": "NVDA", "amount": 1000000}}},
	}
	for range pairs {
		script = append(script, []call{{"sell", args{"symbol": "NVDA", "amount": 1}}, {"buy", args{"symbol": "KHC", "amount": 4}}})
	}
	script = append(script, []call{{"sell", args{"symbol": "NVDA", "amount": 1}}, {"buy", args{"symbol": "NOPE", "amount": 1}}})
	r := agentTask{Servers: servers, Mode: "days", Script: script, Runtime: runtime, Dates: dates}.run(t)
	if r.Attempts != days || !r.Ended || len(r.Told) != days*(2*pairs+6) || slices.Contains(r.Traded, false) || len(r.Traded) != days {
		t.Fatalf("%d attempts, %d answers, traded %v: %v", r.Attempts, len(r.Told), r.Traded, r.Failures)
	}
	refused := 0
	for _, told := range r.Told {
		if strings.Contains(told, `"error"`) {
			refused++
		}
	}
	want := strings.TrimPrefix(strings.Repeat(fmt.Sprintf("\nbuy %d NVDA", pairs)+strings.Repeat("\nsell 1 NVDA\nbuy 4 KHC", pairs), days), "\n")
	if got := strings.ReplaceAll(trades(p.records(t, "alice")), ", ", "\n"); got != want || refused != 3*days {
		t.Errorf("%d were refused, want %d; the ledger has %s", refused, 3*days, firstLines(got, want))
	}
	book := p.records(t, "alice")
	last := book[len(book)-1]
	if cash, khc := last.Positions.Amount("CASH").String(), last.Positions.Amount("KHC").String(); cash != fmt.Sprint(100000-100*pairs*days) || khc != fmt.Sprint(4*pairs*days) {
		t.Errorf("after the last trade there are %s in cash and %s of KHC", cash, khc)
	}
	p.verified(t, "alice")
	s.stop(t)
	t.Logf("%d days, %d pairs at once, %d refusals", days, days*pairs, refused)
}
