package redisstore_test

// Tests of values that are set only if others are what they were.

import (
	"errors"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
	"mcp-trade/store"
	"mcp-trade/store/redisstore"
)

// setsIf checks that values are set only if others are what they were.
func setsIf(t *testing.T, s *redisstore.Store) {
	t.Helper()
	for _, step := range []struct {
		name      string
		want, set values
		changed   bool
		then      values
	}{
		{"nothing is there yet", values{today: ""}, values{today: "1", signature: "a"}, false, values{today: "1", signature: "a"}},
		{"something is there by now", values{today: ""}, values{today: "2"}, true, values{today: "1", signature: "a"}},
		{"what is wanted is there", values{today: "1", signature: "a", ifTrade: ""}, values{today: "2"}, false, values{today: "2", signature: "a"}},
		{"one of two is another", values{today: "2", signature: "b"}, values{today: "3"}, true, values{today: "2", signature: "a"}},
	} {
		err := s.SetValuesIf(t.Context(), step.want, step.set, time.Hour)
		if errors.Is(err, store.ErrSessionChanged) != step.changed || (err != nil) != step.changed {
			t.Errorf("%s: %v", step.name, err)
		}
		if got, err := s.Values(t.Context(), today, signature, ifTrade); err != nil || !maps.Equal(got, step.then) {
			t.Errorf("%s: the values are %v, %v", step.name, got, err)
		}
	}
}

func TestStore_SetValuesIf(t *testing.T) {
	addr := testenv.StartRedis(t)
	s, c := open(t, "redis://"+addr), bare(t, addr)
	setsIf(t, s)
	if ttl := do(t, c, "TTL", "config:26:TODAY_DATE").(int64); ttl < 3590 || ttl > 3600 {
		t.Errorf("the value lives for %d s", ttl)
	}

	do(t, c, "SET", "config:26:TODAY_DATE", "0")
	var wait sync.WaitGroup
	var counted atomic.Int64
	for range 4 {
		wait.Go(func() {
			for range 50 {
				is, err := s.Values(t.Context(), today)
				if err != nil {
					t.Error(err)
					return
				}
				n, _ := strconv.Atoi(is[today])
				switch err := s.SetValuesIf(t.Context(), is, values{today: strconv.Itoa(n + 1)}, time.Hour); {
				case err == nil:
					counted.Add(1)
				case !errors.Is(err, store.ErrSessionChanged):
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if got := do(t, c, "GET", "config:26:TODAY_DATE"); got != strconv.FormatInt(counted.Load(), 10) {
		t.Errorf("%d times one was added, and the sum is %v", counted.Load(), got)
	}

	c.Shutdown(t.Context())
	wantUnreachable(t, s.SetValuesIf(t.Context(), values{today: ""}, values{today: "1"}, time.Hour), false)
}

func TestStore_Values_OfAServerThatIsFull(t *testing.T) {
	addr := testenv.StartRedis(t)
	s, c := open(t, "redis://"+addr), bare(t, addr)
	if err := s.SetValues(t.Context(), values{today: "1", signature: "a"}, time.Hour); err != nil {
		t.Fatal(err)
	}
	do(t, c, "CONFIG", "SET", "maxmemory", "1")
	wantValues(t, s, values{today: "1", signature: "a"})
	wantUnreachable(t, s.SetValues(t.Context(), values{today: "2"}, time.Hour), false)
	wantUnreachable(t, s.SetValuesIf(t.Context(), values{today: "1"}, values{today: "2"}, time.Hour), false)
	do(t, c, "CONFIG", "SET", "maxmemory", "0")
	wantValues(t, s, values{today: "1", signature: "a"})
	do(t, c, "LPUSH", "config:26:IF_TRADE", "x") // a key that holds something else is no answer
	do(t, c, "CONFIG", "SET", "maxmemory", "1")
	_, err := s.Values(t.Context(), today, ifTrade)
	wantUnreachable(t, err, false)
}
