// A server under the load of many tenants, outside CI: MCP_TRADE_LOAD=60 go test ./integration_test -run HTTP_Load -v -timeout 20m

package integration_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mcp-trade/decimal"
	"mcp-trade/internal/rate"
	"mcp-trade/ledger"
	"mcp-trade/store"
	"mcp-trade/token"
	"mcp-trade/tools"
)

const (
	loadTenants     = 500
	loadConnections = 2000
	loadReads       = 2000 // a second
	loadOrders      = 100  // a second
)

// HTTP_Load has requests made at planned times, whatever becomes of those before: their time counts from the planned one on.
func TestHTTP_Load(t *testing.T) {
	seconds := settingOf(t, "MCP_TRADE_LOAD", 0)
	if seconds == 0 {
		t.Skip("MCP_TRADE_LOAD says how many seconds a server is to be under load")
	}
	onBothStores(t, func(t *testing.T, p *place) { p.load(t, seconds) })
}

// loadClient makes requests of tenants.
type loadClient struct {
	t       *testing.T
	server  *httpServer
	http    http.Client
	tokens  []string
	orders  atomic.Int64
	filled  atomic.Int64
	mu      sync.Mutex
	refused map[string]int // by status, or error
}

func (p *place) load(t *testing.T, seconds int) {
	c := &loadClient{t: t, tokens: p.tenants(t, loadTenants), refused: map[string]int{}}
	c.server = p.serveHTTP(t, "127.0.0.1:0")
	c.http.Transport = &http.Transport{MaxConnsPerHost: loadConnections, MaxIdleConnsPerHost: loadConnections}
	c.connect(loadConnections)
	c.sample("connected")
	warm := c.openLoop(time.Second, loadReads/4, 0) // sessions are read, prices too
	c.sample("warm, " + quantiles(warm))
	half := time.Duration(seconds) * time.Second / 2
	for n := range 2 {
		c.sample(fmt.Sprintf("half %d of the load: %s", n+1, quantiles(c.openLoop(half, loadReads, loadOrders))))
	}
	alone := c.openLoop(10*time.Second, 500, 0)
	over, flooding := c.flood(c.tokens[0])
	beside := c.openLoop(10*time.Second, 500, 0)
	over()
	c.sample(fmt.Sprintf("others alone: %s; beside a flood of %d requests of one tenant: %s", quantiles(alone), flooding.Load(), quantiles(beside)))
	if filled, records := c.filled.Load(), p.rows(t); records != filled {
		t.Errorf("%d orders were answered as filled, and the ledgers have %d", filled, records)
	}
	t.Logf("refused: %v", c.refused)
	for what, n := range c.refused {
		if !strings.HasPrefix(what, "429 ") {
			t.Errorf("%d times %s", n, what)
		}
	}
	c.server.stop(t)
}

// tenants opens accounts, each with a session and a token.
func (p *place) tenants(t *testing.T, n int) (tokens []string) {
	t.Helper()
	s := p.store(t)
	accounts := ledger.NewAccounts(s)
	for i := range n {
		name := fmt.Sprint("tenant", i)
		_, err := accounts.Register(t.Context(), name, decimal.NewFromInt(100_000_000), "2025-10-01")
		if err != nil {
			t.Fatal(err)
		}
		values := map[store.Key]string{{Model: name, Name: "SIGNATURE"}: `"` + name + `"`, {Model: name, Name: "TODAY_DATE"}: `"2025-10-02"`}
		if err := s.SetValues(t.Context(), values, 0); err != nil {
			t.Fatal(err)
		}
		made := token.Token{Account: name, Model: name, Scopes: tools.Scopes, Created: time.Now()}
		if i == 0 { // the tenant that floods
			if made.Rate, err = rate.Parse("100/s"); err != nil {
				t.Fatal(err)
			}
		}
		secret, _, err := token.New(t.Context(), s, made)
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, secret)
	}
	return tokens
}

