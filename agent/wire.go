// The connection to an endpoint: what comes back is bounded, and no error tells a secret.

package agent

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
)

// Bounds of what an endpoint sends, in bytes.
const (
	maxReply  = 2 << 20  // a reply, as it is kept
	maxStream = 64 << 20 // a reply, as it is streamed: a few hundred bytes around each token
	maxFault  = 8 << 10  // what is read of an answer that is an error
)

var errTooLong = fmt.Errorf("the reply is longer than %d bytes and was refused", maxReply)

// statusError is an answer that is an error.
type statusError struct {
	Status int    // of HTTP
	Says   string // what the endpoint says of it, bounded and without secrets
	After  time.Duration
}

func (e *statusError) Error() string {
	text := strings.TrimSpace(fmt.Sprintf("the model's endpoint answers %d %s", e.Status, http.StatusText(e.Status)))
	if e.Says != "" {
		text += ": " + e.Says
	}
	return text
}

// noReplyError is a call of which no whole reply came back, in time or at all. It may have cost something.
type noReplyError struct{ error }

func (e *noReplyError) Unwrap() error { return e.error }

// wire sends requests for the library.
type wire struct {
	client http.Client
	key    string
	now    func() time.Time
}

func newWire(o LLM) *wire {
	transport := o.Transport
	if usual, ok := http.DefaultTransport.(*http.Transport); ok && transport == nil {
		transport = usual.Clone() // a connection of its own: the usual one keeps two to a host, for all accounts together
	}
	return &wire{
		client: http.Client{
			Transport: transport,
			// The key goes to the address that was configured and nowhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		key: o.Key, now: o.Clock.Now,
	}
}

// Do sends a request. An answer that is not a reply is an error.
func (w *wire) Do(req *http.Request) (*http.Response, error) {
	extras := extrasOf(req.Context())
	if err := extras.send(req); err != nil {
		return nil, err
	}
	response, err := w.client.Do(req)
	if err != nil {
		return nil, err
	}
	streamed := strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream")
	switch {
	case response.StatusCode < 200 || response.StatusCode > 299:
		defer response.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(response.Body, maxFault)) // what there is of it
		return nil, &statusError{response.StatusCode, w.says(body), w.after(response.Header)}
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
		return nil, &statusError{Status: code, Says: w.says(body)}
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
func (w *wire) says(body []byte) string {
	var f fault
	text := string(body)
	if json.Unmarshal(body, &f) == nil && f.Error != nil {
		text = f.Error.Message
	}
	return w.line(text)
}

// line is a text from outside as it can stand in an error: short, plain and without secrets.
func (w *wire) line(text string) string {
	text = keyLike.ReplaceAllString(w.scrub(text), "[key]")
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if runes := []rune(text); len(runes) > 300 {
		text = string(runes[:300]) + "..."
	}
	return text
}

// keyLike is what keys, or parts of them, look like.
var keyLike = regexp.MustCompile(`\bsk-[A-Za-z0-9_*-]{4,}|(?i:bearer)\s+[A-Za-z0-9._~+/=*-]{4,}`)

// scrub takes the key out of a text.
func (w *wire) scrub(text string) string {
	if len(w.key) < 4 {
		return text // none, or a word that stands for none
	}
	return strings.ReplaceAll(text, w.key, "[key]")
}

// plain is an error of the connection, without addresses and secrets. It tells apart what is worth a retry.
func (w *wire) plain(err error) error {
	var status *statusError
	var address *url.Error
	var api *openai.APIError
	var network net.Error
	var none *noReplyError
	switch {
	case errors.As(err, &status), errors.As(err, &none), errors.Is(err, errTooLong):
		return err
	case errors.As(err, &api): // in the middle of a stream
		code, _ := strconv.Atoi(fmt.Sprint(api.Code))
		return &statusError{Status: cmp.Or(code, http.StatusBadGateway), Says: w.line(api.Message)}
	case errors.As(err, &address):
		return &noReplyError{errors.New("the model's endpoint cannot be reached: " + w.line(address.Err.Error()))}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.As(err, &network):
		return &noReplyError{errors.New("the reply is cut off")}
	}
	return errors.New("the reply cannot be read: " + w.line(err.Error()))
}

// after is how long an endpoint asks to be left alone.
func (w *wire) after(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 && seconds < 1e6 {
		return time.Duration(seconds * float64(time.Second))
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(w.now()), 0)
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
