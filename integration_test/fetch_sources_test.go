// Each source of prices, as a stand-in plays it: a fetch that is killed at any request goes on to the same file, and a key is in no byte.

package integration_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// priceKeys are the keys of the sources that want one.
var priceKeys = []string{"id-0f-alpaca", alpacaSecret, "K3Y-0F-ALPHA"}

// priceSource is a source, and what it answers to the requests of a fetch of two symbols.
type priceSource struct {
	name, variable, market, symbols string
	from, to                        string
	requests                        int64
	answer                          func(w http.ResponseWriter, r *http.Request)
}

func priceSourcesPlayed() []priceSource {
	return []priceSource{
		{"binance", "BINANCE_URL", "crypto", "BTC-USDT,ETH-USDT", "2021-01-01", "2024-12-31", 4, func(w http.ResponseWriter, r *http.Request) { playKlines(w, r, 0) }},
		{"binance-archive", "BINANCE_ARCHIVE_URL", "crypto", "BTC-USDT,ETH-USDT", "2024-12-01", "2024-12-31", 4, playArchive},
		{"yahoo", "YAHOO_URL", "us", "AAPL,MSFT", "2025-10-01", "2025-10-02", 2, playYahoo},
		{"tencent", "TENCENT_URL", "cn", "600519.SH,601318.SH", "2025-10-09", "2025-10-10", 2, playTencent},
		{"alpaca", "ALPACA_DATA_URL", "us", "AAPL,MSFT", "2025-10-01", "2025-10-02", 6, playAlpaca},
		{"alphavantage", "ALPHAVANTAGE_URL", "us", "AAPL,MSFT", "2025-10-01", "2025-10-02", 2, playAlphaVantage},
	}
}

func playArchive(w http.ResponseWriter, r *http.Request) {
	var file bytes.Buffer
	z := zip.NewWriter(&file)
	table, _ := z.Create("klines.csv")
	for day := range 31 {
		at := time.Date(2024, 12, 1+day, 0, 0, 0, 0, time.UTC).UnixMilli()
		fmt.Fprintf(table, "%d,%d.5,%d,%d,%d.25,7,%d,1,1,1,1,0\n", at, 100+day, 102+day, 99+day, 101+day, at+86399999)
	}
	z.Close()
	if strings.HasSuffix(r.URL.Path, ".CHECKSUM") {
		fmt.Fprintf(w, "%x  klines.zip\n", sha256.Sum256(file.Bytes()))
		return
	}
	w.Write(file.Bytes())
}

func playYahoo(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, `{"chart": {"result": [{"timestamp": [1759325400, 1759411800], "events": {"dividends": {"1": {"amount": 0.26, "date": 1759411800}}},
		"indicators": {"quote": [{"open": [255.04, 256.58], "high": [258.79, 258.18], "low": [254.93, 254.15], "close": [255.45, 257.13], "volume": [5, 6]}]}}], "error": null}}`)
}

func playTencent(w http.ResponseWriter, r *http.Request) {
	code, _, _ := strings.Cut(r.URL.Query().Get("param"), ",")
	fmt.Fprintf(w, `{"code":0,"data":{"%s":{"day":[["2025-10-09","1500.00","1510.00","1520.50","1490.00","50029.000"],["2025-10-10","1510.00","1500.00","1520.50","1490.00","50029.000"]]}}}`, code)
}

func playAlpaca(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch {
	case r.Header.Get("APCA-API-KEY-ID") != priceKeys[0] || r.Header.Get("APCA-API-SECRET-KEY") != priceKeys[1]:
		w.WriteHeader(http.StatusForbidden)
	case r.URL.Path == "/v1/corporate-actions":
		fmt.Fprint(w, `{"corporate_actions":{"cash_dividends":[{"rate":0.26,"ex_date":"2025-10-02"}]},"next_page_token":null}`)
	case q.Get("page_token") == "":
		fmt.Fprintf(w, `{"bars":{"%s":[{"t":"2025-10-01T04:00:00Z","o":255.04,"h":258.79,"l":254.93,"c":255.45,"v":5}]},"next_page_token":"p2"}`, q.Get("symbols"))
	default:
		fmt.Fprintf(w, `{"bars":{"%s":[{"t":"2025-10-02T04:00:00Z","o":256.58,"h":258.18,"l":254.15,"c":257.13,"v":6}]},"next_page_token":null}`, q.Get("symbols"))
	}
}

