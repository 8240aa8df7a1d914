package main

// A million requests at random, with anything that a head and a body can say, through the whole transport: nobody reaches what is
// another's.

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"mcp-trade/decimal"
	"mcp-trade/internal/testenv"
	"mcp-trade/ledger"
	"mcp-trade/market"
	"mcp-trade/serve"
	"mcp-trade/session"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
	"mcp-trade/store/redisstore"
	"mcp-trade/token"
	"mcp-trade/tools"
)

// A tenant is an account that trades over HTTP. Its name and its model's may be guessed. Its marks are in its ledger, its answers and
// its portfolio alone, and no other tenant ever sends one.
type tenant struct {
	number         int
	account, model string
	bearers        []string // of tokens that count: all scopes, reading alone, one toolset alone
	dead           []string // of tokens that do not
	filled         int      // orders, by the answers
	seen           int      // answers with a mark of its own
	mu             sync.Mutex
}

// mark is how the tenant's orders are named, and its cash ends.
func (w *tenant) orderMark() string { return fmt.Sprintf("mark-q%02dz", w.number) }
func (w *tenant) cashMark() string  { return fmt.Sprintf(".731%02d137", w.number) }

var marks = regexp.MustCompile(`mark-q(\d\d)z|\.731(\d\d)137`)

// tenancy is a server with tenants.
type tenancy struct {
	http     *serve.HTTP
	accounts *ledger.Accounts
	tenants  []*tenant
}

const tenantCount = 12

func newTenancy(t testing.TB, shared *redisstore.Store) *tenancy {
	t.Helper()
	dir := t.TempDir()
	file := filestore.New(dir, filepath.Join(dir, "ledgers"))
	t.Cleanup(func() { _ = file.Close() })
	open := func(model string) (*session.Resolver, error) {
		c := session.Config{Model: model, Local: file, TTL: time.Hour, Env: func(string) (string, bool) { return "", false }, Warn: func(string) {}}
		if shared != nil {
			c.Shared, c.LedgersInShared = shared, true
		}
		return session.New(c)
	}
	var kept store.Store = file
	if shared != nil {
		kept = shared
	}
	bars := `{"Meta Data": {"2. Symbol": "%s"}, "Time Series (Daily)": {"2025-10-02": {"1. buy price": "%d", "2. high": "200", "3. low": "1", "4. sell price": "100", "5. volume": "1000"}}}` + "\n"
	path := filepath.Join(dir, "merged.jsonl")
	if err := os.WriteFile(path, fmt.Appendf(nil, bars+bars, "AAPL", 100, "MSFT", 50), 0o600); err != nil {
		t.Fatal(err)
	}
	prices, err := market.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = prices.Close() })
	n := &tenancy{accounts: ledger.NewAccounts(kept)}
	servers, err := tools.NewServers(&tools.Deps{Accounts: n.accounts, Prices: prices, Ledger: "file", Log: zerolog.Nop()}, tools.Options{Toolsets: tools.DefaultToolsets})
	if err != nil {
		t.Fatal(err)
	}
	for i := range tenantCount {
		n.tenants = append(n.tenants, newTenant(t, n.accounts, kept, open, i))
	}
	own, err := open(n.tenants[0].model)
	if err != nil {
		t.Fatal(err)
	}
	g := newGate(kept, servers, own, open, zerolog.Nop())
	g.now = func() time.Time { return gateNoon }
	n.http = serve.New(servers, zerolog.Nop()).HTTP(g, func(context.Context) error { return nil })
	return n
}

