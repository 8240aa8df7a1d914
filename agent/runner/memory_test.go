// A model's memory of its decisions: it is told of them from the day after, and nothing of it comes from later days.

package runner

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/model/modeltest"
)

// remembering trades days with a memory of three decisions, and returns what the model was told when each began.
func remembering(t *testing.T, dir string, days, memory int) []string {
	t.Helper()
	r := newRoom(t, dir).with(t, func(r modeltest.Request) modeltest.Reply {
		return turns(modeltest.Do(modeltest.Order("buy", "SYN01", 1), modeltest.To("buy", map[string]any{"symbol": "SYN02", "amount": 2, "note": "because"})), modeltest.Say("Done. <FINISH_SIGNAL>"))(r)
	}, func(o *llm.Options) { o.Memory = memory })
	defer r.end(t)
	var told []string
	for day := range days {
		if r.done(r.days[day], r.checkpoint.Date) && r.checkpoint.Date > r.days[day] {
			continue // an earlier process traded it
		}
		if err := r.tradeDay(t.Context(), day); err != nil {
			t.Fatal(err, r.log.String())
		}
	}
	for day := range days {
		told = append(told, r.transcript(t, day)[0].Begin.Messages[1].Content)
	}
	return told
}

func TestBroker_Trades(t *testing.T) {
	const days = 4
	told := remembering(t, t.TempDir(), days, 3)
	for day, text := range told {
		// Two orders a day, of which the newest three are told.
		if got, want := strings.Count(text, ", excess "), min(2*day, 3); got != want {
			t.Errorf("day %d tells of %d decisions, want %d:\n%s", day, got, want, text)
		}
		if got, want := strings.Count(text, `your note: "because"`), min(day, 2); got != want {
			t.Errorf("day %d has %d notes, want %d", day, got, want)
		}
		if strings.Contains(text, "not known, all") {
			t.Errorf("day %d does not know a return:\n%s", day, text)
		}
	}
	for _, text := range remembering(t, t.TempDir(), days, 0) {
		if strings.Contains(text, "decisions") {
			t.Errorf("without a memory it is told\n%s", text)
		}
	}
}

func TestBroker_Trades_ReplacingTheFuture(t *testing.T) {
	const days = 4
	want := remembering(t, t.TempDir(), days, 3)
	for day := range days {
		dir := t.TempDir()
		now := newRoom(t, dir)
		stamp := string(now.days[day])
		now.end(t)
		replaceAfter(t, filepath.Join(dir, "merged.jsonl"), stamp)
		if err := os.RemoveAll(filepath.Join(dir, "agent_data")); err != nil {
			t.Fatal(err)
		}
		if got := remembering(t, dir, days, 3); strings.Join(got[:day+1], "\n") != strings.Join(want[:day+1], "\n") {
			t.Errorf("prices after the open of %s show on the days up to it:\n%s\nwant\n%s", stamp, got[day], want[day])
		} else if day+2 < days && got[day+2] == want[day+2] {
			t.Errorf("the prices after the open of %s were not replaced", stamp)
		}
	}
}

func TestBroker_Trades_AfterAnInterruption(t *testing.T) {
	const days = 4
	want, dir := remembering(t, t.TempDir(), days, 3), t.TempDir()
	for part := 1; part <= days; part++ {
		if got := remembering(t, dir, part, 3); strings.Join(got, "\n") != strings.Join(want[:part], "\n") {
			t.Errorf("a process for each day: on day %d\n%s\nwant\n%s", part, got[part-1], want[part-1])
		}
	}
}

// replaceAfter replaces all prices of a file that are not known at the open of a day.
func replaceAfter(t *testing.T, file, day string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for line := range strings.Lines(string(text)) {
		var symbol map[string]map[string]any
		if err := json.Unmarshal([]byte(line), &symbol); err != nil {
			t.Fatal(err)
		}
		for date, bar := range symbol["Time Series (Daily)"] {
			for field := range bar.(map[string]any) {
				if opens := strings.Contains(field, "open") || strings.Contains(field, "buy"); date > day || date == day && !opens {
					bar.(map[string]any)[field] = fmt.Sprint(700 + len(date)*len(field)) // above every other
				}
			}
		}
		changed, err := json.Marshal(symbol)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(append(changed, '\n'))
	}
	if err := os.WriteFile(file, []byte(all.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
