// What a collector of OpenTelemetry hears of the calls of a server, and what a server does without one.

package integration_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	headerSecret = "S3CRET-of-the-collector"
	callerTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	otherTrace   = "0af7651916cd43dd8448eb211c80319c"
)

// collector takes spans and metrics as JSON.
type collector struct {
	*httptest.Server
	mu     sync.Mutex
	bodies map[string][]string // by path
	keys   map[string]bool     // the values of the header that is a secret
}

func startCollector(t *testing.T) *collector {
	c := &collector{bodies: map[string][]string{}, keys: map[string]bool{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.bodies[r.URL.Path] = append(c.bodies[r.URL.Path], string(body))
		c.keys[r.Header.Get("X-Key")] = true
	}))
	t.Cleanup(c.Close)
	return c
}

// environment has a server send to the collector.
func (c *collector) environment() []string {
	return []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL, "OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "OTEL_EXPORTER_OTLP_HEADERS=x-key=" + headerSecret, "OTEL_SERVICE_NAME=desk",
	}
}

// sentSpan is a span that a collector has.
type sentSpan struct {
	TraceID, SpanID, ParentSpanID, TraceState, Name string
	Kind                                            int
	Attributes                                      keyed
	Links                                           []struct{ TraceID, SpanID string }
	Status                                          struct{ Code int }
	Start                                           string `json:"startTimeUnixNano"`
	End                                             string `json:"endTimeUnixNano"`
}

// keyed are attributes.
type keyed map[string]string

func (k *keyed) UnmarshalJSON(text []byte) error {
	var pairs []struct {
		Key   string
		Value struct{ StringValue string }
	}
	err := json.Unmarshal(text, &pairs)
	*k = keyed{}
	for _, p := range pairs {
		(*k)[p.Key] = p.Value.StringValue
	}
	return err
}

// spans are those that came, by the id of their request, and the resource that they are of.
func (c *collector) spans(t *testing.T) (spans map[string]sentSpan, of keyed) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	spans = map[string]sentSpan{}
	for _, body := range c.bodies["/v1/traces"] {
		var m struct {
			ResourceSpans []struct {
				Resource   struct{ Attributes keyed }
				ScopeSpans []struct{ Spans []sentSpan }
			}
		}
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		of = m.ResourceSpans[0].Resource.Attributes
		for _, s := range m.ResourceSpans[0].ScopeSpans[0].Spans {
			spans[s.Attributes["jsonrpc.request.id"]] = s
		}
	}
	return spans, of
}

// counts are how many operations the newest metrics count, by method, tool and kind of error.
func (c *collector) counts(t *testing.T) (counts map[string]string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	counts = map[string]string{}
	var m struct {
		ResourceMetrics []struct {
			ScopeMetrics []struct {
				Metrics []struct {
					Name, Unit string
					Histogram  struct {
						AggregationTemporality int
						DataPoints             []struct {
							Attributes   keyed
							Count        string
							BucketCounts []string
							Bounds       []float64 `json:"explicitBounds"`
						}
					}
				}
			}
		}
	}
	bodies := c.bodies["/v1/metrics"]
	if len(bodies) == 0 {
		t.Fatal("no metrics came")
	}
	if err := json.Unmarshal([]byte(bodies[len(bodies)-1]), &m); err != nil {
		t.Fatal(err)
	}
	h := m.ResourceMetrics[0].ScopeMetrics[0].Metrics[0]
	if h.Name != "mcp.server.operation.duration" || h.Unit != "s" || h.Histogram.AggregationTemporality != 2 {
		t.Errorf("%+v", h)
	}
	for _, p := range h.Histogram.DataPoints {
		if len(p.BucketCounts) != 15 || len(p.Bounds) != 14 || p.Bounds[0] != 0.01 || p.Bounds[13] != 300 {
			t.Errorf("%+v", p)
		}
		counts[strings.Join([]string{p.Attributes["mcp.method.name"], p.Attributes["gen_ai.tool.name"], p.Attributes["error.type"]}, " ")] = p.Count
	}
	return counts
}

// holds fails the test if anything that came, or a log, has one of some texts.
func (c *collector) holds(t *testing.T, log string, texts ...string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	all := strings.Join(slices.Concat(slices.Collect(maps.Values(c.bodies))...), "\n")
	for _, text := range texts {
		if strings.Contains(all, text) || strings.Contains(log, text) {
			t.Errorf("%q is in what was sent, or logged\n%s\n%s", text, all, log)
		}
	}
	if len(c.keys) != 1 || !c.keys[headerSecret] {
		t.Errorf("the headers came as %v", c.keys)
	}
}

// want is what a span must be.
type want struct {
	name, trace, parent, state string
	link                       string // the trace
	failed                     bool
	attributes                 keyed
}

