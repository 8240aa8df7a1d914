//go:build !race

// Package protocol_test is the commit protocol as a model, checked by machine: every order, up to a bound, in which two
// servers of one account, an operator, a Redis, the session files of two machines and what can go wrong with them may act.
//
// What is decided of a session and what is written into its file is computed by package session itself (homes_test.go). The
// steps of a server stand in server_test.go, those of the operator and what goes wrong in faults_test.go. What is promised,
// and every state is held against, stands in world_test.go. Of a halt it is promised that nothing is committed
//   - in a step that reaches Redis while Redis holds a halt,
//   - after a look at Redis, by the same order, that saw one, where the ledger is in files and Redis is looked at before,
//   - without Redis, while the file of the machine holds one, or when the newest look at Redis by the process, or by any
//     process of the machine that came to write it down, saw one,
//   - by an order that came after a halt that missed Redis was written to the file of the machine,
//   - without Redis at all, where that is to be refused.
//
// What is excepted: a halt that only Redis holds, and that nobody on the machine has read there before Redis was gone; and
// what Redis loses or evicts, which is the same as cleared. Two things cannot be told apart: no set, and one of what was
// there before. Of two sessions that both missed Redis, the one that comes to it later counts as the later one.
//
// Each order runs alone, so that there is no race to look for.
package protocol_test

import (
	"maps"
	"os"
	"testing"
	"time"

	"mcp-trade/internal/testenv"
	"mcp-trade/session"
	"mcp-trade/store"
)

