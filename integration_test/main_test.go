// Package integration_test is the whole program from outside: the built binary, real clients, a real Redis, real
// ledgers, and everything that can go wrong between them.
package integration_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/market"
)

// Built once for all tests.
var (
	binary    string // mcp-trade
	plain     string // prices: two symbols whose opens make sums easy, see plainMarket
	synthetic string // prices: 20 symbols and 120 days, made up
)

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	// A binary that is started without a word takes its settings from the test, never from the machine.
	for _, name := range []string{
		"CURRENT_MODEL_ID", "REDIS_URL", "UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN", "UPSTASH_REDIS_USER",
		"REDIS_SENTINEL_USERNAME", "REDIS_SENTINEL_PASSWORD", "MCP_TRADE_REDIS_CA", "MCP_TRADE_REDIS_WAIT", "LOG_PATH", "RUNTIME_ENV_PATH",
		"MCP_TRADE_DATA_DIR", "MCP_TRADE_PRICES", "MCP_TRADE_LEDGER", "MCP_TRADE_SESSION_TTL", "MCP_TRADE_TOOLSETS", "MCP_TRADE_READ_ONLY", "MCP_TRADE_REFUSALS",
		"MCP_TRADE_ON_REDIS_LOSS", "MCP_TRADE_SHARED", "MCP_TRADE_FENCE",
		"SIGNATURE", "TODAY_DATE", "IF_TRADE", "HALT", "OPENAI_API_KEY", "OPENAI_API_BASE", "OPENAI_MODEL", "ANTHROPIC_API_KEY", "INIT_DATE", "END_DATE",
		"MCP_TRADE_SEARCH", "MCP_TRADE_SEARCH_CACHE", "JINA_API_KEY", "JINA_SEARCH_URL", "JINA_READER_URL",
		"ALPHAADVANTAGE_API_KEY", "ALPHAVANTAGE_API_KEY", "ALPHAVANTAGE_URL",
	} {
		_ = os.Unsetenv(name)
	}
	if raced {
		// The detector would have every process wait for a second at its end, for races that are still to come.
		_ = os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	}
	dir, err := os.MkdirTemp("", "mcp-trade-integration-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func build(dir string) error {
	binary = filepath.Join(dir, "mcp-trade")
	if err := goBuild(binary, "mcp-trade/cmd/mcp-trade"); err != nil {
		return err
	}
	plain = filepath.Join(dir, "plain.jsonl")
	if err := os.WriteFile(plain, []byte(plainMarket()), 0o644); err != nil {
		return err
	}
	synthetic = filepath.Join(dir, "synthetic.jsonl")
	f, err := os.Create(synthetic)
	if err != nil {
		return err
	}
	defer f.Close()
	return market.WriteSynthetic(f, 1, 20, 120, "2025-01-01")
}

func goBuild(out, what string) error {
	args := []string{"build", "-o", out}
	if raced {
		args = append(args, "-race")
	}
	if os.Getenv("GOCOVERDIR") != "" { // there the program notes what of it ran
		args = append(args, "-cover", "-coverpkg=mcp-trade/...")
	}
	if text, err := exec.Command("go", append(args, what)...).CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", what, err, text)
	}
	return nil
}

// The plain market: on every one of its days AAPL opens at 100.50 and MSFT at 50.25, half of it.
var plainDays = []string{"2025-10-01", "2025-10-02", "2025-10-03", "2025-10-06", "2025-10-07"}

func plainMarket() string {
	return plainSeries("AAPL", "100.50") + plainSeries("MSFT", "50.25")
}

func plainSeries(symbol, open string) string {
	var bars []string
	for _, day := range plainDays {
		bars = append(bars, fmt.Sprintf(`"%s": {"1. buy price": "%s", "2. high": "200", "3. low": "1", "4. sell price": "%s", "5. volume": "1000"}`, day, open, open))
	}
	return fmt.Sprintf(`{"Meta Data": {"2. Symbol": "%s"}, "Time Series (Daily)": {%s}}`+"\n", symbol, strings.Join(bars, ", "))
}
