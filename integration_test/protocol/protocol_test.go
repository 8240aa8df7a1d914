//go:build !race

// Package protocol_test is the commit protocol as a model, checked by machine: every order, up to a bound, in which two
// servers of one account, an operator, a Redis, the session files of two machines and what can go wrong with them may act.
//
// The protocol stands in server_test.go; what it promises, and every state is held against, in world_test.go. Of a halt it is
// promised that nothing is committed
//   - in a step that reaches Redis while Redis holds a halt,
//   - after a look at Redis, by the same order, that saw one, where the ledger is in files and Redis is looked at before,
//   - without Redis, while the file of the machine holds one, or when the newest look at Redis by the process, or by any
//     process of the machine that came to write it down, saw one,
//   - by an order that came after a halt that missed Redis was written to the file of the machine,
//   - without Redis at all, where that is to be refused.
//
// What is excepted: a halt that only Redis holds, and that nobody on the machine has read there before Redis was gone; and
// what Redis loses or evicts, which is the same as cleared. What cannot be told apart: a set that writes what was there
// before, and none.
//
// Nothing here happens at the same time, so there is no race to look for.
package protocol_test

import (
	"os"
	"testing"
	"time"
)

// begin is a world in which the first account trades its first day.
func begin(kind setting, left limits) world {
	w := world{kind: kind, up: true, left: left, sets: 1}
	w.redis.values = values{1, 1, 1}
	w.files = [2]file{{values: w.redis.values}, {values: w.redis.values}}
	for account := range uint8(accounts) {
		w.book(account + 1)[0] = 1
	}
	if left.failover > 0 {
		w.replica = w.redis
	}
	for i := range w.client {
		w.client[i].sends = kind.sends[i]
	}
	return w
}

func (p protocol) steps(w world) []step[world] {
	m := moves{from: w}
	for i := range w.servers {
		p.serve(&m, i)
	}
	p.operate(&m)
	faults(&m)
	return m.list
}

// check visits every world that comes of the first one. Where it is asked for, one in a hundred is held against recovery.
func (p protocol) check(kind setting, left limits, recovers bool) outcome {
	looked := 0
	broken := func(w world) string {
		if looked++; recovers && w.broken == kept && looked%100 == 0 && !p.recovers(w) {
			w.broken = recovery
		}
		return w.broken.String()
	}
	return search(begin(kind, left), p.steps, broken, world.String)
}

// recovers tells whether each server comes to commit an order again once nothing is wrong any more and the operator has
// cleared HALT and set the session anew on both machines.
func (p protocol) recovers(w world) bool {
	w.left, w.up = limits{}, true
	next := func(add func(m *moves)) {
		m := moves{from: w}
		add(&m)
		w = m.list[0].next
	}
	later := values{account: 1, date: 2, set: w.sets + 1}
	for _, a := range []action{
		w.action, // what is under way
		{kind: clearHalt}, {kind: clearHalt, machine: 1}, {kind: setValues, values: later}, {kind: setValues, values: later, machine: 1},
	} {
		for w.action = a; w.action.kind != noAction; {
			next(p.operate)
		}
	}
	for i := range w.servers {
		for w.servers[i].phase != waits { // what is under way
			next(func(m *moves) { p.serve(m, i) })
		}
		s := &w.servers[i]
		s.order = orderIDs + 1
		for p.readRedis(&w, s, i); s.phase != commits; {
			if s.phase == waits {
				return false
			}
			next(func(m *moves) { p.serve(m, i) })
			s = &w.servers[i]
		}
	}
	return true
}

// bound is how much may happen: a server of each machine with the ledgers in Redis, or both on one with the ledgers in files.
type bound struct {
	name string
	kind setting
	left limits
}

var (
	inRedisOnce  = setting{redisLedgers: true, sends: [orderIDs]uint8{1, 1}}
	inRedisTwice = setting{redisLedgers: true, sends: [orderIDs]uint8{2, 1}}
	inFilesOnce  = setting{sends: [orderIDs]uint8{1, 1}}
	inFilesTwice = setting{sends: [orderIDs]uint8{2, 1}}
	refusing     = setting{sends: [orderIDs]uint8{1, 1}, refuse: true}
)

var bounds = []bound{
	{"ledgers in Redis, an outage, kills, lost answers", inRedisTwice, limits{outage: 2, kill: 2, lost: 2}},
	{"ledgers in Redis, a failover, kills, lost answers", inRedisTwice, limits{failover: 2, kill: 1, lost: 1}},
	{"ledgers in Redis, everything lost", inRedisTwice, limits{flush: 1, eviction: 1, expiry: 1, kill: 1, lost: 1}},
	{"ledgers in Redis, a command, an outage, a failover", inRedisOnce, limits{acts: 1, outage: 1, failover: 1}},
	{"ledgers in Redis, a command, an outage, an expiry, a kill", inRedisOnce, limits{acts: 1, outage: 1, expiry: 1, kill: 1}},
	{"ledgers in Redis, two commands, an outage", inRedisOnce, limits{acts: 2, outage: 1}},
	{"ledgers in files, a power failure, an outage, kills, lost answers", inFilesTwice, limits{power: 1, outage: 1, kill: 2, lost: 2}},
	{"ledgers in files, a command, an outage, an expiry, a kill", inFilesOnce, limits{acts: 1, outage: 1, expiry: 1, kill: 1}},
	{"ledgers in files, two commands, an outage", inFilesOnce, limits{acts: 2, outage: 1}},
	{"ledgers in files, none of it without Redis", refusing, limits{acts: 1, outage: 2, kill: 1}},
}

