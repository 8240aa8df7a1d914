package serve

// Tests of the HTTP transport, with the handler of orders and a gate that knows callers by name.

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/rs/zerolog"

	"mcp-trade/internal/jsonrpc"
)

// anyGate admits who has no Authorization or one that is "good", and allows all but calls of "forbidden".
type anyGate struct{}

func (anyGate) Admit(r *http.Request) (context.Context, func(), error) {
	switch r.Header.Get("Authorization") {
	case "":
		return r.Context(), func() {}, nil
	case "gone":
		return nil, nil, fmt.Errorf("the store is gone")
	}
	return nil, nil, &Denial{Status: http.StatusUnauthorized, Challenge: "Bearer", Reason: "Who are you?"}
}

func (anyGate) Allow(_ context.Context, m *jsonrpc.Message) error {
	if m.Name == "forbidden" {
		return &Denial{Status: http.StatusForbidden, Challenge: "Bearer", Reason: "Not you."}
	}
	return nil
}

// answering is a handler that answers with what a function makes of the request.
type answering func(ctx context.Context, r *jsonrpc.Request) any

func (answering) Lane(_ context.Context, m *jsonrpc.Message) (string, bool) {
	lane, _, isOrder := strings.Cut(m.Name, "/")
	return lane, isOrder
}

func (a answering) Handle(ctx context.Context, r *jsonrpc.Request) any { return a(ctx, r) }

