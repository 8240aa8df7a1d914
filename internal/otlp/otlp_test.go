package otlp

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"mcp-trade/internal/testenv"
)

const (
	secret = "S3CRET"
	parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
)

var noon = time.Date(2025, 10, 2, 12, 0, 0, 0, time.UTC)

func TestParseParent(t *testing.T) {
	for _, c := range []struct {
		text, state   string
		is, isSampled bool
		keeps         string
	}{
		{parent, "a=1,b=2", true, true, "a=1,b=2"},
		{strings.TrimSuffix(parent, "1") + "2", "", true, false, ""},
		{"cc" + parent[2:] + "-what-comes-later", "", true, true, ""},
		{parent + "-more", "", false, false, ""}, // version 00 has no more
		{"cc" + parent[2:] + "more", "", false, false, ""},
		{"ff" + parent[2:], "", false, false, ""},
		{strings.ToUpper(parent), "", false, false, ""},
		{parent[:54], "", false, false, ""},
		{strings.ReplaceAll(parent, "-", "_"), "", false, false, ""},
		{"00-" + strings.Repeat("0", 32) + parent[35:], "", false, false, ""},
		{parent[:36] + strings.Repeat("0", 16) + "-01", "", false, false, ""},
		{"", "", false, false, ""},
		{parent, "a=\n", true, true, ""},
		{parent, strings.Repeat("a", 513), true, true, ""},
	} {
		p := ParseParent(c.text, c.state)
		if (p != Parent{}) != c.is || p.sampled != c.isSampled || p.state != c.keeps || c.is && hex.EncodeToString(p.trace[:])+hex.EncodeToString(p.span[:]) != parent[3:35]+parent[36:52] {
			t.Errorf("%s, %q is read as %+v", c.text, c.state, p)
		}
	}
}

func FuzzParseParent(f *testing.F) {
	f.Add(parent, "a=1")
	f.Fuzz(func(t *testing.T, text, state string) {
		if p := ParseParent(text, state); p != (Parent{}) && (!strings.Contains(text, hex.EncodeToString(p.trace[:])) || len(p.state) > maxState) {
			t.Errorf("%q is read as %+v", text, p)
		}
	})
}

func TestSampler(t *testing.T) {
	low, high := [16]byte{8: 0x10}, [16]byte{8: 0xf0}
	yes, no := ParseParent(parent, ""), ParseParent(parent[:54]+"0", "")
	for _, c := range []struct {
		kind, share         string
		root, kept, dropped bool // a trace of its own, and those of callers
		of                  [16]byte
	}{
		{"", "", true, true, false, low},
		{"always_on", "", true, true, true, high},
		{"always_off", "", false, false, false, low},
		{"parentbased_always_off", "", false, true, false, low},
		{"traceidratio", "0.5", true, true, true, low},
		{"traceidratio", "0.5", false, false, false, high},
		{"traceidratio", "0", false, false, false, low},
		{"traceidratio", "", true, true, true, high},
		{"traceidratio", "2", true, true, true, high}, // with a warning
		{"parentbased_traceidratio", "0.5", false, true, false, high},
		{"sometimes", "", true, true, false, high}, // likewise
	} {
		warned := ""
		get := map[string]string{"OTEL_TRACES_SAMPLER": c.kind, "OTEL_TRACES_SAMPLER_ARG": c.share}
		s := variables{func(name string) string { return get[name] }, func(text string) { warned += text }}.sampler()
		if s.takes(c.of, Parent{}) != c.root || s.takes(c.of, yes) != c.kept || s.takes(c.of, no) != c.dropped || (warned != "") != (c.share == "2" || c.kind == "sometimes") {
			t.Errorf("%+v: %+v, %q", c, s, warned)
		}
	}
}