// larger takes about ten minutes and 16 GB.
var larger = []bound{
	{"ledgers in Redis, two commands, an outage, an expiry, a kill", inRedisOnce, limits{acts: 2, outage: 1, expiry: 1, kill: 1}},
	{"ledgers in Redis, two commands, an outage, a failover", inRedisOnce, limits{acts: 2, outage: 1, failover: 1}},
	{"ledgers in Redis, two commands, two outages, an order twice", inRedisTwice, limits{acts: 2, outage: 2}},
	{"ledgers in files, two commands, an outage, an expiry, a kill", inFilesOnce, limits{acts: 2, outage: 1, expiry: 1, kill: 1}},
	{"ledgers in files, three commands, an outage", inFilesOnce, limits{acts: 3, outage: 1}},
}

func TestProtocol_KeepsItsPromises(t *testing.T) {
	all := bounds
	if os.Getenv("MCP_TRADE_PROTOCOL") == "larger" {
		all = append(all, larger...)
	}
	for _, b := range all {
		t.Run(b.name, func(t *testing.T) {
			start := time.Now()
			found := protocol{}.check(b.kind, b.left, true)
			t.Logf("%v, in %.1f s", found, time.Since(start).Seconds())
			if found.broken != "" {
				t.Fail()
			}
		})
	}
}

func TestProtocol_IsBrokenWithoutAnyOfItsRules(t *testing.T) {
	for _, c := range []struct {
		name string
		protocol
		kind   setting
		left   limits
		breaks promise
	}{
		{"the number is proved, not the content, and Redis fails over", protocol{byNumber: true}, inRedisTwice, limits{failover: 1}, proved},
		{"the number is proved, not the content, and accounts are registered anew", protocol{byNumber: true}, inRedisOnce, limits{flush: 1}, proved},
		{"the index of order ids is believed", protocol{trustsIndex: true}, inRedisTwice, limits{eviction: 1}, once},
		{"a replay is not synced", protocol{replaysUnsynced: true}, inFilesTwice, limits{}, durable},
		{"an unmarked file beats Redis", protocol{fileFirst: true, guardsHomeOnly: true}, inFilesOnce, limits{acts: 1}, shared},
		{"an unmarked file beats Redis, ledgers in Redis", protocol{fileFirst: true, guardsHomeOnly: true}, inRedisOnce, limits{acts: 1}, shared},
		{"a commit proves nothing of Redis when the file counts", protocol{guardsHomeOnly: true}, inRedisOnce, limits{acts: 1, expiry: 1}, shared},
		{"a fallback may have any account and date", protocol{anyFallback: true}, inFilesOnce, limits{acts: 1, outage: 1}, place},
		{"a session that expired falls back to any", protocol{anyFallback: true}, inRedisOnce, limits{acts: 1, expiry: 1}, place},
		{"a mark beats what Redis was set to since", protocol{marksBeatAll: true}, inRedisOnce, limits{acts: 2, outage: 1}, undone},
		{"Redis is mended though it was changed since it was read", protocol{mendsBlind: true}, inRedisOnce, limits{acts: 2, outage: 1}, undone},
		{"a mark beats nothing", protocol{marksYield: true}, inRedisOnce, limits{acts: 1, outage: 1}, marked},
		{"a session is presumed without a look at the marks", protocol{presumesBlindly: true}, inRedisOnce, limits{acts: 1, outage: 1}, marked},
		{"a halt is not written to the file", protocol{haltNotWritten: true}, inFilesTwice, limits{acts: 1, outage: 1}, halted},
		{"a halt in the file is cleared after an old look at Redis", protocol{copyClearedBlind: true}, inFilesOnce, limits{acts: 1, outage: 1}, halted},
		{"a clear that missed Redis clears the file", protocol{clearsFileAlone: true}, inFilesOnce, limits{acts: 2, outage: 1}, halted},
		{"--on-redis-loss refuse is passed over", protocol{refusesNothing: true}, refusing, limits{outage: 1}, refused},
		{"a halt stays whatever Redis says", protocol{haltStays: true}, inFilesTwice, limits{acts: 1}, recovery},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := c.protocol.check(c.kind, c.left, c.breaks == recovery)
			t.Log(found)
			if found.broken != c.breaks.String() {
				t.Errorf("want broken: %v", c.breaks)
			}
		})
	}
}