// newTenant opens an account with its session, and makes its tokens.
func newTenant(t testing.TB, accounts *ledger.Accounts, tokens store.Tokens, open func(string) (*session.Resolver, error), i int) *tenant {
	t.Helper()
	w := &tenant{number: i, account: fmt.Sprintf("tenant%02d", i), model: fmt.Sprintf("model%02d", i)}
	if _, err := accounts.Register(t.Context(), w.account, decimal.RequireFromString("900000000"+w.cashMark()), "2025-10-02"); err != nil {
		t.Fatal(err)
	}
	s, err := open(w.model)
	if err == nil {
		err = s.Set(t.Context(), map[string]any{session.Signature: w.account, session.TodayDate: "2025-10-02"})
	}
	if err != nil {
		t.Fatal(err)
	}
	made := func(of token.Token) (secret string, id string) {
		of.Account, of.Created = w.account, gateNoon.Add(-time.Hour)
		of.Model = cmp.Or(of.Model, w.model)
		secret, kept, err := token.New(t.Context(), tokens, of)
		if err != nil {
			t.Fatal(err)
		}
		return secret, kept.ID
	}
	for _, of := range []token.Token{
		{Scopes: tools.Scopes}, {Scopes: []string{tools.ReadScope}}, {Scopes: tools.Scopes, Toolsets: []string{tools.MarketSet}},
		{Scopes: tools.Scopes, Model: fmt.Sprintf("model%02d", (i+1)%tenantCount)}, // whose session names another account
	} {
		secret, _ := made(of)
		w.bearers = append(w.bearers, secret)
	}
	expired, _ := made(token.Token{Scopes: tools.Scopes, Expires: gateNoon})
	revoked, id := made(token.Token{Scopes: tools.Scopes})
	if _, err := token.Revoke(t.Context(), tokens, id, gateNoon); err != nil {
		t.Fatal(err)
	}
	w.dead = []string{expired, revoked}
	return w
}

// draw is a request at random.
type draw struct {
	*rand.Rand
	n       *tenancy
	by      *tenant // who sends it
	clean   bool    // its head is as it should be, but for the token
	invalid bool    // the token is none that counts
	request *http.Request
	body    string
}

func (d *draw) pick(of ...string) string { return of[d.IntN(len(of))] }

func (d *draw) chance(percent int) bool { return d.IntN(100) < percent }

func (d *draw) other() *tenant { return d.n.tenants[(d.by.number+1+d.IntN(tenantCount-1))%tenantCount] }

// drawRequest draws a request of a tenant.
func (n *tenancy) drawRequest(r *rand.Rand) *draw {
	d := &draw{Rand: r, n: n, by: n.tenants[r.IntN(tenantCount)], clean: true}
	d.body = d.drawBody()
	head := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}}
	d.request = &http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: serve.MCPPath}, Host: "127.0.0.1:8000", Header: head, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		RemoteAddr: fmt.Sprintf("10.%d.%d.%d:1000", r.IntN(256), r.IntN(256), r.IntN(256)), Body: io.NopCloser(strings.NewReader(d.body)), ContentLength: int64(len(d.body)),
	}
	d.drawToken(head)
	if d.chance(30) {
		d.drawHead(head)
	}
	return d
}

// drawToken has a request say who calls, or not.
func (d *draw) drawToken(head http.Header) {
	i := max(0, d.IntN(2*len(d.by.bearers))-len(d.by.bearers)) // mostly the one that may do everything
	secret := d.by.bearers[i]
	switch d.IntN(20) {
	case 0:
		d.invalid = true
		return
	case 1:
		d.invalid, secret = true, d.pick(d.by.dead...)
	case 2: // one character is another
		at := len("mcptrade_") + d.IntN(len(secret)-len("mcptrade_"))
		changed := secret[:at] + d.pick("a", "B", "7", "_", "-", " ", "=", "\x00") + secret[at+1:]
		d.invalid, secret = changed != secret, changed
	case 3:
		d.invalid, secret = true, d.pick("", secret[:d.IntN(len(secret))], secret+"A", strings.ToUpper(secret), "mcptrade_"+d.by.account, d.by.account, strings.Repeat("x", d.IntN(3000)))
	case 4:
		d.invalid, secret = true, secret+d.pick(" ", ",")+"Bearer "+d.other().bearers[0]
	}
	scheme := d.pick("Bearer", "Bearer", "Bearer", "bearer")
	if d.chance(3) {
		scheme, d.invalid = d.pick("Basic", "", "Digest", "Bearer\t"), true
	}
	head.Set("Authorization", scheme+" "+secret)
}