func TestVariables(t *testing.T) {
	for _, c := range []struct {
		name, env       string
		traces, metrics string // where they go, "" if they are not sent
		warns           string
	}{
		{"none", "", "", "", ""},
		{"others", "OTEL_SERVICE_NAME=x OTEL_RESOURCE_ATTRIBUTES=a=b OTEL_EXPORTER_OTLP_HEADERS=a=b", "", "", ""},
		{"one address", "OTEL_EXPORTER_OTLP_ENDPOINT=http://h:1", "http://h:1/v1/traces", "http://h:1/v1/metrics", ""},
		{"with a path", "OTEL_EXPORTER_OTLP_ENDPOINT=https://h/otlp/", "https://h/otlp/v1/traces", "https://h/otlp/v1/metrics", ""},
		{"of traces", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://h/in", "https://h/in", "", ""},
		{"of each", "OTEL_EXPORTER_OTLP_ENDPOINT=http://h:1 OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://m:2/x", "http://h:1/v1/traces", "http://m:2/x", ""},
		{"exporters alone", "OTEL_TRACES_EXPORTER=console,otlp OTEL_METRICS_EXPORTER=none", "http://localhost:4318/v1/traces", "", ""},
		{"no traces", "OTEL_EXPORTER_OTLP_ENDPOINT=http://h:1 OTEL_TRACES_EXPORTER=none", "", "http://h:1/v1/metrics", ""},
		{"an exporter that is not here", "OTEL_EXPORTER_OTLP_ENDPOINT=http://h:1 OTEL_METRICS_EXPORTER=prometheus", "http://h:1/v1/traces", "", "OTEL_METRICS_EXPORTER: there is no such"},
		{"disabled", "OTEL_EXPORTER_OTLP_ENDPOINT=http://h:1 OTEL_SDK_DISABLED=TRUE", "", "", ""},
		{"no address", "OTEL_EXPORTER_OTLP_ENDPOINT=h:1/" + secret, "", "", "OTEL_EXPORTER_OTLP_ENDPOINT: it is no address"},
		{"a protocol for one", "OTEL_EXPORTER_OTLP_ENDPOINT=http://h:1 OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=grpc OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=http/json", "", "http://h:1/v1/metrics", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: the protocols are"},
		{"headers that are none", "OTEL_EXPORTER_OTLP_ENDPOINT=http://h:1 OTEL_EXPORTER_OTLP_HEADERS=" + secret, "http://h:1/v1/traces", "http://h:1/v1/metrics", "OTEL_EXPORTER_OTLP_HEADERS: it is no list"},
		{"no time", "OTEL_EXPORTER_OTLP_ENDPOINT=http://h:1 OTEL_EXPORTER_OTLP_TIMEOUT=-1 OTEL_BSP_SCHEDULE_DELAY=1s", "http://h:1/v1/traces", "http://h:1/v1/metrics", `OTEL_BSP_SCHEDULE_DELAY="1s" is no whole number of milliseconds; it is taken as 5000`},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := map[string]string{}
			for _, pair := range strings.Fields(c.env) {
				name, value, _ := strings.Cut(pair, "=")
				env[name] = value
			}
			var log bytes.Buffer
			e := New(func(name string) string { return env[name] }, "mcp-trade", "1", Histogram{}, time.Now, zerolog.New(&log))
			e.End()
			goes := func(s *signal) string {
				if s == nil {
					return ""
				}
				return s.address
			}
			if e == nil {
				e = &Exporter{}
			}
			text := strings.ReplaceAll(log.String(), `\"`, `"`)
			if goes(e.traces) != c.traces || goes(e.metrics) != c.metrics || !strings.Contains(text, c.warns) || c.warns == "" && text != "" || strings.Contains(text, secret) {
				t.Errorf("traces %q, metrics %q\n%s", goes(e.traces), goes(e.metrics), text)
			}
		})
	}
}

func TestVariables_Lists(t *testing.T) {
	env := map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:1", "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%2Cb%3D, x-team = red ", "OTEL_EXPORTER_OTLP_METRICS_HEADERS": "x=1",
		"OTEL_RESOURCE_ATTRIBUTES": "service.name=other,team=r%C3%A9d", "OTEL_SERVICE_NAME": "desk",
	}
	v := variables{func(name string) string { return env[name] }, func(text string) { t.Error(text) }}
	if s, m := v.signal(traces), v.signal(metrics); s.header.Get("Api-Key") != "a,b=" || s.header.Get("X-Team") != "red" || len(m.header) != 1 || m.header.Get("X") != "1" {
		t.Errorf("%v, %v", s.header, m.header)
	}
	want := "[{service.name {desk}} {team {réd}} {service.version {1}} {service.instance.id {i}} {telemetry.sdk.name {mcp-trade}} {telemetry.sdk.language {go}} {telemetry.sdk.version {1}}]"
	if got := fmt.Sprint(v.resource("mcp-trade", "1", "i").Attributes); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	heeded := map[string]bool{}
	for _, name := range Variables() {
		heeded[name] = true
	}
	for name := range env {
		if !heeded[name] {
			t.Errorf("%s is not among those that are heeded", name)
		}
	}
}

