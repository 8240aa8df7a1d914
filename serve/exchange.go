// One exchange of HTTP: how its message, or each of a batch, is answered.

package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/internal/jsonrpc"
)

// exchange is a request of HTTP that is being answered.
type exchange struct {
	server *Server
	gate   Gate
	over   context.Context // done when requests that hang are given up
	caller *httpCaller
	place  *arrival

	sessions *sessions       // nil: nobody waits for an earlier session
	ctx      context.Context // of the request, with its caller
	head     http.Header
	to       *reply
	denied   func(reason string) // hears of a message of a batch that is not allowed
	lanes    []string            // that were entered
}

// end leaves the lanes. All orders are done by then.
func (x *exchange) end() {
	for _, name := range x.lanes {
		x.server.lanes.leave(name)
	}
}

// answer answers the text of a request: a message, or a batch where the protocol of the request has such.
func (x *exchange) answer(text []byte) (answer any, status int, err error) {
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))) // a byte order mark
	if version := x.head.Get(mcp.HeaderProtocolVersion); len(text) > 0 && text[0] == '[' && (version == "" || version == mcp.ProtocolVersion20250326) {
		return x.answerBatch(text)
	}
	if len(text) == 0 || text[0] != '{' {
		return nil, 0, &Denial{Status: http.StatusBadRequest, code: mcp.PARSE_ERROR, Reason: "The body is not a JSON-RPC message. Send one object; batches are taken only under the protocol version 2025-03-26."}
	}
	m, err := jsonrpc.Read(text)
	switch {
	case err != nil:
		return nil, 0, &Denial{Status: http.StatusBadRequest, code: mcp.PARSE_ERROR, Reason: "The body is not JSON. Send one JSON-RPC message."}
	case !m.Waits:
		return nil, http.StatusAccepted, nil
	case m.Fault != "":
		return jsonrpc.ErrorMessage(m.ID, mcp.INVALID_REQUEST, m.Fault), http.StatusBadRequest, nil
	}
	modern := isModern(x.head, &m)
	if reason := headerMismatch(x.head, &m, modern); reason != "" {
		return jsonrpc.ErrorMessage(m.ID, mcp.HEADER_MISMATCH, reason), http.StatusBadRequest, nil
	}
	if err := x.gate.Allow(x.ctx, &m); err != nil {
		return nil, 0, err
	}
	answer = x.run(&m, modern)
	return answer, statusOf(answer, modern), nil
}

// answerBatch answers each message of a batch, one after the other.
func (x *exchange) answerBatch(text []byte) (answer any, status int, err error) {
	var messages []json.RawMessage
	if err := json.Unmarshal(text, &messages); err != nil || len(messages) == 0 || len(messages) > MaxBatch {
		return nil, 0, deny(http.StatusBadRequest, "A batch must hold 1 to %d messages.", MaxBatch)
	}
	var answers []any
	for _, text := range messages {
		m, err := jsonrpc.Read(text)
		switch {
		case err != nil || text[0] != '{':
			answers = append(answers, jsonrpc.ErrorMessage(nil, mcp.INVALID_REQUEST, "The message is no object."))
			continue
		case !m.Waits:
			continue
		case m.Fault == "" && m.Method == string(mcp.MethodInitialize):
			m.Fault = "The request initialize cannot be part of a batch."
		case m.Fault == "" && isModern(x.head, &m):
			m.Fault = "The protocol version of the message has no batches."
		}
		if err := x.gate.Allow(x.ctx, &m); err != nil && m.Fault == "" {
			m.Fault = err.Error()
			x.denied(m.Fault)
		}
		if m.Fault != "" {
			answers = append(answers, jsonrpc.ErrorMessage(m.ID, mcp.INVALID_REQUEST, m.Fault))
		} else if answer := x.run(&m, false); answer != nil {
			answers = append(answers, answer)
		}
	}
	if answers == nil {
		return nil, http.StatusAccepted, nil
	}
	return answers, http.StatusOK, nil
}

