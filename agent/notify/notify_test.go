package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"mcp-trade/internal/retryafter"
)

const secret = "T0KEN-of-the-hook"

// receiver is a server that takes notices, and answers as it is told: the last answer again and again.
type receiver struct {
	*httptest.Server
	mu      sync.Mutex
	answers []http.HandlerFunc
	bodies  [][]byte
}

func newReceiver(t *testing.T, answers ...http.HandlerFunc) *receiver {
	r := &receiver{answers: answers}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		answer := r.answers[min(len(r.bodies), len(r.answers)-1)]
		r.bodies = append(r.bodies, body)
		r.mu.Unlock()
		answer(w, req)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) asked() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.bodies)
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

// hanging answers when its client goes away.
func hanging(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func slow(w http.ResponseWriter, _ *http.Request) {
	time.Sleep(20 * time.Millisecond)
	w.WriteHeader(http.StatusNoContent)
}

// impatient returns a webhook that waits for nothing as long as a real one does.
func impatient(address string, log io.Writer) *Webhook {
	return begin(&Webhook{
		address: address, now: time.Now, log: zerolog.New(log), rest: 5 * time.Second,
		client: retryafter.Sender(10 * time.Second),
		asking: retryafter.Asking{Tries: 3, First: time.Millisecond, Longest: 100 * time.Millisecond},
	})
}

func TestWebhook_Deliver(t *testing.T) {
	t.Parallel()
	elsewhere := newReceiver(t, status(200))
	for _, c := range []struct {
		name    string
		answers []http.HandlerFunc
		asked   int
		warns   string // "" if the notice arrives
	}{
		{"it answers", []http.HandlerFunc{status(200)}, 1, ""},
		{"it answers without content, late", []http.HandlerFunc{slow}, 1, ""},
		{"it is broken twice", []http.HandlerFunc{status(500), status(502), status(200)}, 3, ""},
		{"it stays broken", []http.HandlerFunc{status(500)}, 3, "it answers with the status 500"},
		{"a limit with a pause", []http.HandlerFunc{status(429, "Retry-After", "0.01"), status(200)}, 2, ""},
		{"a limit for longer than anybody waits", []http.HandlerFunc{status(429, "Retry-After", "3600"), status(200)}, 1, "it answers with the status 429"},
		{"it is gone", []http.HandlerFunc{status(404)}, 1, "it answers with the status 404"},
		{"it sends elsewhere", []http.HandlerFunc{status(307, "Location", elsewhere.URL)}, 1, "it sends elsewhere with the status 307, and is not followed"},
		{"it hangs once", []http.HandlerFunc{hanging, status(200)}, 2, ""},
		{"it hangs", []http.HandlerFunc{hanging}, 3, "it did not answer in time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, log := newReceiver(t, c.answers...), &bytes.Buffer{}
			w := impatient(r.URL+"/"+secret, log)
			if strings.Contains(c.name, "hangs") {
				w.client.Timeout = 500 * time.Millisecond
			}
			w.Tell(Notice{Event: EndOfDay, Account: "a", Text: "the day is over"})
			w.Close()
			if r.asked() != c.asked {
				t.Errorf("asked %d times, want %d", r.asked(), c.asked)
			}
			if said := log.String(); (said == "") != (c.warns == "") || !strings.Contains(said, c.warns) || strings.Count(said, c.warns) > 1 && c.warns != "" {
				t.Errorf("the log is\n%s\nwant %q", said, c.warns)
			}
			keepsSecret(t, r.URL, log.String())
		})
	}
	t.Run("nobody is asked elsewhere", func(t *testing.T) {
		if elsewhere.asked() > 0 {
			t.Error("the redirect was followed")
		}
	})
}

// keepsSecret checks that a log says neither host nor path of the address.
func keepsSecret(t *testing.T, server, log string) {
	t.Helper()
	for _, part := range []string{secret, strings.TrimPrefix(server, "http://"), "127.0.0.1"} {
		if strings.Contains(log, part) {
			t.Errorf("the log says %q:\n%s", part, log)
		}
	}
}