// drawHead changes something of a head.
func (d *draw) drawHead(head http.Header) {
	other := d.other()
	d.clean = false
	for range 1 + d.IntN(2) {
		switch d.IntN(12) {
		case 0:
			d.request.Host = d.pick("evil.example", "127.0.0.1.evil.example:8000", "", other.account, "[::1%evil]:80", "localhost", "LOCALHOST:1", "[::1]")
		case 1:
			head["Origin"] = []string{d.pick("http://evil.example", "null", "", "http://127.0.0.1:8000", "file://127.0.0.1:8000", "http://127.0.0.1:8000, http://evil.example")}
		case 2:
			d.request.URL.Path = d.pick("/", "/mcp/", "//mcp", "/mcp/../mcp", "/healthz", "/readyz", "/metrics", "/debug/pprof/heap", "/mcp/"+other.account, "/.well-known/oauth-protected-resource", "/\x00")
		case 3:
			d.request.URL.RawQuery = d.pick("access_token="+d.by.bearers[0], "account="+other.account, "a=%zz", "x")
		case 4:
			d.request.Method = d.pick("GET", "DELETE", "PUT", "HEAD", "OPTIONS", "PATCH", "TRACE", "post", "")
		case 5:
			head.Set(d.pick("Content-Type", "Accept"), d.pick("", "text/plain", "text/html", "*/*", "application/json; charset=utf-8", "application/json;;;", "text/event-stream"))
		case 6:
			head.Add("Authorization", "Bearer "+other.dead[0])
		case 7:
			head.Set("Mcp-Protocol-Version", d.pick("2026-07-28", "2025-11-25", "2025-03-26", "2024-11-05", "1", ""))
		case 8:
			head.Set(d.pick("Mcp-Method", "Mcp-Name"), d.pick("tools/call", "buy", "get_portfolio", other.account, "=?base64?AA==?=", "ledger://"+other.account+"/latest"))
		case 9:
			head.Set("X-MCP-Toolsets", d.pick("trade", "market", "trade,market", "", "admin", "all", other.account))
		case 10:
			head.Set("X-MCP-Readonly", d.pick("true", "false", "TRUE", "1", ""))
		default: // headers by which other servers are told who calls
			head.Set(d.pick("Mcp-Session-Id", "Last-Event-ID", "X-Forwarded-User", "X-Forwarded-For", "X-Account", "X-Model-Id", "Cookie", "Forwarded", "X-Forwarded-Host", "Signature"), d.pick(other.account, other.model, "127.0.0.1"))
		}
	}
}

// drawBody draws a message, or a batch, and sometimes breaks it.
func (d *draw) drawBody() string {
	text := d.drawMessage()
	if d.chance(8) {
		text = "[" + text + "," + d.drawMessage() + "]"
	}
	if d.chance(12) {
		b := []byte(text)
		for range 1 + d.IntN(3) {
			at := d.IntN(len(b))
			switch d.IntN(3) {
			case 0:
				b[at] = byte(d.IntN(256))
			case 1:
				b = b[:max(1, at)]
			default:
				b = append(b[:at:at], append(bytes.Repeat([]byte(d.pick("[", "{", `"`, "0", "\\u0000")), 1+d.IntN(4)), b[at:]...)...)
			}
		}
		text = string(b)
	}
	return text
}

