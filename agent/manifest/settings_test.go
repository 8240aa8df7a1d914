package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/model"
	"mcp-trade/decimal"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/store/filestore"
)

const series = `{"Meta Data": {"2. Symbol": "A"}, "Time Series (Daily)": {
	"2025-10-01": {"1. buy price": "10", "2. high": "12", "3. low": "9", "4. sell price": "11", "5. volume": "5"},
	"2025-10-02": {"1. buy price": "11"NEW}, "2025-10-03": {"1. buy price": "12"}}}`

func priced(t *testing.T, text string) *market.Prices {
	t.Helper()
	file := filepath.Join(t.TempDir(), "merged.jsonl")
	write(t, file, strings.ReplaceAll(text, "\n", " ")+"\n")
	prices, err := market.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { prices.Close() })
	return prices
}

func TestRecorder_Differs(t *testing.T) {
	early := priced(t, strings.Replace(series, "NEW", "", 1))
	later := priced(t, strings.Replace(series, "NEW", `, "4. sell price": "13"`, 1)) // the day is over
	other := priced(t, strings.Replace(strings.Replace(series, "NEW", "", 1), `"11"`, `"11.5"`, 1))
	known, err := HashView(early.AsOf("2025-10-02"))
	if err != nil {
		t.Fatal(err)
	}
	half := 0.5
	was := Run{
		Decider: LLMDecider, Store: "file", Cash: decimal.NewFromInt(1), Known: &known, Prices: []FileHash{{"/a", 1, "aa"}},
		Model: llm.Options{Settings: model.Settings{Model: "gpt-5", BaseURL: "http://a"}, MaxSteps: 30, Prompt: "trade"},
	}
	for name, c := range map[string]struct {
		prices *market.Prices
		change func(*Run)
		want   string
	}{
		"nothing": {early, func(*Run) {}, ""},
		"paths, addresses, limits": {early, func(r *Run) {
			r.Prices, r.Model.BaseURL, r.Model.Timeout, r.To = []FileHash{{"/b", 1, "aa"}}, "http://b", time.Hour, "2025-12-31"
		}, ""},
		"another store":             {early, func(r *Run) { r.Store, r.Decider = "redis", "random" }, ""},
		"a decider":                 {early, func(r *Run) { r.Decider, r.Model = "momentum:5", was.Model }, "decider was llm, and is momentum:5"},
		"a model":                   {early, func(r *Run) { r.Model.Model = "gpt-6" }, "model was gpt-5, and is gpt-6"},
		"sampling":                  {early, func(r *Run) { r.Model.Temperature = &half }, `sampling was {}, and is {"temperature":0.5}`},
		"a prompt":                  {early, func(r *Run) { r.Model.Prompt = "" }, "prompt was trade, and is none"},
		"a memory":                  {early, func(r *Run) { r.Model.Memory = 5 }, "memory was 0, and is 5"},
		"rules":                     {early, func(r *Run) { r.Model.Rules = strings.Repeat("careful ", 9) }, "custom_rules is another text"},
		"prices that have grown":    {later, func(r *Run) { r.Prices = []FileHash{{"/a", 2, "bb"}} }, ""},
		"prices that were revised":  {other, func(r *Run) { r.Prices = []FileHash{{"/a", 2, "bb"}} }, "the prices up to 2025-10-02 are others than they were"},
		"a file of the same prices": {early, func(r *Run) { r.Prices = []FileHash{{"/a", 2, "bb"}} }, ""},
	} {
		dir := t.TempDir()
		kept := filestore.New(dir, dir)
		first := Recorder{Store: kept, Runs: map[string]Run{"alice": was}}
		if err := first.Begin(t.Context(), 0, "alice", &ledger.Book{}); err != nil {
			t.Fatal(err)
		}
		run := was
		c.change(&run)
		second := Recorder{Store: kept, Runs: map[string]Run{"alice": run}, Prices: c.prices}
		if got, err := second.Differs(t.Context(), "alice"); err != nil || strings.Join(got, "; ") != c.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, c.want)
		}
	}
}

func TestRecorder_Differs_OfAnEarlierVersion(t *testing.T) {
	dir := t.TempDir()
	write(t, File(dir), `{"accounts": {"alice": [{"model": {"model": "gpt-5"}, "store": "file", "prices": [{"path": "/a", "bytes": 1, "sha256": "aa"}]}]}}`)
	r := Recorder{Store: filestore.New(dir, dir), Runs: map[string]Run{"alice": {
		Decider: LLMDecider, Store: "file", Model: llm.Options{Settings: model.Settings{Model: "gpt-5"}}, Prices: []FileHash{{"/a", 1, "bb"}},
	}}}
	got, err := r.Differs(t.Context(), "alice")
	if err != nil || len(got) != 1 || !strings.Contains(got[0], "was not noted") {
		t.Errorf("%q, %v", got, err)
	}
	if err := os.WriteFile(File(dir), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Differs(t.Context(), "alice"); err == nil {
		t.Error("of a manifest that cannot be read nothing is known, and nothing is said")
	}
}