// run has a message answered: an order in its turn, other requests beside those of the same caller, up to a number.
func (x *exchange) run(m *jsonrpc.Message, modern bool) any {
	x.to.handled = true
	x.to.wait()
	placed := x.inTurn(m)
	defer placed()
	r := &jsonrpc.Request{Message: *m}
	if lane, isOrder := x.server.handler.Lane(x.ctx, m); isOrder {
		return x.order(r, lane, modern, placed)
	}
	x.place.taken(nil)
	ctx, cancel := context.WithCancel(x.ctx) // ends with the client's connection: nobody else would get the answer
	defer cancel()
	defer context.AfterFunc(x.over, cancel)()
	if m.Method != string(mcp.MethodPing) {
		select {
		case x.caller.running <- struct{}{}:
			defer func() { <-x.caller.running }()
		case <-ctx.Done():
			if x.ctx.Err() != nil {
				return nil // the client is gone
			}
			return jsonrpc.ErrorMessage(m.ID, mcp.INTERNAL_ERROR, "The server ends. Nothing was done: ask again when it is back.")
		}
	}
	return x.server.handler.Handle(ctx, r)
}

// order executes an order on its lane, and returns when it is done. In the protocol without sessions a client cancels a request by
// leaving; an order that has begun is executed in any case.
func (x *exchange) order(r *jsonrpc.Request, lane string, modern bool, placed func()) (answer any) {
	l := x.server.lanes.enter(lane)
	x.lanes = append(x.lanes, lane)
	var cancelled atomic.Bool
	if modern {
		defer context.AfterFunc(x.ctx, func() { cancelled.Store(true) })()
	}
	done := make(chan struct{})
	add := func() {
		l.add(func(t *turn) {
			defer close(done)
			r.Begin = func() bool { t.begin(); return !cancelled.Load() }
			r.Placed = t.placed
			answer = x.server.handler.Handle(context.WithoutCancel(x.ctx), r)
			t.end()
		})
	}
	if !x.place.taken(add) {
		add()
	}
	placed()
	<-done
	return answer
}

// isModern tells whether a message is of the protocol without sessions.
func isModern(head http.Header, m *jsonrpc.Message) bool {
	return mcp.IsModernProtocol(head.Get(mcp.HeaderProtocolVersion)) || mcp.IsModernProtocol(metaVersion(m))
}

// metaVersion is the protocol version that a message itself names, "" if it names none.
func metaVersion(m *jsonrpc.Message) string {
	var meta mcp.Meta
	if !bytes.Contains(m.Meta, []byte(mcp.MetaKeyProtocolVersion)) || json.Unmarshal(m.Meta, &meta) != nil {
		return ""
	}
	return meta.ProtocolVersion()
}

// headerMismatch says what the head of a request says other than its message. Whatever stands between client and server may go by the
// head alone.
func headerMismatch(head http.Header, m *jsonrpc.Message, modern bool) string {
	name := m.Name
	if m.URI != "" {
		name = m.URI
	}
	says := func(header, want string, required bool) string {
		values := head.Values(header)
		if len(values) == 0 && !required {
			return ""
		}
		if len(values) == 1 {
			if said, ok := mcp.DecodeHeaderValue(values[0]); ok && said == want {
				return ""
			}
		}
		return fmt.Sprintf("The header %s must be there once, and say what the message does: %q.", header, jsonrpc.Cut(want))
	}
	if modern {
		if reason := says(mcp.HeaderProtocolVersion, metaVersion(m), true); reason != "" {
			return reason
		}
	}
	if reason := says(mcp.HeaderMethod, m.Method, modern); reason != "" {
		return reason
	}
	return says(mcp.HeaderName, name, modern && mcp.MethodRequiresNameHeader(mcp.MCPMethod(m.Method)))
}

// statusOf is the status of HTTP under which an answer is sent.
func statusOf(answer any, modern bool) int {
	switch code := jsonrpc.ErrorCode(answer); {
	case answer == nil: // it was cancelled
		return http.StatusAccepted
	case modern && code == mcp.METHOD_NOT_FOUND:
		return http.StatusNotFound
	case modern && (code == mcp.INVALID_PARAMS || code == mcp.INVALID_REQUEST || code == mcp.UNSUPPORTED_PROTOCOL_VERSION || code == mcp.MISSING_REQUIRED_CLIENT_CAPABILITY):
		return http.StatusBadRequest
	}
	return http.StatusOK
}
