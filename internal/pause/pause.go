// Package pause waits, and stops waiting where nobody wants the result any more.
package pause

import (
	"context"
	"time"
)

// For waits for d. It returns the error of ctx at once if that is done, or is done meanwhile.
func For(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
