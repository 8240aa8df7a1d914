package alphavantage

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

const key = "K3Y0F4LPHA"

// What the service says when it gives nothing, as it is known to say it.
const (
	limitNotice   = `{"Information": "We have detected your API key as ` + key + ` and our standard API rate limit is 25 requests per day. Please subscribe to any of the premium plans to instantly remove all daily rate limits."}`
	burstNotice   = `{"Note": "Thank you for using Alpha Vantage! Please consider spreading out your free API requests more sparingly (1 request per second)."}`
	premiumNotice = `{"Information": "Thank you for using Alpha Vantage! This is a premium endpoint. You may subscribe to any of the premium plans to instantly unlock all premium endpoints"}`
	keyNotice     = `{"Error Message": "the parameter apikey is invalid or missing. Please claim your free API key."}`
	callNotice    = `{"Error Message": "Invalid API call. Please retry or visit the documentation for TIME_SERIES_DAILY."}`

	adjusted = `{"Meta Data": {"2. Symbol": "AAPL", "5. Time Zone": "US/Eastern"}, "Time Series (Daily)": {
		"2025-10-06": {"1. open": "26.10", "2. high": "27", "3. low": "26", "4. close": "26.5", "5. adjusted close": "26.5", "6. volume": "900", "7. dividend amount": "0.0000", "8. split coefficient": "10.0"},
		"2025-10-02": {"1. open": "256.58", "2. high": "258.18", "3. low": "254.15", "4. close": "257.13", "5. adjusted close": "25.7", "6. volume": "42630239", "7. dividend amount": "0.2600", "8. split coefficient": "1.0"},
		"2025-10-01": {"1. open": "255.04", "2. high": "258.79", "3. low": "254.93", "4. close": "255.45", "5. adjusted close": "25.5", "6. volume": "48713940", "7. dividend amount": "0.0000", "8. split coefficient": "1.0"},
		"2025-09-30": {"1. open": "1", "2. high": "1", "3. low": "1", "4. close": "1", "5. adjusted close": "1", "6. volume": "1", "7. dividend amount": "9", "8. split coefficient": "1.0"}}}`
	daily = `{"Meta Data": {"2. Symbol": "AAPL"}, "Time Series (Daily)": {"2025-10-01": {"1. open": "255.04", "2. high": "258.79", "3. low": "254.93", "4. close": "255.45", "5. volume": "48713940"}}}`
)

// vendor plays Alpha Vantage with the answers of functions, for hours with those of months. It wants the key.
func vendor(t *testing.T, answers map[string]string) (a *AlphaVantage, get feed.Getter, asked *[]string) {
	asked = &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		*asked = append(*asked, q.Get("function")+" "+q.Get("symbol")+" "+q.Get("outputsize")+q.Get("month"))
		if q.Get("apikey") != key {
			fmt.Fprint(w, keyNotice)
			return
		}
		fmt.Fprint(w, answers[q.Get("function")+q.Get("month")])
	}))
	t.Cleanup(server.Close)
	return &AlphaVantage{URL: server.URL}, &feed.Client{Source: Name, Each: 5 * time.Second, Now: time.Now, Sign: Sign(key)}, asked
}

var job = feed.Job{Symbol: "AAPL", Interval: "Daily", From: "2025-10-01", To: "2025-10-06", Today: "2025-11-20"}

// Prices are raw, the volume is the sixth figure, and dividends and splits come with them.
func TestAlphaVantage_Fetch(t *testing.T) {
	a, get, asked := vendor(t, map[string]string{"TIME_SERIES_DAILY_ADJUSTED": adjusted})
	s, told, err := a.Fetch(t.Context(), get, job)
	want := "[{2025-10-01 [255.04 258.79 254.93 255.45 48713940] 0} {2025-10-02 [256.58 258.18 254.15 257.13 42630239] 0} {2025-10-06 [26.1 27 26 26.5 900] 0}]"
	if err != nil || len(told) > 0 || fmt.Sprint(s.Bars) != want {
		t.Fatalf("%+v, %v, %v, want %s", s, told, err, want)
	}
	actions := map[market.Stamp]feed.Action{"2025-10-02": {Dividend: "0.26"}, "2025-10-06": {Split: "10"}}
	if fmt.Sprint(s.Actions) != fmt.Sprint(actions) {
		t.Errorf("%v, want %v", s.Actions, actions)
	}
	if len(s.Sources) != 1 || strings.Contains(s.Sources[0].Request, key) || strings.Contains(s.Sources[0].Request, "apikey") {
		t.Errorf("%+v", s.Sources)
	}
	early := job
	early.Symbol, early.From = "BRK.B", "2020-01-02"
	if _, _, err := a.Fetch(t.Context(), get, early); err != nil {
		t.Error(err)
	}
	if got := strings.Join(*asked, ", "); got != "TIME_SERIES_DAILY_ADJUSTED AAPL compact, TIME_SERIES_DAILY_ADJUSTED BRK-B full" {
		t.Errorf("asked for %s", got)
	}
}

