// What goes wrong in the model, and what an operator does in it: the commands session set and session clear, in two steps
// each.

package protocol_test

import (
	"fmt"

	"mcp-trade/session"
)

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
	if w.left.failover > 0 && w.replica != w.redis {
		m.add("Redis", "has a replica that is up to date", func(w *world) { w.replica = w.redis })
		m.add("Redis", "fails over", func(w *world) {
			w.redis = w.replica
			if w.left.failover--; w.left.failover == 0 {
				w.replica = redis{}
			}
			w.forgive()
		})
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
		m.add("Redis", "lets the session expire", func(w *world) {
			w.left.expiry--
			w.redis.values, w.redis.traded = values{}, false
		})
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
			for i := range w.servers {
				w.end(i)
			}
		})
	}
	kills(m)
}

// kills adds the ends of processes.
func kills(m *moves) {
	w := &m.from
	for i := range w.servers {
		if w.left.kill > 0 && w.servers[i] != (server{}) {
			m.add(serverNames[i], "is killed and started again", func(w *world) { w.left.kill--; w.end(i) })
		}
	}
	if w.left.kill > 0 && w.action.written {
		m.add(operatorNames[w.action.machine], "is killed", func(w *world) {
			w.left.kill--
			w.action = action{}
			w.release(theOperator)
		})
	}
}

// end kills a server and starts it again.
func (w *world) end(i int) {
	w.servers[i] = server{}
	w.release(theServer(i))
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
	orderNames    = [orderIDs]string{"takes order 1 and reads its file", "takes order 2 and reads its file"}
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
func (h *homes) operate(m *moves) {
	a := m.from.action
	who := operatorNames[a.machine]
	switch {
	case a.kind == noAction && m.from.left.acts > 0:
		h.begin(m)
	case a.kind == noAction:
	case !a.written && m.from.files[a.machine].locks[h.lockOf(a)] != 0:
	case !a.written && m.from.up:
		m.add(who, "locks the file, and has done so in Redis", func(w *world) {
			a.redis(&w.redis)
			h.written(w, false)
		})
		if m.from.left.lost > 0 {
			m.add(who, "locks the file, and has done so in Redis, and hears nothing of it", func(w *world) {
				w.left.lost--
				a.redis(&w.redis)
				h.written(w, true)
			})
		}
	case !a.written:
		m.add(who, "locks the file, and does not reach Redis", func(w *world) { h.written(w, true) })
	default:
		m.add(who, "has done so in the file", func(w *world) { h.finish(w, true) })
	}
}

// written goes on with a command after Redis was written, or missed.
func (h *homes) written(w *world, missed bool) {
	a := &w.action
	a.written, a.missed = true, missed
	if w.files[a.machine].locks[h.lockOf(*a)] = theOperator; a.machine == 1 && !w.kind.redisLedgers {
		h.finish(w, false) // no server reads that file
	}
}

// begin adds the commands that the operator may begin.
func (h *homes) begin(m *moves) {
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
}

// lockOf is which of a machine's locks a command takes.
func (h *homes) lockOf(a action) int {
	if a.kind != setValues && h.haltOf != model {
		return 1
	}
	return 0
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

// finish ends a command, with the file written or not.
func (h *homes) finish(w *world, written bool) {
	a := w.action
	w.action = action{}
	w.release(theOperator)
	if written {
		h.write(w, a)
	}
	if a.missed {
		return
	}
	// What was owed to the machine has reached Redis.
	if a.kind == clearHalt {
		w.haltRead[a.machine] = false
	}
	for i := range w.servers {
		if a.kind == setValues && w.machine(i) == int(a.machine) {
			w.servers[i].owed = values{}
		}
	}
}

// write is what a command does to the file.
func (h *homes) write(w *world, a action) {
	f := &w.files[a.machine]
	if a.kind == setValues {
		f.set = a.values.set
	}
	a.machine, a.values.set = 0, 0
	f.is = h.once(writeCase{file: f.is, command: a}, func() fileID { return h.after(f.is, a) })
}

// after is a file after a command.
func (h *homes) after(is fileID, a action) fileID {
	reach := session.Reached
	if a.missed && !(a.kind == clearHalt && h.p.clearsFileAlone) {
		reach = session.Missed
	}
	of, texts := h.haltOf, h.files[is].texts
	switch a.kind {
	case setValues:
		return h.changed(is, session.AfterSet(model, redisStore, texts, a.values.raw(), reach), model)
	case setHalt:
		return h.changed(is, session.AfterSet(of, redisStore, texts, map[string]string{session.Halt: "true"}, reach), of)
	default:
		return h.changed(is, session.AfterClear(of, texts, []string{session.Halt}, reach), of)
	}
}