func playAlphaVantage(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("apikey") != priceKeys[2] {
		fmt.Fprint(w, `{"Error Message": "the parameter apikey is invalid or missing."}`)
		return
	}
	fmt.Fprint(w, `{"Meta Data": {}, "Time Series (Daily)": {
		"2025-10-02": {"1. open": "256.58", "2. high": "258.18", "3. low": "254.15", "4. close": "257.13", "5. adjusted close": "257.13", "6. volume": "6", "7. dividend amount": "0.26", "8. split coefficient": "1.0"},
		"2025-10-01": {"1. open": "255.04", "2. high": "258.79", "3. low": "254.93", "4. close": "255.45", "5. adjusted close": "255.19", "6. volume": "5", "7. dividend amount": "0", "8. split coefficient": "1.0"}}}`)
}

// fetchFrom is a fetch from a source that answers at an address, with all keys set.
func (p priceSource) fetchFrom(address, dir string) *exec.Cmd {
	cmd := exec.Command(binary, "prices", "fetch", "--market", p.market, "--symbols", p.symbols, "--from", p.from, "--to", p.to, "--source", p.name, "--data-dir", "data", "--no-env-file")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), p.variable+"="+address, "APCA_API_KEY_ID="+priceKeys[0], "APCA_API_SECRET_KEY="+priceKeys[1], "ALPHAVANTAGE_API_KEY="+priceKeys[2])
	return cmd
}

func keysAreNowhere(t *testing.T, dir string, printed []byte) {
	t.Helper()
	for _, key := range priceKeys {
		keyIsInNoFile(t, dir, key)
		if bytes.Contains(printed, []byte(key)) {
			t.Errorf("the key is printed: %s", printed)
		}
	}
}

func TestPricesFetch_Killed(t *testing.T) {
	t.Parallel()
	for _, p := range priceSourcesPlayed() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			var asked, hang atomic.Int64
			hanging := make(chan struct{}, 1)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1) == hang.Load() {
					hanging <- struct{}{}
					<-r.Context().Done()
					return
				}
				p.answer(w, r)
			}))
			t.Cleanup(server.Close)
			fetch := func(dir string) string {
				out, err := p.fetchFrom(server.URL, dir).CombinedOutput()
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				keysAreNowhere(t, dir, out)
				if _, err := os.Stat(filepath.Join(dir, "data/merged.jsonl.fetch")); err == nil {
					t.Error("the kept replies of a fetch that is over are still there")
				}
				return withoutTimes(t, filepath.Join(dir, "data/merged.jsonl"))
			}
			want := fetch(t.TempDir())
			if asked.Load() != p.requests || strings.Count(want, `"2. Symbol"`) != 2 {
				t.Fatalf("%d requests, want %d, and the file is %s", asked.Load(), p.requests, want)
			}
			for at := int64(1); at <= p.requests; at++ {
				dir := t.TempDir()
				asked.Store(0)
				hang.Store(at)
				cmd := p.fetchFrom(server.URL, dir)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				select {
				case <-hanging:
				case <-time.After(time.Minute):
					t.Errorf("request %d never came", at)
				}
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
				keysAreNowhere(t, dir, nil)
				if _, err := os.Stat(filepath.Join(dir, "data/merged.jsonl")); err == nil {
					t.Errorf("killed at request %d: a price file is there", at)
				}
				if fetch(dir) != want {
					t.Errorf("killed at request %d: the file differs", at)
				}
				if asked.Load() != p.requests+1 {
					t.Errorf("killed at request %d: %d requests in all, want %d", at, asked.Load(), p.requests+1)
				}
			}
		})
	}
}

// A source that refuses, repeats the key or sends elsewhere makes a key appear nowhere, and nobody else gets it.
func TestPricesFetch_Keys(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { t.Errorf("a request went elsewhere: %s", r.URL) }))
	t.Cleanup(elsewhere.Close)
	for name, answer := range map[string]func(w http.ResponseWriter, r *http.Request){
		"it is sent elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+r.URL.String(), http.StatusFound)
		},
		"it repeats the keys": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"Information": "We have detected your API key as %s and our standard API rate limit is 25 requests per day."}`, strings.Join(priceKeys, " "))
		},
		"it refuses the keys": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, priceKeys)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(answer))
			t.Cleanup(server.Close)
			for _, p := range priceSourcesPlayed() {
				if p.name != "alpaca" && p.name != "alphavantage" {
					continue
				}
				dir := t.TempDir()
				cmd := p.fetchFrom(server.URL, dir)
				out, _ := cmd.CombinedOutput()
				if code := cmd.ProcessState.ExitCode(); code != 1 {
					t.Errorf("%s: exit %d\n%s", p.name, code, out)
				}
				keysAreNowhere(t, dir, out)
			}
		})
	}
}
