// How mcp-trade http is watched: metrics in Prometheus' form and profiles, at an address of their own, and the calls that take long.

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"slices"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/rs/zerolog"

	"mcp-trade/audit"
	"mcp-trade/internal/jsonrpc"
	"mcp-trade/serve"
)

// meters count the calls of a server. Their labels are names of this program's, and never of a caller or an account.
type meters struct {
	set    *metrics.Set
	flying atomic.Int64
	slow   time.Duration // a call that takes as long is logged; 0: none is
	log    zerolog.Logger
}

// buckets of durations, in seconds.
var buckets = []float64{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// newMeters returns nil if nobody asked for any.
func (s *settings) newMeters() *meters {
	if s.metrics == "" && s.slowCall == 0 {
		return nil
	}
	m := &meters{set: metrics.NewSet(), slow: s.slowCall, log: s.log}
	m.set.NewGauge("mcp_trade_requests_in_flight", func() float64 { return float64(m.flying.Load()) })
	return m
}

// watch returns a handler whose calls that are under way are counted.
func (m *meters) watch(h serve.Handler) serve.Handler {
	if m == nil {
		return h
	}
	return flyingCalls{h, m}
}

// flyingCalls counts the calls of a handler that are under way.
type flyingCalls struct {
	serve.Handler
	*meters
}

// Handle implements [serve.Handler].
func (f flyingCalls) Handle(ctx context.Context, r *jsonrpc.Request) any {
	f.flying.Add(1)
	defer f.flying.Add(-1)
	return f.Handler.Handle(ctx, r)
}

// counts returns what counts each call, nil if nobody asked for that.
func (m *meters) counts() func(context.Context, audit.Call) {
	if m == nil {
		return nil
	}
	return m.count
}

func (m *meters) count(_ context.Context, c audit.Call) {
	method, tool, _ := c.Known()
	method = cmp.Or(method, "other")
	labels := fmt.Sprintf("method=%q,tool=%q", method, tool)
	m.set.GetOrCreateCounter(fmt.Sprintf("mcp_trade_calls_total{%s,outcome=%q,code=%q}", labels, c.Outcome, c.Code)).Inc()
	m.set.GetOrCreatePrometheusHistogramExt("mcp_trade_call_duration_seconds{"+labels+"}", buckets).Update(c.Took.Seconds())
	if m.slow > 0 && c.Took >= m.slow {
		m.log.Warn().Str("method", method).Str("tool", tool).Str("outcome", c.Outcome).Str("code", c.Code).Dur("ms", c.Took).Msg("slow call")
	}
}

// denied counts a request that never came to the handler.
func (m *meters) denied(status int) {
	if m != nil {
		m.set.GetOrCreateCounter(fmt.Sprintf("mcp_trade_denied_total{status=\"%d\"}", status)).Inc()
	}
}

// serveMetrics serves the metrics at their address, until done is called.
func (s *settings) serveMetrics(m *meters) (done func(), err error) {
	if s.metrics == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", s.metrics)
	if err != nil {
		return nil, fmt.Errorf("--metrics: %w", err)
	}
	server := &http.Server{Handler: m.pages(isLoopback(l.Addr())), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error().Err(err).Msg("metrics are served no more")
		}
	}()
	s.log.Info().Str("metrics", l.Addr().String()).Msg("serving metrics at /metrics")
	return func() { server.Close() }, nil
}

// pages are the metrics, and on this machine alone the profiles: who reads those sees what is in memory.
func (m *meters) pages(profiles bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		m.write(w)
	})
	if profiles {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if profiles && (err != nil || !slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, host)) {
			http.Error(w, "a page of another site may not read this", http.StatusForbidden) // a name that was made to point here
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (m *meters) write(w io.Writer) {
	m.set.WritePrometheus(w)
	metrics.WriteProcessMetrics(w)
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
