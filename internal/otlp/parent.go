// The trace context of a caller, and which spans are sent.

package otlp

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// Parent is the span of a caller. The zero value is none.
type Parent struct {
	trace   [16]byte
	span    [8]byte
	sampled bool
	state   string
}

// maxState bounds a tracestate, in bytes; a longer one is left away.
const maxState = 512

// ParseParent reads a traceparent and its tracestate, as W3C Trace Context (level 1) has them. What is not written so is none.
func ParseParent(traceparent, tracestate string) (p Parent) {
	const length = len("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	if len(traceparent) < length || len(traceparent) > length && (traceparent[:2] == "00" || traceparent[length] != '-') {
		return Parent{} // a later version may be longer
	}
	var version, flags [1]byte
	parts := strings.SplitN(traceparent[:length], "-", 5)
	if len(parts) != 4 || !readHex(version[:], parts[0]) || !readHex(p.trace[:], parts[1]) || !readHex(p.span[:], parts[2]) || !readHex(flags[:], parts[3]) ||
		version[0] == 0xff || p.trace == [16]byte{} || p.span == [8]byte{} {
		return Parent{}
	}
	p.sampled = flags[0]&1 != 0
	unprintable := func(r rune) bool { return r < ' ' || r > '~' }
	if len(tracestate) <= maxState && !strings.ContainsFunc(tracestate, unprintable) {
		p.state = tracestate
	}
	return p
}

// readHex reads as many bytes as there are, in lower case.
func readHex(to []byte, text string) bool {
	if len(text) != 2*len(to) || strings.ToLower(text) != text {
		return false
	}
	_, err := hex.Decode(to, []byte(text))
	return err == nil
}

// flags are those of a span in the trace of a caller, or of a link to one.
func (p Parent) flags() (f uint32) {
	if p.sampled {
		f = flagSampled
	}
	if p != (Parent{}) {
		f |= flagParentIsRemote
	}
	return f | flagRemoteKnown
}

// sampler says which spans are sent.
type sampler struct {
	byParent bool    // as the caller's is, where there is one
	ratio    float64 // of the traces
}

// takes tells whether a span of a trace is sent. All programs that go by the same ratio take the same traces.
func (s sampler) takes(trace [16]byte, p Parent) bool {
	if s.byParent && p != (Parent{}) {
		return p.sampled
	}
	return float64(binary.BigEndian.Uint64(trace[8:])>>1) < s.ratio*(1<<63)
}

// place is where a new span stands: in the trace of its caller, or in one of its own.
func (p Parent) place() (trace [16]byte, span [8]byte) {
	_, _ = rand.Read(span[:]) // it never fails
	if trace = p.trace; p == (Parent{}) {
		_, _ = rand.Read(trace[:])
	}
	return trace, span
}
