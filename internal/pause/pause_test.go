package pause

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestFor(t *testing.T) {
	t.Run("it takes as long as it is told", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			if err := For(t.Context(), time.Hour); err != nil || time.Since(began) != time.Hour {
				t.Errorf("%v, after %v", err, time.Since(began))
			}
		})
	})
	t.Run("it ends with the context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			began := time.Now()
			if err := For(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
				t.Errorf("%v, after %v", err, time.Since(began))
			}
			if err := For(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("after the end: %v", err)
			}
		})
	})
}
