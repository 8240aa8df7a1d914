// The guards of a commit that are sessions in files: they are locked while its line gets its place, and told of it after.

package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"mcp-trade/internal/files"
	"mcp-trade/store"
)

// sessionLocks holds the sessions that commits are judged under as they are, until their lines are durable: so a line and what
// it was judged under are one step for every other process. The values of [store.AllModels] are not locked, or
// every account would wait for every other: who sets those waits for the commits that are under way.
type sessionLocks struct {
	models  []string
	queues  []*queue
	locks   []*files.Lock
	objects map[string]sessionObject // the sessions as the newest commit found them, by model
}

// lockSessions locks the sessions that guards name.
func (s *Store) lockSessions(ctx context.Context, guards []store.Guard) (l *sessionLocks, err error) {
	l = &sessionLocks{models: modelsOf(keysIn(guards))}
	defer func() {
		if err != nil {
			l.release()
		}
	}()
	until := time.Now().Add(s.patience.first)
	for _, model := range l.models { // who locks several does so in one order, or two would wait for each other
		if model == store.AllModels {
			continue
		}
		q := s.queue(sessionLock(s.SessionFile(model)))
		if err := q.wait(ctx, until); err != nil {
			return l, err
		}
		l.queues = append(l.queues, q)
		lock, err := q.lock(ctx, until, s.access)
		if errors.Is(err, fs.ErrNotExist) {
			// Without a folder there is no session. One that was moved away is not made anew for a commit that asks for it.
			for _, g := range guards {
				if err := g.Check(ctx); err != nil {
					return l, err
				}
			}
			lock, err = s.lockFile(ctx, until, q)
		}
		if err != nil {
			return l, err
		}
		l.locks = append(l.locks, lock)
	}
	return l, nil
}

// keysIn are the keys of the values that guards want or set.
func keysIn(guards []store.Guard) (keys []store.Key) {
	for _, g := range guards {
		keys = append(append(keys, keysOf(g.Want)...), keysOf(g.Set)...)
	}
	return keys
}

// judge returns nil if what guards want holds. Where they name other sessions than those that are locked, it is [errAgain].
func (l *sessionLocks) judge(s *Store, guards []store.Guard) error {
	keys := keysIn(guards)
	if !slices.Equal(l.models, modelsOf(keys)) {
		return errAgain
	}
	if len(keys) == 0 {
		return nil
	}
	values, objects, err := s.readValues(keys, s.glance)
	if err != nil {
		return &store.UnprovedError{Err: err}
	}
	for _, g := range guards {
		if err := g.Holds(values); err != nil {
			return err
		}
	}
	l.objects = objects
	return nil
}

// hold tells whether the locks still exclude everybody else.
func (l *sessionLocks) hold() bool {
	return !slices.ContainsFunc(l.locks, func(lock *files.Lock) bool { return !lock.Holds() })
}

func (l *sessionLocks) release() {
	for _, lock := range l.locks {
		lock.Release()
	}
	for _, q := range l.queues {
		q.next()
	}
}

// untold returns those of the guards that set what is not set yet.
func (l *sessionLocks) untold(guards []store.Guard) (untold []store.Guard) {
	for _, g := range guards {
		for k, text := range g.Set {
			if old, is := l.objects[k.Model][k.Name]; text == "" && is || text != "" && !bytes.Equal(old, rawJSON(text)) {
				untold = append(untold, g)
				break
			}
		}
	}
	return untold
}

// announce sets what guards set, once their lines are durable: all together where they share a session. A session that has
// moved on to another date or account meanwhile is not told of the lines of the last one.
func (s *Store) announce(guards []store.Guard) {
	var keys []store.Key
	for _, g := range guards {
		keys = append(keys, keysOf(g.Set)...)
	}
	for _, model := range modelsOf(keys) {
		s.follow(s.withLock(context.Background(), sessionLock(s.SessionFile(model)), func() error {
			object, set := sessionObject{}, map[store.Key]string{}
			for _, g := range guards {
				values, objects, err := s.readValues(append(keysOf(g.Want), store.Key{Model: model}), readSession)
				if err != nil {
					return err
				}
				if sameSession(g.Want, values) {
					object = objects[model]
					maps.Copy(set, g.Set)
				}
			}
			_, err := s.setValues(model, object, set)
			return err
		}))
	}
}

// sameSession tells whether the values that a session had are what they were. What it did not have, such as a HALT, may
// have come meanwhile.
func sameSession(had, has map[store.Key]string) bool {
	for k, text := range had {
		if text != "" && has[k] != text {
			return false
		}
	}
	return true
}

// follow tells of a value that could not be set after its line was committed. The ledger is the truth about what was
// traded, the value only announces it, so the commit stands.
func (s *Store) follow(err error) {
	if err != nil {
		s.warn(fmt.Sprintf("the order is in the ledger, but the session could not be told: %v", err))
	}
}
