// The server over HTTP from outside: tokens, both eras of the protocol, parallel tenants, kills and the end.

package integration_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/client/transport"
	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
)

// httpServer is a running mcp-trade http.
type httpServer struct {
	address string
	client  *http.Client
	secure  bool // it speaks TLS
	process *exec.Cmd
	log     *syncBuffer
	ended   chan error
}

func (s *httpServer) url(path string) string {
	if s.secure {
		return "https://" + s.address + path
	}
	return "http://" + s.address + path
}

// serveHTTP starts a server in a place, at an address, and waits until it listens.
func (p *place) serveHTTP(t testing.TB, address string, args ...string) *httpServer {
	t.Helper()
	s := &httpServer{client: http.DefaultClient, process: p.command(append([]string{"http", "--listen", address, "--log-format", "json"}, args...)...), log: &syncBuffer{}, ended: make(chan error, 1)}
	s.process.Stderr = s.log
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.ended <- s.process.Wait() }()
	t.Cleanup(func() { _ = s.process.Process.Kill() })
	testenv.Eventually(t, "the server", func() error {
		for line := range strings.Lines(s.log.String()) {
			var said struct{ Address string }
			if json.Unmarshal([]byte(line), &said) == nil && said.Address != "" {
				s.address = said.Address
				return nil
			}
		}
		return fmt.Errorf("it does not listen: %s", s.log)
	})
	return s
}

// stop ends the server as a supervisor does.
func (s *httpServer) stop(t testing.TB) {
	t.Helper()
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-s.ended:
		if err != nil {
			t.Errorf("it ended with %v\n%s", err, s.log)
		}
	case <-time.After(patience):
		t.Fatalf("it does not end\n%s", s.log)
	}
}

// token makes a token.
func (p *place) token(t testing.TB, account string, args ...string) string {
	t.Helper()
	secret, _ := p.newToken(t, account, args...)
	return secret
}

// newToken makes a token, and returns the id by which it is revoked too.
func (p *place) newToken(t testing.TB, account string, args ...string) (secret, id string) {
	t.Helper()
	var made struct{ Token, ID string }
	if err := json.Unmarshal([]byte(p.do(t, append([]string{"token", "new", "--account", account, "--json"}, args...)...)), &made); err != nil || made.Token == "" || made.ID == "" {
		t.Fatalf("%+v, %v", made, err)
	}
	return made.Token, made.ID
}

// connect is a client of the server with a token, in the given version of the protocol.
func (s *httpServer) connect(t testing.TB, token, version string) *trader {
	t.Helper()
	h, err := transport.NewStreamableHTTP(s.url("/mcp"), transport.WithHTTPBasicClient(s.client), transport.WithHTTPHeaders(map[string]string{"Authorization": "Bearer " + token}))
	if err != nil {
		t.Fatal(err)
	}
	tr := &trader{client.NewClient(h, client.WithProtocolVersion(version)), s.log}
	if err := tr.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	var hello mcp.InitializeRequest
	hello.Params.ProtocolVersion = version
	hello.Params.ClientInfo = mcp.Implementation{Name: "integration_test", Version: "1"}
	if agreed, err := tr.Initialize(t.Context(), hello); err != nil || agreed.ProtocolVersion != version {
		t.Fatalf("initialize: %+v, %v\n%s", agreed, err, s.log)
	}
	return tr
}

var eras = []string{mcp.ProtocolVersion20260728, mcp.ProtocolVersion20251125}

// Two accounts call at the same time in both eras, with all that a request can say, and neither sees anything of the other.
func TestHTTP_TwoAccountsNeverMeet(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	accounts := []string{"alice", "zachary"}
	tokens := map[string]string{}
	for _, account := range accounts {
		p.open(t, account, "100000", plainDays[0])
		tokens[account] = p.token(t, account)
	}
	s := p.serveHTTP(t, "127.0.0.1:0")
	draws := scaled(t, 10000, 100)
	seed := uint64(settingOf(t, "MCP_TRADE_STORM_SEED", 1))
	var mu sync.Mutex
	filled := map[string]int{}
	var wait sync.WaitGroup
	for i, account := range accounts {
		for j, era := range eras {
			tr, r := s.connect(t, tokens[account], era), rand.New(rand.NewPCG(seed, uint64(2*i+j)))
			wait.Go(func() {
				for n := range draws / len(eras) {
					text := drawOne(t, tr, r, accounts[1-i], fmt.Sprint(era, n))
					if strings.Contains(text, accounts[1-i]) {
						t.Errorf("%s was answered: %s", account, text)
					}
					mu.Lock()
					filled[account] += strings.Count(text, `"status":"filled","replayed":false`)
					mu.Unlock()
				}
			})
		}
	}
	wait.Wait()
	for _, account := range accounts {
		if n := len(p.records(t, account)); n != 1+filled[account] || n == 1 {
			t.Errorf("%s has %d records, and %d orders were filled", account, n, filled[account])
		}
		p.verified(t, account)
	}
	s.stop(t)
}

