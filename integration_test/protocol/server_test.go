// The commit protocol: what a server does with an order, step by step. Between two steps anything else may happen.

package protocol_test

import (
	"slices"

	"mcp-trade/session"
	"mcp-trade/store"
)

// protocol is the one that is specified; each of its fields takes a rule away.
type protocol struct {
	byNumber        bool // a commit proves the number of the newest record, not its content
	trustsIndex     bool // a commit believes an index of order ids that lags
	guardsHomeOnly  bool // a commit proves the home that counts, not that the other one still does not
	replaysUnsynced bool // a replay answers for a record that is not yet durable
	fileFirst       bool // an unmarked file beats Redis
	anyFallback     bool // a fallback may have any account and any date
	marksBeatAll    bool // a value that missed Redis beats whatever Redis holds
	mendsBlind      bool // Redis is put right though another session may have been set there since it was read
	marksYield      bool // a value that missed Redis yields to whatever Redis holds
	haltNotWritten  bool // a halt that was read in Redis is not written to the file
	settlesBlind    bool // what is to be put right is not judged again under the lock of the file
	clearsFileAlone bool // a clear of HALT that missed Redis clears the file's copy
	presumesBlindly bool // a presumed session is not held against the notes in the file
	refusesNothing  bool // --on-redis-loss refuse is passed over
	haltStays       bool // a process that read a halt in Redis trades no more, whatever it reads there later
}

// server is a process.
type server struct {
	// What it remembers from order to order.
	seen   seenID     // of its readings
	view   decisionID // the session as it last read it, for a presumption; 0: none
	head   book       // the newest book that it knows of the account headOf
	headOf uint8

	// The order under way.
	phase phase
	order uint8
	is    decisionID // the session in which it is judged
	file  fileID     // as read, or as it is to be written
	look  look       // at Redis

	// What the promises are held against.
	saw     bool   // Redis held a halt when it last read there
	checked look   // at Redis, the last time before the commit that the protocol can have looked there
	owed    values // those that missed Redis in its machine's file when the order came
	owes    bool   // a halt that did was in the file then
}

type phase uint8

const (
	waits   phase = iota
	reads         // Redis is read next, after the file, and it is decided which home counts
	settles       // the file is locked next, both homes are read again and put right
	mends         // Redis is written next, under the lock
	writes        // the file is written next, and the lock given back
	judges        // the book is read next, and the order judged on it
	proves        // the values that the ledger's engine does not hold are proved next
	commits       // one step of the engine is next
	syncs         // the record is in its file, and made durable next
)

func (p phase) String() string {
	return [...]string{"wait", "read Redis for", "put the session right for", "mend Redis for", "write its file for", "judge", "prove the session of", "commit", "sync"}[p]
}

func (w *world) look() look {
	if !w.up {
		return look{}
	}
	return look{true, w.redis.inRedis}
}

// serve adds what a server does next. What no other can see or change is part of the step before.
func (h *homes) serve(m *moves, i int) {
	do := func(what string, do func(w *world, s *server)) {
		m.add(serverNames[i], what, func(w *world) { do(w, &w.servers[i]) })
	}
	w := &m.from
	switch s := &w.servers[i]; s.phase {
	case waits:
		for n, c := range w.client {
			if c.sends > 0 && (n == 0 || w.client[n-1].sends < w.kind.sends[n-1]) { // ids are used in their order
				do(orderNames[n], func(w *world, s *server) { h.take(w, s, i, uint8(n+1)) })
			}
		}
	case reads:
		do("reads Redis and decides", func(w *world, s *server) { h.read(w, s, i) })
	case settles:
		if w.files[w.machine(i)].locks == [2]actor{} {
			do("locks its file, reads both homes again and decides", func(w *world, s *server) { h.settle(w, s, i) })
		}
	case mends:
		do("mends Redis", func(w *world, s *server) { h.mend(w, s, i) })
	case writes:
		do("writes its file", func(w *world, s *server) { h.writeFile(w, s, i) })
	case judges:
		do("reads the ledger and judges the order", func(w *world, s *server) { h.judge(w, s) })
	case proves:
		do("proves the session where the ledger is not", func(w *world, s *server) { h.prove(w, s, i) })
	case commits:
		if w.kind.redisLedgers || w.files[0].locks[0] == 0 { // the engine locks the session's file too
			h.commits(m, i, do)
		}
	case syncs:
		do("syncs the ledger", func(w *world, s *server) { h.sync(w, s) })
		if w.left.lost > 0 {
			do("syncs the ledger, and its answer is lost", func(w *world, s *server) {
				w.left.lost--
				before := w.client
				h.sync(w, s)
				w.client = before
			})
		}
	}
}