func echo(_ context.Context, r *jsonrpc.Request) any {
	if r.Begin != nil && !r.Begin() {
		return nil
	}
	if r.Method == "unknown" {
		return jsonrpc.ErrorMessage(r.ID, mcp.METHOD_NOT_FOUND, "unknown")
	}
	return json.RawMessage(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%q}`, r.ID, r.Method+" "+r.Name))
}

func isReady(context.Context) error { return nil }

// newRequest is a request that is good but for what a test changes.
func newRequest(body string, change func(*http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8000/mcp", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if change != nil {
		change(r)
	}
	return r
}

const (
	list    = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	anOrder = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a/1"}}`
	modern  = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a/1","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`
)

func header(pairs ...string) func(*http.Request) {
	return func(r *http.Request) {
		for i := 0; i < len(pairs); i += 2 {
			r.Header.Add(pairs[i], pairs[i+1])
		}
	}
}

func TestHTTP_Requests(t *testing.T) {
	modernHead := header("Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/call", "Mcp-Name", "a/1")
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	path := func(path string) func(*http.Request) { return func(r *http.Request) { r.URL.Path = path } }
	cases := []struct {
		name   string
		body   string
		change func(*http.Request)
		status int
		says   string // in the body
	}{
		{"a list", list, nil, 200, `"result":"tools/list "`},
		{"an order", anOrder, nil, 200, `"result":"tools/call a/1"`},
		{"a notification", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, nil, 202, ""},
		{"an answer to nothing", `{"jsonrpc":"2.0","id":1,"result":{}}`, nil, 202, ""},
		{"a byte order mark", "\ufeff" + list, nil, 200, "result"},
		{"a long number as id", strings.Replace(list, "1", "123456789012345678901", 1), nil, 200, `"id":123456789012345678901,`},
		{"no JSON", `{"jsonrpc":`, nil, 400, "-32700"},
		{"two objects", list + list, nil, 400, "-32700"},
		{"nothing", "", nil, 400, "-32700"},
		{"a number", "5", nil, 400, "-32700"},
		{"a key twice", `{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}`, nil, 400, "is there twice"},
		{"a key in other case", `{"jsonrpc":"2.0","id":1,"Method":"tools/list"}`, nil, 400, "must be written"},
		{"a batch", "[" + list + "," + anOrder + `,{"jsonrpc":"2.0","method":"x"},5]`, nil, 200, `[{"jsonrpc":"2.0","id":1,"result":"tools/list "},{"jsonrpc":"2.0","id":1,"result":"tools/call a/1"},{"jsonrpc":"2.0","id":null,"error":`},
		{"a batch of notifications", `[{"jsonrpc":"2.0","method":"x"}]`, nil, 202, ""},
		{"an empty batch", "[]", nil, 400, "1 to 256"},
		{"a batch with what is forbidden", `[{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"forbidden"}}]`, nil, 200, "Not you."},
		{"a batch in a protocol without", "[" + list + "]", header("Mcp-Protocol-Version", "2025-11-25"), 400, "2025-03-26"},
		{"an unknown method", strings.Replace(list, "tools/list", "unknown", 1), nil, 200, "-32601"},
		{"4 MiB and more", `"` + strings.Repeat("x", MaxMessage) + `"`, nil, 413, "4 MiB"},
		{"as much, of unknown length", `"` + strings.Repeat("x", MaxMessage) + `"`, func(r *http.Request) { r.ContentLength = -1 }, 413, "4 MiB"},

		{"without sessions", modern, modernHead, 200, "a/1"},
		{"without its headers", modern, nil, 400, "-32020"},
		{"another name in the head", modern, header("Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/call", "Mcp-Name", "get_price"), 400, "-32020"},
		{"another method in the head", modern, header("Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/list", "Mcp-Name", "a/1"), 400, "-32020"},
		{"two names in the head", modern, func(r *http.Request) { modernHead(r); r.Header.Add("Mcp-Name", "b") }, 400, "-32020"},
		{"the version in the head alone", anOrder, modernHead, 400, "-32020"},
		{"another name in the head of the protocol before", anOrder, header("Mcp-Name", "get_price"), 400, "-32020"},
		{"an unknown method without sessions", strings.Replace(strings.Replace(modern, "tools/call", "unknown", 1), "a/1", "x", 1), header("Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", "unknown", "Mcp-Name", "x"), 404, "-32601"},
		{"an unknown version", list, header("Mcp-Protocol-Version", "2099-01-01"), 400, "2026-07-28"},

		{"a wrong token", list, header("Authorization", "bad"), 401, "Who are you?"},
		{"two tokens", list, header("Authorization", "good", "Authorization", "bad"), 400, "twice"},
		{"a store that is gone", list, header("Authorization", "gone"), 503, "try again"},
		{"a call that is not allowed", strings.Replace(anOrder, "a/1", "forbidden", 1), nil, 403, "Not you."},
		{"a token in the address", list, func(r *http.Request) { r.URL.RawQuery = "access_token=x" }, 400, "takes no query"},

		{"its own page", list, header("Origin", "http://127.0.0.1:8000"), 200, "result"},
		{"another page", list, header("Origin", "http://evil.example"), 403, "other sites"},
		{"a page of the same name and another port", list, header("Origin", "http://127.0.0.1:9000"), 403, "other sites"},
		{"a page of a file", list, header("Origin", "null"), 403, "other sites"},
		{"an empty origin", list, header("Origin", ""), 403, "other sites"},
		{"two origins", list, header("Origin", "http://127.0.0.1:8000", "Origin", "http://evil.example"), 403, "other sites"},
		{"the origin of an extension", list, header("Origin", "chrome-extension://127.0.0.1:8000"), 403, "other sites"},
		{"localhost", list, host("localhost"), 200, "result"},
		{"IPv6", list, host("[::1]:8000"), 200, "result"},
		{"the name of a proxy", list, host("Trade.Example.com"), 200, "result"},
		{"the address that it came to", list, func(r *http.Request) {
			r.Host = "10.0.0.5:8000"
			*r = *r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.IPv4(10, 0, 0, 5), Port: 8000})))
		}, 200, "result"},
		{"another address", list, host("10.0.0.5:8000"), 403, "--allowed-hosts"},
		{"a name that was made to point here", list, host("evil.example:8000"), 403, "--allowed-hosts"},
		{"a name that begins like ours", list, host("127.0.0.1.evil.example"), 403, "--allowed-hosts"},
		{"an address with a zone", list, host("[::1%25evil.example]"), 403, "--allowed-hosts"},
		{"no host", list, host(""), 403, "--allowed-hosts"},

		{"another page at another path", list, func(r *http.Request) { r.Header.Set("Origin", "http://evil.example"); r.URL.Path = "/" }, 404, "/mcp"},
		{"the root", list, path("/"), 404, "/mcp"},
		{"a path below", list, path("/mcp/"), 404, "/mcp"},
		{"a path that leads there", list, path("/x/../mcp"), 404, "/mcp"},
		{"GET", "", func(r *http.Request) { r.Method = http.MethodGet }, 405, "POST"},
		{"DELETE", "", func(r *http.Request) { r.Method = http.MethodDelete }, 405, "POST"},
		{"OPTIONS", "", func(r *http.Request) { r.Method = http.MethodOptions }, 405, "POST"},
		{"a form", list, func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, 415, "application/json"},
		{"no content type", list, func(r *http.Request) { r.Header.Del("Content-Type") }, 415, "application/json"},
		{"JSON with its charset", list, func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-8") }, 200, "result"},
		{"who takes pages alone", list, func(r *http.Request) { r.Header.Set("Accept", "text/html") }, 406, "Accept"},
		{"who takes anything", list, func(r *http.Request) { r.Header.Set("Accept", "*/*") }, 200, "result"},
		{"who does not say", list, func(r *http.Request) { r.Header.Del("Accept") }, 200, "result"},
		{"who takes streams alone", list, func(r *http.Request) { r.Header.Set("Accept", "text/event-stream") }, 200, "event: message\ndata: {"},
		{"is it alive", "", path("/healthz"), 200, `"ok"`},
		{"is it ready", "", path("/readyz"), 200, `"ready"`},
	}
	handled, denied := 0, []int{}
	h := New(answering(func(ctx context.Context, r *jsonrpc.Request) any { handled++; return echo(ctx, r) }), zerolog.Nop()).HTTP(anyGate{}, isReady, "trade.example.com")
	h.OnDenied(func(r *http.Request, _ time.Time, status int, reason string) {
		if denied = append(denied, status); reason == "" {
			t.Errorf("%d without a reason", status)
		}
	})
	for _, c := range cases {
		handled, denied = 0, nil
		w := httptest.NewRecorder()
		h.ServeHTTP(w, newRequest(c.body, c.change))
		body := w.Body.String()
		if w.Code != c.status || !strings.Contains(body, c.says) || c.says == "" && body != "" {
			t.Errorf("%s: %d %.300s, want %d and %s", c.name, w.Code, body, c.status, c.says)
		}
		if w.Header().Get("Content-Type") == "application/json" && (strings.Count(body, "\n") != 1 || !json.Valid([]byte(body))) {
			t.Errorf("%s: not one line of JSON: %.300s", c.name, body)
		}
		wantDenied := c.status >= 400 && c.status != 404 && handled == 0 || c.name == "a batch with what is forbidden"
		if (len(denied) == 1) != wantDenied || len(denied) > 1 || len(denied) == 1 && c.status != 200 && denied[0] != c.status {
			t.Errorf("%s: it was handled %d times and denied with %v", c.name, handled, denied)
		}
		if challenged := w.Header().Get("WWW-Authenticate") != ""; challenged != (c.status == 401 || c.says == "Not you." && c.status == 403) {
			t.Errorf("%s: challenged %v with %d", c.name, challenged, c.status)
		}
	}
	if len(h.callers.open) > 0 || len(h.server.lanes.open) > 0 {
		t.Errorf("%d callers and %d lanes are left", len(h.callers.open), len(h.server.lanes.open))
	}
}

func TestHTTP_NotReady(t *testing.T) {
	h := New(answering(echo), zerolog.Nop()).HTTP(anyGate{}, func(context.Context) error { return fmt.Errorf("no prices") })
	w := httptest.NewRecorder()
	h.ServeHTTP(w, newRequest("", func(r *http.Request) { r.URL.Path = "/readyz" }))
	if w.Code != 503 || w.Body.String() != `{"status":"not ready","reason":"no prices"}`+"\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// An answer that takes long becomes a stream for a client that takes one.
func TestHTTP_Stream(t *testing.T) {
	for accept, want := range map[string]string{
		"application/json, text/event-stream": ": waiting\n\nevent: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"tools/list \"}\n\n",
		"application/json":                    `{"jsonrpc":"2.0","id":1,"result":"tools/list "}` + "\n",
	} {
		streams := make(chan struct{})
		h := New(answering(func(ctx context.Context, r *jsonrpc.Request) any {
			if strings.Contains(accept, "event-stream") {
				<-streams
			}
			return echo(ctx, r)
		}), zerolog.Nop()).HTTP(anyGate{}, isReady)
		h.patience = 0
		w := &told{ResponseRecorder: httptest.NewRecorder(), wrote: sync.OnceFunc(func() { close(streams) })}
		h.ServeHTTP(w, newRequest(list, func(r *http.Request) { r.Header.Set("Accept", accept) }))
		if w.Body.String() != want {
			t.Errorf("%s: %q", accept, w.Body)
		}
	}
}

// told tells when something is flushed.
type told struct {
	*httptest.ResponseRecorder
	wrote func()
}

func (w *told) FlushError() error { w.wrote(); return nil }

// Orders go to their lane as their heads arrived, however long their bodies take.
func TestHTTP_ArrivalOrder(t *testing.T) {
	o := newOrders(func(string) {}, "a")
	h := New(o, zerolog.Nop()).HTTP(anyGate{}, isReady)
	const n = 20
	var wait sync.WaitGroup
	var bodies []*io.PipeWriter
	for i := range n {
		body, send := io.Pipe()
		bodies = append(bodies, send)
		r := newRequest("", nil)
		r.Body, r.ContentLength = body, -1
		r.ContentLength = int64(len(orderLine("a", i)))
		wait.Go(func() { h.ServeHTTP(httptest.NewRecorder(), r) })
		arrived := func() bool {
			h.callers.mu.Lock()
			defer h.callers.mu.Unlock()
			c := h.callers.open[""]
			if c == nil {
				return false
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			return len(c.arrived) == i+1
		}
		for !arrived() {
			time.Sleep(100 * time.Microsecond)
		}
	}
	for i := n - 1; i >= 0; i-- { // the bodies come the other way round
		_, _ = io.WriteString(bodies[i], orderLine("a", i))
		_ = bodies[i].Close()
	}
	wait.Wait()
	for i, text := range o.traded["a"] {
		if text != fmt.Sprint(i) {
			t.Fatalf("traded in the order %v", o.traded["a"])
		}
	}
	if len(o.traded["a"]) != n {
		t.Errorf("%d orders traded", len(o.traded["a"]))
	}
}

// A caller has a bounded number of requests under way, and another one is served all the same.
func TestHTTP_OneCallersFlood(t *testing.T) {
	release := make(chan struct{})
	h := New(answering(func(ctx context.Context, r *jsonrpc.Request) any {
		if r.Name == "hold" {
			<-release
		}
		return echo(ctx, r)
	}), zerolog.Nop()).HTTP(allGate{}, isReady)
	hold := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"hold"}}`
	var wait sync.WaitGroup
	ended := make(chan int, 2*callerAtOnce)
	for range callerAtOnce + 10 {
		wait.Go(func() {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, newRequest(hold, header("Authorization", "flood")))
			ended <- w.Code
		})
	}
	for range 10 {
		if status := <-ended; status != http.StatusTooManyRequests {
			t.Errorf("one too many is answered %d", status)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, newRequest(list, header("Authorization", "another")))
	if w.Code != 200 {
		t.Errorf("another caller is answered %d %s", w.Code, w.Body)
	}
	close(release)
	wait.Wait()
	for range callerAtOnce {
		if status := <-ended; status != 200 {
			t.Errorf("a request is answered %d", status)
		}
	}
}

type allGate struct{ anyGate }

func (allGate) Admit(r *http.Request) (context.Context, func(), error) {
	return r.Context(), func() {}, nil
}

// A client that leaves cancels an order that has not begun in the protocol without sessions, and none in the one before.
func TestHTTP_Leaving(t *testing.T) {
	for name, c := range map[string]struct {
		body   string
		change func(*http.Request)
		traded bool
	}{
		"without sessions":    {modern, header("Mcp-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/call", "Mcp-Name", "a/1"), false},
		"the protocol before": {anOrder, nil, true},
	} {
		o := newOrders(func(string) {}, "a")
		h := New(o, zerolog.Nop()).HTTP(anyGate{}, isReady)
		before, release := make(chan struct{}), make(chan struct{})
		l := h.server.lanes.enter("a")
		l.add(func(t *turn) { close(before); <-release; t.end() })
		<-before
		ctx, leave := context.WithCancel(t.Context())
		r := newRequest(c.body, c.change)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			h.ServeHTTP(httptest.NewRecorder(), r.WithContext(ctx))
		}()
		for waiting := 0; waiting < 2; time.Sleep(100 * time.Microsecond) {
			waiting = int(l.unsettled.Load())
		}
		leave()
		time.Sleep(10 * time.Millisecond) // the cancellation is a goroutine's
		close(release)
		<-ended
		h.server.lanes.leave("a")
		if traded := len(o.traded["a"]) == 1; traded != c.traded {
			t.Errorf("%s: traded %v", name, traded)
		}
	}
}

