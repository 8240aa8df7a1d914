// The stdio transport: newline-delimited JSON-RPC on a pair of streams.
//
// mcp-go's own stdio server runs calls in any order and drops those under way at the end of input. This loop runs the orders of an
// account one after the other, as they arrived, and other requests beside them. It ends when every request that was read is
// answered.

package serve

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/rs/zerolog"
	"golang.org/x/sync/semaphore"

	"mcp-trade/internal/jsonrpc"
)

// Limits of a connection. When one is reached, reading waits until there is room again.
const (
	MaxMessage   = 4 << 20  // bytes of a line
	MaxBatch     = 256      // messages in a line
	maxOrders    = 1024     // orders that wait
	maxOthers    = 1024     // other requests that wait
	OthersAtOnce = 16       // other requests that run
	MaxWaiting   = 64 << 20 // bytes of all requests that wait or run
)

// Stdio answers the requests on in until it ends or ctx is done, and returns when all that were read are answered. It
// returns the error of writing to out, if that failed. The handler finds in ctx on whose behalf the requests are made.
func (s *Server) Stdio(ctx context.Context, in io.Reader, out io.Writer) error {
	// A request that was read is answered even if the server is told to stop.
	lasting := context.WithoutCancel(ctx)
	others, giveUp := context.WithCancel(lasting)
	defer giveUp()
	c := &connection{
		handler: s.handler, log: s.log, out: out, lasting: lasting, others: others,
		lanes: &s.lanes, orders: map[string]*lane{}, backlog: make(chan struct{}, maxOthers), workers: make(chan struct{}, OthersAtOnce),
		queuedBytes: semaphore.NewWeighted(MaxWaiting),
		open:        map[string]*request{}, answered: make(chan struct{}, 1), outClosed: make(chan struct{}),
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		c.readLines(untilDone{ctx, in})
	}()
	go c.cancelHanging(ctx, read, giveUp)
	select {
	case <-read:
	case <-c.outClosed:
		c.dispatchMu.Lock()
		c.stopped = true
		c.dispatchMu.Unlock()
	case <-ctx.Done():
		c.drain(read)
	}
	c.wait.Wait()
	for name := range c.orders {
		c.lanes.leave(name)
	}
	return c.writeErr
}

// connection is one client's side of the server.
type connection struct {
	handler     Handler
	log         zerolog.Logger
	lasting     context.Context // of orders
	others      context.Context // of other requests
	lanes       *lanes
	orders      map[string]*lane // the lanes that the connection has entered, by name
	backlog     chan struct{}    // holds one token per other request
	workers     chan struct{}    // holds one token per other request that runs
	queuedBytes *semaphore.Weighted
	wait        sync.WaitGroup

	dispatchMu sync.Mutex
	dispatched int    // lines
	stopped    bool   // no more lines are dispatched
	version    string // of the protocol, as it was agreed; "" before

	openMu   sync.Mutex
	open     map[string]*request // not answered yet, by id
	answered chan struct{}       // told of each answer

	writeMu   sync.Mutex
	out       io.Writer
	writeErr  error
	outClosed chan struct{} // closed when a write to out fails: the client is gone
}

// request is a message that wants an answer.
type request struct {
	jsonrpc.Request
	ctx       context.Context
	stop      context.CancelFunc
	turn      *turn       // of an order
	begun     bool        // it is an order whose turn has come
	cancelled atomic.Bool // by the client
	answer    func(any)   // takes the answer, nil for none; it is called once
}

