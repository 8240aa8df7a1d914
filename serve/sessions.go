// The turns of clients that open a session for each call.
//
// Some clients of the protocol with sessions, AI-Trader's among them, open one for each call of a model, and send the calls of a turn at
// once, each over a connection of its own. In which order they arrive is chance then, a sale and the purchase that it is to pay for
// among them. The sessions tell which orders were made at once.

package serve

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"mcp-trade/internal/jsonrpc"
)

// Limits of the wait for other sessions.
const (
	turnWindow  = 1 * time.Second        // sessions that begin further apart are of different turns
	turnGrace   = 100 * time.Millisecond // after its session began, an order that comes before others may still be on its way
	turnWait    = 500 * time.Millisecond // for all of them together
	maxSessions = 4096                   // of all callers, within the window
)

// sessions are those that began lately, the oldest first.
type sessions struct {
	first func(m *jsonrpc.Message) bool // whether an order comes before others that are made at once

	mu      sync.Mutex
	newest  int64
	recent  []*begunSession
	changed chan struct{} // closed when one of them has changed
}

// begunSession is a session and its first call.
type begunSession struct {
	id     int64
	caller string
	at     time.Time
	spoke  bool // what it calls is known
	first  bool // it is an order that comes before others
	placed bool // nobody need wait for it: its order has its place, or it calls something else
}

// begin begins a session of a caller, and returns its id.
func (s *sessions) begin(caller string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newest++
	now := time.Now()
	s.recent = slices.DeleteFunc(s.recent, func(b *begunSession) bool { return now.Sub(b.at) > 2*turnWindow })
	if len(s.recent) < maxSessions {
		s.recent = append(s.recent, &begunSession{id: s.newest, caller: caller, at: now})
	}
	return strconv.FormatInt(s.newest, 10)
}

// speak notes what a session calls first. It returns nil for a session that did not begin lately, or has called something before.
func (s *sessions) speak(id, caller string, isOrder, first bool) *begunSession {
	n, _ := strconv.ParseInt(id, 10, 64) // 0 is none
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.recent, func(b *begunSession) bool { return b.id == n && b.caller == caller && !b.spoke })
	if i < 0 {
		return nil
	}
	b := s.recent[i]
	b.spoke, b.first, b.placed = true, first, !isOrder
	s.change()
	return b
}

// change wakes those who wait.
func (s *sessions) change() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// place notes that the order of a session has its place.
func (s *sessions) place(b *begunSession) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.placed = true
	s.change()
}

// waits returns what is closed when it is to be asked again whether an order has to wait for others of its turn; nil: it has not.
func (s *sessions) waits(b *begunSession) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.recent, b.isAfter) {
		return nil
	}
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// isAfter tells whether an order comes after that of another session, as far as it is known what that one calls.
func (b *begunSession) isAfter(other *begunSession) bool {
	switch {
	case other == b || other.placed || other.caller != b.caller || other.at.Sub(b.at).Abs() > turnWindow:
		return false
	case other.spoke && other.first != b.first:
		return other.first
	case !other.spoke && !b.first: // it may be one that comes before others
		return true
	}
	return other.id < b.id
}

// TurnsBySession is for clients that open a session for each call. Orders whose sessions began at once are executed in the order in which
// the sessions began, but those that first tells of before the others.
func (h *HTTP) TurnsBySession(first func(m *jsonrpc.Message) bool) {
	h.sessions = &sessions{first: first}
}

// inTurn waits until a message may have its place. placed is to be called when it has.
func (x *exchange) inTurn(m *jsonrpc.Message) (placed func()) {
	if x.sessions == nil {
		return func() {}
	}
	if m.Method == string(mcp.MethodInitialize) {
		x.to.w.Header().Set(mcp.HeaderSessionID, x.sessions.begin(x.caller.name))
		return func() {}
	}
	_, isOrder := x.server.handler.Lane(x.ctx, m)
	b := x.sessions.speak(x.head.Get(mcp.HeaderSessionID), x.caller.name, isOrder, isOrder && x.sessions.first(m))
	if b == nil || !isOrder {
		return func() {}
	}
	x.place.taken(nil) // so that those it waits for can have their places
	x.awaitTurn(b)
	x.place = x.caller.arrive()
	return func() { x.sessions.place(b) }
}

// awaitTurn waits until the orders that come before one have their places.
func (x *exchange) awaitTurn(b *begunSession) {
	end := time.After(turnWait)
	var grace <-chan time.Time
	if !b.first {
		grace = time.After(time.Until(b.at.Add(turnGrace)))
	}
	for inGrace := !b.first; ; {
		changed := x.sessions.waits(b)
		if changed == nil && !inGrace {
			return
		}
		select {
		case <-changed:
		case <-grace:
			inGrace = false
		case <-end:
			return
		case <-x.over.Done():
			return
		}
	}
}
