// What the variables of OpenTelemetry say.

package otlp

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"mcp-trade/internal/retryafter"
)

// The kinds of signals, as the names of variables have them.
const (
	traces  = "TRACES"
	metrics = "METRICS"
)

// perSignal are the endings of variables that there are for all signals, and for each of them.
var perSignal = []string{"ENDPOINT", "HEADERS", "PROTOCOL", "TIMEOUT"}

// Variables are those that are heeded. The ones that end in HEADERS are secrets.
func Variables() []string {
	names := []string{
		"OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES",
		"OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_METRIC_EXPORT_INTERVAL",
	}
	for _, of := range []string{"", traces + "_", metrics + "_"} {
		for _, ending := range perSignal {
			names = append(names, "OTEL_EXPORTER_OTLP_"+of+ending)
		}
	}
	return names
}

// variables look variables up. What is wrong is warned of, and taken as if it were not set.
type variables struct {
	get  func(name string) string
	warn func(text string)
}

// of is what a variable says of a signal, and which one says it.
func (v variables) of(kind, ending string) (text, name string) {
	name = "OTEL_EXPORTER_OTLP_" + kind + "_" + ending
	if text = v.get(name); text == "" {
		name = "OTEL_EXPORTER_OTLP_" + ending
		text = v.get(name)
	}
	return strings.TrimSpace(text), name
}

// signal is where a kind of signals goes, nil if nobody asks for it.
func (v variables) signal(kind string) *signal {
	variable := "OTEL_" + kind + "_EXPORTER"
	exporters := strings.FieldsFunc(v.get(variable), func(r rune) bool { return r == ',' || r == ' ' })
	address, from := v.of(kind, "ENDPOINT")
	switch {
	case slices.Contains(exporters, "otlp"), len(exporters) == 0 && address != "":
	case len(exporters) == 0, slices.Equal(exporters, []string{"none"}):
		return nil
	default:
		v.warn(variable + ": there is no such exporter here; use otlp or none")
		return nil
	}
	u, err := url.Parse(cmp.Or(address, "http://localhost:4318"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		v.warn(from + ": it is no address of the form http://HOST:PORT (it may hold a secret and is not shown); nothing is sent there")
		return nil
	}
	if !strings.Contains(from, kind) {
		u = u.JoinPath("v1", strings.ToLower(kind))
	}
	timeout, name := v.of(kind, "TIMEOUT")
	s := &signal{kind: strings.ToLower(kind), address: u.String(), header: http.Header{}, client: retryafter.Sender(v.milliseconds(name, timeout, 10*time.Second))}
	switch protocol, name := v.of(kind, "PROTOCOL"); protocol {
	case "", "http/protobuf":
	case "http/json":
		s.json = true
	default:
		v.warn(name + ": the protocols are http/protobuf and http/json, for which collectors listen at port 4318; nothing is sent")
		return nil
	}
	headers, name := v.of(kind, "HEADERS")
	for _, h := range v.list(name, headers) {
		s.header.Set(h.Key, h.Value.Text)
	}
	return s
}

// every is the time between two messages, as a variable has it.
func (v variables) every(name string, preset time.Duration) time.Duration {
	return max(v.milliseconds(name, v.get(name), preset), time.Millisecond)
}

// milliseconds reads a whole number of milliseconds.
func (v variables) milliseconds(name, text string, preset time.Duration) time.Duration {
	if text == "" {
		return preset
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		v.warn(fmt.Sprintf("%s=%.40q is no whole number of milliseconds; it is taken as %d", name, text, preset.Milliseconds()))
		return preset
	}
	return time.Duration(n) * time.Millisecond
}

// list reads NAME=value,NAME=value, in which a value may have characters written as %2C.
func (v variables) list(name, text string) (pairs []keyValue) {
	for part := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		key, value, _ := strings.Cut(part, "=")
		key = strings.TrimSpace(key)
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if key == "" || err != nil || !strings.Contains(part, "=") {
			v.warn(name + ": it is no list of the form name=value,name=value (it may hold secrets and is not shown); nothing of it is heeded")
			return nil
		}
		pairs = append(pairs, pair(key, value))
	}
	return pairs
}

// resource describes this process. Its id is one of no other process: a collector would take the sums of two for those of one.
func (v variables) resource(service, version, instance string) (r resource) {
	r.Attributes = v.list("OTEL_RESOURCE_ATTRIBUTES", v.get("OTEL_RESOURCE_ATTRIBUTES"))
	if name := v.get("OTEL_SERVICE_NAME"); name != "" {
		r.Attributes = slices.Insert(r.Attributes, 0, pair("service.name", name))
	}
	r.Attributes = append(r.Attributes,
		pair("service.name", service), pair("service.version", version), pair("service.instance.id", instance),
		pair("telemetry.sdk.name", service), pair("telemetry.sdk.language", "go"), pair("telemetry.sdk.version", version))
	seen := map[string]bool{}
	r.Attributes = slices.DeleteFunc(r.Attributes, func(a keyValue) bool { // the first one of a name counts
		again := seen[a.Key]
		seen[a.Key] = true
		return again
	})
	return r
}

// sampler says which spans are sent.
func (v variables) sampler() sampler {
	const variable, share = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
	kind, byParent := strings.CutPrefix(cmp.Or(v.get(variable), "parentbased_always_on"), "parentbased_")
	s := sampler{byParent: byParent, ratio: 1}
	switch kind {
	case "always_on":
	case "always_off":
		s.ratio = 0
	case "traceidratio":
		text := cmp.Or(v.get(share), "1")
		if ratio, err := strconv.ParseFloat(text, 64); err == nil && ratio >= 0 && ratio <= 1 {
			s.ratio = ratio
		} else {
			v.warn(fmt.Sprintf("%s=%.40q is no number of 0 to 1; every trace is sent", share, text))
		}
	default:
		v.warn(variable + ": the samplers are always_on, always_off and traceidratio, and the same after parentbased_; it is taken as parentbased_always_on")
		s.byParent = true
	}
	return s
}
