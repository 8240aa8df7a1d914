package session

// Tests of several processes on one machine, with a Redis that comes and goes.

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mcp-trade/market"
	"mcp-trade/store"
	"mcp-trade/store/filestore"
)

// flapping is a Redis that often fails: before it does what it is asked, or after.
type flapping struct {
	mu    sync.Mutex
	redis *fake
	fails func() bool
}

func (f *flapping) Name() string { return f.redis.Name() }

func (f *flapping) try(do func() error) error {
	gone := &store.UnreachableError{Engine: "redis", Doing: "answer", Err: errors.New("gone")}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails() {
		return gone
	}
	if err := do(); err != nil {
		return err
	}
	if f.fails() {
		return gone // though it is done
	}
	return nil
}

func (f *flapping) Place() store.Place { return f.redis.Place() }

func (f *flapping) Values(ctx context.Context, keys ...store.Key) (got values, err error) {
	err = f.try(func() error { got, err = f.redis.Values(ctx, keys...); return err })
	return got, err
}

func (f *flapping) SetValues(ctx context.Context, v values, ttl time.Duration) error {
	return f.try(func() error { return f.redis.SetValues(ctx, v, ttl) })
}

func (f *flapping) SetValuesIf(ctx context.Context, want, v values, ttl time.Duration) error {
	return f.try(func() error { return f.redis.SetValuesIf(ctx, want, v, ttl) })
}

func (f *flapping) ClearValues(ctx context.Context, keys ...store.Key) error {
	return f.try(func() error { return f.redis.ClearValues(ctx, keys...) })
}

func (f *flapping) Prolong(ctx context.Context, ttl time.Duration, keys ...store.Key) error {
	return f.try(func() error { return f.redis.Prolong(ctx, ttl, keys...) })
}

// A setter moves the account and the date on, with a Redis that fails half of the time. Whoever reads afterwards finds what was
// set last, or says that it cannot know: never an older date, never the account before.
func TestResolver_Read_FlappingRedis(t *testing.T) {
	const days, readers = 300, 4
	redis := &flapping{redis: newFake(values{}), fails: func() bool { return rand.N(2) == 0 }}
	dir, ledgers := t.TempDir(), t.TempDir()
	open := func() *Resolver { // as another process does
		l, err := New(Config{
			Model: "26", Shared: redis, Local: filestore.New(dir, ledgers), TTL: time.Minute,
			Env: func(string) (string, bool) { return "", false }, Warn: func(string) {},
		})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	date := func(day int64) market.Stamp { return market.Stamp("2025-10-02").AddDays(int(day)) }
	account := func(day int64) string { return fmt.Sprint("a", day/10) }
	var last atomic.Int64 // the day that was set last
	last.Store(-1)
	var wait sync.WaitGroup
	var reached, refused atomic.Int64
	for i := range readers {
		wait.Go(func() {
			l := open()
			for last.Load() < days-1 {
				if i%2 == 0 {
					l = open()
				}
				before := last.Load()
				s, err := l.Read(t.Context())
				_, unreachable := errors.AsType[*UnreachableError](err)
				switch {
				case before < 0:
				case unreachable:
					refused.Add(1)
				case err != nil:
					t.Error(err)
				case s.Today < date(before) || s.Today == date(before) && s.Signature != account(before):
					t.Errorf("read %s on %s after %s on %s was set", s.Signature, s.Today, account(before), date(before))
				default:
					reached.Add(1)
				}
			}
		})
	}
	setter := open()
	for day := range int64(days) {
		if err := setter.Set(t.Context(), map[string]any{Signature: account(day), TodayDate: string(date(day)), IfTrade: false}); err != nil {
			t.Error(err)
		}
		last.Store(day)
	}
	wait.Wait()
	if reached.Load() < days || refused.Load() == 0 {
		t.Errorf("%d readings found the session, %d could not", reached.Load(), refused.Load())
	}
	redis.fails = func() bool { return false }
	s, err := open().Read(t.Context())
	if err != nil || s.Today != date(days-1) || s.Sources[TodayDate] != fromRedis || textOf(redis.redis.values[key(TodayDate)]) != string(date(days-1)) {
		t.Errorf("in the end the session is %+v, %v, and Redis holds %v", s, err, redis.redis.values)
	}
}