// Serve ends when what it read is answered, and gives up what hangs, but no order.
func TestHTTP_Drain(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	began, release := make(chan string, 2), make(chan struct{})
	h := New(answering(func(ctx context.Context, r *jsonrpc.Request) any {
		began <- r.Name
		if r.Begin != nil {
			<-release
			return echo(ctx, r)
		}
		<-ctx.Done()
		return echo(ctx, r)
	}), zerolog.Nop()).HTTP(anyGate{}, isReady)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.Serve(ctx, l) }()
	answers := make(chan string, 2)
	for _, body := range []string{anOrder, list} {
		go func() {
			response, err := http.DefaultClient.Do(clientRequest(l.Addr(), body))
			if err != nil {
				answers <- err.Error()
				return
			}
			defer response.Body.Close()
			text, _ := io.ReadAll(response.Body)
			answers <- fmt.Sprint(response.StatusCode, " ", string(text))
		}()
	}
	<-began
	<-began
	stop()
	h.giveUp() // as it does later
	if got := <-answers; !strings.Contains(got, `200 {"jsonrpc":"2.0","id":1,"result":"tools/list "}`) {
		t.Errorf("what hung is answered %s", got)
	}
	select {
	case err := <-ended:
		t.Errorf("it ended before its order: %v", err)
	default:
	}
	close(release)
	if got := <-answers; !strings.Contains(got, `200 {"jsonrpc":"2.0","id":1,"result":"tools/call a/1"}`) {
		t.Errorf("the order is answered %s", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("it still listens")
	}
}

