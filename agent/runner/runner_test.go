// Tests of which days a run has.

package runner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"mcp-trade/market"
)

func TestDays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "merged.jsonl")
	text := `{"Meta Data": {"2. Symbol": "A"}, "Time Series (60min)": {`
	for i, at := range []string{"2025-10-09 10:00:00", "2025-10-09 11:00:00", "2025-10-10 10:00:00"} {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf(`"%s": {"1. buy price": "1", "2. high": "1", "3. low": "1", "4. sell price": "1", "5. volume": "1"}`, at)
	}
	if err := os.WriteFile(file, []byte(text+"}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	prices, err := market.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer prices.Close()
	for _, c := range []struct{ from, to, want string }{
		{"2025-10-08", "2025-10-10", "[2025-10-09 10:00:00 2025-10-09 11:00:00 2025-10-10 10:00:00]"},
		{"2025-10-09", "2025-10-10", "[2025-10-10 10:00:00]"},
		{"2025-10-09 08:30:00", "2025-10-09 10:30:00", "[2025-10-09 10:00:00]"},
		{"2025-10-09 10:00:00", "2025-10-10", "[2025-10-09 11:00:00 2025-10-10 10:00:00]"},
		{"2025-10-10 10:00:00", "2025-10-10", "[]"},
	} {
		days, err := Days(prices, market.Stamp(c.from), market.Stamp(c.to))
		var none *NoDaysError
		if fmt.Sprint(days) != c.want || (err != nil) != (c.want == "[]") || err != nil && !errors.As(err, &none) {
			t.Errorf("after %s up to %s: %s, %v; want %s", c.from, c.to, days, err, c.want)
		}
	}
}
