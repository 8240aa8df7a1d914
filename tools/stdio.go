// The stdio server: newline-delimited JSON-RPC on a pair of streams.
//
// mcp-go's own stdio server neither keeps the order of calls nor answers what is under way at end of input. This loop does:
// orders run one after the other in the order in which they arrived, everything else runs beside them, and the loop ends
// only when every request that was read is answered.

package tools

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/ledger"
)

// Limits of the loop. When one is reached, reading waits until there is room again.
const (
	maxMessage   = 4 << 20 // bytes of a line
	maxOrders    = 1024    // orders that wait
	maxOthers    = 1024    // other requests that wait
	othersAtOnce = 16      // other requests that run
)

// codeCancelled is the error of a request that was cancelled before it began, as the Language Server Protocol has it.
const codeCancelled = -32800

// Serve answers the requests on in until it ends or ctx is done, and returns when all that were read are answered. It
// returns the error of writing to out, if that failed.
func (s *Server) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	c := &connection{
		server: s, out: out,
		orders: make(chan request, maxOrders), room: make(chan struct{}, maxOthers), slots: make(chan struct{}, othersAtOnce),
		cancels: map[string]context.CancelFunc{}, broken: make(chan struct{}),
	}
	c.wait.Go(c.runOrders)
	read := make(chan struct{})
	go func() {
		defer close(read)
		// A request that was read is answered even if the server is told to stop.
		c.takeLines(context.WithoutCancel(ctx), untilDone{ctx, in})
	}()
	select {
	case <-read:
	case <-c.broken:
		c.takeMu.Lock()
		c.stopped = true
		c.takeMu.Unlock()
	case <-ctx.Done():
		c.awaitLastWords(read)
	}
	close(c.orders)
	c.wait.Wait()
	return c.writeErr
}

// connection is one client's side of the server.
type connection struct {
	server *Server
	orders chan request
	room   chan struct{} // holds one token per other request
	slots  chan struct{} // holds one token per other request that runs
	wait   sync.WaitGroup

	takeMu  sync.Mutex
	taken   int  // lines
	stopped bool // no more are taken

	cancelMu sync.Mutex
	cancels  map[string]context.CancelFunc // of the requests that are not answered yet, by id

	writeMu  sync.Mutex
	out      io.Writer
	writeErr error
	broken   chan struct{} // closed when out fails: nobody listens any more
}

// request is a message that wants an answer.
type request struct {
	ctx  context.Context
	id   json.RawMessage
	text json.RawMessage
}

// takeLines gives each line of in to where it runs, until in ends or the taking is stopped.
func (c *connection) takeLines(ctx context.Context, in io.Reader) {
	r := bufio.NewReaderSize(in, 64<<10)
	for {
		l, err := readLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return // in the middle of a line
		}
		if (len(l.text) > 0 || l.tooLong) && !c.takeUnlessStopped(ctx, l) || err != nil {
			return
		}
	}
}

func (c *connection) takeUnlessStopped(ctx context.Context, l line) bool {
	c.takeMu.Lock()
	defer c.takeMu.Unlock()
	if !c.stopped {
		c.take(ctx, l)
		c.taken++
	}
	return !c.stopped
}

// lastWords is how long a server that is told to stop waits for a reading that had begun before.
const lastWords = 50 * time.Millisecond

// awaitLastWords lets the lines be taken that were read before the server was told to stop. A reading that had begun by
// then and brings nothing is given up.
func (c *connection) awaitLastWords(read <-chan struct{}) {
	for seen := -1; ; {
		select {
		case <-read:
			return
		case <-time.After(lastWords):
		}
		if !c.takeMu.TryLock() {
			continue // one is being taken
		}
		quiet := c.taken == seen
		c.stopped, seen = quiet, c.taken
		c.takeMu.Unlock()
		if quiet {
			return
		}
	}
}

// envelope is as much of a message as the loop needs to know.
type envelope struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name      string          `json:"name"`
		RequestID json.RawMessage `json:"requestId"`
	} `json:"params"`
}

func (c *connection) take(ctx context.Context, l line) {
	if l.tooLong {
		c.refuse(mcp.INVALID_REQUEST, fmt.Sprintf("The message is longer than %d MiB and was dropped. Send less at once.", maxMessage>>20))
		return
	}
	var e envelope
	var notJSON *json.SyntaxError
	// A message whose parts have other types than these is for mcp-go to refuse.
	if err := json.Unmarshal(l.text, &e); errors.As(err, &notJSON) {
		c.refuse(mcp.PARSE_ERROR, "The line is not JSON. Send one JSON-RPC message per line.")
		return
	}
	if l.text[0] != '{' {
		c.refuse(mcp.INVALID_REQUEST, "The line is not a JSON-RPC message. Send one object per line; batches are not supported.")
		return
	}
	r := request{ctx: ctx, id: e.ID, text: l.text}
	switch {
	case len(e.ID) == 0 || string(e.ID) == "null" || e.Method == "":
		if e.Method == string(mcp.MethodNotificationCancelled) {
			c.cancel(e.Params.RequestID)
		}
		c.write(c.handle(r))
	case e.Method == string(mcp.MethodInitialize):
		// What the client says of itself holds for all that follows.
		c.write(c.handle(r))
	case e.Method == string(mcp.MethodToolsCall) && c.server.orders[e.Params.Name]:
		c.orders <- c.cancellable(r)
	default:
		c.room <- struct{}{}
		r = c.cancellable(r)
		c.wait.Go(func() {
			c.slots <- struct{}{}
			c.answer(r)
			<-c.slots
			<-c.room
		})
	}
}

