package yahoo

import (
	"bufio"
	"bytes"
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

// answer starts a stand-in that answers with a status and a body, and fetches from it.
func fetch(t *testing.T, job feed.Job, status int, body string) (*feed.Series, []string, *http.Request, error) {
	t.Helper()
	var asked *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	defer server.Close()
	client := &feed.Client{Source: Name, Each: 5 * time.Second, Now: time.Now}
	s, told, err := Yahoo{server.URL}.Fetch(t.Context(), client, job)
	return s, told, asked, err
}

func line(t *testing.T, s *feed.Series) string {
	t.Helper()
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	s.Sources = nil
	if err := s.Write(w); err != nil {
		t.Fatal(err)
	}
	w.Flush()
	_, bars, _ := strings.Cut(b.String(), `"Time Series `)
	return strings.TrimSpace(bars)
}

// unix is a time of New York.
func unix(t *testing.T, text string) int64 {
	at, err := time.ParseInLocation("2006-01-02 15:04", text, market.US.Get().Zone())
	if err != nil {
		t.Fatal(err)
	}
	return at.Unix()
}

var october = feed.Job{Symbol: "BRK.B", Interval: "Daily", From: "2025-10-01", To: "2025-10-06", Today: "2025-11-20"}

// The prices that were paid come back from prices that are divided by later splits, those after the last day asked for included.
func TestYahoo_Fetch(t *testing.T) {
	body := fmt.Sprintf(`{"chart": {"result": [{"meta": {"currency": "USD", "symbol": "BRK-B"}, "timestamp": [%d, %d, %d, %d, %d],
		"events": {"dividends": {"1": {"amount": 0.05, "date": %d}}, "splits": {"2": {"date": %d, "numerator": 2, "denominator": 1, "splitRatio": "2:1"}, "3": {"date": %d, "numerator": 10, "denominator": 1, "splitRatio": "10:1"}}},
		"indicators": {"quote": [{"open": [10.050000190734863, 10.1, null, 20.5, 21], "high": [10.5, 10.6, null, 21, 22], "low": [9.5, 9.6, null, 20, 20], "close": [10.25, 10.2, null, 20.700000762939453, 21], "volume": [2000, 4000, null, 1000, 7]}],
		"adjclose": [{"adjclose": [1, 2, null, 3, 4]}]}}], "error": null}}`,
		unix(t, "2025-10-01 09:30"), unix(t, "2025-10-02 09:30"), unix(t, "2025-10-03 09:30"), unix(t, "2025-10-06 09:30"), unix(t, "2025-10-07 09:30"),
		unix(t, "2025-10-02 09:30"), unix(t, "2025-10-06 09:30"), unix(t, "2025-11-17 09:30"))
	s, told, asked, err := fetch(t, october, 200, body)
	if err != nil || len(told) > 0 {
		t.Fatal(err, told)
	}
	want := `(Daily)": {"2025-10-01": {"1. buy price": "201", "2. high": "210", "3. low": "190", "4. sell price": "205", "5. volume": "100", "7. dividend amount": "0", "8. split coefficient": "1"}, ` +
		`"2025-10-02": {"1. buy price": "202", "2. high": "212", "3. low": "192", "4. sell price": "204", "5. volume": "200", "7. dividend amount": "1", "8. split coefficient": "1"}, ` +
		`"2025-10-06": {"1. buy price": "205", "2. high": "210", "3. low": "200", "4. sell price": "207", "5. volume": "100", "7. dividend amount": "0", "8. split coefficient": "2"}}}`
	if got := line(t, s); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	q := asked.URL.Query()
	if asked.URL.Path != "/v8/finance/chart/BRK-B" || q.Get("interval") != "1d" || q.Get("events") != "div,splits" ||
		q.Get("period1") != fmt.Sprint(unix(t, "2025-10-01 00:00")) || q.Get("period2") != fmt.Sprint(unix(t, "2025-11-21 00:00")) {
		t.Errorf("asked for %s", asked.URL)
	}
}

func TestYahoo_Fetch_Hours(t *testing.T) {
	body := fmt.Sprintf(`{"chart": {"result": [{"timestamp": [%d, %d], "indicators": {"quote": [{"open": [1, 2], "high": [2, 3], "low": [1, 2], "close": [2, 1.5], "volume": [5, 6]}]}}], "error": null}}`,
		unix(t, "2025-10-01 09:30"), unix(t, "2025-10-01 10:30"))
	job := october
	job.Interval = "60min"
	s, told, asked, err := fetch(t, job, 200, body)
	if err != nil || len(s.Bars) != 1 || s.Bars[0].Stamp != "2025-10-01 09:30:00" || asked.URL.Query().Get("interval") != "1h" ||
		len(told) != 1 || !strings.Contains(told[0], "the close 1.5 is not between") {
		t.Errorf("%+v, %v, %v", s, told, err)
	}
}

// While a day or an hour is under way, the last trade has a row of its own behind it.
func TestYahoo_Fetch_LastTrade(t *testing.T) {
	const reply = `{"chart": {"result": [{"timestamp": [%d, %d, %d], "indicators": {"quote": [{"open": [1, 2, %s], "high": [2, 3, 3], "low": [1, 2, 2], "close": [2, 2.5, 2.5], "volume": [5, 6, 7]}]}}], "error": null}}`
	for _, c := range []struct{ interval, before, begins, last, open, want string }{
		{"Daily", "2025-10-02 09:30", "2025-10-03 09:30", "2025-10-03 15:47", "2", "[{2025-10-02 [1 2 1 2 5] 0} {2025-10-03 [2 3 2 2.5 7] 0}]"},
		{"Daily", "2025-10-02 09:30", "2025-10-03 09:30", "2025-10-03 09:31", "null", "[{2025-10-02 [1 2 1 2 5] 0} {2025-10-03 [2 3 2 2.5 6] 0}]"},
		{"60min", "2025-10-03 09:30", "2025-10-03 10:30", "2025-10-03 10:47", "2", "[{2025-10-03 09:30:00 [1 2 1 2 5] 0} {2025-10-03 10:30:00 [2 3 2 2.5 6] 0}]"},
		{"60min", "2025-10-03 14:30", "2025-10-03 15:30", "2025-10-03 16:00", "2", "[{2025-10-03 14:30:00 [1 2 1 2 5] 0} {2025-10-03 15:30:00 [2 3 2 2.5 6] 0}]"},
		{"60min", "2025-10-03 10:30", "2025-10-03 11:30", "2025-10-03 12:30", "2", "[{2025-10-03 10:30:00 [1 2 1 2 5] 0} {2025-10-03 11:30:00 [2 3 2 2.5 6] 0} {2025-10-03 12:30:00 [2 3 2 2.5 7] 0}]"},
	} {
		s, _, err := Parse(fmt.Appendf(nil, reply, unix(t, c.before), unix(t, c.begins), unix(t, c.last), c.open), feed.Job{Symbol: "AAPL", Interval: c.interval})
		if err != nil || fmt.Sprint(s.Bars) != c.want {
			t.Errorf("%+v: %v, %v", c, s, err)
		}
	}
}

func TestYahoo_Fetch_Outcomes(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		kind   feed.Kind // "": no bars, and no error
	}{
		"an unknown symbol":     {404, `{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}`, feed.NoSuch},
		"days before the first": {400, `{"chart":{"result":null,"error":{"code":"Bad Request","description":"Data doesn't exist for startDate = 1, endDate = 2"}}}`, feed.NoData},
		"hours of years ago":    {422, `{"chart":{"result":null,"error":{"code":"Unprocessable Entity","description":"1h data not available. The requested range must be within the last 730 days."}}}`, feed.NoData},
		"a limit in words":      {200, `{"chart":{"result":null,"error":{"code":"Too Many Requests","description":"Too Many Requests"}}}`, feed.Refused},
		"another error":         {400, `{"chart":{"result":null,"error":{"code":"Bad Request","description":"invalid"}}}`, feed.Broken},
		"a page":                {200, `<html>Will be right back</html>`, feed.Broken},
		"a torn answer":         {200, `{"chart":{"result":[{"timestamp":[1759325400`, feed.Broken},
		"nothing":               {200, `{}`, feed.Broken},
		"too few figures":       {200, `{"chart":{"result":[{"timestamp":[1759325400,1759411800],"indicators":{"quote":[{"open":[1],"high":[1],"low":[1],"close":[1],"volume":[1]}]}}]}}`, feed.Broken},
		"a negative price":      {200, `{"chart":{"result":[{"timestamp":[1759325400],"indicators":{"quote":[{"open":[-1],"high":[1],"low":[1],"close":[1],"volume":[1]}]}}]}}`, feed.Broken},
		"a split of nothing":    {200, `{"chart":{"result":[{"timestamp":[1759325400],"events":{"splits":{"1":{"date":1759325400,"numerator":0,"denominator":1}}},"indicators":{"quote":[{}]}}]}}`, feed.Broken},
		"no bars":               {200, `{"chart":{"result":[{"meta":{},"indicators":{"quote":[{}]}}],"error":null}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, _, err := fetch(t, october, c.status, c.body)
			o, _ := errors.AsType[*feed.Outcome](err)
			if c.kind == "" && (err != nil || len(s.Bars) > 0) || c.kind != "" && (o == nil || o.Kind != c.kind) {
				t.Errorf("%v, %v, want %s", s, err, c.kind)
			}
		})
	}
}

// A reply that was kept says of which symbol and interval it is, and all its days are taken.
func TestParse(t *testing.T) {
	reply := `{"chart": {"result": [{"meta": {"symbol": "%s", "dataGranularity": "%s"}, "timestamp": [1759325400, 1759411800],
		"indicators": {"quote": [{"open": [1, 2], "high": [2, 3], "low": [1, 2], "close": [2, 2.5], "volume": [5, 6]}]}}], "error": null}}`
	for _, c := range []struct{ ticker, granularity, symbol, interval, stamps string }{
		{"BRK-B", "1d", "BRK.B", "Daily", ""}, {"AAPL", "1h", "AAPL", "60min", ""}, {"600519.SS", "60m", "600519.SH", "60min", "start"},
		{"AAPL", "5m", "", "", ""}, {"", "1d", "", "", ""}, {"A\\nB", "1d", "", "", ""},
	} {
		s, _, err := Parse(fmt.Appendf(nil, reply, c.ticker, c.granularity), feed.Job{})
		if c.symbol == "" && err == nil || c.symbol != "" && (err != nil || s.Symbol != c.symbol || s.Interval != c.interval || s.Stamps != c.stamps || len(s.Bars) != 2) {
			t.Errorf("%v: %+v, %v", c, s, err)
		}
	}
}

func TestTicker(t *testing.T) {
	for symbol, want := range map[string]string{"AAPL": "AAPL", "BRK.B": "BRK-B", "600519.SH": "600519.SS", "300750.SZ": "300750.SZ"} {
		if got := ticker(symbol); got != want {
			t.Errorf("%s is %s, want %s", symbol, got, want)
		}
	}
}
