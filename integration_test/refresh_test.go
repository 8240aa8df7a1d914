package integration_test

// Price files that change under a server.

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPricesThatGrowOrAreReplacedUnderAServerAreSeen(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.prices = filepath.Join(p.dir, "growing.jsonl")
	line := func(symbol string, days ...string) string {
		return `{"Meta Data": {"2. Symbol": "` + symbol + `"}, "Time Series (Daily)": {` + strings.Join(days, ", ") + "}}\n"
	}
	day := func(date, open string) string {
		return `"` + date + `": {"1. open": "` + open + `", "4. close": "` + open + `"}`
	}
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(p.prices+".new", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(p.prices+".new", p.prices); err != nil {
			t.Fatal(err)
		}
	}
	first, second := day("2025-10-01", "10"), day("2025-10-02", "20")
	put(line("AAA", first) + line("BBB", first))
	p.open(t, "alice", "1000", "2025-10-01")
	alice := p.trade(t, "alice")
	alice.filled(t, "buy", "AAA", 1)

	put(line("AAA", first, second) + line("BBB", first, second))
	p.setDate(t, "alice", "2025-10-02")
	for _, symbol := range []string{"AAA", "BBB"} { // one that was read before, and one that was not
		if r := alice.call(t, "buy", args{"symbol": symbol, "amount": 1}); r.failed || r.number(t, "price").String() != "20" {
			t.Errorf("on the day that is new: %s", r.text)
		}
	}

	put(line("AAA", day("2025-10-01", "11"), second) + line("BBB", first, second))
	if r := alice.call(t, "buy", args{"symbol": "AAA", "amount": 1}); !r.failed || r.str("code") != "prices_changed" {
		t.Errorf("with another price of yesterday: %s", r.text)
	}
	alice.told(t, "AAA 2025-10-01: the open was 10 and is 11 now", 1)
	put(line("AAA", first, second) + line("BBB", first, second)[:40])
	if r := alice.call(t, "get_portfolio", nil); !r.failed || r.str("code") != "prices_changed" {
		t.Errorf("half written: %s", r.text)
	}
	put(line("AAA", first, second, day("2025-10-03", "30")) + line("BBB", first, second))
	alice.filled(t, "buy", "BBB", 1)
	p.verified(t, "alice")
}
