package feed

// This file gets pages from the web: at the pace of their host, in bounded time and size, again after the pause that a host asks for,
// and without following it elsewhere.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"mcp-trade/internal/bounded"
	"mcp-trade/internal/retryafter"
)

const (
	maxTries   = 5
	firstPause = time.Second
	maxPause   = 2 * time.Minute // a host that asks for a longer one is not asked again
	maxReply   = 64 << 20        // bytes
)

// Client gets the pages of one source.
type Client struct {
	Source  string
	Pace    time.Duration // between the beginnings of two requests
	Each    time.Duration // for one request
	Now     func() time.Time
	Waiting func(time.Duration) // is told of a pause that the host asks for; nil if nobody listens
	Sign    func(*http.Request) // puts the key into a request, which nothing tells of; nil without one

	http *http.Client
	last time.Time // when the newest request began
}

// Get implements [Getter].
func (c *Client) Get(ctx context.Context, address string, header http.Header, accepted ...int) (Reply, error) {
	if c.http == nil {
		c.http = &http.Client{Timeout: c.Each, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return retryafter.Do(ctx, retryafter.Asking{Tries: maxTries, First: firstPause, Longest: maxPause, Pausing: c.Waiting}, func() (Reply, time.Duration, error) {
		if err := c.wait(ctx); err != nil {
			return Reply{}, -1, err
		}
		return c.once(ctx, address, header, accepted)
	})
}

// wait waits until the host may be asked again.
func (c *Client) wait(ctx context.Context) error {
	if rest := c.Pace - c.Now().Sub(c.last); !c.last.IsZero() && rest > 0 {
		t := time.NewTimer(rest)
		defer t.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
	c.last = c.Now()
	return nil
}

// once makes one request. With an error, pause is the time to wait before the next one: 0 for the usual backoff, less than 0 if another
// request is useless.
func (c *Client) once(ctx context.Context, address string, header http.Header, accepted []int) (_ Reply, pause time.Duration, _ error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Reply{}, -1, &Outcome{Kind: Broken, Says: "its address cannot be used", Closed: true}
	}
	req.Header = header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("User-Agent", "Mozilla/5.0 (compatible; mcp-trade)")
	if c.Sign != nil {
		c.Sign(req)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		o := unanswered(err)
		o.Closed = true // another request would wait as long
		return Reply{}, 0, o
	}
	defer resp.Body.Close()
	body, err := bounded.Read(resp.Body, maxReply)
	switch {
	case errors.Is(err, bounded.ErrTooLong):
		return Reply{}, -1, &Outcome{Kind: Broken, Says: fmt.Sprintf("its answer is longer than %d MiB", maxReply>>20)}
	case err != nil:
		return Reply{}, 0, unanswered(err)
	case resp.StatusCode == http.StatusOK || slices.Contains(accepted, resp.StatusCode):
		sum := sha256.Sum256(body)
		return Reply{Provenance{c.Source, address, c.Now().UTC().Truncate(time.Second), hex.EncodeToString(sum[:])}, resp.StatusCode, body}, 0, nil
	}
	pause, err = c.refusal(resp)
	return Reply{}, pause, err
}

// refusal reads an answer that is none.
func (c *Client) refusal(resp *http.Response) (time.Duration, error) {
	wait := retryafter.Wait(resp.Header, c.Now())
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return -1, &Outcome{Kind: Refused, Says: fmt.Sprintf("it refuses the request, or the key, with the status %d", code), Closed: true}
	case code == http.StatusPaymentRequired:
		return -1, &Outcome{Kind: Refused, Says: "it wants another plan", Plan: true}
	case code == http.StatusUnavailableForLegalReasons:
		return -1, &Outcome{Kind: Refused, Says: "it does not serve from where this machine is", Closed: true}
	case code == http.StatusTeapot: // what Binance calls a ban
		return -1, &Outcome{Kind: Refused, Says: fmt.Sprintf("it has banned this machine for %v", wait), Closed: true}
	case code == http.StatusTooManyRequests:
		says := "its rate limit is reached"
		if wait > maxPause {
			says += fmt.Sprintf(", it asks to wait %v", wait.Round(time.Second))
		}
		return wait, &Outcome{Kind: Refused, Says: says, Closed: true}
	case code >= 500:
		return wait, &Outcome{Kind: Broken, Says: fmt.Sprintf("it answers with the status %d", code)}
	case code >= 300 && code < 400:
		return -1, &Outcome{Kind: Broken, Says: fmt.Sprintf("it sends elsewhere with the status %d, and is not followed", code)}
	default:
		return -1, &Outcome{Kind: Broken, Says: fmt.Sprintf("it answers with the status %d", code)}
	}
}

// unanswered is the error of a request without a whole answer.
func unanswered(err error) *Outcome {
	late, cause := retryafter.Unanswered(err)
	if late {
		return &Outcome{Kind: Broken, Says: "it did not answer in time"}
	}
	return &Outcome{Kind: Broken, Says: "it cannot be reached, or broke off", Err: cause}
}
