package llm

import (
	"strings"
	"testing"
)

func TestPrompt_Render(t *testing.T) {
	values := map[string]string{"account": "alice", "max_steps": "30", "stop_signal": StopSignal, "rules": "No {{account}}.", "instructions": ""}
	for _, c := range []struct{ text, want string }{
		{"Trade.", "Trade.\n\nRules that you must keep:\nNo {{account}}."},
		{"I am {{account}}, {{ max_steps }} turns; {{rules}}", "I am alice, 30 turns; No {{account}}."},
		{`Send {"symbol": "A"} and { {rules} }. {{rules}}{{instructions}}`, `Send {"symbol": "A"} and { {rules} }. No {{account}}.`},
	} {
		p, err := parsePrompt(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := p.render(values); got != c.want {
			t.Errorf("%s: %q, want %q", c.text, got, c.want)
		}
	}
	own, err := parsePrompt(ownPrompt)
	if err != nil {
		t.Fatal(err)
	}
	if text := own.render(values); strings.Contains(text, "{{account}}, ") || !strings.Contains(text, "named alice") || !strings.Contains(text, "end with "+StopSignal) {
		t.Errorf("our own: %s", text)
	}
}

func TestParsePrompt(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"You are {{acount}}.", "the prompt names {{acount}}; it can name account, date"},
		{"You are {{}}.", "the prompt names {{}}"},
		{"You are {{account", "a {{ without }}"},
	} {
		if _, err := parsePrompt(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
	}
}