// drawMessage draws a message.
func (d *draw) drawMessage() string {
	other := d.other()
	of := d.pick(other.account, other.account, d.by.account)
	params := ""
	method := d.pick("resources/read", "resources/read", "prompts/get", "completion/complete", "tools/list", "resources/list", "resources/templates/list", "prompts/list",
		"initialize", "server/discover", "ping", "logging/setLevel", "resources/subscribe", "tasks/list", "notifications/cancelled", other.account)
	if d.chance(60) {
		method = "tools/call"
	}
	switch method {
	case "tools/call":
		tool := d.pick("buy", "sell", "buy", "get_portfolio", "get_portfolio", "get_trades", "get_session", "get_price", "list_symbols", other.account)
		params = fmt.Sprintf(`,"params":{"name":%q,"arguments":%s}`, tool, d.drawArguments(tool, other))
	case "resources/read", "resources/subscribe":
		uri := d.pick("ledger://", "report://", "briefing://", "bars://", "file://", "LEDGER://", "") + of + d.pick("/latest", "", "/../"+other.account+"/latest", "%2f..%2f"+other.account, "/latest?x", "#")
		params = fmt.Sprintf(`,"params":{"uri":%q}`, uri)
	case "prompts/get":
		params = fmt.Sprintf(`,"params":{"name":"trading-day","arguments":{"signature":%q}}`, of)
	case "completion/complete":
		params = fmt.Sprintf(`,"params":{"ref":{"type":"ref/resource","uri":"ledger://{signature}/latest"},"argument":{"name":"signature","value":%q}}`, d.pick("", "t", of))
	case "initialize":
		params = fmt.Sprintf(`,"params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":%q,"version":"1"}}`, of)
	case "notifications/cancelled":
		params = `,"params":{"requestId":1}`
	}
	if d.chance(10) && params != "" {
		params = strings.TrimSuffix(params, "}") + fmt.Sprintf(`,"_meta":{"io.modelcontextprotocol/protocolVersion":%q,"account":%q,"progressToken":1}}`, d.pick("2026-07-28", "2025-11-25"), of)
	}
	id := `,"id":` + d.pick("1", `"1"`, "2", "-1", fmt.Sprintf("%q", d.by.account))
	if d.chance(3) {
		id = d.pick("", `,"id":null`, `,"id":[1]`)
	}
	return `{"jsonrpc":"2.0"` + id + fmt.Sprintf(`,"method":%q`, method) + params + "}"
}

// drawArguments draws arguments of a tool, and such as it does not have. Ids of orders are the tenant's, or such as every tenant uses.
func (d *draw) drawArguments(tool string, other *tenant) string {
	var fields []string
	add := func(percent int, name, value string) {
		if d.chance(percent) {
			fields = append(fields, fmt.Sprintf("%q:%s", name, value))
		}
	}
	if tool == "buy" || tool == "sell" || d.chance(5) {
		add(90, "amount", d.pick("1", "2", "1", "2", "0", "-1", `"1"`, "1e9", "null"))
		add(40, "order_id", fmt.Sprintf("%q", d.pick(fmt.Sprint(d.by.orderMark(), d.IntN(1000)), fmt.Sprint("shared-", d.IntN(1000)))))
	}
	if len(fields) > 0 || tool == "get_price" || d.chance(5) {
		add(95, "symbol", d.pick(`"AAPL"`, `"MSFT"`, `"AAPL"`, `"NOPE"`))
	}
	add(5, d.pick("signature", "account", "model_id", "user"), fmt.Sprintf("%q", d.pick(other.account, other.model)))
	add(3, "date", `"2025-10-02"`)
	add(5, "limit", "1")
	return "{" + strings.Join(fields, ",") + "}"
}

