// A day that was interrupted goes on where it was: whatever was on disk at that moment, the model is asked the same and the
// ledger becomes the same.

package runner

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mcp-trade/agent/model/modeltest"
	"mcp-trade/agent/transcript"
	"mcp-trade/internal/testenv"
)

// eventful is a day with everything in it: several calls a turn, a refusal, reads, calls that are none, a turn of nothing.
func eventful(r modeltest.Request) modeltest.Reply {
	return turns(
		modeltest.Do(modeltest.Order("buy", "SYN01", 3), modeltest.To("get_session", nil), modeltest.Order("buy", "SYN02", 100000)),
		modeltest.Do(modeltest.To("get_portfolio", nil), modeltest.Order("buy", "SYN03", 4), modeltest.Order("sell", "SYN03", 1)),
		modeltest.Do(modeltest.To("get_weather", nil), modeltest.Call{Tool: "buy", Arguments: "{"}, modeltest.To("get_trades", nil)),
		modeltest.Do(modeltest.Order("sell", "SYN01", 2)),
		modeltest.Say("Done. <FINISH_SIGNAL>"),
	)(r)
}

// listen notes what a model was asked, once each.
func listen(asked *[]string, script modeltest.Script) modeltest.Script {
	var mu sync.Mutex
	return func(r modeltest.Request) modeltest.Reply {
		mu.Lock()
		defer mu.Unlock()
		*asked = append(*asked, fmt.Sprint(r.Messages))
		return script(r)
	}
}

func TestAccountRun_TradeDay_FromAnyMoment(t *testing.T) {
	testenv.Slow(t)
	var asked []string
	whole := newRoom(t, t.TempDir()).with(t, listen(&asked, eventful))
	if err := whole.tradeDay(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	want := whole.ledger(t)
	said, err := os.ReadFile(transcript.File(whole.logPath, "alice", whole.days[0]))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(said, []byte("\n"))
	records := strings.SplitAfter(want, "\n")
	if len(records) != 1+4+1 || len(lines) < 16 {
		t.Fatalf("%d records, %d lines", len(records), len(lines))
	}
	filled := 0
	for kept, line := range lines[:len(lines)-1] { // behind the last line feed there is nothing
		isFill := bytes.Contains(line, []byte(`"filled":true`))
		for _, moment := range []struct {
			name    string
			torn    []byte
			records int // in the ledger
			apply   bool
		}{
			{"before the next line", nil, 1 + filled, true},
			{"within the next line", line[:len(line)/2], 1 + filled, true},
			{"within the next line, its order committed", line[:len(line)/2], 1 + filled + 1, isFill},
			{"before the next line, its order committed", nil, 1 + filled + 1, isFill},
		} {
			if !moment.apply {
				continue
			}
			t.Run(fmt.Sprintf("line %d, %s", kept, moment.name), func(t *testing.T) {
				dir := t.TempDir()
				write(t, filepath.Join(dir, "agent_data", "alice", "position", "position.jsonl"), strings.Join(records[:moment.records], ""))
				write(t, filepath.Join(dir, "agent_data", "alice", "run.json"), fmt.Sprintf(`{"date":%q,"complete":false}`, whole.days[0]))
				file := transcript.File(filepath.Join(dir, "agent_data"), "alice", whole.days[0])
				write(t, file, string(bytes.Join(lines[:kept], nil))+string(moment.torn))
				var again []string
				r := newRoom(t, dir).with(t, listen(&again, eventful))
				if err := r.tradeDay(t.Context(), 0); err != nil {
					t.Fatal(err)
				}
				if got := r.ledger(t); got != want {
					t.Errorf("the ledger is\n%s", got)
				}
				if !strings.HasSuffix(strings.Join(asked, "\n"), strings.Join(again, "\n")) {
					t.Errorf("the model was asked something else:\n%s", strings.Join(again, "\n"))
				}
				if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, said) {
					t.Errorf("the said is\n%s", got)
				}
				if _, err := os.Stat(filepath.Join(filepath.Dir(file), "log.jsonl")); err != nil {
					t.Error(err)
				}
			})
		}
		if isFill {
			filled++
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