// A plan without adjusted prices is asked for once, and gives raw ones of which it is not known what happened to the shares.
func TestAlphaVantage_Fetch_FreeKey(t *testing.T) {
	a, get, asked := vendor(t, map[string]string{"TIME_SERIES_DAILY_ADJUSTED": premiumNotice, "TIME_SERIES_DAILY": daily})
	for range 2 {
		s, told, err := a.Fetch(t.Context(), get, job)
		if err != nil || len(s.Bars) != 1 || s.Actions != nil || len(told) != 1 || !strings.Contains(told[0], "splits are not known") {
			t.Errorf("%+v, %v, %v", s, told, err)
		}
	}
	if len(*asked) != 3 {
		t.Errorf("asked for %v", *asked)
	}
}

func TestAlphaVantage_Fetch_Hours(t *testing.T) {
	const october = `{"Meta Data": {"4. Interval": "60min"}, "Time Series (60min)": {"2025-10-31 15:00:00": {"1. open": "2", "2. high": "3", "3. low": "2", "4. close": "3", "5. volume": "7"}, "2025-10-31 10:00:00": {"1. open": "1", "2. high": "2", "3. low": "1", "4. close": "2", "5. volume": "5"}, "2025-10-30 10:00:00": {"1. open": "1", "2. high": "2", "3. low": "1", "4. close": "2", "5. volume": "5"}}}`
	a, get, asked := vendor(t, map[string]string{"TIME_SERIES_INTRADAY2025-10": october, "TIME_SERIES_INTRADAY2025-11": `{}`, "TIME_SERIES_INTRADAY2025-12": strings.ReplaceAll(october, "2025-10-3", "2025-12-1")})
	hours := job
	hours.Interval, hours.From, hours.To = "60min", "2025-10-31", "2025-12-31"
	s, _, err := a.Fetch(t.Context(), get, hours)
	if err != nil || len(s.Bars) != 5 || s.Bars[0].Stamp != "2025-10-31 10:00:00" || s.Bars[4].Stamp != "2025-12-11 15:00:00" || len(s.Sources) != 2 || s.Actions != nil {
		t.Errorf("%+v, %v", s, err)
	}
	if got := strings.Join(*asked, ", "); got != "TIME_SERIES_INTRADAY AAPL full2025-10, TIME_SERIES_INTRADAY AAPL full2025-11, TIME_SERIES_INTRADAY AAPL full2025-12" {
		t.Errorf("asked for %s", got)
	}
}

func TestAlphaVantage_Fetch_Outcomes(t *testing.T) {
	for name, c := range map[string]struct {
		body   string
		kind   feed.Kind // "": bars
		closed bool
		kept   bool
	}{
		"bars":                    {adjusted, "", false, true},
		"bars beside a notice":    {strings.Replace(limitNotice, "}", "", 1) + ", " + adjusted[1:], "", false, false},
		"the limit of a day":      {limitNotice, feed.Refused, true, false},
		"the limit of a second":   {burstNotice, feed.Refused, true, false},
		"a refused key":           {keyNotice, feed.Refused, true, false},
		"another plan":            {premiumNotice, feed.Refused, true, false},
		"an unknown symbol":       {callNotice, feed.NoSuch, false, false},
		"another notice":          {`{"Information": "maintenance of ` + key + `"}`, feed.Broken, false, false},
		"nothing":                 {`{}`, feed.NoData, false, false},
		"a page":                  {`<html>`, feed.Broken, false, false},
		"a torn answer":           {adjusted[:300], feed.Broken, false, false},
		"no bars":                 {`{"Meta Data": {}}`, feed.Broken, false, false},
		"bars that are none":      {`{"Time Series (Daily)": 7}`, feed.Broken, false, false},
		"a word for a price":      {strings.Replace(adjusted, `"255.04"`, `"x"`, 1), feed.Broken, false, true},
		"a word for a day":        {strings.Replace(adjusted, `"2025-10-02"`, `"today"`, 1), feed.Broken, false, true},
		"a split of nothing":      {strings.Replace(adjusted, `"10.0"`, `"0.0"`, 1), feed.Broken, false, true},
		"a dividend without text": {strings.Replace(adjusted, `"0.2600"`, `""`, 1), feed.Broken, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			a, get, _ := vendor(t, map[string]string{"TIME_SERIES_DAILY_ADJUSTED": c.body, "TIME_SERIES_DAILY": c.body})
			s, told, err := a.Fetch(t.Context(), get, job)
			o, _ := errors.AsType[*feed.Outcome](err)
			if c.kind == "" && (err != nil || len(s.Bars) != 3) || c.kind != "" && (o == nil || o.Kind != c.kind || o.Closed != c.closed) {
				t.Errorf("%+v, %v, want %s", s, err, c.kind)
			}
			if strings.Contains(fmt.Sprint(told, err), key) {
				t.Errorf("the key is told: %v, %v", told, err)
			}
			if kept := a.Keep(feed.Reply{Body: []byte(c.body)}); kept != c.kept {
				t.Errorf("kept is %v", kept)
			}
		})
	}
}
