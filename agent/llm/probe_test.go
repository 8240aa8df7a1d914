package llm

import (
	"context"
	"math"
	"strings"
	"testing"

	"mcp-trade/agent/mask"
	"mcp-trade/agent/model"
	"mcp-trade/decimal"
)

// oracle replies one text, and keeps what it was asked.
type oracle struct{ says, asked string }

func (o *oracle) Complete(_ context.Context, r model.Request) (model.Reply, error) {
	o.asked = r.Messages[0].Content
	return model.Reply{Message: model.Message{Content: o.says}, Usage: model.Usage{In: 1_000_000, Out: 1_000_000}}, nil
}

func TestProbe(t *testing.T) {
	questions := []Question{{"AAPL", "2025-10-02", decimal.NewFromInt(200)}, {"MSFT", "2025-10-03", decimal.NewFromInt(400)}, {"NVDA", "2025-10-03", decimal.NewFromInt(100)}}
	prices := &model.Prices{In: decimal.NewFromInt(1), Out: decimal.NewFromInt(2)}
	for says, want := range map[string][4]float64{ // answered, within 1 %, within 5 %, median
		"[200, 404, 103]":                          {3, 2, 3, 0.01},
		"```json\n[\"201.00\", \"$500\", null]```": {2, 1, 1, 0.1275},
		"<think>[1,2,3]</think>[null, null, 100]":  {1, 1, 1, 0},
		"[200] or rather [0, -5, \"high\"]":        {0, 0, 0, -1},
		"I do not know.":                           {0, 0, 0, -1},
		"] [":                                      {0, 0, 0, -1},
		"[200, 400, 100, 5, 6]":                    {3, 3, 3, 0},
	} {
		r, err := Probe(t.Context(), Options{Prices: prices}, func(model.Settings) (model.Model, error) { return &oracle{says: says}, nil }, questions, nil)
		median := -1.0
		if r.Median != nil {
			median = *r.Median
		}
		got := [4]float64{float64(r.Answered), float64(r.Near), float64(r.Rough), median}
		if err != nil || r.Asked != 3 || math.Abs(got[3]-want[3]) > 1e-9 || [3]float64(got[:3]) != [3]float64(want[:3]) || r.Cost == nil || r.Cost.String() != "3" {
			t.Errorf("%q: %v, %v, cost %v, want %v", says, got, err, r.Cost, want)
		}
	}
	asked := &oracle{}
	m := mask.New(7, []mask.Symbol{{Symbol: "AAPL"}, {Symbol: "MSFT"}, {Symbol: "NVDA"}})
	if _, err := Probe(t.Context(), Options{}, func(model.Settings) (model.Model, error) { return asked, nil }, questions, m); err != nil || strings.Contains(asked.asked, "AAPL") || strings.Contains(asked.asked, "2025") || !strings.Contains(asked.asked, m.Symbols["NVDA"]+" on 20") {
		t.Errorf("%v\n%s", err, asked.asked)
	}
}
