// Package endpoint is the connection to a model API: what comes back is bounded, and no error tells a secret. The
// packages of the APIs share it.
//
// This file sends requests; fault.go reads what an API refuses them with, stream.go reads replies that come in pieces, and
// lenient.go has the types of fields that endpoints fill in as they like.
package endpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"mcp-trade/agent/model"
)

// Bounds of what an endpoint sends, in bytes.
const (
	MaxReply  = 2 << 20  // a reply, as it is kept
	maxStream = 64 << 20 // a reply, as it is streamed: a few hundred bytes around each token
	maxFault  = 8 << 10  // what is read of an answer that is an error
)

// Replies that cannot be used. The model may write another one.
var (
	ErrTooLong = &model.Error{Message: fmt.Sprintf("the reply is longer than %d bytes and was refused", MaxReply), Retryable: true, MayHaveCost: true}
	ErrCutOff  = &model.Error{Message: "the reply is cut off", Retryable: true, MayHaveCost: true}
)

// Client sends requests to one address. It is safe for concurrent use.
type Client struct {
	http http.Client
	url  string
	key  string
	now  func() time.Time
}

// New returns the client of an address: base, and the path behind it. It connects to nothing yet. An error is a mistake in the
// address or the key, and does not tell the key. now tells the time, for an endpoint that says until when it wants to be left
// alone.
func New(base, path, key string, now func() time.Time) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, errors.New("the address of the model's endpoint cannot be read")
	}
	if strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, errors.New("the API key holds a line end or another character that no key has; set its variable anew")
	}
	u.Path = strings.TrimRight(u.Path, "/") + path // a query stays: Azure has its version there
	transport := http.DefaultTransport
	if usual, ok := transport.(*http.Transport); ok {
		transport = usual.Clone() // a connection of its own: the usual one keeps two to a host, for all accounts together
	}
	return &Client{
		http: http.Client{
			Transport: transport,
			// The key goes to the address that was configured and nowhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		url: u.String(), key: key, now: now,
	}, nil
}

// Post sends a request and returns the body of the answer, which ends with an error where it becomes too long. An answer that
// says by its status that it is an error is a [*Fault].
func (c *Client) Post(ctx context.Context, header http.Header, body []byte) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = header.Clone()
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 200 && response.StatusCode <= 299 {
		return &boundedBody{response.Body, maxStream}, nil
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxFault)) // what there is of it
	f, isFault := readFault(text)
	if !isFault {
		f.Message = string(text)
	}
	f.Status, f.Sent = response.StatusCode, true
	f.after(response.Header, c.now())
	return nil, c.quiet(&f)
}

// Plain is an error of an exchange as the rest of the program knows it, without addresses and secrets. It tells apart what is
// worth a retry.
func (c *Client) Plain(err error) *model.Error {
	var known *model.Error
	var fault *Fault
	var address *url.Error
	var network net.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &fault):
		return fault.plain(c.Line(fault.Message))
	case errors.As(err, &address):
		return &model.Error{
			Message: "the model's endpoint cannot be reached: " + c.Line(address.Err.Error()), Retryable: true, MayHaveCost: true,
		}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.As(err, &network):
		return ErrCutOff
	}
	return c.Failed("the reply cannot be read", err.Error())
}

// Failed is the error of an answer that claims to be fine and holds no reply. says is what it holds instead.
func (c *Client) Failed(what, says string) *model.Error {
	return &model.Error{Message: what + ": " + c.Line(says), Retryable: true, MayHaveCost: true}
}

// Line is a text from outside as it can stand in an error: short, plain and without secrets.
func (c *Client) Line(text string) string {
	text = c.withoutKeys(text)
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if runes := []rune(text); len(runes) > 300 {
		text = string(runes[:300]) + "..."
	}
	return text
}

func (c *Client) withoutKeys(text string) string {
	return keyLike().ReplaceAllString(c.Scrub(text), "[key]")
}

// keyLike is what keys, or parts of them, look like. It is made where it is needed: every start of the program would pay for a
// variable of the package.
func keyLike() *regexp.Regexp {
	return regexp.MustCompile(`\bsk-[A-Za-z0-9_*-]{4,}|(?i:bearer)\s+[A-Za-z0-9._~+/=*-]{4,}`)
}

// Scrub takes the key out of a text.
func (c *Client) Scrub(text string) string {
	if len(c.key) < 4 {
		return text // none, or a word that stands for none
	}
	return strings.ReplaceAll(text, c.key, "[key]")
}

// Clean makes sure that a reply can be kept: it holds no key, only valid text, and each call has an id of its own in it.
func (c *Client) Clean(r *model.Reply) {
	m := &r.Message
	plain := func(text *string, instead string) { *text = strings.ToValidUTF8(c.Scrub(*text), instead) }
	for _, text := range []*string{&m.Content, &m.Refusal, &m.Reasoning, &r.Finish} {
		plain(text, "\uFFFD")
	}
	m.Extra = c.cleanJSON(m.Extra)
	seen := map[string]bool{}
	for i := range m.Calls {
		call := &m.Calls[i]
		plain(&call.ID, "")
		plain(&call.Tool, "")
		plain(&call.Arguments, "\uFFFD")
		call.Extra = c.cleanJSON(call.Extra)
		for n := i + 1; call.ID == "" || seen[call.ID] || len(call.ID) > maxID; n += len(m.Calls) {
			call.ID = fmt.Sprintf("call_%d", n)
		}
		seen[call.ID] = true
	}
}

// maxID bounds the id of a call, in bytes. It is sent back with every turn.
const maxID = 256

func (c *Client) cleanJSON(raw []byte) []byte {
	if len(raw) == 0 {
		return nil
	}
	return []byte(strings.ToValidUTF8(c.Scrub(string(raw)), "\uFFFD"))
}

// boundedBody ends with an error where it becomes too long.
type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, ErrTooLong
	}
	return n, err
}