// The binary form is the one that OpenTelemetry's own library for Python 1.45 reads as this, and writes again to the same bytes.
func TestEncode(t *testing.T) {
	p := ParseParent(parent, "a=1")
	s := span{
		Trace: p.trace[:], ID: id{1, 2, 3, 4, 5, 6, 7, 8}, State: "a=1", Parent: p.span[:], Name: "tools/call buy", Kind: kindServer, Start: 1, End: 1 << 60,
		Attributes: []keyValue{pair("k", "\xff")}, Links: []link{{p.trace[:], p.span[:], "", p.flags()}}, Status: status{statusError}, Flags: 0x301,
	}
	h := histogram{[]point{{1, 2, 3, 0.5, []fixed64{1, 0, 2}, []float64{0.01, 300}, nil}}, cumulative}
	for _, c := range []struct {
		message      any
		json, binary string
	}{
		{s, `{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"0102030405060708","traceState":"a=1","parentSpanId":"00f067aa0ba902b7","name":"tools/call buy","kind":2,"startTimeUnixNano":"1","endTimeUnixNano":"1152921504606846976","attributes":[{"key":"k","value":{"stringValue":"` + "\ufffd" + `"}}],"links":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7","flags":769}],"status":{"code":2},"flags":769}`,
			"0a104bf92f3577b34da6a3ce929d0e0e4736120801020304050607081a03613d31220800f067aa0ba902b72a0e746f6f6c732f63616c6c2062757930023901000000000000004100000000000000104a0a0a016b12050a03efbfbd6a210a104bf92f3577b34da6a3ce929d0e0e4736120800f067aa0ba902b735010300007a021802850101030000"},
		{metric{"m", "d", "s", h}, `{"name":"m","description":"d","unit":"s","histogram":{"dataPoints":[{"startTimeUnixNano":"1","timeUnixNano":"2","count":"3","sum":0.5,"bucketCounts":["1","0","2"],"explicitBounds":[0.01,300]}],"aggregationTemporality":2}}`,
			"0a016d1201641a01734a540a5011010000000000000019020000000000000021030000000000000029000000000000e03f32180100000000000000000000000000000002000000000000003a107b14ae47e17a843f0000000000c072401002"},
	} {
		text, kind := encode(c.message, true)
		if string(text) != c.json || kind != "application/json" || !json.Valid(text) {
			t.Errorf("%s\n%s", kind, text)
		}
		if text, kind = encode(c.message, false); hex.EncodeToString(text) != c.binary || kind != "application/x-protobuf" {
			t.Errorf("%s\n%x", kind, text)
		}
	}
}

// taker is a collector that answers as it is told, the last answer again and again.
type taker struct {
	*httptest.Server
	mu      sync.Mutex
	answers []http.HandlerFunc
	bodies  []string
}

func newTaker(t *testing.T, answers ...http.HandlerFunc) *taker {
	c := &taker{answers: answers}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		answer := c.answers[min(len(c.bodies), len(c.answers)-1)]
		c.bodies = append(c.bodies, string(body))
		c.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *taker) got() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.bodies...)
}

func answering(status int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if len(header) == 2 {
			w.Header().Set(header[0], header[1])
		}
		w.WriteHeader(status)
	}
}

// telling returns an exporter of traces to a collector.
func (c *taker) telling(log io.Writer, delay string) *Exporter {
	env := map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": c.URL + "/" + secret, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json", "OTEL_EXPORTER_OTLP_HEADERS": "k=" + secret, "OTEL_BSP_SCHEDULE_DELAY": delay}
	return New(func(name string) string { return env[name] }, "mcp-trade", "1", Histogram{}, time.Now, zerolog.New(log))
}