// judge says what is wrong with an answer, "" if nothing is.
func (d *draw) judge(w *httptest.ResponseRecorder) string {
	answer := w.Body.String()
	all := answer + fmt.Sprint(w.Header())
	for _, m := range marks.FindAllStringSubmatch(all, -1) {
		if whose, _ := strconv.Atoi(m[1] + m[2]); whose != d.by.number || d.invalid {
			return fmt.Sprintf("it holds the mark %s", m[0])
		}
	}
	asked := d.body + fmt.Sprint(d.request.Header, d.request.URL.RawQuery, d.request.URL.Path, d.request.Host)
	for _, other := range d.n.tenants {
		if other != d.by && strings.Contains(all, other.account) && !strings.Contains(asked, other.account) {
			return "it names " + other.account
		}
	}
	served := w.Code == http.StatusOK || w.Code == http.StatusAccepted
	reachesMCP := d.request.URL.Path == serve.MCPPath
	switch {
	case strings.Contains(all, "mcptrade_"):
		return "it holds a token"
	case strings.Contains(answer, "-32603") && !strings.Contains(answer, "names another account than "+d.by.account):
		return "it is an error of the program"
	case strings.Contains(answer, "request error"):
		return "it speaks of the program's insides"
	case w.Code >= 500 || w.Code == http.StatusTooManyRequests:
		return "the status"
	case d.invalid && d.clean && (w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == ""):
		return "no token that counts, and no 401"
	case d.invalid && reachesMCP && served:
		return "no token that counts, and it is served"
	}
	d.by.mu.Lock()
	defer d.by.mu.Unlock()
	d.by.filled += strings.Count(answer, `"status":"filled","replayed":false`)
	if marks.MatchString(answer) {
		d.by.seen++
	}
	return ""
}