func (w want) compare(t *testing.T, id string, s sentSpan) {
	t.Helper()
	for key, value := range w.attributes {
		if s.Attributes[key] != value {
			t.Errorf("%s: %s is %q, want %q", id, key, s.Attributes[key], value)
		}
	}
	link := ""
	if len(s.Links) == 1 {
		link = s.Links[0].TraceID
	}
	sameTrace := s.TraceID == w.trace || w.trace == "" && len(s.TraceID) == 32
	if s.Name != w.name || !sameTrace || s.ParentSpanID != w.parent || s.TraceState != w.state || link != w.link || (s.Status.Code == 2) != w.failed || s.Kind != 2 || len(s.SpanID) != 16 || s.End < s.Start {
		t.Errorf("%s is %+v, want %+v", id, s, w)
	}
}

const span1, span2 = "00f067aa0ba902b7", "b7ad6b7169203331"

// traced is the request that calls a tool, with a _meta.
func traced(id, tool, arguments, meta string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%q,"method":"tools/call","params":{"name":%q,"arguments":%s,"_meta":{%s}}}`, id, tool, arguments, meta)
}

const (
	parentInMeta = `"traceparent":"00-` + callerTrace + `-` + span1 + `-01","tracestate":"vendor=1"`
	unsampled    = `"traceparent":"00-` + callerTrace + `-` + span1 + `-00"`
)

func TestTelemetry_HTTP(t *testing.T) {
	t.Parallel()
	c, p := startCollector(t), onFiles(t)
	p.open(t, "alice-quant", "1000", plainDays[0])
	token := p.token(t, "alice-quant")
	p.env = c.environment()
	s := p.serveHTTP(t, "127.0.0.1:0")
	for _, call := range []struct{ text, parent string }{
		{traced("ok", "buy", `{"symbol":"AAPL","amount":1}`, parentInMeta), ""},
		{traced("refused", "buy", `{"symbol":"AAPL","amount":7777777}`, parentInMeta), "00-" + otherTrace + "-" + span2 + "-01"},
		{traced("unknown", "buy-alice-quant", `{}`, ""), "00-" + otherTrace + "-" + span2 + "-01"},
		{traced("unsampled", "get_portfolio", `{}`, unsampled), ""},
		{traced("torn", "get_portfolio", `{}`, `"traceparent":"00-`+callerTrace+`-0-01"`), ""},
		{`{"jsonrpc":"2.0","id":"other","method":"alice-quant/do"}`, ""},
		{`{"jsonrpc":"2.0","id":"read","method":"resources/read","params":{"uri":"briefing://alice-quant"}}`, ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url("/mcp"), strings.NewReader(call.text))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}, "Mcp-Protocol-Version": {"2025-11-25"}}
		if call.parent != "" {
			r.Header.Set("traceparent", call.parent)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", call.text, response.StatusCode, text)
		}
	}
	s.stop(t)
	spans, of := c.spans(t)
	if of["service.name"] != "desk" || of["service.version"] == "" || of["service.instance.id"] == "" || len(spans) != 6 {
		t.Errorf("%d spans of %v", len(spans), of)
	}
	for id, w := range map[string]want{
		"ok": {"tools/call buy", callerTrace, span1, "vendor=1", "", false, keyed{
			"mcp.method.name": "tools/call", "gen_ai.tool.name": "buy", "gen_ai.operation.name": "execute_tool", "mcp.protocol.version": "2025-11-25", "error.type": "",
			"rpc.response.status_code": "", "network.transport": "tcp", "network.protocol.name": "http", "client.address": "127.0.0.1", "mcp_trade.code": "",
		}},
		"refused": {"tools/call buy", callerTrace, span1, "vendor=1", otherTrace, true, keyed{"error.type": "tool_error", "rpc.response.status_code": "", "mcp_trade.code": "insufficient_cash", "mcp_trade.outcome": "refused"}},
		"unknown": {"tools/call", otherTrace, span2, "", "", true, keyed{"gen_ai.tool.name": "", "error.type": "-32602", "rpc.response.status_code": "-32602", "mcp_trade.code": ""}},
		"torn":    {"tools/call get_portfolio", "", "", "", "", false, nil},
		"other":   {"_OTHER", "", "", "", "", true, keyed{"mcp.method.name": "_OTHER", "error.type": "-32601"}},
		"read":    {"resources/read", "", "", "", "", false, keyed{"mcp.method.name": "resources/read", "mcp.resource.uri": "", "gen_ai.operation.name": ""}},
	} {
		w.compare(t, id, spans[id])
	}
	counts := map[string]string{
		"tools/call buy ": "1", "tools/call buy tool_error": "1", "tools/call  -32602": "1", "tools/call get_portfolio ": "2", "_OTHER  -32601": "1", "resources/read  ": "1",
	}
	if got := c.counts(t); !maps.Equal(got, counts) {
		t.Errorf("%v, want %v", got, counts)
	}
	c.holds(t, s.log.String(), token, headerSecret, "alice-quant", "AAPL", "7777777")
}

func TestTelemetry_Stdio(t *testing.T) {
	t.Parallel()
	c, p := startCollector(t), onFiles(t)
	p.open(t, "alice-quant", "1000", plainDays[0])
	p.env = append(c.environment(), "OTEL_TRACES_SAMPLER=always_on") // whatever the caller says
	s := p.pipe(t, "alice-quant")
	const modern = `,"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"x","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}`
	for _, line := range []string{
		`{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`,
		traced("ok", "sell", `{"symbol":"AAPL","amount":1}`, unsampled), traced("modern", "get_portfolio", `{}`, parentInMeta+modern),
	} {
		s.send(t, line+"\n")
		s.answer(t)
	}
	if code := s.finish(t); code != 0 {
		t.Errorf("exit %d\n%s", code, s.log)
	}
	spans, _ := c.spans(t)
	for id, w := range map[string]want{
		"hello":  {"initialize", "", "", "", "", false, keyed{"mcp.protocol.version": "2025-06-18", "network.transport": "pipe", "network.protocol.name": ""}},
		"ok":     {"tools/call sell", callerTrace, span1, "", "", true, keyed{"mcp.protocol.version": "2025-06-18", "mcp_trade.code": "insufficient_position"}},
		"modern": {"tools/call get_portfolio", callerTrace, span1, "vendor=1", "", false, keyed{"mcp.protocol.version": "2026-07-28"}},
	} {
		w.compare(t, id, spans[id])
	}
	c.holds(t, s.log.String(), headerSecret, "alice-quant", "AAPL")
}

// No answer waits for a collector, and the server ends without it.
func TestTelemetry_NoCollector(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.open(t, "alice", "1000000", plainDays[0])
	hanging, err := net.Listen("tcp", "127.0.0.1:0") // it never answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hanging.Close() })
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "20")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(refusing.Close)
	for name, c := range map[string]struct {
		env  []string
		says string
	}{
		"absent":   {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1"}, "its host refuses the connection"},
		"refusing": {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + refusing.URL}, "it answers with the status 503"},
		"hanging":  {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + hanging.Addr().String(), "OTEL_EXPORTER_OTLP_TIMEOUT=0"}, "the program ended before"}, // it waits as long as it may
		"another protocol": {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"},
			"OTEL_EXPORTER_OTLP_PROTOCOL: the protocols are http/protobuf and http/json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := p.command("stdio", "--model-id", "alice")
			cmd.Env = append(append(cmd.Env, c.env...), "OTEL_EXPORTER_OTLP_HEADERS=x-key="+headerSecret, "OTEL_BSP_SCHEDULE_DELAY=1", "OTEL_METRIC_EXPORT_INTERVAL=1")
			s := pipeTo(t, cmd)
			for i := range 20 {
				s.send(t, callLine(i, "get_portfolio", "{}"))
				if r := s.answer(t).reply(t); r.failed {
					t.Errorf("%+v", r)
				}
			}
			if code := s.finish(t); code != 0 || !strings.Contains(s.log.String(), c.says) || strings.Contains(s.log.String(), headerSecret) || strings.Count(s.log.String(), "\n") > 4 {
				t.Errorf("exit %d\n%s", code, s.log)
			}
		})
	}
}

// Nothing is sent that was not asked for, nor where an environment file says.
func TestTelemetry_Off(t *testing.T) {
	t.Parallel()
	c, p := startCollector(t), onFiles(t)
	p.open(t, "alice", "1000000", plainDays[0])
	if err := os.WriteFile(filepath.Join(p.dir, ".env"), []byte(strings.Join(c.environment(), "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, env := range map[string][]string{
		"an environment file": nil,
		"disabled":            append(c.environment(), "OTEL_SDK_DISABLED=true"),
		"no exporters":        append(c.environment(), "OTEL_TRACES_EXPORTER=none", "OTEL_METRICS_EXPORTER=none"),
		"never":               append(c.environment(), "OTEL_TRACES_SAMPLER=always_off", "OTEL_METRICS_EXPORTER=none"),
	} {
		cmd := p.command("stdio", "--model-id", "alice")
		cmd.Env = append(cmd.Env, env...)
		s := pipeTo(t, cmd)
		s.send(t, callLine(1, "get_portfolio", "{}"))
		s.answer(t)
		s.finish(t)
		if warned := strings.Contains(s.log.String(), "OTEL_EXPORTER_OTLP_ENDPOINT of .env is not heeded"); warned != (env == nil) || strings.Contains(s.log.String(), headerSecret) {
			t.Errorf("%s: %s", name, s.log)
		}
	}
	if len(c.bodies) > 0 {
		t.Errorf("it got %v", c.bodies)
	}
}
