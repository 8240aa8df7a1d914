// Language models that trade through the binary: the configuration of a run, and models that follow a script.

package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/agent/transcript"
	"mcp-trade/market"
)

// modelKey is the key of every scripted model. Nothing that the program says or leaves behind may hold it.
const modelKey = "sk-horse-battery-0123456789"

// object is a part of a configuration.
type object map[string]any

// config writes a configuration by which a scripted model trades accounts over days of the synthetic market. more goes into
// agent_config.
func (p *place) config(t testing.TB, model *modeltest.Server, to string, more object, accounts ...string) (path string) {
	t.Helper()
	p.prices = synthetic
	return p.llm(t, llmRun{url: model.URL, from: "2025-01-01", to: to, cash: "100000", accounts: accounts, tuning: more})[1]
}

func (p *place) writeConfig(t testing.TB, c object) (path string) {
	t.Helper()
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(p.dir, "config.json")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// transcript reads what was said on a day.
func (p *place) transcript(t testing.TB, account, date string) []transcript.Entry {
	t.Helper()
	entries, err := transcript.Read(transcript.File(filepath.Join(p.dir, "agent_data"), account, market.Stamp(date)))
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// ending is the end of a day, which must be there.
func (p *place) ending(t testing.TB, account, date string) transcript.End {
	t.Helper()
	entries := p.transcript(t, account, date)
	if len(entries) == 0 || entries[len(entries)-1].End == nil {
		t.Fatalf("%s of %s has no end", date, account)
	}
	return *entries[len(entries)-1].End
}

// results are what became of the calls of a day.
func results(entries []transcript.Entry) []transcript.Outcome {
	var all []transcript.Outcome
	for _, e := range entries {
		if e.Result != nil {
			all = append(all, *e.Result)
		}
	}
	return all
}

// normalDay looks at the account, buys two symbols of the day in one turn, sells one of them again, and ends the day.
func normalDay(r modeltest.Request) modeltest.Reply {
	h := fnv.New32a()
	fmt.Fprint(h, r.Model, r.Date)
	pick := h.Sum32()
	one, other := fmt.Sprintf("SYN%02d", 1+pick%10), fmt.Sprintf("SYN%02d", 11+pick%10)
	switch r.Turn {
	case 0:
		return modeltest.Do(modeltest.To("get_portfolio", nil))
	case 1:
		reply := modeltest.Do(modeltest.Order("buy", one, 1+pick%5), modeltest.Order("buy", other, 2+pick%7))
		reply.Text = "I buy a little of two."
		return reply
	case 2:
		return modeltest.Do(modeltest.Order("sell", other, 1))
	}
	return modeltest.Say("All done for %s. %s", r.Date, llm.StopSignal)
}

// hides fails the test if a secret stands in what a command said, or in any file of the place.
func (p *place) hides(t testing.TB, said output, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(said.stdout+said.stderr, secret) {
			t.Errorf("a secret is shown:\n%s%s", said.stdout, said.stderr)
		}
		_ = filepath.WalkDir(p.dir, func(path string, d os.DirEntry, err error) error {
			if text, err := os.ReadFile(path); err == nil && bytes.Contains(text, []byte(secret)) {
				t.Errorf("a secret is in %s", path)
			}
			return nil
		})
	}
}

// amend sets a key at the top of a configuration.
func (p *place) amend(t testing.TB, path, key string, value any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := object{}
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	c[key] = value
	p.writeConfig(t, c)
}
