// The callers of the HTTP transport: how much each may have under way, and in which order its orders arrived.

package serve

import (
	"sync"

	"golang.org/x/sync/semaphore"
)

// Limits of a caller.
const (
	callerAtOnce = 256      // requests that wait or run
	callerBodies = 16 << 20 // bytes of their bodies
)

// callers are those that have requests under way, by what they call themselves: nobody knows yet whether that is true.
type callers struct {
	mu   sync.Mutex
	open map[string]*httpCaller
}

// httpCaller bounds the requests of a caller, and keeps its orders in the order in which they arrived.
type httpCaller struct {
	name    string
	users   int // guarded by the callers
	bodies  *semaphore.Weighted
	running chan struct{} // holds one token per request, other than an order, that runs

	mu      sync.Mutex
	arrived []*arrival
}

// enter counts a request. ok is false if the caller has too many.
func (c *callers) enter(name string) (caller *httpCaller, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	caller = c.open[name]
	if caller == nil {
		caller = &httpCaller{name: name, bodies: semaphore.NewWeighted(callerBodies), running: make(chan struct{}, OthersAtOnce)}
		c.open[name] = caller
	}
	if caller.users == callerAtOnce {
		return nil, false
	}
	caller.users++
	return caller, true
}

func (c *callers) leave(caller *httpCaller) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if caller.users--; caller.users == 0 {
		delete(c.open, caller.name)
	}
}

// arrival is the place of a request among those of its caller, from its head on. The requests before it may take longer to be
// read, and an order goes to its lane after theirs.
type arrival struct {
	caller *httpCaller
	known  bool
	order  func() // adds it to its lane; nil: it is none
}

func (c *httpCaller) arrive() *arrival {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &arrival{caller: c}
	c.arrived = append(c.arrived, a)
	return a
}

// taken says what is at the place: an order, which is added to its lane once all before it are known, or with nil none. Only the
// first call counts. It reports whether it was the first.
func (a *arrival) taken(order func()) bool {
	c := a.caller
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.known {
		return false
	}
	a.known, a.order = true, order
	for len(c.arrived) > 0 && c.arrived[0].known {
		if add := c.arrived[0].order; add != nil {
			add()
		}
		c.arrived[0] = nil
		c.arrived = c.arrived[1:]
	}
	return true
}
