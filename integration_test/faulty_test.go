// Runs of language models whose APIs fail in every way that passes, killed and resumed all the same.

package integration_test

import (
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"mcp-trade/agent/model/apis"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/internal/testenv"
)

// moody has a model's API fail at random, but not more often than it is asked again.
type moody struct {
	script modeltest.Script
	fails  func(n int) int // a number below n
	mu     sync.Mutex
	row    map[string]int // failures in a row, by turn
}

// passing are replies after which the same may be asked again.
func passing() []modeltest.Reply {
	call := modeltest.Order("buy", "SYN01", 1)
	return []modeltest.Reply{
		modeltest.Fail(429, "0.01"), modeltest.Fail(408, ""), modeltest.Fail(500, ""), modeltest.Fail(529, ""),
		{Calls: []modeltest.Call{call}, Cut: true}, {Text: "I buy.", Cut: true}, {Calls: []modeltest.Call{call}, Finish: "network_error"},
		{Body: "<html>502</html>"}, {Body: `{"choices":[]}`}, {Body: `{"error":{"message":"overloaded","code":529}}`}, {Body: "\n\n"}, {Body: `{"choices":[{"message":{"content":`},
	}
}

func (m *moody) reply(r modeltest.Request) modeltest.Reply {
	m.mu.Lock()
	defer m.mu.Unlock()
	turn := fmt.Sprint(r.Model, r.Date, r.Turn)
	faults := passing()
	if n := m.fails(3 * len(faults)); n < len(faults) && m.row[turn] < 2 {
		m.row[turn]++
		return faults[n]
	}
	m.row[turn] = 0
	return m.script(r)
}

func TestAKilledRunAtFailingAPIsIsResumedToTheSameBytes(t *testing.T) {
	testenv.Slow(t)
	t.Parallel()
	kills := scaled(t, 100, 3) // at each API, whole and streamed
	accounts := []string{"alice", "bob"}
	for _, api := range apis.All() {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, streamed %v", api.Name, stream), func(t *testing.T) {
				t.Parallel()
				p := onFiles(t)
				p.prices = synthetic
				run := llmRun{api: api.Name, from: "2025-01-01", to: fiveDays, cash: "100000", accounts: accounts, tuning: object{"stream": stream}}
				calm, data := modeltest.Start(t, busyDays), p.dir
				run.url = calm.URL
				p.do(t, p.llm(t, run)...)
				want, said := p.books(t, accounts...), p.dialogues(t)
				random, asked, killed := randomly(t), make(chan struct{}, 10_000), map[string]int{}
				m := &moody{script: busyDays, fails: randomly(t).IntN, row: map[string]int{}}
				storm := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
					asked <- struct{}{}
					return m.reply(r)
				})
				run.url = storm.URL
				for round := 0; killed["the runner"]+killed["a server"] < kills; round++ {
					if round > 10*kills {
						t.Fatal("the kills come too late")
					}
					p.afresh(t, filepath.Join(data, strconv.Itoa(round)))
					for !p.killed(t, p.llm(t, run), asked, calm.Asked(), random, killed) {
						p.endLeases(t)
					}
					if got := p.books(t, accounts...); got != want {
						t.Fatalf("round %d, after %v: the ledgers differ from those of an undisturbed run\n%s", round, killed, got)
					}
					if got := p.dialogues(t); got != said {
						t.Fatalf("round %d, after %v: what was said differs from an undisturbed run", round, killed)
					}
					p.hides(t, output{}, modelKey)
				}
				t.Logf("killed: %v", killed)
			})
		}
	}
}