// first is a world in which the first account trades its first day.
func (h *homes) first(kind setting, left limits) world {
	w := world{kind: kind, up: true, left: left, sets: 1}
	w.redis.values = values{1, 1, 1}
	texts := map[store.Key]string{}
	for name, text := range w.redis.raw() {
		texts[key(name)] = text
	}
	if w.redis.halt = kind.haltedFirst; w.redis.halt {
		maps.Copy(texts, session.AfterSet(h.haltOf, redisStore, texts, map[string]string{session.Halt: "true"}, session.Reached))
		w.haltRead = [2]bool{true, true}
	}
	is := h.file(texts)
	w.files = [2]file{{is: is, set: 1}, {is: is, set: 1}}
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

// steps returns what can happen in a world. The next call reuses the memory.
func (h *homes) steps(w world) []step[world] {
	m := moves{from: w, list: h.moves[:0]}
	for i := range w.servers {
		h.serve(&m, i)
	}
	h.operate(&m)
	faults(&m)
	h.moves = m.list
	return m.list
}

// check visits every world that comes of the first one. Where it is asked for, one in a hundred is held against recovery.
func (p protocol) check(kind setting, left limits, recovers bool) outcome {
	h := newHomes(p, kind)
	looked := 0
	broken := func(w world) string {
		if looked++; recovers && w.broken == kept && looked%100 == 0 && !h.recovers(w) {
			w.broken = recovery
		}
		return w.broken.String()
	}
	return search(h.first(kind, left), h.steps, broken, h.tell)
}

// recovers tells whether each server comes to commit an order again once nothing is wrong any more and the operator has
// cleared HALT and set the session anew on both machines.
func (h *homes) recovers(w world) bool {
	w.left, w.up = limits{}, true
	next := func(add func(m *moves)) {
		m := moves{from: w}
		add(&m)
		w = m.list[0].next
	}
	if w.action.written {
		next(h.operate)
	}
	w.action = action{}
	finish := func(i int) {
		for w.servers[i].phase != waits {
			next(func(m *moves) { h.serve(m, i) })
		}
	}
	for i := range w.servers { // who has a lock comes first
		if p := w.servers[i].phase; p == mends || p == writes {
			finish(i)
		}
	}
	for i := range w.servers {
		finish(i)
	}
	later := values{account: 1, date: 2, set: w.sets + 1}
	for _, a := range []action{{kind: clearHalt}, {kind: clearHalt, machine: 1}, {kind: setValues, values: later}, {kind: setValues, values: later, machine: 1}} {
		for w.action = a; w.action.kind != noAction; {
			next(h.operate)
		}
	}
	for i := range w.servers {
		s := &w.servers[i]
		s.order = orderIDs + 1
		for s.again(&w, i); s.phase != commits; {
			if s.phase == waits {
				return false
			}
			next(func(m *moves) { h.serve(m, i) })
			s = &w.servers[i]
		}
		s.rest()
	}
	return true
}

// bound is how much may happen: a server of each machine with the ledgers in Redis, or both on one with the ledgers in files.
type bound struct {
	name string
	kind setting
	left limits
}

// ledgers is a setting with the ledgers somewhere, in which the client sends the first order and the second so often.
func ledgers(where string, first, second uint8) setting {
	return setting{redisLedgers: where == "redis", sends: [orderIDs]uint8{first, second}}
}

// refusing, haltsOfAll and haltedBefore are such settings with something else.
func refusing(k setting) setting     { k.refuse = true; return k }
func haltsOfAll(k setting) setting   { k.haltsAll = true; return k }
func haltedBefore(k setting) setting { k.haltedFirst = true; return k }

var bounds = []bound{
	{"ledgers in Redis, outages, kills, lost answers", ledgers("redis", 2, 1), limits{outage: 2, kill: 2, lost: 2}},
	{"ledgers in Redis, failovers, a kill, a lost answer", ledgers("redis", 2, 1), limits{failover: 2, kill: 1, lost: 1}},
	{"ledgers in Redis, everything lost", ledgers("redis", 2, 1), limits{flush: 1, eviction: 1, expiry: 1, kill: 1, lost: 1}},
	{"ledgers in Redis, a command, an outage, a failover", ledgers("redis", 1, 1), limits{acts: 1, outage: 1, failover: 1}},
	{"ledgers in Redis, a command, an outage, an expiry, a kill, a lost answer", ledgers("redis", 2, 0), limits{acts: 1, outage: 1, expiry: 1, kill: 1, lost: 1}},
	{"ledgers in Redis, two commands, an outage", ledgers("redis", 2, 0), limits{acts: 2, outage: 1}},
	{"ledgers in files, a power failure, an outage, kills, lost answers", ledgers("files", 2, 1), limits{power: 1, outage: 1, kill: 2, lost: 2}},
	{"ledgers in files, a command, an outage, an expiry, a kill, a lost answer", ledgers("files", 2, 0), limits{acts: 1, outage: 1, expiry: 1, kill: 1, lost: 1}},
	{"ledgers in files, two commands, an outage", ledgers("files", 2, 0), limits{acts: 2, outage: 1}},
	{"ledgers in files, two commands after a halt, an outage", haltedBefore(ledgers("files", 2, 0)), limits{acts: 2, outage: 1}},
	{"ledgers in files, halts of all models", haltsOfAll(ledgers("files", 1, 1)), limits{acts: 1, outage: 1, kill: 1}},
	{"ledgers in files, nothing without Redis", refusing(ledgers("files", 1, 1)), limits{acts: 1, outage: 1, kill: 1}},
}

// larger takes the better part of an hour and some 10 GB.
var larger = []bound{
	{"ledgers in Redis, two commands, an outage, an expiry, a kill", ledgers("redis", 1, 1), limits{acts: 2, outage: 1, expiry: 1, kill: 1}},
	{"ledgers in Redis, two commands, an outage, a failover", ledgers("redis", 1, 1), limits{acts: 2, outage: 1, failover: 1}},
	{"ledgers in Redis, two commands, two outages", ledgers("redis", 1, 1), limits{acts: 2, outage: 2}},
	{"ledgers in Redis, two commands after a halt, an outage, a kill", haltsOfAll(haltedBefore(ledgers("redis", 1, 1))), limits{acts: 2, outage: 1, kill: 1}},
	{"ledgers in files, two commands, an outage, a kill", ledgers("files", 1, 1), limits{acts: 2, outage: 1, kill: 1}},
	{"ledgers in files, two commands after a halt, two outages", haltsOfAll(haltedBefore(ledgers("files", 2, 0))), limits{acts: 2, outage: 2, kill: 1}},
	{"ledgers in files, three commands, an outage", ledgers("files", 2, 0), limits{acts: 3, outage: 1}},
}

func TestProtocol_KeepsItsPromises(t *testing.T) {
	testenv.Slow(t)
	all := bounds
	if os.Getenv("MCP_TRADE_PROTOCOL") == "larger" {
		all = append(all, larger...)
	}
	for _, b := range all {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
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
	testenv.Slow(t)
	for _, c := range []struct {
		name string
		protocol
		kind   setting
		left   limits
		breaks promise
	}{
		{"the number is proved, not the content, and Redis fails over", protocol{byNumber: true}, ledgers("redis", 2, 1), limits{failover: 1}, proved},
		{"the number is proved, not the content, and accounts are registered anew", protocol{byNumber: true}, ledgers("redis", 1, 1), limits{flush: 1}, proved},
		{"the index of order ids is believed", protocol{trustsIndex: true}, ledgers("redis", 2, 1), limits{eviction: 1}, once},
		{"a replay is not synced", protocol{replaysUnsynced: true}, ledgers("files", 2, 1), limits{}, durable},
		{"an unmarked file beats Redis", protocol{fileFirst: true, guardsHomeOnly: true}, ledgers("files", 1, 1), limits{acts: 1}, shared},
		{"an unmarked file beats Redis, ledgers in Redis", protocol{fileFirst: true, guardsHomeOnly: true}, ledgers("redis", 1, 1), limits{acts: 1}, shared},
		{"a commit proves nothing of Redis when the file counts", protocol{guardsHomeOnly: true}, ledgers("redis", 1, 1), limits{acts: 1, expiry: 1}, shared},
		{"a fallback may have any account and date", protocol{anyFallback: true}, ledgers("files", 1, 1), limits{acts: 1, outage: 1}, place},
		{"a session that expired falls back to any", protocol{anyFallback: true}, ledgers("redis", 1, 1), limits{acts: 1, expiry: 1}, place},
		{"what missed Redis beats what was set there since", protocol{marksBeatAll: true}, ledgers("redis", 1, 1), limits{acts: 2, outage: 1}, undone},
		{"Redis is put right though it was set since it was read", protocol{mendsBlind: true}, ledgers("redis", 1, 1), limits{acts: 2, outage: 1}, undone},
		{"what missed Redis beats nothing", protocol{marksYield: true}, ledgers("redis", 1, 1), limits{acts: 1, outage: 1}, marked},
		{"a session is presumed without a look at the marks", protocol{presumesBlindly: true}, ledgers("redis", 1, 1), limits{acts: 1, outage: 1}, marked},
		{"a halt is not written to the file", protocol{haltNotWritten: true}, ledgers("files", 2, 1), limits{acts: 1, outage: 1}, halted},
		{"a halt in the file is cleared after an old look at Redis", protocol{settlesBlind: true}, haltedBefore(ledgers("files", 1, 1)), limits{acts: 2, outage: 1}, halted},
		{"a clear that missed Redis clears the file", protocol{clearsFileAlone: true}, ledgers("files", 1, 1), limits{acts: 2, outage: 1}, halted},
		{"--on-redis-loss refuse is passed over", protocol{refusesNothing: true}, refusing(ledgers("files", 1, 1)), limits{outage: 1}, refused},
		{"a halt stays whatever Redis says", protocol{haltStays: true}, ledgers("files", 2, 1), limits{acts: 1}, recovery},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			found := c.protocol.check(c.kind, c.left, c.breaks == recovery)
			t.Log(found)
			if found.broken != c.breaks.String() {
				t.Errorf("want broken: %v", c.breaks)
			}
		})
	}
}