// rows counts the trades of all tenants.
func (p *place) rows(t *testing.T) (n int64) {
	t.Helper()
	accounts := p.accounts(t)
	for i := range loadTenants {
		book, err := accounts.Head(t.Context(), fmt.Sprint("tenant", i))
		if err != nil {
			t.Fatal(err)
		}
		n += book.ID // the row 0 opens the account
	}
	return n
}

// call makes a request. It returns false if it was refused.
func (c *loadClient) call(token, body string) bool {
	r, err := http.NewRequest(http.MethodPost, c.server.url("/mcp"), strings.NewReader(body))
	if err != nil {
		c.t.Error(err)
		return false
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := c.http.Do(r)
	if err != nil {
		return c.refuse(err.Error())
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return c.refuse(err.Error())
	case response.StatusCode != http.StatusOK:
		return c.refuse(fmt.Sprintf("%d %.60s", response.StatusCode, text))
	case strings.Contains(string(text), `"isError":true`) || !strings.Contains(string(text), `"result"`):
		return c.refuse(fmt.Sprintf("%.200s", text))
	case strings.Contains(string(text), `"status":"filled"`):
		c.filled.Add(1)
	}
	return true
}

func (c *loadClient) refuse(why string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused[why]++
	return false
}

// connect has so many connections open.
func (c *loadClient) connect(n int) {
	var wait, all sync.WaitGroup
	all.Add(1)
	for i := range n {
		wait.Go(func() {
			all.Wait()
			c.call(c.tokens[i%len(c.tokens)], `{"jsonrpc":"2.0","id":1,"method":"ping"}`)
		})
	}
	all.Done()
	wait.Wait()
}

// openLoop makes reads and orders at planned times, so many a second, and returns how long each read took.
func (c *loadClient) openLoop(length time.Duration, reads, orders int) []time.Duration {
	var mu sync.Mutex
	var took []time.Duration
	var wait sync.WaitGroup
	began, random := time.Now(), rand.New(rand.NewPCG(1, 2))
	total := int(length.Seconds() * float64(reads+orders))
	for n := range total {
		planned := began.Add(time.Duration(float64(n) / float64(reads+orders) * float64(time.Second)))
		time.Sleep(time.Until(planned))
		token := c.tokens[1+random.IntN(len(c.tokens)-1)]
		isOrder := random.IntN(reads+orders) < orders
		kind := random.IntN(4)
		wait.Go(func() {
			if isOrder {
				c.call(token, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"buy","arguments":{"symbol":"AAPL","amount":1,"order_id":"o-%d"}}}`, c.orders.Add(1)))
				return
			}
			call := [...]string{`"get_portfolio","arguments":{}`, `"get_price","arguments":{"symbol":"AAPL"}`, `"get_trades","arguments":{}`, `"get_session","arguments":{}`}[kind]
			if c.call(token, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":`+call+`}}`) {
				mu.Lock()
				took = append(took, time.Since(planned))
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return took
}

// flood has a tenant make requests as fast as they are answered.
func (c *loadClient) flood(token string) (over func(), made *atomic.Int64) {
	made = &atomic.Int64{}
	var ended atomic.Bool
	var wait sync.WaitGroup
	for range 64 {
		wait.Go(func() {
			for !ended.Load() {
				c.call(token, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_portfolio","arguments":{}}}`)
				made.Add(1)
			}
		})
	}
	return func() { ended.Store(true); wait.Wait() }, made
}

// sample logs what the server holds.
func (c *loadClient) sample(what string) {
	c.t.Helper()
	pid := c.server.process.Process.Pid
	all, own := residentMB(c.t, pid)
	handles, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		c.t.Fatal(err)
	}
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Logf("%.0f MB (%.0f its own), %d handles, %d threads; %s", all, own, len(handles), len(threads), what)
}

func quantiles(took []time.Duration) string {
	if len(took) == 0 {
		return "nothing was answered"
	}
	slices.Sort(took)
	at := func(q float64) time.Duration { return took[int(q*float64(len(took)-1))].Round(10 * time.Microsecond) }
	return fmt.Sprintf("%d answers, p50 %v, p99 %v, most %v", len(took), at(0.5), at(0.99), at(1))
}
