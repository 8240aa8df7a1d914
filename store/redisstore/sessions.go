// Session values in Redis: one key each, with an expiry.

package redisstore

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"mcp-trade/store"
)

func sessionKey(k store.Key) string { return "config:" + k.Model + ":" + k.Name }

// Values implements [store.Sessions]. In a cluster the values come from several slots and so are read one by one.
func (s *Store) Values(ctx context.Context, keys ...store.Key) (map[store.Key]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	replies := make([]*redis.StringCmd, len(keys))
	_, err := s.pipelined(ctx, func(p redis.Pipeliner) {
		for i, k := range keys {
			replies[i] = p.Get(ctx, sessionKey(k))
		}
	})
	if err != nil && !absent(err) {
		return nil, s.unreachable("read the session", err)
	}
	values := make(map[store.Key]string, len(keys))
	for i, r := range replies {
		switch text, err := r.Result(); {
		case err == nil:
			values[keys[i]] = text
		case !absent(err):
			return nil, s.unreachable("read the session", err)
		}
	}
	return values, nil
}

// absent tells the server's answer that there is no such key. Only that very value is one: an error that wraps it comes
// from elsewhere, such as a sentinel that knows no such master.
func absent(err error) bool { return err == redis.Nil }

// SetValues implements [store.Sessions].
func (s *Store) SetValues(ctx context.Context, values map[store.Key]string, ttl time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	_, err := s.pipelined(ctx, func(p redis.Pipeliner) {
		for k, v := range values {
			p.Set(ctx, sessionKey(k), v, ttl)
		}
	})
	if err != nil {
		return s.unreachable("write the session", err)
	}
	return nil
}

// ClearValues implements [store.Sessions].
func (s *Store) ClearValues(ctx context.Context, keys ...store.Key) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	_, err := s.pipelined(ctx, func(p redis.Pipeliner) {
		for _, k := range keys {
			p.Del(ctx, sessionKey(k))
		}
	})
	if err != nil {
		return s.unreachable("clear the session", err)
	}
	return nil
}

// Prolong implements [store.Sessions].
func (s *Store) Prolong(ctx context.Context, ttl time.Duration, keys ...store.Key) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	_, err := s.pipelined(ctx, func(p redis.Pipeliner) {
		for _, k := range keys {
			if ttl > 0 {
				p.PExpire(ctx, sessionKey(k), ttl)
			} else {
				p.Persist(ctx, sessionKey(k))
			}
		}
	})
	if err != nil {
		return s.unreachable("prolong the session", err)
	}
	return nil
}

// pipelined sends the commands in one trip; outside a cluster also as one transaction.
func (s *Store) pipelined(ctx context.Context, queue func(redis.Pipeliner)) ([]redis.Cmder, error) {
	do := func(p redis.Pipeliner) error { queue(p); return nil }
	to, err := s.reach(ctx)
	switch {
	case err != nil:
		return nil, err
	case to.cluster:
		return to.Pipelined(ctx, do)
	}
	return to.TxPipelined(ctx, do)
}
