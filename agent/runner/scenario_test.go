// Whatever an API sends: the account ends with the trades that the model made, or stops and says why.

package runner

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/model"
	"mcp-trade/agent/model/apis"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
)

func TestModel_Scenarios(t *testing.T) {
	testenv.Slow(t)
	for _, api := range apis.All() {
		scenarios := modeltest.Scenarios(api.Name)
		if len(scenarios) == 0 {
			t.Errorf("the scripted model does not speak the API %s", api.Name)
		}
		open := func(s model.Settings) (model.Model, error) { return api.Open(s, still().Now) }
		for _, s := range scenarios {
			for _, stream := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s: %s, streamed %v", api.Name, s.Name, stream), func(t *testing.T) {
					playScenario(t, s, modeltest.Start(t, s.Script()), stream, open)
				})
			}
		}
	}
}

func playScenario(t *testing.T, s modeltest.Scenario, api *modeltest.Server, stream bool, open model.Opener) {
	r := newRoom(t, t.TempDir())
	o := llm.Options{Settings: model.Settings{Model: "scripted", BaseURL: api.URL, Key: "secret-of-the-test", Stream: stream}, Strict: true, MaxRetries: 3}
	if s.Settings != nil {
		s.Settings(&o.Settings)
	}
	var waited time.Duration
	clock := still()
	clock.Sleep = func(ctx context.Context, d time.Duration) error { waited += d; return ctx.Err() }
	d, err := llm.New(o, open, clock, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.account.Decider = d
	err = r.tradeDay(t.Context(), 0)
	said := r.log.String()
	for _, e := range r.transcript(t, 0) {
		if e.Result != nil {
			said += e.Result.Content
		}
		if e.Nudge != nil {
			said += e.Nudge.Content
		}
		if e.Reply != nil && (e.Reply.Usage.In <= 0 || e.Reply.Usage.Out < 0 || e.Reply.Usage.Cached > e.Reply.Usage.In) {
			t.Errorf("the usage is %+v", e.Reply.Usage)
		}
	}
	if (err == nil) != (s.Fails == "") || err != nil && !strings.Contains(err.Error(), s.Fails) {
		t.Fatalf("%v, want %q\n%s", err, s.Fails, said)
	}
	if !strings.Contains(said, s.Says) {
		t.Errorf("said %.2000s\nwant %q", said, s.Says)
	}
	if got := r.trades(t); !slices.Equal(got, s.Booked) {
		t.Errorf("booked %q, want %q\n%s", got, s.Booked, said)
	}
	if n := api.Asked(); s.Requests > 0 && n != s.Requests {
		t.Errorf("asked %d times, want %d\n%s", n, s.Requests, said)
	}
	if s.Waited > 0 && waited != s.Waited {
		t.Errorf("waited %v, want %v", waited, s.Waited)
	}
	if strings.Contains(said, "secret-of-the-test") {
		t.Errorf("the key is told:\n%s", said)
	}
}

// trades are the orders in the ledger, such as "buy 1 SYN01".
func (r *room) trades(t *testing.T) []string {
	t.Helper()
	var all []string
	for line := range strings.Lines(r.ledger(t)) {
		var row struct {
			Order string `json:"order_id"`
			Trade struct {
				Action, Symbol string
				Amount         json.Number
			} `json:"this_action"`
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		if row.Order != "" {
			all = append(all, fmt.Sprintf("%s %s %s", row.Trade.Action, row.Trade.Amount, row.Trade.Symbol))
		}
	}
	return all
}
