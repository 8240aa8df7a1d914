// Package lru keeps the values that were used last, so that a process that serves many accounts holds open what it needs for some.
package lru

import (
	"container/list"
	"sync"
)

// Cache keeps values by their keys: all that are in use, and of the others those that were used last. It holds as many as it was
// made for, and more only while more are in use. It is safe for concurrent use.
type Cache[V any] struct {
	keep int
	drop func(V)

	mu      sync.Mutex
	entries map[string]*Entry[V]
	idle    list.List // the entries that nobody uses, the one used last in front
}

// Entry is a value in use.
type Entry[V any] struct {
	Value V

	cache *Cache[V]
	key   string
	users int
	idle  *list.Element // nil while it is in use
}

// New returns a cache of so many values. It calls drop, unless that is nil, with each value that it no longer keeps. Nobody uses
// that value, and nobody gets one of the same key before drop has returned. drop must not call the cache.
func New[V any](keep int, drop func(V)) *Cache[V] {
	if drop == nil {
		drop = func(V) {}
	}
	return &Cache[V]{keep: keep, drop: drop, entries: map[string]*Entry[V]{}}
}

// Use returns the value of a key, which is kept until Done was called as often. A value that is not there is made.
func (c *Cache[V]) Use(key string, make func() V) *Entry[V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[key]
	if e == nil {
		e = &Entry[V]{Value: make(), cache: c, key: key}
		c.entries[key] = e
	}
	if e.users++; e.idle != nil {
		c.idle.Remove(e.idle)
		e.idle = nil
	}
	c.trim()
	return e
}

// Done ends one use of the value.
func (e *Entry[V]) Done() {
	c := e.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.users--; e.users == 0 && c.entries[e.key] == e {
		e.idle = c.idle.PushFront(e)
		c.trim()
	}
}

// Get returns the value of a key, if it is there.
func (c *Cache[V]) Get(key string) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[key]
	if e == nil {
		return value, false
	}
	if e.idle != nil {
		c.idle.MoveToFront(e.idle)
	}
	return e.Value, true
}

// Put keeps a value in place of the one before, which is dropped. It is for values that are used without Use.
func (c *Cache[V]) Put(key string, value V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(c.entries[key])
	e := &Entry[V]{Value: value, cache: c, key: key}
	c.entries[key], e.idle = e, c.idle.PushFront(e)
	c.trim()
}

// Delete drops the value of a key. It is for values that are used without Use.
func (c *Cache[V]) Delete(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(c.entries[key])
}

// Len returns how many values there are.
func (c *Cache[V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

// Take returns all values, those in use included, and keeps none. They are not dropped.
func (c *Cache[V]) Take() (all []V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.entries {
		all = append(all, e.Value)
	}
	c.entries = map[string]*Entry[V]{}
	c.idle.Init()
	return all
}

// trim drops what is one too many and nobody uses.
func (c *Cache[V]) trim() {
	for len(c.entries) > c.keep && c.idle.Len() > 0 {
		c.remove(c.idle.Back().Value.(*Entry[V]))
	}
}

func (c *Cache[V]) remove(e *Entry[V]) {
	if e == nil {
		return
	}
	delete(c.entries, e.key)
	if e.idle != nil {
		c.idle.Remove(e.idle)
		e.idle = nil
	}
	c.drop(e.Value)
}
