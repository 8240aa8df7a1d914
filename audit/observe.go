// The calls of a handler, and the requests that never come to one.

package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
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

// Watch returns a handler that keeps a line for each request that a handler answers.
func (l *Log) Watch(h serve.Handler, transport string) serve.Handler {
	return watched{h, l, transport}
}

type watched struct {
	serve.Handler
	log       *Log
	transport string
}

// Handle implements [serve.Handler].
func (w watched) Handle(ctx context.Context, r *jsonrpc.Request) any {
	began := time.Now()
	answer := w.Handler.Handle(ctx, r)
	e := Entry{
		Caller: callerOf(ctx), Transport: w.transport, Method: jsonrpc.Cut(r.Method), Name: jsonrpc.Cut(r.Name), Arguments: hashOf(r.Args), Request: jsonrpc.Cut(string(r.ID)),
		Time: time.Now(), MS: milliseconds(began),
	}
	if r.URI != "" {
		e.Arguments = hashOf([]byte(strconv.Quote(r.URI)))
	}
	e.Result = ResultOf(answer)
	w.log.Append(e)
	return answer
}

func milliseconds(began time.Time) float64 {
	return float64(time.Since(began).Microseconds()) / 1000
}

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

// ResultOf tells by its answer what became of a call.
func ResultOf(answer any) (r Result) {
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
	l.Append(Entry{Caller: c, Transport: "http", Result: Result{Outcome: Denied}, Status: status, Reason: reason, Time: time.Now(), MS: milliseconds(began)})
}
