// The lanes of orders: those of one account trade one after the other, in the order in which they arrived.

package serve

import (
	"sync"
	"sync/atomic"
)

// lanes are the lanes that are in use, by name. A server has them in common for all its connections, so that the orders of one
// account keep their order and those of different accounts run side by side.
type lanes struct {
	room int // orders that can wait in each

	mu   sync.Mutex
	open map[string]*lane
}

// enter opens a lane, or joins those who use it. It stays open until each of them has left.
func (l *lanes) enter(name string) *lane {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.open[name]
	if n == nil {
		n = newLane(l.room)
		l.open[name] = n
		go n.run()
	}
	n.users++
	return n
}

// leave is called by a user of a lane when all orders that it added are done.
func (l *lanes) leave(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.open[name]
	if n.users--; n.users == 0 {
		delete(l.open, name)
		n.close()
	}
}

// lane executes orders, each in a turn. Only the part of an order from its turn to its place in the ledger excludes other orders.
// The parts before and after run beside other orders, so that a store can make waiting orders durable together.
type lane struct {
	users     int // guarded by the lanes
	waiting   chan order
	unsettled atomic.Int64 // orders that were added and have neither traded nor failed
}

// order executes an order and obeys its turn.
type order func(*turn)

// maxBegun bounds how many orders are under way at once: one group that becomes durable together, and the next group.
const maxBegun = 64

// newLane returns a lane in which so many orders can wait.
func newLane(room int) *lane { return &lane{waiting: make(chan order, room)} }

// add puts an order behind those that wait. When the lane is full it waits for room.
func (l *lane) add(o order) {
	l.unsettled.Add(1)
	l.waiting <- o
}

// close ends the lane: run returns when the orders that were added are done.
func (l *lane) close() { close(l.waiting) }

func (l *lane) run() {
	var under sync.WaitGroup
	begun := make(chan struct{}, maxBegun)
	next := make(chan func()) // to goroutines that executed an order before: their stacks have grown already
	over := make(chan struct{})
	close(over)
	settled, answered := over, over // of the order before
	for o := range l.waiting {
		t := &turn{lane: l, before: settled, settled: make(chan struct{}), answers: answered}
		done := make(chan struct{})
		settled, answered = t.settled, done
		t.alone = len(begun) == 0 && len(l.waiting) == 0
		begun <- struct{}{}
		do := func() {
			o(t)
			t.end()
			close(done)
			<-begun
		}
		if t.alone { // without other orders, another goroutine is slower
			do()
			continue
		}
		select {
		case next <- do:
		default:
			under.Go(func() {
				for do(); ; do() {
					var more bool
					if do, more = <-next; !more {
						return
					}
				}
			})
		}
	}
	close(next)
	under.Wait()
}

// turn is the place of one order among the others.
type turn struct {
	lane    *lane
	before  <-chan struct{} // closed when all orders before are settled
	answers <-chan struct{} // closed when all orders before are answered
	once    sync.Once
	settled chan struct{}
	alone   bool // no other order runs until this one is done
}

// begin waits for the order's turn to trade.
func (t *turn) begin() { <-t.before }

// placed reports that the order has its place in the ledger, so the next order may trade. It returns how many wait to trade.
func (t *turn) placed() (waiting int) {
	t.settle()
	if t.alone {
		return 0
	}
	return int(t.lane.unsettled.Load())
}

// end reports that the order trades no more.
func (t *turn) end() {
	t.begin()
	t.settle()
}

func (t *turn) settle() {
	t.once.Do(func() {
		t.lane.unsettled.Add(-1)
		close(t.settled)
	})
}

// answer waits for the order's turn to be answered.
func (t *turn) answer() { <-t.answers }
