// The messages of OTLP, as far as spans and histograms need them, in both encodings over HTTP: JSON and protobuf. The tag pb has the number of
// a field.

package otlp

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

type spansMessage struct {
	Resources []resourceSpans `json:"resourceSpans" pb:"1"`
}

type resourceSpans struct {
	Resource resource     `json:"resource" pb:"1"`
	Scopes   []scopeSpans `json:"scopeSpans" pb:"2"`
}

type scopeSpans struct {
	Scope scope  `json:"scope" pb:"1"`
	Spans []span `json:"spans" pb:"2"`
}

type metricsMessage struct {
	Resources []resourceMetrics `json:"resourceMetrics" pb:"1"`
}

type resourceMetrics struct {
	Resource resource       `json:"resource" pb:"1"`
	Scopes   []scopeMetrics `json:"scopeMetrics" pb:"2"`
}

type scopeMetrics struct {
	Scope   scope    `json:"scope" pb:"1"`
	Metrics []metric `json:"metrics" pb:"2"`
}

type resource struct {
	Attributes []keyValue `json:"attributes" pb:"1"`
}

type scope struct {
	Name    string `json:"name" pb:"1"`
	Version string `json:"version,omitempty" pb:"2"`
}

type keyValue struct {
	Key   string      `json:"key" pb:"1"`
	Value stringValue `json:"value" pb:"2"`
}

type stringValue struct {
	Text string `json:"stringValue" pb:"1"`
}

// pair is an attribute as a message has it: text in UTF-8.
func pair(key, value string) keyValue {
	return keyValue{strings.ToValidUTF8(key, "\ufffd"), stringValue{strings.ToValidUTF8(value, "\ufffd")}}
}

type span struct {
	Trace      id         `json:"traceId" pb:"1"`
	ID         id         `json:"spanId" pb:"2"`
	State      string     `json:"traceState,omitempty" pb:"3"`
	Parent     id         `json:"parentSpanId,omitempty" pb:"4"`
	Name       string     `json:"name" pb:"5"`
	Kind       int        `json:"kind" pb:"6"`
	Start      fixed64    `json:"startTimeUnixNano" pb:"7"`
	End        fixed64    `json:"endTimeUnixNano" pb:"8"`
	Attributes []keyValue `json:"attributes,omitempty" pb:"9"`
	Links      []link     `json:"links,omitempty" pb:"13"`
	Status     status     `json:"status" pb:"15"`
	Flags      uint32     `json:"flags" pb:"16"`
}

type link struct {
	Trace id     `json:"traceId" pb:"1"`
	ID    id     `json:"spanId" pb:"2"`
	State string `json:"traceState,omitempty" pb:"3"`
	Flags uint32 `json:"flags" pb:"6"`
}

type status struct {
	Code int `json:"code,omitempty" pb:"3"`
}

type metric struct {
	Name        string    `json:"name" pb:"1"`
	Description string    `json:"description" pb:"2"`
	Unit        string    `json:"unit" pb:"3"`
	Histogram   histogram `json:"histogram" pb:"9"`
}

type histogram struct {
	Points      []point `json:"dataPoints" pb:"1"`
	Temporality int     `json:"aggregationTemporality" pb:"2"`
}

type point struct {
	Start      fixed64    `json:"startTimeUnixNano" pb:"2"`
	Time       fixed64    `json:"timeUnixNano" pb:"3"`
	Count      fixed64    `json:"count" pb:"4"`
	Sum        float64    `json:"sum" pb:"5"`
	Counts     []fixed64  `json:"bucketCounts" pb:"6"`
	Bounds     []float64  `json:"explicitBounds" pb:"7"`
	Attributes []keyValue `json:"attributes,omitempty" pb:"9"`
}

// Numbers of the enumerations.
const (
	kindServer  = 2
	statusError = 2
	cumulative  = 2
)

// Flags of a span or a link.
const (
	flagSampled        = 0x001
	flagRemoteKnown    = 0x100
	flagParentIsRemote = 0x200
)

// id is the id of a trace or a span, in JSON as hex.
type id []byte

// MarshalText implements [encoding.TextMarshaler].
func (b id) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, b), nil }

// fixed64 is a number of 64 bits, in JSON as text.
type fixed64 uint64

// MarshalText implements [encoding.TextMarshaler].
func (n fixed64) MarshalText() ([]byte, error) { return strconv.AppendUint(nil, uint64(n), 10), nil }

// encode writes a message as JSON or protobuf.
func encode(message any, asJSON bool) (text []byte, contentType string) {
	if asJSON {
		text, _ = json.Marshal(message) // it has no value that JSON has not
		return text, "application/json"
	}
	return appendFields(nil, reflect.ValueOf(message)), "application/x-protobuf"
}

// Wire types of protobuf.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

// appendFields appends the fields of a message, as proto3 encodes them.
func appendFields(b []byte, v reflect.Value) []byte {
	for i := range v.NumField() {
		number, _ := strconv.ParseUint(v.Type().Field(i).Tag.Get("pb"), 10, 8)
		b = appendField(b, number<<3, v.Field(i))
	}
	return b
}

// appendField appends a field with its tag, to which the wire type is still to be added. A number, a text or a list that is empty is left out.
func appendField(b []byte, tag uint64, v reflect.Value) []byte {
	if v.Kind() != reflect.Struct && v.IsZero() {
		return b
	}
	switch v.Kind() {
	case reflect.Int:
		return binary.AppendUvarint(binary.AppendUvarint(b, tag|wireVarint), uint64(v.Int()))
	case reflect.Uint32:
		return binary.LittleEndian.AppendUint32(binary.AppendUvarint(b, tag|wire32), uint32(v.Uint()))
	case reflect.Uint64, reflect.Float64:
		return append64(binary.AppendUvarint(b, tag|wire64), v)
	case reflect.String:
		return appendBytes(b, tag, []byte(v.String()))
	case reflect.Struct:
		return appendBytes(b, tag, appendFields(nil, v))
	case reflect.Slice:
		return appendList(b, tag, v)
	}
	panic(fmt.Sprintf("a field of type %s", v.Type()))
}

// appendList appends an id, a message for each element of a list, or a packed list of numbers.
func appendList(b []byte, tag uint64, v reflect.Value) []byte {
	switch v.Type().Elem().Kind() {
	case reflect.Uint8:
		return appendBytes(b, tag, v.Bytes())
	case reflect.Struct:
		for i := range v.Len() {
			b = appendField(b, tag, v.Index(i))
		}
		return b
	}
	var packed []byte
	for i := range v.Len() {
		packed = append64(packed, v.Index(i))
	}
	return appendBytes(b, tag, packed)
}

func append64(b []byte, v reflect.Value) []byte {
	if v.Kind() == reflect.Float64 {
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(v.Float()))
	}
	return binary.LittleEndian.AppendUint64(b, v.Uint())
}

func appendBytes(b []byte, tag uint64, text []byte) []byte {
	return append(binary.AppendUvarint(binary.AppendUvarint(b, tag|wireBytes), uint64(len(text))), text...)
}
