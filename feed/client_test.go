package feed

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mcp-trade/internal/files"
)

// host answers requests one after the other, the last answer again and again.
type host struct {
	answers []func(*http.Request) (*http.Response, error)
	asked   int
}

func (h *host) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := h.answers[min(h.asked, len(h.answers)-1)]
	h.asked++
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

func away(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }

type torn struct{ io.Reader }

func (t torn) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func truncated(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(torn{strings.NewReader("the ans")})}, nil
}

func TestClient_Get(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []func(*http.Request) (*http.Response, error)
		kind    Kind // "" for an answer
		says    string
		closed  bool
		asked   int
		took    time.Duration
	}{
		{"it answers", []func(*http.Request) (*http.Response, error){status(200)}, "", "", false, 1, 0},
		{"it is busy twice", []func(*http.Request) (*http.Response, error){status(500), status(503), status(200)}, "", "", false, 3, 3 * time.Second},
		{"it stays busy", []func(*http.Request) (*http.Response, error){status(503)}, Broken, "the status 503", false, 5, 15 * time.Second},
		{"a limit with a pause", []func(*http.Request) (*http.Response, error){status(429, "Retry-After", "40"), status(200)}, "", "", false, 2, 40 * time.Second},
		{"a limit for longer than anybody waits", []func(*http.Request) (*http.Response, error){status(429, "Retry-After", "3600")}, Refused, "asks to wait 1h0m0s", true, 1, 0},
		{"a ban", []func(*http.Request) (*http.Response, error){status(418, "Retry-After", "120")}, Refused, "banned", true, 1, 0},
		{"a refused key", []func(*http.Request) (*http.Response, error){status(401)}, Refused, "401", true, 1, 0},
		{"another plan", []func(*http.Request) (*http.Response, error){status(402)}, Refused, "another plan", false, 1, 0},
		{"not served here", []func(*http.Request) (*http.Response, error){status(451)}, Refused, "does not serve", true, 1, 0},
		{"it sends elsewhere", []func(*http.Request) (*http.Response, error){status(302, "Location", "https://elsewhere.test/")}, Broken, "sends elsewhere", false, 1, 0},
		{"a status that is accepted", []func(*http.Request) (*http.Response, error){status(404)}, "", "", false, 1, 0},
		{"it breaks off once", []func(*http.Request) (*http.Response, error){truncated, status(200)}, "", "", false, 2, time.Second},
		{"it always breaks off", []func(*http.Request) (*http.Response, error){truncated}, Broken, "broke off", false, 5, 15 * time.Second},
		{"it hangs", []func(*http.Request) (*http.Response, error){silent}, Broken, "in time", true, 5, 65 * time.Second},
		{"it cannot be reached", []func(*http.Request) (*http.Response, error){away}, Broken, "cannot be reached", true, 5, 15 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &host{answers: c.answers}
				client := &Client{Source: "x", Each: 10 * time.Second, Now: time.Now, http: &http.Client{Transport: h, Timeout: 10 * time.Second,
					CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
				began := time.Now()
				r, err := client.Get(t.Context(), "https://x.test/?symbol=A", http.Header{"Apca-Api-Secret-Key": {"s3cret"}}, 404)
				o, _ := errors.AsType[*Outcome](err)
				if c.kind == "" && (err != nil || string(r.Body) != "the answer" || r.SHA256 == "" || r.Request != "https://x.test/?symbol=A") {
					t.Errorf("%+v, %v", r, err)
				}
				if c.kind != "" && (o == nil || o.Kind != c.kind || o.Closed != c.closed || !strings.Contains(err.Error(), c.says)) {
					t.Errorf("%+v, %v, want %s: %s", o, err, c.kind, c.says)
				}
				if err != nil && (strings.Contains(err.Error(), "x.test") || strings.Contains(err.Error(), "s3cret")) {
					t.Errorf("it names an address or a key: %v", err)
				}
				if took := time.Since(began); h.asked != c.asked || took != c.took {
					t.Errorf("asked %d times in %v, want %d in %v", h.asked, took, c.asked, c.took)
				}
			})
		})
	}
}

// Requests keep the pace of their host, and end with their context.
func TestClient_Get_Pace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := &Client{Pace: 500 * time.Millisecond, Each: time.Second, Now: time.Now, http: &http.Client{Transport: &host{answers: []func(*http.Request) (*http.Response, error){status(200)}}}}
		began := time.Now()
		for range 4 {
			if _, err := client.Get(t.Context(), "https://x.test/", nil); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 1500*time.Millisecond {
			t.Errorf("4 requests took %v", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := client.Get(ctx, "https://x.test/", nil); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// getter counts what it is asked.
type getter struct {
	asked int
	at    time.Time
	fail  error
}

func (g *getter) Get(_ context.Context, address string, _ http.Header, _ ...int) (Reply, error) {
	g.asked++
	if g.fail != nil {
		return Reply{}, g.fail
	}
	return Reply{Provenance{"x", address, g.at, "dbd318c1c462aee872f41109a4dfd3048871a03dedd0fe0e757ced57dad6f2d7"}, 200, []byte("foo bar baz")}, nil
}

// What was answered is not asked again, unless it is old or was damaged; what failed is.
func TestKept_Get(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	g := &getter{at: now, fail: &Outcome{Kind: Broken, Says: "x"}}
	k := Kept{Getter: g, Dir: t.TempDir() + "/kept", Access: files.Owner, Now: func() time.Time { return now }}
	if _, err := k.Get(t.Context(), "https://x.test/1", nil); err == nil {
		t.Error("no error")
	}
	g.fail = nil
	for range 3 {
		if r, err := k.Get(t.Context(), "https://x.test/1", nil); err != nil || string(r.Body) != "foo bar baz" || !r.At.Equal(now) {
			t.Errorf("%+v, %v", r, err)
		}
	}
	if g.asked != 2 {
		t.Errorf("asked %d times, want 2", g.asked)
	}
	if now = now.Add(25 * time.Hour); true {
		_, _ = k.Get(t.Context(), "https://x.test/1", nil)
	}
	_, _ = k.Get(t.Context(), "https://x.test/2", nil)
	if g.asked != 4 {
		t.Errorf("asked %d times, want 4: an old reply is asked for again, and another address", g.asked)
	}
}
