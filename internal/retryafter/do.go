package retryafter

// This file asks a service again.

import (
	"context"
	"errors"
	"net"
	"net/url"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Asking says how often a service is asked, and how long each pause is.
type Asking struct {
	Tries   uint
	First   time.Duration       // the pause after the first failure; each later one is twice as long
	Longest time.Duration       // a service that asks for a longer pause is not asked again
	Pausing func(time.Duration) // is told of a pause that the service asks for; nil if nobody listens
}

// Do asks until there is an answer. With an error, once returns the pause before the next request: 0 for the usual one, less than 0 if
// another request is useless. A pause that goes beyond the deadline of the context is not begun. The error is that of the context if it has
// ended, else the last one.
func Do[T any](ctx context.Context, a Asking, once func() (answer T, pause time.Duration, err error)) (T, error) {
	var last error
	answer, err := backoff.Retry(ctx, func() (T, error) {
		answer, pause, err := once()
		last = err
		switch {
		case err == nil:
			return answer, nil
		case pause < 0 || pause > a.Longest || !inTime(ctx, pause):
			return answer, backoff.Permanent(err)
		case pause > 0:
			if a.Pausing != nil {
				a.Pausing(pause)
			}
			return answer, &backoff.RetryAfterError{Duration: pause}
		}
		return answer, err
	}, backoff.WithMaxTries(a.Tries), backoff.WithMaxElapsedTime(0),
		backoff.WithBackOff(&backoff.ExponentialBackOff{InitialInterval: a.First, Multiplier: 2, MaxInterval: a.Longest}))
	var none T
	switch {
	case err == nil:
		return answer, nil
	case ctx.Err() != nil:
		return none, ctx.Err()
	case last != nil:
		return none, last
	}
	return none, err
}

// inTime tells whether there is time for another try after a pause.
func inTime(ctx context.Context, pause time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > pause
}

// Unanswered says of the error of a request without a whole answer whether it came too late, and what happened else. The error of net/http
// names the address, which may hold a key; the cause does not.
func Unanswered(err error) (late bool, cause error) {
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return true, nil
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return false, err
}
