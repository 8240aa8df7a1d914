// What one account learns of a model's API, the others of the same model know at once.

package integration_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"mcp-trade/agent/model/modeltest"
)

func TestARefusalIsLearnedOnceForAllAccountsOfAModel(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	refused := map[string]int{} // by model
	server := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		mu.Lock()
		defer mu.Unlock()
		if r.Fields["temperature"] != nil {
			refused[r.Model]++
			return modeltest.Reply{Status: 400, Body: `{"error":{"message":"Unsupported value: 'temperature' does not support 0.3 with this model.","param":"temperature","code":"unsupported_value"}}`}
		}
		return normalDay(r)
	})
	p := onFiles(t)
	p.prices, p.env = synthetic, []string{"OPENAI_API_KEY=" + modelKey, "OPENAI_API_BASE=" + server.URL}
	of := func(account, model string) object {
		return object{"signature": account, "basemodel": model}
	}
	config := p.writeConfig(t, object{
		"date_range": object{"init_date": "2025-01-01", "end_date": fiveDays}, "agent_config": object{"temperature": 0.3}, "parallel": 1,
		"models": []object{of("alice", "same"), of("bob", "same"), of("carol", "other")},
	})
	out := p.try(t, "run", config)
	if out.code != 0 || refused["same"] != 1 || refused["other"] != 1 {
		t.Errorf("exit %d, refused %v\n%s", out.code, refused, out.stderr)
	}
	if n := strings.Count(out.stderr, "same is asked otherwise from now on (without temperature)"); n != 1 {
		t.Errorf("it is told %d times:\n%s", n, out.stderr)
	}
	for account, runs := range p.manifest(t).Accounts {
		if learned := runs[len(runs)-1].Learned; !slices.Equal(learned, []string{"without temperature"}) {
			t.Errorf("the manifest of %s has %q", account, learned)
		}
	}
}
