// A message to a collector, and what is lost.

package otlp

import (
	"bytes"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"mcp-trade/internal/retryafter"
)

// signal is where the messages of a kind go.
type signal struct {
	kind    string // traces or metrics
	address string
	header  http.Header
	json    bool // else protobuf
	client  *http.Client

	told, lost atomic.Int64 // spans
	broken     atomic.Bool  // the last message was lost
}

// asking is how a collector that fails is asked again: for less than half a minute, in which the queue takes what comes.
var asking = retryafter.Asking{Tries: 5, First: time.Second, Longest: 30 * time.Second}

// send sends a message of some spans, several times if that may help.
func (e *Exporter) send(s *signal, message any, spans int) {
	body, contentType := encode(message, s.json)
	err := e.running.Err()
	if err == nil {
		_, err = retryafter.Do(e.running, asking, func() (struct{}, time.Duration, error) {
			pause, err := e.post(s, body, contentType)
			return struct{}{}, pause, err
		})
	}
	if err != nil && e.running.Err() != nil { // at the end there is no time for pauses
		_, err = e.post(s, body, contentType)
	}
	if e.delivery.Err() != nil {
		err = errors.New("the program ended before")
	}
	if err != nil {
		e.lose(s, spans, err.Error())
		return
	}
	s.broken.Store(false)
}

// lose counts spans that are not delivered, and says so of the first in a row.
func (e *Exporter) lose(s *signal, spans int, why string) {
	s.lost.Add(int64(spans))
	if !s.broken.Swap(true) {
		e.log.Warn().Msgf("the collector of OpenTelemetry did not get %s: %s", s.kind, why)
	}
}

// post makes one request. pause is as [retryafter.Do] wants it.
func (e *Exporter) post(s *signal, body []byte, contentType string) (pause time.Duration, _ error) {
	r, err := http.NewRequestWithContext(e.delivery, http.MethodPost, s.address, bytes.NewReader(body))
	if err != nil {
		return -1, errors.New("its address cannot be used")
	}
	r.Header = s.header.Clone()
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("User-Agent", "mcp-trade")
	return retryafter.Send(s.client, r, e.now, isPassing)
}

// isPassing tells by the status of an answer whether the same message may be taken later.
func isPassing(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}