// commits adds the ways in which a commit can end.
func (h *homes) commits(m *moves, i int, do func(string, func(*world, *server))) {
	do("asks for the commit", func(w *world, s *server) { h.commit(w, s, i) })
	if m.from.left.lost == 0 || !m.from.kind.redisLedgers || !m.from.up {
		return
	}
	do("asks for the commit, and the reply of Redis is lost", func(w *world, s *server) {
		w.left.lost--
		before := w.client
		h.commit(w, s, i)
		w.client = before
		s.head, s.headOf = book{}, 0
		s.rest()
	})
}

// sync makes a record in a file durable, and what stands before it.
func (h *homes) sync(w *world, s *server) {
	account := h.decisions[s.is].account
	w.synced[account-1] = w.disk[account-1].length()
	h.answer(w, s)
}

// answer acknowledges the order.
func (h *homes) answer(w *world, s *server) {
	account := h.decisions[s.is].account
	if !w.kind.redisLedgers {
		at, _ := w.book(account).find(s.order)
		w.breaks(durable, at >= w.synced[account-1])
	}
	w.client[s.order-1].answered = account
	s.rest()
}

// rest ends an order; what is remembered stays.
func (s *server) rest() {
	s.phase, s.order, s.is, s.file, s.look, s.checked, s.owed, s.owes = waits, 0, 0, 0, look{}, look{}, values{}, false
}

// take begins an order, in the session as it was last read, which the commit will prove.
func (h *homes) take(w *world, s *server, i int, order uint8) {
	w.client[order-1].sends--
	f := w.files[w.machine(i)]
	s.order = order
	if c := h.files[f.is]; c.missed {
		s.owed = values{c.account, c.date, f.set}
	}
	s.owes = h.files[f.is].haltMissed
	if s.view != 0 {
		s.is = s.view
		h.judgeKnown(w, s)
		return
	}
	s.again(w, i)
}

// again reads the session anew for the order.
func (s *server) again(w *world, i int) {
	s.phase, s.is, s.file = reads, 0, w.files[w.machine(i)].is
}

// lookAtRedis reads Redis, which is the last look of an order for what is not proved later.
func (h *homes) lookAtRedis(w *world, s *server, i int) look {
	r := w.look()
	if s.checked = r; r.reached {
		if s.saw = r.halt; !r.halt {
			w.haltRead[w.machine(i)] = false
		}
	}
	return r
}

// read reads Redis, and decides.
func (h *homes) read(w *world, s *server, i int) {
	s.look = h.lookAtRedis(w, s, i)
	s.is = h.decide(s.look, s.file, s.seen)
	s.phase = settles
	if d := h.decisions[s.is]; !d.changes && !(s.look.reached && (d.Seen.Halted || d.Seen.AllHalted)) {
		h.conclude(w, s, i)
	}
}

// settle reads both homes under the lock of the file, and decides again.
func (h *homes) settle(w *world, s *server, i int) {
	f := &w.files[w.machine(i)]
	first := h.decisions[s.is]
	f.locks[0] = theServer(i)
	if first.Seen.AllHalted {
		f.locks[1] = theServer(i)
	}
	for _, changes := range []map[store.Key]string{first.Local, first.Mend} {
		for k := range changes {
			if k.Model == store.AllModels {
				f.locks[1] = theServer(i)
			}
		}
	}
	s.file = f.is
	s.seen = first.seen
	if !h.p.settlesBlind {
		s.look = h.lookAtRedis(w, s, i)
	}
	h.putRight(w, s, i)
}

