// Package endpoint is the connection to a model API: what comes back is bounded, and no error tells a secret. The
// packages of the APIs share it.
//
// This file sends requests; fault.go reads what an API refuses them with, stream.go reads replies that come in pieces, and
// lenient.go has the types of fields that endpoints fill in as they like.
package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"mcp-trade/agent/model"
	"mcp-trade/internal/rawjson"
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
	http    http.Client
	url     string
	header  http.Header
	extra   map[string]json.RawMessage // of every body
	secrets []string
	now     func() time.Time
}

// New returns the client of a model's API, at a path behind its address. header is sent with every request, with the extra headers
// of the settings over it. It connects to nothing yet. An error is a mistake in the settings, and tells no secret. now tells the
// time, for an endpoint that says until when it wants to be left alone.
func New(s model.Settings, path string, header http.Header, now func() time.Time) (*Client, error) {
	if s.Model == "" || s.BaseURL == "" {
		return nil, errors.New("a language model needs a name and the address of its endpoint")
	}
	u, err := url.Parse(s.BaseURL)
	if err != nil {
		return nil, errors.New("the address of the model's endpoint cannot be read")
	}
	if unprintable(s.Key) {
		return nil, errors.New("the API key holds a line end or another character that no key has; set its variable anew")
	}
	header.Set("Content-Type", "application/json")
	for name, value := range s.ExtraHeaders {
		if unprintable(value) {
			return nil, fmt.Errorf("the header %s holds a line end or another character that no header has", name)
		}
		header.Set(name, value)
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
		url: u.String(), header: header, extra: s.ExtraBody, secrets: append([]string{s.Key}, s.Secrets...), now: now,
	}, nil
}

func unprintable(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// Post sends a body and returns the body of the answer, which ends with an error where it becomes too long. An answer that
// says by its status that it is an error is a [*Fault].
func (c *Client) Post(ctx context.Context, body []byte) (io.ReadCloser, error) {
	body, err := c.withExtra(body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = c.header.Clone()
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

// withExtra puts the extra fields of the settings into a body.
func (c *Client) withExtra(body []byte) ([]byte, error) {
	if len(c.extra) == 0 {
		return body, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, err
	}
	maps.Copy(fields, c.extra)
	return rawjson.Marshal(fields)
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

// Scrub takes the key out of a text, and the other secrets.
func (c *Client) Scrub(text string) string {
	for _, secret := range c.secrets {
		if len(secret) >= 4 { // else none, or a word that stands for none
			text = strings.ReplaceAll(text, secret, "[key]")
		}
	}
	return text
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
