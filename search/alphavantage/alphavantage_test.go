// Tests of Alpha Vantage, on a stand-in for it, and of the files of its replies.

package alphavantage

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"mcp-trade/market"
	"mcp-trade/search"
)

// service stands in for Alpha Vantage: it answers every request alike, and keeps the last.
func service(t testing.TB, code int, reply string) (*AlphaVantage, *url.Values) {
	var last url.Values
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last = r.URL.Query()
		w.WriteHeader(code)
		fmt.Fprint(w, reply)
	}))
	t.Cleanup(server.Close)
	return New(Config{Key: "s3cret", URL: server.URL + "/query"}), &last
}

func ask(t testing.TB, a *AlphaVantage, q search.Query) (string, error) {
	t.Helper()
	answer, err := search.New(search.Config{Providers: []search.Provider{a}}).Search(t.Context(), q)
	var titles []string
	for _, r := range answer.Articles {
		titles = append(titles, r.Title)
	}
	return strings.Join(titles, ", "), err
}

func feed(articles ...[2]string) string {
	var all []string
	for _, a := range articles {
		all = append(all, fmt.Sprintf(`{"title": %q, "url": "https://x.test/%s", "time_published": %q, "summary": "", "source": "S"}`, a[0], url.PathEscape(a[0]), a[1]))
	}
	return `{"items": "9", "feed": [` + strings.Join(all, ",") + `]}`
}

var october = search.Query{Text: "chips nvidia", Limit: 5, Cutoff: search.NewCutoff("2025-10-02", market.US)}

func TestAlphaVantage_Search_Request(t *testing.T) {
	a, last := service(t, 200, feed())
	q := october
	q.Symbols, q.Topics = []string{"aapl", "BTC-USDT"}, []string{"earnings", "technology"}
	if _, err := ask(t, a, q); err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"function": {"NEWS_SENTIMENT"}, "apikey": {"s3cret"}, "tickers": {"AAPL,CRYPTO:BTC"}, "topics": {"earnings,technology"}, "sort": {"LATEST"}, "limit": {"50"},
		"time_from": {"20250902T0000"}, "time_to": {"20251001T2359"},
	}
	if last.Encode() != want.Encode() {
		t.Errorf("%s\nwant %s", last.Encode(), want.Encode())
	}
	q.Cutoff = search.NewCutoff("2025-10-02 10:30:00", market.US)
	if _, err := ask(t, a, q); err != nil || last.Get("time_to") != "20251002T1029" {
		t.Errorf("%v, %v", last, err)
	}
}

// The dates of articles are checked, whatever was asked for.
func TestAlphaVantage_Search_ChecksDates(t *testing.T) {
	a, _ := service(t, 200, feed(
		[2]string{"chips later", "20251002T000000"}, [2]string{"chips much later", "20261002T000000"}, [2]string{"chips undated", ""}, [2]string{"chips some day", "some day"},
		[2]string{"about gold", "20251001T235959"}, [2]string{"about chips", "20251001T235959"}, [2]string{"nvidia chips", "20250901T000000"},
	))
	if got, err := ask(t, a, october); got != "nvidia chips, about chips" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	q := october
	q.Symbols = []string{"NVDA"}
	if got, err := ask(t, a, q); got != "nvidia chips, about chips, about gold" || err != nil {
		t.Errorf("by symbol: %q, %v", got, err)
	}
}

func TestAlphaVantage_Search_WithoutAFeed(t *testing.T) {
	for _, c := range []struct {
		name  string
		code  int
		reply string
		says  string // "" for an answer without articles
	}{
		{"a rate limit", 200, `{"Information": "We have detected your API key as s3cret and our standard API rate limit is 25 requests per day."}`, "its rate limit is reached"},
		{"an older rate limit", 200, `{"Note": "Our standard API call frequency is 5 calls per minute and 500 calls per day."}`, "its rate limit is reached"},
		{"a refused key", 200, `{"Error Message": "the parameter apikey is invalid or missing."}`, "it refuses the key: check ALPHAVANTAGE_API_KEY"},
		{"no such ticker", 200, `{"Information": "Invalid inputs. Please refer to the API documentation."}`, "it does not know these tickers or topics"},
		{"another error", 200, `{"Error Message": "s3cret"}`, "it refuses the request"},
		{"no articles", 200, `{"Information": "No articles found. Please adjust the time range or topics."}`, ""},
		{"a page", 200, "<html>s3cret</html>", "its answer is not one of NEWS_SENTIMENT"},
		{"nothing", 200, "", "its answer is not one of NEWS_SENTIMENT"},
		{"a list", 200, "[]", "its answer is not one of NEWS_SENTIMENT"},
		{"a feed that is none", 200, `{"feed": "s3cret"}`, "its answer is not one of NEWS_SENTIMENT"},
		{"an article that is none", 200, `{"feed": [7]}`, "its answer is not one of NEWS_SENTIMENT"},
		{"a status", 418, "s3cret", "it answers with the status 418"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, _ := service(t, c.code, c.reply)
			got, err := ask(t, a, october)
			if c.says == "" && (got != "" || err != nil) {
				t.Errorf("%q, %v", got, err)
			}
			if c.says != "" && (err == nil || !strings.Contains(err.Error(), "alphavantage: "+c.says+".") || strings.Contains(err.Error(), "s3cret")) {
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
}

// Without a key nobody is asked.
func TestAlphaVantage_Search_WithoutAKey(t *testing.T) {
	if _, err := ask(t, New(Config{URL: "http://127.0.0.1:1"}), october); err == nil || !strings.Contains(err.Error(), "it has no key") {
		t.Error(err)
	}
}

func TestTicker(t *testing.T) {
	for s, want := range map[string]string{"AAPL": "AAPL", "BTC-USDT": "CRYPTO:BTC", "FOREX:USD": "FOREX:USD"} {
		if got := Ticker(s); got != want || symbol(got) != s {
			t.Errorf("%s became %s, and that %s", s, got, symbol(got))
		}
	}
}

func FuzzArticles(f *testing.F) {
	f.Add(feed([2]string{"a", "20251001T000000"}))
	f.Add(`{"feed": [{"time_published": 7, "ticker_sentiment": [{}]}]}`)
	f.Add(`{"Information": "rate limit"}`)
	f.Fuzz(func(t *testing.T, reply string) {
		items, err := Articles([]byte(reply))
		if err != nil && items != nil {
			t.Fatalf("%q: %v and %v", reply, items, err)
		}
		for _, i := range items {
			if len(i.Dates) > 1 {
				t.Fatalf("%q: %+v", reply, i)
			}
		}
		_, _ = Read([]byte(reply))
	})
}
