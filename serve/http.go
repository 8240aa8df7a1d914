// The HTTP transport: MCP's streamable HTTP at one address, with JSON answers, and streams where an answer takes long.
//
// mcp-go's own HTTP server runs calls in any order, bounds neither bodies nor time, and asks nobody who calls. This one gives
// the requests of any number of clients to the same handler and the same lanes as the stdio transport. It keeps no session: each
// request says by its token on whose behalf it is made, whichever era of the protocol it is of.

package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"golang.org/x/net/netutil"
	"golang.org/x/sync/semaphore"

	"mcp-trade/internal/jsonrpc"
)

// MCPPath is where MCP is served.
const MCPPath = "/mcp"

// Limits of the HTTP transport, beside those of messages.
const (
	maxConnections = 4096
	maxHeaders     = 16 << 10         // bytes
	headTime       = 5 * time.Second  // for the head of a request
	bodyTime       = 10 * time.Second // for its body
	idleTime       = 2 * time.Minute  // between two requests of a connection
	maxAtOnce      = 4096             // requests that are under way, of all callers
	maxBodies      = 256 << 20        // bytes of their bodies
	hangGrace      = 3 * time.Second  // for requests other than orders, once the server ends
	drainTime      = 25 * time.Second // for all requests, once the server ends
)

// HTTP serves a server's handler over HTTP.
type HTTP struct {
	server   *Server
	gate     Gate
	ready    func(context.Context) error
	hosts    []string
	public   map[string]any // by path, what anybody may read
	denied   func(r *http.Request, began time.Time, status int, reason string)
	callers  callers
	sessions *sessions // nil: nobody waits for an earlier session
	slots    *semaphore.Weighted
	bodies   *semaphore.Weighted
	over     context.Context // done when requests that hang are given up
	giveUp   context.CancelFunc
	connects int // at once
	headTime time.Duration
	bodyTime time.Duration
	patience time.Duration
	holdBack time.Duration // an answer that says that a caller has reached a limit
}

// HTTP returns the HTTP transport. ready tells why the server cannot serve, nil if it can. A request must name as its host one of
// hosts, the loopback or the address that it came to.
func (s *Server) HTTP(g Gate, ready func(context.Context) error, hosts ...string) *HTTP {
	h := &HTTP{
		server: s, gate: g, denied: func(*http.Request, time.Time, int, string) {}, ready: ready, hosts: hosts, public: map[string]any{}, callers: callers{open: map[string]*httpCaller{}}, connects: maxConnections, headTime: headTime, bodyTime: bodyTime, patience: patience,
		slots: semaphore.NewWeighted(maxAtOnce), bodies: semaphore.NewWeighted(maxBodies),
	}
	h.over, h.giveUp = context.WithCancel(context.Background())
	return h
}

// Publish has anybody read a document at a path, as JSON. It must be called before [HTTP.Serve].
func (h *HTTP) Publish(path string, document any) { h.public[path] = document }

// OnDenied has a function hear of each request, or message of a batch, that is refused before the handler sees it. Its context is that of the
// caller, if it is known who calls. It must be called before [HTTP.Serve].
func (h *HTTP) OnDenied(hear func(r *http.Request, began time.Time, status int, reason string)) {
	h.denied = hear
}

// HoldBack has a caller that has reached a limit wait for the answer that says so: one that asks again at once would take the time of
// others. It must be called before [HTTP.Serve].
func (h *HTTP) HoldBack(d time.Duration) { h.holdBack = d }

// Serve answers the requests of listeners until ctx is done, and returns when those are answered that had arrived by then.
func (h *HTTP) Serve(ctx context.Context, listeners ...net.Listener) error {
	defer h.giveUp()
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: h.headTime, ReadTimeout: h.headTime + h.bodyTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeaders,
		ErrorLog: log.New(h.server.log, "", 0),
	}
	ended := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { ended <- server.Serve(netutil.LimitListener(l, h.connects)) }()
	}
	select {
	case err := <-ended:
		return errors.Join(err, server.Close())
	case <-ctx.Done():
	}
	hanging := time.AfterFunc(hangGrace, h.giveUp)
	defer hanging.Stop()
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := server.Shutdown(draining); err != nil {
		return errors.Join(fmt.Errorf("not every request was answered within %v: %w", drainTime, err), server.Close())
	}
	return nil
}