func TestWebhook_NobodyThere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, address, warns string }{
		{"its port is closed", "http://127.0.0.1:1/" + secret, "its host refuses the connection"},
		{"it speaks something else", "https://" + secret + "@" + strings.TrimPrefix(newReceiver(t, status(200)).URL, "http://"), "it cannot be reached"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			w := impatient(c.address, &log)
			for i := range 3 {
				w.Tell(Notice{Event: EndOfDay, Account: fmt.Sprint(i), Text: "over"})
			}
			w.Close()
			if strings.Count(log.String(), "\n") != 2 || !strings.Contains(log.String(), c.warns) || !strings.Contains(log.String(), "3 of 3 notices did not reach the webhook") {
				t.Errorf("want a warning of %q and one at the end, of all three:\n%s", c.warns, log.String())
			}
			keepsSecret(t, secret, log.String())
		})
	}
}

func TestWebhook_Tell(t *testing.T) {
	t.Parallel()
	t.Run("the form of a notice", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t, status(200))
		w := impatient(r.URL, io.Discard)
		at := time.Date(2025, 10, 2, 16, 5, 0, 0, time.FixedZone("New York", -4*3600))
		w.Tell(Notice{Event: EndOfDay, Account: "a", Date: "2025-10-02", At: at, Text: "<!channel> @all\x1b[1m", Details: map[string]any{"value": 1, "event": "of somebody else"}})
		w.Close()
		var got map[string]any
		if err := json.Unmarshal(r.bodies[0], &got); err != nil {
			t.Fatal(err)
		}
		text := `‹!channel› ＠all\x1b[1m`
		want := map[string]any{"event": "end_of_day", "account": "a", "date": "2025-10-02", "at": "2025-10-02T20:05:00Z", "text": text, "content": text, "value": 1.0}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%v\nwant\n%v", got, want)
		}
	})
	t.Run("a long text is cut", func(t *testing.T) {
		t.Parallel()
		body, err := json.Marshal(Notice{Event: Stopped, Text: strings.Repeat("x", 1<<20)})
		if err != nil || len(body) > 2*maxText+400 {
			t.Errorf("%d bytes, %v", len(body), err)
		}
	})
	t.Run("what is the same as before is told once", func(t *testing.T) {
		t.Parallel()
		r := newReceiver(t, status(200))
		w := impatient(r.URL, io.Discard)
		for i, n := range []Notice{
			{Event: Stopped, Account: "a", Text: "unreachable"},
			{Event: Stopped, Account: "b", Text: "unreachable"},
			{Event: Stopped, Account: "a", Text: "unreachable"},
			{Event: Stopped, Account: "a", Text: "another reason"},
			{Event: Stopped, Account: "a", Text: "unreachable"},
		} {
			n.At = time.Unix(int64(i), 0)
			w.Tell(n)
		}
		w.Close()
		if r.asked() != 4 {
			t.Errorf("%d notices, want 4", r.asked())
		}
	})
	t.Run("it returns at once while the receiver hangs, what is too much is lost, and the end is not waited for", func(t *testing.T) {
		t.Parallel()
		r, log := newReceiver(t, hanging), &bytes.Buffer{}
		w := impatient(r.URL+"/"+secret, log)
		w.client.Timeout, w.rest = time.Hour, 10*time.Millisecond // with less the test would not end
		const all = maxQueue + 10
		for i := range all {
			w.Tell(Notice{Event: EndOfDay, Account: fmt.Sprint(i), Text: "over"})
		}
		w.Close()
		if want := fmt.Sprintf("%d of %d notices did not reach the webhook", all, all); !strings.Contains(log.String(), want) || strings.Count(log.String(), "\n") != 2 {
			t.Errorf("want one warning and %q:\n%s", want, log)
		}
		keepsSecret(t, r.URL, log.String())
		w.Tell(Notice{Event: EndOfDay, Text: "too late"}) // and nothing happens
		w.Close()
	})
	t.Run("without a webhook nothing happens", func(t *testing.T) {
		var w *Webhook
		w.Tell(Notice{Event: Halt})
		w.Close()
	})
}

func TestNew(t *testing.T) {
	for _, address := range []string{secret, "ftp://host/" + secret, "https:///" + secret, "http://a b/" + secret, "https://" + secret + ":port/"} {
		if _, err := New(address, time.Now, zerolog.Nop()); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", address, err)
		}
	}
	r := newReceiver(t, status(200))
	w, err := New(r.URL+"/hook", time.Now, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	w.Tell(Notice{Event: Halt})
	w.Close()
	if r.asked() != 1 {
		t.Error("the notice did not arrive")
	}
}
