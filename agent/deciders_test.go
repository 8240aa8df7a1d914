// Tests of how accounts and deciders are spelled. What deciders do is tested from outside, in integration_test.

package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseAccount(t *testing.T) {
	recording := filepath.Join(t.TempDir(), "position.jsonl")
	lines := `{"date": "2025-10-01", "id": 0, "positions": {"CASH": 100}}
{"date": "2025-10-02", "id": 1, "this_action": {"action": "buy", "symbol": "A", "amount": 2}, "positions": {"CASH": 80, "A": 2}}

{"date": "2025-10-02", "id": 2, "this_action": {"action": "sell", "symbol": "A", "amount": 0}, "positions": {"CASH": 80, "A": 2}}
{"date": "2025-10-03", "id": 3, "this_action": {"action": "no_trade", "symbol": "", "amount": 0}, "positions": {"CASH": 80, "A": 2}}
`
	if err := os.WriteFile(recording, []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(t.TempDir(), "position.jsonl")
	if err := os.WriteFile(damaged, []byte(lines+`{"date": "2025-`), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want, problem string }{
		{"a=equal-weight", "a agent.equalWeight {}", ""},
		{"a=momentum", "a agent.momentum {5}", ""},
		{"a=momentum:3", "a agent.momentum {3}", ""},
		{"a=random", "a agent.random {1}", ""},
		{"a=random:7", "a agent.random {7}", ""},
		{"a=", "", `no decider ""; use equal-weight, momentum[:N], random[:SEED] or recorded:FILE`},
		{"a", "", `"a" is not NAME=DECIDER[:ARG]`},
		{"a=momentun", "", `no decider "momentun"`},
		{"a=momentum:0", "", "how many symbols to hold, 1 to 1000"},
		{"a=momentum:x", "", "how many symbols to hold, 1 to 1000"},
		{"a=random:-1", "", "a seed, a whole number"},
		{"a=equal-weight:2", "", "takes no argument"},
		{"a=recorded:" + recording + ".gone", "", "no such file"},
		{"a=recorded:" + damaged, "", "row 5: not a ledger line"},
	} {
		a, err := ParseAccount(c.text)
		got := fmt.Sprintf("%s %T %v", a.Name, a.Decider, a.Decider)
		if c.problem == "" && (err != nil || got != c.want) || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
			t.Errorf("%s: %s, %v; want %s%s", c.text, got, err, c.want, c.problem)
		}
	}

	a, err := ParseAccount("a=recorded:" + recording)
	if err != nil {
		t.Fatal(err)
	}
	// A trade of nothing is repeated too, for the server to refuse.
	trades := a.Decider.(recorded).trades
	if len(trades) != 1 || len(trades["2025-10-02"]) != 2 {
		t.Errorf("recorded %v", trades)
	}
}
