package binance

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"mcp-trade/feed"
)

// exchange is a stand-in that has a kline for each day from one on, and gives 1000 of them at once.
func exchange(t *testing.T, first time.Time, days int) (address string, asked *[]string) {
	asked = &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.URL.String())
		q := r.URL.Query()
		from, _ := strconv.ParseInt(q.Get("startTime"), 10, 64)
		to, _ := strconv.ParseInt(q.Get("endTime"), 10, 64)
		if q.Get("symbol") != "BTCUSDT" {
			w.WriteHeader(400)
			fmt.Fprint(w, `{"code":-1121,"msg":"Invalid symbol."}`)
			return
		}
		var rows []string
		for i := range days {
			at := first.AddDate(0, 0, i).UnixMilli()
			if at >= from && at <= to && len(rows) < 1000 {
				rows = append(rows, fmt.Sprintf(`[%d,"%d.10000000","%d.50000000","%d.00000000","%d.20000000","9.00000001",%d,"1",1,"1","1","0"]`, at, 100+i, 101+i, 100+i, 100+i, at+86399999))
			}
		}
		fmt.Fprint(w, "["+strings.Join(rows, ",")+"]")
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

func client() *feed.Client { return &feed.Client{Source: Name, Each: 5 * time.Second, Now: time.Now} }

// More bars than one reply holds are asked for page by page, and the days are those that were asked for.
func TestBinance_Fetch(t *testing.T) {
	address, asked := exchange(t, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), 3000)
	job := feed.Job{Symbol: "BTC-USDT", Interval: "Daily", From: "2020-06-01", To: "2024-12-31"}
	s, told, err := Binance{address}.Fetch(t.Context(), client(), job)
	if err != nil || len(told) > 0 || len(s.Bars) != 1675 || s.Bars[0].Stamp != "2020-06-01" || s.Bars[1674].Stamp != "2024-12-31" || len(s.Sources) != 2 || len(*asked) != 2 || s.Actions != nil {
		t.Fatalf("%d bars, %v, %v, %d requests", len(s.Bars), told, err, len(*asked))
	}
	if b := s.Bars[0]; b.Figures != [5]string{"252.1", "253.5", "252", "252.2", "9.00000001"} {
		t.Errorf("%v", b)
	}
	job.Symbol = "NONE-USDT"
	if _, _, err := (Binance{address}).Fetch(t.Context(), client(), job); !isKind(err, feed.NoSuch) {
		t.Error(err)
	}
	job = feed.Job{Symbol: "BTC-USDT", Interval: "Daily", From: "2015-01-01", To: "2015-12-31"}
	if s, _, err := (Binance{address}).Fetch(t.Context(), client(), job); err != nil || len(s.Bars) != 0 {
		t.Error(s, err)
	}
}

func isKind(err error, kind feed.Kind) bool {
	o, ok := errors.AsType[*feed.Outcome](err)
	return ok && o.Kind == kind
}

func TestBinance_Fetch_Broken(t *testing.T) {
	at := time.Date(2025, 10, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	for name, c := range map[string]struct {
		status int
		body   string
	}{
		"another code":     {400, `{"code":-1100,"msg":"Illegal characters"}`},
		"no JSON":          {200, `oops`},
		"torn":             {200, `[[1759276800000,"1","2"`},
		"an object":        {200, `{"code":0}`},
		"a short row":      {200, fmt.Sprintf(`[[%d,"1","2"]]`, at)},
		"a word":           {200, fmt.Sprintf(`[[%d,"1","2","x","1","1"]]`, at)},
		"a negative price": {200, fmt.Sprintf(`[[%d,"1","2","-1","1","1"]]`, at)},
		"another day":      {200, fmt.Sprintf(`[[%d,"1","2","1","1","1"]]`, at+10*86400000)},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			}))
			defer server.Close()
			job := feed.Job{Symbol: "BTC-USDT", Interval: "Daily", From: "2025-10-01", To: "2025-10-02"}
			if s, _, err := (Binance{server.URL}).Fetch(t.Context(), client(), job); !isKind(err, feed.Broken) {
				t.Errorf("%v, %v", s, err)
			}
		})
	}
}
