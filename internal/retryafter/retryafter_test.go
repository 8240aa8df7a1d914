package retryafter

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"time"
)

func TestWait(t *testing.T) {
	now := time.Date(2025, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		header []string
		want   time.Duration
	}{
		{"none", nil, 0},
		{"seconds", []string{"Retry-After", "7"}, 7 * time.Second},
		{"space around them", []string{"Retry-After", " 7 "}, 7 * time.Second},
		{"a fraction", []string{"Retry-After", "0.25"}, 250 * time.Millisecond},
		{"milliseconds before seconds", []string{"Retry-After", "60", "Retry-After-Ms", "1500"}, 1500 * time.Millisecond},
		{"milliseconds that are none", []string{"Retry-After", "60", "Retry-After-Ms", "soon"}, time.Minute},
		{"a time", []string{"Retry-After", "Sat, 01 Nov 2025 12:01:00 GMT"}, time.Minute},
		{"a time by the server's clock", []string{"Retry-After", "Sat, 25 Oct 2025 10:00:03 GMT", "Date", "Sat, 25 Oct 2025 10:00:00 GMT"}, 3 * time.Second},
		{"a time that is over", []string{"Retry-After", "Sat, 01 Nov 2025 11:59:00 GMT"}, 0},
		{"a time in the year 9999", []string{"Retry-After", "Fri, 31 Dec 9999 00:00:00 GMT"}, Max},
		{"more than anybody waits", []string{"Retry-After", "999999999999999999999999"}, Max},
		{"less than nothing", []string{"Retry-After", "-5"}, 0},
		{"infinity", []string{"Retry-After", "Inf"}, 0},
		{"no number", []string{"Retry-After", "NaN"}, 0},
		{"hexadecimal", []string{"Retry-After", "0x10"}, 0},
		{"two points", []string{"Retry-After", "1.2.3"}, 0},
		{"words", []string{"Retry-After", "soon"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := http.Header{}
			for i := 0; i < len(c.header); i += 2 {
				h.Set(c.header[i], c.header[i+1])
			}
			if got := Wait(h, now); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestUnsent(t *testing.T) {
	const secret = "T0KEN"
	for want, cause := range map[string]error{
		"its host is not found":           &net.DNSError{Err: "no such host", Name: secret},
		"its host refuses the connection": &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		"it did not answer in time":       context.DeadlineExceeded,
		"it cannot be reached":            errors.New("unknown authority of " + secret),
	} {
		if got := unsent(&url.Error{Op: "Post", URL: "https://" + secret, Err: cause}).Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