// send sends n requests, as many callers at once as there are sources, and returns how often each status was answered.
func (n *tenancy) send(t testing.TB, seed uint64, from, to int) map[int]int {
	const callers = 8
	statuses := map[int]int{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for c := range callers {
		wait.Go(func() {
			mine := map[int]int{}
			for i := from + c; i < to; i += callers {
				d := n.drawRequest(rand.New(rand.NewChaCha8(sha256.Sum256(fmt.Append(nil, seed, i)))))
				w := httptest.NewRecorder()
				n.http.ServeHTTP(w, d.request)
				if wrong := d.judge(w); wrong != "" {
					t.Errorf("seed %d, request %d of %s: %s: %s %q %q %v %.600s\nis answered %d %v %.1000s",
						seed, i, d.by.account, wrong, d.request.Method, d.request.Host, d.request.URL, d.request.Header, d.body, w.Code, w.Header(), w.Body)
				}
				mine[w.Code]++
			}
			mu.Lock()
			defer mu.Unlock()
			for status, times := range mine {
				statuses[status] += times
			}
		})
	}
	wait.Wait()
	return statuses
}

// check holds the ledgers against what was answered, and returns how many orders were filled, and how many answers held a mark.
func (n *tenancy) check(t *testing.T) (filled, seen int) {
	t.Helper()
	for _, w := range n.tenants {
		rows := 0
		for line, err := range n.accounts.Lines(t.Context(), w.account) {
			if err != nil {
				t.Fatal(err)
			}
			rows++
			for _, m := range marks.FindAllStringSubmatch(string(line), -1) {
				if whose, _ := strconv.Atoi(m[1] + m[2]); whose != w.number {
					t.Errorf("the ledger of %s has %s", w.account, line)
				}
			}
		}
		if rows != 1+w.filled {
			t.Errorf("%s has %d rows, and %d orders were answered as filled", w.account, rows, w.filled)
		}
		filled, seen = filled+w.filled, seen+w.seen
	}
	return filled, seen
}

// heapNow is what is held after all that can be given back was.
func heapNow() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Requests with random tokens, accounts, resources, headers, origins, hosts, paths, methods and bodies: nobody reaches another's session,
// ledger, report or remembered order, a token that does not count is 401, nothing fails, and memory stays. MCP_TRADE_STORM=100 sends a
// million, MCP_TRADE_STORM_SEED others.
func TestTenants_NeverMeet(t *testing.T) {
	storm, err := strconv.Atoi(cmp.Or(os.Getenv("MCP_TRADE_STORM"), "0"))
	if err != nil {
		t.Fatal(err)
	}
	seed, err := strconv.ParseUint(cmp.Or(os.Getenv("MCP_TRADE_STORM_SEED"), "1"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	requests := max(700, 5000*storm) // in each store
	for _, where := range []string{"file", "redis"} {
		t.Run(where, func(t *testing.T) {
			var shared *redisstore.Store
			if where == "redis" {
				o, err := redisstore.Options("redis://" + testenv.StartRedis(t))
				if err != nil {
					t.Fatal(err)
				}
				nonce := rand.New(rand.NewPCG(seed, 1))
				shared = redisstore.New(redisstore.Config{Options: o, Warn: func(string) {}, NewToken: func() string { return fmt.Sprint("n", nonce.Uint64()) }})
				t.Cleanup(func() { _ = shared.Close() })
			}
			n := newTenancy(t, shared)
			n.send(t, seed, -requests/4, 0) // what is kept once is kept by then
			heap, goroutines := heapNow(), runtime.NumGoroutine()
			statuses := n.send(t, seed, 0, requests)
			grown, more := heapNow()-heap, runtime.NumGoroutine()-goroutines
			if grown > 8<<20 || more > 8 {
				t.Errorf("it holds %d bytes and %d goroutines more than before %d requests", grown, more, requests)
			}
			filled, seen := n.check(t)
			if filled < requests/100 || seen < requests/50 {
				t.Errorf("of %d requests %d were filled as orders, and %d answered with a mark: too few to tell anything", requests, filled, seen)
			}
			t.Logf("%d requests, seed %d: statuses %v, %d orders filled, %d answers with a mark; %d kB and %d goroutines more than before", requests, seed, statuses, filled, seen, grown>>10, more)
		})
	}
}

// Whatever the head and the body of a request are, it is answered, without the mark of another, and nothing is served without the token.
func FuzzHTTP(f *testing.F) {
	const head = "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAuthorization: Bearer TOKEN\r\n"
	call := func(tool, arguments string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + tool + `","arguments":` + arguments + `}}`
	}
	f.Add(head, call("buy", `{"symbol":"AAPL","amount":1,"order_id":"a"}`))
	f.Add(head+"Mcp-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: get_portfolio\r\n",
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_portfolio","arguments":{},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`)
	f.Add(head+"X-MCP-Toolsets: trade\r\nX-MCP-Readonly: true\r\n", "["+call("get_trades", `{"limit":1}`)+","+call("sell", `{"symbol":"AAPL","amount":1}`)+"]")
	f.Add(head+"Transfer-Encoding: chunked\r\n", "4\r\n[{}]\r\n0\r\n\r\n")
	f.Add(strings.Replace(head, "TOKEN", "mcptrade_x", 1), `{"jsonrpc":"2.0","id":"x","method":"resources/read","params":{"uri":"ledger://tenant01/latest"}}`)
	f.Add("GET /readyz?x=1 HTTP/1.1\r\nHost: evil\r\nOrigin: null\r\n", "")
	n := newTenancy(f, nil)
	sent := 0
	f.Fuzz(func(t *testing.T, head, body string) {
		by := n.tenants[0]
		whole := strings.ReplaceAll(head, "TOKEN", by.bearers[0])
		if !strings.Contains(strings.ToLower(head), "chunked") {
			whole += fmt.Sprintf("Content-Length: %d\r\n", len(body))
		}
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(whole + "\r\n" + body)))
		if err != nil {
			t.Skip(err) // net/http refuses it
		}
		sent++
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", sent>>16&255, sent>>8&255, sent&255)
		_, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		d := &draw{n: n, by: by, body: body, request: r, invalid: secret != by.bearers[0]}
		w := httptest.NewRecorder()
		n.http.ServeHTTP(w, r)
		if wrong := d.judge(w); wrong != "" {
			t.Errorf("%s: %q %q is answered %d %v %s", wrong, whole, body, w.Code, w.Header(), w.Body)
		}
	})
}
