// Tests of the sources of news, on stand-ins that play their replies, limits and faults.

package articles

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mcp-trade/feed"
	"mcp-trade/feed/alpaca"
	"mcp-trade/feed/alphavantage"
	"mcp-trade/internal/files"
)

const key = "s3cretk3y"

// host answers requests one after the other, the last answer again and again.
type host struct {
	*httptest.Server
	asked []*http.Request
	dir   string
}

func newHost(t *testing.T, answers ...http.HandlerFunc) *host {
	h := &host{dir: filepath.Join(t.TempDir(), "kept")}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.asked = append(h.asked, r)
		answers[min(len(h.asked), len(answers))-1](w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *host) route(source Source, sign func(*http.Request)) *Route {
	client := &feed.Client{Source: source.Name(), Each: 10 * time.Second, Now: time.Now, Sign: sign}
	return &Route{Source: source, Getter: feed.Kept{Getter: client, Dir: h.dir, Access: files.Owner, Now: time.Now, Keep: source.Keep}}
}

func (h *host) alpaca() *Route { return h.route(Alpaca{h.URL}, alpaca.Sign("id", key)) }
func (h *host) vantage() *Route {
	return h.route(AlphaVantage{h.URL + "/query"}, alphavantage.Sign(key))
}

func text(code int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

// truncated promises more than it sends.
func truncated(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "1000")
	fmt.Fprint(w, `{"news": [`)
}

func job(symbol string) Job {
	return Job{symbol, time.Date(2025, 10, 1, 4, 0, 0, 0, time.UTC), time.Date(2025, 10, 4, 4, 0, 0, 0, time.UTC)}
}

// titles are those of the pages, with their times and symbols.
func titles(t *testing.T, f Fetched) (all []string) {
	t.Helper()
	err := f.Pages(t.Context(), func(p Page) error {
		if p.SHA256 == "" || p.Request == "" {
			t.Errorf("a page from nowhere: %+v", p.Provenance)
		}
		for _, a := range p.Articles {
			all = append(all, fmt.Sprintf("%s %s %s", a.Title, a.Dates[0].Text, strings.Join(a.Symbols, "+")))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func alpacaArticle(title, created, updated string) string {
	return fmt.Sprintf(`{"id": 1, "headline": %q, "author": "", "created_at": %q, "updated_at": %q, "summary": "", "content": "<p>x</p>", "images": [], "url": null, "symbols": ["AAPL", "BTCUSD"], "source": "wire"}`,
		title, created, updated)
}

func TestAlpaca_Articles(t *testing.T) {
	h := newHost(t,
		text(200, `{"news": [`+alpacaArticle("one", "2025-10-01T12:00:00Z", "2025-10-01T12:00:00Z")+`], "next_page_token": "p2"}`),
		text(200, `{"news": [`+alpacaArticle("changed later", "2025-10-01T13:00:00Z", "2025-10-02T09:00:00Z")+","+alpacaArticle("undated", "", "soon")+`], "next_page_token": null}`))
	f, err := Fetch(t.Context(), []*Route{h.alpaca()}, job("BTC-USDT"))
	if err != nil || f.Outcome != feed.Done || f.Articles != 3 || f.Source != "alpaca" {
		t.Fatalf("%+v, %v", f, err)
	}
	if got, want := titles(t, f), []string{"one 2025-10-01T12:00:00Z AAPL+BTC-USDT", "changed later 2025-10-02T09:00:00Z AAPL+BTC-USDT", "undated  AAPL+BTC-USDT"}; !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if len(h.asked) != 2 {
		t.Errorf("asked %d times: what was kept was asked again", len(h.asked))
	}
	const want = "/v1beta1/news?end=2025-10-04T03%3A59%3A59Z&include_content=true&limit=50&page_token=p2&sort=asc&start=2025-10-01T04%3A00%3A00Z&symbols=BTCUSD"
	if got := h.asked[1].URL.String(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if h.asked[1].Header.Get("APCA-API-KEY-ID") != "id" || h.asked[1].Header.Get("APCA-API-SECRET-KEY") != key {
		t.Error("the keys were not sent")
	}
}

// vantage is a reply with articles a minute apart, and whatever stands beside them.
func vantage(from time.Time, n int, step time.Duration, beside string) http.HandlerFunc {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"title": "t%d", "url": "u%d", "time_published": %q, "ticker_sentiment": [{"ticker": "CRYPTO:BTC"}]}`, i, i, from.Add(time.Duration(i)*step).Format("20060102T150405")))
	}
	return text(200, fmt.Sprintf(`{"items": "%d", %s "feed": [%s]}`, n, beside, strings.Join(all, ",")))
}

// A reply that looks full is gone on from, at the minute of its newest article, in the zone in which the source writes it.
func TestAlphaVantage_Articles(t *testing.T) {
	at := time.Date(2025, 10, 1, 12, 0, 30, 0, time.UTC)
	h := newHost(t, vantage(at, 50, time.Minute, ""), vantage(at.Add(49*time.Minute), 3, time.Minute, `"Information": "premium: your key is `+key+`",`))
	f, err := Fetch(t.Context(), []*Route{h.vantage()}, job("BTC-USDT"))
	if err != nil || f.Outcome != feed.Done || f.Articles != 53 || len(h.asked) != 2 {
		t.Fatalf("%+v, %v, asked %d times", f, err, len(h.asked))
	}
	want := "/query?apikey=" + key + "&function=NEWS_SENTIMENT&limit=1000&sort=EARLIEST&tickers=CRYPTO%3ABTC&time_from=20251001T1249&time_to=20251004T0359"
	if got := h.asked[1].URL.String(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := titles(t, f); len(got) != 53 || !strings.HasSuffix(got[0], "BTC-USDT") || len(h.asked) != 2 {
		t.Errorf("%d, %q, asked %d times", len(got), got[0], len(h.asked))
	}
}

func TestFetch_Outcomes(t *testing.T) {
	at := time.Date(2025, 10, 1, 4, 0, 30, 0, time.UTC)
	pageOne := text(200, `{"news": [`+alpacaArticle("one", "2025-10-01T12:00:00Z", "")+`], "next_page_token": "p2"}`)
	for _, c := range []struct {
		name    string
		source  func(*host) *Route
		answers []http.HandlerFunc
		kind    feed.Kind
		says    string
		asked   int // about two symbols
	}{
		{"alpaca: no news", (*host).alpaca, []http.HandlerFunc{text(200, `{"news": [], "next_page_token": null}`)}, feed.NoData, "it has no article", 2},
		{"alpaca: an unknown symbol", (*host).alpaca, []http.HandlerFunc{text(422, `{"message": "invalid symbol"}`)}, feed.NoSuch, "422", 2},
		{"alpaca: a refused key", (*host).alpaca, []http.HandlerFunc{text(401, key)}, feed.Refused, "refuses the request, or the key", 1},
		{"alpaca: another plan", (*host).alpaca, []http.HandlerFunc{text(402, key)}, feed.Refused, "another plan", 2},
		{"alpaca: a limit", (*host).alpaca, []http.HandlerFunc{text(429, "", "Retry-After", "3600")}, feed.Refused, "asks to wait 1h0m0s", 1},
		{"alpaca: a limit on the second page", (*host).alpaca, []http.HandlerFunc{pageOne, text(429, "", "Retry-After", "3600")}, feed.Refused, "rate limit", 2},
		{"alpaca: elsewhere", (*host).alpaca, []http.HandlerFunc{text(302, "", "Location", "https://elsewhere.test/"+key)}, feed.Broken, "sends elsewhere", 2},
		{"alpaca: a page", (*host).alpaca, []http.HandlerFunc{text(200, "<html>"+key)}, feed.Broken, "its answer is none of news", 2},
		{"alpaca: other JSON", (*host).alpaca, []http.HandlerFunc{text(200, `{"message": "`+key+`"}`)}, feed.Broken, "its answer is none of news", 2},
		{"alpaca: cut off in JSON", (*host).alpaca, []http.HandlerFunc{text(200, `{"news": [{"headline": "`+key)}, feed.Broken, "its answer is none of news", 2},
		{"alpaca: pages in a circle", (*host).alpaca, []http.HandlerFunc{pageOne}, feed.Broken, "its pages do not end", 4},
		{"alpha vantage: no news", (*host).vantage, []http.HandlerFunc{text(200, `{"Information": "No articles found."}`)}, feed.NoData, "it has no article", 2},
		{"alpha vantage: an unknown symbol", (*host).vantage, []http.HandlerFunc{text(200, `{"Information": "Invalid inputs."}`)}, feed.NoSuch, "does not know the symbol", 2},
		{"alpha vantage: an upsell with the key", (*host).vantage, []http.HandlerFunc{text(200, `{"Information": "We have detected your API key as `+key+`: subscribe to premium"}`)}, feed.Refused, "its rate limit is reached", 1},
		{"alpha vantage: a refused key", (*host).vantage, []http.HandlerFunc{text(200, `{"Error Message": "the parameter apikey `+key+` is invalid"}`)}, feed.Refused, "it refuses the key", 1},
		{"alpha vantage: a page", (*host).vantage, []http.HandlerFunc{text(200, "<html>"+key)}, feed.Broken, "not one of NEWS_SENTIMENT", 2},
		{"alpha vantage: more than a reply holds", (*host).vantage, []http.HandlerFunc{vantage(at, 50, 0, "")}, feed.Broken, "more articles of one minute", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, c.answers...)
			routes := []*Route{c.source(h)}
			for _, symbol := range []string{"AAPL", "MSFT"} {
				f, err := Fetch(t.Context(), routes, job(symbol))
				told := fmt.Sprint(f.Told)
				if err != nil || f.Outcome != c.kind || !strings.Contains(told, c.says) || f.Source != "" || f.Articles != 0 {
					t.Errorf("%s: %+v, %v, want %s: %s", symbol, f, err, c.kind, c.says)
				}
				if strings.Contains(told, key) || strings.Contains(told, h.URL) {
					t.Errorf("it names a key or an address: %s", told)
				}
				if got := titles(t, f); got != nil {
					t.Errorf("pages of nothing: %q", got)
				}
			}
			if len(h.asked) != c.asked {
				t.Errorf("asked %d times, want %d", len(h.asked), c.asked)
			}
			keyIsNowhere(t, h.dir)
		})
	}
}

// keyIsNowhere reads every file of a folder.
func keyIsNowhere(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), key) {
			t.Errorf("%s holds the key", path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

// The second source is asked for what the first one does not have, and no answer that refuses is kept.
func TestFetch_Chain(t *testing.T) {
	at := time.Date(2025, 10, 1, 12, 0, 0, 0, time.UTC)
	limited := newHost(t, text(200, `{"Note": "our standard API rate limit"}`), vantage(at, 2, time.Hour, ""))
	empty := newHost(t, text(200, `{"news": []}`))
	f, err := Fetch(t.Context(), []*Route{limited.vantage(), empty.alpaca()}, job("AAPL"))
	if err != nil || f.Outcome != feed.NoData || len(f.Told) != 2 || len(empty.asked) != 1 {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err = Fetch(t.Context(), []*Route{empty.alpaca(), limited.vantage()}, job("AAPL")); err != nil || f.Source != "alphavantage" || f.Articles != 2 || len(empty.asked) != 1 {
		t.Errorf("%+v, %v, asked %d times", f, err, len(empty.asked))
	}
}

// Who is interrupted, or breaks off once, loses nothing.
func TestFetch_Interrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	one := text(200, `{"news": [`+alpacaArticle("one", "2025-10-01T12:00:00Z", "")+`], "next_page_token": "p2"}`)
	h := newHost(t, one, func(http.ResponseWriter, *http.Request) { cancel(); time.Sleep(50 * time.Millisecond) }, truncated, text(200, `{"news": []}`))
	if f, err := Fetch(ctx, []*Route{h.alpaca()}, job("AAPL")); !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := Fetch(t.Context(), []*Route{h.alpaca()}, job("AAPL")); err != nil || f.Articles != 1 || len(h.asked) != 4 {
		t.Errorf("%+v, %v, asked %d times", f, err, len(h.asked))
	}
}
