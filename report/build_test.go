package report

// Tests of reports on real ledgers, and on odd ones.

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"mcp-trade/store/storetest"
)

func TestReportsOnRealLedgers(t *testing.T) {
	data := storetest.TestData(t)
	for folder, accounts := range map[string][]string{
		"us_daily":       {"gpt-5", "gemini-2.5-flash", "qwen3-max"},
		"cn_daily":       {"gpt-5", "glm-4.6", "qwen3-max"},
		"cn_hourly":      {"gpt-5-astock-hour", "qwen3-max-astock-hour"},
		"crypto":         {"gpt-5", "MiniMax-M2", "claude-3.7-sonnet"},
		"us_hourly_test": {"test-gpt-4.1", "test-gemini-2.5-pro"},
	} {
		t.Run(folder, func(t *testing.T) {
			view := openPrices(t, filepath.Join(data, folder, "merged.jsonl")).AsOf("9999-12-31")
			var ledgers []Ledger
			for _, a := range accounts {
				ledgers = append(ledgers, Ledger{Signature: a, Lines: fileLines(t, filepath.Join(data, folder, a, "position.jsonl"))})
			}
			r := build(t, Options{View: view}, ledgers...)
			text, err := json.MarshalIndent(r, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s", text)
		})
	}
}
