// A Redis that is gone for a short time while a run moves the date.

package integration_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
)

func TestARunOrdersOnNoOtherDayThanItsOwnWhenRedisHangsOverTheChangeOfDate(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	const nextDay = "2025-01-03"
	redis := testenv.NewRedis(t)
	p := onFiles(t)
	p.prices, p.redisURL = synthetic, "redis://"+redis.Addr
	p.env = append(p.env, "MCP_TRADE_LEDGER=file")
	var hang, wake sync.Once
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		if r.Date == firstDay {
			hang.Do(func() { redis.Hang(t) })
			return modeltest.Say("I hold. %s", llm.StopSignal)
		}
		wake.Do(func() { redis.Wake(t) })
		switch r.Turn {
		case 0:
			return modeltest.Do(modeltest.To("get_portfolio", nil), modeltest.To("get_session", nil))
		case 1:
			time.Sleep(3 * time.Second) // whoever passed over the Redis looks at it again
			return modeltest.Do(modeltest.Order("buy", "SYN01", 1))
		}
		return modeltest.Say("Done. %s", llm.StopSignal)
	})
	config := p.config(t, model, nextDay, nil, "alice")
	out := p.try(t, "run", config)
	for _, r := range p.records(t, "alice") {
		if day, _, _ := strings.Cut(r.OrderID, "#"); r.OrderID != "" && string(r.Date) != day {
			t.Errorf("the order %s was filled on %s", r.OrderID, r.Date)
		}
	}
	switch {
	case out.code == 1 && !strings.Contains(out.stderr, nextDay+": "):
		t.Errorf("it does not say which day it stopped on:\n%s", out.stderr)
	case out.code > 1:
		t.Fatalf("exit %d\n%s", out.code, out.stderr)
	}
	t.Logf("exit %d\n%s", out.code, out.stderr)
	p.do(t, "run", config)
	records := p.records(t, "alice")
	if n := len(records); n != 3 || string(records[2].Date) != nextDay || records[2].OrderID != nextDay+"#2.1" {
		t.Errorf("the ledger is %+v", records)
	}
	p.verified(t, "alice")
}
