package main

// Tests of who may call over HTTP, by requests to the whole transport, without a network.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"mcp-trade/internal/lru"
	"mcp-trade/ledger"
	"mcp-trade/serve"
	"mcp-trade/session"
	"mcp-trade/store/filestore"
	"mcp-trade/token"
	"mcp-trade/tools"
)

var gateNoon = time.Date(2025, 10, 2, 12, 0, 0, 0, time.UTC)

// served is a server over HTTP with two accounts, each with the session of a model of its name.
type served struct {
	*gate
	store *filestore.Store
	http  *serve.HTTP
}

func newServed(t *testing.T) *served {
	t.Helper()
	dir := t.TempDir()
	s := filestore.New(dir, filepath.Join(dir, "ledgers"))
	t.Cleanup(func() { _ = s.Close() })
	open := func(model string) (*session.Resolver, error) {
		return session.New(session.Config{Model: model, Local: s, Env: func(string) (string, bool) { return "", false }, Warn: func(text string) { t.Log(text) }})
	}
	for _, account := range []string{"alice", "bob"} {
		l, err := open(account)
		if err == nil {
			err = l.Set(t.Context(), map[string]any{session.Signature: account, session.TodayDate: "2025-10-02"})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	own, err := open("alice")
	if err != nil {
		t.Fatal(err)
	}
	servers, err := tools.NewServers(&tools.Deps{Accounts: ledger.NewAccounts(s), Ledger: "file", Log: zerolog.Nop()}, tools.Options{Toolsets: tools.DefaultToolsets})
	if err != nil {
		t.Fatal(err)
	}
	g := newGate(s, servers, own, open, zerolog.Nop())
	g.now = func() time.Time { return gateNoon }
	return &served{g, s, serve.New(servers, zerolog.Nop()).HTTP(g, (&readiness{rooms: rooms{file: s, ledgers: s}, tools: &tools.Deps{}}).check)}
}

func (s *served) token(t *testing.T, made token.Token) string {
	t.Helper()
	secret, _, err := token.New(t.Context(), s.store, made)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// call calls a tool and returns the status, the challenge and the answer.
func (s *served) call(tool string, headers ...string) (status int, challenge, answer string) {
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":{}}}`, tool)
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/mcp", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.http.ServeHTTP(w, r)
	return w.Code, w.Header().Get("WWW-Authenticate"), w.Body.String()
}

func TestGate_Tokens(t *testing.T) {
	s := newServed(t)
	if status, _, answer := s.call("get_session"); status != 200 || !strings.Contains(answer, `"signature":"alice"`) {
		t.Errorf("without any token made: %d %s", status, answer)
	}
	const auth = "Authorization"
	of := func(made token.Token) string {
		made.Created = gateNoon.Add(-time.Hour)
		return "Bearer " + s.token(t, made)
	}
	all := tools.Scopes
	alice := of(token.Token{Account: "alice", Model: "alice", Scopes: all})
	bob := of(token.Token{Account: "bob", Model: "bob", Scopes: all})
	reader := of(token.Token{Account: "alice", Model: "alice", Scopes: []string{tools.ReadScope}})
	market := of(token.Token{Account: "alice", Model: "alice", Scopes: all, Toolsets: []string{tools.MarketSet}})
	thief := of(token.Token{Account: "bob", Model: "alice", Scopes: all})
	expired := of(token.Token{Account: "alice", Model: "alice", Scopes: all, Expires: gateNoon})
	living := of(token.Token{Account: "alice", Model: "alice", Scopes: all, Expires: gateNoon.Add(1)})
	for _, c := range []struct {
		name      string
		tool      string
		headers   []string
		status    int
		challenge string
		says      string
	}{
		{"no token", "get_session", nil, 401, `Bearer realm="mcp-trade"`, "needs a token"},
		{"an empty one", "get_session", []string{auth, ""}, 401, `Bearer realm="mcp-trade"`, "needs a token"},
		{"alice", "get_session", []string{auth, alice}, 200, "", `"signature":"alice"`},
		{"bob", "get_session", []string{auth, bob}, 200, "", `"signature":"bob"`},
		{"the scheme in other case", "get_session", []string{auth, strings.Replace(bob, "Bearer", "bearer", 1)}, 200, "", `"signature":"bob"`},
		{"another scheme", "get_session", []string{auth, strings.Replace(alice, "Bearer", "Basic", 1)}, 401, `Bearer realm="mcp-trade"`, "Bearer TOKEN"},
		{"the token alone", "get_session", []string{auth, strings.TrimPrefix(alice, "Bearer ")}, 401, `Bearer realm="mcp-trade"`, "Bearer TOKEN"},
		{"a wrong token", "get_session", []string{auth, alice[:len(alice)-4] + "AAAA"}, 401, `error="invalid_token"`, "none that was made here"},
		{"two tokens", "get_session", []string{auth, alice, auth, bob}, 400, "", "twice"},
		{"an expired one", "get_session", []string{auth, expired}, 401, `error="invalid_token"`, "expired"},
		{"one in its last moment", "get_session", []string{auth, living}, 200, "", `"signature":"alice"`},
		{"the session of another account", "get_session", []string{auth, thief}, 200, "", "session_unreachable"},
		{"an order of a reader", "buy", []string{auth, reader}, 403, `error="insufficient_scope"`, "scope trade"},
		{"a search of a reader", "search", []string{auth, reader}, 403, `scope="search"`, "scope search"},
		{"a reader", "get_session", []string{auth, reader}, 200, "", `"signature":"alice"`},
		{"another toolset", "get_session", []string{auth, market}, 200, "", "There is no tool"},
		{"a header adds no toolset", "get_session", []string{auth, market, toolsetsHeader, "trade,market"}, 200, "", "There is no tool"},
		{"a header takes a toolset away", "get_session", []string{auth, alice, toolsetsHeader, "market, search"}, 200, "", "There is no tool"},
		{"a header leaves the toolset", "get_session", []string{auth, alice, toolsetsHeader, "market", toolsetsHeader, "trade"}, 200, "", `"signature":"alice"`},
		{"a header names what is none", "get_session", []string{auth, alice, toolsetsHeader, "all"}, 400, "", "unknown toolset"},
		{"a header takes orders away", "buy", []string{auth, alice, readOnlyHeader, "true"}, 403, `error="insufficient_scope"`, "scope trade"},
		{"a header gives no orders", "buy", []string{auth, reader, readOnlyHeader, "false"}, 403, `error="insufficient_scope"`, "scope trade"},
		{"a header that is neither", "buy", []string{auth, alice, readOnlyHeader, "no"}, 400, "", "true or false"},
	} {
		status, challenge, answer := s.call(c.tool, c.headers...)
		if status != c.status || !strings.Contains(challenge, c.challenge) || (challenge == "") != (c.challenge == "") || !strings.Contains(answer, c.says) {
			t.Errorf("%s: %d %s %.300s, want %d %s %s", c.name, status, challenge, answer, c.status, c.challenge, c.says)
		}
		if strings.Count(answer, "\n") != 1 || !json.Valid([]byte(answer)) || strings.Contains(answer+challenge, "mcptrade_") {
			t.Errorf("%s: %s", c.name, answer)
		}
	}
}

// A token counts from the call after it was made, and no longer after it was revoked; and when all are revoked nobody gets in.
func TestGate_TokensChange(t *testing.T) {
	s := newServed(t)
	secret, made, err := token.New(t.Context(), s.store, token.Token{Account: "bob", Model: "bob", Scopes: tools.Scopes})
	if err != nil {
		t.Fatal(err)
	}
	if status, _, _ := s.call("get_session"); status != 401 {
		t.Errorf("a call without a token beside one that was just made: %d", status)
	}
	if status, _, answer := s.call("get_session", "Authorization", "Bearer "+secret); status != 200 || !strings.Contains(answer, "bob") {
		t.Errorf("%d %s", status, answer)
	}
	if _, err := token.Revoke(t.Context(), s.store, made.ID, gateNoon); err != nil {
		t.Fatal(err)
	}
	if status, _, answer := s.call("get_session", "Authorization", "Bearer "+secret); status != 401 || !strings.Contains(answer, "revoked") {
		t.Errorf("after it was revoked: %d %s", status, answer)
	}
	if status, _, _ := s.call("get_session"); status != 401 {
		t.Errorf("without a token, when all are revoked: %d", status)
	}
}

// Where tokens cannot be read nobody gets in, with one or without.
func TestGate_StoreIsGone(t *testing.T) {
	s := newServed(t)
	secret := s.token(t, token.Token{Account: "bob", Model: "bob", Scopes: tools.Scopes})
	s.tokens = brokenTokens{s.store}
	for _, headers := range [][]string{nil, {"Authorization", "Bearer " + secret}} {
		if status, _, answer := s.call("get_session", headers...); status != 503 || strings.Contains(answer, "bob") || strings.Contains(answer, "it is gone") {
			t.Errorf("%d %s", status, answer)
		}
	}
}

type brokenTokens struct{ *filestore.Store }

func (brokenTokens) Token(context.Context, string) ([]byte, error) {
	return nil, errors.New("it is gone")
}
func (brokenTokens) AnyToken(context.Context) (bool, error) { return false, errors.New("it is gone") }

// The sessions that are kept are bounded, whoever calls.
func TestGate_ManyCallers(t *testing.T) {
	s := newServed(t)
	s.callers = lru.New[opened](3, nil)
	for i := range 10 {
		name := fmt.Sprint("m", i)
		secret := s.token(t, token.Token{Account: name, Model: name, Scopes: tools.Scopes})
		if status, _, answer := s.call("get_session", "Authorization", "Bearer "+secret); status != 200 || !strings.Contains(answer, "session_missing") {
			t.Fatalf("%d %s", status, answer)
		}
	}
	if n := s.callers.Len(); n != 3 {
		t.Errorf("%d sessions are kept", n)
	}
}
