package transcript

import (
	"testing"

	"mcp-trade/agent/model"
	"mcp-trade/code"
	"mcp-trade/decimal"
	"mcp-trade/internal/rawjson"
)

// A day that is read line by line is told as the whole of it is.
func TestProgress(t *testing.T) {
	cent := decimal.RequireFromString("0.01")
	calls := []model.Call{{Tool: "get_portfolio"}, {Tool: "buy"}}
	entries := []Entry{
		{Begin: &Begin{Account: "a", Date: "2025-10-01"}},
		{Ask: &Ask{Step: 1, Worst: &cent}},
		{Retry: &Retry{Step: 1, Cost: &cent}},
		{Ask: &Ask{Step: 1, Worst: &cent}},
		{Reply: &Reply{Step: 1, Message: model.Message{Content: "said", Calls: calls}, Usage: model.Usage{In: 10, Out: 5}, Cost: &cent}},
		{Result: &Outcome{Step: 1, Call: 1, Tool: "get_portfolio"}},
		{Result: &Outcome{Step: 1, Call: 2, Tool: "buy", OrderID: "2025-10-01#1", Failed: true, Code: code.InsufficientCash}},
		{Ask: &Ask{Step: 2, Worst: &cent}},
	}
	var p Progress
	turns := []int{0, 1, 1, 1, 1, 1, 1, 2}
	tools := []string{"", "", "", "", "buy", "get_portfolio", "buy", "buy"}
	for i, e := range entries {
		line, err := rawjson.Marshal(e)
		if err == nil {
			err = p.Add(line)
		}
		if want := SpendingOf(entries[:i+1]); err != nil || p.Turn != turns[i] || p.Tool != tools[i] || !p.Spent().Total().Equal(want.Total()) || p.Spent().In != want.In {
			t.Errorf("after line %d: %v, turn %d, %s, %+v, want %+v", i, err, p.Turn, p.Tool, p.Spent(), want)
		}
	}
	if len(p.Refused) != 1 || !p.Refused["2025-10-01#1"] || p.Ended {
		t.Errorf("refused are %v, ended %v", p.Refused, p.Ended)
	}
	if err := p.Add([]byte("{")); err == nil {
		t.Error("a torn line is taken")
	}
}
