// The calls of a handler, and the requests that never come to one.

package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/code"
	"mcp-trade/internal/jsonrpc"
	"mcp-trade/serve"
)

type callerKey struct{}

// WithCaller returns a context of calls that somebody makes.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

func callerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// Call is a request that was answered, and what became of it.
type Call struct {
	*jsonrpc.Request
	Answer any
	Result
	Caller
	Began time.Time
	Took  time.Duration
}

// Known returns the method of a call, and its tool or prompt, where there are such, else "": a client may send any names, and who counts calls by
// their names wants few.
func (c Call) Known() (method, tool, prompt string) {
	_, ofRPC := strconv.Atoi(c.Code)
	there := c.Code == "" || ofRPC != nil // else the answer is an error of JSON-RPC
	switch mcp.MCPMethod(c.Method) {
	case mcp.MethodToolsCall:
		if there {
			tool = c.Name
		}
	case mcp.MethodPromptsGet:
		if there {
			prompt = c.Name
		}
	case mcp.MethodInitialize, mcp.MethodServerDiscover, mcp.MethodPing, mcp.MethodToolsList, mcp.MethodPromptsList, mcp.MethodResourcesList,
		mcp.MethodResourcesTemplatesList, mcp.MethodResourcesRead, mcp.MethodCompletionComplete:
	default:
		return "", "", ""
	}
	return c.Method, tool, prompt
}

// Watch returns a handler that tells of each request that a handler answers, before the answer goes on its way: each answer is read once, for
// all who hear. Those that are nil hear of none.
func Watch(h serve.Handler, hear ...func(context.Context, Call)) serve.Handler {
	if hear = slices.DeleteFunc(hear, func(f func(context.Context, Call)) bool { return f == nil }); len(hear) == 0 {
		return h
	}
	return watched{h, hear}
}

type watched struct {
	serve.Handler
	hear []func(context.Context, Call)
}

// Handle implements [serve.Handler].
func (w watched) Handle(ctx context.Context, r *jsonrpc.Request) any {
	began := time.Now()
	answer := w.Handler.Handle(ctx, r)
	c := Call{Request: r, Answer: answer, Result: resultOf(answer), Caller: callerOf(ctx), Began: began, Took: time.Since(began)}
	for _, hear := range w.hear {
		hear(ctx, c)
	}
	return answer
}

// Keep returns a function that keeps a line for each call it hears of, which came by a transport.
func (l *Log) Keep(transport string) func(context.Context, Call) {
	return func(_ context.Context, c Call) {
		e := Entry{
			Caller: c.Caller, Transport: transport, Method: jsonrpc.Cut(c.Method), Name: jsonrpc.Cut(c.Name), Arguments: hashOf(c.Args), Result: c.Result, Request: jsonrpc.Cut(string(c.ID)),
			Time: c.Began.Add(c.Took), MS: milliseconds(c.Took),
		}
		if c.URI != "" {
			e.Arguments = hashOf([]byte(strconv.Quote(c.URI)))
		}
		l.Append(e)
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// hashOf hashes arguments, in whatever order and with whatever spaces they were written.
func hashOf(arguments []byte) string {
	if len(arguments) == 0 {
		return ""
	}
	d := json.NewDecoder(bytes.NewReader(arguments))
	d.UseNumber()
	var value any
	if d.Decode(&value) == nil {
		if sorted, err := json.Marshal(value); err == nil {
			arguments = sorted
		}
	}
	sum := sha256.Sum256(arguments)
	return hex.EncodeToString(sum[:])
}

// said is what the answer of a tool says of the call.
type said struct {
	Error   *string    `json:"error"`
	Code    string     `json:"code"`
	Class   code.Class `json:"class"`
	ID      *int64     `json:"id"`
	OrderID string     `json:"order_id"`
}

// resultOf tells by its answer what became of a call.
func resultOf(answer any) (r Result) {
	r.Outcome = OK
	text, isText := answer.(json.RawMessage)
	if !isText && answer != nil {
		var err error
		if text, err = json.Marshal(answer); err != nil {
			r.Outcome = Failed
			return r
		}
	}
	var response struct {
		Error  *struct{ Code int }
		Result struct {
			Content           []struct{ Text string }
			StructuredContent *said `json:"structuredContent"`
			IsError           bool  `json:"isError"`
		}
	}
	if answer == nil || json.Unmarshal(text, &response) != nil { // it was cancelled, or is the result of another method
		return r
	}
	if response.Error != nil {
		r.Outcome, r.Code = Refused, strconv.Itoa(response.Error.Code)
		if response.Error.Code == mcp.INTERNAL_ERROR {
			r.Outcome = Failed
		}
		return r
	}
	s := response.Result.StructuredContent
	if s == nil && len(response.Result.Content) == 1 {
		s = &said{}
		_ = json.Unmarshal([]byte(response.Result.Content[0].Text), s) // a text that is none says nothing of the call
	}
	if s == nil {
		return r
	}
	r.OrderID = s.OrderID
	switch {
	case s.Error == nil && !response.Result.IsError:
		r.Record = s.ID
		return r
	case s.Class == code.Refusal || s.Class == code.Caller:
		r.Outcome = Refused
	default:
		r.Outcome = Failed
	}
	r.Code = s.Code
	return r
}

// Denied keeps a line for a request of HTTP that never came to the handler.
func (l *Log) Denied(r *http.Request, began time.Time, status int, reason string) {
	if status == http.StatusMethodNotAllowed {
		return // clients ask by GET whether there is a stream
	}
	c := callerOf(r.Context())
	c.Remote = r.RemoteAddr
	l.Append(Entry{Caller: c, Transport: "http", Result: Result{Outcome: Denied}, Status: status, Reason: reason, Time: time.Now(), MS: milliseconds(time.Since(began))})
}
