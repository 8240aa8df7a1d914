// mcp-trade show: a day, as people and programs read it.

package integration_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"mcp-trade/agent/llm"
	"mcp-trade/agent/model/modeltest"
	"mcp-trade/agent/transcript"
)

func TestShowReadsADayBackAndMakesItHarmless(t *testing.T) {
	t.Parallel()
	const evil = "\x1b]0;owned\x07\x1b[2J\u202Egnp.exe\u0085\x7f\r\n"
	p := onFiles(t)
	model := modeltest.Start(t, func(r modeltest.Request) modeltest.Reply {
		switch r.Turn {
		case 0:
			return modeltest.Reply{Reasoning: "Let me think. " + evil, Text: "I look." + evil, Calls: []modeltest.Call{
				modeltest.Order("buy", "SYN01", 2), modeltest.To("get_price", map[string]any{"symbol": evil}), {Tool: "no\x1b[31mtool", Arguments: evil},
			}}
		case 1:
			return modeltest.Reply{Text: strings.Repeat("word ", 1000), Calls: []modeltest.Call{modeltest.To("get_portfolio", nil)}}
		}
		return modeltest.Say("Cash: $5. %s", llm.StopSignal)
	})
	more := object{"price_per_million": object{"input": 1, "output": 2}}
	p.do(t, "run", p.config(t, model, "2025-01-03", more, "alice"))
	for _, args := range [][]string{{"show", "alice"}, {"show", "alice", firstDay}, {"show", "alice", "--full"}} {
		text := p.do(t, args...)
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 100 {
				t.Errorf("%v: a line of %d characters: %s", args, n, line)
			}
		}
		if at := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsGraphic(r) }); at >= 0 {
			t.Fatalf("%v: %q is not harmless", args, text[max(at-20, 0):at+20])
		}
		for _, want := range []string{`Let me think. \x1b]0;owned`, "filled: buy 2 SYN01 at ", "refused (invalid_argument)", "There is no tool", "finished after 3 steps", "differs", "cost 0.0", "call 3    no"} {
			if full := args[len(args)-1] == "--full"; !strings.Contains(text, want) && !(full && strings.HasPrefix(want, "refused") || full && strings.HasPrefix(want, "filled")) {
				t.Errorf("%v does not say %q:\n%s", args, want, text)
			}
		}
	}
	newest := p.do(t, "show", "alice")
	if !strings.HasPrefix(newest, "alice on 2025-01-03\n") || !strings.Contains(newest, "more lines; --full shows them") || !strings.Contains(newest, "\n2025-01-02  finished") {
		t.Errorf("the newest day, and the list:\n%s", newest)
	}
	var shown struct {
		Dates []string
		Days  []struct{ Entries []transcript.Entry }
	}
	if err := json.Unmarshal([]byte(p.do(t, "show", "alice", firstDay, "--json")), &shown); err != nil {
		t.Fatal(err)
	}
	if len(shown.Dates) != 2 || len(shown.Days) != 1 || len(shown.Days[0].Entries) != len(p.transcript(t, "alice", firstDay)) {
		t.Errorf("as JSON: %+v", shown)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"show"}, 2, "accepts between 1 and 2"},
		{[]string{"show", "bob"}, 1, "no transcript of bob"},
		{[]string{"show", "../alice"}, 2, "not valid"},
		{[]string{"show", "alice", "yesterday"}, 2, "not a date"},
		{[]string{"show", "alice", "2024-01-01"}, 1, "there are 2, from 2025-01-02 to 2025-01-03"},
	} {
		if out := p.try(t, c.args...); out.code != c.code || !strings.Contains(out.stderr, c.says) {
			t.Errorf("%v: exit %d %s", c.args, out.code, out.stderr)
		}
	}
	t.Log(newest)
}
