package runner

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/agent/model/modeltest"
	"mcp-trade/market"
)

// Before each day the runner takes what the price files have become, and stops where a price that was shown is another.
func TestAccountRun_PricesChange(t *testing.T) {
	r := newRoom(t, t.TempDir()).with(t, turns(modeltest.Say("Nothing today. <FINISH_SIGNAL>")))
	file := filepath.Join(r.dir, "merged.jsonl")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	put := func(text string) {
		t.Helper()
		if err := errors.Join(os.WriteFile(file+".new", []byte(text), 0o644), os.Rename(file+".new", file)); err != nil {
			t.Fatal(err)
		}
	}
	grown := string(text) + strings.ReplaceAll(string(text[:strings.IndexByte(string(text), '\n')+1]), "SYN01", "NEW")
	put(grown)
	if err := r.tradeDay(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Prices.AsOf(r.days[0]).OpenPrice("NEW"); err != nil {
		t.Errorf("what was new before the day: %v", err)
	}
	put(strings.Replace(grown, `"1. buy price": "`, `"1. buy price": "9`, 1))
	var changed *market.ChangedError
	if err := r.tradeDay(t.Context(), 1); !errors.As(err, &changed) || changed.Symbol != "SYN01" {
		t.Errorf("with another price: %v", err)
	}
	put(string(text))
	if err := r.tradeDay(t.Context(), 1); !errors.As(err, &changed) || changed.Symbol != "NEW" || changed.Is != "" {
		t.Errorf("without what was shown: %v", err)
	}
}
