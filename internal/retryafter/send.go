package retryafter

// This file sends what nobody waits for, such as notices: its errors say nothing of an address or a header, which may be secrets.

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Sender is a client of [Send]: it keeps what is sent from going to another address than the user's.
func Sender(timeout time.Duration) *http.Client {
	return &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Send makes one request, of whose answer the status alone counts. With an error, pause is as [Do] wants it: a status that again tells to be
// passing is worth another request, any other failing one is not.
func Send(by *http.Client, r *http.Request, now func() time.Time, again func(status int) bool) (pause time.Duration, _ error) {
	resp, err := by.Do(r)
	if err != nil {
		return 0, unsent(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)) // so that the connection is used again
	switch status := resp.StatusCode; {
	case status >= 200 && status < 300:
		return 0, nil
	case status >= 300 && status < 400:
		return -1, fmt.Errorf("it sends elsewhere with the status %d, and is not followed", status)
	case again(status):
		return Wait(resp.Header, now()), fmt.Errorf("it answers with the status %d", status)
	default:
		return -1, fmt.Errorf("it answers with the status %d", status)
	}
}

// unsent says why there is no answer. Errors of the network name the host.
func unsent(err error) error {
	late, cause := Unanswered(err)
	_, unknown := errors.AsType[*net.DNSError](cause)
	switch {
	case late:
		return errors.New("it did not answer in time")
	case unknown:
		return errors.New("its host is not found")
	case errors.Is(cause, syscall.ECONNREFUSED):
		return errors.New("its host refuses the connection")
	}
	return errors.New("it cannot be reached")
}
