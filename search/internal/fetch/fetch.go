// Package fetch gets the answer of a service on the web, in bounded time and size. It asks again after the pause that the service
// asks for, and its errors name no address and no key.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"mcp-trade/internal/bounded"
	"mcp-trade/internal/retryafter"
	"mcp-trade/search"
)

// Limits of a request.
const (
	maxTries   = 3
	firstPause = 500 * time.Millisecond
	maxPause   = 10 * time.Second // a service that asks for a longer one is not asked again
)

// Client gets pages of one service.
type Client struct {
	http    *http.Client
	keyName string // the environment variable that holds the key, for those who are told that it is refused
	max     int64
}

// New returns a client of a service whose answers come within so much time each, and are at most so many bytes long. It
// keeps its connections.
func New(keyName string, each time.Duration, maxBytes int64) *Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 8
	return &Client{
		// Do not follow redirects: the API key must not reach another host.
		http: &http.Client{Transport: transport, Timeout: each, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		max:  maxBytes, keyName: keyName,
	}
}

// Get returns the body of the answer, or a *search.ProviderError, or the error of the context.
func (c *Client) Get(ctx context.Context, address string, header http.Header) ([]byte, error) {
	return retryafter.Do(ctx, retryafter.Asking{Tries: maxTries, First: firstPause, Longest: maxPause}, func() ([]byte, time.Duration, error) {
		return c.once(ctx, address, header)
	})
}

// once makes one request. With an error, pause is the time to wait before the next request: 0 for the usual backoff, less than 0
// if another request is useless.
func (c *Client) once(ctx context.Context, address string, header http.Header) (body []byte, pause time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, -1, &search.ProviderError{UserMessage: "its address cannot be used"}
	}
	req.Header = header
	resp, err := c.http.Do(req)
	if err != nil {
		pause, err = unanswered(err)
		return nil, pause, err
	}
	defer resp.Body.Close()
	body, err = bounded.Read(resp.Body, c.max)
	switch {
	case errors.Is(err, bounded.ErrTooLong):
		return nil, -1, &search.ProviderError{UserMessage: fmt.Sprintf("its answer is longer than %d MiB", c.max>>20)}
	case err != nil:
		pause, err = unanswered(err)
		return nil, pause, err
	case resp.StatusCode == http.StatusOK:
		return body, 0, nil
	}
	pause, says := -1*time.Second, fmt.Sprintf("it answers with the status %d", resp.StatusCode)
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		says = "it refuses the key: check " + c.keyName
	case code == http.StatusPaymentRequired:
		says = "it wants to be paid: the key in " + c.keyName + " has no credit left"
	case code == http.StatusTooManyRequests:
		pause, says = retryafter.Wait(resp.Header, time.Now()), "its rate limit is reached"
	case code >= 500:
		pause = retryafter.Wait(resp.Header, time.Now())
	}
	return nil, pause, &search.ProviderError{UserMessage: says}
}

// unanswered returns the pause after a request without an answer, and the error for users. A service that has timed out is not asked
// again.
func unanswered(err error) (pause time.Duration, _ error) {
	late, cause := retryafter.Unanswered(err)
	if late {
		return -1, &search.ProviderError{UserMessage: "it did not answer in time"}
	}
	return 0, &search.ProviderError{UserMessage: "it cannot be reached", Err: cause}
}
