package lru

import (
	"fmt"
	"slices"
	"sync"
	"testing"
)

// thing is a value that must not be used once it was dropped.
type thing struct {
	key     string
	mu      sync.RWMutex
	dropped bool
}

func newThing(key string) func() *thing { return func() *thing { return &thing{key: key} } }

func TestCache_Use(t *testing.T) {
	var dropped []string
	c := New(2, func(x *thing) { dropped = append(dropped, x.key) })
	a := c.Use("a", newThing("a"))
	again := c.Use("a", nil) // it is there
	b, third := c.Use("b", newThing("b")), c.Use("c", newThing("c"))
	if again.Value != a.Value || c.Len() != 3 || len(dropped) > 0 {
		t.Fatalf("of three in use %d are kept, and %v dropped", c.Len(), dropped)
	}
	a.Done()
	if len(dropped) > 0 {
		t.Fatalf("%v dropped while in use", dropped)
	}
	again.Done()
	b.Done()
	if !slices.Equal(dropped, []string{"a"}) || c.Len() != 2 {
		t.Fatalf("%v dropped, %d kept", dropped, c.Len())
	}
	c.Use("b", nil).Done()
	third.Done()
	c.Use("b", nil).Done() // used after "c"
	c.Use("d", newThing("d")).Done()
	if !slices.Equal(dropped, []string{"a", "c"}) {
		t.Fatalf("%v dropped", dropped)
	}
	held := c.Use("b", nil)
	if all := c.Take(); len(all) != 2 || c.Len() != 0 {
		t.Fatalf("took %d, and %d are left", len(all), c.Len())
	}
	renewed := c.Use("b", newThing("b"))
	held.Done()
	if renewed.Value == held.Value || c.Len() != 1 {
		t.Error("the end of an old use concerns the new value")
	}
	renewed.Done()
}

func TestCache_Put(t *testing.T) {
	var dropped []int
	c := New(2, func(n int) { dropped = append(dropped, n) })
	c.Put("a", 1)
	c.Put("b", 2)
	c.Put("a", 3)
	if v, ok := c.Get("a"); v != 3 || !ok {
		t.Errorf("%d, %v", v, ok)
	}
	c.Put("c", 4) // "b" was used before "a"
	_, b := c.Get("b")
	c.Delete("a")
	c.Delete("nobody")
	if _, a := c.Get("a"); a || b || c.Len() != 1 || !slices.Equal(dropped, []int{1, 2, 3}) {
		t.Errorf("a %v, b %v, %d kept, %v dropped", a, b, c.Len(), dropped)
	}
}

// An entry in use is not dropped.
func TestCache_Use_IsNotDropped(t *testing.T) {
	const keep, keys, users, rounds = 8, 40, 16, 500
	c := New(keep, func(x *thing) {
		if !x.mu.TryLock() {
			t.Errorf("%s is dropped while it is in use", x.key)
			return
		}
		x.dropped = true
		x.mu.Unlock()
	})
	var wait sync.WaitGroup
	for u := range users {
		wait.Go(func() {
			for i := range rounds {
				key := fmt.Sprint((i*7 + u*u*13 + i*u) % keys)
				e := c.Use(key, newThing(key))
				e.Value.mu.RLock()
				if e.Value.dropped || e.Value.key != key {
					t.Errorf("%s was dropped: %v", e.Value.key, e.Value.dropped)
				}
				e.Value.mu.RUnlock()
				e.Done()
			}
		})
	}
	wait.Wait()
	if c.Len() > keep {
		t.Errorf("%d are kept", c.Len())
	}
}
