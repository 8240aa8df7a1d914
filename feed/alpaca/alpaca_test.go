package alpaca

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"mcp-trade/feed"
	"mcp-trade/market"
)

// broker plays Alpaca with the answers of paths and page tokens.
func broker(t *testing.T, answers map[string]string) (Alpaca, *[]*url.URL) {
	asked := &[]*url.URL{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL)
		if r.Header.Get("APCA-API-KEY-ID") != "id" || r.Header.Get("APCA-API-SECRET-KEY") != "secret" {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"message":"forbidden."}`)
			return
		}
		answer := answers[r.URL.Path+" "+r.URL.Query().Get("page_token")]
		if code, body, ok := strings.Cut(answer, "|"); ok {
			status := 0
			fmt.Sscan(code, &status)
			w.WriteHeader(status)
			answer = body
		}
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(server.Close)
	return Alpaca{server.URL}, asked
}

// signed is a client with keys.
func signed() feed.Getter {
	return &feed.Client{Source: Name, Each: 5 * time.Second, Now: time.Now, Sign: Sign("id", "secret")}
}

var job = feed.Job{Symbol: "AAPL", Interval: "Daily", From: "2025-10-01", To: "2025-10-06", Today: "2025-11-20"}

const (
	barsPath, actionsPath = "/v2/stocks/bars ", "/v1/corporate-actions "
	noActions             = `{"corporate_actions":{},"next_page_token":null}`
)

// Bars and actions come page by page; dividends are paid, and so listed, long after their ex day.
func TestAlpaca_Fetch(t *testing.T) {
	a, asked := broker(t, map[string]string{
		barsPath:           `{"bars":{"AAPL":[{"t":"2025-10-01T04:00:00Z","o":255.04,"h":258.79,"l":254.93,"c":255.5,"v":1234567,"n":9,"vw":256.1},{"t":"2025-10-02T04:00:00Z","o":256.575,"h":258.18,"l":254.15,"c":257.13,"v":4.2e5,"n":9,"vw":256}]},"next_page_token":"p2"}`,
		barsPath + "p2":    `{"bars":{"AAPL":[{"t":"2025-10-03T04:00:00Z","o":25.4,"h":25.9,"l":25.3,"c":25.8,"v":1,"n":1,"vw":1}]},"next_page_token":null}`,
		actionsPath:        `{"corporate_actions":{"cash_dividends":[{"symbol":"AAPL","rate":0.26,"special":false,"ex_date":"2025-10-02","payable_date":"2025-11-13","process_date":"2025-11-13"},{"symbol":"AAPL","rate":1.5,"special":true,"ex_date":"2025-10-02"},{"symbol":"AAPL","rate":9,"ex_date":"2025-12-01"}]},"next_page_token":"q2"}`,
		actionsPath + "q2": `{"corporate_actions":{"forward_splits":[{"symbol":"AAPL","new_rate":10,"old_rate":1,"ex_date":"2025-10-03"}],"reverse_splits":[{"symbol":"AAPL","new_rate":1,"old_rate":4,"ex_date":"2025-10-06"}],"stock_dividends":[{"symbol":"AAPL","rate":"0.05","ex_date":"2025-10-01"}],"spin_offs":[{"source_symbol":"AAPL","ex_date":"2025-10-06"}]},"next_page_token":null}`,
	})
	s, told, err := a.Fetch(t.Context(), signed(), job)
	if err != nil || len(told) != 1 || !strings.Contains(told[0], "a spin-off on 2025-10-06") || len(s.Sources) != 4 {
		t.Fatalf("%+v, %v, %v", s, told, err)
	}
	if got, want := fmt.Sprint(s.Bars), "[{2025-10-01 [255.04 258.79 254.93 255.5 1234567] 0} {2025-10-02 [256.575 258.18 254.15 257.13 420000] 0} {2025-10-03 [25.4 25.9 25.3 25.8 1] 0}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	want := map[market.Stamp]feed.Action{"2025-10-01": {Split: "1.05"}, "2025-10-02": {Dividend: "1.76"}, "2025-10-03": {Split: "10"}, "2025-10-06": {Split: "0.25"}}
	if fmt.Sprint(s.Actions) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", s.Actions, want)
	}
	q := (*asked)[0].Query()
	if q.Get("symbols") != "AAPL" || q.Get("timeframe") != "1Day" || q.Get("adjustment") != "raw" || q.Get("feed") != "iex" || q.Get("start") != "2025-10-01T00:00:00-04:00" || q.Get("end") != "2025-10-06T23:59:59-04:00" {
		t.Errorf("asked for %v", q)
	}
	if q := (*asked)[2].Query(); q.Get("end") != "2026-03-05" || !strings.Contains(q.Get("types"), "cash_dividend") {
		t.Errorf("asked for %v", q)
	}
	for _, p := range s.Sources {
		if strings.Contains(p.Request, "secret") {
			t.Errorf("a key is in %s", p.Request)
		}
	}
}

func TestAlpaca_Fetch_Hours(t *testing.T) {
	a, asked := broker(t, map[string]string{
		barsPath:    `{"bars":{"AAPL":[{"t":"2025-10-01T14:00:00Z","o":1,"h":2,"l":1,"c":2,"v":5}]},"next_page_token":null}`,
		actionsPath: noActions,
	})
	hours := job
	hours.Interval = "60min"
	s, _, err := a.Fetch(t.Context(), signed(), hours)
	if err != nil || len(s.Bars) != 1 || s.Bars[0].Stamp != "2025-10-01 10:00:00" || (*asked)[0].Query().Get("timeframe") != "1Hour" || s.Actions == nil {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestAlpaca_Fetch_Outcomes(t *testing.T) {
	const bars = `{"bars":{"AAPL":[{"t":"2025-10-01T04:00:00Z","o":1,"h":2,"l":1,"c":2,"v":5}]},"next_page_token":null}`
	for name, c := range map[string]struct {
		bars, actions string
		kind          feed.Kind // "": no error
	}{
		"no bars":                 {`{"bars":{},"next_page_token":null}`, "", ""},
		"a symbol of no form":     {`400|{"message":"invalid symbol: A B"}`, "", feed.NoSuch},
		"a refused request":       {`422|{"code":42210000,"message":"end should not be before start"}`, "", feed.Broken},
		"another plan":            {`403|{"message":"subscription does not permit querying recent SIP data"}`, "", feed.Refused},
		"a page of hypertext":     {`<html>`, "", feed.Broken},
		"a torn answer":           {bars[:40], "", feed.Broken},
		"an answer without bars":  {`{"message":"later"}`, "", feed.Broken},
		"a bar without a close":   {`{"bars":{"AAPL":[{"t":"2025-10-01T04:00:00Z","o":1,"h":2,"l":1,"v":5}]}}`, "", feed.Broken},
		"a negative price":        {`{"bars":{"AAPL":[{"t":"2025-10-01T04:00:00Z","o":-1,"h":2,"l":1,"c":2,"v":5}]}}`, "", feed.Broken},
		"a time that is none":     {`{"bars":{"AAPL":[{"t":"yesterday","o":1,"h":2,"l":1,"c":2,"v":5}]}}`, "", feed.Broken},
		"a day of another year":   {`{"bars":{"AAPL":[{"t":"2024-10-01T04:00:00Z","o":1,"h":2,"l":1,"c":2,"v":5}]}}`, "", feed.Broken},
		"pages without end":       {`{"bars":{},"next_page_token":"p"}`, "", feed.Broken},
		"no list of actions":      {bars, `{}`, feed.Broken},
		"a split of nothing":      {bars, `{"corporate_actions":{"forward_splits":[{"new_rate":0,"old_rate":1,"ex_date":"2025-10-02"}]}}`, feed.Broken},
		"a split beyond numbers":  {bars, `{"corporate_actions":{"forward_splits":[{"new_rate":1e999999999,"old_rate":1,"ex_date":"2025-10-02"}]}}`, feed.Broken},
		"a dividend without one":  {bars, `{"corporate_actions":{"cash_dividends":[{"ex_date":"2025-10-02"}]}}`, feed.Broken},
		"a dividend of no day":    {bars, `{"corporate_actions":{"cash_dividends":[{"rate":1,"ex_date":"soon"}]}}`, feed.Broken},
		"actions that are denied": {bars, `403|{"message":"forbidden"}`, feed.Refused},
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := broker(t, map[string]string{barsPath: c.bars, barsPath + "p": c.bars, actionsPath: c.actions})
			s, _, err := a.Fetch(t.Context(), signed(), job)
			o, _ := errors.AsType[*feed.Outcome](err)
			if c.kind == "" && (err != nil || len(s.Bars) > 0) || c.kind != "" && (o == nil || o.Kind != c.kind) {
				t.Errorf("%+v, %v, want %s", s, err, c.kind)
			}
		})
	}
	a, _ := broker(t, nil)
	_, _, err := a.Fetch(t.Context(), &feed.Client{Source: Name, Each: 5 * time.Second, Now: time.Now}, job)
	if o, _ := errors.AsType[*feed.Outcome](err); o == nil || o.Kind != feed.Refused || !o.Closed {
		t.Errorf("without keys: %v", err)
	}
}

// A reply that was kept says of which symbol it is, and its times tell the interval.
func TestParse(t *testing.T) {
	const reply = `{"bars":{"AAPL":[{"t":"2025-10-01T%s:00:00Z","o":1,"h":2,"l":1,"c":2,"v":5},{"t":"2025-10-%sZ","o":1,"h":2,"l":1,"c":2,"v":5}]},"next_page_token":null}`
	for _, c := range []struct{ first, second, interval string }{{"04", "02T04:00:00", "Daily"}, {"14", "01T15:00:00", "60min"}, {"14", "02T14:00:00", ""}} {
		s, _, err := Parse(fmt.Appendf(nil, reply, c.first, c.second), feed.Job{})
		if c.interval == "" && err == nil || c.interval != "" && (err != nil || s.Symbol != "AAPL" || s.Interval != c.interval || len(s.Bars) != 2) {
			t.Errorf("%v: %+v, %v", c, s, err)
		}
	}
}
