// Tests of manners: how often a service is asked, how long it is waited for, and what is told when it fails.

package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// service answers requests one after the other, the last answer again and again.
type service struct {
	answers []func(*http.Request) (*http.Response, error)
	asked   int
}

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := s.answers[min(s.asked, len(s.answers)-1)]
	s.asked++
	return answer(r)
}

func status(code int, header ...string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		h := http.Header{}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		return &http.Response{StatusCode: code, Header: h, Body: io.NopCloser(strings.NewReader("the answer"))}, nil
	}
}

func silent(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func broken(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }

type answers []func(*http.Request) (*http.Response, error)

func TestClient_Get_Retries(t *testing.T) {
	const each = 10 * time.Second
	for _, c := range []struct {
		name    string
		answers answers
		says    string // "" for an answer
		asked   int
		took    time.Duration
	}{
		{"it answers", answers{status(200)}, "", 1, 0},
		{"it is busy once", answers{status(503), status(200)}, "", 2, firstPause},
		{"it is busy twice", answers{status(500), status(502), status(200)}, "", 3, 3 * firstPause},
		{"it stays busy", answers{status(503)}, "it answers with the status 503", 3, 3 * firstPause},
		{"a rate limit that asks for a pause", answers{status(429, "Retry-After", "4"), status(200)}, "", 2, 4 * time.Second},
		{"a rate limit until a time by its own clock", answers{status(429, "Date", "Sat, 25 Oct 2025 10:00:00 GMT", "Retry-After", "Sat, 25 Oct 2025 10:00:03 GMT"), status(200)}, "", 2, 3 * time.Second},
		{"a rate limit that asks for no pause", answers{status(429)}, "its rate limit is reached", 3, 3 * firstPause},
		{"a rate limit for longer than anybody waits", answers{status(429, "Retry-After", "3600")}, "its rate limit is reached", 1, 0},
		{"a pause that goes beyond the call", answers{status(503, "Retry-After", "9"), status(503, "Retry-After", "9"), status(503, "Retry-After", "9")}, "it answers with the status 503", 3, 18 * time.Second},
		{"a pause that is no number", answers{status(503, "Retry-After", "soon"), status(200)}, "", 2, firstPause},
		{"a refused key", answers{status(401)}, "it refuses the key: check THE_KEY", 1, 0},
		{"no credit", answers{status(402)}, "it wants to be paid: the key in THE_KEY has no credit left", 1, 0},
		{"a page that is not there", answers{status(404)}, "it answers with the status 404", 1, 0},
		{"it sends us elsewhere", answers{status(302, "Location", "https://elsewhere.test/")}, "it answers with the status 302", 1, 0},
		{"it cannot be reached", answers{broken}, "it cannot be reached: connection refused", 3, 3 * firstPause},
		{"it cannot be reached at first", answers{broken, status(200)}, "", 2, firstPause},
		{"it says nothing", answers{silent}, "it did not answer in time", 1, each},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &service{answers: c.answers}
				client := New("THE_KEY", each, 1<<20)
				client.http.Transport = s
				ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
				defer cancel()
				began := time.Now()
				body, err := client.Get(ctx, "https://x.test/?apikey=s3cret", nil)
				says := ""
				if err != nil {
					says = err.Error()
				}
				if says != c.says || (err == nil) != (string(body) == "the answer") {
					t.Errorf("%q, %v, want %q", body, err, c.says)
				}
				if took := time.Since(began); s.asked != c.asked || took != c.took {
					t.Errorf("asked %d times in %v, want %d in %v", s.asked, took, c.asked, c.took)
				}
			})
		})
	}
}

// A call ends with its context.
func TestClient_Get_Cancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := New("THE_KEY", 10*time.Second, 1<<20)
		client.http.Transport = &service{answers: answers{silent}}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if _, err := client.Get(ctx, "https://x.test/", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("out of time: %v", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := client.Get(ctx, "https://x.test/", nil); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
}

// A connection is used again, and the size of an answer is bounded.
func TestClient_Get_Bounded(t *testing.T) {
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size := 10
		if r.URL.Path == "/huge" {
			size = 3 << 20
		}
		_, _ = w.Write(make([]byte, size))
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	client := New("THE_KEY", 10*time.Second, 1<<20)
	for range 5 {
		if body, err := client.Get(t.Context(), server.URL, nil); err != nil || len(body) != 10 {
			t.Fatalf("%d bytes, %v", len(body), err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for 5 requests", n)
	}
	if _, err := client.Get(t.Context(), server.URL+"/huge", nil); fmt.Sprint(err) != "its answer is longer than 1 MiB" {
		t.Errorf("a huge answer: %v", err)
	}
}

// The error of net/http names the address, which may hold a key.
func TestClient_Get_ErrorNamesNoAddress(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	for _, address := range []string{server.URL + "/?apikey=s3cret", "http://s3cret.invalid:bad/"} {
		if _, err := New("THE_KEY", time.Second, 1<<20).Get(t.Context(), address, nil); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