// ServeHTTP implements [http.Handler].
func (h *HTTP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // that of the connection's request before; a writer of a test has none
	switch r.URL.Path {
	case MCPPath:
		h.serveMCP(w, r)
	case "/healthz":
		writeState(w, http.StatusOK, "ok", "")
	case "/readyz":
		if err := h.ready(r.Context()); err != nil {
			writeState(w, http.StatusServiceUnavailable, "not ready", err.Error())
			return
		}
		writeState(w, http.StatusOK, "ready", "")
	default:
		if document, ok := h.public[r.URL.Path]; ok {
			writeAnswer(w, http.StatusOK, document)
			return
		}
		writeAnswer(w, http.StatusNotFound, jsonrpc.ErrorMessage(nil, mcp.INVALID_REQUEST, "There is nothing here. MCP is served at "+MCPPath+"."))
	}
}

func writeState(w http.ResponseWriter, status int, state, reason string) {
	writeAnswer(w, status, struct {
		Status string `json:"status"`
		Reason string `json:"reason,omitempty"`
	}{state, reason})
}

// serveMCP answers a request at MCPPath.
func (h *HTTP) serveMCP(w http.ResponseWriter, r *http.Request) {
	began, to := time.Now(), newReply(w, r, h.patience)
	answer, status, err := h.exchange(w, r, to)
	var d *Denial
	switch {
	case err == nil:
		if status >= http.StatusBadRequest && !to.handled {
			h.denied(r, began, status, jsonrpc.ErrorText(answer))
		}
		to.send(status, answer)
	case errors.As(err, &d):
		h.denied(r, began, d.Status, d.Reason)
		if d.Status == http.StatusTooManyRequests && h.holdBack > 0 {
			h.hold(r)
		}
		if d.Challenge != "" {
			w.Header().Set("WWW-Authenticate", d.Challenge)
		}
		if d.Status == http.StatusServiceUnavailable || d.Status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", d.retryAfter())
		}
		if d.code == 0 {
			d.code = mcp.INVALID_REQUEST
		}
		to.send(d.Status, jsonrpc.ErrorData(nil, d.code, d.Reason, d.Data))
	default:
		h.denied(r, began, http.StatusServiceUnavailable, "it cannot be told who calls")
		h.server.log.Error().Err(err).Msg("caller unknown")
		w.Header().Set("Retry-After", "1")
		to.send(http.StatusServiceUnavailable, jsonrpc.ErrorMessage(nil, mcp.INTERNAL_ERROR, "The server cannot tell now who calls; its log says why. Nothing was done: try again."))
	}
}

// hold waits, unless nobody waits for the answer or the server ends. The request has no place among those under way any more.
func (h *HTTP) hold(r *http.Request) {
	select {
	case <-time.After(h.holdBack + rand.N(h.holdBack)): // those of one client do not come back all at once
	case <-r.Context().Done():
	case <-h.over.Done():
	}
}

// exchange admits a request, reads it and has it answered. An answer of nil is none, and none is wanted.
func (h *HTTP) exchange(w http.ResponseWriter, r *http.Request, to *reply) (answer any, status int, err error) {
	if err := h.checkHead(w, r, to); err != nil {
		return nil, 0, err
	}
	if !h.slots.TryAcquire(1) {
		return nil, 0, deny(http.StatusServiceUnavailable, "The server has %d requests under way, and takes no more at once. Try again.", maxAtOnce)
	}
	defer h.slots.Release(1)
	c, ok := h.callers.enter(r.Header.Get("Authorization"))
	if !ok {
		return nil, 0, deny(http.StatusTooManyRequests, "This caller has %d requests under way, and may have no more at once. Wait for answers.", callerAtOnce)
	}
	defer h.callers.leave(c)
	place := c.arrive()
	defer place.taken(nil) // unless an order takes it
	ctx, done, err := h.gate.Admit(r)
	if err != nil {
		return nil, 0, err
	}
	defer done()
	*r = *r.WithContext(ctx) // for whoever hears of a denial
	text, release, err := h.readBody(w, r, c)
	if err != nil {
		return nil, 0, err
	}
	defer release()
	x := &exchange{server: h.server, gate: h.gate, sessions: h.sessions, over: h.over, caller: c, place: place, ctx: ctx, head: r.Header, to: to, denied: func(reason string) { h.denied(r, time.Now(), http.StatusForbidden, reason) }}
	defer x.end()
	return x.answer(text)
}