// drawOne asks for something at random, the other account among it, and returns the answer without what was asked.
func drawOne(t *testing.T, tr *trader, r *rand.Rand, other, id string) string {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	if r.IntN(5) == 0 {
		var read mcp.ReadResourceRequest
		read.Params.URI = pick("ledger://", "report://", "briefing://") + other + pick("", "/latest")
		result, err := tr.ReadResource(t.Context(), read)
		if err == nil {
			t.Errorf("%s was read: %+v", read.Params.URI, result)
		}
		return ""
	}
	tool := pick("buy", "sell", "get_portfolio", "get_trades", "get_session", "get_price", "list_symbols")
	arguments := args{}
	switch tool {
	case "buy", "sell":
		arguments = args{"symbol": pick("AAPL", "MSFT"), "amount": 1 + r.IntN(3), "order_id": "o-" + id} // the other account uses the same ids
	case "get_price":
		arguments = args{"symbol": "AAPL"}
	}
	if r.IntN(10) == 0 {
		arguments[pick("signature", "account", "model_id", "date", "today_date")] = other
	}
	answer, err := tr.tryCall(tool, arguments)
	if err != nil {
		t.Errorf("%s: %v", tool, err)
	}
	return strings.ReplaceAll(answer.text, `"value":"`+other+`"`, "")
}

// order posts an order over a connection of its own. The answer is "" if the connection failed.
func (s *httpServer) order(token, id string) string {
	_, answer := s.post(token, orderOf(id))
	return answer
}

// orderOf is the message of an order.
func orderOf(id string) string {
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"buy","arguments":{"symbol":"MSFT","amount":1,"order_id":%q}}}`, id)
}

// post sends a message over a connection of its own. The status is 0 if the connection failed.
func (s *httpServer) post(token, body string) (status int, answer string) {
	r, err := http.NewRequest(http.MethodPost, s.url("/mcp"), strings.NewReader(body))
	if err != nil {
		return 0, ""
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	r.Close = true
	response, err := s.client.Do(r)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, ""
	}
	return response.StatusCode, string(text)
}

// flood has orders sent side by side until the server is gone, and returns the ids of those that it answered as filled, and how many
// were sent.
func (s *httpServer) flood(t *testing.T, token, name string, end func()) (filled map[string]bool, sent int) {
	filled = map[string]bool{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	enough := make(chan struct{})
	begin := sync.OnceFunc(func() { close(enough) })
	for c := range 8 {
		wait.Go(func() {
			for n := 0; ; n++ {
				id := fmt.Sprint(name, "-", c, "-", n)
				answer := s.order(token, id)
				mu.Lock()
				sent++
				if answer != "" && strings.Contains(answer, `"status":"filled"`) {
					filled[id] = true
				} else if answer != "" {
					t.Errorf("%s is answered %s", id, answer)
				}
				if len(filled) > 20 || answer == "" { // another flood may have ended the server
					begin()
				}
				mu.Unlock()
				if answer == "" {
					return
				}
			}
		})
	}
	<-enough
	end()
	wait.Wait()
	return filled, sent
}

// ordersOf counts the records of each order id.
func ordersOf(records []ledger.Record) map[string]int {
	n := map[string]int{}
	for _, r := range records[1:] {
		n[r.OrderID]++
	}
	return n
}

// A server that is told to end answers each order that it executes; one that is killed loses none that it answered, and the next one
// goes on.
func TestHTTP_EndsAndKills(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.open(t, "alice", "10000000", plainDays[0])
	token := p.token(t, "alice")
	s := p.serveHTTP(t, "127.0.0.1:0")
	answered, _ := s.flood(t, token, "first", func() { s.stop(t) })
	if got := ordersOf(p.records(t, "alice")); len(got) != len(answered) {
		t.Errorf("%d orders are in the ledger, and %d were answered", len(got), len(answered))
	}
	for kill := range scaled(t, 200, 2) {
		s = p.serveHTTP(t, s.address) // the same address
		filled, _ := s.flood(t, token, fmt.Sprint("kill", kill), func() { _ = s.process.Process.Kill() })
		<-s.ended
		for id := range filled {
			answered[id] = true
		}
	}
	s = p.serveHTTP(t, s.address)
	for id := range answered {
		if answer := s.order(token, id); !strings.Contains(answer, `"replayed":true`) {
			t.Errorf("%s was answered, and again %s", id, answer)
		}
		break // one stands for all: the ledger has them below
	}
	got := ordersOf(p.records(t, "alice"))
	for id := range answered {
		if got[id] != 1 {
			t.Errorf("%s was answered as filled, and is in the ledger %d times", id, got[id])
		}
	}
	for id, n := range got {
		if n != 1 {
			t.Errorf("%s is in the ledger %d times", id, n)
		}
	}
	p.verified(t, "alice")
	s.stop(t)
}

// Connections that say nothing, or half of something, keep nobody out, and what a token may do changes under the server.
func TestHTTP_ManyConnectionsAndRevoked(t *testing.T) {
	t.Parallel()
	p := onFiles(t)
	p.open(t, "alice", "10000", plainDays[0])
	s := p.serveHTTP(t, "127.0.0.1:0")
	for i := range scaled(t, 2000, 200) {
		c, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if i%2 == 0 {
			_, _ = io.WriteString(c, "POST /mcp HTTP/1.1\r\nHost: localhost\r\n")
		}
	}
	if answer := s.order("", "1"); !strings.Contains(answer, "none that was made here") && !strings.Contains(answer, "Bearer TOKEN") {
		t.Errorf("an empty token is answered %s", answer)
	}
	token, id := p.newToken(t, "alice")
	if answer := s.order(token, "2"); !strings.Contains(answer, `"status":"filled"`) {
		t.Errorf("the order is answered %s", answer)
	}
	p.do(t, "token", "revoke", id)
	if answer := s.order(token, "3"); !strings.Contains(answer, "revoked") {
		t.Errorf("after it was revoked the order is answered %s", answer)
	}
	if n := len(p.records(t, "alice")); n != 2 {
		t.Errorf("%d records", n)
	}
	if strings.Contains(s.log.String(), token) {
		t.Errorf("the log shows the token: %s", s.log)
	}
}
