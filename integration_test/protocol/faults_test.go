// What goes wrong in the model, and what an operator does in it: the commands session set and session clear, in two steps
// each.

package protocol_test

import "fmt"

// moves collects what can happen in a world.
type moves struct {
	from world
	list []step[world]
}

func (m *moves) add(who, what string, do func(*world)) {
	next := m.from
	do(&next)
	next.judge()
	m.list = append(m.list, step[world]{who, what, next})
}

// faults adds what can go wrong, and what ends it.
func faults(m *moves) {
	w := &m.from
	if !w.up {
		m.add("Redis", "can be reached again", func(w *world) { w.up = true })
	} else if w.left.outage > 0 {
		m.add("Redis", "can not be reached", func(w *world) { w.left.outage--; w.up = false })
	}
	if w.left.failover > 0 {
		if w.replica != w.redis {
			m.add("Redis", "has a replica that is up to date", func(w *world) { w.replica = w.redis })
			m.add("Redis", "fails over", func(w *world) {
				w.redis = w.replica
				if w.left.failover--; w.left.failover == 0 {
					w.replica = redis{}
				}
				w.forgive()
			})
		}
	}
	if w.left.flush > 0 {
		m.add("Redis", "loses everything, and the accounts are registered anew", func(w *world) {
			w.left.flush--
			w.redis = redis{}
			for i := range w.redis.books {
				w.redis.books[i][0] = 2
			}
			w.forgive()
		})
	}
	if w.left.expiry > 0 && !w.redis.empty() {
		m.add("Redis", "lets the session expire", func(w *world) { w.left.expiry--; w.redis.values = values{} })
	}
	if w.left.eviction > 0 && w.redis.index != [accounts]uint8{} {
		m.add("Redis", "evicts the indexes of order ids", func(w *world) { w.left.eviction--; w.redis.index = [accounts]uint8{} })
	}
	if w.left.power > 0 {
		m.add("machine A", "loses its power", func(w *world) {
			w.left.power--
			for i := range w.disk {
				clear(w.disk[i][1+w.synced[i]:])
			}
			w.servers = [2]server{}
		})
	}
	for i := range w.servers {
		if w.left.kill > 0 && w.servers[i] != (server{}) {
			m.add(serverNames[i], "is killed and started again", func(w *world) { w.left.kill--; w.servers[i] = server{} })
		}
	}
}

// action is a command of the operator, under way.
type action struct {
	kind    actionKind
	machine uint8 // on which it was typed
	values  values
	written bool // in Redis; the file is next
	missed  bool // Redis could not be reached
}

type actionKind uint8

const (
	noAction actionKind = iota
	setValues
	setHalt
	clearHalt
)

var (
	serverNames   = [2]string{"server 1", "server 2"}
	orderNames    = [orderIDs]string{"takes order 1", "takes order 2"}
	operatorNames = [2]string{"operator on A", "operator on B"}
	// What the operator may set: the first day and the next of one account, and another account.
	sessions     = []values{{account: 1, date: 1}, {account: 1, date: 2}, {account: 2, date: 1}}
	sessionNames = func() (names []string) {
		for _, v := range sessions {
			names = append(names, fmt.Sprint("begins to set the session to ", v))
		}
		return names
	}()
)

// operate adds what the operator does next.
func (p protocol) operate(m *moves) {
	a := m.from.action
	who := operatorNames[a.machine]
	switch {
	case a.kind == noAction && m.from.left.acts > 0:
		for machine, who := range operatorNames {
			begin := func(what string, a action) {
				m.add(who, what, func(w *world) {
					w.left.acts--
					w.action = a
					w.action.machine = uint8(machine)
					if a.kind == setValues {
						w.sets++
						w.action.values.set = w.sets
					}
				})
			}
			for i, v := range sessions {
				begin(sessionNames[i], action{kind: setValues, values: v})
			}
			begin("begins to set HALT", action{kind: setHalt})
			begin("begins to clear HALT", action{kind: clearHalt})
		}
	case a.kind != noAction && !a.written && m.from.up:
		m.add(who, "has done so in Redis", func(w *world) {
			w.action.written = true
			a.redis(&w.redis)
			w.skipFile()
		})
	case a.kind != noAction && !a.written:
		m.add(who, "does not reach Redis", func(w *world) {
			w.action.written, w.action.missed = true, true
			w.skipFile()
		})
	case a.kind == clearHalt && a.missed && !p.clearsFileAlone:
		m.add(who, "is told that HALT is not cleared", func(w *world) { w.action = action{} })
	case a.kind != noAction:
		m.add(who, "has done so in the file", func(w *world) {
			w.action = action{}
			a.file(&w.files[a.machine])
			w.reached(a)
		})
	}
}

// reached takes back what was owed to a machine, once a command there reached Redis too.
func (w *world) reached(a action) {
	if a.missed {
		return
	}
	if a.kind == clearHalt {
		w.haltRead[a.machine] = false
	}
	for i := range w.servers {
		if a.kind == setValues && w.machine(i) == int(a.machine) {
			w.servers[i].owed = values{}
		}
	}
}

// skipFile leaves out the file of a machine that has no server.
func (w *world) skipFile() {
	if w.action.machine == 1 && !w.kind.redisLedgers {
		w.action = action{}
	}
}

func (a action) redis(r *redis) {
	switch a.kind {
	case setValues:
		r.values = a.values
	case setHalt:
		r.halt = true
	case clearHalt:
		r.halt = false
	}
}

func (a action) file(f *file) {
	switch a.kind {
	case setValues:
		switch {
		case !a.missed:
			f.replaced = values{}
		case !f.missed:
			f.replaced = f.values
			f.replaced.set = 0
		}
		f.values, f.missed = a.values, a.missed
	case setHalt:
		f.halt, f.haltMissed = true, a.missed
	case clearHalt:
		f.halt, f.haltMissed = false, false
	}
}
