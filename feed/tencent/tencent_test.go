package tencent

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mcp-trade/feed"
	"mcp-trade/market"
)

func client() *feed.Client { return &feed.Client{Source: Name, Each: 5 * time.Second, Now: time.Now} }

// A reply holds 500 bars at most, and leaves out the others without a word: no page asks for more.
func TestTencent_Fetch(t *testing.T) {
	pages := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages++
		p := strings.Split(r.URL.Query().Get("param"), ",")
		if len(p) != 6 || p[0] != "sh600519" || p[1] != "day" || p[4] != "500" || p[5] != "" {
			t.Errorf("asked for %v", p)
		}
		var rows []string
		for day := market.Stamp(p[2]); day <= market.Stamp(p[3]); day = day.AddDays(1) {
			if why, _ := market.CN.Get().Calendar.Closed(day); why == "" {
				rows = append(rows, fmt.Sprintf(`["%s","1500.00","1510.00","1520.50","1490.00","50029.000"]`, day))
			}
		}
		fmt.Fprintf(w, `{"code":0,"msg":"","data":{"sh600519":{"day":[%s],"qt":{}}}}`, strings.Join(rows[:min(500, len(rows))], ","))
	}))
	defer server.Close()
	job := feed.Job{Symbol: "600519.SH", Interval: "Daily", From: "2020-01-01", To: "2025-12-31"}
	s, told, err := Tencent{server.URL}.Fetch(t.Context(), client(), job)
	days := 0
	for day := job.From; day <= job.To; day = day.AddDays(1) {
		if why, _ := market.CN.Get().Calendar.Closed(day); why == "" {
			days++
		}
	}
	if err != nil || len(told) > 0 || len(s.Bars) != days || len(s.Sources) != pages || pages < 3 {
		t.Fatalf("%d bars of %d days on %d pages, %v, %v", len(s.Bars), days, pages, told, err)
	}
	if b := s.Bars[0]; b.Figures != [5]string{"1500", "1520.5", "1490", "1510", "5002900"} {
		t.Errorf("%v", b)
	}
}

func TestTencent_Fetch_Outcomes(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		kind feed.Kind
	}{
		"an unknown share":   {`{"code":0,"msg":"","data":[]}`, feed.NoSuch},
		"a wrong parameter":  {`{"code":1,"msg":"param error"}`, feed.NoSuch},
		"another share":      {`{"code":0,"data":{"sh600000":{"day":[]}}}`, feed.NoSuch},
		"no JSON":            {`<html>`, feed.Broken},
		"torn":               {`{"code":0,"data":{"sh600519":{"day":[["2025-10-`, feed.Broken},
		"a short row":        {`{"code":0,"data":{"sh600519":{"day":[["2025-10-09","1"]]}}}`, feed.Broken},
		"a word for a price": {`{"code":0,"data":{"sh600519":{"day":[["2025-10-09","x","1","1","1","1"]]}}}`, feed.Broken},
		"a word for a day":   {`{"code":0,"data":{"sh600519":{"day":[["today","1","1","1","1","1"]]}}}`, feed.Broken},
		"more than 500 bars": {`{"code":0,"data":{"sh600519":{"day":[` + strings.TrimSuffix(strings.Repeat(`["2025-10-09","1","1","1","1","1"],`, 501), ",") + `]}}}`, feed.Broken},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, c.body) }))
			defer server.Close()
			job := feed.Job{Symbol: "600519.SH", Interval: "Daily", From: "2025-10-09", To: "2025-10-10"}
			_, _, err := Tencent{server.URL}.Fetch(t.Context(), client(), job)
			if o, ok := errors.AsType[*feed.Outcome](err); !ok || o.Kind != c.kind {
				t.Errorf("%v, want %s", err, c.kind)
			}
		})
	}
	_, _, err := Tencent{}.Fetch(t.Context(), client(), feed.Job{Symbol: "600519.SH", Interval: "60min"})
	if o, ok := errors.AsType[*feed.Outcome](err); !ok || o.Kind != feed.NoData {
		t.Error(err)
	}
	if got := shares("688981.SH", "12"); got != "" {
		t.Errorf("the volume of a share of STAR is %s", got)
	}
}

// A reply that was kept says of which share it is, and all its days are taken.
func TestParse(t *testing.T) {
	const reply = `{"code":0,"data":{"%s":{"day":[["2025-10-09","1500.00","1510.00","1520.50","1490.00","50029.000"],["2025-10-10","1500.00","1510.00","1520.50","1490.00","50029.000"]]}}}`
	s, told, err := Parse(fmt.Appendf(nil, reply, "sh600519"), feed.Job{})
	if err != nil || len(told) > 0 || s.Symbol != "600519.SH" || s.Interval != "Daily" || len(s.Bars) != 2 {
		t.Errorf("%+v, %v, %v", s, told, err)
	}
	if _, _, err := Parse(fmt.Appendf(nil, reply, "sh\\n1"), feed.Job{}); err == nil {
		t.Error("a name that is no symbol was taken")
	}
}