func TestExporter_Sends(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		answers []http.HandlerFunc
		asked   int
		warns   string
	}{
		{"at once", []http.HandlerFunc{answering(200)}, 1, ""},
		{"a collector that asks for a pause", []http.HandlerFunc{answering(503, "Retry-After", "0.01"), answering(429, "Retry-After", "0.01"), answering(200)}, 3, ""},
		{"one that takes no such message", []http.HandlerFunc{answering(400)}, 1, "did not get traces: it answers with the status 400"},
		{"one that fails for good", []http.HandlerFunc{answering(500)}, 1, "it answers with the status 500"},
		{"one that sends elsewhere", []http.HandlerFunc{answering(307, "Location", "/")}, 1, "is not followed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			to := newTaker(t, c.answers...)
			e := to.telling(&log, "1")
			e.Tell(Span{Name: strings.Repeat("n", 300), Began: noon, Took: time.Second, Details: []Attribute{{"long", strings.Repeat("v", 300)}, {"none", ""}}})
			testenv.Eventually(t, "the message", func() error {
				if n := len(to.got()); n != c.asked {
					return fmt.Errorf("%d requests", n)
				}
				return nil
			})
			e.End()
			body := to.got()[0]
			if !strings.Contains(body, `"n`+strings.Repeat("n", 255)+`"`) || !strings.Contains(body, `"`+strings.Repeat("v", 256)+`"`) || strings.Contains(body, "none") || !strings.Contains(body, `"endTimeUnixNano":"1759406401000000000"`) {
				t.Error(body)
			}
			if !strings.Contains(log.String(), c.warns) || c.warns == "" && log.Len() > 0 || c.warns != "" && !strings.Contains(log.String(), "1 of 1 spans did not reach") || strings.Contains(log.String(), secret) {
				t.Error(log.String())
			}
		})
	}
}

// While a collector takes its time, spans wait; what there is no room for is lost, counted and told once.
func TestExporter_Full(t *testing.T) {
	t.Parallel()
	goOn := make(chan struct{})
	to := newTaker(t, func(http.ResponseWriter, *http.Request) { <-goOn }, answering(200))
	var log bytes.Buffer
	e := to.telling(&log, "1")
	e.Tell(Span{Name: "first"})
	testenv.Eventually(t, "the first message", func() error {
		if len(to.got()) == 0 {
			return fmt.Errorf("none came")
		}
		return nil
	})
	for range maxQueue + 100 {
		e.Tell(Span{Name: "next"})
	}
	close(goOn)
	e.End()
	sent := strings.Count(strings.Join(to.got(), ""), `"name":"next"`)
	if sent != maxQueue || strings.Count(log.String(), "did not get traces") != 1 || !strings.Contains(log.String(), fmt.Sprintf("100 of %d spans did not reach", maxQueue+101)) {
		t.Errorf("%d were sent in %d messages\n%s", sent, len(to.got()), log.String())
	}
	e.Tell(Span{Name: "late"}) // it is lost, and nothing else happens
}

func TestHistogram(t *testing.T) {
	env := map[string]string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": newTaker(t, answering(200)).URL}
	e := New(func(name string) string { return env[name] }, "mcp-trade", "1", Histogram{Bounds: []float64{0.01, 0.02}}, func() time.Time { return noon }, zerolog.Nop())
	defer e.End()
	for _, took := range []time.Duration{0, 10 * time.Millisecond, 10*time.Millisecond + 1, 20 * time.Millisecond, time.Minute} {
		e.Tell(Span{Took: took, Labels: []Attribute{{"a", "1"}, {"b", ""}}})
	}
	e.Tell(Span{Labels: []Attribute{{"a", ""}, {"b", "1"}}})
	got := e.counted()
	if len(got) != 2 || fmt.Sprint(got[1].Counts, got[1].Count, got[1].Attributes) != "[2 2 1] 5 [{a {1}}]" || got[1].Sum < 60.04 || got[1].Sum > 60.0401 || got[0].Count != 1 || got[0].Time != fixed64(noon.UnixNano()) {
		t.Errorf("%+v", got)
	}
}
