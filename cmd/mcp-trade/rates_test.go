package main

// Tests of how often callers may call, by requests to the whole transport and a clock of their own.

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"mcp-trade/internal/lru"
	"mcp-trade/internal/rate"
	"mcp-trade/store/filestore"
	"mcp-trade/token"
	"mcp-trade/tools"
)

// send sends a body from an address, and returns the answer.
func (s *served) send(body, from string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/mcp", strings.NewReader(body))
	r.RemoteAddr = from
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.http.ServeHTTP(w, r)
	return w
}

const (
	somewhere = "192.0.2.1:1000"
	reading   = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_session","arguments":{}}}`
	buying    = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"buy","arguments":{}}}`
)

func perMinute(n int) rate.Rate { return rate.Rate{Times: n, Per: time.Minute} }

func (s *served) bearer(t *testing.T, per, orders rate.Rate) string {
	return "Bearer " + s.token(t, token.Token{Account: "bob", Model: "bob", Scopes: tools.Scopes, Rate: per, Orders: orders})
}

// A token may call as often as it says; the answer to one call more says when the next will be taken, to the second.
func TestGate_Rate(t *testing.T) {
	for _, r := range []rate.Rate{{Times: 3, Per: time.Second}, perMinute(7), perMinute(60), {Times: 5, Per: time.Hour}} {
		t.Run(r.String(), func(t *testing.T) {
			t.Parallel()
			s := newServed(t)
			now := gateNoon
			s.now = func() time.Time { return now }
			bob, other := s.bearer(t, r, rate.Rate{}), s.bearer(t, r, rate.Rate{})
			for i := range r.Times {
				if w := s.send(reading, somewhere, "Authorization", bob); w.Code != 200 {
					t.Fatalf("call %d: %d %s", i, w.Code, w.Body)
				}
			}
			w := s.send(reading, somewhere, "Authorization", bob)
			if w.Code != 429 || !strings.Contains(w.Body.String(), fmt.Sprintf(`"limit":%q`, r)) || !strings.Contains(w.Body.String(), `"code":"rate_limited"`) {
				t.Fatalf("one call more: %d %s", w.Code, w.Body)
			}
			if w := s.send(reading, somewhere, "Authorization", other); w.Code != 200 {
				t.Errorf("another token of the account: %d %s", w.Code, w.Body)
			}
			wait, err := strconv.Atoi(w.Header().Get("Retry-After"))
			if err != nil || wait < 1 {
				t.Fatalf("Retry-After %q", w.Header().Get("Retry-After"))
			}
			early := gateNoon.Add(min(time.Duration(wait-1)*time.Second, r.Per/time.Duration(r.Times)-time.Millisecond))
			if now = early; s.send(reading, somewhere, "Authorization", bob).Code != 429 {
				t.Error("it is served before")
			}
			if now = gateNoon.Add(time.Duration(wait) * time.Second); s.send(reading, somewhere, "Authorization", bob).Code != 200 {
				t.Errorf("it is not served after %d s", wait)
			}
		})
	}
}

// Orders have a rate of their own, and each message of a batch counts.
func TestGate_RateOfOrders(t *testing.T) {
	s := newServed(t)
	bob := s.bearer(t, perMinute(6), perMinute(2))
	for i, c := range []struct {
		body   string
		status int
		says   string
	}{
		{buying, 200, "result"},
		{buying, 200, "result"},
		{buying, 429, "rate of orders, 2 per minute"},
		{reading, 200, "bob"},
		{"[" + reading + "," + reading + "," + reading + "," + reading + "]", 200, "rate of requests, 6 per minute"},
		{reading, 429, `"limit":"6/m"`},
	} {
		if w := s.send(c.body, somewhere, "Authorization", bob); w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%d: %d %s, want %d %s", i, w.Code, w.Body, c.status, c.says)
		} else if strings.HasPrefix(c.body, "[") && strings.Count(w.Body.String(), `"result"`) != 2 {
			t.Errorf("of a batch when two are left: %s", w.Body)
		}
	}
}

// What is remembered of callers is bounded, whoever calls.
func TestGate_RatesAreBounded(t *testing.T) {
	s := newServed(t)
	s.rates.tokens, s.rates.good, s.rates.addresses = lru.New[*allowance](3, nil), lru.New[struct{}](3, nil), lru.New[*origin](3, nil)
	for i := range 10 {
		from := fmt.Sprintf("192.0.2.%d:1000", i)
		s.send(reading, from, "Authorization", s.bearer(t, perMinute(1), rate.Rate{}))
		s.send(reading, from, "Authorization", "Bearer none")
	}
	if a, b, c := s.rates.tokens.Len(), s.rates.good.Len(), s.rates.addresses.Len(); a != 3 || b != 3 || c != 3 {
		t.Errorf("%d allowances, %d good tokens and %d addresses are kept", a, b, c)
	}
}

// An address that guesses is slowed; who calls with a good token from the same address is served, and other addresses are not concerned.
func TestGate_Guesses(t *testing.T) {
	s := newServed(t)
	now := gateNoon
	s.now = func() time.Time { return now }
	bob, new := s.bearer(t, rate.Rate{}, rate.Rate{}), s.bearer(t, rate.Rate{}, rate.Rate{})
	if w := s.send(reading, somewhere, "Authorization", bob); w.Code != 200 {
		t.Fatal(w.Body)
	}
	guess := func(from string) *httptest.ResponseRecorder {
		return s.send(reading, from, "Authorization", "Bearer mcptrade_"+strings.Repeat("A", 43))
	}
	for i := range guessesAtOnce {
		if w := guess(somewhere); w.Code != 401 {
			t.Fatalf("guess %d: %d %s", i, w.Code, w.Body)
		}
	}
	if w := guess(somewhere); w.Code != 429 || w.Header().Get("Retry-After") != "1" {
		t.Errorf("one guess more: %d %v", w.Code, w.Header())
	}
	for name, header := range map[string]string{"a token that was used before": bob, "a token that was not": new} {
		if w := s.send(reading, somewhere, "Authorization", header); w.Code != 200 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := guess("192.0.2.2:1"); w.Code != 401 {
		t.Errorf("another address: %d", w.Code)
	}
	if now = now.Add(time.Second); guess(somewhere).Code != 401 || guess(somewhere).Code != 429 {
		t.Error("a second later it is not one guess")
	}
	for i := range guessesAtOnce + 1 { // one network of IPv6 is one caller
		if w := guess(fmt.Sprintf("[2001:db8::%x]:1", i+1)); (w.Code == 429) != (i == guessesAtOnce) {
			t.Errorf("guess %d of a network: %d", i, w.Code)
		}
	}
}

// While no guess is left to an address, the store is asked for one of its tokens at a time.
func TestGate_GuessesAtOnce(t *testing.T) {
	s := newServed(t)
	bob := s.bearer(t, rate.Rate{}, rate.Rate{})
	for range guessesAtOnce {
		s.send(reading, somewhere, "Authorization", "Bearer none")
	}
	slow := &slowTokens{s.store, make(chan string), make(chan struct{})}
	s.tokens = slow
	first := make(chan int)
	go func() { first <- s.send(reading, somewhere, "Authorization", bob).Code }()
	<-slow.asked
	if w := s.send(reading, somewhere, "Authorization", "Bearer mcptrade_"+strings.Repeat("A", 43)); w.Code != 429 {
		t.Errorf("beside one that is looked up: %d", w.Code)
	}
	close(slow.release)
	if status := <-first; status != 200 {
		t.Errorf("the first is answered %d", status)
	}
}

// slowTokens tells which token is asked for, and answers once it may.
type slowTokens struct {
	*filestore.Store
	asked   chan string
	release chan struct{}
}

func (s *slowTokens) Token(ctx context.Context, hash string) ([]byte, error) {
	select {
	case s.asked <- hash:
		<-s.release
	case <-s.release:
	}
	return s.Store.Token(ctx, hash)
}

// A token ends with its time, at the next call.
func TestGate_TokenExpires(t *testing.T) {
	s := newServed(t)
	now := gateNoon
	s.now = func() time.Time { return now }
	bob := "Bearer " + s.token(t, token.Token{Account: "bob", Model: "bob", Scopes: tools.Scopes, Expires: gateNoon.Add(time.Second)})
	for _, want := range []int{200, 401} {
		if w := s.send(reading, somewhere, "Authorization", bob); w.Code != want {
			t.Errorf("%v: %d %s", now, w.Code, w.Body)
		}
		now = now.Add(time.Second)
	}
}