func clientRequest(to net.Addr, body string) *http.Request {
	r, _ := http.NewRequest(http.MethodPost, "http://"+to.String()+MCPPath, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	return r
}

// Connections are bounded: those that say nothing are closed, and the next ones are served then.
func TestHTTP_Connections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := New(answering(echo), zerolog.Nop()).HTTP(anyGate{}, isReady)
	h.headTime, h.connects = 50*time.Millisecond, 3
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	counted := &counting{Listener: l}
	go func() { ended <- h.Serve(ctx, counted) }()
	for range 20 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, "POST /mcp HTTP/1.1\r\n")
	}
	r := clientRequest(l.Addr(), list)
	r.Close = true
	response, err := http.DefaultClient.Do(r)
	if err != nil || response.StatusCode != 200 {
		t.Errorf("behind connections that say nothing: %+v, %v", response, err)
	} else {
		_ = response.Body.Close()
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if most := counted.most.Load(); most > 3 || counted.open.Load() != 0 {
		t.Errorf("%d connections were open at once, and %d are left", most, counted.open.Load())
	}
}

// counting counts the connections that are open.
type counting struct {
	net.Listener
	open, most atomic.Int32
}

func (l *counting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if n := l.open.Add(1); n > l.most.Load() {
		l.most.Store(n) // one goroutine accepts
	}
	return &countedConn{Conn: c, closed: sync.OnceFunc(func() { l.open.Add(-1) })}, nil
}