// runOrders is the lane of the orders. An order that others wait for begins a group: each next one begins once the one
// before it has its place in the ledger, or its answer, so that they become durable together, each answered after that.
func (c *connection) runOrders() {
	for r := range c.orders {
		if len(c.orders) == 0 { // the last of its group, or alone: a goroutine of its own would only cost time
			r.ctx = ledger.WithPlaced(r.ctx, func() int { return 0 })
			c.answer(r)
			continue
		}
		settled := make(chan struct{})
		settle := sync.OnceFunc(func() { close(settled) })
		r.ctx = ledger.WithPlaced(r.ctx, func() int {
			waiting := len(c.orders)
			settle()
			return waiting
		})
		c.wait.Go(func() {
			defer settle()
			c.answer(r)
		})
		<-settled
	}
}

func (c *connection) answer(r request) {
	var message any
	if r.ctx.Err() != nil {
		message = errorMessage(r.id, codeCancelled, "The request was cancelled before it began.")
	} else {
		message = c.handle(r)
	}
	c.cancel(r.id) // before the answer: after it, the client may use the id again
	c.write(message)
}

// handle has mcp-go answer a message; nil means that there is no answer.
func (c *connection) handle(r request) (answer any) {
	defer func() {
		if p := recover(); p != nil {
			c.server.log.Error().Interface("panic", p).Bytes("stack", debug.Stack()).Msg("request failed")
			answer = errorMessage(r.id, mcp.INTERNAL_ERROR, "The server failed on this request; its log says why. Other requests are served.")
		}
	}()
	// mcp-go reads a number as a float, so that one of many digits would come back as another one.
	id := mcp.NewRequestId(r.id)
	exact := len(r.id) > 0 && bytes.IndexByte([]byte("-0123456789"), r.id[0]) >= 0
	m := c.server.mcp.HandleMessage(r.ctx, r.text)
	if e, ok := m.(mcp.JSONRPCError); ok && e.Error.Code == mcp.INVALID_REQUEST {
		if text, ok := quoteArguments(r.text); ok {
			m = c.server.mcp.HandleMessage(r.ctx, text)
		}
	}
	switch m := m.(type) {
	case nil:
		return nil
	case mcp.JSONRPCResponse:
		if exact {
			m.ID = id
		}
		return m
	case mcp.JSONRPCError:
		if exact {
			m.ID = id
		}
		return m
	default:
		return m
	}
}

// quoteArguments returns a call whose arguments hold a number that no float can hold, such as 1e999, with the numbers as
// strings. mcp-go refuses such a call as a whole; the tool can say what is wrong with the argument.
func quoteArguments(text json.RawMessage) (json.RawMessage, bool) {
	var number *json.UnmarshalTypeError
	if err := json.Unmarshal(text, new(any)); !errors.As(err, &number) {
		return nil, false
	}
	var call map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&call); err != nil {
		return nil, false
	}
	params, _ := call["params"].(map[string]any)
	arguments, ok := params["arguments"].(map[string]any)
	for name, value := range arguments {
		if n, isNumber := value.(json.Number); isNumber {
			arguments[name] = n.String()
		}
	}
	quoted, err := json.Marshal(call)
	return quoted, ok && err == nil
}

// cancellable lets a cancellation reach a request until it is answered.
func (c *connection) cancellable(r request) request {
	ctx, cancel := context.WithCancel(r.ctx)
	r.ctx = ctx
	c.cancelMu.Lock()
	defer c.cancelMu.Unlock()
	c.cancels[string(r.id)] = cancel
	return r
}

func (c *connection) cancel(id json.RawMessage) {
	c.cancelMu.Lock()
	defer c.cancelMu.Unlock()
	if cancel, ok := c.cancels[string(id)]; ok {
		cancel()
		delete(c.cancels, string(id))
	}
}

func (c *connection) refuse(code int, message string) {
	c.write(errorMessage(json.RawMessage("null"), code, message))
}

func errorMessage(id json.RawMessage, code int, message string) any {
	return struct {
		JSONRPC string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   any             `json:"error"`
	}{mcp.JSONRPC_VERSION, id, struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{code, message}}
}

// write puts one message on one line.
func (c *connection) write(message any) {
	if message == nil {
		return
	}
	text, err := json.Marshal(message)
	if err != nil {
		c.server.log.Error().Err(err).Msg("answer cannot be written")
		return
	}
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	if c.writeErr != nil {
		return
	}
	if _, err := c.out.Write(append(text, '\n')); err != nil {
		c.writeErr = fmt.Errorf("writing answers: %w", err)
		close(c.broken)
	}
}

// line is one line of input that is not blank.
type line struct {
	text    []byte
	tooLong bool // text was longer than maxMessage and is gone
}

// untilDone is a reader that reads no more when its context is done: what was read before can still be taken.
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

// readLine reads one line, however long, and keeps at most maxMessage of it.
func readLine(r *bufio.Reader) (line, error) {
	var l line
	for {
		piece, err := r.ReadSlice('\n')
		if l.tooLong = l.tooLong || len(l.text)+len(piece) > maxMessage+2; l.tooLong { // with its line ending
			l.text = nil
		} else {
			l.text = append(l.text, piece...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			if l.text = bytes.TrimSpace(l.text); len(l.text) > maxMessage {
				l.text, l.tooLong = nil, true
			}
			return l, err
		}
	}
}
