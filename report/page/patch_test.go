package page

import (
	"encoding/json"
	"fmt"
	"testing"

	"mcp-trade/report/page/pagetest"
)

// patches holds what the script makes of an old value and a patch against the new value.
func patches(t *testing.T, tab *pagetest.Tab) {
	values := []string{`null`, `1`, `"a"`, `[]`, `[1,2,3]`, `[1,2,3,4,5]`, `[1,9,3]`, `{}`, `{"a":[1,{"b":2}],"c":null}`, `{"a":[1,{"b":3},7],"d":"x"}`, `[[1,2],{"a":1}]`, `[[1,2,3],{"a":2,"z":[]}]`, `{"":{"0":1}}`}
	for _, before := range values {
		for _, after := range values {
			text, err := json.Marshal(newPatch(json.RawMessage(before), json.RawMessage(after)))
			if err != nil {
				t.Fatal(err)
			}
			got := pagetest.Eval[string](tab, fmt.Sprintf(`JSON.stringify(patched(%s, %s))`, before, text))
			var a, b any
			if json.Unmarshal([]byte(got), &a) != nil || json.Unmarshal([]byte(after), &b) != nil || fmt.Sprint(a) != fmt.Sprint(b) {
				t.Errorf("%s with %s is %s, want %s", before, text, got, after)
			}
		}
	}
}

// A trade of one of twenty accounts is told in kilobytes.
func TestLive_Change_Size(t *testing.T) {
	x := &exchange{bourse: newBourse(t, manyNames(20)...).season(t), t: t}
	live, err := NewLive(t.Context(), x.source(), func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	first, _ := live.state()
	for i := range x.books {
		x.change(func() { x.trade(t, i, 57, "SYN03", 10, "one more") })
		if err := live.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		now, _ := live.state()
		if n := len(now.change); n == 0 || n > 4<<10 {
			t.Errorf("a trade of account %d is told in %d bytes", i, n)
		}
	}
	// So is one that moves its account from the last place to the first, and one that moves it back.
	for i := range 4 {
		x.change(func() { x.trade(t, 4, 57, "SYN03", []float64{1e6, -2e6, 2e6, -2e6}[i], "") })
		if err := live.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		now, _ := live.state()
		if n := len(now.change); n > 4<<10 {
			t.Errorf("a trade that changes the ranks is told in %d bytes", n)
		}
	}
	if live.changeOf(first.name) == nil {
		t.Error("who has the first version is not told how to go on")
	}
	if live.changeOf("unheard-of") != nil {
		t.Error("a version that never was has a change")
	}
}
