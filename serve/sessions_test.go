package serve

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/rs/zerolog"

	"mcp-trade/internal/jsonrpc"
)

// turnServer executes orders on the lane "a", and notes them; those named a/sell... come first.
type turnServer struct {
	h     *HTTP
	mu    sync.Mutex
	order []string
}

func newTurnServer() *turnServer {
	s := &turnServer{}
	s.h = New(answering(func(ctx context.Context, r *jsonrpc.Request) any {
		if r.Begin != nil {
			r.Begin()
			s.mu.Lock()
			defer s.mu.Unlock()
			s.order = append(s.order, strings.TrimPrefix(r.Name, "a/"))
		}
		return echo(ctx, &jsonrpc.Request{Message: r.Message})
	}), zerolog.Nop()).HTTP(anyGate{}, isReady)
	s.h.TurnsBySession(func(m *jsonrpc.Message) bool { return strings.HasPrefix(m.Name, "a/sell") })
	return s
}

// begin begins a session, and returns its id.
func (s *turnServer) begin(t *testing.T) string {
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, newRequest(`{"jsonrpc":"2.0","id":1,"method":"initialize"}`, nil))
	id := w.Header().Get(mcp.HeaderSessionID)
	if w.Code != 200 || id == "" {
		t.Errorf("initialize: %d %s", w.Code, w.Body)
	}
	return id
}

func (s *turnServer) call(t *testing.T, session, name string) {
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, newRequest(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q}}`, name), header(mcp.HeaderSessionID, session)))
	if w.Code != 200 || !strings.Contains(w.Body.String(), name) {
		t.Errorf("%s: %d %s", name, w.Code, w.Body)
	}
}

// Sessions begin a turn within some milliseconds, in any order, and call in any order: sales come first, and each kind goes by when the
// sessions began.
func TestHTTP_TurnsBySession(t *testing.T) {
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			s, random := newTurnServer(), rand.New(rand.NewPCG(seed, 1))
			var sells, buys []string
			var mu sync.Mutex
			var wait sync.WaitGroup
			for i := range 2 + random.IntN(6) {
				begins, later := time.Duration(random.IntN(90))*time.Millisecond, time.Duration(random.IntN(300))*time.Millisecond
				kind := []string{"a/sell", "a/buy", "price"}[random.IntN(3)]
				name := fmt.Sprint(kind, i)
				wait.Go(func() {
					time.Sleep(begins + time.Duration(i)) // each at a time of its own
					id := s.begin(t)
					mu.Lock()
					switch kind {
					case "a/sell":
						sells = append(sells, strings.TrimPrefix(name, "a/"))
					case "a/buy":
						buys = append(buys, strings.TrimPrefix(name, "a/"))
					}
					mu.Unlock()
					time.Sleep(later)
					s.call(t, id, name)
				})
			}
			wait.Wait()
			if got, want := fmt.Sprint(s.order), fmt.Sprint(append(sells, buys...)); got != want {
				t.Errorf("seed %d: %s, want %s", seed, got, want)
			}
		})
	}
}

// A session that calls nothing holds others up for a while alone, and none of another turn; a later call of a session waits for nothing.
func TestHTTP_TurnsBySession_Silent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTurnServer()
		took := func(session, name string, want time.Duration) {
			t.Helper()
			began := time.Now()
			s.call(t, session, name)
			if got := time.Since(began); got != want {
				t.Errorf("%s takes %v, want %v", name, got, want)
			}
		}
		s.begin(t)
		b := s.begin(t)
		took(b, "a/buy1", turnWait)
		took(b, "a/buy2", 0)
		took("", "a/buy3", 0)
		took("17", "a/buy4", 0)
		took("x", "a/buy5", 0)
		time.Sleep(2 * turnWindow)
		took(s.begin(t), "a/buy6", turnGrace)
		took(s.begin(t), "a/sell7", 0)
		c := s.begin(t)
		time.Sleep(turnGrace)
		took(c, "a/buy8", 0)
		if got := strings.Join(s.order, " "); got != "buy1 buy2 buy3 buy4 buy5 buy6 sell7 buy8" {
			t.Errorf("the order is %s", got)
		}
		time.Sleep(3 * turnWindow)
		s.begin(t)
		if n := len(s.h.sessions.recent); n != 1 {
			t.Errorf("%d sessions are kept", n)
		}
	})
}
