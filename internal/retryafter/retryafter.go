// Package retryafter asks a service again after a failure, and reads how long it asks its client to wait before that.
package retryafter

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Max is the longest wait that [Wait] returns; what a server asks for beyond it, it asks for in vain.
const Max = 365 * 24 * time.Hour

// Wait returns the wait that an answer's header asks for, at most [Max]: in Retry-After-Ms as some model APIs send it, else in
// Retry-After. It is 0 if the answer asks for none, or in words that cannot be read. A Retry-After may have a fraction of seconds,
// or be a time; that one counts from the answer's own Date, or from now where it has none.
func Wait(h http.Header, now time.Time) time.Duration {
	if wait, ok := number(h.Get("Retry-After-Ms"), time.Millisecond); ok {
		return wait
	}
	text := h.Get("Retry-After")
	if wait, ok := number(text, time.Second); ok {
		return wait
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), Max)
}

// number reads a decimal number of units. What else Go takes for a number, such as Inf, -1 and 0x10, is none.
func number(text string, unit time.Duration) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	if strings.Trim(text, "0123456789.") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, false
	}
	return time.Duration(min(n*float64(unit), float64(Max))), true
}
