// The lane of orders: they begin one after the other, in the order in which they arrived.

package tools

import "sync"

// lane carries out orders. An order that others wait for begins a group: each next one begins once the one before it has its
// place in the ledger, or is done, so that they become durable together, each answered after that, in their order.
type lane struct{ waiting chan order }

// order carries out an order. It calls placed, at most once and before it returns, when its place in the ledger is certain; placed
// returns how many orders wait behind it. It calls turn before it answers, which waits for the answers before it.
type order func(placed func() (waiting int), turn func())

// newLane returns a lane in which so many orders can wait.
func newLane(room int) lane { return lane{make(chan order, room)} }

// add puts an order behind those that wait. When the lane is full it waits for room.
func (l lane) add(o order) { l.waiting <- o }

// close ends the lane: run returns when the orders that were added are done.
func (l lane) close() { close(l.waiting) }

func (l lane) run() {
	var begun sync.WaitGroup
	next := make(chan func())     // to those that did an order before: their stacks have grown to what one needs
	before := make(chan struct{}) // closed when the order before is answered
	close(before)
	for o := range l.waiting {
		last, done := before, make(chan struct{})
		turn := func() { <-last }
		before = done
		if len(l.waiting) == 0 { // the last of its group, or alone: a goroutine of its own would only cost time
			o(func() int { return 0 }, turn)
			close(done)
			continue
		}
		settled := make(chan struct{})
		settle := sync.OnceFunc(func() { close(settled) })
		do := func() {
			defer close(done)
			defer settle()
			o(func() int {
				waiting := len(l.waiting)
				settle()
				return waiting
			}, turn)
		}
		select {
		case next <- do:
		default:
			begun.Go(func() {
				for do(); ; do() {
					var more bool
					if do, more = <-next; !more {
						return
					}
				}
			})
		}
		<-settled
	}
	close(next)
	begun.Wait()
}
