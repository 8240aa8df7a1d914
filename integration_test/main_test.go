// Package integration_test is the whole program from outside: the built binary, real clients, a real Redis, real
// ledgers, and everything that can go wrong between them.
package integration_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"mcp-trade/market/markettest"
)

// Built once for all tests.
var (
	binary    string // mcp-trade
	plain     string // prices: two symbols whose opens make sums easy, see plainMarket
	synthetic string // prices: 20 symbols and 120 days, made up
)

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	if how := os.Getenv(strange); how != "" {
		return serveStrangely(how, os.Getenv(strangeFile))
	}
	if err := runMoreAtOnce(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := unsetSettings(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
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

// runMoreAtOnce has more tests run at once than there are cores, unless -parallel says how many: most of them wait for processes,
// locks and servers that are gone.
func runMoreAtOnce() error {
	flag.Parse()
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if said {
		return nil
	}
	return flag.Set("test.parallel", strconv.Itoa(3*runtime.GOMAXPROCS(0)))
}

// unsetSettings unsets every variable that is a setting, so that a binary takes its settings from the test that starts it, never from
// the machine. The documented table has each of them: a test of the command holds it against the command's own.
func unsetSettings() error {
	text, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		return err
	}
	_, table, _ := strings.Cut(string(text), "| flag | environment | default |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	variables := regexp.MustCompile(`\b[A-Z]+(?:_[A-Z]+)*\b`).FindAllString(table, -1)
	if len(variables) < 30 {
		return fmt.Errorf("docs/configuration.md has a table of %d variables", len(variables))
	}
	for _, name := range variables {
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	return nil
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
	return markettest.Write(f, 1, 20, 120, "2025-01-01")
}

// goBuild builds a program as releases are built, without C, which the race detector needs.
func goBuild(out, what string) error {
	args := []string{"build", "-ldflags=-w", "-o", out} // without what a debugger reads, which takes half of the time
	if raced {
		args = append(args, "-race")
	}
	if os.Getenv("GOCOVERDIR") != "" { // there the program notes what of it ran
		args = append(args, "-cover", "-coverpkg=mcp-trade/...")
	}
	build := exec.Command("go", append(args, what)...)
	if !raced {
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
	}
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", what, err, text)
	}
	return nil
}

// The plain market: on every one of its days AAPL opens at 100.50 and MSFT at 50.25, half of it.
var plainDays = []string{"2025-10-01", "2025-10-02", "2025-10-03", "2025-10-06", "2025-10-07"}

func plainMarket() string {
	return plainSeries("AAPL", "100.50") + plainSeries("MSFT", "50.25")
}

func plainSeries(symbol, open string) string { return plainSeriesOf(symbol, open, plainDays...) }

func plainSeriesOf(symbol, open string, days ...string) string {
	var bars []string
	for _, day := range days {
		bars = append(bars, fmt.Sprintf(`"%s": {"1. buy price": "%s", "2. high": "200", "3. low": "1", "4. sell price": "%s", "5. volume": "1000"}`, day, open, open))
	}
	return fmt.Sprintf(`{"Meta Data": {"2. Symbol": "%s"}, "Time Series (Daily)": {%s}}`+"\n", symbol, strings.Join(bars, ", "))
}