type countedConn struct {
	net.Conn
	closed func()
}

func (c *countedConn) Close() error { c.closed(); return c.Conn.Close() }

// Heads and bodies that do not come are cut off, and long heads refused.
func TestHTTP_Slow(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := New(answering(echo), zerolog.Nop()).HTTP(anyGate{}, isReady)
	h.headTime, h.bodyTime = 50*time.Millisecond, 50*time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.Serve(ctx, l) }()
	head := "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
	var wait sync.WaitGroup
	for sent, want := range map[string]string{
		head[:40]:                "", // nobody knows what it asks for
		head + "\r\n" + list[:9]: "408",
		head + "X: " + strings.Repeat("x", 2*maxHeaders) + "\r\n\r\n": "431",
	} {
		wait.Go(func() {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			_, _ = io.WriteString(c, sent)
			status, _ := bufio.NewReader(c).ReadString('\n') // until the server closes the connection
			if !strings.Contains(status, want) || want == "" && status != "" && !strings.Contains(status, "408") && !strings.Contains(status, "400") {
				t.Errorf("%.60q is answered %q, want %s", sent, status, want)
			}
		})
	}
	wait.Wait()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// limitedGate has every caller at its limit.
type limitedGate struct{ anyGate }

func (limitedGate) Admit(*http.Request) (context.Context, func(), error) {
	return nil, nil, &Denial{Status: http.StatusTooManyRequests, Reason: "Slower."}
}

// A caller that has reached a limit is told so after a while, and has no place among the requests under way meanwhile. Who is gone is not waited for.
func TestHTTP_HoldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New(answering(echo), zerolog.Nop()).HTTP(limitedGate{}, isReady)
		h.HoldBack(time.Minute)
		began := time.Now()
		var wait sync.WaitGroup
		for range 3 * callerAtOnce {
			wait.Go(func() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, newRequest(list, nil))
				if w.Code != http.StatusTooManyRequests || !strings.Contains(w.Body.String(), "Slower.") {
					t.Errorf("%d %s", w.Code, w.Body)
				}
			})
		}
		wait.Wait()
		took := time.Since(began)
		if took < time.Minute || took > 2*time.Minute {
			t.Errorf("it took %v", took)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		h.ServeHTTP(httptest.NewRecorder(), newRequest(list, nil).WithContext(gone))
		if more := time.Since(began) - took; more != 0 {
			t.Errorf("who is gone is waited for: %v", more)
		}
	})
}