// readBody reads the body of a request. release is called when the request is answered.
func (h *HTTP) readBody(w http.ResponseWriter, r *http.Request, c *httpCaller) (text []byte, release func(), err error) {
	size := r.ContentLength
	if size > MaxMessage {
		return nil, nil, deny(http.StatusRequestEntityTooLarge, "The message is longer than %d MiB. Send less at once.", MaxMessage>>20)
	}
	if size < 0 {
		size = MaxMessage // it does not say
	}
	if !c.bodies.TryAcquire(size) {
		return nil, nil, deny(http.StatusTooManyRequests, "This caller has %d MiB of requests under way, and may have no more at once. Wait for answers.", callerBodies>>20)
	}
	if !h.bodies.TryAcquire(size) {
		c.bodies.Release(size)
		return nil, nil, deny(http.StatusServiceUnavailable, "The server has %d MiB of requests under way, and takes no more at once. Try again.", maxBodies>>20)
	}
	release = func() { h.bodies.Release(size); c.bodies.Release(size) }
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(h.bodyTime)) // a writer of a test has none
	text, err = io.ReadAll(http.MaxBytesReader(w, r.Body, MaxMessage))
	_ = control.SetReadDeadline(time.Time{})
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		err = deny(http.StatusRequestEntityTooLarge, "The message is longer than %d MiB. Send less at once.", MaxMessage>>20)
	case err != nil:
		w.Header().Set("Connection", "close")
		err = deny(http.StatusRequestTimeout, "The body of the request did not come whole within %v.", h.bodyTime)
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	return text, release, nil
}

// checkHead says why a request is refused by its head, whoever makes it.
func (h *HTTP) checkHead(w http.ResponseWriter, r *http.Request, to *reply) error {
	version := r.Header.Get(mcp.HeaderProtocolVersion)
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case !h.isHost(r):
		return deny(http.StatusForbidden, "The host %q is not one of this server. Whoever runs it can name it by --allowed-hosts.", jsonrpc.Cut(r.Host))
	case !sameOrigin(r):
		return deny(http.StatusForbidden, "Pages of other sites may not use this server.")
	case r.URL.RawQuery != "":
		return deny(http.StatusBadRequest, "The address takes no query. A token belongs into the header Authorization.")
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		return deny(http.StatusMethodNotAllowed, "Send a message of MCP by POST. There is no session, and the server sends nothing that was not asked for.")
	case media != "application/json":
		return deny(http.StatusUnsupportedMediaType, "The Content-Type must be application/json.")
	case !to.json && !to.events:
		return deny(http.StatusNotAcceptable, "The header Accept must allow application/json or text/event-stream.")
	case len(r.Header.Values("Authorization")) > 1:
		return deny(http.StatusBadRequest, "The header Authorization is there twice.")
	case version != "" && !mcp.IsValidProtocolVersion(version):
		return &Denial{Status: http.StatusBadRequest, code: mcp.UNSUPPORTED_PROTOCOL_VERSION,
			Reason: fmt.Sprintf("The protocol version %q is none of those that are served: %s.", jsonrpc.Cut(version), strings.Join(mcp.ValidProtocolVersions, ", "))}
	}
	return nil
}

// sameOrigin tells whether a request is none of a page, or of a page of this very server.
func sameOrigin(r *http.Request) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	origin, err := url.Parse(origins[0])
	return err == nil && len(origins) == 1 && (origin.Scheme == "http" || origin.Scheme == "https") && strings.EqualFold(origin.Host, r.Host)
}

// isHost tells whether a request came to a name or an address by which this server is meant to be reached. A page that has made its own
// name point here is not.
func (h *HTTP) isHost(r *http.Request) bool {
	name := hostName(r.Host)
	switch name {
	case "":
		return false
	case "localhost", "127.0.0.1", "::1":
		return true
	}
	for _, host := range h.hosts {
		if strings.EqualFold(host, name) {
			return true
		}
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return local != nil && name == hostName(local.String())
}

// hostName is a host without its port.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}
