package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/rs/zerolog"

	"mcp-trade/audit"
	"mcp-trade/internal/jsonrpc"
	"mcp-trade/market"
	"mcp-trade/store/filestore"
	"mcp-trade/tools"
)

// saying is a handler with an answer for each name.
type saying map[string]any

func (s saying) Handle(_ context.Context, r *jsonrpc.Request) any { return s[r.Name] }

func (saying) Lane(context.Context, *jsonrpc.Message) (string, bool) { return "", false }

func TestMeters(t *testing.T) {
	var log bytes.Buffer
	s := newSettings()
	s.metrics, s.slowCall, s.log = "127.0.0.1:0", time.Nanosecond, zerolog.New(&log)
	m := s.newMeters()
	h := audit.Watch(m.watch(saying{
		"buy":    json.RawMessage(`{"jsonrpc":"2.0","id":1,"result":{"content":[],"structuredContent":{"id":1}}}`),
		"sell":   json.RawMessage(`{"jsonrpc":"2.0","id":1,"result":{"content":[],"structuredContent":{"error":"no","code":"insufficient_position","class":"refusal"}}}`),
		"secret": jsonrpc.ErrorMessage(json.RawMessage("1"), mcp.INVALID_PARAMS, "no such tool"),
		"":       jsonrpc.ErrorMessage(json.RawMessage("1"), mcp.METHOD_NOT_FOUND, "no such method"),
	}), m.counts())
	for _, name := range []string{"buy", "buy", "sell", "secret"} {
		h.Handle(t.Context(), &jsonrpc.Request{Message: jsonrpc.Message{Method: "tools/call", Name: name}})
	}
	h.Handle(t.Context(), &jsonrpc.Request{Message: jsonrpc.Message{Method: "secret/method"}})
	h.Handle(t.Context(), &jsonrpc.Request{Message: jsonrpc.Message{Method: "secret/method", Name: "secret"}}) // refused for something else
	m.denied(401)
	w := httptest.NewRecorder()
	m.pages(false).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://10.0.0.1:9000/metrics", nil))
	text := w.Body.String()
	for _, want := range []string{
		`mcp_trade_calls_total{method="tools/call",tool="buy",outcome="ok",code=""} 2`,
		`mcp_trade_calls_total{method="tools/call",tool="sell",outcome="refused",code="insufficient_position"} 1`,
		`mcp_trade_calls_total{method="tools/call",tool="",outcome="refused",code="-32602"} 1`,
		`mcp_trade_calls_total{method="other",tool="",outcome="refused",code="-32601"} 1`, `mcp_trade_calls_total{method="other",tool="",outcome="refused",code="-32602"} 1`,
		`mcp_trade_call_duration_seconds_count{method="tools/call",tool="buy"} 2`,
		`mcp_trade_call_duration_seconds_bucket{method="tools/call",tool="buy",le="+Inf"} 2`,
		`mcp_trade_denied_total{status="401"} 1`, "mcp_trade_requests_in_flight 0", "go_goroutines",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "secret") || strings.Contains(log.String(), "secret") || strings.Count(log.String(), "slow call") != 6 {
		t.Errorf("%s\n%s", text, log.String())
	}
}

// Profiles show what is in memory: they are for this machine, and for no page of another site that has its name point here.
func TestMeters_Pages(t *testing.T) {
	s := newSettings()
	s.metrics = "127.0.0.1:0"
	m := s.newMeters()
	for _, c := range []struct {
		profiles bool
		address  string
		status   int
	}{
		{true, "http://127.0.0.1:9000/metrics", 200}, {true, "http://localhost:9000/debug/pprof/heap", 200}, {true, "http://evil.example:9000/metrics", 403},
		{true, "http://evil.example:9000/debug/pprof/heap", 403}, {false, "http://10.0.0.1:9000/metrics", 200}, {false, "http://10.0.0.1:9000/debug/pprof/heap", 404},
		{false, "http://127.0.0.1:9000/", 404},
	} {
		w := httptest.NewRecorder()
		m.pages(c.profiles).ServeHTTP(w, httptest.NewRequest(http.MethodGet, c.address, nil))
		if w.Code != c.status {
			t.Errorf("%s, profiles %v: %d, want %d", c.address, c.profiles, w.Code, c.status)
		}
	}
	if m := newSettings().newMeters(); m != nil || m.watch(saying{}) == nil || m.counts() != nil {
		t.Error("calls are counted that nobody asked to count")
	}
}

func TestReadiness(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "merged.jsonl")
	line := `{"Meta Data": {"2. Symbol": "AAPL"}, "Time Series (Daily)": {"2025-10-01": {"1. open": "10", "2. high": "11", "3. low": "9", "4. close": "10", "5. volume": "1"}}}` + "\n"
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(line)
	prices, err := market.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer prices.Close()
	s := filestore.New(dir, dir)
	defer s.Close()
	r := &readiness{rooms: rooms{file: s, ledgers: s}, dataDir: dir, tools: &tools.Deps{}}
	check := func(want string) {
		t.Helper()
		r.at = time.Time{} // what was found is old
		if err := r.check(t.Context()); (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
	check("there are no prices")
	r.tools.Prices = prices
	if err := r.check(t.Context()); err == nil {
		t.Error("it looks at each probe")
	}
	check("")
	write(line[:50])
	check("the prices cannot be read, or have changed")
	write(line)
	check("")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	r.at = time.Time{}
	if err := r.check(gone); err != nil {
		t.Errorf("whoever asked is gone, and others are told: %v", err)
	}
}
