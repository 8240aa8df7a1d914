// Package otlp tells a collector of OpenTelemetry what a server does: spans, and one histogram of how long they took. OpenTelemetry's own
// variables say where these go; OTLP over HTTP is how. Its libraries would make the program more than half as large again.
//
//	otlp.go      spans and the histogram, on their way to a collector
//	send.go      a message to a collector, and what is lost
//	settings.go  what the variables say
//	parent.go    the trace context of a caller, and which spans are sent
//	message.go   the messages, as JSON and as protobuf
//
// It is never in the way of a call: spans wait in a bounded queue, and what does not fit there or cannot be delivered is lost, counted and warned
// of. Addresses and headers may be secrets, and no log says them.
package otlp

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Limits.
const (
	maxQueue = 2048                    // spans that wait
	maxBatch = 512                     // spans of a message
	maxText  = 256                     // bytes of an attribute
	endTime  = 1500 * time.Millisecond // for what waits at the end
)

// Attribute is a property of a span. One whose value is "" is left out.
type Attribute struct{ Key, Value string }

// Span is an operation that a server did for a caller.
type Span struct {
	Name    string
	Began   time.Time
	Took    time.Duration
	Failed  bool
	Parent  Parent
	Link    Parent      // another span that led to it
	Labels  []Attribute // by which the histogram tells operations apart: few values
	Details []Attribute
}

// Histogram says what it is that counts how long the operations took, in seconds.
type Histogram struct {
	Name, Description string
	Bounds            []float64 // of its buckets, ascending
}

// Exporter sends spans and a histogram. One of nil has none to send.
type Exporter struct {
	traces, metrics *signal // nil: they are not sent
	sampler         sampler
	resource        resource
	scope           scope
	now             func() time.Time
	log             zerolog.Logger

	queue     chan span
	wait      sync.WaitGroup
	running   context.Context // until the end
	ending    context.CancelFunc
	delivery  context.Context // of what is under way
	giveUp    context.CancelFunc
	histogram Histogram
	began     time.Time

	mu     sync.Mutex
	points map[string]*point // by their attributes
}

// New returns an exporter, which must be ended, or nil if no variable asks for one. get looks a variable up, and returns "" if it is not set.
func New(get func(name string) string, service, version string, h Histogram, now func() time.Time, log zerolog.Logger) *Exporter {
	v := variables{get, func(text string) { log.Warn().Msg("OpenTelemetry: " + text) }}
	if strings.EqualFold(get("OTEL_SDK_DISABLED"), "true") {
		return nil
	}
	e := &Exporter{traces: v.signal(traces), metrics: v.signal(metrics), histogram: h, now: now, log: log}
	if e.traces == nil && e.metrics == nil {
		return nil
	}
	e.resource, e.scope, e.sampler = v.resource(service, version, rand.Text()), scope{service, version}, v.sampler()
	e.queue, e.points, e.began = make(chan span, maxQueue), map[string]*point{}, now()
	e.running, e.ending = context.WithCancel(context.Background())
	e.delivery, e.giveUp = context.WithCancel(context.Background())
	if every := v.every("OTEL_BSP_SCHEDULE_DELAY", 5*time.Second); e.traces != nil {
		e.wait.Go(func() { e.sendSpans(every) })
	}
	if every := v.every("OTEL_METRIC_EXPORT_INTERVAL", time.Minute); e.metrics != nil {
		e.wait.Go(func() { e.sendPoints(every) })
	}
	return e
}

// Tell has a span sent and its duration counted, and returns at once.
func (e *Exporter) Tell(s Span) {
	if e.metrics != nil {
		e.count(s)
	}
	trace, own := s.Parent.place()
	if e.traces == nil || !e.sampler.takes(trace, s.Parent) {
		return
	}
	m := span{
		Trace: trace[:], ID: own[:], State: s.Parent.state, Name: cut(s.Name), Kind: kindServer,
		Start: fixed64(s.Began.UnixNano()), End: fixed64(s.Began.Add(s.Took).UnixNano()),
		Attributes: append(keyValues(s.Labels), keyValues(s.Details)...), Flags: s.Parent.flags() | flagSampled,
	}
	if s.Parent != (Parent{}) {
		m.Parent = s.Parent.span[:]
	}
	if s.Failed {
		m.Status.Code = statusError
	}
	if l := s.Link; l != (Parent{}) {
		m.Links = []link{{l.trace[:], l.span[:], l.state, l.flags()}}
	}
	e.traces.told.Add(1)
	select {
	case e.queue <- m:
	default:
		e.lose(e.traces, 1, "too many others wait")
	}
}

func keyValues(attributes []Attribute) (pairs []keyValue) {
	for _, a := range attributes {
		if a.Value != "" {
			pairs = append(pairs, pair(a.Key, cut(a.Value)))
		}
	}
	return pairs
}

func cut(text string) string { return text[:min(len(text), maxText)] }

// sendSpans sends what waits in the queue, until the end.
func (e *Exporter) sendSpans(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for batch := []span(nil); ; {
		select {
		case s := <-e.queue:
			if batch = append(batch, s); len(batch) < maxBatch {
				continue
			}
		case <-tick.C:
		case <-e.running.Done():
			for len(batch) < maxBatch && len(e.queue) > 0 {
				batch = append(batch, <-e.queue)
			}
			if len(batch) == 0 {
				return
			}
		}
		if len(batch) > 0 {
			message := spansMessage{[]resourceSpans{{e.resource, []scopeSpans{{e.scope, batch}}}}}
			e.send(e.traces, message, len(batch))
			batch = batch[:0]
		}
	}
}

// count adds the duration of a span to the histogram.
func (e *Exporter) count(s Span) {
	key := ""
	for _, a := range s.Labels {
		key += a.Value + "\x00"
	}
	seconds := s.Took.Seconds()
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.points[key]
	if p == nil {
		p = &point{Start: fixed64(e.began.UnixNano()), Bounds: e.histogram.Bounds, Counts: make([]fixed64, len(e.histogram.Bounds)+1), Attributes: keyValues(s.Labels)}
		e.points[key] = p
	}
	i, _ := slices.BinarySearch(p.Bounds, seconds) // a bound belongs to the bucket below it
	p.Counts[i]++
	p.Count++
	p.Sum += seconds
}

// sendPoints sends the histogram from time to time, and at the end.
func (e *Exporter) sendPoints(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for ended := false; !ended; {
		select {
		case <-tick.C:
		case <-e.running.Done():
			ended = true
		}
		if points := e.counted(); len(points) > 0 {
			m := metric{e.histogram.Name, e.histogram.Description, "s", histogram{points, cumulative}}
			e.send(e.metrics, metricsMessage{[]resourceMetrics{{e.resource, []scopeMetrics{{e.scope, []metric{m}}}}}}, 1)
		}
	}
}

// counted returns what was counted until now.
func (e *Exporter) counted() (points []point) {
	now := fixed64(e.now().UnixNano())
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(e.points)) {
		p := *e.points[key]
		p.Time, p.Counts = now, slices.Clone(p.Counts)
		points = append(points, p)
	}
	return points
}

// End sends what waits, for as long as [endTime]. What is told later is lost.
func (e *Exporter) End() {
	if e == nil {
		return
	}
	e.ending()
	late := time.AfterFunc(endTime, e.giveUp)
	e.wait.Wait()
	late.Stop()
	e.giveUp()
	if t := e.traces; t != nil {
		t.client.CloseIdleConnections()
		if lost := t.lost.Load(); lost > 0 {
			e.log.Warn().Msgf("%d of %d spans did not reach the collector of OpenTelemetry", lost, t.told.Load())
		}
	}
}
