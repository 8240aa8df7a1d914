package llm

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestReadArguments(t *testing.T) {
	for _, c := range []struct{ text, want, problem string }{
		{`{"symbol": "AAPL", "amount": 10}`, `{"amount":10,"symbol":"AAPL"}`, ""},
		{`{"amount": "10"}`, `{"amount":"10"}`, ""}, // for the server to understand
		{`{"amount": 10.000000000000000000001}`, `{"amount":10.000000000000000000001}`, ""},
		{"", `{}`, ""},
		{" \n", `{}`, ""},
		{"null", `{}`, ""},
		{`""`, `{}`, ""},
		{"{}", `{}`, ""},
		{`"{\"amount\": 10}"`, `{"amount":10}`, ""},
		{`"\"{\\\"amount\\\": 10}\""`, `{"amount":10}`, ""},
		{"```json\n{\"amount\": 10}\n```", `{"amount":10}`, ""},
		{`{"amount": 10}</tool_call>`, `{"amount":10}`, ""},
		{`{"amount": 10} as we said.`, `{"amount":10}`, ""},
		{`{"amount": 10}{"amount": 10}`, "", "more than one JSON value"},
		{`{"amount": 10} [1]`, "", "more than one JSON value"},
		{`{"amount": 10, "amount": 20}`, "", `"amount" is there twice`},
		{`{"amount": 10`, "", "cut off"},
		{`{"amount": ten}`, "", "not valid JSON"},
		{`[{"amount": 10}]`, "", "not a JSON object"},
		{`10`, "", "not a JSON object"},
		{`buy ten`, "", "not a JSON object"},
		{`"\"\\\"\\\\\\\"{}\\\\\\\"\\\"\""`, "", "not a JSON object"}, // there is an end to strings in strings
		{`{"note": "` + strings.Repeat("x", maxArguments) + `"}`, "", "bytes"},
	} {
		arguments, err := readArguments(c.text)
		got := ""
		if err == nil {
			text, _ := json.Marshal(arguments)
			got = string(text)
		}
		if got != c.want || err != nil && (c.problem == "" || !strings.Contains(err.Error(), c.problem)) {
			t.Errorf("%.80s: %s, %v; want %s%s", c.text, got, err, c.want, c.problem)
		}
	}
}

func FuzzArguments(f *testing.F) {
	for _, text := range []string{`{"a": 1}`, `"{}"`, "```json\n{}", `{"a":1}{"a":1}`, `{"a":{"a":[1]}}x`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		arguments, err := readArguments(text)
		if err != nil {
			return
		}
		sent, err := json.Marshal(arguments)
		if err != nil {
			t.Fatalf("%q is understood as what cannot be sent: %v", text, err)
		}
		again, err := readArguments(string(sent))
		if err != nil || len(again) != len(arguments) {
			t.Fatalf("%q is sent as %s, which is not understood: %v", text, sent, err)
		}
	})
}
