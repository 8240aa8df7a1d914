// Session values in Redis: one key each, with an expiry.

package redisstore

import (
	"context"
	"errors"
	"fmt"
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
	if redis.IsExecAbortError(err) {
		err = s.aborted(ctx, err, keys)
	}
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

// aborted finds why a transaction of reads was refused, which it does not tell itself.
func (s *Store) aborted(ctx context.Context, err error, keys []store.Key) error {
	to, errReach := s.reach(ctx)
	if errReach != nil {
		return errReach
	}
	for _, k := range keys {
		if why := to.Get(ctx, sessionKey(k)).Err(); why != nil && !absent(why) {
			return fmt.Errorf("%s: %w", sessionKey(k), why)
		}
	}
	return err
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

// SetValuesIf sets the values if those wanted are still what they were, "" standing for one that is not set; else it sets nothing
// and is [store.ErrSessionChanged]. In a cluster the values are in several slots, and another write may come in between.
func (s *Store) SetValuesIf(ctx context.Context, want, values map[store.Key]string, ttl time.Duration) error {
	guard := store.Guard{Home: s, Want: want}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	to, err := s.reach(ctx)
	if err != nil {
		return s.unreachable("write the session", err)
	}
	if to.cluster {
		if err := guard.Check(ctx); err != nil {
			return err
		}
		return s.SetValues(ctx, values, ttl)
	}
	var keys []string
	for k := range want {
		keys = append(keys, sessionKey(k))
	}
	err = to.Watch(ctx, func(tx *redis.Tx) error {
		are := map[store.Key]string{}
		for k := range want {
			text, err := tx.Get(ctx, sessionKey(k)).Result()
			if err != nil && !absent(err) {
				return err
			}
			are[k] = text
		}
		if err := guard.Holds(are); err != nil {
			return err
		}
		_, err := tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			for k, v := range values {
				p.Set(ctx, sessionKey(k), v, ttl)
			}
			return nil
		})
		return err
	}, keys...)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, redis.TxFailedErr), errors.Is(err, store.ErrSessionChanged):
		return store.ErrSessionChanged
	}
	return s.unreachable("write the session", err)
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
