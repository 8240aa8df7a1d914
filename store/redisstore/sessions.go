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

// Values implements [store.Sessions]. In a cluster the values come from several slots and so are read one by one. So they are
// where a transaction of reads is refused: by a server that is full, which takes no write either that could come between, or
// for the sake of one key, which it does not name.
func (s *Store) Values(ctx context.Context, keys ...store.Key) (map[store.Key]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	replies := make([]*redis.StringCmd, len(keys))
	read := func(p redis.Pipeliner) {
		for i, k := range keys {
			replies[i] = p.Get(ctx, sessionKey(k))
		}
	}
	err := s.pipelined(ctx, read)
	if redis.IsExecAbortError(err) {
		if err = s.separately(ctx, read); isReply(err) {
			err = nil // which is of one key
		}
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
			return nil, s.unreachable("read the session", fmt.Errorf("%s: %w", sessionKey(keys[i]), err))
		}
	}
	return values, nil
}

// isReply tells an answer of the server that is an error. One that wraps it comes from elsewhere.
func isReply(err error) bool {
	_, is := err.(redis.Error)
	return is
}

// absent tells the server's answer that there is no such key. Only that very value is one: an error that wraps it comes
// from elsewhere, such as a sentinel that knows no such master.
func absent(err error) bool { return err == redis.Nil }

// SetValues implements [store.Sessions].
func (s *Store) SetValues(ctx context.Context, values map[store.Key]string, ttl time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err := s.pipelined(ctx, func(p redis.Pipeliner) {
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
	err := s.pipelined(ctx, func(p redis.Pipeliner) {
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
	err := s.pipelined(ctx, func(p redis.Pipeliner) {
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
func (s *Store) pipelined(ctx context.Context, queue func(redis.Pipeliner)) error {
	to, err := s.reach(ctx)
	if err != nil || to.cluster {
		return s.separately(ctx, queue)
	}
	_, err = to.TxPipelined(ctx, func(p redis.Pipeliner) error { queue(p); return nil })
	return err
}

// separately sends the commands in one trip, with whatever may come between them.
func (s *Store) separately(ctx context.Context, queue func(redis.Pipeliner)) error {
	to, err := s.reach(ctx)
	if err == nil {
		_, err = to.Pipelined(ctx, func(p redis.Pipeliner) error { queue(p); return nil })
	}
	return err
}