// readLines dispatches each line of in, until in ends or the connection is stopped.
func (c *connection) readLines(in io.Reader) {
	r := bufio.NewReaderSize(in, 64<<10)
	for first := true; ; {
		l, err := readLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return // in the middle of a line
		}
		if first {
			l.text = bytes.TrimPrefix(l.text, []byte("\xef\xbb\xbf")) // a byte order mark
		}
		if len(l.text) > 0 || l.tooLong {
			first = false
			if !c.dispatchUnlessStopped(l) {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (c *connection) dispatchUnlessStopped(l line) bool {
	c.dispatchMu.Lock()
	defer c.dispatchMu.Unlock()
	if !c.stopped {
		c.dispatch(l)
		c.dispatched++
	}
	return !c.stopped
}

// drainTimeout is how long a server that is told to stop waits for a read that is under way.
const drainTimeout = 50 * time.Millisecond

// drain waits until the lines that were read before the server was told to stop are dispatched. It abandons a read that is
// still blocked after drainTimeout.
func (c *connection) drain(read <-chan struct{}) {
	for seen := -1; ; {
		select {
		case <-read:
			return
		case <-time.After(drainTimeout):
		}
		if !c.dispatchMu.TryLock() {
			continue // a line is being dispatched
		}
		quiet := c.dispatched == seen
		c.stopped, seen = quiet, c.dispatched
		c.dispatchMu.Unlock()
		if quiet {
			return
		}
	}
}

// hangTimeout is how long after the last answer a request that is under way counts as hanging, once the server ends.
const hangTimeout = 500 * time.Millisecond

// cancelHanging cancels requests that hang once the server ends, such as a search. It cancels no order.
func (c *connection) cancelHanging(ctx context.Context, read <-chan struct{}, giveUp func()) {
	select {
	case <-read:
	case <-c.outClosed:
	case <-ctx.Done():
	}
	still := time.NewTimer(hangTimeout)
	defer still.Stop()
	for {
		select {
		case <-c.others.Done():
			return
		case <-c.answered:
			still.Reset(hangTimeout)
		case <-still.C:
			giveUp()
		}
	}
}

// dispatch gives the messages of a line, one or a batch, to where they run.
func (c *connection) dispatch(l line) {
	switch {
	case l.tooLong:
		c.refuse(mcp.INVALID_REQUEST, fmt.Sprintf("The message is longer than %d MiB and was dropped. Send less at once.", MaxMessage>>20))
	case l.text[0] == '{':
		c.dispatchMessage(l.text, false, c.write)
	case !json.Valid(l.text):
		c.refuse(mcp.PARSE_ERROR, notJSON)
	case l.text[0] == '[' && c.version == mcp.ProtocolVersion20250326:
		c.dispatchBatch(l.text)
	default:
		c.refuse(mcp.INVALID_REQUEST, "The line is not a JSON-RPC message. Send one object per line; batches are taken only if the protocol version 2025-03-26 was agreed.")
	}
}

const notJSON = "The line is not JSON. Send one JSON-RPC message per line."

// dispatchMessage gives an order to its lane and another request to a worker; it answers the rest itself.
func (c *connection) dispatchMessage(text []byte, inBatch bool, answer func(any)) {
	m, err := jsonrpc.Read(text)
	r := &request{Request: jsonrpc.Request{Message: m}, answer: answer}
	switch {
	case err != nil:
		answer(jsonrpc.ErrorMessage(nil, mcp.PARSE_ERROR, notJSON))
	case !m.Waits:
		if m.Method == string(mcp.MethodNotificationCancelled) && m.Fault == "" {
			c.cancel(m.Cancels)
		}
		answer(nil)
	case m.Fault != "":
		answer(jsonrpc.ErrorMessage(m.ID, mcp.INVALID_REQUEST, m.Fault))
	case m.Method == string(mcp.MethodInitialize):
		// Later messages depend on the version agreed here, so initialize is answered before they are read.
		answer(c.initialize(r, inBatch))
	case m.Method == string(mcp.MethodPing):
		// A ping asks whether the server is alive, so it does not wait behind other requests.
		r.ctx = c.others
		answer(c.handler.Handle(r.ctx, &r.Request))
	default:
		if lane, isOrder := c.handler.Lane(c.lasting, &m); isOrder {
			c.order(r, lane)
			return
		}
		c.backlog <- struct{}{}
		c.enter(r, c.others)
		c.wait.Go(func() {
			c.workers <- struct{}{}
			c.run(r)
			<-c.workers
			<-c.backlog
		})
	}
}

// order gives an order to a lane.
func (c *connection) order(r *request, lane string) {
	l := c.orders[lane]
	if l == nil {
		l = c.lanes.enter(lane)
		c.orders[lane] = l
	}
	c.enter(r, c.lasting)
	c.wait.Add(1)
	l.add(func(t *turn) {
		defer c.wait.Done()
		r.turn, r.Begin, r.Placed = t, r.begin, t.placed
		c.run(r)
	})
}

// initialize agrees with the client on the version of the protocol.
func (c *connection) initialize(r *request, inBatch bool) any {
	if inBatch {
		return jsonrpc.ErrorMessage(r.ID, mcp.INVALID_REQUEST, "The request initialize cannot be part of a batch.")
	}
	r.ctx = c.others
	answer := c.handler.Handle(r.ctx, &r.Request)
	if agreed := AgreedVersion(answer); agreed != "" {
		c.version = agreed
	}
	return answer
}

// AgreedVersion is the version of the protocol that the answer to initialize agrees on, "" of any other answer.
func AgreedVersion(answer any) string {
	response, _ := answer.(mcp.JSONRPCResponse)
	agreed, _ := response.Result.(mcp.InitializeResult)
	return agreed.ProtocolVersion
}

// run answers a request unless the client cancels it. An order that has begun is answered in any case.
func (c *connection) run(r *request) {
	var answer any
	if !r.cancelled.Load() {
		answer = c.handler.Handle(r.ctx, &r.Request)
		if c.leave(r); r.cancelled.Load() && !r.begun {
			answer = nil
		}
	}
	if r.turn != nil {
		r.turn.end()
		r.turn.answer()
	}
	r.answer(answer)
	c.queuedBytes.Release(int64(len(r.Text)))
	select {
	case c.answered <- struct{}{}:
	default:
	}
}

// begin waits for the turn of an order. It reports false if the client has cancelled it by then.
func (r *request) begin() bool {
	r.turn.begin()
	r.begun = !r.cancelled.Load()
	return r.begun
}

// enter registers a request, so that a cancellation reaches it until leave.
func (c *connection) enter(r *request, under context.Context) {
	_ = c.queuedBytes.Acquire(context.Background(), int64(len(r.Text))) // a message is smaller than the whole, so it never fails
	r.ctx, r.stop = context.WithCancel(under)
	c.openMu.Lock()
	defer c.openMu.Unlock()
	c.open[string(r.ID)] = r
}

// leave unregisters a request. It comes before the answer, after which the client may reuse the id.
func (c *connection) leave(r *request) {
	c.openMu.Lock()
	defer c.openMu.Unlock()
	if c.open[string(r.ID)] == r {
		delete(c.open, string(r.ID))
	}
	r.stop()
}

func (c *connection) cancel(id json.RawMessage) {
	c.openMu.Lock()
	defer c.openMu.Unlock()
	if r, ok := c.open[string(id)]; ok {
		delete(c.open, string(id))
		r.cancelled.Store(true)
		r.stop()
	}
}

// dispatchBatch dispatches each message of a batch, in order. The answers come as one array, when all are there.
func (c *connection) dispatchBatch(text []byte) {
	var messages []json.RawMessage
	if err := json.Unmarshal(text, &messages); err != nil || len(messages) == 0 || len(messages) > MaxBatch {
		c.refuse(mcp.INVALID_REQUEST, fmt.Sprintf("A batch must hold 1 to %d messages.", MaxBatch))
		return
	}
	b := &batch{left: len(messages), answers: make([]any, len(messages)), write: c.write}
	for i, text := range messages {
		answer := func(a any) { b.answer(i, a) }
		if text[0] == '{' {
			c.dispatchMessage(text, true, answer)
		} else {
			answer(jsonrpc.ErrorMessage(nil, mcp.INVALID_REQUEST, "The message is no object."))
		}
	}
}

// batch collects the answers to the messages of an array.
type batch struct {
	mu      sync.Mutex
	left    int // messages without an answer
	answers []any
	write   func(any)
}

func (b *batch) answer(i int, answer any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers[i] = answer
	if b.left--; b.left > 0 {
		return
	}
	if given := slices.DeleteFunc(b.answers, func(a any) bool { return a == nil }); len(given) > 0 {
		b.write(given)
	}
}

func (c *connection) refuse(code int, message string) {
	c.write(jsonrpc.ErrorMessage(nil, code, message))
}

// write puts one message, or one array of them, on one line.
func (c *connection) write(message any) {
	if message == nil {
		return
	}
	text, isText := message.(json.RawMessage)
	if !isText {
		var err error
		if text, err = json.Marshal(message); err != nil {
			c.log.Error().Err(err).Msg("answer cannot be written")
			return
		}
	}
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	if c.writeErr != nil {
		return
	}
	if _, err := c.out.Write(append(text, '\n')); err != nil {
		c.writeErr = fmt.Errorf("writing answers: %w", err)
		close(c.outClosed)
	}
}

// line is one line of input that is not blank.
type line struct {
	text    []byte
	tooLong bool // text was longer than MaxMessage and is gone
}

// untilDone is a reader that ends when its context is done. Bytes that it has returned before stay readable.
type untilDone struct {
	ctx context.Context
	in  io.Reader
}

func (r untilDone) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}

// readLine reads one line, however long, and keeps at most MaxMessage of it.
func readLine(r *bufio.Reader) (line, error) {
	var l line
	for {
		piece, err := r.ReadSlice('\n')
		if l.tooLong = l.tooLong || len(l.text)+len(piece) > MaxMessage+2; l.tooLong { // with its line ending
			l.text = nil
		} else {
			l.text = append(l.text, piece...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			if l.text = bytes.TrimSpace(l.text); len(l.text) > MaxMessage {
				l.text, l.tooLong = nil, true
			}
			return l, err
		}
	}
}
