// The connection to an endpoint: what comes back is bounded, and no error tells a secret.

package openai

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"mcp-trade/agent/model"
)

// Bounds of what an endpoint sends, in bytes.
const (
	maxReply  = 2 << 20  // a reply, as it is kept
	maxStream = 64 << 20 // a reply, as it is streamed: a few hundred bytes around each token
	maxFault  = 8 << 10  // what is read of an answer that is an error
)

// Replies that cannot be used.
var (
	errTooLong = &model.Error{Message: fmt.Sprintf("the reply is longer than %d bytes and was refused", maxReply)}
	errCutOff  = &model.Error{Message: "the reply is cut off", Retryable: true, MayHaveCost: true}
)

// statusError is the error of an answer that is one. says is what the endpoint tells of it, bounded and without secrets.
func statusError(status int, says string, after time.Duration) *model.Error {
	text := strings.TrimSpace(fmt.Sprintf("the model's endpoint answers %d %s", status, http.StatusText(status)))
	if says != "" {
		text += ": " + says
	}
	return &model.Error{Message: text, Status: status, Retryable: status == http.StatusTooManyRequests || status >= 500, After: after}
}

// httpTransport sends requests for the library.
type httpTransport struct {
	client http.Client
	key    string
	now    func() time.Time
}

func newTransport(key string, now func() time.Time) *httpTransport {
	transport := http.DefaultTransport
	if usual, ok := transport.(*http.Transport); ok {
		transport = usual.Clone() // a connection of its own: the usual one keeps two to a host, for all accounts together
	}
	return &httpTransport{
		client: http.Client{
			Transport: transport,
			// The key goes to the address that was configured and nowhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		key: key, now: now,
	}
}

// Do sends a request. An answer that is not a reply is an error.
func (t *httpTransport) Do(req *http.Request) (*http.Response, error) {
	extras := extrasOf(req.Context())
	if err := extras.send(req); err != nil {
		return nil, err
	}
	response, err := t.client.Do(req)
	if err != nil {
		return nil, err
	}
	streamed := strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream")
	switch {
	case response.StatusCode < 200 || response.StatusCode > 299:
		defer response.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxFault)) // what there is of it
		return nil, statusError(response.StatusCode, t.says(body), t.after(response.Header))
	case streamed:
		response.Body = &boundedBody{response.Body, maxStream}
		return response, nil
	}
	defer response.Body.Close()
	body, err := io.ReadAll(&boundedBody{response.Body, maxReply})
	if err != nil {
		return nil, err
	}
	if code, is := faultIn(body); is {
		return nil, statusError(code, t.says(body), 0)
	}
	extras.body = body
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// fault is how endpoints say that something went wrong.
type fault struct {
	Error *struct {
		Message string          `json:"message"`
		Code    json.RawMessage `json:"code"`
	} `json:"error"`
}

// faultIn tells whether an answer that claims to be fine is an error, as gateways send them, and of which code.
func faultIn(body []byte) (code int, is bool) {
	var f fault
	if !bytes.Contains(body, []byte(`"error"`)) || json.Unmarshal(body, &f) != nil || f.Error == nil {
		return 0, false
	}
	code, _ = strconv.Atoi(strings.Trim(string(f.Error.Code), `"`))
	return cmp.Or(code, http.StatusBadGateway), true
}

// says is what an error tells, on one line.
func (t *httpTransport) says(body []byte) string {
	var f fault
	text := string(body)
	if json.Unmarshal(body, &f) == nil && f.Error != nil {
		text = f.Error.Message
	}
	return t.line(text)
}

// line is a text from outside as it can stand in an error: short, plain and without secrets.
func (t *httpTransport) line(text string) string {
	text = keyLike.ReplaceAllString(t.scrub(text), "[key]")
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if runes := []rune(text); len(runes) > 300 {
		text = string(runes[:300]) + "..."
	}
	return text
}

// keyLike is what keys, or parts of them, look like.
var keyLike = regexp.MustCompile(`\bsk-[A-Za-z0-9_*-]{4,}|(?i:bearer)\s+[A-Za-z0-9._~+/=*-]{4,}`)

// scrub takes the key out of a text.
func (t *httpTransport) scrub(text string) string {
	if len(t.key) < 4 {
		return text // none, or a word that stands for none
	}
	return strings.ReplaceAll(text, t.key, "[key]")
}

// plain is an error of the connection, without addresses and secrets. It tells apart what is worth a retry.
func (t *httpTransport) plain(err error) *model.Error {
	var known *model.Error
	var address *url.Error
	var api *openai.APIError
	var network net.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &api): // in the middle of a stream
		code, _ := strconv.Atoi(fmt.Sprint(api.Code))
		return statusError(cmp.Or(code, http.StatusBadGateway), t.line(api.Message), 0)
	case errors.As(err, &address):
		return &model.Error{
			Message: "the model's endpoint cannot be reached: " + t.line(address.Err.Error()), Retryable: true, MayHaveCost: true,
		}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.As(err, &network):
		return errCutOff
	}
	return &model.Error{Message: "the reply cannot be read: " + t.line(err.Error())}
}

// after is how long an endpoint asks to be left alone.
func (t *httpTransport) after(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 && seconds < 1e6 {
		return time.Duration(seconds * float64(time.Second))
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(t.now()), 0)
	}
	return 0
}

// boundedBody ends with an error where it becomes too long.
type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, errTooLong
	}
	return n, err
}
