// AI-Trader's own client: its libraries, in the versions that it pins, drive the server through a small agent of ours.

package integration_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
)

// agentTask is the argument of testdata/aitrader/agent.py.
type agentTask struct {
	Servers map[string]any `json:"servers"`
	Mode    string         `json:"mode"`
	Script  [][]call       `json:"script,omitempty"`
	Pairs   int            `json:"pairs,omitempty"`
	Runtime string         `json:"runtime,omitempty"`
	Dates   []string       `json:"dates,omitempty"`
}

// call is a tool and its arguments.
type call [2]any

// agentReport is what the agent prints.
type agentReport struct {
	Attempts int
	Ended    bool
	Told     []string // by the tools
	Failures []string // of each attempt that failed
	Traded   []bool   // of each day: IF_TRADE at its end
}

// runAgent runs the Python agent at a server of alice's, with more arguments.
func (p *place) runAgent(t *testing.T, task agentTask, arguments ...string) agentReport {
	t.Helper()
	env := map[string]string{}
	for _, e := range append(p.environment(), "CURRENT_MODEL_ID=alice") {
		name, value, _ := strings.Cut(e, "=")
		env[name] = value
	}
	task.Servers = map[string]any{"trade": map[string]any{
		"transport": "stdio", "command": binary, "env": env,
		"args": append([]string{"stdio", "--toolsets", "trade,market,ai-trader,math"}, arguments...),
	}}
	return task.run(t)
}

// run runs the Python agent.
func (task agentTask) run(t *testing.T) agentReport {
	t.Helper()
	python := testenv.File(t, "python", "MCP_TRADE_PYTHON", "a Python with testdata/aitrader/requirements.txt installed")
	text, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	out := runToEnd(t, exec.Command(python, "testdata/aitrader/agent.py", string(text)))
	var r agentReport
	if err := json.Unmarshal([]byte(out.stdout), &r); err != nil || out.code != 0 {
		t.Fatalf("the agent: exit %d, %v\n%s\n%s", out.code, err, out.stdout, out.stderr)
	}
	return r
}

// dayWithRefusals is two good decisions among some that are refused.
var dayWithRefusals = [][]call{
	{{"get_price_local", args{"symbol": "AAPL", "date": "2025-10-02"}}},
	{{"buy", args{"symbol": "AAPL", "amount": 2}}},
	{{"buy", args{"symbol": "MSFT", "amount": 100000}}},
	{{"buy", args{"symbol": "NOPE", "amount": 1}}},
	{{"get_information", args{"query": "Apple earnings"}}},
	{{"get_price_local", args{"symbol": "AAPL", "date": "2025-10-03"}}},
	{{"sell", args{"symbol": "MSFT", "amount": 1}}},
	{{"buy", args{"symbol": "MSFT", "amount": 1}}},
}

func trades(records []ledger.Record) string {
	var all []string
	for _, r := range records {
		if r.Traded() {
			all = append(all, fmt.Sprintf("%s %s %s", r.Action, r.Amount, r.Symbol))
		}
	}
	return strings.Join(all, ", ")
}

func TestADayOfAITradersAgentWithRefusalsTradesEachDecisionOnce(t *testing.T) {
	t.Parallel()
	onBothStores(t, tradesEachDecisionOnce)
}

func tradesEachDecisionOnce(t *testing.T, p *place) {
	p.open(t, "alice", "1000", "2025-10-02")
	r := p.runAgent(t, agentTask{Mode: "day", Script: dayWithRefusals})
	if r.Attempts != 1 || !r.Ended || len(r.Told) != len(dayWithRefusals) {
		t.Fatalf("%+v", r)
	}
	for i, code := range []string{"", "", "insufficient_cash", "unknown_symbol", "search_unconfigured", "not_yet", "insufficient_position", ""} {
		fields := map[string]any{}
		if err := json.Unmarshal([]byte(r.Told[i]), &fields); err != nil {
			t.Fatalf("%v: %s", err, r.Told[i])
		}
		if said, _ := fields["code"].(string); said != code || (fields["error"] != nil) != (code != "") {
			t.Errorf("%v is answered %s, want the code %q", dayWithRefusals[i], r.Told[i], code)
		}
		if tool := dayWithRefusals[i][0][0]; tool == "buy" && code == "" && (fields["AAPL"] != 2.0 || fields["CASH"] == nil) {
			t.Errorf("the positions of the account do not stand at the top of %s", r.Told[i])
		}
	}
	if got := trades(p.records(t, "alice")); got != "buy 2 AAPL, buy 1 MSFT" {
		t.Errorf("the ledger has %s", got)
	}
	p.verified(t, "alice")
}

// With errors, the client raises on the first refusal and the agent begins the day anew: the same decision is traded each
// time, and the one behind the refusal never. That is what the toolset ai-trader spares the agent.
func TestADayOfAITradersAgentIsRepeatedWhereRefusalsAreErrors(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.open(t, "alice", "1000", "2025-10-02")
	r := p.runAgent(t, agentTask{Mode: "day", Script: dayWithRefusals}, "--refusals", "error")
	if r.Ended || r.Attempts != 3 || len(r.Failures) != 3 || !strings.Contains(r.Failures[0], "insufficient_cash") {
		t.Errorf("%+v", r)
	}
	if got := trades(p.records(t, "alice")); got != "buy 2 AAPL, buy 2 AAPL, buy 2 AAPL" {
		t.Errorf("the ledger has %s", got)
	}
}

// In a session that stays open, calls that are made at once arrive in the order in which they were made.
func TestCallsOfAITradersAgentKeepTheirOrderInAnOpenSession(t *testing.T) {
	t.Parallel()
	const pairs = 20
	p := onFiles(t)
	p.prices = p.dir + "/pairs.jsonl"
	if err := os.WriteFile(p.prices, []byte(plainSeries("NVDA", "100")+plainSeries("KHC", "25")), 0o644); err != nil {
		t.Fatal(err)
	}
	p.open(t, "alice", "10000", "2025-10-02")
	p.trade(t, "alice").filled(t, "buy", "NVDA", pairs)
	r := p.runAgent(t, agentTask{Mode: "pairs", Pairs: pairs})
	if !r.Ended || len(r.Told) != 2*pairs {
		t.Fatalf("%+v", r)
	}
	want := fmt.Sprintf("buy %d NVDA", pairs) + strings.Repeat(", sell 1 NVDA, buy 1 KHC", pairs)
	if got := trades(p.records(t, "alice")); got != want {
		t.Errorf("the ledger has %s", got)
	}
}