// putRight decides until nothing is to be changed in the file, or in Redis, which is the next step.
func (h *homes) putRight(w *world, s *server, i int) {
	for {
		s.is = h.decide(s.look, s.file, s.seen)
		d := h.decisions[s.is]
		if len(d.Local) == 0 {
			if s.phase = writes; len(d.Mend) > 0 {
				s.phase = mends
			}
			return
		}
		s.file = h.changed(s.file, d.Local, model, store.AllModels)
	}
}

// mend writes into Redis what it missed, unless another session was set there since.
func (h *homes) mend(w *world, s *server, i int) {
	at := w.machine(i)
	mend := h.decisions[s.is].Mend
	ofSession := mend[key(session.Signature)] != "" || mend[key(session.TodayDate)] != ""
	if !w.up {
		s.phase = writes // what is decided stands without it
		return
	}
	if mend[h.haltKey()] != "" {
		w.redis.halt, s.look.halt = true, true
		for n := range w.servers {
			if w.machine(n) == at {
				w.servers[n].owes = false
			}
		}
	}
	others := ofSession || mend[key(session.IfTrade)] != ""
	if others && !w.redis.same(s.look.values) && !h.p.mendsBlind {
		s.look = h.lookAtRedis(w, s, i)
		h.putRight(w, s, i)
		return
	}
	if ofSession {
		f := h.files[w.files[at].is]
		known := append(slices.Clone(f.replaced), f.values, h.lastSeen(s.seen), values{})
		older := slices.ContainsFunc(known, w.redis.same)
		w.breaks(undone, w.redis.set > w.files[at].set && !older)
		v := f.values
		v.set = w.sets // of two that missed Redis on two machines, the one that comes later counts
		w.redis.values, s.look.values = v, v
	}
	if mend[key(session.IfTrade)] != "" {
		w.redis.traded, s.look.traded = true, true
	}
	h.putRight(w, s, i)
}

// writeFile writes the file and gives its locks back.
func (h *homes) writeFile(w *world, s *server, i int) {
	at := w.machine(i)
	f := &w.files[at]
	before, after := h.files[f.is], h.files[s.file]
	models := []string{model}
	if f.locks[1] == theServer(i) {
		models = append(models, store.AllModels)
	}
	changes := map[store.Key]string{}
	for k := range before.texts {
		changes[k] = ""
	}
	for k, text := range after.texts {
		changes[k] = text
	}
	f.is = h.changed(f.is, changes, models...)
	if h.files[f.is].halt && s.saw {
		w.haltRead[at] = true
	}
	if after := h.files[f.is]; before.missed && !after.missed && w.up && w.redis.same(after.values) {
		w.redis.set = max(w.redis.set, f.set) // Redis has what it missed
	}
	w.release(theServer(i))
	h.conclude(w, s, i)
}

// conclude keeps what was decided, and goes on with the order.
func (h *homes) conclude(w *world, s *server, i int) {
	d := h.decisions[s.is]
	if last := h.lastSeen(s.seen); d.Err == nil && d.fromFile && !last.empty() && d.Loss != session.NoLoss {
		w.breaks(place, d.account != last.account || d.date < last.date)
	}
	s.seen, s.view = d.seen, 0
	if !d.trades() {
		s.rest()
		return
	}
	if d.Loss != session.Unreachable {
		s.view = s.is
	}
	s.file, s.look = 0, look{}
	h.judgeKnown(w, s)
}

// judgeKnown judges the order on the book that the server knows, if it knows one. A refusal is not final then.
func (h *homes) judgeKnown(w *world, s *server) {
	d := h.decisions[s.is]
	if s.headOf != d.account || s.head.newest() > d.date {
		s.head, s.headOf, s.phase = book{}, 0, judges
		return
	}
	h.toCommit(w, s)
}

// judge reads the book and judges the order on it.
func (h *homes) judge(w *world, s *server) {
	d := h.decisions[s.is]
	b := *w.book(d.account)
	if w.kind.redisLedgers && !w.up {
		s.rest()
	} else if at, times := b.find(s.order); times > 0 {
		h.replay(w, s, b[1+at])
	} else if b.newest() > d.date || !b.registered() {
		s.rest()
	} else {
		s.head, s.headOf = b, d.account
		h.toCommit(w, s)
	}
}

