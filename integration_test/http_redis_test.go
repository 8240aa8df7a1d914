// The server over HTTPS with everything in Redis, which is stopped and comes back.

package integration_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"mcp-trade/internal/testenv"
)

// serveHTTPS is serveHTTP with a certificate that the server's clients trust.
func (p *place) serveHTTPS(t testing.TB) *httpServer {
	t.Helper()
	roots, dir := x509.NewCertPool(), t.TempDir()
	roots.AppendCertsFromPEM(testenv.Certificate(t, dir))
	s := p.serveHTTP(t, "127.0.0.1:0", "--tls-cert", filepath.Join(dir, "cert.pem"), "--tls-key", filepath.Join(dir, "key.pem"))
	s.secure, s.client = true, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	return s
}

func TestHTTP_RedisAndTLS(t *testing.T) {
	t.Parallel()
	redis := testenv.NewRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	p := onFiles(t)
	p.redisURL = "redis://" + redis.Addr
	cash := map[string]string{"alice": "10000101", "zachary": "20000202"}
	tokens := map[string]string{}
	for account, amount := range cash {
		p.open(t, account, amount, plainDays[0])
		tokens[account] = p.token(t, account)
	}
	s := p.serveHTTPS(t)

	t.Run("a client that does not know the certificate, or speaks no TLS, is not served", func(t *testing.T) {
		if response, err := http.Get("https://" + s.address + "/healthz"); err == nil {
			t.Errorf("the certificate was taken, and answered %s", response.Status)
		}
		if response, err := http.Get("http://" + s.address + "/healthz"); err == nil && response.StatusCode != http.StatusBadRequest {
			t.Errorf("without TLS it is answered %s", response.Status)
		}
	})
	t.Run("each trades and reads its own account, in either era", func(t *testing.T) {
		for account, other := range map[string]string{"alice": "zachary", "zachary": "alice"} {
			for i, era := range eras {
				tr := s.connect(t, tokens[account], era)
				tr.filled(t, "buy", "AAPL", 1+i)
				for _, tool := range []string{"get_session", "get_portfolio", "get_trades"} {
					if r := tr.call(t, tool, nil); r.failed || strings.Contains(r.text, other) || strings.Contains(r.text, cash[other]) {
						t.Errorf("%s: %s is answered %s", account, tool, r.text)
					}
				}
			}
			if n := len(p.records(t, account)); n != 1+len(eras) {
				t.Errorf("%s has %d records", account, n)
			}
			p.verified(t, account)
		}
	})
	t.Run("a token that is revoked is refused at the next call", func(t *testing.T) {
		made, id := p.newToken(t, "alice")
		if status, answer := s.post(made, orderOf("before")); status != 200 || !strings.Contains(answer, `"status":"filled"`) {
			t.Errorf("%d %s", status, answer)
		}
		p.do(t, "token", "revoke", id)
		if status, answer := s.post(made, orderOf("after")); status != 401 || !strings.Contains(answer, "revoked") {
			t.Errorf("%d %s", status, answer)
		}
		if status, answer := s.post(tokens["alice"], orderOf("beside")); status != 200 || !strings.Contains(answer, `"status":"filled"`) {
			t.Errorf("another token of the account: %d %s", status, answer)
		}
	})
	t.Run("without Redis nobody is served, and with it again everybody", func(t *testing.T) {
		redis.Kill()
		for _, token := range []string{tokens["alice"], tokens["zachary"], "mcptrade_" + strings.Repeat("A", 43)} {
			if status, answer := s.post(token, orderOf("gone")); status != 503 || !strings.Contains(answer, "Nothing was done: try again.") {
				t.Errorf("%d %s", status, answer)
			}
		}
		becomes(t, s, 503)
		redis.Start(t)
		testenv.Eventually(t, "the order", func() error {
			if status, answer := s.post(tokens["alice"], orderOf("back")); status != 200 || !strings.Contains(answer, `"status":"filled"`) {
				return fmt.Errorf("%d %s", status, answer)
			}
			return nil
		})
		becomes(t, s, 200)
		if n := ordersOf(p.records(t, "alice")); n["gone"] != 0 || n["back"] != 1 {
			t.Errorf("orders in the ledger: %v", n)
		}
	})
	t.Run("at its end each order that it executes is answered", func(t *testing.T) {
		before := len(p.records(t, "alice")) + len(p.records(t, "zachary"))
		answered, end := 0, sync.OnceFunc(func() { s.stop(t) })
		var wait sync.WaitGroup
		var mu sync.Mutex
		for account, token := range tokens {
			wait.Go(func() {
				filled, _ := s.flood(t, token, "last-"+account, end)
				mu.Lock()
				defer mu.Unlock()
				answered += len(filled)
			})
		}
		wait.Wait()
		if n := len(p.records(t, "alice")) + len(p.records(t, "zachary")) - before; n != answered {
			t.Errorf("%d orders were executed, and %d answered", n, answered)
		}
		p.verified(t, "alice")
		p.verified(t, "zachary")
	})
}

// ready is the status under which a server says whether it is ready.
func (s *httpServer) ready(t testing.TB) int {
	t.Helper()
	response, err := s.client.Get(s.url("/readyz"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// becomes waits until the server is ready, or is not. It tells for a second what it found before.
func becomes(t *testing.T, s *httpServer, status int) {
	t.Helper()
	testenv.Eventually(t, "the readiness", func() error {
		if got := s.ready(t); got != status {
			return fmt.Errorf("%d, want %d", got, status)
		}
		return nil
	})
}
