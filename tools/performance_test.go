package tools

// Tests of what an account is told of its own performance.

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/report"
	"mcp-trade/session"
)

// An account reads its own performance up to the last close.
func TestDeps_Performance(t *testing.T) {
	f := newFixture(t, testBars)
	f.register(t, "other", "500")
	f.call(t, "buy", `{"symbol":"NVDA","amount":10}`) // at 110.5; the day closes at 119
	read := func(uri string) (performanceResult, error) {
		var req mcp.ReadResourceRequest
		req.Params.URI = uri
		r, err := f.client.ReadResource(f.ctx(t), req)
		if err != nil {
			return performanceResult{}, err
		}
		var p performanceResult
		err = json.Unmarshal([]byte(r.Contents[0].(mcp.TextResourceContents).Text), &p)
		return p, err
	}
	// The day is not over: what was bought has earned nothing yet.
	p, err := read("report://gpt-5")
	if err != nil || len(p.Days) != 0 || p.Metrics.Trades != 0 || p.Opening.Value != report.Known(10000) {
		t.Errorf("on the day: %+v, %v", p, err)
	}
	f.set(t, session.TodayDate, "2025-10-03")
	p, err = read("report://gpt-5")
	if err != nil || len(p.Days) != 1 || p.Days[0].Value != report.Known(10085) || p.Metrics.Trades != 1 || p.Holdings[0].Price != report.Known(119) {
		t.Errorf("a day later: %+v, %v", p, err)
	}
	for _, uri := range []string{"report://other", "report://nobody", "report://GPT-5", "report://gpt-5/x", "report://%67pt-5"} {
		if got, err := read(uri); err == nil || strings.Contains(err.Error(), "500") {
			t.Errorf("%s: %+v, %v", uri, got, err)
		}
	}
	_, errOther := read("report://other")
	_, errNobody := read("report://nobody")
	if errOther == nil || errNobody == nil || errOther.Error() != errNobody.Error() {
		t.Errorf("whether an account exists shows: %v and %v", errOther, errNobody)
	}
}