// toCommit is next when an order is judged: what the engine of the ledger does not hold is proved just before.
func (h *homes) toCommit(w *world, s *server) {
	s.phase = commits
	if _, apart := h.guarded(s.is, w.otherHome()); apart {
		s.phase = proves
	}
}

// otherHome is the home of the session that is not where the ledger is.
func (w *world) otherHome() session.Source {
	if w.kind.redisLedgers {
		return fileStore
	}
	return redisStore
}

// replay answers an order whose id is in the ledger, if it is of the same date.
func (h *homes) replay(w *world, s *server, r record) {
	switch {
	case r.date() != h.decisions[s.is].date:
		s.rest()
	case w.kind.redisLedgers || h.p.replaysUnsynced:
		h.answer(w, s)
	default:
		s.phase = syncs
	}
}

// prove proves the values that are not where the ledger is, just before the commit.
func (h *homes) prove(w *world, s *server, i int) {
	f := w.files[w.machine(i)]
	s.phase = commits
	if w.kind.redisLedgers {
		if !h.holds(s.is, fileStore, f.is, inRedis{}) {
			s.again(w, i)
		}
		return
	}
	s.checked = w.look()
	if !s.checked.reached || !h.holds(s.is, redisStore, 0, s.checked.inRedis) {
		s.again(w, i)
	}
}

// commit is the one step of the ledger's engine: the order id, the values that it holds, the book, the record.
func (h *homes) commit(w *world, s *server, i int) {
	d := h.decisions[s.is]
	if w.kind.redisLedgers && !w.up {
		s.rest()
		return
	}
	b := w.book(d.account)
	if at, times := b.find(s.order); times > 0 && (!h.p.trustsIndex || !w.kind.redisLedgers || w.redis.index[d.account-1]&(1<<s.order) != 0) {
		h.replay(w, s, b[1+at])
		return
	}
	home, f := fileStore, w.files[w.machine(i)]
	if w.kind.redisLedgers {
		home = redisStore
	}
	if !h.holds(s.is, home, f.is, w.redis.inRedis) {
		s.again(w, i)
		return
	}
	if s.head != *b && !(h.p.byNumber && s.head.length() == b.length()) || b.length() == records {
		s.head, s.headOf, s.phase = book{}, 0, judges
		return
	}
	h.hold(w, s, i)
	b[1+b.length()] = newRecord(s.order, d.date, s.head, *b)
	s.head, s.phase = *b, syncs
	h.follow(w, s, i)
	if w.kind.redisLedgers {
		w.redis.index[d.account-1] |= 1 << s.order
		h.answer(w, s)
	}
}

// follow sets IF_TRADE, as the commit is to.
func (h *homes) follow(w *world, s *server, i int) {
	f := &w.files[w.machine(i)]
	if set, is := h.guarded(s.is, fileStore); is {
		f.is = h.once(writeCase{file: f.is, commit: s.is}, func() fileID { return h.changed(f.is, set, model) })
	}
	if set, is := h.guarded(s.is, redisStore); !is || set == nil {
		return
	}
	if w.up {
		w.redis.traded = true
	} else {
		f.is = h.changed(f.is, session.AfterSet(model, redisStore, h.files[f.is].texts, map[string]string{session.IfTrade: "true"}, session.Missed), model)
	}
}

// hold holds a commit against the promises.
func (h *homes) hold(w *world, s *server, i int) {
	at := w.machine(i)
	d, f, checked := h.decisions[s.is], w.files[at], s.checked
	if w.kind.redisLedgers {
		checked = w.look() // it is one step
	}
	is := h.files[f.is]
	set := uint8(0) // the newest one that the session can be of
	if d.same(is.values) {
		set = f.set
	}
	if d.same(checked.values) {
		set = max(set, checked.set)
	}
	w.breaks(halted, checked.halt || s.saw && !checked.reached || !checked.reached && w.haltRead[at])
	w.breaks(halted, s.owes && is.haltMissed || !checked.reached && is.halt)
	w.breaks(shared, checked.reached && !checked.empty() && !d.same(checked.values) && set < checked.set)
	w.breaks(marked, set < s.owed.set && !d.same(s.owed))
	w.breaks(refused, w.kind.refuse && !checked.reached)
}
