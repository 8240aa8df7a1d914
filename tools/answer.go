// The answers of mcp-go, and its errors in our words.

package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"mcp-trade/code"
	"mcp-trade/internal/jsonrpc"
	"mcp-trade/ledger"
	"mcp-trade/session"
)

// maxURI bounds the uri of a resource: mcp-go spends time on each character of it.
const maxURI = 128

// call is a request that is being answered.
type call struct {
	*jsonrpc.Request
	failed error // why mcp-go could not answer
}

// Handle returns the answer to a request, nil if there is none. The context must hold the [session.Caller].
func (s *Server) Handle(ctx context.Context, request *jsonrpc.Request) (answer any) {
	r := &call{Request: request}
	defer func() {
		if p := recover(); p != nil {
			s.log.Error().Interface("panic", p).Bytes("stack", debug.Stack()).Msg("request failed")
			answer = jsonrpc.ErrorMessage(r.ID, mcp.INTERNAL_ERROR, ourFault)
		}
	}()
	if len(r.URI) > maxURI {
		return jsonrpc.ErrorMessage(r.ID, mcp.INVALID_PARAMS, fmt.Sprintf("There is no resource %q.", jsonrpc.Cut(r.URI)))
	}
	ctx = context.WithValue(ctx, callKey{}, r)
	if r.Placed != nil {
		ctx = ledger.WithPlaced(ctx, r.Placed)
	}
	if answer, ok := s.direct(ctx, r); ok {
		return answer
	}
	m := s.mcp.HandleMessage(ctx, r.Text)
	if e, ok := m.(mcp.JSONRPCError); ok && e.Error.Code == mcp.INVALID_REQUEST {
		if text, ok := quoteArguments(r.Text); ok {
			r.failed = nil
			m = s.mcp.HandleMessage(ctx, text)
		}
	}
	switch m := m.(type) {
	case nil:
		return nil
	case mcp.JSONRPCResponse:
		m.ID = mcp.NewRequestId(r.ID) // as it was written: mcp-go reads a number as a float
		s.learn(r, m.Result)
		return m
	case mcp.JSONRPCError:
		m.ID = mcp.NewRequestId(r.ID)
		return s.rewriteError(m, r, r.failed)
	default:
		return m
	}
}

// Lane says that an order waits for those of its caller before it.
func (s *Server) Lane(ctx context.Context, m *jsonrpc.Message) (name string, isOrder bool) {
	if m.Method != string(mcp.MethodToolsCall) || !s.orderTools[m.Name] {
		return "", false
	}
	c, err := session.CallerOf(ctx)
	if err != nil {
		return "", true // it will fail
	}
	return c.Lane(), true
}

const ourFault = "The server failed on this request; its log says why. Other requests are served."

// callKey is the key of the call in the context that mcp-go passes on.
type callKey struct{}

// keepError is the hook by which mcp-go tells why a request failed.
func keepError(ctx context.Context, _ any, _ mcp.MCPMethod, _ any, err error) {
	if r, ok := ctx.Value(callKey{}).(*call); ok {
		if cause := errors.Unwrap(err); cause != nil && err.Error() == "request error: "+cause.Error() {
			err = cause // mcp-go's own wrapping
		}
		r.failed = err
	}
}

// awaitTurn makes the tool of an order wait for the order's turn.
func awaitTurn(next server.ToolHandlerFunc) server.ToolHandlerFunc {
	return func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		if r, ok := ctx.Value(callKey{}).(*call); ok && r.Begin != nil && !r.Begin() {
			return nil, context.Canceled // a cancelled request gets no answer
		}
		return next(ctx, req)
	}
}

// rewriteError returns an error of mcp-go in our words, with at most maxEcho characters of the request. err is its cause, or nil.
func (s *Server) rewriteError(m mcp.JSONRPCError, r *call, err error) any {
	says := func(code int, format string, args ...any) any {
		return jsonrpc.ErrorMessage(r.ID, code, fmt.Sprintf(format, args...))
	}
	var foreign *foreignError
	unknown, isUnknown := m.Error.Data.(mcp.UnsupportedProtocolVersionData)
	switch {
	case isUnknown:
		e := mcp.UnsupportedProtocolVersionError{Version: jsonrpc.Cut(unknown.Requested), Supported: unknown.Supported}.JSONRPCError()
		e.ID = m.ID
		return e
	case m.Error.Code == mcp.INVALID_REQUEST:
		return says(mcp.INVALID_REQUEST, "The params of %s are not of the form that MCP gives them.", jsonrpc.Cut(r.Method))
	case errors.Is(err, server.ErrToolNotFound):
		return says(m.Error.Code, "There is no tool %q. The tools are: %s.", jsonrpc.Cut(r.Name), strings.Join(slices.Sorted(maps.Keys(s.handlers)), ", "))
	case errors.Is(err, server.ErrPromptNotFound):
		return says(m.Error.Code, "There is no prompt %q. The request prompts/list names those that there are.", jsonrpc.Cut(r.Name))
	case errors.Is(err, server.ErrResourceNotFound):
		return says(m.Error.Code, "There is no resource %q.", jsonrpc.Cut(r.URI))
	case errors.As(err, &foreign):
		return says(mcp.INVALID_PARAMS, "%s", foreign)
	case m.Error.Code == mcp.METHOD_NOT_FOUND && err == nil, r.Method == string(mcp.MethodSubscriptionsListen):
		return says(mcp.METHOD_NOT_FOUND, "There is no method %q.", jsonrpc.Cut(r.Method))
	case m.Error.Code == mcp.INVALID_PARAMS && err != nil: // a list takes nothing else
		return says(m.Error.Code, "The cursor is none that was given out. Leave it out to start at the beginning.")
	case m.Error.Code == mcp.INTERNAL_ERROR && err != nil:
		if f, ok := failureOf(err, false); ok && f.code.Class() != code.Fault {
			return says(mcp.INVALID_PARAMS, "%s", f.String())
		} else if ok {
			return says(m.Error.Code, "%s", f.String())
		}
		s.log.Error().Err(err).Str("method", r.Method).Str("name", r.Name).Msg("request failed")
		return says(m.Error.Code, ourFault)
	}
	return m
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
