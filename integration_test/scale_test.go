// What workers add, and what an account-day costs: the figures of docs/scale.md.

package integration_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"mcp-trade/agent/model/modeltest"
	"mcp-trade/store"
)

// infoOf is a number of INFO of a Redis.
func infoOf(t *testing.T, url, section, name string) int64 {
	t.Helper()
	for line := range strings.Lines(redisDo(t, url, "INFO", section).(string)) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("INFO %s has no %s", section, name)
	return 0
}

// secondsOf is the time of the processor that a Redis has taken.
func secondsOf(t *testing.T, url string) (sum float64) {
	t.Helper()
	for line := range strings.Lines(redisDo(t, url, "INFO", "cpu").(string)) {
		for _, name := range []string{"used_cpu_sys:", "used_cpu_user:"} {
			if text, ok := strings.CutPrefix(strings.TrimSpace(line), name); ok {
				n, err := strconv.ParseFloat(text, 64)
				if err != nil {
					t.Fatal(err)
				}
				sum += n
			}
		}
	}
	return sum
}

// TestQueue_Scale measures. It is no part of the suite: set MCP_TRADE_SCALE to run it.
func TestQueue_Scale(t *testing.T) {
	if os.Getenv("MCP_TRADE_SCALE") == "" {
		t.Skip("a measurement, with MCP_TRADE_SCALE=1 alone")
	}
	wait := onRedis(t)
	before := infoOf(t, wait.redisURL, "memory", "used_memory")
	var many []store.QueuedAccount
	for i := range 100_000 {
		many = append(many, store.QueuedAccount{Name: fmt.Sprintf("account-%06d", i), Days: 250})
	}
	q, began := wait.store(t).(store.Queue), time.Now()
	if _, err := q.Submit(t.Context(), store.QueuedRun{ID: "r", Priority: store.NormalPriority}, many); err != nil {
		t.Fatal(err)
	}
	queued := time.Since(began)
	began = time.Now()
	if _, err := q.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("100,000 accounts that wait: queued in %.2f s, %d bytes each; a sweep takes %.0f ms", queued.Seconds(), (infoOf(t, wait.redisURL, "memory", "used_memory")-before)/int64(len(many)), 1000*time.Since(began).Seconds())

	accounts := queuedDeciders(64)
	measure := func(name string, workers, days int, command func(p *place) []string) {
		p := onRedis(t)
		p.prices = synthetic
		args := command(p)
		f := newFarm(t, p, workers, false)
		before := secondsOf(t, p.redisURL)
		calls, in, out, memory := infoOf(t, p.redisURL, "stats", "total_commands_processed"), infoOf(t, p.redisURL, "stats", "total_net_input_bytes"), infoOf(t, p.redisURL, "stats", "total_net_output_bytes"), infoOf(t, p.redisURL, "memory", "used_memory")
		began := time.Now()
		p.do(t, args...)
		took := time.Since(began)
		cpu := secondsOf(t, p.redisURL) - before
		n := int64(len(accounts) * days)
		t.Logf("%s, %d workers: %.2f s, %.1f account-days a second; of each: %d calls of Redis, %d bytes in, %d out, %d bytes kept, %.2f ms of Redis' processor; %v keys in all", name, workers, took.Seconds(), float64(n)/took.Seconds(),
			(infoOf(t, p.redisURL, "stats", "total_commands_processed")-calls)/n, (infoOf(t, p.redisURL, "stats", "total_net_input_bytes")-in)/n, (infoOf(t, p.redisURL, "stats", "total_net_output_bytes")-out)/n,
			(infoOf(t, p.redisURL, "memory", "used_memory")-memory)/n, 1000*cpu/float64(n), redisDo(t, p.redisURL, "DBSIZE"))
		for _, w := range f.workers {
			f.kill(w)
		}
	}
	strategies := runArgs("2025-02-13", accounts...) // thirty days
	measure("strategies, without a queue", 0, 30, func(*place) []string { return strategies })
	for _, workers := range []int{1, 2, 4} {
		measure("strategies", workers, 30, func(*place) []string { return queuedArgs(strategies) })
	}
	measure("strategies in lockstep", 2, 30, func(*place) []string { return queuedArgs(strategies, "--lockstep") })
	model := modeltest.Start(t, func(modeltest.Request) modeltest.Reply {
		time.Sleep(500 * time.Millisecond)
		return modeltest.Say("Hold. <FINISH_SIGNAL>")
	})
	for _, workers := range []int{1, 2, 4, 8} {
		measure("a model that takes half a second a day", workers, 5, func(p *place) []string {
			return queuedArgs(p.llm(t, llmRun{url: model.URL, from: "2025-01-01", to: fiveDays, cash: "10000", accounts: names(accounts)}))
		})
	}
}
