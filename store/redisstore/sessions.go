// Session values in Redis: one key each, with an expiry.

package redisstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"mcp-trade/store"
)

func (s *Store) sessionKey(k store.Key) string { return s.prefix + "config:" + k.Model + ":" + k.Name }

// Values implements [store.Sessions]. In a cluster the values are in several slots, so they are read one by one. They are also read
// one by one if the server refuses the transaction: a server that is full does so (and takes no write that could come between),
// and a server that refuses one of the keys does so without naming the key.
func (s *Store) Values(ctx context.Context, keys ...store.Key) (map[store.Key]string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	replies := make([]*redis.StringCmd, len(keys))
	read := func(p redis.Pipeliner) {
		for i, k := range keys {
			replies[i] = p.Get(ctx, s.sessionKey(k))
		}
	}
	err := s.pipelined(ctx, read)
	if redis.IsExecAbortError(err) {
		if err = s.separately(ctx, read); isReply(err) {
			err = nil // the error is of one key
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
			return nil, s.unreachable("read the session", fmt.Errorf("%s: %w", s.sessionKey(keys[i]), err))
		}
	}
	return values, nil
}

// isReply tells whether an error is the server's own answer. An error that wraps one comes from elsewhere.
func isReply(err error) bool {
	_, is := err.(redis.Error)
	return is
}

// absent tells whether an error is the server's answer that there is no such key. An error that wraps it comes from elsewhere, such
// as a sentinel that knows no such master.
func absent(err error) bool { return err == redis.Nil }

// SetValues implements [store.Sessions].
func (s *Store) SetValues(ctx context.Context, values map[store.Key]string, ttl time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err := s.pipelined(ctx, func(p redis.Pipeliner) {
		for k, v := range values {
			p.Set(ctx, s.sessionKey(k), v, ttl)
		}
	})
	if err == nil {
		err = s.moved(ctx, s.link.Load(), ttl, maps.Keys(values))
	}
	if err != nil {
		return s.unreachable("write the session", err)
	}
	return nil
}

// errMoved says that a session was set after it was checked.
var errMoved = errors.New("the session was set meanwhile")

// moveKey is beside the ledger of the account of a name: its text is another one each time that the session of the model of that name was
// set. Only a cluster has it, where the values themselves lie in other slots.
func (s *Store) moveKey(name string) string { return s.prefix + "orders:{" + name + "}{session}" }

// moved notes in a cluster that sessions were set, once they are. Whoever checked one before that commits nothing by it any more.
func (s *Store) moved(ctx context.Context, to *link, ttl time.Duration, keys iter.Seq[store.Key]) error {
	if !to.cluster {
		return nil
	}
	models := map[string]bool{}
	for k := range keys {
		if k.Model != store.AllModels {
			models[k.Model] = true
		}
	}
	_, err := to.Pipelined(ctx, func(p redis.Pipeliner) error {
		for model := range models {
			p.Set(ctx, s.moveKey(model), s.newToken(), ttl)
		}
		return nil
	})
	return err
}

// moveOf is the text of the [Store.moveKey] of an account, "" where there is nothing to look for. It is read before the session is checked.
func (s *Store) moveOf(ctx context.Context, to *link, account string, guards []store.Guard) (string, error) {
	own := slices.ContainsFunc(guards, func(g store.Guard) bool {
		for k := range g.Expect {
			if g.Backend.Place() == s.Place() && k.Model == account {
				return true
			}
		}
		return false
	})
	if !to.cluster || !own {
		return "", nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	text, err := to.Get(ctx, s.moveKey(account)).Result()
	if absent(err) {
		return "none", nil
	}
	if err != nil {
		return "", s.unreachable("read the session", err)
	}
	return text, nil
}

// SetValuesIf sets the values if the session still has the expected ones, "" standing for a value that is not set. Otherwise it sets
// nothing and returns [store.ErrSessionChanged]. In a cluster the values are in several slots, and another write may come between.
func (s *Store) SetValuesIf(ctx context.Context, want, values map[store.Key]string, ttl time.Duration) error {
	guard := store.Guard{Backend: s, Expect: want}
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
		keys = append(keys, s.sessionKey(k))
	}
	err = to.Watch(ctx, func(tx *redis.Tx) error {
		are := map[store.Key]string{}
		for k := range want {
			text, err := tx.Get(ctx, s.sessionKey(k)).Result()
			if err != nil && !absent(err) {
				return err
			}
			are[k] = text
		}
		if err := guard.Matches(are); err != nil {
			return err
		}
		_, err := tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
			for k, v := range values {
				p.Set(ctx, s.sessionKey(k), v, ttl)
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
			p.Del(ctx, s.sessionKey(k))
		}
	})
	if err == nil {
		err = s.moved(ctx, s.link.Load(), 0, slices.Values(keys))
	}
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
				p.PExpire(ctx, s.sessionKey(k), ttl)
			} else {
				p.Persist(ctx, s.sessionKey(k))
			}
		}
	})
	if err != nil {
		return s.unreachable("prolong the session", err)
	}
	return nil
}

// pipelined sends the commands together, outside a cluster as one transaction.
func (s *Store) pipelined(ctx context.Context, queue func(redis.Pipeliner)) error {
	to, err := s.reach(ctx)
	if err != nil || to.cluster {
		return s.separately(ctx, queue)
	}
	_, err = to.TxPipelined(ctx, func(p redis.Pipeliner) error { queue(p); return nil })
	return err
}

// separately sends the commands together, but not as a transaction.
func (s *Store) separately(ctx context.Context, queue func(redis.Pipeliner)) error {
	to, err := s.reach(ctx)
	if err == nil {
		_, err = to.Pipelined(ctx, func(p redis.Pipeliner) error { queue(p); return nil })
	}
	return err
}
