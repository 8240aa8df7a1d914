// Guards in session files: the sessions are locked while a line is written, and updated after its sync.

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
	"mcp-trade/internal/lru"
	"mcp-trade/store"
)

// sessionLocks locks the sessions of a group's guards until its lines are durable: for every other process a line and the session
// it was judged under are one step. The values of [store.AllModels] are not locked, or every account would wait for every
// other; whoever sets those waits for the commits under way instead.
type sessionLocks struct {
	models  []string
	queues  []*lru.Entry[*queue] // in which the commit has its turn
	locks   []*files.Lock
	objects map[string]sessionObject // the sessions as the newest commit read them, by model
}

// lockSessions locks the sessions that guards name.
func (s *Store) lockSessions(ctx context.Context, guards []store.Guard) (l *sessionLocks, err error) {
	l = &sessionLocks{models: modelsOf(keysIn(guards))}
	defer func() {
		if err != nil {
			l.release()
		}
	}()
	until := time.Now().Add(s.lockTimeouts.first)
	for _, model := range l.models { // in sorted order: otherwise two processes could wait for each other
		if model == store.AllModels {
			continue
		}
		use := s.useQueue(sessionLock(s.SessionFile(model)))
		q := use.Value
		if err := q.wait(ctx, until); err != nil {
			use.Done()
			return l, err
		}
		l.queues = append(l.queues, use)
		lock, err := q.lock(ctx, until, s.access)
		if errors.Is(err, fs.ErrNotExist) {
			// Without a folder there is no session. The folder is made only for a commit whose guards hold without one.
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

// keysIn returns the keys of the values that guards expect or update.
func keysIn(guards []store.Guard) (keys []store.Key) {
	for _, g := range guards {
		keys = append(append(keys, keysOf(g.Expect)...), keysOf(g.Update)...)
	}
	return keys
}

// check checks the guards. If they name other sessions than those that are locked, it returns [errAgain].
func (l *sessionLocks) check(s *Store, guards []store.Guard) error {
	keys := keysIn(guards)
	if !slices.Equal(l.models, modelsOf(keys)) {
		return errAgain
	}
	if len(keys) == 0 {
		return nil
	}
	values, objects, err := s.readValues(keys, s.readCached)
	if err != nil {
		return &store.UnprovedError{Err: err}
	}
	for _, g := range guards {
		if err := g.Matches(values); err != nil {
			return err
		}
	}
	l.objects = objects
	return nil
}

// held tells whether the lock files still are the ones that were locked.
func (l *sessionLocks) held() bool {
	return !slices.ContainsFunc(l.locks, func(lock *files.Lock) bool { return !lock.Holds() })
}

func (l *sessionLocks) release() {
	for _, lock := range l.locks {
		lock.Release()
	}
	for _, use := range l.queues {
		use.Value.next()
		use.Done()
	}
}

// pending returns the guards with a value to set that the session does not have yet.
func (l *sessionLocks) pending(guards []store.Guard) (untold []store.Guard) {
	for _, g := range guards {
		for k, text := range g.Update {
			if old, is := l.objects[k.Model][k.Name]; text == "" && is || text != "" && !bytes.Equal(old, rawJSON(text)) {
				untold = append(untold, g)
				break
			}
		}
	}
	return untold
}

// updateSessions sets the values of guards once their lines are durable, those of one session together. It leaves a session
// alone that has moved on to another date or account meanwhile.
func (s *Store) updateSessions(guards []store.Guard) {
	var keys []store.Key
	for _, g := range guards {
		keys = append(keys, keysOf(g.Update)...)
	}
	for _, model := range modelsOf(keys) {
		s.warnOfSession(s.withLock(context.Background(), sessionLock(s.SessionFile(model)), func() error {
			object, set := sessionObject{}, map[store.Key]string{}
			for _, g := range guards {
				values, objects, err := s.readValues(append(keysOf(g.Expect), store.Key{Model: model}), readSession)
				if err != nil {
					return err
				}
				if sameSession(g.Expect, values) {
					object = objects[model]
					maps.Copy(set, g.Update)
				}
			}
			_, err := s.setValues(model, object, set)
			return err
		}))
	}
}

// sameSession tells whether the session still has each value that it had. A value that it did not have, such as a HALT, may
// have been added.
func sameSession(had, has map[store.Key]string) bool {
	for k, text := range had {
		if text != "" && has[k] != text {
			return false
		}
	}
	return true
}

// warnOfSession warns that a session value could not be set after a commit. The commit stands: the ledger is the truth about
// what was traded, and the value only announces it.
func (s *Store) warnOfSession(err error) {
	if err != nil {
		s.warn(fmt.Sprintf("the order is in the ledger, but the session could not be told: %v", err))
	}
}
